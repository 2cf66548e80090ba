"""How the derivative of an op is written, as on paper.

sigmoid    partial y * (1 - y)     ->    dx = dy * y * (1 - y)
divide     partial 1 / b           ->    da = dy / b
"""

from __future__ import annotations

import ast

from graphc.ir.op import Op

NONE = "no derivative"
DIGITS = 6  # of a constant such as 1 / log(2)


def written(op: Op) -> str:
    """The derivative of an op: the formula of its record, or one made of its local partial derivatives."""
    if op.formula:
        return op.formula
    if op.partials is None:
        return "by its adjoint" if op.differentiable else NONE
    terms = [
        f"d{argument} = {_written(partial)}"
        for argument, partial in zip(op.args, op.partials, strict=True)
        if partial is not None
    ]
    return ", ".join(terms) or NONE


def _written(partial: str) -> str:
    tree = _Rounded().visit(ast.parse(partial, mode="eval").body)
    return ast.unparse(_times(tree))


def _times(tree: ast.expr) -> ast.expr:
    """dy times a formula, without a factor 1 and with as few brackets as can be."""
    cotangent = ast.Name("dy")
    if isinstance(tree, ast.Constant) and tree.value == 1:
        return cotangent
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return ast.UnaryOp(ast.USub(), _times(tree.operand))
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Mult, ast.Div)):
        return ast.BinOp(_times(tree.left), tree.op, tree.right)
    return ast.BinOp(cotangent, ast.Mult(), tree)


# What derivatives call beside ops, and what it is in ordinary mathematics: parameters and formula.
MEANING: dict[str, tuple[tuple[str, ...], str]] = {
    "root_slope": (("x", "y"), "1 / (2 * y)"),
    "ratio_of_zero": (("a", "b"), "a / b"),
    "excess": (("a", "b"), "a - b"),
    "next_order": (("x", "n", "name"), "name(x, n=n + 1)"),
    "bessel_slope": (("x", "n", "name"), "(name(x, n=n - 1) + name(x, n=n + 1)) / 2"),
}


class _Rounded(ast.NodeTransformer):
    """Constants shortened, calls of what is no op replaced by what they mean."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in MEANING:
            return node
        parameters, formula = MEANING[name]
        given = [*node.args, *(k.value for k in node.keywords)]
        named = {p: ast.Name(g.value) if isinstance(g, ast.Constant) and isinstance(g.value, str) else g
                 for p, g in zip(parameters, given, strict=True)}  # fmt: skip
        replaced: ast.expr = _Substituted(named).visit(ast.parse(formula, mode="eval").body)
        return replaced

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Constant(float(f"{node.value:.{DIGITS}g}")) if isinstance(node.value, float) else node


class _Substituted(ast.NodeTransformer):
    def __init__(self, values: dict[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.values.get(node.id, node)
