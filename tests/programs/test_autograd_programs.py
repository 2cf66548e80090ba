"""Training scripts that were written for autograd: only the two import lines are others.

    from autograd import grad        from graphc import grad

tests/programs/autograd/ has the scripts. They call `grad(loss)(params, i)` in their loops; here the
loss must have gone down, and the gradient must be that of differences of the plain function.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphc import grad
from graphc.check.check_grads import check_grads
from graphc.frontends.numpy.structure import flatten, unflatten

FOLDER = Path(__file__).with_name("autograd")


def _programs() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"autograd_programs_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for program in module.PROGRAMS:
            yield pytest.param(program, id=program.__name__)


@pytest.mark.parametrize("program", list(_programs()))
def test_program(program: Callable[[], tuple[Callable[..., Any], Any, Any]]) -> None:
    objective, first, last = program()
    assert objective(last, 0) < objective(first, 0)
    start, shape = flatten(first)
    end, _ = flatten(last)
    assert [np.shape(a) for a in start] == [np.shape(b) for b in end]
    gradients, _ = flatten(grad(objective)(first, 3))

    def value(**leaves: Any) -> Any:
        return objective(unflatten(shape, [np.array(leaves[f"p{i}"]) for i in range(len(start))]), 3)

    given = {f"p{i}": g for i, g in enumerate(gradients)}
    check_grads(value, lambda **_: given, {f"p{i}": np.asarray(a) for i, a in enumerate(start)}, tolerance=1e-6)
