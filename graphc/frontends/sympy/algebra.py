"""Sums, products and powers: SymPy has no minus and no division, code does.

    x + (-1)*y            x - y
    x * y**(-1)           x / y
    Rational(2, 3) * x    2 * x / 3        rounded once

Each value is kept as a quotient with a sign until something else than a product uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, NamedTuple

from graphc.errors import ParseError
from graphc.expr import build
from graphc.frontends.sympy.showing import shown
from graphc.ir.leaf import const_node, scalar_value
from graphc.ir.node import Node

EXACT = 2**53  # integers up to here are floats


class Ratio(NamedTuple):
    """`top / bottom` with a sign; None stands for 1."""

    top: Node | None
    bottom: Node | None = None
    negative: bool = False

    @property
    def size(self) -> Node:
        """The value without the sign."""
        if self.bottom is None:
            return constant(1.0) if self.top is None else self.top
        return build.divide(1.0 if self.top is None else self.top, self.bottom)

    @property
    def node(self) -> Node:
        if not self.negative:
            return self.size
        value = scalar_value(self.size)
        return build.negative(self.size) if value is None else constant(-value)


def constant(value: float) -> Node:
    """A float64 number."""
    return const_node(value, "float64")


def number(expr: Any) -> float:
    """The float64 nearest to an Integer, Rational, Float or named constant.

    Raises ParseError G004 where a float64 cannot hold it. A ratio is rounded once, from integers of any size.
    """
    try:
        value = expr.p / expr.q if expr.is_Rational else float(expr)
    except OverflowError:
        value = float("inf")
    if abs(value) == float("inf"):
        raise ParseError("G004", f"`{shown(expr)}` is beyond the largest float64")
    return float(value)


def numeral(expr: Any) -> Ratio:
    """A number on its own; its sign is the minus of a sum."""
    value = number(expr)
    return Ratio(constant(abs(value)), None, value < 0)


def factor(expr: Any, ratio: Ratio) -> Ratio:
    """A factor of a product; a Rational that no float64 is goes above and below the line, and 1 nowhere."""
    if expr.is_Rational and abs(expr.p) == expr.q:
        return Ratio(None, None, expr.p < 0)
    if not expr.is_Rational or expr.q & (expr.q - 1) == 0 or max(abs(expr.p), expr.q) > EXACT:
        return ratio
    above = abs(expr.p)
    return Ratio(None if above == 1 else constant(float(above)), constant(float(expr.q)), expr.p < 0)


def total(terms: Sequence[Ratio]) -> Ratio:
    """A sum. It begins with a term that has no minus, if there is one."""
    first = next((i for i, t in enumerate(terms) if not t.negative), None)
    if first is None:
        return Ratio(reduce(build.add, (t.size for t in terms)), None, True)
    result = terms[first].size
    for i, term in enumerate(terms):
        if i != first:
            result = build.subtract(result, term.size) if term.negative else build.add(result, term.size)
    return Ratio(result)


def times(factors: Sequence[Ratio]) -> Ratio:
    """A product."""
    negative = sum(f.negative for f in factors) % 2 == 1
    return Ratio(_product(f.top for f in factors), _product(f.bottom for f in factors), negative)


def _product(nodes: Iterable[Node | None]) -> Node | None:
    present = [n for n in nodes if n is not None]
    return reduce(build.multiply, present) if present else None


def raised(base: Node, exponent: Any, value: Ratio) -> Ratio:
    """`base**exponent`; a negative number in the exponent goes below the line."""
    if not exponent.is_Rational:
        return Ratio(build.power(base, value.node))
    if exponent.p < 0:
        return Ratio(None, _power(base, -exponent))
    return Ratio(_power(base, exponent))


def _power(base: Node, exponent: Any) -> Node:
    if exponent.p == 1 and exponent.q <= 2:
        return base if exponent.q == 1 else build.apply("sqrt", base)
    return build.power(base, number(exponent))
