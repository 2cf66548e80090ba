"""The bodies of `forward` and `backward`: each statement of the plan as a line.

    dz = (_sigmoid(z) - y) * (dloss / n)  # (n,)   loss = mean(softplus(z) - y * z)
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from graphc.emit import layout
from graphc.emit.expression import Writer, numpy_text
from graphc.emit.names import Namer, describe, pre_activation
from graphc.emit.pyexpr import print_expr
from graphc.emit.spelling import spell
from graphc.emit.target import Target
from graphc.expr.facts import FACTS
from graphc.ir.leaf import CONST, INPUT
from graphc.ir.node import Node
from graphc.ir.sizes import names_of, size_sources
from graphc.ir.types import show_shape
from graphc.plan.program import Program, Statement, is_fresh
from graphc.plan.split import node_dims

MAX_UNDO = 46  # characters of the forward line in a comment

__all__ = ["Names", "Target", "backward_body", "forward_body", "name_everything"]


@dataclass(eq=False)
class Names:
    """What every value is called in each function, and every size."""

    forward: dict[Node, str]
    backward: dict[Node, str]
    seeds: tuple[Node, ...]
    forward_sizes: dict[str, str]
    backward_sizes: dict[str, str]
    local_value: str = "value"
    local_saved: str = "saved"
    undo: dict[Node, str] = field(default_factory=dict)


def name_everything(program: Program, target: Target) -> Names:
    """Names for all statements: inputs, then the user's names, then our own."""
    graph = program.joint.graph
    inputs = program.values.inputs
    namer = Namer(n["name"] for n in inputs)
    forward = {n: n["name"] for n in inputs}
    wanted = {**{n: name for n, name in graph.names.items()}}
    for name, node in zip(program.values.output_names, program.final_values, strict=True):
        wanted.setdefault(node, name)
    forward_sizes = {s: namer.fresh(s) for s in _sizes_of(program.split.forward, program.split.sizes)}
    _name_statements(program.forward, forward, wanted, namer, graph.users)
    names = _backward_names(program, target, forward, wanted)
    names.forward_sizes = forward_sizes
    outer = Namer(n["name"] for n in inputs)
    names.local_value = outer.fresh(program.values.output_names[0])
    names.local_saved = "saved" if "saved" not in graph.input_names else outer.fresh("saved")
    return names


def _backward_names(
    program: Program, target: Target, forward: Mapping[Node, str], wanted: Mapping[Node, str]
) -> Names:
    graph = program.joint.graph
    seeds = graph.inputs[len(program.values.inputs) :]
    namer = Namer()
    backward: dict[Node, str] = {}
    for node in seeds:
        backward[node] = namer.fresh(node["name"])
    for node in program.split.saved:
        backward[node] = namer.fresh(forward.get(node) or "x")
    sizes = {s: namer.fresh(s) for s in _sizes_of(program.split.backward, program.split.sizes)}
    mine = dict(wanted)
    for node, ct in program.joint.cotangents.items():
        if node in forward and ct not in mine:
            mine[ct] = "d" + forward[node]
    for node, ct in program.joint.cotangents.items():
        users = graph.users.get(node, ())
        if ct not in mine and node.args and any(u.op.elementwise and u in forward for u in users):
            name = next(forward[u] for u in users if u.op.elementwise and u in forward)
            mine[ct] = "d" + pre_activation(name)
    for name, node in zip(graph.output_names[len(program.values.outputs) :], program.gradients, strict=True):
        mine.setdefault(node, name)
    _name_statements(program.backward, backward, mine, namer, graph.users)
    return Names(dict(forward), backward, seeds, {}, sizes)


def _name_statements(
    statements: Sequence[Statement],
    names: dict[Node, str],
    wanted: Mapping[Node, str],
    namer: Namer,
    users: Mapping[Node, Sequence[Node]],
) -> None:
    given = {**names, **{n: label for n, label in wanted.items()}}
    fixed = [s.node for s in statements if s.node in wanted and s.node not in names]
    for node in fixed:
        names[node] = namer.fresh(wanted[node])
    follows = {s.reuse: s.node for s in statements if s.reuse is not None}
    for statement in statements:
        if statement.node not in names and statement.node not in follows:
            names[statement.node] = namer.fresh(describe(statement.node, given, users.get(statement.node, ())))
    for statement in reversed(statements):
        if statement.reuse is not None:
            names[statement.reuse] = names[statement.node]


def _sizes_of(nodes: Sequence[Node], extra: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*names_of(d for n in nodes for d in node_dims(n)), *extra]))


def scalar_text(node: Node) -> str:
    """The `math` code of an op: the short form where it can't raise."""
    if node.op.plain is not None and FACTS[node.op.plain[0]](node.args[-1]):
        return node.op.plain[1]
    assert node.op.scalar is not None
    return node.op.scalar


class _Body:
    """Lines of one function."""

    def __init__(self, target: Target, names: dict[Node, str], sizes: Mapping[str, str], results: Collection[Node], held: Collection[Node]):
        self.held = set(held)
        self.target = target
        self.names = names
        self.results = set(results)
        self.lines: list[str] = []
        self.writer = Writer(
            scalar_text if target.scalar else numpy_text,
            names,
            rename=target.renamed,
            sizes=sizes,
            prefix="math" if target.scalar else "np",
        )

    def statement(self, statement: Statement, undo: str) -> None:
        """One statement of the plan."""
        node = statement.node
        shape = show_shape(node.shape) if node.type.rank else ""
        comments = [f"{shape}   {undo}" if shape and undo else shape or undo, shape, ""]
        if len(undo) and " = " in undo:
            comments.insert(1, f"{shape}   {undo.split(' = ')[0]}".strip())
        name = self.names[node]
        if node.op.name == "add_at" or statement.reuse is not None:
            self._in_place(statement, name, comments)
        else:
            self._assign(name, self._whole(node), comments)

    def _assign(self, name: str, value: ast.expr, comments: Sequence[str]) -> None:
        """An assignment with the longest comment that fits beside it."""
        text = print_expr(value)
        plain = layout.assign(name, text, 1)
        for comment in comments:
            lines = layout.assign(name, text, 1, comment)
            if len(lines) == len(plain) and len(lines) == 1:
                self.lines += lines
                return
        self.lines += plain

    def _whole(self, node: Node) -> ast.expr:
        """The definition of a statement; a result is an array or number of its own."""
        tree = self.writer.definition(node)
        if node not in self.results or (node.type.rank == 0 and node in self.held):
            return tree
        if node.type.rank == 0:
            return tree if self.target.scalar else self._number(tree, node.type.dtype)
        if node.op.name == "broadcast_to" and node.args[0].type.rank == 0:
            return self.writer.fill("np.full(shape, x)" + "", node)
        return tree if is_fresh(node) or node.op is CONST else self._copy(tree)

    def _number(self, tree: ast.expr, dtype: str) -> ast.expr:
        if dtype == "float32":
            return self.writer.fill("np.float32(x)", _ANY, x=tree)
        kind = {"float64": "float", "bool": "bool"}.get(dtype, "int")
        return ast.Call(ast.Name(self.target.symbol(kind)), [tree], [])

    def _copy(self, tree: ast.expr) -> ast.expr:
        return ast.Call(ast.Attribute(tree, "copy"), [], [])

    def _in_place(self, statement: Statement, name: str, comments: Sequence[str]) -> None:
        node = statement.node
        if statement.reuse is None:
            base = node.args[0]
            tree = self.writer.expr(base)
            owned = base not in self.names and is_fresh(base)
            self._assign(name, tree if owned else self._copy(tree), comments)
        update = node.op.update
        assert update is not None
        text = update if isinstance(update, str) else update(node)
        extra: dict[str, ast.expr] = {node.op.args[0]: ast.Name(name)}
        if node.op.name == "add_at":
            value = node.args[1]
            thin = value.args[0] if value not in self.names and value.op.name == "broadcast_to" else value
            extra["value"] = self.writer.expr(thin)
        self._update(text, node, extra, fresh=node.args[0].op.name == "zeros" and statement.reuse is None)

    def _update(self, text: str, node: Node, extra: Mapping[str, ast.expr], fresh: bool) -> None:
        left, operator, right = text.partition("= ")
        if not operator:
            self.lines += layout.call_statement("", *_call_parts(self.writer.fill(text, node, **extra)), 1)
            return
        target = print_expr(self.writer.fill(left[:-2].strip(), node, **extra))
        value = self.writer.fill(right, node, **extra)
        sign = left[-1] + "="
        if sign == "+=" and fresh:
            sign = "="
        elif sign == "+=":
            positive = _opposite(value)
            sign, value = ("+=", value) if positive is None else ("-=", positive)
        self.lines += layout.update(target, sign, value, 1)

    def result(self, node: Node, *, again: bool = False, held: bool = False) -> str:
        """The expression that is returned for an output."""
        named = node in self.names
        tree = self.writer.expr(node) if named or node.type.rank else self._whole(node)
        if node.type.rank == 0:
            plain = (node.op is INPUT or node in self.held) and not self.target.scalar
            return print_expr(self._number(tree, node.type.dtype) if plain else tree)
        return print_expr(self._copy(tree) if again or held or node.op is INPUT else tree)

    def finish(self) -> list[str]:
        self.target.symbols |= self.writer.symbols
        return self.lines


_ANY = Node()
_ANY.op, _ANY.args, _ANY.attrs = CONST, (), (None,)


def _opposite(tree: ast.expr) -> ast.expr | None:
    """The tree without its leading minus, None if it has none."""
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return tree.operand
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Mult, ast.Div)):
        left = _opposite(tree.left)
        return None if left is None else ast.BinOp(left, tree.op, tree.right)
    return None


def _call_parts(tree: ast.expr) -> tuple[str, list[str]]:
    assert isinstance(tree, ast.Call)
    return print_expr(tree.func), [print_expr(a) for a in tree.args]


def forward_body(program: Program, target: Target, names: Names) -> list[str]:
    """The statements of `forward`."""
    outputs = program.final_values
    saved = program.split.saved
    body = _Body(target, names.forward, names.forward_sizes, outputs, saved)
    inputs = program.values.inputs
    if inputs:
        body.lines += layout.call_statement("", "_check", [n["name"] for n in inputs], 1)
    body.lines += _conversions(target, inputs, names.forward)
    body.lines += _input_sizes(program, target, names.forward_sizes)
    for statement in program.forward:
        body.statement(statement, "")
    seen: set[Node] = set()
    values: list[str] = []
    for node in outputs:
        values.append(body.result(node, again=node in seen, held=node in saved))
        seen.add(node)
    rest = [names.forward[n] for n in saved] + [names.forward_sizes[s] for s in program.split.sizes]
    last = f"({rest[0]},)" if len(rest) == 1 else f"({', '.join(rest)})"
    if len(values) > 1:
        first = f"({', '.join(values)})"
        body.lines += layout.tuple_statement("return", [first, last], 1)
    else:
        body.lines += layout.tuple_statement("return", [values[0], last], 1)
    return body.finish()


def _conversions(target: Target, inputs: Sequence[Node], names: Mapping[Node, str]) -> list[str]:
    """Numbers take their own type, so that arithmetic on them is NumPy's."""
    lines: list[str] = []
    for dtype in ("float64", "float32"):
        group = [names[n] for n in inputs if n.type.rank == 0 and n.type.dtype == dtype]
        kind = target.symbol("float") if target.scalar else f"{target.symbol('np')}.{dtype}" if group else ""
        for start in range(0, len(group), 3):
            part = group[start : start + 3]
            value = ", ".join(f"{kind}({name})" for name in part)
            lines += layout.tuple_statement(f"{', '.join(part)} =", [f"{kind}({n})" for n in part], 1) if len(part) > 1 else layout.assign(part[0], value, 1)
    return lines


def _input_sizes(program: Program, target: Target, wanted: Mapping[str, str]) -> list[str]:
    sources = {s.name: s for s in size_sources([(n["name"], n.type) for n in program.values.inputs])}
    lines = []
    for size, local in wanted.items():
        source = sources[size]
        text = _length(source.argument, source.axis, target)
        text = f"{text} - {source.offset}" if source.offset > 0 else f"{text} + {-source.offset}" if source.offset else text
        if source.factor != 1:
            text = f"({text}) // {source.factor}" if source.offset else f"{text} // {source.factor}"
        lines += layout.assign(local, text, 1)
    return lines


def _length(name: str, axis: int, target: Target) -> str:
    return f"{target.symbol('len')}({name})" if axis == 0 else f"{name}.shape[{axis}]"


def backward_body(program: Program, target: Target, names: Names) -> list[str]:
    """The statements of `backward`."""
    gradients = program.gradients
    saved = program.split.saved
    body = _Body(target, names.backward, names.backward_sizes, gradients, {*saved, *names.seeds})
    targets = [names.backward[n] for n in saved] + [names.backward_sizes[s] for s in program.split.sizes]
    if targets:
        body.lines += layout.unpack(targets, "saved", 1)
    if target.base == "float32" or target.wide:
        body.lines += _conversions(target, names.seeds, names.backward)
    for size, local in names.backward_sizes.items():
        if size not in program.split.sizes:
            node, axis = next((n, i) for n in saved for i, d in enumerate(n.shape) if not isinstance(d, int) and d.name == size)
            body.lines += layout.assign(local, _length(names.backward[node], axis, target), 1)
    undo = Undo(program, names)
    for statement in program.backward:
        body.statement(statement, undo.text(statement))
    given = {*saved, *names.seeds}
    seen: set[Node] = set()
    values = []
    for field_name, node in zip(program.joint.graph.output_names[len(program.final_values) :], gradients, strict=True):
        values.append(f"{field_name[1:]}={body.result(node, again=node in seen, held=node in given)}")
        seen.add(node)
    body.lines += layout.call_statement("return", "Gradients", values, 1)
    return body.finish()


class Undo:
    """The comment of a backward line: the forward line that it goes back through."""

    def __init__(self, program: Program, names: Names) -> None:
        self._names = names.forward
        self._known = {n for n in names.forward if n.op is not INPUT}

    def text(self, statement: Statement) -> str:
        lines = [n for n in statement.undoes if n in self._known]
        if len(lines) == 1:
            name = self._names[lines[0]]
            whole = f"{name} = {spell(lines[0], self._names)}"
            return whole if len(whole) <= MAX_UNDO else name
        shown = ", ".join(dict.fromkeys(self._names[n] for n in lines))
        return shown if len(shown) <= MAX_UNDO else ""


