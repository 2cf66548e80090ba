"""Running sums, products and extremes along one axis.

cumsum([1, 2, 3])  ->  [1, 3, 6]        cumsum(X)  flattens,  cumsum(X, 0)  runs down the columns
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.errors import ShapeError
from graphc.expr import build
from graphc.expr.arguments import Value, axis_number, dtype_of, flag, node
from graphc.expr.products import flat
from graphc.ir.node import Node


def _running(name: str, x: Value, axis: Value, dtype: Value = None) -> Node:
    array = node(x)
    array = build.astype(array, dtype_of(dtype, array.type.dtype))
    if axis is None or array.type.rank == 0:
        place = axis_number(0 if axis is None else axis, 1)
        array = flat(array)
    else:
        place = axis_number(axis, array.type.rank)
    made = build.apply(name, array, axis=place)
    return build.astype(made, dtype_of(dtype, made.type.dtype))


def cumsum(x: Value, axis: Value = None, dtype: Value = None) -> Node:
    """Running sums along an axis; by default of the flattened array. Integers and booleans give int64."""
    return _running("cumsum", x, axis, dtype)


def cumprod(x: Value, axis: Value = None, dtype: Value = None) -> Node:
    """Running products along an axis; by default of the flattened array. The gradient never divides."""
    return _running("cumprod", x, axis, dtype)


def maximum_accumulate(x: Value, axis: Value = 0) -> Node:
    """Running maxima along an axis, NumPy's maximum.accumulate; k ties share the gradient, 1/k each."""
    return _running("cummax", x, axis)


def minimum_accumulate(x: Value, axis: Value = 0) -> Node:
    """Running minima along an axis, NumPy's minimum.accumulate; k ties share the gradient, 1/k each."""
    return _running("cummin", x, axis)


def logaddexp_accumulate(x: Value, axis: Value = 0) -> Node:
    """Running log(sum(exp(x))) along an axis, NumPy's logaddexp.accumulate, without overflow."""
    array = node(x)
    return _running("cumlogsumexp", build.astype(array, "int64") if array.type.dtype == "bool" else array, axis)


def _cumulative(name: str, first: int, x: Value, axis: Value, dtype: Value, include_initial: Value) -> Node:
    array = node(x)
    if array.type.rank == 0:
        raise ShapeError("G022", "a running total of a scalar: it needs an array of at least one axis")
    if axis is None and array.type.rank > 1:
        raise ShapeError("G022", f"an array of {array.type.rank} axes needs the axis to run along")
    place = axis_number(0 if axis is None else axis, array.type.rank)
    made = _running(name, array, place, dtype)
    if not flag(include_initial, "include_initial"):
        return made
    shape = tuple(1 if i == place else d for i, d in enumerate(made.shape))
    return build.joined("concatenate", [build.full_like(first, made.type.with_shape(shape)), made], place)


def cumulative_sum(x: Value, *, axis: Value = None, dtype: Value = None, include_initial: Value = False) -> Node:
    """Running sums along an axis, which only a vector may leave out; `include_initial` puts a 0 before them."""
    return _cumulative("cumsum", 0, x, axis, dtype, include_initial)


def cumulative_prod(x: Value, *, axis: Value = None, dtype: Value = None, include_initial: Value = False) -> Node:
    """Running products along an axis, which only a vector may leave out; `include_initial` puts a 1 before them."""
    return _cumulative("cumprod", 1, x, axis, dtype, include_initial)


TABLE: dict[str, Callable[..., Any]] = {
    "cumsum": cumsum,
    "cumprod": cumprod,
    "cumulative_sum": cumulative_sum,
    "cumulative_prod": cumulative_prod,
    "maximum_accumulate": maximum_accumulate,
    "minimum_accumulate": minimum_accumulate,
    "logaddexp_accumulate": logaddexp_accumulate,
}
