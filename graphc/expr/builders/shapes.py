"""Axes added, taken away, moved and repeated; what changes nothing makes no node.

reshape(x, x.shape)    is x
moved(x, 0, 2)         of x: [a, b, c]   is   transpose(x, (1, 2, 0)): [b, c, a]
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.ir.dims import Dim, product
from graphc.ir.node import Node, make
from graphc.ops import REGISTRY


def reshape(x: Node, shape: tuple[Dim, ...]) -> Node:
    return x if x.shape == shape else make(REGISTRY["reshape"], [x], shape=shape)


def broadcast_to(x: Node, shape: tuple[Dim, ...]) -> Node:
    return x if x.shape == shape else make(REGISTRY["broadcast_to"], [x], shape=shape)


def expand_dims(x: Node, axes: tuple[int, ...]) -> Node:
    return make(REGISTRY["expand_dims"], [x], axes=axes) if axes else x


def squeeze(x: Node, axes: tuple[int, ...]) -> Node:
    return make(REGISTRY["squeeze"], [x], axes=axes) if axes else x


def transpose(x: Node, axes: tuple[int, ...]) -> Node:
    return x if axes == tuple(range(len(axes))) else make(REGISTRY["transpose"], [x], axes=axes)


def swap(x: Node) -> Node:
    """The last two axes exchanged."""
    rank = x.type.rank
    return transpose(x, (*range(rank - 2), rank - 1, rank - 2))


def moved(x: Node, start: int, stop: int) -> Node:
    """One axis moved from place `start` to `stop`."""
    order = [a for a in range(x.type.rank) if a != start]
    return transpose(x, (*order[:stop], start, *order[stop:]))


def aligned(x: Node, names: str, wanted: str) -> Node:
    """`x`, whose axes have these names, with its axes where `wanted` has the names, to broadcast with others."""
    order = "".join(n for n in wanted if n in names)
    moved = transpose(x, tuple(names.index(n) for n in order))
    behind = wanted[wanted.index(order[0]) :] if order else ""
    return expand_dims(moved, tuple(i for i, n in enumerate(behind) if n not in names))


def joined(name: str, xs: Sequence[Node], axis: int) -> Node:
    return make(REGISTRY[name], xs, axis=axis)


def merged(x: Node, axes: tuple[int, ...]) -> Node:
    """The array with `axes` moved to the end and made into one."""
    rest = tuple(a for a in range(x.type.rank) if a not in axes)
    moved = transpose(x, (*rest, *axes))
    return reshape(moved, (*(x.shape[a] for a in rest), product(tuple(x.shape[a] for a in axes))))


def unmerged(x: Node, axes: tuple[int, ...], like: Node) -> Node:
    """The inverse of `merged`: the last axis split and put back, as in `like`."""
    rest = tuple(a for a in range(like.type.rank) if a not in axes)
    order = (*rest, *axes)
    moved = reshape(x, tuple(like.shape[a] for a in order))
    return transpose(moved, tuple(order.index(a) for a in range(len(order))))
