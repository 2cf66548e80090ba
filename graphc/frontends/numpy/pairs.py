"""Arithmetic and elementary functions of complex numbers as pairs of real arrays.

(a + ib) * (c + id)     (a*c - b*d, a*d + b*c)
sin(a + ib)             (sin(a) * cosh(b), cos(a) * sinh(b))

A part that is 0 by kind is the integer 0, and what would only multiply or add it is left out. The
formulas are those of Kahan, "Branch cuts for complex elementary functions", where cancellation matters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Pair = tuple[Any, Any]

_LARGEST_POWER = 64


def is_zero(x: Any) -> bool:
    """Whether a part is 0 by kind."""
    return type(x) is int and x == 0


def negative(x: Any) -> Any:
    return x if is_zero(x) else -x


def _add(x: Any, y: Any) -> Any:
    return y if is_zero(x) else x if is_zero(y) else x + y


def _subtract(x: Any, y: Any) -> Any:
    return negative(y) if is_zero(x) else x if is_zero(y) else x - y


def _multiply(x: Any, y: Any) -> Any:
    return 0 if is_zero(x) or is_zero(y) else x * y


def _product(a: Pair, b: Pair) -> Pair:
    real = _subtract(_multiply(a[0], b[0]), _multiply(a[1], b[1]))
    return real, _add(_multiply(a[0], b[1]), _multiply(a[1], b[0]))


def _quotient(a: Pair, b: Pair) -> Pair:
    if is_zero(b[1]):
        return a[0] / b[0], 0 if is_zero(a[1]) else a[1] / b[0]
    size = b[0] * b[0] + b[1] * b[1]
    real, imag = _product(a, (b[0], negative(b[1])))
    return real / size, imag / size


def multilinear(function: Callable[..., Any], operands: list[Pair]) -> Pair:
    """A function that is linear in each operand: of every choice of parts, i to the number of imaginary ones."""
    choices: list[tuple[list[Any], int]] = [([], 0)]
    for real, imag in operands:
        taken = [(real, 0)] if is_zero(imag) else [(real, 0), (imag, 1)]
        choices = [([*before, part], turns + i) for before, turns in choices for part, i in taken]
    sums: list[Any] = [0, 0]
    for chosen, turns in choices:
        combine = _add if turns % 4 < 2 else _subtract
        sums[turns % 2] = combine(sums[turns % 2], function(*chosen))
    return sums[0], sums[1]


def _power(a: Pair, b: Pair) -> Pair:
    exponent = b[0]
    if not is_zero(b[1]):
        return _exp(_product(b, _log(a)))
    whole = isinstance(exponent, (int, float, np.integer)) and float(exponent).is_integer()
    if whole and abs(exponent) <= _LARGEST_POWER:
        result: Pair = (1.0, 0)
        for _ in range(abs(int(exponent))):
            result = _product(result, a)
        return result if exponent >= 0 else _quotient((1.0, 0), result)
    size, angle = absolute(a) ** exponent, exponent * phase(a)
    return size * np.cos(angle), size * np.sin(angle)


def absolute(a: Pair) -> Any:
    return np.abs(a[0]) if is_zero(a[1]) else np.hypot(a[0], a[1])


def phase(a: Pair) -> Any:
    return np.arctan2(np.zeros_like(a[0]) if is_zero(a[1]) else a[1], a[0])


def _sqrt(a: Pair) -> Pair:
    """The root in the right half plane, without cancellation in either part."""
    imag = np.zeros_like(a[0]) if is_zero(a[1]) else a[1]
    large = np.sqrt((np.abs(a[0]) + np.hypot(a[0], imag)) / 2)
    small = np.abs(imag) / (2 * np.where(large > 0, large, 1.0))
    right = a[0] >= 0
    return np.where(right, large, small), np.copysign(np.where(right, small, large), imag)


def _exp(a: Pair) -> Pair:
    if is_zero(a[0]):
        return np.cos(a[1]), np.sin(a[1])
    size = np.exp(a[0])
    return (size, 0) if is_zero(a[1]) else (size * np.cos(a[1]), size * np.sin(a[1]))


def _log(a: Pair) -> Pair:
    return np.log(absolute(a)), phase(a)


def _scaled(a: Pair, factor: float) -> Pair:
    return a[0] * factor, a[1] * factor


def _tan(a: Pair) -> Pair:
    t, h = np.tan(a[0]), np.tanh(a[1])
    size = 1 + t * t * h * h
    return t * (1 - h * h) / size, h * (1 + t * t) / size


def _tanh(a: Pair) -> Pair:
    imag, real = _tan((a[1], a[0]))
    return real, imag


def _log1p(a: Pair) -> Pair:
    return 0.5 * np.log1p(a[0] * (2 + a[0]) + a[1] * a[1]), np.arctan2(a[1], 1 + a[0])


def _expm1(a: Pair) -> Pair:
    return np.expm1(a[0]) * np.cos(a[1]) - 2 * np.sin(a[1] / 2) ** 2, np.exp(a[0]) * np.sin(a[1])


# A ufunc on pairs; the result is a pair.
UFUNCS: dict[str, Callable[..., Pair]] = {
    "add": lambda a, b: (_add(a[0], b[0]), _add(a[1], b[1])),
    "subtract": lambda a, b: (_subtract(a[0], b[0]), _subtract(a[1], b[1])),
    "multiply": _product,
    "divide": _quotient,
    "power": _power,
    "float_power": _power,
    "matmul": lambda a, b: multilinear(np.matmul, [a, b]),
    "vecdot": lambda a, b: multilinear(np.vecdot, [(a[0], negative(a[1])), b]),
    "square": lambda a: _product(a, a),
    "negative": lambda a: (negative(a[0]), negative(a[1])),
    "positive": lambda a: a,
    "conjugate": lambda a: (a[0], negative(a[1])),
    "reciprocal": lambda a: _quotient((1.0, 0), a),
    "sqrt": _sqrt,
    "exp": _exp,
    "exp2": lambda a: _exp(_scaled(a, math.log(2))),
    "expm1": _expm1,
    "log": _log,
    "log2": lambda a: _scaled(_log(a), 1 / math.log(2)),
    "log10": lambda a: _scaled(_log(a), 1 / math.log(10)),
    "log1p": _log1p,
    "sin": lambda a: (np.sin(a[0]) * np.cosh(a[1]), np.cos(a[0]) * np.sinh(a[1])),
    "cos": lambda a: (np.cos(a[0]) * np.cosh(a[1]), -np.sin(a[0]) * np.sinh(a[1])),
    "tan": _tan,
    "sinh": lambda a: (np.sinh(a[0]) * np.cos(a[1]), np.cosh(a[0]) * np.sin(a[1])),
    "cosh": lambda a: (np.cosh(a[0]) * np.cos(a[1]), np.sinh(a[0]) * np.sin(a[1])),
    "tanh": _tanh,
}
# A ufunc on pairs; the result is real.
REAL: dict[str, Callable[..., Any]] = {
    "absolute": absolute,
    "isfinite": lambda a: np.isfinite(a[0]) & np.isfinite(a[1]),
    "isnan": lambda a: np.isnan(a[0]) | np.isnan(a[1]),
    "isinf": lambda a: np.isinf(a[0]) | np.isinf(a[1]),
    "equal": lambda a, b: np.equal(a[0], b[0]) & np.equal(a[1], b[1]),
    "not_equal": lambda a, b: np.not_equal(a[0], b[0]) | np.not_equal(a[1], b[1]),
}
