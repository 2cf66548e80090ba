"""Rearranging without computing: reshape, transpose, broadcast, join.

All are linear; the adjoint puts every element back where it came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ShapeError
from graphc.ir.dims import Dim, product
from graphc.ir.index import Range
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType, broadcast, promote, show_shape

_VIEW = frozenset({"linear", "moves", "view"})


def _transpose(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return types[0].with_shape(tuple(types[0].shape[a] for a in attrs["axes"]))


def _transpose_text(types: Sequence[TensorType], attrs: Attrs) -> str:
    axes = attrs["axes"]
    if axes == tuple(reversed(range(len(axes)))):
        return "x.T"
    swapped = [i for i, a in enumerate(axes) if i != a]
    if len(swapped) == 2:
        first, second = (i - len(axes) for i in swapped)
        return f"x.swapaxes({first}, {second})"
    return f"x.transpose({', '.join(map(str, axes))})"


def _reshape(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    if product(attrs["shape"]) != types[0].size:
        raise ShapeError(
            "G021",
            f"cannot reshape {show_shape(types[0].shape)} to {show_shape(attrs['shape'])}",
            hint="the number of elements must stay the same",
        )
    return types[0].with_shape(attrs["shape"])


def _reshape_text(types: Sequence[TensorType], attrs: Attrs) -> str:
    return "x.ravel()" if len(attrs["shape"]) == 1 else "x.reshape(shape)"


def _broadcast(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    if broadcast(types[0].shape, attrs["shape"]) != attrs["shape"]:
        raise ShapeError("G021", f"cannot broadcast {show_shape(types[0].shape)} to {show_shape(attrs['shape'])}")
    return types[0].with_shape(attrs["shape"])


def _expand(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    shape = list(types[0].shape)
    for axis in attrs["axes"]:
        shape.insert(axis, 1)
    return types[0].with_shape(tuple(shape))


def _expand_text(types: Sequence[TensorType], attrs: Attrs) -> str:
    rank = types[0].rank + len(attrs["axes"])
    marks = ["None" if i in attrs["axes"] else ":" for i in range(rank)]
    while len(marks) > 1 and marks[-1] == ":":
        marks.pop()
    return "np.asarray(x).reshape(" + ", ".join(["1"] * rank) + ")" if types[0].rank == 0 else f"x[{', '.join(marks)}]"


def _squeeze(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    shape = types[0].shape
    for axis in attrs["axes"]:
        if shape[axis] != 1:
            raise ShapeError("G021", f"cannot squeeze axis {axis} of {show_shape(shape)}: its size is not 1")
    return types[0].with_shape(tuple(d for i, d in enumerate(shape) if i not in attrs["axes"]))


def _squeeze_text(types: Sequence[TensorType], attrs: Attrs) -> str:
    axes = attrs["axes"]
    return f"x.squeeze({axes[0] if len(axes) == 1 else axes})"


def _concatenate(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    axis, first = attrs["axis"], types[0].shape
    for t in types[1:]:
        fits = len(t.shape) == len(first) and all(
            a == b for i, (a, b) in enumerate(zip(t.shape, first, strict=True)) if i != axis
        )
        if not fits:
            raise ShapeError(
                "G021",
                f"cannot join {show_shape(first)} and {show_shape(t.shape)} along axis {axis}",
                hint="all sizes but the one of that axis must be equal",
            )
    total = sum((t.shape[axis] for t in types[1:]), start=first[axis])
    return TensorType(promote(*(t.dtype for t in types)), (*first[:axis], total, *first[axis + 1 :]))


def _stack(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    axis, first = attrs["axis"], types[0].shape
    for t in types[1:]:
        if t.shape != first:
            raise ShapeError("G021", f"cannot stack {show_shape(first)} and {show_shape(t.shape)}: the shapes differ")
    return TensorType(promote(*(t.dtype for t in types)), (*first[:axis], len(types), *first[axis:]))


def _untranspose(e: Any, node: Node, ct: Node, i: int) -> Node:
    axes = node["axes"]
    return e.transpose(ct, tuple(axes.index(a) for a in range(len(axes))))  # type: ignore[no-any-return]


def _unconcatenate(e: Any, node: Node, ct: Node, i: int) -> Node:
    axis = node["axis"]
    start = sum((a.shape[axis] for a in node.args[:i]), start=0)
    size = node.args[i].shape[axis]
    entries = [e.whole(d) for d in node.shape]
    entries[axis] = Range(start, start + size, 1, size, len(node.args) == 1)
    return e.getitem(ct, entries)  # type: ignore[no-any-return]


def _unstack(e: Any, node: Node, ct: Node, i: int) -> Node:
    entries = [e.whole(d) for d in node.shape]
    entries[node["axis"]] = i
    return e.getitem(ct, entries)  # type: ignore[no-any-return]


def _like_argument(e: Any, node: Node, ct: Node, i: int) -> Node:
    return e.reshape(ct, node.args[0].shape)  # type: ignore[no-any-return]


def _transpose_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    return e.transpose(args[0], (0, *(a + 1 for a in node["axes"])))  # type: ignore[no-any-return]


def _reshape_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    return e.reshape(args[0], (n, *node.shape))  # type: ignore[no-any-return]


def _broadcast_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    return e.broadcast_to(e.behind(args[0], True, node.type.rank), (n, *node.shape))  # type: ignore[no-any-return]


OPS: list[Op] = [
    Op(
        "transpose",
        ("x",),
        _transpose,
        _transpose_text,
        "Axes in another order.",
        attrs=("axes",),
        spelling=_transpose_text,
        adjoint=_untranspose,
        batch=_transpose_rows,
        traits=_VIEW | {"short"},
        cost=0.0,
        formula="dx = dy with the axes put back",
    ),
    Op(
        "reshape",
        ("x",),
        _reshape,
        _reshape_text,
        "The same elements in another shape.",
        attrs=("shape",),
        spelling="reshape(x, shape)",
        adjoint=_like_argument,
        batch=_reshape_rows,
        traits=_VIEW,
        cost=0.0,
        formula="dx = dy, reshaped",
    ),
    Op(
        "broadcast_to",
        ("x",),
        _broadcast,
        "np.broadcast_to(x, shape)",
        "Repeat along axes of size 1 and new axes.",
        attrs=("shape",),
        spelling="broadcast_to(x, shape)",
        adjoint=lambda e, node, ct, i: e.unbroadcast(ct, node.args[0]),
        batch=_broadcast_rows,
        traits=_VIEW,
        cost=0.0,
        formula="dx = dy, summed over the repeats",
    ),
    Op(
        "expand_dims",
        ("x",),
        _expand,
        _expand_text,
        "New axes of size 1.",
        attrs=("axes",),
        spelling=_expand_text,
        adjoint=lambda e, node, ct, i: e.squeeze(ct, node["axes"]),
        traits=_VIEW,
        cost=0.0,
        formula="dx = dy without the axes",
    ),
    Op(
        "squeeze",
        ("x",),
        _squeeze,
        _squeeze_text,
        "Drop axes of size 1.",
        attrs=("axes",),
        spelling=lambda types, attrs: (
            f"squeeze(x, axis={attrs['axes'][0] if len(attrs['axes']) == 1 else attrs['axes']})"
        ),
        adjoint=lambda e, node, ct, i: e.expand_dims(ct, node["axes"]),
        traits=_VIEW,
        cost=0.0,
        formula="dx = dy with the axes",
    ),
    Op(
        "concatenate",
        ("*xs",),
        _concatenate,
        "np.concatenate(xs, axis=axis)",
        "Join along an axis.",
        attrs=("axis",),
        spelling="concatenate(xs, axis=axis)",
        adjoint=_unconcatenate,
        traits=frozenset({"linear", "moves"}),
        cost=0.3,
        formula="dx_i = the slice of dy that came from it",
    ),
    Op(
        "stack",
        ("*xs",),
        _stack,
        "np.stack(xs, axis=axis)",
        "Join along a new axis.",
        attrs=("axis",),
        spelling="stack(xs, axis=axis)",
        adjoint=_unstack,
        traits=frozenset({"linear", "moves"}),
        cost=0.3,
        formula="dx_i = dy[i]",
    ),
]
