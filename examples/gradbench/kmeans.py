"""kmeans: a Newton step for the centroids of k clusters, whose Hessian is diagonal.

    f(P, C) = sum_i min_j |C_j - P_i|**2
    J = df/dC,  H = d2f/dC2,  the direction J / diag(H)

H times a vector of ones is the diagonal of H, so one product with it is all that is needed
(Bottou and Bengio, "Convergence properties of the k-means algorithms", 1994).

    python examples/gradbench/kmeans.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc


def cost(points: Any, centroids: Any) -> Any:
    """The sum of squared distances to the nearest centroid; points: (n, d), centroids: (k, d)."""
    distances = np.sum((points[:, None] - centroids) ** 2, axis=2)
    return np.sum(np.min(distances, axis=1))


gradient = gc.grad(cost, argnums=1)
hessian_product = gc.hvp(cost, argnums=1)


def newton_step(points: Any, centroids: Any) -> Any:
    """What is to be subtracted from the centroids: (k, d)."""
    return gradient(points, centroids) / hessian_product(points, centroids, np.ones_like(centroids))


# Compiled as one function: the gradient and the Hessian share the distances.
direction = gc.compile(newton_step, {"points": "n d", "centroids": "k d"})


def example(rng: np.random.Generator, n: int = 1000, k: int = 10, d: int = 8) -> tuple[Any, Any]:
    """n points; k of them are the centroids, so that no cluster is empty."""
    points = rng.uniform(size=(n, d))
    return points, points[-k:].copy()


def main() -> None:
    """Print the cost before and after steps of Newton's method."""
    points, centroids = example(np.random.default_rng(0))
    for step in range(5):
        print(f"step {step}: cost {cost(points, centroids):.4f}")
        centroids = centroids - direction(points, centroids)


if __name__ == "__main__":
    main()
