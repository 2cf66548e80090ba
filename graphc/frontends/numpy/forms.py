"""Values as a loop or a branch hands them on: leaves of structures, and the form that each has.

s = 0.0                     before the loop a Python number, after a step an array f32[k]:
for t in range(n):          joined(weak f64[], array f32[k])  ->  array f32[k]
    s = s + x[t]            and the 0.0 is spread over it
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from graphc.errors import ShapeError
from graphc.expr import build
from graphc.expr.arguments import Weak, nodes
from graphc.frontends.numpy.buffers import Buffer
from graphc.frontends.numpy.complex import Complex
from graphc.frontends.numpy.sizes import TracedSize
from graphc.frontends.numpy.structure import Shape, flatten, unflatten
from graphc.frontends.numpy.tracer import Kind, Tracer
from graphc.ir.leaf import size_node
from graphc.ir.node import Node
from graphc.ir.types import TensorType, broadcast, promote

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session


class Form(NamedTuple):
    """What a number or an array is: its type, and what NumPy has in its place."""

    type: TensorType
    kind: Kind

    def stand_in(self, session: Session, node: Node) -> Tracer:
        """A new array or number of this form."""
        weak = self.kind is Kind.WEAK and not self.type.is_float
        return Tracer(session, Buffer(node, self.type.rank <= 1), (), Kind.SCALAR if weak else self.kind)

    def fitted(self, node: Node) -> Node:
        """A value in this form."""
        return build.broadcast_to(build.astype(node, self.type.dtype), self.type.shape)


class Structure(NamedTuple):
    """Containers, the leaves taken out. complex: which of the leaves are pairs of two."""

    shape: Shape
    complex: tuple[bool, ...]

    def filled(self, session: Session, leaves: Sequence[Any]) -> Any:
        """The containers with these leaves."""
        left = iter(leaves)
        values = [Complex(session, next(left), next(left)) if pair else next(left) for pair in self.complex]
        return unflatten(self.shape, values)


def opened(value: Any) -> tuple[list[Any], Structure]:
    """The leaves of a value; those of a complex array are its two parts."""
    leaves, shape = flatten(value)
    pairs = tuple(type(leaf) in (Complex, complex) for leaf in leaves)
    found = [part for leaf in leaves for part in _parts(leaf)]
    return found, Structure(shape, pairs)


def _parts(leaf: Any) -> tuple[Any, ...]:
    """The two parts of a complex number, anything else alone."""
    if type(leaf) is Complex:
        return leaf.pair
    return (leaf.real, leaf.imag) if type(leaf) is complex else (leaf,)


def is_whole(value: Any) -> bool:
    """Whether a value is an integer of Python's, or a size."""
    return type(value) in (int, TracedSize)


def equal(a: Any, b: Any) -> bool:
    """Whether two values of one type are equal, as they themselves say."""
    try:
        return bool(type(a) is type(b) and a == b)
    except Exception:  # objects of the user's compare as they like
        return False


def form_of(value: Any) -> Form | None:
    """The form of a number or an array; None for anything else."""
    kind = type(value)
    if kind is Tracer:
        return Form(TensorType(value.dtype.name, value.node.shape), value.kind)
    if is_whole(value):
        return Form(TensorType("int64", ()), Kind.WEAK)
    if kind is float:
        return Form(TensorType("float64", ()), Kind.WEAK)
    if kind is bool:
        return Form(TensorType("bool", ()), Kind.SCALAR)
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return Form(TensorType(value.dtype.name, ()), Kind.SCALAR)
    if kind is np.ndarray and value.dtype.kind in "biuf":
        return Form(TensorType(value.dtype.name, value.shape), Kind.ARRAY)
    return None


def node_of(session: Session, value: Any) -> Node:
    """A number or an array as a node."""
    if type(value) is Tracer:
        return value.node
    if type(value) is TracedSize:
        return size_node(value.dim, "int64")
    given = session.value(value)
    return given.node if isinstance(given, Weak) else nodes((given,))[0]


def joined(a: Form, b: Form) -> Form | None:
    """A form that both values fit into, as one variable may hold the one or the other; None if there is none.

    A number that meets an array is spread over it.
    """
    if a.type.shape == b.type.shape:
        shape = a.type.shape
    elif 0 not in (a.type.rank, b.type.rank) and a.type.rank != b.type.rank:
        return None
    else:
        try:
            shape = broadcast(a.type.shape, b.type.shape)
        except ShapeError:
            return None
    weak = [f for f in (a, b) if f.kind is Kind.WEAK]
    strong = [f for f in (a, b) if f.kind is not Kind.WEAK]
    dtype = promote(*(f.type.dtype for f in strong or weak))
    if strong and weak and weak[0].type.is_float and not strong[0].type.is_float:
        dtype = "float64"
    if (a.type.dtype == "bool") != (b.type.dtype == "bool"):
        return None
    kinds = {f.kind for f in (a, b)}
    kind = next(k for k in (Kind.ARRAY, Kind.SCALAR, Kind.WEAK) if k in kinds)
    return Form(TensorType(dtype, shape), kind)
