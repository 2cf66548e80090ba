"""Determinants, their sign and logarithm, and the cofactors that are their gradient.

    y = det(A)               ->   dA = dy cofactor(A)        also where A is singular
    y = log(abs(det(A)))     ->   dA = dy inv(A).T

All work on stacks of matrices. Derivatives after Giles, "Collected matrix derivative results for
forward and reverse mode algorithmic differentiation" (2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ir.dims import Dim
from graphc.ir.node import Node
from graphc.ir.op import Helper, Op
from graphc.ir.types import TensorType, broadcast
from graphc.ops import exactness
from graphc.ops.matrices import floating, scalar, square, square_shape

_COFACTOR = Helper(
    "_cofactor",
    array='''def _cofactor(A: Array) -> Array:
    """The gradient of the determinant, det(A) inv(A).T, also where A is singular."""
    u, s, vt = np.linalg.svd(A, full_matrices=False)
    hide = np.eye(s.shape[-1], dtype=bool)
    others = np.where(hide, 1, s[..., None, :]).prod(axis=-1)
    sign = np.linalg.det(u) * np.linalg.det(vt)
    out: Array = sign[..., None, None] * ((u * others[..., None, :]) @ vt)
    return out
''',
)
_COFACTOR_SLOPE = Helper(
    "_cofactor_slope",
    array='''def _cofactor_slope(A: Array, X: Array) -> Array:
    """The change of the cofactors of A along X, also where A is singular."""
    u, s, vt = np.linalg.svd(A, full_matrices=False)
    hide = np.eye(s.shape[-1], dtype=bool)
    hidden = hide[:, None] | hide
    others = np.where(hidden, 1, s[..., None, None, :]).prod(axis=-1)
    others = np.where(hide, 0, others)
    inner = u.swapaxes(-1, -2) @ X @ vt.swapaxes(-1, -2)
    change = -others * inner.swapaxes(-1, -2)
    diagonal = np.diagonal(inner, axis1=-2, axis2=-1)
    change += hide * (others @ diagonal[..., None])
    sign = np.linalg.det(u) * np.linalg.det(vt)
    out: Array = sign[..., None, None] * (u @ change @ vt)
    return out
''',
)


def _over_matrices(e: Any, x: Node) -> Node:
    """A scalar for each matrix of a stack, shaped to multiply the matrices."""
    return e.expand_dims(x, (x.type.rank, x.type.rank + 1)) if x.type.rank else x


def _det(e: Any, node: Node, ct: Node, i: int) -> Node:
    return e.multiply(_over_matrices(e, ct), e.apply("cofactor", node.args[0]))  # type: ignore[no-any-return]


def _cofactor(e: Any, node: Node, ct: Node, i: int) -> Node:
    return e.apply("cofactor_slope", node.args[0], ct)  # type: ignore[no-any-return]


def _cofactor_slope(e: Any, node: Node, ct: Node, i: int) -> Node:
    """Self-adjoint in X. In A it is the third derivative of the determinant, by way of the inverse.

    With Y = inv(A): <ct, slope(X)> = det(A) (tr(Y X) tr(Y ct) - tr(Y X Y ct)).
    """
    a, x = node.args
    if i == 1:
        return e.apply("cofactor_slope", a, ct)  # type: ignore[no-any-return]
    y = e.apply("inv", a)
    yx, yc = e.matmul(y, x), e.matmul(y, ct)

    def trace(p: Node, q: Node) -> Node:  # tr(p q)
        rank = p.type.rank
        return e.reduce("sum", e.multiply(p, e.swap(q)), (rank - 2, rank - 1), True)  # type: ignore[no-any-return]

    tx, tc, both = trace(y, x), trace(y, ct), trace(yx, yc)
    level = e.subtract(e.multiply(tx, tc), both)
    mixed = e.add(e.matmul(yx, yc), e.matmul(yc, yx))
    spread = e.add(e.multiply(tc, yx), e.multiply(tx, yc))
    inner = e.subtract(e.multiply(level, y), e.matmul(e.subtract(spread, mixed), y))
    return e.multiply(_over_matrices(e, e.apply("det", a)), e.swap(inner))  # type: ignore[no-any-return]


def _cofactor_slope_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    return e.apply("cofactor_slope", *(e.behind(x, h, node.type.rank) for x, h in zip(args, has, strict=True)))  # type: ignore[no-any-return]


def _log_det(e: Any, node: Node, ct: Node, i: int) -> Node:
    return e.multiply(_over_matrices(e, ct), e.swap(e.apply("inv", node.args[0])))  # type: ignore[no-any-return]


def _nothing(e: Any, node: Node, ct: Node, i: int) -> None:
    """Constant almost everywhere."""


_STACKS = frozenset({"untyped", "stacks"})

OPS: list[Op] = [
    Op(
        "det",
        ("A",),
        scalar("det"),
        "np.linalg.det(A)",
        "The determinant of each matrix.",
        spelling="np.linalg.det(A)",
        adjoint=_det,
        traits=_STACKS,
        cost=50.0,
        formula="dA = dy cofactor(A)",
        label="det",
        exactness=exactness.LAPACK,
        conventions="the derivative of a singular matrix is its cofactors",
    ),
    Op(
        "cofactor",
        ("A",),
        square("cofactor"),
        "_cofactor(A)",
        "The gradient of the determinant: det(A) inv(A).T, also where A is singular.",
        helpers=(_COFACTOR,),
        adjoint=_cofactor,
        traits=frozenset({"stacks"}),
        cost=300.0,
        formula="dA = cofactor_slope(A, dy)",
        label="cofactor",
        exactness=exactness.COFACTOR,
    ),
    Op(
        "cofactor_slope",
        ("A", "X"),
        lambda types, attrs: TensorType(
            floating(*types), broadcast(square_shape(types[0], "cofactor"), square_shape(types[1], "cofactor"))
        ),
        "_cofactor_slope(A, X)",
        "The change of the cofactors of A along X.",
        helpers=(_COFACTOR_SLOPE,),
        adjoint=_cofactor_slope,
        batch=_cofactor_slope_rows,
        cost=300.0,
        formula="dX = cofactor_slope(A, dy)",
        label="slope",
        exactness=exactness.COFACTOR_SLOPE,
    ),
    Op(
        "slogdet_sign",
        ("A",),
        scalar("slogdet"),
        "np.linalg.slogdet(A).sign",
        "The sign of the determinant.",
        spelling="np.linalg.slogdet(A)[0]",
        adjoint=_nothing,
        traits=_STACKS,
        cost=50.0,
        formula="0",
        label="sign",
        exactness=exactness.LAPACK,
        conventions="0 of a singular matrix; derivative 0 everywhere",
    ),
    Op(
        "slogdet_log",
        ("A",),
        scalar("slogdet"),
        "np.linalg.slogdet(A).logabsdet",
        "The logarithm of the absolute value of the determinant.",
        spelling="np.linalg.slogdet(A)[1]",
        adjoint=_log_det,
        traits=_STACKS,
        cost=50.0,
        formula="dA = dy inv(A).T",
        label="logdet",
        exactness=exactness.LAPACK,
        conventions="-inf of a singular matrix",
    ),
]
