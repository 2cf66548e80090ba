"""Statements, and the plans of loops and branches among them.

    h, x, W -> loop                    variables: how each value that is carried is kept
      for t: h <- tanh(x[t] @ W + h)   rows: what each step writes into arrays of histories and stacks
                                       block: the statements of a step

Recursion here is over loops inside one another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from graphc.ir.control import BRANCH, LOOP, RESULT, Body, counted_by, history, needs_steps_of
from graphc.ir.leaf import CONST
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.plan.buffers import origins, reads_of_each, reuses, writes_into
from graphc.plan.lines import is_fresh, is_leaf, lines
from graphc.plan.liveness import branch_needs, live, loop_needs
from graphc.plan.step import Reads, Slot, arrange, maker


class Statement(NamedTuple):
    """One line, or a loop or a branch.

    node: what it computes.  reuse: the argument whose buffer it may overwrite, or None.
    undoes: for a gradient, the forward statements that it goes back through.
    nested: the plan of a loop or a branch.
    """

    node: Node
    reuse: Node | None
    undoes: tuple[Node, ...] = ()
    nested: LoopPlan | BranchPlan | None = None

    @property
    def results(self) -> tuple[Node, ...]:
        """The results in use of a loop or a branch."""
        return () if self.nested is None else self.nested.results


class Variable(NamedTuple):
    """What a loop carries, and how the code keeps it.

    init: before the loop.  old, new: in the body, before and after a step.
    history, final: the results in use, or None.
    owned: the array before the loop is no one else's.  written: steps write into the array.
    """

    init: Node
    old: Node
    new: Node
    history: Node | None
    final: Node | None
    owned: bool
    written: bool = False


class Row(NamedTuple):
    """A value that each step adds to a result.

    first: it is there before the step's statements.  own: the statement that computes it writes the row.
    """

    result: Node
    value: Node
    first: bool
    own: bool


@dataclass(frozen=True, eq=False)
class Block:
    """What is done in a step, or in one of two branches.

    reads: the placeholders in use, and what they stand for.
    slots: what is assigned; of these, by number, late: at the end of all, fresh: an array of its own.
    written: old values whose arrays are written into.
    """

    body: Body
    reads: tuple[tuple[Node, Node], ...]
    statements: tuple[Statement, ...]
    slots: tuple[Slot, ...]
    late: tuple[int, ...]
    rows: tuple[Row, ...]
    fresh: frozenset[int]
    written: frozenset[Node]


@dataclass(frozen=True, eq=False)
class LoopPlan:
    """results: those in use.  test: the statements that the condition of a `while` needs.
    fresh: results that are arrays of their own.  written: what is written into of the values around.
    """

    node: Node
    results: tuple[Node, ...]
    variables: tuple[Variable, ...]
    block: Block
    test: tuple[Statement, ...]
    fresh: frozenset[Node]
    written: frozenset[Node]

    @property
    def piled(self) -> list[Node]:
        """The results that have a row for each step."""
        return [r for r in self.results if r["k"] >= self.node["carried"]]

    def in_rows(self, variable: Variable) -> bool:
        """Whether a variable is kept in the rows of its history: while a loop counts, there is an array for them."""
        return variable.history is not None and self.node["test"] is None


@dataclass(frozen=True, eq=False)
class BranchPlan:
    """results: those in use; each is a slot of both blocks, in this order.  fresh, written: as for loops."""

    node: Node
    results: tuple[Node, ...]
    then: Block
    other: Block
    fresh: frozenset[Node]
    written: frozenset[Node]


@dataclass(frozen=True, eq=False)
class Scope:
    """What is known around a loop or a branch.

    results: of each loop and branch, those in use.  written_out: nodes that have no name, and are written where they
    are used.  free: old values whose arrays may be written into.  goes_on: results that take the place of an old value.
    """

    results: Mapping[Node, Sequence[Node]]
    written_out: Collection[Node]
    free: Collection[Node] = ()
    goes_on: Mapping[Node, Node] = field(default_factory=dict)

    @staticmethod
    def of(
        order: Sequence[Node],
        chosen: Collection[Node],
        free: Collection[Node] = (),
        goes_on: Mapping[Node, Node] | None = None,
    ) -> Scope:
        results: dict[Node, list[Node]] = {}
        for node in order:
            if node.op is RESULT:
                results.setdefault(node.args[0], []).append(node)
        written_out = {n for n in order if n not in chosen and not is_leaf(n)}
        return Scope(results, written_out, free, goes_on or {})

    def own(self, init: Node) -> bool:
        """Whether what a loop begins with is an array of its own."""
        return init in self.free or (init in self.written_out and (is_fresh(init) or init.op is CONST))

    def plans(self, nodes: Iterable[Node]) -> dict[Node, LoopPlan | BranchPlan]:
        """The plans of the loops and branches among the statements."""
        return {n: _PLANNERS[n.op](n, self.results.get(n, ()), self) for n in nodes if n.op in _PLANNERS}


def statements(
    order: Sequence[Node],
    chosen: Collection[Node],
    kept: Collection[Node],
    undone: Mapping[Node, tuple[Node, ...]] | None = None,
) -> tuple[Statement, ...]:
    """The chosen nodes as statements; the buffers of `kept` and of viewed values are never reused."""
    undone = undone or {}
    if all(not n.type.rank and n.op not in (LOOP, BRANCH) for n in chosen):  # numbers have no buffers
        return tuple(Statement(n, None, undone.get(n, ())) for n in order if n in chosen)
    reads = reads_of_each(order, chosen)
    plans = Scope.of(order, chosen).plans(reads)
    viewed = {history(r.args[0], r["k"]) for r in rows_in(order)}
    fresh = {r for plan in plans.values() for r in plan.fresh} - viewed
    reuse = reuses(order, reads, chosen, kept, fresh)
    return tuple(Statement(n, reuse.get(n), undone.get(n, ()), plans.get(n)) for n in reads)


def plan_loop(node: Node, results: Sequence[Node], scope: Scope) -> LoopPlan:
    """What a loop does in each step for the results in use."""
    by_k = {r["k"]: r for r in results}
    needs = loop_needs(node, by_k)
    m, body, test = node["carried"], node["body"], node["test"]
    variables = [_variable(node, k, by_k, scope) for k in needs.outputs if k < m]
    histories = [(v.history, v.new) for v in variables if v.history is not None]
    stacks = [(by_k[k], body.outputs[k - m]) for k in sorted(by_k) if k >= 2 * m]
    tested = _test(test, [*(v.new for v in variables), *(v for _, v in stacks)]) if test is not None else ()
    given = [n for s in tested for n in (s.node, *s.results)]
    slots = [Slot(v.old, v.new) for v in variables if v.history is None or test is not None]
    block = _block(
        body,
        tuple((body.inputs[i], node.args[i]) for i in needs.inputs if i >= m),
        slots,
        (histories if test is None else []) + stacks,
        given,
        [v for _, v in histories + stacks] if test is not None else [],
        {v.old for v in variables},
    )
    variables = [v._replace(written=v.old in block.written) for v in variables]
    changed = {block.slots[i].old for i in block.fresh}
    fresh = {v.final for v in variables if v.final and (v.owned or v.written) and v.old in changed}
    fresh |= {r for r in results if r["k"] >= m}
    written = frozenset(v.init for v in variables if v.written and v.init in scope.free)
    return LoopPlan(node, tuple(results), tuple(variables), block, tested, frozenset(fresh), written)


def _variable(node: Node, k: int, by_k: Mapping[int, Node], scope: Scope) -> Variable:
    init, body = node.args[k], node["body"]
    history, final = by_k.get(node["carried"] + k), by_k.get(k)
    return Variable(init, body.inputs[k], body.outputs[k], history, final, scope.own(init))


def _test(test: Body, step: Sequence[Node]) -> tuple[Statement, ...]:
    """What must be computed before the condition of a `while` can be written: also what `step` needs of its arrays."""
    after = live(step)
    tested = set(live(test.outputs))
    order = live([*test.outputs, *(n for n in after if n.op is RESULT and n.args[0] in tested)])
    common = {n for n in set(order).intersection(after) if _is_work(n)}
    read = {a for n in (*order, *after) if n not in common for a in n.args} | set(step)
    chosen = lines(order, common & read)
    return statements(order, chosen, chosen)


def _is_work(node: Node) -> bool:
    """Whether a node takes more than a few operations on numbers."""
    return not is_leaf(node) and "view" not in node.op.traits and any(a.type.rank for a in (node, *node.args))


def plan_branch(node: Node, results: Sequence[Node], scope: Scope) -> BranchPlan:
    """What each side of a branch does for the results in use."""
    needed = branch_needs(node, [r["k"] for r in results])
    blocks: list[Block] = []
    for body in (node["then"], node["other"]):
        inner = dict(zip(node.args[1:], body.inputs, strict=True))
        slots = [Slot(inner.get(scope.goes_on.get(r, r)), body.outputs[r["k"]]) for r in results]
        free = {inner[a] for a in scope.free if a in inner}
        reads = tuple((body.inputs[i], node.args[1 + i]) for i in needed)
        blocks.append(_block(body, reads, slots, [], [], [], free))
    then, other = blocks
    fresh = frozenset(r for i, r in enumerate(results) if i in then.fresh and i in other.fresh)
    outer = {p: arg for block in blocks for p, arg in block.reads}
    written = frozenset(outer[p] for block in blocks for p in block.written)
    return BranchPlan(node, tuple(results), then, other, fresh, written)


_PLANNERS: dict[Op, Callable[[Node, Sequence[Node], Scope], LoopPlan | BranchPlan]] = {
    LOOP: plan_loop,
    BRANCH: plan_branch,
}


def _block(
    body: Body,
    reads_from: tuple[tuple[Node, Node], ...],
    slots: Sequence[Slot],
    rows: Sequence[tuple[Node, Node]],
    given: Sequence[Node],
    appended: Sequence[Node],
    free: Collection[Node],
) -> Block:
    """The statements of a step or of a branch.

    rows: results and their values.  given: what the test of a `while` has computed.  appended: values that lists
    hold.  free: old values whose arrays may be written into.
    """
    outside = [*(value for _, value in rows), *appended]
    roots = [*(s.new for s in slots), *outside]
    order = live(roots, given)
    wanted = {*roots, *(n for n in order if n in body.names and not is_leaf(n))}
    chosen = lines(order, wanted, given)
    reads = reads_of_each(order, chosen)
    arranged = arrange(reads, slots, rows_in(order))
    placed = _rows(rows, slots, chosen, counted_by(order), direct=not appended)
    chosen -= _written_at_the_end(slots, arranged.late, reads, outside)
    reads = {n: reads[n] for n in arranged.order if n in chosen}
    reuse = reuses(order, reads, chosen, wanted)
    passing: set[Node] = set()
    for old, writer in _writers(slots, arranged.late, placed, appended, reads, reuse):
        if old in free and writer.op in _PLANNERS:
            passing.add(old)
        elif old in free:
            reuse[writer] = old
    late = [i for i, slot in enumerate(slots) if i in arranged.late or _overtaken(slot, reads, reuse)]
    goes_on = {s.new: s.old for i, s in enumerate(slots) if i not in late and s.old is not None}
    plans = Scope.of(order, chosen, passing, goes_on).plans(reads)
    done = tuple(Statement(n, reuse.get(n), (), plans.get(n)) for n in reads)
    made = {n for n in reads if is_fresh(n)} | {r for plan in plans.values() for r in plan.fresh}
    fresh = {i for i, s in enumerate(slots) if i not in late and s.new in made}
    fresh |= {i for i, s in enumerate(slots) if s.new is s.old and s.old in free}
    fresh = {
        i for i in fresh if not any({slots[i].old, slots[i].new} & origins(s.new) for s in slots if s is not slots[i])
    }
    written = {n for n in reuse.values() if n in free} | {n for p in plans.values() for n in p.written}
    return Block(body, reads_from, done, tuple(slots), tuple(late), placed, frozenset(fresh), frozenset(written))


def _overtaken(slot: Slot, reads: Reads, reuse: Mapping[Node, Node]) -> bool:
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


def rows_in(order: Sequence[Node]) -> set[Node]:
    """Last values of loops that are rows of histories in use."""
    inside = set(order)
    finals = [n for n in order if n.op is RESULT and n.args[0].op is LOOP and n["k"] < n.args[0]["carried"]]
    return {n for n in finals if n.args[0]["test"] is None and history(n.args[0], n["k"]) in inside}


def _rows(
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


def _written_at_the_end(
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
        short = node.op not in _PLANNERS and "writes" not in node.op.traits
        if alone and short and overwritten.isdisjoint(reads[node]):
            found.add(node)
    return found


def _writers(
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
        writer = writes_into(slot, reads, reuse, [*others, *rest, *appended])
        if writer is not None:
            yield slot.old, writer
