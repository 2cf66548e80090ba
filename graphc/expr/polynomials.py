"""Polynomials by their coefficients, the highest power first.

polyval([2, 0, 1], x)   (2 * x + 0) * x + 1
vander(x, 3)            columns x**2, x, 1
polyder([2, 0, 1])      [4, 0]
polyfit(x, y, 2)        the coefficients of the best parabola

A coefficient that is 0 counts like any other: how long a result is does not depend on values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.errors import LimitError, ShapeError, UnsupportedError
from graphc.expr import build
from graphc.expr.arguments import Value, Weak, dim, flag, node, nodes, whole_number
from graphc.expr.convolution import convolve
from graphc.expr.linear_algebra import floating, lstsq
from graphc.ir.dims import Dim, at_least
from graphc.ir.node import Node
from graphc.ir.types import show_shape

MAX_COEFFICIENTS = 4096  # of a polynomial that is written out
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
        return list(_limited(p))
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
    return [build.at(given, 0, k) for k in _limited(range(size))]


def _limited(coefficients: Sequence[Any]) -> Sequence[Any]:
    if len(coefficients) > MAX_COEFFICIENTS:
        raise LimitError("G003", f"a polynomial has at most {MAX_COEFFICIENTS:,} coefficients")
    return coefficients


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


# --- algebra of coefficients ---


def _vector(p: Value) -> Node:
    given = node(p)
    if given.type.rank > 1:
        raise ShapeError("G021", f"coefficients are a vector, not an array {show_shape(given.shape)}")
    return build.expand_dims(given, (0,)) if given.type.rank == 0 else given


def _with_degree(p: Node, size: Dim) -> Node:
    """Coefficients with zeros in front, so that there are `size` of them."""
    gap = size - p.shape[0]
    return p if gap == 0 else build.joined("concatenate", [build.zeros((gap,), p.type.dtype), p], 0)


def _aligned(a1: Value, a2: Value) -> tuple[Node, Node]:
    first, second = (_vector(a) for a in nodes((a1, a2)))
    longer = first if at_least(first.shape[0] - second.shape[0], 0) else second
    size = longer.shape[0]
    if not all(at_least(size - p.shape[0], 0) for p in (first, second)):
        n, m = first.shape[0], second.shape[0]
        raise ShapeError("G024", f"whether {n} is more than {m} is not known", hint="declare the sizes as numbers")
    return _with_degree(first, size), _with_degree(second, size)


def polyadd(a1: Value, a2: Value) -> Node:
    """The coefficients of the sum of two polynomials."""
    return build.apply("add", *_aligned(a1, a2))


def polysub(a1: Value, a2: Value) -> Node:
    """The coefficients of the difference of two polynomials."""
    return build.apply("subtract", *_aligned(a1, a2))


def polymul(a1: Value, a2: Value) -> Node:
    """The coefficients of the product of two polynomials."""
    return convolve(*(_vector(a) for a in nodes((a1, a2))))


def _exponents(size: Dim, like: Node) -> Node:
    """size, size - 1, ..., 1."""
    return build.flip(build.add(build.arange(size, like.type.dtype), 1), 0)


def polyder(p: Value, m: Value = 1) -> Node:
    """The coefficients of the derivative of order `m`."""
    coefficients = _vector(p)
    for _ in range(whole_number(m, "m")):
        size = coefficients.shape[0]
        kept = build.between(coefficients, 0, 0, size - 1)
        coefficients = build.multiply(kept, _exponents(size - 1, kept))
    return coefficients


def polyint(p: Value, m: Value = 1, k: Value = None) -> Node:
    """The coefficients of the integral of order `m`; `k` has the constants, 0 by default."""
    coefficients = _vector(p)
    count = whole_number(m, "m")
    constants = list(k) if isinstance(k, (tuple, list)) else [0.0 if k is None else k] * count
    if len(constants) != count:
        raise ShapeError("G021", f"`k` has one constant for each of the {count} integrals, not {len(constants)}")
    for constant in constants:
        raised = build.divide(coefficients, _exponents(coefficients.shape[0], coefficients))
        last = build.reshape(nodes((raised, constant))[1], (1,))
        coefficients = build.joined("concatenate", [raised, last], 0)
    return coefficients


def polyfit(x: Value, y: Value, deg: Value, rcond: Value = None, full: Value = False, w: Value = None) -> Node:
    """The coefficients of the polynomial of degree `deg` with the least squared distance to the points (x, y)."""
    if flag(full, "full") or rcond is not None:
        raise UnsupportedError("G040", "`polyfit` takes no full= or rcond= here", hint="write lstsq(vander(x, n), y)")
    points, values = nodes((x, y))
    matrix = vander(floating(points), dim(deg) + 1)
    if w is not None:
        weight = nodes((matrix, w))[1]
        matrix = build.multiply(matrix, build.expand_dims(weight, (1,)))
        values = build.multiply(values, _along_first(weight, values))
    scale = build.apply("sqrt", build.reduce("sum", build.multiply(matrix, matrix), (0,)))
    found: Node = lstsq(build.divide(matrix, scale), values)[0]
    return build.divide(found, _along_first(scale, found))


def _along_first(vector: Node, target: Node) -> Node:
    """A vector along the first axis of `target`."""
    return build.expand_dims(vector, (1,)) if target.type.rank == 2 else vector


TABLE: dict[str, Callable[..., Any]] = {
    "polyval": polyval,
    "vander": vander,
    "polyadd": polyadd,
    "polysub": polysub,
    "polymul": polymul,
    "polyder": polyder,
    "polyint": polyint,
    "polyfit": polyfit,
}
