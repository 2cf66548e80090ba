"""What a text may be made of, checked before anything else looks at it.

Printable ASCII, tabs and line ends; everything else is refused by its code point, comments
included, because a reader could not see what it does.
"""

from __future__ import annotations

import re
import unicodedata

from graphc.errors import LimitError, ParseError, Source, Span

MAX_TEXT = 16 * 1024 * 1024  # characters of a text, bytes of a file
MAX_IDENTIFIER = 1024
MAX_LITERAL = 400  # characters of a number
MAX_DEPTH = 150_000  # values that wait for what follows: 2 a nested call, 1 a parenthesis
MAX_INPUTS = 4096

_FOREIGN = re.compile(r"[^\t\n -~]")
_HINTS = {
    "\u201c": "strings are not needed: write names without quotes",
    "\u201d": "strings are not needed: write names without quotes",
    "\u00a0": "it looks like a space and is not one",
    "\u00b7": "write * for a product",
    "\u00d7": "write * for a product",
    "\u2212": "write - for minus",
    "\u2264": "write <=",
    "\u2265": "write >=",
    "\u00b2": "write **2",
}


def checked_source(text: str, title: str) -> Source:
    """The text as a `Source`, without a byte order mark and with `\\n` line ends.

    Raises LimitError G003 beyond 16 MiB and ParseError G002 at a character outside the language.
    """
    if len(text) > MAX_TEXT:
        raise LimitError("G003", f"the text has {len(text):,} characters; the limit is 16 MiB")
    source = Source(title, text.removeprefix("\ufeff").replace("\r\n", "\n"))
    found = _FOREIGN.search(source.text)
    if found is not None:
        raise foreign_character(found.group(), Span(source, found.start(), found.end()))
    return source


def foreign_character(char: str, span: Span | None = None) -> ParseError:
    """The error for a character that the language does not know."""
    if char == "\r":
        return ParseError(
            "G001",
            "a line ends with a carriage return alone",
            span=span,
            hint="save the file with line ends \\n or \\r\\n",
        )
    name = unicodedata.name(char, "control character" if ord(char) < 0xA0 else "unnamed character")
    return ParseError(
        "G002",
        f"the character U+{ord(char):04X} ({name.lower()}) is not part of the language",
        span=span,
        hint=_hint(char),
    )


def _hint(char: str) -> str:
    if char in _HINTS:
        return _HINTS[char]
    plain = unicodedata.normalize("NFKC", char)
    if plain != char and len(plain) <= 8 and all(" " <= c <= "~" for c in plain):
        return f"it looks like `{plain}`; write that"
    return "names are ASCII letters, digits and underscores; numbers use the digits 0-9"
