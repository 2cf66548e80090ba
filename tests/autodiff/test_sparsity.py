"""Patterns: of every op they hold all entries of its Jacobian that are not 0; of structured ones no more."""

from __future__ import annotations

from typing import Any

import loop_programs as programs
import numpy as np
import pytest
import samples as catalogue

from graphc.autodiff import gradient
from graphc.autodiff.known import Known
from graphc.autodiff.pattern import Pattern
from graphc.autodiff.sparsity import patterns_of
from graphc.frontends.text import parse
from graphc.ir.control import final, history, result, stack
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import input_node
from graphc.ir.node import make
from graphc.ir.sizes import bind_sizes
from graphc.ir.types import TensorType
from graphc.ops import REGISTRY

DIFFERENTIABLE = sorted(n for n, op in REGISTRY.items() if op.adjoint is not None or any(op.partials or ()))
RNG = np.random.default_rng(3)


def dense(pattern: Pattern) -> np.ndarray:
    out = np.zeros((pattern.height, pattern.width), dtype=bool)
    out[pattern.rows, pattern.columns] = True
    assert out.sum() == len(pattern.columns)  # each once
    return out


def jacobian(graph: Graph, values: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Row by row: the gradient of each element of the output."""
    [output] = graph.outputs
    [primal] = interpret(graph, values)
    back = gradient(graph, [name])
    rows = []
    for k in range(primal.size):
        ct = np.zeros(primal.shape, dtype=output.type.dtype)
        ct.flat[k] = 1.0
        rows.append(interpret(back, values | {back.input_names[-1]: ct})[0].ravel())
    return np.array(rows).reshape(primal.size, values[name].size)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_no_entry_is_missed(name: str) -> None:
    """Also where the other arguments are known."""
    op, tried = REGISTRY[name], 0
    for sample in catalogue.samples(name):
        inputs = [input_node(f"x{i}", TensorType(str(a.dtype), a.shape)) for i, a in enumerate(sample.args)]
        if sample.sizes or (out := make(op, inputs, **sample.attrs)).type.size > 200:
            continue
        graph = Graph(tuple(inputs), (out,), ("out",))
        values = {f"x{i}": a for i, a in enumerate(sample.args)}
        fixed = {n: a for n, a in zip(inputs, sample.args, strict=True) if a.dtype.kind != "f"}
        for i in [i for i, a in enumerate(sample.args) if a.dtype.kind == "f" and a.size and out.type.is_float]:
            with np.errstate(all="ignore"):
                entries = jacobian(graph, values, f"x{i}") != 0
            others = {n: a for n, a in zip(inputs, sample.args, strict=True) if n is not inputs[i]}
            for known in (fixed, others):
                [pattern] = patterns_of([out], inputs[i], Known({}, known))
                assert (pattern.height, pattern.width) == entries.shape
                assert not (entries & ~dense(pattern)).any(), f"{name} {sample} by argument {i}"
            tried += 1
    assert tried >= 5


# (text, inputs, by, index arrays and constants) -> a tight pattern
BLOCKS = np.kron(np.eye(2), np.ones((2, 2)))
TIGHT: dict[str, tuple[str, dict[str, str], dict[str, Any], Any]] = {
    "neighbours": ("x[1:] * x[:-1]", {"x": "n"}, {"x": 5}, np.eye(4, 5) + np.eye(4, 5, 1)),
    "round": ("roll(x, 1) - x", {"x": "n"}, {"x": 5}, np.eye(5) + np.roll(np.eye(5), 1, 0)),
    "stencil": ("convolve(x, [1.0, 0.0, 1.0], 'same')", {"x": "n"}, {"x": 5}, np.eye(5, k=1) + np.eye(5, k=-1)),
    "gather": ("x[i] ** 2", {"x": "n", "i": "int m"}, {"x": 3, "i": np.array([2, 0, 2])}, np.eye(3)[[2, 0, 2]]),
    "scatter": ("bincount(i, x, 4)", {"x": "n", "i": "int n"}, {"x": 2, "i": np.array([3, 3])}, np.eye(4)[[3, 3]].T),
    "rows": ("softmax(X, axis=1)", {"X": "n d"}, {"X": (2, 2)}, BLOCKS),
    "sums": ("sum(X, axis=0)", {"X": "n d"}, {"X": (3, 2)}, np.kron(np.ones((1, 3)), np.eye(2))),
    "products": ("X @ A", {"X": "n d", "A": "d"}, {"X": (3, 2), "A": 2}, np.kron(np.eye(3), np.ones((1, 2)))),
    "columns": ("X @ A", {"X": "n k", "A": "k d"}, {"A": (2, 2), "X": (1, 2)}, [[1, 0, 1, 0], [0, 1, 0, 1]]),
    "masked": ("where([True, False, True], x, 0) * x[0]", {"x": "3"}, {"x": 3}, [[1, 0, 0], [1, 0, 0], [1, 0, 1]]),
    "weighted": ("x * [0.0, 2.0, 0.0]", {"x": "3"}, {"x": 3}, np.diag([0, 1, 0])),
    "constant matrix": ("[[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]] @ x", {"x": "3"}, {"x": 3}, [[1, 0, 1], [0, 1, 0]]),
    "outer": ("outer(x, [1.0, 0.0])", {"x": "2"}, {"x": 2}, [[1, 0], [0, 0], [0, 1], [0, 0]]),
    "triangle": ("tril(X)", {"X": "n n"}, {"X": (2, 2)}, np.diag([1, 0, 1, 1])),
    "systems": ("np.linalg.solve(A, B)", {"A": "2 k k", "B": "2 k 1"}, {"B": (2, 2, 1), "A": (2, 2, 2)}, BLOCKS),
    "joined": ("concatenate((x[::-1], stack((x[0], sum(x)))))", {"x": "n"}, {"x": 2}, [[0, 1], [1, 0], [1, 0], [1, 1]]),
    "not at all": ("floor(x) + 1", {"x": "n"}, {"x": 2}, np.zeros((2, 2))),
}  # fmt: skip


@pytest.mark.parametrize("name", TIGHT)
def test_what_has_structure_keeps_it(name: str) -> None:
    text, types, given, wanted = TIGHT[name]
    graph = parse(text, types)
    values = {k: v if isinstance(v, np.ndarray) else RNG.random(v) for k, v in given.items()}
    sizes = bind_sizes([(n["name"], n.type) for n in graph.inputs], {k: v.shape for k, v in values.items()})
    fixed = {n: values[n["name"]] for n in graph.inputs if not n.type.is_float}
    [pattern] = patterns_of(graph.outputs, graph.input(next(iter(given))), Known(sizes, fixed))
    np.testing.assert_array_equal(dense(pattern), np.asarray(wanted) != 0)


# --- loops and branches ---


@pytest.mark.parametrize("name", [n for n in programs.PROGRAMS if n != "while"])
def test_no_entry_is_missed_in_loops(name: str) -> None:
    """Of gradients, which have loops that go back in them, too."""
    slopes = gradient(programs.graph_of(name), programs.graph_of(name).input_names)
    values = {**programs.VALUES, "dy": np.array(1.0)}
    sizes = bind_sizes([(n["name"], n.type) for n in slopes.inputs], {k: np.shape(v) for k, v in values.items()})
    for label, slope in zip(slopes.output_names, slopes.outputs, strict=True):
        for source in slopes.inputs:
            [pattern] = patterns_of([slope], source, Known(sizes, {}))
            graph = Graph(slopes.inputs, (slope,), ("z",))
            entries = jacobian(graph, values, source["name"]) != 0
            assert not (entries & ~dense(pattern)).any(), f"{label} by {source['name']}"


def test_loops_keep_structure() -> None:
    t, x = programs.t, programs.real("x", 5)
    at = programs.build.at

    def products(h: Any) -> Any:
        return (at(x, 0, t),), (programs.build.multiply(h, at(x, 0, t)),)

    def growing(h: Any) -> Any:
        return (programs.build.multiply(h, at(x, 0, t)),), ()

    def smoothed(h: Any) -> Any:
        return (programs.build.add(h, programs.build.apply("roll", h, shift=1, axis=0)),), ()

    shifted = stack(programs.loop(products, programs.A, count=5), 0)
    [pattern] = patterns_of([shifted], x, Known({}, {}))
    np.testing.assert_array_equal(dense(pattern), np.eye(5) + np.eye(5, k=-1) != 0)
    down = history(programs.loop(products, programs.A, count=5, reverse=True), 0)
    [pattern] = patterns_of([down], x, Known({}, {}))
    np.testing.assert_array_equal(dense(pattern), np.eye(6, 5) != 0)
    grown = history(programs.loop(growing, at(x, 0, 0), count=2), 0)  # the first step changes nothing, the next does
    [pattern] = patterns_of([grown], x, Known({}, {}))
    np.testing.assert_array_equal(dense(pattern), np.array([[1, 0], [1, 0], [1, 1]]) @ np.eye(2, 5) != 0)
    for count, wide in ((2, 3), (4_000, 5), (10**9, 5)):  # many steps that change nothing, and too many
        [pattern] = patterns_of([final(programs.loop(smoothed, x, count=count), 0)], x, Known({}, {}))
        wanted = sum(np.roll(np.eye(5), k, 0) for k in range(wide))
        np.testing.assert_array_equal(dense(pattern), np.asarray(wanted) != 0)


def test_a_branch_that_is_known_is_one_side() -> None:
    x, yes = programs.real("x", 2), input_node("yes", TensorType("bool", ()))
    node = result(programs.close_branch(yes, (programs.op("exp", x),), (programs.build.apply("cumsum", x, axis=0),)), 0)
    for values, entries in (({yes: np.array(True)}, 2), ({yes: np.array(False)}, 4), ({}, 4)):
        [pattern] = patterns_of([node], x, Known({}, values))
        assert len(pattern.columns) == entries
