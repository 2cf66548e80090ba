"""Running totals along one axis: each result depends on the elements up to its own.

    x = [x0, x1, x2]     cumsum   [x0, x0 + x1, x0 + x1 + x2]      cumprod   [x0, x0 x1, x0 x1 x2]

The adjoint of a running sum runs from the other end. That of a running product never divides, so
that zeros are fine: with b[i] the product of the elements before i,

    dx[i] = b[i] * r[i],    r[i] = dy[i] + x[i + 1] * r[i + 1],

a linear recurrence, whose own adjoint is the recurrence from the other end. So every derivative here
is written in the ops of this file, and derivatives of any order exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.errors import ShapeError
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Helper, Op
from graphc.ir.types import TensorType, promote, show_shape
from graphc.ops import exactness


def _total(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return types[0] if types[0].is_float else types[0].with_dtype("int64")


def _floating(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return types[0] if types[0].is_float else types[0].with_dtype("float64")


def _same(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return types[0]


def _pair(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    factor, x = types
    if factor.shape != x.shape:
        raise ShapeError("G021", f"a recurrence of {show_shape(x.shape)} has factors {show_shape(factor.shape)}")
    return x.with_dtype(promote(factor.dtype, x.dtype))


def _call(start: str) -> Callable[[Sequence[TensorType], Attrs], str]:
    """`np.f(x, axis=axis)` for "np.f(x, ": a vector has one axis, which is not written."""
    return lambda types, attrs: f"{start}axis=axis)" if types[0].rank > 1 else f"{start.removesuffix(', ')})"


def _cumsum(e: Any, node: Node, ct: Node, i: int) -> Node:
    axis = node["axis"]
    return e.flip(e.apply("cumsum", e.flip(ct, axis), axis=axis), axis)  # type: ignore[no-any-return]


def _cumprod(e: Any, node: Node, ct: Node, i: int) -> Node:
    x, axis = node.args[0], node["axis"]
    before = e.shift(node, axis, 1, 1.0)
    rest = e.recurrence(e.shift(x, axis, -1), ct, axis, reverse=True)
    return e.multiply(before, rest)  # type: ignore[no-any-return]


def _extreme(e: Any, node: Node, ct: Node, i: int) -> Node:
    """Each running maximum shares its cotangent among the k elements so far that are equal to it.

    Elements with the same running maximum stand side by side: within such a run, k counts from the
    left, and the shares of the cotangent add up from the right.
    """
    x, axis, dtype = node.args[0], node["axis"], ct.type.dtype
    ties = e.astype(e.equal(x, node), dtype)
    goes_on = e.astype(e.equal(node, e.shift(node, axis, 1)), dtype)
    k = e.apply("maximum", e.recurrence(goes_on, ties, axis), 1)
    shares = e.recurrence(e.shift(goes_on, axis, -1), e.divide(ct, k), axis, reverse=True)
    return e.multiply(ties, shares)  # type: ignore[no-any-return]


def _cumlogsumexp(e: Any, node: Node, ct: Node, i: int) -> Node:
    """y[i] = logaddexp(y[i - 1], x[i]): its two slopes are sigmoids of the difference, and the first x is y itself."""
    x, axis = node.args[0], node["axis"]
    gap = e.excess(e.shift(x, axis, -1), node)
    onward = e.apply("sigmoid", e.negative(gap))
    into = e.shift(e.apply("sigmoid", gap), axis, 1, 1.0)
    return e.multiply(into, e.recurrence(onward, ct, axis, reverse=True))  # type: ignore[no-any-return]


def _recurrence(e: Any, node: Node, ct: Node, i: int) -> Node:
    factor, axis, reverse = node.args[0], node["axis"], node["reverse"]
    back = 1 if reverse else -1
    dx = e.recurrence(e.shift(factor, axis, back), ct, axis, reverse=not reverse)
    return dx if i == 1 else e.multiply(dx, e.shift(node, axis, -back))  # type: ignore[no-any-return]


def _shift(e: Any, node: Node, ct: Node, i: int) -> Node:
    return e.shift(ct, node["axis"], -node["by"])  # type: ignore[no-any-return]


_RECURRENCE = Helper(
    "_recurrence",
    array='''def _recurrence(factor: Array, x: Array, axis: int, reverse: bool = False) -> Array:
    """y[i] = x[i] + factor[i] * y[i - 1] along `axis`, or from its other end."""
    a, y = np.moveaxis(factor, axis, 0), np.moveaxis(x.copy(), axis, 0)
    before = 1 if reverse else -1
    for i in range(len(y) - 2, -1, -1) if reverse else range(1, len(y)):
        y[i] += a[i] * y[i + before]
    return np.moveaxis(y, 0, axis)
''',
)
_SHIFT = Helper(
    "_shift",
    array='''def _shift(x: Array, axis: int, by: int, fill: float = 0.0) -> Array:
    """x moved by one place along `axis`: to the right (1) or to the left (-1)."""
    old, new = np.moveaxis(x, axis, 0), np.moveaxis(np.full_like(x, fill), axis, 0)
    new[max(by, 0) : len(new) + min(by, 0)] = old[max(-by, 0) : len(old) - max(by, 0)]
    return np.moveaxis(new, 0, axis)
''',
)


def _scan(
    name: str, infer: Any, numpy: str, spelling: str, adjoint: Any, doc: str, formula: str, label: str, **extra: Any
) -> Op:
    return Op(
        name,
        ("x",),
        infer,
        _call(numpy),
        doc,
        attrs=("axis",),
        spelling=_call(spelling),
        adjoint=adjoint,
        formula=formula,
        label=label,
        **extra,
    )


OPS: list[Op] = [
    _scan(
        "cumsum",
        _total,
        "x.cumsum(",
        "cumsum(x, ",
        _cumsum,
        "Running sums along an axis.",
        "dx = the running sums of dy from the other end",
        "totals",
        traits=frozenset({"linear"}),
        cost=1.5,
        exactness=exactness.SUM,
    ),
    _scan(
        "cumprod",
        _total,
        "x.cumprod(",
        "cumprod(x, ",
        _cumprod,
        "Running products along an axis.",
        "dx[i] = y[i - 1] * r[i], r[i] = dy[i] + x[i + 1] * r[i + 1]",
        "products",
        cost=1.5,
        exactness=exactness.PRODUCT,
        conventions="with zeros the products of the others: nothing is divided",
    ),
    _scan(
        "cummax",
        _same,
        "np.maximum.accumulate(x, ",
        "maximum_accumulate(x, ",
        _extreme,
        "Running maxima along an axis.",
        "to the largest so far",
        "tops",
        cost=1.5,
        conventions="1/k each for k ties so far",
    ),
    _scan(
        "cummin",
        _same,
        "np.minimum.accumulate(x, ",
        "minimum_accumulate(x, ",
        _extreme,
        "Running minima along an axis.",
        "to the smallest so far",
        "lows",
        cost=1.5,
        conventions="1/k each for k ties so far",
    ),
    _scan(
        "cumlogsumexp",
        _floating,
        "np.logaddexp.accumulate(x, ",
        "logaddexp_accumulate(x, ",
        _cumlogsumexp,
        "Running log(sum(exp(x))) along an axis, without overflow.",
        "dx[i] = s(x[i] - y[i - 1]) * r[i], r[i] = dy[i] + s(y[i] - x[i + 1]) * r[i + 1], s the sigmoid",
        "levels",
        cost=15.0,
        exactness=exactness.LOGSUMEXP,
        conventions="-inf of nothing but -inf, with slope 1/2 for it and for what was before",
    ),
    Op(
        "recurrence",
        ("factor", "x"),
        _pair,
        lambda types, attrs: f"_recurrence(factor, x, axis{', reverse=True' if attrs['reverse'] else ''})",
        "y[i] = x[i] + factor[i] * y[i - 1] along an axis.",
        attrs=("axis", "reverse"),
        helpers=(_RECURRENCE,),
        adjoint=_recurrence,
        cost=20.0,
        formula="dx = the recurrence of dy from the other end, dfactor[i] = dx[i] * y[i - 1]",
        label="rest",
        exactness=exactness.RECURRENCE,
    ),
    Op(
        "shift",
        ("x",),
        _same,
        lambda types, attrs: f"_shift(x, axis, by=by{', fill=fill' if attrs['fill'] else ''})",
        "The elements moved by one place along an axis, `fill` in the gap.",
        attrs=("axis", "by", "fill"),
        helpers=(_SHIFT,),
        adjoint=_shift,
        cost=0.5,
        formula="dx = dy moved the other way",
        label="moved",
    ),
]
