"""Rules, masks and sharing inside loops and branches, and across their borders; values and gradients stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

import graphc as gc
from graphc.autodiff import gradient
from graphc.expr import build
from graphc.expr.looping import Opened, close, close_branch, placeholder
from graphc.ir.control import LOOP, bodies, final, history, result
from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import input_node
from graphc.ir.node import Node
from graphc.ir.types import TensorType
from graphc.ir.verify import verify
from graphc.passes.masks import send_masks
from graphc.passes.pipeline import join, simplify, stabilise
from graphc.passes.reuse import reuse_forward
from graphc.passes.share import share_exponentials
from graphc.rewrite.engine import Engine
from graphc.rules import SIMPLIFY

T, k, t = map(Size.named, ("T", "k", "t"))
RNG = np.random.default_rng(0)
VALUES = {"X": RNG.normal(size=(4, 3)), "H": RNG.normal(size=3), "A": 0.5, "Z": 0.0}


def real(name: str, *shape: Size) -> Node:
    return input_node(name, TensorType("float64", shape))


X, H, A, Z = real("X", T, k), real("H", k), real("A"), real("Z")
INPUTS = (X, H, A, Z)
Step = Callable[..., tuple[Sequence[Node], Sequence[Node]]]


def op(name: str, *args: build.Value) -> Node:
    return build.apply(name, *args)


def total(x: Node) -> Node:
    return build.reduce("sum", x, tuple(range(x.type.rank)))


def row() -> Node:
    return build.at(X, 0, t)


def loop(step: Step, *inits: Node, test: Callable[..., Node] | None = None) -> Node:
    carried = [placeholder("t", i, init.type) for i, init in enumerate(inits)]
    updates, further = step(*carried)
    going = None if test is None else test(*carried)
    return close(Opened("t", 0, T, False, inits, tuple(carried), tuple(updates), tuple(further), going))


def graph_of(*outputs: Node) -> Graph:
    return verify(Graph(INPUTS, outputs, tuple(f"o{i}" for i in range(len(outputs)))))


def ops_inside(graph: Graph) -> list[str]:
    """The ops in the loops and branches of a graph, those in bodies inside bodies included."""
    found, pending = [], [body for node in graph.nodes for body in bodies(node)]
    while pending:
        nodes = pending.pop().graph.nodes
        found += [n.op.name for n in nodes]
        pending += [body for node in nodes for body in bodies(node)]
    return found


def assert_same(one: Graph, other: Graph, values: dict[str, object] = VALUES) -> None:
    for got, wanted in zip(interpret(other, values), interpret(one, values), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-13)


def naive_logsumexp(h: Node) -> tuple[list[Node], list[Node]]:
    return [op("log", build.add(op("exp", h), op("exp", row())))], []


def test_naive_forms_in_a_loop_become_stable() -> None:
    graph = graph_of(final(loop(naive_logsumexp, H), 0))
    stable, steps = stabilise(graph)
    assert "logaddexp" in ops_inside(verify(stable)) and "exp" not in ops_inside(stable)
    assert [s.rule.name for s in steps]
    assert_same(graph, stable)
    assert np.isfinite(interpret(stable, {**VALUES, "H": np.full(3, 800.0)})[0]).all()


def test_rules_see_across_the_border() -> None:
    p = build.reduce("softmax", X, (1,))
    graph = graph_of(final(loop(lambda h: ([build.add(h, op("log", build.at(p, 0, t)))], []), H), 0))
    stable, _ = stabilise(graph)
    assert "log_softmax" in [n.op.name for n in verify(stable).nodes]
    assert "log" not in ops_inside(stable)
    assert_same(graph, stable)


def nested(h: Node) -> tuple[list[Node], list[Node]]:
    inner = placeholder("s", 0, h.type)
    step = op("log", build.add(op("exp", inner), op("exp", row())))
    deep = close(Opened("s", 0, t + 1, False, (h,), (inner,), (step,)))
    return [build.multiply(final(deep, 0), 0.5)], []


def branching(h: Node) -> tuple[list[Node], list[Node]]:
    one = op("divide", 1, build.add(1, op("exp", build.negative(h))))
    node = close_branch(op("greater", total(h), 0.0), [one], [op("square", h)])
    return [result(node, 0)], []


@pytest.mark.parametrize(("step", "wanted"), [(nested, "logaddexp"), (branching, "sigmoid")])
def test_bodies_inside_bodies(step: Step, wanted: str) -> None:
    node = loop(step, H)
    graph = graph_of(final(node, 0), history(node, 0))
    for after in (stabilise(graph)[0], simplify(graph)[0]):
        assert wanted in ops_inside(verify(after)) and "exp" not in ops_inside(after)
        assert_same(graph, after)


def test_the_test_of_a_loop_is_simplified_too() -> None:
    steps = Size.named("steps")
    carried = placeholder("t", 0, A.type)
    test = op("greater", op("log", op("exp", carried)), -3.0)
    node = close(Opened("t", 0, steps, False, (A,), (carried,), (build.subtract(carried, 1.0),), (), test))
    graph = graph_of(final(node, 0))
    simple, _ = simplify(graph)
    assert ops_inside(verify(simple)).count("exp") == 0
    assert_same(graph, simple)


def test_names_stay_and_invariant_results_move_out() -> None:
    carried = placeholder("t", 0, H.type)
    z = build.multiply(op("log", op("exp", build.add(carried, row()))), op("log", op("exp", A)))
    node = close(Opened("t", 0, T, False, (H,), (carried,), (z,), names={carried: "h", z: "z"}))
    simple, _ = simplify(graph_of(final(node, 0)))
    (after,) = [n for n in verify(simple).nodes if n.op is LOOP]
    assert sorted(after["body"].names.values()) == ["h", "z"]
    assert A in after.args and "exp" not in ops_inside(simple)


# --- masks ---


def masked_row(h: Node) -> tuple[list[Node], list[Node]]:
    mask = op("greater", row(), 0.0)
    return [build.add(h, build.where(mask, op("log", row()), 0.0))], []


def masked_invariant(h: Node) -> tuple[list[Node], list[Node]]:
    """log(Z) does not change in the loop, and is not used there: Z is 0."""
    mask = op("greater", row(), 100.0)
    return [build.add(h, build.where(mask, op("log", Z), 0.0))], []


def nested_mask(h: Node) -> tuple[list[Node], list[Node]]:
    inner = placeholder("s", 0, h.type)
    (step,), _ = masked_invariant(inner)
    return [final(close(Opened("s", 0, 2, False, (h,), (inner,), (step,))), 0)], []


def masked_number(h: Node) -> tuple[list[Node], list[Node]]:
    """Code computes `log(Z) if c else 0` only where c is true; before the loop it would compute it always."""
    return [build.add(h, build.where(op("greater", total(h), 1e3), op("log", Z), 0.0))], []


@pytest.mark.parametrize("step", [masked_row, masked_invariant, masked_number, nested_mask])
def test_masks_go_into_loops(step: Step) -> None:
    graph = graph_of(total(final(loop(step, H), 0)))
    masked = verify(send_masks(graph)[0])
    assert_same(graph, masked)
    for wrt in ("X", "Z", "H"):
        (grad,) = interpret(verify(gradient(masked, [wrt])), {**VALUES, "do0": 1.0})
        assert np.isfinite(grad).all(), wrt


@pytest.mark.parametrize("carried", [False, True], ids=["rows", "histories"])
def test_numbers_that_are_computed_for_all_steps_at_once(carried: bool) -> None:
    """The code for them has arrays: nothing fails in the elements that are not used."""

    def step(h: Node, part: Node) -> tuple[list[Node], list[Node]]:
        x = part if carried else build.at(row(), 0, 0)
        logs = build.where(op("greater", x, 0.0), op("sqrt", op("log", op("add", x, 1.0))), 0.0)
        return [build.add(h, logs), op("sin", build.add(part, build.at(row(), 0, 1)))], []

    node = loop(step, A, Z)
    module = gc.compile(graph_of(final(node, 0)), wrt=("X", "A", "Z"))
    with np.errstate(all="raise"):
        value, grads = module.value_and_grad(**VALUES)
    assert np.isfinite(value) and all(np.isfinite(g).all() for g in grads)


def test_what_is_used_elsewhere_is_not_masked_for_a_loop() -> None:
    logs = op("log", A)
    mask = op("greater", row(), 100.0)
    node = loop(lambda h: ([build.add(h, build.where(mask, logs, 0.0))], []), H)
    graph = graph_of(total(final(node, 0)), logs)
    assert send_masks(graph)[0].outputs == graph.outputs


# --- exponentials, complements ---


def test_forms_of_one_array_share_their_exponentials_in_a_body() -> None:
    def step(h: Node) -> tuple[list[Node], list[Node]]:
        z = build.add(h, row())
        lse = build.reduce("logsumexp", z, (0,), True)
        return [build.multiply(build.reduce("softmax", z, (0,)), lse)], []

    graph = graph_of(final(loop(step, H), 0))
    shared, _ = share_exponentials(graph)
    assert ops_inside(verify(shared)).count("exp") == 1 and "softmax" not in ops_inside(shared)
    assert_same(graph, shared)


def test_complements_are_taken_from_what_is_beside_them() -> None:
    def step(h: Node) -> tuple[list[Node], list[Node]]:
        s = op("sigmoid", build.add(h, row()))
        return [build.multiply(s, op("sigmoid", build.negative(build.add(h, row()))))], []

    node = loop(step, H)
    graph = graph_of(final(node, 0))
    reused, _ = reuse_forward(graph, ())
    assert ops_inside(verify(reused)).count("sigmoid") == 1
    assert_same(graph, reused)
    assert reuse_forward(graph, graph.nodes)[0].outputs == graph.outputs, "what forward computes stays"


# --- everything ---


@pytest.mark.parametrize("step", [naive_logsumexp, nested, branching, masked_row, masked_invariant])
def test_the_joint_graph_has_the_values_and_the_gradients(step: Step) -> None:
    node = loop(step, H)
    graph = graph_of(total(build.multiply(final(node, 0), X)))
    joint = join(graph, ("X", "H"))
    verify(joint.graph)
    values = {**VALUES, "do0": 1.0}
    plain = gradient(stabilise(graph)[0], ["X", "H"])
    for got, wanted in zip(
        interpret(joint.graph, values), interpret(graph, values) + interpret(plain, values), strict=True
    ):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)


def test_a_fixed_loop_keeps_its_body() -> None:
    graph = graph_of(final(loop(naive_logsumexp, H), 0))
    assert Engine(SIMPLIFY).run(graph, fixed=graph.nodes).outputs == graph.outputs
