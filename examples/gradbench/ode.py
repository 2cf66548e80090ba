"""ode: the gradient of what a Runge-Kutta method computes.

    y_0' = x_0,  y_i' = x_i y_{i-1}  for i > 0,  y(0) = 0:  the solution is y_i(t) = x_0 ... x_i t**(i + 1) / (i + 1)!

    primal    y(2), by s steps of the classical method of order 4
    gradient  that of its last element, by x

(The problem "an_ode" of B. M. Bell's cmpad.)

    python examples/gradbench/ode.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc


def slope(x: Any, y: Any) -> Any:
    """dy/dt."""
    return x * np.concatenate([np.ones(1), y[:-1]])


def primal(x: Any, s: int) -> Any:
    """y(2) after s steps; x: (n,)."""
    h = 2 / s
    y = np.zeros_like(x)
    for _ in range(s):
        k1 = slope(x, y)
        k2 = slope(x, y + h / 2 * k1)
        k3 = slope(x, y + h / 2 * k2)
        k4 = slope(x, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


def last(x: Any, s: int) -> Any:
    """The last element of y(2)."""
    return primal(x, s)[-1]


gradient = gc.grad(last)


def example(rng: np.random.Generator, n: int = 1000, s: int = 100) -> tuple[Any, int]:
    """Coefficients, and the number of steps."""
    return rng.uniform(size=n), s


def main() -> None:
    """Print how far a small problem is from its solution, and its gradient from that of the solution."""
    x, s = example(np.random.default_rng(0), n=6)
    exact = np.cumprod(x * 2 / np.arange(1, len(x) + 1))
    error = np.max(np.abs(primal(x, s) - exact))
    slope_error = np.max(np.abs(gradient(x, s) - exact[-1] / x))
    print(f"{s} steps: y off by {error:.1e}, the gradient of its last element by {slope_error:.1e}")


if __name__ == "__main__":
    main()
