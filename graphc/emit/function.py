"""The bodies of `forward` and `backward`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence

from graphc.emit import layout
from graphc.emit.body import Body
from graphc.emit.expression import renamed
from graphc.emit.naming import Names
from graphc.emit.nested import write
from graphc.emit.pyexpr import print_expr
from graphc.emit.target import Target
from graphc.emit.undo import Undo
from graphc.ir.dims import Size
from graphc.ir.node import Node
from graphc.ir.sizes import SizeSource, size_sources
from graphc.plan.program import Program


def forward_body(program: Program, target: Target, names: Names, extra: Sequence[str]) -> list[str]:
    """The statements of `forward`; the sizes `extra` are saved, too."""
    saved = [names.forward[n] for n in program.split.saved] + [names.forward_sizes[s] for s in extra]

    def returned(values: Sequence[str]) -> list[str]:
        first = values[0] if len(values) == 1 else f"({', '.join(values)})"
        return layout.return_pair(first, saved, 1)

    return computed(program, target, names, "_check", returned, extra)


def computed(
    program: Program,
    target: Target,
    names: Names,
    check: str,
    returned: Callable[[Sequence[str]], list[str]],
    extra: Sequence[str] = (),
) -> list[str]:
    """The body of a function that computes the values of a program.

    check: the function that looks at the arguments.  returned: the last lines, given the values.
    extra: sizes that are needed besides those of the statements.
    """
    outputs = program.final_values
    saved = program.split.saved
    inputs = program.values.inputs
    body = Body(target, names.forward, names.forward_sizes, outputs, saved)
    for statement in program.forward:
        write(body, names.forward_blocks, statement)
    seen: set[Node] = set()
    values: list[str] = []
    kept = set(map(owner, saved))
    copied = {s.node for s in program.forward if "view" in s.node.op.traits}.difference(saved)
    for node in outputs:
        values.append(body.result(node, again=node in seen, held=owner(node) in kept and node not in copied))
        seen.add(node)
    body.lines += returned(values)
    head = layout.call_statement("", check, [n["name"] for n in inputs], 1) if inputs else []
    head += conversions(target, inputs, names.forward)
    body.writer.used_sizes |= set(extra)
    body.writer.mentioned |= {names.forward_sizes[s] for s in extra}
    wanted = _wanted(names.forward_sizes, body)
    sources = {s.name: s for s in size_sources([(n["name"], n.type) for n in inputs])}
    ranks = {n["name"]: n.type.rank for n in inputs}
    head += size_lines([(sources[s], names.forward_sizes[s]) for s in wanted], ranks, target)
    return [*head, *_root_lines(names.forward_sizes, body), *body.finish()]


def _wanted(sizes: Mapping[str, str], body: Body) -> list[str]:
    """The sizes that lines use and none defines."""
    return [s for s in sizes if s.isidentifier() and s in body.writer.used_sizes and s not in body.defined]


def _root_lines(sizes: Mapping[str, str], body: Body) -> list[str]:
    """`r = max(int(T**0.5), 1)` for each root that lines use."""
    lines: list[str] = []
    for text, local in sizes.items():
        if not text.isidentifier() and text in body.writer.used_sizes:
            known = {other: name for other, name in sizes.items() if other != text}
            tree = renamed(ast.parse(text, mode="eval").body, known, body.target.renamed)
            lines += layout.assign(local, print_expr(tree), 1)
    return lines


def owner(node: Node) -> Node:
    """The value whose memory a view looks at."""
    while "view" in node.op.traits and node.args:
        node = node.args[0]
    return node


def conversions(target: Target, nodes: Sequence[Node], names: Mapping[Node, str]) -> list[str]:
    """Numbers take their own type, so that arithmetic on them is NumPy's."""
    lines: list[str] = []
    for dtype in ("float64", "float32"):
        group = [names[n] for n in nodes if n.type.rank == 0 and n.type.dtype == dtype]
        if not group:
            continue
        kind = target.symbol("float") if target.scalar else f"{target.symbol('np')}.{dtype}"
        for start in range(0, len(group), 3):
            part = group[start : start + 3]
            if len(part) == 1:
                lines += layout.assign(part[0], f"{kind}({part[0]})", 1)
            else:
                lines += layout.tuple_statement(f"{', '.join(part)} =", [f"{kind}({n})" for n in part], 1)
    return lines


def size_lines(wanted: Sequence[tuple[SizeSource, str]], ranks: Mapping[str, int], target: Target) -> list[str]:
    """`n, d = X.shape` where all axes of an array are wanted, else `n = len(X)`, `h = len(w) // 2`."""
    lines: list[str] = []
    plain: dict[str, dict[int, str]] = {}
    for source, local in wanted:
        if source.factor == 1 and source.offset == 0:
            plain.setdefault(source.argument, {})[source.axis] = local
    for array, axes in plain.items():
        if len(axes) > 1 and len(axes) == ranks[array]:
            lines += layout.tuple_statement("", [axes[i] for i in range(len(axes))], 1)
            lines[-1] += f" = {array}.shape"
        else:
            for axis, local in axes.items():
                lines += layout.assign(local, length(array, axis, target), 1)
    for source, local in wanted:
        if source.factor != 1 or source.offset != 0:
            lines += layout.assign(local, _solved(source, target), 1)
    return lines


def _solved(source: SizeSource, target: Target) -> str:
    text = length(source.argument, source.axis, target)
    if source.offset:
        text += f" - {source.offset}" if source.offset > 0 else f" + {-source.offset}"
    if source.factor != 1:
        text = f"({text}) // {source.factor}" if source.offset else f"{text} // {source.factor}"
    return text


def length(name: str, axis: int, target: Target) -> str:
    """The size of one axis: `len(X)`, `X.shape[1]`."""
    return f"{target.symbol('len')}({name})" if axis == 0 else f"{name}.shape[{axis}]"


def backward_body(program: Program, target: Target, names: Names) -> tuple[list[str], list[str]]:
    """The statements of `backward`, and the sizes that `forward` must save for it."""
    gradients = program.gradients
    saved = program.split.saved
    typed = target.base == "float32" or target.wide
    plain = () if typed else names.seeds
    body = Body(target, names.backward, names.backward_sizes, gradients, {*saved, *names.seeds}, plain)
    undo = Undo(program, names)
    body.undo_inside = undo.inside
    for statement in program.backward:
        write(body, names.backward_blocks, statement, undo.text(statement))
    given = {*saved, *names.seeds}
    seen: set[Node] = set()
    values = []
    fields = program.joint.graph.output_names[len(program.final_values) :]
    for field_name, node in zip(fields, gradients, strict=True):
        values.append(f"{field_name[1:]}={body.result(node, again=node in seen, held=node in given)}")
        seen.add(node)
    body.lines += layout.call_statement("return", "Gradients", values, 1)
    wanted = _wanted(names.backward_sizes, body)
    places = _places(saved, names.backward)
    extra = [s for s in wanted if s not in places]
    targets = [names.backward[n] for n in saved] + [names.backward_sizes[s] for s in extra]
    head = layout.unpack(targets, "saved", 1) if targets else []
    if typed:
        head += conversions(target, names.seeds, names.backward)
    ranks = {names.backward[n]: n.type.rank for n in saved}
    head += size_lines([(places[s], names.backward_sizes[s]) for s in wanted if s in places], ranks, target)
    return [*head, *_root_lines(names.backward_sizes, body), *body.finish()], extra


def _places(saved: Iterable[Node], names: Mapping[Node, str]) -> dict[str, SizeSource]:
    """For each named size an axis of a saved array that has it, or has one more: a history."""
    found: dict[str, SizeSource] = {}
    for offset in (0, 1):
        for node in saved:
            for axis, dim in enumerate(node.shape):
                name = (dim - offset).name if isinstance(dim - offset, Size) else None
                if name is not None:
                    found.setdefault(name, SizeSource(name, names[node], axis, 1, offset))
    return found
