"""What cannot be traced says so: at the user's line, with the words to write instead.

Each function stands for an idiom. The table at the end says which error it gets, the text that the
carets are under, and what the hint begins with.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import graphc as gc

X = np.arange(12.0).reshape(4, 3) / 5 - 1
OUTSIDE = np.zeros(3)
WEIGHTS = [1.0, 2.0, 3.0, 4.0]


def truth_of_an_array(x: Any) -> Any:
    if x[0] > 0:
        return x
    return -x


def conditional_expression(x: Any) -> Any:
    return x.sum() if x[0] > 0 else 0.0


def while_loop(x: Any) -> Any:
    while x[0] > 1:
        x = x / 2
    return x


def assertion(x: Any) -> Any:
    assert np.isfinite(x.sum()), "not finite"
    return x.sum()


def membership(x: Any) -> Any:
    return 1.0 if 2.0 in x else x.sum()


def largest_by_key(x: Any) -> Any:
    return max(x[0], key=lambda t: t**2)


def innermost(a: Any, b: Any) -> Any:
    return a @ b


def inner(a: Any, b: Any) -> Any:
    c = 2 * a
    return innermost(c, b)


def middle(a: Any) -> Any:
    return np.sum(inner(a, np.ones(5)))


def outer(a: Any) -> Any:
    return [middle(a) for _ in range(2)][-1]


def shapes_five_calls_deep(x: Any) -> Any:
    return outer(x) + 1


def write_outside(x: Any) -> Any:
    OUTSIDE[0] = x[0, 0]
    return OUTSIDE.sum()


def update_outside(x: Any) -> Any:
    total = OUTSIDE
    total += x[0]
    return total.sum()


def result_outside(x: Any) -> Any:
    np.add(x[0], 1, out=OUTSIDE)
    return OUTSIDE.sum()


def add_outside(x: Any) -> Any:
    np.add.at(OUTSIDE, [0, 0], x[0, :2])
    return OUTSIDE.sum()


def unknown_function(x: Any) -> Any:
    return np.histogram(x)[0].sum()


def unknown_method(x: Any) -> Any:
    return len(x.tobytes())


def unknown_scipy(x: Any) -> Any:
    from scipy.special import jv

    return jv(2, x).sum()


def unique(x: Any) -> Any:
    return np.unique(x).sum()


def mask_returned(x: Any) -> Any:
    return x[x > 0]


def median_of_mask(x: Any) -> Any:
    return np.median(x[x > 0])


def two_masks(x: Any) -> Any:
    return (x[x > 0] + x[x < 1]).sum()


def length_of_mask(x: Any) -> Any:
    return len(x[x > 0])


def positions_of_mask(x: Any) -> Any:
    rows, columns = np.where(x > 0)
    return x[rows, columns].sum()


def slice_to_traced(x: Any) -> Any:
    n = np.argmax(x[:, 0])
    return x[:n].sum()


def range_of_traced(x: Any) -> Any:
    return sum(x[i, 0] for i in range(np.argmax(x[:, 0])))


def list_at_traced(x: Any) -> Any:
    return WEIGHTS[np.argmax(x[:, 0])] * x.sum()


def key_of_dict(x: Any) -> Any:
    return {0.0: 1.0}.get(x[0, 0], 2.0)


@lru_cache
def square(t: Any) -> Any:
    return t * t


def remembered(x: Any) -> Any:
    return square(x[0, 0])


def percent_format(x: Any) -> Any:
    message = "%.3f" % x.sum()  # noqa: UP031
    return len(message)


def random_numbers(x: Any) -> Any:
    return np.random.default_rng(0).normal(x).sum()


def global_random_numbers(x: Any) -> Any:
    return (x + np.random.randn(4, 3)).sum()


def pickled(x: Any) -> Any:
    return len(pickle.dumps(x))


def integer_array(x: Any) -> Any:
    counts = np.zeros(3, dtype=int)
    counts += x[0]
    return counts.sum()


def half_precision(x: Any) -> Any:
    return x.astype(np.float16).sum()


def string_returned(x: Any) -> Any:
    return f"{x.sum()}"


def nothing_returned(x: Any) -> Any:
    x.sum()


def endless(x: Any) -> Any:
    return endless(x)


def axis_outside(x: Any) -> Any:
    return x.sum(axis=2)


def position_outside(x: Any) -> Any:
    return x[9].sum()


def sizes_that_differ(x: Any) -> Any:
    return x + np.ones(7)


def rows_that_differ(x: Any) -> Any:
    return np.array([x[0], x[1, :2]])


def shape_set(x: Any) -> Any:
    x.shape = (12,)
    return x.sum()


WHERE = "write np.where(condition"
OUT = "make the array inside"
TRACED = "traced are NumPy functions"
REFUSED: list[tuple[Callable[..., Any], str, str, str]] = [
    (truth_of_an_array, "G043", "x[0] > 0", WHERE),
    (conditional_expression, "G043", "x[0] > 0", WHERE),
    (while_loop, "G043", "x[0] > 1", WHERE),
    (assertion, "G043", 'assert np.isfinite(x.sum()), "not finite"', WHERE),
    (membership, "G043", "2.0 in x", WHERE),
    (largest_by_key, "G043", "max(x[0], key=lambda t: t**2)", WHERE),
    (shapes_five_calls_deep, "G021", "a @ b", "the last size of the left operand"),
    (write_outside, "G043", "x[0, 0]", OUT),
    (update_outside, "G043", "total += x[0]", OUT),
    (result_outside, "G043", "np.add(x[0], 1, out=OUTSIDE)", OUT),
    (add_outside, "G043", "np.add.at(OUTSIDE, [0, 0], x[0, :2])", OUT),
    (unknown_function, "G044", "np.histogram(x)", "count with sums"),
    (unknown_method, "G044", "x.tobytes", TRACED),
    (unknown_scipy, "G044", "jv(2, x)", "`graphc ops` lists what is"),
    (unique, "G044", "np.unique(x)", "its result has no static shape"),
    (mask_returned, "G043", "def mask_returned(x: Any) -> Any:", "its size is not known: return np.where"),
    (median_of_mask, "G043", "np.median(x[x > 0])", "the number of chosen elements is not known"),
    (two_masks, "G043", "x[x > 0] + x[x < 1]", "the number of chosen elements is not known"),
    (length_of_mask, "G043", "len(x[x > 0])", "the number of chosen elements is not known"),
    (positions_of_mask, "G040", "np.where(x > 0)", "give it as numbers"),
    (slice_to_traced, "G043", "x[:n]", "a slice between traced positions"),
    (range_of_traced, "G043", "range(np.argmax(x[:, 0]))", TRACED),
    (list_at_traced, "G043", "WEIGHTS[np.argmax(x[:, 0])]", TRACED),
    (key_of_dict, "G043", "{0.0: 1.0}.get(x[0, 0], 2.0)", TRACED),
    (remembered, "G043", "square(x[0, 0])", TRACED),
    (percent_format, "G043", '"%.3f" % x.sum()', TRACED),
    (random_numbers, "G043", "np.random.default_rng(0).normal(x)", TRACED),
    (global_random_numbers, "G043", "np.random.randn(4, 3)", "draw random numbers outside"),
    (pickled, "G043", "pickle.dumps(x)", TRACED),
    (integer_array, "G070", "counts += x[0]", "write x = x + y"),
    (half_precision, "G030", "x.astype(np.float16)", "did you mean"),
    (string_returned, "G042", "def string_returned(x: Any) -> Any:", "return arrays, numbers"),
    (nothing_returned, "G042", "def nothing_returned(x: Any) -> Any:", "the function has no return statement"),
    (endless, "G003", "", "a recursion must end"),
    (axis_outside, "G022", "x.sum(axis=2)", ""),
    (position_outside, "G022", "x[9]", ""),
    (sizes_that_differ, "G021", "x + np.ones(7)", ""),
    (rows_that_differ, "G021", "np.array([x[0], x[1, :2]])", ""),
    (shape_set, "G043", "x.shape", TRACED),
]


@pytest.mark.parametrize(("function", "code", "place", "hint"), [pytest.param(*r, id=r[0].__name__) for r in REFUSED])
def test_an_error_at_the_line_of_the_user(function: Callable[..., Any], code: str, place: str, hint: str) -> None:
    before = OUTSIDE.copy()
    with pytest.raises(gc.GraphcError) as caught:
        gc.compile(function, {"x": X})
    error = caught.value
    assert error.code == code
    assert (error.hint or "").startswith(hint)
    underlined = error.span.source.text[error.span.start : error.span.end] if error.span else ""
    assert underlined == place
    assert "Tracer" not in str(error) and "Traced" not in str(error)
    np.testing.assert_array_equal(OUTSIDE, before)


def test_deep_shapes_are_named_as_the_user_names_them() -> None:
    with pytest.raises(gc.ShapeError, match=r"`c` is \(4, 3\) and the right operand is \(5,\)"):
        gc.compile(shapes_five_calls_deep, {"x": X})
    with pytest.raises(gc.ShapeError, match=r"`c` is \(n, d\) and the right operand is \(5,\)"):
        gc.compile(shapes_five_calls_deep, {"x": "n d"})


def test_printing_works(capsys: pytest.CaptureFixture[str]) -> None:
    def loss(x: Any) -> Any:
        total = x.sum()
        print("total", total, f"{total:.3f}", f"{x!r}", x.shape, x.shape[0])
        print(f"{np.ones(2)}")
        return total

    module = gc.compile(loss, {"x": "n d"})
    assert capsys.readouterr().out.splitlines() == [
        "total <traced f64[]> <traced f64[]> <traced f64[n, d]> (n, d) n",
        "[1. 1.]",
    ]
    assert module(X) == pytest.approx(X.sum())


def test_float_without_source() -> None:
    scope: dict[str, Any] = {"np": np}
    exec("def f(x):\n    return float(x.sum()) * 2.0", scope)
    assert gc.compile(scope["f"], {"x": X})(X) == pytest.approx(2 * X.sum())
    exec("import builtins\ndef f(x):\n    return builtins.float(x.sum()) * 2.0", scope)
    with pytest.raises(gc.UnsupportedError, match="float"):
        gc.compile(scope["f"], {"x": X})


def test_what_the_code_does_with_a_decision_does_not_stop_it() -> None:
    """Sizes are decided by an exception; a bare except and a failing finally do not swallow it."""

    def loss(x: Any) -> Any:
        try:
            total = 0.0
            for i in range(x.shape[0]):
                total += x[i].sum()
        except:  # noqa: E722
            total = -1.0
        finally:
            done = total
        return done

    assert gc.compile(loss, {"x": X})(X) == pytest.approx(X.sum())
