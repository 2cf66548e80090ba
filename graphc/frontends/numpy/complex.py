"""Complex numbers in traced code: a pair of real arrays. What goes in and what comes out is real.

    z = np.fft.rfft(x)           Complex(real, imag)
    np.abs(z) ** 2               hypot(real, imag) ** 2
    z[0] = 1j * x[0]             writes to both parts
    np.fft.irfft(z * h)          real again

A complex function is written with real ones on the parts (`pairs`); derivatives are those of the parts.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from graphc.errors import UnsupportedError
from graphc.frontends.numpy import calls, pairs
from graphc.frontends.numpy.tracer import StandIn, Tracer, is_traced

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

ADVICE = "arithmetic, elementary functions, abs, angle, real, imag, conj, sums, products, shapes and np.fft are covered"


class Complex(StandIn):
    """real + imag i. Both parts are traced or known arrays or numbers; an imaginary part of 0 is the number 0."""

    __slots__ = ("_imag_part", "_real_part", "session")
    __array_priority__ = 3000.0
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, session: Session, real: Any, imag: Any) -> None:
        self.session = session
        self._real_part = _owned(session, real if pairs.is_zero(imag) else _spread(real, imag))
        self._imag_part = _owned(session, imag if pairs.is_zero(imag) else _spread(imag, real))

    @property
    def pair(self) -> pairs.Pair:
        """The parts, that of 0 as the number 0."""
        return self._real_part, self._imag_part

    @property
    def array(self) -> npt.NDArray[Any] | None:
        """The real array, if nothing traced is in it."""
        known: list[Any] = [getattr(part, "array", None) if type(part) is Tracer else part for part in self.pair]
        if any(part is None or isinstance(part, StandIn) for part in known):
            return None
        array = np.empty(self.shape, self.dtype)
        array.real, array.imag = known
        return array

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """`isinstance` answers what it does without tracing."""
        return np.ndarray if self.ndim else builtins.complex

    @property
    def real(self) -> Any:
        return self._real_part

    @real.setter
    def real(self, value: Any) -> None:
        self._real_part[...] = value

    @property
    def imag(self) -> Any:
        """The imaginary part; one of 0 becomes an array that may be written to."""
        if pairs.is_zero(self._imag_part):
            self._imag_part = np.zeros_like(self._real_part) if self.ndim else 0.0
        return self._imag_part

    @imag.setter
    def imag(self, value: Any) -> None:
        self.imag[...] = value

    @property
    def shape(self) -> tuple[Any, ...]:
        shape: tuple[Any, ...] = np.shape(self._real_part)
        return shape

    @property
    def ndim(self) -> int:
        return np.ndim(self._real_part)

    @property
    def size(self) -> Any:
        return np.size(self._real_part)

    @property
    def dtype(self) -> Any:
        return np.dtype(np.complex64 if getattr(self._real_part, "dtype", None) == np.float32 else np.complex128)

    @property
    def T(self) -> Any:
        return self.mapped(np.transpose)

    def mapped(self, function: Callable[..., Any], *args: Any, **words: Any) -> Any:
        """A function that does the same to both parts."""
        real, imag = (function(part, *args, **words) for part in (self.real, self.imag))
        if isinstance(real, (list, tuple)):
            return type(real)(Complex(self.session, *both) for both in zip(real, imag, strict=True))
        return Complex(self.session, real, imag)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **words: Any) -> Any:
        return self.session.ufunc(ufunc, method, inputs, words)

    def __array_function__(self, function: Any, types: Any, args: Any, words: Any) -> Any:
        return self.session.function(function, args, words)

    def __getitem__(self, key: Any) -> Any:
        return Complex(self.session, self.real[key], self.imag[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        real, imag = parts(value)
        self.real[key] = real
        self.imag[key] = imag

    def __len__(self) -> int:
        return len(self._real_part)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def conj(self) -> Any:
        return np.conjugate(self)

    conjugate = conj

    def copy(self, order: str = "C") -> Complex:
        return Complex(self.session, *(_copied(part) for part in self.pair))

    def astype(self, dtype: Any, **words: Any) -> Any:
        """Another precision; a real dtype has the real part."""
        wanted = np.dtype(dtype)
        if wanted.kind != "c":
            return self.real.astype(wanted)
        return self.mapped(lambda part: part.astype(np.float32 if wanted == np.complex64 else np.float64))

    def item(self, *args: Any) -> Any:
        return Complex(self.session, *(p if pairs.is_zero(p) else p.item(*args) for p in self.pair))

    def tolist(self) -> Any:
        return [row.tolist() if row.ndim else row for row in self]

    def fill(self, value: Any) -> None:
        self[...] = value

    def __getattr__(self, name: str) -> Any:
        if name in _VIEWS:
            return lambda *args, **words: self.mapped(lambda part: getattr(part, name)(*args, **words))
        if name in _METHODS:
            return lambda *args, **words: self.session.function(getattr(np, name), (self, *args), words)
        if name.startswith("__"):
            raise AttributeError(name)
        raise self.session.placed(UnsupportedError("G044", f"`{name}` of a complex value is not covered", hint=ADVICE))

    def __bool__(self) -> bool:
        raise self.session.placed(UnsupportedError("G043", "the truth value of a traced value", hint=ADVICE))

    def __repr__(self) -> str:
        return f"<traced complex {self._real_part!r}>"


_VIEWS = frozenset({"reshape", "ravel", "flatten", "transpose", "squeeze", "swapaxes", "diagonal"})
_METHODS = frozenset({"sum", "mean", "prod", "var", "std", "cumsum", "take", "repeat", "trace", "dot"})


def _spread(x: Any, other: Any) -> Any:
    """A part in the shape that both parts have together."""
    return x if pairs.is_zero(x) or np.shape(x) == np.shape(other) or np.ndim(other) == 0 else x + np.zeros_like(other)


def _owned(session: Session, part: Any) -> Any:
    """A part that may be written to."""
    return session.known(part.copy()) if type(part) is np.ndarray else part


def _copied(part: Any) -> Any:
    return part.copy() if type(part) is Tracer else part


def is_complex(value: Any) -> bool:
    """Whether a value is complex: a traced one, a number or a real array of NumPy's."""
    if type(value) is Complex or type(value) is builtins.complex:
        return True
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "c"


def any_complex(values: Any) -> bool:
    return any(any_complex(v) if type(v) in (list, tuple) else is_complex(v) for v in values)


def parts(value: Any) -> pairs.Pair:
    """The real and the imaginary part; 0 for that of a real value."""
    if type(value) is Complex:
        return value.pair
    return (value.real, value.imag) if is_complex(value) else (value, 0)


def known(values: Sequence[Any]) -> bool:
    """Whether nothing traced is in any of the values."""
    return all(known(v) if type(v) in (list, tuple) else not is_traced(v) for v in values)


def plain(x: Any) -> Any:
    """The real array behind a known one."""
    if type(x) in (list, tuple):
        return type(x)(plain(v) for v in x)
    return x.array if isinstance(x, StandIn) else x


def ufunc_of(session: Session, ufunc: Any, method: str, inputs: Sequence[Any], words: dict[str, Any]) -> Any:
    """A ufunc of NumPy's with complex operands."""
    out = words.pop("out", None)
    for word in ("dtype", "casting", "order", "subok"):
        words.pop(word, None)
    result = _result(session, ufunc, method, inputs, words)
    target = out[0] if isinstance(out, tuple) else out
    if target is None:
        return result
    if type(target) is not Complex:
        raise session.placed(UnsupportedError("G043", "a complex value is written into a real array", hint=ADVICE))
    target[...] = result
    return target


def _result(session: Session, ufunc: Any, method: str, inputs: Sequence[Any], words: dict[str, Any]) -> Any:
    name = ufunc.__name__
    if known(inputs):
        return session.known(getattr(ufunc, method)(*map(plain, inputs), **words))
    operands = [parts(x) for x in inputs]
    if method == "outer" and name in pairs.UFUNCS:
        first = np.expand_dims(inputs[0], tuple(range(np.ndim(inputs[0]), np.ndim(inputs[0]) + np.ndim(inputs[1]))))
        operands, method = [parts(first), operands[1]], "__call__"
    if method == "__call__" and not words:
        if name in pairs.UFUNCS:
            return _new(session, session.attempt(lambda: pairs.UFUNCS[name](*operands)), operands)
        if name in pairs.REAL:
            return pairs.REAL[name](*operands)
    if method in _FOLDS and name in _FOLDS[method]:
        return session.function(_FOLDS[method][name], inputs, {"axis": 0, **words})
    raise session.placed(calls.not_covered(f"{name} (complex)"))


_FOLDS: dict[str, dict[str, Any]] = {
    "reduce": {"add": np.sum, "multiply": np.prod},
    "accumulate": {"add": np.cumsum},
}


def _new(session: Session, result: pairs.Pair, operands: Sequence[pairs.Pair]) -> Complex:
    """A new array: a part that is one of an operand's is copied."""
    given = [part for operand in operands for part in operand]
    return Complex(session, *(_copied(part) if any(part is g for g in given) else part for part in result))


def _operator(ufunc: Any, swapped: bool) -> Any:
    def method(self: Complex, other: Any) -> Any:
        return self.session.ufunc(ufunc, "__call__", (other, self) if swapped else (self, other), {})

    return method


def _in_place(ufunc: Any) -> Any:
    def method(self: Complex, other: Any) -> Any:
        return self.session.ufunc(ufunc, "__call__", (self, other), {"out": (self,)} if self.ndim else {})

    return method


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "pow": np.power,
    "matmul": np.matmul,
}.items():  # fmt: skip
    setattr(Complex, f"__{_name}__", _operator(_ufunc, False))
    setattr(Complex, f"__r{_name}__", _operator(_ufunc, True))
    setattr(Complex, f"__i{_name}__", _in_place(_ufunc))
for _name, _ufunc in {"eq": np.equal, "ne": np.not_equal}.items():
    setattr(Complex, f"__{_name}__", _operator(_ufunc, False))
Complex.__hash__ = None  # type: ignore[assignment]
for _name, _one in {"neg": np.negative, "pos": np.positive, "abs": np.absolute}.items():
    setattr(Complex, f"__{_name}__", lambda self, ufunc=_one: self.session.ufunc(ufunc, "__call__", (self,), {}))
