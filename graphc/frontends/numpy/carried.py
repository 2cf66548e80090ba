"""What a loop changes from step to step, and what stands for it while a step is traced.

    i, s = 0, 0.0
    for x in xs:          i: a size that grows by 1, so that at position p it is p
        s = s + x * i     s: carried, from 0.0 on
        i += 1

A `Leaf` learns by trial what it is: the same in every step, a size that grows, or a value that is carried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.expr import build
from graphc.frontends.numpy.buffers import Buffer
from graphc.frontends.numpy.forms import Form, equal, form_of, is_whole, joined, node_of, opened
from graphc.frontends.numpy.refused import Unbound
from graphc.frontends.numpy.signals import cannot
from graphc.frontends.numpy.sizes import TracedSize, dim_of
from graphc.frontends.numpy.tracer import Kind, Tracer
from graphc.frontends.numpy.variables import ABSENT, Place
from graphc.ir.dims import Dim, Size
from graphc.ir.leaf import INPUT, size_node
from graphc.ir.node import Node
from graphc.ir.types import TensorType

if TYPE_CHECKING:
    from graphc.frontends.numpy.rolling import Roller


class Carried(NamedTuple):
    """A carried value: before the loop, before a step, after it; and whose it is."""

    first: Node
    before: Node
    after: Node
    of: Any


class Leaf:
    """One leaf of a variable.

    first: what it is before the loop.  growth: what a step adds to it, of a size.  form: of what is carried.
    """

    def __init__(self, first: Any, name: str) -> None:
        self.first = first
        self.name = name
        self.growth: Dim | None = None
        self.form: Form | None = None
        self.placeholder: Node | None = None
        self._probe: Size | None = None
        self._given: Any = None
        self.after: Any = None

    @property
    def carried(self) -> bool:
        return self.form is not None

    @property
    def changes(self) -> bool:
        """Whether a step makes another value of it, as far as is known."""
        return self.carried or self.growth is not None or self._probe is not None

    def stand_in(self, roller: Roller) -> Any:
        """What the leaf is while a step is traced."""
        self.placeholder = None
        self._given = self.first
        if self._probe is not None:
            self._given = TracedSize(roller.session, self._probe)
        elif self.growth is not None:
            self._given = roller.session.size(dim_of(self.first) + self.growth * roller.position)
        elif self.form is not None:
            self.placeholder = roller.placeholder(self.form.type, self.name)
            self._given = self.form.stand_in(roller.session, self.placeholder)
        return self._given

    def learn(self, roller: Roller, after: Any) -> bool:
        """See what a step made of it; whether that was news."""
        self.after = after
        if self._probe is not None or self.growth is not None:
            return self._learn_growth(roller, after)
        if self.form is not None:
            return self._learn_form(roller, after)
        if after is self.first or after is self._given:
            return False
        if is_whole(self.first) and is_whole(after):
            if dim_of(self.first) == dim_of(after):
                return False
            self._probe = roller.probe(self.name)
            return True
        first, then = form_of(self.first), form_of(after)
        if first is None or then is None:
            if type(first) is type(then) and equal(self.first, after):
                return False
            cannot(f"`{self.name}` is {_kind(self.first)} before the loop and {_kind(after)} after a step")
        self.form = first
        self._learn_form(roller, after)
        return True

    def _learn_growth(self, roller: Roller, after: Any) -> bool:
        probe, growth = self._probe, self.growth
        self._probe = None
        if is_whole(after):
            step = dim_of(after) - dim_of(self._given)
            if growth is not None and step == growth:
                return False
            own = {*roller.live, *(probe.names() if probe is not None else ())}
            if probe is not None and not (isinstance(step, Size) and own.intersection(step.names())):
                self.growth = step
                return True
        self.growth = None
        self.form = form_of(self.first)
        self._learn_form(roller, after)
        return True

    def _learn_form(self, roller: Roller, after: Any) -> bool:
        then = form_of(after)
        if then is None:
            cannot(f"`{self.name}` is {_kind(self.first)} before the loop and {_kind(after)} after a step")
        assert self.form is not None
        roller.session.unify(self.form.type.shape, then.type.shape)
        both = joined(self.form, then)
        shrinks = both is not None and then.type.rank < both.type.rank
        if both is None or (shrinks and self._given is not self.first):
            old, new = self.form.type, then.type
            cannot(f"`{self.name}` is {old} before a step and {new} after it", "give it one shape before the loop")
        if both.kind is Kind.WEAK and both.type.dtype == "int64":
            both = both._replace(kind=Kind.SCALAR)
        news = both != self.form
        self.form = both
        return news

    @property
    def written(self) -> Buffer | None:
        """The memory of the stand-in."""
        return self._given.buffer if self.carried and type(self._given) is Tracer else None


class Variable:
    """A variable that a loop changes: its place, and its leaves."""

    def __init__(self, place: Place, first: Any) -> None:
        self.place = place
        self.first = first
        leaves, self.structure = opened(first)
        several = len(leaves) > 1
        self.leaves = [Leaf(leaf, f"{place.name}_{i}" if several else place.name) for i, leaf in enumerate(leaves)]

    def install(self, roller: Roller) -> None:
        """Put the stand-ins where the variable is."""
        self.place.set(self.structure.filled(roller.session, [leaf.stand_in(roller) for leaf in self.leaves]))

    def learn(self, roller: Roller, after: Any) -> bool:
        """See what a step made of it; whether that was news."""
        leaves, structure = opened(after)
        if structure != self.structure:
            structure_of = _kind(self.first), _kind(after)
            cannot(f"`{self.place.name}` is {structure_of[0]} before the loop and {structure_of[1]} after a step")
        news = [leaf.learn(roller, value) for leaf, value in zip(self.leaves, leaves, strict=True)]
        return any(news)

    def update(self, roller: Roller) -> list[tuple[Leaf, Node]]:
        """The carried leaves, with what a step makes of each."""
        found = []
        for leaf in self.leaves:
            if leaf.form is not None:
                found.append((leaf, leaf.form.fitted(node_of(roller.session, leaf.after))))
            elif leaf.growth is not None and roller.ends:
                after = dim_of(leaf.first) + leaf.growth * (roller.position + 1)
                leaf.placeholder = roller.placeholder(TensorType("int64", ()), leaf.name)
                found.append((leaf, size_node(after)))
        return found

    def finish(self, roller: Roller, last: dict[Leaf, Node], position: Dim) -> Any:
        """What the variable is after the loop. last: of carried leaves.  position: behind that of the last step."""
        leaves = []
        for leaf in self.leaves:
            if leaf.form is not None:
                leaves.append(roller.in_memory(leaf.after, leaf.form.stand_in(roller.session, last[leaf])))
            elif leaf in last:
                leaves.append(roller.session.array(last[leaf]))
            elif leaf.growth is not None:
                leaves.append(roller.session.size(dim_of(leaf.first) + leaf.growth * position))
            else:
                leaves.append(leaf.first)
        return self.structure.filled(roller.session, leaves)


class Local:
    """A variable that a step is the first to give a value; after the loop it has that of the last step."""

    def __init__(self, place: Place, value: Any) -> None:
        self.place = place
        self._leaves, self._structure = opened(value)

    def carried(self, roller: Roller) -> list[Carried]:
        """The leaves whose last value the loop hands on; passes leave out those that nobody reads."""
        found = []
        for i, leaf in enumerate(self._leaves):
            node = _handed_on(roller, leaf)
            if node is not None:
                before = roller.placeholder(node.type, self.place.name)
                found.append(Carried(build.zeros(node.shape, node.type.dtype), before, node, (self, i)))
        return found

    def finish(self, roller: Roller, finals: dict[Any, Node], last: Dim) -> Any:
        """What the variable is after the loop. last: the position of the last step."""
        leaves = [self._after(roller, leaf, finals.get((self, i)), last) for i, leaf in enumerate(self._leaves)]
        return self._structure.filled(roller.session, leaves)

    def _after(self, roller: Roller, leaf: Any, final: Node | None, last: Dim) -> Any:
        session = roller.session
        if type(leaf) is TracedSize:
            return session.size(roller.at_last(leaf.dim, last)) if final is None else session.array(final)
        if type(leaf) is not Tracer:
            return leaf
        if roller.stays(leaf):
            return Tracer(session, leaf.buffer, roller.at_last(leaf.path, last), leaf.kind)
        if final is None and leaf.array is None and roller.depends(leaf.node.shape):
            return Unbound(session, f"the shape of `{self.place.name}` is another one in each step")
        form = form_of(leaf)
        if final is None or form is None:
            return leaf
        made = roller.in_memory(leaf, form.stand_in(session, final))
        if roller.is_older(leaf.buffer):
            session.shared(made, leaf)
        roller.called(self.place.name, made)
        return made


def _handed_on(roller: Roller, leaf: Any) -> Node | None:
    """A leaf of a step as a node, if what it is in the last step is not known outside of the loop."""
    if type(leaf) is TracedSize:
        return size_node(leaf.dim) if roller.ends and roller.depends((leaf.dim,)) else None
    if type(leaf) is not Tracer or roller.depends(leaf.node.shape):
        return None
    own = leaf.node.op is not INPUT or any(leaf.node is p for p, _ in roller.placeholders)
    return leaf.node if own else None


class Memory:
    """A piece of memory from before the loop that its steps write to."""

    def __init__(self, buffer: Buffer) -> None:
        self.buffer = buffer
        self.first: Node | None = None
        self.placeholder: Node | None = None

    def install(self, roller: Roller) -> None:
        self.first = self.buffer.node
        self.placeholder = roller.placeholder(self.first.type, self.buffer.name)
        roller.session.writing(self.buffer)
        self.buffer.hold(self.placeholder)


def is_unset(value: Any) -> bool:
    """Whether a variable has no value."""
    return value is ABSENT or type(value) is Unbound


def _kind(value: Any) -> str:
    """A few words for an error message."""
    form = form_of(value)
    if form is not None:
        return f"the number {value}" if type(value) in (int, float, bool) else str(form.type)
    if value is None:
        return "None"
    return f"a {type(value).__name__} of {len(value)}" if type(value) in (list, tuple) else f"a {type(value).__name__}"
