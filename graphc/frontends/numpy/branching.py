"""`if` and `a if c else b` of the user's: on a traced condition, branches of the generated code.

    if x.sum() > 0:             both arms run, one after the other, from the same state;
        y = np.log(x)           where they leave different values, a branch chooses:
    else:                       y = branch(x.sum() > 0: log(x), -x)
        y = -x

What only one arm gives a value has none afterwards. An arm that returns takes what follows as the
other side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from types import CellType
from typing import TYPE_CHECKING, Any

from graphc.errors import GraphcError, UnsupportedError
from graphc.expr import build
from graphc.frontends.numpy.buffers import Buffer, Journal
from graphc.frontends.numpy.choices import Choices
from graphc.frontends.numpy.forms import Form, node_of, opened
from graphc.frontends.numpy.refused import Unbound
from graphc.frontends.numpy.signals import NOTHING, Signal, cannot, returned
from graphc.frontends.numpy.tracer import Kind, Tracer
from graphc.frontends.numpy.truth import truth
from graphc.frontends.numpy.variables import ABSENT, Place, Scope
from graphc.ir.leaf import INPUT
from graphc.ir.node import Node, topological

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

Closure = Callable[[], Any]


def branch(
    session: Session, test: Any, then: Closure, *, other: Closure | None = None, rest: Closure | None = None
) -> Any:
    """`if test: then`, `else: other`, and what follows it."""
    condition = truth(session, test)
    if isinstance(condition, Node):
        _check_data(session, condition)
        return Branching(session, condition, then, other or _nothing, rest).run()
    chosen = then if condition else other
    return followed(session, (chosen() if chosen is not None else None) or NOTHING, rest)


def choose(session: Session, test: Any, then: Closure, other: Closure) -> Any:
    """`then() if test else other()`."""
    condition = truth(session, test)
    if not isinstance(condition, Node):
        return then() if condition else other()
    sides = [lambda: returned(then()), lambda: returned(other())]
    # the closures of the user are those whose variables are looked at
    chosen = Branching(session, condition, sides[0], sides[1], None, (then, other)).run()
    return settled(session, chosen.value)


def _check_data(session: Session, condition: Node) -> None:
    """CannotRoll in a loop of known length if a condition depends on known arrays alone: then it can be decided."""
    if not any(way.known for way in session.indices.values()):
        return
    order = topological([condition])
    if not any(node.op is INPUT for node in order) and any(node.type.rank for node in order):
        cannot("a condition depends on the step, and on nothing that is not known")


def followed(session: Session, jump: Signal, rest: Closure | None) -> Any:
    """What comes of statements that have ended with `jump`, and of those that follow them."""
    if rest is None or jump.certain:
        return None if jump.silent else jump
    if jump.silent:
        return rest()
    stopped = stops(session, jump)
    return Branching(session, stopped, lambda: certainly(jump), rest, None, (rest,)).run()


def after_loop(session: Session, jump: Signal, other: Closure | None, rest: Closure | None) -> Any:
    """What follows a loop that has ended so; `other` is done if nothing has ended it."""
    ended = jump
    jump = Signal(returned=jump.returned, value=jump.value)
    if other is not None and ended.broke is not True and not jump.certain:
        if ended.silent:
            jump = other() or NOTHING
        else:
            jump = Branching(session, stops(session, ended), lambda: jump, other, None, (other,)).run() or NOTHING
    return followed(session, jump, rest)


def value(session: Session, jump: Signal | None) -> Any:
    """What a function returns whose statements have ended so."""
    if jump is None:
        return None
    if jump.returned is not True:
        raise session.placed(
            UnsupportedError(
                "G042",
                "the function returns nothing where a traced condition is false",
                hint="return a value in each case",
            )
        )
    return settled(session, jump.value)


def settled(session: Session, chosen: Any) -> Any:
    """A value that was chosen; an error if the two sides had nothing in common."""
    if type(chosen) is Unbound:
        chosen.refuse()
    return chosen


def _nothing() -> None:
    return None


def certainly(jump: Signal) -> Signal:
    """A jump where it is known to happen."""
    kinds = [flag is not False for flag in jump.flags]
    return jump._replace(continued=kinds[0], broke=kinds[1], returned=kinds[2]) if sum(kinds) == 1 else jump


def stops(session: Session, jump: Signal) -> Node:
    """Whether any jump happens."""
    flags = [node_of(session, flag) for flag in jump.flags if flag is not False]
    stopped = flags[0]
    for flag in flags[1:]:
        stopped = build.apply("logical_or", stopped, flag)
    return stopped


@dataclass(frozen=True, eq=False)
class Arm:
    """What one side has done.

    jump: how it ended.  changed: places and what is in them.  memory: buffers and what they hold.
    """

    jump: Signal
    changed: dict[tuple[int, Any], tuple[Place, Any, Any]]
    memory: dict[int, tuple[Buffer, Node]]
    names: dict[Node, str]
    origin: dict[Node, Any]


class Branching:
    """One branch. seen: the closures of the user's, whose variables the arms may change."""

    def __init__(
        self,
        session: Session,
        condition: Node,
        then: Closure,
        other: Closure,
        rest: Closure | None,
        seen: Sequence[Callable[..., Any]] = (),
    ) -> None:
        self.session = session
        self.condition = condition
        self._then, self._other, self._rest = then, other, rest
        self._scope = Scope([c for c in (*seen, then, other, rest) if c is not None])  # type: ignore[misc]
        self._known = self._outside()

    def _outside(self) -> set[Node]:
        """The nodes of the variables as they are before the branch."""
        leaves = chain.from_iterable(opened(v)[0] for _, v in self._scope.before.values())
        nodes = [leaf.node for leaf in leaves if type(leaf) is Tracer and not leaf.buffer.stale]
        return set(topological([self.condition, *nodes]))

    def run(self) -> Any:
        """Run both arms, and what follows; how it ended."""
        then, other, rest = self._arm([self._then]), self._arm([self._other]), self._rest
        if rest is not None and then.jump.certain != other.jump.certain:
            if then.jump.certain and other.jump.silent:
                other, rest = self._arm([self._other, rest]), None
            elif other.jump.certain and then.jump.silent:
                then, rest = self._arm([self._then, rest]), None
        jump = self._merged(then, other)
        return followed(self.session, jump, rest)

    def _arm(self, closures: Sequence[Closure]) -> Arm:
        """One side, from the state before the branch, which is there again afterwards."""
        session, journal = self.session, Journal()
        names = session.naming()
        session.journals.append(journal)
        session.arms += 1
        try:
            jump = NOTHING
            for closure in closures:
                jump = closure() or NOTHING
            changed = {place.id: (place, before, after) for place, before, after in self._scope.changed()}
            memory = {id(b): (b, b.node) for b in journal.written if b.age < journal.age}
            return Arm(jump, changed, memory, dict(session.names), dict(session.origin))
        except GraphcError:
            raise
        except Exception as error:
            raise self._raises(error) from error
        finally:
            session.arms -= 1
            session.journals.pop()
            journal.restore()
            self._scope.restore()
            session.rename(names)

    def _raises(self, error: Exception) -> GraphcError:
        return self.session.placed(
            UnsupportedError(
                "G043",
                f"one side of a branch raises {type(error).__name__}: {error}",
                hint="a static graph raises nothing that depends on values: check them before the call",
            )
        )

    def _merged(self, then: Arm, other: Arm) -> Signal:
        """Give the variables what the arms leave, and say how they end."""
        session = self.session
        choices = Choices(session, self.condition, self._known)
        values = [(place, choices.of(place.name, *sides), sides) for place, sides in self._values(then, other)]
        memory = list(_memory(then, other))
        flags = [choices.of("", a, b) for a, b in zip(then.jump.flags, other.jump.flags, strict=True)]
        answer = _answer(choices, then.jump, other.jump)
        for _, a, b in memory:
            choices.pair(a, b, Form(a.type, Kind.ARRAY))
        choices.decide({**other.names, **then.names}, {**other.origin, **then.origin})
        for place, choice, sides in values:
            place.set(choices.finished(choice, sides))
            session.named(place.name, place.get(), True)
        for buffer, a, b in memory:
            session.writing(buffer)
            buffer.hold(choices.chosen(a, b))
            session.written(buffer)
        continued, broke, has_returned = map(choices.finished, flags)
        return Signal(continued, broke, has_returned, choices.finished(answer, (then.jump.value, other.jump.value)))

    def _values(self, then: Arm, other: Arm) -> Iterator[tuple[Place, list[Any]]]:
        """The places that an arm has changed, and what each arm leaves there."""
        ends = then.jump.returned is True and other.jump.returned is True
        for key in {**then.changed, **other.changed}:
            place, before, _ = then.changed.get(key) or other.changed[key]
            sides = [arm.changed[key][2] if key in arm.changed else before for arm in (then, other)]
            if isinstance(place.owner, list) and any(side is ABSENT for side in sides):
                raise self.session.placed(_two_lengths(place.name))
            if not (ends and before is ABSENT and isinstance(place.owner, CellType)):  # that nothing reads any more
                yield place, sides


def _memory(then: Arm, other: Arm) -> Iterator[tuple[Buffer, Node, Node]]:
    """The buffers that an arm has written to, and what each arm leaves in them."""
    for id_, (buffer, _) in {**then.memory, **other.memory}.items():
        first, second = (arm.memory[id_][1] if id_ in arm.memory else buffer.node for arm in (then, other))
        yield buffer, first, second


def _answer(choices: Choices, then: Signal, other: Signal) -> Any:
    """What is returned, if it is."""
    if then.returned is False and other.returned is False:
        return ABSENT
    if then.value is ABSENT or other.value is ABSENT:
        return choices.padded(other.value if then.value is ABSENT else then.value, then.value is ABSENT)
    return choices.of("what is returned", then.value, other.value)


def _two_lengths(name: str) -> UnsupportedError:
    return UnsupportedError(
        "G043",
        f"a list is longer on one side of a branch than on the other, from `{name}` on",
        hint="append on both sides: out.append(x if condition else 0)",
    )
