"""The Euclidean norm of vectors, and of matrices as vectors of their elements.

y = norm(x)   ->   dx = dy / y * x,  and 0 where y is 0: the smallest subgradient
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ir.node import Node
from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType
from graphc.ops import exactness
from graphc.ops.matrices import floating
from graphc.ops.reduction import options, reduced_shape

MOST_AXES = 2  # that np.linalg.norm takes by number


def _norm_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return TensorType(floating(types[0]), reduced_shape(types[0].shape, attrs["axes"], attrs["keepdims"]))


def _norm_text(types: Sequence[TensorType], attrs: Attrs) -> str:
    inside = options(types, attrs)
    several = MOST_AXES < len(attrs["axes"]) < types[0].rank
    return f"np.linalg.{'vector_norm' if several else 'norm'}(x{', ' if inside else ''}{inside})"


def _norm(e: Any, node: Node, ct: Node, i: int) -> Node:
    zero = e.equal(node, 0)
    scale = e.where(zero, 0, e.divide(ct, node))
    return e.multiply(e.unreduced(scale, node), node.args[0])  # type: ignore[no-any-return]


OPS: list[Op] = [
    Op(
        "norm",
        ("x",),
        _norm_type,
        _norm_text,
        "The root of the sum of the squares over axes.",
        attrs=("axes", "keepdims"),
        spelling=_norm_text,
        adjoint=_norm,
        range=(0.0, float("inf")),
        traits=frozenset({"reduction", "untyped"}),
        cost=1.0,
        formula="dx = dy x / y",
        label="norm",
        exactness=exactness.PRODUCT,
        conventions="derivative 0 at 0; inf where the squares overflow",
    ),
]
