"""What the functions of the language get for the user's values.

x: a traced array               its node
[x, 2.0]                        [the node, 2.0]
np.float32(2)                   a constant f32[]
np.load("weights.npy")          a constant, or an input if it is large: `captures.py`
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from graphc.errors import DtypeError
from graphc.expr.arguments import Weak, nodes
from graphc.expr.fourier import Pair
from graphc.expr.functions import FUNCTIONS
from graphc.frontends.numpy.buffers import by_name
from graphc.frontends.numpy.captures import Captures
from graphc.frontends.numpy.complex import Complex
from graphc.frontends.numpy.signature import WIDENED
from graphc.frontends.numpy.sizes import TracedRange, TracedSize
from graphc.frontends.numpy.tracer import Kind, Tracer
from graphc.ir.leaf import const_node
from graphc.ir.node import Node
from graphc.ir.regular import regular
from graphc.ir.types import SHORT

CAPTURE_LIMIT = 64  # elements of a constant; a larger array from outside becomes an input


class Operands:
    """Values of the user's as operands. names: of nodes, those of constants being added.  captures: large arrays."""

    def __init__(self, names: dict[Node, str], captures: Captures) -> None:
        self._names = names
        self._captures = captures

    def value(self, x: Any) -> Any:
        """What a function of the language takes for an argument of the user's."""
        kind = type(x)
        if kind is Tracer:
            return Weak(x.node) if x.kind is Kind.WEAK else x.node
        if kind is TracedSize:
            return x.dim
        if kind is TracedRange:
            return FUNCTIONS["arange"].call(*map(self.value, (x.start, x.stop, x.step)))
        if kind is Complex:
            return Pair(*(nodes((self.value(p),))[0] for p in (x.real, x.imag)))
        if isinstance(x, np.ndarray):
            return self.constant(x)
        if isinstance(x, np.generic):
            return self._scalar(x)
        if kind in (list, tuple):
            return kind(self.value(v) for v in x)
        if kind is slice:
            return slice(self.value(x.start), self.value(x.stop), self.value(x.step))
        if isinstance(x, np.dtype) or (isinstance(x, type) and (x in (float, int, bool) or issubclass(x, np.generic))):
            return np.dtype(x).name
        if isinstance(x, (list, tuple)):
            return tuple(self.value(v) for v in x)
        return x

    def _scalar(self, x: np.generic) -> Any:
        """A NumPy scalar, which unlike a Python number has a dtype of its own."""
        if x.dtype.kind in "OSUVmMc":
            return self.constant(np.asarray(x))
        name = x.dtype.name
        return float(x) if name == "float16" else const_node(x, WIDENED.get(name, name))

    def constant(self, array: npt.NDArray[Any], called: str = "") -> Node:
        """A real array as a node: a constant, or an input if it is large and no short call makes it.

        called: the variable that it is in.
        """
        if array.dtype == object:
            return self._stacked(array)
        name = WIDENED.get(array.dtype.name, array.dtype.name)
        if name not in SHORT:
            raise DtypeError(
                "G030",
                f"an array of dtype {array.dtype.name} takes part in a traced computation",
                hint="the dtypes are float64, float32, int64, int32 and bool; convert it: a.astype(np.float64)",
            )
        if array.size <= CAPTURE_LIMIT or regular(array) is not None:
            node = by_name(array) or const_node(array, name)
            if called and array.ndim:
                self._names.setdefault(node, called)
            return node
        return self._captures.node(array, name, called)

    def _stacked(self, array: npt.NDArray[Any]) -> Node:
        """An array of objects, some of them traced."""
        node: Node = FUNCTIONS["array"].call(self.value(array.tolist()))
        return node
