"""The three kinds of node without arguments that every graph may have.

input(name="X", type=f64[n, d])    const(value=2.0)    size(dim=2 * h, dtype="float64")
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy.typing as npt

from graphc.ir.dims import Dim
from graphc.ir.node import Constant, Node, make
from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType


def _const_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    value: Constant = attrs["value"]
    return TensorType(value.dtype, value.shape)


INPUT = Op(
    "input",
    (),
    attrs=("name", "type"),
    infer=lambda types, attrs: attrs["type"],
    numpy="name",
    spelling="name",
    doc="A value given from outside.",
    cost=0.0,
)
CONST = Op(
    "const",
    (),
    attrs=("value",),
    infer=_const_type,
    numpy="value",
    spelling="value",
    doc="A constant number or array.",
    cost=0.0,
)
SIZE = Op(
    "size",
    (),
    attrs=("dim", "dtype", "least"),
    infer=lambda types, attrs: TensorType(attrs["dtype"], ()),
    numpy=lambda types, attrs: "dim" if attrs["least"] == 0 else "max(dim, least)",
    spelling="dim",
    doc="The number of elements along an axis, as a number, at least `least`.",
    cost=0.0,
)


def input_node(name: str, type: TensorType) -> Node:
    return make(INPUT, (), name=name, type=type)


def const_node(value: npt.ArrayLike, dtype: str) -> Node:
    return make(CONST, (), value=Constant.of(value, dtype))


def size_node(dim: Dim, dtype: str = "int64", least: int = 0) -> Node:
    """The size as a number, at least `least`; a constant if the size is known."""
    if isinstance(dim, int):
        return const_node(max(dim, least), dtype)
    return make(SIZE, (), dim=dim, dtype=dtype, least=least)


def constant_value(node: Node) -> npt.NDArray[Any] | None:
    """The array of a constant, None for every other node."""
    return node["value"].array() if node.op is CONST else None


def scalar_value(node: Node) -> float | int | bool | None:
    """The number if every element of a constant is the same one, else None."""
    return _scalar_of(node.attrs[0]) if node.op is CONST else None


@lru_cache(maxsize=65536)
def _scalar_of(value: Constant) -> float | int | bool | None:
    array = value.array()
    if array.size == 0 or (array.size > 1 and not (array == array.flat[0]).all()):
        return None
    item: float | int | bool = array.flat[0].item()
    return item
