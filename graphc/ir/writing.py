"""Graphs as text: the listing whose grammar is in `listing.py`, which reads it back."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
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
    lines = _statements(graph, refs, "  ")
    inputs = ", ".join(f"{node['name']}: {node.type}" for node in graph.inputs)
    outputs = ", ".join(f"{name}: {refs[node]}" for name, node in zip(graph.output_names, graph.outputs, strict=True))
    head = f"graph {json.dumps(graph.title)} ({inputs}) -> ({outputs}) {{"
    return "\n".join([head, *lines, "}"]) + "\n"


def _statements(graph: Graph, refs: dict[Node, str], indent: str, inside: bool = False) -> list[str]:
    """The lines of the nodes of a graph; `refs`, which has its inputs, gets what they are called.

    Of two nodes in a body that have one name the later one gets a prime: `h` and `h'`.
    """
    taken = set(refs.values())
    lines: list[str] = []
    for number, node in enumerate(n for n in graph.nodes if n.op is not INPUT):
        name = graph.names.get(node, f"%{number}")
        if name in taken:
            name = _free(name, taken) if inside else f"%{number}"
        taken.add(name)
        refs[node] = name
        lines += [indent + line for line in _statement(node, refs)]
    return lines


def _free(name: str, taken: Collection[str]) -> str:
    """The name, with as many primes as it takes."""
    while name in taken:
        name += "'"
    return name


def _statement(node: Node, refs: Mapping[Node, str]) -> list[str]:
    name = refs[node]
    special = _SPECIAL.get(node.op.name)
    if special is not None:
        return special(node, refs)
    args = ", ".join([refs[a] for a in node.args])
    attrs = ", ".join([f"{k}={_value(v)}" for k, v in node.attributes.items()]) if node.attrs else ""
    return [f"{name}: {node.type} = {node.op.name}({args}{'; ' if attrs else ''}{attrs})"]


def _result(node: Node, refs: Mapping[Node, str]) -> list[str]:
    return [f"{refs[node]}: {node.type} = {refs[node.args[0]]}.{result_text(node)}"]


def result_text(node: Node) -> str:
    """Which result it is: `final[0]`, `history[0]` or `stack[0]` of a loop, `result[0]` of another node."""
    (of,) = node.args
    if of.op.name != "loop":
        return f"result[{node['k']}]"
    carried = of["carried"]
    kind = min(node["k"] // carried, 2) if carried else 2
    return f"{('final', 'history', 'stack')[kind]}[{node['k'] - kind * carried}]"


def _loop(node: Node, refs: Mapping[Node, str]) -> list[str]:
    body, test, m = node["body"], node["test"], node["carried"]
    inner: dict[Node, str] = {}
    given = _given(node, m, refs, inner)
    way = " reverse" if node["reverse"] else ""
    head = f"{refs[node]} = loop {node['index']} from {node['start']} count {node['count']}{way} {given}"
    lines = _block(head, body.graph, inner, m)
    if test is None:
        return lines
    return [*lines[:-1], *_block("} while", test.graph, inner, 1)]


def _equation(node: Node, refs: Mapping[Node, str]) -> list[str]:
    inner: dict[Node, str] = {}
    given = _given(node, node["solved"], refs, inner)
    kind = "root" if node["root"] else "fixed"
    how = f"{node['index']} {kind} tolerance {node['tolerance']!r} limit {node['limit']}"
    return _block(f"{refs[node]} = equation {how} {given}", node["body"].graph, inner, node["solved"])


def _branch(node: Node, refs: Mapping[Node, str]) -> list[str]:
    then, other = node["then"], node["other"]
    inner: dict[Node, str] = {}
    reads = _reads(then.inputs, node.args[1:], refs, inner)
    head = f"{refs[node]} = branch {refs[node.args[0]]} ({reads})"
    first = _block(head, then.graph, inner, len(then.outputs))
    return [*first[:-1], *_block("} else", other.graph, inner, len(other.outputs))]


_SPECIAL = {"loop": _loop, "branch": _branch, "implicit": _equation, "result": _result}


def _given(node: Node, carried: int, refs: Mapping[Node, str], inner: dict[Node, str]) -> str:
    """What a body is given; `inner` gets what it is called inside."""
    body = node["body"]
    for p in body.inputs[:carried]:
        inner[p] = _free(body.names.get(p, p["name"]), inner.values())
    first = ", ".join(f"{inner[p]}: {p.type} = {refs[a]}" for p, a in zip(inner, node.args, strict=False))
    reads = _reads(body.inputs[carried:], node.args[carried:], refs, inner)
    return f"({'; '.join(filter(None, (first, reads)))})"


def _reads(placeholders: Sequence[Node], args: Sequence[Node], refs: Mapping[Node, str], inner: dict[Node, str]) -> str:
    """What a body reads: under its name outside if it has one that is free, else `_t_r0 = %3`."""
    items: list[str] = []
    for placeholder, arg in zip(placeholders, args, strict=True):
        taken = {*inner.values(), *(p["name"] for p in placeholders if p is not placeholder)}
        same = refs[arg].isidentifier() and refs[arg] not in taken
        inner[placeholder] = refs[arg] if same else placeholder["name"]
        items.append(refs[arg] if same else f"{placeholder['name']} = {refs[arg]}")
    return ", ".join(items)


def _block(head: str, graph: Graph, inputs: Mapping[Node, str], carried: int) -> list[str]:
    """A body: its outputs, those that are carried before the others, and its lines."""
    refs = dict(inputs)
    lines = _statements(graph, refs, "  ", inside=True)
    outputs = [refs[o] for o in graph.outputs]
    further = f"; {', '.join(outputs[carried:])}" if outputs[carried:] else ""
    return [f"{head} -> ({', '.join(outputs[:carried])}{further}) {{", *lines, "}"]


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
