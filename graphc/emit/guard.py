"""`_check` of the generated file: the first argument that does not fit, in one line.

X must have shape (n, 3), got (5, 4)        w must be float64, got float32
"""

from __future__ import annotations

import ast

from graphc.emit import layout
from graphc.emit.expression import called, renamed
from graphc.emit.function import size_lines
from graphc.emit.naming import Names
from graphc.emit.pyexpr import print_expr
from graphc.emit.target import Target
from graphc.emit.wrap import WIDTH
from graphc.ir.dims import Dim, Size, at_least
from graphc.ir.node import Node
from graphc.ir.sizes import names_of, size_sources
from graphc.plan.program import Program


def check_function(program: Program, target: Target, names: Names, title: str = "_check") -> list[str]:
    """The source of the function `title`; nothing without inputs."""
    inputs = program.values.inputs
    if not inputs:
        return []
    params = [f"{n['name']}: {target.annotation(n.type)}" for n in inputs]
    lines = [
        *layout.function_head(title, params, "None"),
        '    """Raise TypeError or ValueError naming the first argument that does not fit."""',
    ]
    scalars = [n for n in inputs if n.type.rank == 0]
    arrays = [n for n in inputs if n.type.rank > 0]
    used = {n["name"] for n in inputs}
    local = _Locals(used)
    if scalars:
        lines += _scalar_checks(scalars, target, local)
    if arrays:
        lines += _array_checks(program, arrays, target, local)
    return lines


class _Locals:
    """Names of the function's own that no argument has."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken

    def __call__(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


def _scalar_checks(nodes: list[Node], target: Target, local: _Locals) -> list[str]:
    name = local("name")
    kinds = {"float": [], "int": [], "bool": []}  # type: dict[str, list[Node]]
    for node in nodes:
        kind = "float" if node.type.is_float else "bool" if node.type.dtype == "bool" else "int"
        kinds[kind].append(node)
    lines: list[str] = []
    for kind, group in kinds.items():
        if not group:
            continue
        pairs = [f'("{n["name"]}", {n["name"]})' for n in group]
        variable, words = _WORDS[kind]
        value = local(variable)
        lines += _loop([name, value], pairs)
        lines += [f"        if {_refusal(kind, value, target)}:"]
        lines += _raise(target, "TypeError", f"{{{name}}} must be a {words}, got {{{value}!r:.80}}")
    return lines


_WORDS = {"float": ("value", "number"), "int": ("integer", "whole number"), "bool": ("flag", "truth value")}


def _refusal(kind: str, value: str, target: Target) -> str:
    if target.scalar:
        types = target.symbol("bool") if kind == "bool" else f"({target.symbol('float')}, {target.symbol('int')})"
        return f"not {target.symbol('isinstance')}({value}, {types})"
    np = target.symbol("np")
    if kind == "float":
        return f'{np}.ndim({value}) != 0 or {np}.asarray({value}).dtype.kind not in "fiu"'
    return f'{np}.ndim({value}) != 0 or {np}.asarray({value}).dtype.kind not in "{"b" if kind == "bool" else "iu"}"'


def _raise(target: Target, error: str, text: str) -> list[str]:
    lines = layout.call_statement("raise", target.symbol(error), [f'f"{text}"'], 3)
    return lines


def _loop(names: list[str], items: list[str]) -> list[str]:
    head = f"    for {', '.join(names)} in ("
    one = f"{head}{', '.join(items)}{',' if len(items) == 1 else ''}):"
    if len(one) <= WIDTH and len(items) > 0:
        return [one]
    return [head, *(line for item in items for line in _row(item)), "    ):"]


def _row(item: str) -> list[str]:
    """A tuple among others, one element a line if it is long."""
    if len(item) + 9 <= WIDTH:
        return [f"        {item},"]
    row = ast.parse(item, mode="eval").body
    assert isinstance(row, ast.Tuple)
    return ["        (", *(f"            {print_expr(e)}," for e in row.elts), "        ),"]


def _array_checks(program: Program, nodes: list[Node], target: Target, local: _Locals) -> list[str]:
    name, array = local("name"), local("array")
    is_a, np = target.symbol("isinstance"), target.symbol("np")
    dtype, rank = local("dtype"), local("ndim")
    items = [f'("{n["name"]}", {n["name"]}, "{n.type.dtype}", {n.type.rank})' for n in nodes]
    lines = _loop([name, array, dtype, rank], items)
    lines += [f"        if not {is_a}({array}, {np}.ndarray):"]
    lines += _raise(target, "TypeError", f"{{{name}}} must be an array, got {{{array}!r:.80}}")
    lines += [f"        if {array}.dtype != {dtype}:"]
    lines += _raise(target, "TypeError", f"{{{name}}} must be {{{dtype}}}, got {{{array}.dtype}}")
    lines += [f"        if {array}.ndim != {rank}:"]
    lines += _raise(target, "ValueError", f"{{{name}}} must have {{{rank}}} axes, got shape {{{array}.shape}}")
    return lines + _size_checks(program, nodes, target, local, (name, array))


def _size_checks(
    program: Program, nodes: list[Node], target: Target, local: _Locals, loop: tuple[str, str]
) -> list[str]:
    sources = size_sources([(n["name"], n.type) for n in nodes])
    sizes = {s.name: local(s.name) for s in sources}
    plain = {(s.argument, s.axis) for s in sources if s.factor == 1 and s.offset == 0}
    needed = _requirements(program)
    wanted = _wanted_sizes(nodes, plain, needed)
    ranks = {n["name"]: n.type.rank for n in nodes}
    lines = size_lines([(s, sizes[s.name]) for s in sources if s.name in wanted], ranks, target)
    rows = [n for n in nodes if any((n["name"], i) not in plain for i in range(n.type.rank))]
    if rows:
        lines += _shape_rows(rows, target, local, loop, sizes)
    for dim, least in needed:
        text = _dim(dim, sizes, target)
        lines += [f"    if {text} < {least}:"]
        error = target.symbol("ValueError")
        message = f'f"{dim} must be at least {least}, got {{{text}}}"'
        lines += layout.call_statement("raise", error, [message], 2)
    return lines


def _wanted_sizes(nodes: list[Node], plain: set[tuple[str, int]], needed: list[tuple[Dim, int]]) -> set[str]:
    """The sizes that some check mentions: those that are not just one axis of one array."""
    wanted = set(names_of(dim for dim, _ in needed))
    for node in nodes:
        if any((node["name"], i) not in plain for i in range(node.type.rank)):
            wanted |= set(names_of(node.shape))
    return wanted


def _shape_rows(
    rows: list[Node], target: Target, local: _Locals, loop: tuple[str, str], sizes: dict[str, str]
) -> list[str]:
    name, array = loop
    shape = local("shape")
    items = []
    for node in rows:
        dims = [_dim(d, sizes, target) for d in node.shape]
        text = f"({dims[0]},)" if len(dims) == 1 else f"({', '.join(dims)})"
        items.append(f'("{node["name"]}", {node["name"]}, {text})')
    lines = _loop([name, array, shape], items)
    lines += [f"        if {array}.shape != {shape}:"]
    lines += _raise(target, "ValueError", f"{{{name}}} must have shape {{{shape}}}, got {{{array}.shape}}")
    return lines


def _dim(dim: Dim, sizes: dict[str, str], target: Target) -> str:
    if not isinstance(dim, Size):
        return str(dim)
    tree = ast.parse(str(dim), mode="eval").body
    target.symbols |= called(tree)
    return print_expr(renamed(tree, sizes, target.renamed))


def _requirements(program: Program) -> list[tuple[Dim, int]]:
    """Sizes that must reach a minimum, each once with its largest minimum."""
    found: dict[Dim, int] = {}
    for node in program.values.nodes:
        if node.op.requires is None:
            continue
        for dim, least in node.op.requires([a.type for a in node.args], node.attributes):
            if isinstance(dim, Size) and not at_least(dim, least):
                found[dim] = max(least, found.get(dim, least))
    return list(found.items())
