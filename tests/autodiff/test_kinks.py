"""One slope at a kink: broken lines at random, in both modes, and where a line is left to the chain rule.

a * relu(x - 1) + b * minimum(x, 1)     at 1 the smaller of a and b, 0 between different signs
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import graphc as gc
from graphc.expr.lines import broken_line

SLOPES = (-2.0, -0.5, 0.0, 0.5, 3.0)
PAIRS = list(itertools.product(SLOPES, SLOPES))
# A line with the slope a below the knot k and b above it, in ways that differ at the knot.
WRITTEN = [
    "where(x > {k}, {b} * (x - {k}), {a} * (x - {k}))",
    "where(x >= {k}, {b} * (x - {k}), {a} * (x - {k}))",
    "where(x < {k}, {a} * (x - {k}), {b} * (x - {k}))",
    "(x - {k}) * where(x <= {k}, {a}, {b})",
    "{b} * maximum(x - {k}, 0) + {a} * minimum(x - {k}, 0)",
    "{a} * (x - {k}) * (x < {k}) + {b} * (x - {k}) * (x >= {k})",
    "{b} * relu(x - {k}) - {a} * relu({k} - x)",
]


def smaller(a: float, b: float) -> float:
    return 0.0 if a * b <= 0 else min(a, b, key=abs)


@pytest.mark.parametrize("text", WRITTEN)
@pytest.mark.parametrize("k", [0.0, 1.5])
def test_the_smaller_slope(text: str, k: float) -> None:
    x = np.array([k - 1, k, k + 1])
    for a, b in PAIRS:
        module = gc.compile(text.format(a=a, b=b, k=k), {"x": "n"})
        value, saved = module.forward(x)
        np.testing.assert_array_equal(value, [-a, 0.0, b])
        np.testing.assert_array_equal(module.backward(saved, np.ones(3)).x, [a, smaller(a, b), b])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_both_modes_agree(dtype: str) -> None:
    def f(x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0.25 * x) + np.where(x >= 1, x - 1, 0.5 - 0.5 * x)

    x = np.array([-1.0, 0.0, 0.5, 1.0, 2.0], dtype)
    expected = np.array([-0.25, -0.25, 0.5, 1.0, 2.0], dtype)
    _, tangent = gc.jvp(f, (x,), (np.ones_like(x),))
    (back,) = gc.vjp(f, x)[1](np.ones_like(x))
    np.testing.assert_array_equal(tangent, expected)
    np.testing.assert_array_equal(back, expected)
    assert tangent.dtype == back.dtype == dtype


def test_kinks_in_different_places_add_up() -> None:
    module = gc.compile("abs(x) + abs(x - 1) + 3 * x")
    assert [module.grad(v).x for v in (-1.0, 0.0, 0.5, 1.0, 2.0)] == [1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize(
    "text",
    [
        "where(x > 0, x + 1, x)",
        "where(x >= 0, x**2, 0)",
        "x * y",
        "where(x > y, x, y)",
        "where(x >= 0, y * x, 0)",
        "2 * x",
    ],
)
def test_what_is_no_broken_line(text: str) -> None:
    """It jumps, it is bent, it has two variables, or no knots."""
    assert broken_line(gc.parse(text).outputs[0]) is None


def test_a_jump_keeps_the_branch_taken() -> None:
    assert gc.compile("where(x >= 0, 3 * x + 1, x)").grad(0.0).x == 3.0


def test_masks_are_no_kinks() -> None:
    """The mask that keeps exp from overflowing does not change the slope at 0."""
    module = gc.compile("where(x > 0, x, expm1(x))", {"x": "n"})
    np.testing.assert_array_equal(module.backward(module.forward(np.zeros(1))[1], np.ones(1)).x, [1.0])


def test_what_is_inside_is_seen_when_it_is_asked_for() -> None:
    """A value on the way that is used elsewhere has its own slope there."""
    module = gc.compile("r = where(x >= 0, x, 0)\nreturn maximum(r, 0.5 * r) + sin(r)", {"x": "()"})
    assert module.grad(0.0).x == 0.0
    assert module.grad(2.0).x == 1.0 + np.cos(2.0)
