"""Generated source as a module: it runs, its tracebacks show its lines, it goes away again."""

from __future__ import annotations

import gc as collector
import linecache
import sys
import traceback

import pytest

from graphc.errors import InternalError
from graphc.load import load_module


def test_a_module_runs_and_stays_out_of_sys_modules() -> None:
    module = load_module("def f(x: float) -> float:\n    return 2.0 * x\n", "double")
    assert module.f(3.0) == 6.0
    assert "double" not in sys.modules


def test_tracebacks_show_the_generated_line() -> None:
    module = load_module("def f(x):\n    return 1 / x  # the line\n", "fails")
    with pytest.raises(ZeroDivisionError) as caught:
        module.f(0)
    assert "return 1 / x  # the line" in "".join(traceback.format_exception(caught.value))


def test_two_modules_of_one_name_have_two_files() -> None:
    first = load_module("a = 1\n", "same")
    second = load_module("a = 2\n", "same")
    assert (first.a, second.a) == (1, 2)
    assert first.__file__ != second.__file__


def test_lines_are_forgotten_with_the_module() -> None:
    module = load_module("a = 1\n", "forgotten")
    name = module.__file__
    assert name in linecache.cache
    del module
    collector.collect()
    load_module("a = 1\n", "another")
    assert name not in linecache.cache


def test_text_that_is_not_python_is_a_bug_of_ours() -> None:
    with pytest.raises(InternalError, match="not Python"):
        load_module("def f(:\n", "broken")
