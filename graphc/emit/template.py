"""Templates, taken apart once: what is left to do for a node is to make its tree.

    filler("a / b")   ->   lambda become, scope: BinOp(become(scope, "a"), Div(), become(scope, "b"))

`become` says what a name of the template is replaced by in a scope.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Scope = dict[str, Any]
Filler = Callable[[Callable[[Scope, str], ast.expr], Scope], Any]


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
        return lambda become, scope: become(scope, name)
    if not _has_names(tree):  # operators, numbers, a call's keywords: the same tree for every node
        return lambda become, scope: tree
    if isinstance(tree, list):
        items = [_filler(item) for item in tree]
        return lambda become, scope: [item(become, scope) for item in items]
    if isinstance(tree, ast.BinOp):
        return _binary(tree)
    kind, fields = type(tree), [_filler(getattr(tree, name)) for name in tree._fields]
    return lambda become, scope: kind(*[field(become, scope) for field in fields])


def _has_names(tree: Any) -> bool:
    items = tree if isinstance(tree, list) else [tree]
    return any(isinstance(n, ast.Name) for item in items if isinstance(item, ast.AST) for n in ast.walk(item))


def _binary(tree: ast.BinOp) -> Filler:
    op, left, right = tree.op, _filler(tree.left), _filler(tree.right)
    if isinstance(op, ast.Pow):
        return lambda become, scope: ast.BinOp(left(become, scope), op, _whole_number(right(become, scope)))
    return lambda become, scope: ast.BinOp(left(become, scope), op, right(become, scope))


def _whole_number(tree: ast.expr) -> ast.expr:
    """An exponent such as 3.0 as 3."""
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return ast.UnaryOp(ast.USub(), _whole_number(tree.operand))
    if isinstance(tree, ast.Constant) and isinstance(tree.value, float) and tree.value == int(tree.value) < 1e15:
        return ast.Constant(int(tree.value))
    return tree


def named(name: str) -> ast.expr:
    """The tree of a name, or of a row that stands for one: `hs[t + 1]`."""
    return ast.Name(name) if name.isidentifier() else template_tree(name)


def joined(tree: ast.expr) -> ast.expr:
    """An element of a row as an element of the array: `hs[t][i]` is `hs[t, i]`."""
    row = tree.value if isinstance(tree, ast.Subscript) else None
    if not isinstance(tree, ast.Subscript) or not isinstance(row, ast.Subscript):
        return tree
    rest = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
    return ast.Subscript(row.value, ast.Tuple([row.slice, *rest]))
