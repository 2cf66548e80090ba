"""Patterns of loops and branches: a loop step by step, both sides of a branch.

    for t in range(T):             step 0: h depends on x[0]
        h = h * x[t]       ->      step 1: h depends on x[0], x[1] ...

The number of steps is known at a call, so a pattern is carried through them as a value is. Where the index
is nowhere in the body and a step changes no pattern, the other steps do not, either. A loop with a condition,
or with very many steps, says nothing: then all of its results depend on all that it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy.typing as npt

from graphc.autodiff.known import Known
from graphc.autodiff.pattern import Pattern
from graphc.ir.control import BRANCH, LOOP, Body, mentions
from graphc.ir.node import Node

MAX_STEPS = 4_000

Array = npt.NDArray[Any]
Patterns = Sequence[Pattern | None]  # None: it depends on nothing that varies
# (nodes, the patterns of some of those below, what is known) -> the patterns of the nodes
Spread = Callable[[Sequence[Node], Mapping[Node, Pattern], Known], Patterns]


def control_patterns(node: Node, args: Patterns, known: Known, spread: Spread) -> Patterns | None:
    """The pattern of each result of a loop or a branch, given those of its arguments; None where it is not known."""
    if node.op is BRANCH:
        return _branch(node, args, known, spread)
    if node.op is not LOOP or node["test"] is not None or known.size(node["count"]) > MAX_STEPS:
        return None
    return _loop(node, args, known, spread)


def _loop(node: Node, args: Patterns, known: Known, spread: Spread) -> Patterns:
    body, m, index = node["body"], node["carried"], node["index"]
    start = known.size(node["start"])
    steps = range(start, start + known.size(node["count"]))
    read = _given(body.inputs[m:], args[m:])
    values = _values(body.inputs[m:], node.args[m:], known)
    alike = not any(mentions(n, frozenset({index})) for n in body.graph.nodes)
    carried, made, settled = list(args[:m]), [], False
    rows: list[list[Pattern | None]] = [[c] for c in carried] + [[] for _ in body.outputs[m:]]
    for i in reversed(steps) if node["reverse"] else steps:
        if not settled:
            made = list(spread(body.outputs, _given(body.inputs[:m], carried) | read, known.inside({index: i}, values)))
            settled = alike and all(_same(a, b) for a, b in zip(carried, made, strict=False))
            carried = made[:m]
        for own, pattern in zip(rows, made, strict=True):
            own.append(pattern)
    order = -1 if node["reverse"] else 1
    inner = known.inside({index: start}, values)
    return (*carried, *(_piled(own[::order], o, inner) for own, o in zip(rows, body.outputs, strict=True)))


def _branch(node: Node, args: Patterns, known: Known, spread: Spread) -> Patterns:
    """What either side gives, or the one side if it is known which."""
    condition = known.value(node.args[0])
    sides: list[Body] = [node["then"], node["other"]]
    taken = sides if condition is None else [sides[0 if condition else 1]]
    found = [
        spread(s.outputs, _given(s.inputs, args[1:]), known.inside({}, _values(s.inputs, node.args[1:], known)))
        for s in taken
    ]
    return found[0] if len(found) == 1 else [_united(a, b) for a, b in zip(*found, strict=True)]


def _given(inputs: Sequence[Node], patterns: Patterns) -> dict[Node, Pattern]:
    return {node: p for node, p in zip(inputs, patterns, strict=True) if p is not None}


def _values(inputs: Sequence[Node], args: Sequence[Node], known: Known) -> dict[Node, Array]:
    """The values of inputs of a body that are known."""
    pairs = ((node, known.value(arg)) for node, arg in zip(inputs, args, strict=True))
    return {node: value for node, value in pairs if value is not None}


def _same(a: Pattern | None, b: Pattern | None) -> bool:
    return a is b or (a is not None and b is not None and a.same(b))


def _united(a: Pattern | None, b: Pattern | None) -> Pattern | None:
    return a.united(b) if a is not None and b is not None else a or b


def _piled(rows: Patterns, like: Node, known: Known) -> Pattern | None:
    """The patterns of the rows of a history or a stack, one below the other."""
    width = next((row.width for row in rows if row is not None), None)
    if width is None:
        return None
    height = prod(known.shape(like))
    return Pattern.piled([row or Pattern.empty(height, width) for row in rows])
