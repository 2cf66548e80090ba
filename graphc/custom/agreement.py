"""A definition is compared with SymPy: the generated code against the formula to 40 digits.

Slopes are compared with the difference quotient of the formula, which knows nothing of graphc's
derivatives. Points where the formula is not real are passed over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from graphc.errors import GradientMismatch, LimitError, UnsupportedError
from graphc.frontends.sympy.showing import shown

# No kink of an ordinary formula is here. The far ones are for functions that begin late.
NEAR = (0.3137, -0.7219, 1.6113, -2.4171, 0.0529, 3.8707, -0.1153, 2.2691)
FAR = (17.3391, -23.4173, 61.7719, 401.3117)
DIGITS = 40
STEP_DIGITS = 10  # a central quotient is off by the square of its step
TOLERANCE = 1e-9  # relative to 1 + |value|


def compare(name: str, expr: Any, args: Sequence[str], path: Sequence[int], value: Callable[..., float]) -> None:
    """Raise GradientMismatch where `value` is not the formula, or its derivative along `path`.

    Raises UnsupportedError if the formula is real at none of the points that are tried.
    """
    compared = 0
    for point in _points(len(args)):
        try:
            wanted = _exact(expr, args, point, path)
        except RecursionError:
            raise LimitError("G003", f"`{name}`: the formula is too deep for SymPy") from None
        if wanted is None:
            continue
        compared += 1
        got = value(*point)
        if not abs(got - wanted) <= TOLERANCE * (1.0 + abs(wanted)):
            shown_point = ", ".join(f"{a}={p}" for a, p in zip(args, point, strict=True))
            raise GradientMismatch("G050", f"`{name}` is {got:.12g} at {shown_point}, and SymPy has {wanted:.12g}")
        if compared >= len(NEAR):
            return
    if not compared:
        raise UnsupportedError("G040", f"`{name}`: `{shown(expr)}` is real at none of the points that were tried")


def _points(count: int) -> Iterator[tuple[float, ...]]:
    """Each argument walks through the values from another start."""
    for values in (NEAR, FAR):
        for start in range(len(values)):
            for stride in range(1, len(values), 2):
                yield tuple(values[(start + stride * i) % len(values)] for i in range(count))
                if count == 1:
                    break


def _exact(expr: Any, args: Sequence[str], point: Sequence[float], path: Sequence[int]) -> float | None:
    """The value, or the central difference quotient along `path`; None if it is not a real number."""
    import sympy

    step = sympy.Float(10, DIGITS * 2) ** -STEP_DIGITS
    symbols = {s.name: s for s in expr.free_symbols}
    corners: dict[tuple[Any, ...], int] = {tuple(sympy.Float(p, DIGITS * 2) for p in point): 1}
    for i in path:
        moved: dict[tuple[Any, ...], int] = {}
        for corner, weight in corners.items():
            for sign in (1, -1):
                at = (*corner[:i], corner[i] + sign * step, *corner[i + 1 :])
                moved[at] = moved.get(at, 0) + sign * weight
        corners = moved
    total = sympy.Integer(0)
    for corner, weight in corners.items():
        values = {symbols[a]: c for a, c in zip(args, corner, strict=True) if a in symbols}
        value = expr.subs(values).evalf(DIGITS * 2)
        if not value.is_Float and not value.is_Rational:
            return None
        total += weight * value
    result = float(total / (2 * step) ** len(path))
    return result if math.isfinite(result) else None
