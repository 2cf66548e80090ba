"""Compressing a Jacobian: columns of one colour share no row, so one tangent holds the entries of all of them.

    [[a, b, .],      the columns 0 and 2 have one colour, 1 the other:
     [., c, d]]      J @ [1, 0, 1] = [a, d]    J @ [0, 1, 0] = [b, c]

The distance-1 colouring of the graph in which columns are neighbours if they share a row (Gebremedhin,
Manne and Pothen, "What Color Is Your Jacobian?", 2005), greedily, the columns with most neighbours first.
That graph is never made, so the cost is that of the entries. Rows with too many entries, which would make
all columns neighbours, are left to a pullback each; or the other way round, where rows share fewer columns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from graphc.autodiff.pattern import Pattern
from graphc.ir.links import IntArray

_WORTH = 2  # passes in a second mode must make their number smaller by this factor
Mask = npt.NDArray[np.bool_]


class Compression(NamedTuple):
    """Which tangents and which pullbacks hold all entries of a Jacobian.

    columns: the tangent that each column is in, -1 for none.  rows: the pullback that each row is in.
    place: where each entry stands when all tangents, then all pullbacks, are put one after another.
    """

    columns: IntArray
    rows: IntArray
    place: IntArray

    @property
    def tangents(self) -> int:
        return int(self.columns.max(initial=-1)) + 1

    @property
    def pullbacks(self) -> int:
        return int(self.rows.max(initial=-1)) + 1

    @property
    def passes(self) -> int:
        return self.tangents + self.pullbacks


def compressed(pattern: Pattern) -> Compression:
    """The compression with fewer passes: tangents for all columns but a few, or pullbacks for all rows but a few."""
    turned = pattern.transposed()
    full = _full_rows(pattern), _full_rows(turned)
    least = _least(pattern, full[0]), _least(turned, full[1])

    def along_columns() -> Compression:
        columns = colours(pattern.kept(~full[0][pattern.rows]))
        rows = colours(turned.kept(full[0][turned.columns]))
        return _placed(pattern, columns, rows, full[0][pattern.rows])

    def along_rows() -> Compression:
        rows = colours(turned.kept(~full[1][turned.rows]))
        columns = colours(pattern.kept(full[1][pattern.columns]))
        return _placed(pattern, columns, rows, ~full[1][pattern.columns])

    ways = [along_columns, along_rows] if least[0] <= least[1] else [along_rows, along_columns]
    found = ways[0]()
    if found.passes <= max(least):
        return found
    return min(found, ways[1](), key=lambda c: c.passes)


def compressed_symmetric(pattern: Pattern) -> Compression:
    """The compression of a symmetric matrix, by tangents alone: an entry of a full row is taken from its column."""
    rows, full = pattern.rows, _full_rows(pattern)
    upright, across = full[pattern.columns], full[rows]
    columns = colours(pattern.kept(~upright & ~across))
    columns[full] = columns.max(initial=-1) + 1 + colours(pattern.kept(upright))[full]
    place = np.where(
        across & ~upright,
        columns[rows] * pattern.height + pattern.columns,
        columns[pattern.columns] * pattern.height + rows,
    )
    return Compression(columns, np.full(pattern.height, -1), place)


def colours(pattern: Pattern) -> IntArray:
    """A colour for each column, such that columns with a row in common differ; -1 for an empty column."""
    turned = pattern.transposed()
    neighbours = np.bincount(pattern.columns, np.diff(pattern.starts)[pattern.rows], pattern.width)
    order = np.argsort(-neighbours, kind="stable")[: np.count_nonzero(neighbours)].tolist()
    starts, entries = turned.starts.tolist(), turned.columns.tolist()
    used = [0] * pattern.height  # the colours in each row, as bits
    found = np.full(pattern.width, -1)
    for column in order:
        rows = entries[starts[column] : starts[column + 1]]
        taken = 0
        for row in rows:
            taken |= used[row]
        free = ~taken & (taken + 1)  # the lowest bit that is not taken
        for row in rows:
            used[row] |= free
        found[column] = free.bit_length() - 1
    return found


def _full_rows(pattern: Pattern) -> Mask:
    """The rows that are better left to a pullback each: k of them, if the others then need few tangents."""
    lengths = np.diff(pattern.starts)
    ordered = np.append(np.sort(lengths)[::-1], 0)
    passes = np.arange(len(ordered)) + ordered
    best = int(passes.argmin())
    longest: int = ordered[best if passes[best] * _WORTH <= ordered[0] else 0]
    return lengths > longest


def _least(pattern: Pattern, full: Mask) -> int:
    """A lower bound on the passes: those of the full rows, and as many as the longest other row has entries."""
    return int(full.sum() + np.diff(pattern.starts)[~full].max(initial=0))


def _placed(pattern: Pattern, columns: IntArray, rows: IntArray, by_row: Mask) -> Compression:
    found = Compression(columns, rows, pattern.columns)
    column, row = pattern.columns, pattern.rows
    tangent = columns[column] * pattern.height + row
    pullback = rows[row] * pattern.width + column + found.tangents * pattern.height
    return found._replace(place=np.where(by_row, pullback, tangent))
