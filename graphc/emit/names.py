"""Names in the generated file: the user's own, `d` + name for gradients, short ones for the rest.

    sigmoid(y)   sig_y          x + y    x_plus_y
    the upper and lower part of a quotient:   num, den

A name of the user's that would hide something the file needs keeps its place in the signature;
graphc's side is renamed.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable, Mapping, Sequence

from graphc.ir.node import Node

_UNARY = {
    "sigmoid": "sig",
    "exp": "exp",
    "log": "log",
    "sqrt": "root",
    "tanh": "tanh",
    "softplus": "softplus",
    "relu": "relu",
    "sin": "sin",
    "cos": "cos",
    "negative": "minus",
    "square": "sq",
    "absolute": "abs",
}
_BINARY = {"add": "plus", "subtract": "minus", "multiply": "times", "divide": "over"}
_BY_OP = {
    "sum": "total",
    "mean": "mean",
    "max": "top",
    "top": "top",
    "softmax": "p",
    "exp": "e",
    "matmul": "prod",
    "log_softmax": "logp",
    "logsumexp": "lse",
    "var": "var",
    "std": "std",
    "arange": "i",
    "less": "mask",
    "greater": "mask",
    "equal": "mask",
    "logical_and": "mask",
    "logical_not": "mask",
    "outer": "prod",
    "transpose": "flip",
    "where": "chosen",
    "getitem": "part",
    "eye": "eye",
    "power": "power",
    "broadcast_to": "wide",
    "expand_dims": "column",
    "squeeze": "squeezed",
    "reshape": "reshaped",
    "concatenate": "joined",
    "stack": "stacked",
    "astype": "number",
    "less_equal": "mask",
    "greater_equal": "mask",
    "not_equal": "mask",
    "logical_or": "mask",
    "logical_xor": "mask",
}
_OTHERWISE = {"add": "s", "subtract": "diff", "multiply": "prod", "divide": "ratio", "maximum": "top", "square": "sq"}
RESERVED = (
    frozenset(dir(builtins))
    | frozenset(keyword.kwlist)
    | frozenset(keyword.softkwlist)
    | frozenset(
        {
            "np",
            "math",
            "NamedTuple",
            "NDArray",
            "Any",
            "Array",
            "IntArray",
            "BoolArray",
            "Saved",
            "Gradients",
            "forward",
            "backward",
            "value_and_grad",
            "saved",
        }
    )
)
MAX_PART = 8  # letters of a name that goes into another one


class Namer:
    """Hands out names, each once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken) | RESERVED
        self._count: dict[str, int] = {}

    def reserve(self, name: str) -> str:
        self._taken.add(name)
        return name

    def fresh(self, wanted: str) -> str:
        """`wanted`, or the first of wanted2, wanted3, ... that is free."""
        if wanted not in self._taken:
            return self.reserve(wanted)
        number = self._count.get(wanted, 1)
        while True:
            number += 1
            name = f"{wanted}_{number}" if wanted[-1].isdigit() else f"{wanted}{number}"
            if wanted in RESERVED and number == 2:
                name = wanted + "_"
            if name not in self._taken:
                self._count[wanted] = number
                return self.reserve(name)


def describe(node: Node, given: Mapping[Node, str], users: Sequence[Node]) -> str:
    """A short name for a value that the user did not name; `given` are the user's own names."""
    parts = [given.get(a) for a in node.args]
    short = [p for p in parts if p is not None and p.isidentifier() and len(p) <= MAX_PART]
    name = node.op.name
    if name in _UNARY and len(short) == 1:
        return f"{_UNARY[name]}_{short[0]}"
    if name in _BY_OP or node.op.label:
        return node.op.label or _BY_OP[name]
    for user in users:
        if user.op.name == "divide":
            return "num" if user.args[0] is node else "den"
    if name in _BINARY and len(short) == 2 and "_" not in "".join(short):
        return f"{short[0]}_{_BINARY[name]}_{short[1]}"
    return _OTHERWISE.get(name, name[:8])


def pre_activation(name: str) -> str:
    """What textbooks call the argument of the function that gives `name`: z1 for a1."""
    digits = name[len(name.rstrip("0123456789")) :]
    return "z" + digits
