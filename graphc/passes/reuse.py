"""Backward uses what forward has computed.

forward:   s = sigmoid(z)
backward:  sigmoid(-z)   ->   1 - s
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from graphc.expr import build
from graphc.ir.graph import Graph
from graphc.ir.node import Node, make, rebuild
from graphc.passes.bodies import Moved, in_bodies


def reuse_forward(graph: Graph, forward: Sequence[Node]) -> tuple[Graph, Moved]:
    """The graph with complements of saved sigmoids taken from the saved value; and where nodes went.

    In loops and branches that are not `forward`, complements are taken of what is computed beside them.
    """
    inside, entered = in_bodies(graph, _reuse_beside, forward)
    reused, moved = _reuse(inside, set(forward), forward)
    return reused, lambda node: moved(entered(node))


def _reuse_beside(graph: Graph) -> tuple[Graph, Moved]:
    inside, entered = in_bodies(graph, _reuse_beside)
    reused, moved = _reuse(inside, set(), inside.nodes)
    return reused, lambda node: moved(entered(node))


def _reuse(graph: Graph, kept: Collection[Node], saved: Sequence[Node]) -> tuple[Graph, Moved]:
    """Complements of the sigmoids in `saved`; the nodes in `kept` stay as they are."""
    known = {node for node in saved if node.op.name == "sigmoid"}
    if not known:
        return graph.mapped(lambda node: node), lambda node: node
    table: dict[Node, Node] = {}
    for node in graph.nodes:
        current = node if node in kept else rebuild(node, [table[a] for a in node.args])
        if node not in kept and current.op.name == "sigmoid" and current.args[0].op.name == "negative":
            value = make(current.op, current.args[0].args)
            current = build.subtract(1, value) if value in known else current
        table[node] = current
    return graph.mapped(table.__getitem__), lambda node: table.get(node, node)
