"""The problems of GradBench, each against an oracle that shares no code with it."""

import math

import numpy as np
import pytest
from gradbench_problems import close, complex_step, problem
from scipy.spatial.transform import Rotation
from scipy.special import expit, logsumexp, softmax
from scipy.stats import multivariate_normal, wishart

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


# --- ba ---


@pytest.mark.parametrize("still", [False, True], ids=["turned", "not turned"])
def test_ba_objective(still):
    """One observation after the other, rotated by SciPy."""
    cams, X, w, observed, features = problem("ba").example(np.random.default_rng(4), n=3, m=5, p=14)
    cams[1, :3] *= not still
    reprojection, weight = problem("ba").objective(cams, X, w, observed, features)
    for i, (c, x) in enumerate(observed):
        Y = Rotation.from_rotvec(cams[c, :3]).apply(X[x] - cams[c, 3:6])
        p = Y[:2] / Y[2]
        distortion = 1 + cams[c, 9] * (p @ p) + cams[c, 10] * (p @ p) ** 2
        close(reprojection[i], w[i] * (cams[c, 6] * distortion * p + cams[c, 7:9] - features[i]), rtol=1e-11)
    close(weight, 1 - w**2, rtol=1e-14)


@pytest.mark.parametrize("still", [False, True], ids=["turned", "not turned"])
def test_ba_jacobian(still):
    """Its blocks are those of the plain function by complex steps, and it has no entries elsewhere."""
    *arguments, observed, features = problem("ba").example(np.random.default_rng(5), n=3, m=5, p=14)
    arguments[0][1, :3] *= not still
    jacobian = problem("ba").jacobian(*arguments, observed, features)
    assert problem("ba").jacobian.passes == 15
    assert sum(len(block.data) for row in jacobian for block in row) <= 31 * len(observed)
    for k, row in enumerate(jacobian):
        for place, block in enumerate(row):
            wanted = columns_of(problem("ba").objective, [*arguments, observed, features], place, k)
            found = np.zeros(block.shape)
            found[block.rows, block.cols] = block.data
            close(found, wanted, rtol=1e-10)


def columns_of(f, arguments, place, k=None):
    """The Jacobian of a function, or of its k-th result, by one argument: a complex step for each element."""
    x = arguments[place]
    columns = []
    for unit in np.eye(x.size).reshape(x.size, *x.shape):
        result = f(*arguments[:place], x + 1e-200j * unit, *arguments[place + 1 :])
        columns.append(np.imag(result if k is None else result[k]).ravel() / 1e-200)
    return np.stack(columns, axis=1)


# --- ode ---


def solution(x):
    return np.cumprod(2 * x / np.arange(1, len(x) + 1))


@pytest.mark.parametrize(("n", "s", "rtol"), [(1, 1, 1e-14), (4, 1, 1e-13), (3, 7, 1e-13), (6, 200, 1e-8)])
def test_ode(n, s, rtol):
    """The method is exact for polynomials of degree 4, so up to four equations take one step."""
    x, _ = problem("ode").example(np.random.default_rng(6), n=n)
    close(problem("ode").primal(x, s), solution(x), rtol)
    close(problem("ode").gradient(x, s), solution(x)[-1] / x, rtol)


@pytest.mark.parametrize(("n", "s"), [(1, 3), (7, 2), (5, 40)])
def test_ode_gradient_is_that_of_the_method(n, s):
    x, _ = problem("ode").example(np.random.default_rng(7), n=n)
    close(problem("ode").gradient(x, s), complex_step(lambda x: problem("ode").last(x, s), x), rtol=1e-12)


# --- lstm ---

LSTM_SIZES = [
    {"layers": 1, "characters": 2, "bits": 1},
    {"layers": 1, "characters": 5, "bits": 3},
    {"layers": 2, "characters": 30, "bits": 4},
    {"layers": 3, "characters": 12, "bits": 2},
]


def recurrent_loss(main_params, extra_params, state, sequence):
    """The loss, element by element."""
    (count, width), layers = sequence.shape, len(state) // 2
    h, c = [list(state[2 * i]) for i in range(layers)], [list(state[2 * i + 1]) for i in range(layers)]
    total = 0.0
    for t in range(count - 1):
        y = []
        for j in range(width):
            x = sequence[t, j] * extra_params[0, j]
            for i in range(layers):
                w, b = main_params[2 * i].reshape(4, width)[:, j], main_params[2 * i + 1].reshape(4, width)[:, j]
                c[i][j] = c[i][j] * expit(x * w[0] + b[0]) + expit(h[i][j] * w[1] + b[1]) * np.tanh(
                    h[i][j] * w[3] + b[3]
                )
                h[i][j] = x = expit(x * w[2] + b[2]) * np.tanh(c[i][j])
            y.append(x * extra_params[1, j] + extra_params[2, j])
        total += sequence[t + 1] @ (y - np.log(2 + np.sum(np.exp(y))))
    return -total / ((count - 1) * width)


@pytest.mark.parametrize("sizes", LSTM_SIZES, ids=str)
def test_lstm(sizes):
    main_params, extra_params, state, sequence = problem("lstm").example(np.random.default_rng(8), **sizes)
    arguments = [main_params, extra_params, state, sequence]
    before = state.copy()
    close(problem("lstm").objective(*arguments), recurrent_loss(*arguments), rtol=1e-12)
    gradients = problem("lstm").jacobian(*arguments)
    np.testing.assert_array_equal(state, before)
    for place, gradient in enumerate(gradients):
        given = [*arguments[:2], state.astype(complex), sequence]
        close(gradient.ravel(), columns_of(problem("lstm").objective, given, place)[0], rtol=1e-10)


# --- ht ---

POSES = [
    pytest.param({"points": 7, "vertices": 12, "on_triangles": False}, False, 0.3, id="simple"),
    pytest.param({"points": 7, "vertices": 12}, False, 0.3, id="complicated"),
    pytest.param({"points": 1, "vertices": 3}, True, 0.3, id="mirrored"),
    pytest.param({"points": 5, "vertices": 9, "on_triangles": False}, True, 0.0, id="not turned"),
]


def pose(sizes, mirrored, turn):
    theta, us, model, *rest = problem("ht").example(np.random.default_rng(9), **sizes)
    theta[:3] *= turn / np.linalg.norm(theta[:3])
    return theta, us, model._replace(is_mirrored=mirrored), *rest


def posed_by_scipy(theta, model):
    """The vertices, bone after bone, with rotations of SciPy."""
    bends, spreads = np.zeros(22), np.zeros(22)
    for finger in range(5):
        first, spread, second, third = theta[6 + 4 * finger : 10 + 4 * finger]
        bends[4 * finger + 2 : 4 * finger + 5] = first, second, third
        spreads[4 * finger + 2] = spread
    absolutes = []
    positions = np.zeros((len(model.base_positions), 3))
    for bone, parent in enumerate(model.parents):
        turned = np.eye(4)
        turned[:3, :3] = Rotation.from_euler("xz", [bends[bone], spreads[bone]]).as_matrix()
        relative = model.base_relatives[bone] @ turned
        absolutes.append(relative if parent < 0 else absolutes[parent] @ relative)
        moved = model.base_positions @ (absolutes[bone] @ model.inverse_base_absolutes[bone]).T
        positions += model.weights[:, bone, None] * moved[:, :3]
    if model.is_mirrored:
        positions[:, 0] *= -1
    return Rotation.from_rotvec(theta[:3]).apply(positions) + theta[3:6]


@pytest.mark.parametrize(("sizes", "mirrored", "turn"), POSES)
def test_ht_objective(sizes, mirrored, turn):
    theta, us, model, correspondences, points = pose(sizes, mirrored, turn)
    vertices = posed_by_scipy(theta, model)
    if len(us):
        a, b, c = vertices[model.triangles[correspondences].T]
        u, v = us[:, :1], us[:, 1:]
        found = u * a + v * b + (1 - u - v) * c
    else:
        found = vertices[correspondences]
    objective = problem("ht").objective(theta, us, model, correspondences, points)
    close(objective, (points - found).ravel(), rtol=1e-12)


@pytest.mark.parametrize(("sizes", "mirrored", "turn"), POSES)
def test_ht_jacobian(sizes, mirrored, turn):
    arguments = pose(sizes, mirrored, turn)
    us, wanted = arguments[1], columns_of(problem("ht").objective, arguments, 0)
    if len(us):
        by_us = columns_of(problem("ht").objective, arguments, 1)
        own = [by_us[3 * i : 3 * i + 3, 2 * i : 2 * i + 2] for i in range(len(us))]
        assert np.count_nonzero(by_us) == np.count_nonzero(own)
        wanted = np.hstack([np.concatenate(own), wanted])
    close(problem("ht").jacobian(*arguments), wanted, rtol=1e-10)
