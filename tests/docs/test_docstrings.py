"""Every public name is documented, and every example in a docstring runs."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import graphc

MODULES = [m.name for m in pkgutil.walk_packages(graphc.__path__, "graphc.") if not m.name.endswith("__main__")]
PUBLIC = sorted(name for names in graphc._HOMES.values() for name in names)
FUNCTIONS = [name for name in PUBLIC if inspect.isfunction(getattr(graphc, name))]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_documented(name: str) -> None:
    assert len(inspect.getdoc(getattr(graphc, name)) or "") > 20


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_have_an_example(name: str) -> None:
    assert ">>> " in (inspect.getdoc(getattr(graphc, name)) or "")


def test_the_examples_run() -> None:
    attempted = 0
    for name in MODULES:
        result = doctest.testmod(importlib.import_module(name))
        assert result.failed == 0, name
        attempted += result.attempted
    assert attempted >= len(FUNCTIONS)
