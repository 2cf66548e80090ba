"""Where a model comes from: a file, a Python function, `-e EXPR` or standard input; with its options.

graphc compile -e "mean(softplus(X @ w))" --inputs "X=n d, w=d" --wrt w
graphc compile model.py:loss --inputs "X=n d, w=d"
"""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graphc.api import compile
from graphc.cli.python import PYTHON, load_function
from graphc.errors import ArgumentError, FileError, printable
from graphc.frontends.text import decode_model
from graphc.frontends.text.characters import MAX_TEXT
from graphc.module.compiled import Module

_NAMED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*+) *=", re.ASCII)


def add_source(parser: ArgumentParser) -> None:
    """The arguments that say what to compile."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="?",
        help="a model file, file.py:function, package.module:function, or - for standard input",
    )
    parser.add_argument("-e", "--expr", metavar="EXPR", help="the model itself, in place of SOURCE")
    add_types(parser)


def add_types(parser: ArgumentParser) -> None:
    parser.add_argument("--wrt", metavar="w,b", help="inputs to differentiate by (default: every float input)")
    parser.add_argument("--inputs", metavar='"X=n d, w=d"', help="types of the inputs that the text does not declare")


def module_of(options: Namespace, name: str | None = None) -> Module:
    """The compiled model that the arguments name."""
    return compile(source_of(options), inputs_of(options), wrt=wrt_of(options), name=name)


def source_of(options: Namespace) -> str | Path | Callable[..., Any]:
    """A text, the path of a model file, or a function."""
    if options.expr is not None:
        if options.source is not None:
            raise ArgumentError("G070", "there is a SOURCE and a -e EXPR", hint="give one of them")
        text: str = options.expr
        return text
    if options.source is None:
        raise ArgumentError("G070", "SOURCE is missing", hint="give a model file, -e EXPR, or - for standard input")
    if options.source == "-":
        return _standard_input()
    if PYTHON.fullmatch(options.source):
        return load_function(options.source)
    if options.source.endswith(".py"):
        raise ArgumentError(
            "G070",
            f"`{printable(options.source, 200)}` is a Python file",
            hint="name the function in it: file.py:function",
        )
    return Path(options.source)


def path_of(options: Namespace) -> Path | None:
    """The file that must not be written to."""
    if options.source is None or options.source == "-":
        return None
    return Path(options.source.partition(".py:")[0] + ".py" if ".py:" in options.source else options.source)


def _standard_input() -> str:
    try:
        data = sys.stdin.buffer.read(MAX_TEXT + 1)
    except OSError as error:
        raise FileError("G060", f"cannot read standard input: {error.strerror or error}") from None
    return decode_model(data, "<stdin>")


def wrt_of(options: Namespace) -> tuple[str, ...] | None:
    return None if options.wrt is None else tuple(name.strip() for name in options.wrt.split(","))


def inputs_of(options: Namespace) -> dict[str, str] | None:
    """`"X=n d, w=d"` as a table: {"X": "n d", "w": "d"}."""
    if options.inputs is None:
        return None
    text: str = options.inputs
    matches = list(_NAMED.finditer(text))
    ends = [m.start() for m in matches[1:]] + [len(text)]
    if not matches or text[: matches[0].start()].strip():
        raise ArgumentError("G070", f"cannot read the inputs `{printable(text, 60)}`", hint='write "X=n d, w=d"')
    table: dict[str, str] = {}
    for match, end in zip(matches, ends, strict=True):
        if match[1] in table:
            raise ArgumentError("G070", f"the input `{match[1]}` is given twice")
        table[match[1]] = text[match.end() : end].strip(" ").removesuffix(",").strip(" ")
    return table
