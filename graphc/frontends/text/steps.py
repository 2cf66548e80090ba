"""What an action computes, now or when its definition is called: (reader, static, operands) -> value.

binary(reader, "*", [x, 2])    the node multiply(x, 2)
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from graphc.expr.arguments import leaves
from graphc.frontends.text import calls, values
from graphc.frontends.text.tape import Definition, Term


def binary(reader: Any, symbol: str, operands: Sequence[Term]) -> Any:
    return values.binary(symbol, operands[0].value, operands[1].value)


def unary(reader: Any, symbol: str, operands: Sequence[Term]) -> Any:
    return values.unary(symbol, operands[0].value)


def comparison(reader: Any, symbols: Sequence[str], operands: Sequence[Term]) -> Any:
    return values.comparison(symbols, [t.value for t in operands])


def sequence(reader: Any, kind: Any, operands: Sequence[Term]) -> Any:
    made = kind(t.value for t in operands)
    leaves(made)  # refuses deep nesting
    return made


def call(reader: Any, static: Any, operands: Sequence[Term]) -> Any:
    callee, keywords = static
    if isinstance(callee, Definition):
        return reader.expand(callee, keywords, operands)
    return calls.call(callee, [t.value for t in operands], keywords)


def method(reader: Any, static: Any, operands: Sequence[Term]) -> Any:
    return calls.method(static[0], [t.value for t in operands], static[1])


def attribute(reader: Any, name: str, operands: Sequence[Term]) -> Any:
    return calls.attribute(name, operands[0].value)


def slice(reader: Any, given: Sequence[bool], operands: Sequence[Term]) -> Any:
    parts = iter(operands)
    return builtins.slice(*(next(parts).value if present else None for present in given))


def index(reader: Any, static: None, operands: Sequence[Term]) -> Any:
    return calls.index(operands[0].value, [t.value for t in operands[1:]])
