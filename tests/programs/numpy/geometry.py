"""Cameras, rotations, images and curved spaces."""

from typing import NamedTuple

import numpy as np


class Camera(NamedTuple):
    """Rotation vector, translation, focal length and distortion of a camera."""

    rotation: np.ndarray
    translation: np.ndarray
    focal: float
    distortion: np.ndarray


def rodrigues(points, r):
    """Rotate points by a rotation vector; small angles take the linear form."""
    theta = np.sqrt(np.sum(r**2))
    k = r / theta
    c, s = np.cos(theta), np.sin(theta)
    return c * points + s * np.cross(k, points) + (1 - c) * (points @ k)[:, None] * k


def reprojection_error(camera, points, observed, weights=None):
    moved = rodrigues(points, camera.rotation) + camera.translation
    x, y = (moved[:, :2] / moved[:, 2:]).T
    r2 = x**2 + y**2
    k1, k2 = camera.distortion
    d = camera.focal * (1 + k1 * r2 + k2 * r2**2)
    residual = np.c_[d * x, d * y] - observed
    w = np.ones(len(points)) if weights is None else weights
    return 0.5 * np.sum(w[:, None] * residual**2)


def camera_example(rng):
    camera = Camera(rng.normal(size=3), np.array([0.1, -0.2, 5.0]), 1.3, 0.05 * rng.normal(size=2))
    return {"camera": camera, "points": rng.normal(size=(6, 3)), "observed": rng.normal(size=(6, 2))}


def rotation(angle, axis="z"):
    c, s = np.cos(angle), np.sin(angle)
    if axis == "z":
        return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    if axis == "x":
        return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    raise ValueError(f"unknown axis {axis}")


def arm_distance(angles, lengths, goal):
    """Forward kinematics of an arm by 4x4 matrices."""
    T = np.eye(4)
    for angle, length, axis in zip(angles, lengths, "zxzx"):
        step = np.eye(4)
        step[:3, :3] = rotation(angle, axis)
        step[:3, 3] = np.array([length, 0, 0])
        T = T @ step
    return np.linalg.norm(T[:3, 3] - goal)


def arm_example(rng):
    return {"angles": rng.normal(size=4), "lengths": rng.uniform(0.5, 1, 4), "goal": rng.normal(size=3)}


def planar_arm(joint_angles, lengths, target):
    """Angles add up along the arm."""
    absolute = np.cumsum(joint_angles)
    end = np.array([(lengths * np.cos(absolute)).sum(), (lengths * np.sin(absolute)).sum()])
    return ((end - target) ** 2).sum() + 1e-2 * sum(a**2 for a in joint_angles)


def quaternion_product(p, q):
    w1, x1, y1, z1 = p
    w2, x2, y2, z2 = q
    return np.array(
        [
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ]
    )


def rotation_average(q, others):
    """The sum of squared angles between one rotation and several."""
    q = q / np.linalg.norm(q)
    conjugate = q * np.array([1, -1, -1, -1])
    total = 0.0
    for other in others:
        w, *v = quaternion_product(other / np.linalg.norm(other), conjugate)
        total += (2 * np.arctan2(np.linalg.norm(np.array(v)), w)) ** 2
    return total / len(others)


def poincare_stress(X, D):
    """Distances in the hyperbolic disc against wanted ones."""
    X = 0.8 * X / (1 + np.linalg.norm(X, axis=1, keepdims=True))
    sq = np.sum(X**2, axis=-1)
    gap = np.sum((X[:, None] - X[None, :]) ** 2, axis=-1)
    ratio = 1 + 2 * gap / ((1 - sq)[:, None] * (1 - sq)[None, :])
    rows, cols = np.tril_indices(len(X), -1)
    return np.mean((np.arccosh(ratio[rows, cols]) - D[rows, cols]) ** 2)


def bilinear(image, ys, xs):
    h, w = image.shape
    y0 = np.clip(np.floor(ys).astype(int), 0, h - 2)
    x0 = np.clip(np.floor(xs).astype(int), 0, w - 2)
    fy, fx = ys - y0, xs - x0
    top = (1 - fx) * image[y0, x0] + fx * image[y0, x0 + 1]
    bottom = (1 - fx) * image[y0 + 1, x0] + fx * image[y0 + 1, x0 + 1]
    return (1 - fy) * top + fy * bottom


def warp_loss(theta, image, target):
    """An affine warp of an image, compared with another."""
    ys, xs = np.mgrid[0 : target.shape[0], 0 : target.shape[1]].astype(float)
    a, b, c, d, tx, ty = theta
    warped = bilinear(image, a * ys + b * xs + ty, c * ys + d * xs + tx)
    return np.mean((warped - target) ** 2)


def warp_example(rng):
    theta = np.array([0.9, 0.05, -0.07, 1.05, 0.43, 0.37])
    return {"theta": theta, "image": rng.normal(size=(6, 6)), "target": rng.normal(size=(4, 4))}


def blur(image, kernel):
    size = kernel.shape[0] // 2
    padded = np.pad(image, size, mode="edge")
    out = np.zeros(image.shape)
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            out += kernel[i, j] * padded[i : i + image.shape[0], j : j + image.shape[1]]
    return out


def deconvolution_loss(image, kernel, blurred, weight=0.1, eps=1e-2):
    """Data term and smoothed total variation."""
    data = 0.5 * np.sum((blur(image, kernel) - blurred) ** 2)
    dx, dy = np.diff(image, axis=1)[:-1, :], np.diff(image, axis=0)[:, :-1]
    return data + weight * np.sum(np.sqrt(dx**2 + dy**2 + eps))


def deconvolution_example(rng):
    return {"image": rng.normal(size=(5, 4)), "kernel": rng.uniform(size=(3, 3)), "blurred": rng.normal(size=(5, 4))}


def bspline(x, knots, i, degree):
    """The i-th basis function, by the recursion of Cox and de Boor."""
    if degree == 0:
        return ((knots[i] <= x) & (x < knots[i + 1])).astype(float)
    value = np.zeros_like(x)
    if knots[i + degree] != knots[i]:
        value = value + (x - knots[i]) / (knots[i + degree] - knots[i]) * bspline(x, knots, i, degree - 1)
    if knots[i + degree + 1] != knots[i + 1]:
        right = (knots[i + degree + 1] - x) / (knots[i + degree + 1] - knots[i + 1])
        value = value + right * bspline(x, knots, i + 1, degree - 1)
    return value


def spline_loss(coefficients, x, y, degree=3, penalty=0.1):
    inner = np.linspace(0, 1, coefficients.size - degree + 1)
    knots = np.concatenate([[0.0] * degree, inner, [1.0] * degree])
    B = np.column_stack([bspline(x, knots, i, degree) for i in range(coefficients.size)])
    roughness = np.diff(coefficients, n=2)
    return np.sum((B @ coefficients - y) ** 2) + penalty * roughness @ roughness


def spline_example(rng):
    return {"coefficients": rng.normal(size=6), "x": rng.uniform(0.01, 0.99, 9), "y": rng.normal(size=9)}


PROGRAMS = [
    (reprojection_error, camera_example, ["camera", "points"]),
    (arm_distance, arm_example, ["angles", "lengths"]),
    (
        planar_arm,
        lambda rng: {
            "joint_angles": rng.normal(size=4),
            "lengths": rng.uniform(0.5, 1, 4),
            "target": rng.normal(size=2),
        },
        ["joint_angles", "lengths"],
    ),
    (rotation_average, lambda rng: {"q": rng.normal(size=4), "others": rng.normal(size=(3, 4))}, ["q", "others"]),
    (poincare_stress, lambda rng: {"X": rng.normal(size=(5, 2)), "D": rng.uniform(1, 2, (5, 5))}, ["X"]),
    (warp_loss, warp_example, ["theta", "image"]),
    (deconvolution_loss, deconvolution_example, ["image", "kernel"]),
    (spline_loss, spline_example, ["coefficients", "x"]),
]
