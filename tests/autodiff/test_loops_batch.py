"""Loops and branches side by side: what one gets row by row."""

from __future__ import annotations

from collections.abc import Sequence

import loop_programs as programs
import numpy as np
import pytest
from loop_programs import VALUES, A, C, H, W, X, loop, op, total

from graphc.autodiff import gradient, jvp
from graphc.autodiff.batch import batched
from graphc.errors import UnsupportedError
from graphc.expr import build
from graphc.expr.implicit import Iteration, fixed_point
from graphc.expr.looping import close_branch, placeholder
from graphc.ir.control import BRANCH, final, history, result, stack
from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import const_node, input_node
from graphc.ir.node import Node
from graphc.ir.verify import verify

ROWS = 3
INPUTS = (X, W, H, A, C)
RNG = np.random.default_rng(7)
MANY = {n["name"]: RNG.normal(size=(ROWS, *np.shape(VALUES[n["name"]]))) for n in INPUTS}


def check(inputs: Sequence[Node], outputs: Sequence[Node], chosen: Sequence[str], values=VALUES, many=MANY) -> Graph:
    """Compare the batched outputs, along the chosen inputs, with those of each row."""
    wide = {n: input_node(f"{n['name']}s", n.type.with_shape((ROWS, *n.shape))) for n in inputs if n["name"] in chosen}
    names = tuple(f"o{i}" for i in range(len(outputs)))
    graph = verify(Graph((*inputs, *wide.values()), tuple(batched(outputs, wide, ROWS)), names))
    found = interpret(graph, {**values, **{f"{name}s": many[name] for name in chosen}})
    one = Graph(tuple(inputs), tuple(outputs), names)
    rows = [interpret(one, {**values, **{name: many[name][i] for name in chosen}}) for i in range(ROWS)]
    for got, wanted in zip(found, zip(*rows, strict=True), strict=True):
        np.testing.assert_allclose(got, np.stack(wanted), rtol=1e-12, atol=1e-14)
    return graph


@pytest.mark.parametrize("chosen", [("X",), ("H",), ("A",), ("W", "C"), ("X", "W", "H", "A", "C")], ids="-".join)
@pytest.mark.parametrize("program", [p for p in programs.PROGRAMS if p != "while"])
def test_side_by_side_is_row_by_row(program: str, chosen: tuple[str, ...]) -> None:
    graph = programs.graph_of(program)
    check(graph.inputs, graph.outputs, chosen)


@pytest.mark.parametrize("program", programs.PROGRAMS)
def test_many_cotangents_and_many_directions(program: str) -> None:
    """Rows of a Jacobian, and columns of a Hessian."""
    graph = programs.graph_of(program)
    back = gradient(graph, ["X", "H"])
    values, many = {**VALUES, "dy": 1.0}, {**MANY, "dy": RNG.normal(size=ROWS)}
    check(back.inputs, [*graph.outputs, *back.outputs], ["dy"], values, many)
    along = jvp(back, ["H"])
    values, many = {**values, "H_dot": VALUES["H"]}, {**many, "H_dot": MANY["H"]}
    check(along.inputs, [*graph.outputs, *along.outputs], ["H_dot"], values, many)


def test_histories_and_stacks_have_the_axis_in_front() -> None:
    node = loop(programs.emitting, H)
    outputs = [final(node, 0), history(node, 0), stack(node, 0), stack(node, 1)]
    for chosen in (["H"], ["X"], ["A"]):
        check(INPUTS, outputs, chosen)


def test_what_does_not_depend_on_it_is_carried_once() -> None:
    node = loop(lambda h, g: ((op("sin", build.multiply(h, A)), op("cos", g)), (total(g),)), H, H)
    graph = check(INPUTS, [final(node, 0), final(node, 1), stack(node, 0), history(node, 1)], ["A"])
    shapes = [str(n.type) for n in graph.nodes if n.op.name == "result"]
    assert sorted(shapes) == sorted(["f64[3, k]", "f64[k]", "f64[T]", "f64[T + 1, k]"])


# --- conditions ---


def sides(condition: Node) -> Node:
    return close_branch(condition, [op("sqrt", A), total(H)], [op("exp", A), total(op("square", H))])


@pytest.mark.parametrize("chosen", [("H",), ("A",), ("H", "A")], ids="-".join)
def test_branches(chosen: tuple[str, ...]) -> None:
    one, each = sides(op("greater", total(X), 0.0)), sides(op("greater", A, 0.0))
    many = {**MANY, "A": np.array([0.5, -1.0, 2.0])}
    graph = check(INPUTS, [result(one, 0), result(one, 1)], chosen, many=many)
    assert [n.op for n in graph.nodes].count(BRANCH) == 1
    with np.errstate(invalid="ignore"):
        graph = check(INPUTS, [result(each, 0), result(each, 1)], chosen, many=many)
    assert [n.op for n in graph.nodes].count(BRANCH) == ("A" not in chosen)


def test_a_branch_in_a_loop_with_a_condition_of_its_own() -> None:
    check(
        INPUTS, [final(loop(programs.branching, H), 0)], ["H"], many={**MANY, "H": np.array([[1, 2], [-3, 1], [0, 0]])}
    )


def test_a_loop_goes_on_while_any_test_holds() -> None:
    node = loop(programs.halving, H, count=Size.named("steps"), test=programs.large)
    starts = np.array([[0.1, 0.0], [5.0, 1.0], [0.0, 0.0]])
    check(INPUTS, [final(node, 0)], ["H"], many={**MANY, "H": starts})


def test_what_has_stopped_carries_everything_on() -> None:
    """Also what does not depend on the axis: it stops at a different time for each row."""
    node = loop(
        lambda h, n: ((build.multiply(h, 0.5), build.add(n, const_node(1, "int64"))), ()),
        H,
        const_node(0, "int64"),
        count=Size.named("steps"),
        test=lambda h, n: programs.large(h),
    )
    check(INPUTS, [final(node, 0), final(node, 1)], ["H"])


def test_the_test_may_be_the_same_for_all() -> None:
    node = loop(
        lambda h, g: ((op("sin", build.add(h, g)), build.multiply(g, 0.5)), ()),
        H,
        const_node(3.0, "float64"),
        count=Size.named("steps"),
        test=lambda h, g: op("greater", g, 0.1),
    )
    check(INPUTS, [final(node, 0), history(node, 0), final(node, 1)], ["H"])


def test_steps_that_differ_in_number_have_no_rows() -> None:
    node = loop(programs.halving, H, count=Size.named("steps"), test=programs.large)
    many = input_node("Hs", H.type.with_shape((ROWS, *H.shape)))
    with pytest.raises(UnsupportedError, match="stops at its own time"):
        batched([history(node, 0)], {H: many}, ROWS)


def test_fixed_points() -> None:
    unknown = placeholder("i", 0, A.type)
    (x,) = fixed_point([A], [unknown], [op("cos", build.multiply(A, unknown))], Iteration("i", 1e-15, 500))
    many = {**MANY, "A": np.array([0.1, 0.5, 0.9])}
    check([A], [x], ["A"], {"A": 0.0}, many)
    back = gradient(Graph((A,), (x,), ("y",)), ["A"])
    check(back.inputs, back.outputs, ["A"], {"A": 0.0, "dy": 1.0}, many)
