"""`graphc explain`: how a gradient came about, rule by rule; or what an error code means.

graphc explain -e "1/(1+exp(-x))"      graphc explain logistic.gc dw      graphc explain G021
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from argparse import ArgumentParser, Namespace

from graphc.cli.command import Command
from graphc.cli.source import add_source, module_of
from graphc.errors import CATALOGUE, UnknownNameError, did_you_mean


def _arguments(parser: ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument("name", metavar="NAME", nargs="?", help="only what led to this value or gradient (dw, ...)")
    parser.add_argument("--json", action="store_true", help="an error code as JSON")


def _run(options: Namespace) -> int:
    if options.expr is None and options.name is None and re.fullmatch("G[0-9]+", options.source or ""):
        sys.stdout.write(_code(options.source, options.json))
        return 0
    if options.expr is not None and options.name is None:
        options.source, options.name = None, options.source
    sys.stdout.write(module_of(options).explain(options.name))
    return 0


def _code(code: str, as_json: bool) -> str:
    if code not in CATALOGUE:
        hint = did_you_mean(code, CATALOGUE) or f"the codes are {', '.join(CATALOGUE)}"
        raise UnknownNameError("G010", f"`{code[:20]}` is not an error code", hint=hint)
    kind, explanation = CATALOGUE[code]
    if as_json:
        return json.dumps({"code": code, "kind": kind, "explanation": explanation}) + "\n"
    return f"{code} ({kind})\n\n{textwrap.fill(explanation, 80)}\n"


COMMAND = Command("explain a gradient rule by rule, or an error code", _arguments, _run)
