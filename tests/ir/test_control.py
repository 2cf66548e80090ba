"""Loops and branches: opened and closed, and what the interpreter makes of them."""

import pickle

import numpy as np
import pytest

from graphc.errors import ShapeError
from graphc.expr import build
from graphc.expr.looping import Opened, close, close_branch, open_branch, open_loop, placeholder
from graphc.ir.control import LOOP, final, history, result, stack
from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import const_node, input_node
from graphc.ir.types import TensorType
from graphc.ir.verify import verify

T, d, k, t = map(Size.named, ("T", "d", "k", "t"))
RNG = np.random.default_rng(0)


def real(name, *shape):
    return input_node(name, TensorType("float64", shape))


def recurrent(reverse=False):
    """h = tanh(x[t] @ W + h @ U), and t * sum(h) beside it."""
    x, W, U, h0 = real("x", T, d), real("W", d, k), real("U", k, k), real("h0", k)
    before = placeholder("t", 0, h0.type)
    wide = build.matmul(build.at(x, 0, t), W)
    h = build.apply("tanh", build.add(wide, build.matmul(before, U)))
    further = build.multiply(build.apply("size", dim=t, dtype="float64", least=0), build.reduce("sum", h, (0,)))
    loop = close(Opened("t", 0, T, reverse, (h0,), (before,), (h,), (further,), names={h: "h", before: "h"}))
    outputs = (final(loop, 0), history(loop, 0), stack(loop, 0))
    return verify(Graph((x, W, U, h0), outputs, ("last", "all", "further")))


VALUES = {"x": RNG.normal(size=(4, 3)), "W": RNG.normal(size=(3, 2)), "U": RNG.normal(size=(2, 2)), "h0": np.ones(2)}


@pytest.mark.parametrize("reverse", [False, True])
def test_a_loop_is_what_python_does(reverse):
    h, rows, further = VALUES["h0"], [VALUES["h0"]], []
    for i in reversed(range(4)) if reverse else range(4):
        h = np.tanh(VALUES["x"][i] @ VALUES["W"] + h @ VALUES["U"])
        rows.append(h)
        further.append(i * h.sum())
    step = -1 if reverse else 1
    for got, wanted in zip(interpret(recurrent(reverse), VALUES), (h, rows[::step], further[::step]), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-15)


def test_no_step():
    last, rows, further = interpret(recurrent(), {**VALUES, "x": np.zeros((0, 3))})
    assert (last == 1).all() and rows.shape == (1, 2) and further.shape == (0,)


def test_closing_what_was_opened_gives_the_same_node():
    loop = next(n for n in recurrent().nodes if n.op is LOOP)
    assert close(open_loop(loop)) is loop
    assert loop["body"].names[loop["body"].inputs[0]] == "h"


def test_invariant_work_is_outside():
    x, W = real("x", T, d), real("W", d, d)
    before = placeholder("t", 0, TensorType("float64", ()))
    twice = build.matmul(W, W)
    step = build.add(before, build.reduce("sum", build.matmul(build.at(x, 0, t), twice), (0,)))
    loop = close(Opened("t", 0, T, False, (const_node(0.0, "float64"),), (before,), (step,)))
    assert twice in loop.args and W not in loop.args
    assert all(n.op.name != "matmul" or n.type.rank == 1 for n in loop["body"].graph.nodes)


def test_a_pickled_loop_is_the_same():
    graph = recurrent()
    assert pickle.loads(pickle.dumps(graph)).outputs == graph.outputs


def test_what_is_carried_keeps_its_type():
    before = placeholder("t", 0, TensorType("float64", ()))
    with pytest.raises(ShapeError, match="carries"):
        close(Opened("t", 0, T, False, (const_node(0.0, "float64"),), (before,), (real("x", 2),)))


def test_a_loop_while_something_holds_counts_its_steps():
    x = real("x")
    before = placeholder("t", 0, x.type)
    steps = Size.named("steps")
    going = build.apply("greater", before, const_node(1.0, "float64"))
    halved = build.multiply(before, 0.5)
    loop = close(Opened("t", 0, steps, False, (x,), (before,), (halved,), (), going))
    graph = Graph(
        (x,), (final(loop, 0), history(loop, 0), build.size_of(history(loop, 0), 0, "int64")), ("y", "h", "n")
    )
    y, rows, n = interpret(graph, {"x": 5.0})
    assert y == 0.625 and rows.tolist() == [5.0, 2.5, 1.25, 0.625] and n == 4


@pytest.mark.parametrize(("x", "wanted"), [(2.0, np.log(2.0)), (-2.0, 2.0)])
def test_a_branch_computes_one_side(x, wanted):
    value = real("x")
    twice = build.multiply(value, 2.0)
    then, other = build.apply("log", build.multiply(twice, 0.5)), build.negative(build.multiply(twice, 0.5))
    node = close_branch(build.apply("greater", value, const_node(0.0, "float64")), (then,), (other,))
    assert twice in topmost(node), "what both need is computed before"
    assert open_branch(node) == ((then,), (other,))
    assert interpret(Graph((value,), (result(node, 0),), ("y",)), {"x": x})[0] == pytest.approx(wanted)


def topmost(node):
    """What a node reads, and what that reads."""
    return {*node.args, *(a for arg in node.args for a in arg.args)}
