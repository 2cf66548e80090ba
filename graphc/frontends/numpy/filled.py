"""Lists that the steps of a loop append to.

    hs = [h0]
    for t in range(n):            while a step is traced:  [h0, the elements of earlier steps, as one]
        hs.append(f(hs[-1]))      after the loop:          [all elements, as one]

What a step appends is a further output of the loop. If a step reads what earlier ones have appended, the
list is an array instead, of which each step writes a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphc.expr import build
from graphc.frontends.numpy.buffers import Buffer
from graphc.frontends.numpy.carried import Carried
from graphc.frontends.numpy.forms import Form, Structure, node_of, opened
from graphc.frontends.numpy.several import Rows, Several, appended, has_several, prior, rows_type
from graphc.frontends.numpy.signals import cannot
from graphc.frontends.numpy.tracer import Kind, Tracer
from graphc.ir.dims import Dim
from graphc.ir.index import Index
from graphc.ir.node import Node
from graphc.ir.types import TensorType

if TYPE_CHECKING:
    from graphc.frontends.numpy.rolling import Roller
    from graphc.frontends.numpy.session import Session


@dataclass(eq=False)
class Filled:
    """A list that the steps of a loop append to.

    head: its elements before.  element, forms: of what is appended, `each` of them a step.
    wanted: whether a step reads what earlier ones have appended; then there is an array for each leaf, `first`
    before the loop and `placeholders` before a step.
    values, sources: what the last step has appended, as nodes, and the memory that it is in.
    """

    owner: list[Any]
    name: str
    head: list[Any]
    element: Structure
    forms: list[Form]
    each: int
    wanted: bool = False
    first: list[Node] = field(default_factory=list)
    placeholders: list[Node] = field(default_factory=list)
    values: list[list[Node]] = field(default_factory=list)
    sources: list[Buffer] = field(default_factory=list)

    def begin(self, roller: Roller) -> None:
        """Make the list what it is before a step: its elements from before the loop, and those of earlier steps."""
        count = roller.position * self.each
        if not self.wanted:
            self.owner[:] = [*self.head, prior(roller.session, count, self.element, self.forms)]
            return
        self.placeholders = [roller.placeholder(node.type, self.name) for node in self.first]
        rows = [roller.session.array(p) for p in self.placeholders]
        self.owner[:] = [Several(roller.session, len(self.head) + count, self.element, self.forms, rows)]

    def want(self, session: Session, most: Dim) -> None:
        """From now on there are arrays whose rows a step can read. most: how many steps there can be."""
        self.wanted = True
        heads: list[list[Node]] = [[] for _ in self.forms]
        for element in self.head:
            leaves, structure = opened(element)
            if structure != self.element:
                cannot(f"the elements of `{self.name}` differ in structure")
            for column, form, leaf in zip(heads, self.forms, leaves, strict=True):
                column.append(form.fitted(node_of(session, leaf)))
        for form, column in zip(self.forms, heads, strict=True):
            type = rows_type(len(self.head) + most, form)
            whole = build.zeros(type.shape, type.dtype)
            for i, node in enumerate(column):
                whole = build.set_at(whole, node, _row_index(i, type))
            self.first.append(whole)

    def learn(self, session: Session) -> bool:
        """See what a step has appended; whether that was news."""
        start = 1 if self.wanted else len(self.head) + 1
        new = as_arrays(session, self.owner[start:])
        if len(new) != self.each or type(self.owner[start - 1]) is not Several:
            cannot(f"the list `{self.name}` grows by a different number of elements in each step")
        element, forms = appended(new)
        if (element, forms) != (self.element, self.forms):
            self.element, self.forms, self.first, self.wanted = element, forms, [], False
            return True
        rows = [opened(v)[0] for v in new]
        leaves = [leaf for row in rows for leaf in row if type(leaf) is Tracer]
        self.sources = [leaf.buffer for leaf in leaves if leaf.kind is Kind.ARRAY]
        columns = zip(*rows, strict=True)
        self.values = [
            [form.fitted(node_of(session, leaf)) for leaf in column]
            for form, column in zip(forms, columns, strict=True)
        ]
        return False

    def carried(self, position: Dim) -> list[Carried]:
        """The arrays, with the row that the step at a position writes."""
        found = []
        for i, (first, before) in enumerate(zip(self.first, self.placeholders, strict=True)):
            row = _row_index(len(self.head) + position, first.type)
            found.append(Carried(first, before, build.set_at(before, self.values[i][0], row), (self, i)))
        return found

    def finish(self, roller: Roller, results: Sequence[Node]) -> None:
        """Make the list what it is after the loop. results: the arrays, or what the steps have appended."""
        if self.wanted:
            count = len(self.head) + roller.count
            self.owner[:] = [self._several(roller, count, [build.between(row, 0, 0, count) for row in results])]
            return
        rows = [build.flip(row, 0) for row in results] if roller.way.reverse else list(results)
        columns = [rows[i * self.each : (i + 1) * self.each] for i in range(len(self.forms))]
        joined = [_interleaved(column, roller.count) for column in columns]
        self.owner[:] = [*self.head, self._several(roller, roller.count * self.each, joined)]

    def _several(self, roller: Roller, count: Dim, rows: Sequence[Node]) -> Several:
        arrays = [roller.session.wrapped(row) for row in rows]
        for array in arrays:
            roller.called(self.name, array)
            for buffer in self.sources:
                for after in roller.memory_after(buffer):
                    array.buffer.may_share(after)
        return Several(roller.session, count, self.element, self.forms, arrays)


def as_arrays(session: Session, elements: Sequence[Any]) -> list[Any]:
    """Elements of a list, those that are lists which a loop has filled as arrays."""
    return [Rows(session, e).array() if has_several(e) else e for e in elements]


def _row_index(position: Dim, type: TensorType) -> Index:
    return Index((position, *(build.whole(d) for d in type.shape[1:])))


def _interleaved(stacks: Sequence[Node], count: Dim) -> Node:
    """Rows of several arrays in turn: what each step has appended, one after the other."""
    if len(stacks) == 1:
        return stacks[0]
    together = build.joined("stack", stacks, 1)
    return build.reshape(together, (count * len(stacks), *stacks[0].shape[1:]))
