"""Reverse mode of loops and branches: a loop backwards, the other way of the same branch.

    for t in range(T):                       for t in reversed(range(T)):
        h = tanh(x[t] @ W + h)      ->           dz = dh * (1 - h[t + 1] ** 2)
                                                 dx[t] = dz @ W.T;  dW += outer(x[t], dz);  dh = dz

The loop backwards carries the cotangents of what the loop carried. Its body computes again what it needs
of a step from the value before that step, a row of the history; the passes on loops decide later what is
saved instead. What is read at the index (`x[t]`) has its cotangents in a stack of rows, anything else that
is read has a running sum (back-propagation through time: Werbos, 1990).

A branch goes back through the side that was taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from graphc.expr import build
from graphc.expr.looping import Opened, Row, again, close, close_branch, followed, row_of, substitute
from graphc.ir.control import LOOP, Body, before, final, result, stack
from graphc.ir.dims import Dim, Size
from graphc.ir.index import Range
from graphc.ir.leaf import input_node
from graphc.ir.node import Node, topological

# (pairs of an output and its cotangent, sources) -> cotangents of the sources and of the nodes between
Transpose = Callable[[Sequence[tuple[Node, Node]], Sequence[Node]], dict[Node, Node]]
# (nodes, arguments first; sources) -> those that depend on a source through differentiable operations
Active = Callable[[Sequence[Node], Collection[Node]], set[Node]]


def pullback_control(
    node: Node, cotangents: Mapping[int, Node], wanted: Collection[int], transpose: Transpose, active: Active
) -> dict[int, Node]:
    """The cotangents of the arguments `wanted` of a loop or a branch, given those of its results."""
    if node.op is LOOP:
        return _Backwards(node, cotangents, wanted, transpose, active).arguments()
    return _branch(node, cotangents, wanted, transpose)


class _Read(NamedTuple):
    """A row that a step reads of an argument of the loop; stand_in: an input in its place."""

    argument: int
    row: Row
    stand_in: Node

    def cotangent(self, rows: Node, loop: Node) -> Node:
        """The cotangent of the argument, given those of the rows that were read."""
        like = loop.args[self.argument]
        index = self.row.all(loop["start"], loop["count"])
        placed = build.moved(rows, 0, self.row.axis)
        if all(isinstance(entry, Range) and entry.whole for entry in index.entries):
            return placed
        return build.add_at(build.zeros(like.shape, rows.type.dtype), placed, index)


class _Backwards:
    """One loop, on its way back."""

    def __init__(
        self,
        node: Node,
        cotangents: Mapping[int, Node],
        wanted: Collection[int],
        transpose: Transpose,
        active: Active,
    ) -> None:
        self.node = node
        self.body: Body = node["body"]
        self.m: int = node["carried"]
        self.index: str = node["index"]
        self.cotangents = cotangents
        self.wanted = set(wanted)
        self.transpose = transpose
        self.active = active
        self.rows = self._rows()
        table: dict[Node, Node] = {read.row.node: read.stand_in for read in self.rows}
        self.outputs = substitute(self.body.outputs, table)
        self.flowing = self._flowing()

    # --- what flows ---

    def _rows(self) -> list[_Read]:
        """The rows that a step reads of arrays whose cotangent is wanted."""
        reads = {p: i for i, p in enumerate(self.body.inputs) if i >= self.m and i in self.wanted}
        found: list[_Read] = []
        for node in topological(self.body.outputs):
            row = row_of(node, self.index, self.node["start"])
            if row is not None and node.args[0] in reads:
                stand_in = input_node(f"_{self.index}_s{len(found)}", node.type)
                found.append(_Read(reads[node.args[0]], row, stand_in))
        return found

    def _flowing(self) -> set[int]:
        """The carried values whose cotangents flow: they vary with what is wanted, and results vary with them."""
        floats = [k for k in range(self.m) if self.body.inputs[k].type.is_float]
        varying = self._varying(floats)
        useful = {k for k in floats if k in self.cotangents or self.m + k in self.cotangents}
        stacked = [o for j, o in enumerate(self.outputs[self.m :]) if 2 * self.m + j in self.cotangents]
        while True:
            needed = [self.outputs[k] for k in sorted(useful)] + stacked
            order = topological(needed)
            more = {k for k in varying - useful if set(needed) & self.active(order, {self.body.inputs[k]})}
            if not more:
                return varying & useful
            useful |= more

    def _varying(self, floats: Sequence[int]) -> set[int]:
        sources = {p for i, p in enumerate(self.body.inputs) if i >= self.m and i in self.wanted}
        sources |= {row.stand_in for row in self.rows}
        varying = {k for k in floats if k in self.wanted}
        order = topological(self.outputs)
        while True:
            reached = self.active(order, sources | {self.body.inputs[k] for k in varying})
            more = {k for k in floats if self.outputs[k] in reached} - varying
            if not more:
                return varying
            varying |= more

    # --- the loop backwards ---

    def arguments(self) -> dict[int, Node]:
        """The cotangent of each wanted argument; those that are zero are left out."""
        flowing = sorted(self.flowing)
        seeds = {k: input_node(f"_{self.index}_d{k}", self.body.inputs[k].type) for k in flowing}
        pairs = [(self.outputs[k], seeds[k]) for k in flowing]
        pairs += [
            (output, self._row(self.cotangents[2 * self.m + j], Size.named(self.index) - self.node["start"]))
            for j, output in enumerate(self.outputs[self.m :])
            if 2 * self.m + j in self.cotangents and output.type.is_float
        ]
        reads = [i for i in range(self.m, len(self.body.inputs)) if i in self.wanted]
        stand_ins = [row.stand_in for row in self.rows]
        inputs = [self.body.inputs[i] for i in [*flowing, *reads]]
        found = self.transpose(pairs, [*inputs, *stand_ins])
        summed = [i for i in reads if self.body.inputs[i] in found]
        rows = [row for row in self.rows if row.stand_in in found]
        loop = self._loop(flowing, seeds, summed, rows, found)
        cotangents: dict[int, Node] = {}
        for n, k in enumerate(flowing):
            cotangents[k] = final(loop, n)
        for n, i in enumerate(summed, start=len(flowing)):
            cotangents[i] = final(loop, n)
        for j, read in enumerate(rows):
            part = read.cotangent(stack(loop, j), self.node)
            known = cotangents.get(read.argument)
            cotangents[read.argument] = part if known is None else build.add(known, part)
        return {i: ct for i, ct in cotangents.items() if i in self.wanted}

    def _loop(
        self,
        flowing: Sequence[int],
        seeds: Mapping[int, Node],
        summed: Sequence[int],
        rows: Sequence[_Read],
        found: Mapping[Node, Node],
    ) -> Node:
        """The node of the loop backwards: it carries cotangents, and the sums of those of what is read."""
        sums = [input_node(f"_{self.index}_a{i}", self.body.inputs[i].type) for i in summed]
        placeholders = [*seeds.values(), *sums]
        inits = [self._last(k) for k in flowing]
        inits += [build.zeros(a.shape, a.type.dtype) for a in sums]
        updates = [self._before(k, found) for k in flowing]
        updates += [build.add(a, found[self.body.inputs[i]]) for i, a in zip(summed, sums, strict=True)]
        stacked = [found[row.stand_in] for row in rows]
        table = self._outside()
        named = self._names(found, seeds)
        count = len(updates)
        nodes = substitute([*updates, *stacked, *named], table)
        return close(
            Opened(
                index=self.index,
                start=self.node["start"],
                count=self.node["count"],
                reverse=not self.node["reverse"],
                inits=tuple(inits),
                placeholders=tuple(placeholders),
                updates=tuple(nodes[:count]),
                stacked=tuple(nodes[count : count + len(stacked)]),
                names=dict(zip(nodes[count + len(stacked) :], named.values(), strict=True)),
                follows=followed(self.node),
            )
        )

    def _last(self, k: int) -> Node:
        """The cotangent of a carried value after the last step."""
        parts = [self.cotangents[k]] if k in self.cotangents else []
        if self.m + k in self.cotangents:
            parts.append(self._row(self.cotangents[self.m + k], 0 if self.node["reverse"] else self.node["count"]))
        if not parts:
            type = self.body.inputs[k].type
            return build.zeros(type.shape, type.dtype)
        return parts[0] if len(parts) == 1 else build.add(*parts)

    def _before(self, k: int, found: Mapping[Node, Node]) -> Node:
        """The cotangent of a carried value before a step."""
        parts = [found[p] for p in (self.body.inputs[k],) if p in found]
        if self.m + k in self.cotangents:
            parts.append(self._row(self.cotangents[self.m + k], before(self.node, Size.named(self.index))))
        if not parts:
            type = self.body.inputs[k].type
            return build.zeros(type.shape, type.dtype)
        return parts[0] if len(parts) == 1 else build.add(*parts)

    def _row(self, array: Node, position: Dim) -> Node:
        return build.at(array, 0, position)

    def _outside(self) -> dict[Node, Node]:
        """What the nodes of the loop are in the loop backwards."""
        table = again(self.node)
        return table | {read.stand_in: table[read.row.node] for read in self.rows}

    def _names(self, found: Mapping[Node, Node], seeds: Mapping[int, Node]) -> dict[Node, str]:
        """What the nodes of the body are called, and their cotangents."""
        names = {n: name for n, name in self.body.names.items() if n not in self.body.inputs}
        for node, ct in found.items():
            if node in self.body.names:
                names.setdefault(ct, "d" + self.body.names[node])
        for k, seed in seeds.items():
            label = self.body.names.get(self.outputs[k]) or self.body.names.get(self.body.inputs[k])
            if label:
                names[seed] = "d" + label
        return names


def _branch(
    node: Node, cotangents: Mapping[int, Node], wanted: Collection[int], transpose: Transpose
) -> dict[int, Node]:
    """A branch, on its way back: the cotangents of what it reads, by the side that is taken."""
    sides = [_side(body, node, cotangents, wanted, transpose) for body in (node["then"], node["other"])]
    reached = sorted({i for side in sides for i in side})
    types = {i: node.args[i].type for i in reached}
    outputs = [[side.get(i) or build.zeros(types[i].shape, types[i].dtype) for i in reached] for side in sides]
    given = {*node.args, *cotangents.values()}
    back = close_branch(node.args[0], outputs[0], outputs[1], outside=given)
    return {i: result(back, n) for n, i in enumerate(reached)}


def _side(
    body: Body, node: Node, cotangents: Mapping[int, Node], wanted: Collection[int], transpose: Transpose
) -> dict[int, Node]:
    """The cotangents of the arguments through one side, over the nodes around the branch."""
    places = {p: i for i, p in enumerate(body.inputs, start=1) if i in wanted}
    stand_ins = {k: input_node(f"_c{k}", ct.type) for k, ct in cotangents.items()}  # bodies inside bodies share inputs
    pairs = [(body.outputs[k], stand_in) for k, stand_in in stand_ins.items()]
    found = transpose(pairs, list(places))
    reached = [p for p in places if p in found]
    actual = dict(zip(body.inputs, node.args[1:], strict=True)) | {stand_ins[k]: ct for k, ct in cotangents.items()}
    return dict(zip([places[p] for p in reached], substitute([found[p] for p in reached], actual), strict=True))
