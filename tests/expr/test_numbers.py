"""Elementary functions against NumPy; values and slopes at the edges."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from agreement import agree

import graphc as gc

X = np.array([0.3, -0.7, 1.9, -2.4, 0.05, 3.2])
Y = np.array([1.1, 0.6, -0.8, -1.7, 2.5, 0.2])
EDGES = np.array([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 5e-324, 1e30])
ANY = ["cbrt", "arcsinh", "sinc", "exp2", "deg2rad", "rad2deg", "radians", "degrees", "positive", "nan_to_num"]


@pytest.mark.parametrize("name", [*ANY, "trunc", "fix"])
def test_of_any_number(name):
    for x in (X, X.reshape(2, 3), X[0], X[:0]):
        agree(f"{name}(x)", getattr(np, name), x=x)
    agree(f"{name}(x)", getattr(np, name), x=np.array([1, -2]), gradients=False)


@pytest.mark.parametrize(
    ("name", "x"),
    [("log2", np.abs(X)), ("log10", np.abs(X)), ("arccosh", 1.1 + np.abs(X)), ("arctanh", X / 4.0)],
)
def test_of_part_of_the_line(name, x):
    agree(f"{name}(x)", getattr(np, name), x=x)
    agree(f"{name}(x)", getattr(np, name), x=x[1])


@pytest.mark.parametrize("name", ["hypot", "arctan2", "logaddexp", "logaddexp2", "fmax", "fmin", "copysign"])
def test_of_two(name):
    for x, z in [(X, Y), (X.reshape(2, 3), Y[:3]), (X[0], Y[0]), (X, Y[0])]:
        agree(f"{name}(x, z)", getattr(np, name), x=x, z=z)
    agree(f"{name}(x, z)", getattr(np, name), x=np.array([1, 2]), z=np.array([3, -4]), gradients=False)


@pytest.mark.parametrize("name", ["isfinite", "isnan", "isinf", "signbit", "isreal"])
def test_questions(name):
    agree(f"{name}(x)", getattr(np, name), x=EDGES, gradients=False)
    agree(f"{name}(x)", getattr(np, name), x=np.array([1, -2]), gradients=False)


CLOSE = [("", {}), (", 1e-9", {"rtol": 1e-9}), (", 0.0, 1e-3", {"rtol": 0.0, "atol": 1e-3})]


@pytest.mark.parametrize(("arguments", "options"), [*CLOSE, (", equal_nan=True", {"equal_nan": True})])
@pytest.mark.parametrize("name", ["isclose", "allclose"])
def test_close(name, arguments, options):
    for x, z in [(EDGES, EDGES * (1.0 + 1e-7)), (X, X + 1e-4), (X, X), (EDGES, EDGES)]:
        text = f"{name}(x, z{arguments})"
        agree(text, lambda x, z: getattr(np, name)(x, z, **options), x=x, z=z, gradients=False, single=False)


def test_powers_and_steps():
    agree("float_power(x, z)", np.float_power, x=np.abs(X), z=Y)
    agree("float_power(x, 2)", lambda x: np.float_power(x, 2), x=np.array([1, -2]), gradients=False)
    agree("heaviside(x, z)", np.heaviside, x=X, z=Y)
    agree("heaviside(x, 0.5)", lambda x: np.heaviside(x, 0.5), x=EDGES, gradients=False)
    agree("nan_to_num(x)", np.nan_to_num, x=EDGES, gradients=False)
    agree("nan_to_num(x, nan=1.5, posinf=2)", lambda x: np.nan_to_num(x, nan=1.5, posinf=2), x=EDGES, gradients=False)


@pytest.mark.parametrize("power", range(-20, 21))
def test_powers_of_two_and_ten_are_exact(power):
    log2 = gc.compile("log2(x)")
    assert log2(2.0**power) == power
    assert gc.compile("exp2(x)")(float(power)) == 2.0**power
    assert gc.compile("log10(x)", inputs={"x": "n"})(np.array([10.0 ** abs(power)])) == abs(power)


def test_a_product_of_a_slope_and_zero_is_zero_where_masked():
    m = gc.compile("sum(where(x > 0, cbrt(x), 0))", inputs={"x": "n"})
    assert m.grad(np.array([0.0, 8.0])).x.tolist() == [0.0, 1.0 / 12.0]


# (text, inputs, gradients)
SLOPES = [
    ("fmax(x, z)", {"x": math.nan, "z": 1.0}, (0.0, 1.0)),
    ("fmax(x, z)", {"x": 1.0, "z": math.nan}, (1.0, 0.0)),
    ("fmin(x, z)", {"x": math.nan, "z": 1.0}, (0.0, 1.0)),
    ("fmax(x, z)", {"x": 2.0, "z": 2.0}, (0.5, 0.5)),
    ("fmin(x, 2)", {"x": 2.0}, (0.0,)),
    ("hypot(x, z)", {"x": 0.0, "z": 0.0}, (0.0, 0.0)),
    ("hypot(x, z)", {"x": 3e300, "z": 4e300}, (0.6, 0.8)),
    ("hypot(x, z)", {"x": 3e-320, "z": 0.0}, (1.0, 0.0)),
    ("arctan2(x, z)", {"x": 0.0, "z": 0.0}, (0.0, 0.0)),
    ("arctan2(x, z)", {"x": 3e300, "z": 4e300}, (1.6e-301, -1.2e-301)),
    ("arctanh(x)", {"x": -0.9999999999999999}, (4503599627370496.0,)),
    ("cbrt(x)", {"x": 0.0}, (math.inf,)),
    ("cbrt(x)", {"x": -8.0}, (1.0 / 12.0,)),
    ("sinc(x)", {"x": 1e-9}, (-3.289868133696453e-09,)),
    ("sinc(x)", {"x": 0.0}, (0.0,)),
    ("arcsinh(x)", {"x": 1e200}, (1e-200,)),
    ("arccosh(x)", {"x": 1e200}, (1e-200,)),
    ("copysign(x, z)", {"x": 0.0, "z": 1.0}, (0.0, 0.0)),
    ("heaviside(x, z)", {"x": 0.0, "z": 1.0}, (0.0, 1.0)),
    ("logaddexp(x, z)", {"x": -math.inf, "z": -math.inf}, (0.5, 0.5)),
    ("logaddexp(x, z)", {"x": math.inf, "z": 0.0}, (1.0, 0.0)),
    ("logaddexp(x, z)", {"x": 0.0, "z": -700.0}, (1.0, float(mpmath.exp(-700)))),
    ("nan_to_num(x)", {"x": math.nan}, (0.0,)),
    ("nan_to_num(x)", {"x": math.inf}, (0.0,)),
    ("nan_to_num(x)", {"x": 3.0}, (1.0,)),
]


@pytest.mark.parametrize(("text", "inputs", "wanted"), SLOPES)
@pytest.mark.parametrize("array", [False, True])
def test_slopes_at_the_edges(text, inputs, wanted, array):
    """As numbers and as arrays of one element, with every floating-point warning an error but the infinite slope."""
    if array:
        module = gc.compile(f"sum({text})", inputs=dict.fromkeys(inputs, "n"))
        point = {k: np.array([v]) for k, v in inputs.items()}
    else:
        module, point = gc.compile(text), inputs
    with np.errstate(all="raise", under="ignore", divide="ignore" if math.inf in wanted else "raise"):
        found = module.grad(**point)
    np.testing.assert_allclose(np.ravel(found), wanted, rtol=1e-14, atol=0.0)


@pytest.mark.parametrize("gap", [0.0, 1.0, -3.0])
def test_logaddexp_bends_at_a_tie_too(gap):
    """The second derivative is s * (1 - s) with s = sigmoid(x - z), 1/4 at a tie."""
    graph = gc.gradient(gc.parse("logaddexp(x, z)"), ["x"])
    s = 1.0 / (1.0 + math.exp(-gap))
    found = gc.compile(graph, wrt=["x"]).grad(x=2.0 + gap, z=2.0, dout=1.0).x
    assert math.isclose(found, s * (1.0 - s), rel_tol=1e-14)


@pytest.mark.parametrize("x", [0.0, 1e-9, 1e-3, 0.5, 0.954, 0.956, 3.7, -20.25])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_derivatives_of_sinc(x, n):
    """Against differentiation of the power series in 60 digits."""
    graph = gc.parse("sinc(x)")
    for _ in range(n - 1):
        graph = gc.gradient(graph, ["x"])
    module = gc.compile(graph, wrt=["x"])
    seeds = {name: 1.0 for name in graph.input_names if name != "x"}
    found = module.grad(x=x, **seeds).x
    with mpmath.workdps(60):
        u = mpmath.pi * mpmath.mpf(x)
        series = [(-1) ** k * math.perm(2 * k, n) / mpmath.factorial(2 * k + 1) for k in range(150)]
        wanted = float(mpmath.pi**n * mpmath.fsum(c * u ** (2 * k - n) for k, c in enumerate(series) if 2 * k >= n))
    assert abs(found - wanted) <= 1e-9 * abs(wanted) + 1e-14
