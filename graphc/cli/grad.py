"""`graphc grad`: the derivative of one line as a formula, and its code.

graphc grad "1/(1+exp(-x))"      s = sigmoid(x)
                                 df/dx = s * (1 - s)
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from graphc.api import parse, wrt_names
from graphc.cli.command import Command
from graphc.cli.source import add_types, inputs_of, wrt_of
from graphc.errors import DtypeError
from graphc.module.compiled import Module
from graphc.passes.pipeline import join
from graphc.view.formula import gradient_formulas


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("expression", metavar="EXPR", help="a formula, or a model of several lines")
    add_types(parser)


def _run(options: Namespace) -> int:
    graph = parse(options.expression.strip(" "), inputs_of(options))
    wrt = wrt_names(graph, wrt_of(options))
    if not wrt:
        raise DtypeError("G031", "there is no floating-point input to differentiate by")
    module = Module(graph, wrt)
    lines = gradient_formulas(join(graph, wrt), wrt)
    sys.stdout.write("\n".join([*lines, "", module.source]))
    return 0


COMMAND = Command("print the derivative of one line, and its code", _arguments, _run)
