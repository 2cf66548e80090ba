"""lse: the logarithm of a sum of exponentials, from its parts.

a = max(x)        LSE(x) = a + log(sum_i exp(x_i - a))

python examples/gradbench/lse.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc


def primal(x: Any) -> Any:
    """log(sum(exp(x))), without overflow."""
    a = np.max(x)
    return a + np.log(np.sum(np.exp(x - a)))


gradient = gc.grad(primal)


def example(rng: np.random.Generator, n: int = 10_000) -> tuple[Any]:
    """n numbers, some of which are too large for exp."""
    return (rng.normal(scale=300, size=n),)


def main() -> None:
    """Print the value, and the sum of its gradient, which is 1."""
    (x,) = example(np.random.default_rng(0))
    print(f"LSE = {primal(x):.4f}, sum of the gradient = {np.sum(gradient(x)):.4f}")


if __name__ == "__main__":
    main()
