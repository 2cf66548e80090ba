"""Gradient descent as the problems `particle` and `saddle` prescribe it, and gradients in both modes.

    multivariate_argmin(reverse, f, x)      the gradient of f by reverse mode
    multivariate_argmin(forward, f, x)      by forward mode, along each unit vector
    rr, rf, fr, ff = combinations(search)   rf(x) is search(reverse, forward, x)

The step is doubled after ten successes, halved when f does not fall. Loops and branches depend on the values:
within a function that is differentiated they are part of it, derivatives of f included.
(Siskind and Pearlmutter, "Using programming language theory to make automatic differentiation sound and
efficient", 2008.)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np

import graphc as gc

Function = Callable[[Any], Any]
Mode = Callable[[Function], Function]

TOLERANCE = 1e-5


def reverse(f: Function) -> Function:
    """The gradient of f by reverse mode."""
    return gc.grad(f)


def forward(f: Function) -> Function:
    """The gradient of f by forward mode."""

    def gradient(x: Any) -> Any:
        return np.array([gc.jvp(f, (x,), (unit,))[1] for unit in np.eye(len(x))])

    return gradient


def combinations(search: Callable[[Mode, Mode, Any], Any]) -> tuple[Function, ...]:
    """Reverse over reverse, reverse over forward, forward over reverse, forward over forward; the outer mode first."""
    return tuple(partial(search, outer, inner) for outer, inner in product((reverse, forward), repeat=2))


def multivariate_argmin(mode: Mode, f: Function, x: Any) -> Any:
    """Where f is least, from x on: a vector whose gradient, or whose next step, is shorter than 1e-5."""
    gradient = mode(f)
    fx, gx = f(x), gradient(x)
    eta, successes = 1e-5, 0
    while np.linalg.norm(gx) > TOLERANCE and np.linalg.norm(eta * gx) > TOLERANCE:
        x_next = x - eta * gx
        fx_next = f(x_next)
        if fx_next < fx:
            x, fx, gx = x_next, fx_next, gradient(x_next)
            successes = successes + 1
            if successes == 10:
                eta, successes = 2 * eta, 0
        else:
            eta, successes = eta / 2, 0
    return x


def multivariate_argmax(mode: Mode, f: Function, x: Any) -> Any:
    """Where f is greatest, from x on."""
    return multivariate_argmin(mode, lambda x: -f(x), x)


def multivariate_max(mode: Mode, f: Function, x: Any) -> Any:
    """The greatest value of f, from x on."""
    return f(multivariate_argmax(mode, f, x))
