"""Graphs as text: the listing whose grammar is in `listing.py`, which reads it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from graphc.ir.dims import Size
from graphc.ir.index import Array, Index, Range
from graphc.ir.leaf import INPUT
from graphc.ir.node import Constant, Node
from graphc.ir.types import SHORT

if TYPE_CHECKING:
    from graphc.ir.graph import Graph


def write_listing(graph: Graph) -> str:
    """The listing of a graph."""
    refs: dict[Node, str] = {node: node["name"] for node in graph.inputs}
    taken = set(refs.values())
    lines: list[str] = []
    for number, node in enumerate(n for n in graph.nodes if n.op is not INPUT):
        name = graph.names.get(node)
        if name is None or name in taken:
            name = f"%{number}"
        taken.add(name)
        refs[node] = name
        args = ", ".join(refs[a] for a in node.args)
        attrs = ", ".join(f"{k}={_value(v)}" for k, v in node.attributes.items())
        lines.append(f"  {name}: {node.type} = {node.op.name}({args}{'; ' if attrs else ''}{attrs})")
    inputs = ", ".join(f"{node['name']}: {node.type}" for node in graph.inputs)
    outputs = ", ".join(f"{name}: {refs[node]}" for name, node in zip(graph.output_names, graph.outputs, strict=True))
    head = f"graph {json.dumps(graph.title)} ({inputs}) -> ({outputs}) {{"
    return "\n".join([head, *lines, "}"]) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Size):
        return f"<{value}>"
    if isinstance(value, Constant):
        items = [repr(item) for item in value.array().ravel().tolist()]
        return f"{SHORT[value.dtype]}[{', '.join(map(str, value.shape))}]{{{', '.join(items)}}}"
    if isinstance(value, Index):
        return f"[{', '.join(_entry(e) for e in value.entries)}]"
    if isinstance(value, tuple):
        inner = ", ".join(_value(v) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _entry(entry: Any) -> str:
    if isinstance(entry, Array):
        return f"@{entry.k}"
    if isinstance(entry, Range):
        fields = (entry.start, entry.stop, entry.step, entry.count, entry.whole)
        return ":".join(_value(f) for f in fields)
    return _value(entry)
