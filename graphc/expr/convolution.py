"""Convolution and correlation of two vectors.

convolve([1, 2, 3], [1, 1])  ->  [1, 3, 5, 3]
correlate(a, v, mode="full") ->  convolve(a, v[::-1])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.errors import DtypeError
from graphc.expr import build
from graphc.expr.arguments import Value, describe, nodes
from graphc.expr.products import flat
from graphc.ir.dims import at_least
from graphc.ir.node import Node

_MODES = ("full", "same", "valid")


def _operands(a: Value, v: Value, mode: Value) -> tuple[Node, Node]:
    if mode not in _MODES:
        raise DtypeError("G030", f'`mode` is "full", "same" or "valid", not {describe(mode)}')
    left, right = (flat(n) if n.type.rank == 0 else n for n in nodes((a, v)))
    return left, right


def _shorter(a: Node, v: Node) -> bool:
    """Whether `a` is known to be shorter than `v`; with named sizes the first is taken to be the longer one."""
    return a.type.rank == v.type.rank == 1 and at_least(v.shape[0] - a.shape[0], 1)


def convolve(a: Value, v: Value, mode: Value = "full") -> Node:
    """Convolution of two vectors. With mode "same" or "valid" and sizes that are names, the longer one comes first."""
    left, right = _operands(a, v, mode)
    first, second = (right, left) if _shorter(left, right) else (left, right)
    return build.apply("convolve", first, second, mode=mode)


def correlate(a: Value, v: Value, mode: Value = "valid") -> Node:
    """Cross-correlation of two vectors: c[k] is the sum of a[k + i] * v[i]."""
    left, right = _operands(a, v, mode)
    if left.type.rank != 1 or right.type.rank != 1 or not _shorter(left, right):
        return convolve(left, build.flip(right, 0) if right.type.rank == 1 else right, mode)
    return build.flip(build.apply("convolve", right, build.flip(left, 0), mode=mode), 0)


TABLE: dict[str, Callable[..., Any]] = {"convolve": convolve, "correlate": correlate}
