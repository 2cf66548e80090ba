"""A graph as a tree in a terminal; what is shared is shown once and referred to as `^name`.

    loss: f64[] = mean(%3, axis=(0,), keepdims=False)
    └─ %3: f64[n] = subtract(%1, %2)
       ├─ %1: f64[n] = softplus(z)
       │  └─ z: f64[n] = matmul(X, w)
       │     ├─ X: f64[n, d]
       │     └─ w: f64[d]
       └─ %2: f64[n] = multiply(y, z)
          ├─ y: f64[n]
          └─ ^z

What is too deep for the page goes on below, at the margin. Constants and sizes stand where they
are used. Below a loop are the values that its steps make, below a value before a step the first one:

    last: f64[k] = %1.final[0]
    └─ %1 = for t in range(T)
       └─ h': f64[k] = multiply(h, A)
          ├─ h: f64[k] = h0, then h'
          │  └─ h0: f64[k]
          └─ A: f64[]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from graphc.emit.outline import loop_head
from graphc.errors import printable
from graphc.ir.control import BRANCH, IMPLICIT, LOOP, RESULT, has_insides
from graphc.ir.graph import Graph
from graphc.ir.leaf import CONST, INPUT, SIZE
from graphc.ir.node import Constant, Node
from graphc.ir.writing import result_text
from graphc.view.opened import OpenGraph, opened

MAX_LINES = 2_000
MAX_DEPTH = 24
VALUE_LIMIT = 60  # characters of an attribute
ARGUMENT_LIMIT = 12  # arguments of a node in its text
ELEMENT_LIMIT = 6  # elements of a constant
_INLINE = (CONST, SIZE)


class Entry(NamedTuple):
    """A line to come. branch: what stands before its text; below: before the texts under it."""

    node: Node
    branch: str
    below: str
    depth: int


def write_tree(graph: Graph) -> str:
    """The tree of a graph, at most `MAX_LINES` long; the last line says what is left out."""
    open_graph = opened(graph)
    refs = references(graph, open_graph)
    roots = list(zip(graph.output_names, graph.outputs, strict=True))
    lines: list[str] = []
    shown: set[Node] = set()
    for name, root in roots[:MAX_LINES]:
        if refs[root] != name:
            lines.append(f"{printable(name)} = {refs[root]}")
        _grow(root, refs, open_graph, shown, lines)
    missing = sum(node.op not in _INLINE and node not in shown for node in open_graph.nodes)
    if missing:
        lines = [*lines[:MAX_LINES], f"... and {missing:,} more nodes"]
    return "".join(line + "\n" for line in lines)


def _grow(root: Node, refs: Mapping[Node, str], graph: OpenGraph, shown: set[Node], lines: list[str]) -> None:
    later = [root]  # what has its tree at the margin, in order
    for start in later:
        stack = [Entry(start, "", "", 0)] if start not in shown else []
        while stack and len(lines) < MAX_LINES:
            entry = stack.pop()
            lines.append(entry.branch + _line(entry.node, refs, graph, shown))
            if entry.node in shown:
                continue
            children = _children(entry.node, graph)
            if entry.depth == MAX_DEPTH and children:
                lines[-1] += "   (below)"
                later.append(entry.node)
                continue
            shown.add(entry.node)
            stack += _entries(entry, children)


def _entries(entry: Entry, children: Mapping[Node, str]) -> list[Entry]:
    """The lines under an entry, the last one first, as a stack needs them."""
    rows: list[Entry] = []
    for number, (child, label) in enumerate(children.items(), start=1):
        corner, edge = ("└─ ", "   ") if number == len(children) else ("├─ ", "│  ")
        rows.append(Entry(child, entry.below + corner + label, entry.below + edge, entry.depth + 1))
    return rows[::-1]


def _children(node: Node, graph: OpenGraph) -> dict[Node, str]:
    """What has a line of its own below a node, each once, and the words before it: the side of a branch."""
    args = graph.args[node]
    labels = [""] * len(args)
    if node.op is BRANCH:
        count = len(node["then"].outputs)
        labels = ["if ", *["then "] * count, *["else "] * count]
    pairs = [(arg, label) for arg, label in zip(args, labels, strict=True) if arg.op not in _INLINE]
    return {**dict(pairs), **dict(reversed(pairs))}


def _line(node: Node, refs: Mapping[Node, str], graph: OpenGraph, shown: set[Node]) -> str:
    if node in shown and node.op is not INPUT:
        return f"^{refs[node]}"
    if has_insides(node):
        return f"{refs[node]} = {expression(node, refs, graph)}"
    if node in graph.next:
        first, then = graph.args[node][0], graph.next[node]
        return f"{refs[node]}: {node.type} = {refs[first]}, then {refs[then]}"
    if node.op is INPUT or node.op in _INLINE:
        return f"{refs[node]}: {node.type}"
    return f"{refs[node]}: {node.type} = {expression(node, refs, graph)}"


# --- the text of nodes, for every view ---


def references(graph: Graph, open_graph: OpenGraph) -> dict[Node, str]:
    """What each node is called: the user's name, the output's, or `%` and a number.

    Constants and sizes are called by their value. In a loop the later one of two values with one name has a prime.
    """
    refs: dict[Node, str] = {node: printable(node["name"]) for node in graph.inputs}
    outputs = dict(zip(graph.outputs[::-1], graph.output_names[::-1], strict=True))
    taken = {*refs.values(), *graph.output_names}
    number = -1
    for node in open_graph.nodes:
        number += node.op is not INPUT
        if node.op in _INLINE:
            refs[node] = value_text(node.attrs[0])
        elif node not in refs:
            own = open_graph.names.get(node)
            if own is None and node.op is INPUT:  # in a loop, before a step
                own = node["name"].rpartition("_")[0]
            while own in taken and node in open_graph.home:
                own += "'"
            name = own if own is not None and own not in taken else outputs.get(node, f"%{number}")
            taken.add(name)
            refs[node] = printable(name)
    return refs


def expression(node: Node, refs: Mapping[Node, str], graph: OpenGraph) -> str:
    """The op with its arguments and attributes: `sum(z, axis=(0,), keepdims=False)`; the head of a loop or a branch."""
    if node.op is LOOP:
        return loop_head(node, refs[graph.args[node][-1]]).rstrip(":")
    if node.op is BRANCH:
        return f"if {refs[node.args[0]]}"
    if node.op is RESULT:
        return f"{refs[node.args[0]]}.{result_text(node)}"
    if node.op is IMPLICIT:
        return "solution"
    args = [refs[a] for a in node.args[:ARGUMENT_LIMIT]]
    args += [f"... {len(node.args) - ARGUMENT_LIMIT} more"] if len(node.args) > len(args) else []
    attrs = [f"{name}={value_text(value)}" for name, value in node.attributes.items()]
    return f"{node.op.name}({', '.join([*args, *attrs])})"


def value_text(value: Any) -> str:
    """A constant, a size or an attribute, cut to `VALUE_LIMIT` characters."""
    if isinstance(value, Constant):
        return _constant(value)
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        inner = ", ".join(value_text(v) for v in value)
        return printable(f"({inner},)" if len(value) == 1 else f"({inner})", VALUE_LIMIT)
    return printable(repr(value) if isinstance(value, str) else str(value), VALUE_LIMIT)


def _constant(value: Constant) -> str:
    array = value.array()
    if array.ndim == 0:
        return repr(array.item())
    items = [repr(item) for item in array.ravel()[:ELEMENT_LIMIT].tolist()]
    items += ["..."] if array.size > ELEMENT_LIMIT else []
    shape = ", ".join(map(str, value.shape))
    return f"{value.dtype}[{shape}]{{{', '.join(items)}}}"
