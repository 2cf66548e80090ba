"""Softmax, its logarithm and the log-sum-exp of one array share their exponentials.

    logsumexp(z), softmax(z)   ->   top = max(z);  e = exp(z - top);  total = sum(e)
                                    log(total) + top,  e / total

Done after differentiation, only where two of the forms of one array are in the graph.
"""

from __future__ import annotations

from graphc.expr import build
from graphc.ir.graph import Graph
from graphc.ir.node import Node, rebuild
from graphc.ops import REGISTRY
from graphc.passes.bodies import Moved, in_bodies

FORMS = ("logsumexp", "softmax", "log_softmax")


def share_exponentials(graph: Graph) -> tuple[Graph, Moved]:
    """The graph with shared exponentials, in loops and branches too; and where its nodes went."""
    inside, entered = in_bodies(graph, share_exponentials)
    shared, moved = _shared(inside)
    return shared, lambda node: moved(entered(node))


def _shared(graph: Graph) -> tuple[Graph, Moved]:
    families: dict[tuple[Node, object], set[str]] = {}
    for node in graph.nodes:
        if node.op.name in FORMS:
            families.setdefault((node.args[0], node["axes"]), set()).add(node.op.name)
    if all(len(forms) == 1 for forms in families.values()):
        return graph, lambda node: node
    table: dict[Node, Node] = {}
    for node in graph.nodes:
        current = rebuild(node, [table[a] for a in node.args])
        if node.op.name in FORMS and len(families[node.args[0], node["axes"]]) > 1:
            current = _expanded(current)
        table[node] = current
    return graph.mapped(table.__getitem__), lambda node: table.get(node, node)


def _expanded(node: Node) -> Node:
    """One form, written with the parts that the forms have in common."""
    z, axes = node.args[0], node["axes"]
    top = build.reduce("top", z, axes)
    shifted = build.subtract(z, top)
    e = build.apply("exp", shifted)
    total = build.reduce("sum", e, axes, True)
    if node.op is REGISTRY["softmax"]:
        return build.divide(e, total)
    if node.op is REGISTRY["log_softmax"]:
        return build.subtract(shifted, build.apply("log", total))
    value = build.add(build.apply("log", total), top)
    return value if node["keepdims"] else build.squeeze(value, axes)
