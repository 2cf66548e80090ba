"""What a loop saves of each step for the loop that goes back through it.

    for t in range(T):                          for t in reversed(range(T)):
        z = x[t] @ W + h[t] @ U                     z = x[t] @ W + h[t] @ U     computed again
        h[t + 1] = tanh(z)                          dz = dh * (1 - tanh(z)**2)  ->  dh * (1 - h[t + 1]**2)

Differentiation leaves a loop backwards that computes again, from the value before a step, whatever it
needs of that step. Here those values are found in it, and become rows: of a history that is there anyway,
or of a stack that the loop forwards makes. What costs less than reading it back is left as it is.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from graphc.expr import build
from graphc.expr.looping import again, around, close, open_loop, substitute
from graphc.ir.control import LOOP, RESULT, TUPLE, Body, after, history, names_in, result, results_of, stack
from graphc.ir.dims import Size, degree
from graphc.ir.graph import Graph
from graphc.ir.node import Node, make, rebuild, topological
from graphc.passes.bodies import Moved

CHEAP = 1.0  # nanoseconds an element: reading a saved row costs as much


def save_residuals(graph: Graph) -> tuple[Graph, Moved]:
    """The graph with the values of steps saved where loops backwards need them; and where its nodes went."""
    if not any(node.op is LOOP for node in graph.nodes):
        return graph, lambda node: node
    deep, first = _inner_first(graph)
    loops = [node for node in deep.nodes if node.op is LOOP]
    saved = {loop: _Saved(loop) for loop in loops}
    rows = {loop: _rows(loop, saved) for loop in loops}
    made: dict[Node, Node] = {}
    for loop in loops:  # arguments first: a loop backwards reads what the one before it has become
        made[loop] = _reading(saved[loop].extended(), rows[loop], saved, made)
    result, second = _replaced(deep, {loop: _in_bodies(node) for loop, node in made.items()})
    return result, lambda node: second(first(node))


def _replaced(graph: Graph, made: Mapping[Node, Node]) -> tuple[Graph, Moved]:
    """The graph with other nodes in the place of some, which are made over its own."""
    table: dict[Node, Node] = {}
    for node in graph.nodes:
        if node in made:
            [table[node]] = substitute([made[node]], table)
        else:
            table[node] = rebuild(node, [table[a] for a in node.args])
    return graph.mapped(table.__getitem__), lambda node: table.get(node, node)


def _in_bodies(node: Node) -> Node:
    """A loop, with the same done for the loops inside it."""
    attrs = {k: Body.of(save_residuals(v.graph)[0]) if isinstance(v, Body) else v for k, v in node.attributes.items()}
    return make(node.op, node.args, **attrs)


def _inner_first(graph: Graph) -> tuple[Graph, Moved]:
    """The graph with residuals saved between the loops inside its loops.

    A loop backwards computes an inner loop again and goes back through it. What the inner one saves then, it
    saves in the loop forwards as well, so that it is one node in both and can be saved there.
    """
    loops = {node for node in graph.nodes if node.op is LOOP}
    made: dict[Node, Node] = {}
    for loop in (node for node in graph.nodes if node in loops):
        inner = [node for node in loop["body"].graph.nodes if node.op is LOOP]
        sources = _sources(loop, loops)
        if not inner or not sources:
            continue
        changed, move = save_residuals(loop["body"].graph)
        made[loop] = _with_body(loop, Body.of(changed))
        outside = around(loop)
        found = {outside[node]: move(node) for node in inner if move(node).args == node.args}
        for source in sources:
            made[source] = _as_found(made.get(source, source), source, found)
    return _replaced(graph, made)


def _as_found(loop: Node, source: Node, found: Mapping[Node, Node]) -> Node:
    """A loop whose inner loops save what they save where they are computed again."""
    outside = again(loop, source)
    inner = [node for node in loop["body"].graph.nodes if node.op is LOOP and outside[node] in found]
    table = {node: make(LOOP, node.args, **found[outside[node]].attributes) for node in inner}
    if not table:
        return loop
    return _with_body(loop, Body.of(_replaced(loop["body"].graph, table)[0]))


def _with_body(loop: Node, body: Body) -> Node:
    return make(LOOP, loop.args, **{**loop.attributes, "body": body})


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
            over = again(self.loop)
            own = {n: o for n, o in over.items() if n.args and n.type != TUPLE}
            for node in [n for n in over if n.op is LOOP]:  # those that the step itself does not need, too
                own |= {result(node, k): result(over[node], k) for k in range(results_of(node))}
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

    def is_part(self, node: Node) -> bool:
        """Whether a node is a small part of what is carried: to keep it needs less than to keep all."""
        whole = node
        while "view" in whole.op.traits and whole.args:
            whole = whole.args[0]
        carried = self.loop["body"].inputs[: self.loop["carried"]]
        return whole in carried and whole is not node and degree(node.type.size) < degree(whole.type.size)

    def extended(self) -> Node:
        """The loop with the stacks that have been asked for."""
        if not self._added:
            return self.loop
        body: Body = self.loop["body"]
        return _with_body(self.loop, replace(body, outputs=(*body.outputs, *self._added)))


def _changes(node: Node, index: frozenset[str]) -> bool:
    """Whether the shape of a node changes with the index: it can't be a row then."""
    return any(isinstance(d, Size) and not index.isdisjoint(d.names()) for d in node.shape)


Rows = dict[Node, tuple[Node, str, int]]  # a node of a step -> the loop that keeps it, and where


def _rows(loop: Node, saved: Mapping[Node, _Saved]) -> Rows:
    """What a loop computes again of steps of other loops."""
    sources = _sources(loop, saved)
    if not sources:
        return {}
    opened = open_loop(loop)
    roots = [*opened.updates, *opened.stacked]
    again = _counted_again(roots)
    found: Rows = {}
    for source in sources:
        for node in _needed(roots, saved[source], again):
            if node not in found:
                found[node] = (source, *saved[source].place(saved[source].image[node]))
    return found


def _counted_again(roots: Sequence[Node]) -> set[Node]:
    """The results of a `while` in a step whose number of steps is asked for: it is found out by doing it again."""
    order = topological(roots)
    asked = {name for n in order if n.op is not LOOP or n["test"] is None for name in names_in(n)}
    results = (n for n in order if n.op is RESULT and n.args[0].op is LOOP and n.args[0]["test"] is not None)
    return {n for n in results if n.args[0]["count"].name in asked}


def _sources(loop: Node, loops: Container[Node]) -> list[Node]:
    """The loops of whose steps a loop computes something again."""
    found = [a.args[0] for a in loop.args if a.op is RESULT and a.args[0] in loops and _is_history(a)]
    return [source for source in dict.fromkeys(found) if source["index"] == loop["index"] and source is not loop]


def _is_history(node: Node) -> bool:
    m = node.args[0]["carried"] if node.args[0].op is LOOP else 0
    return bool(m <= node["k"] < 2 * m)


def _needed(roots: Sequence[Node], saved: _Saved, again: Container[Node]) -> list[Node]:
    """The nodes of another loop's step that these need directly, but for what is cheap, or must be, made again."""
    image = {node: own for node, own in saved.image.items() if node not in again}
    order = topological(roots)
    free = {n for n in order if n not in image and not any(a in image for a in n.args)}
    for node in order:
        cheap = "view" in node.op.traits or (node.op.elementwise and node.op.cost <= CHEAP)
        small = node in image and cheap and not saved.is_part(image[node])
        if small and all(_is_at_hand(a, image, free) for a in node.args):
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
