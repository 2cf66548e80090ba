"""SymPy expressions in error messages: short, whatever their size.

f(x, y)             printed as SymPy does
Add of 10,000       "Add(...)"
"""

from __future__ import annotations

from typing import Any

from graphc.errors import printable

MAX_PARTS = 32  # subexpressions that are printed in full
MAX_TEXT = 80
MAX_BITS = 256  # of an integer that is printed in full


def shown(expr: Any) -> str:
    """A text of at most 80 characters."""
    if not _small(expr):
        return f"{type(expr).__name__}(...)"
    return printable(str(expr), MAX_TEXT)


def _small(expr: Any) -> bool:
    stack, seen = [expr], 0
    while stack:
        part = stack.pop()
        seen += 1
        if seen > MAX_PARTS or _long(part):
            return False
        stack += getattr(part, "args", ())
    return True


def _long(part: Any) -> bool:
    """Whether the decimal digits of a number would be too many to print."""
    digits = [getattr(part, name, 0) for name in ("p", "q")]
    return any(isinstance(d, int) and d.bit_length() > MAX_BITS for d in digits)
