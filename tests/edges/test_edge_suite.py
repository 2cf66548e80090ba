"""The edge suite: every case, through every door."""

from __future__ import annotations

import json
from pathlib import Path

import edge_case
import numpy as np
import pytest
from edge_case import DOORS, Case

from graphc.errors import GraphcError

ROOT = Path(__file__).parents[2]
CASES = [Case.read(row) for row in json.loads((ROOT / "tests" / "data" / "edge_cases.json").read_text("utf-8"))]

# Cases of level "should" that do not hold: docs/conventions.md says why.
OPEN = {
    "lse-all-neginf": "the gradient is softmax, 0/0 there",
    "lse-posinf": "the gradient is softmax, inf/inf there",
}
EACH_DOOR = pytest.mark.parametrize("door", DOORS)
REQUIRED = [case for case in CASES if case.level in ("must", "should")]


def _cases():
    for door in DOORS:
        for case in REQUIRED:
            marks = [pytest.mark.xfail(reason=OPEN[case.id], strict=True)] if case.id in OPEN else []
            if not case.error:
                yield pytest.param(case, door, id=f"{case.id}-{door}", marks=marks)


@pytest.mark.parametrize(("case", "door"), list(_cases()))
def test_case(case, door):
    edge_case.check(case, DOORS[door])


@EACH_DOOR
@pytest.mark.parametrize("case", [c for c in REQUIRED if c.error], ids=lambda c: c.id)
def test_refused(case, door):
    """What cannot be is one error of graphc's own, of the kind that a Python programmer expects."""
    kind = {"shape": ValueError, "dtype": TypeError}[case.error]
    with pytest.raises(GraphcError) as caught:
        DOORS[door](case.expr, case.arrays(), case.wrt).value_and_grad(**case.arrays())
    assert isinstance(caught.value, kind)


def test_every_case_is_here():
    assert len(CASES) == 175
    assert len({case.id for case in CASES}) == 175
    assert set(OPEN) <= {case.id for case in CASES if case.level == "should"}


def test_a_wrong_answer_is_noticed():
    """The suite can fail: values, outputs, gradients, second derivatives, warnings, dtypes."""
    good = Case("", "np.abs(x) * x", {"x": [1.0, -2.0]}, -3.0, {"x": [2, 4]}, [1, -4], {"x": [2, -2]})
    edge_case.check(good, DOORS["text"])
    wrong = [{"value": -3.1}, {"output": [1, 4]}, {"grads": {"x": [2, 5]}}, {"hess_diag": {"x": [2, 2]}}]
    for change in wrong:
        with pytest.raises(AssertionError):
            edge_case.check(Case(**{**vars(good), **change}), DOORS["text"])
    warns = Case("", "x / y", {"x": 1.0, "y": [0.0]}, "inf", {"x": "inf", "y": ["-inf"]}, clean=True)
    with pytest.raises(FloatingPointError):
        edge_case.check(warns, DOORS["text"])
    assert not edge_case.same_bits(np.float64(0.0), np.float64(-0.0))
