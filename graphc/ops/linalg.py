"""Products of matrices and vectors.

Gradients by dimension analysis: for D = W @ X, dW = dD @ X.T and dX = W.T @ dD, the only products
whose sizes fit. Vectors take part as one row or one column.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from graphc.errors import DtypeError, ShapeError
from graphc.ir.dims import Dim
from graphc.ir.links import Link, Operands, mixed, product
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType, broadcast, promote, show_shape
from graphc.ops import exactness


def _matmul(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    a, b = types
    if a.rank == 0 or b.rank == 0:
        raise ShapeError(
            "G021",
            "matrix products need at least one axis on both sides",
            label=f"{show_shape(a.shape)} and {show_shape(b.shape)}",
            hint="use * with scalars",
        )
    dtype = promote(a.dtype, b.dtype)
    if dtype == "bool":
        raise DtypeError("G030", "a product of matrices needs numbers, and was given booleans")
    inner = b.shape[0] if b.rank == 1 else b.shape[-2]
    if a.shape[-1] != inner:
        raise ShapeError(
            "G021",
            f"shapes do not match: the sizes {a.shape[-1]} and {inner} differ",
            label=f"{show_shape(a.shape)} and {show_shape(b.shape)}",
            hint="the last size of the left operand must equal the "
            + ("size" if b.rank == 1 else "second last size")
            + " of the right one",
        ).between(a.shape[-1], inner)
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    rows = a.shape[-2:-1]
    columns = b.shape[-1:] if b.rank > 1 else ()
    return TensorType(dtype, (*batch, *rows, *columns))


def _matmul_adjoint(e: Any, node: Node, ct: Node, i: int) -> Node:
    a, b = node.args
    if a.type.rank == 1 and b.type.rank == 1:
        return e.multiply(ct, node.args[1 - i])  # type: ignore[no-any-return]
    if i == 0 and a.type.rank == 1 and b.type.rank == 2:
        return e.matmul(b, ct)  # type: ignore[no-any-return]
    if i == 1 and b.type.rank == 1 and a.type.rank == 2:
        return e.matmul(e.swap(a), ct)  # type: ignore[no-any-return]
    if a.type.rank == 1 and b.type.rank == 2:
        return e.outer(a, ct)  # type: ignore[no-any-return]
    if b.type.rank == 1 and a.type.rank == 2:
        return e.outer(ct, b)  # type: ignore[no-any-return]
    return _matrices(e, node, ct, i)


def _matrices(e: Any, node: Node, ct: Node, i: int) -> Node:
    """The general case: vectors become matrices, batch axes are summed where they were broadcast."""
    a, b = node.args
    if b.type.rank == 1:
        ct = e.expand_dims(ct, (ct.type.rank,))
    if a.type.rank == 1:
        ct = e.expand_dims(ct, (ct.type.rank - 1,))
    left = e.expand_dims(a, (0,)) if a.type.rank == 1 else a
    right = e.expand_dims(b, (1,)) if b.type.rank == 1 else b
    full = e.matmul(ct, e.swap(right)) if i == 0 else e.matmul(e.swap(left), ct)
    target = left if i == 0 else right
    return e.reshape(e.unbroadcast(full, target), node.args[i].shape)  # type: ignore[no-any-return]


def _matmul_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    """A matrix product for each row; rows of vectors are a matrix themselves."""
    (a, b), (first, second) = args, (arg.type.rank for arg in node.args)
    if first == second == 1:
        if all(has):
            return e.reduce("sum", e.multiply(a, b), (1,))  # type: ignore[no-any-return]
        return e.matmul(a, b) if has[0] else e.matmul(b, a)  # type: ignore[no-any-return]
    if first == 2 and second == 1 and not has[0]:
        return e.rows_times(b, e.swap(a))  # type: ignore[no-any-return]
    if first == 1 and second == 2 and not has[1]:
        return e.rows_times(a, b)  # type: ignore[no-any-return]
    if (1, False) in ((first, has[0]), (second, has[1])):
        return e.matmul(a, b)  # type: ignore[no-any-return]
    left = e.expand_dims(a, (a.type.rank - 1,)) if first == 1 else a
    right = e.expand_dims(b, (b.type.rank,)) if second == 1 else b
    rank = max(first, second, 2)
    full = e.matmul(e.behind(left, has[0], rank), e.behind(right, has[1], rank))
    last = full.type.rank - 1
    return e.squeeze(full, (last,) if second == 1 else (last - 1,) if first == 1 else ())  # type: ignore[no-any-return]


def _matmul_links(node: Node, operands: Operands, i: int) -> list[Link]:
    ranks = [len(s) for s in operands.shapes]
    stack = string.ascii_uppercase + string.ascii_lowercase[3:]
    left, right = (stack[len(stack) - rank + 2 :] if rank > 2 else "" for rank in ranks)
    rows, columns = ("a" if ranks[0] > 1 else ""), ("c" if ranks[1] > 1 else "")
    out = max(left, right, key=len) + rows + columns
    return product((left + rows + "b", right + "b" + columns), out, operands, i)


def _outer_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    a, b = args
    return e.multiply(e.expand_dims(a, (a.type.rank,)), e.expand_dims(b, (b.type.rank - 1,)))  # type: ignore[no-any-return]


def _cross_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    return e.apply("cross", *(e.behind(x, h, node.type.rank) for x, h in zip(args, has, strict=True)))  # type: ignore[no-any-return]


def _outer(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    a, b = types
    if a.rank != 1 or b.rank != 1:
        raise ShapeError("G021", f"outer needs two vectors, not {show_shape(a.shape)} and {show_shape(b.shape)}")
    return TensorType(promote(a.dtype, b.dtype), (*a.shape, *b.shape))


def _cross(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    a, b = types
    if a.shape[-1:] != (3,) or b.shape[-1:] != (3,):
        raise ShapeError("G021", f"cross needs vectors of 3, not {show_shape(a.shape)} and {show_shape(b.shape)}")
    return TensorType(promote(a.dtype, b.dtype), (*broadcast(a.shape[:-1], b.shape[:-1]), 3))


OPS: list[Op] = [
    Op(
        "matmul",
        ("a", "b"),
        _matmul,
        "a @ b",
        "Matrix product, as `@`.",
        spelling="a @ b",
        adjoint=_matmul_adjoint,
        batch=_matmul_rows,
        links=_matmul_links,
        traits=frozenset({"bilinear"}),
        cost=20.0,
        formula="da = dy @ b.T, db = a.T @ dy",
        exactness=exactness.SUM,
    ),
    Op(
        "outer",
        ("a", "b"),
        _outer,
        "np.outer(a, b)",
        "All products of two vectors.",
        adjoint=lambda e, node, ct, i: e.matmul(ct, node.args[1]) if i == 0 else e.matmul(node.args[0], ct),
        batch=_outer_rows,
        links=lambda node, operands, i: product(("a", "b"), "ab", operands, i),
        traits=frozenset({"bilinear"}),
        cost=0.3,
        formula="da = dy @ b, db = a @ dy",
        exactness=0.5,
    ),
    Op(
        "cross",
        ("a", "b"),
        _cross,
        "np.cross(a, b)",
        "The cross product of vectors of 3 elements, along the last axis.",
        adjoint=lambda e, node, ct, i: (
            e.apply("cross", node.args[1], ct) if i == 0 else e.apply("cross", ct, node.args[0])
        ),
        batch=_cross_rows,
        links=lambda node, operands, i: mixed(operands.shapes[i], operands.result, 1, 1),
        traits=frozenset({"bilinear", "untyped"}),
        cost=3.0,
        formula="da = cross(b, dy), db = cross(dy, a)",
        label="normal",
        exactness=exactness.SUM,
    ),
]
