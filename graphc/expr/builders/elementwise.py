"""Ops that work element by element, numbers allowed wherever nodes are.

    multiply(2, x)        the 2 takes the dtype of x: Python numbers never widen
    astype(x, "float64")  is x where that is its dtype

Any other op, of any family, is written `apply("sin", x)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from graphc.ir.leaf import const_node
from graphc.ir.node import Node, make
from graphc.ir.types import promote
from graphc.ops import REGISTRY

Number = int | float | bool
Value = Node | Number


def apply(name: str, *args: Value, **attrs: Any) -> Node:
    """The op called `name` on nodes and numbers."""
    nodes = as_nodes(args, skip_first=name == "where")
    return make(REGISTRY[name], nodes, **attrs)


def as_nodes(args: Sequence[Value], skip_first: bool = False) -> list[Node]:
    """Numbers become constants of the dtype that the nodes beside them have."""
    nodes = [a for a in args if isinstance(a, Node)]
    if len(nodes) == len(args):
        return nodes
    peers = [a.type.dtype for a in args[int(skip_first) :] if isinstance(a, Node)]
    return [a if isinstance(a, Node) else literal(a, peers) for a in args]


def literal(value: Number, peers: Iterable[str] = ()) -> Node:
    """A number as a constant beside values of the dtypes `peers`; float64 or int64 without any."""
    dtype = promote("bool", *peers)
    if isinstance(value, bool):
        return const_node(value, "bool")
    if isinstance(value, int):
        if dtype == "bool":
            dtype = "int64"
        if dtype in ("int32", "int64") and not -(2**63) <= value < 2**63:
            dtype = "float64"
    elif dtype not in ("float32", "float64"):
        dtype = "float64"
    return const_node(float(value) if dtype.startswith("float") else value, dtype)


def number(value: Number, like: Node) -> Node:
    """A constant of the dtype of a node."""
    return const_node(value, like.type.dtype)


# --- operators ---


def add(a: Value, b: Value) -> Node:
    return apply("add", a, b)


def subtract(a: Value, b: Value) -> Node:
    return apply("subtract", a, b)


def multiply(a: Value, b: Value) -> Node:
    return apply("multiply", a, b)


def divide(a: Value, b: Value) -> Node:
    return apply("divide", a, b)


def power(a: Value, b: Value) -> Node:
    return apply("power", a, b)


def negative(x: Value) -> Node:
    return apply("negative", x)


def equal(a: Value, b: Value) -> Node:
    return apply("equal", a, b)


def where(c: Node, a: Value, b: Value) -> Node:
    return apply("where", c, a, b)


def astype(x: Node, dtype: str) -> Node:
    return x if x.type.dtype == dtype else apply("astype", x, dtype=dtype)


def clip(x: Value, lo: Value | None, hi: Value | None) -> Node:
    """`x` kept between `lo` and `hi`; either may be None."""
    if isinstance(lo, Node) or isinstance(hi, Node):
        low = x if lo is None else apply("maximum", x, lo)
        return as_nodes([low])[0] if hi is None else apply("minimum", low, hi)
    if lo is None and hi is None:
        return as_nodes([x])[0]
    if lo is None or hi is None:
        return apply("minimum", x, hi) if hi is not None else apply("maximum", x, lo or 0)
    return apply("clip", x, lo=float(lo) + 0.0, hi=float(hi) + 0.0)  # -0.0 is 0.0: attributes are compared by ==
