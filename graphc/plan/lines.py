"""Which nodes become lines of their own.

    sum((h - target) ** 2)   with h - target used again   ->   r = h - target
                                                              loss = sum(r ** 2)

A node becomes a line when a reader needs its name (the user named it, it is used twice, it is
saved) or when the line would get long; all others are written where they are used. Loops and
branches always are lines; what they read in every step has a name, so that it is computed once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from graphc.ir.control import BRANCH, LOOP, RESULT
from graphc.ir.leaf import CONST
from graphc.ir.node import Node

MAX_OPERANDS = 7  # operands of one statement
MAX_DEPTH = 6  # calls and operators inside one another
CONTROL = (LOOP, BRANCH)


def is_leaf(node: Node) -> bool:
    """Whether there is nothing to compute: inputs, sizes, numbers."""
    if node.args or node.op in CONTROL:
        return False
    return (node.op is not CONST or node.type.rank == 0) and "creation" not in node.op.traits


def is_fresh(node: Node) -> bool:
    """Whether computing the node allocates an array of its own."""
    if node.op is RESULT:
        return False  # the last value of a loop without steps is the first one
    copies = node.op.name == "getitem" and any(i.type.rank for i in node.args[1:])  # x[i] for an array i
    return bool(node.args or "creation" in node.op.traits) and ("view" not in node.op.traits or copies)


def lines(order: Sequence[Node], wanted: Collection[Node], given: Collection[Node] = ()) -> set[Node]:
    """The nodes that have names of their own: those of statements, and results of loops and branches."""
    inside = {n for n in order if n.args or not is_leaf(n)}.difference(given)
    inline = _never_a_line(order) - set(wanted)
    uses = _uses(order, inline)
    written = set(inside)  # where they are used: those that have no line, as yet
    operands: dict[Node, int] = {}
    depth: dict[Node, int] = {}
    for node in order:
        if node not in inside:
            continue
        if node.op is RESULT or node.op in CONTROL:
            written.difference_update((node, *_named_by(node, inside, inline)))
            continue
        open_args = [a for a in node.args if a in written]
        while open_args and not _is_short(node, open_args, operands, depth):
            heaviest = max(open_args, key=operands.__getitem__)
            written.discard(heaviest)
            open_args = [a for a in open_args if a is not heaviest]
        operands[node] = _count(node, open_args, operands) if open_args else len(node.args)
        depth[node] = 1 + max([depth[a] for a in open_args]) if open_args else 1
        if node in wanted or uses.get(node, 0) > 1 or _needs_line(node):
            written.discard(node)
        if open_args and _needs_name(node):
            written.difference_update(open_args)
    return inside - written - inline


def _named_by(node: Node, inside: Collection[Node], inline: Collection[Node]) -> Iterable[Node]:
    """What a loop or a branch reads inside, where it must not be computed again."""
    for arg in reads_of(node):
        while arg in inline and arg.args:
            arg = arg.args[0]
        if arg in inside:
            yield arg


def reads_of(node: Node) -> Sequence[Node]:
    """The arguments that a body reads by name."""
    if node.op is LOOP:
        return node.args[node["carried"] :]
    return node.args[1:] if node.op is BRANCH else ()


def _is_short(node: Node, open_args: Sequence[Node], operands: Mapping[Node, int], depth: Mapping[Node, int]) -> bool:
    """Whether the text of a node, with that of `open_args` in it, is short enough for one line."""
    return _count(node, open_args, operands) <= MAX_OPERANDS and all(depth[a] < MAX_DEPTH for a in open_args)


def _count(node: Node, open_args: Sequence[Node], operands: Mapping[Node, int]) -> int:
    """The operands in the text of a node: one for each argument that has a name, all those of the others."""
    return len(node.args) - len(open_args) + sum([operands[a] for a in open_args])


def _uses(order: Sequence[Node], inline: Collection[Node]) -> dict[Node, int]:
    """How often the text of each value appears; what is written inline takes its argument along."""
    if not inline:
        return Counter([arg for node in order for arg in node.args])
    counts: dict[Node, int] = {}
    for node in reversed(order):
        times = max(1, counts.get(node, 0)) if node in inline else 1
        for arg in node.args:
            counts[arg] = counts.get(arg, 0) + times
    return counts


def _needs_line(node: Node) -> bool:
    return "writes" in node.op.traits or "creation" in node.op.traits or (node.op is CONST and node.type.rank > 0)


def _never_a_line(order: Sequence[Node]) -> set[Node]:
    """Transposes, which are short and free, and new arrays that are only written into or carried by a loop."""
    bases = {n.args[0] for n in order if "writes" in n.op.traits}
    inits = {a for n in order if n.op is LOOP for a in n.args[: n["carried"]]}
    inline = {n for n in order if "short" in n.op.traits}
    if not bases and not inits:
        return inline
    others = {a for n in order for a in n.args[_taken(n) :]}
    inline |= {n for n in (bases | inits) - others if "creation" in n.op.traits}
    return inline | {n for n in inits - others - bases if n.op is CONST}


def _taken(node: Node) -> int:
    """How many of its arguments, the first ones, a node goes on with as its own."""
    return int(node["carried"]) if node.op is LOOP else int("writes" in node.op.traits)


def _needs_name(node: Node) -> bool:
    """Whether the text of a scalar node mentions its argument twice: `x * x`."""
    text = node.op.scalar
    return node.type.rank == 0 and text is not None and len(node.op.args) == 1 and text.split().count("x") > 1
