"""Einstein sums: what the subscripts say, as operands with named axes.

einsum("ij,jk->ik", A, B)               A @ B
einsum("ii->i", A)                      the diagonal
einsum("...i,i", x, w)                  x @ w, for any number of axes in front
einsum(A, [0, 1], B, [1, 2], [0, 2])    A @ B
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from graphc.errors import ArgumentError, LimitError, ShapeError, printable
from graphc.expr import build
from graphc.expr.arguments import Value, describe, nodes
from graphc.expr.contraction import Named, contract, diagonal
from graphc.ir.dims import Dim
from graphc.ir.node import Node
from graphc.ir.types import show_shape

LETTERS = string.ascii_lowercase + string.ascii_uppercase
DOTS = "..."


class Terms(NamedTuple):
    """The subscripts of each operand, and of the result; None if they are left to the rule."""

    operands: tuple[str, ...]
    result: str | None


def einsum(*operands: Value, optimize: Value = False) -> Node:
    """Sums of products over named axes: einsum("ij,jk->ik", A, B) or einsum(A, [0, 1], B, [1, 2], [0, 2]).

    The cheapest order of multiplications is always taken.
    """
    if optimize is not None and not isinstance(optimize, (bool, str, tuple, list)):
        raise ArgumentError("G020", f"`optimize` is True or False, not {describe(optimize)}")
    terms, given = _listed(operands) if operands and not isinstance(operands[0], str) else _written(operands)
    arrays = nodes(given)
    terms = _without_dots(terms, [a.type.rank for a in arrays])
    for names, array in zip(terms.operands, arrays, strict=True):
        if len(names) != array.type.rank:
            raise ShapeError("G021", f"the subscripts {names} name {len(names)} axes of {show_shape(array.shape)}")
    result = terms.result if terms.result is not None else _implied(terms.operands)
    return contract(_narrowed(terms.operands, arrays), _checked(result, terms.operands))


# --- reading ---


def _written(operands: Sequence[Value]) -> tuple[Terms, Sequence[Value]]:
    """einsum("ij,j->i", A, x)."""
    if not operands:
        raise ArgumentError("G020", "`einsum` needs subscripts and arrays", hint=_HINT)
    text = operands[0].replace(" ", "")
    left, arrow, right = text.partition("->")
    parts = tuple(left.split(","))
    for part in (*parts, right):
        letters = part.replace(DOTS, "", 1)
        if not set(letters) <= set(LETTERS):
            raise ArgumentError("G020", f"the subscripts {printable(text, 60)!r} are not letters", hint=_HINT)
    if len(parts) != len(operands) - 1:
        raise ArgumentError("G020", f"the subscripts are for {len(parts)} arrays, and {len(operands) - 1} are given")
    return Terms(parts, right if arrow else None), operands[1:]


_HINT = 'write einsum("ij,jk->ik", A, B) or einsum(A, [0, 1], B, [1, 2], [0, 2])'


def _listed(operands: Sequence[Value]) -> tuple[Terms, Sequence[Value]]:
    """einsum(A, [0, 1], x, [1], [0])."""
    arrays, lists = operands[0 : len(operands) // 2 * 2 : 2], operands[1::2]
    last = _letters(operands[-1]) if len(operands) % 2 else None
    if not arrays:
        raise ArgumentError("G020", "`einsum` needs an array and the list of its axes", hint=_HINT)
    return Terms(tuple(map(_letters, lists)), last), arrays


def _letters(axes: Value) -> str:
    if not isinstance(axes, (tuple, list)):
        raise ArgumentError("G020", f"the axes of an array are a list of integers, not {describe(axes)}", hint=_HINT)
    text = ""
    for axis in axes:
        whole = isinstance(axis, int) and not isinstance(axis, bool)
        if axis is not Ellipsis and not (whole and 0 <= axis < len(LETTERS)):
            raise ArgumentError("G020", f"an axis is an integer from 0 to 51, not {describe(axis)}", hint=_HINT)
        text += DOTS if axis is Ellipsis else LETTERS[axis]
    return text


# --- names for every axis ---


def _without_dots(terms: Terms, ranks: Sequence[int]) -> Terms:
    """Letters that are free for the axes that `...` stands for, counted from the last."""
    if not any(DOTS in part for part in (*terms.operands, terms.result or "")):
        return terms
    used = set("".join(terms.operands))
    free = [c for c in LETTERS if c not in used]
    counts = [r - len(p.replace(DOTS, "")) if DOTS in p else 0 for p, r in zip(terms.operands, ranks, strict=True)]
    most = max(counts, default=0)
    if most > len(free):
        raise LimitError("G003", "an einsum has at most 52 different axes")
    if min(counts) < 0:
        raise ShapeError("G021", "the subscripts name more axes than an array has")
    dots = "".join(free[:most])
    result = terms.result
    if result is None:
        result = DOTS + _implied(terms.operands)
    elif most and DOTS not in result:
        raise ShapeError("G021", "the result must have the axes of `...`", hint="write ... after the arrow, too")
    operands = tuple(p.replace(DOTS, dots[most - n :]) for p, n in zip(terms.operands, counts, strict=True))
    return Terms(operands, result.replace(DOTS, dots))


def _implied(operands: Sequence[str]) -> str:
    """The names that stand once, in alphabetical order."""
    every = "".join(operands).replace(DOTS, "")
    return "".join(sorted(c for c in set(every) if every.count(c) == 1))


def _checked(result: str, operands: Sequence[str]) -> str:
    for name in result:
        if result.count(name) > 1:
            raise ShapeError("G021", f"the result has the axis {name} twice")
        if not any(name in part for part in operands):
            raise ShapeError("G021", f"the result has the axis {name}, which no array has")
    return result


def _narrowed(operands: Sequence[str], arrays: Sequence[Node]) -> list[Named]:
    """Diagonals taken, sizes compared; an axis of size 1 goes where another array has more along it."""
    named = [_diagonal(array, names) for names, array in zip(operands, arrays, strict=True)]
    sizes: dict[str, Dim] = {}
    for array in named:
        for name, size in array.sizes.items():
            known = sizes.setdefault(name, size)
            if known == 1:
                sizes[name] = size
            elif size not in (1, known):
                error = ShapeError("G021", f"sizes {known} and {size} do not match: both are the axis {name}")
                raise error.between(known, size)
    return [_squeezed(array, sizes) for array in named]


def _diagonal(array: Node, names: str) -> Named:
    sizes: dict[str, Dim] = {}
    for name, size in zip(names, array.shape, strict=True):
        if sizes.setdefault(name, size) != size:
            error = ShapeError("G021", f"the axis {name} of {show_shape(array.shape)} has different sizes")
            raise error.between(sizes[name], size)
    return diagonal(array, names)


def _squeezed(x: Named, sizes: dict[str, Dim]) -> Named:
    axes = tuple(i for i, (n, d) in enumerate(zip(x.names, x.node.shape, strict=True)) if d == 1 and sizes[n] != 1)
    return Named(build.squeeze(x.node, axes), "".join(n for i, n in enumerate(x.names) if i not in axes))


TABLE: dict[str, Callable[..., Any]] = {"einsum": einsum}
