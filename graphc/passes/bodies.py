"""Passes inside loops and branches.

    for t in range(T):                       for t in range(T):
        p = softmax(x[t] + h)                    e = exp(x[t] + h - top); total = sum(e)
        h = logsumexp(x[t] + h) * p     ->       h = (log(total) + top) * (e / total)

A pass sees a body as a graph of its own, whose inputs are what the body is given. What it leaves
without use, or makes invariant, is then taken out of the body.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from graphc.expr.looping import rewritten
from graphc.ir.control import Body, bodies, has_control, has_insides
from graphc.ir.graph import Graph
from graphc.ir.node import Node, make, rebuild

Moved = Callable[[Node], Node]  # where the nodes of a graph went
Pass = Callable[[Graph], tuple[Graph, Moved]]


def in_bodies(graph: Graph, change: Pass, fixed: Collection[Node] = ()) -> tuple[Graph, Moved]:
    """The graph with a pass done in all its loops and branches, and where its nodes went.

    change: the pass; it calls `in_bodies` itself, and so gets into loops inside loops.
    fixed: nodes that stay as they are.
    """
    if not has_control(graph):
        return graph, lambda node: node
    kept = set(fixed)
    table: dict[Node, Node] = {}
    for node in graph.nodes:
        current = node if node in kept else rebuild(node, [table[a] for a in node.args])
        table[node] = _changed(current, change) if has_insides(node) and node not in kept else current
    return graph.mapped(table.__getitem__), lambda node: table.get(node, node)


def _changed(node: Node, change: Pass) -> Node:
    """One loop or branch."""
    changed = [Body.of(change(body.graph)[0]) for body in bodies(node)]
    if changed == bodies(node):
        return node
    names = [name for name, value in node.attributes.items() if isinstance(value, Body)]
    node = make(node.op, node.args, **{**node.attributes, **dict(zip(names, changed, strict=True))})
    return rewritten(node, lambda outputs: lambda inner: inner)
