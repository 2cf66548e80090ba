"""Which elements of a result depend on which elements of an argument: chains of links.

    y = x[::-1], 3 elements      Link(source=[2, 1, 0])                 y[k] depends on x[source[k]]
    y = add_at(0, x, [0, 0, 1])  Link(target=[0, 0, 1])                 x[k] goes to y[target[k]]
    y = softmax(x, axis=1)       Link(target=row), Link(source=row)     all of a row on all of a row

A link goes through points: point k takes from element `source[k]` of what comes in and gives to
element `target[k]` of what comes out. The cost is that of the points, so what is all with all goes
through one point in the middle and not through every pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

MAX_POINTS = 20_000_000  # between the elements of one argument and the result; beyond, all depend on all
Shape = tuple[int, ...]
IntArray = npt.NDArray[np.int64]


class Link(NamedTuple):
    """Points between elements, which are numbered in C order.

    source: for each point an element, -1 for none; None: each element, in order.
    target: the same for what comes out, without -1.  size: how many elements come out.
    """

    source: IntArray | None
    target: IntArray | None
    size: int


class Operands(NamedTuple):
    """A node at known sizes.

    shapes: of the arguments.  values: of those that are known, else None.  result: the shape of the result.
    """

    shapes: tuple[Shape, ...]
    values: tuple[npt.NDArray[Any] | None, ...]
    result: Shape


def numbers(shape: Shape) -> IntArray:
    """Each element's number."""
    return np.arange(prod(shape)).reshape(shape)


def groups(arg: IntArray, result: IntArray) -> list[Link]:
    """Elements of the result depend on those of the argument that have the same number."""
    middle = 1 + max(arg.max(initial=-1), result.max(initial=-1))
    return [Link(None, arg.ravel(), int(middle)), Link(result.ravel(), None, result.size)]


def mixed(shape: Shape, result: Shape, last: int, result_last: int) -> list[Link]:
    """All of the last axes with all of the last axes; the axes before them broadcast."""
    stack, wanted = shape[: len(shape) - last], result[: len(result) - result_last]
    inner, outer = (numbers(s).reshape((*s, *(1,) * k)) for s, k in ((stack, last), (wanted, result_last)))
    spread = np.broadcast_to(numbers(stack), wanted)
    return [
        Link(None, np.broadcast_to(inner, shape).ravel(), prod(stack)),
        Link(spread.ravel()[np.broadcast_to(outer, result).ravel()], None, prod(result)),
    ]


def along(axes: Sequence[int], shape: Shape, result: Shape) -> list[Link] | None:
    """All along some axes, which the result has, has with size 1, or has no longer; None if it is another shape."""
    rest = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    lines = numbers(rest)
    if len(result) < len(shape):
        found = lines.reshape(result) if lines.size == prod(result) else None
    else:
        fits = len(result) == len(shape) and all(a in (1, b) for a, b in zip(rest, result, strict=True))
        found = np.broadcast_to(lines, result) if fits else None
    return None if found is None else groups(np.broadcast_to(lines, shape), found)


Axes = dict[str, int]  # names of axes and their sizes


def product(names: Sequence[str], result: str, operands: Operands, i: int) -> list[Link]:
    """A sum of products of two arrays with named axes, such as "ij" and "jk" to "ik"; sizes of 1 broadcast.

    Where the other array is known and has zeros in it, only its other elements take part.
    """
    axes, other_axes = _axes(names[i], operands.shapes[i]), _axes(names[1 - i], operands.shapes[1 - i])
    other = operands.values[1 - i]
    free = prod(d for n, d in axes.items() if n not in other_axes)
    if other is not None and not other.all() and np.count_nonzero(other) * free <= MAX_POINTS:
        known = np.atleast_1d(other.reshape(tuple(other_axes.values())))
        return _sparse_product(axes, known, other_axes, dict(zip(result, operands.result, strict=True)))
    shared = {n: d for n, d in axes.items() if n in result}
    lines = numbers(tuple(shared.values()))
    return groups(_spread(lines, shared, axes), _spread(lines, shared, dict(zip(result, operands.result, strict=True))))


def _axes(names: str, shape: Shape) -> Axes:
    """The axes along which there is more than one element, or none."""
    return {n: d for n, d in zip(names, shape, strict=True) if d != 1}


def _spread(values: IntArray, names: Axes, wanted: Axes) -> IntArray:
    """An array over more axes, in another order."""
    order = [list(names).index(n) for n in wanted if n in names]
    placed = values.transpose(order).reshape([d if n in names else 1 for n, d in wanted.items()])
    return np.broadcast_to(placed, tuple(wanted.values()))


def _sparse_product(axes: Axes, other: npt.NDArray[Any], other_axes: Axes, result: Axes) -> list[Link]:
    """A point for each product in which the known array is not 0."""
    free = {n: d for n, d in axes.items() if n not in other_axes}
    points = np.count_nonzero(other), prod(free.values())
    places = dict(zip(other_axes, (p[:, None] for p in np.nonzero(other)), strict=False))
    places.update(zip(free, np.indices(tuple(free.values())).reshape(len(free), 1, points[1]), strict=True))

    def elements(sizes: Axes) -> IntArray:
        number = np.zeros(points, dtype=np.int64)
        for name, size in sizes.items():
            number = number * size + places.get(name, 0)
        return number.ravel()

    return [Link(elements(axes), elements(result), prod(result.values()))]
