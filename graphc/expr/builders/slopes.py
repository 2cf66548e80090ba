"""Derivatives that are more than an operator, as the formulas in `ops/` name them.

partial of maximum(a, b) by a    wins(a > b, a, b)       1, at a tie 1/2, and 0 beside a constant
partial of sqrt(x)               root_slope(x, y)        0.5 / y, and 0 where x is 0 and cannot be less
"""

from __future__ import annotations

import math

from graphc.expr.builders.elementwise import (
    Value,
    add,
    apply,
    as_nodes,
    divide,
    equal,
    multiply,
    power,
    subtract,
    where,
)
from graphc.expr.facts import stationary_at_zero
from graphc.ir.leaf import const_node, scalar_value
from graphc.ir.node import Node


def wins(mask: Node, a: Node, b: Node) -> Node:
    """Where the chosen argument of maximum or minimum takes the cotangent.

    A tie of two variables is shared; with a constant the minimum-norm choice is 0.
    """
    if scalar_value(a) is not None or scalar_value(b) is not None:
        return mask
    return where(mask, 1.0, where(equal(a, b), 0.5, 0.0))


def inside(x: Node, lo: float, hi: float) -> Node:
    return apply("logical_and", apply("greater", x, lo), apply("less", x, hi))


def root_slope(x: Node, y: Node) -> Node:
    """d sqrt(x)/dx = 0.5 / y; the minimum-norm choice 0 where x is 0 and cannot be less, as in a norm."""
    slope = divide(0.5, y)
    return where(equal(y, 0), 0, slope) if stationary_at_zero(x) else slope


def ratio_of_zero(a: Node, b: Node) -> Value:
    """a / b, 0 where a is 0 even if b is: what divides a factor that is not there."""
    return 1.0 if a is b else where(equal(a, 0), 0, divide(a, b))


def power_slope(a: Node, b: Node) -> Node:
    """d(a**b)/da = b * a**(b - 1), with the limit 0 where b is 0, and 0 for a root as in `root_slope`."""
    exponent = scalar_value(b)
    if exponent is None:
        return where(equal(b, 0), 0, multiply(b, power(a, subtract(b, 1))))
    if exponent == 0:
        return multiply(0, as_nodes([a])[0])
    if exponent == 1:
        return const_node(1, a.type.dtype)
    if exponent == 2:
        return multiply(2, a)
    slope = multiply(exponent, power(a, exponent - 1))
    return where(equal(a, 0), 0, slope) if exponent < 1 and stationary_at_zero(a) else slope


def excess(a: Node, b: Node) -> Node:
    """a - b, and 0 where both are the same infinity."""
    if any(v is not None and math.isfinite(v) for v in map(scalar_value, (a, b))):
        return subtract(a, b)
    same = apply("logical_and", equal(a, b), apply("isinf", a))
    return subtract(where(same, 0, a), where(same, 0, b))


def next_order(x: Node, n: int, name: str) -> Node:
    """The derivative of order n + 1, by an op whose attribute `n` is the order."""
    return apply(name, x, n=n + 1)


def bessel_slope(x: Node, n: int, name: str) -> Node:
    """Half the sum of the neighbours in order: the derivative of I(n), whose I(-1) is I(1)."""
    above = apply(name, x, n=n + 1)
    return above if n == 0 else multiply(0.5, add(apply(name, x, n=n - 1), above))
