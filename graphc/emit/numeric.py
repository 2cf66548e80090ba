"""Which expressions are Python's own numbers, whose division by zero raises, and which are NumPy's.

2.0 * n          Python's              2.0 * x.sum()    NumPy's
acc, after `acc = 0.0` and a loop that may not have made a step:   perhaps Python's
"""

from __future__ import annotations

from collections.abc import Collection

from graphc.ir.control import BRANCH, LOOP, RESULT
from graphc.ir.dims import at_least
from graphc.ir.leaf import CONST, INPUT, SIZE, scalar_value
from graphc.ir.node import Node, topological

_BY_OPERATOR = ("add", "subtract", "multiply", "divide", "negative", "power", "square", "reciprocal")


def may_be_zero(node: Node) -> bool:
    """Whether a number is made with 0, or has a size or an integer in it that may be 0."""
    return any(map(_zero_is_possible, topological([node])))


def _zero_is_possible(leaf: Node) -> bool:
    if leaf.op is SIZE:
        return not at_least(leaf["dim"], 1) and bool(leaf["least"] < 1)
    return leaf.op in (INPUT, RESULT) or scalar_value(leaf) == 0


def is_number(node: Node, plain: Collection[Node] = ()) -> bool:
    """Whether the text of the node is a Python number: a constant, a size, an integer, `plain`, arithmetic of them."""
    stack, seen = [node], {node}
    while stack:
        top = stack.pop()
        if top in plain or (top.op is INPUT and top.type.rank == 0 and top.type.dtype.startswith("int")):
            continue
        if top.op is RESULT and _may_be_a_number(top, plain):
            continue
        if top.type.rank > 0 or (top.op not in (CONST, SIZE) and top.op.name not in _BY_OPERATOR):
            return False
        stack += [a for a in top.args if a not in seen]
        seen.update(top.args)
    return True


def _may_be_a_number(result: Node, plain: Collection[Node]) -> bool:
    """Whether a loop or a branch may leave a Python number in a variable."""
    of, k = result.args[0], result["k"]
    if result.type.rank > 0:
        return False
    if of.op is BRANCH:
        sides = (of["then"], of["other"])
        return any(is_number(side.outputs[k], read_numbers(side.inputs, of.args[1:], plain)) for side in sides)
    return of["body"].inputs[k] in carried_numbers(of, plain)


def read_numbers(placeholders: Collection[Node], args: Collection[Node], plain: Collection[Node]) -> set[Node]:
    """The placeholders that stand for numbers."""
    return {p for p, arg in zip(placeholders, args, strict=True) if p.type.rank == 0 and is_number(arg, plain)}


def carried_numbers(loop: Node, plain: Collection[Node]) -> set[Node]:
    """The placeholders of a loop that may be Python numbers: those of what it carries, and of what it reads."""
    assert loop.op is LOOP
    body, m = loop["body"], loop["carried"]
    found = read_numbers(body.inputs, loop.args, plain)
    while True:
        carried = zip(body.inputs[:m], body.outputs[:m], strict=True)
        more = {p for p, new in carried if p.type.rank == 0 and p not in found and is_number(new, found)}
        if not more:
            return found
        found |= more
