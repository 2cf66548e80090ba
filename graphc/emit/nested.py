"""Loops and branches as lines.

    hs = np.empty((T + 1, k))  # every h, the first is h0        h = h0
    hs[0] = h0                                                   while h.sum() > tol:
    for t in range(T):                                               h = 0.5 * h
        hs[t + 1] = np.tanh(ux[t] + hs[t] @ Wh)

While a loop counts, there are arrays for histories and stacks before it begins; a `while` appends to
lists, of which it makes arrays when it is done.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from graphc.emit import layout
from graphc.emit.body import Body, Counting
from graphc.emit.nested_names import BlockNames, Blocks, place_of, size_text
from graphc.emit.numeric import carried_numbers, is_number, read_numbers
from graphc.emit.pyexpr import print_expr
from graphc.emit.steps import append, at_the_end, begin, decided, declared, inside, shape_comment, take
from graphc.emit.wrap import INDENT, WIDTH
from graphc.ir.dims import Size
from graphc.ir.leaf import scalar_value
from graphc.ir.node import Node
from graphc.ir.types import show_shape
from graphc.ops.creation import numpy_dtype
from graphc.plan.statement import Block, BranchPlan, LoopPlan, Row, Statement, Variable


def write(body: Body, blocks: Blocks, statement: Statement, undo: str = "") -> None:
    """One statement of the plan."""
    plan = statement.nested
    if plan is None:
        body.statement(statement, undo)
    elif isinstance(plan, BranchPlan):
        _branch(body, blocks, plan)
    elif plan.node["test"] is None:
        _for(body, blocks, plan)
    else:
        _while(body, blocks, plan)


# --- for ---


def _for(body: Body, blocks: Blocks, plan: LoopPlan) -> None:
    node, names = plan.node, blocks[plan.block]
    numbers = carried_numbers(node, body.writer.plain)
    for variable in plan.variables:
        if plan.in_rows(variable):
            _rows_of(body, names, variable)
        else:
            begin(body, names, variable, numbers)
    for row in plan.block.rows:
        if row.result["k"] >= 2 * node["carried"]:
            _array(body, names, row.result)
    inner = inside(body, names, plan.block, numbers)
    for row in plan.block.rows:
        if row.first:
            inner.assign(_row_name(body, names, plan, row), _row_value(inner, row.value), ())
    for statement in plan.block.statements:
        write(inner, blocks, statement, inner.undo_inside(plan.block, statement))
    for row in plan.block.rows:
        if not row.first and not row.own:
            inner.assign(_row_name(body, names, plan, row), inner.writer.expr(row.value), ())
    at_the_end(inner, plan.block, [names.names[s.old] for s in plan.block.slots if s.old is not None])
    counts = bool(plan.block.rows) or node["index"] in inner.writer.used_sizes
    if inner.lines:
        append(body, _for_head(body, node, names, counts), inner, node["index"], names.place)
    body.fresh |= plan.fresh


def _for_head(body: Body, node: Node, names: BlockNames, counts: bool) -> str:
    start, count = node["start"], node["count"]
    bounds = [count] if start == 0 else [start, start + count]
    steps = f"{body.target.symbol('range')}({', '.join(print_expr(body.writer.dim(b)) for b in bounds)})"
    if node["reverse"] and counts:
        steps = f"{body.target.symbol('reversed')}({steps})"
    return f"for {names.sizes[node['index']] if counts else '_'} in {steps}:"


def _rows_of(body: Body, names: BlockNames, variable: Variable) -> None:
    """The array of a history, and its first row in the order of the steps."""
    assert variable.history is not None
    rows, loop = body.names[variable.history], variable.history.args[0]
    _array(body, names, variable.history)
    body.assign(f"{rows}[{-1 if loop['reverse'] else 0}]", _row_value(body, variable.init), ())


def _array(body: Body, names: BlockNames, result: Node) -> None:
    """The array of a result that has a row for each step."""
    comments = [f"every {names.every[result]}"] if result in names.every else []
    body.assign(body.names[result], body.writer.new_array("empty", result.type), [*comments, *shape_comment(result)])


def _row_name(body: Body, names: BlockNames, plan: LoopPlan, row: Row) -> str:
    return f"{body.names[row.result]}[{size_text(place_of(plan, row), names.sizes)}]"


def _row_value(body: Body, node: Node) -> ast.expr:
    """What is written into a row: where all its elements are one number, that number."""
    if node in body.names:
        return body.writer.expr(node)
    number = _FILLED.get(node.op.name, scalar_value(node))
    if number is not None and node.type.rank:
        return body.writer.number(_KINDS[node.type.dtype[:3]](number))
    thin = node.op.name == "broadcast_to"
    return body.writer.expr(node.args[0] if thin else node)


_FILLED = {"zeros": 0, "ones": 1}
_KINDS = {"flo": float, "int": int, "boo": bool}


# --- while ---


def _while(body: Body, blocks: Blocks, plan: LoopPlan) -> None:
    node, names = plan.node, blocks[plan.block]
    numbers = carried_numbers(node, body.writer.plain)
    for variable in plan.variables:
        begin(body, names, variable, numbers)
    _lists(body, names, plan)
    inner = inside(body, names, plan.block, numbers)
    head = _while_head(body, inner, blocks, plan)
    first = [r for r in plan.block.rows if r.first]
    last = [r for r in plan.block.rows if not r.first]
    _add(inner, names, [(r.result, r.value) for r in first])
    for statement in plan.block.statements:
        write(inner, blocks, statement, inner.undo_inside(plan.block, statement))
    _add(inner, names, [(r.result, r.value) for r in last])
    at_the_end(inner, plan.block, [names.names[s.old] for s in plan.block.slots if s.old is not None])
    _add(inner, names, [(v.history, v.old) for v in plan.variables if v.history is not None])
    counter = names.sizes[node["index"]]
    counted = _counted(body, plan, inner, names)
    if counted is not None:
        body.lines += counted(layout.assign(counter, body.writer.dim(node["start"]), body.indent))
        inner.lines += counted(layout.update(counter, "+=", "1", inner.indent))
    append(body, head, inner, node["index"], names.place)
    _after_while(body, names, plan, counter if counted is not None else None)
    body.fresh |= plan.fresh


def _counted(body: Body, plan: LoopPlan, inner: Body, names: BlockNames) -> Callable[[list[str]], list[str]] | None:
    """How lines that count the steps are kept: always, or if the number of steps is used; None: lists tell it."""
    if plan.node["index"] in inner.writer.used_sizes:
        return list
    if names.lists:
        return None
    if not inner.lines:
        return list  # a block has a line
    local = names.sizes[plan.node["count"].name]
    return lambda lines: [Counting.of(line, local) for line in lines]


def _while_head(body: Body, inner: Body, blocks: Blocks, plan: LoopPlan) -> str:
    """`while condition:`; a condition that needs lines of its own is decided on inside."""
    names, test = blocks[plan.block], plan.node["test"]
    given = [n for s in plan.test for n in (s.node, *s.results)]
    known = {n: names.names[n] for n in (*test.inputs, *given) if n in names.names}
    first = body.inside(known, names.sizes, inner.writer.plain)  # what the step computes is not there yet
    condition = first.writer.expr(test.outputs[0])
    head = f"while {print_expr(condition)}:"
    if plan.test or len(INDENT) * body.indent + len(head) > WIDTH:
        for statement in plan.test:
            write(first, blocks, statement)
        stop = decided(first, ast.UnaryOp(ast.Not(), condition), names.decision)
        first.lines += [f"{INDENT * first.indent}{stop}", f"{INDENT * (first.indent + 1)}break"]
        head = "while True:"
    take(inner, first)
    return head


def _lists(body: Body, names: BlockNames, plan: LoopPlan) -> None:
    """The lists of a `while`: a history begins with what there is before the first step."""
    for variable in plan.variables:
        if variable.history is not None:
            text = f"[{names.names[variable.old]}]"
            body.lines += layout.assign(names.lists[variable.history], text, body.indent)
    for row in plan.block.rows:
        kind = body.target.symbol("list") + f"[{body.target.annotation(row.value.type)}]"
        body.lines += layout.assign(f"{names.lists[row.result]}: {kind}", "[]", body.indent)


def _add(inner: Body, names: BlockNames, values: Sequence[tuple[Node, Node]]) -> None:
    for result, value in values:
        text = print_expr(inner.writer.expr(value))
        inner.lines += layout.call_statement("", f"{names.lists[result]}.append", [text], inner.indent)


def _after_while(body: Body, names: BlockNames, plan: LoopPlan, counter: str | None) -> None:
    """Arrays of the lists, and the number of steps."""
    node, np = plan.node, body.target.symbol("np")
    for result in plan.piled:
        rows = names.lists[result]
        dtype = "" if result.type.dtype == "float64" else f", dtype={numpy_dtype(result.type.dtype)}"
        text = f"{np}.array({rows}{dtype})"
        if result["k"] >= 2 * node["carried"] and result.type.rank > 1:  # there may be no step
            sizes = [print_expr(body.writer.dim(d)) for d in result.type.shape[1:]]
            text += f".reshape({', '.join([f'len({rows})', *sizes])})"
        body.lines += layout.assign(body.names[result], text, body.indent, show_shape(result.shape))
    size = node["count"].name
    local = names.sizes[size]
    body.defined.add(size)
    if counter == local:
        return
    if counter is not None:
        text = print_expr(body.writer.dim(Size.named(node["index"]) - node["start"]))
    else:
        result = plan.piled[-1]
        extra = " - 1" if result["k"] < 2 * node["carried"] else ""
        text = f"{body.target.symbol('len')}({names.lists[result]}){extra}"
    body.lines += [Counting.of(line, local) for line in layout.assign(local, text, body.indent)]


# --- branches ---


def _branch(body: Body, blocks: Blocks, plan: BranchPlan) -> None:
    condition, before = body.writer.expr(plan.node.args[0]), set(body.assigned)
    then, other = (_side(body, blocks, plan, block) for block in (plan.then, plan.other))
    body.fresh |= plan.fresh
    if not then.lines and not other.lines:
        return
    for result, a, b in zip(plan.results, plan.then.slots, plan.other.slots, strict=True):
        new = body.names[result].isidentifier() and body.names[result] not in before
        mixed = not is_number(a.new, then.writer.plain) and is_number(b.new, other.writer.plain)
        if new and (mixed or _narrower(body, a.new, b.new)):
            body.lines.append(INDENT * body.indent + declared(body, body.names[result], result))
    if not then.lines:
        condition, then, other = ast.UnaryOp(ast.Not(), condition), other, then
    append(body, decided(body, condition, blocks[plan.then].decision), then)
    if other.lines:
        append(body, "else:", other)


def _narrower(body: Body, first: Node, second: Node) -> bool:
    """Whether NumPy's stubs know the dtype of the first value, and of the second only that it is floating-point."""
    loose = bool(body.target.wide or body.target.untyped)
    return loose and first.type.rank > 0 and first.op.name in _TYPED and second.op.name not in _TYPED


_TYPED = frozenset({"zeros", "ones", "eye"})


def _side(body: Body, blocks: Blocks, plan: BranchPlan, block: Block) -> Body:
    numbers = read_numbers([p for p, _ in block.reads], [a for _, a in block.reads], body.writer.plain)
    inner = inside(body, blocks[block], block, numbers)
    for statement in block.statements:
        write(inner, blocks, statement, inner.undo_inside(block, statement))
    at_the_end(inner, block, [body.names[r] for r in plan.results])
    return inner
