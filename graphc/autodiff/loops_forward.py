"""Forward mode of loops and branches: a loop for the tangents, after the one for the values.

    for t in range(T):                       for t in range(T):
        h = tanh(x[t] @ W + h)      ->           z_dot = x_dot[t] @ W + h_dot
                                                 h_dot = z_dot * (1 - h[t + 1] ** 2)

The second loop carries tangents only. Of a step it computes again, from the rows of the histories, what it
needs, as a loop backwards does; what of that is saved instead, and what is done for all steps at once, is
decided later by the passes on loops. So values are computed once, however many directions there are.

The tangents of a branch are those of the side that was taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from graphc.expr import build
from graphc.expr.looping import Opened, again, close, close_branch, followed, substitute
from graphc.ir.control import LOOP, Body, final, history, result, stack
from graphc.ir.leaf import input_node
from graphc.ir.node import Node

Tangents = Sequence[Node | None]  # one an argument; None is zero
# (nodes, the tangents of some of those below) -> the tangents of all on the way that have one
Push = Callable[[Sequence[Node], Mapping[Node, Node]], dict[Node, Node]]


def pushforward_control(node: Node, tangents: Tangents, push: Push) -> dict[int, Node]:
    """The tangents of the results of a loop or a branch, given those of its arguments; what is left out is zero."""
    return _loop(node, tangents, push) if node.op is LOOP else _branch(node, tangents, push)


def _loop(node: Node, tangents: Tangents, push: Push) -> dict[int, Node]:
    body, m, index = node["body"], node["carried"], node["index"]
    dots = {i: input_node(f"_{index}_d{i}", p.type) for i, p in enumerate(body.inputs)}
    moving, found = _moving(body, m, tangents, dots, push)
    opened = again(node)
    opened |= {dots[i]: dot for i, dot in enumerate(tangents) if i >= m and dot is not None}
    updates = [found.get(body.outputs[k]) or _zeros(body.outputs[k]) for k in moving]
    stacked = {j: found[output] for j, output in enumerate(body.outputs[m:]) if output in found}
    names = {found[n]: f"{name}_dot" for n, name in body.names.items() if n in found}
    named = {**{n: name for n, name in body.names.items() if n not in body.inputs}, **names}
    nodes = substitute([*updates, *stacked.values(), *named], opened)
    loop = close(
        Opened(
            index=index,
            start=node["start"],
            count=node["count"],
            reverse=node["reverse"],
            inits=tuple(tangents[k] or _zeros(node.args[k]) for k in moving),
            placeholders=tuple(dots[k] for k in moving),
            updates=tuple(nodes[: len(moving)]),
            stacked=tuple(nodes[len(moving) : len(moving) + len(stacked)]),
            names=dict(zip(nodes[len(moving) + len(stacked) :], named.values(), strict=True)),
            follows=followed(node),
        )
    )
    results = {k: final(loop, n) for n, k in enumerate(moving)}
    results |= {m + k: history(loop, n) for n, k in enumerate(moving)}
    return results | {2 * m + j: stack(loop, n) for n, j in enumerate(stacked)}


def _moving(
    body: Body, m: int, tangents: Tangents, dots: Mapping[int, Node], push: Push
) -> tuple[list[int], dict[Node, Node]]:
    """The carried values that have tangents, and the tangents in a step: what a step gives one it has in the next."""
    moving = {i for i, dot in enumerate(tangents) if dot is not None}
    while True:
        found = push(body.outputs, {body.inputs[i]: dots[i] for i in sorted(moving)})
        more = {k for k, output in enumerate(body.outputs[:m]) if output in found} - moving
        if not more:
            return sorted(k for k in moving if k < m), found
        moving |= more


def _branch(node: Node, tangents: Tangents, push: Push) -> dict[int, Node]:
    sides = [_side(body, node, tangents, push) for body in (node["then"], node["other"])]
    reached = sorted({k for side in sides for k in side})
    outputs = node["then"].outputs
    then, other = ([side.get(k) or _zeros(outputs[k]) for k in reached] for side in sides)
    given = {*node.args, *(dot for dot in tangents if dot is not None)}
    branch = close_branch(node.args[0], then, other, outside=given)
    return {k: result(branch, n) for n, k in enumerate(reached)}


def _side(body: Body, node: Node, tangents: Tangents, push: Push) -> dict[int, Node]:
    """The tangents of the outputs of one side, over the nodes around the branch."""
    given = {p: dot for p, dot in zip(body.inputs, tangents[1:], strict=True) if dot is not None}
    stand_ins = {
        p: input_node(f"_d{i}", p.type) for i, p in enumerate(given)
    }  # bodies inside bodies share placeholders
    found = push(body.outputs, stand_ins)
    reached = [k for k, output in enumerate(body.outputs) if output in found]
    actual = dict(zip(body.inputs, node.args[1:], strict=True)) | {stand_ins[p]: dot for p, dot in given.items()}
    return dict(zip(reached, substitute([found[body.outputs[k]] for k in reached], actual), strict=True))


def _zeros(like: Node) -> Node:
    return build.zeros(like.shape, like.type.dtype)
