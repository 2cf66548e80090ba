"""Operations on what the parser holds: nodes, Python numbers, sizes, and tuples of them.

    2 + 3            5, a Python number: it takes the dtype of the first array it meets
    log(2.0)         0.6931..., folded in float64
    2 * n            a size;   n / 2 and sqrt(n) are weak numbers
    x + 1            a node

No Python big integers: beyond int64 a number is a float, and a constant without a finite value is
an error rather than an inf in the generated file.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.errors import DtypeError, GraphcError, ParseError, ShapeError, UnsupportedError, printable
from graphc.expr.arguments import Value, Weak, describe, leaves, nodes
from graphc.expr.elementwise import power
from graphc.expr.remainders import bitwise_and, bitwise_or, invert
from graphc.ir.dims import Dim, Size
from graphc.ir.interpret import evaluate_node
from graphc.ir.node import Node, make, topological
from graphc.ops import REGISTRY

OPERATORS: dict[str, str] = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "**": "power",
    "@": "matmul",
    "%": "mod",
    "//": "floor_divide",
    "&": "logical_and",
    "|": "logical_or",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
}
_RECORDS = {symbol: REGISTRY[name] for symbol, name in OPERATORS.items()}
_BITS = {"&": bitwise_and, "|": bitwise_or}
_NEGATIVE = REGISTRY["negative"]


def binary(symbol: str, a: Value, b: Value) -> Value:
    """`a symbol b`."""
    if symbol in _BITS and (isinstance(a, Node) or isinstance(b, Node)):
        return _BITS[symbol](a, b)
    if symbol == "//" and isinstance(a, Size) and not isinstance(b, Node):
        return _floor(a, b)
    if isinstance(a, Node) and symbol == "**" and not isinstance(b, Node):
        return power(a, b)
    if isinstance(a, Node):
        return make(_RECORDS[symbol], (a, b) if isinstance(b, Node) else nodes((a, b)))
    if isinstance(b, Node):
        return make(_RECORDS[symbol], nodes((a, b)))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and symbol in _ARITHMETIC:
        return _arithmetic(symbol, a, b)
    if _is_dim(a) and _is_dim(b) and symbol in _POLYNOMIAL:
        return _POLYNOMIAL[symbol](a, b)
    if symbol == "**":
        return settled(power(a, b), (a, b))
    return settled(make(_RECORDS[symbol], nodes((a, b))), (a, b))


def unary(symbol: str, x: Value) -> Value:
    """`-x`, `+x` or `~x`."""
    if symbol == "~":
        return settled(invert(*nodes((x,))), (x,))
    if isinstance(x, Node):
        return make(_NEGATIVE, (x,)) if symbol == "-" else x
    if isinstance(x, (int, float)):
        return number(-x if symbol == "-" else +x)
    if isinstance(x, Size):
        return -x if symbol == "-" else x
    return settled(make(_NEGATIVE, nodes((x,))), (x,)) if symbol == "-" else x


def comparison(symbols: Sequence[str], values: Sequence[Value]) -> Value:
    """`a < b <= c`: both comparisons hold."""
    pairs = [binary(s, a, b) for s, a, b in zip(symbols, values[:-1], values[1:], strict=True)]
    result = pairs[0]
    for pair in pairs[1:]:
        result = binary("&", result, pair)
    return result


def settled(node: Node, args: Sequence[Value]) -> Value:
    """What a function of `args` gives: a number if they are numbers, a weak one if sizes."""
    if node.type.rank or any(isinstance(a, Node) for a in args):
        return node
    inside = leaves(list(args))
    if any(isinstance(v, Node) for v in inside):
        return node
    if any(isinstance(v, (Size, Weak)) for v in inside):
        return node if node.type.dtype == "bool" else Weak(node)
    order = topological([node])
    return number(_evaluated(order)) if all(n.type.rank == 0 for n in order) else node


def _evaluated(order: Sequence[Node]) -> Any:
    table: dict[Node, Any] = {}
    try:
        with np.errstate(all="ignore"):
            for node in order:
                table[node] = evaluate_node(node, [table[a] for a in node.args], {})
    except ValueError as error:  # an integer to a negative power
        raise ParseError("G004", f"this constant expression has no value: {error}") from None
    return table[order[-1]].item()


# --- numbers ---


def number(value: bool | int | float) -> bool | int | float:
    """A constant as the language keeps it: bool, int64 or finite float64."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else float(value)
    if not math.isfinite(value):
        raise ParseError("G004", f"this constant expression has no finite value: it is {value}")
    return value


def literal(text: str) -> int | float:
    """The value of a number as written: 1_000, 0x10, 1e-3."""
    plain = text.replace("_", "")
    try:
        if plain[:2].lower() in ("0x", "0o", "0b"):
            return number(int(plain, 0))
        if plain.isdigit():
            if plain.startswith("0") and plain.strip("0"):
                raise ParseError("G001", "an integer does not start with 0", hint=f"write {plain.lstrip('0')}")
            return number(int(plain))
        value = float(plain)
    except OverflowError:
        value = math.inf
    if math.isinf(value):
        raise ParseError("G004", f"the number {printable(text, 40)} is too large for a float64")
    if value == 0.0 and any(c in "123456789" for c in plain.lower().partition("e")[0]):
        raise ParseError("G004", f"the number {printable(text, 40)} is too small for a float64")
    return value


def _power(a: float, b: float) -> float:
    if isinstance(a, int) and isinstance(b, int) and b >= 0 and b * abs(a).bit_length() <= 64 * 3:
        exact: int = a**b
        return exact
    result = float(a) ** float(b)
    if isinstance(result, complex):
        raise ValueError
    return float(result)


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": _power,
    "//": operator.floordiv,
    "%": operator.mod,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_POLYNOMIAL: dict[str, Callable[[Any, Any], Dim]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def _arithmetic(symbol: str, a: float, b: float) -> bool | int | float:
    try:
        return number(_ARITHMETIC[symbol](a, b))
    except OverflowError:
        reason = "it is too large for a float64"
    except ZeroDivisionError:
        reason = "it divides by zero"
    except ValueError:
        reason = "it is not a real number"
    raise ParseError("G004", f"this constant expression has no finite value: {reason}")


def _is_dim(value: Value) -> bool:
    return isinstance(value, Size) or (isinstance(value, int) and not isinstance(value, bool))


def _floor(a: Size, b: Value) -> Value:
    """`//` of a size by an integer."""
    if not isinstance(b, int) or isinstance(b, bool):
        raise UnsupportedError("G040", "`//` divides a size by an integer", hint="of arrays write floor(a / b)")
    if b == 0:
        raise ParseError("G004", "this constant expression has no finite value: it divides by zero")
    return a // b


# --- indices of tuples ---


def element(values: Sequence[Value], items: Sequence[Any]) -> Value:
    """An element, or a slice, of a tuple such as `x.shape`."""
    item = items[0] if len(items) == 1 else None
    if isinstance(item, slice):
        bounds = (item.start, item.stop, item.step)
        if all(b is None or (type(b) is int and abs(b) < 2**63) for b in bounds) and item.step != 0:
            return tuple(values[item])
    if type(item) is not int:
        raise DtypeError("G030", f"a tuple is indexed with an integer, not {describe(item)}")
    if not -len(values) <= item < len(values):
        raise ShapeError("G022", f"the position {item} is outside a tuple of {len(values)}")
    return values[item]


def output_node(value: Value) -> Node:
    """A returned value as a node; a number, or a number of sizes, is a float64."""
    if isinstance(value, Node):
        return value
    if isinstance(value, Weak):
        return value.node
    if isinstance(value, bool):
        return nodes((value,))[0]
    if isinstance(value, (int, float, Size)):
        return nodes((value, 0.0))[0]
    raise unfit(value)


def unfit(value: Value) -> GraphcError:
    """The error for a value that is neither an array nor a number."""
    hint = "return a, b  gives two outputs" if isinstance(value, (tuple, list)) else None
    return UnsupportedError("G042", f"the value is {describe(value)}, and a model gives arrays or numbers", hint=hint)
