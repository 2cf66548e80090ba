"""Arrays that are made of nothing but their sizes; one without axes is a constant.

    zeros((n, 3))    np.zeros((n, 3))
    ones(())         1.0

An array of known sizes that no memory would hold is refused here, before a program asks for it.
"""

from __future__ import annotations

from graphc.errors import LimitError
from graphc.expr.builders.elementwise import Number
from graphc.expr.builders.shapes import broadcast_to
from graphc.ir.dims import Dim
from graphc.ir.leaf import const_node
from graphc.ir.node import Node, make
from graphc.ir.types import TensorType
from graphc.ops import REGISTRY

MAX_ELEMENTS = 2**31  # of an array whose sizes are all known and which no input has


def checked(shape: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """The shape of a new array, if that is not too large."""
    total = 1
    for dim in shape:
        total *= dim if isinstance(dim, int) else 1
    if total > MAX_ELEMENTS:
        raise LimitError("G003", f"an array of {total:,} elements is over the limit of 2**31")
    return shape


def zeros(shape: tuple[Dim, ...], dtype: str = "float64") -> Node:
    if not shape:
        return const_node(0, dtype)
    return make(REGISTRY["zeros"], [], shape=checked(shape), dtype=dtype)


def ones(shape: tuple[Dim, ...], dtype: str = "float64") -> Node:
    if not shape:
        return const_node(1, dtype)
    return make(REGISTRY["ones"], [], shape=checked(shape), dtype=dtype)


def arange(n: Dim, dtype: str = "int64") -> Node:
    checked((n,))
    return make(REGISTRY["arange"], [], n=n, dtype=dtype)


def eye(n: Dim, m: Dim, dtype: str = "float64") -> Node:
    checked((n, m))
    return make(REGISTRY["eye"], [], n=n, m=m, dtype=dtype)


def full_like(value: Number, type: TensorType) -> Node:
    """A constant spread over a shape."""
    return broadcast_to(const_node(value, type.dtype), type.shape)
