"""Do these gradients belong to this function? A numeric check, with a table that says where not.

    check_grads(m, m.grad, {"w": w, "b": b})   ->   Report(rows=..., tolerance=1e-06)

    error[G050]: the gradient with respect to `w` differs from its numeric estimate
    ...
    input  shape  max abs error  max rel error  worst at  analytic  numeric
    w      (3,)        1.00e+00       5.00e-01  (1,)             1        2  <--
    b      ()          0.00e+00       0.00e+00  ()               6        6

**Kinks.** Where a function has no derivative, the two answers are both right and may differ. The
contract (design, section 9) picks the smallest subgradient, central differences give the mean of
the slopes on both sides: they agree on |x| at 0, and not on relu(x) at 0, which has 0 against
1/2. Check at points away from kinks and from the edge of the domain; random ones are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import nan
from typing import Any, NamedTuple

import numpy as np

from graphc.check.numeric import (
    Array,
    Cotangents,
    Value,
    along,
    contraction,
    extrapolated,
    lifted,
    unit,
)
from graphc.errors import ArgumentError, GradientMismatch, printable

FEW = 200  # elements of an input that are all checked; a larger one along random directions
DIRECTIONS = 12
TOLERANCE = 1e-6
SINGLE_TOLERANCE = 1e-2  # where the function computes in float32 only
NOISE = 1e-11  # error of the numeric estimate, relative to the function's value


class Row(NamedTuple):
    """One input. max_rel: the largest error relative to the largest element of the gradient.

    worst: the index of the largest error, or the number of the random direction.
    """

    name: str
    shape: tuple[int, ...]
    max_abs: float
    max_rel: float
    worst: tuple[int, ...] | int
    analytic: float
    numeric: float
    agrees: bool


class Report(NamedTuple):
    """What was compared."""

    rows: tuple[Row, ...]
    tolerance: float

    def __str__(self) -> str:
        return "\n".join(_table(self.rows))


class Mismatch(GradientMismatch):
    """The error with its table. report: the numbers."""

    def __init__(self, message: str, report: Report, hint: str) -> None:
        super().__init__("G050", message, hint=hint)
        self.report = report

    def __str__(self) -> str:
        return f"{super().__str__()}\n\n{self.report}"


def check_grads(
    value: Value,
    gradients: Callable[..., Any],
    inputs: Mapping[str, Any],
    wrt: Sequence[str] | None = None,
    *,
    cotangents: Cotangents = None,
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> Report:
    """Compare `gradients(**inputs)` with numeric derivatives of `value(**inputs)`.

    value: returns an array or a tuple of arrays.  gradients: returns a mapping, a named tuple, or
    arrays in the order of `wrt` (one array for one input): the gradient of the sum over the
    outputs of <cotangent, output>.  cotangents: one for each output; ones by default.
    wrt: by default every floating-point input.
    tolerance: the largest error that passes, relative to the largest element of the input's
    gradient; errors below 1e-11 of the value pass too, since the estimate is no better. If value
    or gradients insist on float32, the tolerance is at least 1e-2.
    Raises GradientMismatch with a table of all inputs, ArgumentError if a gradient is missing.
    """
    both = lifted(lambda **arrays: (value(**arrays), gradients(**arrays)), inputs)
    single = any(array.dtype == np.float32 for array in both.values())
    tolerance = max(tolerance, SINGLE_TOLERANCE) if single else tolerance
    names = list(wrt) if wrt is not None else [n for n, a in both.items() if a.dtype.kind == "f"]
    with np.errstate(all="ignore"):
        found = _by_name(gradients(**both), names)
        noise = NOISE * abs(contraction(value, both, cotangents))
    random = np.random.default_rng(seed)
    rows = []
    for name in names:
        base = both[name]

        def slope(direction: Array, name: str = name, base: Array = base) -> float:
            line = along(value, both, name, direction, cotangents)
            return extrapolated(line, _scale(base, direction))

        probes = _probes(base.shape, random)
        allowed = partial(_allowed, tolerance, noise)
        rows.append(_compare(name, found[name], base.shape, probes, slope, allowed))
    report = Report(tuple(rows), tolerance)
    wrong = [row for row in rows if not row.agrees]
    if wrong:
        raise _mismatch(wrong, report)
    return report


def _by_name(result: Any, names: list[str]) -> dict[str, Array]:
    """The gradients as a table, whatever `gradients` returned."""
    if hasattr(result, "_asdict"):
        result = result._asdict()
    if not isinstance(result, Mapping):
        several = result if isinstance(result, (tuple, list)) else (result,)
        if len(several) != len(names):
            message = f"there are {len(several)} gradients for {len(names)} inputs"
            raise ArgumentError("G070", message, hint=f"name the inputs: wrt={tuple(names)}")
        result = dict(zip(names, several, strict=True))
    missing = [name for name in names if name not in result]
    if missing:
        raise ArgumentError("G070", f"there is no gradient with respect to `{missing[0]}`")
    return {name: np.asarray(result[name], np.float64) for name in names}


def _probes(shape: tuple[int, ...], random: np.random.Generator) -> dict[Any, Array]:
    """Directions, by their name in the table: the index of an element, or a number."""
    if np.prod(shape, dtype=int) <= FEW:
        return {index: unit(shape, index) for index in np.ndindex(shape)}
    drawn = (random.standard_normal(shape) for _ in range(DIRECTIONS))
    return {number: d / np.sqrt(np.sum(d * d)) for number, d in enumerate(drawn)}


def _compare(
    name: str,
    gradient: Array,
    shape: tuple[int, ...],
    probes: Mapping[Any, Array],
    slope: Callable[[Array], float],
    allowed: Callable[[float], float],
) -> Row:
    """One row. slope: the numeric derivative along a direction; allowed: scale -> error."""
    if gradient.shape != shape:
        return Row(name, shape, nan, nan, gradient.shape, nan, nan, False)
    if not probes:
        return Row(name, shape, 0.0, 0.0, (), 0.0, 0.0, True)
    analytic = np.array([_component(gradient, at, d) for at, d in probes.items()])
    numeric = np.array([slope(d) for d in probes.values()])
    with np.errstate(all="ignore"):
        errors = np.where(analytic == numeric, 0.0, np.abs(analytic - numeric))
    errors = np.where(np.isnan(errors), np.inf, errors)
    scale = float(np.maximum(np.abs(analytic), np.abs(numeric)).max())
    worst = int(errors.argmax())
    error = float(errors[worst])
    relative = error and (error / scale if np.isfinite(error) else error)
    agrees = bool(np.isfinite(error)) and error <= allowed(scale)
    pair = float(analytic[worst]), float(numeric[worst])
    return Row(name, shape, error, relative, list(probes)[worst], *pair, agrees)


def _component(gradient: Array, at: Any, direction: Array) -> float:
    return float(gradient[at]) if isinstance(at, tuple) else float(np.sum(gradient * direction))


def _allowed(tolerance: float, noise: float, scale: float) -> float:
    return tolerance * scale + noise


def _scale(base: Array, direction: Array) -> float:
    """How far to go along a direction: in proportion to the elements that it moves."""
    moved = np.abs(base[direction != 0.0])
    return float(max(1.0, moved.max(initial=0.0))) / float(np.abs(direction).max())


def _mismatch(wrong: list[Row], report: Report) -> Mismatch:
    names = ", ".join(f"`{row.name}`" for row in wrong)
    shape = next((row for row in wrong if np.isnan(row.max_abs)), None)
    if shape is not None:
        message = f"the gradient of `{shape.name}` has the shape {shape.worst}, not {shape.shape}"
        return Mismatch(message, report, "a gradient has the shape of its input")
    message = f"the gradient with respect to {names} differs from its numeric estimate"
    return Mismatch(message, report, "if the point is at a kink or at the edge of the domain, check at another")


_HEADS = ("input", "shape", "max abs error", "max rel error", "worst at", "analytic", "numeric", "")


def _table(rows: Sequence[Row]) -> list[str]:
    cells = [_HEADS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    left = {0, 1, 4, 7}
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def _cells(row: Row) -> tuple[str, ...]:
    at = str(row.worst) if isinstance(row.worst, tuple) else f"direction {row.worst}"
    errors = (f"{row.max_abs:.2e}", f"{row.max_rel:.2e}")
    values = (f"{row.analytic:.9g}", f"{row.numeric:.9g}")
    mark = "" if row.agrees else "<--"
    return (printable(row.name, 60), str(row.shape), *errors, at, *values, mark)
