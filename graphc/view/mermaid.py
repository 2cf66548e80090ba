"""A graph as a Mermaid flowchart, which Markdown viewers draw.

flowchart TD
  n0["X<br>f64[n, d]"]
  n2(["matmul<br>z: f64[n]"])
  n0 --> n2
"""

from __future__ import annotations

from graphc.ir.graph import Graph
from graphc.ir.leaf import INPUT
from graphc.view.dot import drawing, left_out_text

# What could end a label or be read as markup there, as Mermaid's entity codes.
_ESCAPES = {ord(c): f"#{ord(c)};" for c in '#"<>&`\\|{}'}


def write_mermaid(graph: Graph) -> str:
    """The flowchart of a graph: inputs are boxes, ops are rounded, outputs have a thick border."""
    drawn = drawing(graph)
    lines = ["flowchart TD"]
    for (node, i), label in zip(drawn.nodes.items(), drawn.labels, strict=True):
        opening, closing = ("[", "]") if node.op is INPUT else ("([", "])")
        marked = ":::output" if i in drawn.outputs else ""
        lines.append(f"  n{i}{opening}{_quoted(label)}{closing}{marked}")
    lines += [f"  n{a} --> n{b}" for a, b in drawn.edges]
    if drawn.left_out:
        lines.append(f"  more[{_quoted([left_out_text(drawn)])}]")
    return "\n".join([*lines, "  classDef output stroke-width:4px"]) + "\n"


def _quoted(lines: list[str]) -> str:
    return '"' + "<br>".join(line.translate(_ESCAPES) for line in lines) + '"'
