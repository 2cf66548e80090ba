"""Definitions: `def f(a, b): return ...` is a tape of what its body does, replayed at each call.

    def f(a): return sin(a) * a      step 0: call sin, slot 0 -> slot 1
                                     step 1: binary *, slot 1, slot 0 -> slot 2

A tape is flat, so a call needs no recursion over trees. A call with the same arguments as before
gives what it gave before: definitions that call each other twice cost what they are long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphc.ir.node import Node

MAX_REPLAYED = 100_000  # operations that calls may expand to
MAX_CALLS = 100  # definitions inside definitions


@dataclass(frozen=True)
class Slot:
    """A value that a call will supply: a parameter, or the result of a step."""

    index: int


class Term(NamedTuple):
    """A value and the stretch of text it came from."""

    value: Any
    start: int
    end: int


Action = Callable[[Any, Any, Sequence[Term]], Any]  # (reader, static, operands) -> value


class Step(NamedTuple):
    """One action to be done at a call."""

    action: Action
    static: Any
    operands: tuple[Term, ...]
    start: int
    end: int


class Definition:
    """A definition: its parameters, its steps, and where its result is."""

    def __init__(self, name: str, parameters: tuple[str, ...]) -> None:
        self.name = name
        self.parameters = parameters
        self.slots = {p: Slot(i) for i, p in enumerate(parameters)}
        self.steps: list[Step] = []
        self.result: Any = None
        self.depth = 1  # how many definitions are inside each other here
        self.known: dict[Any, Any] = {}

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"

    def record(self, step: Step) -> Slot:
        self.steps.append(step)
        return Slot(len(self.parameters) + len(self.steps) - 1)

    def replay(self, args: Sequence[Any], perform: Callable[..., Any]) -> Any:
        """The result for these arguments."""
        key = tuple(map(_identity, args))
        if key in self.known:
            return self.known[key][0]
        values = list(args)
        for step in self.steps:
            operands = [supplied(t, values) for t in step.operands]
            values.append(perform(step.action, step.static, operands, step.start, step.end))
        result = supplied(Term(self.result, 0, 0), values).value
        self.known[key] = result, tuple(args)  # the arguments live as long as their identities
        return result


def supplied(term: Term, values: Sequence[Any]) -> Term:
    """A term with its slot filled."""
    return term._replace(value=values[term.value.index]) if isinstance(term.value, Slot) else term


def _identity(value: Any) -> Any:
    """What makes two arguments the same: the node, or the type and text of a number."""
    return (
        value
        if isinstance(value, Node)
        else (type(value).__name__, repr(value))
        if isinstance(value, (bool, int, float, str))
        else id(value)
    )
