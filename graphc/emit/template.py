"""Templates, taken apart once: what is left to do for a node is to make its tree.

    filler("a / b")   ->   lambda become: BinOp(become("a"), Div(), become("b"))

`become` says what a name of the template is replaced by.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Filler = Callable[[Callable[[str], ast.expr]], Any]


@lru_cache(maxsize=4096)
def template_tree(text: str) -> ast.expr:
    """The tree of a template, its names not replaced."""
    return ast.parse(text, mode="eval").body


@lru_cache(maxsize=4096)
def filler(template: str) -> Filler:
    """The function that makes the tree of a template, given what each name becomes."""
    return _filler(template_tree(template))


@lru_cache(maxsize=4096)
def names_of(template: str) -> frozenset[str]:
    """The names in a template."""
    return frozenset(n.id for n in ast.walk(template_tree(template)) if isinstance(n, ast.Name))


def _filler(tree: Any) -> Filler:
    if isinstance(tree, ast.Name):
        name = tree.id
        return lambda become: become(name)
    if isinstance(tree, list):
        items = [_filler(item) for item in tree]
        return lambda become: [item(become) for item in items]
    if not isinstance(tree, ast.AST) or not tree._fields:  # operators have none, and are shared
        return lambda become: tree
    if isinstance(tree, ast.BinOp):
        return _binary(tree)
    kind, fields = type(tree), [_filler(getattr(tree, name)) for name in tree._fields]
    return lambda become: kind(*[field(become) for field in fields])


def _binary(tree: ast.BinOp) -> Filler:
    op, left, right = tree.op, _filler(tree.left), _filler(tree.right)
    if isinstance(op, ast.Pow):
        return lambda become: ast.BinOp(left(become), op, _whole_number(right(become)))
    return lambda become: ast.BinOp(left(become), op, right(become))


def _whole_number(tree: ast.expr) -> ast.expr:
    """An exponent such as 3.0 as 3."""
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return ast.UnaryOp(ast.USub(), _whole_number(tree.operand))
    if isinstance(tree, ast.Constant) and isinstance(tree.value, float) and tree.value == int(tree.value) < 1e15:
        return ast.Constant(int(tree.value))
    return tree
