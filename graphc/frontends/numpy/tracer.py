"""The object that stands for an array while the user's function runs.

    def loss(w): return np.sum(np.exp(w) * 2)      w is a Tracer; np.exp(w) calls its __array_ufunc__

A tracer is a piece of memory (`buffers.Buffer`) and a path to a view of it. It behaves as an
`np.ndarray` of its dtype and shape, sizes included that are not known yet; numbers of rank 0 are
immutable, as NumPy's scalars are.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from graphc.errors import UnsupportedError
from graphc.frontends.numpy import indexing, methods
from graphc.frontends.numpy.buffers import Buffer, Path, strided
from graphc.frontends.numpy.sizes import TracedSize
from graphc.ir.node import Node

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session


class Kind(Enum):
    """What NumPy has where a tracer stands."""

    ARRAY = "an array, which may be written to"
    SCALAR = "a NumPy scalar: immutable, with a dtype that counts in promotion"
    WEAK = "a Python number: it takes the dtype of what it meets"


_TRUTH = "the truth value of a traced value is not known before the generated code runs"
_WHERE = "write np.where(condition, a, b), which computes both and chooses"


class StandIn:
    """What stands for an array or a number. array: the real one, if nothing traced is in it."""

    __slots__ = ()

    @property
    def array(self) -> npt.NDArray[Any] | None:
        raise NotImplementedError


class Tracer(StandIn):
    """An array of the traced computation. Made by a `Session`."""

    __slots__ = ("buffer", "kind", "path", "session")
    __array_priority__ = 1000.0

    session: Session
    buffer: Buffer
    path: Path
    kind: Kind

    def __init__(self, session: Session, buffer: Buffer, path: Path, kind: Kind) -> None:
        self.session = session
        self.buffer = buffer
        self.path = path
        self.kind = kind

    # --- what it is ---

    @property
    def node(self) -> Node:
        """Its present value."""
        return self.buffer.read(self.path)

    __graphc_node__ = node

    @property
    def array(self) -> npt.NDArray[Any] | None:
        """The real array, if nothing traced is in it."""
        return self.buffer.view(self.path)

    @property
    def contiguous(self) -> bool:
        return self.node.type.rank <= 1 or (self.buffer.contiguous and not strided(self.path))

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """`isinstance(x, np.ndarray)` and `isinstance(x, float)` answer what they do without tracing."""
        if self.kind is Kind.ARRAY:
            return np.ndarray
        return self.buffer.dtype.type if self.kind is Kind.SCALAR else float

    def __graphc_wrap__(self, node: Node) -> Tracer:
        """A new array of this value, for ops that users define."""
        wrapped: Tracer = self.session.wrapped(node)
        return wrapped

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.buffer.dtype

    @property
    def shape(self) -> tuple[Any, ...]:
        return tuple(self.session.size(d) for d in self.node.shape)

    @shape.setter
    def shape(self, shape: Any) -> None:
        view = methods.call(self, "reshape", shape)
        if view.buffer is not self.buffer:
            raise self._untraceable("the shape of an array is set, and its memory may not lie in order")
        self.path = view.path

    @property
    def ndim(self) -> int:
        return self.node.type.rank

    @property
    def size(self) -> Any:
        return self.session.size(self.node.type.size)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> Any:
        return self.size * self.itemsize

    @property
    def T(self) -> Any:
        return methods.call(self, "transpose")

    @property
    def mT(self) -> Any:
        return methods.call(self, "swapaxes", -1, -2)

    @property
    def flat(self) -> Any:
        return methods.call(self, "ravel")

    @property
    def real(self) -> Tracer:
        return self

    @real.setter
    def real(self, value: Any) -> None:
        self.assign(value)

    @property
    def imag(self) -> Any:
        return np.zeros_like(self)

    def __getattr__(self, name: str) -> Any:
        return methods.bound(self, name)

    # --- NumPy's protocols ---

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        return self.session.ufunc(ufunc, method, inputs, keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        return self.session.function(function, args, keywords)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        array = self.array
        if array is None:
            raise self._untraceable("a real array is needed here, and this value is traced")
        return np.array(array, dtype=dtype) if copy else np.asarray(array, dtype=dtype)

    # --- elements ---

    def __len__(self) -> int:
        node = self.node
        if node.type.rank == 0:
            raise TypeError("len() of unsized object")
        return operator.index(self.session.number(node.shape[0]))

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        return indexing.read(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        indexing.write(self, key, value)

    def __contains__(self, item: Any) -> bool:
        return bool((self == item).any())

    def assign(self, value: Any) -> None:
        """Overwrite all elements, as `x[...] = value` and `out=x` do."""
        indexing.write(self, Ellipsis, value)

    # --- where Python needs a value ---

    def _real(self, what: str) -> Any:
        array = self.array
        if array is None:
            array = self.session.evaluated(self.node)
        if array is None:
            raise self._untraceable(what)
        return array

    def _untraceable(self, what: str, hint: str | None = None) -> Exception:
        return self.session.placed(UnsupportedError("G043", what, hint=hint or methods.ADVICE))

    def __bool__(self) -> bool:
        array = self.array if self.array is not None else self.session.evaluated(self.node)
        if array is None:
            hint = _WHERE if self.ndim == 0 else f"{_WHERE}; any() and all() of an array are traced, too"
            raise self._untraceable(_TRUTH, hint)
        return bool(array)

    def __int__(self) -> int:
        return int(self._real("int() needs the number, and this value is traced"))

    def __float__(self) -> float:
        return float(self._real("float() needs the number, and this value is traced"))

    def __complex__(self) -> complex:
        return complex(self._real("complex() needs the number, and this value is traced"))

    def __index__(self) -> int:
        return operator.index(self._real("Python needs an integer here, and this value is traced")[()])

    def __hash__(self) -> int:
        if self.kind is Kind.ARRAY:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        return hash(self._real("a key of a dict or a set is a known number, and this value is traced")[()])

    def __round__(self, digits: int | None = None) -> Any:
        return np.rint(self).astype(np.int64) if digits is None else np.round(self, digits)

    def __format__(self, spec: str) -> str:
        array = self.array
        return repr(self) if array is None else format(array if array.ndim else array[()], spec)

    def __repr__(self) -> str:
        array = self.array
        return f"<traced {self.node.type}>" if array is None else repr(array)

    def __str__(self) -> str:
        array = self.array
        return repr(self) if array is None else str(array)

    def __copy__(self) -> Any:
        return methods.call(self, "copy")

    def __deepcopy__(self, memo: Any) -> Any:
        return methods.call(self, "copy")

    def __reduce__(self) -> Any:
        raise self._untraceable("a traced value cannot be pickled")


def _binary(ufunc: Any) -> Any:
    def method(self: Tracer, other: Any) -> Any:
        return _operated(self, ufunc, (self, other))

    def swapped(self: Tracer, other: Any) -> Any:
        return _operated(self, ufunc, (other, self))

    return method, swapped


def _operated(tracer: Tracer, ufunc: Any, operands: tuple[Any, Any]) -> Any:
    if any(isinstance(o, (str, bytes, dict, set)) or o is None for o in operands):
        return NotImplemented
    return tracer.session.ufunc(ufunc, "__call__", operands, {})


def _in_place(ufunc: Any) -> Any:
    def method(self: Tracer, other: Any) -> Any:
        if self.kind is not Kind.ARRAY:
            return tracer_result(self, ufunc, other)
        return self.session.ufunc(ufunc, "__call__", (self, other), {"out": (self,)})

    return method


def tracer_result(tracer: Tracer, ufunc: Any, other: Any) -> Any:
    """`x += y` of a number is `x = x + y`."""
    return tracer.session.ufunc(ufunc, "__call__", (tracer, other), {})


def _unary(ufunc: Any) -> Any:
    def method(self: Tracer) -> Any:
        return self.session.ufunc(ufunc, "__call__", (self,), {})

    return method


_BINARY: dict[str, Any] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "pow": np.power, "matmul": np.matmul, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift, "divmod": np.divmod,
}  # fmt: skip
_COMPARE: dict[str, Any] = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
_UNARY: dict[str, Any] = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}

for _name, _ufunc in _BINARY.items():
    _method, _swapped = _binary(_ufunc)
    setattr(Tracer, f"__{_name}__", _method)
    setattr(Tracer, f"__r{_name}__", _swapped)
    if _name != "divmod":
        setattr(Tracer, f"__i{_name}__", _in_place(_ufunc))
for _name, _ufunc in _COMPARE.items():
    setattr(Tracer, f"__{_name}__", _binary(_ufunc)[0])
for _name, _ufunc in _UNARY.items():
    setattr(Tracer, f"__{_name}__", _unary(_ufunc))


def is_traced(value: Any) -> bool:
    """Whether a value depends on the inputs, or on sizes that are names."""
    return type(value) is TracedSize or (issubclass(type(value), StandIn) and value.array is None)


def real_of(x: Any) -> Any:
    """What NumPy is given where nothing is traced: the real array behind a known one, in lists as well."""
    if type(x) is Tracer:
        return x.array
    return type(x)(real_of(v) for v in x) if type(x) in (list, tuple) else x
