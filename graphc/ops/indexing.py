"""Reading and adding at an index. Where an index repeats, gradients add.

`getitem` and `add_at` are adjoints of each other: what one reads, the other adds to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import DtypeError, ShapeError
from graphc.ir.dims import Dim, Size
from graphc.ir.index import Array, Index, Range
from graphc.ir.node import Node
from graphc.ir.op import Attrs, Helper, Op
from graphc.ir.types import TensorType, broadcast, show_shape


def indexed_shape(shape: tuple[Dim, ...], index: Index, arrays: Sequence[TensorType]) -> tuple[Dim, ...]:
    """The shape of `x[index]`, by NumPy's rules for basic and advanced indexing."""
    for array in arrays:
        if array.dtype not in ("int64", "int32"):
            raise DtypeError(
                "G030",
                f"an index array must hold integers, not {array}",
                hint="use where(mask, x, 0) to select by a condition",
            )
    wanted = sum(entry is not None for entry in index.entries)
    if wanted != len(shape):
        raise ShapeError("G022", f"too many indices: {wanted} for the shape {show_shape(shape)}")
    common = broadcast(*(a.shape for a in arrays)) if arrays else ()
    basic: list[Dim] = []
    place: int | None = None
    split = gap = False
    axis = 0
    for entry in index.entries:
        advanced = isinstance(entry, Array) or (arrays and _is_position(entry))
        if advanced:
            split = split or (place is not None and gap)
            place = len(basic) if place is None else place
        else:
            gap = place is not None
            if entry is None:
                basic.append(1)
            elif isinstance(entry, Range):
                basic.append(entry.count)
        axis += entry is not None
    if not arrays:
        return tuple(basic)
    at = 0 if split else place or 0
    return (*basic[:at], *common, *basic[at:])


def _is_position(entry: Any) -> bool:
    return isinstance(entry, (int, Size))


def _getitem(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return types[0].with_shape(indexed_shape(types[0].shape, attrs["index"], types[1:]))


def _add_at(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    base, value = types[0], types[1]
    if indexed_shape(base.shape, attrs["index"], types[2:]) != value.shape:
        raise ShapeError(
            "G021", f"cannot add {show_shape(value.shape)} at {attrs['index']} of {show_shape(base.shape)}"
        )
    return base


def _bounds(types: Sequence[TensorType], attrs: Attrs) -> list[tuple[Dim, int]]:
    """The sizes that fixed positions and fixed stops need."""
    needed: list[tuple[Dim, int]] = []
    axis = 0
    for entry in attrs["index"].entries:
        if entry is None:
            continue
        dim = types[0].shape[axis]
        axis += 1
        if isinstance(dim, int):
            continue
        if isinstance(entry, int):
            needed.append((dim, entry + 1))
        elif isinstance(entry, Size):
            needed.append((entry, 0))
        elif isinstance(entry, Range) and entry.count != dim:  # a reversed axis may be empty
            needed += [(entry.count, 0), (entry.start, 0)]
            if isinstance(entry.stop, int):
                needed.append((dim, entry.stop))
    return needed


def unique(index: Index, arrays: Sequence[Node]) -> bool:
    """Whether no element can be addressed twice: by position, or because one index array counts them all."""
    common = broadcast(*(a.shape for a in arrays)) if arrays else ()
    return not arrays or any(a.op.name == "arange" and a.shape == common for a in arrays)


_ADD_AT = Helper(
    "_add_at",
    array='''def _add_at(base: Array, index: object, value: Array) -> Array:
    """A copy of `base` with `value` added at `index`; repeats add up."""
    out = base.copy()
    np.add.at(out, index, value)  # type: ignore[arg-type]
    return out
''',
)


def _update(node: Node) -> str:
    if unique(node["index"], node.args[2:]):
        return "base[index] += value"
    entries = list(node["index"].entries)
    while isinstance(entries[-1], Range) and entries[-1].whole:  # not written
        entries.pop()
    sliced = any(isinstance(e, Range) for e in entries)
    return "np.add.at(base, np.s_[index], value)" if sliced else "np.add.at(base, index, value)"


def _adjoint_of_read(e: Any, node: Node, ct: Node, i: int) -> Node | None:
    if i > 0:
        return None
    x = node.args[0]
    return e.add_at(e.zeros(x.shape, ct.type.dtype), ct, node["index"], node.args[1:])  # type: ignore[no-any-return]


def _adjoint_of_add(e: Any, node: Node, ct: Node, i: int) -> Node | None:
    if i == 0:
        return ct
    return e.getitem(ct, node["index"].entries, node.args[2:]) if i == 1 else None


OPS: list[Op] = [
    Op(
        "getitem",
        ("x", "*arrays"),
        _getitem,
        "x[index]",
        "Read at an index.",
        attrs=("index",),
        spelling="x[index]",
        requires=_bounds,
        adjoint=_adjoint_of_read,
        traits=frozenset({"linear", "view"}),
        cost=0.5,
        formula="dx[index] += dy",
    ),
    Op(
        "add_at",
        ("base", "value", "*arrays"),
        _add_at,
        "_add_at(base, index, value)",
        "Add at an index; repeats add up.",
        attrs=("index",),
        helpers=(_ADD_AT,),
        update=_update,
        spelling="add_at(base, index, value)",
        requires=_bounds,
        adjoint=_adjoint_of_add,
        traits=frozenset({"linear"}),
        cost=2.0,
        formula="dbase = dy, dvalue = dy[index]",
    ),
]
