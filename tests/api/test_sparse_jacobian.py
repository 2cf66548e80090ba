"""gc.sparse_jacobian and gc.sparse_hessian: equal to the dense ones, few passes whatever the size, code, structures."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

import graphc as gc
from graphc.autodiff.sparsity import patterns_of
from graphc.transforms import sparse_form

RNG = np.random.default_rng(31)


def tridiagonal(x: Any) -> Any:
    return np.concatenate([x[:1] ** 2, x[1:-1] * (x[2:] - 2.0 * x[1:-1] ** 2 + x[:-2]), x[-1:] * x[-2]])


def pentadiagonal(x: Any) -> Any:
    y = np.pad(x, 2)
    return np.sin(y[:-4] - 4.0 * y[1:-3] + 6.0 * y[2:-2] * y[2:-2] - 4.0 * y[3:-1] + y[4:])


def arrow(x: Any) -> Any:
    return np.concatenate([np.array([np.sum(x**2)]), x[1:] * x[0]])


def rosen(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0)


def hub(x: Any) -> Any:
    return x[0] * np.sum(np.sin(x[1:])) + np.sum(x[1:] ** 3)


def laplace(u: Any) -> Any:
    v = np.pad(u, 1)
    return (v[:-2, 1:-1] + v[2:, 1:-1] + v[1:-1, :-2] + v[1:-1, 2:] - 4.0 * u) + np.exp(u)


def blocks(x: Any) -> Any:
    return np.sum(x.reshape(-1, 4) ** 3, axis=1)


def residuals(cams: Any, points: Any, w: Any, c: Any, p: Any, seen: Any) -> Any:
    """Bundle adjustment (ADBench): rotation by an axis and angle, radial distortion, and a weight each."""
    cam, x = cams[c], points[p] - cams[c][:, 3:6]
    angle = np.sqrt(np.sum(cam[:, :3] ** 2, axis=1, keepdims=True))
    axis, cos = cam[:, :3] / angle, np.cos(angle)
    along = axis * np.sum(axis * x, axis=1, keepdims=True)
    turned = x * cos + np.cross(axis, x) * np.sin(angle) + along * (1.0 - cos)
    flat = turned[:, :2] / turned[:, 2:]
    r = np.sum(flat**2, axis=1, keepdims=True)
    bent = flat * (1.0 + cam[:, 9:10] * r + cam[:, 10:11] * r**2)
    return w[:, None] * (bent * cam[:, 6:7] + cam[:, 7:9] - seen), 1.0 - w**2


def adjustment(count: int, cameras: int = 3, points: int = 5) -> tuple[Any, ...]:
    rng = np.random.default_rng(count)
    c, p = rng.integers(0, cameras, count), rng.integers(0, points, count)
    c[:cameras], p[:points] = np.arange(cameras), np.arange(points)
    return (
        rng.random((cameras, 11)) + 0.5,
        rng.random((points, 3)) + 1.5,
        rng.random(count),
        c,
        p,
        rng.random((count, 2)),
    )


def filled(x: Any) -> Any:
    h = np.zeros(len(x))
    for i in range(1, len(x)):
        h[i] = np.sin(x[i]) * x[i - 1]
    return h


def chain(x: Any) -> Any:
    total = 0.0
    for i in range(len(x) - 1):
        total = total + (x[i + 1] - x[i] ** 2) ** 2
    return total


def smoothed(u: Any) -> Any:
    for _ in range(2):
        u = u + 0.1 * (np.roll(u, 1) - 2.0 * u + np.roll(u, -1)) ** 2
    return u


# --- equal to the dense ones ---

# function, shape of the argument, passes
JACOBIANS: dict[str, tuple[Any, tuple[int, ...], int]] = {
    "tridiagonal": (tridiagonal, (9,), 3),
    "pentadiagonal": (pentadiagonal, (11,), 5),
    "arrow": (arrow, (9,), 3),
    "elementwise": (lambda x: np.exp(x) * np.sin(x), (2, 3), 1),
    "five points": (laplace, (5, 6), 6),
    "rows of blocks": (blocks, (12,), 1),
    "dense, few rows": (lambda x: np.stack([np.sum(x**3), np.prod(x)]), (7,), 2),
    "dense, few columns": (lambda x: np.outer(x, np.tanh(x)), (3,), 3),
    "scalar in": (lambda x: np.exp(-x * np.arange(1.0, 4.0)), (), 1),
    "scalar out": (lambda x: np.log(np.sum(np.exp(x))), (5,), 1),
    "scalar in and out": (lambda x: x**3, (), 1),
    "its argument": (lambda x: x, (4,), 1),
    "nothing of it": (lambda x: np.floor(x) + 1.0, (3,), 0),
    "no rows": (lambda x: x[:0] * 2.0, (3,), 0),
    "round": (lambda x: np.roll(x, 1) * x, (8,), 2),
    "stencil": (lambda x: np.convolve(x, [1.0, -2.0, 1.0], "same") + x**2, (9,), 3),
    "every second": (lambda x: np.where(np.arange(6) % 2 == 0, x, 0.0) ** 2 + x[::-1], (6,), 2),
    "filled in a loop": (filled, (20,), 2),
    "smoothed in a loop": (smoothed, (15,), 5),
    "stacks": (lambda x: np.linalg.solve(x + 5.0 * np.eye(2), x[..., :1])[..., 0], (3, 2, 2), 2),
    "a known matrix": (lambda x: np.tril(np.triu(np.ones((6, 6)), -1)) @ x**2, (6,), 2),
}


@pytest.mark.parametrize("name", JACOBIANS)
def test_jacobians(name: str) -> None:
    f, shape, passes = JACOBIANS[name]
    x = RNG.uniform(0.3, 1.5, shape) if shape else 0.7
    sparse = gc.sparse_jacobian(f)
    found, wanted = sparse(x), gc.jacobian(f)(x)
    assert found.shape == (np.size(f(np.asarray(x))), np.size(x))
    np.testing.assert_allclose(found.toarray(), wanted.reshape(found.shape), rtol=1e-13, atol=1e-14)
    assert sparse.passes == passes


# function, shape of the argument, passes
HESSIANS: dict[str, tuple[Any, tuple[int, ...], int]] = {
    "rosen": (rosen, (8,), 3),
    "separable": (lambda x: np.sum(np.cosh(x) * x), (6,), 1),
    "separable halves": (lambda x: np.sum(x[::2] ** 4) + np.sum(np.log(1.0 + np.exp(x[1::2]))), (7,), 1),
    "hub": (hub, (7,), 2),
    "dense": (lambda x: np.log(np.sum(np.exp(x))), (4,), 4),
    "grid": (lambda u: np.sum((u[1:] - u[:-1]) ** 4) + np.sum((u[:, 1:] - u[:, :-1]) ** 4), (4, 5), 7),
    "a chain in a loop": (chain, (20,), 3),
    "linear": (lambda x: np.sum(x), (3,), 0),
    "scalar": (lambda x: x**4, (), 1),
}


@pytest.mark.parametrize("name", HESSIANS)
def test_hessians(name: str) -> None:
    f, shape, passes = HESSIANS[name]
    x = RNG.uniform(0.3, 1.5, shape) if shape else 0.7
    sparse = gc.sparse_hessian(f)
    found, wanted = sparse(x), gc.hessian(f)(x)
    np.testing.assert_allclose(found.toarray(), wanted.reshape(found.shape), rtol=1e-12, atol=1e-12)
    assert sparse.passes == passes


@pytest.mark.parametrize("n", [2, 3, 10, 500])
def test_the_hessian_of_rosen(n: int) -> None:
    curvature = gc.sparse_hessian(rosen)
    x = RNG.standard_normal(n)
    found = curvature(x)
    np.testing.assert_allclose(found.toarray(), scipy.optimize.rosen_hess(x), rtol=1e-12, atol=1e-10)
    assert len(found.data) == 3 * n - 2 and curvature.passes == min(n, 3)


def test_bundle_adjustment() -> None:
    """As many passes as a block has columns: 3 of a point, 11 of a camera, two of which share no row."""
    sparse, dense = (transform(residuals, argnums=(0, 1, 2)) for transform in (gc.sparse_jacobian, gc.jacobian))
    for count in (40, 90):
        problem = adjustment(count)
        for row, wanted in zip(sparse(*problem), dense(*problem), strict=True):
            for t, block in zip(row, wanted, strict=True):
                np.testing.assert_allclose(t.toarray(), block.reshape(t.shape), rtol=1e-11, atol=1e-12)
        assert sparse.passes == 10 + 3 + 1 + 1
    cameras, points, weights = sparse(*problem)[0]
    assert [len(t.data) for t in (cameras, points, weights)] == [2 * 90 * 10, 2 * 90 * 3, 2 * 90]


# --- cost ---


@pytest.mark.parametrize(
    ("transform", "f"),
    [
        (gc.sparse_jacobian, tridiagonal),
        (gc.sparse_jacobian, arrow),
        (gc.sparse_hessian, rosen),
        (gc.sparse_hessian, hub),
    ],
)
def test_time_per_entry_does_not_grow(transform: Any, f: Any) -> None:
    """From 1e3 to 1e5, in calls and in finding structures, which would take 100 times as long if either were quadratic.

    In time of this process, the best of some: machines are shared. Nor does the number of passes grow.
    """
    sparse = transform(f)
    sparse(np.ones(5))  # compiled, for every size
    first, later, passes = [], [], set()
    for n in (1_000, 100_000):
        points = [RNG.random(n + k) for k in range(4)]
        first.append(min(seconds(sparse, x) for x in points) / n)
        later.append(min(seconds(sparse, x) for x in points) / n)
        passes.add(sparse.passes)
    assert len(passes) == 1
    assert first[1] < 2.0 * first[0] and later[1] < 2.0 * later[0]


def seconds(sparse: Any, x: np.ndarray) -> float:
    started = time.process_time()
    sparse(x)
    return time.process_time() - started


# --- what comes out ---


def test_triplets() -> None:
    t = gc.sparse_jacobian(lambda X: X[1:] * X[:-1])(np.arange(1.0, 7.0).reshape(3, 2))
    assert isinstance(t, gc.Triplets)
    assert t.rows.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] and t.cols.tolist() == [0, 2, 1, 3, 2, 4, 3, 5]
    assert t.data.tolist() == [3.0, 1.0, 4.0, 2.0, 5.0, 3.0, 6.0, 4.0]
    assert t.indptr.tolist() == [0, 2, 4, 6, 8] and t.shape == (4, 6)
    coo = scipy.sparse.coo_array((t.data, (t.rows, t.cols)), shape=t.shape)
    csr = scipy.sparse.csr_array((t.data, t.cols, t.indptr), shape=t.shape)
    np.testing.assert_array_equal(coo.toarray(), t.toarray())
    np.testing.assert_array_equal((csr.T @ csr).toarray(), t.toarray().T @ t.toarray())
    with pytest.raises(ValueError, match="read-only"):
        t.cols[0] = 1


def test_structures() -> None:
    def f(p: Any, s: Any) -> Any:
        return {"z": p["a"] ** 2 * s, "t": np.sum(p["b"])}

    p = {"a": RNG.random(3), "kind": "square", "b": RNG.random((2, 2))}
    found = gc.sparse_jacobian(f, argnums=(0, 1))(p, 2.0)
    by_p, by_s = found["z"]
    assert by_p["kind"] is None and by_p["a"].shape == (3, 3) and by_s.shape == (3, 1)
    np.testing.assert_allclose(by_p["a"].data, 4.0 * p["a"], rtol=1e-15)
    np.testing.assert_allclose(by_s.data, p["a"] ** 2, rtol=1e-15)
    assert [len(t.data) for t in (by_p["b"], found["t"][0]["a"], found["t"][0]["b"])] == [0, 0, 4]
    blocks = gc.sparse_hessian(lambda p: np.sum(p["a"] ** 2 * p["b"][0, 0]))(p)
    np.testing.assert_allclose(blocks["a"]["b"].toarray(), np.outer(2.0 * p["a"], [1, 0, 0, 0]), rtol=1e-14)
    assert blocks["kind"] is None and blocks["a"]["kind"] is None and len(blocks["b"]["b"].data) == 0


def test_float32_stays() -> None:
    x = RNG.random(6).astype(np.float32)
    for transform, f in ((gc.sparse_jacobian, arrow), (gc.sparse_jacobian, np.sin), (gc.sparse_hessian, rosen)):
        found = transform(f)(x)
        assert found.data.dtype == found.toarray().dtype == np.float32


def test_other_index_arrays_are_another_pattern() -> None:
    sparse = gc.sparse_jacobian(lambda x, i: x[i] * x[0])
    x = RNG.random(5)
    for i in ([1, 2, 3], [4, 4, 1], [0, 1, 2], [1, 2, 3]):
        found = sparse(x, np.array(i))
        wanted = np.zeros((3, 5))
        np.add.at(wanted, (np.arange(3), i), x[0])
        wanted[:, 0] += x[i]
        np.testing.assert_allclose(found.toarray(), wanted, rtol=1e-15)
        assert len(found.data) == 6 - i.count(0)


def test_the_last_structures_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    sparse = gc.sparse_jacobian(tridiagonal)
    made = []
    monkeypatch.setattr(sparse_form, "patterns_of", lambda *args: made.append(1) or patterns_of(*args))
    for n in (5, 6, 5, 6):
        sparse(RNG.random(n))
    assert len(made) == 2
    monkeypatch.setattr(sparse_form, "MAX_KEPT", 0)
    for n in (7, 7, 6):
        sparse(RNG.random(n))
    assert len(made) == 4


def test_arrays_from_outside_are_part_of_the_pattern() -> None:
    A = np.diag(np.arange(1.0, 61.0)) + np.diag(np.ones(57), 3)

    def f(x: Any) -> Any:
        return A @ x

    sparse, x = gc.sparse_jacobian(f), RNG.random(60)
    np.testing.assert_array_equal(sparse(x).toarray(), A)
    assert sparse.passes == 2
    A[5, 0] = 2.0
    np.testing.assert_array_equal(sparse(x).toarray(), A)


def test_the_jacobian_of_a_gradient() -> None:
    x = RNG.random(6)
    found = gc.sparse_jacobian(gc.grad(rosen))(x)
    np.testing.assert_allclose(found.toarray(), scipy.optimize.rosen_hess(x), rtol=1e-12, atol=1e-10)


def test_refusals() -> None:
    def f(x: Any) -> Any:
        return np.sum(gc.sparse_jacobian(tridiagonal)(x).data)

    with pytest.raises(
        gc.UnsupportedError, match=r"a sparse jacobian is computed inside a traced function(.|\n)*gc.jacobian"
    ):
        gc.grad(f)(np.ones(4))
    with pytest.raises(gc.ArgumentError, match="nothing is compiled yet"):
        _ = gc.sparse_jacobian(tridiagonal).source
    with pytest.raises(gc.ArgumentError, match="there is no array or number"):
        gc.sparse_jacobian(lambda p: 3.0)({"kind": "none"})
    with pytest.raises(gc.ArgumentError, match="the gradient needs a scalar"):
        gc.sparse_hessian(np.sin)(np.ones(3))
    with pytest.raises(gc.DtypeError, match="int64"):
        gc.sparse_jacobian(np.sin)(np.arange(3))
    with pytest.raises(gc.ShapeError, match="index 3 is out of bounds"):
        gc.sparse_jacobian(lambda x, i: x[i])(np.ones(3), np.array([0, 3]))
    with pytest.raises(gc.LimitError, match=r"400,000,000 entries"):
        gc.sparse_jacobian(lambda x: x / np.sum(x))(np.ones(20_000))


# --- code ---


def body(source: str) -> list[str]:
    lines = source.partition("    _check(")[2].partition("\n")[2].partition("\n\n\n")[0].splitlines()
    return [line.partition("  #")[0].strip() for line in lines]


def test_the_code_of_tangents() -> None:
    """One module for every size; seeds and places are arguments."""
    sparse = gc.sparse_jacobian(lambda x: x[1:] * x[:-1])
    modules = set()
    for n in (4, 9):
        sparse(RNG.random(n))
        modules.add(id(sparse.module))
    assert len(modules) == 1
    assert body(sparse.source) == [
        "tangents = x_seeds[:, 1:] * x[:-1] + x_seeds[:, :-1] * x[1:]",
        "jacobian = tangents.ravel()[place]",
        "return jacobian, ()",
    ]
    sparse(np.array([2.0, 3.0, 4.0]))
    assert {k: v.tolist() for k, v in sparse.arrays.items()} == {
        "x_seeds": [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]],
        "place": [2, 0, 1, 3],
    }


def test_the_code_of_both_modes() -> None:
    sparse = gc.sparse_jacobian(arrow)
    sparse(np.ones(9))
    assert list(sparse.arrays) == ["x_seeds", "arrow_seeds", "place"]
    assert "np.concatenate((tangents.ravel(), pullbacks.ravel()), axis=0)[place]" in sparse.source


def test_the_code_of_a_diagonal() -> None:
    """One derivative along ones, which are not written."""
    sparse = gc.sparse_hessian(lambda x: np.sum(x**3) / 2)
    sparse(np.ones(4))
    assert sparse.arrays == {}
    assert body(sparse.source) == ["hessian = 3.0 * x", "return hessian, ()"]
