"""Help from the source of the user's functions.

    z = np.array([a, b])     becomes     z = __graphc__.named("z", __graphc__.call(np.array)([a, b]))

A function is compiled again from its syntax tree, at its own lines and columns, with two things added:
every call asks first whether the function has a traced form (np.array of traced values, math.exp,
float, len, a user's function, which is converted in turn), and every assignment tells the value its
name. Closures, defaults and globals stay those of the function. Where there is no source (exec, a
lambda that cannot be told from its neighbour) the function runs with its globals replaced by ones
that hold the traced forms.
"""

from __future__ import annotations

import ast
import copy
import linecache
from collections.abc import Iterator
from functools import lru_cache
from types import CellType, CodeType, FunctionType
from typing import Any, NamedTuple

from graphc.frontends.numpy.expressions import with_conditions
from graphc.frontends.numpy.statements import with_control
from graphc.frontends.numpy.syntax import HOOKS, UNTOUCHED, hook

_FUNCTION = "__graphc_function__"
_INDEXED = frozenset({"r_", "c_", "s_", "mgrid", "ogrid"})


class Found(NamedTuple):
    """The syntax tree of a function, and the class that it is written in."""

    tree: ast.FunctionDef | ast.Lambda
    owner: str | None


def convert(function: FunctionType, hooks: Any) -> FunctionType:
    """The function with calls and assignments reported to `hooks`."""
    code = _converted(function.__code__)
    if code is None:
        return _without_source(function, hooks)
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    cells[HOOKS] = CellType(hooks)
    made = FunctionType(
        code,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        tuple(cells[name] for name in code.co_freevars),
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__qualname__ = function.__qualname__
    return made


def _without_source(function: FunctionType, hooks: Any) -> FunctionType:
    """The function over globals and closure cells whose functions are replaced one by one."""
    scope = dict(function.__globals__)
    names = set(_names(function.__code__))
    for name in names:
        known = name in scope
        builtins = scope.get("__builtins__")
        table = builtins if isinstance(builtins, dict) else getattr(builtins, "__dict__", {})
        if known or name in table:
            scope[name] = hooks.seen(scope[name] if known else table[name])
    closure = tuple(_seen_cell(cell, hooks) for cell in function.__closure__ or ())
    made = FunctionType(function.__code__, scope, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _seen_cell(cell: CellType, hooks: Any) -> CellType:
    try:
        seen = hooks.seen(cell.cell_contents)
    except ValueError:  # empty as yet
        return cell
    return cell if seen is cell.cell_contents else CellType(seen)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


# --- from code to code ---


@lru_cache(maxsize=2048)
def _converted(code: CodeType) -> CodeType | None:
    """The code compiled again with the hooks; None without source."""
    found = _find(code)
    if found is None:
        return None
    tree = with_control(with_conditions(_Hooks().visit(copy.deepcopy(found.tree))))
    if isinstance(tree, ast.FunctionDef):
        tree.decorator_list = []
        tree.returns = None
        tree.name = _FUNCTION  # its own name is a global, or a variable of the closure
        _strip(tree.args)
        body: list[ast.stmt] = [tree, ast.Return(ast.Name(tree.name, ast.Load()))]
    else:
        _strip(tree.args)
        body = [ast.Return(tree)]
    captured = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(name) for name in dict.fromkeys((*code.co_freevars, HOOKS))],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    factory: ast.stmt = ast.FunctionDef("__graphc_factory__", captured, body, [], lineno=1)
    if found.owner is not None:  # private names are mangled with the name of the class
        factory = ast.ClassDef(found.owner, [], [], [factory], [])
    module = ast.fix_missing_locations(ast.Module([factory], []))
    flags = code.co_flags & 0x1FFF000  # from __future__ import ...
    compiled = compile(module, code.co_filename, "exec", flags=flags, dont_inherit=True)
    made = _inner(compiled, code.co_name if code.co_name == "<lambda>" else _FUNCTION, found.owner)
    return made.replace(co_name=code.co_name, co_qualname=code.co_qualname)


def _strip(arguments: ast.arguments) -> None:
    """Without annotations and defaults: the function object has its own defaults."""
    for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if arg is not None:
            arg.annotation = None
    arguments.defaults = [ast.Constant(None) for _ in arguments.defaults]
    arguments.kw_defaults = [None if d is None else ast.Constant(None) for d in arguments.kw_defaults]


def _inner(module: CodeType, name: str, owner: str | None) -> CodeType:
    """The code of the function inside the factory."""
    path = [owner] if owner is not None else []
    current = module
    for step in (*path, "__graphc_factory__", name):
        current = next(c for c in current.co_consts if isinstance(c, CodeType) and c.co_name == step)
    return current


def _find(code: CodeType) -> Found | None:
    """The tree of the function whose code this is; None if it can't be told."""
    if code.co_name in ("<module>", "<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>"):
        return None
    lines = linecache.getlines(code.co_filename)
    table = _functions("".join(lines)) if lines else {}
    found = table.get((code.co_name, code.co_firstlineno), ())
    if code.co_name == "<lambda>":
        found = sorted((f for f in found if _holds(f.tree, code)), key=_extent)[:1]  # the innermost
    return found[0] if len(found) == 1 and _same_names(found[0].tree, code) else None


def _same_names(tree: ast.FunctionDef | ast.Lambda, code: CodeType) -> bool:
    """Whether the tree has the parameters of the code: the file may have changed since it was loaded."""
    arguments = tree.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return names == list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _holds(tree: ast.AST, code: CodeType) -> bool:
    """Whether the instructions of the code stand inside the tree."""
    assert isinstance(tree, ast.Lambda)
    places = [p for p in code.co_positions() if p[0] is not None and p[2] is not None and p[3]]
    body = tree.body
    first = (body.lineno, body.col_offset)
    last = (body.end_lineno or 0, body.end_col_offset or 0)
    inside = [(line, column) for line, _, column, end in places if (line, column, end) != (tree.lineno, 0, 0)]
    return bool(inside) and all(first <= (line or 0, column or 0) < last for line, column in inside)


def _extent(found: Found) -> tuple[int, int]:
    """How far the text of a function goes, in lines and columns."""
    tree = found.tree
    return (tree.end_lineno or 0) - tree.lineno, (tree.end_col_offset or 0) - tree.col_offset


@lru_cache(maxsize=64)
def _functions(text: str) -> dict[tuple[str, int], list[Found]]:
    """The functions of a file by name and first line."""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    table: dict[tuple[str, int], list[Found]] = {}
    stack: list[tuple[ast.AST, str | None]] = [(module, None)]
    while stack:
        node, owner = stack.pop()
        if isinstance(node, ast.FunctionDef):
            first = min((d.lineno for d in node.decorator_list), default=node.lineno)
            table.setdefault((node.name, first), []).append(Found(node, owner))
        elif isinstance(node, ast.Lambda):
            table.setdefault(("<lambda>", node.lineno), []).append(Found(node, owner))
        inside = node.name if isinstance(node, ast.ClassDef) else owner
        stack += [(child, inside) for child in ast.iter_child_nodes(node)]
    return table


class _Hooks(ast.NodeTransformer):
    """Adds the calls of the hooks."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in UNTOUCHED:
            return node
        node.func = hook("call", [node.func], node.func)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr in _INDEXED and isinstance(node.ctx, ast.Load):
            return hook("call", [node], node)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        name = "read" if isinstance(node.ctx, ast.Load) else "target"
        node.value = hook(name, [node.value], node.value)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if len(node.targets) == 1 and not isinstance(node.targets[0], ast.Tuple | ast.List):
            name = _name_of(node.targets[0])
            if name is not None:
                node.value = hook("named", [ast.Constant(name), node.value], node.value)
            self._check_target(node)
            return node
        told = [_told(t, False) for target in node.targets for t in _plain(target)]
        return [node, *told]

    def _check_target(self, node: ast.Assign) -> None:
        """`a[i] = value` asks whether `a` may hold the value, where naming `a` twice does nothing more."""
        target = node.targets[0]
        if not isinstance(target, ast.Subscript):
            return
        assert isinstance(target.value, ast.Call)  # of the hook
        owner = target.value.args[0]
        if all(isinstance(n, ast.Name | ast.Attribute | ast.Load) for n in ast.walk(owner)):
            node.value = hook("stored", [node.value, copy.deepcopy(owner)], node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        name = _name_of(node.target)
        if node.value is not None and name is not None:
            node.value = hook("named", [ast.Constant(name), node.value], node.value)
        return node

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        self.generic_visit(node)
        node.value = hook("named", [ast.Constant(node.target.id), node.value], node.value)
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.body = [*(_told(t, False) for t in _plain(node.target)), *node.body]
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        return [node, _told(node.target, True)] if isinstance(node.target, ast.Name) else node


def _told(target: ast.Name, augmented: bool) -> ast.stmt:
    """A statement that tells the value of a variable its name."""
    read = ast.copy_location(ast.Name(target.id, ast.Load()), target)
    call = hook("named", [ast.Constant(target.id), read, *([ast.Constant(True)] if augmented else [])], target)
    return ast.copy_location(ast.Expr(call), target)


def _plain(target: ast.expr) -> list[ast.Name]:
    """The variables of a target."""
    if isinstance(target, ast.Name):
        return [target]
    if isinstance(target, ast.Tuple | ast.List):
        return [name for element in target.elts for name in _plain(element)]
    return []


def _name_of(target: ast.expr) -> str | None:
    """What an assignment calls its value: z, self.z, cache["z"]."""
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute):
        return target.attr
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return target.slice.value if isinstance(target.slice.value, str) else None
    return None
