"""Whose memory a statement may write into: that of a value which is dead, was made here, and is not the user's.

z = X @ W              z is read for the last time:   z = X @ W
a = z + b                                             z += b
buf = set_at(buf, v)   a loop carries buf:            buf[t] = v
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from graphc.ir.control import BRANCH, RESULT, Body, counted_by, needs_steps_of
from graphc.ir.node import Node
from graphc.plan.lines import CONTROL, is_fresh
from graphc.plan.step import Reads, Slot, first_writer, maker, updates


def reads_of_each(order: Sequence[Node], chosen: Collection[Node]) -> dict[Node, list[Node]]:
    """For each statement what it mentions: statements, results, leaves and values from outside, with repeats.

    Also the loops, going on while a test holds, whose numbers of steps it mentions.
    """
    inside = set(order)
    loops = counted_by(order)
    return {n: _reads(n, chosen, inside, loops) for n in order if n in chosen and n.op is not RESULT}


def _reads(node: Node, chosen: Collection[Node], inside: Collection[Node], loops: Mapping[str, Node]) -> list[Node]:
    found: list[Node] = needs_steps_of(node, loops) if loops else []
    stack = list(node.args)
    while stack:
        top = stack.pop()
        written_out = top not in chosen and top in inside
        found += needs_steps_of(top, loops) if loops and written_out else ()
        if top.args and written_out:
            stack += top.args
        else:
            found.append(top)
    return found


def reuses(
    order: Sequence[Node], reads: Reads, chosen: Collection[Node], kept: Collection[Node], fresh: Collection[Node] = ()
) -> dict[Node, Node]:
    """For each statement, in order, the argument whose buffer it may overwrite.

    fresh: results of loops and branches that are arrays of their own.
    """
    last = {read: node for node, used in reads.items() for read in used}
    viewed = (a for n in order if "view" in n.op.traits or n.op in CONTROL for a in n.args)
    held = {*kept, *viewed}
    ours = {n for n in chosen if n not in held and (is_fresh(n) or n in fresh)}
    found = {n: _reusable(n, ours, last, used) for n, used in reads.items()}
    return {n: arg for n, arg in found.items() if arg is not None}


def _reusable(node: Node, ours: Collection[Node], last: Mapping[Node, Node], reads: Sequence[Node]) -> Node | None:
    """The first argument, if its buffer is ours, of the right type, and dead after this line."""
    if node.op.update is None or not node.args:
        return None
    first = node.args[0]
    if first.op is RESULT and node.op.name not in ("add", "subtract"):
        return None  # the rows that a loop fills would have the name of something else
    fits = first in ours and first.type == node.type and first.type.rank > 0
    dead = last.get(first) is node and reads.count(first) == 1
    return first if fits and dead else None


def writes_into(
    slot: Slot, reads: Reads, reuse: Mapping[Node, Node], outlive: Iterable[Node], copied: Collection[Node] = ()
) -> Node | None:
    """The statement that may write the new value of a slot into the array of the old one, or None.

    reads: in the order of the statements.  outlive: the other values that live longer than the step.
    copied: values that are in rows of their own as soon as they are computed.
    """
    old = slot.old
    if old is None or slot.new.type.rank == 0 or slot.new.type != old.type:
        return None
    writer = first_writer(slot, reads)
    chain = [maker(slot.new)]
    while chain[-1] is not writer:
        if reuse.get(chain[-1]) is not chain[-1].args[0]:
            return None
        chain.append(chain[-1].args[0])
    memory = {old, slot.new, *chain}
    if any(memory & origins(n) for n in outlive):
        return None
    statements = list(reads)
    behind = statements[statements.index(writer) + 1 :]
    if any(old in origins(r, copied) for n in behind for r in reads[n]):
        return None
    if writer.op in CONTROL:
        others = [a for a in writer.args if a is not old]
        return None if any(old in origins(a) for a in others) else writer
    update = writer.op.update if isinstance(writer.op.update, str) else writer.op.update and writer.op.update(writer)
    if update is None or not updates(writer, old):
        return None
    by_call = not update.split(" ")[1].endswith("=")  # NumPy does not look for overlaps there
    return None if by_call and any(old in origins(a) for a in writer.args[1:]) else writer


def origins(node: Node, copied: Collection[Node] = ()) -> set[Node]:
    """The values whose memory a value may look at, itself included. copied: values with memory of their own."""
    found = {node}
    stack = [node]
    while stack:
        top = stack.pop()
        if top in copied:
            continue
        seen = _passed_on(top) if top.op is RESULT else top.args if "view" in top.op.traits else ()
        stack += [a for a in seen if a not in found]
        found.update(seen)
    return found


def _passed_on(result: Node) -> list[Node]:
    """The arguments that a loop or a branch may hand on as a result."""
    of, k = result.args[0], result["k"]
    if of.op is BRANCH:
        return [of.args[1 + i] for side in (of["then"], of["other"]) for i in _inputs(side, k)]
    if k >= of["carried"]:
        return []  # arrays of their own
    carried = [k]
    for j in carried:
        if j < of["carried"]:
            carried += [i for i in _inputs(of["body"], j) if i not in carried]
    return [of.args[i] for i in carried]


def _inputs(body: Body, k: int) -> list[int]:
    """The numbers of the inputs whose memory an output of a body may look at."""
    found = origins(body.outputs[k])
    return [i for i, node in enumerate(body.inputs) if node in found]
