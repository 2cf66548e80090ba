"""Sorting, and positions and counts found by order.

A sorted array passes its gradient back along the permutation; equal elements keep their order.
Positions and counts are integers and have no gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.errors import DtypeError, LimitError, ShapeError, UnsupportedError
from graphc.expr import build
from graphc.expr.arguments import Value, axis_number, describe, dim, flag, node, nodes
from graphc.expr.products import flat
from graphc.ir.dims import Dim, Size
from graphc.ir.leaf import const_node, constant_value
from graphc.ir.node import Node
from graphc.ir.types import show_shape


def lined(x: Value, axis: Value) -> tuple[Node, int]:
    """An array and the axis to work along; axis=None flattens."""
    array = node(x)
    if axis is None:
        return flat(array), 0
    return array, axis_number(axis, array.type.rank)


def sort(x: Value, axis: Value = -1) -> Node:
    """The elements in ascending order along an axis (by default the last); None flattens. NaN comes last."""
    array, place = lined(x, axis)
    return build.apply("sort", array, axis=place)


def argsort(x: Value, axis: Value = -1) -> Node:
    """The positions that sort an array along an axis; equal elements keep their order."""
    array, place = lined(x, axis)
    return build.apply("argsort", array, axis=place)


def partition(x: Value, kth: Value, axis: Value = -1) -> Node:
    """The elements with the `kth` smallest in its sorted place, smaller ones before it and larger ones after."""
    array, place = lined(x, axis)
    return build.apply("permute", array, argpartition(array, kth, place), axis=place)


def argpartition(x: Value, kth: Value, axis: Value = -1) -> Node:
    """The positions that `partition` reads from; `kth` is an integer, a size or a tuple of them."""
    array, place = lined(x, axis)
    size = array.shape[place]
    given = kth if isinstance(kth, (tuple, list)) else (kth,)
    wanted = tuple(_position(k, size) for k in given)
    return build.apply("argpartition", array, kth=wanted if len(wanted) > 1 else wanted[0], axis=place)


def _position(k: Value, size: Dim) -> Dim:
    if isinstance(k, bool) or not isinstance(k, (int, Size)):
        raise DtypeError("G030", f"a position is an integer or a size, not {describe(k)}")
    if isinstance(k, int) and isinstance(size, int) and not -size <= k < size:
        raise ShapeError("G022", f"the position {k} is outside an axis of size {size}")
    return size + k if isinstance(k, int) and k < 0 else k


def _found(name: str, x: Value, axis: Value, keepdims: Value) -> Node:
    array, keep = node(x), flag(keepdims, "keepdims")
    if array.type.rank == 0:
        return const_node(0, "int64") if axis is None else build.astype(lined(x, axis)[0], "int64")
    place = None if axis is None else axis_number(axis, array.type.rank)
    if (array.type.size if place is None else array.shape[place]) == 0:
        raise ShapeError("G021", f"`{name}` of no elements: the shape is {show_shape(array.shape)}")
    return build.apply(name, array, axis=place, keepdims=keep)


def argmax(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """The position of the first of the largest elements; without an axis, in the flattened array."""
    return _found("argmax", x, axis, keepdims)


def argmin(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """The position of the first of the smallest elements; without an axis, in the flattened array."""
    return _found("argmin", x, axis, keepdims)


def searchsorted(a: Value, v: Value, side: Value = "left") -> Node:
    """Where in the sorted vector `a` each element of `v` belongs: before equal ones, or with side="right" after."""
    if side not in ("left", "right"):
        raise DtypeError("G030", f'`side` is "left" or "right", not {describe(side)}')
    array, wanted = nodes((a, v))
    return build.apply("searchsorted", array, wanted, side=side)


def digitize(x: Value, bins: Value, right: Value = False) -> Node:
    """The number of the bin that holds each element; the edges ascend or descend, and are closed on the left."""
    array, edges = nodes((x, bins))
    return build.apply("digitize", array, edges, right=flag(right, "right"))


def bincount(x: Value, weights: Value = None, minlength: Value = 0) -> Node:
    """How often each integer from 0 occurs, or the sum of its weights; there are `minlength` of them.

    The number of results must be known before the values are: an element of `minlength` or more is
    refused when the generated code runs, where NumPy would return a longer array.
    """
    array = node(x)
    if array.type.dtype == "bool" or array.type.is_float:
        raise DtypeError("G030", f"bincount counts integers, not {array.type}")
    known = constant_value(array)
    length = dim(minlength)
    if known is not None and isinstance(length, int) and known.size:
        length = max(length, int(known.max()) + 1)
    if isinstance(length, int) and length > build.MAX_ELEMENTS:
        raise LimitError("G003", f"{length:,} counts are over the limit of 2**31")
    if length == 0:
        raise UnsupportedError(
            "G040",
            "the length of bincount depends on values",
            hint="give its length: bincount(x, minlength=k), for elements below k",
        )
    counted = build.astype(array, "int64")
    if weights is None:
        ones = build.full_like(1.0, counted.type.with_dtype("float64"))
        return build.astype(build.apply("bincount", counted, ones, n=length), "int64")
    given = node(weights)
    given = given if given.type.is_float else build.astype(given, "float64")
    return build.apply("bincount", counted, given, n=length)


TABLE: dict[str, Callable[..., Any]] = {
    "sort": sort,
    "argsort": argsort,
    "partition": partition,
    "argpartition": argpartition,
    "argmax": argmax,
    "argmin": argmin,
    "searchsorted": searchsorted,
    "digitize": digitize,
    "bincount": bincount,
}
