"""Loops and branches of the user's functions, written so that they can be run more than once.

    for t in range(n):              def __graphc_body__(__graphc_item__):
        h = f(h, x[t])                  nonlocal t, h
                                        t = __graphc_item__
                                        h = f(h, x[t])
                                    __graphc__.loop(range(n), __graphc_body__, target="t")

    if c:                           def __graphc_then__():
        return a                        return __graphc__.returned(a)
    b = g(a)                        def __graphc_rest__():
    return b                            nonlocal b
                                        b = g(a)
                                        return __graphc__.returned(b)
                                    return __graphc__.value(__graphc__.branch(c, __graphc_then__, rest=__graphc_rest__))

The hooks see the variables through the closures. Where they find nothing traced they run the closures
as Python would run the statements. A jump out of a closure is what it answers: None if its end is
reached, else what `returned`, BREAK and CONTINUE are. What follows a statement that may jump is a
closure, too, so that it can be one side of a branch.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from graphc.frontends.numpy.syntax import bound_names, declared, hook, leaves, moves, suspends, written

_JUMPS = (ast.Return, ast.Break, ast.Continue)
Placed = TypeVar("Placed", bound=ast.AST)


class _Context(NamedTuple):
    """Where statements stand.

    closure: in a closure, so that a return is what the closure answers.  loop: the loop around them is one, too.
    last: nothing follows them in their function or closure.
    """

    closure: bool = False
    loop: bool = False
    last: bool = True


def with_control(tree: ast.FunctionDef | ast.Lambda) -> ast.FunctionDef | ast.Lambda:
    """The tree of a function with its loops and branches as closures, in place."""
    if isinstance(tree, ast.FunctionDef):
        _function(tree)
    return tree


def _function(tree: ast.FunctionDef) -> None:
    """Convert the statements of one function. Generators stay as they are: a closure can't suspend them."""
    if suspends(tree.body):
        return
    names = bound_names(tree.body)
    outer = declared(tree.body, ast.Global)
    own = [n for n in names if n not in outer and n not in declared(tree.body, ast.Nonlocal)]
    body = _Scope(outer).block(tree.body, _Context())
    tree.body = [*_binding(own, tree), *body]


def _binding(names: Sequence[str], place: ast.stmt) -> list[ast.stmt]:
    """Statements that make names variables of this function, and do nothing."""
    if not names:
        return []
    never = ast.Assign([ast.Name(n, ast.Store()) for n in names], ast.Constant(None))
    return [_at(ast.If(ast.Constant(False), [never], []), place)]


class _Scope:
    """The statements of one function.  outer: its global names."""

    def __init__(self, outer: set[str]) -> None:
        self._outer = outer

    def block(self, statements: Sequence[ast.stmt], context: _Context) -> list[ast.stmt]:
        """A list of statements, converted."""
        made: list[ast.stmt] = []
        for i, statement in enumerate(statements):
            last = context._replace(last=context.last and i == len(statements) - 1)
            if not isinstance(statement, (ast.If, ast.For, ast.While)) or not moves([statement]):
                made.append(self._plain(statement, context))
                continue
            jumps = leaves([statement], _JUMPS)
            if not jumps:
                made += self._closures(statement, last)
            elif context.last and (context.loop or not leaves([statement], (ast.Break, ast.Continue))):
                return [*made, *self._with_rest(statement, statements[i + 1 :], context)]
            else:
                made.append(self._plain(statement, context))
        return made

    # --- what stays a statement ---

    def _plain(self, statement: ast.stmt, context: _Context) -> ast.stmt:
        """A statement that stays one; what stands in it is converted."""
        if isinstance(statement, _JUMPS):
            return _jump(statement, context)
        if isinstance(statement, ast.FunctionDef):
            _function(statement)
            return statement
        if isinstance(statement, ast.ClassDef):
            for inner in statement.body:
                if isinstance(inner, ast.FunctionDef):
                    _function(inner)
            return statement
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            return _unannotated(statement)  # an annotated name can't be nonlocal
        own = context._replace(last=False)
        for part in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            for name in ("body", "orelse", "finalbody"):
                inside = getattr(part, name, None)
                if isinstance(inside, list):
                    loop = name == "body" and isinstance(part, (ast.For, ast.While))
                    setattr(part, name, self.block(inside, own._replace(loop=False) if loop else own))
        return statement

    # --- what becomes closures ---

    def _closures(self, statement: ast.stmt, context: _Context) -> list[ast.stmt]:
        """A statement that no jump leaves: closures and a call of the hook."""
        assert isinstance(statement, (ast.If, ast.For, ast.While))
        made, call = self._split(statement, context)
        return [*made, _at(ast.Expr(call), statement), *self._after(statement, context)]

    def _with_rest(self, statement: ast.stmt, rest: Sequence[ast.stmt], context: _Context) -> list[ast.stmt]:
        """A statement that may jump, and what follows it."""
        assert isinstance(statement, (ast.If, ast.For, ast.While))
        made, call = self._split(statement, context)
        follows = [*self._without_break(statement), *rest]
        if follows:
            made.append(self._closure("rest", follows, context._replace(closure=True), statement))
            call.keywords.append(_word("rest", statement))
        value = call if context.closure else hook("value", [call], _head(statement))
        return [*made, _at(ast.Return(value), statement)]

    def _split(self, statement: ast.If | ast.For | ast.While, context: _Context) -> tuple[list[ast.stmt], ast.Call]:
        """The closures of a statement, and the call that runs them."""
        inner = context._replace(closure=True, last=True)
        if isinstance(statement, ast.If):
            made = [self._closure("then", statement.body, inner, statement)]
            call = hook("branch", [statement.test, _name("then", statement)], statement.test)
            if statement.orelse:
                made.append(self._closure("other", statement.orelse, inner, statement))
                call.keywords.append(_word("other", statement))
            return made, call
        if isinstance(statement, ast.For):
            item = _at(ast.Name("__graphc_item__", ast.Load()), statement.target)
            first = _at(ast.Assign([statement.target], item), statement.target)
            body = self._closure("body", [first, *statement.body], inner._replace(loop=True), statement, ["item"])
            made, call = [body], hook("loop", [statement.iter, _name("body", statement)], statement.iter)
            target = ast.keyword("target", _at(written(statement.target), statement))
            call.keywords.append(_at(target, statement))
            call.keywords += _ends(statement)
        else:
            test = _at(ast.Return(statement.test), statement.test)
            made = [
                self._closure("test", [test], inner, statement, kept=True),
                self._closure("body", statement.body, inner._replace(loop=True), statement),
            ]
            call = hook("repeat", [_name("test", statement), _name("body", statement)], statement.test)
            call.keywords += _ends(statement)
        if statement.orelse and leaves(statement.body, (ast.Break,)):
            made.append(self._closure("other", statement.orelse, inner, statement))
            call.keywords.append(_word("other", statement))
        return made, call

    def _without_break(self, statement: ast.stmt) -> list[ast.stmt]:
        """The `else` of a loop that always gets there."""
        loop = isinstance(statement, (ast.For, ast.While))
        return statement.orelse if loop and not leaves(statement.body, (ast.Break,)) else []  # type: ignore[attr-defined]

    def _after(self, statement: ast.stmt, context: _Context) -> list[ast.stmt]:
        return self.block(self._without_break(statement), context)

    def _closure(
        self,
        name: str,
        statements: Sequence[ast.stmt],
        context: _Context,
        place: ast.AST,
        parameters: Sequence[str] = (),
        kept: bool = False,
    ) -> ast.stmt:
        """`def __graphc_name__(...)` of statements. kept: they are converted already."""
        names = bound_names(statements)
        shared = [n for n in names if n not in self._outer]
        others = [n for n in names if n in self._outer]
        head: list[ast.stmt] = [ast.Nonlocal(shared)] if shared else []
        head += [ast.Global(others)] if others else []
        body = list(statements) if kept else self.block(statements, context)
        arguments = ast.arguments([], [ast.arg(f"__graphc_{p}__") for p in parameters], None, [], [], None, [])
        made = ast.FunctionDef(f"__graphc_{name}__", arguments, [*head, *body], [])
        return _at(made, place)


def _jump(statement: ast.stmt, context: _Context) -> ast.stmt:
    """A jump as the answer of a closure."""
    if isinstance(statement, ast.Return) and context.closure:
        value = statement.value or _at(ast.Constant(None), statement)
        return _at(ast.Return(hook("returned", [value], statement)), statement)
    if isinstance(statement, (ast.Break, ast.Continue)) and context.loop:
        attribute = "BREAK" if isinstance(statement, ast.Break) else "CONTINUE"
        call = hook(attribute, [], statement)
        return _at(ast.Return(call.func), statement)
    return statement


def _unannotated(statement: ast.AnnAssign) -> ast.stmt:
    if statement.value is None:
        return _at(ast.Pass(), statement)
    return _at(ast.Assign([statement.target], statement.value), statement)


def _ends(loop: ast.For | ast.While) -> list[ast.keyword]:
    """`ends=True` for a loop that a step can end."""
    ends = leaves(loop.body, (ast.Return, ast.Break))
    return [ast.keyword("ends", _at(ast.Constant(True), loop))] if ends else []


def _head(statement: ast.If | ast.For | ast.While) -> ast.expr:
    """What a statement tests, or goes through."""
    return statement.iter if isinstance(statement, ast.For) else statement.test


def _name(name: str, place: ast.AST) -> ast.expr:
    return _at(ast.Name(f"__graphc_{name}__", ast.Load()), place)


def _word(name: str, place: ast.AST) -> ast.keyword:
    return _at(ast.keyword(name, _name(name, place)), place)


def _at(node: Placed, place: ast.AST) -> Placed:
    """The node, at the place of another."""
    return ast.copy_location(node, place)
