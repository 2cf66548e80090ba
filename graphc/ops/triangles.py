"""Triangles of matrices: the rest is zero.

    tril([[1, 2], [3, 4]])   ->   [[1, 0], [3, 4]]

Linear and their own adjoints: what was set to zero sends nothing back.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.errors import ShapeError
from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType, show_shape


def _matrix(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    if types[0].rank < 2:
        raise ShapeError("G021", f"a triangle needs a matrix, not {show_shape(types[0].shape)}")
    return types[0]


def _triangle(name: str, doc: str) -> Op:
    def text(types: Sequence[TensorType], attrs: Attrs) -> str:
        return f"np.{name}(x, k)" if attrs["k"] else f"np.{name}(x)"

    return Op(
        name,
        ("x",),
        _matrix,
        text,
        doc,
        attrs=("k",),
        spelling=lambda types, attrs: f"{name}(x, k)" if attrs["k"] else f"{name}(x)",
        adjoint=lambda e, node, ct, i: e.apply(name, ct, k=node["k"]),
        traits=frozenset({"linear", "moves", "stacks"}),
        cost=1.0,
        formula=f"dx = {name}(dy)",
        label="tri",
    )


OPS: list[Op] = [
    _triangle("tril", "What is on and below the k-th diagonal of each matrix."),
    _triangle("triu", "What is on and above the k-th diagonal of each matrix."),
]
