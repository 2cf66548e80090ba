"""Nodes are interned, graphs are flat: listings, pickles and walks of any depth."""

from __future__ import annotations

import gc
import math
import pickle
import threading
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import samples as catalogue

from graphc.autodiff import gradient
from graphc.errors import ArgumentError, GraphcError, InternalError, ParseError, ShapeError
from graphc.expr import build
from graphc.frontends.text import parse
from graphc.ir import control
from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import const_node, input_node, scalar_value, size_node
from graphc.ir.listing import parse_listing, write_listing
from graphc.ir.node import Node, make, topological
from graphc.ir.types import TensorType
from graphc.ir.verify import verify
from graphc.ops import REGISTRY
from graphc.passes.pipeline import join

DEEP = 100_000
F = "float64"


def scalar(name: str) -> Node:
    return input_node(name, TensorType(F, ()))


def graph_of(node: Node, *inputs: Node, **names: Node) -> Graph:
    used = inputs or tuple(n for n in topological([node]) if n.op.name == "input")
    return Graph(used, (node,), ("out",), {n: k for k, n in names.items()})


def chain(depth: int = DEEP) -> Graph:
    x = node = scalar("x")
    for _ in range(depth):
        node = build.apply("sin", node)
    return graph_of(node, x)


# --- interning ---


def test_equal_structure_is_one_object() -> None:
    x, y = scalar("x"), scalar("y")
    assert build.add(x, y) is build.add(x, y)
    assert build.add(x, y) is not build.add(y, x)
    assert scalar("x") is x and input_node("x", TensorType("float32", ())) is not x
    assert build.reduce("sum", scalar("x"), (), True) is not build.reduce("sum", scalar("x"), (), False)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ((0.0, F), (-0.0, F), False),
        ((math.nan, F), (math.nan, F), True),
        ((1, "bool"), (1, "int64"), False),
        ((1, "int64"), (1, "int32"), False),
        ((1.0, F), (1, F), True),
        ((1.0, F), (1.0, "float32"), False),
        (([1.0, 2.0], F), ([[1.0, 2.0]], F), False),
        (([], F), ([[]], F), False),
        ((5e-324, F), (0.0, F), False),
    ],
)
def test_constants_are_compared_by_bits(a: tuple[Any, str], b: tuple[Any, str], same: bool) -> None:
    assert (const_node(*a) is const_node(*b)) is same


def test_bounds_of_clip_have_no_negative_zero() -> None:
    """Attributes are compared by ==, so -0.0 must not get into one."""
    x = input_node("x", TensorType(F, (2,)))
    made = build.clip(x, -0.0, 1.0)
    assert made is build.clip(x, 0.0, 1.0) and math.copysign(1.0, made["lo"]) == 1.0
    assert build.reduce("sum", x, (0,), True)["keepdims"] is True


def test_sizes_that_are_known_are_constants() -> None:
    assert scalar_value(size_node(3)) == 3 and scalar_value(size_node(0, F, least=1)) == 1.0
    assert size_node(Size.named("n")).op.name == "size"


def test_the_table_is_weak() -> None:
    node = build.apply("cos", scalar("only_here"))
    watched = weakref.ref(node)
    del node
    gc.collect()
    assert watched() is None


def test_threads_make_one_node() -> None:
    x = scalar("x")
    found: list[Node] = []
    barrier = threading.Barrier(8)

    def work() -> None:
        barrier.wait()
        found.append(build.apply("tan", build.apply("tan", x)))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 8 and len(set(map(id, found))) == 1


def test_wrong_attributes_are_an_internal_error() -> None:
    with pytest.raises(InternalError):
        make(REGISTRY["sum"], [scalar("x")], axes=())
    with pytest.raises(TypeError, match="Graph"):
        pickle.dumps(scalar("x"))


# --- listings ---


def sample_graphs() -> list[tuple[str, Graph]]:
    found = []
    for name in sorted(n for n, op in REGISTRY.items() if op not in control.OPS):  # those: test_control.py
        for k, s in enumerate(catalogue.samples(name)):
            args = [input_node(f"x{i}", TensorType(str(a.dtype), a.shape)) for i, a in enumerate(s.args)]
            sizes = [input_node(f"s_{n}", TensorType(F, (Size.named(n),))) for n in s.sizes]
            node = make(REGISTRY[name], args, **s.attrs)
            inputs = (*dict.fromkeys([*args, *([node] if name == "input" else []), *sizes]),)
            found.append((f"{name}-{k}", Graph(inputs, (node,), ("out",))))
    return found


def test_every_sample_of_every_op_round_trips() -> None:
    graphs = sample_graphs()
    assert len(graphs) > 800
    for label, graph in graphs:
        text = write_listing(verify(graph))
        again = parse_listing(text, REGISTRY)
        assert again.outputs == graph.outputs and again.inputs == graph.inputs, label
        assert write_listing(again) == text, label
        assert pickle.loads(pickle.dumps(graph)).outputs == graph.outputs, label


TEXTS = [
    "loss = mean(log(1 + exp(-y * (x @ w))))",
    "out = softmax(x, axis=1)[:, 0] + x[1:, 0].sum()",
    "out = where(x > 0, x, -x) + x.T.T",
    "out = x[:, ::-1] * 1e-300",
]


@pytest.mark.parametrize("text", TEXTS)
def test_models_and_gradients_round_trip(text: str) -> None:
    inputs = {"x": "n d", "w": "d", "y": "n"}
    values = parse(text, inputs=inputs)
    for graph in (values, join(values, ["x"]).graph):
        again = parse_listing(write_listing(graph), REGISTRY)
        assert again.outputs == graph.outputs and again.output_names == graph.output_names
        assert {n: again.names.get(n) for n in graph.names if n in again.names} == dict(again.names)
        restored = pickle.loads(pickle.dumps(graph))
        assert restored.outputs == graph.outputs and restored.inputs == graph.inputs
        verify(again)


def test_a_listing_reads_like_this() -> None:
    graph = parse("z = 2 * x + 1\nloss = sum(z)", inputs={"x": "n"})
    assert write_listing(graph) == (
        'graph "<text>" (x: f64[n]) -> (loss: loss) {\n'.replace("<text>", graph.title)
        + "  %0: f64[] = const(; value=f64[]{2.0})\n"
        + "  %1: f64[n] = multiply(%0, x)\n"
        + "  %2: f64[] = const(; value=f64[]{1.0})\n"
        + "  z: f64[n] = add(%1, %2)\n"
        + "  loss: f64[] = sum(z; axes=(0,), keepdims=False)\n}\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "graph",
        'graph "g" (',
        'graph "g" () -> (out: %1) {}',
        'graph "g" (x: f64[]) -> (out: %0) { %0: f64[] = wat(x) }',
        'graph "g" (x: f64[]) -> (out: %0) { %0: f32[] = sin(x) }',
        'graph "g" (x: f99[]) -> () {}',
        'graph "g" (x: f64[]) -> (out: %0) { %0: f64[] = sin(%1) }',
        'graph "g" (x: f64[]) -> (out: x) { ',
    ],
)
def test_what_is_no_listing(text: str) -> None:
    with pytest.raises((ParseError, ShapeError)) as caught:
        parse_listing(text, REGISTRY)
    assert isinstance(caught.value, GraphcError)


# --- the verifier ---


def test_verifier_finds_what_is_broken() -> None:
    x, y = scalar("x"), scalar("y")
    good = graph_of(build.add(x, y), x, y)
    assert verify(good) is good
    stranger = Node()
    stranger.op, stranger.args, stranger.attrs, stranger.type = REGISTRY["sin"], (x,), (), x.type
    mistyped = Node()
    mistyped.op, mistyped.args, mistyped.attrs = REGISTRY["cos"], (stranger,), ()
    mistyped.type = TensorType("float32", ())
    broken = {
        "not declared": replace(good, inputs=(x,)),
        "one name": replace(good, inputs=(x, y, input_node("x", TensorType("float32", ())))),
        "interned": replace(good, outputs=(stranger,)),
        "differ in number": replace(good, output_names=("a", "b")),
        "not an identifier": replace(good, names={x: "2x"}),
    }
    for message, graph in broken.items():
        with pytest.raises(InternalError, match=message):
            verify(graph)
    with pytest.raises(InternalError):
        verify(replace(good, outputs=(mistyped,)))


# --- the interpreter, networkx ---


def test_interpreter_refuses_what_does_not_fit() -> None:
    x = input_node("x", TensorType(F, (Size.named("n"), 2)))
    graph = graph_of(build.apply("sin", x), x)
    with pytest.raises(ArgumentError, match="`x` is missing"):
        interpret(graph, {})
    with pytest.raises(ShapeError):
        interpret(graph, {"x": np.zeros((3, 3))})
    with pytest.raises(ShapeError):
        interpret(graph, {"x": np.zeros(2)})
    assert interpret(graph, {"x": [[1, 0]]})[0].tolist() == [[math.sin(1.0), 0.0]]


def test_to_networkx() -> None:
    x, y = scalar("x"), scalar("y")
    product = build.multiply(x, y)
    digraph = graph_of(build.subtract(product, x), x, y, p=product).to_networkx()
    assert dict(digraph.nodes(data=True)) == {
        0: {"op": "input", "type": "f64[]", "name": "x"},
        1: {"op": "input", "type": "f64[]", "name": "y"},
        2: {"op": "multiply", "type": "f64[]", "name": "p"},
        3: {"op": "subtract", "type": "f64[]"},
    }
    assert sorted(digraph.edges(data="position")) == [(0, 2, 0), (0, 3, 1), (1, 2, 1), (2, 3, 0)]


def test_users_come_once_for_each_use() -> None:
    x = scalar("x")
    square = build.multiply(x, x)
    assert graph_of(square, x).users == {x: (square, square), square: ()}


# --- depth ---


def test_a_deep_chain_is_an_ordinary_graph() -> None:
    graph = chain()
    assert len(graph.nodes) == DEEP + 1
    text = write_listing(graph)
    assert parse_listing(text, REGISTRY).outputs == graph.outputs
    assert pickle.loads(pickle.dumps(graph)).outputs == graph.outputs
    assert len(repr(graph)) < 100 and len(repr(graph.outputs[0])) < 100
    assert 0.0 < float(interpret(graph, {"x": 0.5})[0]) < 0.01
    back = gradient(graph, ["x"])
    assert len(back.nodes) >= 2 * DEEP


def test_a_deep_chain_is_freed() -> None:
    graph = chain()
    watched = weakref.ref(graph.nodes[DEEP // 2])
    del graph
    gc.collect()
    assert watched() is None


def test_a_deep_chain_compiles() -> None:
    joint = join(chain(10_000), ["x"])
    assert len(joint.graph.outputs) == 2


def test_sixty_doublings_are_sixty_nodes() -> None:
    x = node = scalar("x")
    for _ in range(60):
        node = build.add(node, node)
    graph = graph_of(node, x)
    assert len(graph.nodes) == 61
    assert float(interpret(graph, {"x": 1.0})[0]) == 2.0**60
    assert float(interpret(gradient(graph, ["x"]), {"x": 1.0, "dout": 1.0})[0]) == 2.0**60
    joint = join(graph, ["x"])
    found = interpret(joint.graph, {"x": 1.0, "dout": 1.0})
    assert [float(v) for v in found] == [2.0**60, 2.0**60]
