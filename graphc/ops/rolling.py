"""Arrays that go round, and arrays whose size is known better than their type says.

    roll([a, b, c], 1)      [c, a, b]
    sized(x, 0, 2 * m)      x, after a check that its first axis, of n, has 2 * m elements

Both only move or rename what is there; the adjoint moves it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ir.dims import Dim
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType


def _rolled_back(e: Any, node: Node, ct: Node, i: int) -> Node:
    return e.apply("roll", ct, shift=-1 * node["shift"], axis=node["axis"])  # type: ignore[no-any-return]


def _same(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return types[0]


def _sized(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    shape = types[0].shape
    return types[0].with_shape((*shape[: attrs["axis"]], attrs["size"], *shape[attrs["axis"] + 1 :]))


def _equal_sizes(types: Sequence[TensorType], attrs: Attrs) -> list[tuple[Dim, int]]:
    gap = attrs["size"] - types[0].shape[attrs["axis"]]
    return [(gap, 0), (-1 * gap, 0)]


def _sized_back(e: Any, node: Node, ct: Node, i: int) -> Node:
    return e.apply("sized", ct, axis=node["axis"], size=node.args[0].shape[node["axis"]])  # type: ignore[no-any-return]


OPS: list[Op] = [
    Op(
        "roll",
        ("x",),
        _same,
        lambda types, attrs: "np.roll(x, shift)" if types[0].rank == 1 else "np.roll(x, shift, axis=axis)",
        "The elements moved along an axis; what leaves at one end comes in at the other.",
        attrs=("shift", "axis"),
        spelling="roll(x, shift, axis)",
        adjoint=_rolled_back,
        traits=frozenset({"linear", "moves"}),
        cost=1.0,
        formula="dx = dy, rolled back",
        label="rolled",
    ),
    Op(
        "sized",
        ("x",),
        _sized,
        "x",
        "The same array, one axis of which is known to have another size: that is checked.",
        attrs=("axis", "size"),
        spelling="x",
        requires=_equal_sizes,
        adjoint=_sized_back,
        traits=frozenset({"linear", "moves", "view"}),
        cost=0.0,
        formula="dx = dy",
    ),
]
