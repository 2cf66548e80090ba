"""Nodes as Python expression trees: the text of each op, its arguments put in.

    add(matmul(X, w), b)   with the text "a + b" and "a @ b"   ->   X @ w + b

The same writer makes NumPy code, scalar code and the spelling of the text language; they differ in
which of an op's texts is asked for. Recursion is over one statement, whose depth the plan bounds.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from graphc.emit.numeric import is_number, may_be_zero
from graphc.emit.template import filler, joined, named, names_of, template_tree
from graphc.ir.control import RESULT
from graphc.ir.dims import Dim, Size, roots
from graphc.ir.index import Array, Index, Range
from graphc.ir.leaf import CONST, INPUT, SIZE
from graphc.ir.node import Constant, Node
from graphc.ir.op import Op
from graphc.ir.regular import Call, regular
from graphc.ir.types import TensorType

TextOf = Callable[[Node], str]


def numpy_text(node: Node) -> str:
    """The NumPy code of an op."""
    text = node.op.numpy
    return text if isinstance(text, str) else text([a.type for a in node.args], node.attributes)


def spelled_text(node: Node) -> str:
    """How the text language writes an op."""
    text = node.op.spelling
    return text if isinstance(text, str) else node.op.spelling_text([a.type for a in node.args], node.attributes)


class Writer:
    """Turns nodes into expression trees.

    text_of: the template of an op.  names: nodes that are written as a name.
    rename: for a symbol of the templates (`np`, `max`, `_sigmoid`) what it is called here.
    sizes: what a named size is called here.  prefix: the module of inf and nan.
    plain: inputs that are Python numbers, not NumPy's.
    """

    def __init__(
        self,
        text_of: TextOf,
        names: Mapping[Node, str],
        *,
        rename: Mapping[str, str] | None = None,
        sizes: Mapping[str, str] | None = None,
        prefix: str = "np",
        plain: Collection[Node] = (),
    ) -> None:
        self.plain = plain
        self._text_of = text_of
        self._names = names
        self._rename = rename or {}
        self._sizes = sizes or {}
        self._prefix = prefix
        self.symbols: set[str] = set()
        self.used_sizes: set[str] = set()
        self.mentioned: set[str] = set()  # what they are called

    def expr(self, node: Node) -> ast.expr:
        """The node where it is used: its name if it has one."""
        name = self._names.get(node)
        return self.definition(node) if name is None else named(name)

    def definition(self, node: Node) -> ast.expr:
        """What computes the node, whatever it is called."""
        if node.args:
            return self.fill(self._text_of(node), node)
        if node.op is INPUT:
            return ast.Name(self._names.get(node, node["name"]))
        if node.op is CONST:
            return self.constant(node["value"])
        if node.op is SIZE and self._text_of is spelled_text:
            return self.dim(node["dim"])
        return self.fill(self._text_of(node), node)

    def fill(self, template: str, node: Node, **extra: ast.expr) -> ast.expr:
        """A template over the op's argument and attribute names, filled in for `node`."""
        scope = self._arguments(template, node)
        if node.attrs:
            scope |= self._attributes(template, node)
        if extra:
            scope |= extra
        tree: ast.expr = filler(template)(self._name, scope)
        return joined(tree) if "index" in node.op.attrs and self._is_element(node) else tree

    def _is_element(self, node: Node) -> bool:
        """Whether a node reads from, or writes into, what is a row itself."""
        return not self._names.get(node.args[0], "_").isidentifier() and not node["index"].arrays

    def _arguments(self, template: str, node: Node) -> dict[str, Any]:
        """What the argument names of a template stand for."""
        fixed, rest = _parameters(node.op)
        scope: dict[str, Any] = dict(zip(fixed, node.args, strict=False))
        if rest:
            scope[rest] = node.args[len(fixed) :]
        if node.type.dtype == "float32":
            if self._needs_types(template, node):
                scope = {name: self._typed_all(value) for name, value in scope.items()}
        elif node.type.dtype == "float64" and "float32" in [a.type.dtype for a in node.args]:
            for name, arg in zip(fixed, node.args, strict=False):  # integers widen float32 arrays, numbers do not
                scope[name] = self._typed(arg, "float64") if arg.type.dtype.startswith("int") else arg
        if node.op.name in _DIVISIONS:
            risky = self._risky(node)
            if risky is not None:
                scope[fixed[risky]] = self._typed(node.args[risky], node.type.dtype)
        return scope

    def _attributes(self, template: str, node: Node) -> dict[str, Any]:
        """What the attribute names of a template stand for; a size that is not written is not needed."""
        shape = node.args[0].shape if node.args else ()
        arrays = node.args[len(_parameters(node.op).fixed) :]
        return {
            name: self._index(value, shape, arrays) if isinstance(value, Index) else self._attribute(value)
            for name, value in node.attributes.items()
            if name in names_of(template)
        }

    def _needs_types(self, template: str, node: Node) -> bool:
        """Whether numbers would make float64 of a float32 node: where a function sees only them, or joins them."""
        if self._text_of is not numpy_text or not isinstance(template_tree(template), ast.Call):
            return False
        return node.op.name in _JOINS or all(map(is_number, node.args))

    def _typed(self, node: Node, dtype: str = "float32") -> Node | ast.expr:
        named = node in self._names and node.op not in (INPUT, RESULT)
        if dtype not in ("float32", "float64") or not is_number(node) or named:
            return node
        self.symbols.add("np")
        call = ast.Attribute(ast.Name(self._rename.get("np", "np")), dtype)
        return ast.Call(call, [self.expr(node)], [])

    def _typed_all(self, value: Node | tuple[Node, ...]) -> Any:
        return tuple(map(self._typed, value)) if isinstance(value, tuple) else self._typed(value)

    def _risky(self, node: Node) -> int | None:
        """The argument of a division that must be NumPy's: Python's own, of numbers by a size of 0, raises."""
        if self._text_of is not numpy_text or node.type.rank:
            return None
        divisor = 1 if node.op.name == "divide" else 0
        if not is_number(node.args[divisor]) or not may_be_zero(node.args[divisor]):
            return None
        return divisor if all(is_number(a, self.plain) for a in node.args) else None

    def _name(self, scope: Mapping[str, Any], name: str) -> ast.expr:
        """What a name in a template becomes."""
        value = scope.get(name)
        if isinstance(value, Node):
            return self.expr(value)
        if isinstance(value, ast.expr):
            return value
        if isinstance(value, tuple):
            return ast.Tuple([v if isinstance(v, ast.expr) else self.expr(v) for v in value])
        self.symbols.add(name)
        return ast.Name(self._rename.get(name, name))

    def _attribute(self, value: Any) -> ast.expr:
        if isinstance(value, (int, Size)) and not isinstance(value, bool):
            return self.dim(value)
        if isinstance(value, tuple):
            return ast.Tuple([self._attribute(v) for v in value])
        if isinstance(value, Constant):
            return self.constant(value)
        return self.number(value) if isinstance(value, float) else ast.Constant(value)

    def _index(self, index: Index, shape: Sequence[Dim], arrays: Sequence[Node]) -> ast.expr:
        items: list[ast.expr] = []
        axes = iter(shape)
        for entry in index.entries:
            items.append(ast.Constant(None) if entry is None else self._entry(entry, next(axes), arrays))
        while len(items) > 1 and _is_whole(items[-1]):
            items.pop()
        return items[0] if len(items) == 1 else ast.Tuple(items)

    def _entry(self, entry: Any, size: Dim, arrays: Sequence[Node]) -> ast.expr:
        """One entry of an index on an axis of this size; positions near the end count from there."""
        if isinstance(entry, Array):
            return self.expr(arrays[entry.k])
        if not isinstance(entry, Range):
            return self._position(entry, size)
        if entry.whole:
            return ast.Slice()
        first = 0 if entry.step > 0 else size - 1
        start = None if entry.start == first else self._position(entry.start, size)
        stop = None if entry.stop is None or entry.stop == size else self._position(entry.stop, size)
        return ast.Slice(start, stop, None if entry.step == 1 else self.dim(entry.step))

    def _position(self, position: Dim, size: Dim) -> ast.expr:
        behind = position - size
        symbolic = isinstance(position, Size) and isinstance(behind, int) and behind < 0
        return self.dim(behind if symbolic else position)

    def dim(self, dim: Dim) -> ast.expr:
        """A size as an expression of the named sizes."""
        if isinstance(dim, int):
            return self.number(dim)
        self.used_sizes |= {*dim.names(), *map(str, roots(dim))}
        self.mentioned |= {self._sizes.get(name, name) for name in dim.names()}
        tree = ast.parse(str(dim), mode="eval").body
        self.symbols |= called(tree)
        written: ast.expr = renamed(tree, self._sizes, self._rename)
        return written

    def number(self, value: float | int | bool) -> ast.expr:
        if isinstance(value, float) and not math.isfinite(value):
            name = "nan" if value != value else "inf"
            self.symbols.add(self._prefix)
            tree: ast.expr = ast.Attribute(ast.Name(self._rename.get(self._prefix, self._prefix)), name)
            return ast.UnaryOp(ast.USub(), tree) if value < 0 else tree
        if not isinstance(value, bool) and (value < 0 or (value == 0 and math.copysign(1.0, value) < 0)):
            return ast.UnaryOp(ast.USub(), self.number(-value))
        if self._text_of is spelled_text and isinstance(value, float) and value == int(value) and value < 1e15:
            return ast.Constant(int(value))
        return ast.Constant(value)

    def constant(self, value: Constant) -> ast.expr:
        """A constant: a number where all elements are one scalar, else `np.array([...])`."""
        array = value.array()
        if value.shape == ():
            return self.number(_shortest(array[()]))
        self.symbols.add("np")
        short = regular(array)
        if short is not None:
            return self._regular(short)
        keywords = [] if value.dtype == "float64" else [ast.keyword("dtype", self._dtype(value.dtype))]
        call = ast.Attribute(ast.Name(self._rename.get("np", "np")), "array")
        return ast.Call(call, [self._nested(array)], keywords)

    def new_array(self, function: str, type: TensorType) -> ast.expr:
        """The call that makes an array of this type: `np.empty((T + 1, k))`."""
        self.symbols.add("np")
        return self._regular(Call(function, (type.shape,), None if type.dtype == "float64" else type.dtype))

    def _regular(self, call: Call) -> ast.expr:
        """The call that makes a regular array."""
        np_ = ast.Name(self._rename.get("np", "np"))
        keywords = [] if call.dtype is None else [ast.keyword("dtype", self._dtype(call.dtype))]
        return ast.Call(ast.Attribute(np_, call.function), [self._attribute(a) for a in call.args], keywords)

    def _dtype(self, dtype: str) -> ast.expr:
        return ast.Attribute(ast.Name(self._rename.get("np", "np")), "bool_" if dtype == "bool" else dtype)

    def _nested(self, array: Any) -> ast.expr:
        if array.ndim == 0:
            return self.number(_shortest(array[()]))
        return ast.List([self._nested(item) for item in array])


def _is_whole(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Slice) and tree.lower is None and tree.upper is None and tree.step is None


_JOINS = ("concatenate", "stack", "broadcast_to")
_DIVISIONS = ("divide", "reciprocal", "power")


def _shortest(item: Any) -> float | int | bool:
    """The number whose shortest text gives these bits back in their own dtype."""
    if isinstance(item, np.float32):
        return float(str(item))
    value: float | int | bool = item.item()
    return value


class _Parameters(NamedTuple):
    """The argument names of an op: those of one argument each, and the one of all that follow, or ""."""

    fixed: tuple[str, ...]
    rest: str


@lru_cache(maxsize=4096)
def _parameters(op: Op) -> _Parameters:
    return _Parameters(op.args[:-1], op.args[-1][1:]) if op.variadic else _Parameters(op.args, "")


def called(tree: ast.expr) -> set[str]:
    """The functions that the text of a size calls: `min`."""
    return {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def renamed(tree: Any, names: Mapping[str, str], functions: Mapping[str, str]) -> Any:
    """The text of a size with its names replaced, and those of the functions that it calls."""
    if isinstance(tree, ast.Name):
        return ast.Name(names.get(tree.id, tree.id))
    if isinstance(tree, ast.Call):
        root = names.get(ast.unparse(tree))
        if root is not None:
            return ast.Name(root)
        return ast.Call(renamed(tree.func, functions, {}), [renamed(a, names, functions) for a in tree.args], [])
    if isinstance(tree, ast.AST):
        return type(tree)(**{f: renamed(getattr(tree, f), names, functions) for f in tree._fields})
    return tree
