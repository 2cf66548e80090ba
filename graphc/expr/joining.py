"""Arrays joined into one, and one array taken apart.

    hstack((a, b))      split(x, 3)       insert(x, 1, v)
    append(a, b)        delete(x, 0)      block([[a, b], [c, d]])

Everything here is made of concatenate, stack and slices. The parts of a split are known when the
model is compiled: n rows in 3 equal parts are n // 3 rows each, and the generated code checks that.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from graphc.errors import DtypeError, ShapeError, UnsupportedError
from graphc.expr import build
from graphc.expr.arguments import Value, Weak, axis_number, describe, node, nodes, sequence, writable
from graphc.expr.constants import constant
from graphc.expr.ordering import lined
from graphc.expr.subscript import subscript
from graphc.ir.dims import Dim, Size
from graphc.ir.node import Node
from graphc.ir.types import show_shape

# --- joining ---


def with_rank(x: Node, rank: int) -> Node:
    """New axes of size 1 in front, up to this many axes."""
    return build.expand_dims(x, tuple(range(rank - x.type.rank)))


def dstack(arrays: Value) -> Node:
    """Arrays joined along a third axis; vectors and matrices get one."""
    return build.joined("concatenate", [_deep(p) for p in sequence(arrays, "dstack")], 2)


def _deep(x: Node) -> Node:
    """At least three axes, as NumPy adds them: (n,) is (1, n, 1), (n, m) is (n, m, 1)."""
    if x.type.rank >= 3:
        return x
    flat = with_rank(x, 2)
    return build.expand_dims(flat, (2,))


def column_stack(arrays: Value) -> Node:
    """Vectors as the columns of a matrix; matrices are joined as they are."""
    parts = [with_rank(p, 1) for p in sequence(arrays, "column_stack")]
    return build.joined("concatenate", [build.expand_dims(p, (1,)) if p.type.rank == 1 else p for p in parts], 1)


def append(x: Value, values: Value, axis: Value = None) -> Node:
    """`values` put behind `x` along an axis; without one both are flattened."""
    first, second = nodes((x, values))
    if axis is None:
        return build.joined("concatenate", [lined(first, None)[0], lined(second, None)[0]], 0)
    return build.joined("concatenate", [first, second], axis_number(axis, first.type.rank))


def block(arrays: Value) -> Node:
    """Nested lists of blocks: the innermost are joined along the last axis, those around them along the one before."""
    depth = _depth(arrays)
    flat = nodes(_blocks(arrays, depth))
    rank = max(depth, *(p.type.rank for p in flat))
    parts = iter([with_rank(p, rank) for p in flat])

    def joined(level: Any, axis: int) -> Node:
        if axis == rank:
            return next(parts)
        inner = [joined(item, axis + 1) for item in level]
        return inner[0] if len(inner) == 1 else build.joined("concatenate", inner, axis)

    return joined(arrays, rank - depth)


def _depth(arrays: Value) -> int:
    depth = 0
    while isinstance(arrays, list):
        if not arrays:
            raise ShapeError("G021", "`block` takes lists of arrays that are not empty")
        arrays, depth = arrays[0], depth + 1
    return depth


def _blocks(level: Value, depth: int) -> list[Value]:
    """The arrays in nested lists, all of which are nested equally deep."""
    if depth == 0:
        if isinstance(level, (list, tuple)) and not isinstance(level, Weak):
            raise ShapeError("G021", "the lists of `block` are nested equally deep, and hold arrays")
        return [level]
    if not isinstance(level, list) or not level:
        raise ShapeError("G021", "the lists of `block` are nested equally deep, and none is empty")
    return [item for inner in level for item in _blocks(inner, depth - 1)]


# --- splitting ---


def split(x: Value, indices_or_sections: Value, axis: Value = 0) -> tuple[Node, ...]:
    """Equal parts along an axis, or the parts between positions: split(x, 3), split(x, [2, 5])."""
    array = node(x)
    return _split(array, indices_or_sections, axis_number(axis, array.type.rank), equal=True)


def array_split(x: Value, indices_or_sections: Value, axis: Value = 0) -> tuple[Node, ...]:
    """As `split`; parts that cannot be equal differ by one, the longer ones first."""
    array = node(x)
    return _split(array, indices_or_sections, axis_number(axis, array.type.rank), equal=False)


def hsplit(x: Value, indices_or_sections: Value) -> tuple[Node, ...]:
    """Parts side by side: along the second axis, of a vector along its only one."""
    array = node(x)
    return _split(array, indices_or_sections, axis_number(min(1, array.type.rank - 1), array.type.rank), equal=True)


def vsplit(x: Value, indices_or_sections: Value) -> tuple[Node, ...]:
    """Parts below each other: along the first of two axes or more."""
    return _split_deep(x, indices_or_sections, 0, 2)


def dsplit(x: Value, indices_or_sections: Value) -> tuple[Node, ...]:
    """Parts along the third axis."""
    return _split_deep(x, indices_or_sections, 2, 3)


def _split_deep(x: Value, parts: Value, axis: int, rank: int) -> tuple[Node, ...]:
    array = node(x)
    if array.type.rank < rank:
        raise ShapeError("G022", f"an array of {rank} axes or more is needed, not {show_shape(array.shape)}")
    return _split(array, parts, axis, equal=True)


def _split(x: Node, given: Value, axis: int, equal: bool) -> tuple[Node, ...]:
    front = [slice(None)] * axis
    if isinstance(given, (tuple, list)):
        writable(len(given), "positions to split at")
        bounds = [None, *given, None]
        for bound in given:
            if isinstance(bound, bool) or not isinstance(bound, (int, Size)):
                raise DtypeError("G030", f"a position to split at is an integer or a size, not {describe(bound)}")
        return tuple(subscript(x, [*front, slice(a, b)]) for a, b in pairwise(bounds))
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise DtypeError("G030", f"the number of parts is an integer from 1, not {describe(given)}")
    writable(given, "parts")
    size = x.shape[axis]
    if isinstance(size, int):
        short, rest = divmod(size, given)
        if rest and equal:
            raise ShapeError("G021", f"an axis of size {size} does not divide into {given} equal parts")
        stops = [k * short + min(k, rest) for k in range(given + 1)]
    else:
        x, part = _divided(x, axis, size, given, equal)
        return tuple(build.between(x, axis, k * part, (k + 1) * part) for k in range(given))
    return tuple(build.between(x, axis, a, b) for a, b in pairwise(stops))


def _divided(x: Node, axis: int, size: Size, parts: int, equal: bool) -> tuple[Node, Dim]:
    """The array with an axis of `parts` times a size, and that size."""
    part = size // parts
    whole = parts * part
    if whole == size:
        return x, part
    if not equal:
        raise UnsupportedError(
            "G040",
            f"the parts of an axis of size {size} depend on its size",
            hint="use split for equal parts, or give the positions: array_split(x, [n // 2])",
        )
    return build.apply("sized", x, axis=axis, size=whole), part


def unstack(x: Value, *, axis: Value = 0) -> tuple[Node, ...]:
    """The arrays that are stacked along an axis of known size."""
    array = node(x)
    place = axis_number(axis, array.type.rank)
    size = array.shape[place]
    if isinstance(size, Size):
        raise UnsupportedError(
            "G040", f"the number of parts is not known: the size is {size}", hint="declare the size as a number"
        )
    return tuple(build.at(array, place, k) for k in range(writable(size, "parts")))


# --- inserting, deleting ---


def insert(x: Value, obj: Value, values: Value, axis: Value = None) -> Node:
    """`values` put in before the positions `obj`, which are known when the model is compiled."""
    given, new = nodes((x, values))
    array, place = lined(given, axis)
    new = build.astype(new, array.type.dtype)
    single = isinstance(obj, (int, Size)) and not isinstance(obj, bool)
    positions = (
        [_from_front(obj, array.shape[place], 1) if type(obj) is int and obj >= 0 else obj]
        if single
        else _sorted_positions(obj, array.shape[place])
    )
    if single and axis is not None and new.type.rank > 0:
        new = _moved_to(new, array.type.rank, place)
    count: Dim = new.shape[place] if single and new.type.rank == array.type.rank else len(positions)
    wide = build.broadcast_to(new, (*array.shape[:place], count, *array.shape[place + 1 :]))
    order = [0] if single else list(np.argsort(constant(obj, "a position"), kind="stable"))
    parts: list[Node] = []
    start: Any = None
    front = [slice(None)] * place
    for k, position in zip(order, positions, strict=True):
        if position != start:
            parts.append(subscript(array, [*front, slice(start, position)]))
        parts.append(wide if single else build.between(wide, place, int(k), int(k) + 1))
        start = position
    parts.append(subscript(array, [*front, slice(start, None)]))
    return build.joined("concatenate", parts, place)


def _moved_to(new: Node, rank: int, axis: int) -> Node:
    """What is put in at one position, with the axis along which it is put in."""
    if new.type.rank == rank or new.type.rank == 0:
        return new
    full = with_rank(new, rank)  # (n,) before a row is a row; before a column it is a column
    return build.transpose(full, (*range(1, axis + 1), 0, *range(axis + 1, rank)))


def _sorted_positions(obj: Value, size: Dim) -> list[int]:
    positions = constant(obj, "a position")
    if positions.ndim != 1 or positions.dtype.kind not in "iu":
        raise DtypeError("G030", f"positions are integers in a list, not {describe(obj)}")
    return sorted(_from_front(int(p), size, 1) for p in positions)


def _from_front(position: int, size: Dim, more: int) -> int:
    """A position from the front, below size + more."""
    if isinstance(size, int) and not -size <= position < size + more:
        raise ShapeError("G022", f"the position {position} is outside an axis of size {size}")
    if position < 0 and isinstance(size, Size):
        raise UnsupportedError("G040", f"the position {position} depends on the size {size}", hint="count from 0")
    return position + size if position < 0 and isinstance(size, int) else position


def delete(x: Value, obj: Value, axis: Value = None) -> Node:
    """`x` without what is at the positions `obj`: an integer, a slice of ints, or a list or mask that is known."""
    array, place = lined(x, axis)
    size = array.shape[place]
    front = [slice(None)] * place
    if isinstance(obj, (int, Size)) and not isinstance(obj, bool):
        subscript(array, [*front, obj])  # whether it is inside
        behind = None if obj == -1 else obj + 1
        parts = [subscript(array, [*front, slice(None, obj)])]
        if behind is not None:
            parts.append(subscript(array, [*front, slice(behind, None)]))
        return build.joined("concatenate", parts, place) if len(parts) > 1 else parts[0]
    if isinstance(obj, slice):
        if isinstance(size, Size):
            raise UnsupportedError("G040", f"what is left depends on the size {size}", hint="write concatenate")
        positions = np.arange(size)[obj]
    else:
        positions = constant(obj, "a position")
        positions = positions.nonzero()[0] if positions.dtype == np.bool_ else positions
    gone = sorted({_from_front(int(p), size, 0) for p in positions.ravel()})
    parts = []
    start = 0
    for position in gone:
        if position > start:
            parts.append(subscript(array, [*front, slice(start, position)]))
        start = position + 1
    if not isinstance(size, int) or start < size:
        parts.append(subscript(array, [*front, slice(start, None)]))
    return build.joined("concatenate", parts or [build.between(array, place, 0, 0)], place)


TABLE: dict[str, Callable[..., Any]] = {
    "dstack": dstack,
    "column_stack": column_stack,
    "append": append,
    "block": block,
    "split": split,
    "array_split": array_split,
    "hsplit": hsplit,
    "vsplit": vsplit,
    "dsplit": dsplit,
    "unstack": unstack,
    "insert": insert,
    "delete": delete,
}
