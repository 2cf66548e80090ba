"""Formulas as data: a short text becomes a term, and a term becomes nodes.

    parse_formula("y * (1 - y)")  ->  Call("multiply", (Variable("y"), Call("subtract", ...)))

Derivatives and rewrite rules are written so; they can be listed, printed, proved and drawn. The
texts are graphc's own: what a user writes goes through `frontends/text`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphc.expr import build
from graphc.ir.leaf import scalar_value
from graphc.ir.node import Node
from graphc.ops import REGISTRY

_BINARY = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
    ast.MatMult: "matmul",
    ast.BitAnd: "logical_and",
    ast.BitOr: "logical_or",
}
_COMPARE = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}


@dataclass(frozen=True)
class Variable:
    """A free name."""

    name: str


@dataclass(frozen=True)
class Literal:
    """A number."""

    value: float


@dataclass(frozen=True, eq=False)
class Call:
    """An op, or a function of `build`, applied to terms; attributes are names or values.

    Compared by identity: the same text is parsed once.
    """

    op: str
    args: tuple[Any, ...]
    attrs: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class AttrName:
    """An attribute that is a free name: `axis=a`."""

    name: str


@lru_cache(maxsize=4096)
def parse_formula(text: str) -> Any:
    """The term of a formula in Python's expression syntax."""
    return _term(ast.parse(text, mode="eval").body)


def _term(tree: ast.expr) -> Any:
    match tree:
        case ast.Name(id=name):
            return Variable(name)
        case ast.Constant(value=int() | float() as value):
            return Literal(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return Literal(-value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Call("negative", (_term(operand),))
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            return Call("logical_not", (_term(operand),))
        case ast.BinOp(left=left, op=op, right=right):
            return Call(_BINARY[type(op)], (_term(left), _term(right)))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return Call(_COMPARE[type(op)], (_term(left), _term(right)))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            attrs = tuple((k.arg or "", _attr(k.value)) for k in keywords)
            return Call(name, tuple(_term(a) for a in args), attrs)
    raise ValueError(f"not a formula: {ast.unparse(tree)}")


def _attr(tree: ast.expr) -> Any:
    if isinstance(tree, ast.Name):
        return AttrName(tree.id)
    return ast.literal_eval(tree)


def instantiate(term: Any, scope: Mapping[str, Any], made: Callable[[Node], Node] = lambda node: node) -> build.Value:
    """The node of a term, its free names taken from `scope`; `made` sees each new node.

    Names in `scope` may be nodes, numbers, or the values of attributes.
    """
    if isinstance(term, Variable):
        value: build.Value = scope[term.name]
        return value
    if isinstance(term, Literal):
        return term.value
    args = [instantiate(a, scope, made) for a in term.args]
    attrs = {k: scope[v.name] if isinstance(v, AttrName) else v for k, v in term.attrs}
    if term.op in REGISTRY:
        return made(build.apply(term.op, *args, **attrs))
    result: Node = getattr(build, term.op)(*args, **attrs)
    return made(result)


def names_in(term: Any) -> list[str]:
    """The free variables of a term, in order of appearance."""
    if isinstance(term, Variable):
        return [term.name]
    if isinstance(term, Literal):
        return []
    return list(dict.fromkeys(n for a in term.args for n in names_in(a)))


def is_number(node: Node, value: float) -> bool:
    """Whether a node is the constant `value`, spread over any shape."""
    return scalar_value(node) == value
