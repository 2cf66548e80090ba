"""A graph with loops and branches as it reads in a docstring: a little program over the user's names.

h = h0
for t in range(T):
    h = tanh(x[t] @ Wx + h @ Wh + b)
loss = sum((h - target)**2)

What a loop carries has one name, which stands for the value before a step until the step assigns the new
one; where a later line still needs the old one, the assignment comes last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from graphc.emit.names import Namer
from graphc.emit.spelling import MAX_LINES, spell, statements
from graphc.expr.looping import Opened, insides, names_inside, open_branch, open_loop
from graphc.ir.control import BRANCH, LOOP, RESULT, after, has_insides, mentions
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph
from graphc.ir.leaf import INPUT
from graphc.ir.node import Node, topological
from graphc.passes.loops import on_loops, pruned, solved
from graphc.plan.split import roots_of

INDENT = "    "
WIDEST = 16  # characters of a name that others are aligned with


class Line(NamedTuple):
    """An assignment, or, without a name, the head of a block."""

    depth: int
    name: str
    text: str

    def __str__(self) -> str:
        return INDENT * self.depth + (f"{self.name} = {self.text}" if self.name else self.text)


def outline(graph: Graph) -> list[str]:
    """The named values of a graph, its loops and its branches, as lines; [] if there are too many."""
    nested = sum(map(has_insides, graph.nodes))
    if not nested or nested > MAX_LINES:
        return [] if nested else statements(graph)
    plain, _ = on_loops(solved(graph)[0], pruned)
    names = {n: name for n, name in plain.names.items() if n.op is not INPUT}
    for name, node in zip(plain.output_names, plain.outputs, strict=True):
        if node.op is not INPUT:
            names.setdefault(node, name)
    writer = _Outline(names, Namer([*plain.input_names, *names.values()]))
    lines = _with_roots(list(writer.lines(plain.nodes, set(names), 0)), roots_of(plain.nodes), writer.namer)
    if len(lines) > MAX_LINES:
        return []
    return [text for _, run in groupby(lines, lambda line: (line.depth, bool(line.name))) for text in _aligned(run)]


def _with_roots(lines: list[Line], roots: Sequence[str], namer: Namer) -> list[Line]:
    """The lines with a name for each square root of a size."""
    for text in roots:
        name, written = namer.fresh("r"), text.replace(" ** ", "**")
        named = [line._replace(text=line.text.replace(text, name).replace(written, name)) for line in lines]
        lines = [Line(0, name, written), *named]
    return lines


def _aligned(run: Iterable[Line]) -> list[str]:
    lines = list(run)
    width = min(WIDEST, max(len(line.name) for line in lines))
    return [str(line._replace(name=f"{line.name:<{width}}") if line.name else line) for line in lines]


def loop_head(node: Node, test: str = "") -> str:
    """`for t in range(T):`, or `while ...:`, with the condition `test`."""
    if node["test"] is not None:
        return f"while {test}:"
    start: Dim = node["start"]
    stop = start + node["count"]
    steps = f"range({stop})" if start == 0 else f"range({start}, {stop})"
    return f"for {node['index']} in {f'reversed({steps})' if node['reverse'] else steps}:"


class _Outline:
    """names: of what has been written so far, and of what the user has named."""

    def __init__(self, names: dict[Node, str], namer: Namer) -> None:
        self.names = names
        self.namer = namer

    def text(self, node: Node) -> str:
        """A value: its name, or its formula."""
        return self.names.get(node) or spell(node, self.names)

    def lines(self, nodes: Sequence[Node], wanted: Iterable[Node], depth: int) -> Iterator[Line]:
        """The lines of nodes in topological order: those in `wanted`, and all loops and branches."""
        named = set(wanted)
        results: dict[Node, list[Node]] = {}
        for node in nodes:
            if node.op is RESULT:
                results.setdefault(node.args[0], []).append(node)
        for node in nodes:
            if node.op is LOOP:
                yield from self._loop(node, results[node], depth)
            elif node.op is BRANCH:
                yield from self._branch(node, results[node], depth)
            elif node in named and node.op is not RESULT:
                yield Line(depth, self.names[node], spell(node, self.names))

    # --- loops ---

    def _loop(self, node: Node, results: Sequence[Node], depth: int) -> Iterator[Line]:
        loop, m = open_loop(node), node["carried"]
        inner = names_inside(node)
        carried = self._carried(loop, inner, [r for r in results if r["k"] < m])
        for k, init in enumerate(loop.inits):
            if self.text(init) != carried[k]:
                yield Line(depth, carried[k], self.text(init))
        self.names |= dict(zip(loop.placeholders, carried, strict=True))
        rows = {r: self._row_name(r, node, loop, carried, inner) for r in results if r["k"] >= m}
        counted = loop.test is not None and any(
            mentions(n, frozenset([loop.index])) for n in topological(insides(node))
        )
        if counted:
            yield Line(depth, loop.index, str(loop.start))
        for result, name in rows.items() if loop.test is not None else ():
            yield Line(depth, name, f"[{carried[result['k'] - m]}]" if result["k"] < 2 * m else "[]")
        yield Line(depth, "", loop_head(node, "" if loop.test is None else self.text(loop.test)))
        yield from self._step(node, loop, carried, inner, rows, depth + 1)
        if counted:
            yield Line(depth + 1, loop.index, f"{loop.index} + 1")
        self.names |= rows
        for result in results:
            if result["k"] < m:
                user = self.names.setdefault(result, carried[result["k"]])
                if user != carried[result["k"]]:
                    yield Line(depth, user, carried[result["k"]])

    def _carried(self, loop: Opened, inner: Mapping[Node, str], finals: Sequence[Node]) -> list[str]:
        """What each carried value is called: as the user has it inside, or after the loop."""
        outside = {r["k"]: self.names[r] for r in finals if r in self.names}
        found: list[str] = []
        for k, (placeholder, update) in enumerate(zip(loop.placeholders, loop.updates, strict=True)):
            name = inner.get(placeholder) or inner.get(update) or outside.get(k)
            found.append(self.namer.fresh("h") if name is None or name in found else self.namer.reserve(name))
        return found

    def _row_name(
        self, result: Node, node: Node, loop: Opened, carried: Sequence[str], inner: Mapping[Node, str]
    ) -> str:
        """What the rows of a history or a stack are called."""
        m = node["carried"]
        own = carried[result["k"] - m] if result["k"] < 2 * m else inner.get(loop.stacked[result["k"] - 2 * m], "row")
        return self.names.get(result) or self.namer.fresh(f"{own}s")

    def _step(
        self,
        node: Node,
        loop: Opened,
        carried: Sequence[str],
        inner: Mapping[Node, str],
        rows: Mapping[Node, str],
        depth: int,
    ) -> Iterator[Line]:
        own = set(loop.placeholders)
        order = [n for n in topological([*loop.updates, *loop.stacked], known=self._around(node)) if n not in own]
        at_once = _at_once(loop, order, {n for n in order if n in inner or n in self.names})
        for n in order:
            if n in at_once:
                self.names[n] = carried[at_once[n]]
            elif n in inner and n not in self.names:
                self.names[n] = self.namer.fresh(inner[n])
        yield from self.lines(order, [n for n in order if n in self.names], depth)
        late = [k for k, u in enumerate(loop.updates) if u not in at_once and u is not loop.placeholders[k]]
        m = node["carried"]
        stacks = {name: r["k"] - 2 * m for r, name in rows.items() if r["k"] >= 2 * m}
        for name, j in stacks.items():
            yield _row(node, depth, name, loop.position - loop.start, self.text(loop.stacked[j]))
        if late:
            yield Line(depth, ", ".join(carried[k] for k in late), ", ".join(self.text(loop.updates[k]) for k in late))
        for result, name in rows.items():
            if result["k"] < 2 * m:
                yield _row(node, depth, name, after(node, loop.position), carried[result["k"] - m])

    def _around(self, node: Node) -> set[Node]:
        """What is there before a loop or a branch."""
        return set(topological(node.args))

    # --- branches ---

    def _branch(self, node: Node, results: Sequence[Node], depth: int) -> Iterator[Line]:
        inner = names_inside(node)
        for result in results:
            names = [inner.get(side[result["k"]]) for side in open_branch(node)]
            wanted = next((name for name in names if name), "chosen")
            self.names.setdefault(result, self.namer.fresh(wanted) if wanted == "chosen" else wanted)
        for head, outputs in zip((f"if {self.text(node.args[0])}:", "else:"), open_branch(node), strict=True):
            yield Line(depth, "", head)
            around = self._around(node)
            order = topological(outputs, known=around)
            ends = [outputs[r["k"]] for r in results]
            own = [n for n in order if n in inner and n not in ends and n not in self.names]
            self.names |= {n: self.namer.fresh(inner[n]) for n in own}
            yield from self.lines(order, [n for n in order if n in self.names and n not in ends], depth + 1)
            for result, end in zip(results, ends, strict=True):
                if self.names[result] != self.names.get(end):
                    yield Line(depth + 1, self.names[result], self.text(end))


def _row(node: Node, depth: int, name: str, place: Dim, text: str) -> Line:
    """The line that keeps a value of a step."""
    if node["test"] is not None:
        return Line(depth, "", f"{name}.append({text})")
    return Line(depth, f"{name}[{place}]", text)


def _at_once(loop: Opened, order: Sequence[Node], named: Collection[Node]) -> dict[Node, int]:
    """The new values of carried ones that can have their names at once: no later line needs the old ones.

    named: the nodes that are lines of their own; what has no name is written out where it is used.
    """
    free = {k for k, u in enumerate(loop.updates) if u in order and loop.updates.index(u) == k}
    while True:
        lines = {*named, *(loop.updates[k] for k in free)}
        late = [u for k, u in enumerate(loop.updates) if k not in free]
        bound = {k for k in free if _is_needed(loop.placeholders[k], _after(loop, k, order, lines, late), lines)}
        if not bound:
            return {loop.updates[k]: k for k in free}
        free -= bound


def _after(
    loop: Opened, k: int, order: Sequence[Node], lines: Collection[Node], late: Sequence[Node]
) -> Iterator[Node]:
    """What is written after the new value of a carried one: the nodes at the tops of its texts."""
    for node in order[order.index(loop.updates[k]) + 1 :]:
        if node in lines or has_insides(node):
            yield from node.args
    yield from loop.stacked
    yield from late


def _is_needed(old: Node, tops: Iterable[Node], lines: Collection[Node]) -> bool:
    """Whether a value is in the text of a node, down to those that have lines of their own."""
    stack = list(tops)
    seen = set(stack)
    while stack:
        node = stack.pop()
        if node is old:
            return True
        if node not in lines:
            stack += [a for a in node.args if a not in seen]
            seen.update(node.args)
    return False
