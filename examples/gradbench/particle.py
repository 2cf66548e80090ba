"""particle: the charge that makes a particle fly through the origin; derivatives within derivatives.

    potential  p(x; w) = 1 / |x - (10, 10 - w)| + 1 / |x - (10, 0)|
    motion     x'' = -dp/dx,  x(0) = (0, 8),  x'(0) = (0.75, 0),  by Euler's method with steps of 0.1
    objective  (x_0 where the path meets the axis x_1 = 0)**2, to be minimised over w by gradient descent

rr, rf, fr, ff: the outer derivative, by w, and the inner one, by x, in reverse or in forward mode. The loop
ends when the particle meets the axis, which depends on w. Each is compiled as a whole: descent, path and both
derivatives are one file with three loops.
(Siskind and Pearlmutter, "Using programming language theory to make automatic differentiation sound and
efficient", 2008.)

    python examples/gradbench/particle.py
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from descent import Mode, combinations, multivariate_argmin

import graphc as gc

STEP = 0.1


def objective(mode: Mode, w: Any) -> Any:
    """The square of where the particle meets the axis; w: (1,)."""

    def potential(x: Any) -> Any:
        upper = np.sqrt((x[0] - 10) ** 2 + (x[1] - (10 - w[0])) ** 2)
        lower = np.sqrt((x[0] - 10) ** 2 + x[1] ** 2)
        return 1 / upper + 1 / lower

    gradient = mode(potential)
    x, velocity = np.array([0.0, 8.0]), np.array([0.75, 0.0])
    while x[1] + STEP * velocity[1] > 0:
        acceleration = -gradient(x)
        x = x + STEP * velocity
        velocity = velocity + STEP * acceleration
    remaining = -x[1] / velocity[1]
    return (x[0] + remaining * velocity[0]) ** 2


@cache
def program(outer: Mode, inner: Mode) -> gc.Module:
    """The whole search as one function of NumPy, the derivatives written out in its loops."""
    return gc.compile(
        lambda w: multivariate_argmin(outer, lambda w: objective(inner, w), w), {"w": "1"}, name="particle"
    )


def trajectory(outer: Mode, inner: Mode, w: float) -> float:
    """The charge that gradient descent finds, from w on."""
    return float(program(outer, inner)(np.array([w]))[0])


rr, rf, fr, ff = combinations(trajectory)


def example(rng: np.random.Generator) -> tuple[float]:
    """Where the search begins."""
    return (0.0,)


def main() -> None:
    """Print the charge that each of them finds."""
    for name, search in {"rr": rr, "rf": rf, "fr": fr, "ff": ff}.items():
        print(f"{name}: w = {search(0.0):.12f}")


if __name__ == "__main__":
    main()
