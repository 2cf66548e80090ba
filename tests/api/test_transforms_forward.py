"""gc.jvp and gc.hvp: values, structures, nesting, signatures, and the code that comes out."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.optimize

import graphc as gc
from graphc.transforms.forward import _tangent

RNG = np.random.default_rng(19)
X, W, Y = RNG.standard_normal((6, 3)), RNG.standard_normal(3), (RNG.random(6) > 0.5).astype(float)
V = RNG.standard_normal(3)


def logistic(w: Any, X: Any, y: Any, reg: float = 0.0) -> Any:
    z = X @ w
    return np.mean(np.logaddexp(0.0, z) - y * z) + reg * np.sum(w**2)


def rosen(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0)


def logistic_hessian(w: np.ndarray, X: np.ndarray, reg: float = 0.0) -> np.ndarray:
    p = 1.0 / (1.0 + np.exp(-X @ w))
    return X.T @ ((p * (1.0 - p))[:, None] * X) / len(X) + 2.0 * reg * np.eye(len(w))


# --- jvp ---


def test_value_and_tangent() -> None:
    value, tangent = gc.jvp(lambda w, X: np.tanh(X @ w), (W, X), (V, 2.0 * X))
    np.testing.assert_allclose(value, np.tanh(X @ W), rtol=1e-15)
    np.testing.assert_allclose(tangent, (1.0 - np.tanh(X @ W) ** 2) * (X @ V + 2.0 * X @ W), rtol=1e-13)
    value, tangent = gc.jvp(math.sin, (0.5,), (2.0,))
    assert (float(value), float(tangent)) == (math.sin(0.5), pytest.approx(2.0 * math.cos(0.5), rel=1e-15))
    assert isinstance(tangent, np.floating)


class Point(NamedTuple):
    x: Any
    y: Any


def test_structures() -> None:
    def f(params: Any, p: Any) -> Any:
        return {"s": params["W"] @ p.x + params["b"][0], "k": np.argmax(p.x), "y": [p.y * 2.0]}

    primals = ({"W": X, "b": [Y]}, Point(W, 3.0))
    tangents = ({"W": 0.0 * X, "b": [Y]}, Point(V, 1.0))
    value, tangent = gc.jvp(f, primals, tangents)
    assert list(value) == list(tangent) == ["s", "k", "y"]
    np.testing.assert_allclose(tangent["s"], X @ V + Y, rtol=1e-14)
    assert tangent["k"] == 0 and float(tangent["y"][0]) == 2.0
    assert value["k"] == int(np.argmax(W))


def test_float32_stays() -> None:
    single = [a.astype(np.float32) for a in (W, V)]
    value, tangent = gc.jvp(lambda w: np.exp(w) / 3, (single[0],), (single[1],))
    assert value.dtype == tangent.dtype == np.float32
    assert gc.hvp(lambda w: np.sum(np.exp(w)))(*single).dtype == np.float32


def test_inside_traced_functions() -> None:
    def directional(w: Any, v: Any) -> Any:
        value, tangent = gc.jvp(lambda u: np.sum(u**3), (w,), (v,))
        return value + tangent

    m = gc.compile(directional, {"w": W, "v": V})
    value, slopes = m.value_and_grad(W, V)
    assert value == pytest.approx(np.sum(W**3) + np.sum(3.0 * W**2 * V), rel=1e-13)
    np.testing.assert_allclose(slopes.w, 3.0 * W**2 + 6.0 * W * V, rtol=1e-12)
    np.testing.assert_allclose(slopes.v, 3.0 * W**2, rtol=1e-12)


def test_every_nesting_of_two_is_the_second_derivative() -> None:
    def f(x: Any) -> Any:
        return np.exp(-x) * np.sin(3.0 * x)

    def along(g: Any) -> Any:
        return lambda x: gc.jvp(g, (x,), (1.0,))[1]

    x = 0.3
    wanted = math.exp(-x) * (-8.0 * math.sin(3.0 * x) - 6.0 * math.cos(3.0 * x))
    found = [along(along(f))(x), along(gc.grad(f))(x), gc.grad(along(f))(x), gc.grad(gc.grad(f))(x), gc.hvp(f)(x, 1.0)]
    np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_fourth_derivatives() -> None:
    def second(g: Any) -> Any:
        return lambda x: gc.hvp(g)(x, 1.0)

    def f(x: Any) -> Any:
        return x**6 + np.cos(2.0 * x)

    x = 0.7
    wanted = 360.0 * x**2 + 16.0 * math.cos(2.0 * x)
    assert float(second(second(f))(x)) == pytest.approx(wanted, rel=1e-12)


def test_perturbations_stay_apart() -> None:
    """The derivative of the outer variable is not that of the inner one."""

    def f(x: Any) -> Any:
        return x * gc.jvp(lambda y: x + y, (1.0,), (1.0,))[1]

    assert float(gc.jvp(f, (2.0,), (1.0,))[1]) == 1.0


def test_what_stands_behind_an_argument_may_be_computed() -> None:
    def f(x: Any) -> Any:
        return gc.jvp(np.sin, (x**2,), (x,))[1]

    assert float(gc.grad(f)(0.5)) == pytest.approx(math.cos(0.25) - 0.5 * math.sin(0.25), rel=1e-14)


def test_a_function_is_compiled_once() -> None:
    def f(x: Any) -> Any:
        return np.exp(x)

    gc.jvp(f, (W,), (V,))
    module = _tangent(f).module
    gc.jvp(f, (X[:, 0],), (X[:, 1],))
    assert _tangent(f).module is module
    gc.jvp(f, (X,), (X,))
    assert _tangent(f).module is not module


def test_a_result_without_a_name_is_the_value() -> None:
    f = lambda x: np.exp(x) * 2  # noqa: E731
    gc.jvp(f, (W,), (V,))
    assert "return (value, value_dot), ()" in _tangent(f).source


def test_tangents_along_unit_vectors_have_no_zeros_in_them() -> None:
    """A gradient in forward mode reads as one written by hand: no rows of a unit matrix, no products with 0."""

    def gradient(x: Any) -> Any:
        return np.array([gc.jvp(lambda x: x[0] * np.sin(x[1]), (x,), (unit,))[1] for unit in np.eye(len(x))])

    x = np.array([0.7, 0.4])
    np.testing.assert_allclose(gc.compile(gradient, {"x": "2"})(x), [np.sin(0.4), 0.7 * np.cos(0.4)], rtol=1e-15)
    ops = sorted(n.op.name for n in gc.trace(gradient, {"x": "2"}).nodes if n.args)
    assert ops == ["cos", "getitem", "getitem", "multiply", "sin", "stack"]
    np.testing.assert_allclose(gc.jacobian(gradient)(x), [[0, np.cos(0.4)], [np.cos(0.4), -0.7 * np.sin(0.4)]])


def test_a_tangent_of_zeros_is_none() -> None:
    """Also where the slope is infinite."""
    module = gc.compile(
        lambda x, y: gc.jvp(lambda x, y: np.sqrt(x) * y, (x, y), (0.0, 1.0))[1], {"x": "f64", "y": "f64"}
    )
    assert module(0.0, 3.0) == 0.0
    assert module(4.0, 3.0) == 2.0


def test_refusals_of_jvp() -> None:
    with pytest.raises(gc.ArgumentError, match="primals is a tuple, not a ndarray"):
        gc.jvp(np.sin, W, V)
    with pytest.raises(gc.ArgumentError, match="the tangents have another structure"):
        gc.jvp(np.sin, (W,), (W, V))
    with pytest.raises(gc.DtypeError, match="argument 0 holds an array of dtype int64"):
        gc.jvp(np.sin, (np.arange(3),), (V,))
    with pytest.raises(gc.ShapeError, match="cannot broadcast"):
        gc.jvp(np.sin, (W,), (X,))


# --- hvp ---


def test_hessian_times_vector() -> None:
    product = gc.hvp(rosen)
    for n in (2, 5, 9):
        x, v = RNG.standard_normal(n), RNG.standard_normal(n)
        np.testing.assert_allclose(product(x, v), scipy.optimize.rosen_hess_prod(x, v), rtol=1e-12, atol=1e-10)
        if n == 2:
            module = product.module
    assert product.module is module


def test_other_arguments_and_keywords() -> None:
    product = gc.hvp(logistic)
    np.testing.assert_allclose(product(W, X, Y, V), logistic_hessian(W, X) @ V, rtol=1e-12)
    np.testing.assert_allclose(product(W, X, Y, V, reg=0.5), logistic_hessian(W, X, 0.5) @ V, rtol=1e-12)
    np.testing.assert_allclose(product(W, X, Y, 0.25, V), logistic_hessian(W, X, 0.25) @ V, rtol=1e-12)


def test_several_arguments_and_structures() -> None:
    def f(p: Any, s: Any) -> Any:
        return s * np.sum(p["a"] ** 2 * p["b"]) + s**3

    p, s = {"a": W, "b": V}, 2.0
    v = ({"a": V, "b": W}, 0.5)
    dp, ds = gc.hvp(f, argnums=(0, 1))(p, s, v)
    da = s * (2.0 * V * V + 2.0 * W * W) + 0.5 * 2.0 * W * V
    db = s * 2.0 * W * V + 0.5 * W**2
    np.testing.assert_allclose(dp["a"], da, rtol=1e-13)
    np.testing.assert_allclose(dp["b"], db, rtol=1e-13)
    first = np.sum(2.0 * W * V * V + W**2 * W)
    assert float(ds) == pytest.approx(first + 6.0 * s * 0.5, rel=1e-13)
    np.testing.assert_allclose(gc.hvp(f, argnums=1)(p, s, 0.5), 3.0 * s * 2 * 0.5, rtol=1e-13)


def test_hvp_inside_a_traced_function() -> None:
    def curvature(x: Any, v: Any) -> Any:
        return np.sum(v * gc.hvp(rosen)(x, v))

    x, v = RNG.standard_normal(4), RNG.standard_normal(4)
    wanted = v @ scipy.optimize.rosen_hess_prod(x, v)
    assert gc.compile(curvature, {"x": x, "v": v})(x, v) == pytest.approx(wanted, rel=1e-12)
    gc.check_grads(curvature, {"x": x, "v": v})


def test_what_is_linear_has_no_hessian() -> None:
    np.testing.assert_array_equal(gc.hvp(lambda w: np.sum(3.0 * w))(W, V), np.zeros(3))


def test_refusals_of_hvp() -> None:
    with pytest.raises(gc.ArgumentError, match="the gradient needs a scalar, and the function returns f64"):
        gc.hvp(np.sin)(W, V)
    with pytest.raises(gc.ArgumentError, match="the last argument is the direction"):
        gc.hvp(rosen)()
    with pytest.raises(gc.ArgumentError, match="argnums names argument 0, and the call has 0"):
        gc.hvp(rosen)(W)
    with pytest.raises(gc.ArgumentError, match="the direction has another structure"):
        gc.hvp(rosen)(W, {"v": W})
    with pytest.raises(gc.ArgumentError, match="the direction is a tuple of 2"):
        gc.hvp(logistic, argnums=(0, 1))(W, X, Y, V)


def test_the_code_is_what_one_would_write() -> None:
    def loss(w: Any, X: Any, y: Any) -> Any:
        z = X @ w
        return np.mean(np.logaddexp(0.0, z) - y * z)

    product = gc.hvp(loss)
    product(W, X, Y, V)
    body = product.source.partition("_check(w, X, y, v)\n")[2].partition("\n\n\n")[0]
    assert [line.partition("  #")[0].strip() for line in body.splitlines()] == [
        "d = len(X)",
        "z_dot = X @ v",
        "z = X @ w",
        "sig_z = _sigmoid(z)",
        "dz_dot = z_dot * sig_z * (1.0 - sig_z) / max(d, 1)",
        "Hv = X.T @ dz_dot",
        "return Hv, ()",
    ]
