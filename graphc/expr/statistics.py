"""Averages, covariances and the like, written in reductions and products.

average(x, weights=w)   sum(x * w) / sum(w)
cov(X)                  d @ d.T / (n - 1),  d = X - mean(X, axis=1, keepdims=True)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from graphc.errors import ShapeError
from graphc.expr import build, reductions
from graphc.expr.arguments import Value, axes_of, axis_number, flag, node, nodes, whole_number
from graphc.expr.reductions import floating, total
from graphc.ir.dims import Dim, product
from graphc.ir.leaf import size_node
from graphc.ir.node import Node
from graphc.ir.types import show_shape


def ptp(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """The range over axes: maximum less minimum."""
    top = reductions.max_(x, axis, keepdims=keepdims)
    return build.subtract(top, reductions.min_(x, axis, keepdims=keepdims))


def average(
    x: Value, axis: Value = None, weights: Value = None, returned: Value = False, *, keepdims: Value = False
) -> Node | tuple[Node, Node]:
    """Weighted mean over axes; with returned=True also the sum of the weights, in the shape of the mean."""
    array, keep = floating(node(x)), flag(keepdims, "keepdims")
    axes = axes_of(axis, array.type.rank)
    if weights is None:
        made = reductions.mean(array, axis, keepdims=keepdims)
        number = size_node(product(tuple(array.shape[a] for a in axes)), made.type.dtype)
    else:
        given = _weights(floating(nodes((array, weights))[1]), array, axis)
        number = total(build.broadcast_to(given, array.shape), axes, keep)
        made = build.divide(total(build.multiply(array, given), axes, keep), number)
    return (made, build.broadcast_to(number, made.shape)) if flag(returned, "returned") else made


def _weights(weights: Node, x: Node, axis: Value) -> Node:
    """Weights of the shape of `x`, or of its averaged axes in the order in which `axis` names them."""
    if weights.shape == x.shape:
        return weights
    if axis is None:
        raise ShapeError(
            "G021",
            f"weights {show_shape(weights.shape)} for an array {show_shape(x.shape)} need an axis",
            hint="say along which axis they run: average(x, axis=0, weights=w)",
        ).between(*_differing(weights.shape, x.shape))
    order = [axis_number(a, x.type.rank) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    wanted = tuple(x.shape[a] for a in order)
    if weights.shape != wanted:
        raise ShapeError(
            "G021", f"weights {show_shape(weights.shape)} do not fit {show_shape(x.shape)} along {axis}"
        ).between(*_differing(weights.shape, wanted))
    sorted_ = build.transpose(weights, tuple(order.index(a) for a in sorted(order)))
    return build.expand_dims(sorted_, tuple(a for a in range(x.type.rank) if a not in order))


def _differing(one: tuple[Dim, ...], other: tuple[Dim, ...]) -> tuple[Dim, Dim]:
    """The first two sizes that differ."""
    return next(((a, b) for a, b in zip(one, other, strict=False) if a != b), (0, 0))


class _Deviations(NamedTuple):
    """Variables in rows, about their means; what they are multiplied with; what is divided by."""

    rows: Node
    weighted: Node
    number: Node


def cov(
    m: Value,
    y: Value = None,
    rowvar: Value = True,
    bias: Value = False,
    ddof: Value = None,
    fweights: Value = None,
    aweights: Value = None,
) -> Node:
    """Covariance matrix of variables in rows (rowvar=True) or columns, divided by n - 1, or n with bias=True."""
    less = (0 if flag(bias, "bias") else 1) if ddof is None else whole_number(ddof, "ddof")
    d = _deviations(_variables(m, y, flag(rowvar, "rowvar")), less, fweights, aweights)
    return _squeezed(build.divide(build.matmul(d.rows, build.swap(d.weighted)), d.number))


def corrcoef(x: Value, y: Value = None, rowvar: Value = True) -> Node:
    """Correlation matrix of variables in rows (rowvar=True) or columns; NaN where a variable is constant."""
    rows = _deviations(_variables(x, y, flag(rowvar, "rowvar")), 0, None, None).rows
    lengths = build.apply("sqrt", total(build.apply("square", rows), (1,), True))
    units = build.divide(rows, lengths)
    return build.clip(_squeezed(build.matmul(units, build.swap(units))), -1.0, 1.0)


def _variables(m: Value, y: Value, rowvar: bool) -> Node:
    """One variable a row."""
    first = floating(node(m))
    parts = [first] if y is None else [first, floating(nodes((first, y))[1])]
    if any(p.type.rank > 2 for p in parts):
        raise ShapeError("G021", "variables are the rows of a matrix, or one vector")
    rows = [build.swap(p) if p.type.rank == 2 and not rowvar else _row(p) for p in parts]
    return rows[0] if len(rows) == 1 else build.joined("concatenate", rows, 0)


def _row(x: Node) -> Node:
    return build.reshape(x, (1,) * (2 - x.type.rank) + x.shape)


def _deviations(x: Node, ddof: int, fweights: Value, aweights: Value) -> _Deviations:
    dtype = x.type.dtype
    arrays = [nodes((x, w))[1] for w in (fweights, aweights) if w is not None]
    given = [w if w.type.is_float else build.astype(w, dtype) for w in arrays]
    if not given:
        rows = build.subtract(x, build.reduce("mean", x, (1,), True))
        return _Deviations(rows, rows, size_node(x.shape[1] - ddof, dtype))
    for w in given:
        if w.shape != x.shape[1:]:
            raise ShapeError("G021", f"weights {show_shape(w.shape)} of {show_shape(x.shape[1:])} observations")
    w = given[0] if len(given) == 1 else build.multiply(*given)
    number = total(w, (0,))
    means = build.divide(total(build.multiply(x, w), (1,), True), number)
    rows = build.subtract(x, means)
    less = build.literal(ddof, [dtype])
    if aweights is not None and ddof:
        less = build.divide(build.multiply(ddof, total(build.multiply(w, given[-1]), (0,))), number)
    return _Deviations(rows, build.multiply(rows, w), build.subtract(number, less) if ddof else number)


def _squeezed(x: Node) -> Node:
    return build.squeeze(x, tuple(i for i, d in enumerate(x.shape) if d == 1))


TABLE: dict[str, Callable[..., Any]] = {
    "ptp": ptp,
    "average": average,
    "cov": cov,
    "corrcoef": corrcoef,
}
