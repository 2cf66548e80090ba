"""Where a line that is too long is split, as `black` does it.

The splitter follows black's right_hand_split and delimiter_split (black/linegen.py) on the tokens
of one line. A line is split at its last bracket, and the inside of a bracket at its operators of
lowest precedence. Around the value of a statement stands a pair of optional parentheses, of empty
text, that becomes visible where the split happens there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

WIDTH = 88
INDENT = "    "


def statement(prefix: str, value: str, indent: int) -> list[str]:
    """`prefix value` at an indentation, over as many lines as it takes."""
    line = f"{INDENT * indent}{prefix} {value}" if prefix else f"{INDENT * indent}{value}"
    if len(line) <= WIDTH:
        return [line]
    tokens = _tokens(f"{prefix} {value}".strip())
    start = len(_tokens(prefix))
    _pair_conditionals(tokens)
    if start and not (tokens[start].text == "(" and tokens[start].partner is tokens[-1]):
        _pair(tokens, start, len(tokens))
    return _transform(Line(tokens, indent), False)


def wrapped_return(returns: str) -> list[str]:
    """The last line, or lines, of a function head whose parameters have lines of their own."""
    return _transform(Line(_tokens(f") -> {returns}:"), 0), False)


# --- tokens and lines ---


@dataclass(eq=False, slots=True)
class Token:
    """A token and the space before it; side: 1 opens a bracket, -1 closes one."""

    space: str
    text: str
    side: int = 0
    partner: Token | None = None


class Line(NamedTuple):
    """Tokens that stand on one line as yet.

    inside: it is what stood between brackets.  explode: it must be split at its commas.
    """

    tokens: list[Token]
    depth: int
    inside: bool = False
    explode: bool = False

    @property
    def text(self) -> str:
        return INDENT * self.depth + "".join(t.space + t.text for t in self.tokens).lstrip()

    @property
    def fits(self) -> bool:
        return len(self.text) <= WIDTH


_TOKEN = re.compile(
    r"(?P<space>\s*)(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|not in\b|is not\b"
    r"|\d[\w.]*(?:(?<=e)[+-]\d+)?|\w+|\*\*=|//=|>>=|<<=|->|\*\*|//|<<|>>|[-+*/%@&|^<>=!]=|\.\.\.|\S)"
)
_SIDES = dict.fromkeys("([{", 1) | dict.fromkeys(")]}", -1)
_COMMA, _DOT = 18, 1
_PRIORITY = {",": _COMMA, "if": 16, "else": 16, "and": 14, "or": 14, ".": _DOT}
_PRIORITY |= {"|": 9, "^": 8, "&": 7}
_PRIORITY |= dict.fromkeys(("<", ">", "<=", ">=", "==", "!=", "is", "is not", "in", "not in"), 10)
_PRIORITY |= dict.fromkeys(("<<", ">>"), 6) | dict.fromkeys(("+", "-"), 5) | {"**": 2}
_PRIORITY |= dict.fromkeys(("*", "/", "//", "%", "@"), 4)
_BEFORE_SIGN = {*_PRIORITY, "=", ":", "not", "return", "->"}


def _tokens(text: str) -> list[Token]:
    tokens = [Token(m["space"], m["text"]) for m in _TOKEN.finditer(text)]
    stack: list[Token] = []
    for token in tokens:
        token.side = _SIDES.get(token.text, 0)
        if token.side > 0:
            stack.append(token)
        elif token.side < 0 and stack:
            token.partner = stack.pop()
            token.partner.partner = token
    return tokens


def _pair(tokens: list[Token], start: int, end: int) -> None:
    """Put optional parentheses around tokens[start:end]."""
    opening, closing = Token(tokens[start].space, "", 1), Token("", "", -1)
    opening.partner, closing.partner = closing, opening
    tokens[start].space = ""
    tokens.insert(end, closing)
    tokens.insert(start, opening)


def _pair_conditionals(tokens: list[Token]) -> None:
    """Put optional parentheses around each `a if b else c` that is one argument of several."""
    starts, found = [0], [-1]  # for each open bracket: where an argument begins, its conditional
    i = 0
    while i <= len(tokens):
        token = tokens[i] if i < len(tokens) else Token("", ")", -1)
        if (token.side < 0 or token.text in (",", ":")) and found[-1] >= 0:
            alone = token.text == ")" and tokens[found[-1] - 1].text == "("
            if not alone:
                _pair(tokens, found[-1], i)
                i += 2
            found[-1] = -1
        if token.text == "if" and starts[-1]:
            found[-1] = starts[-1]
        if token.side > 0:
            starts, found = [*starts, i + 1], [*found, -1]
        elif token.side < 0:
            del starts[-1], found[-1]
        elif token.text in (",", ":", "="):
            starts[-1] = i + 1
        i += 1


def _delimiters(line: Line) -> dict[int, int]:
    """Where the line can be broken outside its brackets: after which token, with what priority."""
    found: dict[int, int] = {}
    depth = 0
    for i, token in enumerate(line.tokens):
        depth -= token.side < 0 and depth > 0
        if depth == 0 and token.text in _PRIORITY:
            _mark(found, line.tokens, i)
        depth += token.side > 0
    return found


def _mark(found: dict[int, int], tokens: list[Token], i: int) -> None:
    text, before = tokens[i].text, tokens[i - 1] if i else None
    if text == ",":
        found[i] = _COMMA
    elif before is None or before.side > 0 or before.text in _BEFORE_SIGN:
        return  # a sign, not an operator
    elif text != "." or before.side < 0:
        found[i - 1] = _PRIORITY[text]


# --- black's splits ---


class CannotSplit(Exception):
    """This way of splitting the line is of no use."""


class Split(NamedTuple):
    """A line around the insides of one pair of brackets."""

    head: Line
    body: Line
    tail: Line


def _transform(line: Line, forced: bool) -> list[str]:
    """The lines of text that `line` becomes. forced: the optional parentheses must show."""
    if line.fits and not line.explode:
        return [line.text]
    for by_delimiter in (True, False) if line.inside else (False,):
        try:
            return _run(line, by_delimiter, forced)
        except CannotSplit:
            continue
    return [line.text]


def _run(line: Line, by_delimiter: bool, forced: bool) -> list[str]:
    before = line.text
    result: list[str] = []
    for part in _delimiter_split(line) if by_delimiter else _right_split(line, forced):
        if part.text == before:
            raise CannotSplit
        result += _transform(part, forced)
    if forced or by_delimiter or len(result[0]) <= WIDTH or not _is_hidden(line.tokens):
        return result
    second = _run(line, False, True)
    return second if all(len(text) <= WIDTH for text in second) else result


def _is_hidden(tokens: list[Token]) -> bool:
    """Whether there are optional parentheses on the line, and none of them shows yet."""
    return any(token.side and not token.text for token in tokens)


def _delimiter_split(line: Line) -> list[Line]:
    found = {i: p for i, p in _delimiters(line).items() if i < len(line.tokens) - 1}
    priority = max(found.values(), default=0)
    if not found or (priority == _DOT and list(found.values()).count(_DOT) == 1):
        raise CannotSplit
    tokens = line.tokens
    if priority == _COMMA and tokens[-1].text != ",":
        tokens = [*tokens, Token("", ",")]
    cuts = [0, *(i + 1 for i, p in found.items() if p == priority), len(tokens)]
    return [Line(tokens[a:b], line.depth, True) for a, b in pairwise(cuts)]


def _right_split(line: Line, forced: bool) -> list[Line]:
    first: list[Line] | None = None
    for omit in _trailers(line):
        parts = _split_omitting(line, omit, forced)
        first = first or parts
        if parts[0].fits:
            return parts
    return first or []


def _last_bracket(line: Line, omit: frozenset[int]) -> Split:
    close, start = len(line.tokens), -1
    while start < 0:  # the last bracket with something in it
        close = max((i for i in range(close) if _closes(line.tokens[i], omit)), default=-1)
        partner = line.tokens[close].partner
        if close < 0 or partner not in line.tokens:
            raise CannotSplit
        opening = line.tokens.index(partner)
        start, close = (opening, close) if opening < close - 1 else (-1, opening)
    inner = Line(line.tokens[start + 1 : close], line.depth + 1, True)
    commas = _COMMA in [p for i, p in _delimiters(inner).items() if i < len(inner.tokens) - 1]
    return Split(
        Line(line.tokens[: start + 1], line.depth),
        inner._replace(explode=commas and _is_display(line.tokens, start)),
        Line(line.tokens[close:], line.depth),
    )


def _closes(token: Token, omit: frozenset[int]) -> bool:
    return token.side < 0 and id(token) not in omit


def _is_display(tokens: list[Token], start: int) -> bool:
    """Whether the bracket at `start` begins a tuple or list, not a call or a subscript."""
    if start == 0 or not tokens[start].text:
        return True
    before = tokens[start - 1]
    return before.side > 0 or before.text in _BEFORE_SIGN


def _split_omitting(line: Line, omit: frozenset[int], forced: bool) -> list[Line]:
    split = _last_bracket(line, omit)
    opening, closing = split.head.tokens[-1], split.tail.tokens[0]
    if not forced and opening.text == "" and _can_omit(split.body):
        try:
            inner = _last_bracket(line, omit | {id(closing)})
            if _prefer_inner(inner, split):
                return _split_omitting(line, omit | {id(closing)}, forced)
        except CannotSplit:
            if len(split.body.tokens) < 2 and not split.body.fits:
                raise
    opening.text, closing.text = opening.text or "(", closing.text or ")"
    return [part for part in split if part.tokens]


def _prefer_inner(inner: Split, outer: Split) -> bool:
    """Whether to split inside the value, not around it, for targets with brackets: `x[i] = ...`."""
    head = outer.head.tokens
    if not head[-2:-1] or head[-2].text != "=" or not any(t.side for t in head[:-1]):
        return True
    if len(outer.head.text) > WIDTH - 1:
        return True
    after = inner.head.tokens[len(head) :]
    return any(t.side < 0 for t in after) or (bool(after) and inner.head.fits)


def _can_omit(body: Line) -> bool:
    """Whether the value reads well without the optional parentheses."""
    found = list(_delimiters(body).values())
    if not found:
        return True
    priority = max(found)
    if found.count(priority) > 1:
        return False
    if priority == _DOT or _opens_with_room(body):
        return True
    last, before = body.tokens[-1], body.tokens[-2]
    display = last.partner is not None and _is_display(body.tokens, body.tokens.index(last.partner))
    if last.text not in ")}" and not (last.text == "]" and display):
        return False
    return before.side <= 0 and _closes_with_room(body, last)


def _opens_with_room(body: Line) -> bool:
    first, second = body.tokens[:2]
    if first.side <= 0 or second.side < 0:
        return False
    length, counting = 4 * body.depth, False
    for token in body.tokens:
        counting = counting or token.partner is first
        if counting:
            length += len(token.space + token.text)
            if length > WIDTH:
                return False
            counting = token.side <= 0
    return True


def _closes_with_room(body: Line, last: Token) -> bool:
    length, others = 4 * body.depth, False
    for token in body.tokens:
        length += len(token.space + token.text)
        if token is last.partner:
            return others or length <= WIDTH
        others = others or token.side > 0
    return False


def _trailers(line: Line) -> Iterator[frozenset[int]]:
    """Sets of closing brackets not to split at, growing from none: the last ones come first."""
    omit: set[int] = set()
    inner: set[int] = set()
    yield frozenset()
    opening: Token | None = None
    closing: Token | None = None
    length = 4 * line.depth
    for i in reversed(range(len(line.tokens))):
        token = line.tokens[i]
        length += len(token.space + token.text)
        if length > WIDTH:
            return
        if opening is not None:
            opening = None if token is opening else opening
            if token.side < 0:
                inner.add(id(token))
        elif token.side < 0 and i and line.tokens[i - 1].side > 0:
            inner.add(id(token))
        elif token.side < 0:
            if closing is not None:
                omit |= {id(closing), *inner}
                inner.clear()
                yield frozenset(omit)
            if token.text:
                opening, closing = token.partner, token
