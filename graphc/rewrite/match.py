"""Matching a formula against a node: modulo order, sign, common factor and broadcasting.

    1 - sigmoid(x)      matches   w - sigmoid(a) * w     as w times the pattern, with x = a
    exp(x) / sum(exp(x), axes=a, keepdims=k)
                        matches   -2 * exp(z) * v / sum(exp(z))   as -2 v times the pattern

A name binds a node and must be the same node at each place: nodes are interned, so that is `is`.
A pattern looks at a bounded part of the graph; matching costs the same in a graph of any size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from graphc.expr.formula import AttrName, Call, Literal, Variable
from graphc.ir.leaf import scalar_value
from graphc.ir.node import Node
from graphc.ir.types import broadcast
from graphc.rewrite.views import SUM_HEAD, Factor, Product, Term, Views, build_product

Scope = Mapping[str, Any]
_SUMS = ("add", "subtract")
_PRODUCTS = ("multiply", "divide", "negative", "square", "reciprocal")


class Found(NamedTuple):
    """A match at the root: `rest` stays, `scale` times the right side replaces what matched."""

    scope: Scope
    scale: Product
    rest: tuple[Term, ...] = ()
    place: int = 0  # where among the terms the replacement goes


class PatternTerm(NamedTuple):
    """A product in a pattern: coefficient and (pattern, exponent), the most specific first."""

    coefficient: float
    factors: tuple[tuple[Any, int], ...]


def is_sum(term: Any) -> bool:
    return isinstance(term, Call) and (term.op in _SUMS or (term.op == "negative" and is_sum(term.args[0])))


def is_product(term: Any) -> bool:
    return isinstance(term, Call) and term.op in _PRODUCTS and not is_sum(term)


def matches(views: Views, term: Any, node: Node) -> Iterator[Found]:
    """Every way in which the left side of a rule matches at `node`, common factors allowed."""
    if is_sum(term):
        yield from _sums(views, term, node, {}, partial=True)
    elif is_product(term):
        view = views.product(node)
        pattern = pattern_product(term)
        for scope, rest in _factors(views, pattern.factors, view, {}):
            yield Found(scope, rest._replace(coefficient=rest.coefficient / pattern.coefficient))
    else:
        for scope in match(views, term, node, {}):
            yield Found(scope, Product(1.0, ()))


@lru_cache(maxsize=4096)
def needed_heads(term: Any) -> frozenset[str]:
    """The ops that must be among the factors of the terms, or the first arguments, of a match."""
    if not is_sum(term) and not is_product(term):
        first: Any = term.args[0] if term.args else None
        plain = isinstance(first, Call) and not is_sum(first) and not is_product(first)
        return frozenset((first.op,)) if plain and len(term.args) == 1 else frozenset()
    patterns = pattern_sum(term) if is_sum(term) else (pattern_product(term),)
    calls = [t for p in patterns for t, _ in p.factors if isinstance(t, Call) and not is_product(t)]
    return frozenset(SUM_HEAD if is_sum(t) else t.op for t in calls)


@lru_cache(maxsize=4096)
def needed_ops(term: Any) -> frozenset[str]:
    """The ops that must be in the graph for a match; sums, products and powers have many spellings and don't count."""
    if not isinstance(term, Call):
        return frozenset()
    own = frozenset() if is_sum(term) or is_product(term) or term.op == "power" else frozenset((term.op,))
    return own.union(*map(needed_ops, term.args))


def match(views: Views, term: Any, node: Node, scope: Scope) -> Iterator[Scope]:
    """Every way in which a pattern matches the whole of `node`, given what is bound already."""
    if isinstance(term, Variable):
        bound = scope.get(term.name)
        if bound is None:
            yield {**scope, term.name: node}
        elif bound is node:
            yield scope
    elif isinstance(term, Literal):
        if scalar_value(node) == term.value:
            yield scope
    elif is_sum(term):
        if _fills(node, [f.base for t in views.sum(node) for f in views.term(t).factors]):
            for found in _sums(views, term, node, scope, partial=False):
                yield found.scope
            if term.op == node.op.name and len(views.sum(node)) > len(pattern_sum(term)):
                yield from _same_op(views, term, node, scope)  # x - m where x is itself a sum
    elif is_product(term):
        if _fills(node, [f.base for f in views.product(node).factors]):
            yield from _whole_product(views, term, node, scope)
    elif term.op == node.op.name:
        yield from _same_op(views, term, node, scope)


def _fills(node: Node, parts: Sequence[Node]) -> bool:
    """Whether the parts have the shape of the whole. Inside `sum` or `softmax` repeats count."""
    return broadcast(*(p.shape for p in parts)) == node.shape


def _same_op(views: Views, term: Call, node: Node, scope: Scope) -> Iterator[Scope]:
    attrs = _attributes(term, node, scope)
    if attrs is None or len(term.args) != len(node.args):
        return
    orders = [node.args]
    if "commutative" in node.op.traits:
        orders.append(node.args[::-1])
    for args in orders:
        yield from _all(views, term.args, args, attrs)


def _all(views: Views, terms: Sequence[Any], nodes: Sequence[Node], scope: Scope) -> Iterator[Scope]:
    if not terms:
        yield scope
        return
    for inner in match(views, terms[0], nodes[0], scope):
        yield from _all(views, terms[1:], nodes[1:], inner)


def _attributes(term: Call, node: Node, scope: Scope) -> Scope | None:
    given = node.attributes
    for name, value in term.attrs:
        if isinstance(value, AttrName):
            if value.name in scope and scope[value.name] != given[name]:
                return None
            scope = {**scope, value.name: given[name]}
        elif given[name] != value:
            return None
    return scope


# --- products ---


@lru_cache(maxsize=4096)
def pattern_product(term: Any) -> PatternTerm:
    """A pattern as a product; factors with structure come before plain names."""
    coefficient, factors = _pattern_factors(term)
    return PatternTerm(coefficient, tuple(sorted(factors, key=lambda f: isinstance(f[0], Variable))))


def _pattern_factors(term: Any) -> tuple[float, list[tuple[Any, int]]]:
    if isinstance(term, Literal):
        return term.value, []
    if not is_product(term) and not _is_power(term):
        return 1.0, [(term, 1)]
    parts = [_pattern_factors(a) for a in term.args]
    (c, first) = parts[0]
    match term.op:
        case "multiply":
            return c * parts[1][0], first + parts[1][1]
        case "divide":
            return c / parts[1][0], first + [(t, -k) for t, k in parts[1][1]]
        case "negative":
            return -c, first
        case "reciprocal":
            return 1 / c, [(t, -k) for t, k in first]
    exponent = 2 if term.op == "square" else int(term.args[1].value)
    return c**exponent, [(t, k * exponent) for t, k in first]


def _is_power(term: Any) -> bool:
    """An integer power inside a product."""
    if not isinstance(term, Call) or term.op != "power" or not isinstance(term.args[1], Literal):
        return False
    return term.args[1].value == int(term.args[1].value)


def _factors(
    views: Views, patterns: Sequence[tuple[Any, int]], view: Product, scope: Scope
) -> Iterator[tuple[Scope, Product]]:
    """Every way to take the pattern factors out of a product, with what is left of it."""
    if not patterns:
        yield scope, view
        return
    (term, exponent), later = patterns[0], patterns[1:]
    if isinstance(term, Variable) and term.name in scope:
        rest = _quotient(view, views.product(scope[term.name]), exponent)
        if rest is not None:
            yield from _factors(views, later, rest, scope)
        return
    for i, factor in enumerate(view.factors):
        if factor.exponent != exponent:
            continue
        rest = view._replace(factors=view.factors[:i] + view.factors[i + 1 :])
        for inner in match(views, term, factor.base, scope):
            yield from _factors(views, later, rest, inner)


def _quotient(whole: Product, part: Product, power: int = 1) -> Product | None:
    """`whole / part**power` if every factor of the part is there, else None."""
    left = list(whole.factors)
    for base, exponent in part.factors:
        factor = Factor(base, exponent * power)
        if factor not in left:
            return None
        left.remove(factor)
    if part.coefficient == 0:
        return None
    return Product(whole.coefficient / part.coefficient**power, tuple(left))


def _whole_product(views: Views, term: Any, node: Node, scope: Scope) -> Iterator[Scope]:
    """A product pattern inside another pattern: one free name may take all that is left."""
    pattern = pattern_product(term)
    view = views.product(node)
    free = [t for t, k in pattern.factors if isinstance(t, Variable) and t.name not in scope and k == 1]
    if free and pattern.coefficient < 0 < view.coefficient:
        return  # abs(x) is no abs(-x): a rule that drops a sign needs one, or it would never end
    if not free:
        for inner, rest in _factors(views, pattern.factors, view, scope):
            if not rest.factors and rest.coefficient == pattern.coefficient:
                yield inner
        return
    others = tuple(f for f in pattern.factors if f != (free[-1], 1))
    for inner, rest in _factors(views, others, view, scope):
        left = rest._replace(coefficient=rest.coefficient / pattern.coefficient)
        value = node if left == view else build_product(left, node.type.dtype)
        yield {**inner, free[-1].name: value}


# --- sums ---


@lru_cache(maxsize=4096)
def pattern_sum(term: Any) -> tuple[PatternTerm, ...]:
    """A pattern as a sum of products, the term with most structure first."""
    terms = _pattern_terms(term, 1.0)
    return tuple(sorted(terms, key=lambda t: -_structure(t)))


def _pattern_terms(term: Any, sign: float) -> list[PatternTerm]:
    if is_sum(term):
        first = _pattern_terms(term.args[0], -sign if term.op == "negative" else sign)
        if term.op == "negative":
            return first
        return first + _pattern_terms(term.args[1], sign if term.op == "add" else -sign)
    product = pattern_product(term)
    return [product._replace(coefficient=sign * product.coefficient)]


def _structure(term: PatternTerm) -> int:
    return sum(not isinstance(t, Variable) for t, _ in term.factors) * 4 + len(term.factors)


def _sums(views: Views, term: Any, node: Node, scope: Scope, *, partial: bool) -> Iterator[Found]:
    terms = views.sum(node)
    patterns = pattern_sum(term)
    if len(terms) < len(patterns) or (not partial and len(terms) != len(patterns)):
        return
    products = [views.term(t) for t in terms]
    for inner, used, scale in _terms(views, patterns, products, scope, (), None if partial else Product(1.0, ())):
        rest = tuple(t for i, t in enumerate(terms) if i not in used)
        yield Found(inner, scale, rest, sum(i < min(used) for i in range(len(terms)) if i not in used))


def _terms(
    views: Views,
    patterns: Sequence[PatternTerm],
    terms: Sequence[Product],
    scope: Scope,
    used: tuple[int, ...],
    scale: Product | None,
) -> Iterator[tuple[Scope, tuple[int, ...], Product]]:
    """Every choice of terms for the patterns, all with one common factor `scale`."""
    if not patterns:
        if scale is not None:
            yield scope, used, scale
        return
    for i, term in enumerate(terms):
        if i in used:
            continue
        for inner, found in _one_term(views, patterns[0], term, scope, scale):
            yield from _terms(views, patterns[1:], terms, inner, (*used, i), found)


def _one_term(
    views: Views, pattern: PatternTerm, term: Product, scope: Scope, scale: Product | None
) -> Iterator[tuple[Scope, Product]]:
    if scale is None:
        for inner, rest in _factors(views, pattern.factors, term, scope):
            yield inner, rest._replace(coefficient=rest.coefficient / pattern.coefficient)
        return
    target = _quotient(term, scale)
    if target is None:
        return
    free = [t for t, k in pattern.factors if isinstance(t, Variable) and t.name not in scope and k == 1]
    others = tuple(f for f in pattern.factors if not free or f != (free[-1], 1))
    for inner, rest in _factors(views, others, target, scope):
        left = rest._replace(coefficient=rest.coefficient / pattern.coefficient)
        if free:
            dtype = term.factors[0].base.type.dtype if term.factors else "float64"
            yield {**inner, free[-1].name: build_product(left, dtype)}, scale
        elif not left.factors and left.coefficient == 1.0:
            yield inner, scale
