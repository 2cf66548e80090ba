"""What is known of a graph at one call, before any number that is differentiated by.

x: (5,), i = [0, 2]     the shape of x[i] is (2,), and the elements that it reads are 0 and 2
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from graphc.errors import ShapeError, UnsupportedError
from graphc.ir.dims import Dim, evaluate
from graphc.ir.interpret import computed, evaluate_node
from graphc.ir.leaf import INPUT
from graphc.ir.links import Operands
from graphc.ir.node import Node, topological


class Known:
    """What is known of a graph at one call: the sizes, and values that do not depend on what may vary.

    sizes: of the names.  values: of the inputs that are part of the pattern, index arrays above all.
    """

    def __init__(self, sizes: Mapping[str, int], values: Mapping[Node, npt.NDArray[Any]]) -> None:
        self._sizes = dict(sizes)
        self._fixed = dict.fromkeys(values, True)
        self._values = dict(values)

    def inside(self, index: Mapping[str, int], values: Mapping[Node, npt.NDArray[Any]]) -> Known:
        """What is known in a step of a loop. values: of the inputs of its body."""
        return Known({**self._sizes, **index}, values)

    def shape(self, node: Node) -> tuple[int, ...]:
        return tuple(self.size(dim) for dim in node.shape)

    def size(self, dim: Dim) -> int:
        try:
            return evaluate(dim, self._sizes)
        except KeyError:
            raise UnsupportedError(
                "G040",
                "a pattern is needed before the function runs, and a size in it is that of a loop with a condition",
                hint="use gc.jacobian or gc.hessian, or a loop with a number of steps",
            ) from None

    def value(self, node: Node) -> npt.NDArray[Any] | None:
        """The value of a node, None if it may vary."""
        if not self._is_fixed(node):
            return None
        if node not in self._values:
            with np.errstate(all="ignore"):
                for n in topological([node], known=self._values):
                    self._values[n] = evaluate_node(n, [self._values[a] for a in n.args], self._sizes)
        return self._values[node]

    def _is_fixed(self, node: Node) -> bool:
        if node not in self._fixed:
            for n in topological([node], known=self._fixed):
                self._fixed[n] = n.op is not INPUT and all(self._fixed[a] for a in n.args)
        return self._fixed[node]

    def operands(self, node: Node) -> Operands:
        shapes = tuple(self.shape(a) for a in node.args)
        return Operands(shapes, tuple(self.value(a) for a in node.args), self.shape(node))

    def moved(self, node: Node, args: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """A node that only moves elements, over the numbers of elements."""
        try:
            return np.asarray(computed(node, args, self._sizes))
        except IndexError as error:
            raise ShapeError("G022", f"an index does not fit the arguments of this call: {error}") from None
