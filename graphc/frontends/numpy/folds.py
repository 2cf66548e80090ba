"""The methods of ufuncs that no function of the language is: one step after the other.

    np.subtract.reduce(x)           x[0] - x[1] - ... - x[n - 1]
    np.subtract.accumulate(x)       x[0], x[0] - x[1], ...
    np.add.reduceat(x, [0, 3])      x[0:3].sum(), x[3:].sum()

The number of steps is the size of the axis, which is known from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce as folded
from itertools import accumulate as running
from itertools import pairwise
from typing import Any

import numpy as np

from graphc.errors import ShapeError


def reduce(ufunc: Any, array: Any, axis: Any = 0, dtype: Any = None, *, keepdims: bool = False, **words: Any) -> Any:
    """The elements along one axis, joined from the first to the last."""
    lines = _lines(array, axis, dtype)
    if "initial" in words:
        lines.insert(0, words["initial"])
    elif not lines:
        lines = [_identity(ufunc)]
    result = folded(ufunc, lines)
    return np.expand_dims(result, axis) if keepdims else result


def accumulate(ufunc: Any, array: Any, axis: int = 0, dtype: Any = None) -> Any:
    """What there is after each element along an axis."""
    return np.stack(list(running(_lines(array, axis, dtype), ufunc)), axis=axis)


def reduceat(ufunc: Any, array: Any, indices: Sequence[int], axis: int = 0, dtype: Any = None) -> Any:
    """Each stretch from one index to the next joined; an index that is not before the next stands alone."""
    lines = np.moveaxis(array, axis, 0)
    places = [int(i) for i in indices]
    parts = [
        ufunc.reduce(lines[start:stop], axis=0, dtype=dtype) if start < stop else lines[start]
        for start, stop in pairwise([*places, len(lines)])
    ]
    return np.moveaxis(np.stack(parts), 0, axis)


def _lines(array: Any, axis: Any, dtype: Any) -> list[Any]:
    given = array if dtype is None else array.astype(dtype)
    if isinstance(axis, (tuple, list)):
        if len(axis) != 1:
            raise ShapeError("G022", "this operation is reduced along one axis", hint="reduce one axis after the other")
        axis = axis[0]
    return list(np.moveaxis(given, axis, 0))


def _identity(ufunc: Any) -> Any:
    if ufunc.identity is None:
        raise ShapeError("G021", f"np.{ufunc.__name__} of no elements has no value", hint="give initial=")
    return ufunc.identity


METHODS: dict[str, Callable[..., Any]] = {"reduce": reduce, "accumulate": accumulate, "reduceat": reduceat}
