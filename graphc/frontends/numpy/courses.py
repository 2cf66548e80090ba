"""What a loop goes through, by positions: ranges, rows of arrays, and several of these together.

range(1, n)                  count n - 1, at position p the index 1 + p
enumerate(xs), zip(a, b)     count len(xs), at position p the pair of p and xs[p]
reversed(xs)                 at position p the row xs[n - 1 - p]
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from graphc.frontends.numpy import several
from graphc.frontends.numpy.sizes import TracedRange, dim_of, number_of
from graphc.ir.dims import Dim, Size, at_least, minimum

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session


@dataclass(frozen=True)
class Count:
    """How the generated loop counts: from `start` up, or down to it. path: where in an item the index is."""

    start: Dim
    reverse: bool
    path: tuple[int, ...] | None

    def under(self, i: int) -> Count:
        """The same of the i-th part of an item."""
        return self if self.path is None else replace(self, path=(i, *self.path))


@dataclass(frozen=True)
class Course:
    """What a loop goes through.  item: at a position.  way: how it would count by itself."""

    count: Dim
    item: Callable[[Dim], Any]
    way: Count


class Joint:
    """enumerate, zip, reversed of what may be traced: an iterator that a loop can look into."""

    def __init__(self, original: Callable[..., Any], parts: tuple[Any, ...], start: Any = 0) -> None:
        self.original, self.parts, self.start = original, parts, start
        self._iterator: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._iterator is None:
            self._iterator = iter(self._real())
        return next(self._iterator)

    def _real(self) -> Any:
        parts = [several.elements(p) for p in self.parts]
        return self.original(*parts, *((self.start,) if self.original is enumerate else ()))


def joint(original: Callable[..., Any]) -> Callable[..., Any]:
    """The traced form of enumerate, zip or reversed."""

    def call(session: Session, *given: Any, start: Any = 0, **words: Any) -> Any:
        parts = given
        if original is enumerate and len(given) == 2:
            parts, start = given[:1], given[1]
        looked_into = any(type(p) in (Joint, TracedRange) or several.is_rows(p) for p in parts)
        if not looked_into or words.keys() - {"strict"}:
            further = {"start": start} if original is enumerate else words
            return original(*parts, **further)
        return Joint(original, parts, start)

    return call


def course_of(session: Session, iterable: Any) -> Course | None:
    """The course of a loop over `iterable`; None if its items have nothing in common."""
    kind = type(iterable)
    if kind in (range, TracedRange):
        return _of_range(session, iterable)
    if kind is Joint and iterable._iterator is None:
        return _of_joint(session, iterable)
    if several.is_rows(iterable):
        rows = several.Rows(session, iterable)
        return Course(rows.count, rows.at, Count(0, False, None)) if rows.uniform else None
    return None


def _of_range(session: Session, steps: Any) -> Course | None:
    start, stop, step = dim_of(steps.start), dim_of(steps.stop), dim_of(steps.step)
    if not isinstance(step, int) or step == 0:
        return None
    extent = stop - start if step > 0 else start - stop
    count: Dim = extent if abs(step) == 1 else (extent + (abs(step) - 1)) // abs(step)
    count = max(count, 0) if isinstance(count, int) else count
    lowest = start if step > 0 else stop + 1
    way = Count(lowest, step < 0, ()) if abs(step) == 1 and at_least(lowest, 0) else Count(0, False, None)

    def item(position: Dim) -> Any:
        return session.size(start + step * position)

    return Course(count, item, way)


def _of_joint(session: Session, joint: Joint) -> Course | None:
    courses = [course_of(session, p) for p in joint.parts]
    parts = [c for c in courses if c is not None]
    if len(parts) < len(courses):
        return None
    if joint.original is builtins.reversed:
        return _backwards(parts[0])
    if joint.original is enumerate:
        start = dim_of(joint.start)
        way = Count(start, False, (0,)) if at_least(start, 0) else replace(parts[0].way, path=None)
        return Course(parts[0].count, lambda p: (session.size(start + p), parts[0].item(p)), way)
    count = parts[0].count
    for other in parts[1:]:
        count = _shorter(session, count, other.count)
    ways = [c.way.under(i) for i, c in enumerate(parts)]
    way = next((w for w in ways if w.path is not None), ways[0])
    return Course(count, lambda p: tuple(c.item(p) for c in parts), way)


def _shorter(session: Session, a: Dim, b: Dim) -> Dim:
    """The smaller count. Two sizes that are equal in the examples become one."""
    examples = session.decisions.examples
    if isinstance(a, Size) and isinstance(b, Size) and a != b and number_of(a - b, examples) == 0:
        session.equal_sizes(a, b)
    return minimum(a, b)


def _backwards(course: Course) -> Course:
    count = course.count
    return Course(count, lambda p: course.item(count - 1 - p), replace(course.way, reverse=not course.way.reverse))
