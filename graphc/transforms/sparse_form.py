"""The compiled forms of a sparse Jacobian: the code, and the structure that each call has.

    x: (5,), then x: (9,)     one module, two structures: the pattern, its compression, the arrays for the code

A structure depends on the shapes of the arguments and on the values of integer and boolean ones. It is found at
the first call with them and kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from graphc.autodiff.colouring import Compression
from graphc.autodiff.known import Known
from graphc.autodiff.pattern import Pattern
from graphc.autodiff.sparsity import patterns_of
from graphc.errors import ArgumentError
from graphc.frontends.numpy.structure import flatten, paths_of, unflatten
from graphc.frontends.numpy.trace import Traced
from graphc.ir.collector import collector_paused
from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ir.sizes import bind_sizes
from graphc.module.interface import Interface
from graphc.passes.pipeline import before_derivatives
from graphc.transforms.compiled import Form
from graphc.transforms.compressed import Block, Coded, Passes, coded
from graphc.transforms.triplets import Triplets

Array = npt.NDArray[Any]
# a pattern, and whether it is that of a derivative of an output by its own input
Compress = Callable[[Pattern, bool], tuple[Pattern, Compression]]

MAX_KEPT = 2**28  # bytes of the structures that are kept of one form, the last one aside


class Nest:
    """Where the matrices are in the result: for each output one for each input, in the structures of both."""

    def __init__(
        self, traced: Traced, structured: Callable[[Sequence[Any]], Any], places: Sequence[int], single: bool
    ) -> None:
        self._arguments = [traced.signature.arguments[p] for p in places]
        self._structured = structured
        self._single = single
        leaves = [(n, t) for a in self._arguments for n, t in zip(a.names, a.types, strict=True)]
        self.inputs = [traced.graph.input(name) for name, type in leaves if type is not None]
        if not self.inputs:
            raise ArgumentError("G070", "there is no array or number among the arguments to differentiate by")

    def of(self, values: Sequence[Any]) -> Any:
        """The result with these values: all inputs for the first output, then for the next."""
        left, outputs = iter(values), len(values) // max(len(self.inputs), 1)
        return self._structured([self._row(left) for _ in range(outputs)])

    def _row(self, left: Iterator[Any]) -> Any:
        trees = [unflatten(a.shape, [None if t is None else next(left) for t in a.types]) for a in self._arguments]
        return trees[0] if self._single else tuple(trees)

    def blocks(self, graph: Graph) -> list[Block]:
        """One for each output of the graph and each input."""
        pairs = [(o, x, label) for o, label in zip(graph.outputs, graph.output_names, strict=True) for x in self.inputs]
        leaves, shape = flatten(self.of([True] * len(pairs)))
        paths = [path for path, leaf in zip(paths_of(shape), leaves, strict=True) if leaf is not None]
        return [Block(o, x, path, label) for (o, x, label), path in zip(pairs, paths, strict=True)]


class Structure(NamedTuple):
    """What shapes and index arrays say of a call.

    places: for each block its rows and columns, and its shape.  arrays: what the code takes beside the arguments.
    passes: how many tangents and pullbacks it computes.
    """

    places: tuple[tuple[Array, Array, tuple[int, int]], ...]
    coded: Coded
    arrays: dict[str, Array]
    passes: int

    @property
    def nbytes(self) -> int:
        indices = sum(rows.nbytes + columns.nbytes for rows, columns, _ in self.places)
        return indices + sum(a.nbytes for a in self.arrays.values())


class SparseForm(Form):
    """A traced function, with the modules and structures of the calls so far.

    last: the structure of the call before.
    """

    def __init__(self, traced: Traced, names: Sequence[str], nest: Nest, name: str, compress: Compress) -> None:
        super().__init__(traced, names)
        self._graph = before_derivatives(traced.graph)
        self._interface = Interface.of_traced(traced)
        self._nest = nest
        self._compress = compress
        self._name = name
        self._blocks = nest.blocks(self._graph)
        self._coded: dict[tuple[Passes, ...], Coded] = {}
        self._structures: OrderedDict[Any, Structure] = OrderedDict()
        self._lock = Lock()
        self.last: Structure | None = None

    def run(self, args: Sequence[Any], words: Mapping[str, Any]) -> Any:
        """The matrices, in the structure of the result."""
        given = self.words(args, words)
        structure = self.last = self._structure(given)
        found = structure.coded.module(**given, **structure.arrays)
        data = found if isinstance(found, tuple) else (found,)
        return self._nest.of([Triplets(d, *places) for d, places in zip(data, structure.places, strict=True)])

    def _structure(self, given: Mapping[str, Any]) -> Structure:
        """The structure of a call, made if there is none for its shapes and index arrays."""
        values = self._interface.leaves((), given)
        arrays = {n: np.asarray(values[n["name"]], dtype=n.type.dtype) for n in self._graph.inputs}
        indices = [a for n, a in arrays.items() if not n.type.is_float and n["name"] not in self._interface.fixed]
        key = tuple(a.shape for a in arrays.values()), tuple(a.tobytes() for a in indices)
        with self._lock, collector_paused():
            if key not in self._structures:
                self._structures[key] = self._made(arrays)
                while len(self._structures) > 1 and sum(s.nbytes for s in self._structures.values()) > MAX_KEPT:
                    self._structures.popitem(last=False)
            self._structures.move_to_end(key)
            return self._structures[key]

    def _made(self, arrays: Mapping[Node, Array]) -> Structure:
        types = [(n["name"], n.type) for n in arrays]
        sizes = bind_sizes(types, {n["name"]: a.shape for n, a in arrays.items()})
        fixed = {n: a for n, a in arrays.items() if not n.type.is_float or n["name"] in self._interface.fixed}
        known, inputs = Known(sizes, fixed), self._nest.inputs
        columns = [patterns_of(self._graph.outputs, x, known) for x in inputs]
        outputs = range(len(self._graph.outputs))
        blocks = [(column[i], i == j) for i in outputs for j, column in enumerate(columns)]
        compressed = [self._compress(pattern, diagonal) for pattern, diagonal in blocks]
        kinds = tuple(Passes.of(compression) for _, compression in compressed)
        if kinds not in self._coded:
            self._coded[kinds] = coded(self._graph, self._interface, self._blocks, kinds, self._name)
        code = self._coded[kinds]
        extras = [(e, c) for own, (_, c) in zip(code.extras, compressed, strict=True) for e in own]
        return Structure(
            tuple(_places(pattern) for pattern, _ in compressed),
            code,
            {e.node["name"]: e.value(c, sizes) for e, c in extras},
            sum(c.passes for _, c in compressed),
        )


def _places(pattern: Pattern) -> tuple[Array, Array, tuple[int, int]]:
    rows, columns = pattern.rows, pattern.columns.view()
    rows.flags.writeable = columns.flags.writeable = False
    return rows, columns, (pattern.height, pattern.width)
