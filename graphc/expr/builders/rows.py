"""Arguments with a new first axis: a row for each direction of a Jacobian, for each example of a batch.

w: [d], with the axis: [n, d]    beside X: [m, d]   behind(w, True, 2): [n, 1, d]
b: [d], without it               repeated(b, False, n): [n, d]
"""

from __future__ import annotations

from graphc.expr.builders.creation import checked
from graphc.expr.builders.products import matmul
from graphc.expr.builders.shapes import broadcast_to, expand_dims
from graphc.ir.dims import Dim
from graphc.ir.node import Node, make


def behind(x: Node, has: bool, rank: int) -> Node:
    """An argument that has the new first axis, with axes of size 1 behind it up to `rank` further ones."""
    return expand_dims(x, tuple(range(1, 2 + rank - x.type.rank))) if has and x.type.rank <= rank else x


def repeated(x: Node, has: bool, n: Dim) -> Node:
    """An argument with the new first axis: repeated along it if it has none."""
    if has:
        return x
    if x.op.name in ("zeros", "ones"):
        return make(x.op, [], shape=checked((n, *x.shape)), dtype=x.type.dtype)
    return broadcast_to(x, (n, *x.shape))


def rows_times(rows: Node, b: Node) -> Node:
    """`rows @ b`; the unit rows of a Jacobian leave `b` as it is."""
    unit = rows.op.name == "eye" and rows["n"] == rows["m"] and rows.type.dtype == b.type.dtype
    return b if unit else matmul(rows, b)
