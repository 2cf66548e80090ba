"""What records say of special points: whoever has a kink says something, and what is said is so.

absolute     conventions "derivative 0 at 0"      at([0.0]) has the gradient 0
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import samples as catalogue

from graphc.autodiff import gradient
from graphc.expr import build
from graphc.ir.graph import Graph
from graphc.ir.index import Array, Index
from graphc.ir.interpret import evaluate_node, interpret
from graphc.ir.leaf import const_node, input_node
from graphc.ir.node import Node, make
from graphc.ir.types import TensorType
from graphc.ops import REGISTRY

inf, nan, pi = math.inf, math.nan, math.pi
FLAT = "derivative 0 everywhere"
SAID = [n for n, op in REGISTRY.items() if op.conventions]


def inputs_of(arrays: Sequence[np.ndarray]) -> list[Node]:
    return [input_node(f"x{i}", TensorType(str(a.dtype), a.shape)) for i, a in enumerate(arrays)]


def pulled(node: Node, inputs: Sequence[Node], arrays: Sequence[np.ndarray], ct: np.ndarray) -> list[np.ndarray]:
    """The gradients of the floating-point inputs for a cotangent."""
    wrt = [i["name"] for i in inputs if i.type.is_float]
    back = gradient(Graph(tuple(inputs), (node,), ("out",)), wrt)
    values = {i["name"]: a for i, a in zip(inputs, arrays, strict=True)}
    with np.errstate(all="ignore"):
        return interpret(back, {**values, "dout": ct})


# --- whoever has a kink says so ---

DIFFERENTIABLE = [n for n, op in REGISTRY.items() if op.adjoint is not None or any(op.partials or ())]
STEP = 1e-7


def one_sided(node: Node, arrays: Sequence[np.ndarray], way: Sequence[np.ndarray], sign: float) -> float:
    moved = [a + sign * STEP * v if a.dtype == np.float64 else a for a, v in zip(arrays, way, strict=True)]
    with np.errstate(all="ignore"):
        change = evaluate_node(node, moved, {}) - evaluate_node(node, list(arrays), {})
    return sign * float(change.sum()) / STEP


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_whoever_has_a_kink_says_so(name: str) -> None:
    """Slopes to both sides along a random way, at zeros and at equal elements; what is not finite is a kink, too."""
    rng = np.random.default_rng([5, *name.encode()])
    kinks = []
    for sample in catalogue.samples(name):
        floats = [a.dtype == np.float64 for a in sample.args]
        if not any(floats) or sample.sizes or any(a.dtype == np.float32 for a in sample.args):
            continue
        node = make(REGISTRY[name], inputs_of(sample.args), **sample.attrs)
        if node.type.dtype != "float64" or not all(a.size for a in sample.args):
            continue
        way = [rng.uniform(0.5, 1.0, a.shape) * rng.choice([-1.0, 1.0], a.shape) for a in sample.args]
        for value in (0.0, 1.0):
            point = [np.full_like(a, value) if f else a for a, f in zip(sample.args, floats, strict=True)]
            try:
                slopes = [one_sided(node, point, way, sign) for sign in (1.0, -1.0)]
            except np.linalg.LinAlgError:
                slopes = [nan, nan]
            if not math.isclose(*slopes, rel_tol=1e-3, abs_tol=1e-3):
                kinks.append((value, sample, slopes))
    assert not kinks or REGISTRY[name].conventions, kinks[0]


# --- what is said is so ---

ALONG = {"axes": (0,), "keepdims": False}
LINE: dict[str, Any] = {"axis": 0}
TWICE = np.array([1, 1])
READ = {"index": Index((Array(0),))}
EYE, NONE = np.eye(2), np.zeros((2, 2))

# (op, arguments, attributes, cotangent, value, gradients): None is not compared.
POINTS: list[tuple[str, list[Any], dict[str, Any], Any, Any, list[Any]]] = [
    ("divide", [[1.0, -1.0, 0.0], [0.0, 0.0, 0.0]], {}, None, [inf, -inf, nan], [None, None]),
    ("power", [[2.0, 0.0], [0.0, 0.0]], {}, None, [1.0, 1.0], [[0.0, 0.0], [math.log(2.0), 0.0]]),
    ("power", [[0.0], [2.0]], {}, None, [0.0], [[0.0], [0.0]]),
    ("absolute", [[0.0, -0.0]], {}, None, [0.0, 0.0], [[0.0, 0.0]]),
    ("sign", [[0.0, 2.0]], {}, None, [0.0, 1.0], [[0.0, 0.0]]),
    ("sqrt", [[0.0, -1.0]], {}, None, [0.0, nan], [[inf, nan]]),
    ("reciprocal", [[0.0, -0.0]], {}, None, [inf, -inf], [None]),
    *((n, [[0.0, -1.0]], {}, None, [-inf, nan], [None]) for n in ("log", "log2", "log10")),
    ("log1p", [[-1.0, -2.0]], {}, None, [-inf, nan], [None]),
    ("arcsin", [[1.0, -1.0, 2.0]], {}, None, [pi / 2, -pi / 2, nan], [[inf, inf, nan]]),
    ("arccos", [[1.0, -1.0, 2.0]], {}, None, [0.0, pi, nan], [[-inf, -inf, nan]]),
    ("relu", [[0.0]], {}, None, [0.0], [[0.0]]),
    *((n, [[2.0, 2.5]], {}, None, None, [[0.0, 0.0]]) for n in ("floor", "ceil", "rint", "trunc", "stop_gradient")),
    ("log1mexp", [[0.0]], {}, None, [-inf], [[-inf]]),
    ("logexpm1", [[0.0]], {}, None, [-inf], [[inf]]),
    ("relative_entropy", [[0.0, 0.0], [2.0, 0.0]], {}, None, [0.0, 0.0], [[-inf, nan], [0.0, 0.0]]),
    ("xlogy", [[0.0, 0.0], [0.0, inf]], {}, None, [0.0, 0.0], [[-inf, inf], [0.0, 0.0]]),
    ("xlog1py", [[0.0, 0.0], [-1.0, inf]], {}, None, [0.0, 0.0], [[-inf, inf], [0.0, 0.0]]),
    ("cbrt", [[0.0]], {}, None, [0.0], [[inf]]),
    ("arccosh", [[1.0, 0.5]], {}, None, [0.0, nan], [[inf, nan]]),
    ("arctanh", [[1.0, -1.0]], {}, None, [inf, -inf], [[inf, inf]]),
    ("arctanh", [[2.0, -2.0]], {}, None, [nan, nan], [None]),
    ("sinc", [[0.0]], {}, None, [1.0], [[0.0]]),
    ("sinc_slope", [[0.0]], {"n": 1}, None, [-0.0], [[-pi * pi / 3]]),
    ("hypot", [[0.0], [0.0]], {}, None, [0.0], [[0.0], [0.0]]),
    ("arctan2", [[0.0], [0.0]], {}, None, [0.0], [[0.0], [0.0]]),
    *((n, [[-inf], [-inf]], {}, None, [-inf], [[0.5], [0.5]]) for n in ("logaddexp", "logaddexp2")),
    ("mod", [[3.0, -3.0, 1.0], [3.0, 3.0, 0.0]], {}, None, [0.0, 0.0, nan], [None, [-1.0, 1.0, None]]),
    ("fmod", [[3.0, -3.0, 1.0], [3.0, 3.0, 0.0]], {}, None, [0.0, -0.0, nan], [None, [-1.0, 1.0, None]]),
    ("floor_divide", [[1.0, 0.0, 3.0], [0.0, 0.0, 3.0]], {}, None, [inf, nan, 1.0], [[0.0] * 3, [0.0] * 3]),
    ("erfinv", [[1.0, -1.0]], {}, None, [inf, -inf], [[inf, inf]]),
    ("erfinv", [[2.0, -2.0]], {}, None, [nan, nan], [None]),
    ("erfcinv", [[0.0, 2.0]], {}, None, [inf, -inf], [[-inf, -inf]]),
    ("erfcinv", [[-1.0, 3.0]], {}, None, [nan, nan], [None]),
    ("mantissa", [[0.0, -0.0, 2.0]], {}, None, [0.0, -0.0, 0.5], [[1.0, 1.0, 0.25]]),
    ("mantissa", [[inf, nan]], {}, None, [inf, nan], [None]),
    ("exponent", [[0.0, inf, nan, 12.0]], {}, None, [0, 0, 0, 4], [[0.0] * 4]),
    ("spacing", [[inf, -inf]], {}, None, [nan, nan], [[0.0, 0.0]]),
    ("nextafter", [[0.0, 2.0], [-0.0, 2.0]], {}, None, [-0.0, 2.0], [[1.0, 1.0], [0.0, 0.0]]),
    ("gammaln", [[0.0, -1.0]], {}, None, [inf, inf], [None]),
    ("gamma", [[0.0, -0.0, -1.0]], {}, None, [inf, -inf, nan], [None]),
    ("digamma", [[0.0, -1.0]], {}, None, [nan, nan], [None]),
    ("polygamma", [[0.0, -1.0]], {"n": 1}, None, [nan, nan], [None]),
    ("bessel_ie", [[0.0]], {"n": 0}, None, [1.0], [[0.0]]),
    ("bessel_ie", [[0.0]], {"n": 1}, None, [0.0], [[0.5]]),
    ("logit", [[0.0, 1.0, 2.0]], {}, None, [-inf, inf, nan], [None]),
    *((n, [[3.0], [3.0]], {}, None, [3.0], [[0.5], [0.5]]) for n in ("maximum", "minimum", "fmax", "fmin")),
    *((n, [[nan, 1.0], [1.0, nan]], {}, None, [1.0, 1.0], [[0.0, 1.0], [1.0, 0.0]]) for n in ("fmax", "fmin")),
    ("clip", [[0.0, 0.5, 1.0]], {"lo": 0.0, "hi": 1.0}, None, [0.0, 0.5, 1.0], [[0.0, 1.0, 0.0]]),
    ("where", [[True, False], [1.0, nan], [inf, 2.0]], {}, None, [1.0, 2.0], [[1.0, 0.0], [0.0, 1.0]]),
    ("copysign", [[0.0], [-1.0]], {}, None, [-0.0], [[0.0], [0.0]]),
    ("heaviside", [[0.0], [0.5]], {}, None, [0.5], [[0.0], [1.0]]),
    ("max", [[7.0, 7.0, 1.0]], ALONG, None, 7.0, [[0.5, 0.5, 0.0]]),
    ("min", [[1.0, 1.0, 7.0]], ALONG, None, 1.0, [[0.5, 0.5, 0.0]]),
    ("prod", [[2.0, 0.0, 3.0]], ALONG, None, 0.0, [[0.0, 6.0, 0.0]]),
    ("prod", [[2.0, 0.0, 0.0]], ALONG, None, 0.0, [[0.0, 0.0, 0.0]]),
    ("prod_of_others", [[0.0, 0.0, 3.0]], {"axes": (0,)}, None, [0.0, 0.0, 0.0], [[3.0, 3.0, 0.0]]),
    ("std", [[3.0, 3.0]], {**ALONG, "ddof": 0}, None, 0.0, [[0.0, 0.0]]),
    ("logsumexp", [[-inf, -inf]], ALONG, None, -inf, [[nan, nan]]),
    ("softmax", [[-inf, -inf]], {"axes": (0,)}, None, [nan, nan], [None]),
    ("softmax", [[inf, 0.0]], {"axes": (0,)}, None, [nan, 0.0], [None]),
    ("log_softmax", [[-inf, -inf]], {"axes": (0,)}, None, [nan, nan], [None]),
    ("log_softmax", [[inf, 0.0]], {"axes": (0,)}, None, [nan, -inf], [None]),
    ("top", [[7.0, 7.0, 1.0]], {"axes": (0,)}, None, [7.0], [[0.5, 0.5, 0.0]]),
    ("top", [[inf, 0.0]], {"axes": (0,)}, None, [0.0], [[0.0, 0.0]]),
    ("overshoot", [[5.0, 0.0]], {"axes": (0,)}, None, [0.0], []),
    ("overshoot", [[inf, 0.0]], {"axes": (0,)}, None, [0.0], []),
    ("cumprod", [[2.0, 0.0, 3.0, 4.0]], LINE, None, [2.0, 0.0, 0.0, 0.0], [[1.0, 32.0, 0.0, 0.0]]),
    ("cummax", [[1.0, 3.0, 3.0]], LINE, None, [1.0, 3.0, 3.0], [[1.0, 1.5, 0.5]]),
    ("cummin", [[3.0, 1.0, 1.0]], LINE, None, [3.0, 1.0, 1.0], [[1.0, 1.5, 0.5]]),
    ("cumlogsumexp", [[-inf, -inf]], LINE, None, [-inf, -inf], [[1.5, 0.5]]),
    ("cumlogsumexp", [[0.0, -inf, inf]], LINE, None, [0.0, 0.0, inf], [[2.0, 0.0, 1.0]]),
    ("sort", [[3.0, 1.0, 1.0]], LINE, [1.0, 10.0, 100.0], [1.0, 1.0, 3.0], [[100.0, 1.0, 10.0]]),
    ("argmax", [[1.0, 3.0, 3.0]], {**LINE, "keepdims": False}, None, 1, []),
    ("argmin", [[3.0, 1.0, 1.0]], {**LINE, "keepdims": False}, None, 1, []),
    ("norm", [[0.0, 0.0]], ALONG, None, 0.0, [[0.0, 0.0]]),
    ("norm", [[1e200, 1e200]], ALONG, None, inf, [None]),
    ("det", [np.diag([2.0, 3.0, 0.0])], {}, None, 0.0, [np.diag([0.0, 0.0, 6.0])]),
    ("slogdet_sign", [NONE], {}, None, 0.0, [NONE]),
    ("slogdet_log", [NONE], {}, None, -inf, [None]),
    ("pinv", [np.diag([1.0, 0.0])], {"rcond": None}, EYE, np.diag([1.0, 0.0]), [np.diag([-1.0, 0.0])]),
    ("lstsq", [np.diag([1.0, 0.0]), [1.0, 1.0]], {}, None, [1.0, 0.0], [[[-1.0, 1.0], [1.0, 0.0]], [1.0, 0.0]]),
    ("matrix_rank", [NONE], {}, None, 0, []),
    ("cholesky", [EYE], {}, [[0.0, 0.0], [1.0, 0.0]], EYE, [[[0.0, 0.5], [0.5, 0.0]]]),
    ("eigh_values", [1.0 - EYE], {}, [1.0, 0.0], [-1.0, 1.0], [[[0.5, -0.5], [-0.5, 0.5]]]),
    *((n, [EYE], {}, [[1.0, 2.0], [3.0, 4.0]], None, [NONE]) for n in ("eigh_vectors", "svd_u", "svd_vt")),
    ("svd_values", [NONE], {}, None, [0.0, 0.0], [NONE]),
    ("getitem", [[5.0, 6.0], TWICE], READ, None, [6.0, 6.0], [[0.0, 2.0]]),
    ("add_at", [[0.0, 0.0], [1.0, 2.0], TWICE], READ, None, [0.0, 3.0], [[1.0, 1.0], [1.0, 1.0]]),
    ("set_at", [[0.0, 0.0], [1.0, 2.0], TWICE], READ, None, [0.0, 2.0], [[1.0, 0.0], [0.0, 1.0]]),
]
SINGULAR = {"inv": [NONE], "solve": [NONE, np.ones(2)], "cholesky": [-EYE]}


@pytest.mark.parametrize("row", POINTS, ids=[f"{i}-{row[0]}" for i, row in enumerate(POINTS)])
def test_special_points(row: tuple[str, list[Any], dict[str, Any], Any, Any, list[Any]]) -> None:
    name, args, attrs, ct, value, gradients = row
    arrays = [np.asarray(a) for a in args]
    inputs = inputs_of(arrays)
    node = make(REGISTRY[name], inputs, **attrs)
    with np.errstate(all="ignore"):
        found = evaluate_node(node, arrays, {})
    if value is not None:
        np.testing.assert_allclose(found, value, rtol=1e-15, atol=1e-15)
        zero = np.asarray(found == 0)
        assert np.array_equal(np.signbit(found.astype(float))[zero], np.signbit(np.asarray(value, float))[zero])
    if not any(g is not None for g in gradients):
        return
    cotangent = np.ones(found.shape) if ct is None else np.asarray(ct, float)
    for x, wanted in zip(pulled(node, inputs, arrays, cotangent), gradients, strict=True):
        if wanted is not None:
            compared = [w is not None for w in np.ravel(np.asarray(wanted, dtype=object))]
            np.testing.assert_allclose(
                x.ravel()[compared], np.asarray(wanted, float).ravel()[compared], rtol=1e-14, atol=1e-15
            )


@pytest.mark.parametrize("name", SINGULAR)
def test_what_has_no_answer_is_an_error(name: str) -> None:
    arrays = SINGULAR[name]
    with pytest.raises(np.linalg.LinAlgError):
        evaluate_node(make(REGISTRY[name], inputs_of(arrays)), arrays, {})


@pytest.mark.parametrize("name", ["qr_q", "qr_r"])
def test_a_derivative_without_an_answer_is_an_error(name: str) -> None:
    arrays = [NONE]
    inputs = inputs_of(arrays)
    with pytest.raises(np.linalg.LinAlgError):
        pulled(make(REGISTRY[name], inputs), inputs, arrays, EYE)


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin"])
def test_a_tie_with_a_constant(name: str) -> None:
    x = np.array([3.0])
    inputs = inputs_of([x])
    node = build.apply(name, inputs[0], const_node(3.0, "float64"))
    assert pulled(node, inputs, [x], np.ones(1))[0].tolist() == [0.0]


@pytest.mark.parametrize("name", [n for n in SAID if FLAT in REGISTRY[n].conventions])
def test_what_is_flat_has_no_derivative(name: str) -> None:
    sample = next(s for s in catalogue.samples(name) if any(a.dtype == np.float64 and a.size for a in s.args))
    inputs = inputs_of(sample.args)
    node = make(REGISTRY[name], inputs, **sample.attrs)
    number = node if node.type.is_float else build.astype(node, "float64")
    found = pulled(number, inputs, sample.args, np.ones([int(d) for d in node.shape]))
    assert found and not any(g.any() for g in found)


def test_every_word_is_tried() -> None:
    """An op that says something has a point above, or says only that it is flat."""
    tried = {row[0] for row in POINTS} | set(SINGULAR) | {"qr_q", "qr_r"}
    assert {n for n in SAID if n not in tried and REGISTRY[n].conventions != FLAT} == set()
    assert {n for n in tried if not REGISTRY[n].conventions} == set()


@pytest.mark.parametrize("name", REGISTRY)
def test_words_are_short_phrases(name: str) -> None:
    said = REGISTRY[name].conventions
    assert (said == said.strip() and len(said) <= 100 and not said.endswith(".")) or said.endswith("...")
    assert "its derivative" not in REGISTRY[name].doc
