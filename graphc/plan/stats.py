"""What a program costs: operations, flops, bytes saved, peak; symbolic in the sizes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from graphc.ir.dims import Dim
from graphc.ir.leaf import CONST, INPUT, SIZE
from graphc.ir.node import Node
from graphc.plan.nested import Statement
from graphc.plan.program import Program

_BYTES = {"float64": 8, "float32": 4, "int64": 8, "int32": 4, "bool": 1}
_FREE = ("view", "creation")


class Stats(NamedTuple):
    """ops: operations in forward and backward.  flops: floating-point operations, one an element
    of an elementwise op, 2 m n k for a matrix product.  saved_bytes: of the arrays that forward
    hands to backward.  peak_bytes: an upper bound: everything that is computed, kept to the end.
    """

    forward_ops: int
    backward_ops: int
    forward_flops: Dim
    backward_flops: Dim
    saved_bytes: Dim
    peak_bytes: Dim

    @property
    def ops(self) -> int:
        return self.forward_ops + self.backward_ops

    @property
    def flops(self) -> Dim:
        return self.forward_flops + self.backward_flops

    def __str__(self) -> str:
        return "\n".join(f"{name:<15} {value}" for name, value in zip(self._fields, self, strict=True))


def measure(program: Program) -> Stats:
    forward = [n for n in program.split.forward if _counts(n)]
    backward = [n for n in program.split.backward if _counts(n)]
    saved = _total(_bytes(n) for n in program.split.saved if n.op is not INPUT)
    made = _total(_bytes(s.node) for s in _allocating([*program.forward, *program.backward]))
    return Stats(len(forward), len(backward), _total(map(_flops, forward)), _total(map(_flops, backward)), saved, made)


def _counts(node: Node) -> bool:
    return node.op not in (INPUT, CONST, SIZE) and not any(t in node.op.traits for t in _FREE)


def _allocating(statements: Sequence[Statement]) -> list[Statement]:
    return [s for s in statements if s.reuse is None and "view" not in s.node.op.traits]


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
