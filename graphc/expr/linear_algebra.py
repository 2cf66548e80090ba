"""Linear systems, decompositions and matrix functions, as in `numpy.linalg`.

    linalg.solve(A, b)      A x = b; its gradient solves with A.T and inverts nothing
    linalg.eigh(A)          (eigenvalues, eigenvectors)
    linalg.slogdet(A)[1]    log|det(A)|, whose gradient is inv(A).T

All but `lstsq` and `tensorsolve` work on stacks of matrices. A decomposition has an op for each
factor, so a factor that is not used is not computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from graphc.errors import ShapeError, UnsupportedError
from graphc.expr import build, triangles
from graphc.expr.arguments import Value, axes_of, describe, flag, node, nodes, whole_number
from graphc.ir.dims import Dim, at_least, product
from graphc.ir.index import Range
from graphc.ir.node import Node, make
from graphc.ir.types import show_shape
from graphc.ops import REGISTRY


class Slogdet(NamedTuple):
    """What NumPy calls the results of `slogdet`."""

    sign: Node
    logabsdet: Node


class Eigh(NamedTuple):
    """What NumPy calls the results of `eigh`."""

    eigenvalues: Node
    eigenvectors: Node


class Svd(NamedTuple):
    """What NumPy calls the results of `svd`."""

    U: Node
    S: Node
    Vh: Node


class QR(NamedTuple):
    """What NumPy calls the results of `qr`."""

    Q: Node
    R: Node


def floating(x: Node) -> Node:
    return x if x.type.is_float else build.astype(x, "float64")


def _of_matrix(name: str, A: Value, **attrs: Any) -> Node:
    return make(REGISTRY[name], [floating(node(A))], **attrs)


# --- systems ---


def inv(a: Value) -> Node:
    """The inverse of each matrix. To solve a system, `linalg.solve` is faster and more accurate."""
    return _of_matrix("inv", a)


def solve(a: Value, b: Value) -> Node:
    """The x with a @ x = b; `b` is a vector or, with one column a system, a matrix."""
    return make(REGISTRY["solve"], [floating(n) for n in nodes((a, b))])


def det(a: Value) -> Node:
    """The determinant of each matrix; its gradient is right for singular matrices, too."""
    return _of_matrix("det", a)


def slogdet(a: Value) -> Slogdet:
    """The sign of the determinant and the logarithm of its absolute value, without overflow."""
    return Slogdet(_of_matrix("slogdet_sign", a), _of_matrix("slogdet_log", a))


def pinv(a: Value, rcond: Value = None, hermitian: Value = False, *, rtol: Value = None) -> Node:
    """The Moore-Penrose inverse of each matrix."""
    flag(hermitian, "hermitian")
    cutoff = rcond if rtol is None else rtol
    if cutoff is not None and (isinstance(cutoff, bool) or not isinstance(cutoff, (int, float))):
        raise UnsupportedError("G040", f"`rcond` is a number known when the model is compiled, not {describe(cutoff)}")
    return _of_matrix("pinv", a, rcond=None if cutoff is None else float(cutoff))


def lstsq(a: Value, b: Value, rcond: Value = None) -> tuple[Node, Node, Node, Node]:
    """The x with the smallest |a x - b|, the squared residuals, the rank and the singular values.

    The residuals are those of a matrix of full rank with more rows than columns.
    """
    if rcond is not None:
        raise UnsupportedError("G040", "`lstsq` takes no rcond", hint="write linalg.pinv(A, rcond) @ b")
    left, right = (floating(n) for n in nodes((a, b)))
    x = make(REGISTRY["lstsq"], [left, right])
    errors = build.apply("square", build.subtract(right, build.matmul(left, x)))
    residuals = build.reduce("sum", errors, (0,), right.type.rank == 1)
    if at_least(left.shape[1] - left.shape[0], 0):
        residuals = build.zeros((0,), x.type.dtype)
    return x, residuals, matrix_rank(left), svdvals(left)


def solve_triangular(a: Value, b: Value, trans: Value = 0, lower: Value = False, unit_diagonal: Value = False) -> Node:
    """The x with a @ x = b, or a.T @ x = b with trans=1, of which only one triangle of `a` is read."""
    left, right = (floating(n) for n in nodes((a, b)))
    below, unit = flag(lower, "lower"), flag(unit_diagonal, "unit_diagonal")
    n = left.shape[-1] if left.type.rank else 0
    edge = (-1 if below else 1) if unit else 0
    triangle = make(REGISTRY["tril" if below else "triu"], [left], k=edge)
    if unit:
        triangle = build.add(triangle, build.eye(n, n, left.type.dtype))
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise UnsupportedError("G040", f"`trans` is 0 or 1, not {describe(trans)}")
    return solve(triangle if trans in (0, "N") else build.swap(triangle), right)


def cho_factor(a: Value, lower: Value = False) -> tuple[Node, bool]:
    """A triangle and whether it is the lower one, as `cho_solve` takes them."""
    below = flag(lower, "lower")
    triangle = cholesky(a)
    return (triangle if below else build.swap(triangle)), below


def cho_solve(c_and_lower: Value, b: Value) -> Node:
    """The x with A @ x = b, given `cho_factor(A)` or (L, True) with L = linalg.cholesky(A)."""
    if not isinstance(c_and_lower, (tuple, list)) or len(c_and_lower) != 2:
        raise ShapeError("G021", f"`cho_solve` takes (c, lower) and b, not {describe(c_and_lower)}")
    triangle, below = node(c_and_lower[0]), flag(c_and_lower[1], "lower")
    first = solve_triangular(triangle, b, 0 if below else 1, below)
    return solve_triangular(triangle, first, 1 if below else 0, below)


# --- decompositions ---


def cholesky(a: Value, *, upper: Value = False) -> Node:
    """The lower triangle L with L @ L.T = a, for symmetric positive definite matrices."""
    factor = _of_matrix("cholesky", a)
    return build.swap(factor) if flag(upper, "upper") else factor


def eigh(a: Value) -> Eigh:
    """Eigenvalues, ascending, and eigenvectors (columns) of symmetric matrices."""
    return Eigh(eigvalsh(a), _of_matrix("eigh_vectors", a))


def eigvalsh(a: Value) -> Node:
    """Eigenvalues of symmetric matrices, ascending."""
    return _of_matrix("eigh_values", a)


def eig(a: Value) -> Node:
    """Not there: eigenvalues of matrices that are not symmetric are complex."""
    raise UnsupportedError(
        "G040",
        "`linalg.eig`: eigenvalues of a matrix that is not symmetric are complex numbers, which graphc has not",
        hint="of symmetric matrices write linalg.eigh(A) or linalg.eigvalsh(A)",
    )


def svd(a: Value, full_matrices: Value = True, compute_uv: Value = True, hermitian: Value = False) -> Svd | Node:
    """Factors U, s, Vt with a = (U * s) @ Vt; write full_matrices=False unless `a` is square."""
    array = floating(node(a))
    flag(hermitian, "hermitian")
    if not flag(compute_uv, "compute_uv"):
        return svdvals(array)
    if flag(full_matrices, "full_matrices") and array.type.rank >= 2 and array.shape[-1] != array.shape[-2]:
        raise UnsupportedError(
            "G040",
            f"the full factors of {show_shape(array.shape)} have no derivative: part of them is arbitrary",
            hint="write linalg.svd(A, full_matrices=False)",
        )
    return Svd(_of_matrix("svd_u", array), svdvals(array), _of_matrix("svd_vt", array))


def svdvals(x: Value) -> Node:
    """Singular values, descending."""
    return _of_matrix("svd_values", x)


def qr(a: Value, mode: Value = "reduced") -> QR | Node:
    """Q with orthonormal columns and the upper triangle R, with a = Q @ R."""
    if mode not in ("reduced", "r"):
        raise UnsupportedError("G040", "`qr` has the modes reduced and r")
    array = floating(node(a))
    if array.type.rank >= 2 and array.shape[-2] != array.shape[-1] and at_least(array.shape[-1] - array.shape[-2], 0):
        q, r = _wide_qr(array)
    else:
        q, r = _of_matrix("qr_q", array), _of_matrix("qr_r", array)
    return r if mode == "r" else QR(q, r)


def _wide_qr(a: Node) -> tuple[Node, Node]:
    """The square part decides Q; the other columns of R are what Q makes of them."""
    rows = a.shape[-2]
    every = [build.whole(d) for d in a.shape[:-1]]
    left, right = (build.getitem(a, [*every, part]) for part in _halves(rows, a.shape[-1]))
    q, r = _of_matrix("qr_q", left), _of_matrix("qr_r", left)
    return q, build.joined("concatenate", [r, build.matmul(build.swap(q), right)], a.type.rank - 1)


def _halves(at: Dim, size: Dim) -> tuple[Range, Range]:
    return Range(0, at, 1, at, False), Range(at, size, 1, size - at, False)


# --- functions of matrices ---


def matrix_rank(A: Value, tol: Value = None) -> Node:
    """The number of singular values that are not 0 up to rounding: an integer, without a derivative."""
    if tol is not None:
        raise UnsupportedError("G040", "`matrix_rank` takes no tol", hint="write sum(linalg.svdvals(A) > tol)")
    return _of_matrix("matrix_rank", A)


def matrix_power(a: Value, n: Value) -> Node:
    """The product of `n` times the same matrix; of its inverse for a negative `n`."""
    power = whole_number(n, "n")
    base = node(a) if power >= 0 else inv(a)
    if base.type.rank < 2 or base.shape[-1] != base.shape[-2]:
        raise ShapeError("G021", f"`matrix_power` needs a square matrix, not {show_shape(base.shape)}")
    if power == 0:
        return build.broadcast_to(build.eye(base.shape[-1], base.shape[-1], base.type.dtype), base.shape)
    result: Node | None = None
    for bit in bin(abs(power))[:1:-1]:  # from the lowest: squarings, and a product for each 1
        if bit == "1":
            result = base if result is None else build.matmul(result, base)
        base = build.matmul(base, base)
    assert result is not None
    return result


def tensorsolve(a: Value, b: Value, axes: Value = None) -> Node:
    """The x with tensordot(a, x, x.ndim) = b."""
    left, right = (floating(n) for n in nodes((a, b)))
    if axes is not None:
        last = axes_of(axes, left.type.rank)
        left = build.transpose(left, (*(i for i in range(left.type.rank) if i not in last), *last))
    rest = left.shape[right.type.rank :]
    size = product(rest)
    flat = build.reshape(left, (right.type.size, size))
    return build.reshape(solve(flat, build.reshape(right, (right.type.size,))), rest)


def tensorinv(a: Value, ind: Value = 2) -> Node:
    """The inverse for tensordot: tensordot(tensorinv(a, ind), a, ind) is the identity."""
    array, first = node(a), whole_number(ind, "ind")
    if first <= 0:
        raise ShapeError("G022", "`ind` is positive")
    rows, columns = array.shape[:first], array.shape[first:]
    flat = build.reshape(array, (product(rows), product(columns)))
    return build.reshape(inv(flat), (*columns, *rows))


def matrix_transpose(x: Value) -> Node:
    """The last two axes exchanged."""
    array = node(x)
    if array.type.rank < 2:
        raise ShapeError("G021", f"`matrix_transpose` needs a matrix, not {show_shape(array.shape)}")
    return build.swap(array)


def diagonal(x: Value, *, offset: Value = 0) -> Node:
    """The diagonals of matrices, which are the last two axes."""
    return triangles.diagonal(x, offset, -2, -1)


def trace(x: Value, *, offset: Value = 0, dtype: Value = None) -> Node:
    """The sums of the diagonals of matrices, which are the last two axes."""
    return triangles.trace(x, offset, -2, -1, dtype)


TABLE: dict[str, Callable[..., Any]] = {
    "linalg.inv": inv,
    "linalg.solve": solve,
    "linalg.det": det,
    "linalg.slogdet": slogdet,
    "linalg.pinv": pinv,
    "linalg.lstsq": lstsq,
    "linalg.cholesky": cholesky,
    "linalg.eigh": eigh,
    "linalg.eigvalsh": eigvalsh,
    "linalg.eig": eig,
    "linalg.eigvals": eig,
    "linalg.svd": svd,
    "linalg.svdvals": svdvals,
    "linalg.qr": qr,
    "linalg.matrix_rank": matrix_rank,
    "linalg.matrix_power": matrix_power,
    "linalg.tensorsolve": tensorsolve,
    "linalg.tensorinv": tensorinv,
    "linalg.matrix_transpose": matrix_transpose,
    "linalg.diagonal": diagonal,
    "linalg.trace": trace,
    "matrix_transpose": matrix_transpose,
    "solve_triangular": solve_triangular,
    "cho_factor": cho_factor,
    "cho_solve": cho_solve,
}
