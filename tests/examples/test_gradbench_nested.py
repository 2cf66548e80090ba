"""GradBench's nested problems, particle and saddle: derivatives within loops that are differentiated."""

import numpy as np
import pytest
from gradbench_problems import close, problem

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
