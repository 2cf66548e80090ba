"""What a program costs: operations, flops, bytes saved, peak; symbolic in the sizes."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

from graphc.ir.control import BRANCH, LOOP, bodies
from graphc.ir.dims import Atom, Dim, Minimum, Size, at_least, mapped, substitute
from graphc.ir.leaf import CONST, INPUT, SIZE
from graphc.ir.node import Node
from graphc.ir.sizes import names_of
from graphc.plan.program import Program
from graphc.plan.statement import BranchPlan, Statement

_BYTES = {"float64": 8, "float32": 4, "int64": 8, "int32": 4, "bool": 1}
_FREE = ("view", "creation", "result")
_NO_ARRAY = ("view", "result")
_ROOT = re.compile(r"max\(int\((\w+) \*\* 0\.5\), 1\)")  # the square root in whole numbers, at least 1


class Stats(NamedTuple):
    """ops: operations in forward and backward, of a loop those of all steps.  flops: floating-point
    operations, one an element of an elementwise op, 2 m n k for a matrix product.  saved_bytes: of the
    arrays that forward hands to backward.  peak_bytes: an upper bound: everything that is computed, kept
    to the end; of a loop what one step makes, and the rows that are kept.
    """

    forward_ops: Dim
    backward_ops: Dim
    forward_flops: Dim
    backward_flops: Dim
    saved_bytes: Dim
    peak_bytes: Dim

    @property
    def ops(self) -> Dim:
        return self.forward_ops + self.backward_ops

    @property
    def flops(self) -> Dim:
        return self.forward_flops + self.backward_flops

    def __str__(self) -> str:
        lines = (f"{name:<15} {value}" for name, value in zip(self._fields, self, strict=True))
        return _ROOT.sub(r"isqrt(\1)", "\n".join(lines))


def measure(program: Program) -> Stats:
    forward, backward = _cost(program.split.forward), _cost(program.split.backward)
    saved = _total(_bytes(n) for n in program.split.saved if n.op is not INPUT)
    made = _allocated([*program.forward, *program.backward])
    return Stats(forward.ops, backward.ops, forward.flops, backward.flops, saved, made)


class _Cost(NamedTuple):
    ops: Dim
    flops: Dim

    def __add__(self, other: object) -> _Cost:
        assert isinstance(other, _Cost)
        return _Cost(self.ops + other.ops, self.flops + other.flops)


_NOTHING = _Cost(0, 0)


def _cost(nodes: Iterable[Node]) -> _Cost:
    return reduce(operator.add, map(_cost_of, nodes), _NOTHING)


def _cost_of(node: Node) -> _Cost:
    """The cost of one node; of a loop that of all steps, of a branch that of the dearer side."""
    if node.op is LOOP:
        step = reduce(operator.add, [_cost(body.graph.nodes) for body in bodies(node)])
        return _Cost(_over_steps(step.ops, node), _over_steps(step.flops, node))
    if node.op is BRANCH:
        then, other = (_cost(body.graph.nodes) for body in bodies(node))
        return _Cost(_dearer(then.ops, other.ops), _dearer(then.flops, other.flops))
    return _Cost(1, _flops(node)) if _counts(node) else _NOTHING


def _over_steps(dim: Dim, loop: Node) -> Dim:
    """The sum over the steps of a loop, from the first and the last: exact where `dim` is linear in the index."""
    index: str = loop["index"]
    start: Dim = loop["start"]
    count: Dim = loop["count"]
    dim = _bounded(dim, index)
    if index not in names_of([dim]):
        return dim * count
    ends = substitute(dim, {index: start}) + substitute(dim, {index: start + count - 1})
    return (ends * count) // 2


def _bounded(dim: Dim, index: str) -> Dim:
    """A size without the index, if one side of its minima leaves it out: min(i + r, n) - i is at most r."""
    for side in (0, 1):
        bound = _of_side(dim, index, side)
        if index not in names_of([bound]):
            return bound
    return dim


def _of_side(dim: Dim, index: str, side: int) -> Dim:
    """A size with one side in the place of each minimum that has the index in it."""

    def change(atom: Atom) -> Dim:
        if isinstance(atom, Minimum) and index in atom.names():
            return atom.second if side else atom.first
        return Size((((atom,), 1),))

    return mapped(dim, change)


def _dearer(a: Dim, b: Dim) -> Dim:
    """The larger of two; their sum if neither is known to be it."""
    if at_least(a - b, 0):
        return a
    return b if at_least(b - a, 0) else a + b


def _counts(node: Node) -> bool:
    return node.op not in (INPUT, CONST, SIZE) and not any(t in node.op.traits for t in _FREE)


def _allocated(statements: Iterable[Statement]) -> Dim:
    """The bytes of the arrays that these statements make; those of a step count once."""
    return _total(_made(s) for s in statements if s.reuse is None and not any(t in s.node.op.traits for t in _NO_ARRAY))


def _made(statement: Statement) -> Dim:
    plan = statement.nested
    if plan is None:
        return _bytes(statement.node)
    results = _total(map(_bytes, plan.results))
    if isinstance(plan, BranchPlan):
        return results + _allocated([*plan.then.statements, *plan.other.statements])
    last = plan.node["start"] + plan.node["count"] - 1
    made = _bounded(_allocated([*plan.block.statements, *plan.test]), plan.node["index"])
    return results + substitute(made, {plan.node["index"]: last})


def _total(items: Iterable[Dim]) -> Dim:
    total: Dim = 0
    for item in items:
        total = total + item
    return total


def _bytes(node: Node) -> Dim:
    return _BYTES[node.type.dtype] * node.type.size


def _flops(node: Node) -> Dim:
    if node.op.name == "matmul":
        inner: Dim = node.args[0].shape[-1]
        return node.type.size * inner * 2
    return node.args[0].type.size if "reduction" in node.op.traits else node.type.size
