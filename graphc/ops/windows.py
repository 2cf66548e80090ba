"""Windows that slide along axes, and the sum of what overlaps.

    x = [a, b, c, d]     windows(x, 2)  =  [[a, b], [b, c], [c, d]]

Windows are a view: no element is copied. Their adjoint adds the windows back where they lie, one
shifted slice for each place inside a window: few steps, each of them over whole arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ShapeError
from graphc.ir.dims import Dim
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Helper, Op
from graphc.ir.types import TensorType, show_shape
from graphc.ops import exactness


def _windows(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    shape: list[Dim] = list(types[0].shape)
    for axis, width in zip(attrs["axes"], attrs["widths"], strict=True):
        shape[axis] = shape[axis] - width + 1
        if isinstance(shape[axis], int) and not shape[axis] >= 1:
            raise ShapeError("G021", f"a window of {width} does not fit into an axis of {show_shape(types[0].shape)}")
    return types[0].with_shape((*shape, *attrs["widths"]))


def _windows_text(types: Sequence[TensorType], attrs: Attrs) -> str:
    axes, widths = attrs["axes"], attrs["widths"]
    if len(axes) == 1 and isinstance(widths[0], int):
        scope = str(widths[0]) if types[0].rank == 1 else f"{widths[0]}, axis={axes[0]}"
    else:
        scope = "widths" if axes == tuple(range(types[0].rank)) else "widths, axis=axes"
    return f"np.lib.stride_tricks.sliding_window_view(x, {scope})"


def _wide_enough(types: Sequence[TensorType], attrs: Attrs) -> list[tuple[Dim, int]]:
    pairs = zip(attrs["axes"], attrs["widths"], strict=True)
    return [(types[0].shape[axis] - width, 0) for axis, width in pairs]


def _overlapped(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    whole = types[0].with_shape(attrs["shape"])
    if _windows([whole], {**attrs, "widths": _widths(types[0], attrs["axes"])}).shape != types[0].shape:
        raise ShapeError("G021", f"{show_shape(types[0].shape)} are not windows of {show_shape(attrs['shape'])}")
    return whole


def _widths(windows: TensorType, axes: tuple[int, ...]) -> tuple[Dim, ...]:
    return windows.shape[windows.rank - len(axes) :]


_OVERLAP_ADD = Helper(
    "_overlap_add",
    array='''def _overlap_add(x: Array, shape: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    """The sum of the windows `x` along `axes`, each where it lies in the whole."""
    out = np.zeros(shape, dtype=x.dtype)
    for offset in np.ndindex(x.shape[len(shape) :]):
        place = [slice(None)] * len(shape)
        for axis, start in zip(axes, offset):
            place[axis] = slice(start, start + x.shape[axis])
        out[tuple(place)] += x[(..., *offset)]
    return out
''',
)


def _add_back(e: Any, node: Node, ct: Node, i: int) -> Node:
    return e.apply("overlap_add", ct, axes=node["axes"], shape=node.args[0].shape)  # type: ignore[no-any-return]


def _read_again(e: Any, node: Node, ct: Node, i: int) -> Node:
    widths = _widths(node.args[0].type, node["axes"])
    return e.apply("windows", ct, axes=node["axes"], widths=widths)  # type: ignore[no-any-return]


def _windows_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    return e.apply("windows", args[0], axes=_behind(node["axes"]), widths=node["widths"])  # type: ignore[no-any-return]


def _overlap_add_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    return e.apply("overlap_add", args[0], axes=_behind(node["axes"]), shape=(n, *node["shape"]))  # type: ignore[no-any-return]


def _behind(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + 1 for a in axes)


OPS: list[Op] = [
    Op(
        "windows",
        ("x",),
        _windows,
        _windows_text,
        "Every window of some widths along some axes; the windows are the last axes.",
        attrs=("axes", "widths"),
        spelling="sliding_window_view(x, widths, axes)",
        requires=_wide_enough,
        adjoint=_add_back,
        batch=_windows_rows,
        traits=frozenset({"linear", "moves", "view"}),
        cost=0.5,
        formula="dx = the sum of dy, each window where it lies",
        label="windows",
    ),
    Op(
        "overlap_add",
        ("x",),
        _overlapped,
        "_overlap_add(x, shape, axes)",
        "The sum of windows, each where it lies.",
        attrs=("axes", "shape"),
        helpers=(_OVERLAP_ADD,),
        adjoint=_read_again,
        batch=_overlap_add_rows,
        traits=frozenset({"linear"}),
        cost=2.0,
        formula="dx = the windows of dy",
        label="total",
        exactness=exactness.SUM,
    ),
]
