"""Where in the user's code an operation stands.

    z = X @ w          while `@` runs, the innermost frame that is the user's is at `X @ w`, model.py:12

Python keeps the line and the columns of every instruction (PEP 657); a `Span` of the file is made of
them, which errors show with carets and which generated code refers to.
"""

from __future__ import annotations

import linecache
import os
import sys
from itertools import islice
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np

from graphc.errors import Source, Span

_OWN = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
_FOREIGN = (
    _OWN,
    os.path.dirname(np.__file__) + os.sep,
    os.path.join(os.path.dirname(os.path.dirname(np.__file__)), "scipy") + os.sep,
    os.path.dirname(os.__file__) + os.sep + "functools",
    os.path.dirname(os.__file__) + os.sep + "dataclasses",
    "<__array_function__",
    "<frozen",
)


class Places:
    """The places of one trace; each is made once."""

    def __init__(self) -> None:
        self._spans: dict[tuple[int, int], tuple[CodeType, Span]] = {}
        self._sources: dict[str, Source] = {}

    def here(self) -> Span | None:
        """The place of the innermost instruction of the user's that is running."""
        frame = user_frame()
        if frame is None:
            return None
        code, last = frame.f_code, frame.f_lasti
        known = self._spans.get((id(code), last))
        if known is None:
            known = code, self._span(frame)
            self._spans[id(code), last] = known
        return known[1]

    def definition(self, code: CodeType) -> Span | None:
        """The line on which a function is defined; None without source."""
        source = self.source(code.co_filename)
        if not source.text:
            return None
        line = code.co_firstlineno
        while source.line(line).lstrip().startswith("@"):
            line += 1
        text = source.line(line)
        start = source.offset(line) + len(text) - len(text.lstrip())
        return Span(source, start, start + len(text.strip()))

    def source(self, filename: str, module: dict[str, Any] | None = None) -> Source:
        """The text of a file; as many empty lines as needed where it cannot be had."""
        if filename not in self._sources:
            lines = linecache.getlines(filename, module)
            self._sources[filename] = Source(os.path.basename(filename), "".join(lines))
        return self._sources[filename]

    def _span(self, frame: FrameType) -> Span:
        code = frame.f_code
        positions = next(islice(code.co_positions(), frame.f_lasti // 2, None), (None, None, None, None))
        line, end_line, column, end_column = positions
        source = self.source(code.co_filename, frame.f_globals)
        if line is None or not source.text:
            number = line or frame.f_lineno or 1
            blank = "\n" * (number - 1)
            return Span(Source(source.name, blank), len(blank), len(blank))
        start = _offset(source, line, column or 0)
        if column is None:
            start += len(source.line(line)) - len(source.line(line).lstrip())
        end = _offset(source, end_line or line, end_column) if end_column else start + len(source.line(line).strip())
        return Span(source, start, max(start, end))


def _offset(source: Source, line: int, column: int) -> int:
    """The offset of a line and a column that counts bytes of UTF-8."""
    text = source.line(line)
    characters = column if text.isascii() else len(text.encode("utf-8")[:column].decode("utf-8", "ignore"))
    return source.offset(line) + characters


def user_frame() -> FrameType | None:
    """The innermost frame that is not graphc's, NumPy's or SciPy's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_FOREIGN):
        frame = frame.f_back
    return frame


def call_of(kind: type) -> FunctionType | None:
    """The `__call__` that a class of the user's has, itself or from a base."""
    call = next((vars(c)["__call__"] for c in kind.__mro__ if "__call__" in vars(c)), None)
    return call if isinstance(call, FunctionType) and not is_foreign(call.__code__.co_filename) else None


def is_foreign(filename: str) -> bool:
    """Whether code of this file is a library's, which is not looked into."""
    return filename.startswith(_FOREIGN)
