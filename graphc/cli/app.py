"""The commands, and what becomes of their errors.

    graphc compile broken.gc      error[G021]: ...  on stderr, and the exit status 2

Products go to standard output, messages to standard error.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from graphc import __version__
from graphc.cli import compile, explain, grad, show, tables, verify
from graphc.errors import ArgumentError, FileError, GradientMismatch, GraphcError, InternalError, printable

COMMANDS = {
    "compile": compile.COMMAND,
    "grad": grad.COMMAND,
    "show": show.COMMAND,
    "explain": explain.COMMAND,
    "verify": verify.COMMAND,
    "ops": tables.OPS,
    "rules": tables.RULES,
}
EPILOG = "SOURCE is a model file (*.gc), file.py:function, package.module:function, -e EXPR, or - for standard input."
REPORT = "this is a bug in graphc: please report it with the command and its input"


class Parser(argparse.ArgumentParser):
    """An argument parser that fails as everything else does."""

    def error(self, message: str) -> NoReturn:
        raise ArgumentError("G070", message, hint=f"{self.prog} --help")


def run(words: Sequence[str]) -> int:
    """Run one command; every failure becomes a message and an exit status."""
    try:
        _use_utf8()
        status = _command(words)
        sys.stdout.flush()
        return status
    except SystemExit as stop:  # --help and --version
        return stop.code if isinstance(stop.code, int) else 0
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        _drop_output()
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if isinstance(error, OSError) and not isinstance(error, GraphcError):
            _drop_output()
        print(_message(error), file=sys.stderr)
        return _status(error)


def _use_utf8() -> None:
    """The same bytes in every locale."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")


def _command(words: Sequence[str]) -> int:
    options = parser().parse_args(_protected(words))
    status: int = options.run(options)
    return status


def parser() -> Parser:
    """The parser of all commands."""
    top = Parser(
        prog="graphc", description="Gradients as code you can read, trust and ship.", epilog=EPILOG, allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=f"graphc {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name, help=command.summary, description=command.summary, epilog=EPILOG, allow_abbrev=False
        )
        command.arguments(sub)
        sub.set_defaults(run=command.run)
    return top


def _protected(words: Sequence[str]) -> list[str]:
    """Formulas may begin with a minus: `-e -x` and `grad -x` are not options."""
    result: list[str] = []
    rest = iter(words)
    formula = list(words[:1]) == ["grad"]
    for word in rest:
        following = next(rest, None) if word == "-e" else None
        if following is not None:
            result.append(f"--expr={following}")
        elif formula and word[:1] == "-" and word[:2] != "--" and word != "-h":
            result.append(f" {word}")  # argparse takes what begins with a blank for an argument
        else:
            result.append(word)
    return result


def _drop_output() -> None:
    """Nothing more is written, not even when Python flushes at its end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return


def _message(error: Exception) -> str:
    if isinstance(error, InternalError):
        return f"{error}\nhelp: {REPORT}"
    if isinstance(error, GraphcError):
        return str(error)
    if isinstance(error, OSError):
        return str(FileError("G060", f"cannot write standard output: {error.strerror or error}"))
    text = printable(f"{type(error).__name__}: {error}".replace("\n", " "), 200)
    return f"error: {text}\nhelp: {REPORT}"


def _status(error: Exception) -> int:
    if isinstance(error, InternalError):
        return 3
    if isinstance(error, (GradientMismatch, OSError)):
        return 1
    return 2 if isinstance(error, GraphcError) else 3
