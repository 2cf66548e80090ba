"""Where the value of each named size comes from: an axis of an input.

X: f64[n, d], w: f64[2*h]   ->   n = X.shape[0], d = X.shape[1], h = w.shape[0] // 2
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from graphc.errors import ShapeError
from graphc.ir.dims import Dim, Size, evaluate
from graphc.ir.types import TensorType


class SizeSource(NamedTuple):
    """`name = (size of `axis` of `argument` - offset) // factor`."""

    name: str
    argument: str
    axis: int
    factor: int
    offset: int


def size_sources(arguments: Sequence[tuple[str, TensorType]]) -> list[SizeSource]:
    """One source for each named size of these arguments; plain names first.

    Raises ShapeError G024 if a size appears only inside polynomials that cannot be solved.
    """
    found: dict[str, SizeSource] = {}
    wanted: dict[str, str] = {}
    for name, type in arguments:
        for axis, dim in enumerate(type.shape):
            if not isinstance(dim, Size):
                continue
            for size in dim.names():
                wanted.setdefault(size, name)
            if dim.name is not None:
                found.setdefault(dim.name, SizeSource(dim.name, name, axis, 1, 0))
    for name, type in arguments:
        for axis, dim in enumerate(type.shape):
            source = _linear(name, axis, dim)
            if source is not None:
                found.setdefault(source.name, source)
    for size, name in wanted.items():
        if size not in found:
            raise ShapeError(
                "G024",
                f"the size {size} of `{name}` cannot be worked out from the shapes of the inputs",
                hint=f"give one input an axis of size {size} alone",
            )
    return [found[size] for size in wanted]


def _linear(name: str, axis: int, dim: Dim) -> SizeSource | None:
    if not isinstance(dim, Size):
        return None
    powers = [(m, c) for m, c in dim.terms if m]
    if len(powers) != 1 or len(powers[0][0]) != 1 or not isinstance(powers[0][0][0], str):
        return None
    factor = powers[0][1]
    if factor <= 0:
        return None
    offset = sum(c for m, c in dim.terms if not m)
    return SizeSource(powers[0][0][0], name, axis, factor, offset)


def bind_sizes(arguments: Sequence[tuple[str, TensorType]], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """The values of the named sizes for arguments of these shapes; ShapeError if they disagree."""
    sizes = {
        s.name: (shapes[s.argument][s.axis] - s.offset) // s.factor
        for s in size_sources(arguments)
        if s.axis < len(shapes[s.argument])
    }
    for name, type in arguments:
        fits = len(shapes[name]) == type.rank and all(
            evaluate(dim, sizes) == size for dim, size in zip(type.shape, shapes[name], strict=True)
        )
        if not fits:
            raise ShapeError("G021", f"`{name}` must be {type}, and has the shape {shapes[name]}")
    return sizes


def names_of(dims: Iterable[Dim]) -> list[str]:
    """The names in these sizes, each once, in order."""
    seen = dict.fromkeys(n for dim in dims if isinstance(dim, Size) for n in dim.names())
    return list(seen)
