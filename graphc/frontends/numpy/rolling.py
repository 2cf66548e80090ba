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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.expr.looping import placeholder
from graphc.frontends.numpy.buffers import Buffer, Journal, Path, names_in, replaced_in
from graphc.frontends.numpy.carried import Carried
from graphc.frontends.numpy.changes import Changes
from graphc.frontends.numpy.forms import node_of
from graphc.frontends.numpy.several import NeedsRows
from graphc.frontends.numpy.signals import cannot, of_error
from graphc.frontends.numpy.tracer import Kind, Tracer
from graphc.frontends.numpy.trials import Way
from graphc.ir.control import final, stack
from graphc.ir.dims import Dim, Size
from graphc.ir.node import Node
from graphc.ir.types import TensorType

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

MAX_TRIALS = 12


class Roller:
    """One loop: what is known of it after the trials so far.

    live: the names of sizes that differ from step to step.  position: of the step, from 0.
    most: how many steps there can be, None if nothing says.  ends: whether a step or a test can end the loop.
    placeholders: what is carried, and the names of the variables.
    """

    def __init__(self, session: Session, closures: Sequence[Any], way: Way, most: Dim | None) -> None:
        self.session = session
        self.way = way
        self.index = way.index
        self.position = way.position
        self.count = way.count
        self.most = most
        self.ends = way.count != most
        self.live = {way.index}
        self.placeholders: list[tuple[Node, str]] = []
        self._changes = Changes(self, closures)
        self._left: dict[int, list[tuple[Path, Buffer]]] = {}

    # --- for what is carried ---

    def placeholder(self, type: TensorType, name: str) -> Node:
        """What stands for the next carried value."""
        node = placeholder(self.index, len(self.placeholders), type)
        self.placeholders.append((node, name))
        return node

    def name_of(self, node: Node) -> str:
        """The variable that a placeholder stands for."""
        name = next((name for p, name in self.placeholders if p is node), "")
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
        return plain if plain.isidentifier() and not keyword.iskeyword(plain) else ""

    def probe(self, name: str) -> Size:
        """A size to see how a step changes an integer."""
        return Size.named(f"_{self.index}_{name}")

    # --- trials ---

    def settle(self, step: Callable[[], Any]) -> Settled:
        """Run steps until what is carried stands: the last one as nodes, before it is taken back."""
        for _ in range(MAX_TRIALS):
            with self.trial():
                try:
                    result = step()
                except NeedsRows as need:
                    self._changes.want(need.part)
                    continue
                if not self._changes.learn(self._journal.written):
                    return self._finish(result)
        cannot("what it carries has another type after every step")

    @contextmanager
    def trial(self) -> Iterator[None]:
        """A step on stand-ins; afterwards all is as it was."""
        session = self.session
        self.placeholders.clear()
        self._journal = Journal()
        names = session.naming()
        session.journals.append(self._journal)
        self._changes.install()
        try:
            yield
        except Exception as error:  # the user's own; without a loop it may come in a later step, or never
            raise of_error(error) from error
        finally:
            session.journals.pop()
            self._journal.restore()
            self._changes.scope.restore()
            session.rename(names)

    # --- the loop ---

    def _finish(self, result: Any) -> Settled:
        """What the last trial has found, as nodes."""
        self._changes.check_sharing(self._journal.written)
        carried: list[Carried] = []
        for variable in self._changes.variables.values():
            for leaf, update in variable.update(self):
                assert leaf.placeholder is not None
                first = node_of(self.session, leaf.first)
                first = first if leaf.form is None else leaf.form.fitted(first)
                carried.append(Carried(first, leaf.placeholder, update, leaf))
        for memory in self._changes.memories.values():
            assert memory.first is not None and memory.placeholder is not None
            carried.append(Carried(memory.first, memory.placeholder, memory.buffer.node, memory))
        stacked: list[Node] = []
        for filled in self._changes.lists.values():
            stacked += [] if filled.wanted else [node for column in filled.values for node in column]
            carried += filled.carried(self.position) if filled.wanted else []
        for local in self._changes.locals:
            carried += local.carried(self)
        naming = dict(self.session.names), dict(self.session.origin)
        return Settled(result, carried, stacked, *naming)

    def depends(self, dims: Sequence[Dim]) -> bool:
        """Whether a size is another one in each step."""
        return any(self.live.intersection(d.names()) for d in dims if isinstance(d, Size))

    def apply(self, settled: Settled, node: Node, last: Dim) -> None:
        """Give the variables what they are after the loop. last: the position of the last step."""
        finals = {c.of: final(node, k) for k, c in enumerate(settled.carried)}
        stacks = iter(range(len(settled.stacked)))
        for variable in self._changes.variables.values():
            value = variable.finish(self, finals, last + 1)
            variable.place.set(value)
            self.called(variable.place.name, value)
        for memory in self._changes.memories.values():
            self.session.writing(memory.buffer)
            memory.buffer.hold(finals[memory])
            self.session.written(memory.buffer)
        for local in self._changes.locals:
            local.place.set(local.finish(self, finals, last))
        for filled in self._changes.lists.values():
            filled.finish(
                self,
                [finals[filled, i] for i in range(len(filled.first))]
                if filled.wanted
                else [stack(node, next(stacks)) for column in filled.values for _ in column],
            )
        for buffer in self._changes.stale.values():
            self.session.writing(buffer)
            buffer.stale = "an array is changed in place by the first step of a loop and replaced then"

    # --- memory after it ---

    def stays(self, array: Tracer) -> bool:
        """Whether an array of the last step is there after the loop: a view, known by then, of older memory."""
        return self.is_older(array.buffer) and not (self.ends and self.live.intersection(names_in(array.path)))

    def is_older(self, buffer: Buffer) -> bool:
        """Whether memory is there without the loop."""
        return buffer.age < self._journal.age

    def at_last(self, value: Any, last: Dim) -> Any:
        """A size or a path as it is in the last step."""
        return replaced_in(value, {self.index: self.way.at(last)})

    def in_memory(self, left: Any, made: Tracer) -> Tracer:
        """`made`, which has the value of what a step leaves in a variable: the memory that another variable has of it.

        h = new = f(h)      after the loop, what is written to `h` is in `new`
        """
        if type(left) is not Tracer or made.kind is not Kind.ARRAY:
            return made
        others = self._left.setdefault(id(left.buffer), [])
        for path, buffer in others:
            more = left.path[len(path) :]
            if left.path[: len(path)] == path and not self.live.intersection(names_in(more)):
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
