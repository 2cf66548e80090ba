"""Forward mode: a graph in, the graph of its tangents out.

    z = x * y                 z_dot = x_dot * y + x * y_dot
    f = sin(z)       ->       f_dot = z_dot * cos(z)

One walk from the inputs to the outputs (Griewank and Walther, "Evaluating Derivatives", chapter 3).
An elementwise op scales tangents by its local partials, a linear op is applied to them, a bilinear
one follows the product rule. For every other op its adjoint says all: the adjoint is linear in the
cotangent, so J v is its transpose, the gradient of <vjp(ct), v> with respect to ct. Loops and branches
are in `loops_forward.py`. A tangent that is zero by structure is never made; one that is a small constant, as
those along unit vectors are, is made at once, and is none if it is zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from graphc.autodiff.implicit import pullback_solution
from graphc.autodiff.kinks import broken_lines, slope_of
from graphc.autodiff.loops_forward import pushforward_control
from graphc.autodiff.reverse import (
    active_nodes,
    fitted,
    fresh_name,
    partial_of,
    plus,
    pullback,
    scaled,
    source_of,
    transposed,
)
from graphc.errors import UnsupportedError
from graphc.expr import build
from graphc.ir.control import IMPLICIT, RESULT, has_insides, names_in, result
from graphc.ir.graph import Graph
from graphc.ir.interpret import evaluate_node
from graphc.ir.leaf import CONST, INPUT, const_node, input_node, scalar_value
from graphc.ir.node import Node, make, rebuild, topological

_COTANGENT = "_ct"  # names of inputs don't start with an underscore
_PLACES = frozenset({"*arrays", "order"})  # arguments of linear ops that are positions
Tangents = Sequence[Node | None]  # one an argument; None is zero
CONSTANT_LIMIT = 64  # elements of a tangent that is made at once


def jvp(graph: Graph, wrt: Sequence[str]) -> Graph:
    """The graph of the tangents of the outputs, given tangents of the inputs called `wrt`.

    Its inputs are those of `graph`, then a tangent, name + `_dot`, for each name in `wrt`; its outputs
    are the tangents of the floating-point outputs, of their shape and dtype. An output that depends on
    none of `wrt` has zeros.

    Raises UnknownNameError for a name that is no input, DtypeError G031 for an input that is not
    floating-point.
    """
    taken = {*graph.input_names, *graph.names.values()}
    sources = [source_of(graph, name) for name in wrt]
    seeds = [input_node(fresh_name(s["name"] + "_dot", taken), s.type) for s in sources]
    found = tangents_of(graph.outputs, dict(zip(sources, seeds, strict=True)))
    names = dict(graph.names)
    for node, tangent in found.items():
        if node in graph.names and tangent not in seeds:
            names.setdefault(tangent, graph.names[node] + "_dot")
    floats = [(n, o) for n, o in zip(graph.output_names, graph.outputs, strict=True) if o.type.is_float]
    return Graph(
        inputs=(*graph.inputs, *seeds),
        outputs=tuple(found.get(o) or build.zeros(o.shape, o.type.dtype) for _, o in floats),
        output_names=tuple(name + "_dot" for name, _ in floats),
        names=names,
        origin=graph.origin,
        title=graph.title,
    )


def tangents_of(outputs: Sequence[Node], seeds: Mapping[Node, Node]) -> dict[Node, Node]:
    """The tangent of every node that `outputs` need, given those of some nodes; what is left out is zero."""
    order = topological(outputs)
    active = active_nodes(order, seeds.keys())
    lines = broken_lines(order, seeds.keys())
    found: dict[Node, Node] = {}
    results: dict[Node, Mapping[int, Node]] = {}
    for node in order:
        if node not in active:
            continue
        if has_insides(node):
            results[node] = _results(node, [found.get(a) for a in node.args])
            continue
        if node in seeds:
            tangent: Node | None = seeds[node]
        elif node.op is RESULT:
            tangent = results[node.args[0]].get(node["k"])
        elif node in lines:
            along = found.get(lines[node].x)
            tangent = None if along is None else scaled(along, slope_of(lines[node]))
        else:
            tangent = pushforward(node, [found.get(a) for a in node.args])
        if tangent is not None and not _is_zero(tangent := constant_of(tangent) or tangent):
            found[node] = tangent
    return found


def constant_of(node: Node) -> Node | None:
    """The constant that a node is, if it is a small one and a step away from constants; None if it is not."""
    if node.op is CONST:
        return node
    size = node.type.size
    known = all(a.op is CONST for a in node.args) and node.op is not INPUT and not has_insides(node)
    if not known or not isinstance(size, int) or size > CONSTANT_LIMIT or any(names_in(node)):
        return None
    with np.errstate(all="ignore"):
        value = evaluate_node(node, [evaluate_node(a, [], {}) for a in node.args], {})
    return const_node(value, node.type.dtype)


def _is_zero(node: Node) -> bool:
    return node.op is CONST and scalar_value(node) == 0


def _results(node: Node, tangents: Tangents) -> Mapping[int, Node]:
    """The tangents of the results of a node that has several."""
    if all(t is None for t in tangents):
        return {}
    if node.op is not IMPLICIT:
        return pushforward_control(node, tangents, tangents_of)
    cts = {k: input_node(f"{_COTANGENT}{k}", node.args[k].type) for k in range(node["solved"])}
    wanted = [i for i, t in enumerate(tangents) if t is not None]
    pulled = pullback_solution(node, cts, wanted, transposed)
    pairs = [(fitted(back, node.args[i]), t) for i, back in pulled.items() if (t := tangents[i]) is not None]
    solutions = [result(node, k) for k in cts]
    found = transposed(pairs, list(cts.values()), known=(node, *node.args, *solutions))
    return {k: found[ct] for k, ct in cts.items() if ct in found}


def pushforward(node: Node, tangents: Tangents) -> Node | None:
    """The tangent of `node`, given those of its arguments; None is zero."""
    if all(t is None for t in tangents):
        return None
    total = _rule(node)(node, tangents)
    return None if total is None else _spread(total, node)


def _rule(node: Node) -> Callable[[Node, Tangents], Node | None]:
    if node.op.partials is not None:
        return _elementwise
    rules = [rule for trait, rule in _BY_TRAIT.items() if trait in node.op.traits]
    return rules[0] if rules else _through_the_adjoint


def _elementwise(node: Node, tangents: Tangents) -> Node | None:
    """The chain rule: the sum of tangents times local partials."""
    parts = [(t, partial_of(node, i)) for i, t in enumerate(tangents) if t is not None]
    return _sum([scaled(t, partial) for t, partial in parts if partial is not None])


def _linear(node: Node, tangents: Tangents) -> Node:
    """The op itself, on the tangents; arguments that say where things are stay."""
    names = node.op.args
    triples = zip(range(len(tangents)), node.args, tangents, strict=True)
    return rebuild(
        node, [a if names[min(i, len(names) - 1)] in _PLACES else t or _zeros(a, node) for i, a, t in triples]
    )


def _bilinear(node: Node, tangents: Tangents) -> Node | None:
    """The product rule."""
    (a, b), (da, db) = node.args, tangents
    parts = [(da, b) if da is not None else None, (a, db) if db is not None else None]
    return _sum([make(node.op, pair, **node.attributes) for pair in parts if pair is not None])


def _through_the_adjoint(node: Node, tangents: Tangents) -> Node | None:
    """The transpose of the adjoint."""
    if node.op.adjoint is None:
        raise UnsupportedError("G040", f"the derivative of `{node.op.name}` is not known")
    ct = input_node(_COTANGENT, node.type)
    pulled = [(pullback(node, ct, i), a, t) for i, (a, t) in enumerate(zip(node.args, tangents, strict=True)) if t]
    pairs = [(fitted(back, a), t) for back, a, t in pulled if back is not None]
    return transposed(pairs, [ct], known=(node, *node.args)).get(ct)


_BY_TRAIT = {"linear": _linear, "bilinear": _bilinear}


def _zeros(arg: Node, node: Node) -> Node:
    return build.zeros(arg.shape, node.type.dtype)


def _sum(parts: Sequence[Node]) -> Node | None:
    if not parts:
        return None
    total = parts[0]
    for part in parts[1:]:
        total = plus(total, part)
    return total


def _spread(tangent: Node, node: Node) -> Node:
    """The tangent with the shape and dtype of the value it belongs to."""
    return build.broadcast_to(build.astype(tangent, node.type.dtype), node.shape)
