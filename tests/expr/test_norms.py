"""Norms against NumPy, and their slopes at 0."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import agree

import graphc as gc
from graphc.expr.functions import FUNCTIONS
from graphc.ir.graph import Graph
from graphc.ir.leaf import input_node
from graphc.ir.types import TensorType

RNG = np.random.default_rng(8)
V = RNG.normal(size=5)
M = RNG.normal(size=(3, 4))
T = RNG.normal(size=(2, 3, 4))


def by_order(name, x, ord, **options):
    """With infinite orders, which the text language has no word for."""
    node = input_node("x", TensorType(str(x.dtype), x.shape))
    made = FUNCTIONS[name].call(node, ord=ord, **options)
    return gc.compile(Graph(inputs=(node,), outputs=(made,), output_names=("y",)))


@pytest.mark.parametrize(
    ("x", "options"),
    [
        *((x, o) for x in (V, M, T) for o in ("", ", axis=0", ", axis=-1, keepdims=True")),
        *((x, ", axis=(0, 1)") for x in (M, T)),
        (T, ", None, (2, 0)"),
    ],
)
def test_the_euclidean_norm(x, options):
    agree(f"np.linalg.norm(x{options})", lambda x: eval(f"np.linalg.norm(x{options})"), x=x)


@pytest.mark.parametrize("ord", [1, 2, 3, 2.5, 0.5, -1])
@pytest.mark.parametrize(("x", "axis"), [(V, 0), (M, 1), (T, 1)])
def test_orders_of_vectors(ord, x, axis):
    for keep in (False, True):
        text = f"np.linalg.norm(x, {ord}, {axis}, {keep})"
        agree(text, lambda x, k=keep: np.linalg.norm(x, ord, axis, k), x=x, single=ord != -1)


@pytest.mark.parametrize("ord", [1, -1, 2, -2, "fro", "nuc"])
@pytest.mark.parametrize(("x", "axes"), [(M, (0, 1)), (M, (1, 0)), (T, (1, 2)), (T, (2, 0))])
def test_orders_of_matrices(ord, x, axes):
    for keep in (False, True):
        text = f"np.linalg.norm(x, {ord!r}, {axes}, {keep})"
        agree(text, lambda x, k=keep: np.linalg.norm(x, ord, axes, k), x=x, second=not keep)


@pytest.mark.parametrize("ord", [np.inf, -np.inf])
def test_infinite_orders(ord):
    for x, options in [(V, {}), (M, {}), (M, {"axis": 1}), (T, {"axis": (0, 2), "keepdims": True})]:
        module = by_order("linalg.norm", x, ord, **options)
        np.testing.assert_array_equal(module(x), np.linalg.norm(x, ord, **options))
        gc.check_grads(module, {"x": x})


def test_norms_of_the_array_standard():
    agree("np.linalg.vector_norm(x)", np.linalg.vector_norm, x=T)
    agree("np.linalg.vector_norm(x, axis=(0, 2))", lambda x: np.linalg.vector_norm(x, axis=(0, 2)), x=T)
    agree("np.linalg.vector_norm(x, ord=1)", lambda x: np.linalg.vector_norm(x, ord=1), x=T)
    four = RNG.normal(size=(2, 1, 2, 3))
    agree("np.linalg.vector_norm(x, axis=(0, 2, 3))", lambda x: np.linalg.vector_norm(x, axis=(0, 2, 3)), x=four)
    agree("np.linalg.matrix_norm(x)", np.linalg.matrix_norm, x=T)
    agree("np.linalg.matrix_norm(x, ord='nuc')", lambda x: np.linalg.matrix_norm(x, ord="nuc"), x=T)


def test_the_order_0_counts():
    agree("np.linalg.norm(x, 0)", lambda x: np.linalg.norm(x, 0), x=np.array([0.0, 2.0, -1.0]), gradients=False)


@pytest.mark.parametrize("ord", [None, 1, 2, 3, 0.5, np.inf, 1.5])
def test_the_slope_at_0_is_0(ord):
    module = by_order("linalg.norm", np.zeros(3), ord)
    with np.errstate(all="raise"):
        value, gradient = module.value_and_grad(np.zeros(3))
    assert value == 0.0
    assert gradient.x.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("ord", [1, 1.5, 2, 3, 0.5])
def test_the_slope_at_a_zero_among_others_is_finite(ord):
    module = by_order("linalg.norm", np.zeros(3), ord)
    with np.errstate(all="raise"):
        slope = module.grad(np.array([3.0, 0.0, -3.0])).x
    assert slope[1] == 0.0 and slope[0] == -slope[2] > 0.0


@pytest.mark.parametrize("shape", [(3,), (2, 2)])
def test_second_derivatives_at_0_are_finite(shape):
    module = gc.compile(gc.gradient(gc.parse("np.linalg.norm(x)**2", {"x": f"f64{list(shape)}"}), ["x"]), wrt=("x",))
    _, saved = module.forward(x=np.zeros(shape), dout=1.0)
    assert np.isfinite(module.backward(saved, np.ones(shape)).x).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("np.linalg.norm(x, 'nuc')", "one axis or two"),
        ("np.linalg.norm(x, 'abc', axis=(0, 1))", "no order abc"),
        ("np.linalg.norm(x, 3, axis=(0, 1))", "no order 3"),
        ("np.linalg.norm(x, 'fro', axis=0)", "no order fro"),
        ("np.linalg.norm(x, axis=5)", "axis 5"),
        ("np.linalg.matrix_norm(sum(x))", "needs a matrix"),
    ],
)
def test_refusals(text, message):
    with pytest.raises(gc.GraphcError, match=message):
        gc.compile(f"sum({text})", {"x": "f64[2, 3, 4]"})
