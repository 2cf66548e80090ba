"""Ordinary NumPy programs, compiled unmodified: their values, their gradients, their files.

tests/programs/numpy/regression.py     PROGRAMS = [(svm_loss, svm_example, ["W"]), ...]

Each row is a function, what makes its arguments from a random generator, and the arguments to
differentiate by. The programs import nothing of graphc. What is compared with them is themselves:
the value that plain Python gives, and its extrapolated central differences.
"""

from __future__ import annotations

import copy
import importlib.util
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

import graphc as gc
from graphc.check.check_grads import check_grads
from graphc.frontends.numpy.structure import flatten, unflatten
from graphc.load import load_module

FOLDER = Path(__file__).with_name("numpy")
VALUE = 1e-10
GRADIENT = 1e-6


class Program(NamedTuple):
    """One row. example: a seeded generator -> the arguments by name.  wrt: of them."""

    function: Callable[..., Any]
    example: Callable[[np.random.Generator], dict[str, Any]]
    wrt: list[str]

    def arguments(self) -> dict[str, Any]:
        """In the order of the function."""
        made = self.example(np.random.default_rng(7))
        return {name: made[name] for name in inspect.signature(self.function).parameters if name in made}


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"numpy_programs_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _programs() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.py")):
        for row in _module(path).PROGRAMS:
            program = Program(*row)
            yield pytest.param(program, id=f"{path.stem}.{program.function.__name__}")


def plain(program: Program) -> Callable[..., Any]:
    """The program itself as a function of the leaves of its arguments `wrt`, by name."""
    arguments = program.arguments()

    def value(**leaves: Any) -> float:
        given = copy.deepcopy(arguments)
        for name in program.wrt:
            old, shape = flatten(given[name])
            given[name] = unflatten(shape, [_like(leaves[f"{name}{i}"], o) for i, o in enumerate(old)])
        return program.function(**given)

    return value


def _like(leaf: Any, old: Any) -> Any:
    """A Python number stays one."""
    return float(leaf) if isinstance(old, float) else np.array(leaf)


def leaves(program: Program, given: Any) -> dict[str, Any]:
    """What belongs to the arguments `wrt`, taken apart."""
    return {f"{name}{i}": leaf for name in program.wrt for i, leaf in enumerate(flatten(given[name])[0])}


@pytest.mark.parametrize("program", list(_programs()))
def test_program(program: Program) -> None:
    value = plain(program)
    point = leaves(program, program.arguments())
    wanted = value(**point)
    module = gc.compile(program.function, program.arguments(), wrt=program.wrt)
    found, gradients = module.value_and_grad(**program.arguments())
    np.testing.assert_allclose(found, wanted, VALUE, err_msg=module.source)
    given = leaves(program, gradients._asdict())
    check_grads(value, lambda **_: given, point, tolerance=GRADIENT)
    standalone(module)
    transformed(program, wanted, given)


def standalone(module: gc.Module) -> None:
    """The file runs without graphc."""
    assert "graphc" not in load_module(module.source, "standalone").__dict__
    imports = {line.split()[1] for line in module.source.splitlines() if line.startswith(("import ", "from "))}
    assert imports <= {"__future__", "math", "numpy", "numpy.typing", "typing"}, imports


def transformed(program: Program, wanted: float, given: dict[str, Any]) -> None:
    """`gc.value_and_grad` of the function gives the same."""
    arguments = program.arguments()
    names = list(arguments)
    both = gc.value_and_grad(program.function, [names.index(n) for n in program.wrt])
    value, gradients = both(*arguments.values())
    np.testing.assert_allclose(value, wanted, VALUE)
    found = leaves(program, dict(zip(program.wrt, gradients, strict=True)))
    assert list(found) == list(given)
    for name, gradient in found.items():
        np.testing.assert_allclose(gradient, given[name], 1e-12, 1e-12, err_msg=name)
