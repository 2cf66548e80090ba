"""Functions that take elements together along axes.

`axis` is an integer, a tuple of integers or None (all axes); `keepdims=True` keeps them with size 1.
Along no axes at all, as with a scalar, each element is its own sum, mean, maximum and product.

    sum(x, where=m)              the sum of where(m, x, 0)
    max(x, initial=0.0)          maximum(max(x), 0.0)
    mean(x, where=m)             sum(x, where=m) / sum(m)
"""

from __future__ import annotations

import math

from graphc.errors import DtypeError, ShapeError
from graphc.expr import build
from graphc.expr.arguments import Value, axes_of, dtype_of, flag, node, nodes, whole_number
from graphc.ir.dims import product
from graphc.ir.leaf import size_node
from graphc.ir.node import Node
from graphc.ir.types import broadcast, show_shape

_LARGEST_EXPONENT = {"float64": 700.0, "float32": 80.0}  # exp of it is finite
_NONEMPTY = ("max", "min", "logsumexp")


def _reduced(name: str, x: Value, axis: Value, keepdims: Value) -> Node:
    array, keep = node(x), flag(keepdims, "keepdims")
    axes = axes_of(axis, array.type.rank)
    if name in _NONEMPTY:
        _nonempty(name, array, axes)
    return build.reduce(name, array, axes, keep) if axes else array


def _nonempty(name: str, x: Node, axes: tuple[int, ...]) -> None:
    if any(x.shape[a] == 0 for a in axes):
        raise ShapeError("G021", f"`{name}` of no elements: the shape is {show_shape(x.shape)}")


def _counted(x: Node) -> Node:
    return x if x.type.is_float else build.astype(x, "int64")


def floating(x: Node) -> Node:
    """Integers and booleans as float64."""
    return x if x.type.is_float else build.astype(x, "float64")


def mask_over(where: Value, x: Node) -> Node:
    """A mask over all elements of `x`."""
    mask = node(where)
    if mask.type.dtype != "bool":
        raise DtypeError("G030", f"`where` is a mask of booleans, not {mask.type}", hint="compare first: where=x > 0")
    return build.broadcast_to(mask, x.shape)


def _total(
    name: str,
    combine: str,
    x: Value,
    axis: Value,
    dtype: Value,
    keepdims: Value,
    initial: Value,
    where: Value,
    neutral: int,
) -> Node:
    """A sum or product; elements outside the mask are `neutral`."""
    array = node(x)
    array = build.astype(array, dtype_of(dtype, array.type.dtype))
    if where is not None:
        array = build.where(mask_over(where, array), array, neutral)
    made = _counted(_reduced(name, array, axis, keepdims))
    made = build.astype(made, dtype_of(dtype, made.type.dtype))
    return made if initial is None else build.apply(combine, *nodes((made, initial)))


def sum_(
    x: Value,
    axis: Value = None,
    dtype: Value = None,
    *,
    keepdims: Value = False,
    initial: Value = None,
    where: Value = None,
) -> Node:
    """Sum over axes. Integers and booleans give int64."""
    return _total("sum", "add", x, axis, dtype, keepdims, initial, where, 0)


def prod(
    x: Value,
    axis: Value = None,
    dtype: Value = None,
    *,
    keepdims: Value = False,
    initial: Value = None,
    where: Value = None,
) -> Node:
    """Product over axes; its gradient never divides, so zeros are fine."""
    return _total("prod", "multiply", x, axis, dtype, keepdims, initial, where, 1)


def mean(x: Value, axis: Value = None, dtype: Value = None, *, keepdims: Value = False, where: Value = None) -> Node:
    """Mean over axes."""
    array = node(x)
    array = build.astype(array, dtype_of(dtype, array.type.dtype))
    if where is None:
        return floating(_reduced("mean", array, axis, keepdims))
    array, keep = floating(array), flag(keepdims, "keepdims")
    axes, mask = axes_of(axis, array.type.rank), mask_over(where, array)
    return build.divide(total(build.where(mask, array, 0), axes, keep), number(mask, axes, keep, array.type.dtype))


def total(x: Node, axes: tuple[int, ...], keepdims: bool = False) -> Node:
    """The sum over axes that are normal already."""
    return build.reduce("sum", x, axes, keepdims) if axes else x


def number(mask: Node, axes: tuple[int, ...], keepdims: bool, dtype: str) -> Node:
    """How many elements of a mask are true, as a number to divide by."""
    return build.astype(total(mask, axes, keepdims), dtype)


def max_(x: Value, axis: Value = None, *, keepdims: Value = False, initial: Value = None, where: Value = None) -> Node:
    """Maximum over axes; k ties share the gradient, 1/k each."""
    return _extreme("max", "maximum", x, axis, keepdims, initial, where)


def min_(x: Value, axis: Value = None, *, keepdims: Value = False, initial: Value = None, where: Value = None) -> Node:
    """Minimum over axes; k ties share the gradient, 1/k each."""
    return _extreme("min", "minimum", x, axis, keepdims, initial, where)


def _extreme(name: str, combine: str, x: Value, axis: Value, keepdims: Value, initial: Value, where: Value) -> Node:
    array = node(x)
    if initial is None:
        if where is not None:
            raise ShapeError("G021", f"`{name}` under a mask may be of no elements", hint="give initial=")
        return _reduced(name, array, axis, keepdims)
    if where is not None:
        array = build.where(mask_over(where, array), *nodes((array, initial)))
    axes = axes_of(axis, array.type.rank)
    if any(array.shape[a] == 0 for a in axes):
        return _nothing(array, axes, flag(keepdims, "keepdims"), initial)
    return build.apply(combine, *nodes((_reduced(name, array, axis, keepdims), initial)))


def _nothing(x: Node, axes: tuple[int, ...], keepdims: bool, initial: Value) -> Node:
    """`initial`, in the shape that a reduction of no elements has."""
    start = build.astype(nodes((x, initial))[1], x.type.dtype)
    return build.broadcast_to(start, total(x, axes, keepdims).shape)


def var(
    x: Value,
    axis: Value = None,
    dtype: Value = None,
    *,
    ddof: Value = 0,
    keepdims: Value = False,
    where: Value = None,
    mean: Value = None,
    correction: Value = None,
) -> Node:
    """Variance over axes: the mean of squared deviations, divided by n - ddof; `mean` if it is known already."""
    return _spread("var", x, axis, dtype, ddof if correction is None else correction, keepdims, where, mean)


def std(
    x: Value,
    axis: Value = None,
    dtype: Value = None,
    *,
    ddof: Value = 0,
    keepdims: Value = False,
    where: Value = None,
    mean: Value = None,
    correction: Value = None,
) -> Node:
    """Standard deviation over axes; its derivative where it is 0 is 0."""
    return _spread("std", x, axis, dtype, ddof if correction is None else correction, keepdims, where, mean)


def _spread(
    name: str, x: Value, axis: Value, dtype: Value, ddof: Value, keepdims: Value, where: Value, mean: Value
) -> Node:
    array, keep = node(x), flag(keepdims, "keepdims")
    array = build.astype(array, dtype_of(dtype, array.type.dtype))
    less = whole_number(ddof, "ddof")
    axes = axes_of(axis, array.type.rank)
    if not axes:
        return build.multiply(0, floating(array))
    if where is None and mean is None:
        return build.reduce(name, array, axes, keep, ddof=less)
    array = floating(array)
    mask = None if where is None else mask_over(where, array)
    square = deviations(array, axes, keep, less, mask, None if mean is None else nodes((array, mean))[1])
    return root(square) if name == "std" else square


def deviations(x: Node, axes: tuple[int, ...], keepdims: bool, ddof: int, mask: Node | None, mean: Node | None) -> Node:
    """The variance of the elements under a mask, about a mean that may be given."""
    dtype = x.type.dtype
    if mask is None:
        n = size_node(product(tuple(x.shape[a] for a in axes)) - ddof, dtype)
        middle = build.reduce("mean", x, axes, True) if mean is None else mean
        squares = build.apply("square", build.subtract(x, middle))
        return build.divide(total(squares, axes, keepdims), n)
    kept = build.where(mask, x, 0)
    middle = build.divide(total(kept, axes, True), number(mask, axes, True, dtype)) if mean is None else mean
    squares = build.apply("square", build.where(mask, build.subtract(kept, middle), 0))
    n = number(mask, axes, keepdims, dtype)
    return build.divide(
        total(squares, axes, keepdims), n if ddof == 0 else build.apply("maximum", build.subtract(n, ddof), 0)
    )


def root(x: Node) -> Node:
    """sqrt(x), with the derivative 0 where x, a sum of squares, is 0."""
    zero = build.equal(x, 0)
    return build.where(zero, 0, build.apply("sqrt", build.where(zero, 1, x)))


def any_(x: Value, axis: Value = None, *, keepdims: Value = False, where: Value = None) -> Node:
    """Whether any element over the axes is true, or not 0."""
    return _truth("any", False, x, axis, keepdims, where)


def all_(x: Value, axis: Value = None, *, keepdims: Value = False, where: Value = None) -> Node:
    """Whether every element over the axes is true, or not 0."""
    return _truth("all", True, x, axis, keepdims, where)


def _truth(name: str, neutral: bool, x: Value, axis: Value, keepdims: Value, where: Value) -> Node:
    array = node(x)
    if array.type.dtype != "bool":
        array = build.apply("not_equal", array, 0)
    if where is not None:
        array = build.where(mask_over(where, array), array, neutral)
    return _reduced(name, array, axis, keepdims)


def count_nonzero(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """How many elements over the axes are true, or not 0."""
    array = node(x)
    array = array if array.type.dtype == "bool" else build.apply("not_equal", array, 0)
    return _counted(_reduced("sum", array, axis, keepdims))


def logsumexp(x: Value, axis: Value = None, b: Value = None, keepdims: Value = False) -> Node:
    """log(sum(b * exp(x))) over axes, without overflow; the weights `b` are 1 by default."""
    if b is None:
        return _reduced("logsumexp", floating(node(x)), axis, keepdims)
    array, weights = (floating(n) for n in nodes((x, b)))
    array = build.broadcast_to(array, broadcast(array.shape, weights.shape))
    axes, keep = axes_of(axis, array.type.rank), flag(keepdims, "keepdims")
    _nonempty("logsumexp", array, axes)
    counted = build.where(build.equal(weights, 0), -math.inf, array)
    top = build.apply("stop_gradient", build.reduce("top", counted, axes) if axes else counted)
    gap = build.apply("minimum", build.subtract(array, top), _LARGEST_EXPONENT[array.type.dtype])  # where b is 0
    weighed = total(build.multiply(weights, build.apply("exp", gap)), axes, keep)
    return build.add(build.apply("log", weighed), top if keep else build.squeeze(top, axes))


def _normalised(name: str, x: Value, axis: Value) -> Node:
    array = floating(node(x))
    axes = axes_of(axis, array.type.rank)
    _nonempty(name, array, axes)
    if not axes:
        raise ShapeError("G022", f"`{name}` needs an axis to normalise over")
    return build.reduce(name, array, axes)


def softmax(x: Value, axis: Value = -1) -> Node:
    """exp(x) / sum(exp(x)) over axes (by default the last), without overflow."""
    return _normalised("softmax", x, axis)


def log_softmax(x: Value, axis: Value = -1) -> Node:
    """log(softmax(x)) over axes (by default the last), without overflow."""
    return _normalised("log_softmax", x, axis)
