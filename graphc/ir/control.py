"""Loops and branches: nodes that have graphs of their own inside, and several results.

    for t in range(T):                    loop(h0, x, W; index=t, start=0, count=T)
        h = tanh(x[t] @ W + h)              body: (h, x, W) -> h
    return h                              result(loop, 0)

A `Body` is closed: it sees what is given to it as inputs, and the index, which is a *size* inside it:
`x[t]` is an index at a size, `h[t + 1]` at a polynomial of one, and a loop inside may go to `t`. So
nothing new is needed to say where a step reads. What a loop carries from step to step are its first
arguments; the others it only reads.

What solves an equation (`IMPLICIT`) is a value found somehow, and the equation: its derivative comes from
that alone (the implicit function theorem), and not from the way it was found.

    results of a loop:   for each carried value its last one             final
                         for each carried value all, count + 1 of them   history
                         for each further output of the body all         stack

Rows of histories and stacks lie in the order of the index, whichever way the loop goes: going up, the
value before step t is row t - start of the history and the value after it is the next row; going down
it is the other way around.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from graphc.errors import InternalError, ShapeError, Span
from graphc.ir.dims import Dim, Size
from graphc.ir.graph import Graph
from graphc.ir.index import Range
from graphc.ir.node import Node, make
from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType

TUPLE = TensorType("tuple", ())  # of a node with several results


@dataclass(frozen=True)
class Body:
    """A graph inside a node. Equal if the nodes are the same; names are beside them, as in a `Graph`.

    inputs: the placeholders of the arguments.  outputs: what it computes.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    names: Mapping[Node, str] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    origin: Mapping[Node, Span] = field(default_factory=lambda: MappingProxyType({}), compare=False)

    @cached_property
    def graph(self) -> Graph:
        """As a graph, whose passes are those of a body."""
        names = tuple(f"out{i}" for i in range(len(self.outputs)))
        return Graph(self.inputs, self.outputs, names, self.names, self.origin, "<body>")

    @staticmethod
    def of(graph: Graph) -> Body:
        return Body(graph.inputs, graph.outputs, graph.names, graph.origin)

    def __reduce__(self) -> tuple[object, ...]:
        return Body.of, (self.graph,)


def _loop_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    body: Body = attrs["body"]
    carried = attrs["carried"]
    _check_inputs(body, types)
    for before, after in zip(types[:carried], body.outputs[:carried], strict=True):
        if after.type != before:
            raise ShapeError("G021", f"a loop carries {before}, and a step makes {after.type} of it")
    test: Body | None = attrs["test"]
    if test is not None and (test.inputs != body.inputs or [o.type for o in test.outputs] != [TensorType("bool", ())]):
        raise InternalError("G090", "the test of a loop has the inputs of its body, and one truth value")
    return TUPLE


def _branch_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    then, other = attrs["then"], attrs["other"]
    _check_inputs(then, types[1:])
    _check_inputs(other, types[1:])
    if types[0] != TensorType("bool", ()):
        raise ShapeError("G021", f"a branch is chosen by one truth value, not by {types[0]}")
    for a, b in zip(then.outputs, other.outputs, strict=True):
        if a.type != b.type:
            raise ShapeError("G021", f"the two branches make {a.type} and {b.type} of one variable")
    return TUPLE


def _solution_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    body: Body = attrs["body"]
    _check_inputs(body, types)
    if [o.type for o in body.outputs] != list(types[: attrs["solved"]]):
        raise ShapeError("G021", "an equation has as many sides, of the same types, as unknowns")
    return TUPLE


def _check_inputs(body: Body, types: Sequence[TensorType]) -> None:
    if [i.type for i in body.inputs] != list(types):
        raise InternalError("G090", "the arguments do not fit the inputs of the body")


LOOP = Op(
    "loop",
    ("*args",),
    _loop_type,
    "loop(args)",
    "A body that is done for each value of an index, or while a test holds.",
    attrs=("body", "carried", "index", "start", "count", "reverse", "test"),
    traits=frozenset({"control"}),
    formula="step by step, from the last one to the first",
    exactness="that of its body, step by step",
)
BRANCH = Op(
    "branch",
    ("condition", "*args"),
    _branch_type,
    "branch(condition, args)",
    "One of two bodies.",
    attrs=("then", "other"),
    traits=frozenset({"control"}),
    formula="that of the body taken",
    exactness="that of the body taken",
)
RESULT = Op(
    "result",
    ("of",),
    lambda types, attrs: attrs["type"],
    "of[k]",
    "One of the results of a loop or a branch.",
    attrs=("k", "type"),
    formula="that of the loop or the branch",
    traits=frozenset({"result"}),
    cost=0.0,
)
IMPLICIT = Op(
    "implicit",
    ("*args",),
    _solution_type,
    "implicit(args)",
    "Values that solve an equation, however they were found: x = body(x, ...), or body(x, ...) = 0.",
    attrs=("body", "solved", "root", "index", "tolerance", "limit"),
    formula="by the implicit function theorem",
    traits=frozenset({"control"}),
)
OPS: list[Op] = [LOOP, BRANCH, IMPLICIT, RESULT]


def bodies(node: Node) -> list[Body]:
    """The graphs inside a node."""
    if node.op is LOOP:
        return [node["body"]] if node["test"] is None else [node["body"], node["test"]]
    if node.op is IMPLICIT:
        return [node["body"]]
    return [node["then"], node["other"]] if node.op is BRANCH else []


def has_insides(node: Node) -> bool:
    """Whether a node is a loop or a branch."""
    return "control" in node.op.traits


def has_control(graph: Graph) -> bool:
    """Whether there are loops or branches in a graph."""
    return any("control" in op.traits for op in graph.ops)


def result(node: Node, k: int) -> Node:
    """The k-th result of a loop or a branch."""
    return make(RESULT, [node], k=k, type=result_type(node, k))


def results_of(loop: Node) -> int:
    """How many results a loop has."""
    return int(loop["carried"]) + len(loop["body"].outputs)


def result_type(node: Node, k: int) -> TensorType:
    """The type of the k-th result."""
    if node.op is BRANCH:
        type: TensorType = node["then"].outputs[k].type
        return type
    if node.op is IMPLICIT:
        return node.args[k].type
    m, count, outputs = node["carried"], node["count"], node["body"].outputs
    if k < m:
        kind: TensorType = outputs[k].type
        return kind
    if k < 2 * m:
        kind = outputs[k - m].type
        return kind.with_shape((count + 1, *kind.shape))
    kind = outputs[k - m].type
    return kind.with_shape((count, *kind.shape))


def result_count(node: Node, kind: str) -> int:
    """How many results of a kind there are: "final", "history" and "stack" of a loop, "result" of the others."""
    if node.op is not LOOP:
        return len(bodies(node)[0].outputs)
    carried: int = node["carried"]
    return len(node["body"].outputs) - carried if kind == "stack" else carried


def final(node: Node, k: int) -> Node:
    """The last value of what a loop carries."""
    return result(node, k)


def history(node: Node, k: int) -> Node:
    """All values of what a loop carries: count + 1 of them, in the order of the index."""
    return result(node, node["carried"] + k)


def stack(node: Node, j: int) -> Node:
    """The values of a further output of the body."""
    return result(node, 2 * node["carried"] + j)


def names_in(node: Node) -> Iterator[str]:
    """The names of the sizes in a node's own attributes, its bodies included.

    The index of a loop is its body's own, and so are the numbers of steps of the loops in a body that have a test.
    """
    for size, own in sizes_in(node):
        yield from (name for name in size.names() if name not in own)


def sizes_in(node: Node) -> Iterator[tuple[Size, frozenset[str]]]:
    """The sizes in a node's own attributes, bodies included, and for each the names bound around it in the node."""
    pending: list[Any] = [(node, frozenset())]
    while pending:
        top, own = pending.pop()
        if isinstance(top, Size):
            yield top, own
        elif isinstance(top, Range):
            pending += ((top.start, own), (top.stop, own))
        elif isinstance(top, Body):
            counted = own.union(counted_by(top.graph.nodes))
            pending += [(inner, counted) for inner in reversed(top.graph.nodes)]
        elif isinstance(top, tuple):
            pending += [(item, own) for item in reversed(top)]
        elif isinstance(top, Node):
            inside = own | {top["index"]} if top.op is LOOP else own
            pairs = list(zip(top.op.attrs, top.attrs, strict=True))
            pending += [(attr, inside if name in ("body", "test") else own) for name, attr in reversed(pairs)]


def in_order(nodes: Sequence[Node]) -> Sequence[Node]:
    """The nodes, arguments first, those that mention the number of steps of a `while` behind it."""
    loops = counted_by(nodes)
    if not loops:
        return nodes
    inside, done, entered = set(nodes), set[Node](), set[Node]()
    order: list[Node] = []
    stack = list(nodes)[::-1]
    while stack:
        node = stack.pop()
        if node in done or node not in inside:
            continue
        if node in entered:
            done.add(node)
            order.append(node)
        else:
            entered.add(node)
            stack += [node, *needs_steps_of(node, loops), *node.args[::-1]]
    return order


def counted_by(nodes: Iterable[Node]) -> dict[str, Node]:
    """The loops that go on while a test holds, by the size that is their number of steps."""
    return {n["count"].name: n for n in nodes if n.op is LOOP and n["test"] is not None}


def needs_steps_of(node: Node, loops: Mapping[str, Node]) -> list[Node]:
    """The loops whose number of steps a node mentions."""
    own = counted_by([node])
    return [loops[name] for name in names_in(node) if name in loops and name not in own]


def mentions(node: Node, names: frozenset[str]) -> bool:
    """Whether one of these sizes is in a node's own attributes: the index of a loop around it."""
    return any(name in names for name in names_in(node))


def before(node: Node, index: Dim) -> Dim:
    """The row of a history that holds the value before the step at `index`."""
    start: Dim = node["start"]
    return index - start + (1 if node["reverse"] else 0)


def after(node: Node, index: Dim) -> Dim:
    """The row of a history that holds the value after the step at `index`."""
    start: Dim = node["start"]
    return index - start + (0 if node["reverse"] else 1)
