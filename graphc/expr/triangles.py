"""Diagonals and triangles of matrices.

    diag(v)     a matrix with v on its diagonal        diag(A)   the diagonal of A
    tril(A)     0 above the diagonal                   trace(A)  the sum of the diagonal

A diagonal is read with one index array in two places, `A[i, i]`, so its gradient is written there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import DtypeError, LimitError, ShapeError, UnsupportedError
from graphc.expr import build
from graphc.expr.arguments import Value, axis_number, describe, dim, dtype_of, flag, node, writable
from graphc.expr.ordering import lined
from graphc.expr.subscript import assign, subscript
from graphc.ir.dims import Dim, Size, minimum
from graphc.ir.leaf import const_node
from graphc.ir.node import Node
from graphc.ir.types import MAX_RANK, show_shape


def _offset(k: Value, name: str = "k") -> int:
    if isinstance(k, bool) or not isinstance(k, int):
        raise DtypeError("G030", f"`{name}` is an integer, not {describe(k)}")
    return k


def _places(n: Dim, m: Dim, offset: int) -> tuple[Node, Node]:
    """The rows and the columns of a diagonal of an (n, m) matrix."""
    count = minimum(n, m - offset) if offset >= 0 else minimum(n + offset, m)
    i = build.arange(max(0, count) if isinstance(count, int) else count)
    return (i, build.add(i, offset)) if offset > 0 else (build.add(i, -offset), i) if offset < 0 else (i, i)


def diagonal(x: Value, offset: Value = 0, axis1: Value = 0, axis2: Value = 1) -> Node:
    """The diagonal of two axes, as the last axis; `offset` counts to the right."""
    array = node(x)
    rank = array.type.rank
    first, second = axis_number(axis1, rank), axis_number(axis2, rank)
    if first == second:
        raise ShapeError("G022", "a diagonal takes two different axes")
    rest = tuple(a for a in range(rank) if a not in (first, second))
    moved = build.transpose(array, (*rest, first, second))
    rows, columns = _places(array.shape[first], array.shape[second], _offset(offset, "offset"))
    return subscript(moved, [..., rows, columns])


def trace(x: Value, offset: Value = 0, axis1: Value = 0, axis2: Value = 1, dtype: Value = None) -> Node:
    """The sum of the diagonal of two axes."""
    found = diagonal(x, offset, axis1, axis2)
    total = build.reduce("sum", build.astype(found, dtype_of(dtype, found.type.dtype)), (found.type.rank - 1,))
    return total


def diag(v: Value, k: Value = 0) -> Node:
    """The matrix with `v` on its k-th diagonal; of a matrix, its k-th diagonal."""
    array = node(v)
    if array.type.rank == 2:
        return diagonal(array, k)
    if array.type.rank != 1:
        raise ShapeError("G021", f"diag takes a vector or a matrix, not {show_shape(array.shape)}")
    size = array.shape[0] + abs(_offset(k))
    rows, columns = _places(size, size, k)
    return assign(build.zeros((size, size), array.type.dtype), [rows, columns], array)


def diagflat(v: Value, k: Value = 0) -> Node:
    """The matrix with all elements of `v` on its k-th diagonal."""
    return diag(lined(v, None)[0], k)


def fill_diagonal(a: Value, val: Value, wrap: Value = False) -> Node:
    """`a` with `val` on its main diagonal. NumPy's function writes into `a`; this one returns the new array."""
    array = node(a)
    if array.type.rank < 2:
        raise ShapeError("G021", f"an array of two axes or more has a diagonal, not {show_shape(array.shape)}")
    if flag(wrap, "wrap"):
        raise UnsupportedError("G040", "fill_diagonal does not wrap", hint="write several diagonals")
    if array.type.rank == 2:
        rows, columns = _places(array.shape[0], array.shape[1], 0)
        return assign(array, [rows, columns], val)
    if len(set(array.shape)) > 1:
        raise ShapeError("G021", f"the sizes of {show_shape(array.shape)} must be equal")
    return assign(array, [build.arange(array.shape[0])] * array.type.rank, val)


def _triangle(name: str, m: Value, k: Value) -> Node:
    array = node(m)
    if array.type.rank == 1:
        array = build.broadcast_to(array, (array.shape[0], *array.shape))
    return build.apply(name, array, k=_offset(k))


def tril(m: Value, k: Value = 0) -> Node:
    """The entries on and below the k-th diagonal, and 0 above it."""
    return _triangle("tril", m, k)


def triu(m: Value, k: Value = 0) -> Node:
    """The entries on and above the k-th diagonal, and 0 below it."""
    return _triangle("triu", m, k)


def tri(N: Value, M: Value = None, k: Value = 0, dtype: Value = None) -> Node:
    """Ones on and below the k-th diagonal, and zeros above it."""
    rows, columns = dim(N), dim(N if M is None else M)
    return build.apply("tril", build.ones((rows, columns), dtype_of(dtype, "float64")), k=_offset(k))


def _indices_of(name: str, n: Value, k: Value, m: Value) -> tuple[Node, ...]:
    rows, columns = dim(n), dim(n if m is None else m)
    if isinstance(rows, Size) or isinstance(columns, Size):
        raise UnsupportedError(
            "G040",
            f"how many entries a triangle of {rows} rows has is not known",
            hint=f"declare the size as a number, or select by zeros: {name[:4]}(x)",
        )
    writable(rows * columns, "entries of a matrix")
    found = getattr(np, name)(rows, _offset(k), columns)
    return tuple(const_node(i, "int64") for i in found)


def tril_indices(n: Value, k: Value = 0, m: Value = None) -> tuple[Node, ...]:
    """Rows and columns of the entries on and below the k-th diagonal, for a known size."""
    return _indices_of("tril_indices", n, k, m)


def triu_indices(n: Value, k: Value = 0, m: Value = None) -> tuple[Node, ...]:
    """Rows and columns of the entries on and above the k-th diagonal, for a known size."""
    return _indices_of("triu_indices", n, k, m)


def tril_indices_from(arr: Value, k: Value = 0) -> tuple[Node, ...]:
    """`tril_indices` for a matrix."""
    n, m = _matrix(arr)
    return tril_indices(n, k, m)


def triu_indices_from(arr: Value, k: Value = 0) -> tuple[Node, ...]:
    """`triu_indices` for a matrix."""
    n, m = _matrix(arr)
    return triu_indices(n, k, m)


def _matrix(arr: Value) -> tuple[Dim, ...]:
    shape = node(arr).shape
    if len(shape) != 2:
        raise ShapeError("G021", f"a matrix has two axes, not {show_shape(shape)}")
    return shape


def diag_indices(n: Value, ndim: Value = 2) -> tuple[Node, ...]:
    """One index array for each of `ndim` axes: together they are the main diagonal."""
    axes = _offset(ndim, "ndim")
    if not 0 <= axes <= MAX_RANK:
        raise LimitError("G003", f"an array has at most {MAX_RANK} axes")
    return (build.arange(dim(n)),) * axes


TABLE: dict[str, Callable[..., Any]] = {
    "diag": diag,
    "diagflat": diagflat,
    "diagonal": diagonal,
    "trace": trace,
    "fill_diagonal": fill_diagonal,
    "tril": tril,
    "triu": triu,
    "tri": tri,
    "tril_indices": tril_indices,
    "triu_indices": triu_indices,
    "tril_indices_from": tril_indices_from,
    "triu_indices_from": triu_indices_from,
    "diag_indices": diag_indices,
}
