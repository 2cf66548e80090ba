"""Complex numbers in traced code: a pair of real arrays. What goes in and what comes out is real.

    z = np.fft.rfft(x)           Complex(real, imag)
    np.abs(z) ** 2               square(real) + square(imag)
    np.fft.irfft(z * h)          real again

A complex function is written with real ones on the parts; derivatives are those of the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import UnsupportedError
from graphc.frontends.numpy import calls

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

ADVICE = "arithmetic, exp, abs, angle, real, imag, conj, sums, shapes and np.fft work on complex values"


class Complex:
    """real + imag i; an imaginary part of 0 is the number 0."""

    __slots__ = ("imag", "real", "session")
    __array_priority__ = 3000.0
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, session: Session, real: Any, imag: Any) -> None:
        self.session = session
        self.real = real if _zero(imag) else _spread(real, imag)
        self.imag = imag if _zero(imag) else _spread(imag, real)

    @property
    def shape(self) -> tuple[Any, ...]:
        return np.shape(self.real) if not hasattr(self.real, "shape") else self.real.shape

    @property
    def ndim(self) -> int:
        return np.ndim(self.real)

    @property
    def size(self) -> Any:
        return np.size(self.real)

    @property
    def dtype(self) -> Any:
        return np.dtype(np.complex64 if getattr(self.real, "dtype", None) == np.float32 else np.complex128)

    @property
    def T(self) -> Complex:
        transposed: Complex = self._parts(np.transpose)
        return transposed

    def _parts(self, function: Callable[..., Any], *args: Any, **words: Any) -> Any:
        """A function that does the same to both parts."""
        return Complex(self.session, function(self.real, *args, **words), function(self._imag(), *args, **words))

    def _imag(self) -> Any:
        """The imaginary part as an array."""
        return np.zeros_like(self.real) if type(self.imag) is int else self.imag

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **words: Any) -> Any:
        return ufunc_of(self.session, ufunc, method, inputs, words)

    def __array_function__(self, function: Any, types: Any, args: Any, words: Any) -> Any:
        return function_of(self.session, function, args, words)

    def __getitem__(self, key: Any) -> Any:
        return Complex(self.session, self.real[key], 0 if type(self.imag) is int else self.imag[key])

    def __len__(self) -> int:
        return len(self.real)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def conj(self) -> Complex:
        return Complex(self.session, self.real, _negative(self.imag))

    conjugate = conj

    def copy(self) -> Complex:
        return Complex(self.session, self.real, self.imag)

    def __getattr__(self, name: str) -> Any:
        if name in _METHODS:
            return lambda *args, **words: self._parts(lambda x, *a, **w: getattr(x, name)(*a, **w), *args, **words)
        if name.startswith("__"):
            raise AttributeError(name)
        raise self.session.placed(UnsupportedError("G044", f"`{name}` of a complex value is not covered", hint=ADVICE))

    def __bool__(self) -> bool:
        raise self.session.placed(UnsupportedError("G043", "the truth value of a traced value", hint=ADVICE))

    def __repr__(self) -> str:
        return f"<traced complex {self.real!r}>"


_METHODS = frozenset(
    {"sum", "mean", "reshape", "ravel", "flatten", "transpose", "squeeze", "swapaxes", "cumsum", "take"}
)


def is_complex(value: Any) -> bool:
    """Whether a value is complex: a traced one, a number or a real array of NumPy's."""
    if type(value) is Complex or isinstance(value, complex):
        return True
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "c"


def real_part(value: Any) -> Any:
    return value.real if type(value) is Complex else value


def parts(value: Any) -> tuple[Any, Any]:
    """The real and the imaginary part; 0 for that of a real value."""
    return (value.real, value.imag) if is_complex(value) else (value, 0)


# --- arithmetic that leaves out what is 0 by kind ---


def _zero(x: Any) -> bool:
    return type(x) is int and x == 0


def _spread(x: Any, other: Any) -> Any:
    """A part in the shape that both parts have together."""
    return x if _zero(x) or np.shape(x) == np.shape(other) or np.ndim(other) == 0 else x + np.zeros_like(other)


def _negative(x: Any) -> Any:
    return x if _zero(x) else -x


def _add(x: Any, y: Any) -> Any:
    return y if _zero(x) else x if _zero(y) else x + y


def _subtract(x: Any, y: Any) -> Any:
    return _negative(y) if _zero(x) else x if _zero(y) else x - y


def _multiply(x: Any, y: Any) -> Any:
    return 0 if _zero(x) or _zero(y) else x * y


def _product(a: Any, b: Any) -> tuple[Any, Any]:
    real = _subtract(_multiply(a[0], b[0]), _multiply(a[1], b[1]))
    return real, _add(_multiply(a[0], b[1]), _multiply(a[1], b[0]))


def _quotient(a: Any, b: Any) -> tuple[Any, Any]:
    if _zero(b[1]):
        return a[0] / b[0], 0 if _zero(a[1]) else a[1] / b[0]
    size = b[0] * b[0] + b[1] * b[1]
    real, imag = _product(a, (b[0], _negative(b[1])))
    return real / size, imag / size


def _power(a: Any, b: Any) -> tuple[Any, Any]:
    if type(b[0]) is not int or not _zero(b[1]) or not 0 <= b[0] <= 64:
        raise UnsupportedError("G044", "a complex value to a power that is no small integer", hint=ADVICE)
    result: tuple[Any, Any] = (1.0, 0)
    for _ in range(b[0]):
        result = _product(result, a)
    return result


def _matmul(a: Any, b: Any) -> tuple[Any, Any]:
    def times(x: Any, y: Any) -> Any:
        return 0 if _zero(x) or _zero(y) else np.matmul(x, y)

    real = _subtract(times(a[0], b[0]), times(a[1], b[1]))
    return real, _add(times(a[0], b[1]), times(a[1], b[0]))


def _exp(a: Any) -> tuple[Any, Any]:
    if _zero(a[0]):
        return np.cos(a[1]), np.sin(a[1])
    size = np.exp(a[0])
    return size * np.cos(a[1]), size * np.sin(a[1])


def _log(a: Any) -> tuple[Any, Any]:
    return np.log(np.hypot(a[0], a[1])), np.arctan2(a[1], a[0])


# A ufunc on pairs; the result is a pair.
_UFUNCS: dict[str, Callable[..., tuple[Any, Any]]] = {
    "add": lambda a, b: (_add(a[0], b[0]), _add(a[1], b[1])),
    "subtract": lambda a, b: (_subtract(a[0], b[0]), _subtract(a[1], b[1])),
    "multiply": _product,
    "divide": _quotient,
    "power": _power,
    "matmul": _matmul,
    "square": lambda a: _product(a, a),
    "negative": lambda a: (_negative(a[0]), _negative(a[1])),
    "positive": lambda a: a,
    "conjugate": lambda a: (a[0], _negative(a[1])),
    "reciprocal": lambda a: _quotient((1.0, 0), a),
    "exp": _exp,
    "log": _log,
}
_REAL: dict[str, Callable[..., Any]] = {
    "absolute": lambda a: np.hypot(a[0], a[1]),
    "isfinite": lambda a: np.isfinite(a[0]) & np.isfinite(a[1]),
}


def ufunc_of(session: Session, ufunc: Any, method: str, inputs: Sequence[Any], words: dict[str, Any]) -> Any:
    """A ufunc of NumPy's with complex operands."""
    pairs = [parts(x) for x in inputs]
    name = ufunc.__name__
    if method == "__call__" and words.get("out") is None:
        if name in _UFUNCS:
            return Complex(session, *session.attempt(lambda: _UFUNCS[name](*pairs)))
        if name in _REAL:
            return _REAL[name](*pairs)
    if method == "reduce" and name == "add":
        return Complex(session, np.sum(pairs[0][0], **words), np.sum(pairs[0][1], **words))
    raise session.placed(calls.not_covered(f"{name} (complex)"))


# Functions that do the same to both parts.
_BOTH = frozenset(
    """
    sum mean reshape ravel transpose swapaxes moveaxis squeeze expand_dims broadcast_to roll flip fliplr flipud
    cumsum diagonal trace take tile repeat rot90 pad atleast_1d atleast_2d copy
    """.split()  # noqa: SIM905
)
_JOINS = frozenset({"concatenate", "stack", "vstack", "hstack", "dstack", "column_stack", "array"})


def _angle(z: Any, deg: bool = False) -> Any:
    angle = np.arctan2(z.imag, z.real)
    return np.rad2deg(angle) if deg else angle


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "real": lambda z: z.real,
    "imag": lambda z: z._imag(),
    "angle": _angle,
    "iscomplexobj": lambda z: True,
    "isrealobj": lambda z: False,
    "shape": lambda z: z.shape,
    "ndim": lambda z: z.ndim,
    "size": lambda z: z.size,
}


def function_of(session: Session, function: Any, args: Sequence[Any], words: dict[str, Any]) -> Any:
    """A function of NumPy's that is no ufunc, with complex arguments."""
    name = function.__name__
    if name in FUNCTIONS and type(args[0]) is Complex:
        return FUNCTIONS[name](*args, **words)
    if name in _BOTH and type(args[0]) is Complex:
        return args[0]._parts(function, *args[1:], **words)
    if name in _JOINS:
        items = [Complex(session, *parts(x)) for x in args[0]]
        real = function([x.real for x in items], *args[1:], **words)
        return Complex(session, real, function([x._imag() for x in items], *args[1:], **words))
    if name == "where":
        chosen = [parts(x) for x in args[1:]]
        return Complex(
            session, np.where(args[0], chosen[0][0], chosen[1][0]), np.where(args[0], chosen[0][1], chosen[1][1])
        )
    if (function.__module__ or "").startswith("numpy.fft"):
        return session.wrapped(session.call(f"fft.{name}", args, words))
    if name in ("dot", "vdot"):
        first = args[0].conj() if name == "vdot" and type(args[0]) is Complex else args[0]
        return Complex(session, *_matmul(parts(first), parts(args[1])))
    raise session.placed(calls.not_covered(f"{name} (complex)"))


def _operator(ufunc: Any, swapped: bool) -> Any:
    def method(self: Complex, other: Any) -> Any:
        return ufunc_of(self.session, ufunc, "__call__", (other, self) if swapped else (self, other), {})

    return method


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "pow": np.power,
    "matmul": np.matmul,
}.items():  # fmt: skip
    setattr(Complex, f"__{_name}__", _operator(_ufunc, False))
    setattr(Complex, f"__r{_name}__", _operator(_ufunc, True))
for _name, _one in {"neg": np.negative, "pos": np.positive, "abs": np.absolute}.items():
    setattr(Complex, f"__{_name}__", lambda self, ufunc=_one: ufunc_of(self.session, ufunc, "__call__", (self,), {}))
