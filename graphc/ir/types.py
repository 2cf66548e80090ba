"""What a value is: a dtype and a shape.

TensorType("float64", (n, 3))   prints as   f64[n, 3]
"""

from __future__ import annotations

from typing import NamedTuple

from graphc.errors import DtypeError, ShapeError, did_you_mean
from graphc.ir.dims import Dim, product

SHORT = {"float64": "f64", "float32": "f32", "int64": "i64", "int32": "i32", "bool": "bool"}
LONG = {short: long for long, short in SHORT.items()} | {"float": "float64", "int": "int64"}
_ORDER = ("bool", "int32", "int64", "float32", "float64")
MAX_RANK = 64


class TensorType(NamedTuple):
    """The static type of a value.

    dtype: a key of `SHORT`.  shape: one `Dim` an axis; () is a scalar.
    """

    dtype: str
    shape: tuple[Dim, ...]

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def is_float(self) -> bool:
        return self.dtype in ("float64", "float32")

    @property
    def size(self) -> Dim:
        """The number of elements."""
        return product(self.shape)

    def with_shape(self, shape: tuple[Dim, ...]) -> TensorType:
        return TensorType(self.dtype, shape)

    def with_dtype(self, dtype: str) -> TensorType:
        return TensorType(dtype, self.shape)

    def __str__(self) -> str:
        return f"{SHORT.get(self.dtype, self.dtype)}[{', '.join(map(str, self.shape))}]"


def dtype_named(name: str) -> str:
    """The full name of a dtype: `f32` and `float32` are both "float32"."""
    if name in SHORT:
        return name
    if name in LONG:
        return LONG[name]
    known = ", ".join([*SHORT, *SHORT.values()])
    hint = did_you_mean(name, [*SHORT, *LONG]) or f"the dtypes are {known}"
    raise DtypeError("G030", f"`{name}` is not a dtype of graphc", hint=hint)


def promote(*dtypes: str) -> str:
    """The dtype of an operation on arrays of these dtypes, as NumPy has it (NEP 50)."""
    if "float32" in dtypes and ("int64" in dtypes or "int32" in dtypes):
        return "float64"
    return max(dtypes, key=_ORDER.index)


def show_shape(shape: tuple[Dim, ...]) -> str:
    """A shape as Python writes it: `(n,)`, `(n, 3)`, `()`."""
    return f"({shape[0]},)" if len(shape) == 1 else f"({', '.join(map(str, shape))})"


def _unequal(a: Dim, b: Dim, shapes: tuple[tuple[Dim, ...], ...]) -> ShapeError:
    named = not (isinstance(a, int) and isinstance(b, int))
    return ShapeError(
        "G021",
        f"sizes {a} and {b} do not match",
        label=" and ".join(show_shape(s) for s in shapes),
        hint=f"if {a} and {b} are always equal, declare them with one name" if named else None,
    ).between(a, b)


def broadcast(*shapes: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """The shape to which all of these broadcast, decided now: sizes are 1, equal, or an error."""
    rank = max((len(s) for s in shapes), default=0)
    result: list[Dim] = [1] * rank
    for shape in shapes:
        for axis, dim in enumerate(shape, start=rank - len(shape)):
            if dim == 1 or dim == result[axis]:
                continue
            if result[axis] != 1:
                raise _unequal(result[axis], dim, shapes)
            result[axis] = dim
    return tuple(result)
