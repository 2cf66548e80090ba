"""A static index, such as `[1:n - 1, None, ::-2, i]`, as one hashable value.

An entry is a size (an integer position), a `Range`, None (a new axis) or an `Array` that stands for
the k-th index array among the arguments of the node. Ellipsis and negative positions are resolved
when the index is made, so that every axis of the indexed array has exactly one entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphc.ir.dims import Dim, evaluate


@dataclass(frozen=True)
class Range:
    """`start:stop:step` with 0 <= start; `count` elements. A negative step walks down.

    `stop` is None where a downward walk runs to the front.
    """

    start: Dim
    stop: Dim | None
    step: int
    count: Dim
    whole: bool  # all of the axis, upwards: prints as `:`


class Array(NamedTuple):
    """The k-th index array of the node."""

    k: int


Entry = int | Any | Range | Array | None


class Index(NamedTuple):
    """One entry for each axis of the array, and None for each new axis."""

    entries: tuple[Entry, ...]

    @property
    def arrays(self) -> int:
        """How many index arrays it takes."""
        return sum(isinstance(e, Array) for e in self.entries)

    def resolve(self, sizes: Mapping[str, int], arrays: Sequence[Any]) -> tuple[Any, ...]:
        """The index that Python uses, given the sizes and the index arrays."""
        return tuple(_resolve(entry, sizes, arrays) for entry in self.entries)

    def __str__(self) -> str:
        return "[" + ", ".join(_show(e) for e in self.entries) + "]"


def _resolve(entry: Entry, sizes: Mapping[str, int], arrays: Sequence[Any]) -> Any:
    if entry is None:
        return None
    if isinstance(entry, Range):
        stop = None if entry.stop is None else evaluate(entry.stop, sizes)
        return slice(evaluate(entry.start, sizes), stop, entry.step)
    if isinstance(entry, Array):
        return arrays[entry.k]
    return evaluate(entry, sizes)


def _show(entry: Entry) -> str:
    if entry is None:
        return "None"
    if isinstance(entry, Array):
        return f"@{entry.k}"
    if isinstance(entry, Range):
        if entry.whole:
            return ":"
        stop = "" if entry.stop is None else str(entry.stop)
        step = "" if entry.step == 1 else f":{entry.step}"
        return f"{entry.start}:{stop}{step}"
    return str(entry)
