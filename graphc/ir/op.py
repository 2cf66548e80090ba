"""What an operation is: one record.

An elementwise op states its local partial derivatives as formulas over its output `y` and its
arguments; a structural op states its adjoint. Both are used by `autodiff/`; the `numpy` text is
used by the emitter and by the interpreter, so there is one meaning and not two.

    Op("tanh", ("x",), numpy="np.tanh(x)", scalar="math.tanh(x)", partials=("1 - y * y",), ...)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.ir.dims import Dim
from graphc.ir.links import Link, Operands
from graphc.ir.types import TensorType

if TYPE_CHECKING:
    from graphc.ir.node import Node

Attrs = Mapping[str, Any]
Infer = Callable[[Sequence[TensorType], Attrs], TensorType]
Text = str | Callable[[Sequence[TensorType], Attrs], str]
# (builder, node, cotangent, argument number) -> cotangent of that argument. The builder is the
# module `graphc.expr`, handed in so that this room needs nothing from the rooms below it.
Adjoint = Callable[[Any, "Node", "Node", int], "Node | None"]
# (builder, node, arguments, which of them have a new first axis, its size) -> the node with that axis in front.
Batch = Callable[[Any, "Node", Sequence["Node"], Sequence[bool], Dim], "Node | None"]
# (node, its operands at known sizes, argument number) -> which of its elements the result depends on.
Links = Callable[["Node", Operands, int], Sequence[Link]]
Requires = Callable[[Sequence[TensorType], Attrs], Sequence[tuple[Dim, int]]]


@dataclass(frozen=True)
class Helper:
    """A small function that generated code carries along when it uses it.

    name: starts with an underscore.  array: its source on arrays, or the statement that imports it.
    scalar: its source on Python floats.
    """

    name: str
    array: str = ""
    scalar: str = ""


class Safe(NamedTuple):
    """What a mask puts in the place of an argument that is not used, so that nothing fails there.

    argument: its number.  value: a number inside the domain, where no slope is infinite.
    unless: the condition on the arguments, as rules write it, under which the op never fails.
    """

    argument: int
    value: float
    unless: str


_IN_WORDS = {0.0: "exact", 0.5: "correctly rounded"}


@dataclass(frozen=True, eq=False)
class Op:
    """One operation.

    name: its name in listings and, unless `spelling` says otherwise, in the text language.
    args: the names of its arguments; a last one `*xs` stands for any number.
    attrs: the names of its static attributes (axes, shapes, ...).
    infer: argument types and attributes -> result type; raises ShapeError or DtypeError.
    numpy: a Python expression over `args` and `attrs`: what it computes, as NumPy code.
    scalar: the same on Python floats, with NumPy's answers at the edges; None if it has none.
    plain: (fact, text): a shorter `scalar`, right where the fact holds of the last argument.
    update: a statement that computes it in place of its first argument, or None.
    helpers: the functions that `numpy`, `scalar` and `update` call.
    spelling: how the text language writes it; by default `name(args, attr=...)`.
    partials: elementwise ops: one formula an argument (None: no derivative flows there).
    adjoint: linear and structural ops: the cotangent of one argument.
    batch: the op over arguments with a new first axis, for each place along it; None where it can't. What
        its traits say all about (elementwise, reductions, "stacks", ops along one axis) needs none.
    links: which elements of the result depend on which of an argument, for the patterns of sparse Jacobians;
        where neither this nor its traits say so, all do on all.
    requires: sizes that must reach a minimum for the op to be defined, as (size, minimum).
    sympy: the formula in SymPy's functions, for proofs; None if there is none.
    domain: for each argument the open or closed interval where it is defined, as text.
    safe: for an op that can fail or overflow: the argument that it is given where it is not used.
    range: the interval of its values, or None.
    traits: "elementwise", "commutative", "linear", "view" (may alias its argument), "writes" (into
        its first argument or a copy of it: always an `update` of its own), "stacks" (works on the last
        axes of its only argument), "moves" (each element of the result is one of an argument, or does not
        depend on any), "untyped" (NumPy's stubs
        do not say which float it is) ...
    cost: rough nanoseconds per float64 element.
    exactness: how far the result may be from the true value of the arguments as they are, in units in the last
        place of the result. 0 is exact, as what only moves, chooses or compares is, and 0.5 correctly rounded.
        A phrase, where the bound depends on the arguments (n: how many elements make one of the result) or
        the unit is another one's: "n ulp of the sum of magnitudes". As long as nothing overflows on the way.
    conventions: the value, and the derivative where nothing else is named, at kinks, ties and ends of the
        domain: short phrases; nothing where no point is special.
    formula: how its derivative is written in the documentation.
    label: what generated code calls a result that has no name: "p" for a softmax.
    doc: one line for the reference.
    """

    name: str
    args: tuple[str, ...]
    infer: Infer
    numpy: Text
    doc: str
    attrs: tuple[str, ...] = ()
    scalar: str | None = None
    plain: tuple[str, str] | None = None
    update: str | Callable[[Node], str] | None = None
    helpers: tuple[Helper, ...] = ()
    spelling: Text | None = None
    partials: tuple[str | None, ...] | None = None
    adjoint: Adjoint | None = None
    batch: Batch | None = None
    links: Links | None = None
    requires: Requires | None = None
    sympy: str | None = None
    domain: tuple[str, ...] = ()
    safe: Safe | None = None
    range: tuple[float, float] | None = None
    traits: frozenset[str] = field(default_factory=frozenset)
    cost: float = 1.0
    exactness: float | str = 0.0
    conventions: str = ""
    formula: str = ""
    label: str = ""

    @property
    def variadic(self) -> bool:
        return bool(self.args) and self.args[-1].startswith("*")

    @property
    def elementwise(self) -> bool:
        return "elementwise" in self.traits

    @property
    def differentiable(self) -> bool:
        return self.partials is not None or self.adjoint is not None

    @property
    def accuracy(self) -> str:
        """Its exactness in words."""
        if isinstance(self.exactness, str):
            return self.exactness
        return _IN_WORDS.get(self.exactness, f"{self.exactness:g} ulp")

    def numpy_text(self, types: Sequence[TensorType], attrs: Attrs) -> str:
        return self.numpy if isinstance(self.numpy, str) else self.numpy(types, attrs)

    def spelling_text(self, types: Sequence[TensorType], attrs: Attrs) -> str:
        """How the text language writes it, over the names of arguments and attributes."""
        if self.spelling is not None:
            return self.spelling if isinstance(self.spelling, str) else self.spelling(types, attrs)
        arguments = [a.removeprefix("*") for a in self.args] + [f"{a}={a}" for a in self.attrs]
        return f"{self.name}({', '.join(arguments)})"

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[object, ...]:
        return _registered, (self.name,)


def _registered(name: str) -> Op:
    """Unpickle an op: by name, from the table that holds it, as pickle does with functions."""
    op: Op = import_module("graphc.ops").REGISTRY[name]
    return op
