"""The record of a user's op, and how one is called.

    UserOp("mish", ...)       an Op that pickles by its definition, not by its name
    called(mish, (x,))        x a node: a node;  x a traced value: a traced value;  else numbers

A traced value is anything with a `__graphc_node__`; its `__graphc_wrap__(node)` wraps another node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.emit.names import RESERVED
from graphc.errors import ArgumentError, UnknownNameError
from graphc.expr import arguments
from graphc.expr.functions import FUNCTIONS
from graphc.frontends.text.names import check_name
from graphc.frontends.text.shapes import input_type
from graphc.ir.leaf import const_node
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ops import REGISTRY

# Functions of the generated file whose names, without the underscore, no op of the user's may have.
_TAKEN = {"check"} | {h.name.removeprefix("_") for op in REGISTRY.values() for h in op.helpers}


@dataclass(frozen=True, eq=False)
class UserOp(Op):
    """An op of the user's own. How exact it is is not known: nothing is said of what the user's code computes.

    recipe: a function and its arguments that make this op again, for pickling.
    """

    recipe: tuple[Callable[..., Op], tuple[Any, ...]] | None = None
    exactness: float | str = "not known"

    def __reduce__(self) -> tuple[object, ...]:
        assert self.recipe is not None
        return self.recipe


def check_op_name(name: str) -> str:
    """The name, if an op of the user's may have it. UnknownNameError G012 if it means something already."""
    check_name(name)
    if name in REGISTRY or name in FUNCTIONS or name in _TAKEN or name in RESERVED:
        raise UnknownNameError("G012", f"`{name}` is the name of something else already", hint=f"call it `my_{name}`")
    return name


def called(
    name: str,
    count: int,
    args: Sequence[Any],
    build: Callable[[list[Node]], Node],
    evaluate: Callable[..., Any],
) -> Any:
    """A node if there is one among the arguments, wrapped as the traced values are; else a value."""
    if len(args) != count:
        raise ArgumentError("G020", f"`{name}` takes {count} argument{'s' if count != 1 else ''}, and got {len(args)}")
    traced = [a for a in args if hasattr(a, "__graphc_node__")]
    if not traced and not any(isinstance(a, Node) for a in args):
        return evaluate(*args)
    node = build(arguments.nodes([_unwrapped(a) for a in args]))
    return traced[0].__graphc_wrap__(node) if traced else node


def _unwrapped(value: Any) -> Any:
    if hasattr(value, "__graphc_node__"):
        return value.__graphc_node__
    if isinstance(value, (np.ndarray, np.generic)):
        return const_node(value, input_type("constant", value).dtype)
    return value
