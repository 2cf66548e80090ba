"""The derivative of a model as formulas, for reading: stages that are used twice have names.

    1 / (1 + exp(-x))     ->     s = sigmoid(x)
                                 df/dx = s * (1 - s)

The cotangent of each output is 1: these are the gradients of a scalar, or of the sum of an array.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from graphc.emit.names import Namer
from graphc.emit.spelling import spell
from graphc.expr import build
from graphc.ir.graph import Graph
from graphc.ir.leaf import const_node
from graphc.ir.node import Node, rebuild
from graphc.passes.pipeline import Joint
from graphc.rewrite.engine import Engine
from graphc.rules import SIMPLIFY

COSTLY = 0.8  # ns an element: from exp on, a value of the forward pass is worth a name
MAX_STAGES = 200  # lines
_LETTERS = {
    "sigmoid": "s", "tanh": "t", "softmax": "p", "exp": "e", "log": "l", "sqrt": "r", "logsumexp": "lse",
    "log_softmax": "logp", "matmul": "z", "add": "u", "subtract": "r", "multiply": "v", "divide": "q", "sum": "total",
}  # fmt: skip
_PLAIN = ("negative", "transpose", "expand_dims", "squeeze", "broadcast_to", "astype", "greater", "less")


def gradient_formulas(joint: Joint, wrt: Sequence[str]) -> list[str]:
    """The lines: the stages that the gradients share, then each gradient."""
    graph = _seeded(joint)
    names = _stage_names(graph, joint.stable)
    lines = [f"{name} = {spell(node, names)}" for node, name in islice(names.items(), MAX_STAGES)]
    lines += [f"... and {len(names) - MAX_STAGES:,} more"] if len(names) > MAX_STAGES else []
    top = _numerator(joint.stable)
    for name, node in zip(wrt, graph.outputs, strict=True):
        lines.append(f"{top}/d{name} = {names.get(node) or spell(node, names)}")
    return lines


def _numerator(graph: Graph) -> str:
    """`df`, `dsum(f)` of an array, `(df + dg)` of several outputs."""
    parts = []
    for name, node in zip(graph.output_names, graph.outputs, strict=True):
        called = "f" if name == "out" else name
        if node.type.is_float:
            parts.append(f"dsum({called})" if node.type.rank else f"d{called}")
    return parts[0] if len(parts) == 1 else f"({' + '.join(parts)})"


def _seeded(joint: Joint) -> Graph:
    """The gradients with every cotangent 1, simplified again; what forward computes stays."""
    seeds = joint.graph.inputs[len(joint.stable.inputs) :]
    table = {seed: build.broadcast_to(const_node(1, seed.type.dtype), seed.shape) for seed in seeds}
    for node in joint.graph.nodes:
        if node not in table:
            table[node] = rebuild(node, [table[a] for a in node.args])
    outputs = tuple(table[node] for node in joint.gradient.outputs)
    graph = replace(joint.gradient, outputs=outputs, names=joint.stable.names, inputs=joint.stable.inputs)
    return Engine(SIMPLIFY).run(graph, fixed=joint.stable.nodes)


def _stage_names(graph: Graph, forward: Graph) -> dict[Node, str]:
    """Names for the values that stand for themselves, in the order of computation."""
    namer = Namer([*forward.input_names, *forward.names.values()])
    names: dict[Node, str] = {}
    for node in _stages(graph, set(forward.nodes)):
        names[node] = forward.names.get(node) or namer.fresh(_LETTERS.get(node.op.name, "g"))
    return names


def _stages(graph: Graph, forward: set[Node]) -> Iterator[Node]:
    """Values of the forward pass that cost much, and whatever is used twice and is no short formula."""
    uses = Counter(arg for node in graph.nodes for arg in set(node.args))
    for node in graph.nodes:
        if node.op.name in _PLAIN:
            continue
        shared = uses[node] > 1 and any(arg.args for arg in node.args)
        if shared or (node in forward and node.op.cost >= COSTLY):
            yield node
