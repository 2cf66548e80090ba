"""The rules, as data: one file a theme.

`STABILISE` runs before differentiation, `SIMPLIFY` after it, on the joint graph of values and
gradients. The first rule that fires wins, so the order in a tuple is the order of preference.
"""

from __future__ import annotations

from graphc.rewrite.rule import ComputedRule, Rule
from graphc.rules import (
    arithmetic,
    closed_forms,
    exponential_sums,
    indexing,
    kinks,
    logarithms,
    powers,
    products,
    shares,
    stability,
    structure,
)

_COMMON: tuple[Rule | ComputedRule, ...] = (
    *powers.COMPUTED,
    *arithmetic.COMPUTED,
    *powers.PATTERNS,
    *kinks.PATTERNS,
    *kinks.COMPUTED,
    *arithmetic.PATTERNS,
    *structure.COMPUTED,
    *products.COMPUTED,
    *indexing.COMPUTED,
    *exponential_sums.COMPUTED,
    *stability.SOFTMAX,
    *stability.EXPONENTIALS,
    *stability.SIGMOIDS,
    *logarithms.COMPUTED,
    *shares.COMPUTED,
)
STABILISE: tuple[Rule | ComputedRule, ...] = (*_COMMON, *stability.COMPLEMENTS, *logarithms.LIMITS)
SIMPLIFY: tuple[Rule | ComputedRule, ...] = (
    *closed_forms.PATTERNS,
    *_COMMON,
    *products.GRADIENT,
    *structure.GRADIENT,
    *closed_forms.COMPUTED,
)
RULES: dict[str, Rule | ComputedRule] = {rule.name: rule for rule in (*SIMPLIFY, *STABILISE)}
