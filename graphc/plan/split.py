"""Forward and backward: what each computes, and what is handed from one to the other.

    joint graph of (loss; dW, db)   ->   forward: the nodes that loss needs
                                         backward: the other nodes that dW and db need
                                         saved: forward nodes and inputs that backward reads

What costs next to nothing to make again (constants, sizes, views of inputs) is made again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphc.ir.control import LOOP, RESULT, history, in_order, names_in, sizes_in
from graphc.ir.dims import roots
from graphc.ir.graph import Graph
from graphc.ir.leaf import INPUT
from graphc.ir.node import Node, topological
from graphc.plan.lines import CONTROL
from graphc.plan.liveness import live, reached


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
    order = backward_order(joint, gradients)
    roots = list(joint.outputs[:count])
    while True:
        forward = live(roots)
        kept = set(forward) - _free(forward)
        needed = reached(order, gradients, kept)
        more = [n for n in order if n in needed and n not in kept and n.op is RESULT and n.args[0] in kept]
        if not more:
            break
        roots += more  # what loops of forward leave for backward
    backward = [n for n in order if n in needed and n not in kept]
    seeds = set(joint.inputs[len(values.inputs) :])
    passing = dict.fromkeys(n for n in [*values.inputs, *forward] if n.op not in CONTROL)
    saved = dict.fromkeys(n for n in passing if n in needed and (n in kept or n.op is INPUT) and n not in seeds)
    return Split(tuple(forward), tuple(backward), tuple(n for n in saved if history_of(n) not in saved))


def history_of(node: Node) -> Node | None:
    """For the last value of a loop its history, of which it is a row."""
    if node.op is not RESULT or node.args[0].op is not LOOP or node["k"] >= node.args[0]["carried"]:
        return None
    return history(node.args[0], node["k"])


def _free(forward: Sequence[Node]) -> set[Node]:
    """What is made again rather than saved: constants, arrays made from sizes, views of inputs."""
    free: set[Node] = set()
    for node in forward:
        made = not node.args and node.op not in (INPUT, *CONTROL)
        view = "view" in node.op.traits and len(node.args) == 1
        if made or (view and (node.args[0] in free or node.args[0].op is INPUT)):
            free.add(node)
    return free


def backward_order(joint: Graph, gradients: Sequence[Node]) -> list[Node]:
    """Gradients of the last layer come first, as the chain rule goes."""
    if len(gradients) > 64:  # the order is for readers
        return list(in_order(topological(gradients)))
    needs = _needs(joint.nodes, gradients)
    ranked = sorted(range(len(gradients)), key=lambda i: (needs[i], i))
    return list(in_order(topological([gradients[i] for i in ranked])))


def _needs(order: Sequence[Node], gradients: Sequence[Node]) -> list[int]:
    """How many nodes each gradient needs: few for the last layer, many for the first.

    One walk for all of them: a node has a bit for each gradient that needs it. `order` has arguments first.
    """
    needed_by = dict.fromkeys(order, 0)
    for i, gradient in enumerate(gradients):
        needed_by[gradient] |= 1 << i
    for node in reversed(order):
        bits = needed_by[node]
        if bits:
            for arg in node.args:
                needed_by[arg] |= bits
    counts = Counter(needed_by.values())
    return [sum(n for bits, n in counts.items() if bits >> i & 1) for i in range(len(gradients))]


def sizes_of(nodes: Iterable[Node]) -> list[str]:
    """The named sizes that the text of these nodes mentions, each once: those in their attributes."""
    with_attrs = (n for n in nodes if n.attrs and n.op not in (INPUT, RESULT))
    return list(dict.fromkeys(name for n in with_attrs for name in names_in(n)))


def roots_of(nodes: Iterable[Node]) -> list[str]:
    """The square roots among these sizes, as text, each once."""
    with_attrs = (n for n in nodes if n.attrs and n.op not in (INPUT, RESULT))
    found = (root for n in with_attrs for size, _ in sizes_in(n) for root in roots(size))
    return list(dict.fromkeys(map(str, found)))
