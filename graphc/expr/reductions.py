"""Functions that take elements together along axes.

`axis` is an integer, a tuple of integers or None (all axes); `keepdims=True` keeps them with size 1.
Along no axes at all, as with a scalar, each element is its own sum, mean, maximum and product.
"""

from __future__ import annotations

from graphc.errors import ShapeError
from graphc.expr import build
from graphc.expr.arguments import Value, axes_of, flag, node, whole_number
from graphc.ir.node import Node
from graphc.ir.types import show_shape

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


def _floating(x: Node) -> Node:
    return x if x.type.is_float else build.astype(x, "float64")


def sum_(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """Sum over axes. Integers and booleans give int64."""
    return _counted(_reduced("sum", x, axis, keepdims))


def mean(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """Mean over axes."""
    return _floating(_reduced("mean", x, axis, keepdims))


def prod(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """Product over axes; its gradient never divides, so zeros are fine."""
    return _counted(_reduced("prod", x, axis, keepdims))


def max_(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """Maximum over axes; k ties share the gradient, 1/k each."""
    return _reduced("max", x, axis, keepdims)


def min_(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """Minimum over axes; k ties share the gradient, 1/k each."""
    return _reduced("min", x, axis, keepdims)


def var(x: Value, axis: Value = None, *, ddof: Value = 0, keepdims: Value = False) -> Node:
    """Variance over axes: the mean of squared deviations, divided by n - ddof."""
    return _spread("var", x, axis, ddof, keepdims)


def std(x: Value, axis: Value = None, *, ddof: Value = 0, keepdims: Value = False) -> Node:
    """Standard deviation over axes; its derivative where it is 0 is 0."""
    return _spread("std", x, axis, ddof, keepdims)


def _spread(name: str, x: Value, axis: Value, ddof: Value, keepdims: Value) -> Node:
    array, keep = node(x), flag(keepdims, "keepdims")
    less = whole_number(ddof, "ddof")
    axes = axes_of(axis, array.type.rank)
    if not axes:
        return build.multiply(0, _floating(array))
    return build.reduce(name, array, axes, keep, ddof=less)


def logsumexp(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """log(sum(exp(x))) over axes, without overflow."""
    return _reduced("logsumexp", _floating(node(x)), axis, keepdims)


def _normalised(name: str, x: Value, axis: Value) -> Node:
    array = _floating(node(x))
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
