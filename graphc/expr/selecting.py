"""Elements chosen by position or by condition.

    take_along_axis(x, argsort(x), 0)      choose(i, (a, b))       select([x < 0, x > 1], [a, b])
    compress([True, False, True], x, 0)    piecewise(x, [x < 0], [f, g])

How many elements a result has must be known when the model is compiled, so conditions that make an
array shorter are constants; `select`, `piecewise` and `where` keep the shape and take any condition.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from graphc.errors import DtypeError, LimitError, ShapeError
from graphc.expr import build
from graphc.expr.arguments import Value, describe, node, nodes, sequence
from graphc.expr.constants import constant
from graphc.expr.ordering import lined
from graphc.expr.subscript import assign, subscript
from graphc.ir.dims import MAX_SIZE, Dim
from graphc.ir.leaf import const_node, size_node
from graphc.ir.node import Node
from graphc.ir.types import broadcast, show_shape

MAX_CHOICES = 64  # as in NumPy

# --- by position ---


def take(x: Value, indices: Value, axis: Value = None, *, mode: Value = "raise") -> Node:
    """Elements at integer positions along an axis; by default of the flattened array."""
    array, place = lined(x, axis)
    if mode != "raise":
        indices = _inside(node(indices), array.shape[place], mode)
    return subscript(array, [*[slice(None)] * place, indices])


def _inside(positions: Node, size: Dim, mode: Value) -> Node:
    """Positions brought into 0 to size - 1, by clipping or going round."""
    if mode not in ("clip", "wrap"):
        raise DtypeError("G030", f'`mode` is "raise", "clip" or "wrap", not {describe(mode)}')
    if mode == "clip":
        kind = positions.type.dtype
        return build.apply("minimum", build.apply("maximum", positions, 0), size_node(size - 1, kind))
    return build.apply("mod", positions, size_node(size, positions.type.dtype))


def take_along_axis(arr: Value, indices: Value, axis: Value = -1) -> Node:
    """For each position of `indices` the element that it names along an axis: take_along_axis(x, argsort(x), -1)."""
    array, items = _along(arr, indices, axis)
    return subscript(array, items)


def put_along_axis(arr: Value, indices: Value, values: Value, axis: Value) -> Node:
    """`arr` with values at those positions. NumPy's function writes into `arr`; this one returns the new array."""
    array, items = _along(arr, indices, axis)
    written = assign(array, items, values)
    return build.reshape(written, node(arr).shape)


def _along(arr: Value, indices: Value, axis: Value) -> tuple[Node, list[Node]]:
    """The array, and index arrays that count the other axes."""
    array, place = lined(arr, axis)
    positions, rank = node(indices), array.type.rank
    if positions.type.rank != rank:
        raise ShapeError("G021", f"positions {show_shape(positions.shape)} do not fit {show_shape(array.shape)}")
    items = []
    for a, (size, here) in enumerate(zip(array.shape, positions.shape, strict=True)):
        if a == place:
            items.append(positions)
            continue
        count = build.arange(size) if size != 1 or here == 1 else build.zeros((1,), "int64")
        items.append(build.reshape(count, (*[1] * a, size, *[1] * (rank - a - 1))))
    return array, items


def choose(a: Value, choices: Value, *, mode: Value = "raise") -> Node:
    """For each element of the integers `a` the element of that one of `choices`."""
    positions, arrays = node(a), sequence(choices, "choose")
    if len(arrays) > MAX_CHOICES:
        raise LimitError("G003", f"`choose` takes at most {MAX_CHOICES} choices")
    if mode != "raise":
        positions = _inside(positions, len(arrays), mode)
    shape = broadcast(positions.shape, *(c.shape for c in arrays))
    stacked = build.joined("stack", [build.broadcast_to(c, shape) for c in arrays], 0)
    wide = build.broadcast_to(positions, shape)
    grid = [build.reshape(build.arange(d), (*[1] * k, d, *[1] * (len(shape) - k - 1))) for k, d in enumerate(shape)]
    return subscript(stacked, [wide, *grid])


def unravel_index(indices: Value, shape: Value) -> tuple[Node, ...]:
    """One index array for each axis, from known positions in the flattened array."""
    positions, sizes = constant(indices, "a position"), constant(shape, "a shape").tolist()
    if positions.size and not 0 <= positions.min() <= positions.max() < math.prod(sizes):
        raise ShapeError("G022", f"a position is outside an array of the shape {tuple(sizes)}")
    if math.prod(sizes) > MAX_SIZE:
        raise LimitError("G003", "an array has fewer than 2**63 elements")
    found = np.unravel_index(positions, sizes)
    return tuple(const_node(i, "int64") for i in found)


# --- by condition ---


def compress(condition: Value, a: Value, axis: Value = None) -> Node:
    """The elements along an axis where a known condition is true."""
    return take(a, _true(condition), axis)


def extract(condition: Value, arr: Value) -> Node:
    """The elements of the flattened array where a known condition is true."""
    return take(arr, _true(constant(condition, "a condition").ravel().tolist()))


def _true(condition: Value) -> Node:
    mask = constant(condition, "a condition")
    if mask.ndim != 1:
        raise ShapeError("G021", f"a condition along an axis is a vector, not {mask.shape}")
    return const_node(mask.nonzero()[0], "int64")


def nonzero(a: Value) -> tuple[Node, ...]:
    """Where a known array is not 0: one index array for each axis."""
    return tuple(const_node(i, "int64") for i in _places(a))


def flatnonzero(a: Value) -> Node:
    """Where a known array, flattened, is not 0."""
    return const_node(constant(a, "what is searched for elements that are not 0").ravel().nonzero()[0], "int64")


def argwhere(a: Value) -> Node:
    """Where a known array is not 0: one row for each element."""
    return const_node(np.argwhere(constant(a, "what is searched for elements that are not 0")), "int64")


def _places(a: Value) -> tuple[npt.NDArray[Any], ...]:
    value = constant(a, "what is searched for elements that are not 0")
    if value.ndim == 0:
        raise ShapeError("G021", "nonzero takes an array, not a number")
    return value.nonzero()


def select(condlist: Value, choicelist: Value, default: Value = 0) -> Node:
    """For each element the first choice whose condition is true, else the default."""
    conditions = [node(c) for c in condlist]
    if len(conditions) != len(choicelist) or not conditions:
        raise ShapeError("G021", "select takes one choice for each condition, and at least one")
    *choices, result = nodes((*choicelist, default))
    for c, chosen in zip(reversed(conditions), reversed(choices), strict=True):
        result = build.where(_mask(c), chosen, result)
    return result


def _mask(condition: Node) -> Node:
    if condition.type.dtype != "bool":
        raise DtypeError("G030", f"a condition is bool, not {condition.type}")
    return condition


def piecewise(x: Value, condlist: Value, funclist: Value) -> Node:
    """Numbers or functions of `x`, each where its condition is true; one more is for where none is."""
    array = node(x)
    given = condlist if isinstance(condlist, (tuple, list)) else [condlist]
    conditions, functions = [node(c) for c in given], list(funclist)
    if len(functions) == len(conditions):
        functions.append(0)
    if len(functions) != len(conditions) + 1:
        raise ShapeError("G021", "piecewise takes one function for each condition, and one more at most")
    result = _piece(functions[-1], array)
    for c, f in zip(conditions, functions, strict=False):  # where several are true NumPy takes the last
        result = build.where(_mask(c), _piece(f, array), result)
    return result


def _piece(f: Any, x: Node) -> Node:
    value = nodes((x, f(x) if callable(f) else f))[1]
    return build.broadcast_to(build.astype(value, x.type.dtype), x.shape)


TABLE: dict[str, Callable[..., Any]] = {
    "take": take,
    "take_along_axis": take_along_axis,
    "put_along_axis": put_along_axis,
    "choose": choose,
    "unravel_index": unravel_index,
    "compress": compress,
    "extract": extract,
    "nonzero": nonzero,
    "flatnonzero": flatnonzero,
    "argwhere": argwhere,
    "select": select,
    "piecewise": piecewise,
}
