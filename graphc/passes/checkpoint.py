"""Loops that keep the values of some steps only, and compute the others again on the way back.

    for t in range(T):              r = int(T**0.5)
        h = f(x[t], h)       ->     for p in range((T + r - 1) // r):                keeps h of each piece
                                        for t in range(r * p, min(T, r * p + r)):    keeps h of each step
                                            h = f(x[t], h)

The loop backwards of the outer one computes a piece again before it goes back through it: of T values about
2 sqrt(T) are in memory at a time, for one more pass forwards (Griewank, "Achieving logarithmic growth of
temporal and spatial complexity in reverse automatic differentiation", 1992, has the more general schedules).
Nothing else is needed for that: how many steps a piece has is an expression of its number, and arrays whose
shape changes from step to step are not saved but computed again (`residuals.py`).

A loop whose histories or stacks are used keeps all steps anyway, and stays as it is; so does a `while`.
"""

from __future__ import annotations

from dataclasses import replace

from graphc.expr.looping import Opened, close, open_loop, placeholder
from graphc.ir.control import LOOP, RESULT, final
from graphc.ir.dims import Dim, Size, minimum, quotient, root
from graphc.ir.graph import Graph
from graphc.ir.node import Node, rebuild

SHORTEST = 8  # steps: fewer are not worth it


def checkpointed(graph: Graph) -> Graph:
    """The graph with its loops, as far as they only lead to a last value, in about sqrt(T) pieces."""
    used: dict[Node, list[int]] = {}
    for node in graph.nodes:
        if node.op is RESULT:
            used.setdefault(node.args[0], []).append(node["k"])
    table: dict[Node, Node] = {}
    for node in graph.nodes:
        current = rebuild(node, [table[a] for a in node.args])
        table[node] = _in_pieces(current) if node.op is LOOP and _is_worth_it(node, used.get(node, [])) else current
    return graph.mapped(table.__getitem__)


def _is_worth_it(node: Node, used: list[int]) -> bool:
    count: Dim = node["count"]
    long = not isinstance(count, int) or count >= SHORTEST
    return long and node["test"] is None and all(k < node["carried"] for k in used)


def _in_pieces(node: Node) -> Node:
    """A loop of loops, whose last values are those of the loop."""
    steps = open_loop(node)
    piece = f"{steps.index}_piece"
    pieces, first, length = _cut(steps.count, Size.named(piece))
    carried = tuple(placeholder(piece, k, init.type) for k, init in enumerate(steps.inits))
    inner = close(replace(steps, start=steps.start + first, count=length, inits=carried, stacked=()))
    ends = [final(inner, k) for k in range(len(carried))]
    names = {p: steps.names[own] for p, own in zip(carried, steps.placeholders, strict=True) if own in steps.names}
    return close(
        Opened(
            index=piece,
            start=0,
            count=pieces,
            reverse=steps.reverse,
            inits=steps.inits,
            placeholders=carried,
            updates=tuple(ends),
            names={**names, **{end: names[p] for p, end in zip(carried, ends, strict=True) if p in names}},
        )
    )


def _cut(count: Dim, piece: Dim) -> tuple[Dim, Dim, Dim]:
    """How many pieces there are, where one of them begins, and its length; the last one may be shorter."""
    longest = root(count)
    first = longest * piece
    return quotient(count + longest - 1, longest), first, minimum(count, first + longest) - first
