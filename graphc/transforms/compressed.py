"""The code of a compressed Jacobian: some tangents, some pullbacks, and each entry taken from where it stands.

    seeds = [[1, 0, 1],     f_dots = J @ [1, 0, 1], J @ [0, 1, 0]      jacobian = f_dots.ravel()[place]
             [0, 1, 0]]

Seeds and places are arguments of the code, so that one file serves every size and every pattern. Where each
row has one entry, in one tangent, there is nothing to choose and to place: the tangent along ones is all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from graphc.autodiff.batch import batched
from graphc.autodiff.colouring import Compression
from graphc.autodiff.forward import tangents_of
from graphc.autodiff.reverse import transposed
from graphc.expr import build
from graphc.frontends.numpy.signature import Argument, FreeNames
from graphc.frontends.numpy.structure import LEAF, joined_name
from graphc.ir.dims import Size, evaluate
from graphc.ir.graph import Graph
from graphc.ir.index import Array as IndexArray
from graphc.ir.leaf import const_node, input_node
from graphc.ir.node import Node, topological
from graphc.ir.sizes import names_of
from graphc.ir.types import TensorType
from graphc.module.compiled import Module
from graphc.module.interface import Interface
from graphc.passes.pipeline import settled, simplify_derivative

Array = npt.NDArray[Any]

_UNIT = "_unit"  # a tangent or cotangent in whose place the seeds are put; no user's name begins so


class Block(NamedTuple):
    """The Jacobian of one output by one input.

    path: the keys that lead to it in the result.  label: what the user calls the output.
    """

    output: Node
    source: Node
    path: tuple[Any, ...]
    label: str


class Passes(NamedTuple):
    """What the code of a block computes: tangents, pullbacks, or only the tangent along ones, which is all entries."""

    tangents: bool
    pullbacks: bool
    ones: bool

    @staticmethod
    def of(compression: Compression) -> Passes:
        entries, rows = len(compression.place), len(compression.rows)
        ones = compression.passes == compression.tangents == 1 and entries == rows
        return Passes(compression.tangents > 0, compression.pullbacks > 0, ones)


class Extra(NamedTuple):
    """An input of the code beside those of the function.  kind: a key of `_VALUES`, what it holds."""

    node: Node
    kind: str

    def value(self, compression: Compression, sizes: Mapping[str, int]) -> Array:
        inner = [evaluate(d, sizes) for d in self.node.shape[1:]]
        found = _VALUES[self.kind](compression).astype(self.node.type.dtype)
        found.flags.writeable = False  # kept for other calls
        return found.reshape((len(found), *inner))


_VALUES: dict[str, Callable[[Compression], Array]] = {
    "tangents": lambda c: c.columns == np.arange(c.tangents)[:, None],
    "pullbacks": lambda c: c.rows == np.arange(c.pullbacks)[:, None],
    "place": lambda c: c.place,
}


class Coded(NamedTuple):
    """A module, and for each block the inputs that it has beside those of the function."""

    module: Module
    extras: tuple[tuple[Extra, ...], ...]


def coded(graph: Graph, interface: Interface, blocks: Sequence[Block], passes: Sequence[Passes], name: str) -> Coded:
    """The module that computes the entries of each block.

    graph: the function, stable.  interface: its arguments.  name: of the results: "jacobian".
    """
    sizes = names_of(dim for node in graph.inputs for dim in node.shape)
    writer = _Writer(FreeNames([*graph.input_names, *graph.names.values(), *sizes]), dict(graph.names))
    found = [writer.entries(block, p) for block, p in zip(blocks, passes, strict=True)]
    added = [extra.node for _, extras in found for extra in extras]
    results = [joined_name((name, *block.path)) for block in blocks]
    writer.names.update(zip((entries for entries, _ in found), results, strict=True))
    whole = replace(
        graph,
        inputs=(*graph.inputs, *added),
        outputs=(*graph.outputs, *(entries for entries, _ in found)),
        output_names=(*graph.output_names, *results),
        names=writer.names,
    )
    simple = simplify_derivative(whole, topological(graph.outputs))
    count = len(graph.outputs)
    alone = replace(simple, outputs=simple.outputs[count:], output_names=simple.output_names[count:])
    arguments = tuple(Argument(n["name"], LEAF, (n.type,), (n["name"],), (None,), (False,)) for n in added)
    more = Interface((*interface.arguments, *arguments), None, interface.fixed)
    return Coded(Module(alone, (), None, more, joint=settled(alone)), tuple(extras for _, extras in found))


class _Writer:
    """Writes the nodes of blocks, under names that are free.

    names: what nodes are called.
    """

    def __init__(self, free: FreeNames, names: dict[Node, str]) -> None:
        self._free = free
        self.names = names

    def entries(self, block: Block, passes: Passes) -> tuple[Node, tuple[Extra, ...]]:
        """The entries of a block, in the order of its pattern, and the inputs that they take."""
        output, source, path, label = block
        if passes.ones:
            return _along_ones(output, source), ()
        if not (passes.tangents or passes.pullbacks):
            return build.zeros((0,), source.type.dtype), ()
        rows: list[Node] = []
        extras: list[Extra] = []
        if passes.tangents:
            seeds = self._input(f"{source['name']}_seeds", source.type, "k")
            rows.append(self._called("tangents", _tangents(output, source, seeds)))
            extras.append(Extra(seeds, "tangents"))
        if passes.pullbacks:
            seeds = self._input(f"{label}_seeds", output.type, "k")
            rows.append(self._called("pullbacks", _pullbacks(output, source, seeds)))
            extras.append(Extra(seeds, "pullbacks"))
        place = self._input(joined_name(("place", *path)), TensorType("int64", ()), "e")
        flat = [build.reshape(r, (r.type.size,)) for r in rows]
        together = flat[0] if len(flat) == 1 else build.joined("concatenate", flat, 0)
        return build.getitem(together, (IndexArray(0),), [place]), (*extras, Extra(place, "place"))

    def _input(self, name: str, inner: TensorType, size: str) -> Node:
        """An input with a new axis, and a name for its size, in front."""
        return input_node(self._free(name), inner.with_shape((Size.named(self._free(size)), *inner.shape)))

    def _called(self, name: str, rows: Node) -> Node:
        if rows.args:
            self.names.setdefault(rows, self._free(name))
        return rows


def _along_ones(output: Node, source: Node) -> Node:
    ones = build.broadcast_to(const_node(1, source.type.dtype), source.shape)
    return build.reshape(_tangent(output, source, ones), (output.type.size,))


def _tangent(output: Node, source: Node, seed: Node) -> Node:
    return tangents_of([output], {source: seed}).get(output) or build.zeros(output.shape, output.type.dtype)


def _tangents(output: Node, source: Node, seeds: Node) -> Node:
    """The tangent of the output along each of the seeds."""
    unit = input_node(_UNIT, source.type)
    return _in_rows(_tangent(output, source, unit), unit, seeds)


def _pullbacks(output: Node, source: Node, seeds: Node) -> Node:
    """The gradient by the source with each of the seeds as cotangent."""
    unit = input_node(_UNIT, output.type)
    gradient = transposed([(output, unit)], [source]).get(source) or build.zeros(source.shape, source.type.dtype)
    return build.astype(_in_rows(gradient, unit, seeds), output.type.dtype)


def _in_rows(derivative: Node, unit: Node, seeds: Node) -> Node:
    """A derivative that is linear in `unit`, for each of the seeds in its place."""
    [rows] = batched([derivative], {unit: seeds}, seeds.shape[0])
    return rows
