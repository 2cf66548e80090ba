"""Names for the statements of a function, and inside its loops and branches.

    the user's h, of which every step's is kept      hs = np.empty((T + 1, k)),   hs[t], hs[t + 1]
    the user's h, of which the last is wanted        h = h0,   h = np.tanh(...)
    a value of each step                             losses, losses[t]

A name may be a subscript: what the line assigns, and what is written where the value is used.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from graphc.emit.expression import renamed
from graphc.emit.names import Namer, describe
from graphc.emit.pyexpr import print_expr
from graphc.errors import Span, printable
from graphc.ir.control import LOOP, RESULT, after, before, bodies
from graphc.ir.dims import Dim, Size
from graphc.ir.node import Node
from graphc.plan.lines import is_leaf
from graphc.plan.statement import Block, BranchPlan, LoopPlan, Row, Statement, Variable

MAX_PLACE = 40  # characters of a file's name and line


@dataclass(eq=False)
class BlockNames:
    """What the values of a step or a branch are called.

    sizes: what the sizes are called, the index of a loop included.
    lists: of a `while`, for each result that has a row for each step, the list that is appended to.
    decision: for a condition that needs a line of its own.
    every: for results that have a row for each step, the user's name for what is in a row.
    place: where a loop is in the user's source.
    """

    names: dict[Node, str]
    sizes: Mapping[str, str]
    decision: str
    lists: dict[Node, str] = field(default_factory=dict)
    every: dict[Node, str] = field(default_factory=dict)
    place: str = ""


Blocks = dict[Block, BlockNames]


class Naming:
    """Hands out the names of one function; `blocks` has those inside loops and branches.

    places: for the index of a loop where it is in the user's source.
    """

    def __init__(self, namer: Namer, sizes: MutableMapping[str, str], places: Mapping[str, str]) -> None:
        self._namer = namer
        self._sizes = sizes
        self._places = places
        self._open: list[str] = []  # the indices of the loops around
        self._counted: set[str] = set()  # the numbers of steps that have a name
        self._blocks = 0  # how many there are around
        self.blocks: Blocks = {}

    def statements(
        self,
        statements: Sequence[Statement],
        names: dict[Node, str],
        wanted: Mapping[Node, str],
        users: Mapping[Node, Sequence[Node]],
    ) -> None:
        """Names for statements that have none in `names`: those of `wanted`, then short ones of our own."""
        given = {**names, **wanted}
        made = [n for s in statements for n in (s.node, *_variables(s))]
        for node in made:
            if node in wanted and node not in names:
                names[node] = self._namer.fresh(wanted[node])
        _go_on(statements, names)
        follows = {s.reuse for s in statements if s.reuse is not None}
        for statement in statements:
            node = statement.node
            if isinstance(statement.nested, LoopPlan):
                self._loop(statement.nested, names, wanted)
            elif statement.nested is not None:
                self._branch(statement.nested, names)
            elif node not in names and statement.reuse in names:
                names[node] = names[statement.reuse]
            elif node not in names and node not in follows:
                names[node] = self._namer.fresh(describe(node, given, users.get(node, ())))
        _go_on(statements, names)

    def _loop(self, plan: LoopPlan, names: dict[Node, str], wanted: Mapping[Node, str]) -> None:
        block, node = plan.block, plan.node
        counted = self._steps(node) if node["test"] is not None else ""
        around, index = self._sizes, counted if node["start"] == 0 else ""
        index = index or (
            self._namer.fresh(node["index"]) if node["index"] in self._open else self._size(node["index"])
        )
        self._sizes = {**around, node["index"]: index}
        self._open.append(node["index"])
        inside = BlockNames({}, self._sizes, "going", place=self._places.get(node["index"], ""))
        late = {block.slots[i].old for i in block.late}
        for variable in plan.variables:
            self._variable(plan, variable, names, wanted, inside, variable.old in late)
        for row in block.rows:
            own = name_inside(row.value, block.body.names)
            if row.result not in names:
                names[row.result] = self._namer.fresh((own or self._short(block, row.value)) + "s")
            if own is not None:
                inside.every.setdefault(row.result, own)
            if row.own:
                inside.names[row.value] = f"{names[row.result]}[{size_text(place_of(plan, row), inside.sizes)}]"
        if node["test"] is not None:
            inside.lists = {r: self._namer.fresh(names[r].rstrip("_") + "_list") for r in plan.piled}
            inside.decision = self._namer.fresh("going")
            self._blocks += 1
            self.statements(plan.test, inside.names, {}, {})
            self._blocks -= 1
        self._block(block, inside)
        self._open.pop()
        self._sizes = around

    def _steps(self, node: Node) -> str:
        """The name of the number of steps of a `while`; where the loop is done again, or in a block, it has its own."""
        name = node["count"].name
        if name in self._counted or self._blocks:
            self._sizes[name] = self._namer.fresh(name)
        self._counted.add(name)
        return self._size(name)

    def _size(self, name: str) -> str:
        if name not in self._sizes:
            self._sizes[name] = self._namer.fresh(name)
        return self._sizes[name]

    def _variable(
        self,
        plan: LoopPlan,
        variable: Variable,
        names: dict[Node, str],
        wanted: Mapping[Node, str],
        inside: BlockNames,
        late: bool,
    ) -> None:
        """The names of what is carried; `late`: its next value has another name until the step is done."""
        final, rows = variable.final, variable.history
        inner = plan.block.body.names
        own = wanted.get(final) if final is not None else None
        own = own or name_inside(variable.old, inner) or name_inside(variable.new, inner)
        base = own or self._short(plan.block, variable.new)
        if rows is not None and own is not None:
            inside.every[rows] = own
        if rows is not None and rows not in names:
            names[rows] = self._namer.fresh(base + "s")
        if plan.in_rows(variable) and rows is not None:
            index = Size.named(plan.node["index"])
            inside.names[variable.old] = f"{names[rows]}[{size_text(before(plan.node, index), inside.sizes)}]"
            if final is not None:
                names[final] = last_row(names[rows], final)
            return
        name = names[final] if final in names else self._namer.fresh(base)
        inside.names[variable.old] = name
        if final is not None:
            names[final] = name
        if not late:
            inside.names[variable.new] = name
        elif variable.new in {s.node for s in plan.block.statements}:
            inside.names.setdefault(variable.new, self._namer.fresh("next_" + name))

    def _short(self, block: Block, node: Node) -> str:
        return describe(node, block.body.names, ())

    def _branch(self, plan: BranchPlan, names: dict[Node, str]) -> None:
        for i, result in enumerate(plan.results):
            if result not in names:
                names[result] = self._namer.fresh(self._either(plan, i))
        decision = self._namer.fresh("taken")
        for block in (plan.then, plan.other):
            around = self._sizes
            self._sizes = dict(around)
            inside = BlockNames({}, self._sizes, decision)
            for i, (slot, result) in enumerate(zip(block.slots, plan.results, strict=True)):
                if i not in block.late and _can_have(slot.new, names[result]):
                    inside.names[slot.new] = names[result]
            self._block(block, inside)
            self._sizes = around

    def _either(self, plan: BranchPlan, i: int) -> str:
        """What the i-th result of a branch is called: as on the side that says most."""
        sides = [(block, block.slots[i].new) for block in (plan.then, plan.other)]
        for block, new in sides:
            name = name_inside(new, block.body.names)
            if name is not None:
                return name
        block, new = next((side for side in sides if not is_leaf(side[1])), sides[0])
        return "chosen" if is_leaf(new) else self._short(block, new)

    def _block(self, block: Block, inside: BlockNames) -> None:
        self.blocks[block] = inside
        body = block.body
        self._blocks += 1
        self.statements(block.statements, inside.names, body.names, body.graph.users)
        self._blocks -= 1


def last_row(rows: str, final: Node) -> str:
    """The last value of a loop as the row of its history."""
    return f"{rows}[{0 if final.args[0]['reverse'] else -1}]"


def name_inside(node: Node, names: Mapping[Node, str]) -> str | None:
    """The user's name for a node; for a result of a loop or a branch also that of what it is inside."""
    while node not in names and node.op is RESULT:
        of, k = node.args[0], node["k"]
        body, m = bodies(of)[0], of["carried"] if of.op is LOOP else 0
        if k < 2 * m and body.inputs[k % m] in body.names:
            return body.names[body.inputs[k % m]]
        node, names = body.outputs[k if k < m else k - m], body.names
    return names.get(node)


def _can_have(node: Node, name: str) -> bool:
    """Whether a value can be computed under a name: what a loop carries is assigned again and again, and a row, which
    is memory that views look at, only once."""
    return name.isidentifier() or node.op is not RESULT or node.args[0].op is not LOOP


def _go_on(statements: Sequence[Statement], names: dict[Node, str]) -> None:
    """What is written into has the name of what is made of it."""
    for statement in reversed(statements):
        if statement.reuse is not None and statement.node in names:
            names.setdefault(statement.reuse, names[statement.node])


def _variables(statement: Statement) -> list[Node]:
    """The results of a loop or branch that are not rows of others."""
    plan = statement.nested
    if isinstance(plan, LoopPlan):
        rows = {v.final for v in plan.variables if plan.in_rows(v)}
        return [r for r in plan.results if r not in rows]
    return [] if plan is None else list(plan.results)


def place_of(plan: LoopPlan, row: Row) -> Dim:
    """The row that a step writes, as a size."""
    index = Size.named(plan.node["index"])
    is_history: bool = row.result["k"] < 2 * plan.node["carried"]
    return after(plan.node, index) if is_history else index - plan.node["start"]


def size_text(dim: Dim, sizes: Mapping[str, str]) -> str:
    return print_expr(renamed(ast.parse(str(dim), mode="eval").body, sizes, {}))


def places_of(nodes: Iterable[Node], origin: Mapping[Node, Span]) -> dict[str, str]:
    """For the index of each loop where it is in the user's source: `model.py:3`."""
    found: dict[str, str] = {}
    for node in nodes:
        if node.op is LOOP and node in origin:
            span = origin[node]
            place = f"{PurePath(printable(span.source.name)).name}:{span.position[0]}"
            if place.isascii() and len(place) <= MAX_PLACE:
                found[node["index"]] = place
        for body in bodies(node):
            found |= places_of(body.graph.nodes, body.origin)
    return found
