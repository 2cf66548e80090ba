"""Products of two arrays over named axes: what no matrix product, sum or transpose says.

    einsum("bi,bi->b", x, y)   ->   dx = dz[:, None] * y

`expr/contraction.py` splits an einsum of any number of arrays into products of two and makes matrix
products of those that are; the op is for the rest, such as a dot product for each row.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any, NamedTuple

from graphc.errors import DtypeError, ShapeError
from graphc.ir.dims import Dim
from graphc.ir.links import Link, Operands, product
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType, promote, show_shape
from graphc.ops import exactness


class Subscripts(NamedTuple):
    """The names of the axes of two arrays and of the result: one letter an axis, each once an array."""

    left: str
    right: str
    out: str

    @staticmethod
    def of(text: str) -> Subscripts:
        operands, _, out = text.partition("->")
        left, _, right = operands.partition(",")
        return Subscripts(left, right, out)

    def __str__(self) -> str:
        return f"{self.left},{self.right}->{self.out}"


def _einsum_type(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    names = Subscripts.of(attrs["subscripts"])
    a, b = types
    if len(names.left) != a.rank or len(names.right) != b.rank:
        raise ShapeError("G021", f"{names} does not name the axes of {show_shape(a.shape)} and {show_shape(b.shape)}")
    sizes: dict[str, Dim] = dict(zip(names.left, a.shape, strict=True))
    for name, size in zip(names.right, b.shape, strict=True):
        if sizes.setdefault(name, size) != size:
            error = ShapeError("G021", f"the axis {name} of {names} has the sizes {sizes[name]} and {size}")
            raise error.between(sizes[name], size)
    alone = [n for n in sizes if (n in names.left) != (n in names.right) and n not in names.out]
    if alone or set(names.out) - set(sizes):
        raise ShapeError("G021", f"{names} is no product of two arrays", hint="sum the axes of one array first")
    dtype = promote(a.dtype, b.dtype)
    if dtype == "bool":
        raise DtypeError("G030", "a sum of products needs numbers, and was given booleans")
    return TensorType(dtype, tuple(sizes[n] for n in names.out))


def _einsum(e: Any, node: Node, ct: Node, i: int) -> Node:
    names = Subscripts.of(node["subscripts"])
    wanted, given = (names.left, names.right) if i == 0 else (names.right, names.left)
    other = node.args[1 - i]
    if set(names.out + given) <= set(wanted):
        return e.multiply(e.aligned(ct, names.out, wanted), e.aligned(other, given, wanted))  # type: ignore[no-any-return]
    return e.apply("einsum", ct, other, subscripts=str(Subscripts(names.out, given, wanted)))  # type: ignore[no-any-return]


def _einsum_rows(e: Any, node: Node, args: Sequence[Node], has: Sequence[bool], n: Dim) -> Node:
    """One name more, in front of what has the new axis."""
    names = Subscripts.of(node["subscripts"])
    new = next(c for c in string.ascii_letters if c not in str(names))
    left, right = (new * h + own for own, h in zip(names[:2], has, strict=True))
    return e.apply("einsum", *args, subscripts=str(Subscripts(left, right, new + names.out)))  # type: ignore[no-any-return]


def _einsum_links(node: Node, operands: Operands, i: int) -> list[Link]:
    left, right, out = Subscripts.of(node["subscripts"])
    return product((left, right), out, operands, i)


OPS: list[Op] = [
    Op(
        "einsum",
        ("a", "b"),
        _einsum_type,
        "np.einsum(subscripts, a, b)",
        "Sums of products over axes with names.",
        attrs=("subscripts",),
        spelling="einsum(subscripts, a, b)",
        adjoint=_einsum,
        batch=_einsum_rows,
        links=_einsum_links,
        traits=frozenset({"bilinear"}),
        cost=20.0,
        formula="da = einsum(dy, b) over the other names",
        label="prod",
        exactness=exactness.SUM,
    ),
]
