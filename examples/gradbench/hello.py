"""hello: the square of a number, and its derivative.

square(x) = x**2        double(x) = 2 * x

python examples/gradbench/hello.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc


def square(x: Any) -> Any:
    """x**2."""
    return x**2


double = gc.grad(square)


def example(rng: np.random.Generator) -> tuple[float]:
    """A number."""
    return (float(rng.normal()),)


def main() -> None:
    """Print both at one point."""
    (x,) = example(np.random.default_rng(0))
    print(f"square({x:.4f}) = {square(x):.4f}, double({x:.4f}) = {double(x):.4f}")


if __name__ == "__main__":
    main()
