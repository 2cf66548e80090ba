"""Arithmetic that a person does in passing: constants, signs, like terms, what cancels."""

from __future__ import annotations

import numpy as np

from graphc.expr import build
from graphc.ir.interpret import evaluate_node
from graphc.ir.leaf import CONST, const_node, constant_value, scalar_value
from graphc.ir.node import Node, make
from graphc.rewrite.rule import ComputedRule, Exact, Rule
from graphc.rewrite.views import (
    LIMIT,
    Factor,
    Product,
    Term,
    Views,
    build_product,
    build_sum,
    conform,
    signed,
)

FOLD_LIMIT = 64  # elements of a constant made at compile time: a larger one reads better as the operation


def fold_constants(node: Node, views: Views) -> Node | None:
    """An elementwise op on constants is a constant, computed in its own dtype."""
    if not node.args or not node.op.elementwise or any(a.op is not CONST for a in node.args):
        return None
    values = [constant_value(a) for a in node.args]
    if sum(v.size for v in values if v is not None) > FOLD_LIMIT:
        return None
    with np.errstate(all="ignore"):
        result = evaluate_node(node, [v for v in values if v is not None], {})
    return const_node(result, node.type.dtype) if np.isfinite(result).all() else None


def collect_terms(node: Node, views: Views) -> Node | None:
    """Like terms become one; what cancels goes; minus signs become subtractions."""
    terms = views.sum(node)
    if len(terms) == 1:
        return None
    keys = [views.key(t.node) for t in terms]
    if len(set(keys)) == len(keys) and not any(t.node.op is CONST and scalar_value(t.node) == 0 for t in terms):
        if not _has_loose_signs(node):
            return None
        turned = _turned(node, views)
        if turned is not None and all(views.product(t.node).coefficient for t in terms):
            return turned
    groups: dict[frozenset[Factor], list[Term]] = {}
    for key, term in zip(keys, terms, strict=True):
        groups.setdefault(key, []).append(term)
    merged: list[Term] = []
    for group in groups.values():
        products = [views.term(t) for t in group]
        total = sum(v.coefficient for v in products)
        if len(group) == 1 and total != 0:
            merged.append(group[0])
        elif total != 0:
            product = build_product(Product(abs(total), products[0].factors), node.type.dtype)
            merged.append(Term(1.0 if total > 0 else -1.0, product))
    if len(merged) == len(terms) and not _has_loose_signs(node):
        return None
    return conform(build_sum(merged, node.type.dtype), node.type)


def _has_loose_signs(node: Node) -> bool:
    """Whether an addition or subtraction has a negative operand, or a negation stands on a sum."""
    if node.op.name == "negative":
        return node.args[0].op.name == "subtract"
    left, right = (signed(a).sign for a in node.args)
    return (
        right < 0
        or (left < 0 and node.op.name == "add")
        or (left < 0 and node.op.name == "subtract" and node.args[0].op.name == "negative")
    )


def _turned(node: Node, views: Views) -> Node | None:
    """x + -y as x - y, x - -y as x + y: the terms of x stay as they are, however many."""
    if node.op.name == "negative":
        return None
    left, right = (signed(a) for a in node.args)
    if left.sign < 0 or right.sign > 0 or len(views.sum(right.node)) > 1:
        return None
    turned = build.subtract if node.op.name == "add" else build.add
    return conform(turned(left.node, right.node), node.type)


def collect_factors(node: Node, views: Views) -> Node | None:
    """Constants become one, signs go to the front, and a factor over itself cancels."""
    if not node.type.is_float:
        return None
    constants, signs, ups, downs = _operands(node, views)
    view = views.product(node)
    crossed = not ups.isdisjoint(downs)
    loose = constants > (abs(view.coefficient) != 1.0) or (constants > 0 and not _leads(node))
    if node.op.name == "square":
        loose = node.args[0].op.name == "negative"
    elif node.op.name == "negative":
        loose = loose or signs > 1 or constants > 0
    else:
        loose = loose or signs > 0 or _same_base(node, views)
    if view.coefficient == 0 or crossed or loose:
        return conform(build_product(view, node.type.dtype), node.type)
    return None


def _leads(node: Node) -> bool:
    """Whether the constant stands in front, or below the fraction bar."""
    while node.op.name in ("multiply", "divide", "negative"):
        last = node.args[-1]
        if node.op.name == "multiply" and scalar_value(last) is not None:
            return False
        node = node.args[0]
    return True


def _operands(node: Node, views: Views) -> tuple[int, int, set[Node], set[Node]]:
    """Constants, negations, and the bases above and below the fraction bar."""
    constants = signs = seen = 0
    sides: tuple[set[Node], set[Node]] = (set(), set())
    stack = [(node, 0)]
    while stack and seen <= LIMIT:
        top, side = stack.pop()
        seen += 1
        if top.op is CONST and scalar_value(top) is not None:
            constants += 1
        elif top is not node and top in views.opaque:
            sides[side].add(top)
        elif top.op.name == "negative":
            signs += 1
            stack.append((top.args[0], side))
        elif top.op.name in ("multiply", "divide") and top.type.is_float:
            stack.append((top.args[0], side))
            stack.append((top.args[1], side if top.op.name == "multiply" else 1 - side))
        else:
            sides[side].add(top)
    return constants, signs, sides[0], sides[1]


def _same_base(node: Node, views: Views) -> bool:
    """x * x, x * x**2: one base on both sides of a multiplication."""
    if node.op.name != "multiply" or any(_has_two_bases(a) for a in node.args):
        return False
    left, right = (views.product(a) for a in node.args)
    return (
        len(left.factors) == len(right.factors) == 1
        and left.factors[0].base is right.factors[0].base
        and left.factors[0].exponent * right.factors[0].exponent > 0
    )


def _has_two_bases(node: Node) -> bool:
    """Whether a product in normal form is one of two values: with equal bases it would be a power."""
    return node.op.name in ("multiply", "divide") and all(scalar_value(a) is None for a in node.args)


def drop_broadcast(node: Node, views: Views) -> Node | None:
    """An elementwise op broadcasts by itself."""
    if not node.op.elementwise:
        return None
    for i, arg in enumerate(node.args):
        if arg.op.name == "broadcast_to":
            thin = make(node.op, [*node.args[:i], arg.args[0], *node.args[i + 1 :]], **node.attributes)
            if thin.type == node.type:
                return thin
    if all(a.op.name == "broadcast_to" or a.type.rank == 0 for a in node.args):
        thin = make(node.op, [a.args[0] if a.op.name == "broadcast_to" else a for a in node.args], **node.attributes)
        return conform(thin, node.type)
    return None


def choose_known_branch(node: Node, views: Views) -> Node | None:
    """where with a constant condition, or with two equal branches, is a branch."""
    c, a, b = node.args
    known = scalar_value(c)
    if known is None and a is not b:
        return None
    return conform(build.astype(a if a is b or known else b, node.type.dtype), node.type)


def mask_outside(node: Node, views: Views) -> Node | None:
    """What multiplies a masked value goes under the mask: a false mask is 0, whatever the factor."""
    for i, masked in enumerate(node.args):
        if masked.op.name != "where" or masked.type != node.type or masked in views.opaque:
            continue
        if i == 1 and node.op.name == "divide":
            continue
        other = node.args[1 - i] if len(node.args) > 1 else None
        branches = masked.args[1:]
        zero = [scalar_value(b) == 0 for b in branches]
        if any(zero) and not all(zero):
            thin = [b if z else _applied(node, b, other, i) for b, z in zip(branches, zero, strict=True)]
            return build.where(masked.args[0], *thin)
    return None


def _applied(node: Node, branch: Node, other: Node | None, i: int) -> Node:
    """The operation of `node` on one branch."""
    if other is None:
        return make(node.op, [branch])
    return make(node.op, [branch, other] if i == 0 else [other, branch])


COMPUTED = (
    ComputedRule(
        "fold-constants",
        (),
        fold_constants,
        Exact.BITWISE,
        "an operation on constants is a constant",
        (("exp(1.0) + s", "2.718281828459045 + s"),),
        over="const",
    ),
    ComputedRule(
        "drop-broadcast",
        (),
        drop_broadcast,
        Exact.BITWISE,
        "elementwise operations broadcast by themselves",
        (("broadcast_to(s, (n, m)) * x", "s * x"),),
        over="broadcast_to",
    ),
    ComputedRule(
        "collect-terms",
        ("add", "subtract", "negative"),
        collect_terms,
        Exact.ROUNDING,
        "like terms add up",
        (("x + 2 * x", "3 * x"), ("x + y - x", "y"), ("x + -y", "x - y"), ("-(x - y)", "y - x")),
    ),
    ComputedRule(
        "collect-factors",
        ("multiply", "divide", "negative", "reciprocal", "square"),
        collect_factors,
        Exact.ROUNDING,
        "constants multiply, signs go to the front, equal factors cancel",
        (
            ("2 * (3 * x)", "6 * x"),
            ("-x * y", "-(x * y)"),
            ("x * y / x", "y"),
            ("x * (1 / y)", "x / y"),
            ("x * x", "square(x)"),
        ),
    ),
    ComputedRule(
        "mask-outside",
        ("multiply", "divide", "negative"),
        mask_outside,
        Exact.ROUNDING,
        "a false mask gives 0, whatever it is multiplied by",
        (("where(x > 0, y, 0) * x", "where(x > 0, y * x, 0)"),),
        over="where",
    ),
    ComputedRule(
        "known-branch",
        ("where",),
        choose_known_branch,
        Exact.BITWISE,
        "only one branch can be taken",
        (("where(x > 0, y, y)", "y"),),
    ),
)

B = Exact.BITWISE

PATTERNS = (
    Rule("not-not", "~(~x)", "x", B, "negated twice", proof="logic: x has two values, both tried"),
    Rule("and-same", "x & x", "x", B, "said twice", proof="logic: x has two values, both tried"),
    Rule("or-same", "x | x", "x", B, "said twice", proof="logic: x has two values, both tried"),
    Rule("where-not", "where(~c, a, b)", "where(c, b, a)", B, "swap the branches instead"),
    Rule("where-where-same-left", "where(c, where(c, a, b), d)", "where(c, a, d)", B, "c is known inside"),
    Rule("where-where-same-right", "where(c, a, where(c, b, d))", "where(c, a, d)", B, "c is known inside"),
)
