"""Polynomials by their coefficients, the highest power first.

polyval([2, 0, 1], x)   (2 * x + 0) * x + 1
vander(x, 3)            columns x**2, x, 1
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.errors import ShapeError
from graphc.expr import build
from graphc.expr.arguments import Value, Weak, dim, flag, node, nodes
from graphc.ir.dims import Dim
from graphc.ir.node import Node
from graphc.ir.types import show_shape

MAX_COLUMNS = 32  # powers that are written out, each the one before times x


def polyval(p: Value, x: Value) -> Node:
    """The polynomial with the coefficients `p`, a vector of known length, at each element of `x` (Horner's rule)."""
    array = node(x)
    value = build.zeros(array.shape, array.type.dtype)
    for k, coefficient in enumerate(_coefficients(p)):
        if k == 0:
            value = build.broadcast_to(nodes((array, coefficient))[1], array.shape)
        else:
            value = build.apply("add", *nodes((build.multiply(value, array), coefficient)))
    return value


def _coefficients(p: Value) -> list[Value]:
    if isinstance(p, (tuple, list)) and not isinstance(p, Weak):
        return list(p)
    given = node(p)
    if given.type.rank != 1:
        raise ShapeError("G021", f"coefficients are a vector, not an array {show_shape(given.shape)}")
    size = given.shape[0]
    if not isinstance(size, int):
        raise ShapeError(
            "G023",
            f"the number of coefficients is the size {size}, and must be known",
            hint="declare it: p: f64[3]; or write vander(x, n) @ p",
        )
    return [build.at(given, 0, k) for k in range(size)]


def vander(x: Value, N: Value = None, increasing: Value = False) -> Node:
    """The powers of a vector, one a column, from the highest, or with increasing=True from 1."""
    array = node(x)
    if array.type.rank != 1:
        raise ShapeError("G021", f"the Vandermonde matrix is of a vector, not of an array {show_shape(array.shape)}")
    array = build.astype(array, "int64") if array.type.dtype in ("bool", "int32") else array
    powers = _powers(array, array.shape[0] if N is None else dim(N))
    return powers if flag(increasing, "increasing") else build.flip(powers, 1)


def _powers(x: Node, count: Dim) -> Node:
    """The powers 0 to `count` - 1 as running products of 1, x, x, ..."""
    n = x.shape[0]
    if count == 0:
        return build.zeros((n, 0), x.type.dtype)
    ones = build.ones((n, 1), x.type.dtype)
    if count == 1:
        return ones
    if isinstance(count, int) and count <= MAX_COLUMNS:
        columns = [build.ones((n,), x.type.dtype), x]
        while len(columns) < count:
            columns.append(build.multiply(columns[-1], x))
        return build.joined("stack", columns, 1)
    rest = build.broadcast_to(build.expand_dims(x, (1,)), (n, count - 1))
    return build.apply("cumprod", build.joined("concatenate", [ones, rest], 1), axis=1)


TABLE: dict[str, Callable[..., Any]] = {"polyval": polyval, "vander": vander}
