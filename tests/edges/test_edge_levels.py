"""With no rules, with the stabilising ones and with all of them, values and gradients agree.

A rule may make a number of what was nan, inf or cancelled under the chain rule alone: so they are compared
wherever the plainer graph has a finite answer.

    log(1 + exp(x)) at 800      none: inf, gradient nan       stable, full: 800.0, gradient 1.0
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from edge_case import DOORS, Arrays, Case
from test_edge_more import BY_HAND
from test_edge_suite import REQUIRED

import graphc as gc
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.passes.pipeline import Level, join

CASES = [case for case in (*REQUIRED, *BY_HAND) if not case.error]


def answers(graph: Graph, wrt: tuple[str, ...], arrays: Arrays, level: Level) -> list[np.ndarray]:
    """The value and the gradients of a scalar graph, as the interpreter gives them."""
    joint = join(graph, wrt, level)
    (seed,) = joint.graph.inputs[len(graph.inputs) :]
    typed = {node["name"]: arrays[node["name"]].astype(node.type.dtype) for node in graph.inputs}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = interpret(joint.graph, {**typed, seed["name"]: np.ones((), seed.type.dtype)})
    return [np.asarray(v) for v in found]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_no_level_changes_a_finite_answer(case: Case) -> None:
    module = DOORS["text"](f"np.sum({case.expr})", case.declared(), case.wrt)
    wrt = case.wrt or tuple(n["name"] for n in module.graph.inputs if n.type.is_float)
    full = answers(module.graph, wrt, case.arrays(), Level.FULL)
    for level in (Level.NONE, Level.STABLE):
        for name, plain, best in zip(
            ("value", *wrt), answers(module.graph, wrt, case.arrays(), level), full, strict=True
        ):
            fine = np.isfinite(plain)
            np.testing.assert_allclose(best[fine], plain[fine], case.rtol, case.atol, err_msg=f"{level}: {name}")


def test_the_levels_differ() -> None:
    """Without rules log(1 + exp(x)) overflows; with the stabilising ones it does not."""
    graph = gc.parse("log(1 + exp(x))")
    at = {"x": np.array(800.0)}
    assert [float(v) for v in answers(graph, ("x",), at, Level.FULL)] == [800.0, 1.0]
    assert [float(v) for v in answers(graph, ("x",), at, Level.STABLE)] == [800.0, 1.0]
    value, slope = answers(graph, ("x",), at, Level.NONE)
    assert value == np.inf and np.isnan(slope)
