"""The pseudo-inverse, least squares, and the rank: systems that need not have one solution.

    x = lstsq(A, b)   ->   db = P.T dx
                           dA = (b - A x) (P db).T + P.T x (dx - A.T db).T - db x.T      with P = pinv(A)

Derivatives after Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
problems whose variables separate" (1973).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ShapeError
from graphc.ir.dims import Dim, product
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType, show_shape
from graphc.ops import exactness
from graphc.ops.matrices import floating, matrix_shape


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


OPS: list[Op] = [
    Op(
        "pinv",
        ("A",),
        _pinv_type,
        _pinv_text,
        "The Moore-Penrose inverse of each matrix.",
        attrs=("rcond",),
        spelling=_pinv_text,
        adjoint=_pinv,
        traits=frozenset({"untyped", "stacks"}),
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
        traits=frozenset({"untyped"}),
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
