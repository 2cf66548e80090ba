"""Reading and writing at an index, as Python and NumPy write it.

    x: f64[n, d]    x[-1]       row n - 1
                    x[1:, ::2]  Range(1, n, 1, n - 1), Range(0, d, 2, (d + 1) // 2)
                    x[i]        one row for each integer of the array i

Nodes do not change: what is written makes another node, `assign(x, (0,), 1.0)` for `x[0] = 1.0`.

Sizes are symbolic, so nothing can be clamped silently: where Python would shorten a slice because
the axis is short, the generated file checks that it is long enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from graphc.errors import DtypeError, LimitError, ShapeError, UnsupportedError
from graphc.expr import build
from graphc.expr.arguments import Value, Weak, describe, node, nodes
from graphc.expr.constants import known
from graphc.ir.dims import Dim, Size, at_least, at_most
from graphc.ir.index import Array, Index, Range
from graphc.ir.leaf import const_node, constant_value
from graphc.ir.node import Node
from graphc.ir.types import MAX_RANK, show_shape
from graphc.ops.indexing import indexed_shape

AtMost = Callable[[Dim, Dim], bool]  # whether a bound is known to be at most a size
Item = Any  # int | Size | slice of them | None | Ellipsis | Node | list of ints


def subscript(x: Node, items: Sequence[Item], at_most: AtMost = at_most) -> Node:
    """`x[items]`. ShapeError G022 where a position is outside or there are too many."""
    entries, arrays = resolved(x, items, at_most)
    return build.getitem(x, entries, arrays)


def assign(x: Node, items: Sequence[Item], value: Value, at_most: AtMost = at_most) -> Node:
    """`x` after `x[items] = value`; the value is broadcast, and converted to the dtype of `x`."""
    return _written(build.set_at, x, items, value, at_most)


def accumulate(x: Node, items: Sequence[Item], value: Value, at_most: AtMost = at_most) -> Node:
    """`x` after `np.add.at(x, items, value)`: where an element is addressed twice, both are added."""
    return _written(build.add_at, x, items, value, at_most)


def _written(write: Callable[..., Node], x: Node, items: Sequence[Item], value: Value, at_most: AtMost) -> Node:
    entries, arrays = resolved(x, items, at_most)
    index = Index(tuple(entries))
    shape = indexed_shape(x.shape, index, [a.type for a in arrays])
    given = nodes((x, value))[1]
    while given.type.rank > len(shape) and given.shape[0] == 1:  # NumPy drops leading axes of size 1, too
        given = build.squeeze(given, (0,))
    return write(x, build.broadcast_to(build.astype(given, x.type.dtype), shape), index, arrays)


def resolved(x: Node, items: Sequence[Item], at_most: AtMost = at_most) -> tuple[list[Any], list[Node]]:
    """The entries of the index, one for each axis and new axis, and its index arrays."""
    entries: list[Any] = []
    arrays: list[Node] = []
    axis = 0
    for item in _expanded(_unmasked(items), x.type.rank, show_shape(x.shape)):
        if isinstance(item, _Coordinate):
            _fits_mask(item, x.shape[axis])
            item = item.positions
        if item is None:
            entries.append(None)
            continue
        size = x.shape[axis]
        axis += 1
        if isinstance(item, slice):
            entries.append(_range(item, size, at_most))
        elif isinstance(item, (int, Size)) and not isinstance(item, bool):
            entries.append(_position(item, size))
        else:
            entries.append(Array(len(arrays)))
            arrays.append(_positions(item, size))
    if len(entries) > 2 * MAX_RANK:
        raise LimitError("G003", f"an array has at most {MAX_RANK} axes")
    return entries, arrays


class _Coordinate(NamedTuple):
    """Where a constant mask is true, along one of its axes, which has `size` elements."""

    positions: Node
    size: int


def _unmasked(items: Sequence[Item]) -> list[Item]:
    """The items with a constant mask as the coordinates of where it is true, one for each axis."""
    found: list[Item] = []
    for item in items:
        listed = isinstance(item, (tuple, list)) and not isinstance(item, Weak) and item
        if listed and all(isinstance(v, bool) for v in item):
            item = const_node(list(item), "bool")
        mask = known(item) if isinstance(item, Node) and item.type.dtype == "bool" and item.type.rank else None
        if mask is None:
            found.append(item)
        else:
            found += [_Coordinate(const_node(p, "int64"), d) for p, d in zip(mask.nonzero(), mask.shape, strict=True)]
    return found


def _fits_mask(mask: _Coordinate, size: Dim) -> None:
    if mask.size != size:
        raise ShapeError(
            "G021",
            f"a mask of {mask.size} does not fit an axis of size {size}",
            hint=None if isinstance(size, int) else f"declare the size as {mask.size}",
        )


def _expanded(items: Sequence[Item], rank: int, shape: str) -> list[Item]:
    """One item for each axis: `...` and what is missing at the end become `:`."""
    if sum(item is Ellipsis for item in items) > 1:
        raise ShapeError("G022", "an index has at most one `...`")
    used = sum(item is not None and item is not Ellipsis for item in items)
    if used > rank:
        raise ShapeError("G022", f"too many indices: {used} for the shape {shape}")
    rest = [slice(None)] * (rank - used)
    if not any(item is Ellipsis for item in items):
        return [*items, *rest]
    place = next(i for i, item in enumerate(items) if item is Ellipsis)
    return [*items[:place], *rest, *items[place + 1 :]]


def _position(item: Dim, size: Dim) -> Dim:
    """A fixed position, counted from the front."""
    if isinstance(item, Size):
        if at_least(-1 * item, 1):
            item = size + item
        room = size - item
        outside = isinstance(room, int) and not room >= 1
        if outside or (isinstance(item, int) and item < 0):
            raise ShapeError("G022", f"the position {item} is outside an axis of size {size}")
        return item
    if isinstance(size, int) and not -size <= item < size:
        raise ShapeError("G022", f"the position {item} is outside an axis of size {size}")
    if abs(item) >= 2**63:
        raise LimitError("G003", "a position must be below 2**63")
    return size + item if item < 0 else item


def _positions(item: Item, size: Dim) -> Node:
    """An index array: an integer array, or a list of integers."""
    if isinstance(item, (tuple, list)) and not isinstance(item, Weak):
        item = _listed(item)
    if not isinstance(item, Node):
        raise DtypeError("G030", f"an index is an integer, a slice or an integer array, not {describe(item)}")
    if item.type.dtype not in ("int64", "int32"):
        hint = (
            "use where(mask, x, 0): how many are selected must be known without the values"
            if item.type.dtype == "bool"
            else "convert it: x[astype(i, int64)]"
        )
        raise DtypeError("G030", f"an index array must hold integers, not {item.type}", hint=hint)
    known = constant_value(item)
    if known is not None and isinstance(size, int) and known.size:
        inside = -size <= known.min() and known.max() < size
        if not inside:
            raise ShapeError("G022", f"a position of the index array is outside an axis of size {size}")
    return item


def _listed(item: Sequence[Any]) -> Node:
    if item and all(type(v) is int and abs(v) < 2**63 for v in item):
        return const_node(list(item), "int64")
    return node(item)


# --- slices ---


def _range(item: slice, size: Dim, at_most: AtMost) -> Range:
    step = 1 if item.step is None else item.step
    if isinstance(step, bool) or not isinstance(step, int):
        raise UnsupportedError("G040", f"the step of a slice is an integer, not {describe(step)}")
    if step == 0 or abs(step) >= 2**63:
        raise ShapeError("G022", "the step of a slice is not 0 and below 2**63")
    for bound in (item.start, item.stop):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, (int, Size))):
            raise UnsupportedError("G040", f"the bounds of a slice are integers or sizes, not {describe(bound)}")
        if isinstance(bound, int) and abs(bound) >= 2**63:
            raise LimitError("G003", "the bounds of a slice are below 2**63")
    if isinstance(size, int) and not isinstance(item.start, Size) and not isinstance(item.stop, Size):
        return _known(slice(item.start, item.stop, step), size)
    return _upward(item, size, step, at_most) if step > 0 else _downward(item, size, step)


def _known(item: slice, size: int) -> Range:
    start, stop, step = item.indices(size)
    count = len(range(start, stop, step))
    if count == 0:
        return Range(0, 0, 1, 0, size == 0)
    whole = step == 1 and count == size
    return Range(start, None if stop < 0 else stop, step, count, whole)


def _upward(item: slice, size: Dim, step: int, at_most: AtMost) -> Range:
    start = _bound(item.start, size, 0)
    stop = _bound(item.stop, size, size)
    if isinstance(stop, Size) and stop != size and not at_most(stop, size):
        raise ShapeError(
            "G022",
            f"the bound {stop} may be outside an axis of size {size}",
            hint="a bound made of sizes must be at most the size of the axis",
        )
    if isinstance(stop, int) and isinstance(size, int) and stop > size:
        stop = size
    length = stop - start
    if isinstance(length, int) and length <= 0:
        return Range(start, start, 1, 0, False)
    count = length if step == 1 else (length + (step - 1)) // step
    return Range(start, stop, step, count, start == 0 and stop == size and step == 1)


def _downward(item: slice, size: Dim, step: int) -> Range:
    start = _bound(item.start, size, size - 1)
    stop = None if item.stop is None else _bound(item.stop, size, 0)
    length = start + 1 if stop is None else start - stop
    if isinstance(length, int) and length <= 0:
        return Range(0, 0, 1, 0, False)
    return Range(start, stop, step, (length + (-step - 1)) // -step, False)


def _bound(bound: Dim | None, size: Dim, default: Dim) -> Dim:
    if bound is None:
        return default
    negative = bound < 0 if isinstance(bound, int) else at_least(-1 * bound, 0)
    return size + bound if negative else bound
