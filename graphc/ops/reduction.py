"""Reductions: axes go away, or stay with size 1 (`keepdims`).

The adjoint of a sum spreads the cotangent over the summed axes; a maximum shares it among ties.
Softmax and its kin are here because they normalise over axes (Bishop, "Pattern Recognition and
Machine Learning", section 4.3.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import DtypeError
from graphc.ir.dims import Dim, product
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Helper, Op
from graphc.ir.types import TensorType
from graphc.ops import exactness

_REDUCTION = frozenset({"reduction"})


def reduced_shape(shape: tuple[Dim, ...], axes: Sequence[int], keepdims: bool) -> tuple[Dim, ...]:
    if keepdims:
        return tuple(1 if i in axes else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in axes)


def _like(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return types[0].with_shape(reduced_shape(types[0].shape, attrs["axes"], attrs["keepdims"]))


def _total(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    result = _like(types, attrs)
    return result if result.is_float else result.with_dtype("int64")


def _floating(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    result = _like(types, attrs)
    return result if result.is_float else result.with_dtype("float64")


def _same(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return types[0] if types[0].is_float else types[0].with_dtype("float64")


def _boolean(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    if types[0].dtype != "bool":
        raise DtypeError("G030", f"this needs booleans, and was given {types[0]}", hint="compare first: any(x > 0)")
    return _like(types, attrs)


def options(types: Sequence[TensorType], attrs: Attrs, *, whole: bool = False) -> str:
    """`axis=1, keepdims=True`, without what is the default."""
    axes = attrs["axes"]
    parts = []
    if len(axes) < types[0].rank or whole:
        parts.append(f"axis={axes[0] if len(axes) == 1 else axes}")
    if attrs.get("keepdims"):
        parts.append("keepdims=True")
    if attrs.get("ddof"):
        parts.append(f"ddof={attrs['ddof']}")
    return ", ".join(parts)


def _call(name: str, method: bool) -> Any:
    def text(types: Sequence[TensorType], attrs: Attrs) -> str:
        inside = options(types, attrs)
        return f"x.{name}({inside})" if method else f"{name}(x{', ' if inside else ''}{inside})"

    return text


def _truth(name: str) -> Any:
    """A single truth value is Python's bool: NumPy's is none for a type checker."""
    call = _call(name, method=True)
    return lambda types, attrs: f"bool({call(types, attrs)})" if not _like(types, attrs).rank else call(types, attrs)


def _some(types: Sequence[TensorType], attrs: Attrs) -> list[tuple[Dim, int]]:
    """A maximum needs an element."""
    return [(product(tuple(types[0].shape[a] for a in attrs["axes"])), 1)]


def _sum(e: Any, node: Node, ct: Node, i: int) -> Node:
    return e.spread(ct, node)  # type: ignore[no-any-return]


def _mean(e: Any, node: Node, ct: Node, i: int) -> Node:
    return e.spread(e.divide(ct, e.count(node, ct.type.dtype)), node)  # type: ignore[no-any-return]


def _extreme(e: Any, node: Node, ct: Node, i: int) -> Node:
    x = node.args[0]
    ties = e.equal(x, e.unreduced(node, node))
    number = e.astype(e.reduce("sum", ties, node["axes"], True), ct.type.dtype)
    return e.where(ties, e.divide(e.unreduced(ct, node), number), 0)  # type: ignore[no-any-return]


def _prod(e: Any, node: Node, ct: Node, i: int) -> Node:
    others = e.reduce("prod_of_others", node.args[0], node["axes"])
    return e.multiply(e.unreduced(ct, node), others)  # type: ignore[no-any-return]


def _prod_of_others(e: Any, node: Node, ct: Node, i: int) -> Node:
    """The product of the others is that before an element times that after it; each is a running product.

    The adjoint of b[i] = x[0] ... x[i - 1] is b[i] * s[i], s[i] = t[i + 1], t[i] = ct[i] + x[i] t[i + 1].
    """
    axes = node["axes"]
    x, line = e.merged(node.args[0], axes), e.merged(ct, axes)
    last = x.type.rank - 1
    before = e.shift(e.apply("cumprod", x, axis=last), last, 1, 1.0)
    after = e.flip(e.shift(e.apply("cumprod", e.flip(x, last), axis=last), last, 1, 1.0), last)
    later = e.shift(e.recurrence(x, e.multiply(line, after), last, reverse=True), last, -1)
    earlier = e.shift(e.recurrence(x, e.multiply(line, before), last), last, 1)
    total = e.add(e.multiply(before, later), e.multiply(after, earlier))
    return e.unmerged(total, axes, node)  # type: ignore[no-any-return]


def _top(e: Any, node: Node, ct: Node, i: int) -> Node:
    """That of the maximum, and 0 where it is infinite."""
    peak = e.reduce("max", node.args[0], node["axes"], True)
    return _extreme(e, peak, e.where(e.equal(peak, node), ct, 0), i)


def _var(e: Any, node: Node, ct: Node, i: int) -> Node:
    x = node.args[0]
    deviation = e.subtract(x, e.reduce("mean", x, node["axes"], True))
    scale = e.divide(e.multiply(2, ct), e.count(node, ct.type.dtype, node["ddof"]))
    return e.multiply(e.unreduced(scale, node), deviation)  # type: ignore[no-any-return]


def _std(e: Any, node: Node, ct: Node, i: int) -> Node:
    x = node.args[0]
    deviation = e.subtract(x, e.reduce("mean", x, node["axes"], True))
    scale = e.divide(ct, e.multiply(e.count(node, ct.type.dtype, node["ddof"]), node))
    return e.multiply(e.unreduced(e.where(e.equal(node, 0), 0, scale), node), deviation)  # type: ignore[no-any-return]


def _logsumexp(e: Any, node: Node, ct: Node, i: int) -> Node:
    p = e.reduce("softmax", node.args[0], node["axes"])
    return e.multiply(e.unreduced(ct, node), p)  # type: ignore[no-any-return]


def _softmax(e: Any, node: Node, ct: Node, i: int) -> Node:
    inner = e.reduce("sum", e.multiply(ct, node), node["axes"], True)
    return e.multiply(node, e.subtract(ct, inner))  # type: ignore[no-any-return]


def _log_softmax(e: Any, node: Node, ct: Node, i: int) -> Node:
    p = e.reduce("softmax", node.args[0], node["axes"])
    return e.subtract(ct, e.multiply(p, e.reduce("sum", ct, node["axes"], True)))  # type: ignore[no-any-return]


_TOP = '''def _top(x: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """The maximum over `axis`, kept as an axis of size 1; 0 where it is infinite."""
    top: Array = x.max(axis=axis, keepdims=True)
    return np.where(np.isfinite(top), top, np.zeros_like(top))
'''
_TOP_HELPER = Helper("_top", array=_TOP)
_OVERSHOOT = '''def _overshoot(x: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """How far the maximum is beyond what exp takes, kept at size 1; 0 if it is not."""
    top = _top(x, axis)
    limit = 80.0 if x.dtype == np.float32 else 700.0
    overshoot: Array = top - np.clip(top, -limit, limit)
    return overshoot
'''
_OVERSHOOT_HELPER = Helper("_overshoot", array=_OVERSHOOT)
_LOGSUMEXP = Helper(
    "_logsumexp",
    array='''def _logsumexp(
    x: Array, axis: int | tuple[int, ...] | None = None, keepdims: bool = False
) -> Array:
    """log(sum(exp(x))) over `axis`, without overflow."""
    top = _top(x, axis)
    total = np.exp(x - top).sum(axis=axis, keepdims=True)
    with np.errstate(divide="ignore"):  # log(0) is -inf: every x was
        out: Array = np.log(total) + top
    return out if keepdims else out.squeeze(axis)
''',
)
_SOFTMAX = Helper(
    "_softmax",
    array='''def _softmax(x: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """exp(x) / sum(exp(x)) over `axis`, without overflow."""
    p: Array = np.exp(x - _top(x, axis))
    p /= p.sum(axis=axis, keepdims=True)
    return p
''',
)
_LOG_SOFTMAX = Helper(
    "_log_softmax",
    array='''def _log_softmax(x: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """log(softmax(x)) over `axis`, without overflow."""
    z: Array = x - _top(x, axis)
    z -= np.log(np.exp(z).sum(axis=axis, keepdims=True))
    return z
''',
)
_OTHERS = Helper(
    "_prod_of_others",
    array='''def _prod_of_others(x: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """For each element the product of all others over `axis`, without division."""
    axes = tuple(range(x.ndim)) if axis is None else np.atleast_1d(axis).tolist()
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = np.moveaxis(x, axes, last)
    lead = moved.shape[: x.ndim - len(axes)]
    flat = moved.reshape(*lead, x.size // max(1, int(np.prod(lead))))
    before = np.ones_like(flat)
    after = np.ones_like(flat)
    before[..., 1:] = np.cumprod(flat[..., :-1], axis=-1)
    after[..., :-1] = np.cumprod(flat[..., :0:-1], axis=-1)[..., ::-1]
    return np.moveaxis((before * after).reshape(moved.shape), last, axes)
''',
)


def _reduction(name: str, infer: Any, adjoint: Any, doc: str, formula: str, **extra: Any) -> Op:
    return Op(
        name,
        ("x",),
        infer,
        extra.pop("numpy", _call(name, method=True)),
        doc,
        attrs=extra.pop("attrs", ("axes", "keepdims")),
        spelling=_call(name, method=False),
        adjoint=adjoint,
        formula=formula,
        traits=_REDUCTION | extra.pop("traits", frozenset()),
        **extra,
    )


def _normaliser(name: str, adjoint: Any, doc: str, formula: str, helper: Helper, **extra: Any) -> Op:
    return _reduction(
        name,
        _same,
        adjoint,
        doc,
        formula,
        attrs=("axes",),
        numpy=_call("_" + name, method=False),
        helpers=(*extra.pop("needs", ()), helper),
        traits=frozenset({"normaliser"}),
        requires=_some,
        **extra,
    )


OPS: list[Op] = [
    _reduction(
        "sum",
        _total,
        _sum,
        "Sum over axes.",
        "dx = dy, spread over the axes",
        traits=frozenset({"linear"}),
        exactness=exactness.SUM,
    ),
    _reduction(
        "mean",
        _floating,
        _mean,
        "Mean over axes.",
        "dx = dy / n, spread",
        traits=frozenset({"linear"}),
        exactness=exactness.MEAN,
    ),
    _reduction(
        "max",
        _like,
        _extreme,
        "Maximum over axes.",
        "to the largest",
        requires=_some,
        conventions="1/k each for k ties",
    ),
    _reduction(
        "min",
        _like,
        _extreme,
        "Minimum over axes.",
        "to the smallest",
        requires=_some,
        conventions="1/k each for k ties",
    ),
    _reduction(
        "prod",
        _total,
        _prod,
        "Product over axes.",
        "dx = dy * product of the others",
        exactness=exactness.PRODUCT,
        conventions="with zeros the products of the others: nothing is divided",
    ),
    _reduction("any", _boolean, None, "Whether any element over the axes is true.", "", numpy=_truth("any")),
    _reduction("all", _boolean, None, "Whether every element over the axes is true.", "", numpy=_truth("all")),
    _reduction(
        "var",
        _floating,
        _var,
        "Variance over axes.",
        "dx = dy * 2 (x - mean) / (n - ddof)",
        attrs=("axes", "keepdims", "ddof"),
        range=(0.0, float("inf")),
        exactness=exactness.VARIANCE,
    ),
    _reduction(
        "std",
        _floating,
        _std,
        "Standard deviation over axes.",
        "dx = dy * (x - mean) / ((n - ddof) y)",
        attrs=("axes", "keepdims", "ddof"),
        range=(0.0, float("inf")),
        exactness=exactness.DEVIATION,
        conventions="derivative 0 where all are equal",
    ),
    _reduction(
        "logsumexp",
        _floating,
        _logsumexp,
        "log(sum(exp(x))), without overflow.",
        "dx = dy * softmax(x)",
        numpy=_call("_logsumexp", method=False),
        helpers=(_TOP_HELPER, _LOGSUMEXP),
        requires=_some,
        cost=3.0,
        exactness=exactness.LOGSUMEXP,
        conventions="-inf of nothing but -inf, with derivative nan",
    ),
    _normaliser(
        "softmax",
        _softmax,
        "exp(x) / sum(exp(x)), without overflow.",
        "dx = y * (dy - sum(y * dy))",
        _SOFTMAX,
        needs=(_TOP_HELPER,),
        range=(0.0, 1.0),
        cost=3.0,
        exactness=exactness.SOFTMAX,
        conventions="nan where all are -inf, and at an inf",
    ),
    _normaliser(
        "log_softmax",
        _log_softmax,
        "log(softmax(x)), without overflow.",
        "dx = dy - softmax(x) * sum(dy)",
        _LOG_SOFTMAX,
        needs=(_TOP_HELPER,),
        cost=3.0,
        exactness=exactness.LOG_SOFTMAX,
        conventions="nan where all are -inf, and at an inf",
    ),
    _reduction(
        "top",
        lambda types, attrs: types[0].with_shape(reduced_shape(types[0].shape, attrs["axes"], True)),
        _top,
        "Maximum over axes, kept at size 1.",
        "to the largest",
        attrs=("axes",),
        numpy=_call("_top", method=False),
        helpers=(_TOP_HELPER,),
        requires=_some,
        cost=1.0,
        conventions="1/k each for k ties; 0, with derivative 0, where it is infinite",
    ),
    _reduction(
        "overshoot",
        lambda types, attrs: types[0].with_shape(reduced_shape(types[0].shape, attrs["axes"], True)),
        None,
        "How far the maximum is beyond what exp takes, kept at size 1.",
        "",
        attrs=("axes",),
        numpy=_call("_overshoot", method=False),
        helpers=(_TOP_HELPER, _OVERSHOOT_HELPER),
        requires=_some,
        cost=1.0,
        exactness=0.5,
        conventions="0 where the maximum is not beyond it, or infinite",
    ),
    _reduction(
        "prod_of_others",
        lambda types, attrs: types[0],
        _prod_of_others,
        "For each element the product of all others over the axes.",
        "dx = the sum over pairs of dy and the product of the rest",
        attrs=("axes",),
        numpy=_call("_prod_of_others", method=False),
        helpers=(_OTHERS,),
        cost=3.0,
        exactness=exactness.PRODUCT,
        conventions="with zeros the products of the rest: nothing is divided",
    ),
]
