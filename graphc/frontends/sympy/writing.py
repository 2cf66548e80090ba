"""Scalar graphs become SymPy expressions, each op by the formula of its record.

    sigmoid(x) * 2     ->     2/(1 + exp(-x))

The formulas are graphc's own texts over the op's arguments; they are read as syntax and built by a
table, never evaluated. `from_sympy` reads the result back to the same values.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphc.errors import LimitError, UnsupportedError
from graphc.expr import build
from graphc.expr.looping import open_branch
from graphc.ir.control import BRANCH, LOOP, RESULT
from graphc.ir.graph import Graph
from graphc.ir.leaf import CONST, INPUT, scalar_value
from graphc.ir.node import Node, rebuild

if TYPE_CHECKING:
    import sympy

_NARY = {"add": "Add", "multiply": "Mul"}
_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "Add",
    ast.Sub: "subtract",
    ast.Mult: "Mul",
    ast.Div: "divide",
    ast.Pow: "Pow",
    ast.USub: "negate",
}
_DEEP = 100  # levels of nesting up to which SymPy may simplify
_SHORT_FRACTION = 1024  # denominators up to here are written as a ratio


def to_sympy(graph: Graph) -> sympy.Basic | tuple[sympy.Basic, ...]:
    """The expression of a graph of scalars; a tuple of them if it has several outputs.

    Inputs become real symbols: integers are declared so, and booleans are plain symbols.
    Branches become Piecewise. Raises UnsupportedError for arrays, loops, and ops without a formula.
    """
    graph = _without_branches(graph)
    table: dict[Node, Any] = {}
    depth: dict[Node, int] = {}
    try:
        for node in _needed(graph):
            operands = _operands(node, graph) if node.op.name in _NARY else node.args
            depth[node] = 1 + max((depth[a] for a in operands), default=0)
            table[node] = _expression(node, operands, table, simplify=depth[node] < _DEEP)
    except RecursionError:  # SymPy's own functions look into their arguments
        raise LimitError("G003", "the graph is too deep for SymPy") from None
    results = tuple(table[node] for node in graph.outputs)
    return results[0] if len(results) == 1 else results


def _without_branches(graph: Graph) -> Graph:
    """The graph with a `where` for each result of a branch; the outermost branches first."""
    while any(node.op is BRANCH for node in graph.nodes):
        table: dict[Node, Node] = {}
        for node in graph.nodes:
            table[node] = rebuild(node, [table[a] for a in node.args])
            if node.op is RESULT and node.args[0].op is BRANCH:
                branch = table[node.args[0]]
                then, other = (side[node["k"]] for side in open_branch(branch))
                table[node] = build.where(branch.args[0], then, other)
        graph = graph.mapped(table.__getitem__)
    return graph


def _needed(graph: Graph) -> Iterator[Node]:
    """The nodes to build, arguments first: terms of a sum that nothing else uses go into the sum."""
    inner = {u.args[i] for u in graph.nodes if u.op.name in _NARY for i in range(2) if _absorbed(u.args[i], u, graph)}
    return (node for node in graph.nodes if node not in inner)


def _absorbed(arg: Node, user: Node, graph: Graph) -> bool:
    return arg.op is user.op and arg not in graph.outputs and len(graph.users[arg]) == 1


def _expression(node: Node, operands: Sequence[Node], table: Mapping[Node, Any], *, simplify: bool) -> Any:
    if node.type.rank:
        raise UnsupportedError("G040", f"`{node.op.name}` gives an array {node.type}, and SymPy is given scalars only")
    if node.op is LOOP:
        hint = "only what is computed without a loop becomes an expression"
        raise UnsupportedError("G040", "a loop has no formula in SymPy", hint=hint)
    if node.op is INPUT:
        return _symbol(node)
    if node.op is CONST:
        return _number(scalar_value(node))
    values = [table[a] if _logical(node, i) else _numeric(a, table[a]) for i, a in enumerate(operands)]
    if node.op.name in _NARY:
        return _applied(_NARY[node.op.name], values, simplify)
    if node.op.name == "astype":
        return _cast(node, values[0])
    if node.op.sympy is None:
        raise UnsupportedError("G040", f"`{node.op.name}` has no formula in SymPy")
    scope: dict[str, Any] = dict(zip(node.op.args, values, strict=True))
    scope |= {name: _number(value) for name, value in node.attributes.items()}
    return _built(_parsed(node.op.sympy), scope, simplify)


def _operands(node: Node, graph: Graph) -> list[Node]:
    """The terms of a sum, or the factors of a product, left to right."""
    stack, found = [*reversed(node.args)], []
    while stack:
        arg = stack.pop()
        if _absorbed(arg, node, graph):
            stack += reversed(arg.args)
        else:
            found.append(arg)
    return found


def _symbol(node: Node) -> Any:
    import sympy  # loaded where it is used: start-up stays light

    if node.type.dtype == "bool":
        return sympy.Symbol(node["name"])
    assumption = {"real": True} if node.type.is_float else {"integer": True}
    return sympy.Symbol(node["name"], **assumption)


def _number(value: Any) -> Any:
    """A number as SymPy has it: whole and short binary fractions exactly, others as a Float of 53 bits."""
    import sympy

    if isinstance(value, bool):
        return sympy.true if value else sympy.false
    if not isinstance(value, (int, float)):
        raise UnsupportedError("G040", f"`{value}` has no counterpart in SymPy")
    if isinstance(value, int) or (value.is_integer() and abs(value) < 2**53):
        return sympy.Integer(int(value))
    if value * _SHORT_FRACTION % 1 == 0:
        return sympy.Rational(*value.as_integer_ratio())
    return sympy.Float(value)


def _logical(node: Node, i: int) -> bool:
    """Whether argument `i` is a condition, not a number."""
    return node.type.dtype == "bool" or (node.op.name == "where" and i == 0)


def _numeric(node: Node, value: Any) -> Any:
    """A boolean as a number."""
    import sympy

    return sympy.Piecewise((1, value), (0, True)) if node.type.dtype == "bool" else value


def _cast(node: Node, value: Any) -> Any:
    """A number in a wider type is itself."""
    source = node.args[0].type
    if source.is_float and not node.type.is_float:
        raise UnsupportedError("G040", f"a cast from {source.dtype} to {node.type.dtype} has no formula in SymPy")
    return value


# --- formulas ---


@lru_cache(maxsize=512)
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _built(tree: ast.expr, scope: Mapping[str, Any], simplify: bool) -> Any:
    """The expression of a formula, which is short: recursion is over its text."""
    import sympy

    match tree:
        case ast.Constant(value=bool() | int() | float() as value):
            return _number(value)
        case ast.Name(id=name):
            return scope[name] if name in scope else getattr(sympy, name)  # pi, E, oo
        case ast.UnaryOp(op=operator, operand=operand):
            return _applied(_OPERATORS[type(operator)], [_built(operand, scope, simplify)], simplify)
        case ast.BinOp(left=left, op=operator, right=right):
            return _applied(
                _OPERATORS[type(operator)], [_built(left, scope, simplify), _built(right, scope, simplify)], simplify
            )
        case ast.Call(func=ast.Name(id=name), args=args):
            return _applied(name, [_built(a, scope, simplify) for a in args], simplify)
        case ast.Tuple(elts=items):
            return tuple(_built(i, scope, simplify) for i in items)
    raise UnsupportedError("G040", f"`{ast.unparse(tree)}` is not a formula")


def _applied(name: str, args: Sequence[Any], simplify: bool) -> Any:
    """A class of SymPy on arguments. To simplify, SymPy recurses into them; so deep ones are kept as they are."""
    import sympy

    if name == "subtract":
        return _applied("Add", [args[0], _applied("Mul", [sympy.Integer(-1), args[1]], simplify)], simplify)
    if name == "divide":
        return _applied("Mul", [args[0], _applied("Pow", [args[1], sympy.Integer(-1)], simplify)], simplify)
    if name == "negate":
        return _applied("Mul", [sympy.Integer(-1), args[0]], simplify)
    return getattr(sympy, name)(*args, evaluate=simplify)
