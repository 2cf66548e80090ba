"""Windows that slide over arrays: the building block of convolutions and of pooling.

    w = sliding_window_view(x, 3)        (n - 2, 3)
    w @ filter                           a convolution
    max(w[::2], axis=1)                  pooling

Nothing is copied on the way forward, and the gradient adds a few shifted slices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.errors import ShapeError
from graphc.expr import build
from graphc.expr.arguments import Value, axes_of, axis_number, node, shape_of
from graphc.ir.node import Node
from graphc.ir.types import show_shape


def sliding_window_view(x: Value, window_shape: Value, axis: Value = None) -> Node:
    """Every window of `window_shape` along some axes, by default all; the windows are the last axes of the result."""
    array, widths = node(x), shape_of(window_shape)
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = axes_of(None, array.type.rank) if axis is None else tuple(axis_number(a, array.type.rank) for a in given)
    if len(axes) != len(widths):
        raise ShapeError("G021", f"a window {show_shape(widths)} does not fit {len(axes)} axes")
    if len(set(axes)) != len(axes):
        raise ShapeError("G022", "a window slides along different axes")
    return build.apply("windows", array, axes=axes, widths=widths)


TABLE: dict[str, Callable[..., Any]] = {
    "sliding_window_view": sliding_window_view,
    "lib.stride_tricks.sliding_window_view": sliding_window_view,
}
