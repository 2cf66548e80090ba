"""Between lexer and parser: newlines inside brackets go, and what is not in the language is
refused with what to write instead.

    sin(x       sin(x y                 one statement, two lines
     + y)   ->        + y)
    x and y ->  error: `and` works on Python's truth values; write &
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from graphc.errors import GraphcError, LimitError, ParseError, Source, Span, UnsupportedError
from graphc.expr.functions import FUNCTIONS
from graphc.frontends.text.characters import MAX_DEPTH
from graphc.frontends.text.driver import Token
from graphc.frontends.text.names import KEYWORDS


class Refusal(NamedTuple):
    """Why a token has no place in the language, and what to write."""

    kind: type[GraphcError]
    message: str
    hint: str | None = None

    def error(self, span: Span) -> GraphcError:
        code = "G040" if self.kind is UnsupportedError else "G001"
        return self.kind(code, self.message, span=span, hint=self.hint)


_WHERE = "write where(condition, a, b)"
_BRANCH = Refusal(UnsupportedError, "a static graph has no branches", _WHERE)
_LOOP = Refusal(
    UnsupportedError, "the language has no loops or comprehensions", "work on whole arrays: sum(x, axis=0), x * y"
)
_IMPORT = Refusal(ParseError, "nothing is imported", "the functions of the language are there without an import")
_STATEMENT = "is a Python statement that the language does not have"
_REFUSED_WORDS: dict[str, Refusal] = {
    "if": _BRANCH,
    "else": _BRANCH,
    "elif": _BRANCH,
    "for": _LOOP,
    "while": _LOOP,
    "in": _LOOP,
    "and": Refusal(UnsupportedError, "`and` works on single truth values", "write (a > 0) & (b > 0)"),
    "or": Refusal(UnsupportedError, "`or` works on single truth values", "write (a > 0) | (b > 0)"),
    "not": Refusal(UnsupportedError, "`not` works on single truth values", "write ~(a > 0)"),
    "is": Refusal(UnsupportedError, "`is` compares objects", "write =="),
    "lambda": Refusal(UnsupportedError, "the language has no lambda", "write def f(a): return ... on a line above"),
    "yield": Refusal(UnsupportedError, "the language has no generators"),
    "await": Refusal(UnsupportedError, "the language has no coroutines"),
    "async": Refusal(UnsupportedError, "the language has no coroutines"),
    "import": _IMPORT,
    "from": _IMPORT,
}
_REFUSED_SIGNS: dict[str, Refusal] = {
    "^": Refusal(ParseError, "`^` is not an operator of the language", "write ** for a power"),
    "&&": Refusal(ParseError, "`&&` is not an operator of the language", "write & between conditions"),
    "||": Refusal(ParseError, "`||` is not an operator of the language", "write | between conditions"),
    "!": Refusal(ParseError, "`!` is not an operator of the language", "write ~ for not, != for not equal"),
    "?": Refusal(ParseError, "`? :` is not in the language", _WHERE),
    "=>": Refusal(ParseError, "`=>` is not an operator of the language", "write >="),
    "<>": Refusal(ParseError, "`<>` is not an operator of the language", "write !="),
    "->": Refusal(ParseError, "`->` is not in the language"),
    ":=": Refusal(ParseError, "`:=` is not in the language", "assign on a line of its own: y = ..."),
    "<<": Refusal(UnsupportedError, "`<<` is not an operator of the language", "write left_shift(x, k)"),
    ">>": Refusal(UnsupportedError, "`>>` is not an operator of the language", "write right_shift(x, k)"),
    ";": Refusal(ParseError, "`;` is not in the language", "write one statement a line"),
    "{": Refusal(UnsupportedError, "the language has no sets, dictionaries or templates"),
    "}": Refusal(ParseError, "`}` is not in the language"),
    "$": Refusal(ParseError, "`$` is not in the language"),
    "`": Refusal(ParseError, "a backquote is not in the language"),
}
_STRING = Refusal(
    UnsupportedError, "a string is only an argument, as in einsum", "dtypes are written without quotes: float32"
)
_FORMATTED = Refusal(UnsupportedError, "nothing inside a string is evaluated")
_UNREADABLE = Refusal(
    ParseError, "a string is closed on its line, and holds ASCII letters, digits and signs without backslashes"
)
MAX_STRING = 1000  # characters


def refusal(token: Token) -> Refusal | None:
    """Why a token is refused wherever it stands, or None."""
    if token.type == "NAME" and token.text in KEYWORDS:
        return _REFUSED_WORDS.get(token.text) or Refusal(ParseError, f"`{token.text}` {_STATEMENT}")
    if token.type == "UNKNOWN":
        return Refusal(ParseError, f"`{token.text}` has no place here")
    if token.type == "FOREIGN":
        sign = token.text
        changed = Refusal(ParseError, f"`{sign}` is not in the language", f"write y = y {sign[:-1]} ...")
        return _REFUSED_SIGNS.get(sign, changed)
    return _STRING if token.type == "STRING" else None


_CLOSES = {"RPAR": "LPAR", "RSQB": "LSQB"}
_WATCHED = frozenset({"NAME", "UNKNOWN", "FOREIGN", "STRING", "LPAR", "LSQB", "RPAR", "RSQB", "NEWLINE"})


class Brackets:
    """The filter, the brackets that are open, and the kind of the last token."""

    def __init__(self) -> None:
        self.source = Source("", "")
        self.open: list[Token] = []
        self.last = ""

    def begin(self, source: Source) -> None:
        self.source, self.open, self.last = source, [], ""

    def span(self, token: Token) -> Span:
        return Span(self.source, token.start, token.end)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens that the grammar sees; the last line ends even without a newline."""
        for token in stream:
            if token.type in _WATCHED and not self.passes(token):
                continue
            if token.type == "END":
                break
            self.last = token.type
            yield token
        if self.open:
            raise self.unclosed()
        end = len(self.source.text)
        yield Token("NEWLINE", "", end, end)
        yield Token("$END", "", end, end)

    def passes(self, token: Token) -> bool:
        kind = token.type
        if kind == "NAME":
            if token.text in KEYWORDS:
                raise self.refused(token)
        elif kind == "NEWLINE":
            return not self.open
        elif kind in ("LPAR", "LSQB"):
            self.open.append(token)
        elif kind in _CLOSES:
            if not self.open or self.open[-1].type != _CLOSES[kind]:
                raise self.unopened(token)
            self.open.pop()
        elif kind != "STRING" or not self.is_argument():
            raise self.refused(token)
        elif not _is_readable(token.text):
            raise _UNREADABLE.error(self.span(token))
        return True

    def is_argument(self) -> bool:
        """Whether what comes next starts an argument: f("ij", ...), f(x, "ij"), f(x, mode="ij")."""
        return bool(self.open) and self.open[-1].type == "LPAR" and self.last in ("LPAR", "COMMA", "EQUAL")

    def refused(self, token: Token) -> GraphcError:
        reason = refusal(token)
        before = self.source.text[max(0, token.start - 1) : token.start]
        if token.type == "STRING" and before in ("f", "F"):
            reason = _FORMATTED
        assert reason is not None
        return reason.error(self.span(token))

    def unclosed(self) -> ParseError:
        return ParseError("G001", f"this `{self.open[-1].text}` is never closed", span=self.span(self.open[-1]))

    def unopened(self, token: Token) -> ParseError:
        if not self.open:
            return ParseError("G001", f"this `{token.text}` closes nothing", span=self.span(token))
        line = self.source.position(self.open[-1].start)[0]
        return ParseError(
            "G001",
            f"this `{token.text}` does not close the `{self.open[-1].text}` of line {line}",
            span=self.span(token),
        )

    def refuse(self, token: Token, too_deep: bool) -> GraphcError:
        """The error for a token that the grammar has no place for, or that is nested too deeply."""
        if too_deep:
            return LimitError("G003", f"the text is nested deeper than {MAX_DEPTH:,}", span=self.span(token))
        span, text = self.span(token), self.source.text
        if self.open and self.source.position(self.open[-1].start)[0] < span.position[0]:
            return self.unclosed()
        if token.type in ("STAR", "POWER") and text[: span.start].rstrip()[-1:] in ("(", ","):
            return UnsupportedError("G040", f"`{token.text}` does not unpack arguments here", span=span)
        start = text.rfind("\n", 0, span.start) + 1
        if text[start : start + 4000].lstrip().startswith("def ") and token.type not in ("RPAR", "RSQB"):
            return _definition(token, span)
        if token.type in ("NEWLINE", "$END"):
            return ParseError("G001", "the line ends too early", span=span)
        return ParseError(
            "G001",
            f"`{token.text[:40]}` has no place here",
            span=span,
            hint=_adjacent(token, text[max(0, span.start - 200) : span.start]),
        )


def _is_readable(text: str) -> bool:
    whole = len(text) >= 2 and text[0] == text[-1]
    return whole and len(text) <= MAX_STRING and text.isascii() and text.isprintable() and "\\" not in text


def _definition(token: Token, span: Span) -> GraphcError:
    kind = UnsupportedError if token.type == "COLON" else ParseError
    return Refusal(
        kind,
        "this is not a definition of the language",
        "write def f(a, b): return a * b  on one line, without types or defaults",
    ).error(span)


def _adjacent(token: Token, before: str) -> str | None:
    """A hint for two things side by side."""
    word = before.rstrip()
    tail = word[len(word.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")) :]
    if token.type in ("NAME", "NUMBER") and tail in FUNCTIONS:
        return f"write {tail}({token.text[:40]})"
    if token.type in ("NAME", "NUMBER", "LPAR") and tail and before.endswith(tail) and tail[0].isdigit():
        return "is this a number, or is a * missing?"
    if token.type in ("NAME", "NUMBER") and tail:
        return "is an operator missing between the two?"
    return None
