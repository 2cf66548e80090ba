"""llsq: a polynomial fitted to the sign of t, by linear least squares.

y(x) = 1/2 sum_i (s_i - x_0 - x_1 t_i - x_2 t_i**2 - ...)**2
t_i = -1 + 2 i / (n - 1),  s_i = sign(t_i),  i = 0 .. n - 1

python examples/gradbench/llsq.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc


def primal(x: Any, n: int) -> Any:
    """Half the sum of squared residuals at n points; x: (m,), the coefficients of the polynomial."""
    t = -1 + 2 * np.arange(n) / (n - 1)
    s = np.sign(t)
    residuals = s - np.vander(t, len(x), increasing=True) @ x
    return 0.5 * np.sum(residuals**2)


gradient = gc.grad(primal)


def example(rng: np.random.Generator, m: int = 8, n: int = 1001) -> tuple[Any, int]:
    """m coefficients, and the number of points."""
    return rng.normal(size=m), n


def main() -> None:
    """Print the objective, and the size of its gradient."""
    x, n = example(np.random.default_rng(0))
    print(f"y = {primal(x, n):.4f}, |dy/dx| = {np.linalg.norm(gradient(x, n)):.4f}")


if __name__ == "__main__":
    main()
