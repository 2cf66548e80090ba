"""Every error a user can see: what happened, where, what was expected, what to do.

    error[G021]: shapes do not match in `@`
      --> logistic.gc:6:5
       |
     6 | z = X @ w + b
       |     ^^^^^ `X` is (n, d) and `w` is (k,)
       |
    help: the last size of `X` must equal the first size of `w`

Each error has a code; `CATALOGUE` says at length what the code means. The classes double as the
built-in exception a Python programmer would catch (`ShapeError` is a `ValueError`, and so on).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any, NamedTuple

EXCERPT_WIDTH = 100  # columns of a source line that an error shows
MESSAGE_LIMIT = 600  # characters of a message; the rest is cut


class Kind(NamedTuple):
    """One entry of the catalogue: a short family name and the explanation at length."""

    kind: str
    explanation: str


CATALOGUE: dict[str, Kind] = {
    "G001": Kind(
        "syntax",
        "The text is not in the language: Python's expression syntax, "
        "assignments, declarations `name: f64[n, d]`, `def f(a): return ...`, `return`.",
    ),
    "G002": Kind(
        "encoding",
        "A character that the language does not know. Names are ASCII letters, "
        "digits and underscores; numbers use the digits 0-9. Look-alikes from other "
        "scripts, invisible characters and direction marks are refused everywhere, "
        "comments included, because a reader could not see them.",
    ),
    "G003": Kind(
        "limit",
        "A limit that protects against hostile or accidental huge input: text of "
        "16 MiB, identifiers of 1,024 characters, literals of 400 digits, 64 axes, sizes "
        "below 2**63, 4,096 inputs, 2 million nodes.",
    ),
    "G004": Kind(
        "value",
        "A number that a float64 cannot hold (1e999), or a constant expression without a value, like log(-1) or 0**-1.",
    ),
    "G010": Kind(
        "name",
        "A name that is neither declared nor assigned before this line. In a "
        "one-line expression without declarations every free name is a float64 scalar.",
    ),
    "G011": Kind("name", "A function that the language does not have. `graphc ops` lists them."),
    "G012": Kind(
        "reserved",
        "A name that means something else already: a Python keyword, a function "
        "or constant of the language, or a name that starts with an underscore (those "
        "belong to the generated file).",
    ),
    "G013": Kind("name", "Names are ASCII letters, digits and underscores, not starting with a digit."),
    "G014": Kind("name", "An input is declared once; an input is not assigned to; each output has a name of its own."),
    "G020": Kind("arity", "A call with too few, too many, repeated or unknown arguments."),
    "G021": Kind(
        "shape",
        "Two operands whose shapes do not fit. Sizes are compared at compile time: "
        "a size is a literal 1, an integer or a name, and two different names are not equal. "
        "Declare them with the same name if they are always equal.",
    ),
    "G022": Kind("shape", "An axis or index outside the array's rank or size."),
    "G023": Kind(
        "shape",
        "A shape that cannot be read. Write f64[n, d], f32[3, 4], i64[n]; in "
        '`inputs=` also "n d", (3, 4) or an example array.',
    ),
    "G024": Kind("shape", "A size that cannot be worked out from the shapes of the inputs."),
    "G030": Kind(
        "dtype",
        "The types are float64, float32, int64, int32 and bool (f64, f32, i64, i32). "
        "Complex numbers, objects, strings and dates are refused.",
    ),
    "G031": Kind("dtype", "Gradients exist with respect to floating-point inputs only."),
    "G040": Kind(
        "unsupported", "Python syntax that has no meaning in a static graph. The hint says what to write instead."
    ),
    "G041": Kind(
        "unsupported",
        "Attributes of an array in the language: .T and the methods that "
        "have a function of the same name, such as .sum(axis=0).",
    ),
    "G042": Kind("unsupported", "The result of a model is an array or a number."),
    "G043": Kind(
        "unsupported",
        "A value that is being traced is needed as a real number or array: by `if`, float(), an index of Python's, "
        "a function outside NumPy. While a function is traced its values are not known.",
    ),
    "G044": Kind(
        "unsupported",
        "A function, method or keyword of NumPy's that is not covered. `graphc ops` lists what is; "
        "`gc.custom_op` adds an operation with a derivative of your own.",
    ),
    "G050": Kind("gradient", "The gradient of the generated code and its numeric estimate differ."),
    "G060": Kind(
        "io",
        "A file cannot be read or written. The output is written to a temporary file "
        "beside it and moved into place, so a failure leaves the old file as it was.",
    ),
    "G070": Kind("argument", "A call of a compiled module, or of graphc itself, with arguments that do not fit."),
    "G090": Kind(
        "internal", "A bug in graphc: one of its own invariants does not hold. Please report it with the input."
    ),
}


@dataclass(frozen=True, eq=False)
class Source:
    """A text and the name under which errors show it."""

    name: str
    text: str

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(i + 1 for i, c in enumerate(self.text) if c == "\n")]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def offset(self, number: int) -> int:
        """Where a line begins; lines count from 1."""
        return self._starts[min(number, len(self._starts)) - 1]

    def line(self, number: int) -> str:
        start = self.offset(number)
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else len(self.text)]


class Span(NamedTuple):
    """A stretch of a source: offsets `start` to `end`, the end not included."""

    source: Source
    start: int
    end: int

    @property
    def position(self) -> tuple[int, int]:
        return self.source.position(self.start)

    def __str__(self) -> str:
        line, column = self.position
        return f"{printable(self.source.name)}:{line}:{column}"


def printable(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """`text` with everything a terminal could act on escaped, and cut to `limit` characters."""
    cut = text if len(text) <= limit else text[:limit] + "..."
    return "".join(c if " " <= c <= "~" or (c.isprintable() and ord(c) > 0xA0) else _escape(c) for c in cut)


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the closest of `known`, or None."""
    if len(name) > 64:
        return None
    close = get_close_matches(name, sorted(set(known)), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else None


class GraphcError(Exception):
    """The root of every error that graphc raises on purpose.

    code: an entry of `CATALOGUE`.  message: one line.  label: what stands beside the carets.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        span: Span | None = None,
        label: str = "",
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = printable(message.replace("\n", " "))
        self.span = span
        self.label = printable(label)
        self.hint = None if hint is None else printable(hint)

    @property
    def kind(self) -> str:
        """The family of the error: syntax, name, shape, limit, ..."""
        return CATALOGUE[self.code].kind

    def at(self, span: Span | None) -> GraphcError:
        """This error with a place, unless it has one."""
        if self.span is None:
            self.span = span
        return self

    def __str__(self) -> str:
        lines = [f"error[{self.code}]: {self.message}"]
        if self.span is not None:
            lines += _excerpt(self.span, self.label)
        elif self.label:
            lines.append(f"  = {self.label}")
        if self.hint:
            lines.append(f"help: {self.hint}")
        return "\n".join(lines)


def _excerpt(span: Span, label: str) -> list[str]:
    number, column = span.position
    text = span.source.line(number)
    first = max(0, column - 1 - EXCERPT_WIDTH // 2)
    shown = text[first : first + EXCERPT_WIDTH]
    before = len(printable(shown[: column - 1 - first]))
    width = len(printable(shown[column - 1 - first : column - 1 - first + span.end - span.start]))
    gutter = " " * len(str(number))
    carets = " " * before + "^" * max(1, width)
    return [
        f"{gutter} --> {span}",
        f"{gutter}  |",
        f"{number}  | {printable(shown)}".rstrip(),
        f"{gutter}  | {carets} {label}".rstrip(),
        f"{gutter}  |",
    ]


class ParseError(GraphcError, SyntaxError):
    """The text is not a model."""


class UnknownNameError(GraphcError, NameError):
    """A name or function that is not known here."""


class ShapeError(GraphcError, ValueError):
    """Shapes, axes or sizes that do not fit.

    sizes: the two that would have to be equal, where it is two.
    """

    sizes: tuple[Any, Any] | None = None

    def between(self, a: Any, b: Any) -> ShapeError:
        """This error, with the sizes that differ."""
        self.sizes = a, b
        return self


class DtypeError(GraphcError, TypeError):
    """A dtype that graphc does not have, or that has no gradient."""


class UnsupportedError(GraphcError, NotImplementedError):
    """Something with no meaning in a static graph."""


class LimitError(GraphcError, OverflowError):
    """Input beyond a limit."""


class ArgumentError(GraphcError, TypeError):
    """A call of graphc, or of a compiled module, whose arguments do not fit."""


class FileError(GraphcError, OSError):
    """A file that cannot be read or written."""


class GradientMismatch(GraphcError, AssertionError):
    """A gradient that differs from its numeric estimate."""


class InternalError(GraphcError, RuntimeError):
    """A bug in graphc: one of its own invariants does not hold."""
