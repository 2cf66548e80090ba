"""Calls: arguments matched with parameters, methods, attributes, indices.

sum(x, axis=0)     FUNCTIONS["sum"].call(x, axis=0)
x.sum(axis=0)      the same
sin(x, y)          error: `sin` takes 1 argument, and was given 2
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import (
    ArgumentError,
    GraphcError,
    LimitError,
    ParseError,
    UnsupportedError,
    did_you_mean,
    printable,
)
from graphc.expr.arguments import Value, Weak, describe
from graphc.expr.fourier import Pair
from graphc.expr.functions import ATTRIBUTES, FUNCTIONS, METHODS, SPREAD, Function
from graphc.expr.subscript import subscript
from graphc.frontends.text.values import element, settled
from graphc.ir.node import Node
from graphc.ir.types import MAX_RANK

# Keywords of NumPy that change memory or types, and have no place in a static graph.
_NUMPY_ONLY = frozenset(
    {
        "out",
        "dtype",
        "where",
        "initial",
        "order",
        "casting",
        "subok",
        "like",
        "copy",
        "mode",
        "k",
        "device",
        "signature",
    }
)


def call(function: Function, args: Sequence[Value], keywords: Sequence[str]) -> Value:
    """The value of a call; the last `len(keywords)` arguments are given by keyword."""
    by_position = args[: len(args) - len(keywords)]
    if keywords or not function.required <= len(args) <= function.positional:
        _check(
            function.name,
            function.signature,
            function.parameters,
            function.positional,
            function.required,
            len(by_position),
            keywords,
        )
    named = dict(zip(keywords, args[len(by_position) :], strict=True)) if keywords else {}
    result = function.call(*by_position, **named)
    if not isinstance(result, tuple) or isinstance(result, (Weak, Pair)):
        return _result(result, args)
    parts = tuple(_result(r, args) for r in result)
    return type(result)(*parts) if hasattr(result, "_fields") else parts


def _result(value: Value, args: Sequence[Value]) -> Value:
    """One result of a function of `args`."""
    if not isinstance(value, Node):
        return value
    if value.type.rank > MAX_RANK:
        raise LimitError("G003", f"an array has at most {MAX_RANK} axes")
    return settled(value, args)


def _check(
    name: str,
    signature: str,
    parameters: Sequence[str],
    positional: int,
    required: int,
    given: int,
    keywords: Sequence[str],
) -> None:
    """Raise what is wrong with a call."""
    repeated = [k for i, k in enumerate(keywords) if k in keywords[:i]]
    if repeated:
        raise ParseError("G001", f"the keyword `{repeated[0][:60]}` is given twice")
    for keyword in keywords:
        if keyword not in parameters:
            raise _unknown_keyword(name, signature, parameters, keyword)
    if given > positional:
        plural = "argument" if positional == 1 else "arguments"
        raise _arity(f"`{name}` takes {positional} {plural}, and was given {given}", signature)
    both = [k for k in keywords if k in parameters[:given]]
    if both:
        raise _arity(f"`{both[0]}` of `{name}` is given twice", signature)
    missing = [p for p in parameters[given:required] if p not in keywords]
    if missing:
        raise _arity(f"`{name}` needs `{missing[0]}`", signature)


def _arity(message: str, signature: str) -> ArgumentError:
    return ArgumentError("G020", message, hint=f"write {signature}")


def _unknown_keyword(name: str, signature: str, parameters: Sequence[str], keyword: str) -> GraphcError:
    shown = printable(keyword, 60)
    if keyword in _NUMPY_ONLY:
        return UnsupportedError("G040", f"`{name}` has no `{shown}=` in a static graph", hint=f"write {signature}")
    close = did_you_mean(keyword, parameters)
    return ArgumentError("G020", f"`{name}` has no parameter `{shown}`", hint=close or f"write {signature}")


def check_definition(name: str, signature: str, parameters: Sequence[str], given: int, keywords: Sequence[str]) -> None:
    """Raise unless a call fits a definition, which takes every parameter once."""
    _check(name, signature, parameters, len(parameters), len(parameters), given, keywords)


def method(name: str, args: Sequence[Value], keywords: Sequence[str]) -> Value:
    """`args[0].name(*args[1:])`."""
    if name not in METHODS or not isinstance(args[0], (Node, int, float, Weak)):
        raise no_attribute(name, args[0])
    spread = len(args) - len(keywords) - 1
    if name in SPREAD and not keywords and spread != 1:
        args = [args[0], tuple(args[1:])] if spread else list(args)
    return call(FUNCTIONS[name], args, keywords)


def attribute(name: str, value: Value) -> Value:
    """`value.name`, of an array or of a result with names: linalg.eigh(A).eigenvalues."""
    if name in ATTRIBUTES and isinstance(value, Node):
        return ATTRIBUTES[name](value)
    if not isinstance(value, Weak) and name in getattr(value, "_fields", ()):
        return getattr(value, name)
    raise no_attribute(name, value)


def no_attribute(name: str, value: Value) -> UnsupportedError:
    shown = printable(name, 60)
    fields = () if isinstance(value, Weak) else getattr(value, "_fields", ())
    if fields:
        hint: str | None = f"its parts are .{', .'.join(fields)}"
    elif name in METHODS:
        hint = f"`{name}` is a method: write x.{name}(...)"
    elif name in FUNCTIONS:
        hint = f"write {FUNCTIONS[name].signature}"
    else:
        hint = did_you_mean(name, [*METHODS, *ATTRIBUTES]) or "the attributes are .T, .shape, .ndim and .size"
    return UnsupportedError("G041", f"{describe(value)} has no attribute `{shown}` in the language", hint=hint)


def index(value: Value, items: Sequence[Any]) -> Value:
    """`value[items]`."""
    if isinstance(value, (tuple, list)) and not isinstance(value, Weak):
        return element(value, items)
    if not isinstance(value, Node):
        raise UnsupportedError("G040", f"{describe(value)} cannot be indexed")
    if len(items) == 1 and isinstance(items[0], (tuple, list)) and isinstance(items[0], tuple):
        items = items[0]
    if sum(i is None for i in items) + value.type.rank > 2 * MAX_RANK:
        raise LimitError("G003", f"an array has at most {MAX_RANK} axes")
    node = subscript(value, items)
    if node.type.rank > MAX_RANK:
        raise LimitError("G003", f"an array has at most {MAX_RANK} axes")
    return node
