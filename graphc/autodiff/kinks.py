"""One slope where a broken line has a kink, however it is written.

    f = where(x >= 0, x, 0)            the chain rule: df where x >= 0     here: df where x > 0
    f = maximum(x, 0.1 * x)            the chain rule: 0.55 df at 0        here: 0.1 df

A broken line is differentiated as a whole where the chain rule, whose parts know nothing of each other, would give
another slope than the one of least magnitude between those on both sides.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from graphc.expr import build
from graphc.expr.lines import KINKED, BrokenLine, broken_line
from graphc.ir.leaf import scalar_value
from graphc.ir.node import Node


def broken_lines(order: Sequence[Node], leaves: Collection[Node]) -> dict[Node, BrokenLine]:
    """The nodes whose cotangent goes straight to the variable of a broken line; `order` has arguments first.

    leaves: nodes that need a cotangent themselves, and are not passed over.
    """
    if not any(node.op.name in KINKED for node in order):
        return {}
    users: dict[Node, set[Node]] = {}
    for node in order:
        for arg in node.args:
            users.setdefault(arg, set()).add(node)
    found: dict[Node, BrokenLine] = {}
    covered: set[Node] = set()
    for node in reversed(order):
        line = None if node in covered else broken_line(node, leaves)
        if line is None:
            continue
        found[node] = line
        region = {node, *line.inside}
        covered |= {n for n in line.inside if users[n] <= region}
    wrong = {n for n, line in found.items() if line.chain != line.wanted and not _is_mask(n, users.get(n, set()))}
    return {n: line for n, line in found.items() if n in wrong or not wrong.isdisjoint(line.inside)}


def _is_mask(node: Node, users: Collection[Node]) -> bool:
    """Whether it keeps the argument of its users where it is used and is a safe number elsewhere: not a kink."""
    if node.op.name != "where" or not users:
        return False
    numbers = {scalar_value(branch) for branch in node.args[1:]}
    return all(
        user.op.safe is not None and user.args[user.op.safe.argument] is node and user.op.safe.value in numbers
        for user in users
    )


def slope_of(line: BrokenLine) -> build.Value:
    """The derivative of a broken line by its variable."""
    result: build.Value = line.slopes[0]
    for knot, left, right, here in zip(line.knots, line.slopes, line.slopes[1:], line.wanted, strict=False):
        above = build.apply("greater_equal" if here == right else "greater", line.x, knot)
        if here not in (left, right):
            result = build.where(build.equal(line.x, knot), here, result)
        result = build.where(above, right, result)
    return result
