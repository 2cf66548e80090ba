"""`graphc verify`: the gradients against numeric ones, at random inputs of small random sizes.

    input  shape   max abs error  max rel error  worst at      analytic       numeric
    w      (4,)         3.31e-13       2.10e-12      (2,)   0.157604021   0.157604021

A generated file is run to be checked: that is for files that you trust.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graphc.api import check_grads
from graphc.check.check_grads import Mismatch, Report
from graphc.check.random_point import finite, random_point
from graphc.cli.command import Command
from graphc.cli.generated import verify_file
from graphc.cli.source import add_source, module_of
from graphc.module.compiled import Module


def _arguments(parser: ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the random inputs (default: 0)")
    parser.add_argument("--json", action="store_true", help="the table as JSON")


def _run(options: Namespace) -> int:
    try:
        report = _verified(options)
    except Mismatch as error:
        if options.json:
            sys.stdout.write(_as_json(error.report))
        raise
    sys.stdout.write(_as_json(report) if options.json else f"{report}\n")
    return 0


def _verified(options: Namespace) -> Report:
    if options.expr is None and (options.source or "").endswith(".py"):
        print(f"note: this runs {Path(options.source).name}; verify files that you trust", file=sys.stderr)
        return verify_file(Path(options.source), options.seed)
    module = module_of(options)
    arguments = [(node["name"], node.type) for node in module.graph.inputs]
    point = random_point(arguments, lambda inputs: _fits(module, inputs), options.seed)
    return check_grads(module, point)


def _fits(module: Module, inputs: Mapping[str, Any]) -> bool:
    """Whether the sizes fit each other, and the value and the gradients are finite."""
    try:
        with np.errstate(all="ignore"):
            value, saved = module.forward(**inputs)
            floats = [v for v in (value if isinstance(value, tuple) else (value,)) if np.asarray(v).dtype.kind == "f"]
            return finite(tuple(floats)) and finite(tuple(module.backward(saved, *map(np.ones_like, floats))))
    except (ValueError, IndexError):
        return False


def _as_json(report: Report) -> str:
    rows = [
        {**row._asdict(), "worst": list(row.worst) if isinstance(row.worst, tuple) else row.worst}
        for row in report.rows
    ]
    agrees = all(row.agrees for row in report.rows)
    return json.dumps({"agrees": agrees, "tolerance": report.tolerance, "inputs": rows}, indent=1) + "\n"


COMMAND = Command(
    "check the gradients of a model, or of a generated file that you trust, numerically", _arguments, _run
)
