"""Medians and quantiles: elements of the sorted array, and means of neighbours.

    median(x)         s = sort(x);  (s[(n - 1) // 2] + s[n // 2]) / 2
    quantile(x, q)    s[i] + g * (s[i + 1] - s[i]),   i + g = q * (n - 1)

The gradient goes to the elements that were read, with the weights of the interpolation. A line with a
NaN in it has the quantile NaN; the functions whose names begin with `nan` leave NaN out.

Source: R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages" (1996), for the methods.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from graphc.errors import ShapeError, UnsupportedError
from graphc.expr import build
from graphc.expr.arguments import Value, axes_of, describe, flag, leaves, node, writable
from graphc.expr.formula import is_number
from graphc.expr.products import flat
from graphc.expr.reductions import floating, number, total
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph
from graphc.ir.index import Array
from graphc.ir.interpret import interpret
from graphc.ir.leaf import INPUT, SIZE, const_node, constant_value, size_node
from graphc.ir.node import Node, topological
from graphc.ir.types import show_shape

# Where the quantile q stands among n sorted elements: n * q + a + q * (1 - a - b) - 1, counted from 0.
_PLOTTING = {
    "linear": (1.0, 1.0),
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1.0 / 3.0, 1.0 / 3.0),
    "normal_unbiased": (3.0 / 8.0, 3.0 / 8.0),
}
_ROUNDED = {"lower": "floor", "higher": "ceil", "nearest": "rint"}  # the place of "linear", made whole


class _Line(NamedTuple):
    """The elements along one last axis, in ascending order; what is needed to put the result in shape."""

    ordered: Node
    size: Dim
    axes: tuple[int, ...]
    rank: int
    keepdims: bool

    @property
    def last(self) -> int:
        return self.ordered.type.rank - 1

    def shaped(self, result: Node, leading: int = 0) -> Node:
        """The result, after `leading` axes of its own, with the axes kept at size 1 if they are to be."""
        if not self.keepdims:
            return result
        return build.expand_dims(result, tuple(leading + a for a in self.axes))


def _line(name: str, x: Value, axis: Value, keepdims: Value) -> _Line:
    array = floating(node(x))
    if array.type.rank == 0:
        array = flat(array)
        axes: tuple[int, ...] = (0,) if axis is None else axes_of(axis, 0)
        keep = False
    else:
        axes, keep = axes_of(axis, array.type.rank), flag(keepdims, "keepdims")
    line = build.merged(array, axes)
    size = line.shape[-1]
    if size == 0:
        raise ShapeError("G021", f"`{name}` of no elements: the shape is {show_shape(array.shape)}")
    ordered = build.apply("sort", line, axis=line.type.rank - 1)
    return _Line(ordered, size, axes, array.type.rank, keep)


def _spoilt(line: _Line, result: Node) -> Node:
    """NaN where the line holds one: it is sorted to the end. `result` may have axes before those of the line."""
    top = build.at(line.ordered, line.last, line.size - 1)
    return build.where(build.equal(top, top), result, math.nan)


def median(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """The middle element over axes, or the mean of the two in the middle."""
    line = _line("median", x, axis, keepdims)
    below = build.at(line.ordered, line.last, (line.size - 1) // 2)
    above = build.at(line.ordered, line.last, line.size // 2)
    middle = below if below is above else build.multiply(0.5, build.add(below, above))
    return line.shaped(_spoilt(line, middle))


def quantile(x: Value, q: Value, axis: Value = None, *, method: Value = "linear", keepdims: Value = False) -> Node:
    """The value below which the share `q` of the elements lies; the axes of `q` come first in the result."""
    return _quantile("quantile", x, _share(q, 1.0), axis, method, keepdims)


def percentile(x: Value, q: Value, axis: Value = None, *, method: Value = "linear", keepdims: Value = False) -> Node:
    """The quantile of q / 100."""
    return _quantile("percentile", x, _share(q, 100.0), axis, method, keepdims)


def _share(q: Value, whole: float) -> Node:
    """Shares as float64; those that are known are checked to lie between 0 and 1."""
    for value in leaves(q):
        if isinstance(value, (int, float)) and not 0 <= value <= whole:
            raise ShapeError("G022", f"a quantile lies from 0 to {whole:g}, and {describe(value)} does not")
    if isinstance(q, (tuple, list)):
        writable(len(q), "quantiles")
    if isinstance(q, (tuple, list)) and all(type(v) in (int, float) for v in q):
        return const_node([v / whole for v in q], "float64")
    given = floating(node(q))
    known = constant_value(given)
    if known is not None:
        return const_node(known / whole, "float64")
    return given if whole == 1.0 else build.divide(given, whole)


def _quantile(name: str, x: Value, q: Node, axis: Value, method: Value, keepdims: Value) -> Node:
    line = _line(name, x, axis, keepdims)
    last = size_node(line.size - 1, q.type.dtype)
    place = _place(q, size_node(line.size, q.type.dtype), last, method)
    return line.shaped(_spoilt(line, _between(_reader(line), place, last, method)), q.type.rank)


def _between(read: Callable[[Node], Node], place: Node, last: Node, method: Value) -> Node:
    """What stands at a place among the sorted elements; between two of them, as the method says."""
    if method in _ROUNDED:
        return read(_folded(build.astype(build.apply(_ROUNDED[method], place), "int64")))
    floor = build.apply("floor", place)
    low = read(_folded(build.astype(floor, "int64")))
    gap = build.subtract(place, floor)
    if method == "midpoint":
        gap = build.where(build.equal(gap, 0), 0.0, 0.5)
    gap = _folded(build.astype(gap, low.type.dtype))
    if is_number(gap, 0.0):
        return low
    high = read(_folded(build.astype(build.apply("minimum", build.add(floor, 1), last), "int64")))
    gap = build.expand_dims(gap, _behind(gap, low.type.rank - gap.type.rank))
    return build.add(low, build.multiply(gap, build.subtract(high, low)))


def _folded(x: Node) -> Node:
    """A value that depends on no input and no size, as a constant."""
    if any(n.op in (INPUT, SIZE) for n in topological([x])):
        return x
    (value,) = interpret(Graph((), (x,), ("value",)), {})
    return const_node(value, x.type.dtype)


def _place(q: Node, n: Node, last: Node, method: Value) -> Node:
    """Where the quantile stands among n sorted elements, counted from 0; between two, unless it is whole."""
    if method not in _PLOTTING and method not in _ROUNDED and method != "midpoint":
        known = ", ".join([*_PLOTTING, *_ROUNDED, "midpoint"])
        raise UnsupportedError("G040", f"quantiles have no method {describe(method)}", hint=f"the methods are {known}")
    a, b = _PLOTTING.get(method, (1.0, 1.0))
    if a == b == 1.0:
        return build.multiply(q, last)
    place = build.add(build.multiply(n, q), build.add(build.multiply(q, 1.0 - a - b), a - 1.0))
    return build.apply("minimum", build.apply("maximum", place, 0.0), last)


def _reader(line: _Line) -> Callable[[Node], Node]:
    """Reads the sorted elements at positions, whose axes come first in the result."""

    def read(positions: Node) -> Node:
        rank, extra = line.ordered.type.rank, positions.type.rank
        known = constant_value(positions)
        if known is not None and known.ndim == 0:
            return build.at(line.ordered, line.last, int(known))
        entries = [*(build.whole(d) for d in line.ordered.shape[:-1]), Array(0)]
        found = build.getitem(line.ordered, entries, (positions,))
        return build.transpose(found, (*range(rank - 1, rank - 1 + extra), *range(rank - 1)))

    return read


# --- without NaN ---


def nanmedian(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """The median over axes of what is not NaN; NaN where nothing is."""
    return _nanquantile("nanmedian", x, const_node(0.5, "float64"), axis, "linear", keepdims)


def nanquantile(x: Value, q: Value, axis: Value = None, *, method: Value = "linear", keepdims: Value = False) -> Node:
    """The quantile over axes of what is not NaN; NaN where nothing is."""
    return _nanquantile("nanquantile", x, _share(q, 1.0), axis, method, keepdims)


def nanpercentile(x: Value, q: Value, axis: Value = None, *, method: Value = "linear", keepdims: Value = False) -> Node:
    """The quantile of q / 100 over axes of what is not NaN; NaN where nothing is."""
    return _nanquantile("nanpercentile", x, _share(q, 100.0), axis, method, keepdims)


def _nanquantile(name: str, x: Value, q: Node, axis: Value, method: Value, keepdims: Value) -> Node:
    """NaN is sorted to the end, so that the first k elements are the others; k differs from line to line.

    An element is read at a position by adding up the line under a mask.
    """
    line = _line(name, x, axis, keepdims)
    present = build.equal(line.ordered, line.ordered)
    elements = build.where(present, line.ordered, 0)
    k = number(present, (line.last,), True, q.type.dtype)
    place = _place(build.expand_dims(q, _behind(q, k.type.rank)), k, build.subtract(k, 1), method)
    along = place.type.rank - 1
    positions = build.arange(line.size)

    def read(position: Node) -> Node:
        return total(build.where(build.equal(positions, position), elements, 0), (along,), True)

    found = _between(read, place, build.subtract(k, 1), method)
    result = build.where(build.apply("greater", k, 0), found, math.nan)
    return line.shaped(build.squeeze(result, (along,)), q.type.rank)


def _behind(q: Node, rank: int) -> tuple[int, ...]:
    """`rank` new axes behind those of `q`; none if it is a number, which broadcasts anyway."""
    return tuple(range(q.type.rank, q.type.rank + rank)) if q.type.rank else ()


TABLE: dict[str, Callable[..., Any]] = {
    "median": median,
    "quantile": quantile,
    "percentile": percentile,
    "nanmedian": nanmedian,
    "nanquantile": nanquantile,
    "nanpercentile": nanpercentile,
}
