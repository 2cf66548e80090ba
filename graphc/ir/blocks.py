"""Loops and branches of a listing, read: the part of the grammar in `listing.py` that has blocks.

%1 = loop t from 0 count T (h: f64[k] = h0; x, W) -> (h') {
  %0: f64[d] = getitem(x; index=[<t>, 0:<d>:1:<d>:True])
  %1: f64[k] = matmul(%0, W)
  %2: f64[k] = add(%1, h)
  h': f64[k] = tanh(%2)
}
last: f64[k] = %1.final[0]

What is carried is called in the block what it is called before the step; with a prime it is the value after
it. What else is read has its name from outside, or is `_t_r0 = %3`. The outputs of a block of a loop are what
it carries, then, behind a semicolon, what else a step makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from graphc.ir.control import BRANCH, IMPLICIT, LOOP, Body, final, has_insides, history, result, result_count, stack
from graphc.ir.leaf import input_node
from graphc.ir.node import Node, make

if TYPE_CHECKING:
    from graphc.ir.listing import Reader

_KINDS = {"final": final, "history": history, "stack": stack, "result": result}


def read_control(reader: Reader) -> Node:
    """A loop, a branch or an equation, from the equals sign on."""
    reader.expect("=")
    keyword = reader.next()
    if keyword not in _KEYWORDS:
        raise reader.error(f"expected one of {', '.join(_KEYWORDS)}, found `{keyword}`")
    return _KEYWORDS[keyword](reader)


def read_result(reader: Reader, node: Node) -> Node:
    """One of the results of a loop or a branch: `.history[0]`."""
    reader.expect(".")
    kind = reader.next()
    reader.expect("[")
    k = reader.number()
    reader.expect("]")
    known = has_insides(node) and (kind == "result") == (node.op is not LOOP)
    if not known or kind not in _KINDS or not isinstance(k, int) or not 0 <= k < result_count(node, kind):
        raise reader.error(f"there is no `.{kind}[{k}]`")
    return _KINDS[kind](node, k)


class _Carried(NamedTuple):
    """A carried value: what it is called in the body, and its first value."""

    ref: str
    init: Node


class _Given(NamedTuple):
    """What a body is given.

    inits: the first values of what is carried.  reads: what else it reads.  inputs: what stands for both
    inside, by its name there.  called: what the user calls them.
    """

    inits: tuple[Node, ...]
    reads: tuple[Node, ...]
    inputs: dict[str, Node]
    called: dict[Node, str]

    @property
    def args(self) -> tuple[Node, ...]:
        return self.inits + self.reads


def _given(reader: Reader, index: str) -> _Given:
    reader.expect("(")
    carried = _several_carried(reader)
    placeholders = [input_node(f"_{index}_{k}", c.init.type) for k, c in enumerate(carried)]
    inputs = dict(zip([c.ref for c in carried], placeholders, strict=True))
    called = {p: ref.rstrip("'") for ref, p in inputs.items() if ref != p["name"]}
    reads = _reads(reader, index, inputs)
    return _Given(tuple(c.init for c in carried), tuple(reads), inputs, called)


def _loop(reader: Reader) -> Node:
    index = reader.next()
    reader.expect("from")
    start = reader.dim()
    reader.expect("count")
    count = reader.dim()
    reverse = reader.peek() == "reverse"
    if reverse:
        reader.next()
    given = _given(reader, index)
    carried = len(given.inits)
    body = _block(reader, given.inputs, carried, given.called)
    test = None
    if reader.peek() == "while":
        reader.next()
        test = _block(reader, given.inputs, 1, given.called)
    return make(
        LOOP,
        given.args,
        body=body,
        carried=carried,
        index=index,
        start=start,
        count=count,
        reverse=reverse,
        test=test,
    )


def _branch(reader: Reader) -> Node:
    condition = reader.known(reader.next())
    reader.expect("(")
    inputs: dict[str, Node] = {}
    reads = _reads(reader, "", inputs)
    then = _block(reader, inputs, None, {})
    reader.expect("else")
    other = _block(reader, inputs, len(then.outputs), {})
    return make(BRANCH, (condition, *reads), then=then, other=other)


def _several_carried(reader: Reader) -> list[_Carried]:
    """What a loop carries; a semicolon stands behind it if something is read."""
    found: list[_Carried] = []
    while reader.peek() not in (";", ")"):
        found.append(_carried(reader))
        if reader.peek() == ",":
            reader.next()
    if reader.peek() == ";":
        reader.next()
    return found


def _equation(reader: Reader) -> Node:
    index = reader.next()
    root = reader.next() == "root"
    reader.expect("tolerance")
    tolerance = float(reader.number())
    reader.expect("limit")
    limit = reader.number()
    given = _given(reader, index)
    body = _block(reader, given.inputs, len(given.inits), given.called)
    solved = len(given.inits)
    return make(
        IMPLICIT, given.args, body=body, solved=solved, root=root, index=index, tolerance=tolerance, limit=limit
    )


def _carried(reader: Reader) -> _Carried:
    ref = reader.next()
    reader.expect(":")
    type = reader.type()
    reader.expect("=")
    init = reader.known(reader.next())
    if init.type != type:
        raise reader.error(f"{ref} is declared as {type}, and begins as {init.type}")
    return _Carried(ref, init)


def _reads(reader: Reader, index: str, inputs: dict[str, Node]) -> list[Node]:
    """What else a body reads; `inputs` gets what stands for it inside."""

    def read() -> Node:
        ref = reader.next()
        if reader.peek() != "=":
            outer = reader.known(ref)
        else:
            reader.next()
            outer = reader.known(reader.next())
        inputs[ref] = input_node(f"_{index}_r{len(inputs) - before}", outer.type)
        return outer

    before = len(inputs)
    return reader.sequence(")", read)


def _block(reader: Reader, inputs: Mapping[str, Node], carried: int | None, called: Mapping[Node, str]) -> Body:
    """A body over these inputs; of its outputs `carried` stand before a semicolon."""
    reader.expect("->")
    reader.expect("(")
    first, further = _outputs(reader)
    around, reader.nodes = reader.nodes, dict(inputs)
    names = reader.nodes_of_block()
    outputs = tuple(reader.known(ref) for ref in (*first, *further))
    reader.nodes = around
    if carried is not None and len(first) != carried:
        raise reader.error(f"the block has {len(first)} outputs where {carried} are expected")
    return Body(tuple(inputs.values()), outputs, {**called, **names})


def _outputs(reader: Reader) -> tuple[list[str], list[str]]:
    """References up to a semicolon, and those behind it."""
    parts: tuple[list[str], list[str]] = ([], [])
    place = 0
    while (token := reader.next()) != ")":
        if token == ";" and place == 0:
            place = 1
        elif token != ",":
            parts[place].append(token)
    return parts


_KEYWORDS = {"loop": _loop, "branch": _branch, "equation": _equation}
