"""Running sums, products and extremes against NumPy, along every axis, to second derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import agree

import graphc as gc

RNG = np.random.default_rng(3)
V = RNG.permutation(np.linspace(-1.5, 2.0, 5))
M = RNG.permutation(np.linspace(-1.5, 2.0, 12)).reshape(3, 4)
T = RNG.permutation(np.linspace(-1.5, 2.0, 24)).reshape(2, 3, 4)
K = np.array([[3, -1, 2], [0, 5, -4]])

RUNNING = {
    "cumsum": np.cumsum,
    "cumprod": np.cumprod,
    "maximum_accumulate": np.maximum.accumulate,
    "minimum_accumulate": np.minimum.accumulate,
    "logaddexp_accumulate": np.logaddexp.accumulate,
}


@pytest.mark.parametrize("name", RUNNING)
@pytest.mark.parametrize(("x", "axis"), [(V, 0), (V, -1), (M, 0), (M, 1), (T, 1), (T, -1), (V[:1], 0)])
def test_along_every_axis(name, x, axis):
    agree(f"{name}(x, axis={axis})", lambda x: RUNNING[name](x, axis=axis), x=x)


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_without_an_axis_the_array_is_flattened(name):
    agree(f"{name}(x)", RUNNING[name], x=M)
    agree(f"{name}(x)", RUNNING[name], x=np.float64(2.5), second=False)


@pytest.mark.parametrize("name", RUNNING)
@pytest.mark.parametrize("dtype", ["int64", "int32", "bool"])
def test_integers_have_numpys_dtypes(name, dtype):
    if (name, dtype) == ("logaddexp_accumulate", "bool"):
        pytest.skip("NumPy answers in float16, which the language does not have")
    x = K.astype(dtype)
    agree(f"{name}(x, 1)", lambda x: RUNNING[name](x, 1), x=x, gradients=False)


def test_dtype_and_initial():
    agree("cumsum(x, 0, float64)", lambda x: np.cumsum(x, 0, np.float64), x=K, gradients=False)
    agree("cumprod(x, dtype=float32)", lambda x: np.cumprod(x, dtype=np.float32), x=M, gradients=False)
    agree("cumulative_sum(x)", np.cumulative_sum, x=V)
    agree("cumulative_prod(x, axis=1)", lambda x: np.cumulative_prod(x, axis=1), x=M)
    for name, reference in [("cumulative_sum", np.cumulative_sum), ("cumulative_prod", np.cumulative_prod)]:
        text = f"{name}(x, axis=0, include_initial=True)"
        agree(text, lambda x, f=reference: f(x, axis=0, include_initial=True), x=M)


@pytest.mark.parametrize("name", RUNNING)
@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3)])
def test_of_nothing(name, shape):
    x = np.zeros(shape)
    agree(f"{name}(x, axis=-1)", lambda x: RUNNING[name](x, axis=-1), x=x)
    assert (
        gc.compile(f"sum({name}(x, axis=-1))", inputs={"x": "n" if len(shape) == 1 else "n m"}).grad(x).x.shape == shape
    )


@pytest.mark.parametrize(
    ("x", "wanted"),
    [
        ([2.0, 0.0, 3.0, 4.0], [1.0, 32.0, 0.0, 0.0]),
        ([0.0, 0.0, 3.0], [1.0, 0.0, 0.0]),
        ([5.0, 0.0], [1.0, 5.0]),
    ],
)
def test_cumprod_with_zeros(x, wanted):
    """d/dx[i] of x0 + x0 x1 + ..., by hand."""
    assert gc.compile("sum(cumprod(x))", inputs={"x": "n"}).grad(np.array(x)).x.tolist() == wanted


def test_second_derivative_of_products_with_zeros():
    x = np.array([2.0, 0.0, 3.0, 0.0])
    agree("cumprod(x)", np.cumprod, x=x)
    agree("prod(x)", np.prod, x=x)
    agree("prod(x, axis=(0, 2))", lambda x: np.prod(x, axis=(0, 2)), x=np.where(T > 1.0, 0.0, T))


@pytest.mark.parametrize(
    ("name", "x", "wanted"),
    [
        ("maximum_accumulate", [1.0, 3.0, 3.0, 2.0], [1.0, 1.0 + 0.5 + 0.5, 0.5 + 0.5, 0.0]),
        ("minimum_accumulate", [1.0, 1.0, 2.0, 1.0], [1 + 1 / 2 + 1 / 2 + 1 / 3, 1 / 2 + 1 / 2 + 1 / 3, 0.0, 1 / 3]),
        ("maximum_accumulate", [0.0, 0.0], [1.5, 0.5]),
    ],
)
def test_ties_share(name, x, wanted):
    found = gc.compile(f"sum({name}(x))", inputs={"x": "n"}).grad(np.array(x)).x
    np.testing.assert_allclose(found, wanted, rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("cumsum(x, axis=2)", "G022"),
        ("cumsum(x, axis=(0, 1))", "G022"),
        ("cumulative_sum(x)", "G022"),
        ("cumulative_sum(sum(x))", "G022"),
        ("cumprod(x, axis=x)", "G022"),
        ("cumsum(x, dtype=3)", "G030"),
        ("cumulative_sum(x, axis=0, include_initial=1)", "G030"),
    ],
)
def test_what_is_refused(text, code):
    with pytest.raises(gc.GraphcError) as caught:
        gc.parse(text, {"x": "n m"})
    assert caught.value.code == code
