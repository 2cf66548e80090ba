"""Elements by their place: of an array, and along one of its axes.

at(x, 1, 0)             x[:, 0]
between(x, 0, 1, n)     x[1:n]
flip(x, 0)              x[::-1]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.expr.builders.shapes import expand_dims
from graphc.ir.dims import Dim
from graphc.ir.index import Index, Range
from graphc.ir.node import Node, make
from graphc.ops import REGISTRY


def whole(dim: Dim) -> Range:
    """The index entry `:` on an axis of this size."""
    return Range(0, dim, 1, dim, True)


def getitem(x: Node, entries: Sequence[Any], arrays: Sequence[Node] = ()) -> Node:
    if not arrays and all(isinstance(e, Range) and e.whole for e in entries):
        return x
    if not arrays and all(e is None or (isinstance(e, Range) and e.whole) for e in entries):
        return expand_dims(x, tuple(i for i, e in enumerate(entries) if e is None))  # so that rules see x[:, None]
    return make(REGISTRY["getitem"], [x, *arrays], index=Index(tuple(entries)))


def add_at(base: Node, value: Node, index: Index, arrays: Sequence[Node] = ()) -> Node:
    return make(REGISTRY["add_at"], [base, value, *arrays], index=index)


def set_at(base: Node, value: Node, index: Index, arrays: Sequence[Node] = ()) -> Node:
    return make(REGISTRY["set_at"], [base, value, *arrays], index=index)


# --- along one axis ---


def flip(x: Node, axis: int) -> Node:
    """The elements in reverse order along an axis."""
    entries: list[Any] = [whole(d) for d in x.shape]
    size = x.shape[axis]
    entries[axis] = Range(size - 1, None, -1, size, False)
    return getitem(x, entries)


def between(x: Node, axis: int, start: Dim, stop: Dim) -> Node:
    """The elements `start` to `stop` - 1 along an axis; both count from the front."""
    entries: list[Any] = [whole(d) for d in x.shape]
    size = x.shape[axis]
    entries[axis] = Range(start, stop, 1, stop - start, start == 0 and stop == size)
    return getitem(x, entries)


def at(x: Node, axis: int, position: Dim) -> Node:
    """The element at a position, counted from the front, along an axis, which goes away."""
    entries: list[Any] = [whole(d) for d in x.shape]
    entries[axis] = position
    return getitem(x, entries)


def shift(x: Node, axis: int, by: int, fill: float = 0.0) -> Node:
    """The elements moved by one place along an axis, to the right (1) or to the left (-1)."""
    return make(REGISTRY["shift"], [x], axis=axis, by=by, fill=fill)


def recurrence(factor: Node, x: Node, axis: int, reverse: bool = False) -> Node:
    """y[i] = x[i] + factor[i] * y[i - 1] along an axis; from the other end if `reverse`."""
    return make(REGISTRY["recurrence"], [factor, x], axis=axis, reverse=reverse)
