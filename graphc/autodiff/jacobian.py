"""Jacobians, graph to graph: all directions at once, side by side along a new first axis (`batch.py`).

y = f(x), x: (n,), y: (m,)     by rows: the pullback of the m unit cotangents
                               by columns: the tangents along the n unit vectors
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.autodiff.batch import batched
from graphc.autodiff.forward import tangents_of
from graphc.autodiff.reverse import transposed
from graphc.expr import build
from graphc.expr.looping import substitute
from graphc.ir.dims import product
from graphc.ir.leaf import const_node, input_node
from graphc.ir.node import Node

_UNIT = "_unit"  # a cotangent or tangent in whose place the unit ones are put; no user's name begins so


def blocks(outputs: Sequence[Node], inputs: Sequence[Node], by_rows: bool) -> list[list[Node]]:
    """For each output its derivative by each input, of the shape of the output and then of the input.

    Raises UnsupportedError for an op that is not computed for many directions at once.
    """
    return _rows(outputs, inputs) if by_rows else _columns(outputs, inputs)


def _rows(outputs: Sequence[Node], inputs: Sequence[Node]) -> list[list[Node]]:
    """By reverse mode: the gradient of every element of each output."""
    return [[_spread(block, o, x) for x, block in zip(inputs, _row(o, inputs), strict=True)] for o in outputs]


def _row(output: Node, inputs: Sequence[Node]) -> list[Node]:
    ct = input_node(_UNIT, output.type)
    totals = transposed([(output, ct)], inputs)
    found = [totals.get(x) or _zeros(x) for x in inputs]
    return _at_units(found, ct)


def _columns(outputs: Sequence[Node], inputs: Sequence[Node]) -> list[list[Node]]:
    """By forward mode: the derivative of each output along every element of each input."""
    columns = []
    for x in inputs:
        unit = input_node(_UNIT, x.type)
        found = tangents_of(outputs, {x: unit})
        sides = _at_units([found.get(o) or _zeros(o) for o in outputs], unit)
        columns.append([_last(block, x, o) for o, block in zip(outputs, sides, strict=True)])
    return [list(row) for row in zip(*columns, strict=True)]


def _at_units(nodes: Sequence[Node], source: Node) -> list[Node]:
    """The nodes, linear in `source`, at each of its unit values: along a new first axis, but for a scalar."""
    dtype = source.type.dtype
    if source.type.rank == 0:
        return substitute(nodes, {source: const_node(1, dtype)})
    n = product(source.shape)
    units = build.reshape(build.eye(n, n, dtype), (n, *source.shape))
    return batched(nodes, {source: units}, n)


def _spread(block: Node, output: Node, x: Node) -> Node:
    """The first axis, of the elements of the output, in the output's shape."""
    return build.reshape(block, (*output.shape, *x.shape))


def _last(block: Node, x: Node, output: Node) -> Node:
    """The first axis, of the elements of the input, behind the others and in the input's shape."""
    behind = build.moved(block, 0, output.type.rank) if x.type.rank else block
    return build.reshape(behind, (*output.shape, *x.shape))


def _zeros(node: Node) -> Node:
    return build.zeros(node.shape, node.type.dtype)
