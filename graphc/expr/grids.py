"""Points in a row and grids of them.

    linspace(0, 1, n)       meshgrid(x, y)      indices((2, 3))      ix_(rows, columns)

Points between numbers are constants of the generated file; between values they have gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import DtypeError, ShapeError
from graphc.expr import build
from graphc.expr.arguments import Value, axis_number, describe, dim, dtype_of, flag, node, nodes, shape_of
from graphc.expr.elementwise import applied
from graphc.expr.subscript import assign
from graphc.ir.dims import Dim, Size
from graphc.ir.leaf import const_node, size_node
from graphc.ir.node import Node
from graphc.ir.types import broadcast, promote

MAX_WRITTEN = 4096  # points that are written out as numbers; more of them are computed

# --- points in a row ---


def linspace(
    start: Value,
    stop: Value,
    num: Value = 50,
    endpoint: Value = True,
    retstep: Value = False,
    dtype: Value = None,
    axis: Value = 0,
) -> Any:
    """`num` equally spaced points from `start` to `stop`, which is left out if not `endpoint`."""
    count, closed, kind = dim(num), flag(endpoint, "endpoint"), dtype_of(dtype, "float64")
    if _plain(start, stop) and isinstance(count, int) and count <= MAX_WRITTEN:
        known, distance = np.linspace(start, stop, count, closed, retstep=True)
        fixed = const_node(known, kind)
        return (fixed, const_node(distance, "float64")) if flag(retstep, "retstep") else fixed
    first, last = (_floating(v) for v in nodes((start, stop)))
    gap = build.divide(build.subtract(last, first), size_node(count - 1 if closed else count, last.type.dtype, least=1))
    points = _points(first, last, gap, count, closed)
    place = axis_number(axis, points.type.rank)
    order = (*range(1, place + 1), 0, *range(place + 1, points.type.rank))
    moved = build.astype(build.transpose(points, order), dtype_of(dtype, points.type.dtype))
    return (moved, gap) if flag(retstep, "retstep") else moved


def _points(first: Node, last: Node, gap: Node, count: Dim, closed: bool) -> Node:
    """first + k * gap along a new first axis; of a known number the last one is `last`, to the bit."""
    dtype = promote(first.type.dtype, last.type.dtype)
    k = build.arange(count, dtype)
    column = build.expand_dims(k, tuple(range(1, gap.type.rank + 1)))
    points = build.add(build.multiply(column, gap), first)
    exact = closed and isinstance(count, int) and count > 1
    return assign(points, [-1], last) if exact else points


def _plain(*values: Value) -> bool:
    return all(type(v) in (int, float) for v in values)


def _floating(x: Node) -> Node:
    return x if x.type.is_float else build.astype(x, "float64")


def logspace(
    start: Value, stop: Value, num: Value = 50, endpoint: Value = True, base: Value = 10.0, dtype: Value = None
) -> Node:
    """base**start to base**stop, the exponents equally spaced."""
    exponents = linspace(start, stop, num, endpoint)
    if _plain(start, stop, base) and isinstance(num, int) and num <= MAX_WRITTEN:
        return const_node(np.logspace(start, stop, num, endpoint, base), dtype_of(dtype, "float64"))
    powers = applied("power", base, exponents)
    return build.astype(powers, dtype_of(dtype, powers.type.dtype))


def geomspace(start: Value, stop: Value, num: Value = 50, endpoint: Value = True, dtype: Value = None) -> Node:
    """`num` points, each the same multiple of the one before; of values, both are positive."""
    count = dim(num)
    if _plain(start, stop) and not isinstance(count, Size):
        if start * stop <= 0:
            raise ShapeError("G023", "geomspace goes from a number to one of the same sign, neither of them 0")
        if count <= MAX_WRITTEN:
            return const_node(np.geomspace(start, stop, count, flag(endpoint, "endpoint")), dtype_of(dtype, "float64"))
        if start < 0:
            return build.negative(geomspace(-start, -stop, num, endpoint, dtype))
    first, last = (_floating(v) for v in nodes((start, stop)))
    points: Node = applied("exp", linspace(applied("log", first), applied("log", last), num, endpoint))
    return build.astype(points, dtype_of(dtype, points.type.dtype))


# --- grids ---


def meshgrid(*xi: Value, indexing: Value = "xy", sparse: Value = False) -> tuple[Node, ...]:
    """Coordinates of a grid, one array for each vector; with "xy" the first one varies along the second axis."""
    if indexing not in ("xy", "ij"):
        raise DtypeError("G030", f'`indexing` is "xy" or "ij", not {describe(indexing)}')
    vectors = [build.reshape(v, (v.type.size,)) for v in map(node, xi)]
    rank = len(vectors)
    order = [1, 0, *range(2, rank)] if indexing == "xy" and rank > 1 else list(range(rank))
    thin = [build.reshape(v, _along(order[k], rank, v.shape[0])) for k, v in enumerate(vectors)]
    if flag(sparse, "sparse") or not thin:
        return tuple(thin)
    shape = broadcast(*(v.shape for v in thin))
    return tuple(build.broadcast_to(v, shape) for v in thin)


def _along(axis: int, rank: int, size: Dim) -> tuple[Dim, ...]:
    return (*[1] * axis, size, *[1] * (rank - axis - 1))


def indices(dimensions: Value, dtype: Value = None, sparse: Value = False) -> Any:
    """The index of every element: for each axis an array of the shape `dimensions`."""
    shape, kind = shape_of(dimensions), dtype_of(dtype, "int64")
    thin = [build.reshape(build.arange(d, kind), _along(k, len(shape), d)) for k, d in enumerate(shape)]
    if flag(sparse, "sparse"):
        return tuple(thin)
    return build.joined("stack", [build.broadcast_to(t, shape) for t in thin], 0)


def ix_(*args: Value) -> tuple[Node, ...]:
    """Index arrays that together address rows and columns: x[ix_([0, 2], [1, 3])]."""
    vectors = [node(a) for a in args]
    for v in vectors:
        if v.type.rank != 1 or v.type.dtype not in ("int64", "int32"):
            raise DtypeError("G030", f"ix_ takes vectors of integers, not {v.type}")
    return tuple(build.reshape(v, _along(k, len(vectors), v.shape[0])) for k, v in enumerate(vectors))


def ravel_multi_index(multi_index: Value, dims: Value) -> Node:
    """Positions in the flattened array, from one index array for each axis."""
    shape = shape_of(dims)
    if not isinstance(multi_index, (tuple, list)) or len(multi_index) != len(shape):
        raise ShapeError("G021", "ravel_multi_index takes one index array for each size")
    total: Any = 0
    for index, size in zip(nodes(multi_index), shape, strict=True):
        scaled = build.multiply(size_node(size), total) if isinstance(total, Node) else total
        total = build.add(scaled, index) if isinstance(scaled, Node) else build.astype(index, "int64")
    return node(total)


# --- ranks ---


def broadcast_arrays(*args: Value) -> tuple[Node, ...]:
    """The arrays, each repeated to the shape that they have together."""
    given = [node(a) for a in args]
    shape = broadcast(*(g.shape for g in given)) if given else ()
    return tuple(build.broadcast_to(g, shape) for g in given)


def _at_least(rank: int) -> Callable[..., Any]:
    def call(x: Value, *more: Value) -> Any:
        raised = tuple(_raised(node(a), rank) for a in (x, *more))
        return raised[0] if len(raised) == 1 else raised

    call.__doc__ = f"The arrays with at least {rank} {'axis' if rank == 1 else 'axes'}: new ones have size 1."
    return call


def _raised(x: Node, rank: int) -> Node:
    missing = max(0, rank - x.type.rank)
    if rank == 3 and x.type.rank in (1, 2):  # (n,) is (1, n, 1), (n, m) is (n, m, 1)
        return build.expand_dims(x, (0, 2) if x.type.rank == 1 else (2,))
    return build.expand_dims(x, tuple(range(missing)))


def rollaxis(a: Value, axis: Value, start: Value = 0) -> Node:
    """One axis moved back until it lies before the axis `start`."""
    array = node(a)
    rank = array.type.rank
    place = axis_number(axis, rank)
    if isinstance(start, bool) or not isinstance(start, int) or not -rank <= start <= rank:
        raise ShapeError("G022", f"`start` is from {-rank} to {rank}, not {describe(start)}")
    target = start + rank if start < 0 else start
    order = [a for a in range(rank) if a != place]
    order.insert(target - (place < target), place)
    return build.transpose(array, tuple(order))


TABLE: dict[str, Callable[..., Any]] = {
    "linspace": linspace,
    "logspace": logspace,
    "geomspace": geomspace,
    "meshgrid": meshgrid,
    "indices": indices,
    "ix_": ix_,
    "ravel_multi_index": ravel_multi_index,
    "broadcast_arrays": broadcast_arrays,
    "atleast_1d": _at_least(1),
    "atleast_2d": _at_least(2),
    "atleast_3d": _at_least(3),
    "rollaxis": rollaxis,
}
