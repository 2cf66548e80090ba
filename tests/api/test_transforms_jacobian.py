"""gc.jacobian and gc.hessian: against exact forms and differences, both modes, structures, nesting, code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize

import graphc as gc

RNG = np.random.default_rng(29)
X, W, Y = RNG.standard_normal((6, 3)), RNG.standard_normal(3), (RNG.random(6) > 0.5).astype(float)


def rosen(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0)


def softmax(z: Any) -> Any:
    e = np.exp(z - np.max(z))
    return e / np.sum(e)


def differences(f: Any, x: np.ndarray) -> np.ndarray:
    """The Jacobian by extrapolated central differences."""

    def column(place: tuple[int, ...]) -> np.ndarray:
        rows = []
        for h in (2e-3, 1e-3):
            e = np.zeros(x.shape)
            e[place] = h
            rows.append((np.asarray(f(x + e)) - np.asarray(f(x - e))) / (2.0 * h))
        return (4.0 * rows[1] - rows[0]) / 3.0  # type: ignore[no-any-return]

    columns = [column(p) for p in np.ndindex(x.shape)]
    return np.stack(columns, axis=-1).reshape((*columns[0].shape, *x.shape))


# --- Jacobians ---

FUNCTIONS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "elementwise": (lambda x: np.exp(x) * np.sin(x), (4,)),
    "more inputs": (lambda x: np.stack([np.sum(x**3), np.prod(x), np.max(x)]), (2, 3)),
    "more outputs": (lambda x: np.outer(x, np.tanh(x)), (3,)),
    "scalar in": (lambda x: np.exp(-x * np.arange(1.0, 4.0)), ()),
    "scalar out": (lambda x: np.log(np.sum(np.exp(x))), (5,)),
    "scalar in and out": (lambda x: x**3, ()),
    "softmax": (softmax, (4,)),
    "read and write": (lambda x: np.concatenate([x[::-1], x[[0, 2, 0]] * x[1:4]]), (4,)),
    "matrices": (lambda x: np.linalg.inv(x @ x.T + 5.0 * np.eye(3))[0], (3, 4)),
    "systems": (lambda x: np.linalg.solve(x + 5.0 * np.eye(3), x[0] ** 2), (3, 3)),
    "ordered": (lambda x: np.cumsum(np.sort(x))[1:] * np.std(x), (4,)),
    "masked": (lambda x: np.where(x > 0, np.sqrt(np.abs(x)), x**2), (5,)),
    "transforms": (lambda x: np.abs(np.fft.rfft(x))[1:], (6,)),
    "convolved": (lambda x: np.convolve(x, x[:2]), (4,)),
    "stacks": (lambda x: np.einsum("bij,bj->bi", x, x[:, 0]), (2, 2, 2)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_against_central_differences(name: str) -> None:
    f, shape = FUNCTIONS[name]
    x = np.random.default_rng(5).uniform(0.2, 1.5, shape) * np.where(RNG.random(shape) < 0.3, -1.0, 1.0)
    found = gc.jacobian(f)(x if shape else float(x))
    wanted = differences(f, x)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("rows", "columns"), [(2, 9), (9, 2)])
def test_both_modes(rows: int, columns: int) -> None:
    """Few outputs: reverse mode, whose unit vectors are as many as the rows; else forward mode."""
    A, w = RNG.standard_normal((rows, columns)), RNG.standard_normal(columns)
    found = gc.jacobian(lambda w, A: np.tanh(A @ w))
    np.testing.assert_allclose(found(w, A), (1.0 - np.tanh(A @ w) ** 2)[:, None] * A, rtol=1e-13)
    code = found.source.partition("def forward")[2]
    assert code.count("@ w") == 1 and "eye" not in code, "rows of A are scaled"


def test_structures_are_those_of_jax() -> None:
    def f(p: Any, s: Any) -> Any:
        return {"z": p["W"] @ p["b"] * s, "t": np.sum(p["b"])}

    p = {"W": X, "b": W}
    one = gc.jacobian(f)(p, 2.0)
    assert {k: {n: v.shape for n, v in row.items()} for k, row in one.items()} == {
        "z": {"W": (6, 6, 3), "b": (6, 3)},
        "t": {"W": (6, 3), "b": (3,)},
    }
    np.testing.assert_allclose(one["z"]["b"], 2.0 * X, rtol=1e-14)
    np.testing.assert_allclose(one["z"]["W"], 2.0 * np.einsum("ik,j->ikj", np.eye(6), W), rtol=1e-14)
    np.testing.assert_array_equal(one["t"]["W"], np.zeros((6, 3)))
    both = gc.jacobian(f, argnums=(1, 0))(p, 2.0)
    assert isinstance(both["z"], tuple) and both["z"][0].shape == (6,)
    np.testing.assert_allclose(both["z"][0], X @ W, rtol=1e-14)
    np.testing.assert_allclose(both["z"][1]["b"], one["z"]["b"], rtol=1e-14)


def test_a_softmax_has_p_minus_p_p() -> None:
    p = softmax(W)
    np.testing.assert_allclose(gc.jacobian(softmax)(W), np.diag(p) - np.outer(p, p), rtol=1e-12, atol=1e-16)


def test_float32_stays() -> None:
    single = W.astype(np.float32)
    assert gc.jacobian(lambda x: np.exp(x) / 3)(single).dtype == np.float32
    assert gc.jacobian(lambda x: x @ x)(single).dtype == np.float32
    assert gc.hessian(lambda x: np.sum(np.exp(x)))(single).dtype == np.float32


def test_inside_traced_functions() -> None:
    def volume(x: Any) -> Any:
        return np.log(np.abs(np.linalg.det(gc.jacobian(lambda u: np.tanh(u) + 0.1 * u @ u)(x))))

    gc.check_grads(volume, {"x": W})
    sizes = gc.compile(volume, {"x": "n"})
    assert sizes(W) == pytest.approx(np.log(abs(np.linalg.det(differences(lambda u: np.tanh(u) + 0.1 * u @ u, W)))))

    def trace_of(x: Any) -> Any:
        return np.trace(gc.hessian(rosen)(x))

    assert float(gc.compile(trace_of, {"x": W})(W)) == pytest.approx(np.trace(scipy.optimize.rosen_hess(W)), rel=1e-12)
    gc.check_grads(trace_of, {"x": W})


# --- Hessians ---


def test_the_hessian_of_rosen() -> None:
    """One module for every size."""
    curvature = gc.hessian(rosen)
    modules = set()
    for n in (2, 5, 40):
        x = RNG.standard_normal(n)
        np.testing.assert_allclose(curvature(x), scipy.optimize.rosen_hess(x), rtol=1e-12, atol=1e-10)
        modules.add(id(curvature.module))
    assert len(modules) == 1 and "for i in" not in curvature.source.partition("def _check")[0]


def test_the_hessian_of_a_logistic_loss() -> None:
    def loss(w: Any, X: Any, y: Any) -> Any:
        z = X @ w
        return np.mean(np.logaddexp(0.0, z) - y * z)

    curvature = gc.hessian(loss)
    p = 1.0 / (1.0 + np.exp(-X @ W))
    np.testing.assert_allclose(curvature(W, X, Y), X.T @ ((p * (1 - p))[:, None] * X) / 6, rtol=1e-12, atol=1e-15)
    body = curvature.source.partition("_check(w, X, y)\n")[2].partition("\n\n\n")[0]
    assert [line.partition("  #")[0].strip() for line in body.splitlines()] == [
        "d = len(X)",
        "z = X @ w",
        "sig_z = _sigmoid(z)",
        "hessian = (X.T * sig_z * (1.0 - sig_z) / max(d, 1) @ X).T.copy()",
        "return hessian, ()",
    ]


def test_blocks() -> None:
    def f(p: Any, s: Any) -> Any:
        return s * np.sum(p["a"] ** 2 * p["b"])

    a, b, s = W, RNG.standard_normal(3), 2.0
    by_p, by_s = gc.hessian(f, argnums=(0, 1))({"a": a, "b": b}, s)
    np.testing.assert_allclose(by_p["a"][0]["a"], 2.0 * s * np.diag(b), rtol=1e-14)
    np.testing.assert_allclose(by_p["a"][0]["b"], 2.0 * s * np.diag(a), rtol=1e-14)
    np.testing.assert_array_equal(by_p["b"][0]["b"], np.zeros((3, 3)))
    np.testing.assert_allclose(by_p["a"][1], 2.0 * a * b, rtol=1e-14)
    np.testing.assert_allclose(by_s[0]["b"], a**2, rtol=1e-14)
    assert by_s[1].shape == () and float(by_s[1]) == 0.0
    assert float(gc.hessian(lambda x: x**4)(2.0)) == 48.0


def test_what_is_no_array_has_no_derivative() -> None:
    p, v = {"w": W, "kind": "cube"}, {"w": W + 1.0, "kind": "cube"}
    found = gc.hvp(lambda p: np.sum(p["w"] ** 3))(p, v)
    assert found["kind"] is None
    np.testing.assert_allclose(found["w"], 6.0 * W * (W + 1.0), rtol=1e-13)
    blocks = gc.hessian(lambda p: np.sum(p["w"] ** 3))(p)
    assert blocks["kind"] is None and blocks["w"]["kind"] is None
    np.testing.assert_allclose(blocks["w"]["w"], 6.0 * np.diag(W), rtol=1e-13)


def test_matrices() -> None:
    A = RNG.standard_normal((2, 3))
    found = gc.hessian(lambda A: np.sum((A @ A.T) ** 2))(A)
    wanted = differences(lambda A: 4.0 * A @ A.T @ A, A)
    assert found.shape == (2, 3, 2, 3)
    np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-8)


def test_refusals() -> None:
    with pytest.raises(gc.ArgumentError, match="the gradient needs a scalar"):
        gc.hessian(np.sin)(W)
    with pytest.raises(gc.DtypeError, match="int64"):
        gc.jacobian(np.sum)(np.arange(3))
    with pytest.raises(gc.UnsupportedError, match="`twice_vjp` is not computed for many values at once"):
        gc.jacobian(lambda x: twice(x)[:2])(W)
    np.testing.assert_array_equal(gc.jacobian(lambda x: np.sum(twice(x)))(W), np.full(3, 2.0))  # one row: no other


def _twice(x: Any) -> Any:
    return x + x


def _twice_vjp(ct: Any, y: Any, x: Any) -> Any:
    return (ct + ct,)


twice = gc.custom_op("twice", _twice, _twice_vjp, infer="first")


def test_an_infinite_slope_stays_on_the_diagonal():
    x = np.array([0.0, 1.0])
    with np.errstate(divide="ignore"):
        assert gc.jacobian(np.sqrt)(x).tolist() == [[np.inf, 0.0], [0.0, 0.5]]
        assert gc.jacobian(lambda x: 2 * np.sqrt(x))(x).tolist() == [[np.inf, 0.0], [0.0, 1.0]]
