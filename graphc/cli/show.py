"""`graphc show`: the graph of a model, or its code, to look at.

graphc show logistic.gc --as tree
graphc show -e "1/(1+exp(-x))" --as listing --stage simplified
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from graphc.api import gradient
from graphc.cli.command import Command
from graphc.cli.source import add_source, module_of, wrt_of
from graphc.ir.graph import Graph
from graphc.module.compiled import Module
from graphc.view import VIEWS

STAGES = ("forward", "gradient", "simplified")


def _arguments(parser: ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument("--as", dest="view", choices=("code", *VIEWS), default="listing", help="default: listing")
    parser.add_argument(
        "--stage",
        choices=STAGES,
        help="the model (default), the gradient as the chain rule gives it, "
        "or the gradient simplified; --as code shows the whole module without it",
    )


def _run(options: Namespace) -> int:
    module = module_of(options)
    if options.view != "code":
        sys.stdout.write(VIEWS[options.view](_stage(module, options.stage or "forward", wrt_of(options))))
    elif options.stage is None:
        sys.stdout.write(module.source)
    else:
        sys.stdout.write(Module(_stage(module, options.stage, wrt_of(options)), ()).source)
    return 0


def _stage(module: Module, stage: str, wrt: tuple[str, ...] | None) -> Graph:
    if stage == "forward":
        return module.graph
    return module.gradient if stage == "simplified" else gradient(module.graph, wrt)


COMMAND = Command("show the graph of a model, or its code", _arguments, _run)
