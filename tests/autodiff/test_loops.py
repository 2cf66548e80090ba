"""Loops and branches backwards: against differences of the value, and twice."""

import loop_programs as programs
import numpy as np
import pytest

from graphc.autodiff import gradient
from graphc.expr import build
from graphc.expr.looping import close_branch
from graphc.ir.control import LOOP, final, result
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import const_node, input_node
from graphc.ir.types import TensorType
from graphc.ir.verify import verify

A, X, PROGRAMS, VALUES = programs.A, programs.X, programs.PROGRAMS, programs.VALUES
graph_of, loop, op, total = programs.graph_of, programs.loop, programs.op, programs.total
STEP = 1e-5


def differences(graph, values, name):
    slope = np.zeros_like(values[name])
    for i in np.ndindex(*slope.shape):
        by = np.zeros_like(slope)
        by[i] = STEP
        up, down = (interpret(graph, {**values, name: values[name] + d})[0] for d in (by, -by))
        slope[i] = (up - down) / (2 * STEP)
    return slope


@pytest.mark.parametrize("program", PROGRAMS)
def test_gradients_are_the_slopes(program):
    graph = graph_of(program)
    slopes = verify(gradient(graph, graph.input_names))
    for name, slope in zip(graph.input_names, interpret(slopes, {**VALUES, "dy": 1.0}), strict=True):
        np.testing.assert_allclose(slope, differences(graph, VALUES, name), rtol=1e-7, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("program", PROGRAMS)
def test_so_are_those_of_gradients(program):
    graph = graph_of(program)
    slopes = gradient(graph, graph.input_names)
    squares = [total(op("square", o)) for o in slopes.outputs]
    value = squares[0]
    for square in squares[1:]:
        value = build.add(value, square)
    twice = Graph(slopes.inputs, (value,), ("z",))
    values = {**VALUES, "dy": np.array(1.0)}
    found = interpret(verify(gradient(twice, graph.input_names)), {**values, "dz": 1.0})
    for name, slope in zip(graph.input_names, found, strict=True):
        np.testing.assert_allclose(slope, differences(twice, values, name), rtol=2e-6, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("steps", [0, 1])
def test_of_few_steps(steps):
    graph = graph_of("stacks")
    values = {**VALUES, "X": VALUES["X"][:steps], "C": VALUES["C"][:, :steps]}
    slopes = interpret(gradient(graph, graph.input_names), {**values, "dy": 1.0})
    for name, slope in zip(graph.input_names, slopes, strict=True):
        np.testing.assert_allclose(slope, differences(graph, values, name), rtol=1e-7, atol=1e-8, err_msg=name)


def test_what_no_result_depends_on_is_not_carried_back():
    def two(a, b):
        return (op("sin", a), op("sin", b)), ()

    node = loop(two, A, op("cos", A))
    back = gradient(Graph((A, X), (final(node, 0),), ("y",)), ("A",))
    assert [n["carried"] for n in back.nodes if n.op is LOOP and n["reverse"]] == [1]


def test_a_branch_that_is_not_taken_cannot_poison():
    condition = op("greater", A, const_node(0.0, "float64"))
    node = close_branch(condition, (op("log", A),), (build.multiply(A, 3.0),))
    graph = Graph((A,), (result(node, 0),), ("y",))
    slope = gradient(graph, ("A",))
    assert interpret(slope, {"A": 0.0, "dy": 1.0})[0] == 3.0
    assert interpret(slope, {"A": 0.5, "dy": 1.0})[0] == 2.0


def test_float32_stays():
    a = input_node("a", TensorType("float32", (3,)))

    def step(h):
        return (op("sin", build.multiply(h, 0.5)),), ()

    node = loop(step, a, count=3)
    assert gradient(Graph((a,), (total(final(node, 0)),), ("y",)), ("a",)).outputs[0].type == a.type
