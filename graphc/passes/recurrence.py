"""What does not need the recurrence is moved out of the loop, where it is one operation on all steps.

    for t in range(T):                          Z = X @ W + b                 before: (T, k)
        h = tanh(X[t] @ W + b + h @ U)          for t in range(T):
        total += sum(h * V)              ->         h[t + 1] = tanh(Z[t] + h[t] @ U)
                                                total = sum(h[1:] * V)        after

Before the loop goes what depends on rows that it reads but on nothing that is carried; after it what no
later step needs: outputs of the body, and running sums. The sum of outer products, which is the gradient
of a weight that all steps share, is a product of matrices: dU = h[:-1].T @ dz. Only what is no larger
than what the loop keeps of a step anyway is moved, so that memory grows by a constant factor at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import reduce
from typing import NamedTuple

from graphc.autodiff.batch import node_along
from graphc.errors import UnsupportedError
from graphc.expr import build
from graphc.expr.einsum import einsum
from graphc.expr.looping import Opened, row_of, substitute
from graphc.ir.control import RESULT, counted_by, history, mentions, stack
from graphc.ir.dims import Size, degree
from graphc.ir.graph import Graph
from graphc.ir.leaf import SIZE, input_node, size_node
from graphc.ir.node import Node, topological
from graphc.ir.sizes import names_of
from graphc.passes.accumulate import accumulated, is_zero
from graphc.passes.loops import Results, all_rows, closed, needed, on_loops, part, pruned, running_sum, varying


def shorten_loops(graph: Graph) -> tuple[Graph, Callable[[Node], Node]]:
    """The graph with its loops reduced to what their steps need of one another; and where its nodes went."""
    moves: list[Callable[[Node], Node]] = []
    for rule in (pruned, before, after, accumulated):
        graph, move = on_loops(graph, rule)
        moves.append(move)
    return graph, lambda node: reduce(lambda at, move: move(at), moves, node)


def before(loop: Opened, used: frozenset[int]) -> Results | None:
    """Work on the rows that a loop reads is done for all rows before it."""
    if loop.test is not None:
        return None
    m = len(loop.inits)
    roots = [*loop.updates, *loop.stacked]
    free = _free_of_carried(loop, roots)
    rows = _Rows(loop, frozenset(roots) - free)
    inner = varying(loop, roots)
    wanted = [n for n in _frontier(roots, inner, free) if rows.reads(n)]
    arrays = {n: rows.of(n) for n in wanted}
    arrays = {n: array for n, array in arrays.items() if not rows.asks(array)}
    if not arrays:
        return None
    table = {n: build.at(array, 0, loop.position - loop.start) for n, array in arrays.items()}
    names = {table[n]: name for n, name in loop.names.items() if n in table}
    nodes = substitute([*roots, *loop.names], table)
    kept = zip(nodes[len(roots) :], loop.names.values(), strict=True)
    changed = replace(
        loop, updates=tuple(nodes[:m]), stacked=tuple(nodes[m : len(roots)]), names={**dict(kept), **names}
    )
    made = closed(changed, range(m))
    return made.results(m, used, {k: stack(made.node, k - 2 * m) for k in used if k >= 2 * m})


def after(loop: Opened, used: frozenset[int]) -> Results | None:
    """Outputs that no step needs, and running sums, are computed from the rows of all steps after it."""
    m = len(loop.inits)
    sums = {k: terms for k in range(m) if used & {k, m + k} == {k} and (terms := running_sum(loop, k)) is not None}
    core = {k % m for k in used if k < 2 * m} - sums.keys()
    stacked: list[Node] = []
    while True:
        kept = needed(loop, core, stacked)
        rows = _Rows(loop, frozenset(topological([*(loop.updates[k] for k in kept), *stacked, *_tested(loop)])))
        totals = {k: _sum(rows, loop.inits[k], terms) for k, terms in sums.items()}
        results = {k: total for k, total in totals.items() if total is not None}
        left = sums.keys() - results.keys()
        results |= {k: rows.repeated(loop.stacked[k - 2 * m]) for k in sorted(used) if k >= 2 * m}
        asked = rows.asked(results.values())
        if not left and asked.histories <= set(kept) and set(asked.stacks) <= set(stacked):
            return _counted(loop, rows.finished(used, results))
        sums = {k: terms for k, terms in sums.items() if k not in left}
        core = {*kept, *left, *asked.histories}  # what is computed in the loop is not computed again after it
        stacked = list(dict.fromkeys([*stacked, *asked.stacks]))


def _counted(loop: Opened, results: Results | None) -> Results | None:
    """The results; None if one mentions the number of steps of a `while` without coming after it."""
    if results is None or loop.follows is None:
        return results
    count = frozenset(names_of([loop.count]))
    orders = [topological([result]) for result in results.values()]
    source = loop.follows.args[0] if loop.follows.op is RESULT else loop.follows
    lost = any(source not in order and any(mentions(n, count) for n in order) for order in orders)
    return None if lost else results


def _sum(rows: _Rows, init: Node, terms: Sequence[tuple[int, Node]]) -> Node | None:
    """What a running sum is in the end; None if that is better left to the loop."""
    total = None if is_zero(init) else init
    for sign, term in terms:
        part = _total(rows, term)
        if part is None or not rows.counts(part):
            return None
        if total is None:
            total = part if sign > 0 else build.negative(part)
        else:
            total = build.add(total, part) if sign > 0 else build.subtract(total, part)
    return init if total is None else build.broadcast_to(total, init.shape)


def _tested(loop: Opened) -> Sequence[Node]:
    return () if loop.test is None else (loop.test,)


def _free_of_carried(loop: Opened, roots: Sequence[Node]) -> frozenset[Node]:
    """The nodes of a step that depend on nothing carried."""
    bound: set[Node] = set()
    for node in topological(roots):
        if node in loop.placeholders or any(a in bound for a in node.args):
            bound.add(node)
    return frozenset(varying(loop, roots) - bound)


def _frontier(roots: Sequence[Node], inner: Iterable[Node], free: frozenset[Node]) -> list[Node]:
    """The free nodes that something else uses."""
    inside = set(inner)
    users = [n for n in topological(roots) if n in inside and n not in free]
    return list(dict.fromkeys(a for n in users for a in n.args if a in free))


class _Asked(NamedTuple):
    """What arrays need of a loop: histories of carried values, stacks of nodes."""

    histories: set[int]
    stacks: list[Node]


class _Rows:
    """Nodes of a step as arrays with one row a step.

    core: what the steps need of one another, computed in the loop in any case.
    """

    def __init__(self, loop: Opened, core: frozenset[Node]) -> None:
        self.loop = loop
        self.core = core
        self.inner = varying(loop, [*loop.updates, *loop.stacked, *_tested(loop)])
        self._own_sizes = frozenset({loop.index, *counted_by(self.inner)})
        self._carried = {p: k for k, p in enumerate(loop.placeholders)}
        self._updated = {u: k for k, u in reversed(list(enumerate(loop.updates))) if u in core}
        self._histories: dict[int, Node] = {}
        self._stacks: dict[Node, Node] = {}
        self._found: dict[Node, Node] = {}
        kept = [p for k, p in enumerate(loop.placeholders) if running_sum(loop, k) is None]
        rows = [n for n in self.inner if self._row(n) is not None]
        self._degree = max((degree(n.type.size) for n in (*kept, *rows, *loop.stacked)), default=0)
        self._rank = max((n.type.rank for n in (*kept, *rows, *loop.stacked)), default=0)

    def of(self, root: Node) -> Node:
        """A node for all steps."""
        order = self._order(root)
        if any(self._is_large(node) for node in order):
            return self._stack(root)
        for node in order:
            if node not in self._found:
                self._found[node] = self._made(node)
        return self._found[root]

    def _is_large(self, node: Node) -> bool:
        """Whether a stack of a node would need more memory than what is kept of each step anyway."""
        plain = node not in self.inner or node in self._carried or node in self._updated or self._row(node) is not None
        return not plain and self._is_given(node) and degree(node.type.size) > self._degree

    def repeated(self, root: Node) -> Node:
        """A row for each step, also of what is the same in all."""
        rows = build.repeated(self.of(root), root in self.inner, self.loop.count)
        return rows if self.counts(rows) else self._stack(root)

    def counts(self, array: Node) -> bool:
        """Whether it is known how many steps there are: those of a `while` are known from its results."""
        given = {*self._histories.values(), *self._stacks.values()}
        return self.loop.test is None or not given.isdisjoint(topological([array]))

    def hold(self, node: Node) -> bool:
        """Whether a row for each step is no more than what is kept of each step anyway."""
        return degree(node.type.size) <= self._degree and node.type.rank <= max(self._rank, 1)

    def reads(self, root: Node) -> bool:
        """Whether a node is more than a row, and works on one."""
        return self._row(root) is None and any(self._row(n) is not None for n in self._order(root))

    def asks(self, array: Node) -> bool:
        """Whether an array needs results of the loop."""
        return not set(self._stacks.values()).isdisjoint(topological([array])) or bool(self._histories)

    def _order(self, root: Node) -> list[Node]:
        """What is made for a node, arguments first."""
        reached = {root}
        order = topological([root])
        for node in reversed(order):
            if node in reached and not self._is_given(node):
                reached.update(node.args)
        return [n for n in order if n in reached]

    def _row(self, node: Node) -> object | None:
        row = row_of(node, self.loop.index, self.loop.start)
        return None if row is None or row.node.args[0] in self.inner else row

    def _is_given(self, node: Node) -> bool:
        """Whether a node is made without its arguments."""
        if node not in self.inner or node in self._carried or node in self._updated or self._row(node) is not None:
            return True
        if any(self.changes(a) for a in node.args):
            return True
        return (node in self.core and "view" not in node.op.traits) or not self._movable(node)

    def changes(self, node: Node) -> bool:
        """Whether the shape of a node changes from step to step: it has no array of rows then."""
        return any(name in self._own_sizes for d in node.shape if isinstance(d, Size) for name in d.names())

    def _movable(self, node: Node) -> bool:
        if node.op is SIZE:
            return self._count(node) is not None
        own = any(t in node.op.traits for t in ("control", "result")) or self._mentions(node)
        return not own and degree(node.type.size) <= self._degree

    def _mentions(self, node: Node) -> bool:
        return mentions(node, self._own_sizes)

    def _made(self, node: Node) -> Node:
        loop = self.loop
        if node not in self.inner:
            return node
        if node in self._carried:
            return part(self._history(self._carried[node]), 1 if loop.reverse else 0, loop.count)
        if node in self._updated:
            return part(self._history(self._updated[node]), 0 if loop.reverse else 1, loop.count)
        row = row_of(node, loop.index, loop.start)
        if row is not None and row.node.args[0] not in self.inner:
            return all_rows(row, loop)
        if self._is_given(node):
            return self._stack(node)
        if node.op is SIZE:
            counted = self._count(node)
            assert counted is not None
            return counted
        try:
            has = [a in self.inner for a in node.args]
            return node_along(node, [self._found[a] for a in node.args], has, loop.count)
        except UnsupportedError:
            return self._stack(node)

    def _count(self, node: Node) -> Node | None:
        """The numbers that a size with the index in it is: `2 * t + 1`."""
        dim, loop = node["dim"], self.loop
        rest = dim - loop.position
        factor = 1
        while isinstance(rest, Size) and loop.index in rest.names() and factor < 8:
            rest, factor = rest - loop.position, factor + 1
        if (isinstance(rest, Size) and not self._own_sizes.isdisjoint(rest.names())) or node["least"]:
            return None
        numbers = build.astype(build.arange(loop.count), node.type.dtype)
        scaled = numbers if factor == 1 else build.multiply(numbers, factor)
        first = rest + loop.start * factor
        return scaled if first == 0 else build.add(scaled, size_node(first, node.type.dtype))

    def _history(self, k: int) -> Node:
        """What stands for the history of a carried value until the loop is closed."""
        type = self.loop.placeholders[k].type
        shape = (self.loop.count + 1, *type.shape)
        return self._histories.setdefault(k, input_node(f"_{self.loop.index}_h{k}", type.with_shape(shape)))

    def _stack(self, node: Node) -> Node:
        """What stands for the stack of a node until the loop is closed."""
        type = node.type.with_shape((self.loop.count, *node.shape))
        return self._stacks.setdefault(node, input_node(f"_{self.loop.index}_s{len(self._stacks)}", type))

    def asked(self, arrays: Iterable[Node]) -> _Asked:
        """What arrays need of the loop."""
        found = set(topological(arrays))
        histories = {k for k, h in self._histories.items() if h in found}
        return _Asked(histories, [n for n, s in self._stacks.items() if s in found])

    def finished(self, used: frozenset[int], found: dict[int, Node]) -> Results | None:
        """The results of the loop: those in `found`, and for the others those of the loop that is left."""
        loop, m = self.loop, len(self.loop.inits)
        asked = set(topological(found.values()))
        histories = {k: h for k, h in self._histories.items() if h in asked}
        stacks = {n: s for n, s in self._stacks.items() if s in asked}
        left = {k % m for k in used if k not in found}
        keep = needed(loop, {*left, *histories}, list(stacks))
        if len(keep) == m and tuple(stacks) == loop.stacked and not any(k < m for k in found):
            return None
        table: dict[Node, Node] = {}
        place: dict[int, Node] = {}
        if keep or stacks:
            made = closed(replace(loop, stacked=tuple(stacks)), keep)
            table |= {h: history(made.node, made.place[k]) for k, h in histories.items()}
            table |= {s: stack(made.node, j) for j, s in enumerate(stacks.values())}
            place = made.results(m, (k for k in used if k not in found), {})
        values = substitute(list(found.values()), table)
        return {**place, **dict(zip(found, values, strict=True))}


def _total(rows: _Rows, step: Node) -> Node | None:
    """The sum of a node over all steps; None if that is better left to the loop."""
    if step not in rows.inner:
        return build.multiply(size_node(rows.loop.count, step.type.dtype), step)
    name = step.op.name
    if any(map(rows.changes, step.args)):
        return None if step.type.rank > 1 else build.reduce("sum", rows.of(step), (0,))
    if name == "negative":
        inner = _total(rows, step.args[0])
        return None if inner is None else build.negative(inner)
    if name == "outer":
        a, b = (rows.of(x) if x in rows.inner else None for x in step.args)
        if a is None or b is None:
            sums = [x if r is None else build.reduce("sum", r, (0,)) for r, x in zip((a, b), step.args, strict=True)]
            return build.outer(*sums)
        return build.matmul(build.swap(a), b)
    if name == "matmul" and all(a.type.rank == 2 and a in rows.inner for a in step.args):
        return einsum("tij,tjk->ik", *(rows.of(a) for a in step.args))
    if name in ("add", "subtract") and step.type.rank > 1 and all(a.shape == step.shape for a in step.args):
        both = [_total(rows, a) for a in step.args]
        return None if None in both else build.apply(name, *(b for b in both if b is not None))
    return build.reduce("sum", rows.of(step), (0,)) if rows.hold(step) else None
