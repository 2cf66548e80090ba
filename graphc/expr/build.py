"""How graphs are written inside graphc: one function an op, numbers allowed wherever nodes are.

    multiply(2, x)        the 2 takes the dtype of x: Python numbers never widen
    reshape(x, x.shape)   is x: what changes nothing makes no node

The one namespace of them all: the adjoints in `ops/` are handed it as `e`, and the formulas of derivatives and
rules find here what is no op.
"""

from __future__ import annotations

from graphc.expr.builders.creation import MAX_ELEMENTS, arange, checked, eye, full_like, ones, zeros
from graphc.expr.builders.elementwise import (
    Number,
    Value,
    add,
    apply,
    as_nodes,
    astype,
    clip,
    divide,
    equal,
    literal,
    multiply,
    negative,
    number,
    power,
    subtract,
    where,
)
from graphc.expr.builders.indexing import add_at, at, between, flip, getitem, recurrence, set_at, shift, whole
from graphc.expr.builders.products import matmul, outer
from graphc.expr.builders.reductions import count, normal_axes, reduce, size_of, spread, unbroadcast, unreduced
from graphc.expr.builders.rows import behind, repeated, rows_times
from graphc.expr.builders.shapes import (
    aligned,
    broadcast_to,
    expand_dims,
    joined,
    merged,
    moved,
    reshape,
    squeeze,
    swap,
    transpose,
    unmerged,
)
from graphc.expr.builders.slopes import (
    bessel_slope,
    excess,
    inside,
    next_order,
    power_slope,
    ratio_of_zero,
    root_slope,
    wins,
)

__all__ = [
    "MAX_ELEMENTS",
    "Number",
    "Value",
    "add",
    "add_at",
    "aligned",
    "apply",
    "arange",
    "as_nodes",
    "astype",
    "at",
    "behind",
    "bessel_slope",
    "between",
    "broadcast_to",
    "checked",
    "clip",
    "count",
    "divide",
    "equal",
    "excess",
    "expand_dims",
    "eye",
    "flip",
    "full_like",
    "getitem",
    "inside",
    "joined",
    "literal",
    "matmul",
    "merged",
    "moved",
    "multiply",
    "negative",
    "next_order",
    "normal_axes",
    "number",
    "ones",
    "outer",
    "power",
    "power_slope",
    "ratio_of_zero",
    "recurrence",
    "reduce",
    "repeated",
    "reshape",
    "root_slope",
    "rows_times",
    "set_at",
    "shift",
    "size_of",
    "spread",
    "squeeze",
    "subtract",
    "swap",
    "transpose",
    "unbroadcast",
    "unmerged",
    "unreduced",
    "where",
    "whole",
    "wins",
    "zeros",
]
