"""The command line. `graphc --version` is answered here, before anything heavy is loaded."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from graphc import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    0: done.  1: a check failed, or a file could not be read or written.  2: the user's error.
    3: a bug in graphc.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["--version"]:
        print(f"graphc {__version__}")
        return 0
    status: int = import_module("graphc.cli.app").run(words)
    return status
