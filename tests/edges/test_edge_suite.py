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

# Functions that the language does not have yet.
MISSING = ("trace",)

# Cases of level "should" that do not hold yet: what is known of them.
OPEN = {
    "ridge-solution": "right to 1e-12, not to the bit: BLAS sums X.T @ X otherwise for X in Fortran order",
    "x-sqrt-x-0": "0 times the infinite slope of the root",
    "lse-all-neginf": "the gradient is softmax, 0/0 there",
    "lse-posinf": "the gradient is softmax, inf/inf there",
    "int-input-cast": "an integer array for a float input is refused",
    "int-true-division": "an integer array for a float input is refused",
    "int-negative-power": "an integer array for a float input is refused",
}
OPEN_DOOR = {("numpy", "stack"): "the sizes of two examples are not made equal by stack"}
EACH_DOOR = pytest.mark.parametrize("door", DOORS)
REQUIRED = [case for case in CASES if case.level in ("must", "should")]


def _cases():
    for door in DOORS:
        for case in REQUIRED:
            reason = OPEN.get(case.id) or OPEN_DOOR.get((door, case.id))
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            if any(name in case.expr for name in MISSING):
                marks = [pytest.mark.xfail(reason="a function that is not there yet", raises=GraphcError, strict=True)]
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
    assert not {case.id for case in CASES if case.level == "must"} & set(OPEN)


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
