"""Norms of vectors and matrices, and condition numbers.

    linalg.norm(x)                    the root of the sum of squares of all elements
    linalg.norm(A, ord=1, axis=...)   NumPy's orders, over one axis or two

Every norm has the derivative 0 at 0: the smallest subgradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from graphc.errors import ShapeError, UnsupportedError
from graphc.expr import build
from graphc.expr.arguments import Value, axes_of, axis_number, describe, flag, node
from graphc.expr.linear_algebra import floating, inv, svdvals
from graphc.ir.node import Node
from graphc.ir.types import show_shape

Axes = tuple[int, ...]


def norm(x: Value, ord: Value = None, axis: Value = None, keepdims: Value = False) -> Node:
    """The norm of vectors (one axis) or matrices (two axes): ord 2, 1, inf, -inf, 0, any number, fro, nuc."""
    array, keep = floating(node(x)), flag(keepdims, "keepdims")
    axes = _given(axis, array.type.rank)
    if ord is None:
        return _euclidean(array, axes, keep)
    if len(axes) == 1:
        return _vector(array, ord, axes, keep)
    if len(axes) == 2:
        return _matrix(array, ord, axes, keep)
    raise ShapeError(
        "G022", f"a norm of order {_shown(ord)} is over one axis or two, not {len(axes)}", hint="say which: axis=-1"
    )


def vector_norm(x: Value, *, axis: Value = None, keepdims: Value = False, ord: Value = 2) -> Node:
    """The norm of the elements over any axes, as those of one vector."""
    array, keep = floating(node(x)), flag(keepdims, "keepdims")
    return _vector(array, ord, axes_of(axis, array.type.rank), keep)


def matrix_norm(x: Value, *, keepdims: Value = False, ord: Value = "fro") -> Node:
    """The norm of matrices, which are the last two axes."""
    array = floating(node(x))
    rank = array.type.rank
    if rank < 2:
        raise ShapeError("G021", f"`matrix_norm` needs a matrix, and was given {show_shape(array.shape)}")
    return _matrix(array, ord, (rank - 2, rank - 1), flag(keepdims, "keepdims"))


def cond(x: Value, p: Value = None) -> Node:
    """The condition number: the largest singular value over the smallest, or norm(x, p) norm(inv(x), p)."""
    array = floating(node(x))
    if p is None or p in (2, -2):
        values = svdvals(array)
        largest, smallest = (build.reduce(name, values, (values.type.rank - 1,)) for name in ("max", "min"))
        return build.divide(smallest, largest) if p == -2 else build.divide(largest, smallest)
    axes = (array.type.rank - 2, array.type.rank - 1)
    return build.multiply(_matrix(array, p, axes, False), _matrix(inv(array), p, axes, False))


def _given(axis: Value, rank: int) -> Axes:
    """The axes as the caller ordered them: a matrix norm tells rows from columns."""
    if axis is None:
        return tuple(range(rank))
    axes_of(axis, rank)
    return tuple(axis_number(a, rank) for a in (axis if isinstance(axis, (tuple, list)) else (axis,)))


def _shown(ord: Value) -> str:
    return str(ord)[:20] if isinstance(ord, (str, int, float)) else describe(ord)


def _unknown(ord: Value, kind: str) -> UnsupportedError:
    return UnsupportedError(
        "G040",
        f"a norm of {kind} has no order {_shown(ord)}",
        hint="the orders are fro, nuc, 1, -1, 2, -2, inf and -inf" if kind == "matrices" else "the order is a number",
    )


def _euclidean(x: Node, axes: Axes, keep: bool) -> Node:
    axes = tuple(sorted(axes))
    return build.reduce("norm", x, axes, keep) if axes else build.apply("absolute", x)


# --- vectors ---


def _vector(x: Node, ord: Value, axes: Axes, keep: bool) -> Node:
    if isinstance(ord, bool) or not isinstance(ord, (int, float)):
        raise _unknown(ord, "vectors")
    if ord == 2:
        return _euclidean(x, axes, keep)
    axes = tuple(sorted(axes))
    if ord == 0:
        return build.reduce("sum", build.astype(build.apply("not_equal", x, 0), x.type.dtype), axes, keep)
    size = build.apply("absolute", x)
    if math.isinf(ord):
        return build.reduce("max" if ord > 0 else "min", size, axes, keep)
    return build.reduce("sum", size, axes, keep) if ord == 1 else _power_sum(x, size, float(ord), axes, keep)


def _power_sum(x: Node, size: Node, p: float, axes: Axes, keep: bool) -> Node:
    """sum(|x|**p)**(1 / p), with masks where a slope is infinite: at 0 for p < 1, and at the sum 0."""
    powers = build.power(size, p)
    if 0 < p < 1:
        zero = build.equal(x, 0)
        powers = build.where(zero, 0, build.power(build.where(zero, 1, size), p))
    total = build.reduce("sum", powers, axes, keep)
    none = build.equal(total, 0)
    root = build.power(build.where(none, 1, total), 1.0 / p)
    return build.where(none, 0, root) if p > 0 else build.power(total, 1.0 / p)


# --- matrices ---


def _matrix(x: Node, ord: Value, axes: Axes, keep: bool) -> Node:
    if ord == "fro":
        return _euclidean(x, axes, keep)
    spectral = _SPECTRAL.get(ord) if isinstance(ord, (int, float, str)) and not isinstance(ord, bool) else None
    if spectral is not None:
        return _of_singular_values(spectral, x, axes, keep)
    if isinstance(ord, bool) or ord not in (1, -1, math.inf, -math.inf):
        raise _unknown(ord, "matrices")
    rows, columns = axes
    summed, kept = (rows, columns) if abs(ord) == 1 else (columns, rows)
    totals = build.reduce("sum", build.apply("absolute", x), (summed,), True)
    result = build.reduce("max" if ord > 0 else "min", totals, (kept,), True)
    return result if keep else build.squeeze(result, tuple(sorted(axes)))


_SPECTRAL: dict[Any, str] = {2: "max", -2: "min", "nuc": "sum"}


def _of_singular_values(name: str, x: Node, axes: Axes, keep: bool) -> Node:
    rank = x.type.rank
    order = (*(a for a in range(rank) if a not in axes), *axes)
    result = build.reduce(name, svdvals(build.transpose(x, order)), (rank - 2,))
    return build.expand_dims(result, tuple(sorted(axes))) if keep else result


TABLE: dict[str, Callable[..., Any]] = {
    "linalg.norm": norm,
    "linalg.vector_norm": vector_norm,
    "linalg.matrix_norm": matrix_norm,
    "linalg.cond": cond,
}
