"""The comment of a backward line: the forward line that it goes back through.

    z = X @ w + b      dw = X.T @ dz  # (d,)   z = X @ w + b

Inside a loop the lines of the user's own names tell: what is called `dh` goes back through what uses `h`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from graphc.emit.naming import Names
from graphc.emit.nested_names import Blocks
from graphc.emit.spelling import spell
from graphc.ir.leaf import INPUT
from graphc.ir.node import Node
from graphc.plan.program import Program
from graphc.plan.statement import Block, LoopPlan, Statement

MAX_UNDO = 46  # characters of the forward line in a comment


class Undo:
    """Comments for the statements of `backward`."""

    def __init__(self, program: Program, names: Names) -> None:
        self._names = names.forward
        self._known = {n for n in names.forward if n.op is not INPUT}
        self._inside: dict[str, dict[str, str]] = {}
        for value, target, formula in _lines_inside(program.forward, names.forward, names.forward_blocks):
            self._inside.setdefault(value, {})[target] = formula

    def text(self, statement: Statement) -> str:
        lines = {self._names[n]: n for n in statement.undoes if n in self._known}
        return _comment({name: spell(n, self._names) for name, n in lines.items()} if len(lines) == 1 else lines)

    def inside(self, block: Block, statement: Statement) -> str:
        """For a statement of a loop or a branch."""
        name = block.body.names.get(statement.node, "")
        return _comment(self._inside.get(name[1:], {})) if name.startswith("d") else ""


def _comment(lines: Mapping[str, object]) -> str:
    """`z = X @ w + b`, `z`, or the names of several lines."""
    for target, formula in lines.items():
        whole = f"{target} = {formula}"
        if len(lines) == 1:
            return whole if len(whole) <= MAX_UNDO else target
    shown = ", ".join(lines)
    return shown if len(shown) <= MAX_UNDO else ""


def _lines_inside(
    statements: Sequence[Statement], names: Mapping[Node, str], blocks: Blocks
) -> Iterator[tuple[str, str, str]]:
    """(the user's name of a value, the line that uses it: its target, its formula) for all loops and branches."""
    for plan in (s.nested for s in statements if s.nested is not None):
        for block in (plan.block,) if isinstance(plan, LoopPlan) else (plan.then, plan.other):
            reads = {p: names.get(arg) or spell(arg, names) for p, arg in block.reads}
            inside = {**blocks[block].names, **reads}
            for node in (s.node for s in block.statements if s.nested is None and s.node in inside):
                for value in _mentioned(node, inside):
                    if value in block.body.names:
                        yield block.body.names[value], block.body.names.get(node, inside[node]), spell(node, inside)
            yield from _lines_inside(block.statements, inside, blocks)


def _mentioned(node: Node, names: Mapping[Node, str]) -> Iterator[Node]:
    """The values that stand in the formula of a line."""
    stack = list(node.args)
    while stack:
        top = stack.pop()
        yield top
        if top not in names:
            stack += top.args
