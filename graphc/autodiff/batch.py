"""Batching: a graph of one thing becomes a graph of many, side by side along a new first axis.

    f = tanh(X @ w), w: (d,)   ->   tanh(W @ X.T), W: (k, d)      for each row of W its own f

One walk; only what depends on a batched node gets the axis. An op's record says how it takes one
(`Op.batch`), or its traits do: an elementwise op broadcasts, a reduction or an op along an axis has
its axes one place further, an op of matrices takes stacks; a loop does all of a step at once
(`loops_batch.py`). There is no loop over rows; what can't be done without one is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from graphc.autodiff.loops_batch import Along, control_along
from graphc.errors import UnsupportedError
from graphc.expr import build
from graphc.ir.control import RESULT, has_insides
from graphc.ir.dims import Dim
from graphc.ir.node import Node, make, rebuild, topological

Rule = Callable[[Node, Sequence[Node], Sequence[bool], Dim], "Node | None"]


def batched(outputs: Sequence[Node], sources: Mapping[Node, Node], n: Dim) -> list[Node]:
    """The outputs for each of `n` values of some nodes, along a new first axis.

    sources: for a node what stands for it, with that axis. An output that depends on none of them is
    repeated. Raises UnsupportedError for an op that takes no such axis.
    """
    along = spread(outputs, sources, n)
    return [along(o).whole(n) for o in outputs]


def spread(outputs: Sequence[Node], sources: Mapping[Node, Node], n: Dim) -> Callable[[Node], Along]:
    """What stands for each node that `outputs` need when some nodes have the new axis."""
    found = {node: Along(many, True) for node, many in sources.items()}
    results: dict[Node, Callable[[int], Along]] = {}
    for node in topological(outputs, known=sources):
        args = [found.get(arg) or Along(arg, False) for arg in node.args]
        if node.op is RESULT and node.args[0] in results:
            found[node] = results[node.args[0]](node["k"])
        elif has_insides(node) and any(arg.has for arg in args):
            results[node] = control_along(node, args, n, spread)
        elif any(arg.has for arg in args):
            found[node] = Along(node_along(node, [arg.node for arg in args], [arg.has for arg in args], n), True)
        elif any(arg in found for arg in node.args):  # a result, without the axis, of a loop that has it elsewhere
            found[node] = Along(rebuild(node, [arg.node for arg in args]), False)
    return lambda node: found.get(node) or Along(node, False)


def node_along(node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    """One node over arguments some of which have the new axis."""
    rule = _rule(node)
    result = None if rule is None else rule(node, args, has, n)
    if result is None:
        raise UnsupportedError(
            "G040",
            f"`{node.op.name}` is not computed for many values at once",
            hint="for Jacobians and Hessians use gc.vjp, gc.jvp or gc.hvp with one direction at a time",
        )
    return result


def _rule(node: Node) -> Rule | None:
    op = node.op
    if op.batch is not None:
        own = op.batch
        return lambda node, args, has, n: own(build, node, args, has, n)
    by_trait = next((rule for trait, rule in _BY_TRAIT.items() if trait in op.traits), None)
    return by_trait or next((rule for attr, rule in _BY_ATTRIBUTE.items() if attr in op.attrs), None)


def _elementwise(node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    """Arguments of fewer axes get them behind the new one, so that they broadcast as before."""
    return rebuild(node, [build.behind(a, h, node.type.rank) for a, h in zip(args, has, strict=True)])


def _stacks(node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    return rebuild(node, args)


def _along_axes(node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    return make(node.op, args, **{**node.attributes, "axes": tuple(a + 1 for a in node["axes"])})


def _along_axis(node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node | None:
    if node["axis"] is None:
        return None
    rows = [build.repeated(a, h, n) for a, h in zip(args, has, strict=True)]
    return make(node.op, rows, **{**node.attributes, "axis": node["axis"] + 1})


_BY_TRAIT: dict[str, Rule] = {
    "elementwise": _elementwise,
    "cast": _elementwise,
    "integer": _elementwise,
    "stacks": _stacks,
}
_BY_ATTRIBUTE: dict[str, Rule] = {"axes": _along_axes, "axis": _along_axis}
