"""`graphc compile`: a model becomes NumPy source.

graphc compile logistic.gc --wrt w,b -o logistic_grad.py
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from graphc.api import compile
from graphc.cli.command import Command
from graphc.cli.source import add_source, inputs_of, path_of, source_of, wrt_of
from graphc.emit.output import write_atomically
from graphc.errors import printable


def _arguments(parser: ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument("-o", "--output", metavar="OUT.py", help="the file to write (default: standard output)")
    parser.add_argument("--name", help="what the header calls the model")
    parser.add_argument(
        "--mode", metavar="hvp,jacobian", help="more functions for the file: jvp, hvp, jacobian, hessian"
    )
    parser.add_argument("--target", default="numpy", help="what to generate (default: numpy)")


def _run(options: Namespace) -> int:
    source = source_of(options)
    module = compile(
        source,
        inputs_of(options),
        wrt=wrt_of(options),
        name=options.name,
        target=options.target,
        mode=None if options.mode is None else [mode.strip() for mode in options.mode.split(",")],
    )
    if options.output is None or options.output == "-":
        sys.stdout.write(module.source)
        return 0
    written = write_atomically(Path(options.output), module.source, source=path_of(options))
    print(f"{'wrote' if written else 'up to date:'} {printable(options.output, 200)}", file=sys.stderr)
    return 0


COMMAND = Command("write the NumPy source of a model and its gradients", _arguments, _run)
