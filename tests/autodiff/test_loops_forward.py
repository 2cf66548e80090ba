"""Tangents of loops and branches: the transpose of the adjoint, against differences, and through other transforms."""

from __future__ import annotations

import loop_programs as programs
import numpy as np
import pytest
from loop_programs import VALUES, A, H, W, X, op, total

from graphc.autodiff import gradient, jvp
from graphc.expr import build
from graphc.expr.implicit import Iteration, fixed_point
from graphc.expr.looping import close, open_loop, placeholder
from graphc.ir.control import LOOP, final, history
from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import input_node
from graphc.ir.verify import verify
from graphc.passes.pipeline import settled, stabilise

WRT = ("X", "W", "H", "A", "C")
RNG = np.random.default_rng(5)
DIRECTIONS = {name: RNG.normal(size=np.shape(VALUES[name])) for name in WRT}
DOTS = {f"{name}_dot": value for name, value in DIRECTIONS.items()}
STEP = 1e-5
STEPS = Size.named("steps")


def value_at(graph: Graph, distance: float) -> np.ndarray:
    return interpret(graph, {name: VALUES[name] + distance * DIRECTIONS[name] for name in WRT})[0]


def derivative(graph: Graph) -> float:
    """Along the directions, by gradients."""
    grads = interpret(gradient(graph, WRT), {**VALUES, "dy": 1.0})
    return sum(float(np.sum(g * DIRECTIONS[name])) for name, g in zip(WRT, grads, strict=True))


@pytest.mark.parametrize("program", programs.PROGRAMS)
def test_tangents_are_what_gradients_say(program: str) -> None:
    graph = programs.graph_of(program)
    tangent = verify(jvp(graph, WRT))
    (along,) = interpret(tangent, {**VALUES, **DOTS})
    assert along == pytest.approx(derivative(graph), rel=1e-12)
    difference = (value_at(graph, STEP) - value_at(graph, -STEP)) / (2 * STEP)
    assert along == pytest.approx(difference, rel=1e-7)


@pytest.mark.parametrize("program", programs.PROGRAMS)
@pytest.mark.parametrize("wrt", WRT)
def test_one_input_at_a_time(program: str, wrt: str) -> None:
    """What does not move has no tangent, and carries none."""
    graph = programs.graph_of(program)
    (along,) = interpret(verify(jvp(graph, [wrt])), {**VALUES, f"{wrt}_dot": DIRECTIONS[wrt]})
    (grad,) = interpret(verify(gradient(graph, [wrt])), {**VALUES, "dy": 1.0})
    terms = grad * DIRECTIONS[wrt]
    assert along == pytest.approx(float(np.sum(terms)), rel=1e-12, abs=1e-14 * float(np.sum(abs(terms))))


@pytest.mark.parametrize("program", programs.PROGRAMS)
def test_forward_over_reverse_is_reverse_over_forward(program: str) -> None:
    graph = programs.graph_of(program)
    forward_over_reverse = jvp(gradient(graph, WRT), WRT)
    reverse_over_forward = gradient(jvp(graph, WRT), WRT)
    one = interpret(verify(forward_over_reverse), {**VALUES, "dy": 1.0, **DOTS})
    other = interpret(verify(reverse_over_forward), {**VALUES, **DOTS, "dy_dot": 1.0})
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("program", ["history", "stacks, down", "nested", "branch in a loop", "while"])
def test_tangents_in_their_final_form(program: str) -> None:
    graph = programs.graph_of(program)
    tangent = jvp(stabilise(graph)[0], WRT)
    both = Graph(tangent.inputs, (*stabilise(graph)[0].outputs, *tangent.outputs), ("y", "y_dot"), tangent.names)
    final_form = verify(settled(both).graph)
    for got, wanted in zip(interpret(final_form, {**VALUES, **DOTS}), interpret(both, {**VALUES, **DOTS}), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)


def test_what_nothing_moves_has_no_loop_of_tangents() -> None:
    graph = Graph((X, W, H, A), (build.add(final(programs.loop(programs.recurrent, H), 0), op("sin", A)),), ("y",))
    tangent = jvp(graph, ["A"])
    assert not [n for n in tangent.nodes if n.op is LOOP]


def test_single_precision_stays() -> None:
    x = input_node("x", H.type.with_dtype("float32"))
    node = programs.loop(lambda h: ((op("sin", h),), ()), x)
    tangent = jvp(Graph((x, X), (final(node, 0),), ("y",)), ["x"])
    value = np.array([0.5, 1.0], np.float32)
    (along,) = interpret(tangent, {"x": value, "X": VALUES["X"], "x_dot": np.ones(2, np.float32)})
    assert tangent.outputs[0].type.dtype == "float32" and along.dtype == np.float32


def test_how_often_a_while_went_is_found_out_before() -> None:
    """Halving is linear: nothing is read of the steps but their number. A second derivative comes after both."""
    node = programs.loop(lambda x: ((build.multiply(x, 0.5),), ()), H, count=STEPS, test=programs.large)
    graph = Graph((H,), (total(final(node, 0)),), ("y",))
    rows = Graph((H,), (history(node, 0),), ("rows",))
    halved = 0.5 ** (len(interpret(rows, VALUES)[0]) - 1)
    (along,) = interpret(verify(jvp(graph, ["H"])), {**VALUES, "H_dot": np.array([1.0, 3.0])})
    assert along == pytest.approx(4 * halved)
    back = gradient(graph, ["H"])
    np.testing.assert_allclose(interpret(verify(back), {**VALUES, "dy": 1.0})[0], halved)
    (again,) = interpret(verify(jvp(back, ["dy"])), {**VALUES, "dy": 1.0, "dy_dot": 2.0})
    np.testing.assert_allclose(again, 2 * halved)
    (opened,) = [n for n in back.nodes if n.op is LOOP and n["test"] is None]
    assert close(open_loop(opened)) is opened


def test_a_fixed_point() -> None:
    """x = cos(a x): x' = -sin(a x) x / (1 + a sin(a x))."""
    unknown = placeholder("i", 0, A.type)
    (x,) = fixed_point([A], [unknown], [op("cos", build.multiply(A, unknown))], Iteration("i", 1e-14, 500))
    graph = Graph((A,), (x,), ("y",))
    value, (along,) = interpret(graph, {"A": 0.7})[0], interpret(jvp(graph, ["A"]), {"A": 0.7, "A_dot": 2.0})
    slope = -np.sin(0.7 * value) * value / (1 + 0.7 * np.sin(0.7 * value))
    assert along == pytest.approx(2 * slope, rel=1e-12)
