"""Nodes in the language of text models, for docstrings, comments and explanations.

z    = X @ w + b
loss = mean(softplus(z) - y * z)
"""

from __future__ import annotations

from collections.abc import Mapping

from graphc.emit.expression import Writer, spelled_text
from graphc.emit.pyexpr import print_expr
from graphc.ir.graph import Graph
from graphc.ir.leaf import INPUT
from graphc.ir.node import Node

MAX_NODES = 40  # of one formula, repeats counted
MAX_WIDTH = 240  # characters of one formula
MAX_LINES = 40


def spell(node: Node, names: Mapping[Node, str]) -> str:
    """The node as a formula over `names` and the inputs; "..." where it would be very long."""
    if _spelled_size(node, names) > MAX_NODES:
        return "..."
    text = print_expr(Writer(spelled_text, names).definition(node))
    return text if len(text) <= MAX_WIDTH else "..."


def _spelled_size(root: Node, names: Mapping[Node, str]) -> int:
    """The nodes of the formula, or a number above the limit; never walks further than the limit."""
    stack, count = list(root.args), 1
    while stack and count <= MAX_NODES:
        node = stack.pop()
        count += 1
        if node not in names:
            stack += node.args
    return count + len(stack)


def statements(graph: Graph) -> list[str]:
    """The named values of a graph as aligned assignments, in order; [] if there are too many."""
    names = {n: name for n, name in graph.names.items() if n.op is not INPUT}
    for name, node in zip(graph.output_names, graph.outputs, strict=True):
        if node.op is not INPUT:
            names.setdefault(node, name)
    inside = [n for n in graph.nodes if n in names]
    if all(n in graph.origin for n in inside):
        written = _written(graph)
        inside.sort(key=lambda n: written[n])
    if not inside or len(inside) > MAX_LINES:
        return []
    width = min(16, max(len(names[n]) for n in inside))
    return [f"{names[n]:<{width}} = {spell(n, names)}" for n in inside]


def _written(graph: Graph) -> dict[Node, int]:
    """Where in the source each value was written, but no earlier than what it reads.

    Sorted so, straight code is as the user wrote it; loops and functions that stand above their
    callers still define each value before its use.
    """
    written: dict[Node, int] = {}
    for node in graph.nodes:
        own = [graph.origin[node].start] if node in graph.origin else []
        written[node] = max([*own, *(written[a] for a in node.args)], default=0)
    return written
