"""Errors that name the operands as the user wrote them.

sizes d and k do not match   ->   shapes do not match in `@`
                                  `X` is (n, d) and `w` is (k,)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import GraphcError, ShapeError, Source, Span, printable
from graphc.frontends.text.tape import Term
from graphc.ir.leaf import INPUT
from graphc.ir.node import Node
from graphc.ir.types import SHORT, show_shape

MAX_QUOTED = 30  # characters of an operand that a label shows
_PLACES = {1: ("the operand",), 2: ("the left operand", "the right operand")}


def located(
    error: GraphcError, source: Source, static: Any, operands: Sequence[Term], start: int, end: int
) -> GraphcError:
    """The error with its place and, for shapes, what the operands are."""
    if error.span is not None:
        return error
    error.span = Span(source, start, end)
    if not isinstance(error, ShapeError) or error.code != "G021":
        return error
    arrays = [
        (_shown(source, t, i, len(operands)), t.value) for i, t in enumerate(operands) if isinstance(t.value, Node)
    ]
    if not 1 <= len(arrays) <= 3:
        return error
    if error.message.startswith(("sizes ", "shapes do not match")):
        error.message = f"shapes do not match in `{_operation(static)}`"
    error.label = printable(_listed([f"{text} is {show_shape(node.shape)}" for text, node in arrays]))
    if static == "@" and len(arrays) == 2 and min(n.type.rank for _, n in arrays) > 0:
        error.hint = _product_hint(arrays)
    return error


def _operation(static: Any) -> str:
    if isinstance(static, str):
        return static
    if isinstance(static, tuple) and static:
        return str(getattr(static[0], "name", static[0]))
    if isinstance(static, list) and static:
        return str(static[0])
    return "[]"


def _shown(source: Source, term: Term, position: int, count: int) -> str:
    text = source.text[term.start : term.end]
    if len(text) <= MAX_QUOTED and "\n" not in text:
        return f"`{text}`"
    places = _PLACES.get(count)
    return places[position] if places else f"operand {position + 1}"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _product_hint(arrays: list[tuple[str, Node]]) -> str:
    (left, a), (right, b) = arrays
    axis = "first" if b.type.rank <= 2 else "second last"
    hint = f"the last size of {left} must equal the {axis} size of {right}"
    if b.op is INPUT and right == f"`{b['name']}`" and b.type.rank <= 2:
        sizes = ", ".join(map(str, (a.shape[-1], *b.shape[1:])))
        hint += f"; declare {b['name']}: {SHORT[b.type.dtype]}[{sizes}]?"
    return hint
