"""Linear systems and the inverse.

    x = solve(A, b)   ->   db = solve(A.T, dx),  dA = -db x.T

All work on stacks of matrices. Derivatives after Giles, "Collected matrix derivative results for
forward and reverse mode algorithmic differentiation" (2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ShapeError
from graphc.ir.dims import Dim
from graphc.ir.links import Link, Operands, mixed
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType, broadcast, show_shape
from graphc.ops import exactness
from graphc.ops.matrices import floating, square, square_shape


def _outer_product(e: Any, a: Node, b: Node) -> Node:
    """a b.T for stacks of vectors."""
    return e.multiply(e.expand_dims(a, (a.type.rank,)), e.expand_dims(b, (b.type.rank - 1,)))  # type: ignore[no-any-return]


def _as_columns(e: Any, x: Node) -> Node:
    """Stacks of vectors as stacks of matrices of one column."""
    return e.expand_dims(x, (x.type.rank,))  # type: ignore[no-any-return]


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
    columns = _as_columns(e, ct) if stacked else ct
    back = e.apply("solve", e.swap(a), columns)
    if stacked:
        back = e.squeeze(back, (back.type.rank - 1,))
    if i == 1:
        return back  # type: ignore[no-any-return]
    if b.type.rank == 1:
        return e.negative(e.outer(back, node) if a.type.rank == 2 else _outer_product(e, back, node))  # type: ignore[no-any-return]
    return e.negative(e.matmul(back, e.swap(node)))  # type: ignore[no-any-return]


def _solve_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    """Vectors for one matrix are its right sides together; for a stack of matrices they are columns."""
    (a, b), vector = args, node.args[1].type.rank == 1
    if vector and a.type.rank == 2:
        return e.swap(e.apply("solve", a, e.swap(b)))  # type: ignore[no-any-return]
    right = _as_columns(e, b) if vector else b
    rank = max(node.args[0].type.rank, node.args[1].type.rank)
    full = e.apply("solve", e.behind(a, has[0], rank), e.behind(right, has[1], rank))
    return e.squeeze(full, (full.type.rank - 1,)) if vector else full  # type: ignore[no-any-return]


def _solve_links(node: Node, operands: Operands, i: int) -> list[Link]:
    """Each system by itself; all of its solution depends on all of it."""
    right = min(len(operands.shapes[1]), 2)
    return mixed(operands.shapes[i], operands.result, right if i == 1 else 2, right)


OPS: list[Op] = [
    Op(
        "inv",
        ("A",),
        square("inv"),
        "np.linalg.inv(A)",
        "The inverse of each matrix.",
        spelling="np.linalg.inv(A)",
        adjoint=_inv,
        traits=frozenset({"untyped", "stacks"}),
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
        traits=frozenset({"untyped"}),
        cost=50.0,
        formula="db = solve(A.T, dx), dA = -db x.T",
        label="solution",
        exactness=exactness.LAPACK,
        conventions="an error where A is singular",
    ),
]
