"""Reading and writing elements of traced arrays.

x[1:, 0]            a view            x[[0, 2]], x[i]      a copy
x[x > 0].sum()      what is chosen by a traced mask keeps its place until it is summed
x[x < 0] = 0        where(x < 0, 0, x)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from graphc.errors import ArgumentError, DtypeError, UnsupportedError
from graphc.expr import build
from graphc.expr.arguments import Weak, nodes
from graphc.expr.subscript import accumulate, assign, subscript
from graphc.frontends.numpy import masked
from graphc.frontends.numpy.sizes import TracedRange, TracedSize, number_of
from graphc.ir.dims import Size
from graphc.ir.node import Node
from graphc.ir.types import promote

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session
    from graphc.frontends.numpy.tracer import Tracer

Key = Any


def read(tracer: Tracer, key: Key) -> Any:
    """`tracer[key]`."""
    session = tracer.session
    array = tracer.array
    items = key if type(key) is tuple else (key,)
    if array is not None and not any(_traced(i) for i in items):
        return _read_known(tracer, array, key)
    mask = masked.mask_of(items)
    if mask is not None:
        return masked.read(tracer, items, mask)
    node = tracer.node
    found = session.attempt(lambda: _subscripted(tracer, node, items), [node, *_sizes(items)], "[]")
    if not _basic(items) or (found.type.rank == 0 and not any(i is Ellipsis for i in items)):
        return session.wrapped(found, contiguous=found.type.rank <= 1)
    return session.viewed(tracer, found)


def _read_known(tracer: Tracer, array: npt.NDArray[Any], key: Key) -> Any:
    result = array[_real_key(key)]
    if not isinstance(result, np.ndarray):
        return result
    if result.base is None or not np.may_share_memory(result, array):
        return tracer.session.known(result)
    found = _subscripted(tracer, tracer.node, key if type(key) is tuple else (key,))
    return tracer.session.viewed(tracer, found)


def _basic(items: Sequence[Any]) -> bool:
    """Whether an index gives a view: of integers, slices, `None` and `...`."""
    return all(
        i is None or i is Ellipsis or type(i) is slice or (isinstance(i, (int, np.integer)) and not _is_tracer(i))
        for i in items
    )


def _subscripted(tracer: Tracer, node: Node, items: Sequence[Any]) -> Node:
    positions = _positions(tracer, node, items)
    return subscript(node, positions, tracer.session.at_most)


def _sizes(items: Sequence[Any]) -> list[Size]:
    """The symbolic sizes in an index."""
    bounds = [b for i in items for b in ((i.start, i.stop) if type(i) is slice else (i,))]
    return [b.dim for b in bounds if type(b) is TracedSize]


def _traced(item: Any) -> bool:
    if type(item) is slice:
        return any(_traced(b) for b in (item.start, item.stop, item.step))
    if type(item) in (list, tuple):
        return any(_traced(i) for i in item)
    return type(item) in (TracedSize, TracedRange) or (_is_tracer(item) and item.array is None)


def _is_tracer(value: Any) -> bool:
    return hasattr(type(value), "__graphc_wrap__")


def _real_key(key: Any) -> Any:
    if type(key) is tuple:
        return tuple(_real_key(k) for k in key)
    return key.array if _is_tracer(key) else key


def _positions(tracer: Tracer, node: Node, items: Sequence[Any]) -> list[Any]:
    """The items of an index as `subscript` takes them; constant masks become positions."""
    found: list[Any] = []
    axis = 0
    free = node.type.rank - sum(_width(i) for i in items)
    for item in items:
        if type(item) is slice:
            found.append(_bounds(tracer, node, item, axis))
            axis += 1
        elif item is Ellipsis:
            found.append(item)
            axis += max(free, 0)
        elif item is None:
            found.append(item)
        else:
            entries = _entries(tracer, node, item, axis)
            found += entries
            axis += len(entries)
    return found


def _width(item: Any) -> int:
    """How many axes an item takes."""
    if item is None or item is Ellipsis:
        return 0
    array = item.array if _is_tracer(item) else item
    if isinstance(array, (np.ndarray, list)) and np.asarray(array).dtype == bool:
        return np.ndim(array)
    return 1


def _bounds(tracer: Tracer, node: Node, item: slice, axis: int) -> slice:
    """A slice with plain bounds. Where NumPy would shorten it, the size becomes the example's."""
    bounds = [_bound(tracer, b) for b in (item.start, item.stop, item.step)]
    size: Any = node.shape[axis] if axis < node.type.rank else 0
    decisions = tracer.session.decisions
    number = number_of(size, decisions.examples) if isinstance(size, Size) else None
    step = bounds[2]
    if number is not None:
        beyond = any(isinstance(b, int) and (b > number or b < -number) for b in bounds[:2])
        downward = isinstance(step, int) and step < 0 and any(b is not None for b in bounds[:2])
        if beyond or downward:
            decisions.number(size)
    return slice(*bounds)


def _bound(tracer: Tracer, bound: Any) -> Any:
    if type(bound) is TracedSize:
        return bound.dim
    if bound is None or type(bound) is int:
        return bound
    if isinstance(bound, (int, np.integer)) or _is_tracer(bound):
        try:
            return bound.__index__()
        except UnsupportedError as error:
            error.hint = "a slice between traced positions has no static size: use x[start + np.arange(k)]"
            raise
    raise TypeError("slice indices must be integers or None or have an __index__ method")


def _settle(tracer: Tracer, node: Node, position: int, axis: int) -> None:
    """A position that the example does not have makes the size the example's, which is then an error."""
    decisions = tracer.session.decisions
    size: Any = node.shape[axis] if axis < node.type.rank else 0
    number = number_of(size, decisions.examples) if isinstance(size, Size) else None
    if number is not None and not -number <= position < number:
        decisions.number(size)


def _entries(tracer: Tracer, node: Node, item: Any, axis: int) -> list[Any]:
    """One item that is no slice: a position, or arrays of positions."""
    if type(item) is TracedSize:
        return [item.dim]
    if type(item) is TracedRange:
        return [tracer.session.value(item)]
    if _is_tracer(item):
        array = item.array
        if array is None:
            return [tracer.session.value(item)]
        item = array
    if isinstance(item, (bool, np.bool_)):
        raise UnsupportedError("G040", "a truth value as an index", hint="write np.where(condition, a, b)")
    if isinstance(item, (int, np.integer)):
        _settle(tracer, node, int(item), axis)
        return [int(item)]
    if isinstance(item, (list, tuple)) and any(_traced(i) for i in item):
        return [nodes((tracer.session.value(list(item)),))[0]]
    array = np.asarray(item)
    if array.dtype == bool:
        return [tracer.session.value(positions) for positions in np.nonzero(array)]
    if array.dtype == object or array.dtype.kind not in "iu":
        if array.size == 0:
            return [tracer.session.value(array.astype(np.int64))]
        raise DtypeError("G030", f"an index is made of integers, not of {array.dtype.name}")
    return [int(array)] if array.ndim == 0 else [tracer.session.value(array.astype(np.int64))]


class Outside:
    """A real array, which stays what it is unless a position is traced."""

    __slots__ = ("array", "session")

    def __init__(self, session: Session, array: npt.NDArray[Any]) -> None:
        self.session, self.array = session, array

    def __getitem__(self, key: Key) -> Any:
        if not any(_traced(i) for i in (key if type(key) is tuple else (key,))):
            return self.array[_real_key(key)]
        return read(self.session.array(self.session.constant(self.array)), key)


# --- writing ---


def write(tracer: Tracer, key: Key, value: Any) -> None:
    """`tracer[key] = value`."""
    session = tracer.session
    if tracer.kind.name != "ARRAY":
        raise TypeError(f"'{tracer.dtype.name}' object does not support item assignment")
    items = key if type(key) is tuple else (key,)
    array = tracer.array
    if array is not None and not any(map(_traced, items)) and not _traced(value) and not masked.is_masked(value):
        session.attempt(tracer.buffer.check_writable)
        session.writing(tracer.buffer)
        array[_real_key(key)] = value.array if _is_tracer(value) else value
        tracer.buffer.touched()
        return
    mask = masked.mask_of(items)
    if mask is not None:
        new = session.attempt(lambda: masked.written(tracer, items, mask, value))
    else:
        node = tracer.node
        new = session.attempt(lambda: _assigned(tracer, node, items, value), [node, *_sizes(items)], "[] =")
    _store(tracer, new)


def _store(tracer: Tracer, new: Node) -> None:
    tracer.session.writing(tracer.buffer)
    tracer.session.attempt(lambda: tracer.buffer.write(tracer.path, new))
    tracer.session.written(tracer.buffer)


def _assigned(tracer: Tracer, node: Node, items: Sequence[Any], value: Any) -> Node:
    session = tracer.session
    positions = _positions(tracer, node, items)
    return assign(node, positions, stored(tracer, value), session.at_most)


def stored(tracer: Tracer, value: Any) -> Node:
    """A value in the dtype of the array that it is written to, as NumPy casts it."""
    session = tracer.session
    given = session.value(value)
    node = given if isinstance(given, Node) else given.node if isinstance(given, Weak) else None
    if node is None:
        node = nodes((given,))[0] if not isinstance(given, (bool, int, float)) else _number(given, tracer)
    return build.astype(node, tracer.dtype.name)


def _number(value: float, tracer: Tracer) -> Node:
    return build.literal(float(value) if tracer.dtype.kind == "f" else value, [tracer.dtype.name])


def add_at(tracer: Tracer, key: Key, value: Any) -> None:
    """`np.add.at(tracer, key, value)`: where an index repeats, values add up."""
    session = tracer.session
    items = key if type(key) is tuple else (key,)
    node = tracer.node
    new = session.attempt(
        lambda: accumulate(node, _positions(tracer, node, items), stored(tracer, value), session.at_most),
        [node],
        "add.at",
    )
    _store(tracer, new)


def cast_into(tracer: Tracer, result: Any) -> None:
    """`out=tracer` and `tracer += ...`: the result is cast where NumPy allows it."""
    dtype = result.dtype if hasattr(result, "dtype") else np.asarray(result).dtype
    if _is_tracer(result) and result.kind.name == "WEAK":
        dtype = np.dtype(promote(tracer.dtype.name)) if tracer.dtype.kind == "f" else dtype
    if not np.can_cast(dtype, tracer.dtype, "same_kind"):
        raise tracer.session.placed(
            ArgumentError(
                "G070",
                f"cannot cast {dtype.name} to {tracer.dtype.name} in place",
                hint="write x = x + y, which makes a new array of the wider dtype",
            )
        )
    write(tracer, Ellipsis, result)
