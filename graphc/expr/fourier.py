"""Fourier transforms, by NumPy's names. A complex result is a pair of arrays: (real, imaginary).

    fft.rfft(x)          Pair(real, imag) of n // 2 + 1 values each
    fft.irfft(pair, n)   n real values

What goes in is real, or a pair that came out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from graphc.errors import DtypeError, ShapeError
from graphc.expr import build
from graphc.expr.arguments import Value, axis_number, describe, dim, flag, node
from graphc.ir.dims import Dim
from graphc.ir.index import Range
from graphc.ir.leaf import size_node
from graphc.ir.node import Node

NORMS = (None, "backward", "ortho", "forward")


class Pair(NamedTuple):
    """A complex array."""

    real: Node
    imag: Node


def pair_of(x: Value) -> Pair:
    """A value as a pair; a real one has the imaginary part 0."""
    if isinstance(x, tuple) and len(x) == 2:
        return Pair(_floating(node(x[0])), _floating(node(x[1])))
    real = _floating(node(x))
    return Pair(real, build.full_like(0, real.type))


def _floating(x: Node) -> Node:
    return x if x.type.is_float else build.astype(x, "float64")


def _packed(x: Pair) -> Node:
    return build.joined("stack", [x.real, x.imag], 0)


def _unpacked(x: Node) -> Pair:
    rest = [build.whole(d) for d in x.shape[1:]]
    return Pair(build.getitem(x, (0, *rest)), build.getitem(x, (1, *rest)))


def _sized(x: Node, n: Dim | None, axis: int) -> Node:
    """`x` cut, or filled with zeros, to `n` values along an axis."""
    size = x.shape[axis]
    if n is None or n == size:
        return x
    gap = n - size
    if not isinstance(gap, int):
        raise ShapeError("G024", f"whether {n} is more than {size} is not known", hint="pad or cut the array first")
    if gap < 0:
        entries = [build.whole(d) for d in x.shape]
        entries[axis] = Range(0, n, 1, n, False)
        return build.getitem(x, entries)
    shape = (*x.shape[:axis], gap, *x.shape[axis + 1 :])
    return build.joined("concatenate", [x, build.zeros(shape, x.type.dtype)], axis)


def _scale(x: Node, size: Dim, norm: Value, inverse: bool) -> Node:
    """The factor of the normalisation that was asked for, over the one that the op has."""
    if norm not in NORMS:
        raise DtypeError("G030", f"norm is one of {', '.join(map(repr, NORMS))}, not {describe(norm)}")
    if norm in (None, "backward"):
        return x
    number = size_node(size, x.type.dtype)
    root = build.apply("sqrt", number) if norm == "ortho" else number
    if isinstance(size, int) and norm == "ortho":
        root = build.literal(math.sqrt(size), [x.type.dtype])
    return build.multiply(x, root) if inverse else build.divide(x, root)


def _transform(x: Pair, n: Dim | None, axis: int, norm: Value, inverse: bool) -> Pair:
    sized = Pair(_sized(x.real, n, axis), _sized(x.imag, n, axis))
    z = build.apply("fft", _packed(sized), axis=axis, inverse=inverse)
    return _unpacked(_scale(z, sized.real.shape[axis], norm, inverse))


def _size(n: Value) -> Dim | None:
    return None if n is None else dim(n)


def fft(a: Value, n: Value = None, axis: Value = -1, norm: Value = None) -> Pair:
    """The discrete Fourier transform along an axis."""
    x = pair_of(a)
    return _transform(x, _size(n), axis_number(axis, x.real.type.rank), norm, False)


def ifft(a: Value, n: Value = None, axis: Value = -1, norm: Value = None) -> Pair:
    """The inverse discrete Fourier transform along an axis."""
    x = pair_of(a)
    return _transform(x, _size(n), axis_number(axis, x.real.type.rank), norm, True)


def rfft(a: Value, n: Value = None, axis: Value = -1, norm: Value = None) -> Pair:
    """The first n // 2 + 1 values of the transform of real numbers."""
    x = _floating(node(a))
    place = axis_number(axis, x.type.rank)
    sized = _sized(x, _size(n), place)
    z = build.apply("rfft", sized, axis=place)
    return _unpacked(_scale(z, sized.shape[place], norm, False))


def irfft(a: Value, n: Value = None, axis: Value = -1, norm: Value = None) -> Node:
    """The n real numbers (by default 2 (m - 1)) with these m values of a transform."""
    x = pair_of(a)
    place = axis_number(axis, x.real.type.rank)
    size = 2 * (x.real.shape[place] - 1) if n is None else dim(n)
    count = size // 2 + 1
    sized = Pair(_sized(x.real, count, place), _sized(x.imag, count, place))
    signal = build.apply("irfft", _packed(sized), n=size, axis=place)
    return _scale(signal, size, norm, True)


def _turned(norm: Value) -> Value:
    """The normalisation that the transform in the other direction has."""
    if norm in (None, "backward"):
        return "forward"
    return "backward" if norm == "forward" else norm


def hfft(a: Value, n: Value = None, axis: Value = -1, norm: Value = None) -> Node:
    """The transform, which is real, of a signal that is the conjugate of itself turned round: half of it is given."""
    x = pair_of(a)
    return irfft(Pair(x.real, build.negative(x.imag)), n, axis, _turned(norm))


def ihfft(a: Value, n: Value = None, axis: Value = -1, norm: Value = None) -> Pair:
    """The inverse of `hfft`."""
    x = rfft(a, n, axis, _turned(norm))
    return Pair(x.real, build.negative(x.imag))


def _axes(axes: Value, rank: int, default: int) -> list[int]:
    given = range(rank - default, rank) if axes is None else axes if isinstance(axes, (tuple, list)) else (axes,)
    return [axis_number(a, rank) for a in given]


def _several(one: Callable[..., Pair], default: int | None, doc: str) -> Callable[..., Pair]:
    """A transform along several axes, one after the other."""

    def call(a: Value, s: Value = None, axes: Value = None, norm: Value = None) -> Pair:
        x = pair_of(a)
        rank = x.real.type.rank
        places = _axes(axes, rank, rank if default is None else default)
        sizes: Sequence[Any] = [None] * len(places) if s is None else s
        for place, size in zip(places, sizes, strict=True):
            x = one(x, size, place, norm)
        return x

    call.__doc__ = doc
    return call


def rfftn(a: Value, s: Value = None, axes: Value = None, norm: Value = None) -> Pair:
    """The transform of real numbers along several axes: the last one halved."""
    rank = node(a).type.rank
    places = _axes(axes, rank, rank)
    sizes: Sequence[Any] = [None] * len(places) if s is None else s
    x = rfft(a, sizes[-1], places[-1], norm)
    for place, size in zip(places[:-1], sizes[:-1], strict=True):
        x = fft(x, size, place, norm)
    return x


def irfftn(a: Value, s: Value = None, axes: Value = None, norm: Value = None) -> Node:
    """Real numbers from the halved transform along several axes."""
    x = pair_of(a)
    rank = x.real.type.rank
    places = _axes(axes, rank, rank)
    sizes: Sequence[Any] = [None] * len(places) if s is None else s
    for place, size in zip(places[:-1], sizes[:-1], strict=True):
        x = ifft(x, size, place, norm)
    return irfft(x, sizes[-1], places[-1], norm)


def rfft2(a: Value, s: Value = None, axes: Value = (-2, -1), norm: Value = None) -> Pair:
    """The transform of real matrices: the last axis halved."""
    return rfftn(a, s, axes, norm)


def irfft2(a: Value, s: Value = None, axes: Value = (-2, -1), norm: Value = None) -> Node:
    """Real matrices from their halved transform."""
    return irfftn(a, s, axes, norm)


def _shifted(x: Value, axes: Value, back: bool) -> Any:
    if isinstance(x, Pair):
        return Pair(_shifted(x.real, axes, back), _shifted(x.imag, axes, back))
    array = node(x)
    for axis in _axes(axes, array.type.rank, array.type.rank):
        size = array.shape[axis]
        cut = size // 2 if back else size - size // 2
        parts = []
        for start, stop in ((cut, size), (0, cut)):
            entries = [build.whole(d) for d in array.shape]
            entries[axis] = Range(start, stop, 1, stop - start, False)
            parts.append(build.getitem(array, entries))
        array = build.joined("concatenate", parts, axis)
    return array


def fftshift(x: Value, axes: Value = None) -> Any:
    """The frequency 0 moved to the middle."""
    return _shifted(x, axes, False)


def ifftshift(x: Value, axes: Value = None) -> Any:
    """The frequency 0 moved back to the front."""
    return _shifted(x, axes, True)


def absolute(x: Value) -> Node:
    """Absolute value; its derivative at 0 is 0. Of a transform sqrt(real**2 + imag**2)."""
    if isinstance(x, Pair):
        return build.apply("hypot", x.real, x.imag)
    return build.apply("absolute", node(x))


def real(val: Value) -> Node:
    """The real part of a transform; of an array itself."""
    return val.real if isinstance(val, Pair) else node(val)


def imag(val: Value) -> Node:
    """The imaginary part of a transform; of an array zeros."""
    return val.imag if isinstance(val, Pair) else build.full_like(0, node(val).type)


def conjugate(x: Value) -> Any:
    """The imaginary part with the other sign; an array itself."""
    return Pair(x.real, build.negative(x.imag)) if isinstance(x, Pair) else node(x)


def angle(z: Value, deg: Value = False) -> Node:
    """The angle of each complex number: arctan2(imag, real)."""
    x = pair_of(z)
    radians = build.apply("arctan2", x.imag, x.real)
    return build.multiply(radians, 180.0 / math.pi) if flag(deg, "deg") else radians


def rfftfreq(n: Value, d: Value = 1.0) -> Node:
    """The frequencies of `rfft`: 0, 1, ..., n // 2 over n d."""
    size = dim(n)
    return build.divide(build.arange(size // 2 + 1, "float64"), build.multiply(size_node(size, "float64"), node(d)))


def fftfreq(n: Value, d: Value = 1.0) -> Node:
    """The frequencies of `fft`: 0, 1, ..., then the negative ones, over n d."""
    size = dim(n)
    place = build.arange(size, "float64")
    whole = size_node(size, "float64")
    behind = build.apply("greater_equal", build.multiply(2, place), whole)
    return build.divide(build.where(behind, build.subtract(place, whole), place), build.multiply(whole, node(d)))


TABLE: dict[str, Callable[..., Any]] = {
    "fft.fft": fft,
    "fft.ifft": ifft,
    "fft.rfft": rfft,
    "fft.irfft": irfft,
    "fft.hfft": hfft,
    "fft.ihfft": ihfft,
    "fft.fft2": _several(fft, 2, "The discrete Fourier transform of matrices."),
    "fft.ifft2": _several(ifft, 2, "The inverse discrete Fourier transform of matrices."),
    "fft.fftn": _several(fft, None, "The discrete Fourier transform along several axes."),
    "fft.ifftn": _several(ifft, None, "The inverse discrete Fourier transform along several axes."),
    "fft.rfft2": rfft2,
    "fft.irfft2": irfft2,
    "fft.rfftn": rfftn,
    "fft.irfftn": irfftn,
    "fft.fftshift": fftshift,
    "fft.ifftshift": ifftshift,
    "real": real,
    "imag": imag,
    "conj": conjugate,
    "conjugate": conjugate,
    "angle": angle,
    "fft.fftfreq": fftfreq,
    "fft.rfftfreq": rfftfreq,
}
