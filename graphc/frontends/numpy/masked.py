"""What a traced mask chooses: x[x > 0].

How many elements that are is not known, so no array can hold them. They stay where they are, with
the mask beside them: arithmetic goes on element by element, reductions leave the others out.

    np.log(p[p > 0]).sum()      sum(where(p > 0, log(p), 0))
    x[x < 0] *= 0.1             x = where(x < 0, x * 0.1, x)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import UnsupportedError
from graphc.expr import build
from graphc.expr.subscript import assign
from graphc.frontends.numpy import indexing
from graphc.ir.node import Node

if TYPE_CHECKING:
    from graphc.frontends.numpy.tracer import Tracer

_HINT = "the number of chosen elements is not known before the code runs: write np.where(mask, x, 0)"
_NEUTRAL = {"sum": 0.0, "prod": 1.0, "max": -np.inf, "min": np.inf}


class Masked:
    """Elements chosen by a mask.

    full: all elements.  mask: which are meant, of a shape that broadcasts to that of `full`.
    axes: the axes of `full` that the mask covers; in the result they are one.
    """

    __slots__ = ("axes", "full", "mask")
    __array_priority__ = 2000.0

    def __init__(self, full: Tracer, mask: Tracer, axes: tuple[int, ...]) -> None:
        self.full = full
        self.mask = mask
        self.axes = axes

    @property
    def dtype(self) -> Any:
        return self.full.dtype

    @property
    def ndim(self) -> int:
        return self.full.ndim - len(self.axes) + 1

    @property
    def size(self) -> Any:
        return np.broadcast_to(self.mask, self.full.shape).sum()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method != "__call__" or keywords.get("out") is not None:
            raise self._error(f"np.{ufunc.__name__}.{method} of what a traced mask chooses")
        full = [self._aligned(x) for x in inputs]
        return Masked(self.full.session.ufunc(ufunc, method, full, keywords), self.mask, self.axes)

    def _aligned(self, x: Any) -> Any:
        """The whole array behind an operand."""
        if type(x) is Masked:
            if x.mask.node is not self.mask.node:
                raise self._error("an operation on what two different traced masks choose")
            return x.full
        if np.ndim(x) > 0:
            raise self._error("an operation on another array and what a traced mask chooses")
        return x

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        name = {"amax": "max", "amin": "min"}.get(function.__name__, function.__name__)
        if args and type(args[0]) is Masked and hasattr(Masked, name):
            return getattr(args[0], name)(*args[1:], **keywords)
        raise self._error(f"np.{function.__name__} of what a traced mask chooses")

    def _error(self, what: str) -> Exception:
        return self.full.session.placed(UnsupportedError("G043", what, hint=_HINT))

    def _reduced(self, name: str, axis: int | None = None, **keywords: Any) -> Any:
        axes = None if axis is None else self._axes(axis)
        fill = np.asarray(_NEUTRAL[name]).astype(self.dtype) if self.dtype.kind == "f" else int(name == "prod")
        return getattr(np.where(self.mask, self.full, fill), name)(axis=axes, **keywords)

    def _axes(self, axis: int) -> tuple[int, ...]:
        place = axis % self.ndim
        first = self.axes[0]
        if place == first:
            return self.axes
        return (place if place < first else place + len(self.axes) - 1,)

    def sum(self, axis: int | None = None, **keywords: Any) -> Any:
        return self._reduced("sum", axis, **keywords)

    def prod(self, axis: int | None = None, **keywords: Any) -> Any:
        return self._reduced("prod", axis, **keywords)

    def max(self, axis: int | None = None, **keywords: Any) -> Any:
        return self._reduced("max", axis, **keywords)

    def min(self, axis: int | None = None, **keywords: Any) -> Any:
        return self._reduced("min", axis, **keywords)

    def mean(self, axis: int | None = None, **keywords: Any) -> Any:
        count = np.broadcast_to(self.mask, self.full.shape).sum(
            axis=None if axis is None else self._axes(axis), **keywords
        )
        return self._reduced("sum", axis, **keywords) / count

    def copy(self) -> Masked:
        return self

    def __len__(self) -> int:
        raise self._error("the length of what a traced mask chooses")

    def __iter__(self) -> Any:
        raise self._error("iteration over what a traced mask chooses")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name) if name.startswith("__") else self._error(f"`{name}` of what a traced mask chooses")


def _operator(ufunc: Any, swapped: bool) -> Any:
    def method(self: Masked, other: Any) -> Any:
        return self.__array_ufunc__(ufunc, "__call__", *((other, self) if swapped else (self, other)))

    return method


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "pow": np.power,
    "mod": np.remainder, "floordiv": np.floor_divide,
}.items():  # fmt: skip
    setattr(Masked, f"__{_name}__", _operator(_ufunc, False))
    setattr(Masked, f"__r{_name}__", _operator(_ufunc, True))
for _name, _one in {"neg": np.negative, "abs": np.absolute, "pos": np.positive}.items():
    setattr(Masked, f"__{_name}__", lambda self, ufunc=_one: self.__array_ufunc__(ufunc, "__call__", self))


def is_masked(value: Any) -> bool:
    return type(value) is Masked


def mask_of(items: Sequence[Any]) -> Tracer | None:
    """The traced mask of an index, if there is one."""
    found = [i for i in items if hasattr(type(i), "__graphc_wrap__") and i.dtype == bool and i.array is None]
    return found[0] if found else None


def _whole(items: Sequence[Any], mask: Tracer) -> tuple[list[Any], int]:
    """The index with `:` in the place of the mask, and the axis of the result where the mask begins."""
    whole: list[Any] = []
    start = 0
    before = True
    for item in items:
        if item is mask:
            whole += [slice(None)] * mask.ndim
            before = False
            continue
        if not (item is None or item is Ellipsis or type(item) in (slice, int)):
            raise UnsupportedError("G043", "a traced mask beside another array in one index", hint=_HINT)
        whole.append(item)
        start += before and type(item) is not int
    if any(i is Ellipsis for i in items[: list(map(id, items)).index(id(mask))]):
        raise UnsupportedError("G043", "`...` before a traced mask in one index", hint=_HINT)
    return whole, start


def _spread(mask: Tracer, start: int, rank: int) -> Any:
    """The mask with axes of size 1 behind it, so that it lines up with an array of `rank` axes."""
    behind = rank - start - mask.ndim
    return mask[(..., *[None] * behind)] if behind else mask


def read(tracer: Tracer, items: Sequence[Any], mask: Tracer) -> Masked:
    """`tracer[items]` with a traced mask among the items."""
    whole, start = tracer.session.attempt(lambda: _whole(items, mask))
    full = tracer[tuple(whole)]
    axes = tuple(range(start, start + mask.ndim))
    return Masked(full.copy(), _spread(mask, start, full.ndim), axes)


def written(tracer: Tracer, items: Sequence[Any], mask: Tracer, value: Any) -> Node:
    """The array after `tracer[items] = value` with a traced mask among the items."""
    whole, start = _whole(items, mask)
    full = tracer[tuple(whole)]
    lined = _spread(mask, start, full.ndim)
    if type(value) is Masked:
        if value.mask.node is not lined.node:
            raise UnsupportedError("G043", "what one mask chooses is written where another chooses", hint=_HINT)
        value = value.full
    elif np.ndim(value) > full.ndim - start - mask.ndim:
        raise UnsupportedError("G043", "an array is written where a traced mask chooses", hint=_HINT)
    chosen = build.where(lined.node, indexing.stored(tracer, value), full.node)
    return assign(tracer.node, whole, chosen)
