"""Tracing: names, places, sizes, structures, captured arrays, help from the source, and without it."""

from __future__ import annotations

import functools
import math
from collections import namedtuple
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, NamedTuple

import numpy as np
import pytest

import graphc as gc
from graphc.frontends.numpy import trace

RNG = np.random.default_rng(3)
X, W, B, Y = RNG.standard_normal((5, 3)), RNG.standard_normal(3), 0.5, RNG.standard_normal(5)


def linear(X: Any, w: Any, b: Any, y: Any) -> Any:
    z = X @ w + b
    r = z - y
    return np.mean(r**2)


TYPES = {"X": "n d", "w": "d", "b": (), "y": "n"}


def same_value(f: Any, *args: Any, **inputs: Any) -> gc.Module:
    """Compile with examples; the value is NumPy's and the gradients are those of differences."""
    names = f.__code__.co_varnames[: f.__code__.co_argcount]
    examples = dict(zip(names, args, strict=True)) | inputs
    module = gc.compile(f, examples)
    np.testing.assert_allclose(module(**examples), f(**examples), rtol=1e-12, atol=1e-12)
    gc.check_grads(module, examples)
    return module


# --- what the generated code calls things ---


def test_names_and_lines_are_the_users() -> None:
    graph = gc.trace(linear, TYPES)
    assert graph.title == "test_numpy_tracing.py:linear" and graph.output_names == ("linear",)
    assert sorted(graph.names.values()) == ["r", "z"]
    z = next(n for n, name in graph.names.items() if name == "z")
    assert "X @ w + b" in graph.origin[z].source.line(graph.origin[z].position[0])
    source = gc.compile(linear, TYPES, wrt="w").source
    assert ("z    " not in source and "dz = " in source) or "dr = " in source


def test_a_name_given_again_gets_a_number_and_an_update_keeps_it() -> None:
    def f(x: Any) -> Any:
        h = np.sin(x)
        h = np.cos(h)
        s = h * 2.0
        s += x
        return np.sum(s * h)

    assert sorted(gc.trace(f, {"x": "n"}).names.values()) == ["h", "h2", "s"]
    same_value(f, W)


def test_leaves_of_lists_get_the_names_of_loop_variables() -> None:
    def f(layers: Any, X: Any) -> Any:
        for W, b in layers:
            X = np.tanh(X @ W + b)
        return np.sum(X)

    layers = [(RNG.standard_normal((3, 4)), np.zeros(4)), (RNG.standard_normal((4, 2)), np.ones(2))]
    assert gc.compile(f, {"layers": layers, "X": X}).graph.input_names == ("W", "b", "W2", "b2", "X")
    same_value(f, layers, X)


# --- sizes ---


def test_sizes_of_examples_are_names_and_unify() -> None:
    module = gc.compile(linear, {"X": X, "w": W, "b": B, "y": Y})
    types = {n["name"]: str(n.type) for n in module.graph.inputs}
    assert types == {"X": "f64[n, d]", "w": "f64[d]", "b": "f64[]", "y": "f64[n]"}
    assert math.isclose(module(RNG.standard_normal((7, 2)), np.ones(2), 1.0, np.ones(7)), 1.0, abs_tol=1e9)


def test_a_size_that_python_needs_becomes_the_examples_and_is_checked() -> None:
    def f(x: Any) -> Any:
        total = 0.0
        for i in range(len(x)):
            total = total + x[i] * [1.0, 2.0, 3.0][i]
        return total

    module = same_value(f, W)
    assert str(module.graph.inputs[0].type) == "f64[3]"
    with pytest.raises(ValueError, match=r"x must have shape \(3,\), got \(4,\)"):
        module(np.ones(4))
    with pytest.raises(gc.UnsupportedError, match="Python needs the number of `i`, which is another one in each step"):
        gc.compile(f, {"x": "n"})


def test_arithmetic_of_sizes_stays_symbolic() -> None:
    def f(x: Any) -> Any:
        n, d = x.shape
        flat = x.reshape(n * d)
        half = flat[: n * d - d]
        return np.sum(half) / n + math.sqrt(n) * np.mean(x) + np.zeros((d, n)).size - len(x) % 2 + 1 / d

    module = gc.compile(f, {"x": "n d"})
    for shape in ((5, 3), (4, 2)):
        x = RNG.standard_normal(shape)
        assert math.isclose(module(x), f(x), rel_tol=1e-12)
        gc.check_grads(module, {"x": x})


def test_a_slice_beyond_the_example_is_shortened_as_in_numpy() -> None:
    same_value(lambda x: np.sum(x[:10] ** 2) + np.sum(x[-7:]), W)


def test_a_range_of_a_size_is_an_index_as_it_is() -> None:
    def f(z: Any, y: Any) -> Any:
        p = np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)
        return -np.mean(np.log(p[range(z.shape[0]), y]))

    module = gc.compile(f, {"z": "n k", "y": "int n"}, wrt="z")
    for n in (2, 5):
        z, y = RNG.standard_normal((n, 3)), RNG.integers(0, 3, n)
        assert math.isclose(module(z, y), f(z, y), rel_tol=1e-12)
        np.testing.assert_allclose(module.grad(z, y).z, (np.exp(z) / np.exp(z).sum(1)[:, None] - np.eye(3)[y]) / n)
    assert "np.arange(n)" in module.source and "n = len(" in module.source


def test_equal_sizes_may_be_asserted() -> None:
    def f(a: Any, b: Any) -> Any:
        assert a.shape == b.shape
        assert a.shape[0] == len(b)
        return np.sum(a * b)

    assert [str(n.type) for n in same_value(f, W, 2.0 * W).graph.inputs] == ["f64[n]", "f64[n]"]


# --- structures ---


class Layer(NamedTuple):
    W: Any
    b: Any


@dataclass
class Model:
    first: Layer
    scale: Any
    kind: str = "tanh"


def test_structured_inputs_give_gradients_of_the_same_structure() -> None:
    def f(model: Model, params: dict[str, Any], X: Any) -> Any:
        h = np.tanh(X @ model.first.W + model.first.b) * model.scale
        return np.sum(h @ params["out"]["W"] + params["out"]["b"])

    model = Model(Layer(RNG.standard_normal((3, 4)), np.zeros(4)), 1.5)
    params = {"out": {"W": RNG.standard_normal((4, 2)), "b": np.ones(2)}}
    gradients = gc.grad(f, argnums=(0, 1))(model, params, X)
    assert isinstance(gradients[0], Model) and isinstance(gradients[0].first, Layer)
    assert gradients[0].first.W.shape == (3, 4) and gradients[1]["out"]["b"].shape == (2,)
    module = gc.compile(f, {"model": model, "params": params, "X": X}, wrt=("params", "X"))
    assert module.grad(model, params, X).params["out"]["W"].shape == (4, 2)
    gc.check_grads(module, {"model": model, "params": params, "X": X})
    with pytest.raises(gc.ArgumentError, match="another structure"):
        module(model, {"out": {"W": 1.0}}, X)


def test_one_flat_vector_sliced_and_reshaped() -> None:
    def f(theta: Any, X: Any) -> Any:
        d, h = X.shape[1], 4
        W = theta[: d * h].reshape(d, h)
        b, v = theta[d * h : d * h + h], theta[d * h + h :]
        return np.sum(np.tanh(X @ W + b) @ v)

    same_value(f, RNG.standard_normal(12 + 4 + 4), X)


def test_types_may_be_structures_and_annotations() -> None:
    def f(params: Any, X: Annotated[np.ndarray, "n d"], scale: float, power: int = 2) -> Any:
        return np.sum((X @ params["W"] + params["b"]) ** power) * scale

    graph = gc.trace(f, {"params": {"W": "d h", "b": "h"}})
    assert [(n["name"], str(n.type)) for n in graph.inputs] == [
        ("W", "f64[d, h]"), ("b", "f64[h]"), ("X", "f64[n, d]"), ("scale", "f64[]"),
    ]  # fmt: skip


def test_results_keep_their_structure() -> None:
    Pair = namedtuple("Pair", "low high")

    def f(x: Any) -> Any:
        return {"sum": np.sum(x), "pair": Pair(np.min(x), [np.max(x), 3])}

    found = gc.compile(f, {"x": "n"})(W)
    assert found["sum"] == W.sum() and found["pair"] == (W.min(), [W.max(), 3])
    assert type(found["pair"]) is Pair
    assert gc.trace(f, {"x": "n"}).output_names == ("sum", "pair_low", "f", "f2")


# --- closures, classes, constants ---


def test_closures_globals_defaults_and_partials() -> None:
    scale = np.array([1.0, -2.0, 0.5])

    def outer(x: Any, power: int = 3) -> Any:
        def inner(u: Any) -> Any:
            return scale * u**power

        return np.sum(inner(x)) + float(np.sum(W))

    same_value(lambda x: outer(x), W)
    same_value(lambda x: functools.partial(outer, power=2)(x), W)


class Network:
    def __init__(self, sizes: list[int]) -> None:
        rng = np.random.default_rng(0)
        self.layers = [{"W": rng.standard_normal((a, b)), "b": np.zeros(b)} for a, b in pairwise(sizes)]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = self.activation(x @ layer["W"] + layer["b"])
        return x

    def activation(self, x: Any) -> Any:
        return np.maximum(0.0, x) + self.slope * np.minimum(x, 0.0)

    @property
    def slope(self) -> float:
        return 0.1


def test_classes_that_hold_weights() -> None:
    net = Network([3, 5, 1])
    same_value(lambda x: np.sum(net(x) ** 2), X)
    module = gc.compile(net, {"x": X})
    np.testing.assert_allclose(module(X), net(X), rtol=1e-12)


def test_a_large_array_from_outside_becomes_an_input_by_its_name() -> None:
    features = RNG.standard_normal((40, 3))
    module = gc.compile(lambda w: np.sum(features @ w), {"w": W})
    assert module.graph.input_names == ("w", "features")
    assert math.isclose(module(W), np.sum(features @ W), rel_tol=1e-12)
    assert module.grad(W)._fields == ("w",)


def test_constants_stay_real_and_may_be_filled() -> None:
    def f(x: Any) -> Any:
        index = np.zeros(3, dtype=int)
        for k in range(3):
            index[k] = 2 - k
        table = np.zeros((2, 3))
        table[0] = np.arange(3)
        if table.sum() > 1.0:
            table[1, :2] = 5.0
        names = {int(i): f"w{i}" for i in index}
        assert names[2] == "w2"
        return np.sum(x[index] * table)

    same_value(f, W)


# --- help from the source, and without it ---


def rotation(q: Any) -> Any:
    c, s = math.cos(q[0]), np.sin(q[0])
    R = np.array([[c, -s], [s, c]])
    v = np.asarray([q[1], float(q[2])])
    return (R @ v)[0] * math.exp(q[1]) + max(q[0], q[1]) + sum(v) + abs(min([q[0], 0.3]))


def test_arrays_and_numbers_of_traced_values() -> None:
    same_value(rotation, W)
    assert "R = " in gc.compile(rotation, {"q": W}).source


def lists(x: Any) -> Any:
    pair = [x[0] ** 2, x[1]]
    total = np.mean([x[i] ** 2 for i in range(3)]) + np.linalg.norm((x[0], x[1])) + np.sum(np.exp([x[0], 2.0]))
    total += np.max([x[1], x.sum()]) + np.average(pair, weights=[x[2], 3.0]) + np.prod([x, x * 2], axis=0)[1]
    total += np.dot(pair, pair) + np.shape(pair)[0] + np.reshape(pair, (2, 1))[0, 0] + np.std(pair)
    total += np.logaddexp.reduce(pair) + np.add.reduce([x, x]).sum() + np.multiply.outer(pair, x)[0, 1]
    return total + np.concatenate([pair, x]).sum() + np.stack([x, x]).sum()


def test_lists_of_traced_values_are_arrays_to_numpy() -> None:
    same_value(lists, W)
    same_value(lambda x: np.mean([x[0], x[1]]) + np.linalg.norm([x[2], 2.0]), W)


def test_without_source_too() -> None:
    space: dict[str, Any] = {}
    text = (
        "import numpy as np, math\n"
        "def helper(t):\n    return np.array([math.sin(t), t])\n"
        "def f(q):\n    h = helper(q[0])\n    z = np.zeros(2)\n    z[0] = h[1]\n"
        "    return np.sum(h * 2.0) + float(q[1]) + z.sum()\n"
    )
    exec(text, space)
    module = gc.compile(space["f"], {"q": W})
    assert math.isclose(module(W), space["f"](W), rel_tol=1e-12)
    gc.check_grads(module, {"q": W})
    np.testing.assert_allclose(gc.grad(eval("lambda x: np.mean([x[0], x[1] ** 2])", {"np": np}))(W), [0.5, W[1], 0.0])
    pair = [lambda x: np.sum(np.array([x[0], 2.0])), lambda x: np.sum(np.array([x[1], x[0]]) ** 2)]
    for f in pair:
        same_value(f, W)


def test_a_lambda_beside_another_one() -> None:
    f, g = (lambda x: np.sum(np.array([x[0], x[1]]))), (lambda x: np.prod(np.array([x[0], x[2]])))
    same_value(f, W)
    same_value(g, W)


def test_isinstance_answers_as_without_tracing() -> None:
    def f(x: Any, t: Any) -> Any:
        assert isinstance(x, np.ndarray) and isinstance(x.shape[0], int)
        assert isinstance(np.sum(x), float) and not isinstance(x, (list, tuple))
        return np.sum(x) * t if x.ndim == 1 and x.dtype == np.float64 else 0.0

    same_value(f, W, 2.0)


def test_single_precision_stays_beside_python_numbers() -> None:
    def f(x: Any) -> Any:
        n = x.shape[0]
        return np.sum(x * 0.5 + math.sqrt(n) + 1 / n) / n * math.pi

    module = gc.compile(f, {"x": W.astype(np.float32)})
    value, gradients = module.value_and_grad(W.astype(np.float32))
    assert np.asarray(value).dtype == gradients.x.dtype == np.float32


def test_masks() -> None:
    def f(x: Any) -> Any:
        y = x.copy()
        y[y < 0] = 0.0
        y[x > 0.5] *= 2.0
        p = x * x
        return np.sum(y**2) + np.log(p[p > 0.1]).sum() + p[x > 0].mean() + x[(x > 0) & (x < 2)].max()

    same_value(f, np.array([-1.0, 0.3, 0.7, 1.4]))


def test_what_the_function_raises_itself_goes_through() -> None:
    def f(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        gc.compile(f, {"x": "n"})
    with pytest.raises(gc.LimitError, match="calls itself without end"):
        gc.compile(endless, {"x": "n"})


def endless(x: Any) -> Any:
    return endless(x)


def test_traced_arrays_are_named() -> None:
    traced = trace(linear, TYPES)
    assert traced.signature.arguments[0].names == ("X",) and traced.captured == {}


def test_nan_is_equal_to_nan_where_it_is_said() -> None:
    a = np.array([1.0, np.nan])

    def f(x: Any) -> Any:
        return np.where(np.array_equal(x, x * 1.0, equal_nan=True), 2.0, 3.0) + np.where(
            np.array_equal(x, x * 1.0), 20.0, 30.0
        )

    assert gc.compile(f, {"x": a})(a) == f(a) == 32.0
    assert gc.compile(f, {"x": a})(np.ones(2)) == f(np.ones(2)) == 22.0


def test_views_that_share_memory() -> None:
    def f(x: Any) -> Any:
        y = x + 1.0
        return np.sum(y) * (
            1.0 + np.shares_memory(y, y[1:]) + 4.0 * np.shares_memory(y, x) + 8.0 * np.may_share_memory(y, y[1:])
        )

    same_value(f, np.array([1.0, 2.0, 3.0]))
    with pytest.raises(gc.UnsupportedError, match="shares_memory"):
        gc.compile(lambda x: x.sum() * np.shares_memory(x[:1], x[1:]), {"x": np.ones(3)})
