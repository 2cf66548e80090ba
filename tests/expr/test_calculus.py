"""Differences, slopes, integrals, interpolation, polynomials and convolutions against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import agree

import graphc as gc
from graphc.expr.functions import FUNCTIONS
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import input_node
from graphc.ir.types import TensorType

RNG = np.random.default_rng(13)
V = RNG.permutation(np.linspace(-1.5, 2.0, 6))
M = RNG.permutation(np.linspace(-1.5, 2.0, 12)).reshape(3, 4)
T = RNG.permutation(np.linspace(-1.5, 2.0, 60)).reshape(3, 4, 5)
K = np.array([[3, -1, 2, 0], [0, 5, -4, 0]])
X = np.array([0.0, 0.7, 1.1, 2.5, 2.6, 4.0])


def kept(f):
    """A function of NumPy's whose float64 answer to float32 is cast back: graphc keeps float32."""
    return lambda x, *others: np.asarray(f(x, *others)).astype(x.dtype)


def called(name, options=""):
    return eval(f"lambda x, *m: np.{name}(x{options})", {"np": np})


@pytest.mark.parametrize("options", ["", ", 2", ", n=3", ", axis=0", ", 0", ", prepend=0.5", ", 2, 0, 1, 2.0"])
def test_diff(options):
    for x in (M, T):
        agree(f"diff(x{options})", kept(called("diff", options)), x=x)
    whole = options.replace("0.5", "1").replace("2.0", "2")
    agree(f"diff(x{whole})", called("diff", whole), x=K, gradients=False)
    if "2" not in options and "=" not in options:
        agree(f"diff(x{options})", called("diff", options), x=K > 0, gradients=False)


def test_diff_with_arrays_at_the_ends():
    agree("diff(x, append=a, axis=0)", lambda x, a: np.diff(x, append=a, axis=0), x=M, a=M[:2] * 0.5)
    agree("diff(x)", np.diff, x=V[:1], gradients=False)
    agree("diff(x)", np.diff, x=V[:0], named=False, gradients=False)
    agree("diff(x, 3)", lambda x: np.diff(x, 3), x=V[:2], named=False, gradients=False)


def test_ediff1d():
    agree("ediff1d(x)", np.ediff1d, x=M)
    agree("ediff1d(x, 9.0)", lambda x: np.ediff1d(x, 9.0), x=V)
    agree("ediff1d(x, to_begin=b, to_end=[1.0, 2.0])", lambda x, b: np.ediff1d(x, [1, 2], b), x=V, b=M, single=False)
    agree("ediff1d(x, to_begin=0)", lambda x: np.ediff1d(x, to_begin=0), x=K, gradients=False)


@pytest.mark.parametrize("axis", ["", ", axis=0", ", axis=-2"])
def test_trapezoid(axis):
    agree(f"trapezoid(y{axis})", called("trapezoid", axis), y=M)
    agree(f"trapezoid(y, dx=0.5{axis})", called("trapezoid", ", dx=0.5" + axis), y=M)
    agree(f"trapezoid(y, x{axis})", called("trapezoid", ", m[0]" + axis), y=M, x=X[: 3 if axis else 4])
    agree(f"trapezoid(y, x{axis})", called("trapezoid", ", m[0]" + axis), y=M, x=M[::-1] ** 2)
    agree(f"trapezoid(y{axis})", called("trapezoid", axis), y=K, gradients=False)


# --- slopes ---


@pytest.mark.parametrize("order", ["", ", edge_order=2"])
@pytest.mark.parametrize("spacing", ["", ", 0.5"])
def test_gradient_at_even_steps(spacing, order):
    agree(f"gradient(y{spacing}{order})", called("gradient", spacing + order), y=V)
    agree(f"gradient(y{spacing}, axis=1{order})", called("gradient", spacing + ", axis=1" + order), y=T)
    agree(f"gradient(y{spacing}, axis=-1{order})", called("gradient", spacing + ", axis=-1" + order), y=T)
    agree(f"gradient(y{spacing}{order})", called("gradient", spacing + order), y=K[0], gradients=False)


@pytest.mark.parametrize("order", ["", ", edge_order=2"])
def test_gradient_at_coordinates(order):
    agree(f"gradient(y, x{order})", called("gradient", ", m[0]" + order), y=V, x=X)
    agree(f"gradient(y, x, axis=1{order})", called("gradient", ", m[0], axis=1" + order), y=T, x=X[:4])


def test_gradient_along_several_axes():
    text = "g = gradient(y, 0.5, x, axis=(0, 2))\nreturn g[0], g[1]"
    found = gc.compile(text, inputs={"y": "n m k", "x": "k"})(T, X[:5])
    for one, other in zip(found, np.gradient(T, 0.5, X[:5], axis=(0, 2)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-14)
    for spacing, count in [("", 3), (", 2.0", 3)]:
        names = ", ".join(f"g[{i}]" for i in range(count))
        found = gc.compile(f"g = gradient(y{spacing})\nreturn {names}", inputs={"y": "n m k"})(T)
        for one, other in zip(found, eval(f"np.gradient(T{spacing})"), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-14)


# --- interpolation ---

AT = np.array([[-1.0, 0.35, 1.0], [2.4, 2.55, 9.0]])


@pytest.mark.parametrize("ends", ["", ", left=-7.0", ", left=0.5, right=7.0"])
def test_interp(ends):
    agree(f"interp(x, xp, fp{ends})", kept(called("interp", ", *m" + ends)), x=AT, xp=X, fp=V)
    at_points = np.concatenate([X, [-np.inf, np.inf]])
    agree(f"interp(x, xp, fp{ends})", kept(called("interp", ", *m" + ends)), x=at_points, xp=X, fp=V, gradients=False)


def test_interp_of_one_point_and_of_a_number():
    agree("interp(x, xp, fp)", kept(np.interp), x=AT, xp=X[:1], fp=V[:1], gradients=False)
    single = gc.compile("interp(x, xp, fp, -1.0)", inputs={"x": "k", "xp": "n", "fp": "n"})
    assert single(np.array([-2.0, 0.0, 3.0]), X[:1], V[:1]).tolist() == [-1.0, V[0], V[0]]
    agree("interp(x, xp, fp)", lambda x, *m: x.dtype.type(np.interp(x, *m)), x=np.float64(0.35), xp=X, fp=V)
    assert np.isnan(gc.compile("interp(x, xp, fp)", inputs={"x": "f64", "xp": "n", "fp": "n"})(np.nan, X, V))


def test_the_slope_of_a_broken_line():
    """To the right of an inner point, 0 at the ends."""
    slopes = gc.compile("sum(interp(x, xp, fp))", inputs={"x": "m", "xp": "n", "fp": "n"}, wrt="x").grad(X, X, V).x
    wanted = np.diff(V) / np.diff(X)
    np.testing.assert_allclose(slopes, [0.0, *wanted[1:], 0.0], rtol=1e-13)


def test_unwrap():
    phases = np.array([0.1, 2.9, -2.8, 3.0, -0.2, 6.0, 12.5, 12.6, -9.0])
    agree("unwrap(p)", np.unwrap, p=phases)
    agree("unwrap(p, axis=0)", lambda p: np.unwrap(p, axis=0), p=phases.reshape(3, 3))
    agree("unwrap(p, 4.0)", lambda p: np.unwrap(p, 4.0), p=phases)
    agree("unwrap(p, period=2.0)", lambda p: np.unwrap(p, period=2.0), p=phases)
    agree("unwrap(p)", np.unwrap, p=np.array([0.0, np.pi, 0.0, -np.pi]), gradients=False)


# --- polynomials ---


def test_polyval():
    agree("polyval(p, x)", np.polyval, p=V[:3], x=M, named=False)
    agree("polyval([2, -1, 0.5], x)", lambda x: np.polyval(np.array([2, -1, 0.5], x.dtype), x), x=M)
    agree("polyval([2, -1], x)", lambda x: np.polyval([2, -1], x), x=K, gradients=False)
    agree("polyval([2.0, a], x)", lambda a, x: np.polyval(np.array([2, a], x.dtype), x), a=np.float64(0.3), x=V)


@pytest.mark.parametrize("options", ["", ", 3", ", N=1", ", 4, True", ", increasing=True"])
def test_vander(options):
    agree(f"vander(x{options})", kept(called("vander", options)), x=V[:4])
    agree(f"vander(x{options})", called("vander", options), x=K[0], gradients=False)


def test_many_powers_are_running_products():
    agree("vander(x, 40)", lambda x: np.vander(x, 40).astype(x.dtype), x=V[:3] / 2.5, single=False)


# --- convolution ---


@pytest.mark.parametrize(("n", "m"), [(6, 3), (6, 4), (5, 5), (3, 6), (4, 6), (1, 3), (2, 1), (1, 1), (6, 2), (2, 5)])
@pytest.mark.parametrize("name", ["convolve", "correlate"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolution_of_every_length(name, mode, n, m):
    a, v = (input_node(k, TensorType("float64", (s,))) for k, s in (("a", n), ("v", m)))
    made = FUNCTIONS[name].call(a, v, mode=mode)
    (found,) = interpret(Graph((a, v), (made,), ("out",)), {"a": V[:n], "v": M[1:].ravel()[:m]})
    np.testing.assert_allclose(found, getattr(np, name)(V[:n], M[1:].ravel()[:m], mode=mode), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(("n", "m"), [(6, 3), (5, 5), (3, 6)])
def test_convolution(n, m):
    agree("convolve(a, v)", np.convolve, a=V[:n], v=M[1:].ravel()[:m])
    agree("convolve(a, v)", np.convolve, a=K[0], v=K[1], gradients=False)
    agree("correlate(a, v)", np.correlate, a=V[:n], v=M[1:].ravel()[:m], named=n >= m)


def test_the_longer_vector_of_named_size_comes_first():
    module = gc.compile("correlate(a, v)", inputs={"a": "n", "v": "m"})
    with pytest.raises(ValueError, match="must be at least 0, got -3"):
        module(V[:3], V)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("diff(x, -1)", "G022"),
        ("diff(sum(x))", "G022"),
        ("diff(x, prepend=ones(5))", "G021"),
        ("trapezoid(x, ones(5))", "G021"),
        ("gradient(x, 1.0, 2.0, 3.0)", "G021"),
        ("gradient(x, ones(5), axis=0)", "G021"),
        ("gradient(x, edge_order=3)", "G022"),
        ("gradient(ones(1))", "G021"),
        ("gradient(x, axis=())", "G022"),
        ("gradient(ones(2), edge_order=2)", "G021"),
        ("interp(v, v, x)", "G021"),
        ("interp(v, zeros(0), zeros(0))", "G021"),
        ("unwrap(v, period=0)", "G023"),
        ("polyval(v, x)", "G023"),
        ("polyval(x, x)", "G021"),
        ("vander(x)", "G021"),
        ("convolve(x, v)", "G021"),
        ("correlate(v, x)", "G021"),
        ("convolve(v, v, mode=3)", "G030"),
        ("convolve(v > 0, v > 0)", "G030"),
    ],
)
def test_what_is_refused(text, code):
    with pytest.raises(gc.GraphcError) as caught:
        gc.parse(text, {"x": "n m", "v": "k"})
    assert caught.value.code == code
