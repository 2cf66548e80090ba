"""NumPy's functions of complex arrays in traced code.

np.roll(z, 1)             the same on both parts
np.kron(z, w)             multilinear: four real products
np.linalg.solve(A, b)     one real system of twice the size
complex(a, b), cmath.exp(z)       of traced numbers
"""

from __future__ import annotations

import builtins
import cmath
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.frontends.numpy import calls, pairs
from graphc.frontends.numpy.complex import Complex, is_complex, known, parts, plain
from graphc.frontends.numpy.tracer import is_traced

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

# Functions that do the same to both parts of their first argument.
_BOTH = frozenset(
    """
    sum mean reshape ravel transpose swapaxes moveaxis squeeze expand_dims broadcast_to roll flip fliplr flipud
    cumsum diagonal diag diagflat trace take take_along_axis tile repeat rot90 pad atleast_1d atleast_2d copy diff
    ediff1d gradient trapezoid average tril triu split array_split hsplit vsplit dsplit delete matrix_transpose
    permute_dims zeros_like empty_like nansum
    """.split()  # noqa: SIM905
)
_JOINS = frozenset({"concatenate", "stack", "vstack", "hstack", "dstack", "column_stack", "array"})
# Functions that are linear in each of so many arguments, and which of these they conjugate.
_MULTILINEAR: dict[str, tuple[int, int | None]] = {
    "outer": (2, None), "inner": (2, None), "dot": (2, None), "tensordot": (2, None), "kron": (2, None),
    "convolve": (2, None), "cross": (2, None), "matmul": (2, None), "vdot": (2, 0), "correlate": (2, 1),
}  # fmt: skip


def function_of(session: Session, function: Any, args: Sequence[Any], words: dict[str, Any]) -> Any:
    """A function of NumPy's that is no ufunc, with complex arguments."""
    name = function.__name__
    if name in FUNCTIONS and type(args[0]) is Complex:
        return FUNCTIONS[name](*args, **words)
    if name in _BOTH and type(args[0]) is Complex:
        return args[0].mapped(function, *args[1:], **words)
    if known((*args, *words.values())):
        return session.known(function(*map(plain, args), **{k: plain(v) for k, v in words.items()}))
    if name in _JOINS:
        return joined(session, function, args[0], *args[1:], **words)
    if (function.__module__ or "").startswith("numpy.fft"):
        return session.wrapped(session.call(f"fft.{name}", args, words))
    if name in _MULTILINEAR:
        count, conjugated = _MULTILINEAR[name]
        given = [np.conjugate(a) if i == conjugated else a for i, a in enumerate(args[:count])]
        # np.correlate and np.vdot conjugate by themselves; of real parts that changes nothing.
        bound = partial(_with_rest, function, args[count:], words)
        return Complex(session, *pairs.multilinear(bound, [parts(a) for a in given]))
    if name in _OTHERS:
        return _OTHERS[name](session, *args, **words)
    raise session.placed(calls.not_covered(f"{name} (complex)"))


def _with_rest(function: Any, rest: Sequence[Any], words: dict[str, Any], *operands: Any) -> Any:
    return function(*operands, *rest, **words)


def joined(session: Session, function: Any, values: Sequence[Any], *rest: Any, **words: Any) -> Complex:
    """A function of a sequence of arrays, of the real and of the imaginary parts."""
    items = [Complex(session, *parts(x)) for x in values]
    real = function([x.real for x in items], *rest, **words)
    return Complex(session, real, function([x.imag for x in items], *rest, **words))


def _angle(z: Complex, deg: bool = False) -> Any:
    angle = pairs.phase(z.pair)
    return np.rad2deg(angle) if deg else angle


def _prod(z: Any, axis: int | None = None, keepdims: bool = False, **words: Any) -> Any:
    factors = np.ravel(z) if axis is None else np.moveaxis(z, axis, 0)
    product = reduce(np.multiply, factors) if len(factors) else Complex(z.session, np.prod(z.real, axis), 0)
    return np.expand_dims(product, axis if axis is not None else tuple(range(z.ndim))) if keepdims else product


def _var(z: Complex, *args: Any, **words: Any) -> Any:
    return np.var(z.real, *args, **words) + np.var(z.imag, *args, **words)


def _std(z: Complex, *args: Any, **words: Any) -> Any:
    return np.sqrt(_var(z, *args, **words))


def _full_like(z: Complex, fill_value: Any = 1.0, **words: Any) -> Complex:
    """np.ones_like, too: the imaginary part is that of the number."""
    real, imag = parts(fill_value)
    return Complex(z.session, np.full_like(z.real, real), np.full_like(z.real, imag))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "real": lambda z: z.real,
    "imag": lambda z: z.imag,
    "angle": _angle,
    "iscomplexobj": lambda z: True,
    "isrealobj": lambda z: False,
    "isreal": lambda z: np.equal(z.imag, 0),
    "iscomplex": lambda z: np.not_equal(z.imag, 0),
    "shape": lambda z: z.shape,
    "ndim": lambda z: z.ndim,
    "size": lambda z: z.size,
    "prod": _prod,
    "var": _var,
    "std": _std,
    "ones_like": _full_like,
    "full_like": _full_like,
}


def _where(session: Session, condition: Any, x: Any, y: Any) -> Complex:
    first, second = parts(x), parts(y)
    real, imag = (np.where(condition, *both) for both in zip(first, second, strict=True))
    return Complex(session, real, imag)


def _einsum(session: Session, subscripts: str, *operands: Any, **words: Any) -> Complex:
    return Complex(session, *pairs.multilinear(partial(np.einsum, subscripts, **words), [parts(x) for x in operands]))


def _append(session: Session, arr: Any, values: Any, axis: int | None = None) -> Any:
    flat = axis is None
    given = [np.ravel(Complex(session, *parts(x))) if flat else x for x in (arr, values)]
    return joined(session, np.concatenate, given, axis=0 if axis is None else axis)


def _norm(session: Session, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """A norm that depends on absolute values alone."""
    matrix = len(axis) == 2 if isinstance(axis, tuple) else axis is None and x.ndim == 2
    if matrix and ord in (2, -2, "nuc"):
        raise session.placed(calls.not_covered("linalg.norm with singular values (complex)"))
    return np.linalg.norm(np.absolute(x), ord, axis, keepdims)


def _doubled(a: Complex) -> Any:
    """The real matrix [[Re, -Im], [Im, Re]], which does to (Re, Im) what `a` does."""
    upper = np.concatenate([a.real, -a.imag], axis=-1)
    return np.concatenate([upper, np.concatenate([a.imag, a.real], axis=-1)], axis=-2)


def _solve(session: Session, a: Any, b: Any) -> Complex:
    matrix, right = Complex(session, *parts(a)), Complex(session, *parts(b))
    n = matrix.shape[-1]
    axis = -1 if right.ndim == 1 else -2
    both = np.linalg.solve(_doubled(matrix), np.concatenate([right.real, right.imag], axis=axis))
    if axis == -1:
        return Complex(session, both[:n], both[n:])
    return Complex(session, both[..., :n, :], both[..., n:, :])


def _inv(session: Session, a: Complex) -> Complex:
    n = a.shape[-1]
    both = np.linalg.inv(_doubled(a))
    return Complex(session, both[..., :n, :n], both[..., n:, :n])


def _multi_dot(session: Session, arrays: Sequence[Any], **words: Any) -> Any:
    return reduce(np.matmul, arrays)


def _polyval(session: Session, p: Any, x: Any) -> Any:
    """Horner's scheme."""
    value: Any = 0
    for coefficient in p:
        value = value * x + coefficient
    return value


_OTHERS: dict[str, Callable[..., Any]] = {
    "where": _where, "einsum": _einsum, "append": _append, "norm": _norm, "solve": _solve, "inv": _inv,
    "multi_dot": _multi_dot, "polyval": _polyval,
}  # fmt: skip


# --- making complex values ---


def has_complex(x: Any) -> bool:
    """Whether something in nested lists is complex."""
    return any(map(has_complex, x)) if type(x) in (list, tuple) else is_complex(x)


def parts_of(x: Any, which: int) -> Any:
    """Nested lists of the real (0) or the imaginary (1) parts."""
    if type(x) in (list, tuple):
        return [parts_of(v, which) for v in x]
    part = parts(x)[which]
    return part if np.shape(part) == np.shape(x) else np.zeros_like(parts(x)[0])


def filled(session: Session, name: str, args: Sequence[Any], words: dict[str, Any]) -> Complex:
    """np.zeros(n, dtype=complex) and its kin with traced sizes or values."""
    if name not in ("zeros", "ones", "full"):
        raise session.placed(calls.not_covered(f"{name} (complex)"))
    shape, *value = args if args else [words["shape"]]
    made = session.as_complex(session.wrapped(session.call("zeros", (shape,), {})))
    made[...] = value[0] if value else words.get("fill_value", float(name == "ones"))
    return made


def _complex(session: Session, real: Any = 0.0, imag: Any = 0.0) -> Any:
    """`complex(a, b)`"""
    if not is_traced(real) and not is_traced(imag):
        return builtins.complex(real, imag)
    values: list[Any] = [x if is_complex(x) else Complex(session, session.as_float(x), 0) for x in (real, imag)]
    return values[0] if type(imag) is float and imag == 0 else values[0] + 1j * values[1]


def _of_cmath(original: Callable[..., Any], ufunc: Any) -> Callable[..., Any]:
    def call(session: Session, z: Any) -> Any:
        return ufunc(_complex(session, z)) if is_traced(z) else original(z)

    return call


# What takes the place of Python's own functions of complex numbers.
PYTHON: dict[Any, Callable[..., Any]] = {
    builtins.complex: _complex,
    cmath.phase: _of_cmath(cmath.phase, np.angle),
    **{getattr(cmath, n): _of_cmath(getattr(cmath, n), getattr(np, n)) for n in (
        "exp", "log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "isfinite", "isnan", "isinf")},
}  # fmt: skip
