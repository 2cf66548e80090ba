"""Conditions and lists inside expressions of the user's functions, written so that they can be traced.

a if c else b       __graphc__.choose(c, lambda: a, lambda: b)
a and b, a or b     __graphc__.all_of(a, lambda: b), __graphc__.any_of(a, lambda: b)
not a               __graphc__.negated(a)
a < b < c           __graphc__.compared(("<", "<"), a, lambda: b, lambda: c)
[f(x) for x in xs]  __graphc__.listed(xs, lambda item: [f(x) for x in (item,)], target="x")
"""

from __future__ import annotations

import ast
from typing import TypeVar

from graphc.frontends.numpy.syntax import hook, moves, written

_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.Is: "is",
    ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_WHOLE = frozenset({"sum", "max", "min", "list", "tuple", "sorted"})
Tree = TypeVar("Tree", bound=ast.AST)


def with_conditions(tree: Tree) -> Tree:
    """The tree of a function with the conditions in its expressions handed to the hooks, in place."""
    visited: Tree = _Conditions().visit(tree)
    return visited


class _Conditions(ast.NodeTransformer):
    """Replaces conditions. What a lambda would change (`:=`, `yield`) stays as it is."""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Variables of a class body are not those of a lambda in it."""
        node.body = [self.visit(s) if isinstance(s, ast.FunctionDef) else s for s in node.body]
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if not _may_wait([node.body, node.orelse]):
            return node
        return hook("choose", [node.test, _later(node.body), _later(node.orelse)], node.test)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        first, *others = node.values
        if not _may_wait(others):
            return node
        name = "all_of" if isinstance(node.op, ast.And) else "any_of"
        return hook(name, [first, *map(_later, others)], first)

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        self.generic_visit(node)
        return _listed(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp) and _takes_all(node.func):
            node.args[0] = _listed(node.args[0])
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return hook("negated", [node.operand], node.operand) if isinstance(node.op, ast.Not) else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) == 1 or not _may_wait(node.comparators):
            return node
        signs = ast.copy_location(ast.Tuple([ast.Constant(_SIGNS[type(op)]) for op in node.ops], ast.Load()), node)
        return hook("compared", [signs, node.left, *map(_later, node.comparators)], node)


def _takes_all(function: ast.expr) -> bool:
    """Whether a function asks for all elements of its argument."""
    called = function.args[0] if isinstance(function, ast.Call) and function.args else function  # behind the hook
    return isinstance(called, ast.Name) and called.id in _WHOLE


def _listed(node: ast.ListComp | ast.GeneratorExp) -> ast.expr:
    """A list of what is done with each item; with more than one `for` in it, it stays as it is."""
    if len(node.generators) != 1 or node.generators[0].is_async or not _may_wait([node.elt, *node.generators[0].ifs]):
        return node
    [one] = node.generators
    item = ast.Tuple([ast.Name("__graphc_item__", ast.Load())], ast.Load())
    step = ast.ListComp(node.elt, [ast.comprehension(one.target, item, one.ifs, 0)])
    arguments = ast.arguments([], [ast.arg("__graphc_item__")], None, [], [], None, [])
    closure = ast.copy_location(ast.Lambda(arguments, step), node)
    return hook("listed", [one.iter, closure], node, target=written(one.target))


def _may_wait(parts: list[ast.expr]) -> bool:
    """Whether expressions mean the same inside a lambda."""
    return moves(parts) and not any(isinstance(n, ast.NamedExpr) for p in parts for n in ast.walk(p))


def _later(part: ast.expr) -> ast.expr:
    """`lambda: part`."""
    arguments = ast.arguments([], [], None, [], [], None, [])
    return ast.copy_location(ast.Lambda(arguments, part), part)
