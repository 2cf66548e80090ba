"""What loops and branches have in common as lines: how they begin, how their blocks end, what they leave behind.

a = x                    before the first step
if a.sum() > limit:      a decision, on a line of its own if it is long
a, b = b, a + b          at the end of a step
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

from graphc.emit import layout
from graphc.emit.body import Body
from graphc.emit.nested_names import BlockNames
from graphc.emit.numeric import is_number
from graphc.emit.pyexpr import print_expr
from graphc.emit.wrap import INDENT, WIDTH
from graphc.ir.node import Node, topological
from graphc.ir.types import TensorType, show_shape
from graphc.plan.statement import Block, Variable


def begin(body: Body, names: BlockNames, variable: Variable, numbers: Collection[Node]) -> None:
    """The variable of what is carried, before the first step; numbers: placeholders that may be Python's."""
    name, init = names.names[variable.old], variable.init
    tree = body.copied(init) if variable.written and not variable.owned else value_of(body, init)
    if print_expr(tree) == name:
        return
    mixed = variable.old in numbers and not is_number(init, body.writer.plain)
    mixed = mixed and name.isidentifier() and name not in body.assigned
    body.assign(declared(body, name, init) if mixed else name, tree, shape_comment(init))


def value_of(body: Body, node: Node) -> ast.expr:
    """What is assigned to a variable: a number of its own type."""
    tree = body.writer.expr(node)
    if node.type != TensorType("float32", ()) or not is_number(node, body.writer.plain):
        return tree
    return ast.Call(ast.Attribute(ast.Name(body.target.symbol("np")), "float32"), [tree], [])


def declared(body: Body, name: str, node: Node) -> str:
    """`name: float`, for a variable whose first value is of a more special type than a later one."""
    return f"{name}: {body.target.annotation(node.type)}"


def inside(body: Body, names: BlockNames, block: Block, numbers: Collection[Node]) -> Body:
    """The lines of a block, with names for all that it reads."""
    for placeholder, arg in block.reads:
        names.names[placeholder] = print_expr(body.writer.expr(arg))
    return body.inside(names.names, names.sizes, numbers)


def at_the_end(inner: Body, block: Block, targets: Sequence[str]) -> None:
    """What is assigned when all statements are done: at once, if they need each other's old values."""
    texts = [print_expr(value_of(inner, slot.new)) for slot in block.slots]
    pairs = [p for p in zip(targets, block.slots, texts, strict=True) if p[0] != p[2]]
    olds = {slot.old for _, slot, _ in pairs}
    crossed = any(olds & set(topological([slot.new])) - {slot.old} for _, slot, _ in pairs)
    if len(pairs) > 1 and crossed:
        targets = [name for name, _, _ in pairs]
        inner.lines += layout.tuple_statement(f"{', '.join(targets)} =", [text for _, _, text in pairs], inner.indent)
        return
    for name, _, text in pairs:
        inner.assigned.add(name)
        inner.lines += layout.assign(name, text, inner.indent)


def append(body: Body, head: str, inner: Body, index: str = "", place: str = "") -> None:
    """The lines of a block behind its head, beside which stands where it is in the user's source."""
    if not inner.lines:
        return  # nothing changes
    inner.writer.used_sizes -= {index, *inner.defined}  # what a block counts is its own
    inner.defined = set()
    line = f"{INDENT * body.indent}{head}"
    body.lines.append(layout.beside(line, place) or line)
    take(body, inner)


def take(body: Body, other: Body) -> None:
    """The lines of another body, and what they use."""
    body.lines += other.lines
    body.writer.symbols |= other.writer.symbols
    body.writer.used_sizes |= other.writer.used_sizes
    body.writer.mentioned |= other.writer.mentioned
    body.defined |= other.defined


def shape_comment(node: Node) -> list[str]:
    """The comment of an array."""
    return [show_shape(node.shape)] if node.type.rank else []


def decided(body: Body, condition: ast.expr, name: str) -> str:
    """`if condition:`, after a line that computes the condition if that is long."""
    line = f"if {print_expr(condition)}:"
    if len(INDENT) * body.indent + len(line) <= WIDTH:
        return line
    if isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Not):
        body.assign(name, condition.operand, ())
        return f"if not {name}:"
    body.assign(name, condition, ())
    return f"if {name}:"
