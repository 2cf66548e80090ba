"""Reductions that leave NaN out: an element that is NaN counts for nothing and has gradient 0.

nansum(x)      sum(x, where=x == x)
nanmean(x)     mean(x, where=x == x)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from graphc.expr import build, cumulative, reductions
from graphc.expr.arguments import Value, axes_of, flag, node
from graphc.expr.ordering import argmax, argmin
from graphc.ir.node import Node


def _present(x: Node) -> Node | None:
    """Where a value is not NaN; None for integers, which are never NaN."""
    return build.equal(x, x) if x.type.is_float else None


def _filled(x: Value, value: float) -> Node:
    """NaN replaced by a number."""
    array = node(x)
    present = _present(array)
    return array if present is None else build.where(present, array, value)


def nansum(
    x: Value,
    axis: Value = None,
    dtype: Value = None,
    *,
    keepdims: Value = False,
    initial: Value = None,
    where: Value = None,
) -> Node:
    """Sum over axes, NaN counted as 0."""
    return reductions.sum_(_filled(x, 0), axis, dtype, keepdims=keepdims, initial=initial, where=where)


def nanprod(
    x: Value,
    axis: Value = None,
    dtype: Value = None,
    *,
    keepdims: Value = False,
    initial: Value = None,
    where: Value = None,
) -> Node:
    """Product over axes, NaN counted as 1."""
    return reductions.prod(_filled(x, 1), axis, dtype, keepdims=keepdims, initial=initial, where=where)


def nancumsum(x: Value, axis: Value = None, dtype: Value = None) -> Node:
    """Running sums along an axis, NaN counted as 0."""
    return cumulative.cumsum(_filled(x, 0), axis, dtype)


def nancumprod(x: Value, axis: Value = None, dtype: Value = None) -> Node:
    """Running products along an axis, NaN counted as 1."""
    return cumulative.cumprod(_filled(x, 1), axis, dtype)


def nanmax(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """Maximum over axes of what is not NaN; NaN where nothing is."""
    return _extreme(reductions.max_, -math.inf, x, axis, keepdims)


def nanmin(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """Minimum over axes of what is not NaN; NaN where nothing is."""
    return _extreme(reductions.min_, math.inf, x, axis, keepdims)


def _extreme(extreme: Callable[..., Node], least: float, x: Value, axis: Value, keepdims: Value) -> Node:
    array = node(x)
    present = _present(array)
    if present is None:
        return extreme(array, axis, keepdims=keepdims)
    found = extreme(build.where(present, array, least), axis, keepdims=keepdims)
    return build.where(reductions.any_(present, axis, keepdims=keepdims), found, math.nan)


def nanargmax(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """The position of the first of the largest elements that are not NaN; NumPy refuses a line of NaN only."""
    return argmax(_filled(x, -math.inf), axis, keepdims=keepdims)


def nanargmin(x: Value, axis: Value = None, *, keepdims: Value = False) -> Node:
    """The position of the first of the smallest elements that are not NaN; NumPy refuses a line of NaN only."""
    return argmin(_filled(x, math.inf), axis, keepdims=keepdims)


def nanmean(x: Value, axis: Value = None, dtype: Value = None, *, keepdims: Value = False, where: Value = None) -> Node:
    """Mean over axes of what is not NaN; NaN where nothing is."""
    array = node(x)
    present = _present(array)
    if where is not None and present is not None:
        present = build.apply("logical_and", present, reductions.mask_over(where, array))
    return reductions.mean(array, axis, dtype, keepdims=keepdims, where=where if present is None else present)


def nanvar(
    x: Value,
    axis: Value = None,
    dtype: Value = None,
    *,
    ddof: Value = 0,
    keepdims: Value = False,
    mean: Value = None,
    correction: Value = None,
) -> Node:
    """Variance over axes of what is not NaN; NaN where that is `ddof` elements or fewer."""
    less = ddof if correction is None else correction
    return _spread(reductions.var, x, axis, dtype, less, keepdims, mean)


def nanstd(
    x: Value,
    axis: Value = None,
    dtype: Value = None,
    *,
    ddof: Value = 0,
    keepdims: Value = False,
    mean: Value = None,
    correction: Value = None,
) -> Node:
    """Standard deviation over axes of what is not NaN; its derivative where it is 0 is 0."""
    less = ddof if correction is None else correction
    return _spread(reductions.std, x, axis, dtype, less, keepdims, mean)


def _spread(
    measure: Callable[..., Node], x: Value, axis: Value, dtype: Value, ddof: Value, keepdims: Value, mean: Value
) -> Node:
    array = node(x)
    made = measure(array, axis, dtype, ddof=ddof, keepdims=keepdims, where=_present(array), mean=mean)
    return _enough(made, array, axis, ddof, keepdims)


def _enough(made: Node, x: Node, axis: Value, ddof: int, keepdims: Value) -> Node:
    """NaN where no degree of freedom is left: dividing by it may give an infinity."""
    present, axes = _present(x), axes_of(axis, x.type.rank)
    if ddof == 0 or present is None:
        return made
    n = reductions.total(build.astype(present, made.type.dtype), axes, flag(keepdims, "keepdims"))
    return build.where(build.apply("greater", n, ddof), made, math.nan)


TABLE: dict[str, Callable[..., Any]] = {
    "nansum": nansum,
    "nanprod": nanprod,
    "nancumsum": nancumsum,
    "nancumprod": nancumprod,
    "nanmax": nanmax,
    "nanmin": nanmin,
    "nanargmax": nanargmax,
    "nanargmin": nanargmin,
    "nanmean": nanmean,
    "nanvar": nanvar,
    "nanstd": nanstd,
}
