"""Loops and branches of many things side by side, along a new first axis.

    for t in range(T):                       for t in range(T):
        h = tanh(x[t] @ W + h)      ->           H = tanh(x[t] @ W + H)          H: (n, k)

There is one loop, whose steps are batched; what is carried gets the axis if a step or its first value gives
it one. A branch whose condition is the same for all stays a branch. Where each has a condition of its own,
both sides are computed and `where` chooses; a loop goes on while any test holds, and what has stopped stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from graphc.errors import UnsupportedError
from graphc.expr import build
from graphc.expr.looping import Opened, close, close_branch, close_solution, followed_in, substitute
from graphc.ir.control import BRANCH, LOOP, Body, final, history, result, stack
from graphc.ir.dims import Dim
from graphc.ir.leaf import input_node
from graphc.ir.node import Node


class Along(NamedTuple):
    """A value, and whether it has the new axis."""

    node: Node
    has: bool

    def whole(self, n: Dim) -> Node:
        """The value with the axis, repeated along it if it has none."""
        return build.repeated(self.node, self.has, n)


# (nodes, what stands for some of those below, the size of the axis) -> what stands for each
Spread = Callable[[Sequence[Node], Mapping[Node, Node], Dim], Callable[[Node], Along]]


def control_along(node: Node, args: Sequence[Along], n: Dim, spread: Spread) -> Callable[[int], Along]:
    """The results of a loop, a branch or an equation over arguments some of which have the new axis."""
    if node.op is BRANCH:
        return _branch(node, args, n, spread)
    return _Loop(node, args, n, spread).along() if node.op is LOOP else _equation(node, args, n, spread)


class _Loop:
    """One loop along the new axis."""

    def __init__(self, node: Node, args: Sequence[Along], n: Dim, spread: Spread) -> None:
        self.node, self.args, self.n, self.spread = node, args, n, spread
        self.m: int = node["carried"]
        self.body: Body = node["body"]
        self.tested: tuple[Node, ...] = () if node["test"] is None else node["test"].outputs
        self.stand_ins = [
            input_node(f"_{node['index']}_b{i}", p.type.with_shape((n, *p.shape)))
            for i, p in enumerate(self.body.inputs)
        ]

    def along(self) -> Callable[[int], Along]:
        """The results."""
        wide, at = self._wide()
        stopping = any(at(test).has for test in self.tested)
        if stopping:
            wide = set(range(self.m)) | wide
            at = self._along(wide)
        outputs = [at(o) for o in self.body.outputs]
        updates = [o.whole(self.n) if k in wide else o.node for k, o in enumerate(outputs[: self.m])]
        test = at(self.tested[0]).node if self.tested else None
        if stopping and test is not None:
            updates = [self._where(test, u, self.stand_ins[k]) for k, u in enumerate(updates)]
            test = build.reduce("any", test, (0,))
        loop = self._closed(wide, updates, [o.node for o in outputs[self.m :]], test)
        return lambda k: self._result(loop, k, wide, outputs, stopping)

    def _wide(self) -> tuple[set[int], Callable[[Node], Along]]:
        """The inputs of the body that have the axis, and what stands for each node of a step."""
        wide = {i for i, arg in enumerate(self.args) if arg.has}
        while True:
            at = self._along(wide)
            more = {k for k, output in enumerate(self.body.outputs[: self.m]) if at(output).has} - wide
            if not more:
                return wide, at
            wide |= more

    def _along(self, wide: set[int]) -> Callable[[Node], Along]:
        sources = {self.body.inputs[i]: self.stand_ins[i] for i in sorted(wide)}
        return self.spread([*self.body.outputs, *self.tested], sources, self.n)

    def _where(self, going: Node, new: Node, old: Node) -> Node:
        return build.where(build.behind(going, True, new.type.rank - 1), new, old)

    def _closed(self, wide: set[int], updates: Sequence[Node], stacked: Sequence[Node], test: Node | None) -> Node:
        node, m = self.node, self.m
        table: dict[Node, Node] = {}
        for i, arg in enumerate(self.args[m:], start=m):
            table[self.stand_ins[i] if i in wide else self.body.inputs[i]] = arg.node
        nodes = substitute([*updates, *stacked, *([] if test is None else [test])], table)
        count = len(updates) + len(stacked)
        return close(
            Opened(
                index=node["index"],
                start=node["start"],
                count=node["count"],
                reverse=node["reverse"],
                inits=tuple(arg.whole(self.n) if k in wide else arg.node for k, arg in enumerate(self.args[:m])),
                placeholders=tuple(self.stand_ins[k] if k in wide else p for k, p in enumerate(self.body.inputs[:m])),
                updates=tuple(nodes[: len(updates)]),
                stacked=tuple(nodes[len(updates) : count]),
                test=None if test is None else nodes[count],
                follows=None if self.tested else followed_in([a.node for a in self.args[m:]], node["count"]),
            )
        )

    def _result(self, loop: Node, k: int, wide: set[int], outputs: Sequence[Along], stopping: bool) -> Along:
        """One result; the axis of rows goes behind the new one."""
        if k < self.m:
            return Along(final(loop, k), k in wide)
        if stopping:
            raise UnsupportedError(
                "G040",
                "the steps of a loop that stops at its own time for each of many values are not kept",
                hint="use what the loop ends with, or a loop over a known number of steps",
            )
        rows = history(loop, k - self.m) if k < 2 * self.m else stack(loop, k - 2 * self.m)
        has = k - self.m in wide if k < 2 * self.m else outputs[k - self.m].has
        return Along(build.moved(rows, 1, 0) if has else rows, has)


def _branch(node: Node, args: Sequence[Along], n: Dim, spread: Spread) -> Callable[[int], Along]:
    sides = [_side(body, args[1:], n, spread) for body in (node["then"], node["other"])]
    condition = args[0]
    if condition.has:
        then, other = ([o.whole(n) for o in side] for side in sides)
        mask = condition.node
        chosen = [
            build.where(build.behind(mask, True, a.type.rank - 1), a, b) for a, b in zip(then, other, strict=True)
        ]
        return lambda k: Along(chosen[k], True)
    has = [a.has or b.has for a, b in zip(*sides, strict=True)]
    then, other = ([o.whole(n) if h else o.node for o, h in zip(side, has, strict=True)] for side in sides)
    branch = close_branch(condition.node, then, other, outside=[arg.node for arg in args])
    return lambda k: Along(result(branch, k), has[k])


def _side(body: Body, args: Sequence[Along], n: Dim, spread: Spread) -> list[Along]:
    """The outputs of one side, over the nodes around the branch."""
    given = dict(zip(body.inputs, args, strict=True))
    sources = {
        p: input_node(f"_b{i}", arg.node.type)  # bodies inside bodies share placeholders
        for i, (p, arg) in enumerate(given.items())
        if arg.has
    }
    outputs = list(map(spread(body.outputs, sources, n), body.outputs))
    table = {sources.get(p, p): arg.node for p, arg in given.items()}
    nodes = substitute([o.node for o in outputs], table)
    return [o._replace(node=new) for o, new in zip(outputs, nodes, strict=True)]


def _equation(node: Node, args: Sequence[Along], n: Dim, spread: Spread) -> Callable[[int], Along]:
    """Each of many has its own solution: all unknowns get the axis."""
    body, m = node["body"], node["solved"]
    unknowns = [
        input_node(f"_{node['index']}_b{k}", p.type.with_shape((n, *p.shape))) for k, p in enumerate(body.inputs[:m])
    ]
    given = [*map(Along, unknowns, [True] * m), *args[m:]]
    outputs = [o.whole(n) for o in _side(body, given, n, spread)]
    options = {name: node[name] for name in ("root", "index", "tolerance", "limit")}
    solution = close_solution([arg.whole(n) for arg in args[:m]], unknowns, outputs, **options)
    return lambda k: Along(result(solution, k), True)
