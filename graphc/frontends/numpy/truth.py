"""Conditions: whether one is known, and `and`, `or`, `not` of those that are not.

x > 0 and y > 0       logical_and(x > 0, y > 0)
i < n and x[i] > 0    a branch: where i is n there is no x[i]
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from graphc.expr import build
from graphc.frontends.numpy.sizes import TracedSize
from graphc.frontends.numpy.tracer import Tracer
from graphc.ir.dims import Size
from graphc.ir.index import Array
from graphc.ir.leaf import size_node
from graphc.ir.node import Node, topological

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session


def truth(session: Session, x: Any) -> bool | Node:
    """Whether Python takes x for true: a node of one truth value where that is not known."""
    if type(x) is TracedSize and session.undecided(x.dim):
        return build.apply("not_equal", size_node(x.dim, "int64"), 0)
    if type(x) is Tracer and x.array is None and all(d == 1 for d in x.node.shape):
        node = build.reshape(x.node, ())
        if session.evaluated(node) is None:
            return node if node.type.dtype == "bool" else build.apply("not_equal", node, 0)
    return bool(x)


def is_boolean(x: Any) -> bool:
    """Whether a value is a truth value, known or not."""
    return type(x) is bool or (type(x) is Tracer and x.dtype.kind == "b" and x.ndim == 0)


def may_fail(node: Node, known: Collection[Node]) -> bool:
    """Whether an element that may not be there is read on the way from what is known to a node."""
    reads = (n["index"].entries for n in topological([node], known=known) if n.op.name == "getitem")
    return any(isinstance(entry, (Size, Array)) for entries in reads for entry in entries)
