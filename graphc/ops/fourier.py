"""Discrete Fourier transforms of real numbers in pairs.

A complex array is a real one with an axis of size 2 in front: real parts, imaginary parts. So a
transform is a linear map of real numbers, and its adjoint is the conjugate transform, which is n
times the inverse (Oppenheim and Schafer, "Discrete-Time Signal Processing", chapter 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ShapeError
from graphc.ir.dims import Dim
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Helper, Op
from graphc.ir.types import TensorType, show_shape
from graphc.ops import exactness

_LINEAR = frozenset({"linear"})


def _pair(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    x = types[0]
    if x.rank < 2 or x.shape[0] != 2 or not x.is_float:
        raise ShapeError("G021", f"pairs have 2 parts in front, and the shape is {show_shape(x.shape)}")
    return x


def _half(size: Dim) -> Dim:
    return size // 2 + 1


def _of_real(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    shape = list(types[0].shape)
    shape[attrs["axis"]] = _half(shape[attrs["axis"]])
    return types[0].with_shape((2, *shape))


def _to_real(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    shape = list(_pair(types, attrs).shape[1:])
    if shape[attrs["axis"]] != _half(attrs["n"]):
        raise ShapeError(
            "G021", f"irfft to {attrs['n']} needs {_half(attrs['n'])} values, and has {shape[attrs['axis']]}"
        )
    shape[attrs["axis"]] = attrs["n"]
    return types[0].with_shape(tuple(shape))


def _adjoint(e: Any, node: Node, ct: Node, i: int) -> Node:
    """The conjugate transform: n times the inverse, or the transform over n."""
    size = e.size_of(node, node["axis"] + 1, ct.type.dtype)
    other = e.apply("fft", ct, axis=node["axis"], inverse=not node["inverse"])
    return e.divide(other, size) if node["inverse"] else e.multiply(size, other)  # type: ignore[no-any-return]


def _adjoint_of_real(e: Any, node: Node, ct: Node, i: int) -> Node:
    """The real part of the conjugate transform of the cotangent, zeros behind it."""
    x, axis = node.args[0], node["axis"]
    rest = list(ct.shape)
    rest[axis + 1] = x.shape[axis] - ct.shape[axis + 1]
    whole = e.joined("concatenate", [ct, e.zeros(tuple(rest), ct.type.dtype)], axis + 1)
    back = e.apply("fft", whole, axis=axis, inverse=True)
    real = e.getitem(back, (0, *(e.whole(d) for d in x.shape)))
    return e.multiply(e.size_of(x, axis, ct.type.dtype), real)  # type: ignore[no-any-return]


def _adjoint_to_real(e: Any, node: Node, ct: Node, i: int) -> Node:
    """The transform of the cotangent over n; all but the first and the middle value stand for two."""
    axis, x = node["axis"], node.args[0]
    count = x.shape[axis + 1]
    place = e.arange(count)
    single = e.apply("logical_or", e.equal(place, 0), e.equal(e.multiply(2, place), e.size_of(node, axis, "int64")))
    weight = e.divide(e.where(single, e.number(1, ct), e.number(2, ct)), e.size_of(node, axis, ct.type.dtype))
    lined = e.reshape(weight, (count, *([1] * (x.type.rank - axis - 2))))
    return e.multiply(e.apply("rfft", ct, axis=axis), lined)  # type: ignore[no-any-return]


def _rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    """The two parts stay in front."""
    [x], name = args, node.op.name
    attrs = {**node.attributes, "axis": node["axis"] + 1}
    found = e.apply(name, x if name == "rfft" else e.moved(x, 1, 0), **attrs)
    return found if name == "irfft" else e.moved(found, 1, 0)  # type: ignore[no-any-return]


_FFT = Helper(
    "_fft",
    array='''def _fft(x: Array, axis: int) -> Array:
    """The Fourier transform of x[0] + x[1] i, as real and imaginary parts."""
    z = np.fft.fft(x[0] + 1j * x[1], axis=axis)
    return np.stack((z.real, z.imag))
''',
)
_IFFT = Helper(
    "_ifft",
    array='''def _ifft(x: Array, axis: int) -> Array:
    """The inverse Fourier transform of x[0] + x[1] i, as real and imaginary parts."""
    z = np.fft.ifft(x[0] + 1j * x[1], axis=axis)
    return np.stack((z.real, z.imag))
''',
)
_RFFT = Helper(
    "_rfft",
    array='''def _rfft(x: Array, axis: int) -> Array:
    """The Fourier transform of real numbers, as real and imaginary parts."""
    z = np.fft.rfft(x, axis=axis)
    return np.stack((z.real, z.imag))
''',
)
_IRFFT = Helper(
    "_irfft",
    array='''def _irfft(x: Array, n: int, axis: int) -> Array:
    """The n real numbers whose Fourier transform is x[0] + x[1] i."""
    y: Array = np.fft.irfft(x[0] + 1j * x[1], n, axis=axis)
    return y
''',
)

OPS: list[Op] = [
    Op(
        "fft",
        ("x",),
        _pair,
        lambda types, attrs: "_ifft(x, axis)" if attrs["inverse"] else "_fft(x, axis)",
        "The discrete Fourier transform of pairs of real and imaginary parts, or its inverse.",
        attrs=("axis", "inverse"),
        helpers=(_FFT, _IFFT),
        adjoint=_adjoint,
        batch=_rows,
        traits=_LINEAR,
        cost=20.0,
        formula="dx = the conjugate transform of dy",
        label="z",
        exactness=exactness.FOURIER,
    ),
    Op(
        "rfft",
        ("x",),
        _of_real,
        "_rfft(x, axis)",
        "The first half of the Fourier transform of real numbers, as pairs.",
        attrs=("axis",),
        helpers=(_RFFT,),
        adjoint=_adjoint_of_real,
        batch=_rows,
        traits=_LINEAR,
        cost=10.0,
        formula="dx = the real part of the conjugate transform of dy, zeros behind it",
        label="z",
        exactness=exactness.FOURIER,
    ),
    Op(
        "irfft",
        ("x",),
        _to_real,
        "_irfft(x, n, axis)",
        "Real numbers from the first half of their Fourier transform.",
        attrs=("n", "axis"),
        helpers=(_IRFFT,),
        adjoint=_adjoint_to_real,
        batch=_rows,
        traits=_LINEAR,
        cost=10.0,
        formula="dx = the transform of dy, doubled but at the ends, over n",
        label="signal",
        exactness=exactness.FOURIER,
    ),
]
