"""Statements, and what is known of the loops and branches among them.

h, x, W -> loop                    variables: how each value that is carried is kept
  for t: h <- tanh(x[t] @ W + h)   rows: what each step writes into arrays of histories and stacks
                                   block: the statements of a step
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from graphc.ir.control import Body
from graphc.ir.node import Node
from graphc.plan.step import Slot


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
