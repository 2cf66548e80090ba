"""Two ways of looking at arithmetic: as a product of factors, as a sum of terms.

    -2 * x * a / b      coefficient -2, factors x, a, b^-1
    w - w * s + 3       terms (1, w), (-1, w s), (3, )

People write one thing in many ways; seen as a product or a sum the ways become one. A view looks
at most `LIMIT` operands deep, so that its cost does not depend on the size of the graph. Nothing
is rebuilt unless a rule fires: the user's own order of operations stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from graphc.expr import build
from graphc.ir.leaf import CONST, scalar_value
from graphc.ir.node import Node
from graphc.ir.types import TensorType

LIMIT = 12  # operands that a view looks at
SUM_HEAD = "add"  # among heads, for every op that can be a sum


class Factor(NamedTuple):
    """`base ** exponent`; the exponent is an integer other than 0."""

    base: Node
    exponent: int


class Product(NamedTuple):
    """`coefficient` times the factors, which are in the order of the text."""

    coefficient: float
    factors: tuple[Factor, ...]


class Views:
    """How the engine looks at arithmetic: nodes in `opaque` are taken whole, below the root.

    Values that the forward pass saves, and stages that several gradients share, are opaque: a rule
    that looked through them would compute them a second time.
    """

    def __init__(self, opaque: Iterable[Node] = ()) -> None:
        self.opaque = set(opaque)
        self._products: dict[Node, Product] = {}
        self._sums: dict[Node, tuple[Term, ...]] = {}
        self._chains: set[Node] = set()  # sums that are as long as a view: a + b + c + ..., from the left
        self._heads: dict[Node, frozenset[str]] = {}
        self._keys: dict[Node, frozenset[Factor]] = {}

    def product(self, node: Node) -> Product:
        """`node` as a product. Equal bases are one factor; broadcasts of a factor are looked through."""
        view = self._products.get(node)
        if view is None:
            view = self._products[node] = self._product(node)
        return view

    def sum(self, node: Node) -> tuple[Term, ...]:
        """`node` as a sum, its terms in the order of the text."""
        if node.op.name not in _SUMS:
            return (Term(1.0, node),)
        terms = self._sums.get(node)
        if terms is None:
            terms = self._sums[node] = self._sum(node)
        return terms

    def term(self, term: Term) -> Product:
        """A term as a product, with its sign."""
        product = self.product(term.node)
        return product if term.sign > 0 else product._replace(coefficient=-product.coefficient)

    def key(self, node: Node) -> frozenset[Factor]:
        """What like terms have in common: the factors, whatever their order."""
        key = self._keys.get(node)
        if key is None:
            key = self._keys[node] = frozenset(self.product(node).factors)
        return key

    def heads(self, node: Node) -> frozenset[str]:
        """The ops of all factors of all terms of `node`, a sum under one name: what a pattern may hope to find."""
        terms = self.sum(node)
        if len(terms) == 1:
            return self._factor_heads(terms[0].node)
        known = self._heads
        return frozenset().union(*[known.get(t.node) or self._factor_heads(t.node) for t in terms])

    def _factor_heads(self, node: Node) -> frozenset[str]:
        heads = self._heads.get(node)
        if heads is None:
            bases = [f.base.op.name for f in self.product(node).factors]
            heads = self._heads[node] = frozenset([SUM_HEAD if name in _SUMS else name for name in bases])
        return heads

    def _product(self, node: Node) -> Product:
        coefficient = 1.0
        powers: dict[Node, int] = {}
        stack = [(node, 1)]
        seen = 0
        while stack:
            top, exponent = stack.pop()
            seen += 1
            if top.op is CONST and top.type.is_float:
                number = scalar_value(top)
                if number is not None and (number != 0 or exponent > 0) and number == number:
                    coefficient *= number**exponent if exponent > 0 else 1.0 / number ** (-exponent)
                    continue
            inner = _exponents(top) if seen <= LIMIT and (top is node or top not in self.opaque) else None
            if inner is None:
                powers[top] = powers.get(top, 0) + exponent
                continue
            if top.op.name == "negative" and exponent % 2:
                coefficient = -coefficient
            if len(inner) == 2:
                stack.append((top.args[1], exponent * inner[1]))
            stack.append((top.args[0], exponent * inner[0]))
        if 0 in powers.values():
            powers = {base: k for base, k in powers.items() if k}
        return Product(coefficient, tuple(map(Factor, powers, powers.values())))

    def _sum(self, node: Node) -> tuple[Term, ...]:
        if node.op.name in _ADDITIONS and node.args[0] in self._chains and node.args[0] not in self.opaque:
            return self._extended(node)
        terms: list[Term] = []
        opened: list[Node] = []
        stack = [(node, 1.0)]
        while stack and len(terms) + len(opened) < LIMIT:
            top, sign = stack.pop()
            parts = _addends(top) if top is node or top not in self.opaque else None
            if parts is None:
                terms.append(Term(sign, top))
            else:
                opened.append(top)
                stack += [(arg, sign * s) for arg, s in parts][::-1]
        if len(opened) == LIMIT and all(n.op.name in _ADDITIONS for n in opened):
            self._chains.add(node)
        terms += [Term(sign, top) for top, sign in reversed(stack)]
        return tuple(terms)

    def _extended(self, node: Node) -> tuple[Term, ...]:
        """The view of the next node in a chain: one term more, and the two oldest are the node that they make."""
        oldest, second, *rest = self.sum(node.args[0])
        joined = build.add if second.sign > 0 else build.subtract
        self._chains.add(node)
        sign = _SIGNS[node.op.name][1]
        return (Term(1.0, joined(oldest.node, second.node)), *rest, Term(sign, node.args[1]))


_ADDITIONS = ("add", "subtract")
_SIGNS = {"add": (1.0, 1.0), "subtract": (1.0, -1.0), "negative": (-1.0,)}
_SUMS = frozenset((*_SIGNS, "broadcast_to"))
_EXPONENTS = {
    "multiply": (1, 1),
    "divide": (1, -1),
    "negative": (1,),
    "reciprocal": (-1,),
    "square": (2,),
    "broadcast_to": (1,),
    "power": (),  # its own exponent, if that is an integer
}


def _exponents(node: Node) -> tuple[int, ...] | None:
    """The exponents of a node's arguments if it is a product of them, else None; a power's is its own."""
    known = _EXPONENTS.get(node.op.name)
    if known is None or not node.type.is_float:
        return None
    if known:
        return known
    exponent = scalar_value(node.args[1])
    whole = exponent is not None and exponent == int(exponent) and 0 < abs(exponent) <= 2**31
    return (int(exponent),) if exponent is not None and whole else None


def build_product(view: Product, dtype: str) -> Node:
    """The node of a product: scalars before arrays, otherwise in the order of the text.

    The order is kept so that no intermediate overflows that did not before.
    """
    ordered = sorted(view.factors, key=lambda f: f.base.type.rank > 0)
    first = next(
        (f for f in ordered if f.exponent > 0 and (f.base.type.rank == 0) == (ordered[0].base.type.rank == 0)), None
    )
    negated = view.coefficient == -1.0 and bool(ordered)
    result: build.Value = 1.0 if negated else view.coefficient
    if first is not None:
        ordered.remove(first)
        ordered.insert(0, first)
    for base, exponent in ordered:
        power = _power(base, abs(exponent))
        if exponent < 0:
            result = build.divide(result, power)
        else:
            result = power if not isinstance(result, Node) and result == 1 else build.multiply(result, power)
    node = result if isinstance(result, Node) else build.literal(result, [dtype])
    return build.negative(node) if negated else node


def _power(base: Node, exponent: int) -> Node:
    if exponent == 1:
        return base
    return build.apply("square", base) if exponent == 2 else build.power(base, exponent)


class Term(NamedTuple):
    """One term of a sum: a node and its sign, which is 1 or -1."""

    sign: float
    node: Node


def _addends(node: Node) -> Sequence[tuple[Node, float]] | None:
    """The signed terms of one node, or None if it is not a sum."""
    while node.op.name == "broadcast_to":
        (node,) = node.args
    signs = _SIGNS.get(node.op.name)
    return list(zip(node.args, signs, strict=True)) if signs is not None and node.type.is_float else None


def signed(node: Node) -> Term:
    """The node with its sign pulled out: -x and -2 * x are negative."""
    if node.op.name == "negative":
        return Term(-1.0, node.args[0])
    number = scalar_value(node) if node.type.is_float else None
    if number is not None and number < 0:
        return Term(-1.0, build.full_like(-number, node.type))
    if node.op.name in ("multiply", "divide"):
        first = scalar_value(node.args[0])
        if first is not None and first < 0:
            positive = build.literal(-first, [node.args[0].type.dtype])
            other = node.args[1]
            return Term(
                -1.0,
                other if -first == 1 and node.op.name == "multiply" else build.apply(node.op.name, positive, other),
            )
    return Term(1.0, node)


def build_sum(terms: Sequence[Term], dtype: str) -> Node:
    """The node of a sum: negative terms are subtracted, and the first positive one goes first."""
    pulled = [Term(sign * t.sign, t.node) for sign, t in ((t.sign, signed(t.node)) for t in terms)]
    if not pulled:
        return build.literal(0.0, [dtype])
    first = next((i for i, t in enumerate(pulled) if t.sign > 0), None)
    if first is None:
        return build.negative(build_sum([Term(1.0, t.node) for t in pulled], dtype))
    result = pulled[first].node
    for term in (*pulled[:first], *pulled[first + 1 :]):
        result = build.add(result, term.node) if term.sign > 0 else build.subtract(result, term.node)
    return result


def conform(node: Node, type: TensorType) -> Node | None:
    """`node` with the shape of what it replaces; None if the dtypes differ."""
    if node.type.dtype != type.dtype:
        return None
    return build.broadcast_to(node, type.shape)
