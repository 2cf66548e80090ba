"""Text to graph.

    parse("mean(softplus(z))")                                   z is a float64 scalar
    parse("mean((X @ w - y)**2)", {"X": "n d", "w": "d", "y": "n"})
    parse(read_model("logistic.gc"), title="logistic.gc", model_file=True)

The grammar is loaded once, at the first call. The callbacks of the parser belong to it and hold
the state of the text at hand, so one text is read at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import NamedTuple

from graphc.errors import GraphcError, LimitError, ParseError, Source, UnknownNameError
from graphc.frontends.text.actions import Actions, Outputs
from graphc.frontends.text.characters import MAX_INPUTS, checked_source
from graphc.frontends.text.driver import Table, drive, load, scan
from graphc.frontends.text.scope import Scope
from graphc.frontends.text.shapes import InputSpec, input_type
from graphc.frontends.text.tape import Term
from graphc.frontends.text.tokens import Brackets
from graphc.frontends.text.values import output_node
from graphc.ir.graph import Graph
from graphc.ir.node import Node


class _Reader(NamedTuple):
    """The parser with its callbacks and its token filter."""

    table: Table
    actions: Actions
    brackets: Brackets


_lock = Lock()
_readers: list[_Reader] = []  # none before the first parse, one after it


def parse(
    text: str,
    inputs: Mapping[str, InputSpec] | None = None,
    *,
    title: str = "<expression>",
    model_file: bool = False,
) -> Graph:
    """The graph that a text describes.

    inputs: types of the inputs that the text does not declare itself (see `input_type`). Without
    it, and without declarations in the text, each unknown name is a float64 scalar input, in order
    of appearance; in a model file every input is declared.
    title: the name of the text in errors and headers.

    Raises a GraphcError with the place in the text: ParseError for what is not in the language,
    UnknownNameError for names, ShapeError and DtypeError for operations that do not fit.
    """
    source = checked_source(text, title)
    scope = Scope(source, implicit=inputs is None and not model_file)
    for name, spec in _checked_inputs(inputs):
        scope.declare(name, input_type(name, spec), None)
    with _lock:
        reader = _reader()
        reader.actions.begin(scope)
        reader.brackets.begin(source)
        try:
            tokens = reader.brackets.process(scan(source.text, reader.table))
            drive(reader.table, tokens, reader.brackets.refuse)
            outputs = reader.actions.outputs
        finally:
            reader.actions.begin(Scope(Source("", ""), False))
            reader.brackets.begin(Source("", ""))
    return _graph(scope, outputs, title)


def _checked_inputs(inputs: Mapping[str, InputSpec] | None) -> list[tuple[str, InputSpec]]:
    if inputs is None:
        return []
    if len(inputs) > MAX_INPUTS:
        raise LimitError("G003", f"a model has at most {MAX_INPUTS:,} inputs")
    return list(inputs.items())


def _reader() -> _Reader:
    """The one parser; made at the first call."""
    if not _readers:
        actions = Actions()
        _readers.append(_Reader(load(actions), actions, Brackets()))
    return _readers[0]


def _graph(scope: Scope, outputs: Outputs | None, title: str) -> Graph:
    terms = _last_assignment(scope) if outputs is None else list(outputs.terms)
    place = scope.span(0, 0)
    made: list[Node] = []
    names: list[str] = []
    for term in terms:
        span = scope.span(term.start, term.end)
        try:
            made.append(output_node(term.value))
        except GraphcError as error:
            raise error.at(span) from None
        name = scope.source.text[term.start : term.end].strip("() ")
        if name not in scope.values:
            name = _free_name({*names, *scope.values})
        if name in names:
            raise UnknownNameError(
                "G014",
                f"two outputs have the name `{name[:60]}`",
                span=span,
                hint="assign one of them to another name first",
            )
        names.append(name)
    if not made:
        raise ParseError(
            "G001",
            "the text computes nothing",
            span=place,
            hint="end it with an expression, an assignment or `return ...`",
        )
    return Graph(
        inputs=tuple(scope.inputs.values()),
        outputs=tuple(made),
        output_names=tuple(names),
        names=scope.names,
        origin=scope.origin,
        title=title,
    )


def _last_assignment(scope: Scope) -> list[Term]:
    if scope.last is None:
        return []
    name, span = scope.last
    return [Term(scope.values[name], span.start, span.end)]


def _free_name(taken: set[str]) -> str:
    number = 0
    while (name := f"out{number or ''}") in taken:
        number += 1
    return name
