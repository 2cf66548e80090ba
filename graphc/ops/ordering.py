"""Sorting and what is found by order: positions, counts.

    x = [3, 1, 2]     sort(x) = [1, 2, 3]     argsort(x) = [1, 2, 0]

A sorted array is the array read in the order of a permutation, and so is the cotangent on the way
back, in the order of the inverse permutation: argsort(argsort(x)). Equal elements keep their order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphc.errors import DtypeError, ShapeError
from graphc.ir.dims import Dim
from graphc.ir.index import Array, Index
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Helper, Op
from graphc.ir.types import TensorType, show_shape
from graphc.ops import exactness
from graphc.ops.reduction import reduced_shape

_INTEGERS = ("int64", "int32")


def _same(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return types[0]


def _positions(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return types[0].with_dtype("int64")


def _integers(what: str, type: TensorType) -> None:
    if type.dtype not in _INTEGERS:
        raise DtypeError("G030", f"{what} must be integers, not {type}")


def _vector(what: str, type: TensorType) -> None:
    if type.rank != 1:
        raise ShapeError("G021", f"{what} must be a vector, not an array {show_shape(type.shape)}")


def _permuted(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    x, order = types
    _integers("an order", order)
    if x.shape != order.shape:
        raise ShapeError("G021", f"an order of {show_shape(order.shape)} does not fit {show_shape(x.shape)}")
    return x


def _place(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    axes = tuple(range(types[0].rank)) if attrs["axis"] is None else (attrs["axis"],)
    return TensorType("int64", reduced_shape(types[0].shape, axes, attrs["keepdims"]))


def _some(types: Sequence[TensorType], attrs: Attrs) -> list[tuple[Dim, int]]:
    axis = attrs["axis"]
    return [(types[0].size if axis is None else types[0].shape[axis], 1)]


def _places(types: Sequence[TensorType], attrs: Attrs) -> list[tuple[Dim, int]]:
    """The positions lie inside the axis."""
    size, kth = types[0].shape[attrs["axis"]], attrs["kth"]
    found: list[tuple[Dim, int]] = []
    for k in kth if isinstance(kth, tuple) else (kth,):
        found += [(k, 0), (size - k, 1)]
    return found


def _searched(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    _vector("what is searched", types[0])
    return types[1].with_dtype("int64")


def _binned(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    _vector("the edges of bins", types[1])
    return types[0].with_dtype("int64")


def _counted(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    x, weights = types
    _vector("what is counted", x)
    _integers("what is counted", x)
    if weights.shape != x.shape:
        raise ShapeError("G021", f"{show_shape(weights.shape)} weights do not fit {show_shape(x.shape)}")
    if not weights.is_float:
        raise DtypeError("G030", f"weights must be floating-point, not {weights}")
    return TensorType(weights.dtype, (attrs["n"],))


def _along(call: str, more: str = "") -> Callable[[Sequence[TensorType], Attrs], str]:
    """The text of a call along an axis, which is not written where it is the last."""

    def text(types: Sequence[TensorType], attrs: Attrs) -> str:
        axis = "" if attrs["axis"] == types[0].rank - 1 else ", axis=axis"
        return f"{call}{axis}{more})"

    return text


def _sort(e: Any, node: Node, ct: Node, i: int) -> Node:
    order = e.apply("argsort", node.args[0], axis=node["axis"])
    return _back(e, ct, order, node["axis"])


def _back(e: Any, ct: Node, order: Node, axis: int) -> Node:
    return e.apply("permute", ct, e.apply("argsort", order, axis=axis), axis=axis)  # type: ignore[no-any-return]


def _permute(e: Any, node: Node, ct: Node, i: int) -> Node | None:
    return _back(e, ct, node.args[1], node["axis"]) if i == 0 else None


def _bincount(e: Any, node: Node, ct: Node, i: int) -> Node | None:
    return e.getitem(ct, (Array(0),), (node.args[0],)) if i == 1 else None


def _bincount_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node | None:
    if has[0]:
        return None
    x, weights = args
    return e.add_at(e.zeros((n, *node.shape), node.type.dtype), weights, Index((e.whole(n), Array(0))), (x,))  # type: ignore[no-any-return]


_BINCOUNT = Helper(
    "_bincount",
    array='''def _bincount(x: IntArray, weights: Array, n: int) -> Array:
    """For each integer below n the sum of the weights where x is that integer."""
    if x.size and not 0 <= x.min() <= x.max() < n:
        raise ValueError(f"bincount: every element must be from 0 to {n - 1}")
    return np.bincount(x, weights, n).astype(weights.dtype)
''',
)


def _place_text(name: str) -> Callable[[Sequence[TensorType], Attrs], str]:
    def text(types: Sequence[TensorType], attrs: Attrs) -> str:
        axis = "" if attrs["axis"] is None or types[0].rank == 1 else ", axis=axis"
        keep = ", keepdims=True" if attrs["keepdims"] else ""
        return _counting(f"{name}(x{axis}{keep})", _place(types, attrs))

    return text


def _counting(call: str, result: TensorType) -> str:
    """A single position as Python's int: NumPy's is none for a type checker."""
    return call if result.rank or not call.startswith("np.") else f"int({call})"


def _searchsorted_text(types: Sequence[TensorType], attrs: Attrs) -> str:
    side = "" if attrs["side"] == "left" else ", side=side"
    return _counting(f"np.searchsorted(a, v{side})", types[1])


def _digitize_text(types: Sequence[TensorType], attrs: Attrs) -> str:
    right = ", right=True" if attrs["right"] else ""
    return _counting(f"np.digitize(x, bins{right})", types[0])


def _search(name: str, doc: str) -> Op:
    return Op(
        name,
        ("x",),
        _place,
        _place_text(f"np.{name}"),
        doc,
        attrs=("axis", "keepdims"),
        spelling=_place_text(name),
        requires=_some,
        conventions="the first of equal ones",
        label="best",
    )


OPS: list[Op] = [
    Op(
        "sort",
        ("x",),
        _same,
        _along("np.sort(x"),
        "The elements in ascending order along an axis.",
        attrs=("axis",),
        spelling=_along("sort(x"),
        adjoint=_sort,
        cost=30.0,
        formula="dx = dy in the order of argsort(argsort(x))",
        label="ordered",
        conventions="equal elements keep their order, and pass the derivative on in it",
    ),
    Op(
        "argsort",
        ("x",),
        _positions,
        _along("np.argsort(x", ', kind="stable"'),
        "The positions that put the elements in ascending order; equal elements keep theirs.",
        attrs=("axis",),
        spelling=_along("argsort(x"),
        cost=60.0,
        label="order",
    ),
    Op(
        "argpartition",
        ("x",),
        _positions,
        _along("np.argpartition(x, kth"),
        "Positions that put the `kth` smallest element in its place, the smaller ones before it.",
        attrs=("kth", "axis"),
        requires=_places,
        spelling=_along("argpartition(x, kth"),
        cost=20.0,
        label="order",
    ),
    Op(
        "permute",
        ("x", "order"),
        _permuted,
        lambda types, attrs: "x[order]" if types[0].rank == 1 else "np.take_along_axis(x, order, axis)",
        "The elements in the order of a permutation along an axis.",
        attrs=("axis",),
        adjoint=_permute,
        traits=frozenset({"linear", "moves"}),
        cost=3.0,
        formula="dx = dy in the order of argsort(order)",
        label="ordered",
    ),
    _search("argmax", "The position of the largest element."),
    _search("argmin", "The position of the smallest element."),
    Op(
        "searchsorted",
        ("a", "v"),
        _searched,
        _searchsorted_text,
        "Where in the sorted vector `a` each element of `v` belongs.",
        attrs=("side",),
        spelling="searchsorted(a, v)",
        cost=20.0,
        label="place",
    ),
    Op(
        "digitize",
        ("x", "bins"),
        _binned,
        _digitize_text,
        "The number of the bin that holds each element; the edges ascend or descend.",
        attrs=("right",),
        spelling="digitize(x, bins)",
        cost=20.0,
        label="place",
    ),
    Op(
        "bincount",
        ("x", "weights"),
        _counted,
        "_bincount(x, weights, n)",
        "For each integer below n the sum of the weights where x is that integer.",
        attrs=("n",),
        helpers=(_BINCOUNT,),
        adjoint=_bincount,
        batch=_bincount_rows,
        cost=3.0,
        formula="dweights = dy[x]",
        label="counts",
        exactness=exactness.SUM,
    ),
]
