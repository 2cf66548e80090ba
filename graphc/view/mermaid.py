"""A graph as a Mermaid flowchart, which Markdown viewers draw.

flowchart TD
  n0["X<br>f64[n, d]"]
  n2(["matmul<br>z: f64[n]"])
  n0 --> n2
"""

from __future__ import annotations

from graphc.ir.graph import Graph
from graphc.ir.leaf import INPUT
from graphc.ir.node import Node
from graphc.view.dot import blocks, drawing, left_out_text

# What could end a label or be read as markup there, as Mermaid's entity codes.
_ESCAPES = {ord(c): f"#{ord(c)};" for c in '#"<>&`\\|{}'}


def write_mermaid(graph: Graph) -> str:
    """The flowchart of a graph: inputs are boxes, ops are rounded, outputs have a thick border, loops are subgraphs."""
    drawn = drawing(graph)

    def statement(i: int, node: Node) -> str:
        opening, closing = ("[", "]") if node.op is INPUT else ("([", "])")
        marked = ":::output" if i in drawn.outputs else ""
        return f"n{i}{opening}{_quoted(drawn.labels[i])}{closing}{marked}"

    def head(i: int, text: str) -> str:
        return f"subgraph b{i} [{_quoted([text])}]"

    lines = ["flowchart TD", *blocks(drawn, statement, head, "end")]
    lines += [f"  n{a} --> n{b}" for a, b in drawn.edges]
    lines += [f"  n{a} -.-> n{b}" for a, b in drawn.returns]
    if drawn.left_out:
        lines.append(f"  more[{_quoted([left_out_text(drawn)])}]")
    return "\n".join([*lines, "  classDef output stroke-width:4px"]) + "\n"


def _quoted(lines: list[str]) -> str:
    return '"' + "<br>".join(line.translate(_ESCAPES) for line in lines) + '"'
