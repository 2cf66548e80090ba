"""The derivation as text: the chain rule's result, then each rewrite with its reason.

1. sigmoid: 1 / (1 + exp(-x))  ->  sigmoid(x)
   because: no overflow for large x
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphc.emit.outline import outline
from graphc.emit.spelling import spell
from graphc.errors import UnknownNameError, did_you_mean
from graphc.expr.looping import insides, names_inside
from graphc.ir.control import has_insides
from graphc.ir.graph import Graph
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
    before, after = list(joint.before), list(joint.after)
    if name is not None:
        after = _leading_to(named[name], after)
        kept = set(map(id, _leading_to(named[name], [*before, *after])))
        before = [s for s in before if id(s) in kept]
    labels = {**joint.values.names, **joint.stable.names, **joint.graph.names}
    names = {n: label for n, label in labels.items() if n.op is not INPUT} | _names_inside(joint.values, joint.graph)
    sections = [
        ("Before differentiation:", _steps(before, names)),
        ("The chain rule gives:", _stages(joint.raw, joint.stable, name)),
        ("After differentiation:", _steps(after, names)),
        ("Result:", _stages(joint.graph, joint.stable, name)),
    ]
    if not any(lines for _, lines in sections):
        return "Nothing was rewritten: these are inputs as they are.\n"
    return "\n".join(line for title, lines in sections if lines for line in (title, "", *lines, ""))


def _stages(graph: Graph, forward: Graph, name: str | None) -> list[str]:
    """The named values that backward computes, as formulas over each other; those that `name` needs.

    With loops or branches in them it is all that is computed, as a program.
    """
    program = _program(graph, name)
    if program:
        return program
    labels = {n: label for n, label in graph.names.items() if n.op is not INPUT}
    for label, node in zip(graph.output_names, graph.outputs, strict=True):
        if node.op is not INPUT and (node not in labels or label == name):
            labels[node] = label
    roots = [n for n, label in labels.items() if label == name] if name is not None else list(graph.outputs)
    known = {n for n in forward.nodes if labels.get(n) != name}
    stages = [n for n in topological(roots) if n in labels and n not in known]
    return [f"    {labels[n]} = {spell(n, labels)}" for n in stages]


def _names_inside(*graphs: Graph) -> dict[Node, str]:
    """What the nodes in loops and branches are called: rewrites happen there, too.

    What is carried has no name here if two loops call it differently.
    """
    pending = [node for graph in graphs for node in graph.nodes if has_insides(node)]
    found: dict[Node, set[str]] = {}
    while pending:
        node = pending.pop()
        for inner, label in names_inside(node).items():
            found.setdefault(inner, set()).add(label)
        pending += [n for n in topological(insides(node), known=node.args) if has_insides(n)]
    return {node: labels.pop() for node, labels in found.items() if len(labels) == 1}


def _program(graph: Graph, name: str | None) -> list[str]:
    """A graph with loops or branches as a program; [] if there are none, or if it is long."""
    chosen = [(n, o) for n, o in zip(graph.output_names, graph.outputs, strict=True) if name in (None, n)]
    if not chosen:
        chosen = [(label, node) for node, label in graph.names.items() if label == name]
    names, outputs = tuple(n for n, _ in chosen), tuple(o for _, o in chosen)
    part = replace(graph, outputs=outputs, output_names=names)
    return [f"    {line}" for line in outline(part)] if any(map(has_insides, part.nodes)) else []


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
