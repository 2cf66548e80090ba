"""The derivation as text: the chain rule's result, then each rewrite with its reason.

1. sigmoid: 1 / (1 + exp(-x))  ->  sigmoid(x)
   because: no overflow for large x
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.emit.spelling import spell
from graphc.errors import UnknownNameError, did_you_mean
from graphc.ir.leaf import INPUT
from graphc.ir.node import Node, topological
from graphc.passes.pipeline import Joint
from graphc.rewrite.rule import Step

MAX_STEPS = 400


def explain(joint: Joint, name: str | None = None) -> str:
    """The rewrites of a model, or those that led to the value or gradient called `name`."""
    named = _named(joint)
    if name is not None and name not in named:
        hint = did_you_mean(name, named) or f"known: {', '.join(list(named)[:20])}"
        raise UnknownNameError("G010", f"nothing here is called `{name}`", hint=hint)
    lines: list[str] = []
    before, after = list(joint.before), list(joint.after)
    if name is not None:
        root = named[name]
        after = _leading_to(root, after)
        before = _leading_to(root, [*before, *after])[: len(before)]
        before = [s for s in before if s in joint.before]
    names = {
        n: label
        for n, label in {**joint.values.names, **joint.stable.names, **joint.graph.names}.items()
        if n.op is not INPUT
    }
    if before:
        lines += ["Before differentiation:", "", *_steps(before, names), ""]
    if joint.raw.outputs:
        lines += ["The chain rule gives:", ""]
        for label, node in zip(joint.raw.output_names, joint.raw.outputs, strict=True):
            if name is None or label == name:
                lines.append(f"    {label} = {spell(node, {})}")
        lines.append("")
    if after:
        lines += ["After differentiation:", "", *_steps(after, names), ""]
    lines += ["Result:", ""]
    for label, node in zip(joint.graph.output_names, joint.graph.outputs, strict=True):
        if name is None or label == name:
            lines.append(f"    {label} = {spell(node, {})}")
    if name is not None and name not in joint.graph.output_names:
        lines.append(f"    {name} = {spell(named[name], {})}")
    return "\n".join(lines) + "\n"


def _named(joint: Joint) -> dict[str, Node]:
    table = {label: node for node, label in joint.graph.names.items()}
    table |= dict(zip(joint.graph.output_names, joint.graph.outputs, strict=True))
    return table


def _leading_to(root: Node, steps: Sequence[Step]) -> list[Step]:
    """The steps whose result is part of `root`, directly or through later steps."""
    wanted = set(topological([root]))
    kept: list[Step] = []
    for step in reversed(steps):
        if step.after in wanted:
            kept.append(step)
            wanted |= set(topological([step.before]))
    return kept[::-1]


def _steps(steps: Sequence[Step], names: dict[Node, str]) -> list[str]:
    lines: list[str] = []
    for number, step in enumerate(steps[:MAX_STEPS], start=1):
        short = {n: label for n, label in names.items() if n is not step.before and n is not step.after}
        lines.append(f"{number:>3}. {step.rule.name}: {spell(step.before, short)}  ->  {spell(step.after, short)}")
        lines.append(f"     because: {step.rule.why}")
    if len(steps) > MAX_STEPS:
        lines.append(f"     and {len(steps) - MAX_STEPS} more")
    return lines
