"""Logarithms of what may be 0: their limit under a factor 0, and the logarithm taken before anything is lost.

    p * log(p)                       xlogy(p, p), which is 0 where p is
    p * (log(p) - log(q))            xlogy(p, p) - xlogy(p, q)
    p * log(p / q)                   relative_entropy(p, q)
    log(softmax(z).T[y, arange(n)])  log_softmax(z).T[y, arange(n)]
    log(s**y * (1 - s)**(1 - y))     y * log(s) + (1 - y) * log(1 - s)

The limits are taken before differentiation, so that the derivative by what is inside the logarithm is 0 there, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from graphc.expr import build
from graphc.expr.facts import nonzero, positive
from graphc.ir.index import Array, Range
from graphc.ir.node import Node, rebuild
from graphc.rewrite.rule import ComputedRule, Exact
from graphc.rewrite.views import Factor, Product, Term, Views, build_product, build_sum, conform

# Logarithms: the op that takes the limit of a product with them, and what that is to be multiplied by.
_LIMITS = {
    "log": ("xlogy", 1.0),
    "log1p": ("xlog1py", 1.0),
    "log2": ("xlogy", 1.0 / math.log(2.0)),
    "log10": ("xlogy", 1.0 / math.log(10.0)),
}
PROBABILITIES = ("softmax", "sigmoid", "sech")
REARRANGED = ("transpose", "reshape", "squeeze", "expand_dims", "broadcast_to", "getitem")


class Weighted(NamedTuple):
    """A product with a logarithm: coefficient * weight * logarithm / what is `below`; the weight may be 0."""

    coefficient: float
    weight: Node
    logarithm: Node
    below: tuple[Factor, ...]


def times_logarithm(node: Node, views: Views) -> Node | None:
    """A product with a logarithm has its limit where the other factors are 0."""
    view = _weighted(node, views, lambda factor: factor.op.name in _LIMITS)
    if view is None:
        return None
    weight, (x,) = view.weight, view.logarithm.args
    name, scale = _LIMITS[view.logarithm.op.name]
    if x.op.name == "divide" and weight in x.args and name == "xlogy":
        name, sign = "relative_entropy", 1.0 if x.args[0] is weight else -1.0
        x, scale = x.args[1] if sign > 0 else x.args[0], sign * scale
    product = Product(scale * view.coefficient, (Factor(build.apply(name, weight, x), 1), *view.below))
    return conform(build_product(product, node.type.dtype), node.type)


def weighted_logarithms(node: Node, views: Views) -> Node | None:
    """A weight of a sum with logarithms is a weight of each term: each has its limit where the weight is 0."""
    view = _weighted(node, views, lambda factor: _has_logarithm(factor, views))
    if view is None:
        return None
    terms = [Term(t.sign, build.multiply(view.weight, t.node)) for t in views.sum(view.logarithm)]
    product = Product(view.coefficient, (Factor(build_sum(terms, node.type.dtype), 1), *view.below))
    return conform(build_product(product, node.type.dtype), node.type)


def _weighted(node: Node, views: Views, is_logarithm: Callable[[Node], bool]) -> Weighted | None:
    """A product with one factor that is, or has, a logarithm, if what else is multiplied may be 0."""
    view = views.product(node)
    found = [f for f in view.factors if f.exponent == 1 and is_logarithm(f.base)]
    weights = tuple(f for f in view.factors if f not in found and f.exponent > 0)
    if len(found) != 1 or not weights or node in views.opaque:
        return None
    weight = build_product(Product(1.0, weights), node.type.dtype)
    below = tuple(f for f in view.factors if f.exponent < 0)
    return None if nonzero(weight) else Weighted(view.coefficient, weight, found[0].base, below)


def _has_logarithm(x: Node, views: Views) -> bool:
    """Whether a sum has a term with the logarithm of what may be 0."""
    terms = views.sum(x)
    if len(terms) < 2 or x in views.opaque:
        return False
    factors = [f for t in terms for f in views.term(t).factors]
    return any(f.base.op.name in _LIMITS and f.exponent == 1 and not positive(f.base.args[0]) for f in factors)


def dot_with_logarithm(node: Node, views: Views) -> Node | None:
    """A scalar product with logarithms is a sum of products, each of which has its limit."""
    a, b = node.args
    axes = _summed(node)
    if axes is None or not node.type.is_float:
        return None
    product = build.multiply(a, b)
    limits = times_logarithm(product, views) or weighted_logarithms(product, views)
    return None if limits is None else build.reduce("sum", limits, axes)


def _summed(node: Node) -> tuple[int, ...] | None:
    """The axes over which a product of two arrays of one shape is summed, if that is all that it is."""
    a, b = node.args
    if node.op.name == "matmul":
        return (0,) if a.type.rank == b.type.rank == 1 else None
    left, _, rest = node["subscripts"].partition(",")
    right, _, out = rest.partition("->")
    kept = "".join(n for n in left if n in out)
    return tuple(i for i, n in enumerate(left) if n not in out) if left == right and kept == out else None


def log_of_likelihood(node: Node, views: Views) -> Node | None:
    """The logarithm of a product of powers of probabilities is a sum: the product underflows."""
    view = views.product(node.args[0])
    if not view.factors or view.coefficient <= 0 or node.args[0].op.name in PROBABILITIES:
        return None  # of one probability there is a rule
    terms: list[Term] = []
    for base, exponent in view.factors:
        power = base.op.name == "power" and exponent == 1
        probability = base.args[0] if power else base
        if probability.op.name not in PROBABILITIES:
            return None
        log = build.apply("log", probability)
        terms.append(Term(1.0, build.multiply(base.args[1] if power else exponent, log)))
    if view.coefficient != 1.0:
        terms.append(Term(1.0, build.literal(math.log(view.coefficient), [node.type.dtype])))
    return conform(build_sum(terms, node.type.dtype), node.type)


def log_of_one_hot(node: Node, views: Views) -> Node | None:
    """A sum over a one-hot row is the element that it marks: eye(k)[y] * p, summed over each row."""
    total = node.args[0]
    if total.op.name == "sum" and not total["keepdims"]:
        view, axes = views.product(total.args[0]), total["axes"]
    elif total.op.name == "einsum":
        view, axes = Product(1.0, tuple(Factor(a, 1) for a in total.args)), _summed(total)
    else:
        return None
    marks = [f for f in view.factors if _is_one_hot(f.base) and f.exponent == 1]
    rest = tuple(f for f in view.factors if f not in marks)
    if len(marks) != 1 or not rest or axes != (1,):
        return None
    p = build_product(view._replace(factors=rest), node.type.dtype)
    labels = marks[0].base.args[1]
    if p.shape != marks[0].base.shape:
        return None
    chosen = build.getitem(p, (Array(0), Array(1)), (build.arange(p.shape[0], labels.type.dtype), labels))
    return build.apply(node.op.name, chosen)


def _is_one_hot(x: Node) -> bool:
    """Rows of an identity, chosen by labels: eye(k)[y]."""
    if x.op.name != "getitem" or x.args[0].op.name != "eye" or len(x.args) != 2 or x.args[1].type.rank != 1:
        return False
    eye, entries = x.args[0], x["index"].entries
    whole = len(entries) == 2 and isinstance(entries[1], Range) and entries[1].whole
    return whole and isinstance(entries[0], Array) and eye["n"] == eye["m"]


def log_of_rearranged(node: Node, views: Views) -> Node | None:
    """The logarithm of rearranged or chosen probabilities is the same of their logarithms."""
    chosen = node.args[0]
    p = source(chosen)
    if p is chosen or p.op.name not in (*PROBABILITIES, "exp"):
        return None
    if chosen.args[0] is p and _one_each(chosen):
        picked = build.getitem(p.args[0], chosen["index"].entries, chosen.args[1:])
        return build.subtract(picked, build.reduce("logsumexp", p.args[0], (1,)))
    return moved(chosen, p, build.apply("log", p))


def source(x: Node) -> Node:
    """What was rearranged."""
    while x.op.name in REARRANGED:
        x = x.args[0]
    return x


def moved(x: Node, origin: Node, other: Node) -> Node:
    """The same rearrangement of `other` as `x` is of `origin`."""
    chain: list[Node] = []
    while x is not origin:
        chain.append(x)
        x = x.args[0]
    for step in reversed(chain):
        other = rebuild(step, [other, *step.args[1:]])
    return other


def _one_each(chosen: Node) -> bool:
    """One element of each row of a softmax, by labels: p[arange(n), y]."""
    p, arrays = chosen.args[0], chosen.args[1:]
    if p.op.name != "softmax" or p["axes"] != (1,) or p.type.rank != 2 or len(arrays) != 2:
        return False
    in_order = arrays[0].op.name == "arange" and arrays[0].shape == p.shape[:1]
    return in_order and arrays[1].shape == arrays[0].shape


R = Exact.ROUNDING
LIMITS = (
    ComputedRule("times-logarithm", ("multiply", "divide"), times_logarithm, R, "0 * log(0) is the limit, 0", ()),
    ComputedRule(
        "weighted-logarithms",
        ("multiply", "divide"),
        weighted_logarithms,
        R,
        "0 * log(0) is the limit, 0, in each term",
        (("y * (log(x) - log(s) + t)", "y * log(x) - y * log(s) + y * t"),),
    ),
    ComputedRule(
        "dot-with-logarithm",
        ("matmul", "einsum"),
        dot_with_logarithm,
        R,
        "0 * log(0) is the limit, 0, in each product",
        (
            ("y[0] @ log(x[0])", "sum(y[0] * log(x[0]))"),
            ("np.einsum('ij,ij->i', y, log(x) - s)", "sum(y * (log(x) - s), axis=1)"),
        ),
    ),
)
COMPUTED = (
    ComputedRule(
        "log-of-likelihood",
        ("log",),
        log_of_likelihood,
        R,
        "a product of probabilities underflows",
        (
            (
                "log(sigmoid(x)**y * (1 - sigmoid(x))**(1 - y))",
                "y * log(sigmoid(x)) + (1 - y) * log(1 - sigmoid(x))",
            ),
        ),
    ),
    ComputedRule("log-of-one-hot", ("log",), log_of_one_hot, R, "the other products are 0", ()),
    ComputedRule(
        "log-of-chosen-probability",
        ("log",),
        log_of_rearranged,
        R,
        "so that log(softmax) meets",
        (
            ("log((exp(x) / sum(exp(x), axis=1, keepdims=True))[:, 0])", "log_softmax(x, axis=1)[:, 0]"),
            ("log(ravel(sigmoid(x).T))", "ravel(log(sigmoid(x)).T)"),
        ),
    ),
)
