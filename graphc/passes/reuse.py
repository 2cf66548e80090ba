"""Backward uses what forward has computed.

forward:   s = sigmoid(z)
backward:  sigmoid(-z)   ->   1 - s
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.expr import build
from graphc.ir.graph import Graph
from graphc.ir.node import Node, make, rebuild


def reuse_forward(graph: Graph, forward: Sequence[Node]) -> tuple[Graph, Callable[[Node], Node]]:
    """The graph with complements of saved sigmoids taken from the saved value; and where nodes went."""
    if not any(node.op.name == "sigmoid" for node in forward):
        return graph.mapped(lambda node: node), lambda node: node
    known = set(forward)
    table: dict[Node, Node] = {}
    for node in graph.nodes:
        if node in known:
            table[node] = node
            continue
        current = rebuild(node, [table[a] for a in node.args])
        if current.op.name == "sigmoid" and current.args[0].op.name == "negative":
            saved = make(current.op, current.args[0].args)
            if saved in known:
                current = build.subtract(1, saved)
        table[node] = current
    return graph.mapped(table.__getitem__), lambda node: table.get(node, node)
