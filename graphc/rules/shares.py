"""An exponential over a sum of which it is a term: exp(a) / total is exp(a - log(total)), and never overflows.

    exp(z[:, 0]) / sum(exp(z), axis=1)            exp(z[:, 0] - logsumexp(z, axis=1))
    (exp(z).T / sum(exp(z), axis=1)).T            exp(z.T - logsumexp(z, axis=1)).T
    exp(x) / (exp(x) + exp(y) + exp(z))           exp(x - logaddexp(logaddexp(x, y), z))

A softmax by its usual name is a rule of `stability`; these are what is left.
"""

from __future__ import annotations

from graphc.expr import build
from graphc.ir.node import Node
from graphc.rewrite.rule import ComputedRule, Exact
from graphc.rewrite.views import Factor, Views, build_product, conform
from graphc.rules.exponential_sums import log_of_exponentials
from graphc.rules.logarithms import moved, source


def exp_over_sum(node: Node, views: Views) -> Node | None:
    """One of the exponentials over their sum, by the logarithms of both."""
    view = views.product(node)
    for below in (f for f in view.factors if f.exponent == -1):
        for above in (f for f in view.factors if f.exponent == 1):
            exponent = _exponent(above.base, below.base, views)
            log = None if exponent is None else _log(below.base, views)
            if exponent is None or log is None:
                continue
            share = build.apply("exp", build.subtract(exponent, log))
            factors = tuple(Factor(share, 1) if f is above else f for f in view.factors if f is not below)
            return conform(build_product(view._replace(factors=factors), node.type.dtype), node.type)
    return None


def _exponent(share: Node, total: Node, views: Views) -> Node | None:
    """`a` if `share` is exp(a) and one of what `total` adds up."""
    if total.op.name == "sum" and total.args[0].op.name == "exp":
        return _chosen(share, total.args[0].args[0])
    among = share.op.name == "exp" and any(t.node is share for t in views.sum(total))
    return share.args[0] if among else None


def _chosen(share: Node, x: Node) -> Node | None:
    """Elements of x whose exponential `share` is: of exp(x[:, 0]) and of exp(x)[:, 0]."""
    if share.op.name == "exp":
        chosen = share.args[0]
        return chosen if chosen is not x and source(chosen) is x else None
    e = source(share)
    if e is share or e.op.name != "exp" or e.args[0] is not x:
        return None
    return moved(share, e, x)


def _log(total: Node, views: Views) -> Node | None:
    """The logarithm of a sum of exponentials."""
    if total.op.name == "sum":
        return build.reduce("logsumexp", total.args[0].args[0], total["axes"], total["keepdims"])
    return log_of_exponentials(build.apply("log", total), views)


COMPUTED = (
    ComputedRule(
        "exp-over-sum",
        ("multiply", "divide"),
        exp_over_sum,
        Exact.ROUNDING,
        "no inf/inf for large x",
        (
            ("exp(x[:, 0]) / sum(exp(x), axis=1)", "exp(x[:, 0] - log(sum(exp(x), axis=1)))"),
            ("(exp(x).T / sum(exp(x), axis=1)).T", "exp(x.T - log(sum(exp(x), axis=1))).T"),
            ("exp(x) / (exp(x) + exp(y) + exp(s))", "exp(x - log(exp(x) + exp(y) + exp(s)))"),
        ),
    ),
)
