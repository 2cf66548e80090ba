"""When a step assigns what it makes: rows of arrays, variables, and what may be written into old arrays.

hs[t + 1] = np.tanh(...)      the statement writes the row
ys[t] = h                     what is there before the step is written first
a, b = b, a + b               at the end, where each needs the other's old value
acc += g                      into the old array, where nothing else looks at it
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from graphc.ir.control import BRANCH, LOOP, RESULT, history, needs_steps_of
from graphc.ir.node import Node
from graphc.plan.buffers import origins, writes_into
from graphc.plan.lines import CONTROL
from graphc.plan.statement import Row
from graphc.plan.step import Reads, Slot, maker


def rows_in(order: Sequence[Node]) -> set[Node]:
    """Last values of loops that are rows of histories in use."""
    inside = set(order)
    finals = [n for n in order if n.op is RESULT and n.args[0].op is LOOP and n["k"] < n.args[0]["carried"]]
    return {n for n in finals if n.args[0]["test"] is None and history(n.args[0], n["k"]) in inside}


def placed_rows(
    rows: Sequence[tuple[Node, Node]],
    slots: Sequence[Slot],
    chosen: Collection[Node],
    loops: Mapping[str, Node],
    direct: bool,
) -> tuple[Row, ...]:
    """When each row is written. direct: a row can be assigned to, lists are only appended to."""
    taken = {s.new for s in slots}
    placed: list[Row] = []
    for result, value in rows:
        stored = value.op is not RESULT or value.args[0].op is BRANCH
        own = direct and value in chosen and stored and value not in taken
        first = value not in chosen and not needs_steps_of(value, loops)
        placed.append(Row(result, value, first, own))
        taken.add(value)
    return tuple(placed)


def written_at_the_end(
    slots: Sequence[Slot], late: Sequence[int], reads: Reads, outside: Collection[Node]
) -> set[Node]:
    """New values that are written where they are assigned at the end: `a, b = b, a + b`.

    No statement mentions them, and they mention nothing that is overwritten before.
    """
    mentioned = {n for used in reads.values() for n in used} | set(outside)
    overwritten = {s.old for i, s in enumerate(slots) if i not in late}
    news = [s.new for s in slots]
    found: set[Node] = set()
    for node in (news[i] for i in late):
        alone = node in reads and node not in mentioned and news.count(node) == 1
        short = node.op not in CONTROL and "writes" not in node.op.traits
        if alone and short and overwritten.isdisjoint(reads[node]):
            found.add(node)
    return found


def writers(
    slots: Sequence[Slot],
    late: Sequence[int],
    rows: Sequence[Row],
    appended: Sequence[Node],
    reads: Reads,
    reuse: Mapping[Node, Node],
) -> Iterator[tuple[Node, Node]]:
    """(old value, statement): what may be written into the array of the old value."""
    for i, slot in enumerate(slots):
        if i in late or slot.old is None:
            continue
        others = [s.new for s in slots if s is not slot]
        rest = [r.value for r in rows if not r.first and not r.own and r.value is not slot.new]
        copied = {r.value for r in rows if r.own}
        writer = writes_into(slot, reads, reuse, [*others, *rest, *appended], copied)
        if writer is not None:
            yield slot.old, writer


def overtaken(slot: Slot, reads: Reads, reuse: Mapping[Node, Node]) -> bool:
    """Whether the old value would be read after the first line that has the name of the new one."""
    first = maker(slot.new)
    if slot.old is None or first not in reads:
        return False
    while reuse.get(first) in reads:
        first = reuse[first]
    if reuse.get(first) is slot.old:
        return False
    order = list(reads)
    copies = "writes" in first.op.traits and first.args[0] is not slot.old  # before it reads what it writes
    behind = order[order.index(first) + (0 if copies else 1) :]
    return any(slot.old in reads[n] for n in behind)


def not_shared(slots: Sequence[Slot], numbers: Iterable[int]) -> frozenset[int]:
    """Those of the slots whose arrays no other slot looks at."""
    seen = [origins(s.new) for s in slots]
    others = [set().union(*(o for j, o in enumerate(seen) if j != i)) for i in range(len(slots))]
    return frozenset(i for i in numbers if others[i].isdisjoint({slots[i].old, slots[i].new}))
