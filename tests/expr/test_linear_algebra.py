"""Linear algebra against NumPy and SciPy: values, gradients, second derivatives, stacks, float32."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from agreement import agree

import graphc as gc

RNG = np.random.default_rng(3)
A = RNG.normal(size=(3, 3)) + 3.0 * np.eye(3)
B = RNG.normal(size=(2, 3, 3)) + 4.0 * np.eye(3)
TALL = RNG.normal(size=(4, 3))
WIDE = RNG.normal(size=(2, 4))
STACK = RNG.normal(size=(2, 4, 3))
X = RNG.normal(size=(3, 2))
b = RNG.normal(size=3)


def positive(text: str) -> str:
    """A positive definite matrix made of `text`, so that functions of symmetric matrices can be compared."""
    return f"({text} @ swapaxes({text}, -1, -2) + eye(3))"


def made_positive(a: np.ndarray) -> np.ndarray:
    return a @ a.swapaxes(-1, -2) + np.eye(3, dtype=a.dtype)


@pytest.mark.parametrize("x", [A, B])
@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("np.linalg.inv(x)", np.linalg.inv),
        ("np.linalg.det(x)", np.linalg.det),
        ("np.linalg.slogdet(x)[0] * np.linalg.slogdet(x)[1]", lambda x: np.prod(np.linalg.slogdet(x), axis=0)),
        ("np.linalg.pinv(x)", np.linalg.pinv),
        ("np.linalg.matrix_power(x, 3)", lambda x: np.linalg.matrix_power(x, 3)),
        ("np.linalg.matrix_power(x, -2)", lambda x: np.linalg.matrix_power(x, -2)),
        ("np.linalg.matrix_transpose(x)", np.linalg.matrix_transpose),
        ("np.linalg.diagonal(x)", np.linalg.diagonal),
        ("np.linalg.trace(x)", np.linalg.trace),
        ("np.linalg.trace(x, offset=1)", lambda x: np.linalg.trace(x, offset=1)),
        ("np.linalg.cond(x)", np.linalg.cond),
        ("np.linalg.cond(x, 1)", lambda x: np.linalg.cond(x, 1)),
        ("np.linalg.cond(x, 'fro')", lambda x: np.linalg.cond(x, "fro")),
    ],
)
def test_functions_of_square_matrices(text, reference, x):
    agree(text, reference, x=x, single=False)


@pytest.mark.parametrize("k", [0, 1, 2, 5])
def test_powers(k):
    agree(f"np.linalg.matrix_power(x, {k})", lambda x: np.linalg.matrix_power(x, k), x=A, single=False)


@pytest.mark.parametrize(
    ("a", "c"), [(A, b), (A, X), (B, b), (B, X), (A, STACK[:, :3, :2]), (B, STACK[:, :3, :2]), (A, X[:, :1])]
)
def test_solve(a, c):
    agree("np.linalg.solve(a, c)", np.linalg.solve, a=a, c=c, single=False)


def test_solve_gives_float32_for_float32():
    a, c = A.astype("f4"), b.astype("f4")
    value, gradient = gc.compile("sum(np.linalg.solve(a, c))", {"a": "f32[n, n]", "c": "f32[n]"}).value_and_grad(a, c)
    np.testing.assert_allclose(value, np.linalg.solve(a, c).sum(), rtol=1e-5)
    assert gradient.a.dtype == gradient.c.dtype == np.float32


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("trans", [0, 1])
@pytest.mark.parametrize("unit", [True, False])
def test_solve_triangular(lower, trans, unit):
    options = f"trans={trans}, lower={lower}, unit_diagonal={unit}"

    def reference(a, c):
        return scipy.linalg.solve_triangular(a, c, trans=trans, lower=lower, unit_diagonal=unit)

    agree(f"solve_triangular(a, c, {options})", reference, a=A, c=b, single=False)
    agree(f"solve_triangular(a, c, {options})", reference, a=A, c=X, single=False)


@pytest.mark.parametrize("lower", [True, False])
def test_cho_solve(lower):
    agree(
        f"cho_solve(cho_factor({positive('a')}, {lower}), c)",
        lambda a, c: np.linalg.solve(made_positive(a), c),
        a=A,
        c=X,
        single=False,
        named=False,
    )


@pytest.mark.parametrize("a", [A, B])
@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("np.linalg.cholesky(S)", np.linalg.cholesky),
        ("np.linalg.cholesky(S, upper=True)", lambda s: np.linalg.cholesky(s).swapaxes(-1, -2)),
        ("np.linalg.eigvalsh(S)", np.linalg.eigvalsh),
        ("np.linalg.eigh(S)[0]", lambda s: np.linalg.eigh(s)[0]),
        ("np.linalg.eigh(S)[1]", lambda s: np.linalg.eigh(s)[1]),
    ],
)
def test_symmetric_matrices(text, reference, a):
    agree(text.replace("S", positive("a")), lambda a: reference(made_positive(a)), a=a, named=False, single=False)


@pytest.mark.parametrize("x", [TALL, WIDE, STACK, A])
@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("np.linalg.svd(x, full_matrices=False)[0]", lambda x: np.linalg.svd(x, full_matrices=False)[0]),
        ("np.linalg.svd(x, full_matrices=False)[1]", lambda x: np.linalg.svd(x, full_matrices=False)[1]),
        ("np.linalg.svd(x, full_matrices=False)[2]", lambda x: np.linalg.svd(x, full_matrices=False)[2]),
        ("np.linalg.svd(x, compute_uv=False)", lambda x: np.linalg.svd(x, compute_uv=False)),
        ("np.linalg.svdvals(x)", lambda x: np.linalg.svd(x, compute_uv=False)),
        ("np.linalg.pinv(x)", np.linalg.pinv),
    ],
)
def test_singular_values(text, reference, x):
    agree(text, reference, x=x, single=False)


@pytest.mark.parametrize("x", [TALL, STACK, A])
@pytest.mark.parametrize("part", [0, 1])
def test_qr(x, part):
    agree(f"np.linalg.qr(x)[{part}]", lambda x: np.linalg.qr(x)[part], x=x, single=False)


@pytest.mark.parametrize("part", [0, 1])
def test_qr_of_more_columns_than_rows(part):
    agree(f"np.linalg.qr(x)[{part}]", lambda x: np.linalg.qr(x)[part], x=WIDE, single=False, named=False)
    with pytest.raises(ValueError, match="must be at least 0"):
        gc.compile("sum(np.linalg.qr(x)[1])", {"x": "n d"})(WIDE)


@pytest.mark.parametrize("c", [RNG.normal(size=4), RNG.normal(size=(4, 2))])
@pytest.mark.parametrize("part", [0, 1, 2, 3])
def test_lstsq(part, c):
    def reference(a, c):
        return np.asarray(np.linalg.lstsq(a, c)[part], dtype=None if part != 2 else "int64")

    agree(f"np.linalg.lstsq(a, c)[{part}]", reference, a=TALL, c=c, single=False, gradients=part != 2)


def test_lstsq_of_more_unknowns_than_equations():
    agree("np.linalg.lstsq(a, c)[0]", lambda a, c: np.linalg.lstsq(a, c)[0], a=WIDE, c=b[:2], single=False)


def test_tensorsolve_and_tensorinv():
    a = RNG.normal(size=(2, 3, 6))
    agree("np.linalg.tensorsolve(a, c)", np.linalg.tensorsolve, a=a, c=X.T, single=False, named=False)
    agree(
        "np.linalg.tensorsolve(a, c, axes=(0,))",
        lambda a, c: np.linalg.tensorsolve(a, c, axes=(0,)),
        a=RNG.normal(size=(6, 2, 3)),
        c=X.T,
        single=False,
        named=False,
    )
    agree("np.linalg.tensorinv(a, 2)", lambda a: np.linalg.tensorinv(a, 2), a=a, single=False, named=False)


def test_matrix_rank_has_no_gradient():
    x = np.outer(b, b)
    agree("np.linalg.matrix_rank(x)", np.linalg.matrix_rank, x=x, gradients=False, single=False)
    assert not gc.compile("np.linalg.matrix_rank(x) * sum(x)", {"x": "n n"}).grad(np.zeros((3, 3))).x.any()


# --- singular and degenerate matrices ---


@pytest.mark.parametrize(
    ("x", "slope"),
    [
        (np.zeros((3, 3)), np.zeros((3, 3))),
        (np.diag([2.0, 3.0, 0.0]), np.diag([0.0, 0.0, 6.0])),
        (np.diag([2.0, 0.0, 0.0]), np.zeros((3, 3))),
        ([[1.0, 2.0], [2.0, 4.0]], [[4.0, -2.0], [-2.0, 1.0]]),
        ([[0.0]], [[1.0]]),
        ([[0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [-1.0, 0.0]]),
    ],
)
def test_the_gradient_of_det_is_the_cofactors(x, slope):
    value, gradient = gc.compile("np.linalg.det(x)", {"x": "n n"}).value_and_grad(np.array(x))
    assert abs(value) < 1e-15
    np.testing.assert_allclose(gradient.x, slope, rtol=1e-14, atol=1e-14)


def test_the_second_derivative_of_det_at_a_singular_matrix():
    """det([[a, b], [c, d]]) = a d - b c, whatever the point; and of 3 x 3 along a direction, by hand."""
    module = gc.compile(gc.gradient(gc.parse("np.linalg.det(x)", {"x": "n n"}), ["x"]), wrt=("x",))
    for point in (np.zeros((2, 2)), np.ones((2, 2))):
        _, saved = module.forward(x=point, dout=1.0)
        back = module.backward(saved, np.array([[1.0, 2.0], [3.0, 4.0]])).x
        np.testing.assert_allclose(back, [[4.0, -3.0], [-2.0, 1.0]], atol=1e-14)
    _, saved = module.forward(x=np.diag([2.0, 0.0, 0.0]), dout=1.0)
    np.testing.assert_allclose(module.backward(saved, np.eye(3)).x, np.diag([0.0, 2.0, 2.0]), atol=1e-14)


def test_functions_of_equal_eigenvalues_stay_finite():
    """The sum of the squares of the eigenvalues is that of the elements."""
    module = gc.compile("sum(np.linalg.eigvalsh(x)**2)", {"x": "n n"})
    np.testing.assert_allclose(module.grad(np.eye(3)).x, 2.0 * np.eye(3), atol=1e-14)
    vectors = gc.compile("sum(np.linalg.eigh(x)[1])", {"x": "n n"}).grad(np.eye(3)).x
    assert np.isfinite(vectors).all()


def test_singular_values_of_zero_have_the_smallest_slope():
    with np.errstate(all="raise"):
        for text in ("sum(np.linalg.svdvals(x))", "np.linalg.norm(x, 'nuc')", "np.linalg.norm(x, 2)"):
            value, gradient = gc.compile(text, {"x": "n d"}).value_and_grad(np.zeros((2, 3)))
            assert value == 0.0
            assert not gradient.x.any()


def test_cholesky_shares_the_gradient_between_both_triangles():
    """Half of it on each side of the diagonal: the wanted answer of the edge suite."""
    gradient = gc.compile("sum(np.linalg.cholesky(A))", {"A": "n n"}).grad(np.array([[4.0, 2.0], [2.0, 3.0]])).A
    wanted = [[0.21338834764831843, 0.07322330470336313], [0.07322330470336313, 0.3535533905932738]]
    np.testing.assert_allclose(gradient, wanted, rtol=1e-13)


def test_slogdet_does_not_overflow():
    value, gradient = gc.compile("np.linalg.slogdet(x)[1]", {"x": "n n"}).value_and_grad(1e200 * np.eye(3))
    np.testing.assert_allclose(value, 600.0 * np.log(10.0), rtol=1e-14)
    np.testing.assert_allclose(gradient.x, 1e-200 * np.eye(3), rtol=1e-14)


# --- what is refused ---


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("np.linalg.eig(x)", "complex"),
        ("np.linalg.eigvals(x)", "complex"),
        ("np.linalg.svd(x)", "full factors"),
        ("np.linalg.inv(x)", "square"),
        ("np.linalg.det(x)", "square"),
        ("np.linalg.cholesky(x)", "square"),
        ("np.linalg.solve(x, y)", "square"),
        ("np.linalg.solve(x @ x.T, y)", "do not match"),
        ("np.linalg.matrix_power(x @ x.T, 0.5)", "integer"),
        ("np.linalg.pinv(x, y)", "known when the model is compiled"),
        ("np.linalg.matrix_rank(x, 0.1)", "no tol"),
        ("np.linalg.lstsq(x, y, 0.1)", "no rcond"),
        ("np.linalg.qr(x, 'complete')", "modes"),
        ("np.linalg.tensorinv(x, 0)", "positive"),
        ("cho_solve(x, y)", "takes"),
        ("solve_triangular(x @ x.T, y, 3)", "trans"),
        ("matrix_transpose(y)", "needs a matrix"),
    ],
)
def test_refusals(text, message):
    with pytest.raises(gc.GraphcError, match=message):
        gc.compile(f"sum({text})", {"x": "f64[3, 2]", "y": "f64[4]"})


def test_results_have_numpys_names_in_numpy_code():
    def parts(x):
        w, v = np.linalg.eigh(x + x.T)
        u, s, vh = np.linalg.svd(x, full_matrices=False)
        eigen, singular, triangle = np.linalg.eigh(x + x.T), np.linalg.svd(x, full_matrices=False), np.linalg.qr(x)
        same = np.sum(eigen.eigenvalues * w) + np.sum(eigen.eigenvectors * v) + np.sum(singular.U * u)
        return same + np.sum(singular.S * s) + np.sum(singular.Vh * vh) + np.sum(triangle.Q @ triangle.R)

    x = A / 2.0
    value, slope = gc.value_and_grad(parts)(x)
    np.testing.assert_allclose(value, parts(x), rtol=1e-13)
    np.testing.assert_allclose(slope, 4.0 * (x + x.T) + 2.0 * x + 1.0, rtol=1e-10)
    np.testing.assert_allclose(gc.grad(lambda x: np.linalg.slogdet(x).logabsdet)(x), np.linalg.inv(x).T, rtol=1e-13)


def test_sizes_of_examples_become_equal_where_they_must():
    assert gc.grad(lambda x: np.linalg.det(x))(A).shape == (3, 3)
    assert gc.grad(lambda x: np.sum(np.cross(x, x[::-1])))(A).shape == (3, 3)
    assert gc.grad(lambda x: np.sum(np.einsum("ij,jk", x, x)))(A).shape == (3, 3)
    assert gc.grad(lambda x: np.sum(np.linalg.svd(x, full_matrices=False)[1]))(WIDE).shape == WIDE.shape
