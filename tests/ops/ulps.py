"""How far the text of an op is from the true value, in units of the last place.

    exact(REGISTRY["tanh"], {})(mpmath.mpf(0.5))     tanh of 0.5 in the digits that are set
    distance(0.46211715726000976, ..., ulp)          how many ulp a float is from it

The true value is that of the op's SymPy formula at the arguments as they are (a float32 is a number,
too), in as many digits as its cancellations need.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import mpmath
import numpy as np
import sympy

from graphc.ir.op import Op

MANTISSA = {"float64": 53, "float32": 24}
LEAST = {"float64": -1074, "float32": -149}  # the exponent of the smallest subnormal number
LARGEST = {"float64": 1e300, "float32": 1e37}
DIGITS, MOST_DIGITS = 50, 3200

# Beyond these a function is 0 or inf, or its true value takes minutes.
BOUND: dict[str, tuple[float, float]] = {
    "gamma": (1e-300, 170.0),
    "bessel_i": (-700.0, 700.0),
    "bessel_ie": (-1e5, 1e5),
    "sinc_slope": (-1e5, 1e5),
    "erfc": (-1e5, 1e5),
    "erfcinv": (1e-60, 2.0),
    "log_ndtr": (-1e4, 38.0),
    "inverse_mills": (-1e4, 38.0),
}


class Miss(NamedTuple):
    """The largest error found, and where."""

    ulps: float
    at: tuple[Any, ...] = ()
    dtype: str = ""


# --- true values ---


def exact(op: Op, attrs: Mapping[str, Any]) -> Callable[..., Any]:
    """The op's formula, as it is written, on mpmath's numbers."""
    symbols = {a: sympy.Symbol(a, real=True) for a in op.args}
    numbers = {k: sympy.Integer(v) if isinstance(v, int) else sympy.Float(v) for k, v in attrs.items()}
    written = "erfc(-" in (op.sympy or "")  # SymPy makes 2 - erfc(x) of it, which takes a thousand digits
    formula = sympy.sympify(op.sympy, locals={**symbols, **numbers}, evaluate=not written)
    formula = formula.doit() if formula.has(sympy.Derivative) else formula
    call: Callable[..., Any] = sympy.lambdify(list(symbols.values()), formula, "mpmath")
    return call


def true_value(call: Callable[..., Any], point: Sequence[Any]) -> Any:
    """The value at a point, in as many digits as it takes until twice as many say the same; None if it has none."""
    numbers = [mpmath.mpf(float(v)) for v in point]
    digits, before = DIGITS, None
    while True:
        with mpmath.workdps(digits):
            value = _called(call, numbers)
        settled = None not in (before, value) and abs(value - before) <= mpmath.mpf(10) ** -25 * abs(value)
        if digits >= MOST_DIGITS or (settled and value != 0):
            return value
        digits, before = 2 * digits, value


def _called(call: Callable[..., Any], numbers: Sequence[Any]) -> Any:
    """None where digits are missing, or the value is too small for mpmath."""
    try:
        value = call(*numbers)
    except (ZeroDivisionError, OverflowError):
        return None
    return value.real if isinstance(value, mpmath.mpc) else value


def distance(found: float, true: Any, unit: Any) -> float:
    """In units."""
    with mpmath.workdps(DIGITS):
        return float(abs(mpmath.mpf(found) - true) / unit) if math.isfinite(found) else math.inf


def last_place(value: Any, dtype: str) -> Any:
    """What a unit in the last place of a number is worth."""
    exponent = mpmath.frexp(value)[1] if value else LEAST[dtype]
    return mpmath.ldexp(1, max(exponent - MANTISSA[dtype], LEAST[dtype]))


# --- arguments ---


def ends(domain: str) -> tuple[float, float]:
    """The ends of an interval as records write it."""
    if domain == "nonzero":
        return -math.inf, math.inf
    low, high = domain.strip("[]()").split(",")
    return float(low.replace("oo", "inf")), float(high.replace("oo", "inf"))


def spread(rng: np.random.Generator, domain: str, bound: tuple[float, float], dtype: str, count: int) -> np.ndarray:
    """Numbers over a whole domain: ordinary, close to its ends, tiny and huge."""
    low, high = (max(a, b) if k == 0 else min(a, b) for k, (a, b) in enumerate(zip(ends(domain), bound, strict=True)))
    most = LARGEST[dtype]
    ordinary = rng.uniform(max(low, -8.0), min(high, 8.0), count)
    wide = rng.choice([-1.0, 1.0], count) * 10.0 ** rng.uniform(-math.log10(most), math.log10(most), count)
    middle = rng.choice([-1.0, 1.0], count) * 10.0 ** rng.uniform(-4.0, 4.0, count)
    sides = [(end, sign) for end in (low, high, 0.0, 1.0) for sign in (-1.0, 1.0) if math.isfinite(end)]
    near = [end + sign * 10.0 ** rng.uniform(-9.0, -1.0, count // 2) for end, sign in sides]
    found = np.concatenate([ordinary, wide, middle, *near]).astype(dtype)
    return found[(found > low) & (found < high)]


def places(op: Op, rng: np.random.Generator, dtype: str, count: int) -> tuple[np.ndarray, ...]:
    """Arguments: each spread over its domain; of two also some that are close together."""
    domains = op.domain or ("(-oo, oo)",) * len(op.args)
    most = LARGEST[dtype]
    bound = BOUND.get(op.name, (-most, most))
    columns = [spread(rng, d, bound, dtype, count) for d in domains]
    size = min(c.size for c in columns)
    columns = [rng.permutation(c)[:size] for c in columns]
    if len(columns) == 2 and domains[0] == domains[1]:
        columns[1][: size // 4] = columns[0][: size // 4] * (1.0 + rng.uniform(-0.1, 0.1, size // 4)).astype(dtype)
    return tuple(columns)
