"""Special functions, under SciPy's names and orders of arguments; and the normal distribution.

    ndtr(x)          erfc(-x / sqrt(2)) / 2
    beta(a, b)       gamma(a) * gamma(b) / gamma(a + b)
    norm_pdf(x)      exp(-x**2 / 2) / sqrt(2 * pi)

Sources: NIST Digital Library of Mathematical Functions, chapters 5, 7 and 10; the entropies are those
of S. Boyd and L. Vandenberghe, "Convex Optimization", section 3.1.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from graphc.errors import DtypeError, LimitError
from graphc.expr import build
from graphc.expr.arguments import Value, describe, node, nodes
from graphc.ir.node import Node

MAX_ORDER = 20  # of polygamma and multigammaln: each is a loop or a sum of that length


def _one(op: str, **attrs: int) -> Callable[[Value], Node]:
    def call(x: Value) -> Node:
        return build.apply(op, floating(x), **attrs)

    call.__doc__ = _DOCS[op, attrs.get("n")]
    return call


_DOCS = {
    ("erf", None): "The error function: 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x.",
    ("erfc", None): "1 - erf(x), accurate for large x.",
    ("erfinv", None): "The inverse of erf, from -1 to 1; infinite at the ends.",
    ("erfcinv", None): "The inverse of erfc, from 0 to 2; accurate for small x.",
    ("gammaln", None): "log(|gamma(x)|).",
    ("gamma", None): "The gamma function: gamma(n + 1) is n factorial.",
    ("digamma", None): "The derivative of gammaln.",
    ("log_ndtr", None): "The logarithm of ndtr(x), accurate for very negative x.",
    ("logit", None): "log(x / (1 - x)), the inverse of expit.",
    ("bessel_i", 0): "The modified Bessel function of the first kind of order 0.",
    ("bessel_i", 1): "The modified Bessel function of the first kind of order 1.",
    ("bessel_ie", 0): "exp(-|x|) * i0(x).",
    ("bessel_ie", 1): "exp(-|x|) * i1(x).",
}


def floating(x: Value) -> Node:
    """The value as floats; whole numbers and booleans become float64."""
    array = node(x)
    return array if array.type.is_float else build.astype(array, "float64")


def _floats(*values: Value) -> list[Node]:
    return [floating(n) for n in nodes(values)]


def _order(value: Value, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise DtypeError("G030", f"`{name}` is an integer, not {describe(value)}")
    if not 0 <= value <= MAX_ORDER:
        raise LimitError("G003", f"`{name}` is between 0 and {MAX_ORDER}")
    return value


# --- gamma ---


def polygamma(n: Value, x: Value) -> Node:
    """The derivative of order n of digamma."""
    order = _order(n, "n")
    return build.apply("polygamma", floating(x), n=order) if order else build.apply("digamma", floating(x))


def multigammaln(a: Value, d: Value) -> Node:
    """The logarithm of the gamma function of d dimensions: d (d - 1) / 4 log(pi) + the sum of gammaln(a - j / 2)."""
    array, dimensions = floating(a), _order(d, "d")
    total: build.Value = 0.25 * dimensions * (dimensions - 1) * math.log(math.pi)
    for j in range(dimensions):
        total = build.add(total, build.apply("gammaln", build.subtract(array, 0.5 * j)))
    return total if isinstance(total, Node) else build.multiply(array, 0.0)


def betaln(a: Value, b: Value) -> Node:
    """log(|beta(a, b)|): gammaln(a) + gammaln(b) - gammaln(a + b)."""
    first, second = _floats(a, b)
    parts = [build.apply("gammaln", x) for x in (first, second, build.add(first, second))]
    return build.subtract(build.add(parts[0], parts[1]), parts[2])


def beta(a: Value, b: Value) -> Node:
    """The beta function exp(betaln(a, b)), of positive arguments."""
    return build.apply("exp", betaln(a, b))


# --- entropies ---


def xlogy(x: Value, y: Value) -> Node:
    """x * log(y), and 0 where x is 0."""
    return build.apply("xlogy", *_floats(x, y))


def xlog1py(x: Value, y: Value) -> Node:
    """x * log(1 + y), and 0 where x is 0."""
    return build.apply("xlog1py", *_floats(x, y))


def entr(x: Value) -> Node:
    """-x * log(x); 0 at 0, -inf below."""
    array = floating(x)
    outside = build.apply("less", array, 0)
    inside = build.where(outside, 1, array)
    return build.where(outside, -math.inf, build.negative(build.apply("xlogy", inside, inside)))


def rel_entr(x: Value, y: Value) -> Node:
    """x * log(x / y); 0 where both are 0, inf outside the domain."""
    first, second = _floats(x, y)
    nothing = _both(build.equal(first, 0), build.equal(second, 0))
    bad = build.apply("logical_or", build.apply("less", first, 0), build.apply("less_equal", second, 0))
    outside = _both(bad, build.apply("logical_not", nothing))
    part = build.where(outside, 1, first)
    value = build.apply("xlogy", part, build.divide(part, build.where(bad, 1, second)))
    return build.where(outside, math.inf, value)


def _both(a: Node, b: Node) -> Node:
    return build.apply("logical_and", a, b)


def kl_div(x: Value, y: Value) -> Node:
    """x * log(x / y) - x + y; inf outside the domain."""
    first, second = _floats(x, y)
    return build.add(build.subtract(rel_entr(first, second), first), second)


# --- the normal distribution ---


def ndtr(x: Value) -> Node:
    """The normal distribution function: erfc(-x / sqrt(2)) / 2."""
    return build.multiply(0.5, build.apply("erfc", build.multiply(-math.sqrt(0.5), floating(x))))


def ndtri(p: Value) -> Node:
    """The inverse of ndtr, the quantile function of the standard normal distribution; accurate for small p."""
    return build.multiply(-math.sqrt(2.0), build.apply("erfcinv", build.multiply(2, floating(p))))


def _standard(x: Value, loc: Value, scale: Value) -> tuple[Node, Node]:
    array, middle, width = _floats(x, loc, scale)
    return build.divide(build.subtract(array, middle), width), width


def norm_pdf(x: Value, loc: Value = 0.0, scale: Value = 1.0) -> Node:
    """The density of the normal distribution with mean `loc` and standard deviation `scale`."""
    z, width = _standard(x, loc, scale)
    return build.divide(
        build.apply("exp", build.multiply(-0.5, build.apply("square", z))),
        build.multiply(math.sqrt(2.0 * math.pi), width),
    )


def norm_logpdf(x: Value, loc: Value = 0.0, scale: Value = 1.0) -> Node:
    """The logarithm of the density of the normal distribution."""
    z, width = _standard(x, loc, scale)
    rest = build.add(build.apply("log", width), 0.5 * math.log(2.0 * math.pi))
    return build.subtract(build.multiply(-0.5, build.apply("square", z)), rest)


def norm_cdf(x: Value, loc: Value = 0.0, scale: Value = 1.0) -> Node:
    """The distribution function of the normal distribution."""
    return ndtr(_standard(x, loc, scale)[0])


def norm_logcdf(x: Value, loc: Value = 0.0, scale: Value = 1.0) -> Node:
    """The logarithm of the distribution function of the normal distribution."""
    return build.apply("log_ndtr", _standard(x, loc, scale)[0])


def norm_ppf(q: Value, loc: Value = 0.0, scale: Value = 1.0) -> Node:
    """The quantile of the normal distribution: where its distribution function is q."""
    centre, width = _floats(loc, scale)
    return build.add(build.multiply(ndtri(q), width), centre)


def log_expit(x: Value) -> Node:
    """The logarithm of expit(x): -softplus(-x)."""
    return build.negative(build.apply("softplus", build.negative(floating(x))))


TABLE: dict[str, Callable[..., Any]] = {
    "erf": _one("erf"),
    "erfc": _one("erfc"),
    "erfinv": _one("erfinv"),
    "erfcinv": _one("erfcinv"),
    "gammaln": _one("gammaln"),
    "lgamma": _one("gammaln"),
    "gamma": _one("gamma"),
    "digamma": _one("digamma"),
    "psi": _one("digamma"),
    "polygamma": polygamma,
    "multigammaln": multigammaln,
    "beta": beta,
    "betaln": betaln,
    "i0": _one("bessel_i", n=0),
    "i1": _one("bessel_i", n=1),
    "i0e": _one("bessel_ie", n=0),
    "i1e": _one("bessel_ie", n=1),
    "logit": _one("logit"),
    "log_expit": log_expit,
    "xlogy": xlogy,
    "xlog1py": xlog1py,
    "entr": entr,
    "rel_entr": rel_entr,
    "kl_div": kl_div,
    "ndtr": ndtr,
    "log_ndtr": _one("log_ndtr"),
    "ndtri": ndtri,
    "norm_pdf": norm_pdf,
    "norm_logpdf": norm_logpdf,
    "norm_cdf": norm_cdf,
    "norm_logcdf": norm_logcdf,
    "norm_ppf": norm_ppf,
}
