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
are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from graphc.errors import printable
from graphc.ir.graph import Graph
from graphc.ir.leaf import CONST, INPUT, SIZE
from graphc.ir.node import Constant, Node

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
    refs = references(graph)
    roots = list(zip(graph.output_names, graph.outputs, strict=True))
    lines: list[str] = []
    shown: set[Node] = set()
    for name, root in roots[:MAX_LINES]:
        if refs[root] != name:
            lines.append(f"{printable(name)} = {refs[root]}")
        _grow(root, refs, shown, lines)
    missing = sum(node.op not in _INLINE and node not in shown for node in graph.nodes)
    if missing:
        lines = [*lines[:MAX_LINES], f"... and {missing:,} more nodes"]
    return "".join(line + "\n" for line in lines)


def _grow(root: Node, refs: Mapping[Node, str], shown: set[Node], lines: list[str]) -> None:
    later = [root]  # what has its tree at the margin, in order
    for start in later:
        stack = [Entry(start, "", "", 0)] if start not in shown else []
        while stack and len(lines) < MAX_LINES:
            entry = stack.pop()
            lines.append(entry.branch + _line(entry.node, refs, shown))
            if entry.node in shown:
                continue
            if entry.depth == MAX_DEPTH and _children(entry.node):
                lines[-1] += "   (below)"
                later.append(entry.node)
                continue
            shown.add(entry.node)
            stack += _entries(entry)


def _entries(entry: Entry) -> list[Entry]:
    """The lines under an entry, the last one first, as a stack needs them."""
    children = _children(entry.node)
    rows = [Entry(child, entry.below + "├─ ", entry.below + "│  ", entry.depth + 1) for child in children[:-1]]
    rows += [Entry(child, entry.below + "└─ ", entry.below + "   ", entry.depth + 1) for child in children[-1:]]
    return rows[::-1]


def _children(node: Node) -> list[Node]:
    """The arguments that have lines of their own, each once."""
    return list(dict.fromkeys(a for a in node.args if a.op not in _INLINE))


def _line(node: Node, refs: Mapping[Node, str], shown: set[Node]) -> str:
    if node in shown and node.op is not INPUT:
        return f"^{refs[node]}"
    if node.op is INPUT or node.op in _INLINE:
        return f"{refs[node]}: {node.type}"
    return f"{refs[node]}: {node.type} = {expression(node, refs)}"


# --- the text of nodes, for every view ---


def references(graph: Graph) -> dict[Node, str]:
    """What each node is called: the user's name, the output's, or `%` and a number.

    Constants and sizes are called by their value.
    """
    refs: dict[Node, str] = {node: printable(node["name"]) for node in graph.inputs}
    outputs = dict(zip(graph.outputs[::-1], graph.output_names[::-1], strict=True))
    taken = {*refs.values(), *graph.output_names}
    for number, node in enumerate(n for n in graph.nodes if n.op is not INPUT):
        if node.op in _INLINE:
            refs[node] = value_text(node.attrs[0])
            continue
        own = graph.names.get(node)
        name = own if own is not None and own not in taken else outputs.get(node, f"%{number}")
        taken.add(name)
        refs[node] = printable(name)
    return refs


def expression(node: Node, refs: Mapping[Node, str]) -> str:
    """The op with its arguments and attributes: `sum(z, axis=(0,), keepdims=False)`."""
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
