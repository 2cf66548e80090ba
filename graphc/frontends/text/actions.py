"""What each rule of the grammar does: the values are made as the text is read, bottom up.

    x * 2 + y     binary(*, x, 2) as soon as `+` is seen, then binary(+, ..., y)

A method here is the callback of the rule, or of the alias, with the same name in grammar.lark.
Between reductions a value travels with its place in the text, as a `Term`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import GraphcError, LimitError, ParseError, ShapeError, Source, UnknownNameError, UnsupportedError
from graphc.expr.arguments import Weak
from graphc.frontends.text import steps, values
from graphc.frontends.text.calls import check_definition
from graphc.frontends.text.driver import Token
from graphc.frontends.text.names import check_name
from graphc.frontends.text.operands import located
from graphc.frontends.text.scope import Scope
from graphc.frontends.text.tape import MAX_CALLS, MAX_REPLAYED, Action, Definition, Slot, Step, Term
from graphc.ir.dims import Dim, Size
from graphc.ir.graph import MAX_NODES
from graphc.ir.node import Node
from graphc.ir.types import MAX_RANK, TensorType, dtype_named


class Outputs:
    """What the text returns: terms, the statement they came from, and whether `return` was written."""

    def __init__(self, terms: Sequence[Term], start: int, end: int, final: bool) -> None:
        self.terms, self.start, self.end, self.final = terms, start, end, final


class Actions:
    """The callbacks, and the state of the text being read."""

    def __init__(self) -> None:
        self.begin(Scope(Source("", ""), False))

    def begin(self, scope: Scope) -> None:
        self.scope = scope
        self.definition: Definition | None = None  # being recorded
        self.outputs: Outputs | None = None
        self.done = 0  # actions performed
        self.replayed = 0  # those of them inside calls of definitions

    # --- doing ---

    def do(self, action: Action, static: Any, operands: Sequence[Term], start: int, end: int) -> Term:
        """Perform an action now, or record it if it waits for the arguments of a call."""
        definition = self.definition
        if definition is not None and any(type(t.value) is Slot for t in operands):
            return Term(definition.record(Step(action, static, tuple(operands), start, end)), start, end)
        return Term(self.perform(action, static, operands, start, end), start, end)

    def perform(self, action: Action, static: Any, operands: Sequence[Term], start: int, end: int) -> Any:
        self.done += 1
        if self.done > MAX_NODES:
            raise LimitError("G003", "the text takes more than 2 million operations", span=self.scope.span(start, end))
        try:
            value = action(self, static, operands)
        except GraphcError as error:
            raise located(error, self.scope.source, static, operands, start, end) from None
        if type(value) is Node:
            self.scope.fresh.append(value)
        return value

    def replay(self, action: Action, static: Any, operands: Sequence[Term], start: int, end: int) -> Any:
        self.replayed += 1
        if self.replayed > MAX_REPLAYED:
            raise LimitError(
                "G003", f"definitions expand to more than {MAX_REPLAYED:,} operations", span=self.scope.span(start, end)
            )
        return self.perform(action, static, operands, start, end)

    # --- atoms ---

    def name(self, children: list[Token]) -> Term:
        token = children[0]
        start, end = token.start, token.end
        if self.definition is not None and token.text in self.definition.slots:
            return Term(self.definition.slots[token.text], start, end)
        return Term(self.scope.lookup(token.text, start, end), start, end)

    def number(self, children: list[Token]) -> Term:
        token = children[0]
        return Term(self.literal(token), token.start, token.end)

    def literal(self, token: Token) -> int | float:
        if len(token.text) > 400:
            span = self.scope.span(token.start, token.end)
            raise LimitError("G003", "a number has at most 400 characters", span=span)
        try:
            return values.literal(token.text)
        except GraphcError as error:
            raise error.at(self.scope.span(token.start, token.end)) from None

    def text(self, children: list[Token]) -> Term:
        token = children[0]
        return Term(token.text[1:-1], token.start, token.end)

    def ellipsis(self, children: list[Token]) -> Term:
        return Term(Ellipsis, children[0].start, children[0].end)

    def group(self, children: list[Any]) -> Term:
        return Term(children[1].value, children[0].start, children[2].end)

    def sequence(self, children: list[Any]) -> Term:
        kind = tuple if children[0].type == "LPAR" else list
        return self.do(steps.sequence, kind, children[1:-1], children[0].start, children[-1].end)

    # --- operators ---

    def binary(self, children: list[Any]) -> Term:
        left, symbol, right = children
        return self.do(steps.binary, symbol.text, (left, right), left.start, right.end)

    def unary(self, children: list[Any]) -> Term:
        symbol, operand = children
        return self.do(steps.unary, symbol.text, (operand,), symbol.start, operand.end)

    def comparison(self, children: list[Any]) -> Term:
        operands = children[::2]
        return self.do(
            steps.comparison, [t.text for t in children[1::2]], operands, operands[0].start, operands[-1].end
        )

    # --- calls ---

    def callee(self, children: list[Token]) -> Term:
        token = children[0]
        start, end = token.start, token.end
        return Term(self.scope.function(token.text, start, end), start, end)

    def keyword(self, children: list[Any]) -> tuple[str, Term]:
        return children[0].text, children[1]

    def arguments(self, children: list[Any]) -> tuple[tuple[str, ...], list[Term]]:
        """Keywords, and terms with those given by keyword last."""
        named = [c for c in children if type(c) is tuple]
        if not named:
            return (), children
        if named and children[-len(named) :] != named:
            late = next(c for c in reversed(children) if type(c) is not tuple)
            raise ParseError(
                "G001",
                "an argument without a keyword follows one with a keyword",
                span=self.scope.span(late.start, late.end),
            )
        plain = children[: len(children) - len(named)]
        return tuple(k for k, _ in named), [*plain, *(t for _, t in named)]

    def call(self, children: list[Any]) -> Term:
        callee = children[0]
        keywords, operands = self.arguments(children[2:-1])
        if self.definition is not None and isinstance(callee.value, Definition):
            self.definition.depth = max(self.definition.depth, callee.value.depth + 1)
            if self.definition.depth > MAX_CALLS:
                raise LimitError(
                    "G003",
                    f"definitions use each other more than {MAX_CALLS} deep",
                    span=self.scope.span(callee.start, callee.end),
                )
        return self.do(steps.call, (callee.value, keywords), operands, callee.start, children[-1].end)

    def method(self, children: list[Any]) -> Term:
        target, name = children[0], children[1]
        keywords, operands = self.arguments(children[3:-1])
        return self.do(steps.method, (name.text, keywords), [target, *operands], target.start, children[-1].end)

    def attribute(self, children: list[Any]) -> Term:
        target, name = children
        return self.do(steps.attribute, name.text, (target,), target.start, name.end)

    def not_callable(self, children: list[Any]) -> Term:
        span = self.scope.span(children[0].start, children[0].end)
        raise UnsupportedError("G040", "this value cannot be called", span=span, hint="is a * missing?")

    def foreign(self, children: list[Token]) -> Term:
        raise AssertionError("tokens.py refuses these")

    # --- indices ---

    def slice(self, children: list[Any]) -> Term:
        parts: list[list[Term]] = [[]]
        for child in children:
            if isinstance(child, Term):
                parts[-1].append(child)
            else:
                parts.append([])
        given = tuple(bool(p) for p in parts) + (False,) * (3 - len(parts))
        return self.do(steps.slice, given, [t for p in parts for t in p], children[0].start, children[-1].end)

    def index(self, children: list[Any]) -> Term:
        target = children[0]
        return self.do(steps.index, None, [target, *children[2:-1]], target.start, children[-1].end)

    # --- types ---

    def size_name(self, children: list[Token]) -> Dim:
        token = children[0]
        return Size.named(check_name(token.text, self.scope.span(token.start, token.end)))

    def size_number(self, children: list[Token]) -> Dim:
        value = self.literal(children[0])
        if not isinstance(value, int):
            span = self.scope.span(children[0].start, children[0].end)
            raise ShapeError("G023", "a size is an integer below 2**63, or a name", span=span)
        return value

    def size_binary(self, children: list[Any]) -> Dim:
        left, symbol, right = children
        span = self.scope.span(symbol.start, symbol.end)
        try:
            result: Dim = values.binary(symbol.text, left, right)
        except GraphcError as error:
            raise error.at(span) from None
        if not isinstance(result, (int, Size)):
            raise ShapeError("G023", "a size is an integer below 2**63, or a name", span=span)
        return result

    def type(self, children: list[Any]) -> TensorType:
        dtype, sizes = children[0], children[1:-1]
        span = self.scope.span(dtype.start, dtype.end)
        if len(sizes) > MAX_RANK:
            raise LimitError("G003", f"an array has at most {MAX_RANK} axes", span=span)
        if any(isinstance(s, int) and s < 0 for s in sizes):
            raise ShapeError("G023", "a size is not negative", span=span)
        try:
            return TensorType(dtype_named(dtype.text), tuple(sizes))
        except GraphcError as error:
            raise error.at(span) from None

    # --- statements ---

    def open(self, start: int, end: int) -> None:
        """A statement may follow, unless the outputs are given already."""
        if self.outputs is None:
            return
        if self.outputs.final:
            raise ParseError("G001", "nothing follows `return`", span=self.scope.span(start, end))
        raise ParseError(
            "G001",
            "the value of this line is not used",
            hint="assign it, or put it into brackets with the next line",
            span=self.scope.span(self.outputs.start, self.outputs.end),
        )

    def declare(self, children: list[Any]) -> None:
        token, type = children
        self.open(token.start, token.end)
        if not self.scope.guessed:
            self.scope.implicit = False
        else:
            self.scope.implicit, self.scope.guessed = False, True
        self.scope.declare(token.text, type, self.scope.span(token.start, token.end))

    def assign(self, children: list[Any]) -> None:
        token, term = children
        self.open(token.start, term.end)
        if not isinstance(term.value, (Node, int, float, Size, Weak, tuple, list)):
            raise values.unfit(term.value).at(self.scope.span(term.start, term.end))
        self.scope.assign(token.text, term.value, self.scope.span(token.start, token.end))
        self.scope.settle(self.scope.span(token.start, term.end))

    def give(self, children: list[Any]) -> None:
        self.finish(children[1:] if not isinstance(children[0], Term) else children, True)

    def bare(self, children: list[Any]) -> None:
        self.finish(children, False)

    def finish(self, terms: list[Term], final: bool) -> None:
        start, end = terms[0].start, terms[-1].end
        self.open(start, end)
        self.scope.settle(self.scope.span(start, end))
        self.outputs = Outputs(terms, start, end, final)

    def start(self, children: list[Any]) -> None:
        return None

    # --- definitions ---

    def header(self, children: list[Token]) -> Token:
        name, parameters = children[0], children[1:]
        self.open(name.start, name.end)
        for token in children:
            check_name(token.text, self.scope.span(token.start, token.end))
        words = [t.text for t in parameters]
        repeated = [t for i, t in enumerate(parameters) if t.text in words[:i]]
        taken = name.text in self.scope.values or name.text in self.scope.definitions
        if repeated or taken:
            token = repeated[0] if repeated else name
            raise UnknownNameError(
                "G014", f"`{token.text[:60]}` has a meaning already", span=self.scope.span(token.start, token.end)
            )
        self.definition = Definition(name.text, tuple(words))
        return name

    def define(self, children: list[Any]) -> None:
        definition = self.definition
        assert definition is not None
        definition.result = children[-1].value
        self.scope.definitions[definition.name] = definition
        self.definition = None
        self.scope.settle(self.scope.span(children[0].start, children[-1].end))

    def expand(self, definition: Definition, keywords: Sequence[str], operands: Sequence[Term]) -> Any:
        """The value of a call of a definition."""
        plain = len(operands) - len(keywords)
        check_definition(definition.name, definition.signature, definition.parameters, plain, keywords)
        named = dict(zip(keywords, operands[plain:], strict=True))
        rest = [named[p] for p in definition.parameters[plain:]]
        try:
            return definition.replay([t.value for t in (*operands[:plain], *rest)], self.replay)
        except GraphcError as error:
            if " (called by " not in error.message:
                error.message += f" (called by a use of `{definition.name[:40]}`)"
            raise
