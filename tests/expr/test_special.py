"""Special functions against SciPy and mpmath: values, gradients, second derivatives, tails."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import scipy.special
import scipy.stats
from agreement import agree

import graphc as gc

ANY = np.array([0.3, -0.7, 1.9, -2.4, 0.05, 3.2])
POSITIVE = np.array([0.3, 0.7, 1.9, 2.4, 0.15, 5.2])
UNIT = np.array([0.3, 0.7, 0.1, 0.95, 0.45, 0.55])
OTHER = np.array([1.1, 0.6, 0.8, 1.7, 2.5, 0.2])

ONE = [
    *[(name, getattr(scipy.special, name), ANY) for name in ("erf", "erfc", "ndtr", "log_ndtr", "log_expit")],
    *[(name, getattr(scipy.special, name), ANY) for name in ("i0", "i1", "i0e", "i1e")],
    *[(name, getattr(scipy.special, name), POSITIVE) for name in ("gammaln", "gamma", "digamma", "psi", "entr")],
    ("lgamma", scipy.special.gammaln, POSITIVE),
    ("logit", scipy.special.logit, UNIT),
    *[(name, getattr(scipy.special, name), UNIT) for name in ("erfinv", "erfcinv", "ndtri")],
    ("norm_ppf", scipy.stats.norm.ppf, UNIT),
    ("norm_pdf", scipy.stats.norm.pdf, ANY),
    ("norm_logpdf", scipy.stats.norm.logpdf, ANY),
    ("norm_cdf", scipy.stats.norm.cdf, ANY),
    ("norm_logcdf", scipy.stats.norm.logcdf, ANY),
]


@pytest.mark.parametrize(("name", "reference", "x"), ONE, ids=[n for n, _, _ in ONE])
def test_of_one(name, reference, x):
    in_float32 = name.startswith("norm")  # scipy.stats answers in float64
    agree(f"{name}(x)", reference, x=x, single=not in_float32)
    agree(f"{name}(x)", reference, x=x.reshape(2, 3), second=False, single=not in_float32)
    agree(f"{name}(x)", reference, x=x[0], single=not in_float32)
    agree(f"{name}(x)", reference, x=x[:0], gradients=False, single=not in_float32)
    if name not in ("logit", "norm_ppf"):
        agree(f"{name}(x)", reference, x=np.array([1, 2]), gradients=False, single=False)


@pytest.mark.parametrize("name", ["xlogy", "xlog1py", "rel_entr", "kl_div", "beta", "betaln"])
def test_of_two(name):
    reference = getattr(scipy.special, name)
    agree(f"{name}(x, z)", reference, x=POSITIVE, z=OTHER)
    agree(f"{name}(x, z)", reference, x=POSITIVE.reshape(2, 3), z=OTHER[:3], second=False)
    agree(f"{name}(x, z)", reference, x=POSITIVE[0], z=OTHER[0])


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_polygamma(n):
    agree(f"polygamma({n}, x)", lambda x: scipy.special.polygamma(n, x), x=POSITIVE, single=False)


def test_of_more():
    agree(
        "multigammaln(x, 3)",
        lambda x: np.vectorize(lambda v: scipy.special.multigammaln(v, 3))(x),
        x=POSITIVE + 1.5,
        single=False,
    )
    scaled = {"x": ANY, "m": OTHER, "s": POSITIVE}
    for name in ("pdf", "logpdf", "cdf", "logcdf"):
        agree(f"norm_{name}(x, m, s)", getattr(scipy.stats.norm, name), **scaled, single=False)
    agree("norm_ppf(x, m, s)", scipy.stats.norm.ppf, **{**scaled, "x": UNIT}, single=False)


WIDE = np.concatenate([np.geomspace(1e-8, 100.0, 25), -np.geomspace(1e-8, 30.0, 20) - 1e-3])
NEAR = np.concatenate([np.linspace(0.02, 0.9, 12), np.geomspace(2.5, 160.0, 12), [-0.3, -1.7, -4.2]])


def bessel(n):
    return lambda v: mpmath.besseli(n, v)


def inverse_erfc(v):
    """By Newton's method on the logarithm, from SciPy's answer."""
    y = mpmath.mpf(float(scipy.special.erfcinv(float(v))))
    for _ in range(4):
        rest = mpmath.erfc(y)
        y += mpmath.log(rest / v) * rest * mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(y * y)
    return y


SMALL = np.concatenate([np.geomspace(1e-300, 0.4, 30), [0.49, 0.5, 0.51, 0.7, 0.99]])

# (text, in mpmath, points)
EXACT = [
    ("erf(x)", mpmath.erf, WIDE),
    ("erfc(x)", mpmath.erfc, np.linspace(-6.0, 26.0, 40)),
    ("erfinv(x)", mpmath.erfinv, np.concatenate([SMALL, -SMALL, [1.0 - 1e-9, 1.0 - 2.0**-53]])),
    ("erfcinv(x)", inverse_erfc, SMALL),
    ("ndtri(x)", lambda v: -mpmath.sqrt(2) * inverse_erfc(2 * v), SMALL[SMALL < 0.49]),
    ("gammaln(x)", lambda v: mpmath.log(abs(mpmath.gamma(v))), NEAR),
    ("gamma(x)", mpmath.gamma, NEAR),
    ("digamma(x)", mpmath.digamma, NEAR),
    ("polygamma(1, x)", lambda v: mpmath.psi(1, v), NEAR),
    ("polygamma(2, x)", lambda v: mpmath.psi(2, v), NEAR),
    ("polygamma(3, x)", lambda v: mpmath.psi(3, v), NEAR),
    ("i0(x)", bessel(0), WIDE),
    ("i1(x)", bessel(1), WIDE),
    ("i0e(x)", lambda v: mpmath.besseli(0, v) * mpmath.exp(-abs(v)), WIDE),
    ("i1e(x)", lambda v: mpmath.besseli(1, v) * mpmath.exp(-abs(v)), WIDE),
    ("log_ndtr(x)", lambda v: mpmath.log(mpmath.ncdf(v)), np.linspace(-60.0, 5.0, 50)),
    ("logit(x)", lambda v: mpmath.log(v / (1 - v)), np.array([1e-300, 0.01, 0.4, 0.5 + 1e-10, 0.71, 0.999])),
]


@pytest.mark.parametrize(("text", "exact", "points"), EXACT, ids=[t for t, _, _ in EXACT])
def test_to_the_last_digits(text, exact, points):
    """Numbers and arrays, to a relative 1e-14."""
    with mpmath.workdps(60):
        wanted = [float(exact(mpmath.mpf(float(v)))) for v in points]
    scalar = gc.compile(text)
    array = gc.compile(text, inputs={"x": "n"})(points)
    for v, w, a in zip(points, wanted, array, strict=True):
        assert abs(scalar(float(v)) - w) <= 1e-14 * abs(w), (v, scalar(float(v)), w)
        assert abs(a - w) <= 1e-14 * abs(w), (v, a, w)


# (text, inputs, value, gradients)
EDGES = [
    ("xlogy(x, z)", {"x": 0.0, "z": 0.0}, 0.0, (-math.inf, 0.0)),
    ("xlogy(x, z)", {"x": 0.0, "z": 4.0}, 0.0, (math.log(4.0), 0.0)),
    ("xlogy(x, z)", {"x": 2.0, "z": 4.0}, 2.0 * math.log(4.0), (math.log(4.0), 0.5)),
    ("xlog1py(x, z)", {"x": 0.0, "z": -1.0}, 0.0, (-math.inf, 0.0)),
    ("entr(x)", {"x": 0.0}, 0.0, (math.inf,)),
    ("entr(x)", {"x": 0.5}, 0.5 * math.log(2.0), (math.log(2.0) - 1.0,)),
    ("entr(x)", {"x": -1.0}, -math.inf, (0.0,)),
    ("rel_entr(x, z)", {"x": 0.0, "z": 0.0}, 0.0, ("any", "any")),
    ("rel_entr(x, z)", {"x": 1.0, "z": 0.0}, math.inf, (0.0, 0.0)),
    ("kl_div(x, z)", {"x": 2.0, "z": 2.0}, 0.0, (0.0, 0.0)),
    ("log_ndtr(x)", {"x": -40.0}, -804.6084420137538, (40.02496884720726,)),
    ("log_ndtr(x)", {"x": 40.0}, 0.0, (0.0,)),
    ("gammaln(x)", {"x": 1e300}, 6.897755278982137e302, (690.7755278982137,)),
    ("i0(x)", {"x": 0.0}, 1.0, (0.0,)),
    ("i1(x)", {"x": 0.0}, 0.0, (0.5,)),
    ("erfinv(x)", {"x": 1.0}, math.inf, (math.inf,)),
    ("erfinv(x)", {"x": -0.0}, -0.0, (math.sqrt(math.pi) / 2.0,)),
    ("erfcinv(x)", {"x": 1.0}, 0.0, (-math.sqrt(math.pi) / 2.0,)),
    ("ndtri(x)", {"x": 0.0}, -math.inf, (math.inf,)),
    ("ndtri(x)", {"x": 0.5}, 0.0, (math.sqrt(2.0 * math.pi),)),
    ("erf(x)", {"x": 0.0}, 0.0, (2.0 / math.sqrt(math.pi),)),
    ("norm_logpdf(x)", {"x": 1e10}, -5e19, (-1e10,)),
]


@pytest.mark.parametrize(("text", "inputs", "value", "slopes"), EDGES)
@pytest.mark.parametrize("array", [False, True])
def test_edges(text, inputs, value, slopes, array):
    point = {k: np.array([v]) for k, v in inputs.items()} if array else inputs
    module = gc.compile(f"sum({text})" if array else text, inputs=dict.fromkeys(inputs, "n") if array else None)
    with np.errstate(all="ignore"):
        found, gradients = module.value_and_grad(**point)
    assert math.isclose(found, value, rel_tol=1e-14, abs_tol=1e-300)
    for slope, wanted in zip(np.ravel(gradients), slopes, strict=True):
        assert wanted == "any" or math.isclose(slope, wanted, rel_tol=1e-11, abs_tol=1e-300), (slope, wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("polygamma(x, 2)", "G030"),
        ("polygamma(-1, x)", "G003"),
        ("polygamma(99, x)", "G003"),
        ("multigammaln(x, x)", "G030"),
    ],
)
def test_what_is_refused(text, code):
    with pytest.raises(gc.GraphcError) as caught:
        gc.parse(text, {"x": "n"})
    assert caught.value.code == code
