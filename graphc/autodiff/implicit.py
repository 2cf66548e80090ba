"""The implicit function theorem: derivatives of what solves an equation.

    x = f(x, p)        w = dx + (df/dx).T w        dp = (df/dp).T w
    0 = g(x, p)        w = -(dg/dx).T^-1 dx        dp = (dg/dp).T w

The first w is a fixed point itself, and is found as x was; the second one solves a linear system
(Griewank and Walther, "Evaluating Derivatives", chapter 15). Both are differentiable again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from graphc.autodiff.batch import batched
from graphc.autodiff.loops import Transpose
from graphc.expr import build
from graphc.expr.implicit import Iteration, fixed_point
from graphc.expr.looping import substitute
from graphc.ir.control import result
from graphc.ir.leaf import input_node
from graphc.ir.node import Node


def pullback_solution(
    node: Node, cotangents: Mapping[int, Node], wanted: Collection[int], transpose: Transpose
) -> dict[int, Node]:
    """The cotangents of what an equation reads, given those of what solves it."""
    body, m = node["body"], node["solved"]
    reads = [i for i in range(m, len(node.args)) if i in wanted]
    weights = [input_node(f"_{node['index']}_w{k}", p.type) for k, p in enumerate(body.inputs[:m])]
    pairs = list(zip(body.outputs, weights, strict=True))
    found = transpose(pairs, [*body.inputs[:m], *(body.inputs[i] for i in reads)])
    solutions = [result(node, k) for k in range(m)]
    actual = dict(zip(body.inputs, (*solutions, *node.args[m:]), strict=True))
    through = [found.get(p) or build.zeros(p.shape, p.type.dtype) for p in body.inputs[:m]]
    through = substitute(through, dict(actual))
    given = [cotangents.get(k) or build.zeros(s.shape, s.type.dtype) for k, s in enumerate(solutions)]
    solve = _linear if node["root"] else _repeated
    adjoint = solve(node, weights, through, given)
    reached = [i for i in reads if body.inputs[i] in found]
    table = {**actual, **dict(zip(weights, adjoint, strict=True))}
    return dict(zip(reached, substitute([found[body.inputs[i]] for i in reached], table), strict=True))


def _repeated(node: Node, weights: Sequence[Node], through: Sequence[Node], given: Sequence[Node]) -> list[Node]:
    """w = dx + (df/dx).T w."""
    updates = [build.add(ct, back) for ct, back in zip(given, through, strict=True)]
    return fixed_point(given, weights, updates, Iteration(node["index"], node["tolerance"], node["limit"]))


def _linear(node: Node, weights: Sequence[Node], through: Sequence[Node], given: Sequence[Node]) -> list[Node]:
    """w = -(dg/dx).T^-1 dx."""
    [weight], [back], [ct] = weights, through, given
    if weight.type.rank == 0:
        slope = substitute([back], {weight: build.literal(1.0, [weight.type.dtype])})[0]
        return [build.negative(build.divide(ct, slope))]
    n = weight.type.size
    flat = build.reshape(ct, (n,))
    return [build.negative(build.reshape(build.apply("solve", build.swap(jacobian(back, weight)), flat), weight.shape))]


def jacobian(back: Node, weight: Node) -> Node:
    """The matrix of an equation's slopes by its unknowns, given its pullback of the cotangent `weight`."""
    n = weight.type.size
    units = build.reshape(build.eye(n, n, weight.type.dtype), (n, *weight.shape))
    [rows] = batched([back], {weight: units}, n)
    return build.reshape(rows, (n, n))
