"""A program: functions of statements, without any target's syntax.

    forward                       backward
      a1 <- relu(X @ W1 + b1)       dz2 <- (p - y) * (dloss / n)
      ...                           dW2 <- a1.T @ dz2            undoes z2 = a1 @ W2 + b2

A node becomes a statement when a reader needs its name (the user named it, it is used twice, it is
saved) or when the line would get long; all others are written where they are used.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from graphc.ir.graph import Graph
from graphc.ir.leaf import CONST
from graphc.ir.node import Node
from graphc.passes.pipeline import Joint
from graphc.plan.split import Split, split

MAX_OPERANDS = 7  # operands of one statement
MAX_DEPTH = 6  # calls and operators inside one another


class Statement(NamedTuple):
    """One line.

    node: what it computes.  reuse: the argument whose buffer it may overwrite, or None.
    undoes: for a gradient, the forward statements that it goes back through.
    """

    node: Node
    reuse: Node | None
    undoes: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Program:
    """values: the stabilised graph.  joint: values and gradients.  split: who computes what.

    forward, backward: the statements.  cotangents: forward node -> its cotangent.
    """

    joint: Joint
    split: Split
    forward: tuple[Statement, ...]
    backward: tuple[Statement, ...]

    @property
    def values(self) -> Graph:
        return self.joint.stable

    @property
    def gradients(self) -> tuple[Node, ...]:
        return self.joint.graph.outputs[len(self.values.outputs) :]

    @property
    def final_values(self) -> tuple[Node, ...]:
        return self.joint.graph.outputs[: len(self.values.outputs)]


def plan(joint: Joint) -> Program:
    """Decide what each function computes, in which order and in which statements."""
    parts = split(joint.stable, joint.graph)
    count = len(joint.stable.outputs)
    values, gradients = joint.graph.outputs[:count], joint.graph.outputs[count:]
    named = {n for n in joint.graph.names if not _is_leaf(n)}
    backward_values = set(joint.cotangents.values())
    forward_lines = lines(parts.forward, {*values, *parts.saved, *named})
    backward_lines = lines(parts.backward, {*gradients, *(n for n in named if n in backward_values)}, parts.saved)
    undone = _undone(parts.forward, forward_lines)
    sources: dict[Node, list[Node]] = {}
    for node, ct in joint.cotangents.items():
        if node in forward_lines or not node.args:
            sources.setdefault(ct, []).insert(0, node)
    sources = {ct: nodes[:1] if nodes[0] in forward_lines else nodes for ct, nodes in sources.items()}
    return Program(
        joint,
        parts,
        _statements(parts.forward, forward_lines, {*values, *parts.saved, *named}, {}),
        _statements(
            parts.backward,
            backward_lines,
            {*gradients, *backward_values},
            {ct: tuple(dict.fromkeys(u for n in nodes for u in undone.get(n, ()))) for ct, nodes in sources.items()},
        ),
    )


def _is_leaf(node: Node) -> bool:
    return not node.args and (node.op is not CONST or node.type.rank == 0) and "creation" not in node.op.traits


def lines(order: Sequence[Node], wanted: Collection[Node], given: Sequence[Node] = ()) -> set[Node]:
    """The nodes that become statements of their own."""
    inside = {n for n in order if not _is_leaf(n)} - set(given)
    inline = _never_a_line(order) - set(wanted)
    uses = _uses(order, inline)
    chosen: set[Node] = set()
    operands: dict[Node, int] = {}
    depth: dict[Node, int] = {}
    for node in order:
        if node not in inside:
            continue
        open_args = [a for a in node.args if a in inside and a not in chosen]
        while open_args and not _is_short(node, open_args, operands, depth):
            heaviest = max(open_args, key=operands.__getitem__)
            chosen.add(heaviest)
            open_args = [a for a in open_args if a is not heaviest]
        operands[node] = _count(node, open_args, operands)
        depth[node] = 1 + max([depth[a] for a in open_args], default=0)
        if node in wanted or uses.get(node, 0) > 1 or _needs_line(node):
            chosen.add(node)
        if _needs_name(node):
            chosen |= set(open_args)
    return (chosen & inside) - inline


def _is_short(node: Node, open_args: Sequence[Node], operands: Mapping[Node, int], depth: Mapping[Node, int]) -> bool:
    """Whether the text of a node, with that of `open_args` in it, is short enough for one line."""
    return _count(node, open_args, operands) <= MAX_OPERANDS and all(depth[a] < MAX_DEPTH for a in open_args)


def _count(node: Node, open_args: Sequence[Node], operands: Mapping[Node, int]) -> int:
    """The operands in the text of a node: one for each argument that has a name, all those of the others."""
    return len(node.args) - len(open_args) + sum([operands[a] for a in open_args])


def _uses(order: Sequence[Node], inline: Collection[Node]) -> dict[Node, int]:
    """How often the text of each value appears; what is written inline takes its argument along."""
    counts: dict[Node, int] = {}
    for node in reversed(order):
        times = max(1, counts.get(node, 0)) if node in inline else 1
        for arg in node.args:
            counts[arg] = counts.get(arg, 0) + times
    return counts


def _needs_line(node: Node) -> bool:
    return "writes" in node.op.traits or "creation" in node.op.traits or (node.op is CONST and node.type.rank > 0)


def _never_a_line(order: Sequence[Node]) -> set[Node]:
    """Transposes, which are short and free, and new arrays that are only written into."""
    bases = {n.args[0] for n in order if "writes" in n.op.traits}
    others = {a for n in order for i, a in enumerate(n.args) if "writes" not in n.op.traits or i > 0}
    inline = {n for n in order if "short" in n.op.traits}
    return inline | {b for b in bases - others if "creation" in b.op.traits}


def _needs_name(node: Node) -> bool:
    """Whether the text of a scalar node mentions its argument twice: `x * x`."""
    text = node.op.scalar
    return node.type.rank == 0 and text is not None and len(node.op.args) == 1 and text.split().count("x") > 1


def _statements(
    order: Sequence[Node], chosen: set[Node], kept: Collection[Node], undone: Mapping[Node, tuple[Node, ...]]
) -> tuple[Statement, ...]:
    """The chosen nodes as statements; the buffers of `kept` and of viewed values are never reused."""
    last: dict[Node, Node] = {}
    inside = set(order)
    reads = {n: _reads(n, chosen, inside) for n in order if n in chosen}
    for node, used in reads.items():
        for other in used:
            last[other] = node
    held = {*kept, *(a for n in order if "view" in n.op.traits for a in n.args)}
    return tuple(
        Statement(node, _reusable(node, chosen, held, last, reads[node]), undone.get(node, ())) for node in reads
    )


def _reads(node: Node, chosen: set[Node], inside: set[Node]) -> list[Node]:
    """The statements, leaves and values from outside that one statement mentions, with repeats."""
    found: list[Node] = []
    stack = list(node.args)
    while stack:
        top = stack.pop()
        if top in chosen or not top.args or top not in inside:
            found.append(top)
        else:
            stack += top.args
    return found


def _reusable(
    node: Node, chosen: set[Node], kept: Collection[Node], last: Mapping[Node, Node], reads: Sequence[Node]
) -> Node | None:
    """The first argument, if its buffer is ours, of the right type, and dead after this line."""
    if node.op.update is None or not node.args:
        return None
    first = node.args[0]
    fits = first in chosen and first.type == node.type and first.type.rank > 0
    dead = last.get(first) is node and reads.count(first) == 1 and first not in kept
    return first if fits and dead and is_fresh(first) else None


def is_fresh(node: Node) -> bool:
    """Whether computing the node allocates an array of its own."""
    return bool(node.args or "creation" in node.op.traits) and "view" not in node.op.traits


def _undone(order: Sequence[Node], chosen: set[Node]) -> dict[Node, tuple[Node, ...]]:
    """For each forward value the statements whose text uses it."""
    table: dict[Node, dict[Node, None]] = {}
    for statement in order:
        if statement not in chosen:
            continue
        stack = [statement]
        while stack:
            node = stack.pop()
            for arg in node.args:
                table.setdefault(arg, {})[statement] = None
                if arg not in chosen:
                    stack.append(arg)
    return {node: tuple(users) for node, users in table.items()}
