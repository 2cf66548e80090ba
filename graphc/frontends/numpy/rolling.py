"""Loops of the user's that become loops of the generated code.

    for t in range(n):                the body runs on a t that is a size, once to see what it changes,
        h = np.tanh(x[t] @ W + h)     then with placeholders for that, until their types stand:
                                      loop(h; index=t, count=n): tanh(x[t] @ W + _h)

After each trial all is again as it was before the loop, so that a loop that can't be rolled can still
be run step by step.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.errors import GraphcError
from graphc.expr.looping import placeholder
from graphc.frontends.numpy.buffers import Buffer, Journal, Path
from graphc.frontends.numpy.carried import Carried, Leaf, Local, Memory, Variable, is_unset
from graphc.frontends.numpy.filled import Filled, as_arrays
from graphc.frontends.numpy.forms import node_of
from graphc.frontends.numpy.several import NeedsRows, Several, appended
from graphc.frontends.numpy.signals import cannot, of_error
from graphc.frontends.numpy.tracer import Kind, Tracer
from graphc.frontends.numpy.trials import Way
from graphc.frontends.numpy.variables import ABSENT, Scope
from graphc.ir.control import final, stack
from graphc.ir.dims import Dim, Size, substitute
from graphc.ir.index import Range
from graphc.ir.node import Node
from graphc.ir.types import TensorType

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

MAX_TRIALS = 12


class Roller:
    """One loop: what is known of it after the trials so far.

    live: the names of sizes that differ from step to step.  position: of the step, from 0.
    most: how many steps there can be, None if nothing says.  ends: whether a step or a test can end the loop.
    """

    def __init__(self, session: Session, closures: Sequence[Any], way: Way, most: Dim | None) -> None:
        self.session = session
        self.way = way
        self.index = way.index
        self.position = way.position
        self.count = way.count
        self.most = most
        self.ends = way.count != most
        self.scope = Scope(closures)
        self.live = {way.index}
        self._variables: dict[tuple[int, Any], Variable] = {}
        self._memories: dict[int, Memory] = {}
        self._lists: dict[int, Filled] = {}
        self._stale: dict[int, Buffer] = {}
        self._locals: list[Local] = []
        self._placeholders: list[tuple[Node, str]] = []

    # --- for what is carried ---

    def placeholder(self, type: TensorType, name: str) -> Node:
        """What stands for the next carried value."""
        node = placeholder(self.index, len(self._placeholders), type)
        self._placeholders.append((node, name))
        return node

    @property
    def placeholders(self) -> list[tuple[Node, str]]:
        """What is carried, and the names of the variables."""
        return self._placeholders

    def name_of(self, node: Node) -> str:
        """The variable that a placeholder stands for."""
        name = next((name for p, name in self._placeholders if p is node), "")
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
        return plain if plain.isidentifier() and not keyword.iskeyword(plain) else ""

    def probe(self, name: str) -> Size:
        """A size to see how a step changes an integer."""
        return Size.named(f"_{self.index}_{name}")

    # --- trials ---

    def settle(self, step: Callable[[], Any]) -> Any:
        """Run steps until what is carried stands; `use` what the last one made, before it is taken back."""
        for _ in range(MAX_TRIALS):
            with self.trial():
                try:
                    result = step()
                except NeedsRows as need:
                    self._want(need.part)
                    continue
                if not self._learn():
                    return self._finish(result)
        cannot("what it carries has another type after every step")

    @contextmanager
    def trial(self) -> Iterator[None]:
        """A step on stand-ins; afterwards all is as it was."""
        session = self.session
        self._placeholders.clear()
        self._journal = Journal()
        names = session.naming()
        session.journals.append(self._journal)
        self._install()
        try:
            yield
        except GraphcError as error:
            raise of_error(error) from error
        except Exception as error:  # the user's own; without a loop it may come in a later step, or never
            raise of_error(error) from error
        finally:
            session.journals.pop()
            self._journal.restore()
            self.scope.restore()
            session.rename(names)

    def _install(self) -> None:
        for variable in self._variables.values():
            variable.install(self)
        for memory in self._memories.values():
            memory.install(self)
        for filled in self._lists.values():
            filled.begin(self)
        self._begun = self.scope.now()

    def _want(self, part: Several) -> None:
        """From now on a list has arrays whose rows a step can read."""
        filled = next((f for f in self._lists.values() if any(v is part for v in f.owner)), None)
        if filled is None or filled.wanted or filled.each != 1 or self.most is None:
            cannot("a step reads a list that steps before it have filled", "carry what it reads in a variable")
        filled.want(self.session, self.most)

    # --- what a trial shows ---

    def _learn(self) -> bool:
        """Look at what a step has changed; whether something is carried that was not known to be."""
        self._locals = []
        news = False
        grown: dict[int, list[Any]] = {}
        changed = {place.id: (place, before, after) for place, before, after in self.scope.changed()}
        for key, variable in self._variables.items():
            if key not in changed:
                changed[key] = variable.place, variable.first, variable.place.get()
        for key, (place, before, after) in changed.items():
            if isinstance(place.owner, list) and type(place.owner) is not list and before is ABSENT:
                cannot(f"a step changes a {type(place.owner).__name__}")
            if type(place.owner) is list and (before is ABSENT or id(place.owner) in self._lists):
                grown.setdefault(id(place.owner), place.owner)
            elif key in self._variables:
                news |= self._variables[key].learn(self, after)
            elif is_unset(before):
                self._locals.append(Local(place, after))
            elif after is ABSENT:
                cannot(f"`{place.name}` is deleted in a step")
            else:
                self._variables[key] = Variable(place, before)
                self._variables[key].learn(self, after)
                news |= any(self._changes(leaf) for leaf in self._variables[key].leaves)
        for owner in grown.values():
            news |= self._learn_list(owner)
        for filled in self._lists.values():
            if id(filled.owner) not in grown:
                cannot(f"only some steps append to `{filled.name}`")
        return self._learn_memory() or news

    def _changes(self, leaf: Leaf) -> bool:
        return leaf.carried or leaf.growth is not None or leaf._probe is not None

    def _learn_list(self, owner: list[Any]) -> bool:
        """What a step has appended to a list; whether that was news."""
        if id(owner) in self._lists:
            return self._lists[id(owner)].learn(self.session)
        name = next((p.name for p in self.scope.holding(owner)), "a list")
        head = self._begun_list(owner)
        if any(a is not b for a, b in zip(head, owner, strict=False)) or len(owner) <= len(head):
            cannot(f"a step changes the list `{name}` in another way than to append to it")
        new = as_arrays(self.session, owner[len(head) :])
        self._lists[id(owner)] = Filled(owner, name, head, *appended(new), len(new))
        return True

    def _begun_list(self, owner: list[Any]) -> list[Any]:
        return [v for p, v in self._begun.values() if p.owner is owner]

    def _learn_memory(self) -> bool:
        """Which memory from before the loop a step has written to."""
        news = False
        stand_ins = {id(leaf.written): leaf for v in self._variables.values() for leaf in v.leaves if leaf.written}
        for buffer in self._journal.written:
            if id(buffer) in stand_ins:
                news |= self._learn_mutated(stand_ins[id(buffer)], buffer)
            elif self.is_older(buffer) and id(buffer) not in self._memories and id(buffer) not in self._stale:
                self._memories[id(buffer)] = Memory(buffer)
                news = True
        return news

    def _learn_mutated(self, leaf: Leaf, buffer: Buffer) -> bool:
        """A variable whose array a step writes to: the array is what is carried, unless it is also replaced."""
        if type(leaf.first) is not Tracer:
            return False
        own = leaf.first.buffer
        if type(leaf.after) is Tracer and leaf.after.buffer is buffer:
            leaf.form = None
            self._memories.setdefault(id(own), Memory(own))
            return True
        self._memories.pop(id(own), None)
        self._stale[id(own)] = own
        return False

    def _check_sharing(self) -> None:
        """CannotRoll if two carried variables are views of one array that steps write to."""
        self._check_lists()
        held = [leaf.after.buffer for v in self._variables.values() for leaf in v.leaves
                if leaf.carried and type(leaf.after) is Tracer]  # fmt: skip
        if any(id(b) in self._memories for b in held):
            cannot("a variable holds an array that a step writes to", "take a copy: b = a.copy()")
        buffers = [leaf.after.buffer for v in self._variables.values() for leaf in v.leaves
                   if leaf.carried and type(leaf.after) is Tracer and leaf.form and leaf.form.type.rank]  # fmt: skip
        shared = {id(b) for i, b in enumerate(buffers) if any(b is other for other in buffers[:i])}
        if shared and any(id(b) in shared or self._is_stand_in(b) for b in self._journal.written):
            cannot("two variables hold one array, which a step writes to", "take a copy: b = a.copy()")

    def _check_lists(self) -> None:
        """CannotRoll if a step writes to an array that an earlier one has put into a list."""
        leaves = [leaf for v in self._variables.values() for leaf in v.leaves if leaf.written in self._journal.written]
        mutated = [leaf.after.buffer for leaf in leaves if type(leaf.after) is Tracer]
        for filled in self._lists.values():
            for buffer in filled.sources:
                if id(buffer) in self._memories or any(buffer is m for m in mutated):
                    cannot(f"`{filled.name}` holds an array that a later step writes to", "append a copy: x.copy()")

    def _is_stand_in(self, buffer: Buffer) -> bool:
        return any(leaf.written is buffer for v in self._variables.values() for leaf in v.leaves)

    # --- the loop ---

    def _finish(self, result: Any) -> Settled:
        """What the last trial has found, as nodes."""
        self._check_sharing()
        carried: list[Carried] = []
        for variable in self._variables.values():
            for leaf, update in variable.update(self):
                assert leaf.placeholder is not None
                first = node_of(self.session, leaf.first)
                first = first if leaf.form is None else leaf.form.fitted(first)
                carried.append(Carried(first, leaf.placeholder, update, leaf))
        for memory in self._memories.values():
            assert memory.first is not None and memory.placeholder is not None
            carried.append(Carried(memory.first, memory.placeholder, memory.buffer.node, memory))
        stacked: list[Node] = []
        for filled in self._lists.values():
            stacked += [] if filled.wanted else [node for column in filled.values for node in column]
            carried += filled.carried(self.position) if filled.wanted else []
        for local in self._locals:
            carried += local.carried(self)
        naming = dict(self.session.names), dict(self.session.origin)
        return Settled(result, carried, stacked, *naming)

    def depends(self, dims: Sequence[Dim]) -> bool:
        """Whether a size is another one in each step."""
        return any(self.live.intersection(d.names()) for d in dims if isinstance(d, Size))

    def apply(self, settled: Settled, node: Node, last: Dim) -> None:
        """Give the variables what they are after the loop. last: the position of the last step."""
        finals = {c.of: final(node, k) for k, c in enumerate(settled.carried)}
        self._left: dict[int, list[tuple[Path, Buffer]]] = {}
        stacks = iter(range(len(settled.stacked)))
        for variable in self._variables.values():
            value = variable.finish(self, finals, last + 1)
            variable.place.set(value)
            self.called(variable.place.name, value)
        for memory in self._memories.values():
            self.session.writing(memory.buffer)
            memory.buffer.hold(finals[memory])
            self.session.written(memory.buffer)
        for local in self._locals:
            local.place.set(local.finish(self, finals, last))
        for filled in self._lists.values():
            filled.finish(
                self,
                [finals[filled, i] for i in range(len(filled.first))]
                if filled.wanted
                else [stack(node, next(stacks)) for column in filled.values for _ in column],
            )
        for buffer in self._stale.values():
            self.session.writing(buffer)
            buffer.stale = "an array is changed in place by the first step of a loop and replaced then"

    def stays(self, array: Tracer) -> bool:
        """Whether an array of the last step is there after the loop: a view, known by then, of older memory."""
        return self.is_older(array.buffer) and not (self.ends and self.live.intersection(_names(array.path)))

    def is_older(self, buffer: Buffer) -> bool:
        """Whether memory is there without the loop."""
        return buffer.age < self._journal.age

    def at_last(self, value: Any, last: Dim) -> Any:
        """A size or a path as it is in the last step."""
        return _replaced(value, {self.index: self.way.at(last)})

    def in_memory(self, left: Any, made: Tracer) -> Tracer:
        """`made`, which has the value of what a step leaves in a variable: the memory that another variable has of it.

        h = new = f(h)      after the loop, what is written to `h` is in `new`
        """
        if type(left) is not Tracer or made.kind is not Kind.ARRAY:
            return made
        others = self._left.setdefault(id(left.buffer), [])
        for path, buffer in others:
            more = left.path[len(path) :]
            if left.path[: len(path)] == path and not self.live.intersection(_names(more)):
                view = Tracer(self.session, buffer, more, Kind.ARRAY)
                if view.node.type == made.node.type:
                    return view
        for _, buffer in others:
            made.buffer.may_share(buffer)
        others.append((left.path, made.buffer))
        return made

    def memory_after(self, buffer: Buffer) -> list[Buffer]:
        """The memory that variables have after the loop, for that which a step leaves in them."""
        return [after for _, after in self._left.get(id(buffer), [((), buffer)])]

    def called(self, name: str, value: Any) -> None:
        """Give what a variable holds after the loop its name."""
        self.session.named(name, value, True)


class Settled(NamedTuple):
    """A step of a loop as nodes.

    result: of the closure.  names, origin: what the user calls nodes, and where they are made.
    """

    result: Any
    carried: list[Carried]
    stacked: list[Node]
    names: dict[Node, str]
    origin: dict[Node, Any]


def _names(value: Any) -> Iterator[str]:
    """The names of sizes in a path."""
    if isinstance(value, Size):
        yield from value.names()
    elif isinstance(value, Range):
        yield from _names((value.start, value.stop))
    elif isinstance(value, tuple):
        yield from chain.from_iterable(map(_names, value))


def _replaced(value: Any, replaced: Mapping[str, Dim]) -> Any:
    """A size or a path with names of sizes replaced."""
    if isinstance(value, Size):
        return substitute(value, replaced)
    if isinstance(value, Range):
        start, stop, count = (_replaced(v, replaced) for v in (value.start, value.stop, value.count))
        return replace(value, start=start, stop=stop, count=count)
    if not isinstance(value, tuple):
        return value
    items = [_replaced(item, replaced) for item in value]
    return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
