"""Graphs to look at: `VIEWS["tree"](graph)` is text that ends with a line break."""

from __future__ import annotations

from collections.abc import Callable

from graphc.ir.graph import Graph
from graphc.ir.listing import write_listing
from graphc.view.dot import write_dot
from graphc.view.mermaid import write_mermaid
from graphc.view.tree import write_tree

VIEWS: dict[str, Callable[[Graph], str]] = {
    "listing": write_listing,
    "tree": write_tree,
    "dot": write_dot,
    "mermaid": write_mermaid,
}
