"""Division with remainder, parts of numbers, and bits.

divmod(a, b)         (a // b, a % b)
bitwise_and(a, b)    of integers; of booleans it is logical_and
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.expr import build
from graphc.expr.arguments import Value, node, nodes
from graphc.expr.elementwise import applied
from graphc.ir.node import Node, make
from graphc.ops import REGISTRY


def mod(a: Value, b: Value) -> Node:
    """The remainder of a / b, with the sign of b: a - b * floor(a / b)."""
    return applied("mod", a, b)


def floor_divide(a: Value, b: Value) -> Node:
    """floor(a / b); its derivative is 0."""
    return applied("floor_divide", a, b)


def divmod_(a: Value, b: Value) -> tuple[Node, Node]:
    """The quotient floor(a / b) and the remainder."""
    return floor_divide(a, b), mod(a, b)


def modf(x: Value) -> tuple[Node, Node]:
    """The part behind the point and the whole part, both with the sign of `x`."""
    array = _floating(x)
    finite = build.where(build.apply("isinf", array), 0, array)  # inf - inf is nan, with a warning
    return build.subtract(finite, build.apply("trunc", finite)), build.apply("trunc", array)


def ldexp(x: Value, i: Value) -> Node:
    """x * 2**i for integers i, in two steps, so that 2**i may be beyond the largest float."""
    array, exponent = _floating(x), node(i)
    half = make(REGISTRY["floor_divide"], nodes((exponent, 2)))
    rest = build.subtract(exponent, half)
    for part in (half, rest):
        array = build.multiply(array, build.apply("exp2", build.astype(part, array.type.dtype)))
    return array


def frexp(x: Value) -> tuple[Node, Node]:
    """The mantissa m, 1/2 <= |m| < 1, and the integer e of x = m * 2**e. The derivative of m is 2**-e."""
    array = _floating(x)
    return build.apply("mantissa", array), build.apply("exponent", array)


def _floating(x: Value) -> Node:
    array = node(x)
    return array if array.type.is_float else build.astype(array, "float64")


# --- bits ---


def _bits(whole: str, logical: str) -> Callable[..., Node]:
    def call(a: Value, b: Value) -> Node:
        pair = nodes((a, b))
        booleans = all(n.type.dtype == "bool" for n in pair)
        return make(REGISTRY[logical if booleans else whole], pair)

    call.__doc__ = f"{REGISTRY[whole].doc} Of booleans it is {logical}."
    return call


bitwise_and = _bits("bitwise_and", "logical_and")
bitwise_or = _bits("bitwise_or", "logical_or")
bitwise_xor = _bits("bitwise_xor", "logical_xor")


def invert(x: Value) -> Node:
    """The opposite of every bit; of booleans it is logical_not."""
    array = node(x)
    return build.apply("logical_not" if array.type.dtype == "bool" else "invert", array)


def left_shift(a: Value, b: Value) -> Node:
    """a * 2**b, of integers."""
    return applied("left_shift", a, b)


def right_shift(a: Value, b: Value) -> Node:
    """floor(a / 2**b), of integers."""
    return applied("right_shift", a, b)


def gcd(a: Value, b: Value) -> Node:
    """The greatest common divisor of integers."""
    return applied("gcd", a, b)


def lcm(a: Value, b: Value) -> Node:
    """The least common multiple of integers."""
    return applied("lcm", a, b)


TABLE: dict[str, Callable[..., Any]] = {
    "mod": mod,
    "remainder": mod,
    "floor_divide": floor_divide,
    "divmod": divmod_,
    "modf": modf,
    "ldexp": ldexp,
    "frexp": frexp,
    "bitwise_and": bitwise_and,
    "bitwise_or": bitwise_or,
    "bitwise_xor": bitwise_xor,
    "invert": invert,
    "bitwise_not": invert,
    "bitwise_invert": invert,
    "left_shift": left_shift,
    "bitwise_left_shift": left_shift,
    "right_shift": right_shift,
    "bitwise_right_shift": right_shift,
    "gcd": gcd,
    "lcm": lcm,
}
