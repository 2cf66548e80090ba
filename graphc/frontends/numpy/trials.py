"""What the traces of loops and branches share: the steps that are being tried, and the way back from a trial.

with session.going(way):        the index of the loop is a size that varies
    with Checkpoint(...) as c:  what is written, named and changed from here on
        c.restore()             is undone
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphc.errors import UnsupportedError
from graphc.frontends.numpy.buffers import Buffer, Journal
from graphc.frontends.numpy.decisions import Decisions
from graphc.frontends.numpy.naming import Naming
from graphc.frontends.numpy.signals import CannotRoll
from graphc.frontends.numpy.variables import Scope
from graphc.ir.dims import Dim, Size, at_least, at_most, substitute

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session


@dataclass(frozen=True)
class Way:
    """How the generated loop counts: `count` steps, the index from `start` up or down to it."""

    index: str
    start: Dim
    count: Dim
    reverse: bool
    known: bool = False  # the examples know the count

    @property
    def position(self) -> Dim:
        """How many steps there have been before the one at the index."""
        at = Size.named(self.index)
        return self.start + self.count - 1 - at if self.reverse else at - self.start

    def at(self, position: Dim) -> Dim:
        """The index at a position."""
        return self.start + self.count - 1 - position if self.reverse else self.start + position


class Trials(Naming):
    """The part of a session that is about loops and branches.

    indices: of the loops that are being traced, by name.  arms: how many branches around are being traced.
    journals: of what steps and branches write to.
    unrolled: whether loops whose number of steps is known are written out.  rolled: how many steps have not been.
    """

    def __init__(self, examples: Any, taken: Sequence[str], unrolled: bool) -> None:
        super().__init__()
        self.decisions = Decisions(examples)
        self.indices: dict[str, Way] = {}
        self.journals: list[Journal] = []
        self.unrolled, self.rolled = unrolled, 0
        self.arms = 0
        self._loops = 0
        self._compares = False
        self._taken = frozenset(taken)

    def writing(self, buffer: Buffer) -> None:
        """A buffer is about to be written to."""
        for journal in self.journals:
            journal.writing(buffer)

    def free_index(self, wanted: str) -> str:
        """A name for the index of a loop: no size, input or loop around it has it."""
        used = {*self._taken, *self.indices, *self.decisions.examples}
        name, number = wanted, 1
        while name in used:
            number += 1
            name = f"{wanted}{number}"
        return name

    def free_steps(self) -> Size:
        """A size for the number of steps of a loop that a test ends."""
        self._loops += 1
        return Size.named(self.free_index("steps" if self._loops == 1 else f"steps{self._loops}"))

    @contextmanager
    def going(self, way: Way) -> Iterator[None]:
        """While a step of a loop is traced."""
        self.indices[way.index] = way
        try:
            yield
        finally:
            del self.indices[way.index]

    @contextmanager
    def comparing(self) -> Iterator[None]:
        """Comparisons of sizes that are names are traced, and no decisions."""
        before, self._compares = self._compares, True
        try:
            yield
        finally:
            self._compares = before

    def untracked(self, what: str) -> None:
        """Something changes that can't be taken back, and so not be tried."""
        for journal in self.journals:
            journal.spoiled = True
        if self.indices:
            raise CannotRoll(f"a step changes {what}", span=self.places.here())
        if self.arms:
            raise UnsupportedError(
                "G043", f"one side of a branch changes {what}", hint="change it before or after it"
            ).at(self.places.here())

    # --- sizes that vary ---

    def varies(self, *dims: Dim) -> bool:
        """Whether a size is another one in each step of a loop."""
        return any(name in self.indices for d in dims if isinstance(d, Size) for name in d.names())

    def undecided(self, *dims: Dim) -> bool:
        """Whether a comparison of sizes is traced: they vary, or it is asked for."""
        return self.varies(*dims) or (self._compares and any(isinstance(d, Size) for d in dims))

    def at_most(self, bound: Dim, size: Dim) -> bool:
        """Whether `bound <= size` in every step of the loops around it, whatever the sizes are."""
        if at_most(bound, size):
            return True
        gap = size - bound
        for way in reversed(self.indices.values()):  # the gap is linear: smallest in the first or the last step
            slope = _slope(gap, way.index)
            if not slope:
                continue
            end = way.at(0) if (slope > 0) != way.reverse else way.at(way.count - 1)
            gap = substitute(gap, {way.index: end})
        return at_least(gap, 0)


def _slope(dim: Dim, name: str) -> int:
    """By how much a size grows with one of its names; 0 if not at all, or not linearly."""
    if not isinstance(dim, Size):
        return 0
    slope = next((c for m, c in dim.terms if m == (name,)), 0)
    rest = dim - slope * Size.named(name)
    return 0 if isinstance(rest, Size) and name in rest.names() else slope


class Checkpoint:
    """The state at one moment, to come back to."""

    def __init__(self, session: Session, closures: Sequence[Any]) -> None:
        self._session = session
        self._scope = Scope(closures)
        self._journal = Journal()
        self._names = session.naming()

    def __enter__(self) -> Checkpoint:
        self._session.journals.append(self._journal)
        return self

    def __exit__(self, *error: object) -> None:
        self._session.journals.remove(self._journal)

    @property
    def spoiled(self) -> bool:
        """Whether something has changed that can't be taken back."""
        return self._journal.spoiled

    def restore(self) -> None:
        """All as it was."""
        self._journal.restore()
        self._scope.restore()
        self._session.rename(self._names)
