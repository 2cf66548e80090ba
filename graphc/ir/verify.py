"""What holds of every graph, before and after every pass."""

from __future__ import annotations

from graphc.errors import InternalError
from graphc.ir.control import LOOP, bodies, has_insides, names_in
from graphc.ir.graph import Graph
from graphc.ir.leaf import INPUT
from graphc.ir.node import make
from graphc.ir.sizes import names_of


def verify(graph: Graph) -> Graph:
    """Return the graph unchanged, or raise InternalError naming what is wrong with it.

    Every node is interned and has the type its op gives; every input that is used is declared,
    once; there is one name for each output; names are identifiers. The same holds of the bodies of
    loops and branches, and the index of a loop is a size inside it only.
    """
    _verify(graph, frozenset())
    return graph


def _verify(graph: Graph, around: frozenset[str]) -> None:
    """`verify` of a graph inside loops over the indices `around`."""
    declared = set(graph.inputs)
    if len({node["name"] for node in graph.inputs}) != len(graph.inputs):
        raise InternalError("G090", "two inputs have one name")
    for node in graph.nodes:
        if node.op is INPUT and node not in declared:
            raise InternalError("G090", f"the input `{node['name']}` is not declared")
        if node is not make(node.op, node.args, **node.attributes):
            raise InternalError("G090", f"{node!r} is not the interned node of its structure")
        type = node.op.infer([a.type for a in node.args], node.attributes)
        if node.type != type:
            raise InternalError("G090", f"{node!r} should have the type {type}")
    if len(graph.outputs) != len(graph.output_names):
        raise InternalError("G090", "outputs and their names differ in number")
    for name in graph.names.values():
        if not name.isidentifier():
            raise InternalError("G090", f"`{name}` is not an identifier")
    for node in filter(has_insides, graph.nodes):
        index = frozenset([node["index"]]) if node.op is LOOP else frozenset()
        if index & around:
            raise InternalError("G090", f"a loop over {node['index']} is inside another one over it")
        for body in bodies(node):
            _verify(body.graph, around | index)
    _verify_sizes(graph, {node["index"] for node in graph.nodes if node.op is LOOP})


def _verify_sizes(graph: Graph, indices: set[str]) -> None:
    """Whether no node outside a loop has its index among its sizes."""
    for node in graph.nodes if indices else ():
        found = indices.intersection([*names_in(node), *names_of(node.shape)])
        if found:
            raise InternalError(
                "G090", f"{node!r} has the index {min(found)} of a loop in it, and is outside that loop"
            )
