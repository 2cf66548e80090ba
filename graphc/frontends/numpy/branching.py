"""`if`, `a if c else b`, `and`, `or`, `not` of the user's: on a traced condition, branches of the generated code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphc.frontends.numpy.signals import NOTHING, Signal

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

Closure = Callable[[], Any]


def branch(
    session: Session, test: Any, then: Closure, *, other: Closure | None = None, rest: Closure | None = None
) -> Any:
    """`if test: then`, `else: other`, and what follows it."""
    chosen = then if test else other
    jump = (chosen() if chosen is not None else None) or NOTHING
    if jump.certain:
        return jump
    return rest() if rest is not None else None


def after_loop(session: Session, jump: Signal, other: Closure | None, rest: Closure | None) -> Any:
    """What follows a loop that has ended so."""
    if jump.returned:
        return jump
    if not jump.broke and other is not None:
        jump = other() or NOTHING
        if jump.certain:
            return jump
    return rest() if rest is not None else None


def value(session: Session, jump: Signal | None) -> Any:
    """What a function returns whose statements have ended so."""
    return None if jump is None else jump.value


def choose(session: Session, test: Any, then: Closure, other: Closure) -> Any:
    return then() if test else other()


def all_of(session: Session, first: Any, *others: Closure) -> Any:
    found = first
    for later in others:
        if not found:
            return found
        found = later()
    return found


def any_of(session: Session, first: Any, *others: Closure) -> Any:
    found = first
    for later in others:
        if found:
            return found
        found = later()
    return found


def negated(session: Session, x: Any) -> Any:
    return not x


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "is": lambda a, b: a is b,
    "is not": lambda a, b: a is not b,
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
}


def compared(session: Session, signs: tuple[str, ...], first: Any, *others: Closure) -> Any:
    left = first
    found: Any = True
    for sign, later in zip(signs, others, strict=True):
        right = later()
        found = _COMPARE[sign](left, right)
        if not found:
            return found
        left = right
    return found
