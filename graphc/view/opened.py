"""A graph with its loops and branches open, as the views draw it: what is in them stands over what is around.

loop(h0, x; body: (h, x) -> h')     h' = tanh(...) in the loop, over x;   h, before the step, below h'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from graphc.expr.looping import substitute
from graphc.ir.control import BRANCH, LOOP, bodies, has_insides
from graphc.ir.graph import Graph
from graphc.ir.leaf import input_node
from graphc.ir.node import Node


class OpenGraph(NamedTuple):
    """nodes: all of them, those that a node is made of first.

    args: what a node is made of: a loop of what its steps make, a value before a step of the first one.
    names: of nodes.  home: the loop or branch that a node is in.  next: what the next step has for a value.
    """

    nodes: tuple[Node, ...]
    args: Mapping[Node, tuple[Node, ...]]
    names: Mapping[Node, str]
    home: Mapping[Node, Node]
    next: Mapping[Node, Node]


def opened(graph: Graph) -> OpenGraph:
    """The graph with all loops and branches open."""
    opening = _Opening(dict(graph.names))
    return OpenGraph(opening.order(graph.outputs), opening.args, opening.names, opening.home, opening.next)


class _Opening:
    def __init__(self, names: dict[Node, str]) -> None:
        self.args: dict[Node, tuple[Node, ...]] = {}
        self.names = names
        self.home: dict[Node, Node] = {}
        self.next: dict[Node, Node] = {}
        self._count = 0

    def order(self, roots: tuple[Node, ...]) -> tuple[Node, ...]:
        """Every node that the roots need, arguments first; no recursion."""
        done: dict[Node, None] = {}
        entered: set[Node] = set()
        stack = list(roots)[::-1]
        while stack:
            node = stack.pop()
            if node in done:
                continue
            args = self._of(node)
            if args and node not in entered:
                entered.add(node)
                stack.append(node)
                stack += args[::-1]
            else:
                done[node] = None
        return tuple(done)

    def _of(self, node: Node) -> tuple[Node, ...]:
        """What a node is made of."""
        if node not in self.args:
            self.args[node] = self._open(node) if has_insides(node) else node.args
        return self.args[node]

    def _open(self, node: Node) -> tuple[Node, ...]:
        inside = bodies(node)
        first = 1 if node.op is BRANCH else 0
        carried = 0 if node.op is BRANCH else node["carried" if node.op is LOOP else "solved"]
        self._count += 1
        own = [input_node(f"{p['name']}_{self._count}", p.type) for p in inside[0].inputs[:carried]]
        table: dict[Node, Node] = {}
        for body in inside:
            table |= zip(body.inputs, (*own, *node.args[first + carried :]), strict=True)
        outputs = substitute([o for body in inside for o in body.outputs], table)
        for body in inside:
            for inner in body.graph.nodes:
                if inner not in body.inputs[carried:]:
                    self.home.setdefault(table[inner], node)
            self.names |= {table[n]: name for n, name in body.names.items() if n in table}
        self.home |= dict.fromkeys(own, node)
        if node.op is LOOP:
            self.args |= {p: (init,) for p, init in zip(own, node.args, strict=False)}
            self.next |= dict(zip(own, outputs, strict=False))
            return tuple(outputs)
        return (*node.args[: first + carried], *outputs)
