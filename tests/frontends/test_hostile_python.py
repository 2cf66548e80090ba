"""Python functions of the hostile suite: deep graphs, and recursion without end.

Tracing runs the function: this door is for trusted code. What is promised is that no graph, however
deep, ends in a crash or takes long.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

import graphc as gc

SUITE = json.loads((Path(__file__).parents[1] / "data" / "hostile_inputs.json").read_text("utf-8"))
CASES = [case for case in SUITE if case["target"] == "python"]


def function_of(case: dict[str, Any]) -> Any:
    scope: dict[str, Any] = {}
    exec(case["text"], scope)
    return scope["f"]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_python_cases(case: dict[str, Any]) -> None:
    start = time.process_time()
    if case["expect"] == "error":
        with pytest.raises(gc.GraphcError) as caught:
            gc.compile(function_of(case), {"x": 1.0})
        assert caught.value.kind in (case["kind"], *case["also_ok_kind"])
    else:
        wanted = case["eval"]
        value, gradients = gc.compile(function_of(case), {"x": 1.0}).value_and_grad(wanted["inputs"]["x"])
        assert value == wanted["expected"]
        assert gradients.x == wanted.get("grads", {"x": gradients.x})["x"]
    assert time.process_time() - start < case["max_seconds"]


def test_there_are_cases() -> None:
    assert len(CASES) >= 3


def test_a_long_loop_is_linear() -> None:
    """Twice as many steps take about twice the time, and no recursion."""

    def chain(count: int) -> float:
        def f(x: Any) -> Any:
            for _ in range(count):
                x = x * 0.999 + 0.001
            return x

        start = time.process_time()
        value, gradients = gc.compile(f, {"x": 1.0}).value_and_grad(1.0)
        assert abs(value - 1.0) < 1e-9 and abs(gradients.x - 0.999**count) < 1e-12
        return time.process_time() - start

    chain(100)
    assert chain(2000) < 3.0 * chain(1000) + 0.3
