"""The order of the passes.

stabilise      naive forms become stable ones             (correctness: always on)
               masks go into what they protect            (the same)
loops          what no step needs of another one is done for all steps at once
differentiate  the joint graph of values and gradients
simplify       closed forms for the gradients; what forward computes stays as it is
               masks, again, for what only gradients compute
loops          what loops backwards need of a step is saved; sums over steps are products of matrices
share          exponentials that several forms need are computed once

`Level` leaves some of them out, so that tests can say that no pass changes an answer. Users always get all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from graphc.autodiff.reverse import differentiate
from graphc.ir.control import has_control
from graphc.ir.graph import Graph
from graphc.ir.node import Node, topological
from graphc.passes.loop_rows import carry_rows
from graphc.passes.loops import solved
from graphc.passes.masks import send_masks
from graphc.passes.recurrence import shorten_loops
from graphc.passes.residuals import save_residuals
from graphc.passes.reuse import reuse_forward
from graphc.passes.share import share_exponentials
from graphc.rewrite.engine import Engine
from graphc.rewrite.rule import Step
from graphc.rules import SIMPLIFY, STABILISE


class Level(Enum):
    """Which passes run.  NONE: the chain rule alone.  STABLE: stabilise, then the chain rule.  FULL: all."""

    NONE = "none"
    STABLE = "stable"
    FULL = "full"


@dataclass(frozen=True, eq=False)
class Joint:
    """Values and gradients in one graph.

    values: the graph as given.  stable: after `stabilise`.
    raw: its gradient as the chain rule gives it.  graph: everything, simplified: the outputs of
    `stable`, then the gradients; the inputs of `stable`, then a cotangent for each float output.
    cotangents: for each forward node the node of `graph` that is its cotangent.
    steps: the rewrites before and after differentiation.
    """

    values: Graph
    stable: Graph
    raw: Graph
    graph: Graph
    cotangents: dict[Node, Node]
    before: tuple[Step, ...]
    after: tuple[Step, ...]

    @property
    def gradient(self) -> Graph:
        """The simplified gradient alone."""
        skip = len(self.stable.outputs)
        return replace(self.graph, outputs=self.graph.outputs[skip:], output_names=self.graph.output_names[skip:])


def stabilise(graph: Graph) -> tuple[Graph, tuple[Step, ...]]:
    """The graph in its stable normal form, and the rewrites that led there."""
    engine = Engine(STABILISE)
    masked, _ = send_masks(engine.run(graph))
    return masked, tuple(engine.steps)


def simplify(graph: Graph) -> tuple[Graph, tuple[Step, ...]]:
    """The graph under all rules for values; a gradient graph reaches its closed forms, too."""
    engine = Engine(SIMPLIFY)
    return engine.run(graph), tuple(engine.steps)


def simplify_derivative(graph: Graph, fixed: Sequence[Node]) -> Graph:
    """A graph of values and of derivatives as part of a larger one, in its simplest form.

    The nodes in `fixed`, those of the values, stay as they are; the derivatives are written over them.
    """
    simple = Engine(SIMPLIFY).run(graph, fixed=fixed)
    reused, _ = reuse_forward(simple, fixed)
    return send_masks(reused, fixed)[0]


def before_derivatives(graph: Graph) -> Graph:
    """A graph as it is differentiated: stable, and loops do in their steps only what depends on other steps."""
    return _short_loops(stabilise(graph)[0])[0]


def settled(graph: Graph) -> Joint:
    """A graph whose derivatives are among its outputs, all in simplest form: there is nothing left to differentiate."""
    looped, _ = _short_loops(graph, len(graph.outputs), settled=graph.nodes)
    shared, _ = share_exponentials(looped)
    nothing = replace(graph, outputs=(), output_names=())
    return Joint(graph, shared, nothing, shared, {}, (), ())


def further(joint: Joint, derivative: Graph) -> Joint:
    """A graph of other derivatives of the stable values of a joint graph, ready to be planned."""
    return settled(simplify_derivative(derivative, joint.stable.nodes))


def join(values: Graph, wrt: Sequence[str], level: Level = Level.FULL) -> Joint:
    """Everything from the graph of a model to the joint graph that is planned and emitted."""
    stable, before = (values, ()) if level is Level.NONE else stabilise(values)
    if level is Level.FULL:
        stable, _ = _short_loops(stable)
    derivative = differentiate(stable, wrt)
    raw = derivative.graph
    both = replace(
        raw,
        outputs=(*stable.outputs, *raw.outputs),
        output_names=(*stable.output_names, *raw.output_names),
    )
    if level is not Level.FULL:
        return Joint(values, stable, raw, both, derivative.cotangents, before, ())
    engine = Engine(SIMPLIFY)
    simple = engine.run(both, fixed=stable.nodes)
    reused, again = reuse_forward(simple, stable.nodes)
    masked, under = send_masks(reused, stable.nodes)
    looped, around = _short_loops(masked, len(stable.outputs))
    shared, last = share_exponentials(looped)

    def final(node: Node) -> Node:
        return last(around(under(again(engine.of(node)))))

    inside = set(raw.nodes)
    cotangents = {final(node): final(ct) for node, ct in derivative.cotangents.items() if ct in inside}
    return Joint(values, stable, raw, shared, cotangents, before, tuple(engine.steps))


def _short_loops(
    graph: Graph, values: int = 0, settled: Iterable[Node] | None = None
) -> tuple[Graph, Callable[[Node], Node]]:
    """The graph with loops that do, and save, no more than they must; and where its nodes went.

    values: how many of its outputs are values, whose nodes stay as they are when the rest is simplified.
    settled: if only some of these nodes do.
    """
    if not has_control(graph):
        return graph, lambda node: node
    plain, zeroth = solved(graph) if values else (graph, lambda node: node)
    carried, rows = carry_rows(plain)
    saved, first = save_residuals(carried)
    short, second = shorten_loops(saved)
    engine = Engine(SIMPLIFY)
    fixed = topological(short.outputs[:values])
    known = set(fixed if settled is None else settled)
    simple = engine.run(short, fixed=[node for node in fixed if node in known])

    def move(node: Node) -> Node:
        moved = second(first(rows(zeroth(node))))
        return engine.of(moved) if moved in inside else moved

    inside = set(short.nodes)
    return simple, move
