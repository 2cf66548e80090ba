"""What variables are after a rolled loop: the values of its last step, in the memory that NumPy has them in.

Who writes to one of two names of an array writes to the other, and to the array that it is a view of.
"""

import numpy as np
import pytest

import graphc as gc

X = np.random.default_rng(5).normal(size=(11, 3))


def view_of_memory_that_is_written(x, c):
    a = np.zeros((x.shape[0], 3))
    for i in range(x.shape[0]):
        row = a[i]
        row += x[i] * c
    row[0] = 5.0
    return a


def memory_whose_view_is_left(x, c):
    a = np.zeros((x.shape[0], 3))
    for i in range(x.shape[0]):
        row = a[i]
        a[i] = x[i] * c
    a[-1] = c
    return a * row


def memory_itself(x, c):
    a = np.zeros((x.shape[0], 3))
    for i in range(x.shape[0]):
        a[i] = x[i] * c
        b = a
    b[0] = 5.0
    return a


def two_names_of_what_is_carried(x, c):
    h = np.zeros(3)
    for i in range(x.shape[0]):
        new = np.tanh(h + x[i])
        h = new
    h *= 2.0
    return h * new * c


def two_names_of_a_local(x, c):
    for i in range(x.shape[0]):
        y = x[i] * c
        z = y
    z[0] = 5.0
    return y


def two_carried_names(x, c):
    h = g = np.zeros(3)
    for i in range(x.shape[0]):
        h = g = np.sin(h + x[i])
    h[0] = c
    return g * 2.0


def view_of_what_is_carried(x, c):
    h = np.zeros(3)
    for i in range(x.shape[0]):
        h = np.tanh(h + x[i])
        top = h[:2]
    h[0] = c
    return top * h[1]


def view_of_a_local(x, c):
    for i in range(x.shape[0]):
        h = np.tanh(x[i])
        top = h[:2]
    top[0] = c
    return top * h[0]


def what_was_carried_before(x, c):
    h = x[0] * 1.0
    for i in range(x.shape[0]):
        old = h
        h = np.sin(h + x[i])
    h[1] = 2.0
    return old * h * c


def name_of_an_input(x, c):
    s = 0.0
    for i in range(x.shape[0]):
        k, y = c, x
        s = s + x[i, 0] * k
    return s * k + y


def copy_of_an_input(x, c):
    s = 0.0
    for i in range(x.shape[0]):
        y = x.copy()
        s = s + y[i, 1]
    y[0, 0] = 3.0
    return y * s * c + x


def rows_so_far(x, c):
    for i in range(x.shape[0]):
        y = x[: i + 1]
    return y.sum() * c


def view_of_a_row_backwards(x, c):
    for i in range(x.shape[0] - 1, -1, -1):
        y = x[i].reshape(3, 1)
    return y * c


def view_of_an_outer_loop(x, c):
    a = x * 2.0
    s = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[0]):
            row, outer = a[j] * x[i], a[i]
        s = s + row.sum() + outer[1]
    return s * c + outer


def row_where_a_step_ends_it(x, c):
    s = 0.0
    for i in range(x.shape[0]):
        y, z = x[i], x
        s = s + y[0] ** 2
        if s > 2.0:
            break
    return s * c + y * z[0]


PROGRAMS = (
    view_of_memory_that_is_written, memory_whose_view_is_left, memory_itself, two_names_of_what_is_carried,
    two_names_of_a_local, two_carried_names, view_of_what_is_carried, view_of_a_local, what_was_carried_before,
    name_of_an_input, copy_of_an_input, rows_so_far, view_of_a_row_backwards, view_of_an_outer_loop,
    row_where_a_step_ends_it,
)  # fmt: skip


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda f: f.__name__)
def test_value_and_gradient_are_those_of_the_function(function):
    model = gc.compile(function, {"x": "n 3", "c": "f64"}, wrt=["x", "c"])
    values = {"x": X, "c": 1.5}
    np.testing.assert_allclose(model(**values), function(X.copy(), 1.5), rtol=1e-12)
    gc.check_grads(model, values)


def appended_and_written(x):
    out = []
    for i in range(x.shape[0]):
        y = x[i] * 2.0
        out.append(y)
    y[0] = 7.0
    return np.stack(out)


def row_of_an_ended_loop_is_written(x):
    a, s = x * 1.0, 0.0
    for i in range(x.shape[0]):
        y = a[i]
        s = s + y[0] ** 2
        if s > 2.0:
            break
    y[1] = 7.0
    return a


@pytest.mark.parametrize("function", [appended_and_written, row_of_an_ended_loop_is_written])
def test_a_write_whose_target_is_not_known_is_an_error(function):
    with pytest.raises(gc.UnsupportedError, match="G040"):
        gc.compile(function, {"x": "n 3"})


def test_steps_that_are_written_out_know_the_target():
    model = gc.compile(appended_and_written, {"x": X})
    np.testing.assert_array_equal(model(x=X), appended_and_written(X))
