"""What is needed: of loops and branches only what the results in use take.

h is read, the losses beside it are not   ->   the loop computes h alone, and reads no targets
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from graphc.ir.control import BRANCH, LOOP, RESULT, Body, counted_by, in_order, needs_steps_of
from graphc.ir.node import Node, topological


class Needs(NamedTuple):
    """What of a body is computed. outputs, inputs: their positions, in order."""

    outputs: list[int]
    inputs: list[int]


def live(roots: Sequence[Node], known: Collection[Node] = ()) -> list[Node]:
    """Every node that `roots` need, arguments first, without `known` and what only they need."""
    order = topological(roots, known)
    if not any(n.op is LOOP or n.op is BRANCH for n in order):
        return order
    order = list(in_order(order))
    needed = reached(order, roots)
    return [n for n in order if n in needed]


def reached(order: Sequence[Node], roots: Iterable[Node], stop: Collection[Node] = ()) -> set[Node]:
    """The nodes of `order`, which is topological, that `roots` need, without what only those in `stop` need."""
    needed = set(roots)
    used: dict[Node, list[int]] = {}
    loops = counted_by(order)
    for node in reversed(order):
        if node not in needed or node in stop:
            continue
        if node.op is RESULT:
            used.setdefault(node.args[0], []).append(node["k"])
        needed.update(needed_args(node, used.get(node, ())))
        needed.update(needs_steps_of(node, loops) if loops else ())
    return needed


def needed_args(node: Node, used: Collection[int]) -> Sequence[Node]:
    """The arguments that a node needs; `used`: the results in use of a loop or a branch."""
    if node.op is LOOP:
        return [node.args[i] for i in loop_needs(node, used).inputs]
    if node.op is BRANCH:
        return [node.args[0], *(node.args[1 + i] for i in branch_needs(node, used))]
    return node.args


def loop_needs(node: Node, used: Collection[int]) -> Needs:
    """What a loop computes in each step if the results in `used` are read."""
    body, test, m = node["body"], node["test"], node["carried"]
    outputs = {k if k < m else k - m for k in used}
    tests = [] if test is None else list(test.outputs)
    while True:
        order = live([*(body.outputs[i] for i in sorted(outputs)), *tests])
        inputs = _inputs(body, order)
        if outputs.issuperset(i for i in inputs if i < m):
            return Needs(sorted(outputs), [i for i in range(len(body.inputs)) if i in {*inputs, *_below(outputs, m)}])
        outputs |= {i for i in inputs if i < m}


def _below(numbers: Iterable[int], m: int) -> list[int]:
    return [i for i in numbers if i < m]


def branch_needs(node: Node, used: Collection[int]) -> list[int]:
    """The positions of what a branch reads if the results in `used` are read."""
    found: set[int] = set()
    for body in (node["then"], node["other"]):
        found |= set(_inputs(body, live([body.outputs[k] for k in sorted(used)])))
    return sorted(found)


def _inputs(body: Body, order: Iterable[Node]) -> list[int]:
    """The positions of the inputs of a body among these nodes."""
    inside = set(order)
    return [i for i, node in enumerate(body.inputs) if node in inside]
