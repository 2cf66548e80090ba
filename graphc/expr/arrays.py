"""Functions that make, rearrange and join arrays. Sizes may be named: zeros((n, 3))."""

from __future__ import annotations

from graphc.errors import ShapeError, UnsupportedError
from graphc.expr import build
from graphc.expr.arguments import (
    Value,
    axes_of,
    axis_number,
    describe,
    dim,
    dtype_of,
    node,
    permutation,
    sequence,
    shape_of,
)
from graphc.expr.products import flat
from graphc.expr.subscript import subscript
from graphc.ir.dims import Dim, Size, exact_quotient, product
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


def reshape(x: Value, shape: Value) -> Node:
    """The same elements in another shape; one size may be -1 and is then worked out."""
    array = node(x)
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


def ravel(x: Value) -> Node:
    """All elements along one axis."""
    return flat(node(x))


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


def take(x: Value, indices: Value, axis: Value = None) -> Node:
    """Elements at integer positions along an axis; by default of the flattened array."""
    source = node(x)
    if axis is None:
        return subscript(flat(source), [indices])
    position = axis_number(axis, source.type.rank)
    return subscript(source, [*[slice(None)] * position, indices])


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


def arange(start: Value, stop: Value = None, *, dtype: Value = None) -> Node:
    """The integers 0 to n - 1, or from `start` to `stop` - 1."""
    for bound in (start, stop):
        if isinstance(bound, float) or not (bound is None or isinstance(bound, (int, Size))):
            raise UnsupportedError(
                "G040", f"arange takes integers and sizes, not {describe(bound)}", hint="write a + step * arange(n)"
            )
    kind = dtype_of(dtype, "int64")
    if stop is None or start is None:
        return build.arange(dim(start), kind)
    count: Dim = stop - start
    if isinstance(count, int):
        count = max(0, count)
    return build.add(node(start), build.arange(dim(count), kind)) if start != 0 else build.arange(dim(count), kind)


def eye(n: Value, m: Value = None, *, dtype: Value = None) -> Node:
    """The identity matrix of n rows and m columns (n by default). `eye(k)[y]` is one-hot rows."""
    return build.eye(dim(n), dim(n if m is None else m), dtype_of(dtype, "float64"))


def identity(n: Value, dtype: Value = None) -> Node:
    """The square identity matrix."""
    return eye(n, dtype=dtype)
