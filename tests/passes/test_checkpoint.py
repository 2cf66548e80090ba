"""Loops in pieces: the same values and gradients, and only what a piece begins with is saved."""

from __future__ import annotations

from dataclasses import replace

import loop_programs as programs
import numpy as np
import pytest
from loop_programs import VALUES, A, C, H, T, W, X, loop, op, total

import graphc as gc
from graphc.autodiff import gradient
from graphc.expr import build
from graphc.ir.control import LOOP, final, history, stack
from graphc.ir.dims import Dim, Size, evaluate
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import const_node
from graphc.ir.listing import parse_listing
from graphc.ir.node import Node
from graphc.ir.verify import verify
from graphc.ops import REGISTRY
from graphc.passes.checkpoint import checkpointed
from graphc.passes.pipeline import join
from graphc.plan.split import split

INPUTS = (X, W, H, A, C)
WRT = ("X", "W", "H", "A")


def graph_of(*outputs: Node) -> Graph:
    return verify(Graph(INPUTS, outputs, tuple(f"o{i}" for i in range(len(outputs)))))


def loops(graph: Graph) -> list[Node]:
    return [n for n in graph.nodes if n.op is LOOP]


def values(steps: int) -> dict[str, object]:
    rng = np.random.default_rng(steps)
    return {**VALUES, "X": rng.normal(size=(steps, 2)), "C": rng.normal(size=(2, steps))}


CASES = {
    "up": lambda: total(final(loop(programs.recurrent, H), 0)),
    "down": lambda: total(final(loop(programs.recurrent, H, reverse=True), 0)),
    "two values": lambda: final(loop(programs.second_order_recurrence, A, op("sin", A)), 1),
    "an integer": lambda: total(final(loop(programs.counting, H, const_node(1, "int64")), 0)),
    "the index": lambda: total(final(loop(programs.by_number, H), 0)),
    "from 1": lambda: total(final(loop(programs.recurrent, H, start=1, count=T - 1), 0)),
    "branches": lambda: total(final(loop(programs.branching, H), 0)),
    "a loop inside": lambda: total(final(loop(programs.triangular, H), 0)),
}


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 9, 16])
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_the_same(case: str, steps: int) -> None:
    graph = graph_of(CASES[case]())
    pieces = verify(checkpointed(graph))
    assert pieces.outputs != graph.outputs
    assert parse_listing(str(pieces), REGISTRY).outputs == pieces.outputs
    given = {**values(steps), "do0": 1.0}
    for found, wanted in (
        (interpret(pieces, given), interpret(graph, given)),
        (interpret(verify(join(pieces, WRT).graph), given), interpret(join(graph, WRT).graph, given)),
    ):
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_second_derivatives() -> None:
    graph = graph_of(CASES["up"]())
    twice = [
        gradient(replace(gradient(g, ["H"]), outputs=(total(gradient(g, ["H"]).outputs[0]),)), ["H"])
        for g in (checkpointed(graph), graph)
    ]
    one, other = (interpret(verify(g), {**values(6), "do0": 1.0, "ddH": 1.0})[0] for g in twice)
    np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("count", [T, 100, 144])
def test_what_is_saved(count: Dim) -> None:
    """Of the steps of a known or unknown number only the first of each piece; never an array of all."""
    node = loop(lambda h: ((op("tanh", build.multiply(h, A)),), ()), H, count=count)
    graph = graph_of(total(final(node, 0)))
    joint = join(checkpointed(graph), ("H", "A"))
    saved = split(joint.stable, joint.graph).saved
    sizes = {"T": 10_000, "k": 1}
    steps = evaluate(count, sizes)
    most = max(evaluate(n.type.size, sizes) for n in saved)
    assert most <= 2 * steps**0.5 + 2 < evaluate(count, sizes) / 4


def test_what_keeps_all_steps_stays() -> None:
    node = loop(programs.emitting, H)
    for graph in (
        graph_of(history(node, 0)),
        graph_of(final(node, 0), stack(node, 1)),
        programs.graph_of("while"),
        graph_of(final(loop(programs.halving, H, count=3), 0)),
    ):
        assert loops(checkpointed(graph)) == loops(graph)


@pytest.mark.parametrize("steps", [0, 1, 5, 23])
def test_the_compiled_module(steps: int) -> None:
    graph = graph_of(CASES["up"]())
    pieces, whole = gc.compile(graph, wrt=WRT, checkpoint="sqrt"), gc.compile(graph, wrt=WRT)
    assert "    r = max(int(T**0.5), 1)\n" in pieces.source and "int(" not in whole.source
    (value, grads), (wanted, expected) = (m.value_and_grad(**values(steps)) for m in (pieces, whole))
    assert value == pytest.approx(wanted, rel=1e-14)
    for a, b in zip(grads, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_a_size_called_r_and_other_ways() -> None:
    """The name of the root gives way to names that are there."""
    size = Size.named("r")
    node = loop(lambda h: ((op("sin", h),), ()), H, count=size)
    rows = programs.real("rows", size)
    graph = Graph((rows, H), (total(final(node, 0)),), ("y",))
    module = gc.compile(graph, wrt="H", checkpoint="sqrt")
    assert module.value_and_grad(np.zeros(5), VALUES["H"])[0] == pytest.approx(
        gc.compile(graph)(np.zeros(5), VALUES["H"])
    )
    assert "r2 = max(int(r**0.5), 1)" in module.source
    with pytest.raises(gc.UnsupportedError, match="no way of checkpointing"):
        gc.compile(graph, checkpoint="all")
