"""The order of one step of a loop: no value is overwritten while something still needs it.

    a, b = b, a + b         a and b need each other's old values: both are assigned when the step is done
    y[t] = h                reads the old h: comes first
    h = tanh(h @ W)         nothing needs the old h any more: assigned where it is computed

The two bodies of a branch are such steps, too: what they assign may have the name of what they read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from graphc.ir.control import LOOP, RESULT
from graphc.ir.node import Node

Reads = Mapping[Node, Sequence[Node]]  # what each statement mentions


class Slot(NamedTuple):
    """A variable that a step assigns.

    old: what stands for its value before the step, None if nothing does.  new: its value after the step.
    """

    old: Node | None
    new: Node


class Arranged(NamedTuple):
    """order: the statements.  late: the numbers of the slots that are assigned when all statements are done."""

    order: list[Node]
    late: list[int]


def maker(node: Node) -> Node:
    """The statement that computes a node: for a result its loop or branch."""
    return node.args[0] if node.op is RESULT else node


def arrange(reads: Reads, slots: Sequence[Slot], rows: Collection[Node]) -> Arranged:
    """The statements in an order in which every old value is read before its slot is assigned.

    reads: the statements, and what each mentions.  rows: results that are rows of others, not variables.
    """
    statements = list(reads)
    late = _never_by_a_statement(slots, reads, rows)
    while True:
        late |= _read_late(slots, late)
        edges = _edges(statements, reads)
        blocked = None
        for i, slot in enumerate(slots):
            if i not in late and not _protect(edges, reads, slot):
                blocked = i
                break
        if blocked is None:
            return Arranged(_sorted(statements, edges), sorted(late))
        late.add(blocked)


def _never_by_a_statement(slots: Sequence[Slot], reads: Reads, rows: Collection[Node]) -> set[int]:
    """Slots whose new value is an old one of another, or is in another slot or array already, or comes from a loop
    that needs the old one until its end."""
    late: set[int] = set()
    taken: set[Node] = set()
    for i, slot in enumerate(slots):
        made = maker(slot.new)
        kept = made not in reads or slot.new in taken or slot.new in rows
        if kept or (slot.new.op is RESULT and not _takes_over(slot, reads[made])):
            late.add(i)
        taken.add(slot.new)
    return late


def _takes_over(slot: Slot, reads: Sequence[Node]) -> bool:
    """Whether the loop or branch that makes the new value needs the old one at the place of the new one only."""
    made, k = slot.new.args[0], slot.new["k"]
    if made.op is LOOP:
        return reads.count(slot.old) == int(k < made["carried"] and made.args[k] is slot.old)
    return not any(_is_view_of(arg, slot.old) for arg in made.args[1:])


def _is_view_of(arg: Node, old: Node | None) -> bool:
    """Whether an argument is written as a view of the old value."""
    inner = arg
    while "short" in inner.op.traits:
        inner = inner.args[0]
    return inner is old and arg is not old


def _read_late(slots: Sequence[Slot], late: Collection[int]) -> set[int]:
    """The slots whose old values are assigned to others when all statements are done."""
    read = {slots[i].new for i in late}
    return {i for i, slot in enumerate(slots) if slot.old in read}


def _edges(statements: Sequence[Node], reads: Reads) -> dict[Node, set[Node]]:
    """What must come after each statement."""
    edges: dict[Node, set[Node]] = {n: set() for n in statements}
    for node in statements:
        for read in reads[node]:
            if maker(read) in edges:
                edges[maker(read)].add(node)
    return edges


def _protect(edges: dict[Node, set[Node]], reads: Reads, slot: Slot) -> bool:
    """Let everything that reads the old value come before it is overwritten; False if that can't be."""
    if slot.old is None:
        return True
    writer = first_writer(slot, reads)
    for made in dict.fromkeys((writer, maker(slot.new))):
        readers = [n for n, read in reads.items() if slot.old in read and n is not made]
        after = _after(edges, made)
        if not any(r in after for r in readers if r in edges):
            for reader in readers:
                edges.get(reader, set()).add(made)
            return True
    return False


def first_writer(slot: Slot, reads: Reads) -> Node:
    """The first of the updates that lead from the old value to the new one, each of which could be done in place."""
    node = slot.new
    while node.op.update is not None and node.args:
        if slot.old is not None and updates(node, slot.old):
            return node
        if node.args[0] not in reads:
            break
        node = node.args[0]
    return maker(slot.new)


def updates(node: Node, old: Node) -> bool:
    """Whether a statement could be an update of `old`: of its first argument, or of its second if they commute."""
    if node.op.update is None:
        return False
    return node.args[0] is old or ("commutative" in node.op.traits and node.args[1] is old)


def _after(edges: Mapping[Node, set[Node]], start: Node) -> set[Node]:
    """All that must come after a statement."""
    found: set[Node] = set()
    stack = [start]
    while stack:
        for node in edges.get(stack.pop(), ()):
            if node not in found:
                found.add(node)
                stack.append(node)
    return found


def _sorted(statements: Sequence[Node], edges: Mapping[Node, set[Node]]) -> list[Node]:
    """The statements, each as early as it was and as late as it must be."""
    number = {node: i for i, node in enumerate(statements)}
    waiting = dict.fromkeys(statements, 0)
    for node in statements:
        for later in edges[node]:
            waiting[later] += 1
    ready = [number[n] for n in statements if not waiting[n]]
    heapify(ready)
    order: list[Node] = []
    while ready:
        node = statements[heappop(ready)]
        order.append(node)
        for later in edges[node]:
            waiting[later] -= 1
            if not waiting[later]:
                heappush(ready, number[later])
    return order
