"""Products of matrices and vectors.

matmul(a, b)    a @ b
outer(a, b)     np.outer(a, b)
"""

from __future__ import annotations

from graphc.ir.node import Node, make
from graphc.ops import REGISTRY


def matmul(a: Node, b: Node) -> Node:
    return make(REGISTRY["matmul"], [a, b])


def outer(a: Node, b: Node) -> Node:
    return make(REGISTRY["outer"], [a, b])
