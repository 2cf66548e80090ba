"""Products of arrays over named axes, as the cheapest sequence of products of two.

    ij,jk        a @ b
    ij,kj        a @ b.T
    i,j->ij      outer(a, b)
    bij,bjk      a @ b, one product for each b
    i,ij,j->     (x @ A) @ y: never an array of more than two axes

A product of two becomes a matrix product, an outer product or an elementwise one where it is one, so
that its derivative, its speed and its text are those of the usual operations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from graphc.expr import build
from graphc.ir.dims import Dim, evaluate, product
from graphc.ir.index import Array
from graphc.ir.node import Node

SEARCHED = 8  # arrays of which the best order is found among all; more are first joined pair by pair
GUESS = 1000  # for a size that is not known: large, and the same for all


class Named(NamedTuple):
    """An array and the names of its axes, one character each, no character twice."""

    node: Node
    names: str

    @property
    def sizes(self) -> dict[str, Dim]:
        return dict(zip(self.names, self.node.shape, strict=True))


# --- one array ---


def diagonal(x: Node, names: str) -> Named:
    """Axes of one name become one: the diagonal."""
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        places = [i for i, n in enumerate(names) if n == name]
        others = [i for i, n in enumerate(names) if n != name]
        size = x.shape[places[0]]
        front = build.transpose(x, (*places, *others))
        counts = [build.arange(size)] * len(places)
        index = [*map(Array, range(len(places))), *(build.whole(x.shape[i]) for i in others)]
        x, names = build.getitem(front, index, counts), name + "".join(names[i] for i in others)
    return Named(x, names)


def summed(x: Named, kept: str) -> Named:
    """The sum over the axes that are not kept."""
    axes = tuple(i for i, n in enumerate(x.names) if n not in kept)
    if not axes:
        return x
    return Named(build.reduce("sum", x.node, axes), "".join(n for n in x.names if n in kept))


def ordered(x: Named, names: str) -> Node:
    """The axes in the order of `names`, which are the same names."""
    return build.transpose(x.node, tuple(x.names.index(n) for n in names))


# --- two arrays ---


def pair(a: Named, b: Named, kept: str, names: str | None = None) -> Named:
    """The product of two arrays, summed over the names that are not kept; in any order, or in that of `names`."""
    a, b = summed(a, b.names + kept), summed(b, a.names + kept)
    wanted = names or "".join(n for n in dict.fromkeys(a.names + b.names) if n in kept)
    common = "".join(n for n in a.names if n in b.names)
    batch = "".join(n for n in wanted if n in common)
    inner = "".join(n for n in common if n not in kept)
    rows, columns = ("".join(n for n in wanted if n in x.names and n not in common) for x in (a, b))
    if not inner:
        return Named(_product(a, b, wanted), wanted)
    if batch and not (rows and columns):
        return Named(build.apply("einsum", a.node, b.node, subscripts=f"{a.names},{b.names}->{wanted}"), wanted)
    found = _matrices(a, b, batch, rows, inner, columns, wanted)
    return Named(ordered(found, wanted), wanted)


def _product(a: Named, b: Named, wanted: str) -> Node:
    if len(a.names) == len(b.names) == 1 and len(wanted) == 2:
        return build.outer(a.node, b.node) if wanted == a.names + b.names else build.outer(b.node, a.node)
    return build.multiply(build.aligned(a.node, a.names, wanted), build.aligned(b.node, b.names, wanted))


def _matrices(a: Named, b: Named, batch: str, rows: str, inner: str, columns: str, wanted: str) -> Named:
    """A matrix product, for each element of the batch; the factor that gives the first axes stands first."""
    if rows and columns and wanted.index(columns[0]) < wanted.index(rows[0]):
        a, b, rows, columns = b, a, columns, rows
    inner = "".join(n for n in a.names if n in inner)
    right = _grouped(b, (batch, inner, columns))
    stack = not batch and len(inner) == 1 and a.names == rows + inner  # of matrices, times one matrix
    left = a.node if stack else _grouped(a, (batch, rows, inner))
    sizes = {**a.sizes, **b.sizes}
    found = build.matmul(left, right)
    names = batch + rows + columns
    return Named(build.reshape(found, tuple(sizes[n] for n in names)), names)


def _grouped(x: Named, groups: tuple[str, str, str]) -> Node:
    """The batch, then one axis for each other group of names that is not empty."""
    batch, *others = groups
    arranged = ordered(x, "".join(groups))
    sizes = x.sizes
    shape = [sizes[n] for n in batch] + [product(tuple(sizes[n] for n in g)) for g in others if g]
    return build.reshape(arranged, tuple(shape))


# --- any number of arrays ---


def contract(operands: Sequence[Named], names: str) -> Node:
    """The product of all arrays, summed over the names that are not in `names`."""
    arrays = list(operands)
    while len(arrays) > SEARCHED:
        arrays = _join_cheapest(arrays, names)
    if len(arrays) == 1:
        return ordered(summed(arrays[0], names), names)
    order = _best_order(arrays, names)
    done = {1 << i: array for i, array in enumerate(arrays)}
    whole = (1 << len(arrays)) - 1
    for first, second in order:
        both = first | second
        rest = names + "".join(x.names for i, x in enumerate(arrays) if not both >> i & 1)
        done[both] = pair(done[first], done[second], rest, names if both == whole else None)
    return done[whole].node


def _cost(sizes: dict[str, Dim], names: set[str]) -> int:
    """Multiplications, in a world where every unknown size is the same."""
    total = 1
    for name in names:
        total *= max(1, evaluate(sizes[name], defaultdict(lambda: GUESS)))
    return total


def _join_cheapest(arrays: list[Named], names: str) -> list[Named]:
    def cost(two: tuple[int, int]) -> int:
        a, b = (arrays[i] for i in two)
        return _cost({**a.sizes, **b.sizes}, {*a.names, *b.names})

    i, j = min(combinations(range(len(arrays)), 2), key=cost)
    others = [x for k, x in enumerate(arrays) if k not in (i, j)]
    return [pair(arrays[i], arrays[j], names + "".join(x.names for x in others)), *others]


def _best_order(arrays: Sequence[Named], names: str) -> list[tuple[int, int]]:
    """Pairs of sets of arrays, as bits, in the order in which to multiply them.

    Dynamic programming over all sets: the cheapest way to a set is the cheapest to its two halves
    and their product (as for chains of matrices; Cormen et al., "Introduction to Algorithms", 14.2).
    """
    sizes = {n: d for x in arrays for n, d in x.sizes.items()}
    whole = (1 << len(arrays)) - 1
    inside = [{n for i, x in enumerate(arrays) if bits >> i & 1 for n in x.names} for bits in range(whole + 1)]
    left = [inside[bits] & (inside[whole ^ bits] | set(names)) for bits in range(whole + 1)]
    best: dict[int, tuple[int, int]] = {1 << i: (0, 0) for i in range(len(arrays))}  # cost, first half
    for bits in range(1, whole + 1):
        if bits in best:
            continue
        ways = []
        half = (bits - 1) & bits
        while half > bits ^ half:
            other = bits ^ half
            ways.append((best[half][0] + best[other][0] + _cost(sizes, left[half] | left[other]), other))
            half = (half - 1) & bits
        best[bits] = min(ways)
    order: list[tuple[int, int]] = []
    stack = [whole]
    while stack:
        bits = stack.pop()
        first = best[bits][1]
        if first:
            order.append((first, bits ^ first))
            stack += [first, bits ^ first]
    return order[::-1]
