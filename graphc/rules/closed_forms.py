"""What textbooks write for a derivative, found in what the chain rule gives.

These run after differentiation, where the forward pass has saved s and p.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.ir.leaf import CONST, scalar_value
from graphc.ir.node import Node
from graphc.rewrite.rule import ComputedRule, Exact, Rule
from graphc.rewrite.views import Factor, Product, Term, Views, build_product, build_sum, conform

R = Exact.ROUNDING


def common_factor(node: Node, views: Views) -> Node | None:
    """What every term is multiplied by multiplies the sum instead."""
    terms = views.sum(node)
    if len(terms) < 2 or any(t.node.op is CONST and scalar_value(t.node) is not None for t in terms):
        return None
    first, second = (abs(views.product(t.node).coefficient) for t in terms[:2])
    if (first != second or first == 1.0) and not _have_common(views, terms):
        return None
    products = [views.term(t) for t in terms]
    shared = [f for f in products[0].factors if all(f in v.factors for v in products[1:])]
    size = abs(products[0].coefficient)
    scale = size if size not in (0.0, 1.0) and all(abs(v.coefficient) == size for v in products) else 1.0
    if not shared and scale == 1.0:
        return None
    if any(len(v.factors) == len(shared) for v in products) and not all(f.base.type.rank == 0 for f in shared):
        return None
    inner = [_without(v, shared, scale, node.type.dtype) for v in products]
    total = build_sum(inner, node.type.dtype)
    product = build_product(Product(scale, (*shared, Factor(total, 1))), node.type.dtype)
    return conform(product, node.type)


def _have_common(views: Views, terms: Sequence[Term]) -> bool:
    """Whether there is a factor that all terms have; the first two terms most often say no."""
    common = views.key(terms[0].node)
    for term in terms[1:]:
        common = common & views.key(term.node)
        if not common:
            return False
    return True


def _without(view: Product, shared: list[Factor], scale: float, dtype: str) -> Term:
    left = tuple(f for f in view.factors if f not in shared)
    coefficient = view.coefficient / scale
    return Term(1.0 if coefficient > 0 else -1.0, build_product(Product(abs(coefficient), left), dtype))


PATTERNS = (
    Rule(
        "binary-cross-entropy",
        "(1 - y) * sigmoid(z) - y * sigmoid(-z)",
        "sigmoid(z) - y",
        R,
        "the gradient of the cross-entropy of a sigmoid is s - y",
    ),
)
COMPUTED = (
    ComputedRule(
        "common-factor",
        ("add", "subtract"),
        common_factor,
        R,
        "multiply once instead of in every term",
        (("s * x - s * y", "s * (x - y)"),),
    ),
)
