"""The problems of GradBench, each against an oracle that shares no code with it."""

import importlib.util
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logsumexp, softmax
from scipy.stats import multivariate_normal, wishart

EXAMPLES = Path(__file__).parents[2] / "examples" / "gradbench"


@cache
def problem(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def complex_step(f, x):
    """The gradient of f, exact to rounding: the imaginary part of f(x + ih) / h."""
    h = 1e-200
    units = np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([np.imag(f(x + 1j * h * unit)) / h for unit in units]).reshape(x.shape)


def close(got, wanted, rtol=1e-8):
    """Relative to the size of the whole: an entry that cancels is not asked for more than the oracle can say."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol * np.max(np.abs(wanted), initial=1e-4))


# --- hello, llsq, lse, det: formulas ---


def determinant_slope(A):
    return np.linalg.det(A) * np.linalg.inv(A).T


def polynomial(x, n):
    """The columns t**j, the residuals."""
    t = np.linspace(-1, 1, n)
    columns = t[:, None] ** np.arange(len(x))
    return columns, np.sign(t) - columns @ x


def half_square(x, n):
    residuals = polynomial(x, n)[1]
    return residuals @ residuals / 2


def half_square_slope(x, n):
    columns, residuals = polynomial(x, n)
    return -columns.T @ residuals


FORMULAS = {  # problem: (value, its formula, gradient, its formula, the sizes of examples)
    "hello": ("square", lambda x: x * x, "double", lambda x: 2 * x, [{}]),
    "llsq": ("primal", half_square, "gradient", half_square_slope, [{"m": 1, "n": 2}, {"m": 4, "n": 8}, {"m": 9}]),
    "lse": ("primal", logsumexp, "gradient", softmax, [{"n": 1}, {"n": 7}, {"n": 1000}]),
    "det": ("primal", np.linalg.det, "gradient", determinant_slope, [{"n": n} for n in range(1, 6)]),
}


@pytest.mark.parametrize(
    ("name", "sizes"), [(name, sizes) for name, row in FORMULAS.items() for sizes in row[-1]], ids=str
)
def test_value_and_gradient_are_the_formulas(name, sizes):
    value, value_formula, gradient, gradient_formula, _ = FORMULAS[name]
    arguments = problem(name).example(np.random.default_rng(1), **sizes)
    close(getattr(problem(name), value)(*arguments), value_formula(*arguments), rtol=1e-11)
    close(getattr(problem(name), gradient)(*arguments), gradient_formula(*arguments), rtol=1e-11)


def test_lse_of_what_overflows():
    with np.errstate(over="raise", invalid="raise"):
        x = np.array([1e4, 1e4 - 1, -1e4])
        close(problem("lse").gradient(x), [1 / (1 + math.exp(-1)), 1 / (1 + math.e), 0.0], rtol=1e-14)


def test_det_of_a_singular_matrix():
    """The cofactors, although there is no inverse."""
    close(problem("det").gradient(np.diag([2.0, 3.0, 0.0])), np.diag([0.0, 0.0, 6.0]), rtol=1e-15)


# --- kmeans ---


@pytest.mark.parametrize("sizes", [{"n": 30, "k": 1, "d": 2}, {"n": 50, "k": 7, "d": 3}, {}], ids=str)
def test_a_newton_step_of_kmeans_goes_to_the_means(sizes):
    """The cost is quadratic as long as no point changes its cluster, so one step is Lloyd's."""
    points, centroids = problem("kmeans").example(np.random.default_rng(2), **sizes)
    squares = [np.sum((points - c) ** 2, axis=1) for c in centroids]
    nearest = np.argmin(squares, axis=0)
    means = np.array([points[nearest == j].mean(axis=0) for j in range(len(centroids))])
    close(problem("kmeans").cost(points, centroids), np.min(squares, axis=0).sum(), rtol=1e-12)
    close(centroids - problem("kmeans").direction(points, centroids), means, rtol=1e-12)


# --- gmm ---


def precision_factor(q, l):  # noqa: E741
    """Q of one component: exp(q) on the diagonal, l below it, column by column."""
    d = len(q)
    Q = np.diag(np.exp(q)).astype(np.result_type(q, l))
    rest = list(l)
    for column in range(d):
        for row in range(column + 1, d):
            Q[row, column] = rest.pop(0)
    return Q


def mixture_by_scipy(mu, q, l, alpha, x, gamma, m):  # noqa: E741
    """The log-posterior, by densities of SciPy."""
    k, d = mu.shape
    total, columns = 0.0, []
    for j in range(k):
        Q = precision_factor(q[j], l[j])
        precision = Q.T @ Q
        total += wishart.logpdf(precision, df=d + m + 1, scale=np.eye(d) / gamma**2)
        columns.append(np.log(softmax(alpha)[j]) + multivariate_normal.logpdf(x, mu[j], np.linalg.inv(precision)))
    return total + np.sum(logsumexp(np.reshape(columns, (k, -1)), axis=0))


def mixture_by_hand(mu, q, l, alpha, x, gamma, m):  # noqa: E741
    """What of the log-posterior depends on the parameters; they may be complex."""
    likelihood = 0.0
    factors = [precision_factor(*pair) for pair in zip(q, l, strict=True)]
    for point in x:
        terms = [np.sum(q[j]) - np.sum((Q @ (point - mu[j])) ** 2) / 2 + alpha[j] for j, Q in enumerate(factors)]
        top = max(term.real for term in terms)
        likelihood += np.log(sum(np.exp(t - top) for t in terms)) + top - np.log(np.sum(np.exp(alpha)))
    return likelihood + sum(m * np.sum(np.log(np.diag(Q))) - gamma**2 / 2 * np.sum(Q**2) for Q in factors)


GMM_SIZES = [
    ({"n": 5, "k": 1, "d": 1}, 1.0, 0),
    ({"n": 6, "k": 3, "d": 2}, 1.3, 2),
    ({"n": 9, "k": 4, "d": 4}, 0.7, 1),
]


@pytest.mark.parametrize(("sizes", "gamma", "m"), GMM_SIZES, ids=str)
def test_gmm(sizes, gamma, m):
    *arguments, _, _ = problem("gmm").example(np.random.default_rng(3), **sizes)
    arguments += [gamma, m]
    close(problem("gmm").objective(*arguments), mixture_by_scipy(*arguments), rtol=1e-10)
    for place, gradient in enumerate(problem("gmm").jacobian(*arguments)):
        others = list(arguments)

        def along(value, others=others, place=place):
            return mixture_by_hand(*others[:place], value, *others[place + 1 :])

        close(gradient, complex_step(along, arguments[place]), rtol=1e-10)
