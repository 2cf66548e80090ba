"""Pieces of syntax trees that the conversion of the user's functions is made of.

hook("call", [f], f)      __graphc__.call(f)
bound_names(body)         the variables that statements assign to
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence

HOOKS = "__graphc__"
# Calls that look at the frame or the class they stand in.
UNTOUCHED = frozenset({"super", "locals", "globals", "vars", "eval", "exec", "dir"})
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SUSPENDING = (ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


def hook(name: str, args: list[ast.expr], place: ast.AST, **words: ast.expr) -> ast.Call:
    """`__graphc__.name(*args)`, which stands at `place`."""
    keywords = [ast.keyword(word, value) for word, value in words.items()]
    call = ast.Call(ast.Attribute(ast.Name(HOOKS, ast.Load()), name, ast.Load()), args, keywords)
    parts = (call, call.func, call.func.value, *keywords, *args, *words.values())  # type: ignore[attr-defined]
    for node in parts:
        if not hasattr(node, "lineno"):
            ast.copy_location(node, place)
    return call


def walk(nodes: Iterable[ast.AST], skip: Callable[[ast.AST], bool]) -> Iterator[ast.AST]:
    """All nodes in and below `nodes`, but for what is below those that `skip` names."""
    pending = list(nodes)[::-1]
    while pending:
        node = pending.pop()
        yield node
        if not skip(node):
            pending += list(ast.iter_child_nodes(node))[::-1]


def is_scope(node: ast.AST) -> bool:
    """Whether names in a node are another scope's."""
    return isinstance(node, SCOPES)


def suspends(nodes: Iterable[ast.AST]) -> bool:
    """Whether there is a `yield` or `await` in this scope."""
    return any(isinstance(n, _SUSPENDING) for n in walk(nodes, is_scope))


def moves(nodes: Sequence[ast.AST]) -> bool:
    """Whether these nodes mean the same in a function of their own."""
    for node in walk(nodes, is_scope):
        if isinstance(node, _SUSPENDING):
            return False
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in UNTOUCHED:
            return False
    return True


def leaves(nodes: Iterable[ast.AST], kinds: tuple[type[ast.AST], ...]) -> bool:
    """Whether these statements hold one of these jumps, and no loop in them takes it."""
    for node in walk(nodes, lambda n: is_scope(n) or isinstance(n, _LOOPS)):
        if isinstance(node, kinds):
            return True
        if isinstance(node, _LOOPS):
            inner = tuple(k for k in kinds if k is ast.Return)
            if leaves(node.orelse, kinds) or (inner and leaves(node.body, inner)):
                return True
    return False


def bound_names(nodes: Iterable[ast.AST]) -> list[str]:
    """The variables of this scope that the nodes assign to, in order."""
    found: dict[str, None] = {}
    for node in walk(nodes, lambda n: is_scope(n) or isinstance(n, _COMPREHENSIONS)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found[node.id] = None
        elif isinstance(node, _COMPREHENSIONS):
            found.update((n.target.id, None) for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = None
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update(((alias.asname or alias.name.partition(".")[0]), None) for alias in node.names)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            found[node.name] = None
        elif isinstance(node, ast.MatchMapping) and node.rest:
            found[node.rest] = None
    return list(found)


def declared(nodes: Iterable[ast.AST], kind: type[ast.Global] | type[ast.Nonlocal]) -> set[str]:
    """The names that this scope declares global, or nonlocal."""
    return {name for node in walk(nodes, is_scope) if isinstance(node, kind) for name in node.names}


def written(target: ast.expr) -> ast.expr:
    """The names of a target as a constant in its structure: ("i", ("x", "y"))."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return ast.Tuple([written(e) for e in target.elts], ast.Load())
    return ast.Constant(target.id if isinstance(target, ast.Name) else "")
