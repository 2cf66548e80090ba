"""Reading what was written, and arrays that are filled place by place.

    a = zeros(2);  a[0] = s;  a[1] = t      stack((s, t))
    a[0] = s;  a[0] * a[1]                  s * the old a[1]

Code that fills an array in a loop becomes the array of what it wrote, and no copies are left.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from graphc.expr import build
from graphc.ir.dims import Dim, Size, at_least
from graphc.ir.index import Index, Range
from graphc.ir.leaf import scalar_value
from graphc.ir.node import Node
from graphc.ops.indexing import unique
from graphc.rewrite.rule import ComputedRule, Exact
from graphc.rewrite.views import Views


def read_of_write(node: Node, views: Views) -> Node | None:
    """What was written there; or, where something else was overwritten, what was there before."""
    base = node.args[0]
    arrays = node.args[1:]
    while base.op.name == "set_at":
        if base["index"] == node["index"] and base.args[2:] == arrays:
            return base.args[1] if unique(node["index"], arrays) else None
        if arrays or base.args[2:] or not disjoint(base["index"], node["index"]):
            break
        base = base.args[0]
    return None if base is node.args[0] else build.getitem(base, node["index"].entries, arrays)


def read_of_stack(node: Node, views: Views) -> Node | None:
    """A row of a stack is what was stacked."""
    stack, entries = node.args[0], node["index"].entries
    if stack.op.name != "stack" or len(node.args) > 1 or None in entries:
        return None
    axis = stack["axis"]
    row = entries[axis]
    if type(row) is not int or stack.args[row].type.dtype != node.type.dtype:
        return None
    return build.getitem(stack.args[row], (*entries[:axis], *entries[axis + 1 :]))


def slice_of_repeated(node: Node, views: Views) -> Node | None:
    """Slices never fail; positions may, so they stay."""
    x = node.args[0]
    repeated = x.op.name == "broadcast_to" and x.args[0].type.rank == 0
    sliced = all(entry is None or isinstance(entry, Range) for entry in node["index"].entries)
    return build.broadcast_to(x.args[0], node.shape) if repeated and sliced else None


def read_of_one(node: Node, views: Views) -> Node | None:
    """The only place along an axis: the axis is dropped. A number is read as it is, by its index."""
    x, entries = node.args[0], node["index"].entries
    axes = tuple(i for i, entry in enumerate(entries) if type(entry) is int)
    others = [entry for i, entry in enumerate(entries) if i not in axes]
    plain = len(node.args) == 1 and all(isinstance(e, Range) and e.whole for e in others)
    return build.squeeze(x, axes) if plain and node.type.rank and axes and all(x.shape[a] == 1 for a in axes) else None


def disjoint(one: Index, other: Index) -> bool:
    """Whether two indexes without arrays are known to have no element in common."""
    axes = [[e for e in index.entries if e is not None] for index in (one, other)]
    return any(_apart(a, b) for a, b in zip(*axes, strict=True))


def _apart(a: Any, b: Any) -> bool:
    (low, high), (first, last) = _span(a), _span(b)
    return at_least(first - high, 1) or at_least(low - last, 1)


def _span(entry: Any) -> tuple[Dim, Dim]:
    """The lowest and the highest position of an entry, or a little beyond."""
    if not isinstance(entry, Range):
        return entry, entry
    if entry.step < 0:
        return 0 if entry.stop is None else entry.stop + 1, entry.start
    return entry.start, (entry.start + entry.count if entry.stop is None else entry.stop) - 1


def write_of_everything(node: Node, views: Views) -> Node | None:
    """A write over a whole array leaves only what was written; zeros over zeros change nothing."""
    base, value = node.args[:2]
    if all(isinstance(e, Range) and e.whole for e in node["index"].entries):
        return value
    if value.op.name == "getitem" and value.args == (base, *node.args[2:]) and value["index"] == node["index"]:
        return base
    return base if base.op.name == "zeros" and _is_zero(value) else None


def _is_zero(value: Node) -> bool:
    number = scalar_value(value.args[0] if value.op.name == "broadcast_to" else value)
    return value.op.name == "zeros" or (number == 0 and math.copysign(1.0, number) > 0)


def write_over_write(node: Node, views: Views) -> Node | None:
    """Of two writes to the same place the later one counts."""
    base = node.args[0]
    if base.op.name != "set_at" or base["index"] != node["index"] or base.args[2:] != node.args[2:]:
        return None
    return build.set_at(base.args[0], node.args[1], node["index"], node.args[2:])


def rows_to_stack(node: Node, views: Views) -> Node | None:
    """An array whose places along one axis are all written, each at a time, is the stack of them."""
    place = _place(node)
    if place is None:
        return None
    axis, last = place
    size = node.shape[axis]
    if not isinstance(size, int) or last not in (0, size - 1):  # so that a long chain is walked once
        return None
    parts: dict[Dim, Node] = {}
    while node.op.name == "set_at" and len(parts) < size:
        place = _place(node, axis)
        if place is None or isinstance(place[1], Size):
            return None
        parts.setdefault(place[1], node.args[1])
        node = node.args[0]
    return build.joined("stack", [parts[k] for k in range(size)], axis) if len(parts) == size else None


def _place(node: Node, axis: int | None = None) -> tuple[int, Dim] | None:
    """(axis, position) of a write of all that is at one position of one axis."""
    entries = node["index"].entries
    fixed = [i for i, e in enumerate(entries) if not (isinstance(e, Range) and e.whole)]
    if len(fixed) != 1 or not isinstance(entries[fixed[0]], (int, Size)) or axis not in (None, fixed[0]):
        return None
    return fixed[0], entries[fixed[0]]


def write_of_sum(node: Node, views: Views) -> Node | None:
    """Writing the old value plus another one adds in place: a[i] = a[i] + v."""
    base, value = node.args[:2]
    if value.op.name != "add" or not unique(node["index"], node.args[2:]):
        return None
    for old, more in (value.args, value.args[::-1]):
        same = old.op.name == "getitem" and old.args == (base, *node.args[2:]) and old["index"] == node["index"]
        if same:
            wide = build.broadcast_to(build.astype(more, node.type.dtype), value.shape)
            return build.add_at(base, wide, node["index"], node.args[2:])
    return None


def transpose_of_slices(node: Node, views: Views) -> Node | None:
    """Slices along exchanged axes, exchanged back, are slices along the others."""
    (part,) = node.args
    if len(part.args) > 1 or part.args[0].op.name != "transpose":
        return None
    entries, axes = part["index"].entries, part.args[0]["axes"]
    if not all(isinstance(e, Range) for e in entries):
        return None
    straight = build.getitem(part.args[0].args[0], [entries[axes.index(a)] for a in range(len(axes))])
    return build.transpose(straight, tuple(axes[a] for a in node["axes"]))


B = Exact.BITWISE


def pieces_to_whole(node: Node, views: Views) -> Node | None:
    """Pieces that fill zeros from end to end are joined."""
    pieces: dict[Dim, Node] = {}
    axes: set[int] = set()
    base = node
    while base.op.name in ("add_at", "set_at"):
        place = _piece(base)
        if place is None or place.start in pieces:
            return None
        axes.add(place.axis)
        pieces[place.start] = base.args[1]
        base = base.args[0]
    if base.op.name != "zeros" or len(pieces) < 2 or len(axes) != 1:
        return None
    [axis] = axes
    joined: list[Node] = []
    end: Dim = 0
    while end in pieces:
        joined.append(pieces.pop(end))
        end = end + joined[-1].shape[axis]
    whole = not pieces and end == node.shape[axis]
    return build.joined("concatenate", joined, axis) if whole else None


class _Piece(NamedTuple):
    """A piece of an array: all of it but for one axis, there a part from `start`."""

    axis: int
    start: Dim


def _piece(node: Node) -> _Piece | None:
    """Where a node writes, if that is a piece."""
    entries = node["index"].entries
    if node.args[2:] or not all(isinstance(e, Range) for e in entries):
        return None
    parts = [axis for axis, e in enumerate(entries) if not e.whole]
    if len(parts) != 1 or entries[parts[0]].step != 1:
        return None
    return _Piece(parts[0], entries[parts[0]].start)


COMPUTED = (
    ComputedRule("read-of-write", ("getitem",), read_of_write, B, "it reads what was written there", ()),
    ComputedRule(
        "read-of-stack", ("getitem",), read_of_stack, B, "it is known what is there", (("stack((x, y))[1]", "y"),)
    ),
    ComputedRule(
        "slice-of-repeated",
        ("getitem",),
        slice_of_repeated,
        B,
        "a repeated number has any shape",
        (("broadcast_to(s, (n, m))[1:] * x[1:]", "s * x[1:]"),),
        over="broadcast_to",
    ),
    ComputedRule(
        "read-of-one",
        ("getitem",),
        read_of_one,
        B,
        "there is one place only",
        (("sum(x, axis=1, keepdims=True)[:, 0]", "sum(x, axis=1)"),),
    ),
    ComputedRule(
        "transpose-of-slices",
        ("transpose",),
        transpose_of_slices,
        B,
        "the same elements, without moving axes there and back",
        (("transpose(transpose(x)[1:])", "x[:, 1:]"),),
        over="getitem",
    ),
    ComputedRule("write-of-everything", ("set_at",), write_of_everything, B, "nothing of the old is left", ()),
    ComputedRule("write-over-write", ("set_at",), write_over_write, B, "the later write counts", ()),
    ComputedRule("rows-to-stack", ("set_at",), rows_to_stack, B, "every place is written", ()),
    ComputedRule("write-of-sum", ("set_at",), write_of_sum, B, "adding in place reads the old value", ()),
    ComputedRule(
        "pieces-to-whole",
        ("add_at", "set_at"),
        pieces_to_whole,
        Exact.BITWISE,
        "arrays side by side, each in a place of its own, are joined",
        (),
    ),
)
