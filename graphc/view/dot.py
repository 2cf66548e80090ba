"""A graph in the DOT language of Graphviz: inputs are boxes, ops ellipses, outputs drawn double.

digraph "logistic.gc" {
  n0 [shape=box, label="X\\nf64[n, d]"];
  n2 [shape=ellipse, label="matmul\\nz: f64[n]"];
  n0 -> n2;
}
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from graphc.errors import printable
from graphc.ir.control import has_insides
from graphc.ir.graph import Graph
from graphc.ir.leaf import INPUT
from graphc.ir.node import Node
from graphc.view.opened import opened
from graphc.view.tree import expression, references

MAX_DRAWN = 800  # nodes
MAX_EDGES = 1_100


class Drawing(NamedTuple):
    """What a drawing of a graph has, in topological order.

    nodes: the drawn ones, with their numbers.  labels: the lines in each.  edges: pairs of
    numbers.  outputs: the numbers of the outputs.  left_out: how many nodes are not drawn.
    returns: edges from a value to the one that it is before the next step of a loop.
    inside: for each loop and branch, and for None, the nodes in it.  heads: the text of each.
    """

    nodes: dict[Node, int]
    labels: list[list[str]]
    edges: list[tuple[int, int]]
    outputs: frozenset[int]
    left_out: int
    returns: list[tuple[int, int]]
    inside: Mapping[Node | None, list[Node]]
    heads: Mapping[Node, str]


def drawing(graph: Graph) -> Drawing:
    """The part of a graph nearest to its outputs, small enough to be looked at."""
    open_graph = opened(graph)
    chosen: dict[Node, None] = {}
    queue = deque(graph.outputs)
    while queue and len(chosen) < MAX_DRAWN:
        node = queue.popleft()
        if node not in chosen:
            chosen[node] = None
            queue.extend(open_graph.args[node])
    refs = references(graph, open_graph)
    order = [node for node in open_graph.nodes if node in chosen]
    number = {node: i for i, node in enumerate(order)}
    edges = [(number[a], i) for node, i in number.items() for a in open_graph.args[node] if a in number]
    named: dict[Node, list[str]] = {}
    for name, node in zip(graph.output_names, graph.outputs, strict=True):
        named.setdefault(node, []).append(printable(name))
    inside: dict[Node | None, list[Node]] = {None: []}
    for node in order:
        home = open_graph.home.get(node)
        inside.setdefault(home if home in number else None, []).append(node)
    return Drawing(
        nodes=number,
        labels=[_label(node, refs, named.get(node, [])) for node in order],
        edges=edges[:MAX_EDGES],
        outputs=frozenset(number[node] for node in graph.outputs if node in number),
        left_out=len(open_graph.nodes) - len(order),
        returns=[(number[b], number[a]) for a, b in open_graph.next.items() if a in number and b in number],
        inside=inside,
        heads={node: expression(node, refs, open_graph) for node in order if has_insides(node)},
    )


def _label(node: Node, refs: Mapping[Node, str], outputs: list[str]) -> list[str]:
    """The op, then the name and the type; for an output that is called otherwise, its name too."""
    leaf = [refs[node], str(node.type)]
    lines = [node.op.name, f"{refs[node]}: {node.type}"] if node.args else leaf
    if has_insides(node):
        lines = [node.op.name, refs[node]]
    return lines + [f"output {name}" for name in outputs if name != refs[node]]


def write_dot(graph: Graph) -> str:
    """The DOT text of a graph; of a large one, the part nearest to the outputs. Loops and branches are clusters."""
    drawn = drawing(graph)

    def statement(i: int, node: Node) -> str:
        shape = "box" if node.op is INPUT else "ellipse"
        double = ", peripheries=2" if i in drawn.outputs else ""
        return f"n{i} [shape={shape}{double}, label={_quoted(drawn.labels[i])}];"

    def opening(i: int, head: str) -> str:
        return f"subgraph cluster_{i} {{ label={_quoted([head])};"

    lines = [f"digraph {_quoted([printable(graph.title)])} {{", *blocks(drawn, statement, opening, "}")]
    lines += [f"  n{a} -> n{b};" for a, b in drawn.edges]
    lines += [f"  n{a} -> n{b} [style=dashed, constraint=false];" for a, b in drawn.returns]
    if drawn.left_out:
        lines.append(f"  more [shape=plaintext, label={_quoted([left_out_text(drawn)])}];")
    return "\n".join([*lines, "}"]) + "\n"


def blocks(
    drawn: Drawing,
    statement: Callable[[int, Node], str],
    opening: Callable[[int, str], str],
    closing: str,
    home: Node | None = None,
    indent: str = "  ",
) -> list[str]:
    """The lines of all nodes in a loop or a branch, or outside of all, with blocks for those in it."""
    lines: list[str] = []
    for node in drawn.inside.get(home, []):
        i = drawn.nodes[node]
        if node not in drawn.heads:
            lines.append(indent + statement(i, node))
            continue
        deeper = indent + "  "
        lines += [indent + opening(i, drawn.heads[node]), deeper + statement(i, node)]
        lines += [*blocks(drawn, statement, opening, closing, node, deeper), indent + closing]
    return lines


def left_out_text(drawn: Drawing) -> str:
    return f"... and {drawn.left_out:,} more nodes"


def _quoted(lines: list[str]) -> str:
    """A DOT string; `\\n` between the lines."""
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
