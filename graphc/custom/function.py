"""A user's op from a NumPy function and its vector-Jacobian product.

    @gc.custom_op
    def clipped(x): return np.clip(x, -1.0, 1.0)

    @clipped.defvjp
    def clipped_vjp(ct, y, x): return (ct * (np.abs(x) <= 1.0),)

Both functions go into the generated file once, as `_clipped` and `_clipped_vjp`, or are imported
there. The vjp is an op as well: its entry `i` is the cotangent of argument `i`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from graphc.custom.record import UserOp, called, check_op_name
from graphc.custom.source import parameters, returned, written
from graphc.errors import ArgumentError, ShapeError, UnsupportedError
from graphc.expr import build
from graphc.expr.arguments import shape_of
from graphc.ir.dims import Dim
from graphc.ir.leaf import scalar_value
from graphc.ir.node import Node, make
from graphc.ir.op import Attrs, Helper
from graphc.ir.types import TensorType, broadcast
from graphc.ops.elementwise import floating

Shape = tuple[Dim, ...]
Infer = str | Callable[..., Shape]  # "broadcast", "first", or shapes -> shape
TRAITS = frozenset({"view"})  # the function may give back its argument: nothing is written into either
COST = 10.0


def custom_op(
    name: str | Callable[..., Any],
    forward: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    *,
    infer: Infer = "broadcast",
    import_from: str | None = None,
) -> CustomOp:
    """An op of the user's own from a NumPy function.

    forward: arrays -> a new array.
    vjp: (cotangent, output, *arrays) -> a tuple of cotangents of the shapes of the arrays; None for an argument
    without one. It may come later, by `op.defvjp`.
    infer: the shape of the result: "broadcast", to which the arguments are broadcast before the
    call; "first", that of the first argument; or a function of the arguments' shapes. The dtype is the promoted one.
    import_from: the module from which generated code imports both by name. Without it their sources
    go into the generated file, and may use np, math and builtins only.

    As a decorator, `@custom_op`, the function's name is the op's.
    Raises UnsupportedError for a function that cannot be carried along or a vjp that does not return a tuple.

    >>> import numpy as np
    >>> def scaled(x):
    ...     return 3.0 * x
    >>> def scaled_vjp(ct, out, x):
    ...     return (3.0 * ct,)
    >>> op = custom_op("scaled", scaled, scaled_vjp, import_from="mine")
    >>> op(np.array([1.0, 2.0]))
    array([3., 6.])
    """
    if callable(name):
        forward, name = name, name.__name__
    if forward is None:
        raise ArgumentError("G020", f"custom_op `{name}` needs a function")
    if isinstance(infer, str) and infer not in ("broadcast", "first"):
        raise ArgumentError("G070", f'infer is "broadcast", "first" or a function of shapes, not `{infer}`')
    op = CustomOp(check_op_name(name), forward, infer, import_from)
    if vjp is not None:
        op.defvjp(vjp)
    return op


class CustomOp:
    """An op of the user's own: call it on arrays, nodes or traced values.

    op: its record.  vjp_op: that of its cotangents, None until there is a vjp.
    """

    def __init__(self, name: str, forward: Callable[..., Any], infer: Infer, import_from: str | None) -> None:
        self.name = name
        self.args = parameters(forward)
        self.__module__ = forward.__module__
        self.vjp_op: UserOp | None = None
        self._forward = forward
        self._vjp: Callable[..., Any] | None = None
        self._flows: tuple[bool, ...] = ()
        self._infer = infer
        self._import_from = import_from
        slots = tuple(f"x{i}" for i in range(len(self.args)))
        self.op = UserOp(
            name,
            slots,
            self._type,
            lambda types, attrs: _typed(f"_{name}({', '.join(slots)})", self._type(types, attrs)),
            (forward.__doc__ or f"{name}({', '.join(self.args)}).").strip().split("\n")[0],
            helpers=(self._helper(forward, f"_{name}"),),
            adjoint=self._adjoint,
            traits=TRAITS,
            cost=COST,
            label=name,
            recipe=(_op_of, (self,)),
        )

    def __call__(self, *args: Any) -> Any:
        return called(self.name, len(self.args), args, self.node, self._forward)

    def node(self, args: Sequence[Node]) -> Node:
        """The op over nodes; integers become float64, and what is no number is broadcast if the op says so."""
        floats = [a if a.type.is_float else build.astype(a, "float64") for a in args]
        if self._infer == "broadcast":
            shape = broadcast(*(a.shape for a in floats))
            floats = [a if scalar_value(a) is not None else build.broadcast_to(a, shape) for a in floats]
        return make(self.op, floats)

    def defvjp(self, vjp: Callable[..., Any]) -> Callable[..., Any]:
        """Say how a cotangent goes back: vjp(ct, output, *arrays) -> a tuple. Usable as a decorator."""
        count = len(parameters(vjp))
        if count != 2 + len(self.args):
            raise ArgumentError("G020", f"the vjp of `{self.name}` takes ct, the output and {len(self.args)} arguments")
        if self._vjp is not None:
            raise ArgumentError("G070", f"`{self.name}` has a vjp already")
        name, slots = f"{self.name}_vjp", ("ct", "y", *self.op.args)
        self._flows = returned(vjp, len(self.args))
        helper = self._helper(vjp, f"_{name}")
        self.vjp_op = UserOp(
            name,
            slots,
            lambda types, attrs: types[2 + attrs["i"]],
            lambda types, attrs: _typed(f"_{name}({', '.join(slots)})[i]", types[2 + attrs["i"]]),
            f"The cotangent of argument i of {self.name}.",
            attrs=("i",),
            helpers=(helper,),
            traits=TRAITS,
            cost=COST,
            label=f"d{self.name}",
            recipe=(_vjp_op_of, (self,)),
        )
        self._vjp = vjp
        return vjp

    def _adjoint(self, e: Any, node: Node, ct: Node, i: int) -> Node | None:
        if self.vjp_op is None:
            raise UnsupportedError(
                "G040", f"the derivative of `{self.name}` is not known", hint=f"give it one: @{self.name}.defvjp"
            )
        return make(self.vjp_op, (ct, node, *node.args), i=i) if self._flows[i] else None

    def _type(self, types: Sequence[TensorType], attrs: Attrs) -> TensorType:
        result = floating([t.with_shape(()) for t in types], attrs)
        if self._infer == "broadcast":
            return result.with_shape(broadcast(*(t.shape for t in types)))
        if self._infer == "first":
            return result.with_shape(types[0].shape)
        assert callable(self._infer)
        shape = self._infer(*(t.shape for t in types))
        if not isinstance(shape, tuple):
            raise ShapeError("G023", f"the shape rule of `{self.name}` must give a tuple")
        return result.with_shape(shape_of(shape))

    def _helper(self, function: Callable[..., Any], name: str) -> Helper:
        if self._import_from is None:
            return Helper(name, array=written(function, name))
        if not all(part.isidentifier() for part in self._import_from.split(".")):
            raise ArgumentError("G070", f"`{self._import_from}` is not the name of a module")
        if not function.__name__.isidentifier():
            raise UnsupportedError("G040", f"`{function.__name__}` cannot be imported by name")
        return Helper(name, array=f"from {self._import_from} import {function.__name__} as {name}\n")

    def __repr__(self) -> str:
        return f"<graphc.custom_op {self.name}({', '.join(self.args)})>"

    def __reduce__(self) -> str | tuple[object, ...]:
        name = self._forward.__name__
        if getattr(sys.modules.get(self.__module__), name, None) is self:  # the decorated function: found by name
            return name
        return _defined, (self.name, self._forward, self._vjp, self._infer, self._import_from)


def _typed(call: str, type: TensorType) -> str:
    """A call whose result is float32 where it must be: what the user writes may widen."""
    if type.dtype != "float32":
        return call
    return f"np.asarray({call}, np.float32)" if type.rank else f"np.float32({call})"


@lru_cache(maxsize=256)
def _defined(name: str, forward: Any, vjp: Any, infer: Infer, import_from: str | None) -> CustomOp:
    """Unpickle an op."""
    return custom_op(name, forward, vjp, infer=infer, import_from=import_from)


def _op_of(op: CustomOp) -> UserOp:
    return op.op


def _vjp_op_of(op: CustomOp) -> UserOp:
    assert op.vjp_op is not None
    return op.vjp_op
