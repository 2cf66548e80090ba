"""Python expressions as text, on one line, exactly as `black` and `ruff format` leave them.

    BinOp(BinOp(Name("a"), Sub, Name("b")), Pow, Constant(2))   ->   (a - b) ** 2
    Subscript(Name("x"), Slice(BinOp(n, Sub, 1), None))         ->   x[n - 1 :]

Parentheses are the fewest that keep the tree: parsing the text gives the same tree again. The
exceptions are powers, where the formatters add parentheses, `-(a**2)` and `not (a**b)`, or do not
agree without them, `a ** (--b)` and `(a**b) if c else d`; and `a if b else (c if d else e)`.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any, TypeGuard

from graphc.errors import InternalError

# How tightly an expression binds, loosest first (Python reference, 6.17 "Operator precedence").
CONDITIONAL, OR, AND, NOT, COMPARISON, BIT_OR, BIT_XOR, BIT_AND = range(8)
SHIFT, SUM, PRODUCT, UNARY, POWER, PRIMARY = range(8, 14)

BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.BitOr: ("|", BIT_OR),
    ast.BitXor: ("^", BIT_XOR),
    ast.BitAnd: ("&", BIT_AND),
    ast.LShift: ("<<", SHIFT),
    ast.RShift: (">>", SHIFT),
    ast.Add: ("+", SUM),
    ast.Sub: ("-", SUM),
    ast.Mult: ("*", PRODUCT),
    ast.MatMult: ("@", PRODUCT),
    ast.Div: ("/", PRODUCT),
    ast.FloorDiv: ("//", PRODUCT),
    ast.Mod: ("%", PRODUCT),
    ast.Pow: ("**", POWER),
}
UNARIES: dict[type[ast.unaryop], tuple[str, int]] = {
    ast.USub: ("-", UNARY),
    ast.UAdd: ("+", UNARY),
    ast.Invert: ("~", UNARY),
    ast.Not: ("not ", NOT),
}
BOOLEAN: dict[type[ast.boolop], tuple[str, int]] = {ast.And: ("and", AND), ast.Or: ("or", OR)}
COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}


def print_expr(tree: ast.expr) -> str:
    """The text of an expression on one line; tuples outside subscripts keep their parentheses.

    Raises InternalError for syntax that generated code does not use, and for inf and nan, which
    must arrive as `np.inf`, `math.nan`, ...
    """
    printer = PRINTERS.get(type(tree))
    if printer is None:
        raise InternalError("G090", f"generated code has no {type(tree).__name__}")
    return printer(tree)


def level(tree: ast.expr) -> int:
    """How tightly `tree` binds: one of the constants above."""
    if isinstance(tree, ast.Name):
        return PRIMARY
    if isinstance(tree, ast.BinOp):
        return BINARY[type(tree.op)][1]
    if isinstance(tree, ast.UnaryOp):
        return UNARIES[type(tree.op)][1]
    if isinstance(tree, ast.BoolOp):
        return BOOLEAN[type(tree.op)][1]
    if isinstance(tree, ast.Constant):
        return UNARY if _is_negative(tree) else PRIMARY
    return {ast.IfExp: CONDITIONAL, ast.Compare: COMPARISON}.get(type(tree), PRIMARY)


def operand(tree: ast.expr, least: int) -> str:
    """The text of `tree` where something at least as tight as `least` must stand."""
    if isinstance(tree, ast.Name):
        return tree.id
    return print_expr(tree) if level(tree) >= least else f"({print_expr(tree)})"


def _is_number(tree: ast.expr) -> TypeGuard[ast.Constant]:
    return isinstance(tree, ast.Constant) and type(tree.value) in (int, float)


def _is_negative(tree: ast.expr) -> bool:
    """Whether `tree` is a number with a minus sign, -0.0 included."""
    return _is_number(tree) and repr(tree.value).startswith("-")


def _constant(tree: ast.Constant) -> str:
    value = tree.value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InternalError("G090", f"the constant {value!r} must be written as an attribute")
        return repr(value).replace("e+", "e")
    if isinstance(value, str):
        return _string(value)
    return "..." if value is Ellipsis else repr(value)


def _string(value: str) -> str:
    """Double quotes, unless they would need more backslashes."""
    if value.count('"') > value.count("'"):
        return repr(value)
    body = repr(value + '"')[1:-2]  # with a " inside, repr quotes with ' and escapes that
    return '"' + body.replace("\\'", "'").replace('"', '\\"') + '"'


def _binary(tree: ast.BinOp) -> str:
    symbol, own = BINARY[type(tree.op)]
    if own == POWER:
        return _power(tree)
    return f"{operand(tree.left, own)} {symbol} {operand(tree.right, own + 1)}"


def _power(tree: ast.BinOp) -> str:
    base, exponent = _explicit(tree.left), _explicit(tree.right)
    left, right = operand(base, PRIMARY), operand(exponent, UNARY)
    if isinstance(exponent, ast.UnaryOp) and level(exponent) == UNARY:
        exponent = _explicit(exponent.operand)
        right = f"({right})" if level(exponent) == UNARY else right
    while isinstance(exponent, ast.BinOp) and isinstance(exponent.op, ast.Pow):
        exponent = exponent.left
    hugged = _is_simple(base) and _is_simple(exponent)
    return f"{left}**{right}" if hugged else f"{left} ** {right}"


def _explicit(tree: ast.expr) -> ast.expr:
    """A negative number as what its text is: a minus sign and a number."""
    if not _is_negative(tree):
        return tree
    assert isinstance(tree, ast.Constant) and isinstance(tree.value, (int, float))
    return ast.UnaryOp(ast.USub(), ast.Constant(-tree.value))


def _is_simple(tree: ast.expr) -> bool:
    """Whether the formatters set `**` close to this operand: a number, or a dotted name."""
    while isinstance(tree, ast.Attribute) and not isinstance(tree.value, ast.Constant):
        tree = tree.value
    return isinstance(tree, (ast.Name, ast.Constant))


def _before_word(tree: ast.expr, least: int) -> str:
    """`operand` before `if`, `else`, `and`, `or`, `is`, `in`: `(a**b)`, never a bare `a**b`."""
    text, last = operand(tree, least), tree
    while level(last) < POWER and (inner := _rightmost(last)) is not None:
        last = inner
    if not isinstance(last, ast.BinOp) or _is_number(last.right) or level(tree) < least:
        return text
    return f"({text})"


def _rightmost(tree: ast.expr) -> ast.expr | None:
    if isinstance(tree, ast.BinOp):
        return tree.right
    if isinstance(tree, ast.UnaryOp):
        return tree.operand
    if isinstance(tree, ast.BoolOp):
        return tree.values[-1]
    return tree.comparators[-1] if isinstance(tree, ast.Compare) else None


def _unary(tree: ast.UnaryOp) -> str:
    symbol, own = UNARIES[type(tree.op)]
    if level(tree.operand) == POWER:
        return f"{symbol}({print_expr(tree.operand)})"
    return symbol + operand(tree.operand, own)


def _boolean(tree: ast.BoolOp) -> str:
    symbol, own = BOOLEAN[type(tree.op)]
    before = [_before_word(value, own + 1) for value in tree.values[:-1]]
    return f" {symbol} ".join([*before, operand(tree.values[-1], own + 1)])


def _compare(tree: ast.Compare) -> str:
    parts: list[str] = []
    for left, op in zip([tree.left, *tree.comparators], tree.ops, strict=False):
        symbol = COMPARE[type(op)]
        before = _before_word if symbol[0].isalpha() else operand
        parts += [before(left, BIT_OR), symbol]
    return " ".join([*parts, operand(tree.comparators[-1], BIT_OR)])


def _conditional(tree: ast.IfExp) -> str:
    body, test = _before_word(tree.body, OR), _before_word(tree.test, OR)
    return f"{body} if {test} else {operand(tree.orelse, OR)}"


def _attribute(tree: ast.Attribute) -> str:
    owner = operand(tree.value, PRIMARY)
    number = _is_number(tree.value) and not owner.startswith("(")
    return f"({owner}).{tree.attr}" if number else f"{owner}.{tree.attr}"


def _call(tree: ast.Call) -> str:
    return f"{operand(tree.func, PRIMARY)}({', '.join(arguments(tree))})"


def arguments(tree: ast.Call) -> list[str]:
    """The texts of the arguments of a call, `name=value` for keywords."""
    return [print_expr(a) for a in tree.args] + [
        f"{keyword.arg}={print_expr(keyword.value)}" for keyword in tree.keywords
    ]


def _subscript(tree: ast.Subscript) -> str:
    return f"{operand(tree.value, PRIMARY)}[{', '.join(indices(tree))}{_lone(tree.slice)}]"


def indices(tree: ast.Subscript) -> list[str]:
    """The texts of the indices of a subscript."""
    index = tree.slice
    plain = isinstance(index, ast.Tuple) and index.elts
    return [print_expr(e) for e in (plain or [index])]


def _slice(tree: ast.Slice) -> str:
    """Spaces around the colons as soon as one bound is more than a name or a number."""
    bounds = [tree.lower, tree.upper] + ([tree.step] if tree.step else [])
    texts = ["" if b is None else print_expr(b) for b in bounds]
    if all(b is None or _is_plain_bound(b) for b in bounds):
        return ":".join(texts)
    spaced = texts[0]
    for text in texts[1:]:
        spaced += (" :" if spaced and not spaced.endswith(":") else ":") + (text and " " + text)
    return spaced


def _is_plain_bound(tree: ast.expr) -> bool:
    while isinstance(tree, ast.UnaryOp) and level(tree) == UNARY:
        tree = tree.operand
    return isinstance(tree, (ast.Name, ast.Constant))


def _tuple(tree: ast.Tuple) -> str:
    return f"({', '.join(map(print_expr, tree.elts))}{_lone(tree)})"


def _lone(tree: ast.expr) -> str:
    """The comma that makes a tuple of one."""
    return "," if isinstance(tree, ast.Tuple) and len(tree.elts) == 1 else ""


def _list(tree: ast.List) -> str:
    return f"[{', '.join(map(print_expr, tree.elts))}]"


PRINTERS: dict[type[ast.expr], Callable[[Any], str]] = {
    ast.Name: lambda tree: str(tree.id),
    ast.Constant: _constant,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _conditional,
    ast.Call: _call,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Tuple: _tuple,
    ast.List: _list,
}
