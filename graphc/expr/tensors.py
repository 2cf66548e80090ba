"""Products of arrays of any rank: tensordot, kron, cross, and products of stacks of vectors.

tensordot(A, B, 1)      the last axis of A with the first of B
kron(A, B)              every element of A times all of B
multi_dot((A, B, x))    A @ (B @ x), in the cheapest order
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from graphc.errors import LimitError, ShapeError
from graphc.expr import build
from graphc.expr.arguments import Value, axis_number, nodes, sequence, whole_number
from graphc.expr.contraction import Named, contract
from graphc.expr.einsum import einsum
from graphc.expr.products import matmul
from graphc.ir.node import Node, make
from graphc.ir.types import show_shape
from graphc.ops import REGISTRY

MAX_CHAIN = 100  # arrays of one product: finding their order takes the cube of their number


def tensordot(a: Value, b: Value, axes: Value = 2) -> Node:
    """Sums of products over axes: the last `axes` of `a` with the first of `b`, or pairs (of a, of b)."""
    left, right = nodes((a, b))
    from_a, from_b = _paired_axes(axes, left, right)
    for i, j in zip(from_a, from_b, strict=True):
        if left.shape[i] != right.shape[j]:
            raise ShapeError(
                "G021",
                f"sizes {left.shape[i]} and {right.shape[j]} do not match",
                label=f"axis {i} of {show_shape(left.shape)} and axis {j} of {show_shape(right.shape)}",
            ).between(left.shape[i], right.shape[j])
    names_a = _names(0, left.type.rank)
    partner = dict(zip(from_b, from_a, strict=True))
    own = _names(left.type.rank, right.type.rank)
    names_b = "".join(names_a[partner[j]] if j in partner else n for j, n in enumerate(own))
    kept = "".join(n for i, n in enumerate(names_a) if i not in from_a)
    kept += "".join(n for j, n in enumerate(own) if j not in partner)
    return contract([Named(left, names_a), Named(right, names_b)], kept)


def _names(start: int, count: int) -> str:
    """Names of axes that no text shows: letters first, then any characters."""
    return "".join(chr(ord("a") + start + i) for i in range(count))


def _paired_axes(axes: Value, a: Node, b: Node) -> tuple[Sequence[int], Sequence[int]]:
    if not isinstance(axes, (tuple, list)):
        count = whole_number(axes, "axes")
        if not 0 <= count <= min(a.type.rank, b.type.rank):
            raise ShapeError("G022", f"{count} axes are more than {show_shape(a.shape)} or {show_shape(b.shape)} has")
        return range(a.type.rank - count, a.type.rank), range(count)
    if len(axes) != 2:
        raise ShapeError("G022", "`axes` is a number, or the axes of the first and those of the second array")
    both = [part if isinstance(part, (tuple, list)) else (part,) for part in axes]
    found = [[axis_number(i, x.type.rank) for i in part] for part, x in zip(both, (a, b), strict=True)]
    if len(found[0]) != len(found[1]) or any(len(set(part)) != len(part) for part in found):
        raise ShapeError("G022", "`axes` pairs each axis of one array with another axis of the other")
    return found[0], found[1]


def kron(a: Value, b: Value) -> Node:
    """The Kronecker product: every element of `a` times all of `b`."""
    left, right = nodes((a, b))
    rank = max(left.type.rank, right.type.rank)
    left, right = (build.expand_dims(x, tuple(range(rank - x.type.rank))) for x in (left, right))
    shape = tuple(m * n for m, n in zip(left.shape, right.shape, strict=True))
    spread = build.expand_dims(left, tuple(range(1, 2 * rank, 2)))
    other = build.expand_dims(right, tuple(range(0, 2 * rank, 2)))
    return build.reshape(build.multiply(spread, other), shape)


# --- cross products ---


def cross(a: Value, b: Value, axisa: Value = -1, axisb: Value = -1, axisc: Value = -1, axis: Value = None) -> Node:
    """The cross product of vectors of 3 elements; of 2 elements, whose third is 0."""
    if axis is not None:
        axisa = axisb = axisc = axis
    left, right = nodes((a, b))
    left, right = (_last(x, i) for x, i in ((left, axisa), (right, axisb)))
    if left.shape[-1] == right.shape[-1] == 2:
        (ax, ay), (bx, by) = _components(left), _components(right)
        return build.subtract(build.multiply(ax, by), build.multiply(ay, bx))
    result = make(REGISTRY["cross"], [_in_space(left), _in_space(right)])
    end = axis_number(axisc, result.type.rank)
    rank = result.type.rank
    return build.transpose(result, (*range(end), rank - 1, *range(end, rank - 1)))


def linalg_cross(x1: Value, x2: Value, *, axis: Value = -1) -> Node:
    """The cross product of vectors of 3 elements."""
    for x in nodes((x1, x2)):
        size = x.shape[axis_number(axis, x.type.rank)] if x.type.rank else 1
        if size != 3:
            error = ShapeError("G021", f"`cross` needs vectors of 3 elements, not {show_shape(x.shape)}")
            raise error.between(size, 3)
    return cross(x1, x2, axis=axis)


def _last(x: Node, axis: Value) -> Node:
    """The vectors along the last axis."""
    if x.type.rank == 0:
        raise ShapeError("G021", "`cross` needs vectors, and was given a scalar")
    i = axis_number(axis, x.type.rank)
    if x.shape[i] not in (2, 3):
        raise ShapeError(
            "G022",
            f"`cross` needs vectors of 2 or 3 elements, not {show_shape(x.shape)}",
            hint="declare the axis with the size 3",
        ).between(x.shape[i], 3)
    rest = [j for j in range(x.type.rank) if j != i]
    return build.transpose(x, (*rest, i))


def _components(x: Node) -> list[Node]:
    front = [build.whole(d) for d in x.shape[:-1]]
    return [build.getitem(x, [*front, k]) for k in range(2)]


def _in_space(x: Node) -> Node:
    if x.shape[-1] == 3:
        return x
    return build.joined("concatenate", [x, build.zeros((*x.shape[:-1], 1), x.type.dtype)], x.type.rank - 1)


# --- stacks of vectors ---


def vecdot(x1: Value, x2: Value, axis: Value = -1) -> Node:
    """The dot product along one axis of both; the others broadcast."""
    left, right = nodes((x1, x2))
    left, right = (build.transpose(x, _to_the_end(axis, x)) for x in (left, right))
    return einsum("...i,...i->...", left, right)


def _to_the_end(axis: Value, x: Node) -> tuple[int, ...]:
    rank = x.type.rank
    i = axis_number(axis, rank)
    return (*(j for j in range(rank) if j != i), i)


def matvec(x1: Value, x2: Value) -> Node:
    """Matrices times vectors, stack by stack."""
    left, right = nodes((x1, x2))
    return matmul(left, right) if right.type.rank == 1 else einsum("...ij,...j->...i", left, right)


def vecmat(x1: Value, x2: Value) -> Node:
    """Vectors times matrices, stack by stack."""
    left, right = nodes((x1, x2))
    return matmul(left, right) if left.type.rank == 1 else einsum("...i,...ij->...j", left, right)


def multi_dot(arrays: Value) -> Node:
    """The matrix product of two or more arrays in the cheapest order; the first and the last may be vectors."""
    parts = sequence(arrays, "multi_dot")
    if len(parts) > MAX_CHAIN:
        raise LimitError("G003", f"`multi_dot` takes at most {MAX_CHAIN} arrays", hint="write a @ b @ c")
    ranks = [x.type.rank for x in parts]
    ends = len(parts) - 1
    if len(parts) < 2 or any(not (r == 2 or (r == 1 and i in (0, ends))) for i, r in enumerate(ranks)):
        raise ShapeError("G021", "`multi_dot` takes at least two matrices, of which the first and last may be vectors")
    for x, y in pairwise(parts):
        if x.shape[-1] != y.shape[0]:
            error = ShapeError("G021", f"sizes {x.shape[-1]} and {y.shape[0]} do not match")
            raise error.between(x.shape[-1], y.shape[0])
    names = [_names(i, 2) for i in range(len(parts))]
    if ranks[0] == 1:
        names[0] = names[0][1]
    if ranks[-1] == 1:
        names[-1] = names[-1][0]
    kept = (names[0][0] if ranks[0] == 2 else "") + (names[-1][1] if ranks[-1] == 2 else "")
    return contract([Named(x, n) for x, n in zip(parts, names, strict=True)], kept)


def linalg_outer(x1: Value, x2: Value) -> Node:
    """All products of the elements of two vectors, as a matrix."""
    return build.outer(*nodes((x1, x2)))


def linalg_tensordot(x1: Value, x2: Value, *, axes: Value = 2) -> Node:
    """Sums of products over axes, as `tensordot`."""
    return tensordot(x1, x2, axes)


def linalg_vecdot(x1: Value, x2: Value, *, axis: Value = -1) -> Node:
    """The dot product along one axis of both, as `vecdot`."""
    return vecdot(x1, x2, axis)


TABLE: dict[str, Callable[..., Any]] = {
    "tensordot": tensordot,
    "kron": kron,
    "cross": cross,
    "vecdot": vecdot,
    "matvec": matvec,
    "vecmat": vecmat,
    "linalg.multi_dot": multi_dot,
    "linalg.matmul": matmul,
    "linalg.outer": linalg_outer,
    "linalg.cross": linalg_cross,
    "linalg.tensordot": linalg_tensordot,
    "linalg.vecdot": linalg_vecdot,
}
