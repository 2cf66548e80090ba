"""Numeric derivatives: what analytic gradients are compared with.

    central_differences(f, {"x": np.array([1.0, 2.0])}, ["x"])   ->   {"x": array([2., 4.])}
    extrapolated(lambda t: math.exp(1.0 + t))                    ->   2.718281828459...

Functions are given as callables of keyword arguments that return one array or a tuple of arrays;
what is differentiated is the sum over the outputs of <cotangent, output>, the cotangents being
ones unless given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Value = Callable[..., Any]
Inputs = Mapping[str, Array]
Cotangents = Sequence[npt.ArrayLike] | None

FIRST_STEP = 2.0**-5
LEVELS = 16  # step sizes that are tried, each half of the one before
ENOUGH = 1e-12  # relative error at which no smaller step is tried


def step_size(x: float, dtype: npt.DTypeLike = np.float64) -> float:
    """The step that balances truncation against rounding: eps**(1/3) * max(1, |x|).

    Press et al., Numerical Recipes (2007), section 5.7.
    """
    return math.cbrt(np.finfo(dtype).eps) * max(1.0, abs(x))


def contraction(f: Value, inputs: Inputs, cotangents: Cotangents = None) -> float:
    """The sum over the outputs of <cotangent, output>, in float64."""
    result = f(**inputs)
    outputs = result if isinstance(result, tuple) else (result,)
    weights = [np.ones(np.shape(o)) for o in outputs] if cotangents is None else cotangents
    return math.fsum(
        float(np.sum(np.asarray(weight, np.float64) * np.asarray(output, np.float64)))
        for weight, output in zip(weights, outputs, strict=True)
    )


def along(
    f: Value, inputs: Inputs, name: str, direction: Array, cotangents: Cotangents = None
) -> Callable[[float], float]:
    """The function t -> contraction of f at inputs[name] + t * direction."""
    base = np.asarray(inputs[name])

    def line(t: float) -> float:
        moved = (base + t * direction).astype(base.dtype)
        with np.errstate(all="ignore"):
            return contraction(f, {**inputs, name: moved}, cotangents)

    return line


def unit(shape: tuple[int, ...], index: tuple[int, ...]) -> Array:
    """Zeros, and a one at `index`."""
    direction = np.zeros(shape)
    direction[index] = 1.0
    return direction


def central_differences(
    f: Value, inputs: Inputs, wrt: Sequence[str], cotangents: Cotangents = None
) -> dict[str, Array]:
    """The gradient by (f(x + h) - f(x - h)) / 2h, an element at a time, in float64.

    inputs: float64 or float32 arrays. float32 ones are cast to float64 where f takes that, so that
    the estimate is good to about 1e-10 of the function's scale, and else to about 1e-4.
    """
    inputs = lifted(f, inputs)
    gradients: dict[str, Array] = {}
    for name in wrt:
        base = np.asarray(inputs[name])
        gradient = np.empty(base.shape)
        for index in np.ndindex(base.shape):
            line = along(f, inputs, name, unit(base.shape, index), cotangents)
            h = step_size(float(base[index]), base.dtype)
            gradient[index] = (line(h) - line(-h)) / (2.0 * h)
        gradients[name] = gradient
    return gradients


def lifted(f: Value, inputs: Inputs) -> dict[str, Array]:
    """The inputs with float32 cast to float64, or as they are if f refuses that."""
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    wide = {n: a.astype(np.float64) if a.dtype == np.float32 else a for n, a in arrays.items()}
    if all(wide[name] is arrays[name] for name in arrays):
        return arrays
    try:
        with np.errstate(all="ignore"):
            f(**wide)
    except (TypeError, ValueError):
        return arrays
    return wide


def extrapolated(line: Callable[[float], float], scale: float = 1.0) -> float:
    """The derivative of `line` at 0, by central differences extrapolated to a step of 0.

    Steps are halved from scale/32, and Richardson's tableau is read where neighbours agree best
    (C. Ridders, Adv. Eng. Software 4, 1982): about 1e-11 of the function's scale where it is
    smooth. Steps that leave the domain or cross a kink only cost their rows of the tableau.
    """
    best, least = math.nan, math.inf
    before: list[float] = []
    for level in range(LEVELS):
        h = scale * FIRST_STEP / 2.0**level
        row = [(line(h) - line(-h)) / (2.0 * h)]
        for j, coarse in enumerate(before):
            row.append(row[j] + (row[j] - coarse) / (4.0 ** (j + 1) - 1.0))
        for j in range(1, len(row)):
            error = max(abs(row[j] - row[j - 1]), abs(row[j] - before[j - 1]))
            if error < least:
                best, least = row[j], error
        if least <= ENOUGH * abs(best):
            break
        before = row
    return best
