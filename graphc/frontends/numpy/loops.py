"""`for` and `while` of the user's: loops of the generated code, or steps one after the other.

for t in range(n): ...      n is a size, or a number above 8: rolled, if that can be
for layer in layers: ...    step by step
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.errors import UnsupportedError
from graphc.expr.looping import Opened, close, inside
from graphc.frontends.numpy import branching, several
from graphc.frontends.numpy.courses import Course, course_of
from graphc.frontends.numpy.rolling import Roller, Settled, Way
from graphc.frontends.numpy.signals import NOTHING, CannotRoll, Signal, cannot
from graphc.frontends.numpy.sizes import number_of
from graphc.ir.leaf import INPUT, SIZE
from graphc.ir.node import Node, topological

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

UNROLLED = 8  # steps of a loop that are written out
_NAMES = "i"


def loop(
    session: Session,
    iterable: Any,
    body: Callable[[Any], Any],
    *,
    target: Any = "",
    other: Callable[[], Any] | None = None,
    rest: Callable[[], Any] | None = None,
) -> Any:
    """`for target in iterable: body`, with `else: other`, and what follows it."""
    course = course_of(session, iterable) if session.rolls else None
    jump: Any = None
    if course is None or (isinstance(course.count, int) and course.count <= UNROLLED):
        jump = _plain(session, iterable, body)
    else:
        try:
            jump = roll(session, course, body, target)
        except CannotRoll as reason:
            if number_of(course.count, session.decisions.examples) is None:
                raise _refused(session, reason) from reason.error
            jump = _plain(session, iterable, body)
    return branching.after_loop(session, jump, other, rest)


def _plain(session: Session, iterable: Any, body: Callable[[Any], Any]) -> Signal:
    """Step by step, as Python does it."""
    for item in several.elements(iterable):
        jump = body(item) or NOTHING
        if jump.broke or jump.returned:
            return jump
    return NOTHING


def _refused(session: Session, reason: CannotRoll) -> Exception:
    if isinstance(reason.error, Exception):
        return reason.error
    error = UnsupportedError(
        "G043",
        f"this loop can't be one of the generated code: {reason.reason}",
        hint=reason.hint or "give example arrays, or declare the size as a number, to have the steps written out",
    )
    return error.at(reason.span) if reason.span is not None else session.placed(error)


def roll(session: Session, course: Course, body: Callable[[Any], Any], target: Any) -> Signal:
    """A loop of the generated code. CannotRoll if it can't be one."""
    way = Way(session.free_index(_index_name(course, target)), course.way.start, course.count, course.way.reverse)
    roller = Roller(session, [body], way)
    session.indices[way.index] = way
    try:
        settled = roller.settle(lambda: body(course.item(way.position)))
    finally:
        del session.indices[way.index]
    if settled.result is not None and settled.result.flags != NOTHING.flags:
        cannot("a step ends it")
    outputs = [*(c.after for c in settled.carried), *settled.stacked]
    if isinstance(course.count, int) and not _is_traced(roller, [*outputs, *(c.first for c in settled.carried)]):
        cannot("nothing in it is traced")
    roller.apply(settled, closed(session, roller, settled), course.count - 1)
    return NOTHING


def _index_name(course: Course, target: Any) -> str:
    """What the user calls the index, if it is in an item."""
    name = target
    for step in course.way.path or ():
        name = name[step] if type(name) is tuple and step < len(name) else ""
    usable = course.way.path is not None and type(name) is str and name.strip("_").isascii()
    return (name.strip("_") if usable else "") or _NAMES


def _is_traced(roller: Roller, outputs: Sequence[Node]) -> bool:
    """Whether a step depends on inputs, or on sizes that are names."""
    own = {c for c, _ in roller.placeholders}
    for node in topological(outputs):
        if node.op is INPUT and node not in own:
            return True
        if node.op is SIZE and set(node["dim"].names()) != {roller.index}:
            return True
    return False


def closed(session: Session, roller: Roller, settled: Settled, test: Node | None = None) -> Node:
    """The loop as a node; names and places of what is done in a step go with it, those of the rest stay."""
    way = roller.way
    outputs = [*(c.after for c in settled.carried), *settled.stacked, *(() if test is None else (test,))]
    placeholders = [c.before for c in settled.carried]
    inner = inside(outputs, placeholders, {way.index})
    names = {n: name for n, name in settled.names.items() if n in inner}
    names.update((c.before, name) for c in settled.carried if (name := roller.name_of(c.before)))
    for node, name in settled.names.items():
        if node not in inner:
            session.names.setdefault(node, name)
    for node, place in settled.origin.items():
        if node not in inner:
            session.origin.setdefault(node, place)
    made = close(
        Opened(
            index=way.index,
            start=way.start,
            count=way.count,
            reverse=way.reverse,
            inits=tuple(c.first for c in settled.carried),
            placeholders=tuple(placeholders),
            updates=tuple(c.after for c in settled.carried),
            stacked=tuple(settled.stacked),
            test=test,
            names=names,
            origin={n: place for n, place in settled.origin.items() if n in inner},
        )
    )
    session.note(made)
    return made


def repeat(
    session: Session,
    test: Callable[[], Any],
    body: Callable[[], Any],
    *,
    other: Callable[[], Any] | None = None,
    rest: Callable[[], Any] | None = None,
) -> Any:
    """`while test(): body`, with `else: other`, and what follows it."""
    jump: Any = NOTHING
    while test():
        jump = body() or NOTHING
        if jump.broke or jump.returned:
            break
    return branching.after_loop(session, jump, other, rest)
