"""What a loop saves of each step for the loop that goes back through it.

    for t in range(T):                          for t in reversed(range(T)):
        z = x[t] @ W + h[t] @ U                     z = x[t] @ W + h[t] @ U     computed again
        h[t + 1] = tanh(z)                          dz = dh * (1 - tanh(z)**2)  ->  dh * (1 - h[t + 1]**2)

Differentiation leaves a loop backwards that computes again, from the value before a step, whatever it
needs of that step. Here those values are found in it, and become rows: of a history that is there anyway,
or of a stack that the loop forwards makes. What costs less than reading it back is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from graphc.expr import build
from graphc.expr.looping import close, open_loop, substitute
from graphc.ir.control import LOOP, RESULT, TUPLE, Body, after, before, history, names_in, stack
from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.node import Node, make, rebuild, topological

CHEAP = 1.0  # nanoseconds an element: reading a saved row costs as much


def save_residuals(graph: Graph) -> tuple[Graph, Callable[[Node], Node]]:
    """The graph with the values of steps saved where loops backwards need them; and where its nodes went."""
    loops = [node for node in graph.nodes if node.op is LOOP]
    if not loops:
        return graph, lambda node: node
    saved = {loop: _Saved(loop) for loop in loops}
    rows = {loop: _rows(loop, saved) for loop in loops}
    made: dict[Node, Node] = {}
    for loop in loops:  # arguments first: a loop backwards reads what the one before it has become
        made[loop] = _reading(saved[loop].extended(), rows[loop], saved, made)
    table: dict[Node, Node] = {}
    for node in graph.nodes:
        if node in made:
            [table[node]] = substitute([_in_bodies(made[node])], table)
        else:
            table[node] = rebuild(node, [table[a] for a in node.args])
    return graph.mapped(table.__getitem__), lambda node: table.get(node, node)


def _in_bodies(node: Node) -> Node:
    """A loop, with the same done for the loops inside it."""
    attrs = {k: Body.of(save_residuals(v.graph)[0]) if isinstance(v, Body) else v for k, v in node.attributes.items()}
    return make(node.op, node.args, **attrs)


class _Saved:
    """The values of a step of a loop that others read, and what the loop makes of them."""

    def __init__(self, loop: Node) -> None:
        self.loop = loop
        body, m = loop["body"], loop["carried"]
        self.updates = {u: k for k, u in reversed(list(enumerate(body.outputs[:m])))}
        self.stacked: dict[Node, int] = {s: j for j, s in reversed(list(enumerate(body.outputs[m:])))}
        self.count = len(body.outputs) - m
        self.index = frozenset({loop["index"]})
        self._added: list[Node] = []
        self._image: dict[Node, Node] | None = None

    @property
    def image(self) -> Mapping[Node, Node]:
        """The nodes of a step as they are computed again elsewhere -> those of the body."""
        if self._image is None:
            body, m, t = self.loop["body"], self.loop["carried"], Size.named(self.loop["index"])
            again = [build.at(history(self.loop, k), 0, before(self.loop, t)) for k in range(m)]
            table = dict(zip(body.inputs, (*again, *self.loop.args[m:]), strict=True))
            substitute(body.outputs, table)
            own = {n: o for n, o in table.items() if n.args and n.type != TUPLE}
            self._image = {o: n for n, o in own.items() if not _changes(n, self.index)}
        return self._image

    def place(self, node: Node) -> tuple[str, int]:
        """Where a value of a step is kept: in a history or in a stack, and which."""
        if node in self.updates:
            return "history", self.updates[node]
        if node not in self.stacked:
            self.stacked[node] = self.count + len(self._added)
            self._added.append(node)
        return "stack", self.stacked[node]

    def extended(self) -> Node:
        """The loop with the stacks that have been asked for."""
        if not self._added:
            return self.loop
        body: Body = self.loop["body"]
        longer = replace(body, outputs=(*body.outputs, *self._added))
        return make(LOOP, self.loop.args, **{**self.loop.attributes, "body": longer})


def _changes(node: Node, index: frozenset[str]) -> bool:
    """Whether the shape of a node changes with the index: it can't be a row then."""
    return any(isinstance(d, Size) and not index.isdisjoint(d.names()) for d in node.shape)


Rows = dict[Node, tuple[Node, str, int]]  # a node of a step -> the loop that keeps it, and where


def _rows(loop: Node, saved: Mapping[Node, _Saved]) -> Rows:
    """What a loop computes again of steps of other loops."""
    sources = [a.args[0] for a in loop.args if a.op is RESULT and a.args[0] in saved and _is_history(a)]
    sources = [s for s in dict.fromkeys(sources) if s["index"] == loop["index"] and s is not loop]
    if not sources:
        return {}
    opened = open_loop(loop)
    roots = [*opened.updates, *opened.stacked]
    again = _counted_again(roots)
    found: Rows = {}
    for source in sources:
        for node in _needed(roots, {n: own for n, own in saved[source].image.items() if n not in again}):
            if node not in found:
                found[node] = (source, *saved[source].place(saved[source].image[node]))
    return found


def _counted_again(roots: Sequence[Node]) -> set[Node]:
    """The results of a `while` in a step whose number of steps is asked for: it is found out by doing it again."""
    order = topological(roots)
    asked = {name for n in order if n.op is not LOOP or n["test"] is None for name in names_in(n)}
    results = (n for n in order if n.op is RESULT and n.args[0].op is LOOP and n.args[0]["test"] is not None)
    return {n for n in results if n.args[0]["count"].name in asked}


def _is_history(node: Node) -> bool:
    m = node.args[0]["carried"] if node.args[0].op is LOOP else 0
    return bool(m <= node["k"] < 2 * m)


def _needed(roots: Sequence[Node], image: Mapping[Node, Node]) -> list[Node]:
    """The nodes of another loop's step that these need directly, but for what is cheap to make again."""
    order = topological(roots)
    free = {n for n in order if n not in image and not any(a in image for a in n.args)}
    for node in order:
        cheap = "view" in node.op.traits or (node.op.elementwise and node.op.cost <= CHEAP)
        if node in image and cheap and all(_is_at_hand(a, image, free) for a in node.args):
            free.add(node)
    needed = set(roots)
    for node in reversed(order):
        if node in needed and (node not in image or node in free):
            needed.update(node.args)
    return [n for n in order if n in needed and n in image and n not in free]


def _is_at_hand(node: Node, image: Mapping[Node, Node], free: set[Node]) -> bool:
    return node in free if node in image else True


def _reading(loop: Node, rows: Rows, saved: Mapping[Node, _Saved], made: Mapping[Node, Node]) -> Node:
    """A loop that reads rows where it computed them again."""
    if not rows:
        return loop
    opened = open_loop(loop)
    t = Size.named(loop["index"])
    table: dict[Node, Node] = {}
    for node, (source, kind, place) in rows.items():
        kept = history(made[source], place) if kind == "history" else stack(made[source], place)
        position = after(source, t) if kind == "history" else t - source["start"]
        table[node] = build.at(kept, 0, position)
    nodes = substitute([*opened.updates, *opened.stacked, *opened.names], table)
    count = len(opened.updates)
    both = count + len(opened.stacked)
    return close(
        replace(
            opened,
            updates=tuple(nodes[:count]),
            stacked=tuple(nodes[count:both]),
            names=dict(zip(nodes[both:], opened.names.values(), strict=True)),
        )
    )
