"""saddle: the point that a minimiser of a maximum finds; derivatives within derivatives, in loops within loops.

    f(x, y) = (x_0**2 + x_1**2) - (y_0**2 + y_1**2)

    x = argmin_x max_y f(x, y)       both by gradient descent from one start
    y = argmax_y f(x, y)             at that x

rr, rf, fr, ff: the outer minimum and the inner maximum in reverse or in forward mode. The outer derivative
goes through every step of the inner descent. Each is compiled as a whole: one file with four loops.
(Siskind and Pearlmutter, "Using programming language theory to make automatic differentiation sound and
efficient", 2008.)

    python examples/gradbench/saddle.py
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from descent import Mode, combinations, multivariate_argmax, multivariate_argmin, multivariate_max

import graphc as gc


def f(x: Any, y: Any) -> Any:
    """A saddle; x, y: (2,)."""
    return (x[0] ** 2 + x[1] ** 2) - (y[0] ** 2 + y[1] ** 2)


def search(outer: Mode, inner: Mode, start: Any) -> Any:
    """x and y, one after the other: (4,)."""
    x = multivariate_argmin(outer, lambda x: multivariate_max(inner, lambda y: f(x, y), start), start)
    y = multivariate_argmax(outer, lambda y: f(x, y), start)
    return np.concatenate([x, y])


@cache
def program(outer: Mode, inner: Mode) -> gc.Module:
    """The whole search as one function of NumPy, the derivatives written out in its loops."""
    return gc.compile(lambda start: search(outer, inner, start), {"start": "2"}, name="saddle")


def saddle(outer: Mode, inner: Mode, start: Any) -> Any:
    """What the search finds: (4,)."""
    return program(outer, inner)(start)


rr, rf, fr, ff = combinations(saddle)


def example(rng: np.random.Generator) -> tuple[Any]:
    """Where all searches begin."""
    return (np.ones(2),)


def main() -> None:
    """Print the point that each of them finds."""
    for name, saddle_point in {"rr": rr, "rf": rf, "fr": fr, "ff": ff}.items():
        print(f"{name}: {saddle_point(np.ones(2))}")


if __name__ == "__main__":
    main()
