"""Arrays that loops put into lists and variables are NumPy's: who holds one sees what is written to it.

Whether a loop is rolled or written out, the values are those of the function.
"""

import numpy as np
import pytest

import graphc as gc
from graphc.frontends.numpy.trace import trace
from graphc.ir.interpret import interpret

X = np.random.default_rng(2).normal(size=(12, 3))


def sum_in_place_in_a_list(X):
    h = np.zeros(3)
    hs = []
    for r in X:
        h += r
        hs.append(h)
    return np.stack(hs)


def changed_after_it_is_in_a_list(X):
    h = np.zeros(3)
    hs = []
    for r in X:
        h = np.sin(h) + r
        hs.append(h)
        h *= 0.5
    return np.stack(hs)


def changed_in_the_next_step(X):
    h = np.zeros(3)
    hs = []
    for r in X:
        h *= 0.5
        h = np.sin(h) + r
        hs.append(h)
    return np.stack(hs)


def element_is_written(X):
    hs = []
    for r in X:
        hs.append(r * 2)
    hs[0][:] = 7.0
    return np.stack(hs)


def last_element_is_written(X):
    h = np.zeros(3)
    hs = []
    for r in X:
        h = np.sin(h) + r
        hs.append(h)
    h[0] = 9.0
    return np.stack(hs)


def source_of_the_rows_is_written(X):
    Y = X.copy()
    rows = [r for r in Y]  # noqa: C416
    Y[0] = 5.0
    return np.stack(rows)


def name_of_what_is_changed(X):
    h = np.zeros(3)
    prev = h
    for r in X:
        prev = h
        h += r
    return prev + h


def swapped_and_changed(X):
    a = np.zeros(3)
    b = np.ones(3)
    for r in X:
        a, b = b, a + r
        a *= 0.5
    return a + 2 * b


PROGRAMS = (
    sum_in_place_in_a_list, changed_after_it_is_in_a_list, changed_in_the_next_step, element_is_written,
    last_element_is_written, source_of_the_rows_is_written, name_of_what_is_changed, swapped_and_changed,
)  # fmt: skip


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda f: f.__name__)
def test_the_value_is_that_of_the_function(function):
    graph = trace(function, {"X": X}).graph
    np.testing.assert_allclose(interpret(graph, {"X": X})[0], function(X.copy()), rtol=1e-12)


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda f: f.__name__)
def test_without_examples_it_is_so_or_an_error(function):
    try:
        graph = trace(function, {"X": "n 3"}).graph
    except gc.GraphcError:
        return
    np.testing.assert_allclose(interpret(graph, {"X": X})[0], function(X.copy()), rtol=1e-12)


def test_an_array_of_the_elements_is_a_new_one():
    def f(x):
        out = []
        for v in x:
            out.append(v * v)
        rows = np.stack(out)
        rows[0] = 1.0
        return rows.sum() + out[0]

    graph = trace(f, {"x": "n"}).graph
    np.testing.assert_allclose(interpret(graph, {"x": X[0]})[0], f(X[0]), rtol=1e-12)
