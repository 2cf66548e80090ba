"""Arrays turned, moved round, repeated and padded.

    flip(x)  roll(x, 1)  repeat(x, 2)  tile(x, (2, 1))  pad(x, 1, mode="edge")

A repeat is a broadcast along a new axis that is then merged with the one before it, so its gradient
is a sum; padding joins slices, so its gradient adds slices and never scatters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import DtypeError, ShapeError, UnsupportedError
from graphc.expr import build
from graphc.expr.arguments import Value, axes_of, axis_number, describe, dim, node, nodes, shape_of, writable
from graphc.expr.constants import constant
from graphc.expr.joining import with_rank
from graphc.expr.ordering import lined
from graphc.expr.subscript import assign, subscript
from graphc.ir.dims import Dim, Size, product
from graphc.ir.leaf import const_node
from graphc.ir.node import Node

# --- turning ---


def flip(x: Value, axis: Value = None) -> Node:
    """The elements in reverse order along some axes, by default all."""
    array = node(x)
    axes = axes_of(axis, array.type.rank)
    return subscript(array, [slice(None, None, -1 if a in axes else 1) for a in range(array.type.rank)])


def flipud(x: Value) -> Node:
    """Upside down: the first axis reversed."""
    return flip(x, 0)


def fliplr(x: Value) -> Node:
    """Left and right exchanged: the second axis reversed."""
    return flip(x, 1)


def rot90(x: Value, k: Value = 1, axes: Value = (0, 1)) -> Node:
    """Turned by k quarters, from the first of two axes towards the second."""
    array = node(x)
    if not isinstance(axes, (tuple, list)) or len(axes) != 2:
        raise ShapeError("G022", f"rot90 takes two axes, not {describe(axes)}")
    first, second = (axis_number(a, array.type.rank) for a in axes)
    if first == second:
        raise ShapeError("G022", "rot90 takes two different axes")
    if isinstance(k, bool) or not isinstance(k, int):
        raise DtypeError("G030", f"`k` is an integer, not {describe(k)}")
    turns = k % 4
    if turns % 2 == 0:
        return flip(array, (first, second)) if turns else array
    order = list(range(array.type.rank))
    order[first], order[second] = second, first
    return (
        build.transpose(flip(array, second), tuple(order))
        if turns == 1
        else flip(build.transpose(array, tuple(order)), second)
    )


def roll(x: Value, shift: Value, axis: Value = None) -> Node:
    """The elements moved along axes; what leaves at one end comes in at the other. Without axes, flattened."""
    array = node(x)
    if axis is None:
        flat = _rolled(lined(array, None)[0], _total(shift), 0)
        return build.reshape(flat, array.shape)
    axes = [axis_number(a, array.type.rank) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    shifts = list(shift) if isinstance(shift, (tuple, list)) else [shift]
    longest = max(len(axes), len(shifts))
    if any(len(given) not in (1, longest) for given in (axes, shifts)):
        raise ShapeError("G022", "roll takes as many shifts as axes")
    for a, by in zip(axes * (longest // len(axes)), shifts * (longest // len(shifts)), strict=True):
        array = _rolled(array, by, a)
    return array


def _total(shift: Value) -> Value:
    return sum(shift) if isinstance(shift, (tuple, list)) else shift


def _rolled(x: Node, shift: Value, axis: int) -> Node:
    if isinstance(shift, bool) or not isinstance(shift, (int, Size)):
        raise DtypeError("G030", f"a shift is an integer or a size, not {describe(shift)}")
    return x if shift == 0 else build.apply("roll", x, shift=shift, axis=axis)


# --- repeating ---


def repeat(x: Value, repeats: Value, axis: Value = None) -> Node:
    """Every element several times in a row along an axis; without one, flattened."""
    array, place = lined(x, axis)
    listed = constant(repeats, "the number of repeats") if isinstance(repeats, (Node, list, tuple)) else None
    if listed is None or listed.size == 1:
        times = dim(repeats if listed is None else int(listed.ravel()[0]))
        wide = build.expand_dims(array, (place + 1,))
        wide = build.broadcast_to(wide, (*array.shape[: place + 1], times, *array.shape[place + 1 :]))
        total = (*array.shape[:place], array.shape[place] * times, *array.shape[place + 1 :])
        return build.reshape(wide, build.checked(total))
    size = array.shape[place]
    if listed.ndim != 1 or size != len(listed):
        raise ShapeError("G021", f"{len(listed)} repeats do not fit an axis of size {size}")
    if listed.dtype.kind not in "iu" or listed.min() < 0:
        raise DtypeError("G030", "repeats are integers from 0")
    writable(sum(listed.tolist()), "repeated elements")
    positions = const_node(np.repeat(np.arange(len(listed)), listed), "int64")
    return subscript(array, [*[slice(None)] * place, positions])


def tile(x: Value, reps: Value) -> Node:
    """The whole array several times along each axis."""
    times = shape_of(reps)
    array = node(x)
    rank = max(len(times), array.type.rank)
    array = with_rank(array, rank)
    times = (*[1] * (rank - len(times)), *times)
    split: list[Dim] = [d for pair in zip(times, array.shape, strict=True) for d in pair]
    wide = build.broadcast_to(build.expand_dims(array, tuple(range(0, 2 * rank, 2))), tuple(split))
    return build.reshape(wide, build.checked(tuple(t * d for t, d in zip(times, array.shape, strict=True))))


def resize(x: Value, new_shape: Value) -> Node:
    """The elements, flattened and repeated as often as the new shape needs."""
    flat, shape = lined(x, None)[0], shape_of(new_shape)
    wanted, size = product(shape), flat.shape[0]
    if wanted == size:
        return build.reshape(flat, shape)
    if isinstance(wanted, Size) or isinstance(size, Size):
        raise UnsupportedError("G040", f"how often {size} elements are repeated depends on sizes", hint="use tile")
    if size == 0 or wanted == 0:
        return build.zeros(shape, flat.type.dtype)
    return build.reshape(build.between(tile(flat, -(-wanted // size)), 0, 0, wanted), shape)


# --- padding ---


def pad(
    x: Value,
    pad_width: Value,
    mode: Value = "constant",
    *,
    constant_values: Value = 0,
    end_values: Value = 0,
) -> Node:
    """More elements around an array, by NumPy's modes constant, edge, reflect, symmetric, wrap and linear_ramp."""
    array = node(x)
    if not isinstance(mode, str) or mode not in _MODES:
        raise UnsupportedError("G040", f"pad has the modes {', '.join(_MODES)}, and not {describe(mode)}")
    rank = array.type.rank
    widths = [tuple(map(dim, pair)) for pair in _pairs(pad_width, rank)]
    build.checked(tuple(before + d + after for d, (before, after) in zip(array.shape, widths, strict=True)))
    ends = _pairs(constant_values if mode == "constant" else end_values, rank)
    flat = {id(v): v for pair in ends for v in pair}
    if mode == "constant" and len({repr(v) for v in flat.values()}) == 1:
        return _surrounded(array, widths, ends[0][0] if ends else 0)
    for axis, (before, after) in enumerate(widths):
        if before == 0 and after == 0:
            continue
        parts = _MODES[mode](array, axis, before, after, ends[axis])
        array = build.joined("concatenate", [p for p in parts if p.shape[axis] != 0], axis)
    return array


def _pairs(given: Value, rank: int) -> list[tuple[Any, Any]]:
    """(before, after) for each axis, from all the forms that NumPy takes: p, (b, a), ((b, a),), ((b, a), ...)."""
    if not isinstance(given, (tuple, list)):
        return [(given, given)] * rank
    if all(isinstance(p, (tuple, list)) for p in given):
        pairs = [(p[0], p[-1]) for p in given if len(p) in (1, 2)]
        if len(pairs) == len(given) and len(pairs) in (1, rank):
            return pairs * (rank if len(pairs) == 1 else 1)
    elif len(given) in (1, 2):
        return [(given[0], given[-1])] * rank
    raise ShapeError("G021", f"pad takes (before, after) for each of {rank} axes, not {describe(given)}")


def _surrounded(x: Node, widths: list[tuple[Dim, ...]], value: Value) -> Node:
    """One value all around: a larger array into which `x` is written."""
    shape = tuple(before + d + after for d, (before, after) in zip(x.shape, widths, strict=True))
    if shape == x.shape:
        return x
    around = build.astype(nodes((x, value))[1], x.type.dtype)
    items = [slice(before, before + d) for d, (before, _) in zip(x.shape, widths, strict=True)]
    base = build.zeros(shape, x.type.dtype) if value == 0 else build.broadcast_to(around, shape)
    return assign(base, items, x)


Parts = list[Node]


def _constant(x: Node, axis: int, before: Dim, after: Dim, ends: tuple[Value, Value]) -> Parts:
    filled = [build.astype(nodes((x, v))[1], x.type.dtype) for v in ends]
    sides = [(*x.shape[:axis], width, *x.shape[axis + 1 :]) for width in (before, after)]
    return [build.broadcast_to(filled[0], sides[0]), x, build.broadcast_to(filled[1], sides[1])]


def _edge(x: Node, axis: int, before: Dim, after: Dim, ends: tuple[Value, Value]) -> Parts:
    size = x.shape[axis]
    sides = [build.between(x, axis, 0, 1), build.between(x, axis, size - 1, size)]
    shapes = [(*x.shape[:axis], width, *x.shape[axis + 1 :]) for width in (before, after)]
    return [build.broadcast_to(sides[0], shapes[0]), x, build.broadcast_to(sides[1], shapes[1])]


def _ramp(x: Node, axis: int, before: Dim, after: Dim, ends: tuple[Value, Value]) -> Parts:
    """Straight lines from the ends to the edges; integers are refused, which NumPy rounds."""
    if not x.type.is_float:
        raise DtypeError("G030", f"a linear ramp is floating-point, not {x.type}")
    first, _, last = _edge(x, axis, before, after, ends)
    parts = []
    for edge, width, end in ((first, before, ends[0]), (last, after, ends[1])):
        shape = [1] * x.type.rank
        steps = build.arange(width, x.type.dtype)
        if edge is last:
            steps = build.subtract(build.subtract(nodes((x, width))[1], 1), steps)
        share = build.divide(steps, nodes((x, width))[1] if width != 0 else 1)
        share = build.reshape(share, (*shape[:axis], width, *shape[axis + 1 :]))
        parts.append(build.add(build.multiply(build.subtract(edge, end), share), end))
    return [parts[0], x, parts[1]]


def _mirrored(mode: str, skip: int) -> Callable[..., Parts]:
    """Reflections: the elements beside the edge in reverse order, without (1) or with (0) the edge itself."""

    def sides(x: Node, axis: int, before: Dim, after: Dim, ends: tuple[Value, Value]) -> Parts:
        size = x.shape[axis]
        if _too_short(size, before, after, skip):
            return _gathered(x, axis, before, after, mode)
        left = build.flip(build.between(x, axis, skip, skip + before), axis)
        right = build.flip(build.between(x, axis, size - after - skip, size - skip), axis)
        return [left, x, right]

    return sides


def _wrap(x: Node, axis: int, before: Dim, after: Dim, ends: tuple[Value, Value]) -> Parts:
    size = x.shape[axis]
    if _too_short(size, before, after, 0):
        return _gathered(x, axis, before, after, "wrap")
    return [build.between(x, axis, size - before, size), x, build.between(x, axis, 0, after)]


def _too_short(size: Dim, before: Dim, after: Dim, skip: int) -> bool:
    """Whether a side is longer than what is reflected: then it goes to and fro."""
    rest = [size - skip - width for width in (before, after)]
    return any(isinstance(r, int) and not r >= 0 for r in rest)


def _gathered(x: Node, axis: int, before: Dim, after: Dim, mode: Any) -> Parts:
    size = x.shape[axis]
    if isinstance(size, Size) or isinstance(before, Size) or isinstance(after, Size):
        raise UnsupportedError("G040", f"the padding of an axis of size {size} is longer than the axis may be")
    writable(size + before + after, "padded elements")
    positions = np.pad(np.arange(size), (before, after), mode=mode)
    return [subscript(x, [*[slice(None)] * axis, const_node(positions, "int64")])]


_MODES: dict[str, Callable[..., Parts]] = {
    "constant": _constant,
    "edge": _edge,
    "reflect": _mirrored("reflect", 1),
    "symmetric": _mirrored("symmetric", 0),
    "wrap": _wrap,
    "linear_ramp": _ramp,
}
TABLE: dict[str, Callable[..., Any]] = {
    "flip": flip,
    "flipud": flipud,
    "fliplr": fliplr,
    "rot90": rot90,
    "roll": roll,
    "repeat": repeat,
    "tile": tile,
    "resize": resize,
    "pad": pad,
}
