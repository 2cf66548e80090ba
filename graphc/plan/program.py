"""A program: functions of statements, without any target's syntax.

    forward                       backward
      a1 <- relu(X @ W1 + b1)       dz2 <- (p - y) * (dloss / n)
      ...                           dW2 <- a1.T @ dz2            undoes z2 = a1 @ W2 + b2

Which nodes become statements is in `lines.py`, what statements may overwrite in `buffers.py`, loops
and branches among them in `nested.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.passes.pipeline import Joint
from graphc.plan.lines import is_leaf, lines
from graphc.plan.nested import statements
from graphc.plan.split import Split, split
from graphc.plan.statement import Statement


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
    named = {n for n in joint.graph.names if not is_leaf(n)}
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
        statements(parts.forward, forward_lines, {*values, *parts.saved, *named}, {}),
        statements(
            parts.backward,
            backward_lines,
            {*gradients, *backward_values},
            {ct: tuple(dict.fromkeys(u for n in nodes for u in undone.get(n, ()))) for ct, nodes in sources.items()},
        ),
    )


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
