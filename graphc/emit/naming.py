"""Names for every value of a program: inputs, then the user's names, then short ones of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphc.emit.names import Namer, pre_activation
from graphc.emit.nested_names import Blocks, Naming, last_row, name_inside, places_of
from graphc.ir.node import Node
from graphc.plan.program import Program
from graphc.plan.split import history_of, roots_of, sizes_of


@dataclass(eq=False)
class Names:
    """What every value is called in each function, and every size."""

    forward: dict[Node, str]
    backward: dict[Node, str]
    seeds: tuple[Node, ...]
    forward_sizes: dict[str, str]
    backward_sizes: dict[str, str]
    forward_blocks: Blocks
    backward_blocks: Blocks
    local_value: str = "value"
    local_saved: str = "saved"


def name_everything(program: Program) -> Names:
    """Names for all statements: inputs, then the user's names, then our own."""
    graph = program.joint.graph
    inputs = program.values.inputs
    namer = Namer(n["name"] for n in inputs)
    forward = {n: n["name"] for n in inputs}
    wanted = dict(graph.names)
    for name, node in zip(program.values.output_names, program.final_values, strict=True):
        wanted.setdefault(node, name)
    forward_sizes = _size_names([*program.split.forward, *program.split.backward], namer)
    places = places_of(program.joint.values.nodes, program.joint.values.origin)
    naming = Naming(namer, forward_sizes, places)
    naming.statements(program.forward, forward, wanted, graph.users)
    names = _backward_names(program, forward, wanted, places)
    names.forward_sizes, names.forward_blocks = forward_sizes, naming.blocks
    outer = Namer(n["name"] for n in inputs)
    names.local_value = outer.fresh(program.values.output_names[0])
    names.local_saved = "saved" if "saved" not in graph.input_names else outer.fresh("saved")
    return names


def _size_names(nodes: Sequence[Node], namer: Namer) -> dict[str, str]:
    """What the sizes of these nodes are called; a square root, which has no name itself, is called r."""
    return {s: namer.fresh(s) for s in sizes_of(nodes)} | {text: namer.fresh("r") for text in roots_of(nodes)}


def _backward_names(
    program: Program, forward: Mapping[Node, str], wanted: Mapping[Node, str], places: Mapping[str, str]
) -> Names:
    graph = program.joint.graph
    seeds = graph.inputs[len(program.values.inputs) :]
    namer = Namer()
    backward: dict[Node, str] = {}
    for node in seeds:
        backward[node] = namer.fresh(node["name"])
    for node in program.split.saved:
        backward[node] = namer.fresh(_of_a_value(node, forward.get(node) or "x", wanted))
    for node in program.split.forward:
        rows = history_of(node)
        if rows in backward:
            backward[node] = last_row(backward[rows], node)
    sizes = _size_names(program.split.backward, namer)
    mine = dict(wanted)
    for node, ct in program.joint.cotangents.items():
        if node in forward and ct not in mine:
            mine[ct] = "d" + _of_a_value(node, forward[node], wanted)
    for node, ct in program.joint.cotangents.items():
        users = graph.users.get(node, ())
        if ct not in mine and node.args and any(u.op.elementwise and u in forward for u in users):
            name = next(forward[u] for u in users if u.op.elementwise and u in forward)
            mine[ct] = "d" + pre_activation(name)
    for name, node in zip(graph.output_names[len(program.values.outputs) :], program.gradients, strict=True):
        mine.setdefault(node, name)
    naming = Naming(namer, sizes, places)
    naming.statements(program.backward, backward, mine, graph.users)
    return Names(dict(forward), backward, seeds, {}, sizes, {}, naming.blocks)


def _of_a_value(node: Node, name: str, wanted: Mapping[Node, str]) -> str:
    """The name of a value; of the last row of a history what it is called inside the loop."""
    if name.isidentifier():
        return name
    return wanted.get(node) or name_inside(node, wanted) or name.partition("[")[0]
