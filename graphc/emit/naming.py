"""Names for every value of a program: inputs, then the user's names, then short ones of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphc.emit.names import Namer, describe, pre_activation
from graphc.ir.node import Node
from graphc.ir.sizes import names_of
from graphc.plan.program import Program, Statement
from graphc.plan.split import node_dims


@dataclass(eq=False)
class Names:
    """What every value is called in each function, and every size."""

    forward: dict[Node, str]
    backward: dict[Node, str]
    seeds: tuple[Node, ...]
    forward_sizes: dict[str, str]
    backward_sizes: dict[str, str]
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
    forward_sizes = {s: namer.fresh(s) for s in _sizes_of([*program.split.forward, *program.split.backward])}
    _name_statements(program.forward, forward, wanted, namer, graph.users)
    names = _backward_names(program, forward, wanted)
    names.forward_sizes = forward_sizes
    outer = Namer(n["name"] for n in inputs)
    names.local_value = outer.fresh(program.values.output_names[0])
    names.local_saved = "saved" if "saved" not in graph.input_names else outer.fresh("saved")
    return names


def _backward_names(program: Program, forward: Mapping[Node, str], wanted: Mapping[Node, str]) -> Names:
    graph = program.joint.graph
    seeds = graph.inputs[len(program.values.inputs) :]
    namer = Namer()
    backward: dict[Node, str] = {}
    for node in seeds:
        backward[node] = namer.fresh(node["name"])
    for node in program.split.saved:
        backward[node] = namer.fresh(forward.get(node) or "x")
    sizes = {s: namer.fresh(s) for s in _sizes_of(program.split.backward)}
    mine = dict(wanted)
    for node, ct in program.joint.cotangents.items():
        if node in forward and ct not in mine:
            mine[ct] = "d" + forward[node]
    for node, ct in program.joint.cotangents.items():
        users = graph.users.get(node, ())
        if ct not in mine and node.args and any(u.op.elementwise and u in forward for u in users):
            name = next(forward[u] for u in users if u.op.elementwise and u in forward)
            mine[ct] = "d" + pre_activation(name)
    for name, node in zip(graph.output_names[len(program.values.outputs) :], program.gradients, strict=True):
        mine.setdefault(node, name)
    _name_statements(program.backward, backward, mine, namer, graph.users)
    return Names(dict(forward), backward, seeds, {}, sizes)


def _name_statements(
    statements: Sequence[Statement],
    names: dict[Node, str],
    wanted: Mapping[Node, str],
    namer: Namer,
    users: Mapping[Node, Sequence[Node]],
) -> None:
    given = {**names, **wanted}
    fixed = [s.node for s in statements if s.node in wanted and s.node not in names]
    for node in fixed:
        names[node] = namer.fresh(wanted[node])
    follows = {s.reuse: s.node for s in statements if s.reuse is not None}
    for statement in statements:
        if statement.node not in names and statement.node not in follows:
            names[statement.node] = namer.fresh(describe(statement.node, given, users.get(statement.node, ())))
    for statement in reversed(statements):
        if statement.reuse is not None:
            names[statement.reuse] = names[statement.node]


def _sizes_of(nodes: Sequence[Node]) -> list[str]:
    return names_of(d for n in nodes for d in node_dims(n))
