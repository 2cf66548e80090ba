"""Differences, slopes, integrals and interpolation of sampled functions.

diff(y)           y[1:] - y[:-1]
gradient(y, h)    (y[2:] - y[:-2]) / (2 h), one-sided at the ends
trapezoid(y, x)   sum(diff(x) * (y[1:] + y[:-1]) / 2)
interp(x, xp, fp) the broken line through the points (xp, fp)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from graphc.errors import ShapeError
from graphc.expr import build
from graphc.expr.arguments import Value, axes_of, axis_number, describe, node, nodes, whole_number
from graphc.expr.products import flat
from graphc.expr.reductions import floating, total
from graphc.ir.dims import Dim
from graphc.ir.index import Array
from graphc.ir.node import Node
from graphc.ir.types import show_shape


def _neighbours(x: Node, axis: int) -> tuple[Node, Node]:
    """x[:-1] and x[1:] along an axis."""
    size = x.shape[axis]
    return build.between(x, axis, 0, size - 1), build.between(x, axis, 1, size)


def _step(x: Node, axis: int) -> Node:
    left, right = _neighbours(x, axis)
    return build.apply("not_equal" if x.type.dtype == "bool" else "subtract", right, left)


def diff(x: Value, n: Value = 1, axis: Value = -1, prepend: Value = None, append: Value = None) -> Node:
    """Differences of neighbours along an axis, taken `n` times; `prepend` and `append` are joined on before."""
    array, times = node(x), whole_number(n, "n")
    if times < 0:
        raise ShapeError("G022", f"differences are taken 0 times or more, not {times}")
    place = axis_number(axis, array.type.rank)
    ends = [_end(array, e, place) for e in (prepend, append)]
    parts = [p for p in (ends[0], array, ends[1]) if p is not None]
    joined = array if len(parts) == 1 else build.joined("concatenate", parts, place)
    for _ in range(times):
        if joined.shape[place] == 0:
            break
        joined = _step(joined, place)
    return joined


def _end(x: Node, value: Value, axis: int) -> Node | None:
    """What is joined to an end of `x`; a number is repeated over the other axes."""
    if value is None:
        return None
    end = nodes((x, value))[1]
    if end.type.rank:
        return end
    return build.broadcast_to(end, tuple(1 if i == axis else d for i, d in enumerate(x.shape)))


def ediff1d(x: Value, to_end: Value = None, to_begin: Value = None) -> Node:
    """Differences of neighbours of the flattened array, with other elements before and after them."""
    line = flat(node(x))
    ends = [None if e is None else flat(nodes((line, e))[1]) for e in (to_begin, to_end)]
    parts = [p for p in (ends[0], diff(line), ends[1]) if p is not None]
    return parts[0] if len(parts) == 1 else build.joined("concatenate", parts, 0)


def trapezoid(y: Value, x: Value = None, dx: Value = 1.0, axis: Value = -1) -> Node:
    """The integral by the trapezoidal rule along an axis, at the points `x` or at steps of `dx`."""
    array = floating(node(y))
    place = axis_number(axis, array.type.rank)
    left, right = _neighbours(array, place)
    widths = nodes((array, dx))[1] if x is None else _widths(nodes((array, x))[1], array, place)
    areas = build.multiply(widths, build.multiply(0.5, build.add(left, right)))
    return total(areas, (place,))


def _widths(x: Node, y: Node, axis: int) -> Node:
    """The distances of the points, to be broadcast against those of `y`."""
    if x.type.rank == 1:
        return build.expand_dims(_step(x, 0), tuple(a for a in range(y.type.rank) if a != axis))
    return _step(x, axis - y.type.rank + x.type.rank)


# --- slopes ---


class _Weights(NamedTuple):
    """What three neighbours are multiplied with to give the slope."""

    before: Node
    here: Node
    after: Node


def gradient(f: Value, *spacings: Value, axis: Value = None, edge_order: Value = 1) -> Node | tuple[Node, ...]:
    """Slopes by central differences, one array for each axis; a tuple of them where there are several.

    spacings: nothing (1), one number, or for each axis a number or a vector of coordinates.
    edge_order: 1 or 2, the order of the differences at both ends.
    """
    array = floating(node(f))
    order = whole_number(edge_order, "edge_order")
    if order not in (1, 2):
        raise ShapeError("G022", f"`edge_order` is 1 or 2, not {order}")
    named = axis is not None and not isinstance(axis, (tuple, list))
    axes = [
        axis_number(a, array.type.rank)
        for a in (axes_of(None, array.type.rank) if axis is None else [axis] if named else axis)
    ]
    if not axes:
        raise ShapeError("G022", "slopes need an array of at least one axis")
    steps = _spacings(spacings, len(axes))
    slopes = tuple(_slope(array, a, nodes((array, h))[1], order) for a, h in zip(axes, steps, strict=True))
    return slopes[0] if len(slopes) == 1 else slopes


def _spacings(given: tuple[Value, ...], count: int) -> tuple[Value, ...]:
    if not given:
        return (1.0,) * count
    if len(given) == 1 and count > 1 and node(given[0]).type.rank == 0:
        return given * count
    if len(given) != count:
        raise ShapeError("G021", f"gradient along {count} axes takes as many spacings, or one number, not {len(given)}")
    return given


def _slope(f: Node, axis: int, h: Node, order: int) -> Node:
    size = f.shape[axis]
    if isinstance(size, int) and size < order + 1:
        raise ShapeError("G021", f"slopes of order {order} at the ends need {order + 1} elements, not {size}")
    inner, first, last = _uniform(f, axis, h, order) if h.type.rank == 0 else _uneven(f, axis, h, order)
    return build.joined("concatenate", [first, inner, last], axis)


def _at(f: Node, axis: int, position: Dim) -> Node:
    """The element at a position, its axis kept."""
    return build.between(f, axis, position, position + 1)


def _inner(f: Node, axis: int) -> tuple[Node, Node, Node]:
    """f[:-2], f[1:-1] and f[2:] along an axis."""
    size = f.shape[axis]
    return tuple(build.between(f, axis, k, size - 2 + k) for k in range(3))  # type: ignore[return-value]


def _uniform(f: Node, axis: int, h: Node, order: int) -> tuple[Node, Node, Node]:
    """The slopes inside, at the first and at the last element, at steps of `h`."""
    n = f.shape[axis]
    before, _, after = _inner(f, axis)
    inner = build.divide(build.subtract(after, before), build.multiply(2, h))
    first = [_at(f, axis, k) for k in range(order + 1)]
    last = [_at(f, axis, n - 1 - k) for k in range(order + 1)]
    if order == 1:
        ends = build.subtract(first[1], first[0]), build.subtract(last[0], last[1])
    else:
        ends = _sum((-1.5, 2.0, -0.5), first), _sum((1.5, -2.0, 0.5), last)
    return inner, build.divide(ends[0], h), build.divide(ends[1], h)


def _sum(weights: tuple[Any, ...], values: list[Node] | tuple[Node, ...]) -> Node:
    first, *others = (build.multiply(w, v) for w, v in zip(weights, values, strict=True))
    for other in others:
        first = build.add(first, other)
    return first


def _uneven(f: Node, axis: int, x: Node, order: int) -> tuple[Node, Node, Node]:
    """The same at the coordinates `x` (Fornberg, Math. Comp. 51, 1988, for the weights)."""
    n = f.shape[axis]
    if x.shape != (n,):
        raise ShapeError("G021", f"coordinates {show_shape(x.shape)} of an axis of size {n}")
    widths = build.expand_dims(_step(x, 0), tuple(a for a in range(f.type.rank) if a != axis))
    inner = _sum(_middle_weights(*_neighbours(widths, axis)), _inner(f, axis))
    if order == 1:
        begin = build.subtract(_at(f, axis, 1), _at(f, axis, 0))
        end = build.subtract(_at(f, axis, n - 1), _at(f, axis, n - 2))
        return inner, build.divide(begin, _at(widths, axis, 0)), build.divide(end, _at(widths, axis, n - 2))
    first = [_at(f, axis, k) for k in range(3)]
    last = [_at(f, axis, n - 1 - k) for k in range(3)]
    begin = _sum(_end_weights(_at(widths, axis, 0), _at(widths, axis, 1)), first)
    end = _sum(_end_weights(_at(widths, axis, n - 2), _at(widths, axis, n - 3)), last)
    return inner, begin, build.negative(end)


def _middle_weights(h: Node, k: Node) -> _Weights:
    """Of the slope at the middle of three points, at distances h and k."""
    both = build.add(h, k)
    return _Weights(
        build.negative(build.divide(k, build.multiply(h, both))),
        build.divide(build.subtract(k, h), build.multiply(h, k)),
        build.divide(h, build.multiply(k, both)),
    )


def _end_weights(h: Node, k: Node) -> _Weights:
    """Of the slope at the first of three points, at distances h and k."""
    both = build.add(h, k)
    return _Weights(
        build.negative(build.divide(build.add(h, both), build.multiply(h, both))),
        build.divide(both, build.multiply(h, k)),
        build.negative(build.divide(h, build.multiply(k, both))),
    )


# --- interpolation ---


def interp(x: Value, xp: Value, fp: Value, left: Value = None, right: Value = None) -> Node:
    """The broken line through the points (xp, fp), `xp` ascending; beyond the ends `left` and `right`.

    Those are the values at the ends unless given. At an inner point of the line the derivative is the
    slope to its right; at both ends and beyond it is 0.
    """
    at, points, values = (floating(n) for n in nodes((x, xp, fp)))
    n = points.shape[0] if points.type.rank == 1 else 0
    if points.type.rank != 1 or values.shape != points.shape or n == 0:
        raise ShapeError(
            "G021", f"points {show_shape(points.shape)} and values {show_shape(values.shape)} are not two equal vectors"
        )
    first, last = build.at(values, 0, 0), build.at(values, 0, n - 1)
    low = first if left is None else nodes((values, left))[1]
    high = last if right is None else nodes((values, right))[1]
    start, stop = build.at(points, 0, 0), build.at(points, 0, n - 1)
    inside = _segments(at, points, values)
    upper = build.where(build.equal(at, stop), last, high) if right is not None else high
    line = build.where(build.apply("greater_equal", at, stop), upper, inside)
    return build.where(build.apply("less" if left is not None else "less_equal", at, start), low, line)


def _segments(x: Node, points: Node, values: Node) -> Node:
    """The value on the segment that holds x; before the first point on the first one, carried on."""
    place = build.subtract(build.apply("searchsorted", points, x, side="right"), 1)
    i = build.apply("maximum", place, 0)
    beyond = build.ones((1,), values.type.dtype)  # the last point, which may be the only one, begins no segment
    slopes = build.joined("concatenate", [build.divide(_step(values, 0), _step(points, 0)), beyond], 0)
    start, value, slope = (build.getitem(p, (Array(0),), (i,)) for p in (points, values, slopes))
    return build.add(value, build.multiply(slope, build.subtract(x, start)))


def unwrap(p: Value, discont: Value = None, axis: Value = -1, *, period: Value = 2.0 * math.pi) -> Node:
    """Phases made continuous: jumps of more than half a period are taken out by whole periods."""
    array = floating(node(p))
    place = axis_number(axis, array.type.rank)
    if isinstance(period, bool) or not isinstance(period, (int, float)) or not period > 0:
        raise ShapeError("G023", f"the period is a positive number, not {describe(period)}")
    step = _step(array, place)
    whole = build.apply("floor", build.divide(build.add(step, period / 2), float(period)))
    wrapped = build.subtract(step, build.multiply(whole, float(period)))
    edge = build.apply("logical_and", build.equal(wrapped, -period / 2), build.apply("greater", step, 0))
    wrapped = build.where(edge, period / 2, wrapped)
    limit = period / 2 if discont is None else max(float(discont), period / 2)
    small = build.apply("less", build.apply("absolute", step), limit)
    jumps = build.apply("cumsum", build.where(small, 0.0, build.subtract(wrapped, step)), axis=place)
    rest = build.between(array, place, 1, array.shape[place])
    shifted = build.add(rest, build.apply("stop_gradient", jumps))
    return build.joined("concatenate", [_at(array, place, 0), shifted], place)


TABLE: dict[str, Callable[..., Any]] = {
    "diff": diff,
    "ediff1d": ediff1d,
    "trapezoid": trapezoid,
    "trapz": trapezoid,
    "gradient": gradient,
    "interp": interp,
    "unwrap": unwrap,
}
