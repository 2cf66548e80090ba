"""Products of vectors and matrices, by NumPy's rules for every rank."""

from __future__ import annotations

from graphc.errors import ShapeError
from graphc.expr import build
from graphc.expr.arguments import Value, nodes
from graphc.ir.dims import product
from graphc.ir.node import Node
from graphc.ir.types import show_shape


def matmul(a: Value, b: Value) -> Node:
    """Matrix product, as `a @ b`: stacks of matrices broadcast."""
    return build.matmul(*nodes((a, b)))


def dot(a: Value, b: Value) -> Node:
    """Product over the last axis of `a` and the second last of `b` (the only one of a vector)."""
    left, right = nodes((a, b))
    if left.type.rank == 0 or right.type.rank == 0:
        return build.multiply(left, right)
    if right.type.rank <= 2 or left.type.rank == 1:
        return build.matmul(left, right)
    rank = right.type.rank
    front = build.transpose(right, (rank - 2, *range(rank - 2), rank - 1))
    rest = (*right.shape[:-2], right.shape[-1])
    flat = build.matmul(left, build.reshape(front, (front.shape[0], product(rest))))
    return build.reshape(flat, (*left.shape[:-1], *rest))


def inner(a: Value, b: Value) -> Node:
    """Product over the last axis of both."""
    left, right = nodes((a, b))
    if left.type.rank == 0 or right.type.rank == 0:
        return build.multiply(left, right)
    if left.shape[-1] != right.shape[-1]:
        raise ShapeError("G021", f"the last sizes of {show_shape(left.shape)} and {show_shape(right.shape)} differ")
    if right.type.rank == 1:
        return build.matmul(left, right)
    if left.type.rank == 1:
        return build.matmul(right, left)
    rest = right.shape[:-1]
    flat = build.reshape(right, (product(rest), right.shape[-1]))
    return build.reshape(build.matmul(left, build.swap(flat)), (*left.shape[:-1], *rest))


def outer(a: Value, b: Value) -> Node:
    """All products of the elements of `a` and `b`, as a matrix."""
    return build.outer(*(flat(n) for n in nodes((a, b))))


def vdot(a: Value, b: Value) -> Node:
    """The sum of the products of the elements."""
    left, right = (flat(n) for n in nodes((a, b)))
    return build.matmul(left, right)


def flat(x: Node) -> Node:
    """All elements along one axis."""
    return build.reshape(x, (x.type.size,))
