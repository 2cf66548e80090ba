"""gc.scan, gc.fori_loop, gc.while_loop, gc.cond: the same on arrays and in traced functions."""

import numpy as np
import pytest

import graphc as gc
from graphc.frontends.numpy.trace import trace

RNG = np.random.default_rng(5)
X, W, h = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 3)) * 0.5, np.array([0.3, -0.2, 0.9])


def recurrent(X, W, h):
    def step(h, x):
        h = np.tanh(x @ W + h)
        return h, h

    last, hs = gc.scan(step, h, X)
    return np.sum(last) + np.sum(hs**2)


def backwards(X, W, h):
    carry, (rows, sums) = gc.scan(lambda c, x: (c * 0.5 + x, (c @ W, np.sum(c))), h, X, reverse=True)
    return np.sum(rows * np.arange(3.0)) + sums[0] - sums[-1] + carry[0]


def structures(X, W, h):
    def step(carry, x):
        return {"h": np.sin(carry["h"] + x["a"]), "n": carry["n"] + 1.0}, {"out": x["b"] @ carry["h"], "none": None}

    carry, ys = gc.scan(step, {"h": h, "n": 0.0}, {"a": X, "b": X * 2})
    assert ys["none"] is None
    return np.sum(carry["h"]) * carry["n"] + np.sum(ys["out"])


def nothing_to_go_through(X, W, h):
    h, ys = gc.scan(lambda h, _: (np.cos(h @ W), None), h, None, length=20)
    assert ys is None
    return np.sum(h)


def counted(X, W, h):
    return np.sum(gc.fori_loop(1, len(X), lambda t, c: c * X[t] + t, h))


def halved(X, W, h):
    return np.sum(gc.while_loop(lambda c: np.sum(c**2) > 1e-3, lambda c: c * 0.5 * np.cos(c), h))


def chosen(X, W, h):
    return gc.cond(np.sum(h) > 0, lambda x: np.sum(np.exp(x)), lambda x: np.sum(x**2), X)


PROGRAMS = (recurrent, backwards, structures, nothing_to_go_through, counted, halved, chosen)


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda f: f.__name__)
def test_value_and_gradient(function):
    types = {"X": "T 3", "W": "3 3", "h": "3"} if function is backwards else {"X": "T d", "W": "d d", "h": "d"}
    module = gc.compile(function, types)
    for start in (h, -h):
        np.testing.assert_allclose(module(X, W, start), function(X, W, start), rtol=1e-12)
        gc.check_grads(module, {"X": X, "W": W, "h": start})


@pytest.mark.parametrize("function", PROGRAMS[:-1], ids=lambda f: f.__name__)
def test_they_are_loops(function):
    graph = trace(function, {"X": "T 3", "W": "3 3", "h": "3"}).graph
    assert [n.op.name for n in graph.nodes].count("loop") == 1


def test_conventions_on_arrays():
    carry, ys = gc.scan(lambda c, x: (c + x, c * x), 0.0, np.arange(4.0))
    assert carry == 6.0 and ys.tolist() == [0.0, 0.0, 2.0, 9.0]
    _, down = gc.scan(lambda c, x: (c + x, c), 0.0, np.arange(4.0), reverse=True)
    assert down.tolist() == [6.0, 5.0, 3.0, 0.0]
    assert gc.fori_loop(0, 4, lambda i, x: x + i, 1) == 7
    assert gc.while_loop(lambda x: x < 50, lambda x: 2 * x, 3) == 96
    assert gc.cond(False, lambda a, b: a, lambda a, b: b, 1, 2) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gc.scan(lambda c, x: (c, x), 0.0), "neither xs nor a length"),
        (lambda: gc.scan(lambda c, x: (c, x), 0.0, 3.0), "a number in it"),
        (lambda: gc.scan(lambda c, x: (c, x), 0.0, (np.ones(2), np.ones(3))), "2, 3 rows"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(gc.ArgumentError, match=message):
        call()


def test_a_carry_of_another_structure_is_refused():
    with pytest.raises(gc.UnsupportedError, match="`carry` is f64"):
        trace(lambda x: gc.scan(lambda c, v: ((c, c), c), np.sum(x), x)[1], {"x": "n"})
