"""Sorting, positions and counts against NumPy; gradients follow the permutation."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import agree

import graphc as gc
from graphc.expr.functions import FUNCTIONS
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import const_node, input_node
from graphc.ir.types import TensorType

RNG = np.random.default_rng(5)
V = RNG.permutation(np.linspace(-1.5, 2.0, 6))
M = RNG.permutation(np.linspace(-1.5, 2.0, 12)).reshape(3, 4)
T = RNG.permutation(np.linspace(-1.5, 2.0, 24)).reshape(2, 3, 4)
K = np.array([[3, -1, 2, 3], [0, 5, -4, 0]])
EDGES = np.array([-1.0, 0.0, 0.5, 1.5])


@pytest.mark.parametrize(("x", "axis"), [(V, 0), (V, -1), (M, 0), (M, 1), (M, None), (T, 1), (T, None)])
def test_sort(x, axis):
    agree(f"sort(x, axis={axis})", lambda x: np.sort(x, axis=axis), x=x)
    agree(f"argsort(x, axis={axis})", lambda x: np.argsort(x, axis=axis), x=x, gradients=False)


@pytest.mark.parametrize("dtype", ["int64", "int32", "bool"])
def test_sort_of_integers(dtype):
    x = K.astype(dtype)
    agree("sort(x)", np.sort, x=x, gradients=False)
    agree("argsort(x, 0)", lambda x: np.argsort(x, 0, kind="stable"), x=x, gradients=False)


@pytest.mark.parametrize("x", [[np.nan, 1.0, -np.inf, np.nan, np.inf], [0.0, -0.0], []])
def test_sort_at_special_points(x):
    agree("sort(x)", np.sort, x=np.array(x, dtype=float), gradients=False)


def test_ties_keep_their_order():
    found = gc.compile("sum(w * sort(x))", inputs={"x": "n", "w": "n"}).value_and_grad(
        np.array([3.0, 1.0, 1.0]), np.array([1.0, 10.0, 100.0])
    )
    assert found[0] == 311.0
    assert found[1].x.tolist() == [100.0, 1.0, 10.0] and found[1].w.tolist() == [1.0, 1.0, 3.0]


@pytest.mark.parametrize(("kth", "axis"), [("1", -1), ("-2", 0), ("(0, 2)", 1), ("2", None)])
def test_partition(kth, axis):
    place = eval(kth)
    agree(f"partition(x, {kth}, axis={axis})", lambda x: np.partition(x, place, axis=axis), x=M)
    agree(f"argpartition(x, {kth}, axis={axis})", lambda x: np.argpartition(x, place, axis=axis), x=M, gradients=False)


def test_partition_at_a_named_size():
    module = gc.compile("x: f64[n]\nreturn partition(x, n // 2)[n // 2]")
    assert module(V) == np.sort(V)[3]
    with pytest.raises(ValueError, match="n - 5 must be at least 1, got 0"):
        gc.compile("partition(x, 5)", inputs={"x": "n"})(V[:5])


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
def test_positions(name, dtype):
    f = getattr(np, name)
    for x in (V, M, T):
        x = (x * 3).astype(dtype)
        for axis in (None, *range(x.ndim)):
            agree(f"{name}(x, axis={axis})", lambda x, a=axis: f(x, axis=a), x=x, gradients=False)
        agree(f"{name}(x, 0, keepdims=True)", lambda x: f(x, 0, keepdims=True), x=x, gradients=False)
    agree(f"{name}(x)", f, x=np.array(2.0), gradients=False)
    agree(f"{name}(x)", f, x=np.array([1.0, np.nan, 5.0]), gradients=False)


def test_a_position_reads_an_element():
    agree("x[argmax(x)]", lambda x: x[np.argmax(x)], x=V)


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(side):
    a, v = (input_node(n, TensorType("float64", s)) for n, s in (("a", (4,)), ("v", (3, 4))))
    found = FUNCTIONS["searchsorted"].call(a, v, side=side)
    values = np.array([[-2.0, -1.0, 0.5, 9.0], [np.nan, np.inf, -np.inf, 0.0], [1.5, 1.4, 0.1, -1.1]])
    (got,) = interpret(Graph((a, v), (found,), ("out",)), {"a": EDGES, "v": values})
    np.testing.assert_array_equal(got, np.searchsorted(EDGES, values, side=side))


def test_bins():
    agree("searchsorted(a, v)", np.searchsorted, a=EDGES, v=M, gradients=False)
    agree("searchsorted(a, 0.25)", lambda a: np.searchsorted(a, 0.25), a=EDGES, gradients=False)
    agree("digitize(x, b)", np.digitize, x=M, b=EDGES, gradients=False)
    agree("digitize(x, b)", np.digitize, x=M, b=EDGES[::-1].copy(), gradients=False)
    agree("digitize(x, b, right=True)", lambda x, b: np.digitize(x, b, right=True), x=M, b=EDGES, gradients=False)


def test_bincount():
    i = np.array([0, 3, 1, 1, 3, 1])
    agree("bincount(i, minlength=6)", lambda i: np.bincount(i, minlength=6), i=i, gradients=False)
    agree("bincount(i, w, 6)", lambda i, w: np.bincount(i, w, 6), i=i, w=V, single=False)
    agree("bincount(i, w, 6)", lambda i, w: np.bincount(i, w, 6), i=i.astype("int32"), w=V, single=False)
    agree("bincount(i, w, 6)", lambda i, w: np.bincount(i, w, 6).astype("f4"), i=i, w=V.astype("f4"), gradients=False)
    assert FUNCTIONS["bincount"].call(const_node([0, 2, 2], "int64")).shape == (3,)
    with pytest.raises(ValueError, match="every element must be from 0 to 2"):
        gc.compile("bincount(i, minlength=3)", inputs={"i": "int n"})(i)
    with pytest.raises(ValueError, match="every element must be from 0 to 3"):
        gc.compile("bincount(i, minlength=4)", inputs={"i": "int n"})(-i)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sort(x, axis=2)", "G022"),
        ("sort(sum(x))", "G022"),
        ("argmax(x, axis=(0, 1))", "G022"),
        ("argmax(zeros((0, 2)))", "G021"),
        ("argmax(x, keepdims=1)", "G030"),
        ("partition(ones(3), 3)", "G022"),
        ("partition(x, 0.5)", "G030"),
        ("searchsorted(x, x)", "G021"),
        ("digitize(x, x)", "G021"),
        ("bincount(x)", "G030"),
        ("bincount(i)", "G040"),
        ("bincount(i, minlength=9000000000000)", "G003"),
        ("bincount(i, x[0], 3)", "G021"),
        ("bincount(i > 0, minlength=2)", "G030"),
    ],
)
def test_what_is_refused(text, code):
    with pytest.raises(gc.GraphcError) as caught:
        gc.parse(text, {"x": "n m", "i": "int k"})
    assert caught.value.code == code
