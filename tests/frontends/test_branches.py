"""Branches, `while`, `break` and early `return` of traced functions do what the function itself does."""

import inspect

import numpy as np
import pytest

import graphc as gc
from graphc.frontends.numpy.trace import trace
from graphc.ir.interpret import interpret
from graphc.ir.verify import verify
from tests.frontends.branch_programs import PROGRAMS, TYPES, X, running_maximum


def types_of(function):
    types = {n: TYPES[n] for n in inspect.signature(function).parameters}
    return {**types, "x": "6"} if function.__name__ == "written_in_branches" else types


def compare(graph, function, values):
    wanted = function(**values)
    for got, value in zip(interpret(graph, values), wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
        np.testing.assert_allclose(got, value, rtol=1e-12)
        assert got.dtype == np.asarray(value).dtype


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda f: f.__name__)
def test_every_side_has_the_value_of_the_function(function):
    graph = verify(trace(function, types_of(function)).graph)
    for values in PROGRAMS[function]:
        compare(graph, function, values)


# At these values of `a`, and at the rows of X, the function has a kink or a jump; a search has the derivative 0.
KINKS = {
    "three_ways": (0.0,), "only_one_side": (0.0,), "falls_back": (0.0,), "alias_and_copy": (0.0,), "halved": (2.0,),
}  # fmt: skip
SEARCHES = {"bisection", "bisection_until"}


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda f: f.__name__)
def test_the_compiled_function_has_the_value_and_the_gradient(function):
    module = gc.compile(function, types_of(function))
    for values in PROGRAMS[function]:
        wanted, found = function(**values), module(**values)
        results = wanted if isinstance(wanted, tuple) else (wanted,)
        for got, value in zip(found if isinstance(found, tuple) else (found,), results, strict=True):
            np.testing.assert_allclose(got, value, rtol=1e-10)
        smooth = values.get("a") not in KINKS.get(function.__name__, ()) and "X" not in values
        real = all(np.asarray(v).dtype.kind == "f" for v in (*results, *values.values()))
        if smooth and real and function.__name__ not in SEARCHES:
            gc.check_grads(module, values)


def test_numbers_that_are_there_already_are_chosen_without_a_branch():
    [loop] = [n for n in trace(running_maximum, {"x": "n"}).graph.nodes if n.op.name == "loop"]
    assert "branch" not in [n.op.name for n in loop["body"].graph.nodes]


def no_value(x):
    if x[0] > 0:
        y = x
    return np.sum(y)


def two_shapes(x):
    y = x if x[0] > 0 else x.sum() * np.ones(3)
    return np.sum(y)


def condition_of_an_array(x):
    if x > 0:
        return x
    return -x


def raises(x):
    if x[0] > 0:
        raise ValueError("negative numbers only")
    return x


def no_return(x):
    if x[0] > 0:
        return x


def two_lengths(x):
    out = [x]
    if x[0] > 0:
        out.append(2 * x)
    return np.concatenate(out)


@pytest.mark.parametrize(
    ("function", "message", "place"),
    [
        (no_value, "`y` has no value where a traced condition is false", "np.sum(y)"),
        (two_shapes, "`what is returned` is of two kinds", "x[0] > 0"),
        (condition_of_an_array, "the truth value of a traced value", "x > 0"),
        (raises, "one side of a branch raises ValueError: negative numbers only", "x[0] > 0"),
        (no_return, "the function returns nothing where", "x[0] > 0"),
    ],
    ids=lambda v: getattr(v, "__name__", None),
)
def test_an_error_says_what_a_branch_can_not_do(function, message, place):
    with pytest.raises(gc.UnsupportedError) as caught:
        trace(function, {"x": "n"})
    assert message in caught.value.message
    span = caught.value.span
    assert span.source.text[span.start : span.end] == place


def test_a_list_that_one_side_makes_longer_is_no_list_any_more():
    with pytest.raises(gc.UnsupportedError, match="a list is longer on one side of a branch"):
        trace(two_lengths, {"x": "n"})


def test_what_a_branch_chose_may_be_another_array():
    def f(x):
        y = x.copy() if x[0] > 0 else x
        y[0] = 1.0
        return np.sum(y) + x[0]

    with pytest.raises(gc.UnsupportedError, match="may be a view"):
        trace(f, {"x": "n"})


def test_the_branches_of_known_conditions_are_decided_as_before():
    def f(x, deep):
        return np.sin(x) if deep and len("ab") == 2 else x

    assert [n.op.name for n in trace(f, {"x": "n", "deep": gc.frontends.numpy.signature.Static(True)}).graph.nodes] == [
        "input",
        "sin",
    ]


def test_the_values_compare_with_python_on_examples_too():
    graph = trace(running_maximum, {"x": X}).graph
    compare(graph, running_maximum, {"x": X[::-1]})
