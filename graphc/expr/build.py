"""How graphs are written inside graphc: one function an op, numbers allowed wherever nodes are.

    multiply(2, x)        the 2 takes the dtype of x: Python numbers never widen
    reshape(x, x.shape)   is x: what changes nothing makes no node

The adjoints in `ops/` are handed this module as `e`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from graphc.errors import LimitError, ShapeError
from graphc.expr.facts import stationary_at_zero
from graphc.ir.dims import Dim, product
from graphc.ir.index import Index, Range
from graphc.ir.leaf import const_node, scalar_value, size_node
from graphc.ir.node import Node, make
from graphc.ir.types import TensorType, promote
from graphc.ops import REGISTRY

Number = int | float | bool
Value = Node | Number
MAX_ELEMENTS = 2**31  # of an array whose sizes are all known and which no input has


def apply(name: str, *args: Value, **attrs: Any) -> Node:
    """The op called `name` on nodes and numbers."""
    nodes = as_nodes(args, skip_first=name == "where")
    return make(REGISTRY[name], nodes, **attrs)


def as_nodes(args: Sequence[Value], skip_first: bool = False) -> list[Node]:
    """Numbers become constants of the dtype that the nodes beside them have."""
    nodes = [a for a in args if isinstance(a, Node)]
    if len(nodes) == len(args):
        return nodes
    peers = [a.type.dtype for a in args[int(skip_first) :] if isinstance(a, Node)]
    return [a if isinstance(a, Node) else literal(a, peers) for a in args]


def literal(value: Number, peers: Iterable[str] = ()) -> Node:
    """A number as a constant beside values of the dtypes `peers`; float64 or int64 without any."""
    dtype = promote("bool", *peers)
    if isinstance(value, bool):
        return const_node(value, "bool")
    if isinstance(value, int):
        if dtype == "bool":
            dtype = "int64"
        if dtype in ("int32", "int64") and not -(2**63) <= value < 2**63:
            dtype = "float64"
    elif dtype not in ("float32", "float64"):
        dtype = "float64"
    return const_node(float(value) if dtype.startswith("float") else value, dtype)


def number(value: Number, like: Node) -> Node:
    """A constant of the dtype of a node."""
    return const_node(value, like.type.dtype)


# --- elementwise ---


def add(a: Value, b: Value) -> Node:
    return apply("add", a, b)


def subtract(a: Value, b: Value) -> Node:
    return apply("subtract", a, b)


def multiply(a: Value, b: Value) -> Node:
    return apply("multiply", a, b)


def divide(a: Value, b: Value) -> Node:
    return apply("divide", a, b)


def power(a: Value, b: Value) -> Node:
    return apply("power", a, b)


def negative(x: Value) -> Node:
    return apply("negative", x)


def equal(a: Value, b: Value) -> Node:
    return apply("equal", a, b)


def where(c: Node, a: Value, b: Value) -> Node:
    return apply("where", c, a, b)


def astype(x: Node, dtype: str) -> Node:
    return x if x.type.dtype == dtype else apply("astype", x, dtype=dtype)


def clip(x: Value, lo: Value | None, hi: Value | None) -> Node:
    """`x` kept between `lo` and `hi`; either may be None."""
    if isinstance(lo, Node) or isinstance(hi, Node):
        low = x if lo is None else apply("maximum", x, lo)
        return as_nodes([low])[0] if hi is None else apply("minimum", low, hi)
    if lo is None and hi is None:
        return as_nodes([x])[0]
    if lo is None or hi is None:
        return apply("minimum", x, hi) if hi is not None else apply("maximum", x, lo or 0)
    return apply("clip", x, lo=float(lo) + 0.0, hi=float(hi) + 0.0)  # -0.0 is 0.0: attributes are compared by ==


# --- formulas of derivatives that are more than an operator ---


def wins(mask: Node, a: Node, b: Node) -> Node:
    """Where the chosen argument of maximum or minimum takes the cotangent.

    A tie of two variables is shared; with a constant the minimum-norm choice is 0.
    """
    if scalar_value(a) is not None or scalar_value(b) is not None:
        return mask
    return where(mask, 1.0, where(equal(a, b), 0.5, 0.0))


def inside(x: Node, lo: float, hi: float) -> Node:
    return apply("logical_and", apply("greater", x, lo), apply("less", x, hi))


def root_slope(x: Node, y: Node) -> Node:
    """d sqrt(x)/dx = 0.5 / y; the minimum-norm choice 0 where x is 0 and cannot be less, as in a norm."""
    slope = divide(0.5, y)
    return where(equal(y, 0), 0, slope) if stationary_at_zero(x) else slope


def ratio_of_zero(a: Node, b: Node) -> Value:
    """a / b, 0 where a is 0 even if b is: what divides a factor that is not there."""
    return 1.0 if a is b else where(equal(a, 0), 0, divide(a, b))


def power_slope(a: Node, b: Node) -> Node:
    """d(a**b)/da = b * a**(b - 1), with the limit 0 where b is 0, and 0 for a root as in `root_slope`."""
    exponent = scalar_value(b)
    if exponent is None:
        return where(equal(b, 0), 0, multiply(b, power(a, subtract(b, 1))))
    if exponent == 0:
        return multiply(0, as_nodes([a])[0])
    if exponent == 1:
        return const_node(1, a.type.dtype)
    if exponent == 2:
        return multiply(2, a)
    slope = multiply(exponent, power(a, exponent - 1))
    return where(equal(a, 0), 0, slope) if exponent < 1 and stationary_at_zero(a) else slope


def excess(a: Node, b: Node) -> Node:
    """a - b, and 0 where both are the same infinity."""
    if any(v is not None and math.isfinite(v) for v in map(scalar_value, (a, b))):
        return subtract(a, b)
    same = apply("logical_and", equal(a, b), apply("isinf", a))
    return subtract(where(same, 0, a), where(same, 0, b))


def next_order(x: Node, n: int, name: str) -> Node:
    """The derivative of order n + 1, by an op whose attribute `n` is the order."""
    return apply(name, x, n=n + 1)


def bessel_slope(x: Node, n: int, name: str) -> Node:
    """Half the sum of the neighbours in order: the derivative of I(n), whose I(-1) is I(1)."""
    above = apply(name, x, n=n + 1)
    return above if n == 0 else multiply(0.5, add(apply(name, x, n=n - 1), above))


# --- reductions ---


def normal_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """Axes as a sorted tuple of numbers from 0; None means all. ShapeError G022 outside the rank."""
    if axis is None:
        return tuple(range(rank))
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = []
    for a in given:
        if isinstance(a, bool) or not isinstance(a, int):
            raise ShapeError("G022", f"an axis is an integer, not {a!r}")
        if not -rank <= a < rank:
            raise ShapeError("G022", f"axis {a} is outside an array of {rank} axes")
        axes.append(a % rank)
    if len(set(axes)) != len(axes):
        raise ShapeError("G022", f"axis given twice: {tuple(given)}")
    return tuple(sorted(axes))


def reduce(name: str, x: Node, axes: tuple[int, ...], keepdims: bool = False, **attrs: Any) -> Node:
    """A reduction over axes that are already normal."""
    op = REGISTRY[name]
    if "keepdims" in op.attrs:
        attrs["keepdims"] = keepdims
    return make(op, [x], axes=axes, **attrs)


def unreduced(x: Node, node: Node) -> Node:
    """`x`, shaped like the reduction `node`, with the reduced axes put back at size 1.

    A scalar stays as it is: it broadcasts anyway.
    """
    attrs = node.attributes
    return x if attrs.get("keepdims", False) or x.type.rank == 0 else expand_dims(x, attrs["axes"])


def spread(ct: Node, node: Node) -> Node:
    """The cotangent of a sum, repeated over the summed axes."""
    return broadcast_to(unreduced(ct, node), node.args[0].shape)


def count(node: Node, dtype: str, ddof: int = 0) -> Node:
    """How many elements the reduction `node` takes together, less `ddof`; at least 1, to divide by."""
    shape = node.args[0].shape
    return size_node(product(tuple(shape[a] for a in node["axes"])) - ddof, dtype, least=1)


def size_of(x: Node, axis: int, dtype: str) -> Node:
    """The number of elements along an axis, as a number."""
    return size_node(x.shape[axis], dtype)


def unbroadcast(ct: Node, target: Node) -> Node:
    """The adjoint of broadcasting: sum the axes along which `target` was repeated."""
    if ct.shape == target.shape:
        return ct
    extra = ct.type.rank - target.type.rank
    axes = tuple(range(extra)) + tuple(
        extra + i for i, d in enumerate(target.shape) if d == 1 and ct.shape[extra + i] != 1
    )
    total = reduce("sum", ct, axes) if axes else ct
    return reshape(total, target.shape)


# --- shape ---


def reshape(x: Node, shape: tuple[Dim, ...]) -> Node:
    return x if x.shape == shape else make(REGISTRY["reshape"], [x], shape=shape)


def broadcast_to(x: Node, shape: tuple[Dim, ...]) -> Node:
    return x if x.shape == shape else make(REGISTRY["broadcast_to"], [x], shape=shape)


def expand_dims(x: Node, axes: tuple[int, ...]) -> Node:
    return make(REGISTRY["expand_dims"], [x], axes=axes) if axes else x


def squeeze(x: Node, axes: tuple[int, ...]) -> Node:
    return make(REGISTRY["squeeze"], [x], axes=axes) if axes else x


def transpose(x: Node, axes: tuple[int, ...]) -> Node:
    return x if axes == tuple(range(len(axes))) else make(REGISTRY["transpose"], [x], axes=axes)


def swap(x: Node) -> Node:
    """The last two axes exchanged."""
    rank = x.type.rank
    return transpose(x, (*range(rank - 2), rank - 1, rank - 2))


def aligned(x: Node, names: str, wanted: str) -> Node:
    """`x`, whose axes have these names, with its axes where `wanted` has the names, to broadcast with others."""
    order = "".join(n for n in wanted if n in names)
    moved = transpose(x, tuple(names.index(n) for n in order))
    behind = wanted[wanted.index(order[0]) :] if order else ""
    return expand_dims(moved, tuple(i for i, n in enumerate(behind) if n not in names))


def joined(name: str, xs: Sequence[Node], axis: int) -> Node:
    return make(REGISTRY[name], xs, axis=axis)


# --- with a new first axis ---


def behind(x: Node, has: bool, rank: int) -> Node:
    """An argument that has the new first axis, with axes of size 1 behind it up to `rank` further ones."""
    return expand_dims(x, tuple(range(1, 2 + rank - x.type.rank))) if has and x.type.rank <= rank else x


def repeated(x: Node, has: bool, n: Dim) -> Node:
    """An argument with the new first axis: repeated along it if it has none."""
    if has:
        return x
    if x.op.name in ("zeros", "ones"):
        return make(x.op, [], shape=checked((n, *x.shape)), dtype=x.type.dtype)
    return broadcast_to(x, (n, *x.shape))


def rows_times(rows: Node, b: Node) -> Node:
    """`rows @ b`; the unit rows of a Jacobian leave `b` as it is."""
    unit = rows.op.name == "eye" and rows["n"] == rows["m"] and rows.type.dtype == b.type.dtype
    return b if unit else matmul(rows, b)


def moved(x: Node, start: int, stop: int) -> Node:
    """One axis moved from place `start` to `stop`."""
    order = [a for a in range(x.type.rank) if a != start]
    return transpose(x, (*order[:stop], start, *order[stop:]))


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


def merged(x: Node, axes: tuple[int, ...]) -> Node:
    """The array with `axes` moved to the end and made into one."""
    rest = tuple(a for a in range(x.type.rank) if a not in axes)
    moved = transpose(x, (*rest, *axes))
    return reshape(moved, (*(x.shape[a] for a in rest), product(tuple(x.shape[a] for a in axes))))


def unmerged(x: Node, axes: tuple[int, ...], like: Node) -> Node:
    """The inverse of `merged`: the last axis split and put back, as in `like`."""
    rest = tuple(a for a in range(like.type.rank) if a not in axes)
    order = (*rest, *axes)
    moved = reshape(x, tuple(like.shape[a] for a in order))
    return transpose(moved, tuple(order.index(a) for a in range(len(order))))


# --- products ---


def matmul(a: Node, b: Node) -> Node:
    return make(REGISTRY["matmul"], [a, b])


def outer(a: Node, b: Node) -> Node:
    return make(REGISTRY["outer"], [a, b])


# --- indexing ---


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


# --- creation ---


def checked(shape: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """The shape of a new array, if that is not too large."""
    total = 1
    for dim in shape:
        total *= dim if isinstance(dim, int) else 1
    if total > MAX_ELEMENTS:
        raise LimitError("G003", f"an array of {total:,} elements is over the limit of 2**31")
    return shape


def zeros(shape: tuple[Dim, ...], dtype: str = "float64") -> Node:
    if not shape:
        return const_node(0, dtype)
    return make(REGISTRY["zeros"], [], shape=checked(shape), dtype=dtype)


def ones(shape: tuple[Dim, ...], dtype: str = "float64") -> Node:
    if not shape:
        return const_node(1, dtype)
    return make(REGISTRY["ones"], [], shape=checked(shape), dtype=dtype)


def arange(n: Dim, dtype: str = "int64") -> Node:
    checked((n,))
    return make(REGISTRY["arange"], [], n=n, dtype=dtype)


def eye(n: Dim, m: Dim, dtype: str = "float64") -> Node:
    checked((n, m))
    return make(REGISTRY["eye"], [], n=n, m=m, dtype=dtype)


def full_like(value: Number, type: TensorType) -> Node:
    """A constant spread over a shape."""
    return broadcast_to(const_node(value, type.dtype), type.shape)
