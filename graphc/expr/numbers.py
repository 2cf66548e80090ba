"""Angles, questions about numbers, and what takes the place of numbers that are not finite.

deg2rad(x)       x * (pi / 180)
nan_to_num(x)    where(isnan(x), 0, x), and the largest float for infinity
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from graphc.errors import ShapeError
from graphc.expr import build
from graphc.expr.arguments import Value, dtype_of, flag, node, nodes
from graphc.expr.elementwise import applied
from graphc.ir.node import Node, make
from graphc.ops import REGISTRY

_LARGEST = {"float64": 1.7976931348623157e308, "float32": 3.4028234663852886e38}


def deg2rad(x: Value) -> Node:
    """Degrees as radians: x * pi / 180."""
    return build.multiply(node(x), math.pi / 180.0)


def rad2deg(x: Value) -> Node:
    """Radians as degrees: x * 180 / pi."""
    return build.multiply(node(x), 180.0 / math.pi)


def positive(x: Value) -> Node:
    """`x`, if it is a number: of booleans there is no sign."""
    array = node(x)
    make(REGISTRY["negative"], [array])  # refuses booleans
    return array


def fix(x: Value) -> Node:
    """Round towards 0; its derivative is 0."""
    return build.apply("trunc", node(x))


def float_power(a: Value, b: Value) -> Node:
    """`a**b` in float64, whatever the dtypes, as NumPy has it."""
    base, exponent = (build.astype(n, "float64") for n in nodes((a, b)))
    return build.power(base, exponent)


def isclose(a: Value, b: Value, rtol: Value = 1e-5, atol: Value = 1e-8, equal_nan: Value = False) -> Node:
    """Whether |a - b| <= atol + rtol * |b|; infinities of one sign are close."""
    first, second = nodes((a, b))
    finite = build.apply("isfinite", second)
    bounded = build.where(finite, _number(second), 0)  # inf - inf is nan, with a warning
    gap = build.apply("absolute", build.subtract(_number(first), bounded))
    room = applied("add", atol, applied("multiply", rtol, build.apply("absolute", bounded)))
    near = build.apply("logical_and", build.apply("less_equal", gap, room), finite)
    close = build.apply("logical_or", near, build.equal(first, second))
    if not flag(equal_nan, "equal_nan"):
        return close
    both = build.apply("logical_and", build.apply("isnan", first), build.apply("isnan", second))
    return build.apply("logical_or", close, both)


def _number(x: Node) -> Node:
    return build.astype(x, "int64") if x.type.dtype == "bool" else x


def allclose(a: Value, b: Value, rtol: Value = 1e-5, atol: Value = 1e-8, equal_nan: Value = False) -> Node:
    """Whether all elements are close, as in `isclose`."""
    close = isclose(a, b, rtol, atol, equal_nan)
    return make(REGISTRY["all"], [close], axes=tuple(range(close.type.rank)), keepdims=False)


def array_equal(a1: Value, a2: Value, equal_nan: Value = False) -> Node:
    """Whether two arrays have the same shape and the same elements."""
    first, second = nodes((a1, a2))
    if first.type.rank != second.type.rank:
        return build.literal(False, ["bool"])
    for a, b in zip(first.shape, second.shape, strict=True):
        if isinstance(a, int) and isinstance(b, int) and a != b:
            return build.literal(False, ["bool"])
        if a != b:
            raise ShapeError("G024", f"whether {a} is {b} is not known").between(a, b)
    equal = build.equal(first, second)
    if flag(equal_nan, "equal_nan"):
        both = build.apply("logical_and", build.apply("isnan", first), build.apply("isnan", second))
        equal = build.apply("logical_or", equal, both)
    return make(REGISTRY["all"], [equal], axes=tuple(range(equal.type.rank)), keepdims=False)


def isreal(x: Value) -> Node:
    """True everywhere: no value of the language is complex."""
    return make(REGISTRY["ones"], [], shape=node(x).shape, dtype=dtype_of("bool", "bool"))


def iscomplex(x: Value) -> Node:
    """False everywhere: no value of the language is complex."""
    return build.apply("logical_not", isreal(x))


def isposinf(x: Value) -> Node:
    """Whether x is inf."""
    return build.equal(_number(node(x)), math.inf)


def isneginf(x: Value) -> Node:
    """Whether x is -inf."""
    return build.equal(_number(node(x)), -math.inf)


def isin(element: Value, test_elements: Value, *, invert: Value = False) -> Node:
    """Whether each element is one of `test_elements`."""
    first, second = nodes((element, test_elements))
    listed = build.reshape(second, (second.type.size,))
    equal = build.equal(build.expand_dims(first, (first.type.rank,)), listed)
    found = make(REGISTRY["any"], [equal], axes=(first.type.rank,), keepdims=False)
    return build.apply("logical_not", found) if flag(invert, "invert") else found


def nan_to_num(x: Value, copy: Value = True, nan: Value = 0.0, posinf: Value = None, neginf: Value = None) -> Node:
    """`x` with other numbers in the place of nan, inf and -inf; no gradient passes there."""
    array = node(x)
    flag(copy, "copy")
    if not array.type.is_float:
        return array
    largest = _LARGEST[array.type.dtype]
    high = largest if posinf is None else posinf
    low = -largest if neginf is None else neginf
    result = array
    for mask, value in (
        (build.equal(array, -math.inf), low),
        (build.equal(array, math.inf), high),
        (build.apply("isnan", array), nan),
    ):
        result = make(REGISTRY["where"], [mask, *nodes((value, result))])
    return result


TABLE: dict[str, Callable[..., Any]] = {
    "deg2rad": deg2rad,
    "radians": deg2rad,
    "rad2deg": rad2deg,
    "degrees": rad2deg,
    "positive": positive,
    "fix": fix,
    "float_power": float_power,
    "isclose": isclose,
    "allclose": allclose,
    "array_equal": array_equal,
    "isreal": isreal,
    "iscomplex": iscomplex,
    "isposinf": isposinf,
    "isneginf": isneginf,
    "isin": isin,
    "nan_to_num": nan_to_num,
}
