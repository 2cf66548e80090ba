"""Reading, adding and writing at an index. Where an index repeats, what is added adds up and the last write wins.

    y = x[i]      dx = zeros, dx[i] += dy
    x[i] = v      dx = dy with 0 at i,   dv = dy[i]

`getitem` and `add_at` are adjoints of each other: what one reads, the other adds to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import DtypeError, ShapeError
from graphc.ir.dims import Dim, Size, at_most
from graphc.ir.index import Array, Index, Range
from graphc.ir.leaf import constant_value
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Helper, Op
from graphc.ir.types import TensorType, broadcast, show_shape
from graphc.ops import exactness


def indexed_shape(shape: tuple[Dim, ...], index: Index, arrays: Sequence[TensorType]) -> tuple[Dim, ...]:
    """The shape of `x[index]`, by NumPy's rules for basic and advanced indexing."""
    for array in arrays:
        if array.dtype not in ("int64", "int32"):
            raise DtypeError(
                "G030",
                f"an index array must hold integers, not {array}",
                hint="use where(mask, x, 0) to select by a condition",
            )
    wanted = sum(entry is not None for entry in index.entries)
    if wanted != len(shape):
        raise ShapeError("G022", f"too many indices: {wanted} for the shape {show_shape(shape)}")
    common = broadcast(*(a.shape for a in arrays)) if arrays else ()
    basic: list[Dim] = []
    place: int | None = None
    split = gap = False
    axis = 0
    for entry in index.entries:
        advanced = isinstance(entry, Array) or (arrays and _is_position(entry))
        if advanced:
            split = split or (place is not None and gap)
            place = len(basic) if place is None else place
        else:
            gap = place is not None
            if entry is None:
                basic.append(1)
            elif isinstance(entry, Range):
                basic.append(entry.count)
        axis += entry is not None
    if not arrays:
        return tuple(basic)
    at = 0 if split else place or 0
    return (*basic[:at], *common, *basic[at:])


def _is_position(entry: Any) -> bool:
    return isinstance(entry, (int, Size))


def _getitem(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return types[0].with_shape(indexed_shape(types[0].shape, attrs["index"], types[1:]))


def _add_at(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    base, value = types[0], types[1]
    if indexed_shape(base.shape, attrs["index"], types[2:]) != value.shape:
        raise ShapeError(
            "G021", f"cannot add {show_shape(value.shape)} at {attrs['index']} of {show_shape(base.shape)}"
        )
    return base


def _set_at(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    base, value = types[0], types[1]
    if indexed_shape(base.shape, attrs["index"], types[2:]) != value.shape:
        raise ShapeError(
            "G021", f"cannot write {show_shape(value.shape)} at {attrs['index']} of {show_shape(base.shape)}"
        )
    if value.dtype != base.dtype:
        raise DtypeError("G030", f"cannot write {value} into {base}", hint="convert the value with astype")
    return base


def _bounds(types: Sequence[TensorType], attrs: Attrs) -> list[tuple[Dim, int]]:
    """The sizes that fixed positions and fixed stops need."""
    needed: list[tuple[Dim, int]] = []
    axis = 0
    for entry in attrs["index"].entries:
        if entry is None:
            continue
        dim = types[0].shape[axis]
        axis += 1
        if isinstance(dim, int):
            continue
        if isinstance(entry, int):
            needed.append((dim, entry + 1))
        elif isinstance(entry, Size):
            needed.append((entry, 0))
        elif isinstance(entry, Range) and entry.count != dim:  # a reversed axis may be empty
            needed += [(entry.count, 0), (entry.start, 0)]
            if entry.step < 0:
                first = entry.start
                needed.append((dim, first + 1) if isinstance(first, int) else (dim - first, 1))
                needed.append((0 if entry.stop is None else entry.stop, 0))
            elif isinstance(entry.stop, int):
                needed.append((dim, entry.stop))
            elif entry.stop is not None and not at_most(entry.stop, dim):
                needed.append((dim - entry.stop, 0))
    return needed


def unique(index: Index, arrays: Sequence[Node]) -> bool:
    """Whether no element can be addressed twice.

    An index array without repeats tells apart the places along its own axes; the places are all
    different if every axis is told apart by one of them, or if they are constants and no two agree.
    """
    if not arrays:
        return True
    common = broadcast(*(a.shape for a in arrays))
    told: set[int] = set()
    for a in arrays:
        if _distinct(a):
            told |= {len(common) - a.type.rank + axis for axis, dim in enumerate(a.shape) if dim != 1}
    return all(axis in told or dim == 1 for axis, dim in enumerate(common)) or _constants_differ(arrays)


def _distinct(array: Node) -> bool:
    """Whether the elements of an index array are known to address different places."""
    while array.op.name in ("expand_dims", "squeeze", "reshape", "astype"):
        array = array.args[0]
    if array.op.name == "add":  # 1 + arange(n)
        offset, array = sorted(array.args, key=lambda a: a.type.rank)
        known = constant_value(offset)
        if offset.type.rank > 0 or not (offset.op.name == "size" or (known is not None and known >= 0)):
            return False
    if array.op.name == "const":
        return _constants_differ([array])
    return array.op.name == "arange" or (array.op.name == "argsort" and array.type.rank == 1)


def _constants_differ(arrays: Sequence[Node]) -> bool:
    """Whether all are constants, and no two of the positions that they give together are the same."""
    values = [v for v in map(constant_value, arrays) if v is not None]
    if len(values) < len(arrays) or any(v.size and v.min() < 0 <= v.max() for v in values):
        return False  # -1 and the last position are the same
    places = np.stack([v.ravel() for v in np.broadcast_arrays(*values)])
    return np.unique(places, axis=1).shape == places.shape


_ADD_AT = Helper(
    "_add_at",
    array='''def _add_at(base: Array, index: object, value: Array) -> Array:
    """A copy of `base` with `value` added at `index`; repeats add up."""
    out = base.copy()
    np.add.at(out, index, value)  # type: ignore[arg-type]
    return out
''',
)

_SET_AT = Helper(
    "_set_at",
    array='''def _set_at(base: Array, index: object, value: Array) -> Array:
    """A copy of `base` with `value` written at `index`; the last of repeats wins."""
    out = base.copy()
    out[index] = value  # type: ignore[index]
    return out
''',
)


def _update(node: Node) -> str:
    if unique(node["index"], node.args[2:]):
        return "base[index] += value"
    entries = list(node["index"].entries)
    while isinstance(entries[-1], Range) and entries[-1].whole:  # not written
        entries.pop()
    sliced = any(isinstance(e, Range) for e in entries)
    return "np.add.at(base, np.s_[index], value)" if sliced else "np.add.at(base, index, value)"


def _adjoint_of_read(e: Any, node: Node, ct: Node, i: int) -> Node | None:
    if i > 0:
        return None
    x, entries = node.args[0], node["index"].entries
    if all(isinstance(entry, Range) and entry.count == dim for entry, dim in zip(entries, x.shape, strict=False)):
        return e.getitem(ct, entries)  # type: ignore[no-any-return]  # reversed axes are put back by reversing
    return e.add_at(e.zeros(x.shape, ct.type.dtype), ct, node["index"], node.args[1:])  # type: ignore[no-any-return]


def _adjoint_of_add(e: Any, node: Node, ct: Node, i: int) -> Node | None:
    if i == 0:
        return ct
    return e.getitem(ct, node["index"].entries, node.args[2:]) if i == 1 else None


def _adjoint_of_write(e: Any, node: Node, ct: Node, i: int) -> Node | None:
    value, index, arrays = node.args[1], node["index"], node.args[2:]
    if i == 0:
        return e.set_at(ct, e.full_like(0.0, value.type), index, arrays)  # type: ignore[no-any-return]
    if i > 1:
        return None
    read: Node = e.getitem(ct, index.entries, arrays)
    if unique(index, arrays):
        return read
    # Each write leaves its number; whoever finds it again was not overwritten.
    numbers = e.reshape(e.arange(value.type.size), value.shape)
    left = e.set_at(e.zeros(node.shape, "int64"), numbers, index, arrays)
    return e.where(e.equal(e.getitem(left, index.entries, arrays), numbers), read, 0)  # type: ignore[no-any-return]


def _read_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    if any(has[1:]):
        return _read_each(e, node, args, has, n)
    index = _whole_first(e, node["index"], n)
    return e.moved(e.getitem(args[0], index.entries, args[1:]), _in_front(node, args[1:]), 0)  # type: ignore[no-any-return]


def _write_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    """For adding, too."""
    base, value = (e.repeated(x, h, n) for x, h in zip(args[:2], has[:2], strict=True))
    if any(has[2:]):
        each = _Each(e, node, args[2:], has[2:], n)
        return e.apply(node.op.name, base, each.together(value), *each.arrays, index=each.index)  # type: ignore[no-any-return]
    value = e.moved(value, 0, _in_front(node, args[2:]))
    return e.apply(node.op.name, base, value, *args[2:], index=_whole_first(e, node["index"], n))  # type: ignore[no-any-return]


def _read_each(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    """Every array at an index of its own: `x[arange(n), i]`; of one array for all: `x[i]`."""
    each = _Each(e, node, args[1:], has[1:], n)
    if has[0]:
        return each.apart(e.getitem(args[0], each.index.entries, each.arrays))
    read: Node = e.getitem(args[0], node["index"].entries, each.arrays[1:])
    return e.moved(read, each.place, 0)  # type: ignore[no-any-return]


class _Each:
    """An index of its own for each of `n` arrays side by side.

    index, arrays: the same with a position along the new first axis before it.
    place: where the axes of index arrays are in what one array gives.  rank: how many they are.
    """

    def __init__(self, e: Any, node: Node, arrays: Sequence[Node], has: Sequence[bool], n: Dim) -> None:
        own = node.args[len(node.args) - len(arrays) :]
        self._e = e
        self.rank = max(a.type.rank for a in own)
        self.place = _place(node)
        first = e.behind(e.arange(n), True, self.rank)
        self.arrays = (first, *(e.behind(a, h, self.rank) for a, h in zip(arrays, has, strict=True)))
        entries = (Array(entry.k + 1) if isinstance(entry, Array) else entry for entry in node["index"].entries)
        self.index = Index((Array(0), *entries))

    def apart(self, x: Node) -> Node:
        """From n, the axes of index arrays, all others, to n and what one array gives."""
        order = [a for a in range(1, x.type.rank) if a > self.rank]
        order[self.place : self.place] = range(1, 1 + self.rank)
        return self._e.transpose(x, (0, *order))  # type: ignore[no-any-return]

    def together(self, x: Node) -> Node:
        """The other way."""
        arrays = range(1 + self.place, 1 + self.place + self.rank)
        others = (a for a in range(1, x.type.rank) if a not in arrays)
        return self._e.transpose(x, (0, *arrays, *others))  # type: ignore[no-any-return]


def _place(node: Node) -> int:
    """The place of the axes of index arrays among those of what is read."""
    if not _together(node):
        return 0
    entries = node["index"].entries
    first = next(i for i, entry in enumerate(entries) if isinstance(entry, Array) or _is_position(entry))
    return sum(entry is None or isinstance(entry, Range) for entry in entries[:first])


def _together(node: Node) -> bool:
    """Whether no slice or new axis stands between index arrays and positions."""
    entries = enumerate(node["index"].entries)
    places = [i for i, entry in entries if isinstance(entry, Array) or _is_position(entry)]
    return places[-1] - places[0] < len(places)


def _whole_first(e: Any, index: Index, n: Dim) -> Index:
    return Index((e.whole(n), *index.entries))


def _in_front(node: Node, arrays: Sequence[Node]) -> int:
    """How many axes of index arrays NumPy puts before all others: those of arrays that do not stand together."""
    return 0 if not arrays or _together(node) else len(broadcast(*(a.shape for a in arrays)))


OPS: list[Op] = [
    Op(
        "getitem",
        ("x", "*arrays"),
        _getitem,
        "x[index]",
        "Read at an index.",
        attrs=("index",),
        spelling="x[index]",
        requires=_bounds,
        adjoint=_adjoint_of_read,
        batch=_read_rows,
        traits=frozenset({"linear", "moves", "view"}),
        cost=0.5,
        formula="dx[index] += dy",
        conventions="derivatives of repeats add up",
    ),
    Op(
        "add_at",
        ("base", "value", "*arrays"),
        _add_at,
        "_add_at(base, index, value)",
        "Add at an index.",
        attrs=("index",),
        helpers=(_ADD_AT,),
        update=_update,
        spelling="add_at(base, index, value)",
        requires=_bounds,
        adjoint=_adjoint_of_add,
        batch=_write_rows,
        traits=frozenset({"linear", "writes"}),
        cost=2.0,
        formula="dbase = dy, dvalue = dy[index]",
        label="acc",
        exactness=exactness.SUM,
        conventions="repeats add up",
    ),
    Op(
        "set_at",
        ("base", "value", "*arrays"),
        _set_at,
        "_set_at(base, index, value)",
        "Write at an index.",
        attrs=("index",),
        helpers=(_SET_AT,),
        update="base[index] = value",
        spelling="set_at(base, value, index)",
        requires=_bounds,
        adjoint=_adjoint_of_write,
        batch=_write_rows,
        traits=frozenset({"linear", "moves", "writes"}),
        cost=1.0,
        formula="dbase = dy with 0 at index, dvalue = dy[index]",
        label="filled",
        conventions="of repeats the last one wins",
    ),
]
