"""The problems of GradBench, each against an oracle that shares no code with it."""

import importlib.util
import itertools
import math
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.special import expit, logsumexp, softmax
from scipy.stats import multivariate_normal, wishart

import graphc as gc

EXAMPLES = Path(__file__).parents[2] / "examples" / "gradbench"


@cache
def problem(name):
    """The module of a problem; what it imports from its folder is found."""
    if str(EXAMPLES) not in sys.path:
        sys.path.append(str(EXAMPLES))
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


# --- particle and saddle ---

MODES = ["rr", "rf", "fr", "ff"]
PUBLISHED = {"particle": 0.2071918746486116, "saddle": [8.246324826140356e-06] * 4}  # GradBench's own expectations


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", list(PUBLISHED))
def test_what_gradbench_expects(name, mode):
    arguments = problem(name).example(np.random.default_rng(0))
    np.testing.assert_allclose(getattr(problem(name), mode)(*arguments), PUBLISHED[name], rtol=1e-9)


def descend(f, gradient, x):
    """Gradient descent as the problems state it; x may be complex, decisions are those of its real part."""
    fx, gx, eta, successes = f(x), gradient(x), 1e-5, 0
    while True:
        if np.linalg.norm(gx.real) <= 1e-5:
            return x
        if successes == 10:
            eta, successes = 2 * eta, 0
        moved = x - eta * gx
        if np.linalg.norm((moved - x).real) <= 1e-5:
            return x
        f_moved = f(moved)
        if f_moved.real < fx.real:
            x, fx, gx, successes = moved, f_moved, gradient(moved), successes + 1
        else:
            eta, successes = eta / 2, 0


def path(w):
    """Where the particle meets the axis, by the force written out; w may be complex."""
    x, y, vx, vy = 0.0, 8.0, 0.75, 0.0
    while y.real + 0.1 * vy.real > 0:
        upper = ((x - 10) ** 2 + (y - 10 + w) ** 2) ** 1.5
        lower = ((x - 10) ** 2 + y**2) ** 1.5
        force = (x - 10) / upper + (x - 10) / lower, (y - 10 + w) / upper + y / lower
        x, y, vx, vy = x + 0.1 * vx, y + 0.1 * vy, vx + 0.1 * force[0], vy + 0.1 * force[1]
    return x - y / vy * vx


@pytest.mark.parametrize("w", [-0.05, 0.1, 0.3])
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_the_derivative_of_a_path_until_an_event(mode, w):
    """In reverse and in forward mode, through a loop whose body has a derivative in either."""
    inner = getattr(problem("descent"), mode)

    def objective(w):
        return problem("particle").objective(inner, w)

    slope = 2 * path(w) * path(w + 1e-200j).imag / 1e-200
    for outer in (problem("descent").reverse, problem("descent").forward):
        close(outer(objective)(np.array([w])), [slope], rtol=1e-10)


@pytest.mark.parametrize("start", [-0.05, 0.15])
def test_particle_from_elsewhere(start):
    found = descend(
        lambda w: path(w[0]) ** 2,
        lambda w: np.array([2 * path(w[0]) * path(w[0] + 1e-200j).imag / 1e-200]),
        np.array([start]),
    )
    np.testing.assert_allclose(problem("particle").rr(start), found[0], rtol=1e-9)


def searched(start):
    """What `saddle` computes, its derivatives written out."""

    def maximum(x):
        y = descend(lambda y: y @ y - x @ x, lambda y: 2 * y, start)
        return x @ x - y @ y

    x = descend(maximum, lambda x: 2 * x, start)
    return np.concatenate([x, descend(lambda y: y @ y - x @ x, lambda y: 2 * y, start)])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("start", [[0.5, -2.0], [1e-3, 2e-3], [0.0, 0.0]], ids=str)
def test_saddle_from_elsewhere(start, mode):
    found = getattr(problem("saddle"), mode)(np.array(start))
    close(found, searched(np.array(start)), rtol=1e-9)


def test_the_derivative_of_a_whole_search():
    """What the search finds depends on where it begins: a derivative of derivatives, through all loops."""
    descent, start = problem("descent"), np.array([0.5, -2.0])
    module = problem("saddle").program(descent.reverse, descent.reverse)
    _, saved = module.forward(start)
    pulled = [module.backward(saved, unit).start for unit in np.eye(4)]
    columns = [np.imag(searched(start + 1e-200j * unit)) / 1e-200 for unit in np.eye(2)]
    close(pulled, np.stack(columns, axis=1), rtol=1e-9)


# --- second derivatives ---

SECOND = {  # problem: (a scalar function of its module and of its arguments, the argument, sizes)
    "gmm": (lambda m, *args: m.objective(*args), 1, {"n": 9, "k": 3, "d": 3}),
    "lstm": (lambda m, *args: m.objective(*args), 1, {"layers": 2, "characters": 12, "bits": 2}),
    "ode": (lambda m, *args: m.last(*args), 0, {"n": 5, "s": 12}),
    "det": (lambda m, *args: m.primal(*args), 0, {"n": 4}),
    "ba": (lambda m, *args: np.sum(m.objective(*args)[0] ** 2), 1, {"n": 2, "m": 3, "p": 6}),
    "ht": (lambda m, *args: np.sum(m.objective(*args) ** 2), 0, {"points": 5, "vertices": 9}),
    "particle": (lambda m, w: m.objective(problem("descent").reverse, w + 0.1), 0, {}),
}


def difference(f, x, v):
    """The derivative along v, by central differences of two steps."""
    slopes = [(f(x + h * v) - f(x - h * v)) / (2 * h) for h in (1e-4, 2e-4)]
    return (4 * slopes[0] - slopes[1]) / 3


@pytest.mark.parametrize("name", SECOND)
def test_second_derivatives(name):
    """Forward over reverse, a whole Hessian, and reverse over reverse agree with differences of the gradient."""
    function, place, sizes = SECOND[name]
    module = problem(name)
    arguments = list(module.example(np.random.default_rng(10), **sizes))
    x = arguments[place] = np.atleast_1d(arguments[place])
    v = np.random.default_rng(11).normal(size=x.shape)

    def f(*args):
        return function(module, *args)

    gradient = gc.grad(f, place)
    wanted = difference(lambda y: gradient(*arguments[:place], y, *arguments[place + 1 :]), x, v)
    close(gc.hvp(f, place)(*arguments, v), wanted)
    close(np.tensordot(gc.hessian(f, place)(*arguments), v, axes=v.ndim), wanted)
    close(gc.grad(lambda *args: np.sum(gradient(*args) * v), place)(*arguments), wanted)


# --- the generated files ---

COMPILED = ["llsq", "lse", "gmm", "lstm", "ode", "det", "ba"]  # by their first derivative
CHECKS = [
    ("ruff", "format", "--isolated", "--check", "--no-cache", "."),
    ("ruff", "check", "--isolated", "--no-cache", "--select", "F", "."),
    ("mypy", "--strict", "--config-file", "/dev/null", "--cache-dir", "cache", "."),
]


def generated():
    """The source of each problem, under a name."""
    rng, descent = np.random.default_rng(0), problem("descent")
    for name in COMPILED:
        derivative = getattr(problem(name), problem("bench").PROBLEMS[name].derivatives[0])
        derivative(*problem(name).example(rng, **({"n": 9} if name == "llsq" else {})))
        yield name, derivative.module.source
    ht = problem("ht")
    ht.jacobian(*ht.example(rng))
    yield "ht", ht.complicated_jacobian.source
    yield "ht_us", ht.by_us.module.source
    yield "kmeans", problem("kmeans").direction.source
    for name in PUBLISHED:
        for outer, inner in itertools.product((descent.reverse, descent.forward), repeat=2):
            yield f"{name}_{outer.__name__}_{inner.__name__}", problem(name).program(outer, inner).source


def test_generated_files_are_formatted_and_typed(tmp_path):
    for name, source in generated():
        (tmp_path / f"gen_{name}.py").write_text(source)
    for command, *options in CHECKS:
        done = subprocess.run(
            [str(Path(sys.executable).parent / command), *options], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[:4000]


# --- scripts ---

PRINTED = {  # problem: a number that its script prints, and the bounds of that number
    "hello": (r"double\(0.1257\) = (\S+)", 0.2514, 0.2516),
    "llsq": (r"y = (\S+),", 564.859, 564.860),
    "lse": (r"sum of the gradient = (\S+)", 0.9999, 1.0001),
    "kmeans": (r"step 4: cost (\S+)", 426.18, 426.19),
    "gmm": (r"log p = (\S+),", -41106.84, -41106.83),
    "lstm": (r"loss (\S+),", 1.4253, 1.4254),
    "ode": (r"element by (\S+)", 0.0, 1e-9),
    "det": (r"off by (\S+)", 0.0, 1e-13),
    "ba": (r"in (\d+) derivatives", 15, 15),
    "ht": (r"step 5: (\S+)", 0.0, 1e-12),
    "particle": (r"ff: w = (\S+)", 0.20719187, 0.20719188),
    "saddle": (r"ff: \[(\S+) ", 8.2463e-06, 8.2464e-06),
}


@pytest.mark.parametrize("name", PRINTED)
def test_scripts_print_what_they_find(name, capsys):
    pattern, low, high = PRINTED[name]
    problem(name).main()
    assert low <= float(re.search(pattern, capsys.readouterr().out)[1]) <= high


def test_every_problem_has_a_row_everywhere():
    """A file, a line of the table of the README, and one of the benchmark."""
    files = {path.stem for path in EXAMPLES.glob("*.py")} - {"bench", "descent"}
    rows = set(re.findall(r"^\| \[(\w+)\]", (EXAMPLES / "README.md").read_text(), re.MULTILINE))
    assert files == rows == set(problem("bench").PROBLEMS) == set(PRINTED)


def test_the_benchmark_prints_a_table(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["bench.py", "gmm", "saddle", "--seconds", "0"])
    problem("bench").main()
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["problem", "function", "primal", "derivative", "ratio"]
    assert [line.split()[:2] for line in lines] == [["gmm", "jacobian"], *(["saddle", mode] for mode in MODES)]
    assert float(lines[0].split()[-1]) > 0 and all(line.split()[-1] == "-" for line in lines[1:])
