"""What passes on loops share: a walk over the loops of a graph, each opened, changed and closed again.

A rule gets an open loop and the results of it that are used; it returns what stands in their place, or
None if there is nothing to do. Loops inside are visited first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from graphc.expr import build
from graphc.expr.looping import Opened, Row, close, inside, open_loop
from graphc.ir.control import BRANCH, IMPLICIT, LOOP, RESULT, Body, bodies, final, has_control, history, stack
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph
from graphc.ir.node import Node, make, rebuild, topological

Results = Mapping[int, Node]
Rule = Callable[[Opened, frozenset[int]], "Results | None"]


def on_loops(graph: Graph, rule: Rule) -> tuple[Graph, Callable[[Node], Node]]:
    """The graph with a rule applied to every loop; and where its nodes went."""
    if LOOP not in graph.ops and BRANCH not in graph.ops:
        return graph, lambda node: node
    used: dict[Node, set[int]] = {}
    for node in graph.nodes:
        if node.op is RESULT:
            used.setdefault(node.args[0], set()).add(node["k"])
    table: dict[Node, Node] = {}
    replaced: dict[Node, Results] = {}
    for node in graph.nodes:
        if node.op is RESULT and node.args[0] in replaced:
            table[node] = replaced[node.args[0]][node["k"]]
            continue
        current = _inside(rebuild(node, [table[a] for a in node.args]), rule)
        table[node] = current
        if current.op is LOOP:
            results = rule(open_loop(current), frozenset(used.get(node, ())))
            if results is not None:
                replaced[node] = results
    return graph.mapped(table.__getitem__), lambda node: table.get(node, node)


def _inside(node: Node, rule: Rule) -> Node:
    """A node with the rule applied to the loops inside it."""
    if node.op not in (LOOP, BRANCH):
        return node
    attrs = {name: _body(attr, rule) if isinstance(attr, Body) else attr for name, attr in node.attributes.items()}
    return make(node.op, node.args, **attrs)


def _body(body: Body, rule: Rule) -> Body:
    graph, _ = on_loops(body.graph, rule)
    return Body.of(graph)


class Closed(NamedTuple):
    """A loop that has been closed, and where in it the carried values of another form of it are."""

    node: Node
    place: Mapping[int, int]

    def results(self, m: int, used: Iterable[int], more: Mapping[int, Node]) -> dict[int, Node]:
        """For each used result of the form that carried `m` values: `more`, or what this loop gives."""
        found = dict(more)
        for k in used:
            if k not in found:
                found[k] = final(self.node, self.place[k]) if k < m else history(self.node, self.place[k - m])
        return found


def closed(loop: Opened, keep: Sequence[int]) -> Closed:
    """The loop with only some of its carried values, closed."""
    chosen = replace(
        loop,
        inits=tuple(loop.inits[k] for k in keep),
        placeholders=tuple(loop.placeholders[k] for k in keep),
        updates=tuple(loop.updates[k] for k in keep),
    )
    return Closed(close(chosen), {k: n for n, k in enumerate(keep)})


def needed(loop: Opened, wanted: Iterable[int], roots: Sequence[Node]) -> list[int]:
    """The carried values that these, other nodes of a step, and the test need."""
    tested = () if loop.test is None else (loop.test,)
    chosen = set(wanted)
    while True:
        order = set(topological([*roots, *tested, *(loop.updates[k] for k in chosen)]))
        more = {k for k, p in enumerate(loop.placeholders) if p in order} - chosen
        if not more:
            return sorted(chosen)
        chosen |= more


def pruned(loop: Opened, used: frozenset[int]) -> Results | None:
    """A loop without what no result needs."""
    m = len(loop.inits)
    stacks = sorted(k - 2 * m for k in used if k >= 2 * m)
    stacked = tuple(dict.fromkeys(loop.stacked[j] for j in stacks))
    keep = needed(loop, {k % m for k in used if k < 2 * m}, stacked)
    if len(keep) == m and stacked == loop.stacked:
        return None
    made = closed(replace(loop, stacked=stacked), keep)
    places = {node: j for j, node in enumerate(stacked)}
    return made.results(m, used, {2 * m + j: stack(made.node, places[loop.stacked[j]]) for j in stacks})


def all_rows(row: Row, loop: Opened) -> Node:
    """The rows that a loop reads one by one, as an array with a new first axis."""
    index = row.all(loop.start, loop.count)
    return build.moved(build.getitem(row.node.args[0], index.entries), row.axis, 0)


def running_sum(loop: Opened, k: int) -> list[tuple[int, Node]] | None:
    """What a step adds to a carried value that is nothing but a running sum, each with its sign; None if it is none."""
    placeholder, node = loop.placeholders[k], loop.updates[k]
    others = [u for i, u in enumerate(loop.updates) if i != k]
    tested = () if loop.test is None else (loop.test,)
    if node is placeholder or placeholder in topological([*others, *loop.stacked, *tested]):
        return None
    depending: set[Node] = set()
    for inner in topological([node]):
        if inner is placeholder or not depending.isdisjoint(inner.args):
            depending.add(inner)
    terms: list[tuple[int, Node]] = []
    while node is not placeholder:
        if node.op.name not in ("add", "subtract") or node.type != placeholder.type:
            return None
        first, second = node.args
        if second in depending:
            if first in depending or node.op.name == "subtract":
                return None
            first, second = second, first
        elif first not in depending:
            return None
        terms.append((-1 if node.op.name == "subtract" else 1, second))
        node = first
    return terms[::-1]


def varying(loop: Opened, roots: Sequence[Node]) -> set[Node]:
    """The nodes of a step: those that depend on what is carried or on the index."""
    return inside(roots, loop.placeholders, {loop.index})


def part(array: Node, first: Dim, count: Dim) -> Node:
    """`array[first : first + count]`."""
    return build.between(array, 0, first, first + count)


def solved(graph: Graph) -> tuple[Graph, Callable[[Node], Node]]:
    """The graph without equations, when there is nothing left to differentiate; and where its nodes went."""
    if not has_control(graph):
        return graph, lambda node: node
    table: dict[Node, Node] = {}
    for node in graph.nodes:
        if node.op is RESULT and node.args[0].op is IMPLICIT:
            table[node] = table[node.args[0].args[node["k"]]]
            continue
        current = rebuild(node, [table[a] for a in node.args])
        attrs = {k: Body.of(solved(v.graph)[0]) if isinstance(v, Body) else v for k, v in node.attributes.items()}
        table[node] = make(current.op, current.args, **attrs) if bodies(node) else current
    return graph.mapped(table.__getitem__), lambda node: table.get(node, node)
