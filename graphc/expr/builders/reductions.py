"""Reductions over axes, and the way back from what they give.

s = reduce("sum", x, (1,))    of x: [n, d]       s: [n]
spread(ct, s)                 of ct: [n]         ct repeated: [n, d], the cotangent of x
unbroadcast(ct, b)            of ct: [n, d], b: [d]   the sum over n: [d]
"""

from __future__ import annotations

from typing import Any

from graphc.errors import ShapeError
from graphc.expr.builders.shapes import broadcast_to, expand_dims, reshape
from graphc.ir.dims import product
from graphc.ir.leaf import size_node
from graphc.ir.node import Node, make
from graphc.ops import REGISTRY


def normal_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """Axes as a sorted tuple of numbers from 0; None means all. ShapeError G022 outside the rank."""
    if axis is None:
        return tuple(range(rank))
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = []
    for a in given:
        if isinstance(a, bool) or not isinstance(a, int):
            raise ShapeError("G022", f"an axis is an integer, not {a!r}")
        if not -rank <= a < rank:
            raise ShapeError("G022", f"axis {a} is outside an array of {rank} axes")
        axes.append(a % rank)
    if len(set(axes)) != len(axes):
        raise ShapeError("G022", f"axis given twice: {tuple(given)}")
    return tuple(sorted(axes))


def reduce(name: str, x: Node, axes: tuple[int, ...], keepdims: bool = False, **attrs: Any) -> Node:
    """A reduction over axes that are already normal."""
    op = REGISTRY[name]
    if "keepdims" in op.attrs:
        attrs["keepdims"] = keepdims
    return make(op, [x], axes=axes, **attrs)


def unreduced(x: Node, node: Node) -> Node:
    """`x`, shaped like the reduction `node`, with the reduced axes put back at size 1.

    A scalar stays as it is: it broadcasts anyway.
    """
    attrs = node.attributes
    return x if attrs.get("keepdims", False) or x.type.rank == 0 else expand_dims(x, attrs["axes"])


def spread(ct: Node, node: Node) -> Node:
    """The cotangent of a sum, repeated over the summed axes."""
    return broadcast_to(unreduced(ct, node), node.args[0].shape)


def count(node: Node, dtype: str, ddof: int = 0) -> Node:
    """How many elements the reduction `node` takes together, less `ddof`; at least 1, to divide by."""
    shape = node.args[0].shape
    return size_node(product(tuple(shape[a] for a in node["axes"])) - ddof, dtype, least=1)


def size_of(x: Node, axis: int, dtype: str) -> Node:
    """The number of elements along an axis, as a number."""
    return size_node(x.shape[axis], dtype)


def unbroadcast(ct: Node, target: Node) -> Node:
    """The adjoint of broadcasting: sum the axes along which `target` was repeated."""
    if ct.shape == target.shape:
        return ct
    extra = ct.type.rank - target.type.rank
    axes = tuple(range(extra)) + tuple(
        extra + i for i, d in enumerate(target.shape) if d == 1 and ct.shape[extra + i] != 1
    )
    total = reduce("sum", ct, axes) if axes else ct
    return reshape(total, target.shape)
