"""gc.fixed_point and gc.root: values, and derivatives by the implicit function theorem."""

import numpy as np
import pytest
from scipy.optimize import fsolve

import graphc as gc
from graphc.autodiff import gradient
from graphc.ir.interpret import interpret

RNG = np.random.default_rng(5)
M = RNG.normal(size=(3, 3))
WELL = M @ M.T + 4 * np.eye(3)
B = RNG.normal(size=3)
STEP = 1e-5


def cosine(a):
    return gc.fixed_point(lambda x, a: np.cos(a * x), 0.5, a)


def captured(a):
    """What the function takes from around it has a derivative, too."""
    scale = np.sin(a)
    x = gc.fixed_point(lambda x: 0.5 * np.tanh(x) + scale, 0.0)
    return x * a


def pair(a):
    """Two unknowns of different shapes."""

    def step(state):
        x, v = state
        return 0.3 * np.cos(np.sum(v)) + a, 0.2 * np.tanh(v + x)

    x, v = gc.fixed_point(step, (0.0, np.zeros(3)))
    return x + np.sum(v)


def square_root(a):
    return gc.root(lambda x: x**2 - a, 1.0)


def kepler(a):
    """Kepler's equation, E - e sin E = M."""
    return np.cos(gc.root(lambda E: E - 0.3 * np.sin(E) - a, a))


def system(a):
    x = gc.root(lambda x: WELL @ x + a * x**3 - B, np.zeros(3))
    return np.sum(x**2)


def nested(a):
    """A root in an equation."""
    return gc.fixed_point(lambda x: 0.5 * np.cos(x + gc.root(lambda y: y**3 + y - a * x, 0.1)), 0.2)


PROBLEMS = [cosine, captured, pair, square_root, kepler, system, nested]


@pytest.mark.parametrize("f", PROBLEMS, ids=lambda f: f.__name__)
def test_first_and_second_derivative(f):
    graph = gc.trace(f, {"a": ()})
    slope = gradient(graph, ("a",))
    curvature = gradient(slope, ("a",))
    seed = slope.input_names[-1]

    def value(a):
        return interpret(graph, {"a": a})[0]

    def first(a):
        return interpret(slope, {"a": a, seed: 1.0})[0]

    second = interpret(curvature, {"a": 0.8, seed: 1.0, curvature.input_names[-1]: 1.0})[0]
    np.testing.assert_allclose(first(0.8), (value(0.8 + STEP) - value(0.8 - STEP)) / (2 * STEP), rtol=1e-8)
    np.testing.assert_allclose(second, (first(0.8 + STEP) - first(0.8 - STEP)) / (2 * STEP), rtol=1e-7)


def test_values_are_those_of_scipy():
    assert interpret(gc.trace(square_root, {"a": ()}), {"a": 2.0})[0] == pytest.approx(np.sqrt(2), rel=1e-15)
    x = fsolve(lambda x: WELL @ x + 0.8 * x**3 - B, np.zeros(3), xtol=1e-13)
    assert interpret(gc.trace(system, {"a": ()}), {"a": 0.8})[0] == pytest.approx(np.sum(x**2), rel=1e-11)


def test_the_derivative_does_not_go_through_the_steps():
    """An iteration that starts at the solution takes one step; its derivative is right all the same."""
    graph = gc.trace(lambda a: gc.root(lambda x: x**2 - a, 3.0), {"a": ()})
    slope = interpret(gradient(graph, ("a",)), {"a": 9.0, graph.output_names[0].join(("d", "")): 1.0})[0]
    assert slope == pytest.approx(1 / 6, rel=1e-15)


def test_what_does_not_settle_is_nan():
    graph = gc.trace(lambda a: gc.fixed_point(lambda x: a * x + 1.0, 0.0, max_steps=50), {"a": ()})
    assert np.isnan(interpret(graph, {"a": 1.5})[0])
    assert interpret(graph, {"a": 0.25})[0] == pytest.approx(4 / 3, rel=1e-11)


def test_another_structure_is_refused():
    with pytest.raises(gc.ShapeError, match="structure"):
        gc.trace(lambda a: gc.fixed_point(lambda x: (x, x), a), {"a": ()})
    with pytest.raises(gc.ShapeError, match="one shape"):
        gc.trace(lambda a: gc.fixed_point(lambda x: np.zeros(3) * x, a), {"a": ()})
    with pytest.raises(gc.ArgumentError, match="does not depend"):
        gc.trace(lambda a: gc.root(lambda x: a, a), {"a": ()})
