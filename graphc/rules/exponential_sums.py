"""Sums of exponentials with masks and weights, which overflow though their logarithm does not.

    exp(x) / sum(where(m, exp(x), 0))  under m   ->   softmax(where(m, x, -inf))
    log(sum(w * exp(x)))                         ->   log(sum(w * exp(x - t))) + t
    log(a * exp(x) + b * exp(y))                 ->   logaddexp(x + log(a), y + log(b))
    m + logsumexp(x - m[:, None], axis=1)        ->   logsumexp(x, axis=1)
    log2(mean(exp(x)))                           ->   (logsumexp(x) - log(n)) / log(2)

A masked logit is -inf: its probability and its gradient are 0. The shift t is 0 where exp(x) is an
ordinary number, so nothing changes there. Source: Blanchard, Higham and Higham, "Accurately
computing the log-sum-exp and softmax functions".
"""

from __future__ import annotations

import math
from functools import reduce
from typing import NamedTuple

from graphc.expr import build
from graphc.expr.facts import positive
from graphc.ir.leaf import scalar_value
from graphc.ir.node import Node
from graphc.rewrite.conditions import lines_up
from graphc.rewrite.rule import ComputedRule, Exact
from graphc.rewrite.views import Factor, Product, Term, Views, build_product, build_sum, conform


class _Masked(NamedTuple):
    """exp(x) where the condition is `taken`, 0 elsewhere."""

    condition: Node
    taken: bool
    value: Node

    def chosen(self, other: float) -> Node:
        """The value where it is taken, another elsewhere."""
        branches = (self.value, other) if self.taken else (other, self.value)
        return build.where(self.condition, *branches)


def _masked(node: Node) -> _Masked | None:
    """`node` as a value under a mask that is 0 elsewhere."""
    if node.op.name != "where" or not node.type.is_float:
        return None
    condition, a, b = node.args
    if scalar_value(b) == 0:
        return _Masked(condition, True, a)
    return _Masked(condition, False, b) if scalar_value(a) == 0 else None


def _masked_logits(total: Node) -> Node | None:
    """The logits of a sum of masked exponentials, -inf where they are masked."""
    inner = _masked(total.args[0]) if total.op.name == "sum" else None
    if inner is None or inner.value.op.name != "exp":
        return None
    return inner._replace(value=inner.value.args[0]).chosen(-math.inf)


def masked_logsumexp(node: Node, views: Views) -> Node | None:
    total = node.args[0]
    logits = _masked_logits(total)
    return None if logits is None else build.reduce("logsumexp", logits, total["axes"], total["keepdims"])


def masked_softmax(node: Node, views: Views) -> Node | None:
    """Under the mask of the denominator exp(x) over it is a probability."""
    outer = _masked(node)
    if outer is None:
        return None
    view = views.product(outer.value)
    for factor in view.factors:
        total = factor.base
        logits = _masked_logits(total) if factor.exponent == -1 else None
        inner = _masked(total.args[0]) if logits is not None else None
        if logits is None or inner is None or inner[:2] != outer[:2] or Factor(inner.value, 1) not in view.factors:
            continue
        if logits.type != node.type or not lines_up(logits, total["axes"], total["keepdims"]):
            continue
        p = build.reduce("softmax", logits, total["axes"])
        rest = tuple(f for f in view.factors if f not in (factor, Factor(inner.value, 1)))
        if not rest and view.coefficient == 1.0:
            return p
        scaled = build_product(Product(view.coefficient, (*rest, Factor(p, 1))), node.type.dtype)
        return conform(outer._replace(value=scaled).chosen(0.0), node.type)
    return None


def weighted_logsumexp(node: Node, views: Views) -> Node | None:
    """The logarithm of a weighted sum of exponentials, shifted by what exp cannot take."""
    total = node.args[0]
    if total.op.name != "sum" or total.args[0].op.name == "exp":
        return None
    inner = total.args[0]
    view = views.product(inner)
    found = [f for f in view.factors if f.base.op.name == "exp" and f.exponent == 1]
    if len(found) != 1 or found[0].base.shape != inner.shape:
        return None
    x = found[0].base.args[0]
    if x.op.name == "subtract" and x.args[1].op.name == "overshoot":
        return None
    shift = build.reduce("overshoot", build.apply("stop_gradient", x), total["axes"])
    shifted = Factor(build.apply("exp", build.subtract(x, shift)), 1)
    factors = tuple(shifted if f is found[0] else f for f in view.factors)
    product = build.broadcast_to(build_product(view._replace(factors=factors), inner.type.dtype), inner.shape)
    log = build.apply("log", build.reduce("sum", product, total["axes"], total["keepdims"]))
    return build.add(log, shift if total["keepdims"] else build.squeeze(shift, total["axes"]))


def logsumexp_of_shifted_rows(node: Node, views: Views) -> Node | None:
    """A shift by hand that has the summed axes where it is subtracted, and not where it is added again."""
    i = 0 if node.args[0].op.name == "logsumexp" else 1
    total, shift = node.args[i], node.args[1 - i]
    if total["keepdims"] or (i, node.op.name) == (1, "subtract"):
        return None
    x, axes = total.args[0], total["axes"]
    sign = -1.0 if node.op.name == "add" else 1.0
    terms = views.sum(x)
    rest = [t for t in terms if t.sign != sign or not _is_dropped(shift, t.node, axes)]
    if len(rest) != len(terms) - 1:
        return None
    unshifted = build.broadcast_to(build_sum(rest, x.type.dtype), x.shape)
    return conform(build.reduce("logsumexp", unshifted, axes), node.type)


def _is_dropped(short: Node, long: Node, axes: tuple[int, ...]) -> bool:
    """Whether `short` is `long` without these axes, whose size is 1 there."""
    if long.type.rank != short.type.rank + len(axes) or any(long.shape[a] != 1 for a in axes):
        return False
    if long["keepdims"] if "keepdims" in long.op.attrs else False:
        return short.op is long.op and short is build.apply(
            long.op.name, *long.args, **{**long.attributes, "keepdims": False}
        )
    return short is build.squeeze(long, axes) or (long.op.name in ("expand_dims", "reshape") and long.args[0] is short)


def log_of_mean(node: Node, views: Views) -> Node | None:
    """The logarithm of a mean of exponentials is that of their sum, less that of their number."""
    mean = node.args[0]
    if not any(f.base.op.name == "exp" for f in views.product(mean.args[0]).factors):
        return None
    total = build.reduce("sum", mean.args[0], mean["axes"], mean["keepdims"])
    return build.subtract(build.apply("log", total), build.apply("log", build.count(mean, node.type.dtype)))


_BASES = {"log": math.e, "log2": 2.0, "log10": 10.0}


def log_of_scaled_sum(node: Node, views: Views) -> Node | None:
    """The logarithm of a sum of exponentials with a factor, to any base."""
    view = views.product(node.args[0])
    sums = [f for f in view.factors if _sums_exponentials(f.base) and abs(f.exponent) == 1]
    others = tuple(f for f in view.factors if f not in sums)
    plain = node.op.name == "log" and not others and view.coefficient == 1.0
    if len(sums) != 1 or view.coefficient <= 0 or plain or not all(positive(f.base) for f in others):
        return None
    log = build.apply("log", sums[0].base)
    terms = [Term(float(sums[0].exponent), log)]
    if view.coefficient != 1.0 or others:
        scale = build_product(view._replace(factors=others), node.type.dtype)
        terms.append(Term(1.0, build.apply("log", scale)))
    total = build_sum(terms, node.type.dtype)
    return conform(build.divide(total, math.log(_BASES[node.op.name])), node.type)


def _sums_exponentials(x: Node) -> bool:
    return x.op.name in ("sum", "mean") and x.args[0].op.name == "exp"


def log_of_exponentials(node: Node, views: Views) -> Node | None:
    """The logarithm of exponentials and hyperbolic cosines with positive weights, or of one with any."""
    terms = [] if node.op.name == "log" else [Product(1.0, ())]
    terms += [views.term(t) for t in views.sum(node.args[0])]
    if all(not t.factors for t in terms) or _is_plain(terms):
        return None
    logs = [_log(term, node, alone=len(terms) == 1) for term in terms]
    if not all(logs):
        return None
    result = reduce(lambda a, b: build.apply("logaddexp", a, b), logs)  # type: ignore[arg-type]
    return conform(result, node.type)  # type: ignore[arg-type]


def _is_plain(terms: list[Product]) -> bool:
    """exp(x), 1 + exp(x) and cosh(x): their logarithms have rules of their own."""
    rest = [t for t in terms if t != Product(1.0, ())]
    if len(rest) != 1 or len(terms) > 2 or rest[0].coefficient != 1.0 or len(rest[0].factors) != 1:
        return False
    return len(terms) == 1 or rest[0].factors[0].base.op.name != "cosh"


def _log(term: Product, node: Node, alone: bool) -> Node | None:
    """The logarithm of a positive constant, or of an exponential with a weight: positive unless alone."""
    if term.coefficient <= 0:
        return None
    log = math.log(term.coefficient)
    if not term.factors:
        return build.literal(log, [node.type.dtype])
    found = [f for f in term.factors if f.base.op.name in ("exp", "cosh") and f.exponent == 1]
    others = [f for f in term.factors if f not in found]
    if len(found) != 1 or not (alone or all(positive(f.base) for f in others)):
        return None
    (argument,) = found[0].base.args
    exponent = argument if found[0].base.op.name == "exp" else build.apply("logcosh", argument)
    result = exponent if log == 0 else build.add(exponent, log)
    if not others:
        return result
    return build.add(result, build.apply("log", build_product(Product(1.0, tuple(others)), node.type.dtype)))


R = Exact.ROUNDING
COMPUTED = (
    ComputedRule(
        "masked-logsumexp",
        ("log",),
        masked_logsumexp,
        R,
        "no overflow for large x; a masked logit is -inf",
        (),
    ),
    ComputedRule(
        "masked-softmax",
        ("where",),
        masked_softmax,
        R,
        "no inf/inf for large x; a masked logit is -inf",
        (),
    ),
    ComputedRule(
        "weighted-logsumexp",
        ("log",),
        weighted_logsumexp,
        R,
        "no overflow for large x: it is shifted by what exp cannot take",
        (),
    ),
    ComputedRule(
        "logsumexp-of-shifted-rows",
        ("add", "subtract"),
        logsumexp_of_shifted_rows,
        R,
        "the shift by hand is done inside",
        (
            ("max(x, axis=1) + log(sum(exp(x - max(x, axis=1, keepdims=True)), axis=1))", "logsumexp(x, axis=1)"),
            ("log(sum(exp(x + y[:, 0][:, None]), axis=1)) - y[:, 0]", "logsumexp(x, axis=1)"),
            ("log(sum(exp(x + s - y[:, :1]), axis=1)) + squeeze(y[:, :1], 1)", "logsumexp(x + s, axis=1)"),
        ),
        over="logsumexp",
    ),
    ComputedRule(
        "log-of-mean",
        ("log", "log2", "log10"),
        log_of_mean,
        R,
        "so that log(sum(exp(x))) meets",
        (("log(mean(exp(stack((x, y))), axis=0))", "log(sum(exp(stack((x, y))), axis=0)) - log(2)"),),
        over="mean",
    ),
    ComputedRule(
        "log-of-scaled-sum",
        ("log", "log2", "log10"),
        log_of_scaled_sum,
        R,
        "no overflow for large x",
        (
            ("log(3 * sum(exp(x)))", "log(sum(exp(x))) + log(3)"),
            ("log2(sum(exp(x), axis=0))", "log(sum(exp(x), axis=0)) / log(2)"),
        ),
    ),
    ComputedRule(
        "log-of-exponentials",
        ("log", "log1p"),
        log_of_exponentials,
        R,
        "no overflow for large x, no log(0) for very negative x",
        (
            ("log(2 * exp(x) + exp(y))", "logaddexp(x + log(2), y)"),
            ("log1p(3 * exp(x))", "logaddexp(0, x + log(3))"),
            ("log(y * exp(x))", "x + log(y)"),
            ("log(exp(x) + exp(-x))", "log(cosh(x)) + log(2)"),
        ),
    ),
)
