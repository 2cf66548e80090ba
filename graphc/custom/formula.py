"""A user's elementwise op, from a formula in SymPy.

    mish = gc.elementwise("mish", x * tanh(log(1 + exp(x))))
    mish(x)        a node, `_mish(x)` in generated code; its derivative is `_mish_slope(x)` there

The formula is stabilised as any model is, and its derivatives are derived from the stable form, each when
it is first needed: the slope of a slope as well. When an op or a slope is made it is compared with
SymPy's value of the formula, and of its difference quotient, to 40 digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np

from graphc.autodiff.reverse import differentiate, scaled
from graphc.custom.agreement import compare
from graphc.custom.record import UserOp, called, check_op_name
from graphc.custom.writing import helper_of
from graphc.errors import ArgumentError, UnsupportedError
from graphc.expr import build
from graphc.frontends.sympy import from_sympy, is_sympy
from graphc.frontends.sympy.showing import shown
from graphc.ir.graph import Graph
from graphc.ir.interpret import namespace
from graphc.ir.leaf import const_node, scalar_value
from graphc.ir.node import Node, make, rebuild
from graphc.ir.op import Op
from graphc.ops.elementwise import ELEMENTWISE, floating
from graphc.passes.pipeline import simplify, stabilise

if TYPE_CHECKING:
    import sympy

_defined: WeakValueDictionary[tuple[Any, ...], Elementwise] = WeakValueDictionary()
_lock = Lock()


def elementwise(name: str, expr: sympy.Expr, args: Sequence[sympy.Symbol | str] | None = None) -> Elementwise:
    """An elementwise op of the user's own.

    name: what it is called; generated code has it as `_name`.
    expr: a SymPy expression in its free symbols.
    args: the symbols, or their names, in the order of the arguments; sorted by name without it.

    The same definition gives the same object; another one under the same name is another op.
    Raises UnknownNameError for a name that is taken, UnsupportedError for an expression that
    graphc does not have, and GradientMismatch where the code does not agree with SymPy.

    >>> import sympy
    >>> t = sympy.Symbol("t")
    >>> float(elementwise("mish", t * sympy.tanh(sympy.log(1 + sympy.exp(t))))(0.0))
    0.0
    """
    check_op_name(name)
    if not is_sympy(expr) or not getattr(expr, "is_scalar", False):
        raise UnsupportedError("G040", f"a {type(expr).__name__} is not a SymPy expression of one number")
    order = _arguments(name, expr, args)
    key = (name, expr, order)
    with _lock:
        known = _defined.get(key)
    if known is not None:
        return known
    graph = from_sympy(expr, dict.fromkeys(order, ()))
    _check_scalar(name, graph)
    made = Elementwise(name, name, expr, stabilise(graph)[0])
    compare(made.name, expr, order, (), made.reference)
    for i in range(len(order)):
        _ = made.slope(i)
    with _lock:
        return _defined.setdefault(key, made)


def _arguments(name: str, expr: Any, args: Sequence[Any] | None) -> tuple[str, ...]:
    free = {str(getattr(s, "name", s)) for s in expr.free_symbols}
    order = tuple(sorted(free)) if args is None else tuple(str(getattr(a, "name", a)) for a in args)
    missing = sorted(free - set(order))
    if missing or len(set(order)) != len(order):
        raise ArgumentError("G020", f"`{name}`: args must have each free symbol once: {', '.join(sorted(free))}")
    if not order:
        raise ArgumentError("G020", f"`{name}` has no arguments: `{shown(expr)}` is a constant")
    return order


def _check_scalar(name: str, graph: Graph) -> None:
    output = graph.outputs[0]
    if len(graph.outputs) != 1 or output.type.rank or not output.type.is_float:
        raise UnsupportedError("G042", f"`{name}` must be one number, and is {output.type}")


@dataclass(frozen=True, eq=False)
class Elementwise:
    """An elementwise op, or one of its slopes: call it on arrays, nodes or traced values.

    name: of the op.  root: of the function that it belongs to.  expr: the formula of that function.
    graph: its value over scalars, in the stable form.  path: the arguments by which it is derived.
    """

    name: str
    root: str
    expr: Any
    graph: Graph
    path: tuple[int, ...] = ()

    def __call__(self, *args: Any) -> Any:
        return called(self.name, len(self.args), args, self.node, self._evaluate)

    @property
    def args(self) -> tuple[str, ...]:
        return self.graph.input_names

    def node(self, args: Sequence[Node]) -> Node:
        """The op over nodes; integers and booleans become float64."""
        return make(self.op, [a if a.type.is_float else build.astype(a, "float64") for a in args])

    @cached_property
    def op(self) -> Op:
        """The record, which generated code, listings and the interpreter read."""
        helper = helper_of(f"_{self.name}", self.graph, self._doc)
        inner = dict.fromkeys(h for n in self.graph.nodes for h in n.op.helpers)
        call = f"_{self.name}({', '.join(self.args)})"
        return UserOp(
            self.name,
            self.args,
            floating,
            call,
            self._doc,
            scalar=call if helper.scalar else None,
            helpers=(helper, *inner),
            adjoint=self._adjoint,
            traits=ELEMENTWISE,
            cost=sum(n.op.cost for n in self.graph.nodes),
            label=self.name,
            recipe=(_again, (self.root, self.expr, self.args, self.path)),
        )

    @property
    def ops(self) -> Mapping[str, Op]:
        """This op and its first slopes by name, for `parse_listing(text, {**REGISTRY, **f.ops})`."""
        slopes = [s for i in range(len(self.args)) if isinstance(s := self.slope(i), Elementwise)]
        return {self.name: self.op, **{s.name: s.op for s in slopes}}

    def slope(self, i: int) -> Elementwise | float:
        """The partial derivative by argument `i`; a number if it is constant."""
        return self._slopes[i]

    def reference(self, *values: float) -> float:
        """The value at a point by the code that it generates for arrays."""
        return float(self._evaluate(*values))

    @cached_property
    def _slopes(self) -> tuple[Elementwise | float, ...]:
        return tuple(self._derived(i) for i in range(len(self.args)))

    def _derived(self, i: int) -> Elementwise | float:
        graph = partial(self.graph, self.args[i])
        path = (*self.path, i)
        value = scalar_value(graph.outputs[0])
        if value is not None:
            compare(f"the slope of {self.name}", self.expr, self.args, path, lambda *at: float(value))
            return float(value)
        made = Elementwise(self._slope_name(path), self.root, self.expr, graph, path)
        compare(made.name, self.expr, self.args, path, made.reference)
        return made

    def _slope_name(self, path: tuple[int, ...]) -> str:
        if len(self.args) == 1:
            return f"{self.root}_slope{len(path) if len(path) > 1 else ''}"
        return "_".join([self.root, "slope", *(self.args[i] for i in path)])

    def _adjoint(self, e: Any, node: Node, ct: Node, i: int) -> Node | None:
        slope = self.slope(i)
        if isinstance(slope, float):
            return None if slope == 0.0 else scaled(ct, slope)
        return scaled(ct, slope.node(node.args))

    @property
    def _doc(self) -> str:
        if not self.path:
            return f"{shown(self.expr)}."
        if len(self.args) == 1:
            return (
                f"Derivative {len(self.path)} of {self.root}." if len(self.path) > 1 else f"The slope of {self.root}."
            )
        return f"The derivative of {self.root} with respect to {', '.join(self.args[i] for i in self.path)}."

    def _evaluate(self, *values: Any) -> Any:
        arrays = [np.asarray(v) for v in values]
        floats = [a if a.dtype.kind == "f" else a.astype(np.float64) for a in arrays]
        with np.errstate(all="ignore"):
            return namespace(self.op)[f"_{self.name}"](*floats)

    def __repr__(self) -> str:
        return f"<graphc.elementwise {self.name}({', '.join(self.args)})>"

    def __reduce__(self) -> tuple[object, ...]:
        return _part, (self.root, self.expr, self.args, self.path)


def _part(name: str, expr: Any, args: tuple[str, ...], path: tuple[int, ...]) -> Elementwise:
    """Unpickle a function, or the slope of one."""
    found = elementwise(name, expr, args)
    for i in path:
        slope = found.slope(i)
        assert isinstance(slope, Elementwise)
        found = slope
    return found


def _again(name: str, expr: Any, args: tuple[str, ...], path: tuple[int, ...]) -> Op:
    """Unpickle an op."""
    return _part(name, expr, args, path).op


def partial(graph: Graph, name: str) -> Graph:
    """The derivative of a graph of scalars by one input, with the cotangent 1, simplified."""
    derived = differentiate(graph, (name,)).graph
    seed = derived.inputs[-1]
    table: dict[Node, Node] = {seed: const_node(1.0, "float64")}
    for node in derived.nodes:
        if node is not seed:
            table[node] = rebuild(node, [table[a] for a in node.args])
    outputs = tuple(table[n] for n in derived.outputs)
    plain = Graph(inputs=graph.inputs, outputs=outputs, output_names=("slope",), title=graph.title)
    return replace(simplify(plain)[0], names={})
