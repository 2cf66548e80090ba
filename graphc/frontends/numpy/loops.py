"""`for` and `while` of the user's: loops of the generated code, or steps one after the other.

for t in range(n): ...      n is a size, or a number above 8: rolled, if that can be
for layer in layers: ...    step by step
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graphc.errors import LimitError, UnsupportedError
from graphc.expr import build
from graphc.expr.looping import Opened, close, inside
from graphc.frontends.numpy import branching, several
from graphc.frontends.numpy.carried import Carried
from graphc.frontends.numpy.courses import Course, course_of
from graphc.frontends.numpy.forms import form_of, opened
from graphc.frontends.numpy.rolling import Roller, Settled
from graphc.frontends.numpy.signals import NOTHING, CannotRoll, Signal, cannot
from graphc.frontends.numpy.sizes import number_of
from graphc.frontends.numpy.tracer import Tracer
from graphc.frontends.numpy.trials import Checkpoint, Way
from graphc.frontends.numpy.truth import truth
from graphc.frontends.numpy.variables import ABSENT
from graphc.ir.control import final
from graphc.ir.dims import Size
from graphc.ir.leaf import INPUT, SIZE, const_node, size_node
from graphc.ir.node import Node, topological
from graphc.ir.types import TensorType

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

UNROLLED = 8  # steps of a loop that are written out
MAX_STEPS = 100_000  # of a `while` that are written out
_NAMES = "i"


def loop(
    session: Session,
    iterable: Any,
    body: Callable[[Any], Any],
    *,
    target: Any = "",
    ends: bool = False,
    other: Callable[[], Any] | None = None,
    rest: Callable[[], Any] | None = None,
) -> Any:
    """`for target in iterable: body`, with `else: other`, and what follows it.

    ends: whether there is a `break` or `return` in the body.
    """
    course = course_of(session, iterable)
    known = None if course is None else number_of(course.count, session.decisions.examples)
    few = course is not None and isinstance(course.count, int) and course.count <= UNROLLED
    if course is None or few or (session.unrolled and known is not None):
        jump = _plain(session, iter(several.elements(iterable)), body)
    else:
        try:
            jump = roll(session, course, body, target, ends, known is not None)
            session.rolled += known or 0
        except CannotRoll as reason:
            if known is None:
                raise _refused(session, reason) from reason.error
            jump = _plain(session, iter(several.elements(iterable)), body)
    return branching.after_loop(session, jump, other, rest)


def listed(session: Session, iterable: Any, step: Callable[[Any], list[Any]], *, target: Any = "") -> list[Any]:
    """`[... for target in iterable]`. step: what one item adds to the list."""
    _: list[Any] = []  # without a name of the user's

    def body(item: Any) -> None:
        _.extend(step(item))

    loop(session, iterable, body, target=target)
    return _


def go_through(session: Session, course: Course, body: Callable[[Any], Any], name: str) -> None:
    """A loop over a course, whatever it has in it; step by step only if it can't be rolled."""
    try:
        roll(session, replace(course, way=replace(course.way, path=())), body, name, False, False)
    except CannotRoll as reason:
        if not isinstance(course.count, int):
            raise _refused(session, reason) from reason.error
        _plain(session, map(course.item, range(course.count)), body)


def _plain(session: Session, items: Iterator[Any], body: Callable[[Any], Any]) -> Signal:
    """Step by step, as Python does it."""
    for item in items:
        jump = (body(item) or NOTHING).leaving
        if jump.certain:
            return jump
        if not jump.silent:
            return _after_a_jump(session, jump, list(items), body)
    return NOTHING


def _after_a_jump(session: Session, jump: Signal, items: list[Any], body: Callable[[Any], Any]) -> Signal:
    """The steps after one that may have ended the loop are one side of a branch."""

    def ended() -> Signal:
        return branching.certainly(jump)

    def goes_on() -> Signal:
        return _plain(session, iter(items), body)

    stopped = branching.stops(session, jump)
    return branching.Branching(session, stopped, ended, goes_on, None, (body,)).run() or NOTHING


def _refused(session: Session, reason: CannotRoll) -> Exception:
    if isinstance(reason.error, Exception):
        return reason.error
    error = UnsupportedError(
        "G043",
        f"this loop can't be one of the generated code: {reason.reason}",
        hint=reason.hint or "give example arrays, or declare the size as a number, to have the steps written out",
    )
    return error.at(reason.span) if reason.span is not None else session.placed(error)


def roll(session: Session, course: Course, body: Callable[[Any], Any], target: Any, ends: bool, known: bool) -> Signal:
    """A loop of the generated code. CannotRoll if it can't be one."""
    index = session.free_index(_index_name(course, target))
    if ends:
        jump = _ending(session, course, body, index, known)
        if jump is not None:
            return jump
    way = Way(index, course.way.start, course.count, course.way.reverse, known)
    roller = Roller(session, [body], way, course.count)
    with session.going(way):
        settled = roller.settle(lambda: body(course.item(way.position)))
    outputs = [*(c.after for c in settled.carried), *settled.stacked, *(c.first for c in settled.carried)]
    if isinstance(course.count, int) and not _is_traced(roller, outputs):
        cannot("nothing in it is traced")
    roller.apply(settled, closed(session, roller, settled), course.count - 1)
    return NOTHING


def _ending(session: Session, course: Course, body: Callable[[Any], Any], index: str, known: bool) -> Signal | None:
    """A loop that one of its steps may end; None if none does after all."""
    counts_up = not course.way.reverse
    start = course.way.start if counts_up else 0
    steps = session.free_steps()
    way = Way(index if counts_up else session.free_index(_NAMES), start, steps, False, known)
    roller = Roller(session, [body], way, course.count)
    with session.going(replace(way, count=course.count)):
        settled = roller.settle(lambda: body(course.item(way.position)))
        jump = (settled.result or NOTHING).leaving
        if jump.silent:
            return None
        inside = build.apply("less", size_node(Size.named(way.index)), size_node(start + course.count))
        return _until(session, roller, settled, jump, inside)


def _until(session: Session, roller: Roller, settled: Settled, jump: Signal, test: Node | None) -> Signal:
    """A loop that goes on while `test` holds and no step has jumped out of it; how it has ended."""
    if jump.certain:
        cannot("its first step always ends it")
    own = [_Flag(roller, flag) for flag in (jump.broke, jump.returned) if flag is not False]
    for flag in own:
        going = build.apply("logical_not", flag.carried.before)
        test = going if test is None else build.apply("logical_and", going, test)
    leaves, structure = opened(jump.value)
    answers = [_last(roller, leaf) for leaf in leaves]
    carried = [*settled.carried, *(f.carried for f in own), *(a for a in answers if a is not None)]
    assert test is not None
    node = closed(session, roller, settled._replace(carried=carried), test)
    roller.apply(settled, node, roller.count - 1)
    finals = {c.of: final(node, k) for k, c in enumerate(carried)}
    flags = iter(session.wrapped(finals[f.carried.of]) for f in own)
    broke, has_returned = (next(flags) if flag is not False else False for flag in (jump.broke, jump.returned))
    if jump.value is ABSENT:
        return Signal(False, broke, has_returned)
    values = [leaf if a is None else form_of(leaf).stand_in(session, finals[a.of])  # type: ignore[union-attr]
              for leaf, a in zip(leaves, answers, strict=True)]  # fmt: skip
    return Signal(False, broke, has_returned, structure.filled(session, values))


class _Flag:
    """Whether a loop has been left in one way: carried, false before the first step."""

    def __init__(self, roller: Roller, flag: Any) -> None:
        before = roller.placeholder(TensorType("bool", ()), "")
        self.carried = Carried(const_node(False, "bool"), before, flag.node, object())


def _last(roller: Roller, leaf: Any) -> Carried | None:
    """What a step returns, carried to the end of the loop; None for what is known."""
    if type(leaf) is not Tracer:
        return None
    type_ = leaf.node.type
    if roller.depends(type_.shape):
        cannot("the shape of what it returns is another one in each step")
    before = roller.placeholder(type_, "")
    return Carried(build.zeros(type_.shape, type_.dtype), before, leaf.node, object())


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
    names, origin = session.inside(inner, settled.names, settled.origin)
    names.update((c.before, name) for c in settled.carried if (name := roller.name_of(c.before)))
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
            origin=origin,
        )
    )
    session.note(made)
    return made


def repeat(
    session: Session,
    test: Callable[[], Any],
    body: Callable[[], Any],
    *,
    ends: bool = False,
    other: Callable[[], Any] | None = None,
    rest: Callable[[], Any] | None = None,
) -> Any:
    """`while test(): body`, with `else: other`, and what follows it.

    Steps are written out while they are few and the test is known; otherwise the whole loop is rolled,
    or, if the first steps differ from the others, the steps that are left.
    """
    with Checkpoint(session, [test, body]) as start:
        jump = _few(session, test, body, start)
        if jump is None:
            start.restore()
    reason: CannotRoll | None = None
    if jump is None:
        try:
            jump = _roll_while(session, test, body)
        except CannotRoll as caught:
            reason = caught
    if jump is None:
        jump = _rest_of_while(session, test, body, reason)
    return branching.after_loop(session, jump, other, rest)


def _few(session: Session, test: Callable[[], Any], body: Callable[[], Any], start: Checkpoint) -> Signal | None:
    """A loop of a few steps with known tests; None if it is another one, and can be begun again."""
    for done in range(MAX_STEPS):
        if done > UNROLLED and not start.spoiled:
            return None
        with session.comparing():
            known = truth(session, test())
        jump = NOTHING if isinstance(known, Node) or not known else (body() or NOTHING).leaving
        if isinstance(known, Node) or not (jump.silent or jump.certain):
            if start.spoiled:
                raise _refused(session, CannotRoll("its first steps change what can't be taken back"))
            return None
        if not known or jump.certain:
            return jump
    raise _endless()


def _rest_of_while(
    session: Session, test: Callable[[], Any], body: Callable[[], Any], reason: CannotRoll | None
) -> Signal:
    """Steps with known tests one after the other, then the others as a loop."""
    for done in range(MAX_STEPS):
        with Checkpoint(session, [test, body]) as here:
            known = truth(session, test())
            jump = (body() or NOTHING).leaving if known is True else NOTHING
            traced = isinstance(known, Node) or not (jump.silent or jump.certain)
            if traced:
                here.restore()
        if traced and (done or reason is None):
            try:
                return _roll_while(session, test, body)
            except CannotRoll as caught:
                reason = caught
        if traced:
            assert reason is not None
            raise _refused(session, reason) from reason.error
        if not known or jump.certain:
            return jump
    raise _endless()


def _endless() -> LimitError:
    return LimitError("G003", f"a loop has more than {MAX_STEPS:,} steps that are written out one by one")


def _roll_while(session: Session, test: Callable[[], Any], body: Callable[[], Any]) -> Signal:
    """A loop of the generated code with a test. CannotRoll if it can't be one."""
    way = Way(session.free_index(_NAMES), 0, session.free_steps(), False)
    roller = Roller(session, [test, body], way, None)

    def step() -> tuple[bool | Node, Signal]:
        with session.comparing():
            known = truth(session, test())
        return known, (body() or NOTHING).leaving

    with session.going(way):
        settled = roller.settle(step)
        known, jump = settled.result
        if not isinstance(known, Node) and jump.silent:
            cannot("nothing in it is traced")
        return _until(session, roller, settled, jump, known if isinstance(known, Node) else None)
