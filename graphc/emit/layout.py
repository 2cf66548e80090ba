"""Statements over one or several lines, as `black` and `ruff format` leave them at 88 columns.

assign("z", "np.maximum(aaa..., bbb...)", 1)  ->      z = np.maximum(
                                                          aaa..., bbb...
                                                      )
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence

from graphc.emit.pyexpr import print_expr
from graphc.emit.wrap import INDENT, WIDTH, statement, wrapped_return

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # what could end a comment
_FORMULA = re.compile(r"\s*\w+ += ")  # what goes on after it stands behind it
QUOTES = '"""'


def assign(target: str, value: ast.expr | str, indent: int, comment: str = "") -> list[str]:
    """`target = value  # comment`; the comment goes above when it does not fit beside."""
    text = value if isinstance(value, str) else print_expr(value)
    return _commented(statement(f"{target} =", text, indent), indent, comment)


def update(target: str, operator: str, value: ast.expr | str, indent: int, comment: str = "") -> list[str]:
    """`target += value  # comment`, and the other augmented assignments."""
    text = value if isinstance(value, str) else print_expr(value)
    return _commented(statement(f"{target} {operator}", text, indent), indent, comment)


def call_statement(prefix: str, callee: str, args: Sequence[str], indent: int) -> list[str]:
    """`return Gradients(W1=dW1, b1=db1)`: prefix `return`, `x =` or nothing, then a call."""
    return statement(prefix, f"{callee}({', '.join(args)})", indent)


def unchecked_call(callee: str, args: Sequence[str], place: int, indent: int, word: str) -> list[str]:
    """A call with a word for type checkers behind the line on which the argument at `place` begins."""
    exploded = _one_a_line(f"{callee}(", args, ")", indent)
    for lines in (call_statement("", callee, args, indent), exploded):
        i = next(i for i, line in enumerate(lines) if args[place][:6] in line)
        marked = beside(lines[i], word)
        if marked is not None:
            return [*lines[:i], marked, *lines[i + 1 :]]
    exploded[1 + place] += f"  # {word}"
    return exploded


def tuple_statement(prefix: str, items: Sequence[str], indent: int) -> list[str]:
    """`return loss, (X, y, z)`: a tuple without parentheses of its own; one item: `(X,)`."""
    if len(items) == 1:
        return statement(prefix, f"({items[0]},)", indent)
    return statement(prefix, ", ".join(items) or "()", indent)


def return_pair(first: str, rest: Sequence[str], indent: int) -> list[str]:
    """`return loss, (X, y, z)`."""
    if _is_long(rest):
        return _one_a_line(f"return {first}, (", rest, ")", indent)
    last = f"({rest[0]},)" if len(rest) == 1 else f"({', '.join(rest)})"
    return tuple_statement("return", [first, last], indent)


def unpack(targets: Sequence[str], value: str, indent: int) -> list[str]:
    """`X, y, z = saved`; too long: the targets one a line, in parentheses."""
    names = f"({targets[0]},)" if len(targets) == 1 else ", ".join(targets)
    line = f"{INDENT * indent}{names} = {value}"
    if len(line) <= WIDTH:
        return [line]
    return _one_a_line("(", targets, f") = {value}", indent)


def type_alias(name: str, items: Sequence[str]) -> list[str]:
    """`Saved = tuple[Array, Array]`; an empty one is `tuple[()]`."""
    if _is_long(items):
        return _one_a_line(f"{name} = tuple[", items, "]", 0)
    return statement(f"{name} =", f"tuple[{', '.join(items) or '()'}]", 0)


def function_head(name: str, params: Sequence[str], returns: str) -> list[str]:
    """`def name(params) -> returns:`; too long: one line of params, else one param a line."""
    line = f"def {name}({', '.join(params)}) -> {returns}:"
    if len(line) <= WIDTH or not params:
        return [line]
    body = [INDENT + ", ".join(params)]
    if len(params) == 1 or len(body[0]) > WIDTH:
        body = [f"{INDENT}{param}," for param in params]
    return [f"def {name}(", *body, *wrapped_return(returns)]


def comment(text: str, indent: int = 0) -> list[str]:
    """A comment on lines of its own, wrapped between words."""
    start = INDENT * indent + "# "
    return _wrapped(_CONTROL.sub(" ", text), start, start)


def docstring(text: str, indent: int = 0) -> list[str]:
    """A docstring; its lines are wrapped between words, a wrapped line keeping its indentation.

    One line stands between its quotes; of several, the last quotes have a line of their own.
    """
    margin = INDENT * indent
    first, *rest = text.replace("\\", "\\\\").replace(QUOTES, '\\"\\"\\"').strip().split("\n")
    start = margin + QUOTES + (" " if first.startswith('"') else "")
    end = (" " if first.endswith('"') else "") + QUOTES
    lines = _wrapped(first, start, margin, WIDTH if rest else WIDTH - len(end))
    if not rest and len(lines) == 1:
        return [lines[0] + end]
    for line in textwrap.dedent("\n".join(rest)).split("\n") if rest else ():
        start = margin + line[: len(line) - len(line.lstrip())]
        formula = _FORMULA.match(line)
        behind = start if formula is None else margin + " " * len(formula.group())
        lines += _wrapped(line, start, behind) if line.strip() else [""]
    return [*lines, margin + QUOTES]


def _wrapped(text: str, first: str, rest: str, width: int = WIDTH) -> list[str]:
    wrapper = textwrap.TextWrapper(width, initial_indent=first, subsequent_indent=rest)
    wrapper.break_long_words = wrapper.break_on_hyphens = False
    return wrapper.wrap(text.strip()) or [first.rstrip()]


def _is_long(items: Sequence[str]) -> bool:
    """Whether items between brackets are too many for one line: no splitter is needed to see that."""
    return len(items) > WIDTH


def _one_a_line(opening: str, items: Sequence[str], closing: str, indent: int) -> list[str]:
    margin = INDENT * indent
    return [f"{margin}{opening}", *(f"{margin}{INDENT}{item}," for item in items), f"{margin}{closing}"]


def beside(line: str, text: str) -> str | None:
    """`line  # text` if it fits, else None."""
    commented = f"{line}  # {_CONTROL.sub(' ', text)}" if text else line
    return commented if len(commented) <= WIDTH else None


def _commented(lines: list[str], indent: int, text: str) -> list[str]:
    if not text:
        return lines
    whole = beside(lines[0], text) if len(lines) == 1 else None
    if whole is not None:
        return [whole]
    return comment(_CONTROL.sub(" ", text), indent) + lines
