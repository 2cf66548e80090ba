"""Decompositions: Cholesky, symmetric eigenvalues, singular values, QR. An op for each factor.

    L = cholesky(A)    S = L.T dL,  dA = inv(L).T (tril(S) + tril(S, -1).T) inv(L) / 2

Derivatives after Giles (2008) for eigenvalues and singular values, Murray, "Differentiation of the
Cholesky decomposition" (2016), and Walter and Lehmann, "Algorithmic differentiation of linear
algebra functions" (2010) for QR. Where eigenvalues coincide the vectors have no derivative: a
difference of 0 is left out, so that what does not depend on the choice of vectors stays finite.

`cholesky` and `eigh` read the lower triangle and are taken as functions of the symmetric part of
their argument: their gradients are symmetric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.ir.dims import Dim, minimum
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType
from graphc.ops import exactness
from graphc.ops.matrices import floating, matrix_shape, square, square_shape


def _columns(e: Any, x: Node, scale: Node) -> Node:
    """Each column of a matrix times an element: x @ diag(scale)."""
    return e.multiply(x, e.expand_dims(scale, (scale.type.rank - 1,)))  # type: ignore[no-any-return]


def _sandwich(e: Any, left: Node, middle: Node, right: Node) -> Node:
    return e.matmul(e.matmul(left, middle), right)  # type: ignore[no-any-return]


def _symmetric(e: Any, x: Node) -> Node:
    return e.multiply(0.5, e.add(x, e.swap(x)))  # type: ignore[no-any-return]


def _mirrored(e: Any, x: Node) -> Node:
    """The lower triangle, copied to the upper one."""
    return e.add(e.apply("tril", x, k=0), e.swap(e.apply("tril", x, k=-1)))  # type: ignore[no-any-return]


def _gaps(e: Any, x: Node, between: Callable[[Node, Node], Node]) -> Node:
    """What lies between x_i and x_j, in row i and column j."""
    rank = x.type.rank
    return between(e.expand_dims(x, (rank - 1,)), e.expand_dims(x, (rank,)))


def _inverse(e: Any, x: Node) -> Node:
    """1 / x, and 0 where x is 0."""
    return e.where(e.equal(x, 0), 0, e.divide(1, x))  # type: ignore[no-any-return]


# --- Cholesky ---


def _cholesky(e: Any, node: Node, ct: Node, i: int) -> Node:
    upper = e.swap(node)
    middle = _mirrored(e, e.matmul(upper, ct))
    half = e.apply("solve", upper, middle)
    return e.multiply(0.5, e.apply("solve", upper, e.swap(half)))  # type: ignore[no-any-return]


# --- symmetric eigenvalues ---


def _eigh_values(e: Any, node: Node, ct: Node, i: int) -> Node:
    v = e.apply("eigh_vectors", node.args[0])
    return e.matmul(_columns(e, v, ct), e.swap(v))  # type: ignore[no-any-return]


def _eigh_vectors(e: Any, node: Node, ct: Node, i: int) -> Node:
    v, vt = node, e.swap(node)
    gaps = _gaps(e, e.apply("eigh_values", node.args[0]), e.subtract)
    middle = e.multiply(_inverse(e, gaps), e.matmul(vt, ct))
    return _symmetric(e, _sandwich(e, v, middle, vt))


# --- singular values ---


def _rank_shape(types: Sequence[TensorType]) -> tuple[tuple[Dim, ...], Dim, Dim, Dim]:
    """The stack, the rows, the columns and how many singular values there are."""
    *batch, rows, columns = matrix_shape(types[0], "svd")
    return tuple(batch), rows, columns, minimum(rows, columns)


def _u_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    batch, rows, _, count = _rank_shape(types)
    return TensorType(floating(types[0]), (*batch, rows, count))


def _s_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    batch, _, _, count = _rank_shape(types)
    return TensorType(floating(types[0]), (*batch, count))


def _vt_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    batch, _, columns, count = _rank_shape(types)
    return TensorType(floating(types[0]), (*batch, count, columns))


def _factors(e: Any, a: Node) -> tuple[Node, Node, Node]:
    return e.apply("svd_u", a), e.apply("svd_values", a), e.apply("svd_vt", a)


def _svd_values(e: Any, node: Node, ct: Node, i: int) -> Node:
    """A singular value of 0 is at a kink, as abs is: its slope is the smallest one, 0."""
    u, s, vt = _factors(e, node.args[0])
    return e.matmul(_columns(e, u, e.where(e.apply("greater", s, 0), ct, 0)), vt)  # type: ignore[no-any-return]


def _svd_u(e: Any, node: Node, ct: Node, i: int) -> Node:
    u, s, vt = _factors(e, node.args[0])
    return e.matmul(_turned(e, u, s, ct), vt)  # type: ignore[no-any-return]


def _svd_vt(e: Any, node: Node, ct: Node, i: int) -> Node:
    """As for U: the transpose of A has the factors V and U.T."""
    u, s, vt = _factors(e, node.args[0])
    return e.matmul(u, e.swap(_turned(e, e.swap(vt), s, e.swap(ct))))  # type: ignore[no-any-return]


def _turned(e: Any, u: Node, s: Node, ct: Node) -> Node:
    """What the cotangent of U gives to A, times V: inside the space of U, and beyond it."""
    inner = e.matmul(e.swap(u), ct)
    beyond = _columns(e, e.subtract(ct, e.matmul(u, inner)), _inverse(e, s))
    gaps = _gaps(e, s, lambda x, y: e.multiply(e.subtract(x, y), e.add(x, y)))
    turns = e.multiply(_inverse(e, gaps), e.subtract(inner, e.swap(inner)))
    return e.add(e.matmul(u, _columns(e, turns, s)), beyond)  # type: ignore[no-any-return]


# --- QR ---


def _q_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return TensorType(floating(types[0]), matrix_shape(types[0], "qr"))


def _r_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    *batch, _, columns = matrix_shape(types[0], "qr")
    return TensorType(floating(types[0]), (*batch, columns, columns))


def _tall(types: Sequence[TensorType], attrs: Attrs) -> list[tuple[Dim, int]]:
    return [(types[0].shape[-2] - types[0].shape[-1], 0)]


def _qr(e: Any, a: Node, outer: Node | None, middle: Node) -> Node:
    """(outer + Q mirrored(middle)) inv(R).T."""
    inside = e.matmul(e.apply("qr_q", a), _mirrored(e, middle))
    total = inside if outer is None else e.add(outer, inside)
    return e.swap(e.apply("solve", e.apply("qr_r", a), e.swap(total)))  # type: ignore[no-any-return]


def _qr_q(e: Any, node: Node, ct: Node, i: int) -> Node:
    return _qr(e, node.args[0], ct, e.negative(e.matmul(e.swap(ct), node)))


def _qr_r(e: Any, node: Node, ct: Node, i: int) -> Node:
    upper = e.apply("triu", ct, k=0)
    return _qr(e, node.args[0], None, e.matmul(node, e.swap(upper)))


_FACTOR = frozenset({"untyped", "stacks"})
_PLACES = {"eigenvectors": 1, "U": 0, "Vh": 2, "Q": 0, "R": 1}  # of the fields of NumPy's results


def _factor(name: str, infer: Any, text: str, adjoint: Any, doc: str, formula: str, **extra: Any) -> Op:
    """One factor. NumPy's results have names; the text language counts them."""
    call, _, field = text.rpartition(").")
    spelling = f"{call})[{_PLACES[field]}]" if field in _PLACES else text
    extra.setdefault("cost", 300.0)
    return Op(
        name, ("A",), infer, text, doc, spelling=spelling, adjoint=adjoint, formula=formula, traits=_FACTOR, **extra
    )


OPS: list[Op] = [
    _factor(
        "cholesky",
        square("cholesky"),
        "np.linalg.cholesky(A)",
        _cholesky,
        "The lower triangle L with L L.T = A.",
        "dA = inv(L).T sym(L.T dL) inv(L) / 2",
        cost=50.0,
        label="L",
        exactness=exactness.LAPACK,
        conventions="half of the derivative on each side of the diagonal; an error unless A is positive definite",
    ),
    _factor(
        "eigh_values",
        lambda types, attrs: TensorType(floating(types[0]), square_shape(types[0], "eigvalsh")[:-1]),
        "np.linalg.eigvalsh(A)",
        _eigh_values,
        "The eigenvalues of a symmetric matrix, in ascending order.",
        "dA = V diag(dy) V.T",
        label="w",
        exactness=exactness.LAPACK,
        conventions="half of the derivative on each side of the diagonal",
    ),
    _factor(
        "eigh_vectors",
        square("eigh"),
        "np.linalg.eigh(A).eigenvectors",
        _eigh_vectors,
        "The eigenvectors of a symmetric matrix, as columns.",
        "dA = V (V.T dV / (w_j - w_i)) V.T",
        label="V",
        exactness=exactness.LAPACK,
        conventions="half of the derivative on each side of the diagonal, the turn between equal eigenvalues left out",
    ),
    _factor(
        "svd_u",
        _u_type,
        "np.linalg.svd(A, full_matrices=False).U",
        _svd_u,
        "The left singular vectors, as columns.",
        "dA by Giles, section 3.3",
        label="U",
        exactness=exactness.LAPACK,
        conventions="the turn between equal singular values left out",
    ),
    _factor(
        "svd_values",
        _s_type,
        "np.linalg.svd(A, compute_uv=False)",
        _svd_values,
        "The singular values, in descending order.",
        "dA = U diag(dy) V.T",
        range=(0.0, float("inf")),
        label="s",
        exactness=exactness.LAPACK,
        conventions="derivative 0 at a singular value of 0",
    ),
    _factor(
        "svd_vt",
        _vt_type,
        "np.linalg.svd(A, full_matrices=False).Vh",
        _svd_vt,
        "The right singular vectors, as rows.",
        "dA by Giles, section 3.3",
        label="Vt",
        exactness=exactness.LAPACK,
        conventions="the turn between equal singular values left out",
    ),
    _factor(
        "qr_q",
        _q_type,
        "np.linalg.qr(A).Q",
        _qr_q,
        "The orthonormal columns Q of A = Q R, for at least as many rows as columns.",
        "dA by Walter and Lehmann",
        requires=_tall,
        label="Q",
        exactness=exactness.LAPACK,
        conventions="the derivative is an error where R is singular",
    ),
    _factor(
        "qr_r",
        _r_type,
        "np.linalg.qr(A).R",
        _qr_r,
        "The upper triangle R of A = Q R, for at least as many rows as columns.",
        "dA by Walter and Lehmann",
        requires=_tall,
        label="R",
        exactness=exactness.LAPACK,
        conventions="the derivative is an error where R is singular",
    ),
]
