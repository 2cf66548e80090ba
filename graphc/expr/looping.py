"""Loops and branches, opened and closed.

Open: the nodes of a body stand over the nodes around it, and over placeholders for what is carried.
Closed: a `Body`, over placeholders for all that it reads. Whatever makes or changes a loop works on the
open form and closes it again. What depends neither on the index nor on what is carried is not part of
the body then: to close a loop is to move invariant work out of it.

    c = placeholder("h", type, "t")                    h
    opened = Opened(..., updates=(tanh(x[t] @ W + c),))   the body: tanh(_x[t] @ _W + h), read: (x, W)
    node = close(opened)                               loop(h0, x, W; ...)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from graphc.errors import Span
from graphc.expr import build
from graphc.ir.control import (
    BRANCH,
    IMPLICIT,
    LOOP,
    RESULT,
    Body,
    before,
    bodies,
    counted_by,
    history,
    in_order,
    mentions,
    result,
)
from graphc.ir.dims import Dim, Size, at_least
from graphc.ir.index import Index, Range
from graphc.ir.leaf import INPUT, input_node
from graphc.ir.node import Node, make, rebuild, topological
from graphc.ir.types import TensorType


@dataclass(frozen=True, eq=False)
class Opened:
    """A loop over the nodes around it.

    inits: what is carried, before the first step.  placeholders: the same before any step.
    updates: the same after that step.  stacked: what else a step makes.  test: whether there is another step.
    names, origin: of the nodes of the body.
    follows: a result of the loop with a test whose count this one has: it is read, so that that loop comes before.
    """

    index: str
    start: Dim
    count: Dim
    reverse: bool
    inits: tuple[Node, ...]
    placeholders: tuple[Node, ...]
    updates: tuple[Node, ...]
    stacked: tuple[Node, ...] = ()
    test: Node | None = None
    names: Mapping[Node, str] = field(default_factory=dict)
    origin: Mapping[Node, Span] = field(default_factory=dict)
    follows: Node | None = None

    @property
    def position(self) -> Dim:
        """The index, as a size of the body."""
        return Size.named(self.index)


def placeholder(index: str, k: int, type: TensorType) -> Node:
    """What stands for the k-th carried value of the loop over `index`. Loops inside one another have different ones."""
    return input_node(f"_{index}_{k}", type)


def close(loop: Opened) -> Node:
    """The loop as a node."""
    outputs = (*loop.updates, *loop.stacked, *(() if loop.test is None else (loop.test,)))
    inner = inside(outputs, loop.placeholders, {loop.index})
    canonical = [placeholder(loop.index, k, p.type) for k, p in enumerate(loop.placeholders)]
    carried = dict(zip(loop.placeholders, canonical, strict=True))
    closed = _close(outputs, inner, carried, loop.index, loop.names, loop.origin)
    inputs, args = (*canonical, *closed.inputs), (*loop.inits, *closed.read)
    anchor = loop.follows
    if anchor is not None and anchor not in closed.read and followed_in(closed.read, loop.count) is None:
        args += (anchor,)
        inputs += (input_node(f"_{loop.index}_r{len(closed.inputs)}", args[-1].type),)
    count = len(loop.updates) + len(loop.stacked)
    body = Body(inputs, closed.outputs[:count], closed.names, closed.origin)
    return make(
        LOOP,
        args,
        body=body,
        carried=len(loop.inits),
        index=loop.index,
        start=loop.start,
        count=loop.count,
        reverse=loop.reverse,
        test=None if loop.test is None else Body(inputs, closed.outputs[count:], closed.names, closed.origin),
    )


def followed(node: Node) -> Node | None:
    """A result of the loop with a test that says how often a loop is done: itself, or one that it comes after."""
    m, body = node["carried"], node["body"]
    if node["test"] is not None:
        return result(node, 0) if body.outputs else None
    found = followed_in(node.args[m:], node["count"])
    if found is not None or isinstance(node["count"], int):
        return found
    used = set(topological(body.outputs))  # in a body, what is read for that only is an input
    return next((a for a, p in zip(node.args[m:], body.inputs[m:], strict=True) if p not in used), None)


def followed_in(read: Iterable[Node], count: Dim) -> Node | None:
    """The result that is read of a loop with a test that goes `count` times."""
    results = [n for n in read if n.op is RESULT and n.args[0].op is LOOP]
    return next((n for n in results if n.args[0]["test"] is not None and n.args[0]["count"] == count), None)


def open_loop(node: Node) -> Opened:
    """A loop over the nodes around it."""
    body, m = node["body"], node["carried"]
    outputs = [*body.outputs, *(node["test"].outputs if node["test"] is not None else ())]
    table = dict(zip(body.inputs, (*body.inputs[:m], *node.args[m:]), strict=True))
    found = substitute(outputs, table)
    count = len(body.outputs)
    return Opened(
        index=node["index"],
        start=node["start"],
        count=node["count"],
        reverse=node["reverse"],
        inits=node.args[:m],
        placeholders=body.inputs[:m],
        updates=tuple(table[o] for o in body.outputs[:m]),
        stacked=tuple(table[o] for o in body.outputs[m:]),
        test=found[count] if node["test"] is not None else None,
        names={table[n]: name for n, name in body.names.items() if n in table},
        origin={table[n]: span for n, span in body.origin.items() if n in table},
        follows=None if node["test"] is not None else followed(node),
    )


def close_branch(
    condition: Node,
    then: Sequence[Node],
    other: Sequence[Node],
    names: Mapping[Node, str] | None = None,
    origin: Mapping[Node, Span] | None = None,
    outside: Collection[Node] = (),
) -> Node:
    """A branch as a node. What both branches need is computed before it, the rest only where it is needed.

    outside: nodes that are there already.
    """
    needed, also = set(topological(then, outside)), set(topological(other, outside))
    inner = {node for node in needed ^ also if node.op is not INPUT}
    inner = {node for node in inner if node.op is not RESULT or node.args[0] in inner}  # of a loop before the branch
    closed = _close((*then, *other), inner, {}, "", names or {}, origin or {})
    first = Body(closed.inputs, closed.outputs[: len(then)], closed.names, closed.origin)
    second = Body(closed.inputs, closed.outputs[len(then) :], closed.names, closed.origin)
    return make(BRANCH, (condition, *closed.read), then=first, other=second)


def close_solution(
    values: Sequence[Node],
    placeholders: Sequence[Node],
    outputs: Sequence[Node],
    *,
    root: bool,
    index: str,
    tolerance: float,
    limit: int,
) -> Node:
    """Values that solve an equation, as a node.

    placeholders: the unknowns in `outputs`, the other side of each equation, or what is 0 for a root.
    index, tolerance, limit: of the iteration that found the values, for those that its derivatives need.
    """
    inner = inside(outputs, placeholders, ())
    canonical = [placeholder(index, k, p.type) for k, p in enumerate(placeholders)]
    closed = _close(outputs, inner, dict(zip(placeholders, canonical, strict=True)), index, {}, {})
    return make(
        IMPLICIT,
        (*values, *closed.read),
        body=Body((*canonical, *closed.inputs), closed.outputs),
        solved=len(values),
        root=root,
        index=index,
        tolerance=tolerance,
        limit=limit,
    )


def open_branch(node: Node) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """The outputs of both branches over the nodes around."""
    table = around(node)
    return tuple(table[o] for o in node["then"].outputs), tuple(table[o] for o in node["other"].outputs)


def insides(node: Node) -> list[Node]:
    """What a loop or a branch computes, over the nodes around it: `rewritten` changes it."""
    return [table[o] for table in [around(node)] for body in bodies(node) for o in body.outputs]


def again(loop: Node, kept: Node | None = None) -> dict[Node, Node]:
    """For each node of a loop's bodies the node where another loop over its index computes a step again.

    What is carried comes from the histories: the row of the value before the step.
    kept: the form of the loop whose histories these are, if it is another one.
    """
    row = before(loop, Size.named(loop["index"]))
    carried = [build.at(history(kept or loop, k), 0, row) for k in range(loop["carried"])]
    return _over(loop, (*carried, *loop.args[len(carried) :]))


def recomputed(node: Node) -> list[Node]:
    """What a loop computes, as another loop over its index computes it again."""
    if node.op is not LOOP:
        return []
    table = again(node)
    return [table[o] for body in bodies(node) for o in body.outputs]


def names_inside(node: Node) -> dict[Node, str]:
    """What the nodes in a loop or a branch are called, over the nodes around it."""
    table = around(node)
    return {table[n]: name for body in bodies(node) for n, name in body.names.items() if n in table}


def rewritten(node: Node, change: Callable[[Sequence[Node]], Callable[[Node], Node]]) -> Node:
    """A loop or a branch with other insides; names and origins are carried.

    change: given what is computed inside, over the nodes around it, says what becomes of each node.
    """
    to = change(insides(node))
    if node.op is BRANCH:
        table, sides = around(node), bodies(node)
        then, other = ([to(table[o]) for o in body.outputs] for body in sides)
        names = {to(table[n]): name for body in sides for n, name in body.names.items() if n in table}
        origin = {to(table[n]): span for body in sides for n, span in body.origin.items() if n in table}
        return close_branch(node.args[0], then, other, names, origin, outside=topological(node.args))
    if node.op is IMPLICIT:
        unknowns = node["body"].inputs[: node["solved"]]
        options = {name: node[name] for name in ("root", "index", "tolerance", "limit")}
        return close_solution(node.args[: len(unknowns)], unknowns, list(map(to, insides(node))), **options)
    loop = open_loop(node)
    changed = replace(
        loop,
        updates=tuple(map(to, loop.updates)),
        stacked=tuple(map(to, loop.stacked)),
        test=None if loop.test is None else to(loop.test),
        names={to(n): name for n, name in loop.names.items()},
        origin={to(n): span for n, span in loop.origin.items()},
    )
    return close(changed)


def around(node: Node) -> dict[Node, Node]:
    """For each node of the bodies of a loop or a branch the node over those around it."""
    first = node["carried"] if node.op is LOOP else node["solved"] if node.op is IMPLICIT else 0
    read = node.args[1:] if node.op is BRANCH else node.args[first:]
    return _over(node, (*bodies(node)[0].inputs[:first], *read))


def _over(node: Node, inputs: Sequence[Node]) -> dict[Node, Node]:
    """For each node of the bodies the node over these, in the place of the inputs."""
    table: dict[Node, Node] = {}
    for body in bodies(node):
        table |= zip(body.inputs, inputs, strict=True)
    substitute([o for body in bodies(node) for o in body.outputs], table)
    return table


class _Closed(NamedTuple):
    """inputs: placeholders of what is read.  read: what is."""

    outputs: tuple[Node, ...]
    inputs: tuple[Node, ...]
    read: tuple[Node, ...]
    names: dict[Node, str]
    origin: dict[Node, Span]


def _close(
    outputs: Sequence[Node],
    inner: Collection[Node],
    carried: Mapping[Node, Node],
    index: str,
    names: Mapping[Node, str],
    origin: Mapping[Node, Span],
) -> _Closed:
    """Nodes over the placeholders of a body: those in `inner` are made again, the others are read from outside."""
    table = dict(carried)
    read: list[Node] = []
    inputs: list[Node] = []
    for node in _arguments_and(outputs, inner):
        if node in table:
            continue
        if node in inner:
            table[node] = rebuild(node, [table[a] for a in node.args])
        elif node.args or node.op is INPUT or (node.type.rank and node.op.name != "zeros"):
            read.append(node)
            inputs.append(input_node(f"_{index}_r{len(inputs)}", node.type))
            table[node] = inputs[-1]
        else:
            table[node] = node  # numbers, and zeros to write into, are made where they are used
    made = [n for n in table if n in inner]
    return _Closed(
        tuple(table[o] for o in outputs),
        tuple(inputs),
        tuple(read),
        {table[n]: names[n] for n in (*carried, *made) if n in names},
        {table[n]: origin[n] for n in made if n in origin},
    )


def _arguments_and(outputs: Sequence[Node], inner: Collection[Node]) -> list[Node]:
    """The inner nodes that the outputs need, and what they take from outside, arguments first."""
    order = topological(outputs)
    reached = set(outputs)
    for node in reversed(order):
        if node in reached and node in inner:
            reached.update(node.args)
    return [n for n in order if n in reached]


def substitute(roots: Sequence[Node], table: dict[Node, Node]) -> list[Node]:
    """The roots with some nodes replaced; `table` gets what became of every node."""
    for node in topological(roots, known=table):
        table[node] = rebuild(node, [table[a] for a in node.args])
    return [table[root] for root in roots]


def inside(outputs: Iterable[Node], placeholders: Collection[Node], indices: Collection[str]) -> set[Node]:
    """The nodes that depend on the placeholders, or have one of the indices in them.

    The number of steps of a `while` among them is such an index, too.
    """
    found: set[Node] = set()
    names = frozenset(indices)
    for node in in_order(topological(outputs)):
        if node in placeholders or any(a in found for a in node.args) or mentions(node, names):
            found.add(node)
            names = names.union(counted_by([node]))
    return found


class Row(NamedTuple):
    """What a step reads of an array: one row of it, the next one in the next step, as in `x[t + 1, :]`.

    node: the row.  place: the entry of the index that moves.  offset: what it is for an index of 0.
    """

    node: Node
    place: int
    offset: Dim

    @property
    def axis(self) -> int:
        """The axis of the array without the row at which the rows lie."""
        return sum(isinstance(e, Range) or e is None for e in self.node["index"].entries[: self.place])

    def all(self, start: Dim, count: Dim) -> Index:
        """The index of all rows that a loop reads."""
        entries = list(self.node["index"].entries)
        size = self.node.args[0].shape[sum(e is not None for e in entries[: self.place])]
        first = start + self.offset
        entries[self.place] = Range(first, first + count, 1, count, first == 0 and count == size)
        return Index(tuple(entries))


def row_of(node: Node, index: str, start: Dim) -> Row | None:
    """A node as a row that the loop over `index` reads; None if it is none.

    At the lowest index its position is not negative, so that no row wraps around.
    """
    if node.op.name != "getitem" or len(node.args) != 1:
        return None
    entries = node["index"].entries
    moving = [i for i, entry in enumerate(entries) if index in _names(entry)]
    position = entries[moving[0]] if len(moving) == 1 else None
    if not isinstance(position, Size):
        return None
    offset = position - Size.named(index)
    straight = index not in _names(offset) and at_least(start + offset, 0)
    return Row(node, moving[0], offset) if straight else None


def _names(entry: object) -> set[str]:
    """The names of the sizes in an entry of an index."""
    dims = (entry.start, entry.stop) if isinstance(entry, Range) else (entry,)
    return {name for d in dims if isinstance(d, Size) for name in d.names()}
