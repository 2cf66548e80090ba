"""A graph: inputs, outputs, and what the user calls the nodes between them.

Names and origins are beside the nodes, not in them: two graphs may share a node and call it
differently. A graph is immutable; a pass makes another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from graphc.errors import LimitError, Span
from graphc.ir.node import Node, make, topological
from graphc.ir.op import Op
from graphc.ir.writing import write_listing

if TYPE_CHECKING:
    import networkx
    import sympy

MAX_NODES = 2_000_000


@dataclass(frozen=True, eq=False)
class Graph:
    """A static, typed DAG.

    inputs: `input` nodes, in the order of the signature.
    outputs, output_names: the results and what they are called.
    names: what the user, or a pass, calls a node.  origin: where in the source a node came from.
    title: the file or function it came from, for headers and errors.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    output_names: tuple[str, ...]
    names: Mapping[Node, str] = field(default_factory=lambda: MappingProxyType({}))
    origin: Mapping[Node, Span] = field(default_factory=lambda: MappingProxyType({}))
    title: str = "<graph>"

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every node that the outputs need, arguments first."""
        order = topological(self.outputs)
        count = len(order) + _count_inside(order)
        if count > MAX_NODES:
            raise LimitError("G003", f"the graph has {count:,} nodes; the limit is 2 million")
        return tuple(order)

    @cached_property
    def ops(self) -> tuple[Op, ...]:
        """The ops of the nodes, each once: what a pass looks for is most often not there."""
        return tuple(dict.fromkeys([node.op for node in self.nodes]))

    @cached_property
    def users(self) -> Mapping[Node, tuple[Node, ...]]:
        """The nodes that use each node, once for each use, in topological order."""
        table: dict[Node, list[Node]] = {node: [] for node in self.nodes}
        for node in self.nodes:
            for arg in node.args:
                table[arg].append(node)
        return {node: tuple(users) for node, users in table.items()}

    @cached_property
    def input_names(self) -> tuple[str, ...]:
        return tuple(node["name"] for node in self.inputs)

    def input(self, name: str) -> Node:
        """The input called `name`. ValueError if there is none."""
        return self.inputs[self.input_names.index(name)]

    def mapped(self, function: Callable[[Node], Node]) -> Graph:
        """This graph with its outputs replaced by `function` of them, names and origins carried.

        `function` must be defined on every node of this graph. When two named nodes become one,
        the first name stays; a name of an output wins over the others.
        """
        outputs = tuple(function(node) for node in self.outputs)
        names: dict[Node, str] = {}
        origin: dict[Node, Span] = {}
        for node in self.nodes:
            if node in self.names:
                names.setdefault(function(node), self.names[node])
            if node in self.origin:
                origin.setdefault(function(node), self.origin[node])
        graph = replace(self, outputs=outputs, names=names, origin=origin)
        if outputs == self.outputs:
            vars(graph).update(nodes=self.nodes, ops=self.ops)  # the same ones: there is no need to walk again
        return graph

    def __str__(self) -> str:
        """The listing, which `graphc.ir.listing.parse_listing` reads back."""
        return write_listing(self)

    def __repr__(self) -> str:
        return f"<Graph {self.title}: {len(self.nodes)} nodes>"

    def __reduce__(self) -> tuple[object, ...]:
        """Flat, so that a deep graph pickles without recursion. Origins are not kept."""
        number = {node: i for i, node in enumerate(topological([*self.inputs, *self.outputs]))}
        rows = [(n.op, tuple(number[a] for a in n.args), n.attrs) for n in number]
        names = [(number[node], name) for node, name in self.names.items() if node in number]
        inputs = tuple(number[n] for n in self.inputs)
        outputs = tuple(number[n] for n in self.outputs)
        return _restore, (rows, inputs, outputs, self.output_names, names, self.title)

    def to_networkx(self) -> networkx.DiGraph[int]:
        """A networkx digraph: one vertex a node, numbered in topological order.

        Vertices have `op`, `type` and, where there is one, `name`; edges have `position`.
        """
        import networkx  # loaded where it is used: start-up stays light

        number = {node: i for i, node in enumerate(self.nodes)}
        digraph: networkx.DiGraph[int] = networkx.DiGraph()
        for node, i in number.items():
            label = node["name"] if node.op.name == "input" else self.names.get(node)
            extra = {} if label is None else {"name": label}
            digraph.add_node(i, op=node.op.name, type=str(node.type), **extra)
        for node, i in number.items():
            for position, arg in enumerate(node.args):
                digraph.add_edge(number[arg], i, position=position)
        return digraph

    def to_sympy(self) -> sympy.Basic | tuple[sympy.Basic, ...]:
        """The SymPy expression of a graph of scalars, a tuple of them for several outputs.

        Raises UnsupportedError for arrays and for ops without a formula.
        """
        expressions: sympy.Basic | tuple[sympy.Basic, ...]
        expressions = import_module("graphc.frontends.sympy").to_sympy(self)  # a room below, when asked for
        return expressions


def _count_inside(nodes: Iterable[Node]) -> int:
    """The nodes in the bodies of loops and branches, those in bodies inside bodies included."""
    bodies = [b.graph for n in nodes if "control" in n.op.traits for b in n.attrs if hasattr(b, "graph")]
    return sum(len(body.nodes) + _count_inside(body.nodes) for body in bodies)


def _restore(
    rows: list[tuple[Op, tuple[int, ...], tuple[object, ...]]],
    inputs: tuple[int, ...],
    outputs: tuple[int, ...],
    output_names: tuple[str, ...],
    names: list[tuple[int, str]],
    title: str,
) -> Graph:
    """Unpickle a graph."""
    nodes: list[Node] = []
    for op, args, attrs in rows:
        nodes.append(make(op, [nodes[a] for a in args], **dict(zip(op.attrs, attrs, strict=True))))
    return Graph(
        inputs=tuple(nodes[i] for i in inputs),
        outputs=tuple(nodes[i] for i in outputs),
        output_names=output_names,
        names={nodes[i]: name for i, name in names},
        title=title,
    )
