"""ba: bundle adjustment, whose Jacobian has 31 entries in the three rows of each observation.

    camera = (rotation r, centre C, focal length f, principal point x0, distortion k), 11 numbers

    Y = rotated(r, X - C),  p = Y[:2] / Y[2],  projected = f (1 + k_0 |p|**2 + k_1 |p|**4) p + x0
    reprojection error  w (projected - feature)        weight error  1 - w**2

Row by row it depends on one camera, one point and one weight, so 15 derivatives hold the whole Jacobian,
whatever the number of cameras and points.
(Srajer, Kukelova, Fitzgibbon, "A benchmark of selected algorithmic differentiation tools on some problems
in computer vision and machine learning", 2018.)

    python examples/gradbench/ba.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc


def rotated(r: Any, X: Any) -> Any:
    """Rodrigues' formula: each X turned by |r| around r; r, X: (p, 3)."""
    squared = np.sum(r**2, axis=1, keepdims=True)
    turns = squared > 0
    theta = np.sqrt(np.where(turns, squared, 1.0))
    axis = r / theta
    along = axis * np.sum(axis * X, axis=1, keepdims=True)
    turned = X * np.cos(theta) + np.cross(axis, X) * np.sin(theta) + along * (1 - np.cos(theta))
    return np.where(turns, turned, X + np.cross(r, X))


def projected(cams: Any, X: Any) -> Any:
    """Where the cameras see the points: (p, 2); cams: (p, 11), X: (p, 3)."""
    Y = rotated(cams[:, :3], X - cams[:, 3:6])
    p = Y[:, :2] / Y[:, 2:]
    squared = np.sum(p**2, axis=1, keepdims=True)
    distortion = 1 + cams[:, 9:10] * squared + cams[:, 10:11] * squared**2
    return cams[:, 6:7] * distortion * p + cams[:, 7:9]


def objective(cams: Any, X: Any, w: Any, observed: Any, features: Any) -> tuple[Any, Any]:
    """The errors of reprojection, (p, 2), and those of the weights, (p,).

    cams: (n, 11).  X: (m, 3), points.  w: (p,), weights.
    observed: (p, 2), the camera and the point of each observation.  features: (p, 2), where it was seen.
    """
    seen = projected(cams[observed[:, 0]], X[observed[:, 1]])
    return w[:, None] * (seen - features), 1 - w**2


jacobian = gc.sparse_jacobian(objective, argnums=(0, 1, 2))


def example(rng: np.random.Generator, n: int = 8, m: int = 200, p: int = 1000) -> tuple[Any, ...]:
    """n cameras in front of m points, and p observations of them."""
    cams = np.zeros((n, 11))
    cams[:, :3] = rng.normal(scale=0.1, size=(n, 3))
    cams[:, 3:6] = rng.normal(scale=0.5, size=(n, 3))
    cams[:, 6:] = np.array([500.0, 5.0, -5.0, 0.05, 0.01]) * rng.uniform(0.8, 1.2, size=(n, 5))
    X = rng.normal(size=(m, 3)) + np.array([0.0, 0.0, 8.0])
    observed = np.stack([np.arange(p) % n, np.arange(p) % m], axis=1)
    features = projected(cams[observed[:, 0]], X[observed[:, 1]]) + rng.normal(size=(p, 2))
    return cams, X, rng.uniform(0.5, 1.5, size=p), observed, features


def main() -> None:
    """Print the errors, and how many entries their Jacobian has."""
    arguments = example(np.random.default_rng(0))
    reprojection, weight = objective(*arguments)
    blocks = [block for row in jacobian(*arguments) for block in row]
    print(f"errors: {np.sum(reprojection**2):.1f} of reprojection, {np.sum(weight**2):.1f} of weights")
    print(f"entries of the Jacobian: {sum(len(block.data) for block in blocks)}, in {jacobian.passes} derivatives")


if __name__ == "__main__":
    main()
