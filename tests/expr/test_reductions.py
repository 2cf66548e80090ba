"""Reductions with NumPy's further keywords: masks, starting values, dtypes, weights."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
from agreement import agree

import graphc as gc

RNG = np.random.default_rng(7)
V = RNG.permutation(np.linspace(-1.5, 2.0, 6))
M = RNG.permutation(np.linspace(-1.5, 2.0, 12)).reshape(3, 4)
T = RNG.permutation(np.linspace(-1.5, 2.0, 24)).reshape(2, 3, 4)
K = np.array([[3, -1, 2, 0], [0, 5, -4, 0]])
MASK = np.array([[1, 0, 1, 1], [0, 0, 1, 0], [1, 1, 1, 1]], bool)
AXES = ["", ", axis=1", ", 0", ", axis=(0, 1)", ", axis=-1, keepdims=True"]


def called(name, options):
    """np.name(x) with these options, of which `m` is a second argument."""
    return eval(f"lambda x, *m: np.{name}(x{options.replace('where=m', 'where=m[0]')})", {"np": np})


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std"])
def test_under_a_mask(name, axis):
    agree(f"{name}(x{axis}, where=m)", called(name, axis + ", where=m"), x=M, m=MASK)


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin"])
@pytest.mark.parametrize("axis", AXES)
def test_extremes_under_a_mask(name, axis):
    start = -9.0 if "max" in name else 9.0
    options = f"{axis}, where=m, initial={start}"
    agree(f"{name}(x{options})", called(name, options), x=M, m=MASK)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
def test_a_starting_value(name, axis):
    options = axis + ", initial=0.3"
    agree(f"{name}(x{options})", called(name, options), x=M)
    agree(f"{name}(x{axis}, initial=2)", called(name, axis + ", initial=2"), x=K, gradients=False)


def test_a_starting_value_gives_nothing_a_maximum():
    of_nothing = called("max", ", axis=1, initial=0.5")
    agree("max(x, axis=1, initial=0.5)", of_nothing, x=np.zeros((3, 0)), named=False, gradients=False)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
@pytest.mark.parametrize("x", [M, K, MASK, M.astype("f4")])
def test_dtype(dtype, x):
    for name in ("sum", "prod"):
        agree(f"{name}(x, 0, {dtype})", called(name, f", 0, np.{dtype}"), x=x, gradients=False, single=False)
    if dtype.startswith("float"):
        for name in ("mean", "var", "std"):
            agree(f"{name}(x, 0, {dtype})", called(name, f", 0, np.{dtype}"), x=x, gradients=False, single=False)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "max", "min", "var", "std", "any", "all", "count_nonzero"])
@pytest.mark.parametrize("dtype", ["int64", "int32", "bool"])
def test_integers_have_numpys_dtypes(name, dtype):
    if name not in ("max", "min") or dtype != "bool":
        for axis in AXES:
            agree(f"{name}(x{axis})", called(name, axis), x=K.astype(dtype), gradients=False)


@pytest.mark.parametrize("name", ["var", "std"])
def test_deviations(name):
    agree(f"{name}(x, 0, ddof=1)", called(name, ", 0, ddof=1"), x=M)
    agree(f"{name}(x, axis=1, correction=1)", called(name, ", axis=1, ddof=1"), x=M)
    agree(f"{name}(x, axis=1, ddof=1, where=m)", called(name, ", axis=1, ddof=1, where=m"), x=M, m=MASK[[0, 2, 2]])
    agree(f"{name}(x, axis=1, mean=mean(x, axis=1, keepdims=True))", called(name, ", axis=1"), x=M)
    agree(f"{name}(x, mean=c)", lambda x, c: getattr(np, name)(x, mean=c), x=M, c=np.array([[0.25]]))
    masked = gc.compile(f"{name}(x, where=m)", inputs={"x": "n", "m": "bool n"})
    assert masked.grad(np.array([2.0, 2.0, 7.0]), np.array([True, True, False])).x.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("axis", AXES)
def test_truth(axis):
    for name in ("any", "all", "count_nonzero"):
        for x in (K, MASK, M, np.array([[np.nan, 0.0]])):
            agree(f"{name}(x{axis})", called(name, axis), x=x, gradients=False)
    for name in ("any", "all"):
        agree(f"{name}(x{axis}, where=m)", called(name, axis + ", where=m"), x=~MASK, m=MASK, gradients=False)
    agree("where(any(m, axis=1), x, 0.0)", lambda x, m: np.where(m.any(1), x, 0.0), x=M[:, 0], m=MASK)


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_logsumexp_with_weights(axis):
    b = RNG.uniform(0.5, 2.0, (3, 4))
    agree(
        f"logsumexp(x, {axis}, b)",
        lambda x, b: scipy.special.logsumexp(x, axis, b).astype(x.dtype),
        x=M,
        b=b,
    )
    agree(
        f"logsumexp(x, axis={axis}, b=b, keepdims=True)",
        lambda x, b: scipy.special.logsumexp(x, axis, b, keepdims=True).astype(x.dtype),
        x=M,
        b=b[0],
    )


def test_weights_of_zero_count_for_nothing():
    module = gc.compile("logsumexp(x, b=b)", inputs={"x": "n", "b": "n"})
    value, slopes = module.value_and_grad(np.array([5000.0, 1000.0, 1001.0]), np.array([0.0, 1.0, 2.0]))
    assert value == pytest.approx(1001.0 + np.log(2.0 + np.exp(-1.0)), rel=1e-15)
    np.testing.assert_allclose(slopes.x, scipy.special.softmax([-np.inf, 1000.0, 1001.0 + np.log(2.0)]), rtol=1e-13)
    assert slopes.b[1:] == pytest.approx(np.exp([1000.0 - value, 1001.0 - value]), rel=1e-12)


@pytest.mark.parametrize("name", ["max", "min", "sum", "prod", "mean", "var", "softmax", "logsumexp"])
def test_second_derivatives(name):
    reference = getattr(np, name, None) or getattr(scipy.special, name)
    for x, axis in [(V, 0), (M, 1), (M, 0)]:
        agree(f"{name}(x, axis={axis})", lambda x, a=axis: reference(x, axis=a), x=x)


@pytest.mark.parametrize("axis", ["0", "(0, 2)", "None"])
def test_second_derivative_of_prod(axis):
    agree(f"prod(x, axis={axis})", lambda x: np.prod(x, axis=eval(axis)), x=T)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sum(x, 2)", "G022"),
        ("sum(x, where=ones(5) > 0)", "G021"),
        ("max(x, where=x > 0)", "G021"),
        ("mean(x, dtype=2)", "G030"),
        ("var(x, ddof=0.5)", "G030"),
        ("any(x, keepdims=2)", "G030"),
        ("logsumexp(x, b=ones(5))", "G021"),
        ("sum(x, 0, float64, True)", "G020"),
    ],
)
def test_what_is_refused(text, code):
    with pytest.raises(gc.GraphcError) as caught:
        gc.parse(text, {"x": "n m"})
    assert caught.value.code == code
