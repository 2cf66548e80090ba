"""Functions that make, rearrange and join arrays. Sizes may be named: zeros((n, 3))."""

from __future__ import annotations

import math

import numpy as np

from graphc.errors import DtypeError, LimitError, ShapeError, UnsupportedError
from graphc.expr import build
from graphc.expr.arguments import (
    MAX_SEQUENCE,
    Value,
    axes_of,
    axis_number,
    describe,
    dim,
    dtype_of,
    node,
    nodes,
    permutation,
    sequence,
    shape_of,
    whole_number,
)
from graphc.expr.products import flat
from graphc.ir.dims import Dim, Size, exact_quotient, product
from graphc.ir.leaf import const_node
from graphc.ir.node import Node
from graphc.ir.types import show_shape

# --- rearranging ---


def transpose(x: Value, axes: Value = None) -> Node:
    """The axes in another order; by default reversed."""
    array = node(x)
    rank = array.type.rank
    order = tuple(reversed(range(rank))) if axes is None else permutation(axes, rank)
    return build.transpose(array, order)


def swapaxes(x: Value, axis1: Value, axis2: Value) -> Node:
    """Two axes exchanged."""
    array = node(x)
    order = list(range(array.type.rank))
    i, j = axis_number(axis1, len(order)), axis_number(axis2, len(order))
    order[i], order[j] = order[j], order[i]
    return build.transpose(array, tuple(order))


def moveaxis(x: Value, source: Value, destination: Value) -> Node:
    """Axes moved to other positions; the others keep their order."""
    array = node(x)
    rank = array.type.rank
    given = [a if isinstance(a, (tuple, list)) else (a,) for a in (source, destination)]
    starts, ends = ([axis_number(a, rank) for a in axes] for axes in given)
    if len(starts) != len(ends) or len(set(starts)) != len(starts) or len(set(ends)) != len(ends):
        raise ShapeError("G022", "moveaxis takes as many different axes as positions")
    order = [a for a in range(rank) if a not in starts]
    for end, start in sorted(zip(ends, starts, strict=True)):
        order.insert(end, start)
    return build.transpose(array, tuple(order))


def reshape(x: Value, shape: Value, *, order: Value = "C") -> Node:
    """The same elements in another shape; one size may be -1 and is then worked out.

    With order="F" the first index varies fastest, in reading and in placing.
    """
    array = node(x)
    if _by_columns(order):
        turned = shape[::-1] if isinstance(shape, (tuple, list)) else shape
        return transpose(reshape(transpose(array), turned))
    given = shape if isinstance(shape, (tuple, list)) else (shape,)
    free = [i for i, d in enumerate(given) if type(d) is int and d == -1]
    if len(free) > 1:
        raise ShapeError("G023", "only one size of a shape can be -1")
    known = shape_of(tuple(1 if i in free else d for i, d in enumerate(given)))
    if not free:
        return build.reshape(array, known)
    rest = exact_quotient(array.type.size, product(known))
    if rest is None:
        raise ShapeError(
            "G021",
            f"cannot reshape {show_shape(array.shape)}: {array.type.size} elements do not divide by {product(known)}",
        )
    return build.reshape(array, tuple(rest if i in free else d for i, d in enumerate(known)))


def ravel(x: Value, *, order: Value = "C") -> Node:
    """All elements along one axis; with order="F" the first index varies fastest."""
    return flat(transpose(x) if _by_columns(order) else node(x))


def _by_columns(order: Value) -> bool:
    """Whether elements are taken column by column; "A" and "K" are rows, as arrays have no memory order here."""
    if order not in ("C", "F", "A", "K"):
        raise DtypeError("G030", f'`order` is "C", "F", "A" or "K", not {describe(order)}')
    return bool(order == "F")


def broadcast_to(x: Value, shape: Value) -> Node:
    """Repeated along new axes and axes of size 1."""
    return build.broadcast_to(node(x), shape_of(shape))


def expand_dims(x: Value, axis: Value) -> Node:
    """New axes of size 1, at these positions of the result."""
    array = node(x)
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    if axis is None:
        raise ShapeError("G022", "an axis is an integer, not None")
    return build.expand_dims(array, axes_of(axis, array.type.rank + count))


def squeeze(x: Value, axis: Value = None) -> Node:
    """Without axes of size 1; by default all that are known to be 1."""
    array = node(x)
    ones = tuple(i for i, d in enumerate(array.shape) if d == 1)
    return build.squeeze(array, ones if axis is None else axes_of(axis, array.type.rank))


# --- joining ---


def concatenate(arrays: Value, axis: Value = 0) -> Node:
    """Arrays joined along an axis: concatenate((a, b), axis=1). With axis=None they are flattened."""
    parts = sequence(arrays, "concatenate")
    if axis is None:
        return build.joined("concatenate", [flat(p) for p in parts], 0)
    if parts[0].type.rank == 0:
        raise ShapeError("G021", "scalars cannot be concatenated", hint="write stack((a, b))")
    return build.joined("concatenate", parts, axis_number(axis, parts[0].type.rank))


def stack(arrays: Value, axis: Value = 0) -> Node:
    """Arrays of one shape joined along a new axis."""
    parts = sequence(arrays, "stack")
    return build.joined("stack", parts, axis_number(axis, parts[0].type.rank + 1))


def vstack(arrays: Value) -> Node:
    """Rows put below each other; vectors are rows."""
    parts = sequence(arrays, "vstack")
    rows = [build.expand_dims(p, tuple(range(2 - p.type.rank))) if p.type.rank < 2 else p for p in parts]
    return build.joined("concatenate", rows, 0)


def hstack(arrays: Value) -> Node:
    """Columns put beside each other; vectors are joined end to end."""
    parts = [build.expand_dims(p, (0,)) if p.type.rank == 0 else p for p in sequence(arrays, "hstack")]
    return build.joined("concatenate", parts, min(1, parts[0].type.rank - 1))


def array(values: Value) -> Node:
    """Nested lists as an array: array([a, b, 0.0])."""
    return node(values)


# --- creation ---


def zeros(shape: Value, dtype: Value = None) -> Node:
    """Zeros, float64 by default."""
    return build.zeros(shape_of(shape), dtype_of(dtype, "float64"))


def ones(shape: Value, dtype: Value = None) -> Node:
    """Ones, float64 by default."""
    return build.ones(shape_of(shape), dtype_of(dtype, "float64"))


def full(shape: Value, fill_value: Value, dtype: Value = None) -> Node:
    """One value spread over a shape."""
    value = node(fill_value)
    return build.broadcast_to(build.astype(value, dtype_of(dtype, value.type.dtype)), shape_of(shape))


def zeros_like(x: Value, dtype: Value = None) -> Node:
    """Zeros with the shape and dtype of `x`."""
    like = node(x).type
    return build.zeros(like.shape, dtype_of(dtype, like.dtype))


def ones_like(x: Value, dtype: Value = None) -> Node:
    """Ones with the shape and dtype of `x`."""
    like = node(x).type
    return build.ones(like.shape, dtype_of(dtype, like.dtype))


def full_like(x: Value, fill_value: Value, dtype: Value = None) -> Node:
    """One value spread over the shape of `x`, in its dtype."""
    like = node(x).type
    return full(like.shape, build.astype(node(fill_value), dtype_of(dtype, like.dtype)))


def empty(shape: Value, dtype: Value = None) -> Node:
    """An array to be written into. Here it holds zeros."""
    return zeros(shape, dtype)


def empty_like(x: Value, dtype: Value = None) -> Node:
    """An array like `x`, to be written into. Here it holds zeros."""
    return zeros_like(x, dtype)


def arange(start: Value, stop: Value = None, step: Value = 1, *, dtype: Value = None) -> Node:
    """0, 1, ... below n, or from `start` to `stop`, which is left out, in steps."""
    first, last = (0, start) if stop is None else (start, stop)
    bounds = (first, last, step)
    if all(type(b) in (int, float) for b in bounds) and float in map(type, bounds):
        return _counted(first, last, step, dtype_of(dtype, "float64"))
    if type(step) is not int or any(isinstance(b, bool) or not isinstance(b, (int, Size)) for b in bounds):
        wrong = next(b for b in (step, *bounds) if isinstance(b, bool) or not isinstance(b, int))
        raise UnsupportedError(
            "G040", f"arange takes integers and sizes, not {describe(wrong)}", hint="write a + step * arange(n)"
        )
    if step == 0:
        raise ShapeError("G023", "the step of arange is not 0")
    span = last - first if step > 0 else first - last
    count: Dim = span if abs(step) == 1 else (span + (abs(step) - 1)) // abs(step)
    numbers = build.arange(max(0, count) if isinstance(count, int) else count, dtype_of(dtype, "int64"))
    scaled = numbers if step == 1 else build.multiply(numbers, step)
    return scaled if first == 0 else build.add(scaled, *nodes((numbers, first))[1:])


def _counted(start: float, stop: float, step: float, dtype: str) -> Node:
    """Numbers as a constant array."""
    length = (stop - start) / step if step else math.inf
    if not abs(length) <= build.MAX_ELEMENTS:
        raise ShapeError("G023", "arange takes finite bounds, and a step that is not 0")
    if length > MAX_SEQUENCE:
        raise LimitError("G003", f"a list of numbers has more than {MAX_SEQUENCE:,} elements")
    return const_node(np.arange(start, stop, step), dtype)


def eye(n: Value, m: Value = None, k: Value = 0, *, dtype: Value = None) -> Node:
    """Ones on the k-th diagonal of n rows and m columns (n by default). `eye(c)[y]` is one-hot rows."""
    rows, columns, kind = dim(n), dim(n if m is None else m), dtype_of(dtype, "float64")
    offset = whole_number(k, "k")
    if offset == 0:
        return build.eye(rows, columns, kind)
    place = build.add(build.expand_dims(build.arange(rows), (1,)), offset)
    return build.astype(build.equal(place, build.arange(columns)), kind)


def identity(n: Value, dtype: Value = None) -> Node:
    """The square identity matrix."""
    return eye(n, dtype=dtype)
