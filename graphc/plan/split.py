"""Forward and backward: what each computes, and what is handed from one to the other.

    joint graph of (loss; dW, db)   ->   forward: the nodes that loss needs
                                         backward: the other nodes that dW and db need
                                         saved: forward nodes and inputs that backward reads

What costs next to nothing to make again (constants, sizes, views of inputs) is made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.index import Range
from graphc.ir.leaf import INPUT
from graphc.ir.node import Node, topological


@dataclass(frozen=True, eq=False)
class Split:
    """forward, backward: nodes in the order in which they are computed, leaves included.

    saved: the residuals, in the order of the signature and then of computation.
    """

    forward: tuple[Node, ...]
    backward: tuple[Node, ...]
    saved: tuple[Node, ...]


def split(values: Graph, joint: Graph) -> Split:
    """Split `joint`, whose first outputs are those of `values`."""
    count = len(values.outputs)
    gradients = joint.outputs[count:]
    forward = topological(joint.outputs[:count])
    kept = set(forward) - _free(forward)
    order = backward_order(gradients)
    needed = set(gradients)
    for node in reversed(order):
        if node in needed and node not in kept:
            needed |= set(node.args)
    backward = [n for n in order if n in needed and n not in kept]
    seeds = set(joint.inputs[len(values.inputs) :])
    passing = dict.fromkeys([*values.inputs, *forward])
    saved = [n for n in passing if n in needed and (n in kept or n.op is INPUT) and n not in seeds]
    return Split(tuple(forward), tuple(backward), tuple(saved))


def _free(forward: Sequence[Node]) -> set[Node]:
    """What is made again rather than saved: constants, arrays made from sizes, views of inputs."""
    free: set[Node] = set()
    for node in forward:
        view = "view" in node.op.traits and len(node.args) == 1
        if (not node.args and node.op is not INPUT) or (view and (node.args[0] in free or node.args[0].op is INPUT)):
            free.add(node)
    return free


def backward_order(gradients: Sequence[Node]) -> list[Node]:
    """Gradients of the last layer come first, as the chain rule goes."""
    if len(gradients) > 64:  # the order is for readers
        return topological(gradients)
    ranked = sorted(range(len(gradients)), key=lambda i: (_depth(gradients[i]), i))
    return topological([gradients[i] for i in ranked])


def _depth(gradient: Node) -> int:
    """The number of nodes that a gradient needs: few for the last layer, many for the first."""
    return len(topological([gradient]))


def node_dims(node: Node) -> list[Size]:
    """The named sizes that the text of a node mentions: those in its attributes."""
    found: list[Size] = []
    stack: list[Any] = list(node.attrs) if node.op is not INPUT else []
    while stack:
        value = stack.pop()
        if isinstance(value, Size):
            found.append(value)
        elif isinstance(value, Range):
            stack += (value.start, value.stop)
        elif isinstance(value, tuple):
            stack += value
    return found[::-1]
