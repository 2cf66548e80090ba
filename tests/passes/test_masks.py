"""Masks go into the arguments of functions that can fail: no warnings, no NaN, the same values."""

from __future__ import annotations

import edge_case
import numpy as np
import pytest

import graphc as gc
from graphc.expr import build
from graphc.ir.graph import Graph
from graphc.ir.leaf import input_node
from graphc.ir.listing import write_listing
from graphc.ir.node import make
from graphc.ir.types import TensorType
from graphc.ops import REGISTRY
from graphc.passes.masks import send_masks
from graphc.passes.pipeline import stabilise

X = np.array([-2.0, -1.0, 0.0, 0.25, 2.0, 900.0])
Y = np.array([0.0, 3.0, 0.0, -1.0, 0.5, 2.0])
M = np.array([[1.0, 1.0, 0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0, 1.0, 0.0]])
# Expressions, and where their branches not taken fail: x has -2, -1, 0 and 900, y has 0.
MASKED = [
    "np.where(x > 0, np.log(x), 0.0)",
    "np.where(x > 0, np.sqrt(x), 0.0)",
    "np.where(x > 0, x**0.5, 1.0)",
    "np.where(x > 0, x**y, 0.0)",
    "np.where(x != 0, 1 / x, 0.0)",
    "np.where(x == 0, 0.0, x**-3)",
    "np.where(y != 0, x / y, 0.0)",
    "np.where(np.abs(x) < 1, np.arcsin(x) + np.arccos(x), 0.0)",
    "np.where(x > -1, np.log1p(x), -x)",
    "np.where(x > 0, x, np.exp(x) - 1)",
    "np.where(x < 100, np.exp(x), 0.0)",
    "np.where(x < 100, np.sinh(x) * np.cosh(x), x)",
    "np.where(x > 1, np.log(x - 1), np.where(x > 0, np.sqrt(x), 0.0))",
    "np.where(x < -1.5, -x, np.where(x < 0.1, x**2, np.where(x < 100, np.log(x), np.sqrt(x))))",
    "np.where(x > 0, np.where(y != 0, np.log(x) / y, np.sqrt(x)), 0.0)",
    "np.where((x > 0) & (y > 0), np.log(x) / y, 0.0)",
    "np.where(~(x > 0), 0.0, np.log(x))",
    "np.where(x > 0, np.log(x), 0.0) + np.where(x > 1, 1 / np.log(x), 0.0)",
    "np.where(x > 0, np.log(x), 0.0) * np.where(y > 0, np.log(y), 0.0)",
    "np.where(x > 0, np.log(x) * np.sqrt(x), np.log(-x + 1e-3))",
    "np.where(x > 0, np.log(np.where(x > 1, x, x**2)), 0.0)",
    "np.where(m * x > 0, np.log(x), 0.0)",
    "np.where(m * x > 0, np.log(x), 0.0) + np.where(x > 0, np.log(x), 0.0)",
    "np.where(m * y > 0, np.sum(x) / y, 0.0)",
    "np.where(m * x > 1e4, np.log(x[0]) * m, 0.0) + np.where(x > 1e4, np.log(x[0]), 0.0)",
    "np.where(m[:, :1] * x > 1, np.log(m[:, :1]), 0.0) + np.where(m[:, :1] > 0, np.log(m[:, :1]), 0.0)",
    "np.where((m * x > 0) & (x < 100), np.sqrt(x) * np.exp(x), 0.0)",
    "np.where(np.sum(x) < 0, np.log(np.sum(x)), 1.0) * x",
    "np.where(np.sum(x) < 0, np.sum(np.log(x + 3)), 1.0) * y",
    "np.where(np.min(x) > 0, np.sum(np.log(x) ** 2), 0.0) * y",
    "np.where(x > 0, np.log(x), 0.0)[1:] * np.log(y[1:] ** 2 + 1)",
    "np.where(x > 0, np.tanh(np.log(x)) ** 2, 0.0)",
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("expr", MASKED)
def test_nothing_fails_where_the_mask_is_false(expr, dtype):
    inputs = {k: v.astype(dtype) for k, v in {"x": X, "y": Y, "m": M}.items() if k in expr.replace("np.m", "")}
    with np.errstate(all="ignore"):
        expected = eval(expr, {"np": np}, inputs)
    module, loss = gc.compile(expr, inputs), gc.compile(f"np.sum({expr})", inputs)
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        got = module(**inputs)
        _, gradients = loss.value_and_grad(**inputs)
        second = {name: edge_case.hess_diag(loss, name, inputs) for name in inputs}
    tolerance = 1e-13 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
    assert got.dtype == dtype
    for name in inputs:
        assert getattr(gradients, name).dtype == dtype
        assert np.isfinite(getattr(gradients, name)).all(), name
        assert np.isfinite(second[name]).all(), name


@pytest.mark.parametrize("expr", MASKED)
def test_gradients_are_right(expr):
    """Against central differences, away from the kinks, to second order."""
    inputs = {"x": np.array([-2.0, -1.2, 0.3, 0.25, 2.0, 3.0]), "y": Y + 0.1, "m": M + 0.1}
    inputs = {k: v for k, v in inputs.items() if k in expr.replace("np.m", "")}
    loss = gc.compile(f"np.sum({expr})", inputs)
    gc.check_grads(loss, inputs)
    gradient = gc.compile(gc.gradient(loss.graph, "x"), wrt="x")
    gc.check_grads(gradient, {**inputs, "d" + loss.graph.output_names[0]: 1.0})


UNCHANGED = [
    "where(x > 0, x, 0.01 * x)",
    "relu(x) + maximum(x, y)",
    "where(abs(x) < 1, 0.5 * x**2, abs(x) - 0.5)",
    "where(x > 0, y / 2, x**3)",
    "where(x > 0, x / (1 + y**2), sqrt(1 + x**2))",
    "where(x > 0, exp(-y**2), sigmoid(x))",
    "log(x) + where(x > 0, log(x), 0)",
    "where(log(x) > 0, log(x), 0)",
    "where(x > 0, sum(log(y)), 0)",
]


@pytest.mark.parametrize("text", UNCHANGED)
def test_what_cannot_fail_or_is_needed_anyway_stays(text):
    stable, _ = stabilise(gc.parse(text, {"x": "n", "y": "n"}))
    wheres = sum(node.op.name == "where" for node in stable.nodes)
    assert wheres == text.count("where")


def test_numbers_are_chosen_lazily_as_they_are():
    module = gc.compile("where(x > 0, log(x), 0)")
    assert "out = _log(x) if mask else 0.0" in module.source
    assert module.value_and_grad(-1.0) == (0.0, (0.0,))
    module = gc.compile("where(x > 0, log(x) * sqrt(x) / (log(x) + 1), 0)")
    for at in (0.0, -1.0):
        assert module.value_and_grad(at) == (0.0, (0.0,))


def test_the_pass_is_finished_after_one_run():
    graph = gc.parse("where(x > 0, log(x) / y, sqrt(1 - x))", {"x": "n", "y": "n"})
    once, where_to = send_masks(graph)
    assert [where_to(node) for node in graph.outputs] == list(once.outputs)
    assert write_listing(send_masks(once)[0]) == write_listing(once)


def test_names_and_origins_are_carried():
    graph = gc.parse("x: f64[n]\nlogs = log(x)\nsafe = where(x > 0, logs, 0)\nreturn safe")
    masked, where_to = send_masks(graph)
    names = {name: node for node, name in masked.names.items()}
    assert names["logs"].args[0].op.name == "where"
    assert set(names) == {"logs", "safe"}
    assert {masked.origin[where_to(node)] for node in graph.origin} == set(graph.origin.values())


def test_a_long_chain_of_branches_is_linear():
    """Each branch fails outside its own; the graph grows by a constant for each."""
    sizes = []
    for count in (100, 200):
        text = "0.0"
        for i in range(count):
            text = f"where(x > {i}, log(x - {i}), {text})"
        sizes.append(len(stabilise(gc.parse(text, {"x": "n"}))[0].nodes))
    assert sizes[1] < 2.1 * sizes[0]


ATTRS = {"polygamma": {"n": 1}}


@pytest.mark.parametrize("name", sorted(n for n, op in REGISTRY.items() if op.safe is not None))
def test_safe_arguments_are_safe(name):
    """The value that a mask puts in: neither it nor its slopes fail, for any other argument."""
    op = REGISTRY[name]
    inputs = {a: np.array([0.5, 2.0]) for a in op.args}
    inputs[op.args[op.safe.argument]] = np.full(2, op.safe.value)
    nodes = [input_node(a, TensorType("float64", (2,))) for a in op.args]
    total = build.reduce("sum", make(op, nodes, **ATTRS.get(name, {})), (0,))
    loss = gc.compile(Graph(tuple(nodes), (total,), ("out",)))
    with np.errstate(all="raise"):
        value, gradients = loss.value_and_grad(**inputs)
        second = [edge_case.hess_diag(loss, a, inputs) for a in op.args]
    assert np.isfinite([value, *np.ravel(gradients), *np.ravel(second)]).all()
