"""Statements of the plan as lines of a function body.

dz = (_sigmoid(z) - y) * (dloss / n)  # (n,)   loss = mean(softplus(z) - y * z)
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence

from graphc.emit import layout
from graphc.emit.expression import Writer, numpy_text
from graphc.emit.pyexpr import print_expr
from graphc.emit.target import Target
from graphc.emit.template import joined, named
from graphc.expr.facts import FACTS
from graphc.ir.control import RESULT
from graphc.ir.leaf import CONST, INPUT
from graphc.ir.node import Node
from graphc.ir.types import show_shape
from graphc.plan.lines import is_fresh
from graphc.plan.statement import Block, Statement


def scalar_text(node: Node) -> str:
    """The `math` code of an op: the short form where it can't raise."""
    if node.op.plain is not None and FACTS[node.op.plain[0]](node.args[-1]):
        return node.op.plain[1]
    assert node.op.scalar is not None
    return node.op.scalar


class Counting(str):
    """A line that is there for the number of steps of a loop alone: left out if nothing mentions it."""

    name: str

    @staticmethod
    def of(line: str, name: str) -> Counting:
        made = Counting(line)
        made.name = name
        return made


class Body:
    """Lines of one function, or of a loop or branch in it.

    results: the nodes that are returned.  held: those that someone else holds, too.
    fresh: results of loops and branches that are arrays of their own.  defined: sizes that lines define.
    undo_inside: the comment of a statement of a loop or branch.  assigned: the variables of the function so far.
    """

    def __init__(
        self,
        target: Target,
        names: Mapping[Node, str],
        sizes: Mapping[str, str],
        results: Collection[Node],
        held: Collection[Node],
        plain: Collection[Node] = (),
        indent: int = 1,
    ) -> None:
        self.held = set(held)
        self.fresh: set[Node] = set()
        self.defined: set[str] = set()
        self.assigned: set[str] = set()
        self.undo_inside: Callable[[Block, Statement], str] = lambda block, statement: ""
        self.indent = indent
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
            plain=plain,
        )

    def statement(self, statement: Statement, undo: str) -> None:
        """One statement of the plan."""
        node = statement.node
        shape = show_shape(node.shape) if node.type.rank else ""
        comments = [f"{shape}   {undo}" if shape and undo else shape or undo, shape, ""]
        if " = " in undo:
            comments.insert(1, f"{shape}   {undo.split(' = ')[0]}".strip())
        name = self.names[node]
        if "writes" in node.op.traits or statement.reuse is not None:
            self._in_place(statement, name, comments)
        else:
            self.assign(name, self._whole(node), comments)

    def inside(self, names: Mapping[Node, str], sizes: Mapping[str, str], plain: Collection[Node]) -> Body:
        """For the lines of a loop or branch, one level deeper."""
        inner = Body(self.target, names, sizes, (), (), plain, self.indent + 1)
        inner.undo_inside, inner.assigned = self.undo_inside, self.assigned
        return inner

    def assign(self, name: str, value: ast.expr, comments: Sequence[str]) -> None:
        """An assignment with the longest comment that fits beside it."""
        self.assigned.add(name.partition(":")[0])
        lines = layout.assign(name, value, self.indent)
        if len(lines) == 1 and any(comments):
            lines = [next((line for c in comments if (line := layout.beside(lines[0], c))), lines[0])]
        self.lines += lines

    def _whole(self, node: Node) -> ast.expr:
        """The definition of a statement; a result is an array or number of its own."""
        tree = self.writer.definition(node)
        if node not in self.results or (node.type.rank == 0 and node in self.held):
            return tree
        if node.type.rank == 0:
            return tree if self.target.scalar else self._number(tree, node.type.dtype)
        if node.op.name == "broadcast_to" and node.args[0].type.rank == 0:
            return self.writer.fill("np.full(shape, x)", node)
        return tree if is_fresh(node) or node.op is CONST else self.copy(tree)

    def _number(self, tree: ast.expr, dtype: str) -> ast.expr:
        if dtype == "float32":
            return ast.Call(ast.Attribute(ast.Name(self.target.symbol("np")), "float32"), [tree], [])
        if dtype == "float64" and isinstance(tree, ast.Constant):
            return tree
        kind = self.target.symbol({"float64": "float", "bool": "bool"}.get(dtype, "int"))
        made = isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == kind
        return tree if made else ast.Call(ast.Name(kind), [tree], [])

    def copied(self, node: Node) -> ast.expr:
        """A copy of an array that is not ours."""
        if node.op.name == "broadcast_to" and node.args[0].type.rank == 0 and node not in self.names:
            return self.writer.fill("np.full(shape, x)", node)
        return self.copy(self.writer.expr(node))

    def copy(self, tree: ast.expr) -> ast.expr:
        return ast.Call(ast.Attribute(tree, "copy"), [], [])

    def _in_place(self, statement: Statement, name: str, comments: Sequence[str]) -> None:
        node = statement.node
        if statement.reuse is None:
            base = node.args[0]
            new = "creation" in base.op.traits  # made again rather than copied
            tree = self.writer.definition(base) if new else self.writer.expr(base)
            row = not name.isidentifier()  # to which an array is copied
            owned = new or row or (base not in self.names and is_fresh(base))
            self.assign(name, tree if owned else self.copy(tree), comments)
        update = node.op.update
        assert update is not None
        text = update if isinstance(update, str) else update(node)
        extra: dict[str, ast.expr] = {node.op.args[0]: named(name)}
        if statement.reuse is not None and statement.reuse is not node.args[0]:
            extra[node.op.args[1]] = self.writer.expr(node.args[0])
        if "writes" in node.op.traits:
            value = node.args[1]
            thin = value.args[0] if value not in self.names and value.op.name == "broadcast_to" else value
            extra["value"] = self.writer.expr(thin)
        self._update(text, node, extra, fresh="writes" in node.op.traits and node.args[0].op.name == "zeros")

    def _update(self, text: str, node: Node, extra: Mapping[str, ast.expr], fresh: bool) -> None:
        left, _, rest = text.partition(" ")
        sign, _, right = rest.partition(" ")
        if not sign.endswith("="):
            callee, args = _call_parts(self.writer.fill(text, node, **extra))
            if "np.s_" in text:  # NumPy's stubs know no slices there
                self.lines += layout.unchecked_call(callee, args, 1, self.indent, "type: ignore[arg-type]")
            else:
                self.lines += layout.call_statement("", callee, args, self.indent)
            return
        tree = self.writer.fill(left, node, **extra)
        into_a_row = isinstance(extra[node.op.args[0]], ast.Subscript) and "index" in node.op.attrs
        target = print_expr(joined(tree) if into_a_row and not node["index"].arrays else tree)
        value = self.writer.fill(right, node, **extra)
        if sign == "+=" and fresh:
            sign = "="
        elif sign == "+=":
            positive = _opposite(value)
            sign, value = ("+=", value) if positive is None else ("-=", positive)
        self.lines += layout.update(target, sign, value, self.indent)

    def result(self, node: Node, *, again: bool = False, held: bool = False) -> str:
        """The expression that is returned for an output."""
        named = node in self.names
        tree = self.writer.expr(node) if named or node.type.rank else self._whole(node)
        if node.type.rank == 0:
            plain = (node.op in (INPUT, RESULT) or node in self.held) and not self.target.scalar
            return print_expr(self._number(tree, node.type.dtype) if plain else tree)
        again = again or (node.op is RESULT and node not in self.fresh)
        return print_expr(self.copy(tree) if again or held or node.op is INPUT else tree)

    def finish(self) -> list[str]:
        self.target.symbols |= self.writer.symbols
        used = self.writer.mentioned
        return [line for line in self.lines if not isinstance(line, Counting) or line.name in used]


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
