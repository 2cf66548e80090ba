"""Patterns: for each row the columns in which something may be, as index arrays.

    [[x, ., x],
     [., x, .]]      ->      starts = [0, 2, 3], columns = [0, 2, 1], width = 3

Compressed rows, without values. Every operation is a few steps over whole arrays, at a cost that
follows the number of entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from graphc.errors import LimitError
from graphc.ir.links import IntArray, Link

MAX_ENTRIES = 2**27


class Pattern(NamedTuple):
    """starts: where each row begins among the entries, and where the last one ends.

    columns: of the entries, ascending within a row.  width: how many columns there are.
    """

    starts: IntArray
    columns: IntArray
    width: int

    @staticmethod
    def identity(n: int) -> Pattern:
        return Pattern(np.arange(n + 1), np.arange(n), n)

    @staticmethod
    def empty(height: int, width: int) -> Pattern:
        return Pattern(np.zeros(height + 1, dtype=np.int64), np.zeros(0, dtype=np.int64), width)

    @staticmethod
    def piled(parts: Sequence[Pattern]) -> Pattern:
        """The rows of several patterns of one width, one after another."""
        if len(parts) == 1:
            return parts[0]
        before = np.cumsum([0, *(p.starts[-1] for p in parts)])
        starts = [p.starts[1:] + n for p, n in zip(parts, before, strict=False)]
        return Pattern(np.concatenate([[0], *starts]), np.concatenate([p.columns for p in parts]), parts[0].width)

    def same(self, other: Pattern) -> bool:
        return np.array_equal(self.starts, other.starts) and np.array_equal(self.columns, other.columns)

    @property
    def height(self) -> int:
        return len(self.starts) - 1

    @property
    def rows(self) -> IntArray:
        """The row of each entry."""
        return np.repeat(np.arange(self.height), np.diff(self.starts))

    def united(self, other: Pattern) -> Pattern:
        """What is in one of two patterns; if that is all in one of them, that very one."""
        if self is other or not len(other.columns):
            return self
        if not len(self.columns):
            return other
        both = _of_places(np.concatenate([_places(self), _places(other)]), self.height, self.width)
        same = (p for p in (self, other) if len(p.columns) == len(both.columns))
        return next(same, both)

    def through(self, links: Sequence[Link]) -> Pattern:
        """The pattern of a result whose elements depend on those of the rows."""
        pattern = self
        for link in links:
            pattern = pattern if link.source is None else pattern._taken(link.source)
            pattern = pattern if link.target is None else pattern._gathered(link.target, link.size)
        return pattern

    def _taken(self, source: IntArray) -> Pattern:
        """The rows of these numbers; nothing for -1."""
        if len(source) == self.height and (source == np.arange(self.height)).all():
            return self
        counts = np.where(source < 0, 0, np.diff(self.starts, append=self.starts[-1])[source])
        starts = np.concatenate([[0], np.cumsum(counts)])
        if starts[-1] > MAX_ENTRIES:
            raise LimitError(
                "G003",
                f"a Jacobian has {starts[-1]:,} entries that may not be 0; the limit is 2**27",
                hint="use gc.jvp, gc.vjp or gc.hvp with one direction at a time; for patterns a `while`, and a loop "
                "of very many steps that need one another, are full",
            )
        entries = np.arange(starts[-1]) + np.repeat(self.starts[source] - starts[:-1], counts)
        return Pattern(starts, self.columns[entries], self.width)

    def _gathered(self, target: IntArray, height: int) -> Pattern:
        """The rows put together that go to the same place."""
        if len(target) == height and (target == np.arange(height)).all():
            return self
        return _of_places(target[self.rows] * self.width + self.columns, height, self.width)

    def kept(self, mask: npt.NDArray[np.bool_]) -> Pattern:
        """With some of the entries only."""
        starts = np.concatenate([[0], np.cumsum(mask)])[self.starts]
        return Pattern(starts, self.columns[mask], self.width)

    def symmetric(self) -> Pattern:
        """The entries of a square pattern whose mirror images are entries, too."""
        return self.kept(np.isin(_places(self), _places(self.transposed()), assume_unique=True))

    def transposed(self) -> Pattern:
        return _of_places(self.columns * self.height + self.rows, self.width, self.height)


def _places(pattern: Pattern) -> IntArray:
    """Each entry as one number, ascending."""
    return pattern.rows * pattern.width + pattern.columns


def _of_places(places: IntArray, height: int, width: int) -> Pattern:
    """The pattern of such numbers in any order, with repeats."""
    ordered = np.sort(places, kind="stable")  # they come in ascending runs, which a merge sort makes use of
    first = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    rows, columns = np.divmod(ordered[first], max(width, 1))
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=height))])
    return Pattern(starts, columns, width)
