"""A graph in the DOT language of Graphviz: inputs are boxes, ops ellipses, outputs drawn double.

digraph "logistic.gc" {
  n0 [shape=box, label="X\\nf64[n, d]"];
  n2 [shape=ellipse, label="matmul\\nz: f64[n]"];
  n0 -> n2;
}
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from graphc.errors import printable
from graphc.ir.graph import Graph
from graphc.ir.leaf import INPUT
from graphc.ir.node import Node
from graphc.view.tree import references

MAX_DRAWN = 800  # nodes
MAX_EDGES = 1_100


class Drawing(NamedTuple):
    """What a drawing of a graph has, in topological order.

    nodes: the drawn ones, with their numbers.  labels: the lines in each.  edges: pairs of
    numbers.  outputs: the numbers of the outputs.  left_out: how many nodes are not drawn.
    """

    nodes: dict[Node, int]
    labels: list[list[str]]
    edges: list[tuple[int, int]]
    outputs: frozenset[int]
    left_out: int


def drawing(graph: Graph) -> Drawing:
    """The part of a graph nearest to its outputs, small enough to be looked at."""
    chosen: dict[Node, None] = {}
    queue = deque(graph.outputs)
    while queue and len(chosen) < MAX_DRAWN:
        node = queue.popleft()
        if node not in chosen:
            chosen[node] = None
            queue.extend(node.args)
    refs = references(graph)
    order = [node for node in graph.nodes if node in chosen]
    number = {node: i for i, node in enumerate(order)}
    edges = [(number[a], i) for node, i in number.items() for a in node.args if a in number]
    named: dict[Node, list[str]] = {}
    for name, node in zip(graph.output_names, graph.outputs, strict=True):
        named.setdefault(node, []).append(printable(name))
    return Drawing(
        nodes=number,
        labels=[_label(node, refs, named.get(node, [])) for node in order],
        edges=edges[:MAX_EDGES],
        outputs=frozenset(number[node] for node in graph.outputs if node in number),
        left_out=len(graph.nodes) - len(order),
    )


def _label(node: Node, refs: Mapping[Node, str], outputs: list[str]) -> list[str]:
    """The op, then the name and the type; for an output that is called otherwise, its name too."""
    leaf = [refs[node], str(node.type)]
    lines = [node.op.name, f"{refs[node]}: {node.type}"] if node.args else leaf
    return lines + [f"output {name}" for name in outputs if name != refs[node]]


def write_dot(graph: Graph) -> str:
    """The DOT text of a graph; of a large one, the part nearest to the outputs."""
    drawn = drawing(graph)
    lines = [f"digraph {_quoted([printable(graph.title)])} {{"]
    for (node, i), label in zip(drawn.nodes.items(), drawn.labels, strict=True):
        shape = "box" if node.op is INPUT else "ellipse"
        double = ", peripheries=2" if i in drawn.outputs else ""
        lines.append(f"  n{i} [shape={shape}{double}, label={_quoted(label)}];")
    lines += [f"  n{a} -> n{b};" for a, b in drawn.edges]
    if drawn.left_out:
        lines.append(f"  more [shape=plaintext, label={_quoted([left_out_text(drawn)])}];")
    return "\n".join([*lines, "}"]) + "\n"


def left_out_text(drawn: Drawing) -> str:
    return f"... and {drawn.left_out:,} more nodes"


def _quoted(lines: list[str]) -> str:
    """A DOT string; `\\n` between the lines."""
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
