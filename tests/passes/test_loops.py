"""Loops that do no more than they must: the same values, and nothing left in them that fits outside."""

import loop_programs as programs
import numpy as np
import pytest

from graphc.autodiff import gradient
from graphc.expr import build
from graphc.ir.control import LOOP, final, history
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.verify import verify
from graphc.passes.pipeline import join
from graphc.passes.recurrence import shorten_loops
from graphc.passes.residuals import save_residuals

op, total, loop = programs.op, programs.total, programs.loop
X, W, H, A, T, t = programs.X, programs.W, programs.H, programs.A, programs.T, programs.t


def loops(graph):
    return [n for n in graph.nodes if n.op is LOOP]


def inside(node):
    """The operations of a step, but for rows that are read."""
    return sorted(n.op.name for n in node["body"].graph.nodes if n.args and n.op.name != "getitem")


@pytest.mark.parametrize("short", [0, 1, 4])
@pytest.mark.parametrize("program", programs.PROGRAMS)
def test_values_and_gradients_stay(program, short):
    if short < 2 and "rows" in program:
        pytest.skip("reads rows that are not there")
    graph = programs.graph_of(program)
    values = {**programs.VALUES, "X": programs.VALUES["X"][:short], "C": programs.VALUES["C"][:, :short], "dy": 1.0}
    wanted = [*interpret(graph, values), *interpret(gradient(graph, graph.input_names), values)]
    for got, value in zip(interpret(verify(join(graph, graph.input_names).graph), values), wanted, strict=True):
        np.testing.assert_allclose(got, value, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("program", programs.PROGRAMS)
def test_each_pass_keeps_the_values(program):
    graph = programs.graph_of(program)
    for name in (lambda g: g, lambda g: gradient(g, g.input_names)):
        before = name(graph)
        values = {**programs.VALUES, "dy": 1.0}
        for change in (save_residuals, shorten_loops):
            changed, move = change(before)
            for a, b in zip(interpret(before, values), interpret(verify(changed), values), strict=True):
                np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-14)
            assert [move(o) for o in before.outputs] == list(changed.outputs)


def test_a_recurrent_net_keeps_only_its_recurrence():
    joint = join(programs.graph_of("history"), ("X", "W", "H")).graph
    forward, backward = loops(joint)
    assert inside(forward) == ["add", "matmul", "tanh"]
    assert (backward["carried"], len(backward["body"].outputs)) == (1, 2), "no running sum is left"
    assert "tanh" not in inside(backward), "the value after the step is a row of the history"
    assert inside(backward).count("matmul") == 1


def test_work_on_rows_is_done_before():
    def step(h):
        return (op("tanh", build.add(build.matmul(build.at(X, 0, t), W), h)),), ()

    graph, _ = shorten_loops(Graph((X, W, H), (total(final(loop(step, H), 0)),), ("y",)))
    assert inside(loops(graph)[0]) == ["add", "tanh"]
    assert [n.type.rank for n in graph.nodes if n.op.name == "matmul"] == [2]


def test_a_loop_without_recurrence_goes_away():
    def step(s):
        return (build.add(s, total(op("exp", build.at(X, 0, t)))),), ()

    graph, _ = shorten_loops(Graph((X,), (final(loop(step, build.literal(0.0, ["float64"])), 0),), ("y",)))
    assert not loops(graph)
    assert interpret(graph, {"X": programs.VALUES["X"]})[0] == pytest.approx(np.exp(programs.VALUES["X"]).sum())


def test_what_grows_stays_in_the_loop():
    """Outer products of rows would need memory for all steps at once."""

    def step(h):
        square = build.outer(build.at(X, 0, t), build.at(X, 0, t))
        return (build.matmul(op("tanh", square), h),), ()

    graph, _ = shorten_loops(Graph((X, H), (total(history(loop(step, H), 0)),), ("y",)))
    assert "outer" in inside(loops(graph)[0])


def test_what_no_result_needs_goes_away():
    def step(a, b):
        return (op("sin", a), op("cos", b)), (build.multiply(a, b),)

    graph, _ = shorten_loops(Graph((A, X), (final(loop(step, A, A), 1),), ("y",)))
    [left] = loops(graph)
    assert (left["carried"], inside(left)) == (1, ["cos"])
