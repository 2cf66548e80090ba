"""What the steps of a loop change, as trials of a step show it.

for x in xs:                first trial      second trial
    s = s + x * y           s: a variable    s: carried, f64[]
    a[i] = s                a: memory        a: carried, f64[n]
    out.append(s)           out: a list      out: one element a step
    last = x                last: a local

What a trial shows is there in the next one as stand-ins; when one shows nothing new, all is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphc.frontends.numpy.buffers import Buffer
from graphc.frontends.numpy.carried import Leaf, Local, Memory, Variable, is_unset
from graphc.frontends.numpy.filled import Filled, as_arrays
from graphc.frontends.numpy.several import Several, appended
from graphc.frontends.numpy.signals import cannot
from graphc.frontends.numpy.tracer import Tracer
from graphc.frontends.numpy.variables import ABSENT, Scope

if TYPE_CHECKING:
    from graphc.frontends.numpy.rolling import Roller


class Changes:
    """What one loop changes.

    variables, memories, lists: what is carried or filled, by their ids.  locals: what a step is the first to set.
    stale: memory whose value after the loop is not known.  scope: where variables are looked for.
    """

    def __init__(self, roller: Roller, closures: Sequence[Any]) -> None:
        self._roller = roller
        self._session = roller.session
        self.scope = Scope(closures)
        self.variables: dict[tuple[int, Any], Variable] = {}
        self.memories: dict[int, Memory] = {}
        self.lists: dict[int, Filled] = {}
        self.stale: dict[int, Buffer] = {}
        self.locals: list[Local] = []

    def install(self) -> None:
        """Put stand-ins where a step finds what it changes."""
        for variable in self.variables.values():
            variable.install(self._roller)
        for memory in self.memories.values():
            memory.install(self._roller)
        for filled in self.lists.values():
            filled.begin(self._roller)
        self._begun = self.scope.now()

    def want(self, part: Several) -> None:
        """From now on a list has arrays whose rows a step can read."""
        filled = next((f for f in self.lists.values() if any(v is part for v in f.owner)), None)
        if filled is None or filled.wanted or filled.each != 1 or self._roller.most is None:
            cannot("a step reads a list that steps before it have filled", "carry what it reads in a variable")
        filled.want(self._session, self._roller.most)

    # --- what a trial shows ---

    def learn(self, written: Sequence[Buffer]) -> bool:
        """Look at what a step has changed; whether something is carried that was not known to be."""
        self.locals = []
        news = False
        grown: dict[int, list[Any]] = {}
        changed = {place.id: (place, before, after) for place, before, after in self.scope.changed()}
        for key, variable in self.variables.items():
            if key not in changed:
                changed[key] = variable.place, variable.first, variable.place.get()
        for key, (place, before, after) in changed.items():
            if isinstance(place.owner, list) and type(place.owner) is not list and before is ABSENT:
                cannot(f"a step changes a {type(place.owner).__name__}")
            if type(place.owner) is list and (before is ABSENT or id(place.owner) in self.lists):
                grown.setdefault(id(place.owner), place.owner)
            elif key in self.variables:
                news |= self.variables[key].learn(self._roller, after)
            elif is_unset(before):
                self.locals.append(Local(place, after))
            elif after is ABSENT:
                cannot(f"`{place.name}` is deleted in a step")
            else:
                self.variables[key] = Variable(place, before)
                self.variables[key].learn(self._roller, after)
                news |= any(leaf.changes for leaf in self.variables[key].leaves)
        for owner in grown.values():
            news |= self._learn_list(owner)
        for filled in self.lists.values():
            if id(filled.owner) not in grown:
                cannot(f"only some steps append to `{filled.name}`")
        return self._learn_memory(written) or news

    def _learn_list(self, owner: list[Any]) -> bool:
        """What a step has appended to a list; whether that was news."""
        if id(owner) in self.lists:
            return self.lists[id(owner)].learn(self._session)
        name = next((p.name for p in self.scope.holding(owner)), "a list")
        head = [value for place, value in self._begun.values() if place.owner is owner]
        if any(a is not b for a, b in zip(head, owner, strict=False)) or len(owner) <= len(head):
            cannot(f"a step changes the list `{name}` in another way than to append to it")
        new = as_arrays(self._session, owner[len(head) :])
        self.lists[id(owner)] = Filled(owner, name, head, *appended(new), len(new))
        return True

    def _learn_memory(self, written: Sequence[Buffer]) -> bool:
        """Which memory from before the loop a step has written to."""
        news = False
        stand_ins = {id(leaf.written): leaf for v in self.variables.values() for leaf in v.leaves if leaf.written}
        for buffer in written:
            if id(buffer) in stand_ins:
                news |= self._learn_mutated(stand_ins[id(buffer)], buffer)
            elif self._roller.is_older(buffer) and id(buffer) not in self.memories and id(buffer) not in self.stale:
                self.memories[id(buffer)] = Memory(buffer)
                news = True
        return news

    def _learn_mutated(self, leaf: Leaf, buffer: Buffer) -> bool:
        """A variable whose array a step writes to: the array is what is carried, unless it is also replaced."""
        if type(leaf.first) is not Tracer:
            return False
        own = leaf.first.buffer
        if type(leaf.after) is Tracer and leaf.after.buffer is buffer:
            leaf.form = None
            self.memories.setdefault(id(own), Memory(own))
            return True
        self.memories.pop(id(own), None)
        self.stale[id(own)] = own
        return False

    def check_sharing(self, written: Sequence[Buffer]) -> None:
        """CannotRoll if two carried variables are views of one array that steps write to."""
        self._check_lists(written)
        held = [leaf.after.buffer for v in self.variables.values() for leaf in v.leaves
                if leaf.carried and type(leaf.after) is Tracer]  # fmt: skip
        if any(id(b) in self.memories for b in held):
            cannot("a variable holds an array that a step writes to", "take a copy: b = a.copy()")
        buffers = [leaf.after.buffer for v in self.variables.values() for leaf in v.leaves
                   if leaf.carried and type(leaf.after) is Tracer and leaf.form and leaf.form.type.rank]  # fmt: skip
        shared = {id(b) for i, b in enumerate(buffers) if any(b is other for other in buffers[:i])}
        if shared and any(id(b) in shared or self._is_stand_in(b) for b in written):
            cannot("two variables hold one array, which a step writes to", "take a copy: b = a.copy()")

    def _check_lists(self, written: Sequence[Buffer]) -> None:
        """CannotRoll if a step writes to an array that an earlier one has put into a list."""
        leaves = [leaf for v in self.variables.values() for leaf in v.leaves if leaf.written in written]
        mutated = [leaf.after.buffer for leaf in leaves if type(leaf.after) is Tracer]
        for filled in self.lists.values():
            for buffer in filled.sources:
                if id(buffer) in self.memories or any(buffer is m for m in mutated):
                    cannot(f"`{filled.name}` holds an array that a later step writes to", "append a copy: x.copy()")

    def _is_stand_in(self, buffer: Buffer) -> bool:
        return any(leaf.written is buffer for v in self.variables.values() for leaf in v.leaves)
