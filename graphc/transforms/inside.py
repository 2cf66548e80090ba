"""A function as part of a trace that is going on: run on stand-ins, differentiated, put into the graph.

    gc.grad(f)(2 * x)      f runs on a fresh input u:  y = f(u),  du = dy/du;  then u is replaced by 2 * x

The stand-ins keep perturbations apart: what f takes from outside is a constant to this derivative,
even if it is what stands behind the argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.errors import DtypeError
from graphc.expr import build
from graphc.frontends.numpy.structure import Shape, flatten, unflatten
from graphc.frontends.numpy.trace import output_node
from graphc.frontends.numpy.tracer import Tracer
from graphc.ir.graph import Graph
from graphc.ir.leaf import CONST, INPUT, input_node
from graphc.ir.node import Node, rebuild, topological
from graphc.passes.pipeline import simplify_derivative, stabilise
from graphc.transforms.arguments import is_numeric

Function = Callable[..., Any]
_UNNAMED = frozenset({INPUT, CONST})


def session_of(args: Sequence[Any], words: Mapping[str, Any]) -> Any:
    """The trace that is going on, if an argument belongs to one."""
    leaves = [leaf for a in (*args, *words.values()) for leaf in flatten(a)[0]]
    return next((leaf.session for leaf in leaves if type(leaf) is Tracer), None)


class Tree:
    """A structure of values as nodes: those that can be differentiated by have stand-ins, the rest stays.

    nodes: the values.  stand_ins: fresh inputs in their place.  value: the structure of the stand-ins.
    """

    def __init__(self, session: Any, value: Any, name: str = "") -> None:
        self._leaves, self._shape = flatten(value)
        self.nodes: list[Node] = []
        self.stand_ins: list[Node] = []
        given = []
        for leaf in self._leaves:
            if not _varies(leaf):
                given.append(leaf)
                continue
            node = output_node(session, leaf)
            if not node.type.is_float:
                raise session.placed(_no_derivative(node))
            self.nodes.append(node)
            self.stand_ins.append(_stand_in(session, node, name))
            given.append(session.like(leaf, self.stand_ins[-1]))
        self.value = unflatten(self._shape, given)

    def structured(self, values: Sequence[Any]) -> Any:
        """The structure with these in the place of the stand-ins, None for what has none."""
        left = iter(values)
        return unflatten(self._shape, [next(left) if _varies(leaf) else None for leaf in self._leaves])


def _varies(leaf: Any) -> bool:
    return type(leaf) is Tracer or is_numeric(leaf)


def _no_derivative(node: Node) -> DtypeError:
    return DtypeError(
        "G031",
        f"there is no derivative with respect to {node.type}",
        hint="convert it with .astype(float), or choose other argnums",
    )


def _stand_in(session: Any, node: Node, name: str) -> Node:
    stand_in = input_node(session.fresh_name(), node.type)
    label = name or label_of(session, node)
    if label:
        session.aliases[stand_in["name"]] = label
    return stand_in


def label_of(session: Any, node: Node) -> str:
    """What the user calls a node, "" if nothing."""
    if node.op is not INPUT:
        return session.names.get(node, "")  # type: ignore[no-any-return]
    name: str = node["name"]
    return session.aliases.get(name, "") if name.startswith("_") else name


@dataclass(frozen=True, eq=False)
class Stage:
    """A function that has been run on stand-ins.

    trees: the differentiated arguments.  result: what the function returned.  shape: of its first part,
    the value.  outputs: the leaves of the value, stable.  gaps: for each leaf whether it is None instead.
    names: what the user calls the nodes.
    """

    session: Any
    trees: tuple[Tree, ...]
    result: Any
    shape: Shape
    outputs: tuple[Node, ...]
    gaps: tuple[bool, ...]
    names: dict[Node, str]

    @property
    def inputs(self) -> list[Node]:
        return [node for tree in self.trees for node in tree.stand_ins]

    def value(self) -> Any:
        """The value, stable, over what stands behind the stand-ins."""
        outputs = substituted(self.outputs, _table(self.trees))
        return self.structured([self.session.wrapped(node) for node in outputs])

    def structured(self, values: Sequence[Any]) -> Any:
        """One for each output, in the structure of the value."""
        left = iter(values)
        return unflatten(self.shape, [None if gap else next(left) for gap in self.gaps])

    def actual(self, value: Any) -> Any:
        """Any other structure with what stands behind the stand-ins in its traced leaves."""
        leaves, shape = flatten(value)
        table = _table(self.trees)
        wrapped = self.session.wrapped
        return unflatten(shape, [wrapped(substituted([v.node], table)[0]) if type(v) is Tracer else v for v in leaves])

    def labels(self, found: Mapping[Node, Node], text: str) -> dict[Node, str]:
        """Names for derivatives, after those of what they belong to: text is "d{}" or "{}_dot"."""
        named = {**self.names, **{n: label_of(self.session, n) for n in self.inputs}}
        return {derivative: text.format(named[n]) for n, derivative in found.items() if named.get(n)}

    def finished(self, nodes: Sequence[Node], names: Mapping[Node, str], more: Sequence[Tree] = ()) -> list[Node]:
        """Derivatives in their simplest form, over what stands behind the stand-ins.

        The value's own nodes stay as they are, so that the derivatives are written over them.
        more: stand-ins that came later, those of tangents and cotangents.
        """
        kept = {n: name for n, name in names.items() if n.op not in _UNNAMED}
        graph = Graph(
            inputs=tuple(self.inputs),
            outputs=(*self.outputs, *nodes),
            output_names=tuple(f"out{i}" for i in range(len(self.outputs) + len(nodes))),
            names={**self.names, **kept},
        )
        simple = simplify_derivative(graph, topological(self.outputs))
        named = list(simple.names.items())
        count = len(self.outputs)
        back = substituted([*simple.outputs[count:], *(n for n, _ in named)], _table((*self.trees, *more)))
        for node, (_, name) in zip(back[len(nodes) :], named, strict=True):
            if node.op not in _UNNAMED:
                self.session.names.setdefault(node, name)
        return back[: len(nodes)]


def stage(
    session: Any,
    function: Function,
    args: Sequence[Any],
    words: Mapping[str, Any],
    places: Sequence[int],
    aux: bool = False,
    may_have_gaps: bool = False,
) -> Stage:
    """Run a function on stand-ins for the arguments at `places`.

    aux: it returns a pair, the value and anything.  may_have_gaps: it is a gradient, None for what is no array.
    """
    trees = {place: Tree(session, args[place]) for place in places}
    given = [trees[i].value if i in trees else a for i, a in enumerate(args)]
    result = session.convert(function)(*given, **words)
    leaves, shape = flatten(result[0] if aux else result)
    gaps = tuple(may_have_gaps and leaf is None for leaf in leaves)
    raw = [output_node(session, leaf) for leaf, gap in zip(leaves, gaps, strict=True) if not gap]
    inputs = [n for tree in trees.values() for n in tree.stand_ins]
    graph = Graph(tuple(inputs), tuple(raw), tuple(f"out{i}" for i in range(len(raw))))
    own = {n: session.names.pop(n) for n in graph.nodes if n in session.names}  # given again to what replaces them
    stable, _ = stabilise(Graph(graph.inputs, graph.outputs, graph.output_names, names=own))
    return Stage(session, tuple(trees[p] for p in places), result, shape, stable.outputs, gaps, dict(stable.names))


def seed_of(session: Any, value: Node, output: Node) -> Node:
    """A tangent or cotangent with the dtype and shape of its value."""

    def fitted() -> Node:
        return build.broadcast_to(build.astype(value, output.type.dtype), output.shape)

    return session.attempt(fitted, [output])  # type: ignore[no-any-return]


def _table(trees: Sequence[Tree]) -> dict[Node, Node]:
    return {s: n for tree in trees for s, n in zip(tree.stand_ins, tree.nodes, strict=True)}


def substituted(roots: Sequence[Node], table: Mapping[Node, Node]) -> list[Node]:
    """The roots with some nodes replaced."""
    made = dict(table)
    for node in topological(roots):
        if node not in made:
            made[node] = rebuild(node, [made[a] for a in node.args])
    return [made[root] for root in roots]
