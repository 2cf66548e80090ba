"""Reverse mode: forks, broadcasting, unused inputs, refusals, second derivatives, and where calculus is silent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.autodiff import gradient
from graphc.errors import DtypeError, UnknownNameError
from graphc.frontends.text import parse
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.passes.pipeline import join

INF, NAN = math.inf, math.nan


def both(text: str, inputs: dict[str, Any], values: dict[str, Any], wrt: Sequence[str], **cotangents: Any) -> list[Any]:
    """The gradients as the chain rule gives them, and as they are after all rewrites; they must agree."""
    graph = parse(text, inputs=inputs)
    joint = join(graph, wrt)
    raw = gradient(graph, wrt)
    given = {**values, **{"d" + n: np.ones(o.shape) for n, o in zip(graph.output_names, graph.outputs, strict=True)}}
    given |= cotangents
    plain, simple = interpret(raw, given), interpret(joint.gradient, given)
    for a, b in zip(plain, simple, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
    return simple


def slopes(text: str, x: Any, wrt: str = "x", **more: Any) -> list[float]:
    """The gradient of the sum of an expression at `x`, as a list; other inputs by name."""
    values = {"x": np.asarray(x, dtype=float), **{k: np.asarray(v, dtype=float) for k, v in more.items()}}
    inputs = {k: v.shape for k, v in values.items()}
    found = both(f"loss = sum({text})", inputs, values, [wrt])[0]
    return np.ravel(found).tolist()


# --- the machinery ---


def test_gradients_add_at_forks() -> None:
    wanted = [2 * x + math.sin(x) + x * math.cos(x) + 1.0 for x in (0.5, -2.0)]
    assert slopes("x * x + x * sin(x) + x", [0.5, -2.0]) == pytest.approx(wanted, rel=1e-15)


@pytest.mark.parametrize(
    ("shape", "repeats"),
    [
        ((), 24.0),
        ((1,), 24.0),
        ((4,), 6.0),
        ((3, 1), 8.0),
        ((1, 4), 6.0),
        ((3, 4), 2.0),
        ((1, 1), 24.0),
        ((1, 1, 1), 24.0),
        ((2, 1, 4), 3.0),
        ((2, 3, 4), 1.0),
    ],
)
def test_broadcast_arguments_get_sums(shape: tuple[int, ...], repeats: float) -> None:
    """The cotangent of x in the sum of x * w is w, here ones, summed over what x was repeated along."""
    x = np.ones(shape)
    found = both("loss = sum(x * w)", {"x": shape, "w": (2, 3, 4)}, {"x": x, "w": np.ones((2, 3, 4))}, ["x"])[0]
    assert found.shape == shape
    np.testing.assert_array_equal(found, np.full(shape, repeats))


def test_unused_inputs_have_zeros_of_their_shape_and_dtype() -> None:
    graph = parse("x: f64[n]\nu: f32[n, 2]\ns: f64\nloss = sum(x)\nreturn loss")
    found = interpret(gradient(graph, ["u", "s", "x"]), {"x": np.ones(3), "u": np.ones((3, 2)), "s": 1.0, "dloss": 2.0})
    assert [(v.shape, str(v.dtype), float(v.sum())) for v in found] == [
        ((3, 2), "float32", 0.0),
        ((), "float64", 0.0),
        ((3,), "float64", 6.0),
    ]


@pytest.mark.parametrize("dtype", ["i64", "i32", "bool"])
def test_only_floats_have_gradients(dtype: str) -> None:
    graph = parse(f"i: {dtype}[n]\nx: f64[n]\nloss = sum(where(x > 0, x, 0) * astype(i, f64))\nreturn loss")
    with pytest.raises(DtypeError, match="`i`") as caught:
        gradient(graph, ["i"])
    assert caught.value.code == "G031"
    assert gradient(graph, ["x"]).output_names == ("dx",)


def test_unknown_names() -> None:
    graph = parse("loss = sum(weight * x)", inputs={"weight": "n", "x": "n"})
    with pytest.raises(UnknownNameError, match="`wieght` is not an input") as caught:
        gradient(graph, ["wieght"])
    assert caught.value.code == "G010" and caught.value.hint == "did you mean `weight`?"


def test_several_outputs_each_with_a_cotangent() -> None:
    graph = parse("a = x * y\nb = sum(x)\nreturn a, b", inputs={"x": "n", "y": "n"})
    back = gradient(graph, ["x", "y"])
    assert back.input_names == ("x", "y", "da", "db") and back.output_names == ("dx", "dy")
    x, y, da = np.array([1.0, 2.0]), np.array([3.0, 5.0]), np.array([10.0, 100.0])
    dx, dy = interpret(back, {"x": x, "y": y, "da": da, "db": 7.0})
    assert dx.tolist() == [37.0, 507.0] and dy.tolist() == [10.0, 200.0]


def test_one_node_as_two_outputs_and_an_input_as_output() -> None:
    graph = parse("a = 3 * x\nb = a\nreturn a, b", inputs={"x": ()})
    twice = Graph(graph.inputs, (graph.outputs[0], graph.outputs[0], graph.inputs[0]), ("a", "b", "c"))
    (dx,) = interpret(gradient(twice, ["x"]), {"x": 1.0, "da": 1.0, "db": 10.0, "dc": 100.0})
    assert float(dx) == 133.0


def test_names_of_cotangents_do_not_collide() -> None:
    graph = parse("loss = dloss * x\nreturn loss", inputs={"dloss": (), "x": ()})
    back = gradient(graph, ["x"])
    assert len(set(back.input_names)) == 3
    assert float(interpret(back, {"dloss": 5.0, "x": 2.0, back.input_names[2]: 1.0})[0]) == 5.0


def test_outputs_that_are_no_floats_have_no_cotangent() -> None:
    graph = parse("a = x > 0\nb = sum(x)\nreturn a, b", inputs={"x": "n"})
    assert gradient(graph, ["x"]).input_names == ("x", "db")


def test_cotangents_of_what_is_no_float_are_not_followed() -> None:
    assert slopes("x * astype(astype(x, int64), f64)", [1.5, -2.5]) == [1.0, -2.0]
    assert slopes("x * stop_gradient(x)", [3.0]) == [3.0]
    assert slopes("floor(x) + rint(x) + sign(x) * x", [1.5, -1.5]) == [1.0, -1.0]


SECOND = [
    ("x**3", 1.3, 6 * 1.3),
    ("exp(2 * x)", 0.3, 4 * math.exp(0.6)),
    ("sin(x) * x", 0.7, 2 * math.cos(0.7) - 0.7 * math.sin(0.7)),
    ("log(1 + exp(x))", 0.4, math.exp(0.4) / (1 + math.exp(0.4)) ** 2),
    ("1 / x", 2.0, 0.25),
    ("sqrt(x)", 4.0, -1 / 32),
    ("tanh(x)", 0.5, -2 * math.tanh(0.5) * (1 - math.tanh(0.5) ** 2)),
    ("abs(x) * x", -2.0, -2.0),
    ("x**x", 1.0, 2.0),
    ("arctan(x)", 1.0, -0.5),
    ("where(x > 0, x**2, -x)", 3.0, 2.0),
    ("logsumexp(stack((x, 2 * x)))", 0.0, 0.25),
]


@pytest.mark.parametrize(("text", "x", "wanted"), SECOND)
def test_second_derivatives(text: str, x: float, wanted: float) -> None:
    """gradient(gradient(f)), to 1e-13."""
    first = gradient(parse(f"y = {text}", inputs={"x": ()}), ["x"])
    second = gradient(first, ["x"])
    values = dict.fromkeys(second.input_names, 1.0) | {"x": x}
    found = interpret(second, values)[0]
    assert float(found) == pytest.approx(wanted, rel=1e-13, abs=1e-15)


def test_second_derivative_of_a_model_is_its_hessian_times_a_vector() -> None:
    """Against central differences of the gradient, to 1e-8."""
    seed = 3
    rng = np.random.default_rng(seed)
    text = "loss = mean(log(1 + exp(-y * (x @ w)))) + 0.1 * sum(w * w)"
    graph = parse(text, inputs={"x": "n d", "w": "d", "y": "n"})
    first = gradient(graph, ["w"])
    second = gradient(first, ["w"])
    values = {"x": rng.normal(size=(6, 3)), "w": rng.normal(size=3), "y": rng.choice([-1.0, 1.0], 6), "dloss": 1.0}
    v = rng.normal(size=3)
    found = interpret(second, {**values, second.input_names[-1]: v})[0]
    h = 1e-5
    up, down = (interpret(first, {**values, "w": values["w"] + t * v})[0] for t in (h, -h))
    np.testing.assert_allclose(found, (up - down) / (2 * h), rtol=1e-8, atol=1e-9, err_msg=f"seed {seed}")


# --- where calculus is silent (DESIGN section 9) ---

SILENT = [
    ("abs(x)", [0.0, -0.0, 1.0, -2.0], [0.0, 0.0, 1.0, -1.0]),
    ("sqrt(x**2)", [0.0, -2.0, 3.0], [0.0, -1.0, 1.0]),
    ("relu(x)", [0.0, 1.0, -1.0], [0.0, 1.0, 0.0]),
    ("maximum(x, 0)", [0.0, 1.0, -1.0], [0.0, 1.0, 0.0]),
    ("maximum(0, x)", [0.0, 1.0, -1.0], [0.0, 1.0, 0.0]),
    ("maximum(x, 2)", [2.0, 3.0, 1.0], [0.0, 1.0, 0.0]),
    ("minimum(x, 2)", [2.0, 3.0, 1.0], [0.0, 0.0, 1.0]),
    ("clip(x, -1, 1)", [-1.0, 1.0, 0.0, 2.0, -2.0], [0.0, 0.0, 1.0, 0.0, 0.0]),
    ("maximum(x, x)", [1.0, 2.0], [1.0, 1.0]),
    ("max(x)", [1.0, 3.0, 3.0, 3.0], [0.0, 1 / 3, 1 / 3, 1 / 3]),
    ("max(x)", [3.0, 1.0, 3.0, 2.0], [0.5, 0.0, 0.5, 0.0]),
    ("min(x)", [1.0, 1.0, 2.0], [0.5, 0.5, 0.0]),
    ("prod(x)", [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
    ("prod(x)", [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
    ("prod(x)", [2.0, 3.0, 5.0], [15.0, 10.0, 6.0]),
    ("x**0", [0.0, 2.0, -1.0], [0.0, 0.0, 0.0]),
    ("x**1", [0.0, 2.0], [1.0, 1.0]),
    ("x**2", [0.0, -3.0], [0.0, -6.0]),
    ("x**3", [0.0, -2.0], [0.0, 12.0]),
    ("sqrt(x)", [0.0, 4.0], [INF, 0.25]),
    ("sign(x)", [0.0, 2.0], [0.0, 0.0]),
    ("floor(x)", [0.0, 2.5], [0.0, 0.0]),
    ("rint(x)", [0.5, 2.0], [0.0, 0.0]),
    ("where(x > 0, log(x), 0)", [0.0, -1.0, 2.0], [0.0, 0.0, 0.5]),
    ("where(x > 0, sqrt(x), 0)", [0.0, -1.0, 4.0], [0.0, 0.0, 0.25]),
    ("where(x > 0, 1 / x, 0)", [0.0, 2.0], [0.0, -0.25]),
    ("where(x > 0, x**0.5, 0)", [0.0, 4.0], [0.0, 0.25]),
    ("where(x < 700, exp(x), 0)", [1000.0, 0.0], [0.0, 1.0]),
    ("where(x > 0, x * log(x), 0)", [0.0, 1.0], [0.0, 1.0]),
    ("where(x == 0, 1, sin(x) / x)", [0.0], [0.0]),
    ("where(x > 0, sqrt(exp(log(x))), x)", [-1.0, 4.0], [1.0, 0.25]),
    ("std(x)", [2.0, 2.0], [0.0, 0.0]),
    ("var(x)", [2.0, 2.0], [0.0, 0.0]),
    ("logsumexp(x)", [-INF, 0.0], [0.0, 1.0]),
    ("softmax(x)[0]", [1000.0, 0.0], [0.0, 0.0]),
    ("log(1 + exp(x))", [1000.0, -1000.0], [1.0, 0.0]),
    ("tanh(x)", [1000.0], [0.0]),
]


@pytest.mark.parametrize(("text", "x", "wanted"), SILENT, ids=[f"{t} at {x}" for t, x, _ in SILENT])
def test_conventions(text: str, x: list[float], wanted: list[float]) -> None:
    assert slopes(text, x) == wanted


@pytest.mark.parametrize(
    ("text", "x", "y", "dx", "dy"),
    [
        ("maximum(x, y)", [1.0, 2.0, 3.0], [1.0, 3.0, 2.0], [0.5, 0.0, 1.0], [0.5, 1.0, 0.0]),
        ("minimum(x, y)", [1.0, 2.0, 3.0], [1.0, 3.0, 2.0], [0.5, 1.0, 0.0], [0.5, 0.0, 1.0]),
        ("abs(x - y)", [1.0, 2.0, 3.0], [1.0, 3.0, 2.0], [0.0, -1.0, 1.0], [0.0, 1.0, -1.0]),
        ("x**y", [0.0, 2.0, 0.0], [0.0, 3.0, 2.0], [0.0, 12.0, 0.0], [0.0, 8 * math.log(2.0), 0.0]),
        ("where(x > 0, x, y)", [1.0, -1.0, 0.0], [NAN, 2.0, 3.0], [1.0, 0.0, 0.0], [0.0, 1.0, 1.0]),
        ("where(x > 0, x / y, 0)", [1.0, -1.0, 0.0], [2.0, 0.0, 0.0], [0.5, 0.0, 0.0], [-0.25, 0.0, 0.0]),
        ("where(x > 0, log(y), 0)", [1.0, -1.0, 0.0], [2.0, -1.0, 0.0], [0.0, 0.0, 0.0], [0.5, 0.0, 0.0]),
        ("where(x > 0, y**0.5, 0)", [1.0, -1.0, 0.0], [4.0, -1.0, 0.0], [0.0, 0.0, 0.0], [0.25, 0.0, 0.0]),
        ("sqrt(x**2 + y**2)", [3.0, -3.0], [4.0, 4.0], [0.6, -0.6], [0.8, 0.8]),
    ],
)
def test_conventions_of_two_variables(text: str, x: Any, y: Any, dx: Any, dy: Any) -> None:
    assert slopes(text, x, "x", y=y) == pytest.approx(dx, rel=1e-15, abs=0.0)
    assert slopes(text, x, "y", y=y) == pytest.approx(dy, rel=1e-15, abs=0.0)


def test_the_norm_has_slope_0_at_0() -> None:
    assert slopes("sqrt(sum(x**2))", [0.0, 0.0]) == [0.0, 0.0]
    assert slopes("sqrt(sum(x * x))", [3.0, 4.0]) == pytest.approx([0.6, 0.8], rel=1e-15)


def test_a_norm_written_with_a_sum_of_two_squares_has_slope_0_at_0() -> None:
    assert slopes("sqrt(x**2 + y**2)", [0.0], y=[0.0]) == [0.0]


def test_ties_along_an_axis_are_shared_in_each_row() -> None:
    x = np.array([[1.0, 1.0, 0.0], [2.0, 5.0, 5.0], [7.0, 1.0, 1.0]])
    found = both("loss = sum(max(x, axis=1))", {"x": (3, 3)}, {"x": x}, ["x"])[0]
    assert found.tolist() == [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]


@pytest.mark.parametrize("text", ["sum(prod(x, axis=1))", "sum(x)", "sum(exp(x))", "sum(sum(x, axis=0))"])
def test_empty_arrays_have_empty_gradients(text: str) -> None:
    for shape in ((0, 3), (3, 0)):
        found = both(f"loss = {text}", {"x": shape}, {"x": np.ones(shape)}, ["x"])[0]
        assert found.shape == shape


def test_float32_stays_float32() -> None:
    graph = parse("x: f32[n]\nw: f32[n]\nloss = mean(log(1 + exp(-x * w))) + 0.5 * sum(w**2)\nreturn loss")
    back = join(graph, ["w"]).gradient
    assert {n.type.dtype for n in back.nodes} == {"float32"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sum(sqrt(sum(x * x, axis=1)))", [[0.0, 0.0], [0.6, 0.8]]),
        ("sum(sqrt(x[:, 0]**2 + x[:, 1]**2))", [[0.0, 0.0], [0.6, 0.8]]),
        ("sum(std(x, axis=1))", [[0.0, 0.0], [-0.5, 0.5]]),
        ("sqrt(sum((x - x)**2))", [[0.0, 0.0], [0.0, 0.0]]),
    ],
)
def test_the_generated_code_of_a_norm_at_0_raises_no_warning(text: str, wanted: list[list[float]]) -> None:
    module = gc.compile(f"x: f64[n, 2]\nreturn {text}")
    with np.errstate(all="raise"):
        found = module.grad(x=np.array([[0.0, 0.0], [3.0, 4.0]])).x
    np.testing.assert_allclose(found, wanted, rtol=1e-15, atol=0.0)


@pytest.mark.parametrize("pairs", [4, 6, 7, 2_000])
def test_long_products_have_gradients_in_linear_size(pairs: int) -> None:
    """x * y * x * y * ...: up to a dozen factors one by one, a longer product as forward computed it."""
    module = gc.compile("x" + " * y * x" * pairs, inputs={"x": (), "y": ()})
    x, y = 1.0 + 1.0 / pairs, 1.0 - 0.5 / pairs
    value, gradients = module.value_and_grad(x, y)
    assert value == pytest.approx(x ** (pairs + 1) * y**pairs, rel=1e-12)
    assert gradients.x == pytest.approx((pairs + 1) * x**pairs * y**pairs, rel=1e-12)
    assert gradients.y == pytest.approx(pairs * x ** (pairs + 1) * y ** (pairs - 1), rel=1e-12)
    assert len(module.gradient.nodes) < 40 * pairs
