"""Numeric derivatives are accurate, and wrong gradients are found and named."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from graphc.check.check_grads import check_grads
from graphc.check.numeric import central_differences, extrapolated, step_size
from graphc.errors import ArgumentError, GradientMismatch


@pytest.mark.parametrize(
    ("line", "slope"),
    [
        (lambda t: math.exp(1.0 + t), math.e),
        (lambda t: math.sin(3.0 + t), math.cos(3.0)),
        (lambda t: (2.0 + t) ** 5, 80.0),
        (lambda t: float(np.log(np.float64(0.01) + t)), 100.0),
        (lambda t: max(0.01 + t, 0.0), 1.0),
        (lambda t: 1.0 / (1.0 + math.exp(-(0.5 + t))), 0.2350037122015945),
        (lambda t: math.tan(1.5 + t), 1.0 / math.cos(1.5) ** 2),
    ],
)
def test_extrapolated_derivatives(line: Callable[[float], float], slope: float) -> None:
    with np.errstate(all="ignore"):
        assert extrapolated(line) == pytest.approx(slope, rel=1e-9)


def test_extrapolated_at_a_kink_is_the_mean_of_the_slopes() -> None:
    assert extrapolated(abs) == 0.0
    assert extrapolated(lambda t: max(t, 0.0)) == 0.5


def test_step_size() -> None:
    assert step_size(0.5) == pytest.approx(6.055e-06, rel=1e-3)
    assert step_size(-20.0) == 20.0 * step_size(1.0)
    assert step_size(1.0, np.float32) == pytest.approx(4.92e-3, rel=1e-3)


def test_central_differences() -> None:
    x, w = np.array([[0.5, -1.0], [2.0, 0.25]]), np.array([1.5, -0.5])
    found = central_differences(lambda x, w: np.tanh(x @ w), {"x": x, "w": w}, ["x", "w"])
    slope = 1.0 - np.tanh(x @ w) ** 2
    np.testing.assert_allclose(found["w"], slope @ x, rtol=1e-9)
    np.testing.assert_allclose(found["x"], np.outer(slope, w), rtol=1e-9, atol=1e-10)


def test_central_differences_with_cotangents_and_outputs() -> None:
    def both(x: Any) -> tuple[Any, Any]:
        return x * x, np.exp(x).sum()

    x, weights = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    found = central_differences(both, {"x": x}, ["x"], [weights, 2.0])
    np.testing.assert_allclose(found["x"], weights * 2.0 * x + 2.0 * np.exp(x), rtol=1e-9)


def test_float32_is_lifted_where_that_is_allowed() -> None:
    x = np.array([0.3, 0.7], np.float32)
    found = central_differences(lambda x: np.sin(x).sum(), {"x": x}, ["x"])
    np.testing.assert_allclose(found["x"], np.cos(x.astype(np.float64)), rtol=1e-9)


def _only_float32(x: Any) -> Any:
    if x.dtype != np.float32:
        raise TypeError("x must be float32")
    return np.sin(x)


def test_float32_alone_has_a_coarser_step() -> None:
    x = np.array([0.3, 0.7], np.float32)
    found = central_differences(_only_float32, {"x": x}, ["x"])
    np.testing.assert_allclose(found["x"], np.cos(x), rtol=1e-3)
    report = check_grads(_only_float32, lambda x: np.cos(x), {"x": x})
    assert report.tolerance == 1e-2 and report.rows[0].max_rel < 1e-3


# --- check_grads ---


class Gradients(NamedTuple):
    w: Any
    b: Any


def value(X: Any, w: Any, b: Any, y: Any) -> Any:
    return (np.logaddexp(0.0, X @ w + b) - y * (X @ w + b)).mean()


def gradients(X: Any, w: Any, b: Any, y: Any) -> Gradients:
    dz = (1.0 / (1.0 + np.exp(-(X @ w + b))) - y) / len(y)
    return Gradients(w=X.T @ dz, b=dz.sum())


@pytest.fixture
def inputs() -> dict[str, Any]:
    random = np.random.default_rng(3)
    X, y = random.standard_normal((8, 3)), random.integers(0, 2, 8)
    return {"X": X, "w": random.standard_normal(3), "b": np.float64(0.3), "y": y}


def test_right_gradients_pass(inputs: dict[str, Any]) -> None:
    before = {name: np.copy(array) for name, array in inputs.items()}
    report = check_grads(value, gradients, inputs, ("w", "b"))
    assert [(row.name, row.shape, row.agrees) for row in report.rows] == [
        ("w", (3,), True),
        ("b", (), True),
    ]
    assert max(row.max_rel for row in report.rows) < 1e-9
    assert report.tolerance == 1e-6
    assert all(np.array_equal(inputs[name], before[name]) for name in inputs)


def test_the_same_seed_gives_the_same_report(inputs: dict[str, Any]) -> None:
    assert check_grads(value, gradients, inputs, ("w",)) == check_grads(
        value, lambda **k: {"w": gradients(**k).w}, inputs, ("w",)
    )


def test_a_wrong_gradient_raises_with_its_table() -> None:
    x, c = np.array([1.0, 2.0, 4.0]), np.float64(3.0)
    with pytest.raises(GradientMismatch) as caught:
        check_grads(
            lambda x, c: c * (x * x).sum(),
            lambda x, c: {"x": c * np.array([2.0, 2.0, 8.0]), "c": (x * x).sum()},
            {"x": x, "c": c},
        )
    assert caught.value.code == "G050"
    assert isinstance(caught.value, AssertionError)
    report = caught.value.report  # type: ignore[attr-defined]
    wrong, right = report.rows
    assert (wrong.name, wrong.shape, wrong.worst, wrong.agrees) == ("x", (3,), (1,), False)
    assert wrong.analytic == 6.0 and wrong.numeric == pytest.approx(12.0, rel=1e-9)
    assert wrong.max_abs == pytest.approx(6.0, rel=1e-9)
    assert wrong.max_rel == pytest.approx(0.25, rel=1e-9)
    assert (right.name, right.shape, right.agrees) == ("c", (), True)
    text = str(caught.value).split("\n")
    assert text[0] == ("error[G050]: the gradient with respect to `x` differs from its numeric estimate")
    assert text[3].split("  ")[0] == "input"
    assert text[4].split() == ["x", "(3,)", "6.00e+00", "2.50e-01", "(1,)", "6", "12", "<--"]
    assert text[5].split()[:2] == ["c", "()"] and not text[5].endswith("<--")


def test_a_large_input_is_checked_along_random_directions() -> None:
    x = np.random.default_rng(0).standard_normal((40, 30))
    report = check_grads(lambda x: np.sin(x).sum(), lambda x: np.cos(x), {"x": x}, ("x",))
    assert isinstance(report.rows[0].worst, int) and report.rows[0].max_rel < 1e-9

    def wrong(x: Any) -> Any:
        gradient = np.cos(x)
        gradient[7, 3] += 0.01
        return gradient

    with pytest.raises(GradientMismatch, match="direction"):
        check_grads(lambda x: np.sin(x).sum(), wrong, {"x": x}, ("x",))


@pytest.mark.parametrize("factor", [1e-12, 1.0, 1e12])
def test_the_tolerance_is_relative_to_the_gradient(factor: float) -> None:
    x = np.array([0.5, 1.5])
    check_grads(lambda x: factor * np.sin(x).sum(), lambda x: factor * np.cos(x), {"x": x})
    with pytest.raises(GradientMismatch):
        check_grads(lambda x: factor * np.sin(x).sum(), lambda x: factor * (np.cos(x) + 1e-5), {"x": x})


def test_a_zero_gradient() -> None:
    x = np.array([0.5, 1.5])
    check_grads(lambda x: np.float64(7.3), lambda x: np.zeros(2), {"x": x})
    with pytest.raises(GradientMismatch):
        check_grads(lambda x: np.float64(7.3), lambda x: np.array([0.0, 1e-6]), {"x": x})


def test_an_empty_input() -> None:
    report = check_grads(lambda x: x.sum(), lambda x: np.ones_like(x), {"x": np.zeros((0, 3))})
    assert report.rows[0].shape == (0, 3) and report.rows[0].agrees


def test_relu_at_its_kink_differs_and_the_hint_says_why() -> None:
    def step(x: Any) -> Any:
        return (x > 0.0) * 1.0

    check_grads(lambda x: np.maximum(x, 0.0).sum(), step, {"x": np.array([0.01, -0.01])})
    with pytest.raises(GradientMismatch, match="kink"):
        check_grads(lambda x: np.maximum(x, 0.0).sum(), step, {"x": np.array([0.0, 1.0])})
    check_grads(lambda x: np.abs(x).sum(), lambda x: np.sign(x), {"x": np.array([0.0, 1.0])})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite(bad: float) -> None:
    with pytest.raises(GradientMismatch):
        check_grads(lambda x: x.sum(), lambda x: np.array([1.0, bad]), {"x": np.ones(2)})


def test_a_gradient_of_another_shape() -> None:
    with pytest.raises(GradientMismatch, match=r"has the shape \(1, 2\), not \(2,\)"):
        check_grads(lambda x: x.sum(), lambda x: np.ones((1, 2)), {"x": np.ones(2)})


def test_a_missing_gradient(inputs: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match="no gradient with respect to `X`"):
        check_grads(value, gradients, inputs, ("X", "w"))
    with pytest.raises(ArgumentError, match="2 gradients for 1 inputs"):
        check_grads(lambda x: x.sum(), lambda x: (x, x), {"x": np.ones(2)})


def test_cotangents() -> None:
    x, weights = np.array([0.5, 1.5]), np.array([2.0, -3.0])
    check_grads(
        lambda x: (np.sin(x), x.sum()),
        lambda x: weights * np.cos(x) + 5.0,
        {"x": x},
        cotangents=[weights, 5.0],
    )
