"""Linear systems and what goes with them: inverse, determinant, pseudo-inverse, least squares.

    x = solve(A, b)   ->   db = solve(A.T, dx),  dA = -db x.T

All work on stacks of matrices. Derivatives after Giles, "Collected matrix derivative results for
forward and reverse mode algorithmic differentiation" (2008), and for the pseudo-inverse Golub and
Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares" (1973).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ShapeError
from graphc.ir.dims import Dim, product
from graphc.ir.links import Link, Operands, mixed
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Helper, Op
from graphc.ir.types import TensorType, broadcast, promote, show_shape
from graphc.ops import exactness


def floating(*types: TensorType) -> str:
    """The dtype in which LAPACK works: integers are taken as float64."""
    dtype = promote(*(t.dtype for t in types))
    return dtype if dtype.startswith("float") else "float64"


def matrix_shape(type: TensorType, function: str) -> tuple[Any, ...]:
    if type.rank < 2:
        raise ShapeError("G021", f"`{function}` needs a matrix, and was given {show_shape(type.shape)}")
    return type.shape


def square_shape(type: TensorType, function: str) -> tuple[Any, ...]:
    shape = matrix_shape(type, function)
    if shape[-1] != shape[-2]:
        raise ShapeError(
            "G021",
            f"`{function}` needs a square matrix, and was given {show_shape(shape)}",
            hint=f"if {shape[-2]} and {shape[-1]} are always equal, declare them with one name",
        ).between(shape[-2], shape[-1])
    return shape


def square(function: str) -> Any:
    """The shape rule of what makes a matrix of a square matrix."""
    return lambda types, attrs: TensorType(floating(types[0]), square_shape(types[0], function))


def _scalar(function: str) -> Any:
    return lambda types, attrs: TensorType(floating(types[0]), square_shape(types[0], function)[:-2])


def outer_product(e: Any, a: Node, b: Node) -> Node:
    """a b.T for stacks of vectors."""
    return e.multiply(e.expand_dims(a, (a.type.rank,)), e.expand_dims(b, (b.type.rank - 1,)))  # type: ignore[no-any-return]


def as_columns(e: Any, x: Node) -> Node:
    """Stacks of vectors as stacks of matrices of one column."""
    return e.expand_dims(x, (x.type.rank,))  # type: ignore[no-any-return]


def over_matrices(e: Any, x: Node) -> Node:
    """A scalar for each matrix of a stack, shaped to multiply the matrices."""
    return e.expand_dims(x, (x.type.rank, x.type.rank + 1)) if x.type.rank else x


# --- inverse and systems ---


def _inv(e: Any, node: Node, ct: Node, i: int) -> Node:
    transposed = e.swap(node)
    return e.negative(e.matmul(e.matmul(transposed, ct), transposed))  # type: ignore[no-any-return]


def _solve_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    a, b = types
    shape = square_shape(a, "solve")
    rows = b.shape[-1:] if b.rank == 1 else b.shape[-2:-1]
    if rows != shape[-1:]:
        raise ShapeError(
            "G021",
            f"shapes do not match: {shape[-1]} equations and a right side {show_shape(b.shape)}",
            label=f"{show_shape(shape)} and {show_shape(b.shape)}",
            hint="the right side is a vector, or a matrix with one column a system",
        ).between(shape[-1], rows[0] if rows else 0)
    batch = broadcast(shape[:-2], b.shape[:-2])
    return TensorType(floating(a, b), (*batch, *b.shape[-2:]))


def _solve(e: Any, node: Node, ct: Node, i: int) -> Node:
    a, b = node.args
    stacked = b.type.rank == 1 and a.type.rank > 2
    columns = as_columns(e, ct) if stacked else ct
    back = e.apply("solve", e.swap(a), columns)
    if stacked:
        back = e.squeeze(back, (back.type.rank - 1,))
    if i == 1:
        return back  # type: ignore[no-any-return]
    if b.type.rank == 1:
        return e.negative(e.outer(back, node) if a.type.rank == 2 else outer_product(e, back, node))  # type: ignore[no-any-return]
    return e.negative(e.matmul(back, e.swap(node)))  # type: ignore[no-any-return]


def _solve_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    """Vectors for one matrix are its right sides together; for a stack of matrices they are columns."""
    (a, b), vector = args, node.args[1].type.rank == 1
    if vector and a.type.rank == 2:
        return e.swap(e.apply("solve", a, e.swap(b)))  # type: ignore[no-any-return]
    right = as_columns(e, b) if vector else b
    rank = max(node.args[0].type.rank, node.args[1].type.rank)
    full = e.apply("solve", e.behind(a, has[0], rank), e.behind(right, has[1], rank))
    return e.squeeze(full, (full.type.rank - 1,)) if vector else full  # type: ignore[no-any-return]


def _solve_links(node: Node, operands: Operands, i: int) -> list[Link]:
    """Each system by itself; all of its solution depends on all of it."""
    right = min(len(operands.shapes[1]), 2)
    return mixed(operands.shapes[i], operands.result, right if i == 1 else 2, right)


# --- determinants ---

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


def _det(e: Any, node: Node, ct: Node, i: int) -> Node:
    return e.multiply(over_matrices(e, ct), e.apply("cofactor", node.args[0]))  # type: ignore[no-any-return]


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
    return e.multiply(over_matrices(e, e.apply("det", a)), e.swap(inner))  # type: ignore[no-any-return]


def _cofactor_slope_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    return e.apply("cofactor_slope", *(e.behind(x, h, node.type.rank) for x, h in zip(args, has, strict=True)))  # type: ignore[no-any-return]


def _log_det(e: Any, node: Node, ct: Node, i: int) -> Node:
    return e.multiply(over_matrices(e, ct), e.swap(e.apply("inv", node.args[0])))  # type: ignore[no-any-return]


# --- pseudo-inverse and least squares ---


def _pinv_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    *batch, rows, columns = matrix_shape(types[0], "pinv")
    return TensorType(floating(types[0]), (*batch, columns, rows))


def _pinv_text(types: Sequence[TensorType], attrs: Attrs) -> str:
    return "np.linalg.pinv(A)" if attrs["rcond"] is None else "np.linalg.pinv(A, rcond)"


def _pinv(e: Any, node: Node, ct: Node, i: int) -> Node:
    a, p = node.args[0], node
    pt, c = e.swap(p), e.swap(ct)
    inside = e.matmul(pt, e.matmul(ct, pt))
    left = e.matmul(e.subtract(c, e.matmul(a, e.matmul(p, c))), e.matmul(p, pt))
    right = e.matmul(e.matmul(pt, p), e.subtract(c, e.matmul(e.matmul(c, p), a)))
    return e.subtract(e.add(left, right), inside)  # type: ignore[no-any-return]


def _lstsq_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    a, b = types
    if a.rank != 2 or b.rank not in (1, 2) or a.shape[0] != b.shape[0]:
        raise ShapeError(
            "G021",
            f"`lstsq` needs a matrix and as many rows, not {show_shape(a.shape)} and {show_shape(b.shape)}",
        ).between(*(t.shape[0] if t.rank else 0 for t in types))
    return TensorType(floating(a, b), (a.shape[1], *b.shape[1:]))


def _lstsq(e: Any, node: Node, ct: Node, i: int) -> Node:
    """x = pinv(A) b, without making more of the pseudo-inverse than its products."""
    a, b = node.args
    p = e.apply("pinv", a, rcond=None)
    pt = e.swap(p)
    back = e.matmul(pt, ct)
    if i == 1:
        return back  # type: ignore[no-any-return]

    def product(u: Node, v: Node) -> Node:  # u v.T
        return e.outer(u, v) if u.type.rank == 1 else e.matmul(u, e.swap(v))  # type: ignore[no-any-return]

    residual = e.subtract(b, e.matmul(a, node))
    beyond = e.subtract(ct, e.matmul(e.swap(a), back))  # 0 unless A has more columns than its rank
    parts = e.add(product(residual, e.matmul(p, back)), product(e.matmul(pt, node), beyond))
    return e.subtract(parts, product(back, node))  # type: ignore[no-any-return]


def _lstsq_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node | None:
    """Right sides for one matrix are solved together, as columns; NumPy takes no stack of matrices."""
    if has[0]:
        return None
    a, b = args
    rest = node.shape[1:]
    columns = e.reshape(e.moved(b, 1, 0), (b.shape[1], product((n, *rest))))
    found = e.apply("lstsq", a, columns)
    return e.moved(e.reshape(found, (node.shape[0], n, *rest)), 1, 0)  # type: ignore[no-any-return]


def _nothing(e: Any, node: Node, ct: Node, i: int) -> None:
    """Constant almost everywhere."""


_UNTYPED = frozenset({"untyped"})
_STACKS = frozenset({"untyped", "stacks"})

OPS: list[Op] = [
    Op(
        "inv",
        ("A",),
        square("inv"),
        "np.linalg.inv(A)",
        "The inverse of each matrix.",
        spelling="np.linalg.inv(A)",
        adjoint=_inv,
        traits=_STACKS,
        cost=100.0,
        formula="dA = -Y.T dY Y.T",
        label="inverse",
        exactness=exactness.LAPACK,
        conventions="an error where A is singular",
    ),
    Op(
        "solve",
        ("A", "b"),
        _solve_type,
        "np.linalg.solve(A, b)",
        "x with A x = b.",
        spelling="np.linalg.solve(A, b)",
        adjoint=_solve,
        batch=_solve_rows,
        links=_solve_links,
        traits=_UNTYPED,
        cost=50.0,
        formula="db = solve(A.T, dx), dA = -db x.T",
        label="solution",
        exactness=exactness.LAPACK,
        conventions="an error where A is singular",
    ),
    Op(
        "det",
        ("A",),
        _scalar("det"),
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
        _scalar("slogdet"),
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
        _scalar("slogdet"),
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
    Op(
        "pinv",
        ("A",),
        _pinv_type,
        _pinv_text,
        "The Moore-Penrose inverse of each matrix.",
        attrs=("rcond",),
        spelling=_pinv_text,
        adjoint=_pinv,
        traits=_STACKS,
        cost=300.0,
        formula="dA by Golub and Pereyra",
        label="pinv",
        exactness=exactness.LAPACK,
        conventions="derivative as if the rank stayed",
    ),
    Op(
        "lstsq",
        ("A", "b"),
        _lstsq_type,
        "np.linalg.lstsq(A, b)[0]",
        "The x of least norm that makes |A x - b| smallest.",
        spelling="np.linalg.lstsq(A, b)[0]",
        adjoint=_lstsq,
        batch=_lstsq_rows,
        traits=_UNTYPED,
        cost=300.0,
        formula="db = pinv(A).T dx",
        label="solution",
        exactness=exactness.LAPACK,
        conventions="derivative as if the rank stayed",
    ),
    Op(
        "matrix_rank",
        ("A",),
        lambda types, attrs: TensorType("int64", matrix_shape(types[0], "matrix_rank")[:-2]),
        "np.linalg.matrix_rank(A)",
        "The number of singular values that are not 0 up to rounding.",
        spelling="np.linalg.matrix_rank(A)",
        traits=frozenset({"stacks"}),
        cost=300.0,
        label="rank",
        exactness=exactness.LAPACK,
        conventions="derivative 0 everywhere",
    ),
]
