"""Reverse mode: a graph in, the graph of its gradients out.

    z = x * y                 dx = dz * y
    f = z + x       ->        dz = df;  dx = df + dz * y;  dy = dz * x

One walk from the outputs to the inputs. Each node's cotangent is the sum of what its users send
(gradients add at forks); each user sends its cotangent times its local partial (the chain rule;
Griewank and Walther, "Evaluating Derivatives", chapter 3). Where an argument was broadcast its
cotangent is summed back, here and nowhere else. A cotangent that is zero by structure is never
made, and a branch from which no requested input can be reached is never entered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from graphc.autodiff.implicit import pullback_solution
from graphc.autodiff.kinks import broken_lines, slope_of
from graphc.autodiff.loops import pullback_control
from graphc.errors import DtypeError, UnknownNameError, UnsupportedError, did_you_mean
from graphc.expr import build
from graphc.expr.formula import Call, Literal, instantiate, parse_formula
from graphc.ir.control import IMPLICIT, RESULT, TUPLE
from graphc.ir.graph import Graph
from graphc.ir.leaf import input_node, scalar_value
from graphc.ir.node import Node, topological

MAX_FACTORS = 12  # of a partial that a cotangent is multiplied by one after the other


class Derivative(NamedTuple):
    """A gradient graph, and the cotangent in it of each forward node on the way."""

    graph: Graph
    cotangents: dict[Node, Node]


def gradient(graph: Graph, wrt: Sequence[str]) -> Graph:
    """The graph of the gradients of `graph` with respect to the inputs called `wrt`.

    Its inputs are those of `graph`, then one cotangent `d` + name for each floating-point output;
    its outputs are the gradients, called `d` + name, of the shape and dtype of their input.
    An input that no output depends on has zeros.

    Raises UnknownNameError for a name that is no input, DtypeError G031 for an input that is not
    floating-point.
    """
    return differentiate(graph, wrt).graph


def differentiate(graph: Graph, wrt: Sequence[str]) -> Derivative:
    """`gradient`, with the cotangents of the nodes in between."""
    sources = [source_of(graph, name) for name in wrt]
    taken = {*graph.input_names, *graph.names.values()}
    cotangents: dict[Node, list[Node]] = {}
    seeds: list[Node] = []
    for name, output in zip(graph.output_names, graph.outputs, strict=True):
        if output.type.is_float:
            seed = input_node(fresh_name("d" + name, taken), output.type)
            seeds.append(seed)
            cotangents.setdefault(output, []).append(seed)
    totals = _backward(graph.nodes, set(sources), cotangents)
    names = dict(graph.names)
    for node, ct in totals.items():
        label = node["name"] if node in graph.inputs else graph.names.get(node)
        if label is not None and ct not in seeds:
            names.setdefault(ct, "d" + label)
    result = Graph(
        inputs=(*graph.inputs, *seeds),
        outputs=tuple(totals.get(s) or build.zeros(s.shape, s.type.dtype) for s in sources),
        output_names=tuple("d" + name for name in wrt),
        names=names,
        origin=graph.origin,
        title=graph.title,
    )
    return Derivative(result, totals)


def transposed(
    pairs: Sequence[tuple[Node, Node]], sources: Sequence[Node], known: Collection[Node] = ()
) -> dict[Node, Node]:
    """The cotangents of `sources` and of the nodes between, given (output, its cotangent); others are zero.

    known: nodes that depend on no source; nothing below them is looked at.
    """
    cotangents: dict[Node, list[Node]] = {}
    for output, ct in pairs:
        if output.type.is_float:
            cotangents.setdefault(output, []).append(ct)
    return _backward(topological([output for output, _ in pairs], known), set(sources), cotangents)


def source_of(graph: Graph, name: str) -> Node:
    if name not in graph.input_names:
        known = ", ".join(graph.input_names) or "none"
        hint = did_you_mean(name, graph.input_names) or f"the inputs are: {known}"
        raise UnknownNameError("G010", f"`{name}` is not an input", hint=hint)
    node = graph.input(name)
    if not node.type.is_float:
        raise DtypeError(
            "G031",
            f"`{name}` is {node.type}: there is no gradient with respect to it",
            hint=f"declare it as f64, or leave `{name}` out of wrt",
        )
    return node


def fresh_name(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _backward(order: Sequence[Node], sources: set[Node], cotangents: dict[Node, list[Node]]) -> dict[Node, Node]:
    """The total cotangent of every node on a path from a source to an output; `order` has arguments first."""
    active = active_nodes(order, sources)
    lines = broken_lines(order, sources)
    totals: dict[Node, Node] = {}
    results: dict[Node, dict[int, Node]] = {}
    for node in reversed(order):
        if node in results:
            wanted = [i for i, a in enumerate(node.args) if a in active]
            if node.op is IMPLICIT:
                found = pullback_solution(node, results[node], wanted, transposed)
            else:
                found = pullback_control(node, results[node], wanted, transposed, active_nodes)
            for i, back in found.items():
                cotangents.setdefault(node.args[i], []).append(fitted(back, node.args[i]))
            continue
        parts = cotangents.pop(node, None)
        if parts is None or node not in active:
            continue
        total = parts[-1]  # the sum reads in the order of the forward pass
        for part in parts[-2::-1]:
            total = plus(total, part)
        totals[node] = total
        if node.op is RESULT:
            results.setdefault(node.args[0], {})[node["k"]] = total
            continue
        if node in lines:
            line = lines[node]
            cotangents.setdefault(line.x, []).append(fitted(scaled(total, slope_of(line)), line.x))
            continue
        for i, arg in enumerate(node.args):
            if arg in active:
                ct = pullback(node, total, i)
                if ct is not None:
                    cotangents.setdefault(arg, []).append(fitted(ct, arg))
    return totals


def plus(total: Node, part: Node) -> Node:
    """A sum of cotangents or of tangents; what comes with a minus sign is subtracted."""
    return build.subtract(total, part.args[0]) if part.op.name == "negative" else build.add(total, part)


def active_nodes(order: Sequence[Node], sources: Collection[Node]) -> set[Node]:
    """The nodes that depend on a source through differentiable operations."""
    active: set[Node] = set()
    for node in order:
        if node in sources or (
            (node.type.is_float or node.type == TUPLE)
            and any(carries(node, i) for i, a in enumerate(node.args) if a in active)
        ):
            active.add(node)
    return active


def carries(node: Node, i: int) -> bool:
    """Whether a derivative flows to the argument `i` of a node."""
    return node.op.partials is None or node.op.partials[i] is not None


def pullback(node: Node, ct: Node, i: int) -> Node | None:
    """What `node` sends to its argument `i` when its own cotangent is `ct`, before un-broadcasting."""
    op = node.op
    if op.partials is not None:
        formula = op.partials[i]
        return None if formula is None else _through(ct, parse_formula(formula), _scope(node))
    if op.adjoint is None:
        raise UnsupportedError("G040", f"the derivative of `{op.name}` is not known")
    return op.adjoint(build, node, ct, i)


def partial_of(node: Node, i: int) -> build.Value | None:
    """The local derivative of an elementwise node by its argument `i`; None where none flows."""
    formula = (node.op.partials or ())[i]
    return None if formula is None else instantiate(parse_formula(formula), _scope(node))


def _scope(node: Node) -> dict[str, Any]:
    """What the names in a partial stand for."""
    scope: dict[str, Any] = dict(zip(node.op.args, node.args, strict=True))
    if node.attrs:
        scope |= node.attributes
    scope["y"] = node
    return scope


_ONE = Literal(1)


def _through(ct: Node, formula: Any, scope: Mapping[str, Any]) -> Node:
    """`scaled(ct, formula)`; of a product of a partial's parts only what is used is made."""
    if not isinstance(formula, Call) or formula.op not in ("negative", "multiply", "divide"):
        return scaled(ct, instantiate(formula, scope))
    if _is_masked(ct):
        return build.where(ct.args[0], _through(ct.args[1], formula, scope), 0)
    return _times_formula(ct, formula, scope)


def _times_formula(ct: Node, formula: Any, scope: Mapping[str, Any]) -> Node:
    """`_times(ct, formula)`; a product with a number in it is made, for the number takes its dtype there."""
    if isinstance(formula, Call) and formula.op == "negative":
        return build.negative(_times_formula(ct, formula.args[0], scope))
    if isinstance(formula, Call) and formula.op in ("multiply", "divide"):
        first, second = formula.args
        if formula.op == "divide" and first == _ONE:
            return build.divide(ct, instantiate(second, scope))
        if formula.op == "multiply" and not isinstance(first, Literal) and not isinstance(second, Literal):
            return build.multiply(_times_formula(ct, first, scope), instantiate(second, scope))
    partial = instantiate(formula, scope)
    assert isinstance(partial, Node)
    return _times(ct, partial)


def scaled(ct: Node, partial: build.Value) -> Node:
    """`ct * partial`, also for tangents; masks go outside, so that an infinite slope under a false mask gives 0."""
    if not isinstance(partial, Node):
        value: float | None = partial
    else:
        value = None if partial.shape else scalar_value(partial)
    if value is not None:
        return ct if value == 1 else build.negative(ct) if value == -1 else build.multiply(value, ct)
    assert isinstance(partial, Node)
    if partial.type.dtype == "bool":
        return _masked(ct, partial)
    if partial.op.name == "where" and any(scalar_value(a) is not None for a in partial.args[1:]):
        c, a, b = partial.args
        return build.where(c, _branch(ct, a), _branch(ct, b))
    if _is_masked(ct):
        return build.where(ct.args[0], scaled(ct.args[1], partial), 0)
    return _times(ct, partial)


def _masked(ct: Node, mask: Node) -> Node:
    """`ct` where the mask is true, else 0; a mask over another one is one mask, so that they don't pile up."""
    if _is_masked(ct):
        return build.where(build.apply("logical_and", ct.args[0], mask), ct.args[1], 0)
    return build.where(mask, ct, 0)


def _is_masked(ct: Node) -> bool:
    """Whether a cotangent is 0 where a mask is false."""
    return ct.op.name == "where" and scalar_value(ct.args[2]) == 0


def _times(ct: Node, partial: Node) -> Node:
    """`ct * partial`, factor by factor from the left, so that stages are shared: df / den * f.

    A long product is used whole, as forward computed it: factor by factor each of its parts would cost as much again.
    """
    layers: list[Node] = []
    first = partial
    while first.op.name in ("negative", "multiply"):
        layers.append(first)
        first = first.args[0]
        if len(layers) > MAX_FACTORS:
            return build.multiply(ct, partial)
    inverse = first.op.name == "divide" and scalar_value(first.args[0]) == 1
    result = build.divide(ct, first.args[1]) if inverse else build.multiply(ct, first)
    for layer in reversed(layers):
        result = build.negative(result) if layer.op.name == "negative" else build.multiply(result, layer.args[1])
    return result


def _branch(ct: Node, slope: Node) -> build.Value:
    value = scalar_value(slope)
    return 0.0 if value == 0 else scaled(ct, slope if value is None else value)


def fitted(ct: Node, arg: Node) -> Node:
    """The cotangent with the shape and dtype of the value it belongs to."""
    return build.astype(build.unbroadcast(ct, arg), arg.type.dtype)
