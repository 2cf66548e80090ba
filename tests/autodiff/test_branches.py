"""Branches inside branches: their bodies call their inputs the same, and must not be mixed up."""

from __future__ import annotations

import numpy as np
import pytest
from loop_programs import op, real

from graphc.autodiff import gradient, jvp
from graphc.autodiff.batch import batched
from graphc.expr import build
from graphc.expr.looping import close_branch
from graphc.ir.control import result
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import input_node
from graphc.ir.node import Node
from graphc.ir.verify import verify
from graphc.passes.pipeline import join

x, y, z = map(real, "xyz")
NAMES = ("x", "y", "z")
POINTS = [(2.0, 3.0, 5.0), (2.0, -3.0, 5.0), (-2.0, 3.0, 5.0), (0.5, 1.0, -1.0)]


def positive(value: Node) -> Node:
    return op("greater", value, 0.0)


def nested() -> Graph:
    """x**2 * (y * z if y > 0 else 2 * z / x) if x > 0 else sin(x + y * z): the inner branch reads y, z and x."""
    product = build.multiply(y, z)
    inner = close_branch(positive(y), [product], [build.divide(build.multiply(z, 2.0), x)])
    square = build.multiply(x, x)
    outer = close_branch(
        positive(x), [build.multiply(square, result(inner, 0))], [op("sin", build.add(x, build.multiply(z, y)))]
    )
    return verify(Graph((x, y, z), (result(outer, 0),), ("o",)))


def wanted(x: float, y: float, z: float) -> tuple[float, tuple[float, float, float]]:
    """The value and its derivatives."""
    if x <= 0:
        slope = np.cos(x + y * z)
        return np.sin(x + y * z), (slope, slope * z, slope * y)
    if y > 0:
        return x * x * y * z, (2 * x * y * z, x * x * z, x * x * y)
    return 2 * x * z, (2 * z, 0.0, 2 * x)


@pytest.mark.parametrize("point", POINTS)
def test_values_gradients_and_tangents(point: tuple[float, float, float]) -> None:
    graph, values = nested(), dict(zip(NAMES, point, strict=True))
    value, grads = wanted(*point)
    assert interpret(graph, values)[0] == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(interpret(verify(gradient(graph, NAMES)), {**values, "do": 1.0}), grads, rtol=1e-14)
    np.testing.assert_allclose(interpret(join(graph, NAMES).graph, {**values, "do": 1.0})[1:], grads, rtol=1e-14)
    dots = {"x_dot": 1.0, "y_dot": 10.0, "z_dot": 100.0}
    (along,) = interpret(verify(jvp(graph, NAMES)), {**values, **dots})
    assert along == pytest.approx(grads[0] + 10 * grads[1] + 100 * grads[2], rel=1e-14)


@pytest.mark.parametrize("chosen", [("x",), ("y",), ("z",), ("y", "z"), NAMES], ids="-".join)
def test_side_by_side(chosen: tuple[str, ...]) -> None:
    graph = nested()
    rows = {name: np.array(column) for name, column in zip(NAMES, zip(*POINTS, strict=True), strict=True)}
    wide = {n: input_node(f"{n['name']}s", n.type.with_shape((4,))) for n in graph.inputs if n["name"] in chosen}
    many = verify(Graph((*graph.inputs, *wide.values()), tuple(batched(graph.outputs, wide, 4)), ("o",)))
    values = dict(zip(NAMES, (0.7, 0.2, -1.5), strict=True))
    (found,) = interpret(many, {**values, **{f"{name}s": rows[name] for name in chosen}})
    points = [{**values, **{name: rows[name][i] for name in chosen}} for i in range(4)]
    np.testing.assert_allclose(found, [wanted(**point)[0] for point in points], rtol=1e-14)
