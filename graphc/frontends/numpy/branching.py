"""`if` and `a if c else b` of the user's: on a traced condition, branches of the generated code.

    if x.sum() > 0:             both arms run, one after the other, from the same state;
        y = np.log(x)           where they leave different values, a branch chooses:
    else:                       y = branch(x.sum() > 0: log(x), -x)
        y = -x

What only one arm gives a value has none afterwards. An arm that returns takes what follows as the
other side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import CellType
from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.errors import GraphcError, UnsupportedError
from graphc.expr import build
from graphc.expr.looping import close_branch
from graphc.frontends.numpy.buffers import Buffer, Journal
from graphc.frontends.numpy.forms import Form, form_of, is_whole, joined, node_of, opened
from graphc.frontends.numpy.refused import Unbound
from graphc.frontends.numpy.signals import NOTHING, Signal, cannot, returned
from graphc.frontends.numpy.sizes import TracedSize
from graphc.frontends.numpy.tracer import Kind, Tracer
from graphc.frontends.numpy.truth import truth
from graphc.frontends.numpy.variables import ABSENT, Place, Scope
from graphc.ir.control import result
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


class Pair(NamedTuple):
    """Two values of which one is chosen, in the form that both fit into."""

    then: Node
    other: Node
    form: Form


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
        self._pairs: dict[tuple[Node, Node], Pair] = {}

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

    # --- one from two ---

    def _merged(self, then: Arm, other: Arm) -> Signal:
        """Give the variables what the arms leave, and say how they end."""
        ends = then.jump.returned is True and other.jump.returned is True
        values: list[tuple[Place, Any, Any]] = []
        memory: list[tuple[Buffer, Node, Node]] = []
        for key in {**then.changed, **other.changed}:
            place, before, _ = then.changed.get(key) or other.changed[key]
            sides = [arm.changed[key][2] if key in arm.changed else before for arm in (then, other)]
            if isinstance(place.owner, list) and any(side is ABSENT for side in sides):
                raise self.session.placed(_two_lengths(place.name))
            if not (ends and before is ABSENT and isinstance(place.owner, CellType)):  # that nothing reads any more
                values.append((place, self._choice(place.name, *sides), sides))
        for id_, (buffer, _) in {**then.memory, **other.memory}.items():
            sides = [arm.memory[id_][1] if id_ in arm.memory else buffer.node for arm in (then, other)]
            memory.append((buffer, sides[0], sides[1]))
        flags = [self._choice("", a, b) for a, b in zip(then.jump.flags, other.jump.flags, strict=True)]
        answer = self._answer(then.jump, other.jump)
        pairs = list(self._pairs.values())
        pairs += [p for p in (Pair(a, b, Form(a.type, Kind.ARRAY)) for _, a, b in memory) if p.then is not p.other]
        chosen = self._results(list(dict.fromkeys(pairs)), then, other)
        for place, choice, sides in values:
            place.set(self._finished(choice, chosen, sides))
            self.session.named(place.name, place.get(), True)
        for buffer, a, b in memory:
            self.session.writing(buffer)
            buffer.hold(chosen.get((a, b), a))
            self.session.written(buffer)
        continued, broke, has_returned = (self._finished(f, chosen, ()) for f in flags)
        return Signal(
            continued, broke, has_returned, self._finished(answer, chosen, (then.jump.value, other.jump.value))
        )

    def _answer(self, then: Signal, other: Signal) -> Any:
        """What is returned, if it is."""
        if then.returned is False and other.returned is False:
            return ABSENT
        if then.value is ABSENT or other.value is ABSENT:
            return self._padded(other.value if then.value is ABSENT else then.value, then.value is ABSENT)
        return self._choice("what is returned", then.value, other.value)

    def _padded(self, answer: Any, first: bool) -> Any:
        """A value of one side, zeros on the other, which never uses them."""
        leaves, structure = opened(answer)
        found: list[Any] = []
        for leaf in leaves:
            form = form_of(leaf)
            if type(leaf) is not Tracer or form is None:
                found.append(leaf)
                continue
            zeros = build.zeros(leaf.node.shape, leaf.node.type.dtype)
            found.append(self._pair(*((zeros, leaf.node) if first else (leaf.node, zeros)), form))
        return structure, found

    def _choice(self, name: str, then: Any, other: Any) -> Any:
        """What is chosen of two values: (structure, leaves), a leaf that differs being a `Pair`."""
        if then is other:
            return opened(then)[1], opened(then)[0]
        for side, when in ((then, "false"), (other, "true")):
            if side is ABSENT or type(side) is Unbound:
                missing = "true" if when == "false" else "false"
                return Unbound(self.session, f"`{name}` has no value where a traced condition is {missing}")
        leaves, structure = opened(then)
        others, structure_of_other = opened(other)
        if structure != structure_of_other:
            return self._unlike(name, then, other)
        found = [self._leaf(name, a, b) for a, b in zip(leaves, others, strict=True)]
        return next((f for f in found if type(f) is Unbound), (structure, found))

    def _leaf(self, name: str, then: Any, other: Any) -> Any:
        if then is other or (is_whole(then) and is_whole(other) and _dim(then) == _dim(other)):
            return then
        first, second = form_of(then), form_of(other)
        if first is None or second is None:
            return then if _equal(then, other) else self._unlike(name, then, other)
        self.session.unify(first.type.shape, second.type.shape)
        form = joined(first, second)
        if form is None or form.type.shape not in (first.type.shape, second.type.shape):
            return self._unlike(name, then, other)
        if type(then) is type(other) and type(then) is not Tracer and _equal(then, other):
            return then
        form = form._replace(kind=Kind.SCALAR) if is_whole(then) and is_whole(other) else form
        a, b = (form.fitted(node_of(self.session, side)) for side in (then, other))
        return self._pair(a, b, form)

    def _unlike(self, name: str, then: Any, other: Any) -> Unbound:
        kinds = " and ".join(str(f.type) if (f := form_of(v)) else type(v).__name__ for v in (then, other))
        return Unbound(
            self.session,
            f"`{name}` is of two kinds, as a traced condition is true or false: {kinds}",
            "give it one shape and structure on both sides",
        )

    def _pair(self, then: Node, other: Node, form: Form) -> Pair:
        return self._pairs.setdefault((then, other), Pair(then, other, form))

    # --- as nodes ---

    def _results(self, pairs: Sequence[Pair], then: Arm, other: Arm) -> dict[tuple[Node, Node], Node]:
        """The chosen node for each pair that differs."""
        differ = list({(p.then, p.other): p for p in pairs if p.then is not p.other}.values())
        found = {(p.then, p.other): p.then for p in pairs if p.then is p.other}
        simple = [p for p in differ if not p.form.type.rank and {p.then, p.other} <= self._plain(differ)]
        for p in simple:
            found[p.then, p.other] = self._simple(p)
        rest = [p for p in differ if p not in simple]
        if not rest:
            return found
        sides = [p.then for p in rest], [p.other for p in rest]
        inner = set(topological(sides[0], self._known)) ^ set(topological(sides[1], self._known))
        names = _inside(inner, {**other.names, **then.names}, self.session.names)
        origin = _inside(inner, {**other.origin, **then.origin}, self.session.origin)
        node = close_branch(self.condition, *sides, names, origin, self._known)
        self.session.note(node)
        found.update(((p.then, p.other), result(node, k)) for k, p in enumerate(rest))
        return found

    def _plain(self, pairs: Sequence[Pair]) -> set[Node]:
        """What is there without a branch: values from before it, and numbers."""
        sides = [side for p in pairs for side in (p.then, p.other)]
        return {n for n in sides if n in self._known or not n.args}

    def _simple(self, pair: Pair) -> Node:
        """A choice between numbers that are there already."""
        if pair.form.type.dtype == "bool" and not pair.then.args and not pair.other.args:
            both = [bool(self.session.evaluated(n)) for n in (pair.then, pair.other) if n.op.name == "const"]
            if both == [True, False]:
                return self.condition
            if both == [False, True]:
                return build.apply("logical_not", self.condition)
        return build.where(self.condition, pair.then, pair.other)

    def _finished(self, choice: Any, chosen: dict[tuple[Node, Node], Node], sides: Sequence[Any]) -> Any:
        """A value with what is chosen in the place of pairs."""
        if choice is ABSENT or type(choice) is Unbound:
            return choice
        structure, leaves = choice
        found = []
        for leaf in leaves:
            if type(leaf) is Pair:
                leaf = leaf.form.stand_in(self.session, chosen[leaf.then, leaf.other])
                self._remember(leaf, sides)
            found.append(leaf)
        return structure.filled(self.session, found)

    def _remember(self, made: Tracer, sides: Sequence[Any]) -> None:
        """A chosen array may be one that other variables hold."""
        for leaf in chain.from_iterable(opened(side)[0] for side in sides):
            if type(leaf) is Tracer and leaf.kind is Kind.ARRAY and made.kind is Kind.ARRAY:
                made.buffer.may_share(leaf.buffer)


def _two_lengths(name: str) -> UnsupportedError:
    return UnsupportedError(
        "G043",
        f"a list is longer on one side of a branch than on the other, from `{name}` on",
        hint="append on both sides: out.append(x if condition else 0)",
    )


def _inside(inner: Collection[Node], told: Mapping[Node, Any], outside: dict[Node, Any]) -> dict[Node, Any]:
    """What is told of the nodes inside a branch; what is told of others goes to the table outside."""
    for node, label in told.items():
        if node not in inner:
            outside.setdefault(node, label)
    return {node: label for node, label in told.items() if node in inner}


def _dim(x: Any) -> Any:
    return x.dim if type(x) is TracedSize else x


def _equal(a: Any, b: Any) -> bool:
    try:
        return bool(type(a) is type(b) and a == b)
    except Exception:  # objects of the user's compare as they like
        return False
