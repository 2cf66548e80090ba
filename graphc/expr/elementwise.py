"""Functions that work element by element, with broadcasting."""

from __future__ import annotations

from graphc.expr import build
from graphc.expr.arguments import Value, dtype_of, node, nodes, whole_number
from graphc.ir.node import Node, make
from graphc.ops import REGISTRY


def applied(name: str, *args: Value) -> Node:
    """The op `name` on values of any kind."""
    return make(REGISTRY[name], nodes(args))


def where(c: Value, a: Value, b: Value) -> Node:
    """`a` where the condition `c` is true, else `b`. Only the branch taken passes a gradient."""
    return make(REGISTRY["where"], [node(c), *nodes((a, b))])


def clip(x: Value, a_min: Value = None, a_max: Value = None, *, min: Value = None, max: Value = None) -> Node:
    """`x` kept between two bounds; either may be None. At a constant bound the derivative is 0."""
    low = min if a_min is None else a_min
    high = max if a_max is None else a_max
    array = node(x)
    plain = all(b is None or type(b) in (int, float) for b in (low, high))
    if plain and array.type.is_float:
        return build.clip(array, low, high)
    bounded = array if low is None else applied("maximum", array, low)
    return bounded if high is None else applied("minimum", bounded, high)


def round_(x: Value, decimals: Value = 0) -> Node:
    """`x` rounded to `decimals` places, halves to even; its derivative is 0."""
    places = whole_number(decimals, "decimals")
    array = node(x)
    if places == 0:
        return build.apply("rint", array)
    scale = 10.0 ** min(abs(places), 300)
    if places > 0:
        return build.divide(build.apply("rint", build.multiply(array, scale)), scale)
    return build.multiply(build.apply("rint", build.divide(array, scale)), scale)


def astype(x: Value, dtype: Value) -> Node:
    """The same values in another dtype, given by its name: astype(x, float32)."""
    array = node(x)
    return build.astype(array, dtype_of(dtype, array.type.dtype))


def power(a: Value, b: Value) -> Node:
    """`a**b`. An integer to a negative constant power is a float64, where NumPy raises."""
    if isinstance(b, (int, float)) and b < 0:
        base = node(a)
        return applied("power", base if base.type.is_float else build.astype(base, "float64"), b)
    return applied("power", a, b)
