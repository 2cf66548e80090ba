"""Convolution of two vectors: c[k] is the sum of a[i] * v[k - i].

    full    n + m - 1 sums          [a0 v0, a0 v1 + a1 v0, ..., a[n-1] v[m-1]]
    same    the n in the middle
    valid   the n - m + 1 in which all of v takes part

Convolution is linear in both arguments. The adjoint of a full one is a valid one with the other
argument reversed, and the other way round, so these records are closed under differentiation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import DtypeError, ShapeError
from graphc.ir.dims import Dim
from graphc.ir.index import Index, Range
from graphc.ir.links import MAX_POINTS, Link, Operands, mixed
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType, promote, show_shape
from graphc.ops import exactness


def _convolved(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    a, v = types
    if a.rank != 1 or v.rank != 1:
        raise ShapeError(
            "G021", f"a convolution takes two vectors, not {show_shape(a.shape)} and {show_shape(v.shape)}"
        )
    dtype = promote(a.dtype, v.dtype)
    if dtype == "bool":
        raise DtypeError("G030", "a convolution needs numbers, and was given booleans")
    n, m = a.shape[0], v.shape[0]
    sizes: dict[str, Dim] = {"full": n + m - 1, "same": n, "valid": n - m + 1}
    gap = n - m
    if attrs["mode"] != "full" and isinstance(gap, int) and gap < 0:
        raise ShapeError("G021", f"a convolution of {n} elements with {m} has the longer vector first")
    return TensorType(dtype, (sizes[attrs["mode"]],))


def _lengths(types: Sequence[TensorType], attrs: Attrs) -> list[tuple[Dim, int]]:
    """Neither is empty, and where it matters the first is at least as long as the second."""
    n, m = types[0].shape[0], types[1].shape[0]
    return [(n, 1), (m, 1), *([] if attrs["mode"] == "full" else [(n - m, 0)])]


def _adjoint(e: Any, node: Node, ct: Node, i: int) -> Node:
    a, v = node.args
    if node["mode"] == "valid":
        if i == 0:
            return e.apply("convolve", ct, e.flip(v, 0), mode="full")  # type: ignore[no-any-return]
        return e.flip(e.apply("convolve", a, e.flip(ct, 0), mode="valid"), 0)  # type: ignore[no-any-return]
    whole = ct if node["mode"] == "full" else _middle(e, node, ct)
    return e.apply("convolve", whole, e.flip(node.args[1 - i], 0), mode="valid")  # type: ignore[no-any-return]


def _middle(e: Any, node: Node, ct: Node) -> Node:
    """The cotangent of the sums in the middle among those of all sums, which are 0."""
    n, m = (x.shape[0] for x in node.args)
    start = (m - 1) // 2
    place = Index((Range(start, start + n, 1, n, False),))
    return e.add_at(e.zeros((n + m - 1,), ct.type.dtype), ct, place)  # type: ignore[no-any-return]


def _rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    """The windows of the first argument, zeros around it, times the second one reversed."""
    (a, v), (size, m) = args, (arg.shape[0] for arg in node.args)
    last = a.type.rank - 1
    if node["mode"] != "valid":
        edge = e.zeros((*a.shape[:last], m - 1), a.type.dtype)
        a = e.joined("concatenate", [edge, a, edge], last)
    windows = e.apply("windows", a, axes=(last,), widths=(m,))
    flipped = e.flip(v, v.type.rank - 1)
    if has[1]:
        flipped = e.expand_dims(flipped, (2,))
        sums = e.squeeze(e.matmul(windows, flipped), (2,))
    else:
        sums = e.matmul(windows, flipped)
    start = (m - 1) // 2
    return e.between(sums, 1, start, start + size) if node["mode"] == "same" else sums  # type: ignore[no-any-return]


def _links(node: Node, operands: Operands, i: int) -> list[Link]:
    """A point for each product: of places a and v, at a + v among all sums; of a known vector, where it is not 0."""
    values = zip(operands.values, operands.shapes, strict=True)
    a, v = (np.arange(s[0]) if k == i or x is None else np.flatnonzero(x) for k, (x, s) in enumerate(values))
    if len(a) * len(v) > MAX_POINTS:
        return mixed(operands.shapes[i], operands.result, 1, 1)
    [size], m = operands.result, operands.shapes[1][0]
    start = {"full": 0, "same": (m - 1) // 2, "valid": m - 1}[node["mode"]]
    places = np.stack(np.meshgrid(a, v, indexing="ij")).reshape(2, -1)
    target = places.sum(axis=0) - start
    inside = (target >= 0) & (target < size)
    return [Link(places[i][inside], target[inside], size)]


def _text(types: Sequence[TensorType], attrs: Attrs) -> str:
    return "np.convolve(a, v)" if attrs["mode"] == "full" else "np.convolve(a, v, mode)"


OPS: list[Op] = [
    Op(
        "convolve",
        ("a", "v"),
        _convolved,
        _text,
        "Convolution of two vectors.",
        attrs=("mode",),
        spelling="convolve(a, v)",
        requires=_lengths,
        adjoint=_adjoint,
        batch=_rows,
        links=_links,
        traits=frozenset({"bilinear"}),
        cost=20.0,
        formula="da = the valid convolution of dy with v reversed, dv with a reversed",
        label="sums",
        exactness=exactness.SUM,
    )
]
