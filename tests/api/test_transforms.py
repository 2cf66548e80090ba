"""gc.grad, gc.value_and_grad, gc.vjp: JAX's conventions, compiled once, nested."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphc as gc

RNG = np.random.default_rng(11)
X, W, Y = RNG.standard_normal((6, 3)), RNG.standard_normal(3), RNG.standard_normal(6)


def loss(w: Any, X: Any, y: Any, reg: float = 0.1, kind: str = "square") -> Any:
    r = X @ w - y
    fit = np.mean(r**2) if kind == "square" else np.mean(np.abs(r))
    return fit + reg * np.sum(w**2)


def exact(w: np.ndarray, reg: float = 0.1) -> np.ndarray:
    return 2.0 / len(Y) * X.T @ (X @ w - Y) + 2.0 * reg * w


def test_grad_and_value_and_grad() -> None:
    np.testing.assert_allclose(gc.grad(loss)(W, X, Y), exact(W), rtol=1e-12)
    value, slope = gc.value_and_grad(loss)(W, X, Y, reg=0.3)
    np.testing.assert_allclose(slope, exact(W, 0.3), rtol=1e-12)
    assert math.isclose(value, loss(W, X, Y, 0.3), rel_tol=1e-12)
    np.testing.assert_allclose(gc.grad(loss)(W, X, Y, 0.3, "other"), gc.grad(loss)(W, X, Y, 0.3, kind="other"))


def test_argnums() -> None:
    both = gc.grad(loss, argnums=(0, 2))(W, X, Y)
    assert isinstance(both, tuple) and both[1].shape == Y.shape
    np.testing.assert_array_equal(gc.grad(loss, argnums=-1)(W, X, Y), both[1])
    np.testing.assert_array_equal(gc.grad(loss, argnum=2)(W, X, Y), both[1])
    with pytest.raises(gc.ArgumentError, match="argnums names argument 3, and the call has 3"):
        gc.grad(loss, argnums=3)(W, X, Y)
    with pytest.raises(gc.DtypeError, match="argument 1 holds a str"):
        gc.grad(lambda x, s: x, argnums=1)(1.0, "a")
    with pytest.raises(gc.DtypeError, match="int64"):
        gc.grad(np.sum)(np.arange(3))


def test_auxiliary_results() -> None:
    def f(w: Any) -> Any:
        h = np.tanh(w)
        return np.sum(h), {"h": h, "n": 3}

    slope, aux = gc.grad(f, has_aux=True)(W)
    np.testing.assert_allclose(slope, 1.0 - np.tanh(W) ** 2, rtol=1e-12)
    np.testing.assert_allclose(aux["h"], np.tanh(W))
    (value, aux), _ = gc.value_and_grad(f, has_aux=True)(W)
    assert math.isclose(value, np.tanh(W).sum(), rel_tol=1e-12) and aux["n"] == 3


def test_compiled_once_for_ranks_and_dtypes() -> None:
    slope = gc.grad(loss)
    with pytest.raises(gc.ArgumentError, match="nothing is compiled yet"):
        _ = slope.source
    slope(W, X, Y)
    module = slope.module
    slope(RNG.standard_normal(4), RNG.standard_normal((9, 4)), RNG.standard_normal(9))
    assert slope.module is module and "def backward" in slope.source
    slope(W.astype(np.float32), X.astype(np.float32), Y.astype(np.float32))
    assert slope.module is not module
    slope(W[:1], X[:, :1], Y)  # a size of 1 broadcasts: another program
    np.testing.assert_allclose(slope(W, X, Y), exact(W), rtol=1e-12)


def test_values_from_outside_are_looked_at_again() -> None:
    scale = np.array([2.0, 3.0])
    state = {"power": 2}

    def f(x: Any) -> Any:
        return np.sum(scale * x ** state["power"])

    slope, x = gc.grad(f), np.array([1.0, 2.0])
    np.testing.assert_allclose(slope(x), [4.0, 12.0])
    scale[0] = 5.0
    np.testing.assert_allclose(slope(x), [10.0, 12.0])
    state["power"] = 3
    np.testing.assert_allclose(slope(x), [15.0, 36.0])


def test_nested() -> None:
    third = gc.grad(gc.grad(gc.grad(lambda x: x**4 + math.sin(x))))
    assert math.isclose(third(0.7), 24.0 * 0.7 - math.cos(0.7), rel_tol=1e-10)

    def penalty(w: Any) -> Any:
        g = gc.grad(loss)(w, X, Y)
        return np.sum(g**2)

    hessian = 2.0 / len(Y) * X.T @ X + 0.2 * np.eye(3)
    np.testing.assert_allclose(gc.grad(penalty)(W), 2.0 * hessian @ exact(W), rtol=1e-10)
    # the derivative of the outer variable inside the inner derivative (perturbations stay apart)
    assert gc.grad(lambda x: x * gc.grad(lambda y: x * y)(2.0))(3.0) == 6.0


def test_vjp() -> None:
    def f(w: Any, X: Any) -> Any:
        return {"fit": X @ w, "size": np.sum(w**2)}

    value, pullback = gc.vjp(f, W, X)
    ct = {"fit": np.ones(6), "size": 0.5}
    dw, dX = pullback(ct)
    np.testing.assert_allclose(dw, X.sum(axis=0) + W, rtol=1e-12)
    np.testing.assert_allclose(dX, np.ones((6, 1)) * W, rtol=1e-12)
    np.testing.assert_allclose(value["fit"], X @ W)
    with pytest.raises(gc.ArgumentError, match="another structure"):
        pullback(1.0)

    def inside(w: Any) -> Any:
        _, back = gc.vjp(lambda u: np.sin(u) * w, w)
        return np.sum(back(np.ones(3))[0])

    np.testing.assert_allclose(gc.grad(inside)(W), np.cos(W) - W * np.sin(W), rtol=1e-10)


def test_no_scalar() -> None:
    with pytest.raises(gc.ArgumentError, match=r"the gradient needs a scalar, and the function returns an array"):
        gc.grad(lambda x: x * 2.0)(W)
    assert gc.grad(lambda x: np.sum(x, keepdims=True))(W).shape == (3,)


def test_integers_are_part_of_the_code_and_of_the_signature() -> None:
    def power(x: Any, n: int) -> Any:
        for _ in range(n):
            x = x * x
        return np.sum(x)

    slope = gc.grad(power)
    np.testing.assert_allclose(slope(W, 1), 2.0 * W, rtol=1e-12)
    np.testing.assert_allclose(slope(W, 2), 4.0 * W**3, rtol=1e-12)
    assert gc.grad(lambda x: x * x)(3) == 6.0  # an integer to differentiate by counts as a float


def test_as_methods_and_of_methods() -> None:
    class Model:
        def __init__(self, scale: float) -> None:
            self.scale = scale

        def loss(self, x: Any) -> Any:
            return self.scale * np.sum(x**2)

        slope = gc.grad(lambda self, x: self.scale * np.sum(x**2), argnums=1)

    model = Model(3.0)
    np.testing.assert_allclose(gc.grad(model.loss)(W), 6.0 * W, rtol=1e-12)
    np.testing.assert_allclose(model.slope(W), 6.0 * W, rtol=1e-12)
    model.scale = 4.0
    np.testing.assert_allclose(gc.grad(model.loss)(W), 8.0 * W, rtol=1e-12)


def test_dtypes_come_back() -> None:
    for dtype in (np.float32, np.float64):
        assert gc.grad(lambda x: np.sum(np.exp(x)))(W.astype(dtype)).dtype == dtype
    assert isinstance(gc.grad(math.exp)(0.0), np.floating)
