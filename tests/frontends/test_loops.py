"""Loops of traced functions: rolled where that can be, with the values of the function itself."""

import inspect
from collections import deque

import numpy as np
import pytest
from traced_loops import ROLLED, TYPES, VALUES

import graphc as gc
from graphc.frontends.numpy.trace import trace
from graphc.ir.interpret import interpret
from graphc.ir.verify import verify


def arguments(function, dtype="float64"):
    names = inspect.signature(function).parameters
    types = {n: TYPES[n] if dtype == "float64" else f"f32[{TYPES[n] or ''}]" for n in names}
    values = {n: np.asarray(VALUES[n], dtype) if np.ndim(VALUES[n]) else np.dtype(dtype).type(VALUES[n]) for n in names}
    return types, values


def loops_of(graph):
    return [n for n in graph.nodes if n.op.name == "loop"]


def check(function, types, values, rtol):
    graph = verify(trace(function, types).graph)
    wanted = function(**{k: v.copy() if np.ndim(v) else v for k, v in values.items()})
    for got, value in zip(interpret(graph, values), wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
        np.testing.assert_allclose(got, value, rtol=rtol, atol=rtol)
        assert got.dtype == np.asarray(value).dtype
    return graph


@pytest.mark.parametrize("function", ROLLED, ids=lambda f: f.__name__)
def test_a_loop_over_sizes_that_are_names_is_rolled(function):
    graph = check(function, *arguments(function), 1e-12)
    assert len(loops_of(graph)) == ROLLED[function]


@pytest.mark.parametrize("function", ROLLED, ids=lambda f: f.__name__)
def test_examples_of_different_lengths_give_the_same_graph(function):
    _, values = arguments(function)
    small = trace(function, values).graph
    larger = {k: np.concatenate([v, v]) if k in "XYy" else v for k, v in values.items()}
    large = trace(function, larger).graph
    assert small.outputs == large.outputs
    check(function, larger, larger, 1e-12)


@pytest.mark.parametrize("function", ROLLED, ids=lambda f: f.__name__)
def test_the_compiled_loop_has_the_value_and_the_gradient(function):
    types, values = arguments(function)
    module = gc.compile(function, types)
    wanted, found = function(**values), module(**values)
    for got, value in zip(*(v if isinstance(v, tuple) else (v,) for v in (found, wanted)), strict=True):
        np.testing.assert_allclose(got, value, rtol=1e-10, atol=1e-12)
    if all(np.asarray(v).dtype.kind == "f" for v in (wanted if isinstance(wanted, tuple) else (wanted,))):
        gc.check_grads(module, values)


SINGLE = [
    f for f in ROLLED if f.__name__ not in ("array_of_states", "gram", "kalman", "substitution", "weighed_by_the_index")
]


@pytest.mark.parametrize("function", SINGLE, ids=lambda f: f.__name__)
def test_single_precision_stays(function):
    check(function, *arguments(function, "float32"), 3e-5)


def test_the_index_and_the_variables_have_the_names_of_the_user():
    from traced_loops import lstm

    [loop] = loops_of(trace(lstm, arguments(lstm)[0]).graph)
    assert loop["index"] == "t" and set(loop["body"].names.values()) >= {"z", "gate", "new", "c", "h"}
    assert [loop["body"].names[p] for p in loop["body"].inputs[:2]] == ["c", "h"]


def test_a_name_that_a_size_has_is_not_taken():
    def f(x):
        for n in range(len(x)):
            x = x * n
        return x

    [loop] = loops_of(trace(f, {"x": "n"}).graph)
    assert loop["index"] == "n2"


def test_short_and_known_loops_are_written_out():
    def f(x):
        factorial = 1.0
        for i in range(1, 15):
            factorial *= i
        for _ in range(8):
            x = np.sin(x)
        return x / factorial

    assert not loops_of(trace(f, {"x": "n"}).graph)


def test_what_cannot_be_rolled_is_written_out_as_before():
    def f(x):
        layers = [1.0, 2.0] * 5
        for i in range(10):
            x = np.sin(x * layers[i])
        return x

    graph = check(f, {"x": "n"}, {"x": np.ones(3)}, 1e-15)
    assert not loops_of(graph)


def deque_is_changed(x):
    recent = deque([0.0, 0.0], maxlen=2)
    for v in x:
        recent.append(0.5 * recent[-1] + v)
    return recent[-1]


def list_of_a_class_is_changed(x):
    class Stack(list):
        pass

    stack = Stack()
    for v in x:
        stack.append(v)
    return stack[0] + stack[-1]


def objects_are_changed(x):
    cells = np.empty(2, dtype=object)
    cells[0] = 0.0
    for v in x:
        cells[0] = cells[0] + v
    return cells[0]


def elements_are_exchanged(x):
    rows = []
    for v in x:
        rows.append(np.sin(v))
    rows[0], rows[-1] = rows[-1], rows[0]
    return rows[0] - 2 * rows[-1]


def random_numbers(x):
    rng = np.random.default_rng(0)
    total = 0.0
    for v in x:
        total += v * rng.normal()
    return total


def first_step_differs(x):
    last = None
    for v in x:
        last = v if last is None else np.tanh(last + v)
    return last


@pytest.mark.parametrize(
    "function",
    [deque_is_changed, list_of_a_class_is_changed, objects_are_changed, elements_are_exchanged, random_numbers,
     first_step_differs],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_with_examples_what_can_not_be_rolled_is_written_out(function):
    values = {"x": np.linspace(-1.0, 1.5, 11)}
    graph = check(function, values, values, 1e-13)
    assert not loops_of(graph)
    with pytest.raises(gc.GraphcError):
        trace(function, {"x": "n"})


def test_a_value_of_a_step_does_not_come_out_unseen():
    class Hidden:
        value = 0.0

    def f(x):
        for v in x:
            Hidden.value = v
        return Hidden.value

    with pytest.raises(gc.UnsupportedError, match="a value of one step of a loop is used outside of it"):
        trace(f, {"x": "n"})


def test_a_list_that_a_loop_has_filled_is_returned_as_an_array():
    with pytest.raises(gc.UnsupportedError, match="as many elements as a loop has steps") as caught:
        trace(lambda x: [np.sin(v) for v in x], {"x": "n"})
    assert "np.stack" in (caught.value.hint or "")
    values = {"x": np.ones(10)}  # a list, if its length is known
    assert len(gc.compile(lambda x: [np.sin(v) for v in x], values)(**values)) == 10


def test_an_error_says_what_could_not_be_carried():
    def f(x):
        last = None
        for v in x:
            last = v
        return last

    with pytest.raises(gc.UnsupportedError, match="`last` is None before the loop") as caught:
        trace(f, {"x": "n"})
    assert "for v in x:" in str(caught.value)


def test_a_user_s_error_in_a_step_is_his():
    def f(x):
        for _ in range(len(x)):
            x = x @ np.ones(3)
        return x

    with pytest.raises(gc.ShapeError, match="@"):
        trace(f, {"x": "n"})
