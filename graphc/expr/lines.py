"""Broken lines: what a node is as a function of one value below it, if that is linear between a few knots.

    where(x >= 0, x, 0)     knot 0, slopes 0 and 1     at the knot the formula has the slope 1, the rectifier 0
    maximum(x, 0.1 * x)     knot 0, slopes 0.1 and 1     the formula 0.55, a tie of the two; the least is 0.1
    |x| + |x - 1|           knots 0 and 1, slopes -2, 0 and 2

The numbers are fractions, so knots and slopes are exact. The line is cut into cells, open ones and knots in turn,
and a last cell for NaN; each node on the way has a linear function in each cell.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from math import isfinite
from typing import NamedTuple
from weakref import WeakKeyDictionary

from graphc.ir.leaf import scalar_value
from graphc.ir.node import Node

LIMIT = 24  # nodes from the broken line down to its variable
ZERO, ONE = Fraction(0), Fraction(1)


class Linear(NamedTuple):
    """slope * x + start; at a knot the slope is that of the chain rule, given the conventions of each op."""

    slope: Fraction
    start: Fraction

    def at(self, x: Fraction) -> Fraction:
        return self.slope * x + self.start

    def times(self, factor: Fraction) -> Linear:
        return Linear(self.slope * factor, self.start * factor)

    def plus(self, other: Linear) -> Linear:
        return Linear(self.slope + other.slope, self.start + other.start)


Cell = Linear | None  # None is NaN


class BrokenLine(NamedTuple):
    """A continuous function of `x`: the slopes before, between and after the knots, and two for each knot.

    chain: those of the chain rule.  wanted: those of least magnitude, as `_wanted` says.
    """

    x: Node
    knots: tuple[float, ...]
    slopes: tuple[float, ...]
    chain: tuple[float, ...]
    wanted: tuple[float, ...]
    at_zero: float  # its value where x is 0
    keeps_nan: bool
    inside: tuple[Node, ...]  # the nodes above x, arguments first, without the broken line itself

    @property
    def kinks(self) -> frozenset[str]:
        """The ops, but for the last one, that may make them."""
        return frozenset(n.op.name for n in self.inside if n.op.name in KINKED)


def broken_line(node: Node, leaves: Collection[Node] = ()) -> BrokenLine | None:
    """What `node` is as a function of the first value that all ways down from it pass; None if that is no broken line.

    leaves: nodes that are not looked through.
    """
    if not node.type.is_float or node.op.name not in _OPS:
        return None
    region = _region(node, leaves) if _is_kinked(node) else None
    if region is None:
        return None
    x, between = region
    if x.type != node.type or not any(n.op.name in KINKED for n in between):
        return None
    cells = _Cells(x)
    return cells.line(node, tuple(between[:-1])) if all(cells.add(n) for n in between) else None


_kinked: WeakKeyDictionary[Node, bool] = WeakKeyDictionary()


def _is_kinked(node: Node) -> bool:
    """Whether there is a kink below, through what may be part of a broken line."""
    stack = [node]
    while stack:
        top = stack[-1]
        open_args = [a for a in top.args if a not in _kinked] if top.op.name in _OPS and top not in _kinked else []
        if open_args:
            stack += open_args
            continue
        if top not in _kinked:
            _kinked[top] = top.op.name in KINKED or (top.op.name in _OPS and any(_kinked[a] for a in top.args))
        stack.pop()
    return _kinked[node]


def _region(node: Node, leaves: Collection[Node]) -> tuple[Node, list[Node]] | None:
    """The first node that all ways down pass, and those above it, arguments first."""
    order = _below(node, leaves)
    if order is None:
        return None
    frontier = {node}
    between: list[Node] = []
    for top in reversed(order):
        if top not in frontier:
            continue
        if top is not node and len(frontier) == 1:
            return top, between[::-1]
        if _is_leaf(top, leaves):
            return None
        frontier.remove(top)
        between.append(top)
        frontier |= {a for a in top.args if scalar_value(a) is None}
    return None


def _is_leaf(node: Node, leaves: Collection[Node]) -> bool:
    return node in leaves or node.op.name not in _OPS


def _below(node: Node, leaves: Collection[Node]) -> list[Node] | None:
    """The nodes below, arguments first, down to what is no part of a broken line; None if there are many."""
    order: dict[Node, None] = {}
    stack = [(node, False)]
    while stack:
        top, expanded = stack.pop()
        if expanded:
            order[top] = None
        elif top not in order:
            stack.append((top, True))
            if not _is_leaf(top, leaves):
                stack += [(a, False) for a in top.args if scalar_value(a) is None]
        if len(order) + len(stack) > 4 * LIMIT:
            return None
    return list(order) if len(order) <= LIMIT else None


class _Cells:
    """Linear functions of `x` in cells between knots, at knots, and where x is NaN."""

    def __init__(self, x: Node) -> None:
        self.x = x
        self.knots: list[Fraction] = []
        self.values: dict[Node, list[Cell]] = {x: [Linear(ONE, ZERO), None]}

    def add(self, node: Node) -> bool:
        """The functions of a node whose arguments have theirs; False if it is not linear in each cell."""
        op = _OPS[node.op.name]
        for arg in node.args:
            if arg not in self.values:
                value = scalar_value(arg)
                if value is None or not isfinite(value):
                    return False
                self.values[arg] = [Linear(ZERO, Fraction(value))] * (2 * len(self.knots) + 2)
        for difference in op.switches(node):
            self._cut(difference)
        found = [self._cell(op, node, i) for i in range(2 * len(self.knots) + 1)]
        self.values[node] = [*found, self._nan(op, node)]
        return None not in found

    def _cell(self, op: _Op, node: Node, i: int) -> Cell:
        args = [self.values[a][i] for a in node.args]
        return op.apply(node, [a for a in args if a is not None], self._sample(i)) if None not in args else None

    def _nan(self, op: _Op, node: Node) -> Cell:
        """Where x is NaN: comparisons are false, a branch may not be it, and all else is."""
        args = [self.values[a][-1] for a in node.args]
        if node.op.name == "where" and args[0] is not None:
            return args[1] if args[0].start else args[2]
        if None in args:
            false = Linear(ZERO, ONE if node.op.name == "not_equal" else ZERO)
            return false if node.op.name in _COMPARISONS else None
        return op.apply(node, [a for a in args if a is not None], ZERO)

    def _sample(self, i: int) -> Fraction:
        """A point of the cell."""
        if not self.knots:
            return ZERO
        if i % 2:
            return self.knots[i // 2]
        low = self.knots[i // 2 - 1] if i else self.knots[0] - 2
        high = self.knots[i // 2] if i // 2 < len(self.knots) else self.knots[-1] + 2
        return (low + high) / 2

    def _cut(self, difference: Sequence[tuple[Node | Fraction, int]]) -> None:
        """New knots where a difference changes its sign inside a cell."""
        for i in range(2 * len(self.knots), -1, -2):
            total = Linear(ZERO, ZERO)
            for part, sign in difference:
                cell = self.values[part][i] if isinstance(part, Node) else Linear(ZERO, part)
                total = total.plus(cell.times(Fraction(sign))) if cell is not None else total
            if total.slope == 0:
                continue
            knot = -total.start / total.slope
            if (i == 0 or self.knots[i // 2 - 1] < knot) and (i // 2 == len(self.knots) or knot < self.knots[i // 2]):
                self.knots.insert(i // 2, knot)
                for cells in self.values.values():
                    cells[i : i + 1] = [cells[i]] * 3

    def line(self, node: Node, inside: tuple[Node, ...]) -> BrokenLine | None:
        """The function of a node, without knots where nothing happens; None if it jumps."""
        cells = [c for c in self.values[node][:-1] if c is not None]
        around = [cells[2 * k : 2 * k + 3] for k in range(len(self.knots))]
        if any(len({c.at(knot) for c in three}) > 1 for knot, three in zip(self.knots, around, strict=True)):
            return None
        bent = [k for k, three in enumerate(around) if len({c.slope for c in three}) > 1]
        slopes = [cells[0].slope, *(around[k][2].slope for k in bent)]
        whole = len(bent) == 1 and (ZERO in slopes or sum(slopes) == 0)
        terms = [(ONE, node)] if whole else _terms(node, self.x)
        zero = next((three[1] for knot, three in zip(self.knots, around, strict=True) if knot == 0), None)
        return BrokenLine(
            self.x,
            tuple(float(self.knots[k]) for k in bent),
            tuple(map(float, slopes)),
            tuple(float(around[k][1].slope) for k in bent),
            tuple(float(self._wanted(terms, k)) for k in bent),
            float("nan") if zero is None else float(zero.start),
            self.values[node][-1] is None,
            inside,
        )

    def _wanted(self, terms: Sequence[tuple[Fraction, Node]], k: int) -> Fraction:
        """The slope at a knot: of the terms that have a kink there the least in magnitude, and of the others theirs.

        So terms with kinks in different places add up, and the parts of one kink are one.
        """
        left = right = rest = ZERO
        for factor, term in terms:
            before, here, after = (c.slope * factor for c in self.values[term][2 * k : 2 * k + 3] if c is not None)
            if before == here == after:
                rest += here
            else:
                left, right = left + before, right + after
        return rest + (ZERO if left * right <= 0 else min(left, right, key=abs))


def _terms(node: Node, x: Node) -> list[tuple[Fraction, Node]]:
    """The terms of a sum, each with its factor; x is one as it is."""
    found: list[tuple[Fraction, Node]] = []
    stack = [(ONE, node)]
    while stack:
        factor, top = stack.pop()
        if top is x:
            found.append((factor, top))
            continue
        number = scalar_value(top.args[0]) if top.op.name == "multiply" else None
        if top.op.name in ("add", "subtract"):
            stack += [(factor, top.args[0]), (factor if top.op.name == "add" else -factor, top.args[1])]
        elif top.op.name == "negative":
            stack.append((-factor, top.args[0]))
        elif number is not None:
            stack.append((factor * Fraction(number), top.args[1]))
        else:
            found.append((factor, top))
    return found


# --- what each op does in one cell, at the sample point x ---


class _Op(NamedTuple):
    """switches: differences whose sign decides what it does.  apply: its function in a cell; None if not linear."""

    apply: Callable[[Node, Sequence[Linear], Fraction], Cell]
    switches: Callable[[Node], list[list[tuple[Node | Fraction, int]]]] = lambda node: []


def _number(value: Fraction | bool | int) -> Linear:
    return Linear(ZERO, Fraction(value))


def _sign(line: Linear, x: Fraction) -> int:
    value = line.at(x)
    return (value > 0) - (value < 0)


def _scaled(node: Node, args: Sequence[Linear], x: Fraction) -> Cell:
    a, b = args
    if node.op.name == "divide":
        return None if b.slope or not b.start else a.times(1 / b.start)
    return a.times(b.start) if not b.slope else b.times(a.start) if not a.slope else None


def _extreme(direction: int) -> Callable[[Node, Sequence[Linear], Fraction], Cell]:
    """maximum and minimum: a tie is shared, or goes to the number."""

    def apply(node: Node, args: Sequence[Linear], x: Fraction) -> Cell:
        a, b = args
        order = direction * _sign(a.plus(b.times(Fraction(-1))), x)
        if order:
            return a if order > 0 else b
        numbers = [v for v, arg in zip(args, node.args, strict=True) if scalar_value(arg) is not None]
        return numbers[0] if numbers else a.plus(b).times(Fraction(1, 2))

    return apply


def _clip(node: Node, args: Sequence[Linear], x: Fraction) -> Cell:
    value = args[0].at(x)
    for bound, beyond in ((node["lo"], value <= node["lo"]), (node["hi"], value >= node["hi"])):
        if beyond:
            return _number(Fraction(bound))
    return args[0]


def _compared(holds: Callable[[int], bool]) -> _Op:
    def apply(node: Node, args: Sequence[Linear], x: Fraction) -> Cell:
        return _number(holds(_sign(args[0].plus(args[1].times(Fraction(-1))), x)))

    return _Op(apply, _apart)


def _itself(node: Node) -> list[list[tuple[Node | Fraction, int]]]:
    return [[(node.args[0], 1)]]


def _apart(node: Node) -> list[list[tuple[Node | Fraction, int]]]:
    return [[(node.args[0], 1), (node.args[1], -1)]]


def _bounds(node: Node) -> list[list[tuple[Node | Fraction, int]]]:
    finite = [Fraction(node[name]) for name in ("lo", "hi") if isfinite(node[name])]
    return [[(node.args[0], 1), (bound, -1)] for bound in finite]


_COMPARISONS: dict[str, _Op] = {
    "less": _compared(lambda order: order < 0),
    "less_equal": _compared(lambda order: order <= 0),
    "greater": _compared(lambda order: order > 0),
    "greater_equal": _compared(lambda order: order >= 0),
    "equal": _compared(lambda order: order == 0),
    "not_equal": _compared(lambda order: order != 0),
}
KINKED: dict[str, _Op] = {
    **_COMPARISONS,
    "absolute": _Op(lambda node, args, x: args[0].times(Fraction(_sign(args[0], x))), _itself),
    "relu": _Op(lambda node, args, x: args[0] if _sign(args[0], x) > 0 else _number(0), _itself),
    "sign": _Op(lambda node, args, x: _number(_sign(args[0], x)), _itself),
    "heaviside": _Op(
        lambda node, args, x: args[1] if _sign(args[0], x) == 0 else _number(_sign(args[0], x) > 0), _itself
    ),
    "maximum": _Op(_extreme(1), _apart),
    "minimum": _Op(_extreme(-1), _apart),
    "clip": _Op(_clip, _bounds),
}
_OPS: dict[str, _Op] = {
    **KINKED,
    "add": _Op(lambda node, args, x: args[0].plus(args[1])),
    "subtract": _Op(lambda node, args, x: args[0].plus(args[1].times(Fraction(-1)))),
    "negative": _Op(lambda node, args, x: args[0].times(Fraction(-1))),
    "multiply": _Op(_scaled),
    "divide": _Op(_scaled),
    "astype": _Op(lambda node, args, x: args[0]),
    "where": _Op(lambda node, args, x: args[1] if args[0].start else args[2]),
    "logical_and": _Op(lambda node, args, x: _number(args[0].start * args[1].start)),
    "logical_or": _Op(lambda node, args, x: _number(args[0].start + args[1].start > 0)),
    "logical_xor": _Op(lambda node, args, x: _number(args[0].start != args[1].start)),
    "logical_not": _Op(lambda node, args, x: _number(args[0].start == 0)),
}
