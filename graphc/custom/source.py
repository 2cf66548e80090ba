"""The source of a user's function, made into a function of the generated file.

    def forward(x, k):                      def _soft(x: Any, k: Any) -> Any:
        # keeps the sign              ->          # keeps the sign
        return np.sign(x) * k                    return np.sign(x) * k

A generated file imports NumPy and math, so the function may use these, builtins, and nothing else of
its surroundings. What it returns is looked at, too: a vjp ends in a tuple with an entry an argument.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import math
import textwrap
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

import numpy as np

from graphc.emit import layout
from graphc.errors import UnsupportedError

_MODULES = {"np": np, "math": math}
_HINT = "it may use np, math, builtins and its arguments; or give import_from='package.module'"


def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of its arguments: positional ones without defaults."""
    found = inspect.signature(function).parameters.values()
    if not found or any(p.kind not in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY) or p.default is not p.empty
                        for p in found):  # fmt: skip
        raise UnsupportedError("G040", f"`{_named(function)}` must take arrays by position, without defaults, * or **")
    return tuple(p.name for p in found)


def written(function: Callable[..., Any], name: str) -> str:
    """The source of `function` under another name. UnsupportedError if it needs what is not in it."""
    tree, lines = _definition(function)
    _check_names(function)
    head = layout.function_head(name, [f"{p}: Any" for p in parameters(function)], "Any")
    return "\n".join([*head, *_body(tree, lines)]) + "\n"


def returned(function: Callable[..., Any], count: int) -> tuple[bool, ...]:
    """For each of `count` entries whether any `return` gives something for it, not None.

    Raises UnsupportedError where a `return` is not a tuple of that many entries.
    """
    tree, _ = _definition(function)
    rows: list[list[bool]] = []
    for statement in _returns(tree):
        value = statement.value
        if not isinstance(value, ast.Tuple) or len(value.elts) != count:
            entries = "one cotangent: write `return dx,`" if count == 1 else f"{count} cotangents, one an argument"
            raise UnsupportedError("G040", f"`{_named(function)}` must return a tuple of {entries}")
        rows.append([not (isinstance(e, ast.Constant) and e.value is None) for e in value.elts])
    if not rows:
        raise UnsupportedError("G040", f"`{_named(function)}` returns nothing")
    return tuple(any(column) for column in zip(*rows, strict=True))


def _named(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _definition(function: Callable[..., Any]) -> tuple[ast.FunctionDef, list[str]]:
    try:
        text = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(text).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        tree = None
    if not isinstance(tree, ast.FunctionDef):
        raise UnsupportedError("G040", f"the source of `{_named(function)}` is not a `def` that can be read")
    return tree, text.split("\n")


def _returns(tree: ast.FunctionDef) -> Iterator[ast.Return]:
    """The `return` statements of the function itself, not of functions inside it."""
    stack: list[ast.AST] = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Return):
            yield node
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            stack += ast.iter_child_nodes(node)


def _body(tree: ast.FunctionDef, lines: list[str]) -> list[str]:
    """The statements as they are written, four spaces in; anew where that would change a text in them."""
    first, last = tree.body[0].lineno, tree.body[-1].end_lineno
    if first > max(tree.lineno, tree.args.args[-1].lineno if tree.args.args else 0):
        text = textwrap.indent(textwrap.dedent("\n".join(lines[_after_head(tree, first, lines) - 1 : last])), "    ")
        if _same(tree, text):
            return text.split("\n")
    return textwrap.indent("\n".join(ast.unparse(s) for s in tree.body), "    ").split("\n")


def _after_head(tree: ast.FunctionDef, first: int, lines: list[str]) -> int:
    """The first line of the body, comments above its first statement included."""
    while lines[first - 2].strip().startswith("#"):
        first -= 1
    return first


def _same(tree: ast.FunctionDef, text: str) -> bool:
    try:
        again = ast.parse(f"def f():\n{text}").body[0]
    except SyntaxError:
        return False
    assert isinstance(again, ast.FunctionDef)
    docstring = ast.get_docstring(tree) is not None
    before, after = tree.body[docstring:], again.body[docstring:]  # a docstring may move with its lines
    return [ast.dump(s) for s in before] == [ast.dump(s) for s in after]


def _check_names(function: Callable[..., Any]) -> None:
    code: CodeType = function.__code__
    if code.co_freevars:
        raise UnsupportedError("G040", f"`{_named(function)}` uses `{code.co_freevars[0]}` of the function around it",
                               hint=_HINT)  # fmt: skip
    scope = function.__globals__
    for name in _globals_of(code):
        module = _MODULES.get(name)
        known = scope.get(name) is module if module is not None else name not in scope and hasattr(builtins, name)
        if not known:
            raise UnsupportedError("G040", f"`{_named(function)}` uses `{name}` of its module", hint=_HINT)


def _globals_of(code: CodeType) -> Iterator[str]:
    """The names that the code, and the functions inside it, read or write outside themselves."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "IMPORT_NAME"):
            yield str(step.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals_of(constant)
