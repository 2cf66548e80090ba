"""The conditions that rules may name.

"positive(x)"       every element of x is known to be above 0
"spans(s, x, a)"    s is a sum of x over the axes a that lines up with x when broadcast
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graphc.expr import facts
from graphc.ir.index import Array, Range
from graphc.ir.leaf import constant_value, scalar_value
from graphc.ir.node import Node


def sums_to_one(x: Node, axes: tuple[int, ...]) -> bool:
    """Whether x is known to sum to 1 over `axes`: a softmax, rows of an identity, or constants."""
    if x.op.name == "softmax":
        return bool(x["axes"] == axes)
    if x.op.name == "astype":
        return sums_to_one(x.args[0], axes)
    if x.op.name == "getitem" and x.args[0].op.name == "eye":
        index = x["index"].entries
        one_hot = len(index) == 2 and isinstance(index[0], (Array, int)) and _whole(index[1])
        return one_hot and axes == (x.type.rank - 1,) and x.args[0]["n"] == x.args[0]["m"]
    value = constant_value(x)
    return value is not None and bool(np.all(value.sum(axis=axes) == 1.0))


def _whole(entry: Any) -> bool:
    return isinstance(entry, Range) and entry.whole


def lines_up(x: Node, axes: tuple[int, ...], keepdims: bool) -> bool:
    """Whether a reduction of x over `axes` broadcasts against x as if the axes had been kept."""
    return keepdims or axes == tuple(range(len(axes)))


def constant_over(m: Node, x: Node, axes: tuple[int, ...]) -> bool:
    """Whether m, broadcast against x, is the same all along `axes`."""
    offset = x.type.rank - m.type.rank
    return offset >= 0 and all(a < offset or m.shape[a - offset] == 1 for a in axes)


def shift_lines_up(m: Node, x: Node, axes: tuple[int, ...], keepdims: bool) -> bool:
    """Whether m, subtracted from x and added to its reduction, meets the same rows both times."""
    return m.type.rank == 0 or lines_up(x, axes, keepdims)


def same_axes(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return a == b


def kept(keepdims: bool) -> bool:
    return keepdims


def scalar(x: Node) -> bool:
    """Rank 0."""
    return x.type.rank == 0


def variable(x: Node) -> bool:
    """Not a constant."""
    return scalar_value(x) is None


def constant(x: Node) -> bool:
    return scalar_value(x) is not None


def counts(x: Node) -> bool:
    """A constant that is a positive integer: the powers by multiplying."""
    number = scalar_value(x)
    return number is not None and number > 0 and float(number).is_integer()


CONDITIONS: dict[str, Callable[..., bool]] = {
    **facts.FACTS,
    "sums_to_one": sums_to_one,
    "lines_up": lines_up,
    "constant_over": constant_over,
    "shift_lines_up": shift_lines_up,
    "same_axes": same_axes,
    "kept": kept,
    "scalar": scalar,
    "variable": variable,
    "constant": constant,
    "counts": counts,
}


def holds(condition: str, scope: Mapping[str, Any]) -> bool:
    """Whether a condition such as "positive(x)" or "not kept(k)" holds of the bound names."""
    positive = not condition.startswith("not ")
    name, _, arguments = condition.removeprefix("not ").rstrip(")").partition("(")
    result = CONDITIONS[name](*(scope[a.strip()] for a in arguments.split(",")))
    return result is positive
