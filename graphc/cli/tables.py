"""`graphc ops` and `graphc rules`: what there is, as tables.

sqrt(x)   Square root. [correctly rounded; derivative inf at 0, ...]
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence

from graphc.cli.command import Command
from graphc.ir.op import Op
from graphc.ops import FAMILIES
from graphc.rewrite.rule import ComputedRule, Rule
from graphc.rules import RULES as ALL_RULES
from graphc.view import reference
from graphc.view.derivative import written


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON")


def _op_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="one function or operation, at length")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--markdown", action="store_true", help="the reference page")


def _ops(options: Namespace) -> int:
    if options.name is not None:
        return _write(reference.entry(options.name))
    if options.markdown:
        return _write(reference.markdown())
    if options.json:
        rows = [_op_record(family, op) for family, ops in FAMILIES.items() for op in ops]
        return _write(json.dumps(rows, indent=1) + "\n")
    lines: list[str] = []
    for family, ops in FAMILIES.items():
        lines += ["", family, ""] if lines else [family, ""]
        lines += _columns([(f"{op.name}({', '.join((*op.args, *op.attrs))})", _said(op)) for op in ops])
    return _write("\n".join(lines) + "\n")


def _said(op: Op) -> str:
    """What it is, how exact, and what it does at its special points."""
    return f"{op.doc} [{'; '.join(filter(None, (op.accuracy, op.conventions)))}]"


def _op_record(family: str, op: Op) -> dict[str, object]:
    return {
        "name": op.name,
        "family": family,
        "arguments": op.args,
        "attributes": op.attrs,
        "partials": op.partials,
        "derivative": written(op),
        "domain": op.domain,
        "range": op.range,
        "differentiable": op.differentiable,
        "exactness": op.exactness,
        "conventions": op.conventions,
        "doc": op.doc,
    }


def _rules(options: Namespace) -> int:
    if options.json:
        return _write(json.dumps([_rule_record(rule) for rule in ALL_RULES.values()], indent=1) + "\n")
    lines: list[str] = []
    for rule in ALL_RULES.values():
        lines += [rule.name, f"    {rule}", f"    {rule.exact.name.lower()}; {rule.why}"]
    return _write("\n".join(lines) + "\n")


def _rule_record(rule: Rule | ComputedRule) -> dict[str, object]:
    return {"name": rule.name, "rule": str(rule), "exact": rule.exact.name.lower(), "why": rule.why}


def _columns(rows: Sequence[tuple[str, str]]) -> Iterable[str]:
    width = min(44, max((len(left) for left, _ in rows), default=0))
    return [f"  {left:<{width}}  {right}".rstrip() for left, right in rows]


def _write(text: str) -> int:
    sys.stdout.write(text)
    return 0


OPS = Command("list the operations", _op_arguments, _ops)
RULES = Command("list the rewrite rules, with their reasons", _arguments, _rules)
