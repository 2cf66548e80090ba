"""The statements of a function, with the plans of the loops and branches among them.

    loop(h0, x, W)     h0 <- the array of its history, if backward reads it, else a variable
                       step: a <- x[t] @ W, h <- tanh(a + h), in an order in which no old value is lost
                       targets are not read: no one uses the losses

Recursion here is over loops inside one another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from graphc.ir.control import BRANCH, LOOP, RESULT, Body, counted_by, history
from graphc.ir.leaf import CONST
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.plan.assigning import not_shared, overtaken, placed_rows, rows_in, writers, written_at_the_end
from graphc.plan.buffers import reads_of_each, reuses
from graphc.plan.lines import CONTROL, is_fresh, is_leaf, lines
from graphc.plan.liveness import branch_needs, live, loop_needs
from graphc.plan.statement import Block, BranchPlan, LoopPlan, Statement, Variable
from graphc.plan.step import Slot, arrange


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
    placeholders = tuple((body.inputs[i], node.args[i]) for i in needs.inputs if i >= m)
    free = {v.old for v in variables}
    if test is None:
        step = Step(slots, histories + stacks, given, (), free)
    else:
        step = Step(slots, stacks, given, [value for _, value in histories + stacks], free)
    block = _block(body, placeholders, step)
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
        blocks.append(_block(body, reads, Step(slots, free=free)))
    then, other = blocks
    fresh = frozenset(r for i, r in enumerate(results) if i in then.fresh and i in other.fresh)
    outer = {p: arg for block in blocks for p, arg in block.reads}
    written = frozenset(outer[p] for block in blocks for p in block.written)
    return BranchPlan(node, tuple(results), then, other, fresh, written)


_PLANNERS: dict[Op, Callable[[Node, Sequence[Node], Scope], LoopPlan | BranchPlan]] = {
    LOOP: plan_loop,
    BRANCH: plan_branch,
}


class Step(NamedTuple):
    """What a step, or one side of a branch, has to do.

    slots: what it assigns.  rows: results and what it adds to them.  given: what the test of a `while` has computed.
    appended: values that lists hold on to.  free: old values whose arrays may be written into.
    """

    slots: Sequence[Slot]
    rows: Sequence[tuple[Node, Node]] = ()
    given: Sequence[Node] = ()
    appended: Sequence[Node] = ()
    free: Collection[Node] = ()


def _block(body: Body, placeholders: tuple[tuple[Node, Node], ...], step: Step) -> Block:
    """The statements of a step; placeholders: those in use, and what they stand for."""
    slots, outside = step.slots, [*(value for _, value in step.rows), *step.appended]
    roots = [*(s.new for s in slots), *outside]
    order = live(roots, step.given)
    wanted = {*roots, *(n for n in order if n in body.names and not is_leaf(n))}
    chosen = lines(order, wanted, step.given)
    reads = reads_of_each(order, chosen)
    arranged = arrange(reads, slots, rows_in(order))
    rows = placed_rows(step.rows, slots, chosen, counted_by(order), direct=not step.appended)
    chosen -= written_at_the_end(slots, arranged.late, reads, outside)
    reads = {n: reads[n] for n in arranged.order if n in chosen}
    reuse = reuses(order, reads, chosen, wanted)
    into = [w for w in writers(slots, arranged.late, rows, step.appended, reads, reuse) if w[0] in step.free]
    reuse |= {writer: old for old, writer in into if writer.op not in CONTROL}
    late = [i for i, slot in enumerate(slots) if i in arranged.late or overtaken(slot, reads, reuse)]
    scope = Scope.of(
        order,
        chosen,
        free={old for old, writer in into if writer.op in CONTROL},
        goes_on={s.new: s.old for i, s in enumerate(slots) if i not in late and s.old is not None},
    )
    plans = scope.plans(reads)
    done = tuple(Statement(n, reuse.get(n), (), plans.get(n)) for n in reads)
    made = {n for n in reads if is_fresh(n)} | {r for plan in plans.values() for r in plan.fresh}
    changed = [i for i, s in enumerate(slots) if i not in late and s.new in made]
    same = [i for i, s in enumerate(slots) if s.new is s.old and s.old in step.free]
    written = {n for n in reuse.values() if n in step.free} | {n for p in plans.values() for n in p.written}
    fresh = not_shared(slots, [*changed, *same])
    return Block(body, placeholders, done, tuple(slots), tuple(late), rows, fresh, frozenset(written))
