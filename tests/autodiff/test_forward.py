"""Forward mode: every op's tangent against its adjoint and against differences; graphs; second order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import samples as catalogue

from graphc.autodiff import gradient, jvp
from graphc.errors import DtypeError, UnknownNameError, UnsupportedError
from graphc.expr import build
from graphc.frontends.text import parse
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import input_node
from graphc.ir.node import make
from graphc.ir.op import Op
from graphc.ir.types import TensorType
from graphc.ops import REGISTRY
from graphc.passes.pipeline import stabilise

DIFFERENTIABLE = sorted(n for n, op in REGISTRY.items() if op.adjoint is not None or any(op.partials or ()))


def smooth_samples(name: str, dtype: str = "float64") -> list[Any]:
    """The samples whose floating-point arguments are all of one dtype, and whose sizes are known."""
    found = [s for s in catalogue.samples(name) if not s.sizes]
    found = [s for s in found if {str(a.dtype) for a in s.args if a.dtype.kind == "f"} == {dtype}]
    return [s for s in found if name != "astype" or s.attrs["dtype"] == dtype]


def graph_of(op: Op, sample: Any) -> tuple[Graph, list[str], dict[str, Any]]:
    """The op on inputs, the names of the floating-point ones, and their values."""
    inputs = [input_node(f"x{i}", TensorType(str(a.dtype), a.shape)) for i, a in enumerate(sample.args)]
    graph = Graph(tuple(inputs), (make(op, inputs, **sample.attrs),), ("out",))
    floats = [n["name"] for n in inputs if n.type.is_float]
    return graph, floats, {n["name"]: a for n, a in zip(inputs, sample.args, strict=True)}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_the_tangent_is_the_transpose_of_the_gradient(name: str) -> None:
    """<ct, J v> = <J.T ct, v>, to rounding at the scale of the terms."""
    rng = np.random.default_rng(23)
    tried = 0
    for sample in smooth_samples(name):
        graph, names, values = graph_of(REGISTRY[name], sample)
        directions = {n + "_dot": rng.uniform(-1.0, 1.0, values[n].shape) for n in names}
        ct = rng.uniform(-1.0, 1.0, tuple(int(d) for d in graph.outputs[0].shape))
        with np.errstate(all="ignore"):
            [pushed] = interpret(jvp(graph, names), {**values, **directions})
            pulled = interpret(gradient(graph, names), {**values, "dout": ct})
        assert pushed.shape == ct.shape and pushed.dtype == np.float64
        left = ct * pushed
        right = [g * directions[n + "_dot"] for n, g in zip(names, pulled, strict=True)]
        scale = 1.0 + np.abs(left).sum() + sum(np.abs(r).sum() for r in right)
        gap = math.fsum(left.ravel()) - math.fsum(math.fsum(r.ravel()) for r in right)
        assert abs(gap) <= 1e-11 * scale, f"samples({name!r}): {sample}: {gap} of {scale}"
        tried += 1
    assert tried >= 10


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_float32_gives_float32_tangents(name: str) -> None:
    found = smooth_samples(name, "float32")
    for sample in found:
        graph, names, values = graph_of(REGISTRY[name], sample)
        seeds = {n + "_dot": np.ones_like(values[n]) for n in names}
        with np.errstate(all="ignore"):
            [pushed] = interpret(jvp(graph, names), {**values, **seeds})
        assert str(pushed.dtype) == graph.outputs[0].type.dtype, str(sample)
    assert any(graph_of(REGISTRY[name], s)[0].outputs[0].type.dtype == "float32" for s in found)


# --- graphs ---


def pushed(text: str, inputs: dict[str, Any], values: dict[str, Any], **directions: Any) -> np.ndarray:
    """The tangent of the first output of a model, along directions given by input."""
    graph = jvp(stabilise(parse(text, inputs=inputs))[0], list(directions))
    return interpret(graph, {**values, **{n + "_dot": v for n, v in directions.items()}})[0]


def test_tangents_are_named_and_typed_as_their_values() -> None:
    graph = jvp(parse("x: f64[n]\nw: f32[n]\nk: i64[n]\nz = x * w\ntotal = sum(z)\nreturn total, z, k"), ["x", "w"])
    assert graph.input_names == ("x", "w", "k", "x_dot", "w_dot")
    assert [str(n.type) for n in graph.inputs[3:]] == ["f64[n]", "f32[n]"]
    assert graph.output_names == ("total_dot", "z_dot")
    assert [str(n.type) for n in graph.outputs] == ["f64[]", "f64[n]"]
    assert "z_dot" in graph.names.values()
    taken = jvp(parse("x_dot * x", inputs={"x": (), "x_dot": ()}), ["x"])
    assert taken.input_names == ("x", "x_dot", "x_dot_")


def test_what_does_not_depend_has_zeros() -> None:
    graph = jvp(parse("x: f64[n]\nu: f32[n]\na = u * 2\nb = floor(x)\nreturn a, b"), ["x"])
    assert [(n.op.name, str(n.type)) for n in graph.outputs] == [("zeros", "f32[n]"), ("zeros", "f64[n]")]


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("sum(exp(x) * y[None, :] / (1 + x**2), axis=0)", {"x": (3, 4), "y": (4,)}),
        ("softmax(x @ w, axis=1)", {"x": (3, 4), "w": (4, 5)}),
        ("logsumexp(x, axis=0) + max(x, axis=0) * std(x, axis=0)", {"x": (3, 4)}),
        ("concatenate((x[1:, 0], 2 * x[::-1, 1], y))", {"x": (3, 4), "y": (2,)}),
        ("np.linalg.solve(eye(3) * 4 + A @ A.T, b)", {"A": (3, 3), "b": (3,)}),
        ("cumprod(sort(x, axis=1), axis=1)", {"x": (3, 4)}),
        ("where(x > 0, sqrt(abs(x)), x**3)", {"x": (3, 4)}),
        ("einsum('ij,ij->i', x, tanh(x)) * y", {"x": (3, 4), "y": ()}),
    ],
)
def test_against_central_differences(text: str, shapes: dict[str, Any]) -> None:
    rng = np.random.default_rng(3)
    values = {n: rng.uniform(-1.0, 1.0, s) for n, s in shapes.items()}
    directions = {n: rng.uniform(-1.0, 1.0, s) for n, s in shapes.items()}
    graph = parse(text, inputs=shapes)

    def along(t: float) -> np.ndarray:
        return interpret(graph, {n: v + t * directions[n] for n, v in values.items()})[0]

    rows = [(along(h) - along(-h)) / (2.0 * h) for h in (2e-3, 1e-3)]
    wanted = (4.0 * rows[1] - rows[0]) / 3.0
    found = pushed(text, shapes, values, **directions)
    np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(
    ("text", "x", "v", "wanted"),
    [
        ("where(x > 0, log(x), 0)", [0.0, 2.0], [1.0, 1.0], [0.0, 0.5]),
        ("where(x > 0, sqrt(x), 0) * 3", [0.0, 4.0], [1.0, 1.0], [0.0, 0.75]),
        ("abs(x) + relu(x)", [0.0, 1.0], [1.0, 1.0], [0.0, 2.0]),
        ("sqrt(sum(x**2))", [0.0, 0.0], [1.0, 1.0], 0.0),
        ("prod(x)", [0.0, 2.0], [1.0, 5.0], 2.0),
        ("max(x)", [1.0, 1.0], [1.0, 2.0], 1.5),
    ],
)
def test_where_calculus_is_silent_it_agrees_with_reverse_mode(text: str, x: Any, v: Any, wanted: Any) -> None:
    with np.errstate(all="ignore"):
        found = pushed(text, {"x": "n"}, {"x": np.array(x)}, x=np.array(v))
    np.testing.assert_array_equal(found, wanted)


def test_forward_over_reverse_is_reverse_over_reverse() -> None:
    """H v by both, of a function that meets elementwise, linear, bilinear and other ops."""
    shapes = {"x": (3, 4), "w": (4,)}
    graph = parse("sum(logsumexp(x * tanh(x @ w)[:, None], axis=1) ** 2) + prod(w) * std(x)", inputs=shapes)
    rng = np.random.default_rng(7)
    values = {n: rng.uniform(-1.0, 1.0, s) for n, s in shapes.items()} | {"dout": 1.0}
    v = rng.uniform(-1.0, 1.0, (4,))
    first = gradient(graph, ["w"])
    forward = interpret(jvp(first, ["w"]), {**values, "w_dot": v})[0]
    reverse = interpret(gradient(first, ["w"]), {**values, "ddw": v})[0]  # the Hessian is symmetric
    np.testing.assert_allclose(forward, reverse, rtol=1e-12)


def test_tangents_of_tangents() -> None:
    graph = parse("exp(2 * x)", inputs={"x": ()})
    for _ in range(4):
        graph = jvp(graph, ["x"])
    ones = dict.fromkeys(graph.input_names, 1.0)
    assert interpret(graph, {**ones, "x": 0.5})[0] == pytest.approx(16.0 * math.e, rel=1e-14)


def test_a_long_chain_is_an_ordinary_input() -> None:
    x = input_node("x", TensorType("float64", ()))
    node = x
    for _ in range(20_000):
        node = build.apply("sin", node)
    graph = jvp(Graph((x,), (node,), ("out",)), ["x"])
    assert len(graph.nodes) > 60_000


def test_refusals() -> None:
    graph = parse("x: f64[n]\nk: i64[n]\nreturn sum(x * k)")
    with pytest.raises(UnknownNameError, match="`y` is not an input"):
        jvp(graph, ["y"])
    with pytest.raises(DtypeError, match="`k` is i64"):
        jvp(graph, ["k"])
    strange = Op("strange", ("x",), lambda types, attrs: types[0], "x", "No derivative.")
    x = input_node("x", TensorType("float64", ()))
    with pytest.raises(UnsupportedError, match="the derivative of `strange` is not known"):
        jvp(Graph((x,), (make(strange, (x,)),), ("out",)), ["x"])
