"""An array that a loop fills row by row becomes values that it carries, and the rows that it has made.

    for t in range(T):                            h = H[0]
        H[t + 1] = tanh(x[t] + H[t])      ->      for t in range(T):
                                                      h = tanh(x[t] + h)
                                                  H = h0 and every h

Each step writes one whole row, t + a, and reads rows at a fixed distance, t + b. Rows that earlier steps have
written are carried, as many as the distance needs; rows that no step has written yet are those of the
array before the loop. So a list, an array and a scan come to the same graph. A row that may be counted
from the end (t - 1 where t is 0) leaves the array as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from graphc.expr import build
from graphc.expr.looping import Opened, close, placeholder
from graphc.ir.control import final, history, stack
from graphc.ir.dims import Dim, Size, at_least
from graphc.ir.graph import Graph
from graphc.ir.index import Index, Range
from graphc.ir.node import Node, rebuild, topological
from graphc.passes.loops import Results, on_loops


def carry_rows(graph: Graph) -> tuple[Graph, Callable[[Node], Node]]:
    """The graph with arrays that loops fill as stacks of rows; and where its nodes went."""
    return on_loops(graph, rows_carried)


class Written(NamedTuple):
    """What a step writes: row `index + offset` of carried array `k`."""

    k: int
    row: Node
    offset: Dim


@dataclass(frozen=True, eq=False)
class Filled:
    """A carried array that is filled row by row.

    reads: what the steps read of it, each with how many steps ago that was written; None for what was there before.
    delays: placeholders for the rows of the step before, of the one before that, ...
    """

    written: Written
    reads: Mapping[Node, int | None]
    delays: tuple[Node, ...]


def rows_carried(loop: Opened, used: frozenset[int]) -> Results | None:
    """A loop whose arrays are filled row by row, with rows in their place."""
    m = len(loop.inits)
    if loop.test is not None:
        return None
    found: list[Filled] = []
    for k in range(m):
        written = _written(loop, k) if m + k not in used else None
        reads = None if written is None else _reads(loop, written)
        if written is not None and reads is not None:
            depth = max((d for d in reads.values() if d is not None), default=0)
            start = m + sum(len(f.delays) for f in found)
            delays = tuple(placeholder(loop.index, start + j, written.row.type) for j in range(depth))
            found.append(Filled(written, reads, delays))
    return _closed(loop, used, found) if found else None


def _written(loop: Opened, k: int) -> Written | None:
    """The row that each step writes, if that is all that it does to the array."""
    update = loop.updates[k]
    if update.op.name != "set_at" or update.args[0] is not loop.placeholders[k] or len(update.args) != 2:
        return None
    offset = _offset(loop, update["index"].entries)
    return None if offset is None else Written(k, update.args[1], offset)


def _offset(loop: Opened, entries: Sequence[object], whole: bool = True) -> Dim | None:
    """The distance of a row from the index; None if it is no row at a fixed distance."""
    first = entries[0]
    if not isinstance(first, Size) or (whole and not all(isinstance(e, Range) and e.whole for e in entries[1:])):
        return None
    offset = first - loop.position
    return None if isinstance(offset, Size) and loop.index in offset.names() else offset


def _reads(loop: Opened, written: Written) -> dict[Node, int | None] | None:
    """How the steps read the array; None if one does it in another way than by rows."""
    array, update = loop.placeholders[written.k], loop.updates[written.k]
    others = [u for k, u in enumerate(loop.updates) if k != written.k]
    if update in loop.stacked or update in others or array in loop.stacked or array in others:
        return None
    found: dict[Node, int | None] = {}
    for node in topological([*loop.updates, *loop.stacked]):
        if node is update or not {array, update}.intersection(node.args):
            continue
        if node.op.name != "getitem" or len(node.args) != 1:
            return None
        steps = _steps_ago(loop, written, node)
        if steps is _UNKNOWN:
            return None
        found[node] = steps if isinstance(steps, int) else None
    return found


_UNKNOWN = object()


def _steps_ago(loop: Opened, written: Written, read: Node) -> object:
    """How many steps ago a row was written: an integer, None for never, _UNKNOWN if that is not certain."""
    entries = read["index"].entries
    offset = _offset(loop, entries, whole=False)
    if offset is None:
        return None if _is_outside(loop, written, entries[0]) else _UNKNOWN
    distance = offset - written.offset if loop.reverse else written.offset - offset
    if not isinstance(distance, int):
        return _UNKNOWN
    if distance == 0 and read.args[0] is loop.updates[written.k]:
        return 0
    if distance <= 0:
        return None if at_least(loop.start + offset, 0) else _UNKNOWN
    return distance if at_least(_row_before(loop, written, distance), 0) else _UNKNOWN


def _row_before(loop: Opened, written: Written, steps: int) -> Dim:
    """The row that would have been written so many steps before the first one."""
    if loop.reverse:
        return loop.start + loop.count - 1 + written.offset + steps
    return loop.start + written.offset - steps


def _is_outside(loop: Opened, written: Written, position: object) -> bool:
    """Whether a fixed row is certainly one that no step writes."""
    if not isinstance(position, (int, Size)) or (isinstance(position, Size) and loop.index in position.names()):
        return False
    first = loop.start + written.offset
    return at_least(first - 1 - position, 0) or at_least(position - first - loop.count, 0)


# --- with rows in the place of arrays ---


def _closed(loop: Opened, used: frozenset[int], found: Sequence[Filled]) -> Results:
    m = len(loop.inits)
    filled = {f.written.k: f for f in found}
    keep = [k for k in range(m) if k not in filled]
    rows = [f.written.row for f in found]
    shifted = [node for f in found for node in ((f.written.row, *f.delays[:-1]) if f.delays else ())]
    roots = [*(loop.updates[k] for k in keep), *shifted, *loop.stacked, *rows]
    nodes = _without_arrays(loop, found, [*roots, *loop.names])
    count = len(keep) + len(shifted)
    names = dict(zip(nodes[len(roots) :], loop.names.values(), strict=True))
    for f in found:
        name = loop.names.get(f.written.row) or loop.names.get(loop.placeholders[f.written.k])
        names.update((delay, name) for delay in f.delays[:1] if name is not None)
    made = close(
        replace(
            loop,
            inits=(*(loop.inits[k] for k in keep), *(row for f in found for row in _rows_before(loop, f))),
            placeholders=(*(loop.placeholders[k] for k in keep), *(d for f in found for d in f.delays)),
            updates=tuple(nodes[:count]),
            stacked=tuple(nodes[count : len(roots)]),
            names=names,
        )
    )
    place = {k: n for n, k in enumerate(keep)}
    results: dict[int, Node] = {}
    carried = len(keep)
    for j, f in enumerate(found):
        results[f.written.k] = _array(loop, made, f, carried, len(loop.stacked) + j)
        carried += len(f.delays)
    for k in used:
        if k not in results:
            results[k] = stack(made, k - 2 * m) if k >= 2 * m else (final if k < m else history)(made, place[k % m])
    return results


def _without_arrays(loop: Opened, found: Sequence[Filled], roots: Sequence[Node]) -> list[Node]:
    """Nodes of a step with rows in the place of what they read of the arrays."""
    table: dict[Node, Node] = {}
    own = {read: f for f in found for read in f.reads}
    for node in topological([*roots, *own]):
        if node not in own:
            table[node] = rebuild(node, [table[a] for a in node.args])
            continue
        f, steps = own[node], own[node].reads[node]
        entries = node["index"].entries
        if steps is None:
            table[node] = build.getitem(loop.inits[f.written.k], entries)
        else:
            row = table[f.written.row] if steps == 0 else f.delays[steps - 1]
            table[node] = build.getitem(row, entries[1:]) if len(entries) > 1 else row
    return [table[root] for root in roots]


def _rows_before(loop: Opened, f: Filled) -> list[Node]:
    """What the delays are before the first step."""
    init = loop.inits[f.written.k]
    return [row_of(init, _row_before(loop, f.written, j + 1)) for j in range(len(f.delays))]


def row_of(array: Node, position: Dim) -> Node:
    """One row of an array; of one that has been written to row by row, what was written."""
    while array.op.name == "set_at" and len(array.args) == 2:
        entries = array["index"].entries
        place = entries[0]
        if not isinstance(place, (int, Size)) or not all(isinstance(e, Range) and e.whole for e in entries[1:]):
            break
        if place == position:
            return array.args[1]
        if not isinstance(place - position, int):
            break
        array = array.args[0]
    if array.op.name == "zeros":
        return build.zeros(array.shape[1:], array.type.dtype)
    return build.at(array, 0, position)


def _array(loop: Opened, made: Node, f: Filled, carried: int, stacked: int) -> Node:
    """The array after the loop: what it was before, and the rows that the steps have made."""
    init = loop.inits[f.written.k]
    size, first = init.shape[0], loop.start + f.written.offset
    if first == 0 and loop.count == size:
        return stack(made, stacked)
    before = loop.count if loop.reverse else 0  # the row that was there, in a history
    begins = first if loop.reverse else first - 1
    if f.delays and size == loop.count + 1 and begins == 0 and _row_before(loop, f.written, 1) == before:
        return history(made, carried)
    rows = Range(first, first + loop.count, 1, loop.count, False)
    return build.set_at(init, stack(made, stacked), Index((rows, *(build.whole(d) for d in init.shape[1:]))))
