"""Averages, covariances, quantiles, and reductions without NaN, against NumPy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from agreement import agree

import graphc as gc
from graphc.expr.functions import FUNCTIONS
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import input_node
from graphc.ir.types import TensorType

RNG = np.random.default_rng(11)
V = RNG.permutation(np.linspace(-1.5, 2.0, 6))
M = RNG.permutation(np.linspace(-1.5, 2.0, 12)).reshape(3, 4)
T = RNG.permutation(np.linspace(-1.5, 2.0, 30)).reshape(2, 3, 5)
K = np.array([[3, -1, 2, 0], [0, 5, -4, 0]])
W = RNG.uniform(0.5, 2.0, (3, 4))
HOLES = np.where(RNG.random((3, 4)) < 0.3, np.nan, M)
HOLES[:, 1] = M[:, 1]
AXES = ["", ", axis=1", ", axis=0, keepdims=True", ", axis=(0, 1)"]


def kept(f):
    """A function of NumPy's whose float64 answer to float32 is cast back: graphc keeps float32."""

    def call(x, *others):
        made = f(x, *others)
        return made.astype(x.dtype) if x.dtype.kind == "f" else made

    return call


def called(name, options=""):
    return eval(f"lambda x, *m: np.{name}(x{options})", {"np": np})


@pytest.mark.parametrize("axis", AXES)
def test_ptp(axis):
    agree(f"ptp(x{axis})", called("ptp", axis), x=M)
    agree(f"ptp(x{axis})", called("ptp", axis), x=K, gradients=False)


@pytest.mark.parametrize("axis", AXES)
def test_average(axis):
    agree(f"average(x{axis})", called("average", axis), x=M)
    agree(f"average(x{axis}, weights=w)", called("average", axis + ", weights=m[0]"), x=M, w=W)
    agree(f"average(x{axis})", called("average", axis), x=K, gradients=False)


def test_average_with_weights_of_some_axes():
    agree("average(x, 1, w)", lambda x, w: np.average(x, 1, w), x=M, w=W[0])
    agree("average(x, (2, 0), w)", lambda x, w: np.average(x, (2, 0), w), x=T, w=RNG.uniform(0.5, 2.0, (5, 2)))
    both = gc.compile("both = average(x, 1, w, True)\nreturn both[0], both[1]", inputs={"x": "n m", "w": "m"})(M, W[0])
    wanted = np.average(M, 1, W[0], True)
    np.testing.assert_allclose(both, wanted, rtol=1e-14)
    agree("average(x, weights=w)", lambda x, w: np.average(x, weights=w), x=K, w=np.abs(K) + 1, gradients=False)


def test_average_takes_sizes_from_its_weights():
    module = gc.compile(lambda x: np.average(x, axis=0, weights=[1.0, 2.0, 3.0])[0], inputs={"x": M})
    np.testing.assert_allclose(module(M), np.average(M, axis=0, weights=[1.0, 2.0, 3.0])[0], rtol=1e-14)


COVARIANCES = ["", ", rowvar=False", ", bias=True", ", ddof=0", ", None, False, False, 2"]


@pytest.mark.parametrize("options", COVARIANCES)
def test_cov(options):
    agree(f"cov(x{options})", kept(called("cov", options)), x=M)
    agree(f"cov(x{options})", kept(called("cov", options)), x=V)
    agree(
        f"cov(x, y{options.replace(', None', '')})",
        kept(called("cov", ", m[0]" + options.replace(", None", ""))),
        x=V,
        y=V[::-1] ** 2,
    )


@pytest.mark.parametrize("options", ["", ", bias=True", ", rowvar=False"])
def test_cov_with_weights(options):
    n = 3 if "False" in options else 4
    f, a = np.array([1, 3, 2, 1][:n]), W[1, :n]
    agree(f"cov(x{options}, fweights=f)", kept(called("cov", options + ", fweights=m[0]")), x=M, f=f)
    agree(f"cov(x{options}, aweights=a)", kept(called("cov", options + ", aweights=m[0]")), x=M, a=a)
    both = kept(called("cov", options + ", fweights=m[0], aweights=m[1]"))
    agree(f"cov(x{options}, fweights=f, aweights=a)", both, x=M, f=f, a=a)


def test_corrcoef():
    agree("corrcoef(x)", kept(np.corrcoef), x=M)
    agree("corrcoef(x, rowvar=False)", kept(lambda x: np.corrcoef(x, rowvar=False)), x=T[0])
    single = gc.compile("cov(x[0])", inputs={"x": "n"})
    with np.errstate(all="ignore"):
        assert np.isnan(single(V))  # one observation: 0 / 0
    agree("corrcoef(x, y)", kept(np.corrcoef), x=V, y=V[::-1] ** 2)
    agree("corrcoef(x)", kept(np.corrcoef), x=V, gradients=False)


# --- quantiles ---


@pytest.mark.parametrize("axis", [*AXES, ", -1"])
def test_median(axis):
    for x in (M, M[:, :3], M[:1, :1]):
        agree(f"median(x{axis})", called("median", axis), x=x)
    agree(f"median(x{axis})", called("median", axis), x=K, gradients=False)


def test_median_of_everything_else():
    agree("median(x)", np.median, x=V[:5])
    agree("median(x, axis=(2, 0))", lambda x: np.median(x, axis=(2, 0)), x=T)
    agree("median(x, axis=(0, 2), keepdims=True)", lambda x: np.median(x, axis=(0, 2), keepdims=True), x=T)
    agree("median(x)", np.median, x=np.float64(2.5), second=False)
    agree("median(x)", np.median, x=np.array([2.0, np.nan, 1.0]), gradients=False)
    agree("median(x, 1)", lambda x: np.median(x, 1), x=HOLES, gradients=False)
    agree("median(x)", np.median, x=np.array([np.inf, 1.0, np.inf]), gradients=False)


@pytest.mark.parametrize("axis", [*AXES, ", -1"])
@pytest.mark.parametrize("q", ["0.3", "0.5", "0", "1.0", "[0.1, 0.5, 1.0]", "[[0.25], [0.75]]"])
def test_quantile(q, axis):
    share = np.array(eval(q)) if "[" in q else eval(q)
    f = kept(lambda x: np.asarray(eval(f"np.quantile(x, q{axis})", {"np": np}, {"x": x, "q": share})))
    agree(f"quantile(x, {q}{axis})", f, x=M)
    g = kept(lambda x: np.asarray(eval(f"np.percentile(x, q{axis})", {"np": np}, {"x": x, "q": 100 * share})))
    if "[" not in q:
        agree(f"percentile(x, {100 * eval(q)}{axis})", g, x=T if axis != ", axis=(0, 1)" else M)


METHODS = ["linear", "lower", "higher", "nearest", "midpoint", "hazen", "weibull", "median_unbiased"]
METHODS += ["normal_unbiased", "interpolated_inverted_cdf"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_methods(name, method):
    """Every method at many shares of lines of known size; `nearest` halves to even as NumPy does."""
    shares = [0.0, 0.03, 0.2, 0.25, 0.37, 0.5, 0.61, 0.75, 0.98, 1.0]
    for size in (1, 2, 5, 6):
        x = input_node("x", TensorType("float64", (size,)))
        node = FUNCTIONS[name].call(x, shares, method=method)
        (found,) = interpret(Graph((x,), (node,), ("y",)), {"x": V[:size]})
        np.testing.assert_allclose(found, getattr(np, name)(V[:size], shares, method=method), rtol=1e-13, atol=1e-14)


def test_a_quantile_has_a_slope_in_its_share():
    agree("quantile(x, q)", lambda x, q: np.quantile(x, q), x=V, q=np.float64(0.37), single=False)
    agree("quantile(x, q, 0)", lambda x, q: np.quantile(x, q, 0), x=M, q=np.array([0.37, 0.6]), single=False)


def test_the_gradient_of_a_quantile_is_its_weights():
    x = np.array([4.0, 1.0, 3.0, 2.0])
    assert gc.compile("median(x)", inputs={"x": "n"}).grad(x).x.tolist() == [0.0, 0.0, 0.5, 0.5]
    np.testing.assert_allclose(
        gc.compile("quantile(x, 0.9)", inputs={"x": "n"}).grad(x).x, [0.7, 0, 0.3, 0], rtol=1e-13, atol=0
    )


# --- without NaN ---

REDUCTIONS = ["nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanmedian"]


def agree_with_holes(text, reference, x):
    """The value; the gradient is 0 at a hole, and right elsewhere: there the holes come from an input of their own."""
    agree(text, reference, x=x, gradients=False)
    hole = np.isnan(x)
    slopes = gc.compile(f"sum(sin({text}))", inputs={"x": "n m"}).grad(x).x
    assert (slopes[hole] == 0.0).all() and np.isfinite(slopes).all()
    loss = f"sum(sin({text.replace('(x', '(where(hole, nan_, x)', 1)}))"
    module = gc.compile(loss, inputs={"x": "n m", "hole": "bool n m", "nan_": "n m"}, wrt="x")
    gc.check_grads(
        module, {"x": np.where(hole, 0.0, x), "hole": hole, "nan_": np.full(x.shape, np.nan)}, tolerance=1e-7
    )


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_without_nan(name, axis):
    agree_with_holes(f"{name}(x{axis})", called(name, axis), HOLES)
    agree(f"{name}(x{axis})", called(name, axis), x=M, second=name != "nanprod")
    agree(f"{name}(x{axis})", called(name, axis), x=K, gradients=False)


@pytest.mark.parametrize("name", ["nansum", "nanprod", "nanmean"])
def test_without_nan_under_a_mask(name):
    mask = W > 0.8
    options = ", axis=0, where=m" + ("" if name == "nanmean" else ", initial=2.0")
    reference = called(name, options.replace("where=m", "where=m[0]"))
    agree(f"{name}(x{options})", reference, x=M, m=mask)
    agree(f"{name}(x{options})", reference, x=HOLES, m=mask, gradients=False)


@pytest.mark.parametrize("axis", ["", ", axis=1", ", axis=0"])
def test_without_nan_along_an_axis(axis):
    for name in ("nancumsum", "nancumprod"):
        agree_with_holes(f"{name}(x{axis})", called(name, axis), HOLES)
    for name in ("nanargmax", "nanargmin"):
        agree(f"{name}(x{axis})", called(name, axis), x=HOLES, gradients=False)
    for q in ("0.3", "[0.1, 0.6]"):
        agree_with_holes(
            f"nanquantile(x, {q}{axis})", kept(lambda x, q=q: np.asarray(eval(f"np.nanquantile(x, {q}{axis})"))), HOLES
        )
        agree_with_holes(
            f"nanpercentile(x, 30{axis})", kept(lambda x: np.asarray(eval(f"np.nanpercentile(x, 30{axis})"))), HOLES
        )


@pytest.mark.parametrize("name", [*REDUCTIONS, "nanquantile"])
def test_a_line_of_nan(name):
    x = np.array([[np.nan, np.nan], [1.0, np.nan]])
    share = ", 0.5" if name == "nanquantile" else ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of a mean of nothing
        wanted = eval(f"np.{name}(x{share}, axis=1)")
        found = gc.compile(f"{name}(x{share}, axis=1)", inputs={"x": "n m"})(x)
    np.testing.assert_array_equal(found, wanted)


def test_degrees_of_freedom_without_nan():
    for name in ("nanvar", "nanstd"):
        agree(f"{name}(x, 1, ddof=1)", called(name, ", 1, ddof=1"), x=HOLES, gradients=False)
        agree(f"{name}(x, 1, ddof=1)", called(name, ", 1, ddof=1"), x=M)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = gc.compile(f"{name}(x, ddof=1)", inputs={"x": "n"})(np.array([2.0, np.nan]))
        assert np.isnan(found)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("average(x, weights=v)", "G021"),
        ("average(x, 0, v)", "G021"),
        ("average(x, returned=1)", "G030"),
        ("cov(x, bias=2)", "G030"),
        ("cov(x, fweights=x)", "G021"),
        ("cov(ones((2, 2, 2)))", "G021"),
        ("median(x, 2)", "G022"),
        ("median(zeros((3, 0)), 1)", "G021"),
        ("quantile(x, 1.5)", "G022"),
        ("quantile(x, [0.5, -1.0])", "G022"),
        ("percentile(x, 101)", "G022"),
        ("quantile(x, 0.5, method=3)", "G040"),
        ("nanmax(zeros((2, 0)), 1)", "G021"),
        ("nanmean(x, keepdims=2)", "G030"),
    ],
)
def test_what_is_refused(text, code):
    with pytest.raises(gc.GraphcError) as caught:
        gc.parse(text, {"x": "n m", "v": "m"})
    assert caught.value.code == code
