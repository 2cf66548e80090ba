"""Random programs of loops and branches inside one another, through everything that works on graphs.

Found so: sizes that are known only behind a `while` (5, 13, 24, 27, 31, 1492), a `while` that carries nothing
(35), loops drawn into branches that read them (172), inputs of bodies inside bodies mixed up (309), one name for
two inputs (533), a backward pass that reads a number of steps before the `while` has counted them (982).
"""

from __future__ import annotations

from collections.abc import Sequence

import loop_generator
import numpy as np
import pytest

import graphc as gc
from graphc.autodiff import gradient, jvp
from graphc.autodiff.batch import batched
from graphc.emit.outline import outline
from graphc.errors import UnsupportedError
from graphc.expr import build
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import input_node
from graphc.ir.listing import parse_listing
from graphc.ir.node import Node
from graphc.ir.verify import verify
from graphc.ops import REGISTRY
from graphc.passes.checkpoint import checkpointed
from graphc.passes.masks import send_masks
from graphc.passes.pipeline import join, simplify, stabilise
from graphc.view import VIEWS

SEEDS = (*range(6), 13, 24, 27, 31, 35, 172, 309, 533, 982, 1264, 1492)
WRT = ("x", "y", "M", "s", "u")
ROWS = 3
each_seed = pytest.mark.parametrize("seed", SEEDS)
Values = dict[str, object]


def values(seed: int) -> Values:
    rng = np.random.default_rng(seed)
    vectors = {"x": rng.normal(size=4), "y": rng.normal(size=4), "M": rng.normal(size=(5, 4))}
    return {**vectors, "s": rng.normal(), "u": rng.normal()}


def loss(graph: Graph) -> Graph:
    """The sum of the first and the last output that can be differentiated."""
    floats = [o for o in graph.outputs if o.type.is_float]
    first, last = (build.reduce("sum", o, (0,)) if o.type.rank else o for o in (floats[0], floats[-1]))
    return Graph(graph.inputs, (build.add(first, last),), ("l",))


def assert_same(found: Sequence[np.ndarray], wanted: Sequence[np.ndarray]) -> None:
    for a, b in zip(found, wanted, strict=True):
        if np.isfinite(b).all():
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8 * max(1.0, float(np.abs(b).max(initial=0.0))))


@each_seed
def test_passes_and_texts(seed: int) -> None:
    graph = verify(loop_generator.program(seed))
    wanted = interpret(graph, values(seed))
    changed = (stabilise(graph)[0], simplify(graph)[0], send_masks(graph)[0], checkpointed(graph))
    for other in (graph, *changed):
        assert_same(interpret(verify(other), values(seed)), wanted)
        assert parse_listing(str(other), REGISTRY).outputs == other.outputs
    assert all(view(graph) for view in VIEWS.values()) and isinstance(outline(graph), list)


@each_seed
def test_gradients_and_tangents(seed: int) -> None:
    graph, given, rng = loss(loop_generator.program(seed)), values(seed), np.random.default_rng(seed)
    grads = interpret(verify(gradient(graph, WRT)), {**given, "dl": 1.0})
    directions = {name: rng.normal(size=np.shape(value)) for name, value in given.items()}
    dots = {f"{name}_dot": value for name, value in directions.items()}
    (along,) = interpret(verify(jvp(graph, WRT)), {**given, **dots})
    terms = [np.sum(g * directions[name]) for name, g in zip(WRT, grads, strict=True)]
    scale = sum(float(np.sum(abs(g * directions[name]))) for name, g in zip(WRT, grads, strict=True))
    if np.isfinite(scale):
        assert abs(along - sum(terms)) <= 1e-9 * scale + 1e-12
    for same in (graph, checkpointed(graph)):
        joint = verify(join(same, WRT).graph)
        assert_same(interpret(joint, {**given, "dl": 1.0})[1:], grads)


def along_rows(graph: Graph, chosen: Sequence[str]) -> Graph | None:
    """The graph for several values of some inputs; None if a loop in it has a different number of steps for each."""
    wide = {
        n: input_node(f"{n['name']}s", n.type.with_shape((ROWS, *n.shape))) for n in graph.inputs if n["name"] in chosen
    }
    try:
        outputs: list[Node] = batched(graph.outputs, wide, ROWS)
    except UnsupportedError as error:
        assert "stops at its own time" in error.message
        return None
    return verify(Graph((*graph.inputs, *wide.values()), tuple(outputs), graph.output_names))


@each_seed
@pytest.mark.parametrize("chosen", [("x",), ("M", "s"), WRT], ids="-".join)
def test_side_by_side(seed: int, chosen: Sequence[str]) -> None:
    graph, given = loop_generator.program(seed), values(seed)
    many = along_rows(graph, chosen)
    if many is None:
        return
    rows = {name: np.stack([np.asarray(given[name]) * f for f in (1.0, 0.9, -0.4)]) for name in chosen}
    found = interpret(many, {**given, **{f"{name}s": value for name, value in rows.items()}})
    single = [interpret(graph, {**given, **{name: rows[name][i] for name in chosen}}) for i in range(ROWS)]
    assert_same(found, [np.stack(row) for row in zip(*single, strict=True)])


@each_seed
def test_rows_of_a_jacobian(seed: int) -> None:
    graph = gradient(loss(loop_generator.program(seed)), WRT)
    many = along_rows(graph, ("dl",))
    assert many is not None
    one = interpret(graph, {**values(seed), "dl": 1.0})
    found = interpret(many, {**values(seed), "dl": 1.0, "dls": np.array([1.0, 2.0, -1.0])})
    assert_same(found, [np.stack([g, 2 * g, -g]) for g in one])


@each_seed
def test_generated_gradients(seed: int) -> None:
    graph = loss(loop_generator.program(seed))
    wrt = [name for name in WRT if name in graph.input_names]
    given = {name: value for name, value in values(seed).items() if name in graph.input_names}
    with np.errstate(all="ignore"):
        found = gc.compile(graph, wrt=tuple(wrt)).value_and_grad(**given)[1]
    assert_same(found, interpret(gradient(graph, wrt), {**given, "dl": 1.0}))
