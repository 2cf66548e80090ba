"""ht: hand tracking, the Jacobian of the distances between a posed hand model and measured points.

    theta = (rotation of the hand, translation, and for each finger: bend, spread, bend, bend), 26 numbers

    bone b relative to its parent       R_b = base_b rotated(theta)
    in space                            A_b = A_parent(b) R_b
    vertex v, of weights W[v, b]        p_v = sum_b W[v, b] A_b inv(base_b in space) v_0, rotated and moved as the hand
    a measured point on a triangle      u_0 p_i + u_1 p_j + (1 - u_0 - u_1) p_k,  or on a vertex if there are no u

The Jacobian has many more rows than columns, so it is computed in forward mode. Each point depends on its own
u only, so two columns hold the derivatives by all u.
(Srajer, Kukelova, Fitzgibbon, "A benchmark of selected algorithmic differentiation tools on some problems
in computer vision and machine learning", 2018; the model is that of Taylor et al., "User-specific hand
modeling from monocular depth sequences", 2014.)

    python examples/gradbench/ht.py
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import graphc as gc

FINGERS = 5
BONES = 1 + 4 * FINGERS + 1  # the wrist, four for each finger, the forearm
BENT = np.array([4 * finger + joint for finger in range(FINGERS) for joint in (2, 3, 4)])
SPREAD = BENT[0::3]
SMALL = 1e-4  # an angle that turns nothing


class Model(NamedTuple):
    """A hand at rest.

    parents: (b,), -1 for a bone without, the others after their parents.  base_relatives: (b, 4, 4).
    inverse_base_absolutes: (b, 4, 4).  base_positions: (v, 4), homogeneous.  weights: (v, b).  triangles: (t, 3).
    """

    parents: Any
    base_relatives: Any
    inverse_base_absolutes: Any
    base_positions: Any
    weights: Any
    triangles: Any
    is_mirrored: bool


def angle_axis(r: Any) -> Any:
    """The rotation by |r| around r: (3, 3)."""
    angle = np.sqrt(np.sum(r**2))
    if angle < SMALL:
        return np.eye(3)
    x, y, z = r / angle
    s, c = np.sin(angle), np.cos(angle)
    return np.array(
        [
            [x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
            [x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s],
            [x * z * (1 - c) - y * s, z * y * (1 - c) + x * s, z * z + (1 - z * z) * c],
        ]
    )


def joint_rotations(bend: Any, spread: Any) -> Any:
    """The rotation of each bone by its bend around x, then by its spread around z: (b, 4, 4)."""
    cx, sx, cz, sz = np.cos(bend), np.sin(bend), np.cos(spread), np.sin(spread)
    zero, one = np.zeros_like(bend), np.ones_like(bend)
    rows = [[cz, -sz * cx, sz * sx, zero], [sz, cz * cx, -cz * sx, zero], [zero, sx, cx, zero], [zero, zero, zero, one]]
    return np.moveaxis(np.array(rows), 2, 0)


def absolute_transforms(relatives: Any, parents: Any) -> Any:
    """From each bone to space: (b, 4, 4)."""
    absolutes = np.zeros_like(relatives)
    for bone in range(len(parents)):
        if parents[bone] < 0:
            absolutes[bone] = relatives[bone]
        else:
            absolutes[bone] = absolutes[parents[bone]] @ relatives[bone]
    return absolutes


def vertex_positions(theta: Any, model: Model) -> Any:
    """The vertices of the posed hand: (v, 3); theta: (26,)."""
    joints = theta[6:].reshape(FINGERS, 4)
    bend, spread = np.zeros(BONES, theta.dtype), np.zeros(BONES, theta.dtype)
    bend[BENT] = joints[:, [0, 2, 3]].ravel()
    spread[SPREAD] = joints[:, 1]
    relatives = model.base_relatives @ joint_rotations(bend, spread)
    transforms = absolute_transforms(relatives, model.parents) @ model.inverse_base_absolutes
    positions = np.einsum("vb,bij,vj->vi", model.weights, transforms[:, :3], model.base_positions)
    if model.is_mirrored:
        positions = positions * np.array([-1.0, 1.0, 1.0])
    return positions @ angle_axis(theta[:3]).T + theta[3:6]


def simple(theta: Any, model: Model, correspondences: Any, points: Any) -> Any:
    """The distances of points from vertices: (p, 3)."""
    return points - vertex_positions(theta, model)[correspondences]


def complicated(theta: Any, us: Any, model: Model, correspondences: Any, points: Any) -> Any:
    """The distances of points from places on triangles: (p, 3); us: (p, 2)."""
    corners = vertex_positions(theta, model)[model.triangles[correspondences]]
    weights = np.stack([us[:, 0], us[:, 1], 1 - us[:, 0] - us[:, 1]], axis=1)
    return points - np.einsum("pk,pki->pi", weights, corners)


def objective(theta: Any, us: Any, model: Model, correspondences: Any, points: Any) -> Any:
    """The distances, one after the other: (3 p,); us: (p, 2), or empty if the points are on vertices.

    correspondences: (p,), the triangle or the vertex of each point.  points: (p, 3).
    """
    if len(us):
        return complicated(theta, us, model, correspondences, points).ravel()
    return simple(theta, model, correspondences, points).ravel()


simple_jacobian = gc.jacobian(simple)
complicated_jacobian = gc.jacobian(complicated)
by_us = gc.sparse_jacobian(complicated, argnums=1)


def jacobian(theta: Any, us: Any, *rest: Any) -> Any:
    """(3 p, 26), or (3 p, 2 + 26) with us: the derivatives by each point's own u, which are all that differ from 0."""
    if not len(us):
        return simple_jacobian(theta, *rest).reshape(-1, len(theta))
    own = by_us(theta, us, *rest).data.reshape(-1, 2)
    return np.hstack([own, complicated_jacobian(theta, us, *rest).reshape(-1, len(theta))])


def hand(rng: np.random.Generator, vertices: int) -> Model:
    """A hand of random bones."""
    parents = np.array([-1, *(0 if bone % 4 == 1 else bone - 1 for bone in range(1, BONES - 1)), 0])
    base_relatives = joint_rotations(*rng.normal(scale=0.3, size=(2, BONES)))
    base_relatives[:, :3, 3] = rng.normal(size=(BONES, 3))
    weights = rng.uniform(size=(vertices, BONES)) ** 8
    return Model(
        parents=parents,
        base_relatives=base_relatives,
        inverse_base_absolutes=np.linalg.inv(absolute_transforms(base_relatives, parents)),
        base_positions=np.column_stack([rng.normal(size=(vertices, 3)), np.ones(vertices)]),
        weights=weights / weights.sum(axis=1, keepdims=True),
        triangles=rng.integers(0, vertices, size=(2 * vertices, 3)),
        is_mirrored=False,
    )


def example(
    rng: np.random.Generator, points: int = 100, vertices: int = 500, on_triangles: bool = True
) -> tuple[Any, ...]:
    """A pose, places on triangles, and measured points."""
    model = hand(rng, vertices)
    us = rng.uniform(0, 0.5, size=(points if on_triangles else 0, 2))
    correspondences = rng.integers(0, len(model.triangles) if on_triangles else vertices, size=points)
    return rng.normal(scale=0.3, size=26), us, model, correspondences, rng.normal(size=(points, 3))


def main() -> None:
    """Find a pose again by steps of Gauss and Newton, and print the distances."""
    theta, us, model, correspondences, _ = example(np.random.default_rng(0))
    points = -complicated(theta, us, model, correspondences, np.zeros(3))
    theta = theta + 0.1
    for step in range(6):
        distances = objective(theta, us, model, correspondences, points)
        print(f"step {step}: {np.linalg.norm(distances):.2e}")
        by_theta = jacobian(theta, us, model, correspondences, points)[:, 2:]
        theta = theta - np.linalg.lstsq(by_theta, distances)[0]


if __name__ == "__main__":
    main()
