"""Values that are known when the model is compiled: positions, masks, repeats.

known(arange(4) > 1)    array([False, False, True, True])
known(x > 1)            None, if x is an input
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from graphc.errors import UnsupportedError
from graphc.expr.arguments import Value, Weak, describe, node, writable
from graphc.ir.dims import Size
from graphc.ir.interpret import evaluate_node
from graphc.ir.leaf import CONST
from graphc.ir.node import Node, topological

MAX_KNOWN = 2**20  # elements of one value


def known(x: Node) -> npt.NDArray[Any] | None:
    """The value of a node that depends on no input and on no named size, else None."""
    if x.op is CONST:
        return x["value"].array()  # type: ignore[no-any-return]
    nodes = topological([x])
    if any(n.op.name in ("input", "size") or not _is_small(n) for n in nodes):
        return None
    values: dict[Node, npt.NDArray[Any]] = {}
    with np.errstate(all="ignore"):
        for n in nodes:
            values[n] = evaluate_node(n, [values[a] for a in n.args], {})
    return values[x]


def _is_small(x: Node) -> bool:
    return not isinstance(x.type.size, Size) and x.type.size <= MAX_KNOWN


def constant(x: Value, what: str) -> npt.NDArray[Any]:
    """The value of an argument that must be known; UnsupportedError if it is not."""
    listed = isinstance(x, (tuple, list)) and not isinstance(x, Weak)
    if listed and not any(isinstance(v, (Node, Size, Weak, tuple, list)) for v in x):
        writable(len(x), "elements of a list")
        return np.asarray(x) if x else np.zeros(0, dtype=np.int64)
    value = known(node(x))
    if value is None:
        raise UnsupportedError(
            "G040",
            f"{what} must be known when the model is compiled, and {describe(x)} is not",
            hint="give it as numbers; where it depends on values, use where(condition, x, 0)",
        )
    return value
