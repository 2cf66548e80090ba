"""det: a determinant by expansion by minors, of the first row each time.

    det(A) = sum_j (-1)**j A[0, j] det(A without row 0 and column j)

The recursion runs while the function is traced. Minors that are left by the same columns are one node of
the graph, so that the n! products of the recursion are some n 2**n.

    python examples/gradbench/det.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc


def det_of_minor(A: Any, columns: list[int]) -> Any:
    """The determinant of the minor of A with the last rows and these columns."""
    if not columns:
        return 1.0
    row = A[len(A) - len(columns)]
    total = 0.0
    for j, column in enumerate(columns):
        total = total + (-1) ** j * row[column] * det_of_minor(A, columns[:j] + columns[j + 1 :])
    return total


def primal(A: Any) -> Any:
    """The determinant; A: (n, n)."""
    return det_of_minor(A, list(range(len(A))))


gradient = gc.grad(primal)


def example(rng: np.random.Generator, n: int = 5) -> tuple[Any]:
    """A matrix."""
    return (rng.normal(size=(n, n)),)


def main() -> None:
    """Print the determinant, and how far its gradient is from det(A) inv(A).T."""
    (A,) = example(np.random.default_rng(0))
    distance = np.max(np.abs(gradient(A) - primal(A) * np.linalg.inv(A).T))
    print(f"det = {primal(A):.4f}, its gradient off by {distance:.1e}")


if __name__ == "__main__":
    main()
