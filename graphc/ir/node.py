"""Nodes: immutable and interned, so that equal structure is the same object.

    a = make(ADD, (x, y));  b = make(ADD, (x, y));  a is b

The table holds its entries weakly and is keyed by the identity of the arguments, which live as
long as the node does; nothing here hashes, compares or prints a tree. Common subexpressions
therefore cannot exist twice, and a walk over a graph is a loop.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt

from graphc.errors import InternalError
from graphc.ir.op import Op
from graphc.ir.types import TensorType


class Constant(NamedTuple):
    """The value of a constant, compared by bits: 0.0 is not -0.0, and nan equals itself."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    @staticmethod
    def of(value: npt.ArrayLike, dtype: str) -> Constant:
        array = np.ascontiguousarray(np.asarray(value, dtype=dtype))
        return Constant(dtype, np.shape(value), array.tobytes())

    def array(self) -> npt.NDArray[Any]:
        return np.frombuffer(self.data, dtype=self.dtype).reshape(self.shape)

    def __str__(self) -> str:
        return repr(self.array().tolist())


class Node:
    """One operation applied to nodes. Made by `make` only; compared by identity."""

    __slots__ = ("__weakref__", "args", "attrs", "op", "type")

    op: Op
    args: tuple[Node, ...]
    attrs: tuple[Any, ...]  # in the order of op.attrs
    type: TensorType

    def __getitem__(self, attr: str) -> Any:
        return self.attrs[self.op.attrs.index(attr)]

    @property
    def attributes(self) -> dict[str, Any]:
        return dict(zip(self.op.attrs, self.attrs, strict=True))

    @property
    def shape(self) -> tuple[Any, ...]:
        return self.type.shape

    def __repr__(self) -> str:
        return f"<{self.op.name}: {self.type}>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Node is not pickled: pickle the Graph that holds it")


_table: WeakValueDictionary[tuple[Any, ...], Node] = WeakValueDictionary()
_lock = Lock()


def make(op: Op, args: Sequence[Node] = (), **attrs: Any) -> Node:
    """The node for `op` over `args`; the same object for the same structure.

    Raises ShapeError or DtypeError when the op does not take arguments of these types.
    """
    if len(attrs) != len(op.attrs):
        raise InternalError("G090", f"{op.name} takes the attributes {op.attrs}")
    values = tuple([attrs[name] for name in op.attrs]) if attrs else ()
    key = (op, *map(id, args), *values)  # by the op itself: two ops of users may have one name
    node = _table.get(key)
    if node is not None:
        return node
    node = Node()
    node.op = op
    node.args = tuple(args)
    node.attrs = values
    node.type = op.infer([a.type for a in args], attrs)
    with _lock:
        return _table.setdefault(key, node)


def rebuild(node: Node, args: Sequence[Node]) -> Node:
    """`node` over other arguments."""
    if node.args == tuple(args):  # nodes are compared by identity
        return node
    return make(node.op, args, **node.attributes) if node.attrs else make(node.op, args)


def topological(roots: Iterable[Node], known: Collection[Node] = ()) -> list[Node]:
    """Every node that `roots` need, arguments first, in the order of first use; no recursion.

    known: nodes that are left out, with what only they need.
    """
    done: set[Node] = set()
    order: list[Node] = []
    stack = list(roots)[::-1]
    while stack:
        node = stack.pop()
        if node in done:
            continue
        if node in known:
            done.add(node)
        elif done.issuperset(node.args):
            done.add(node)
            order.append(node)
        else:
            stack.append(node)  # once more, when its arguments are there
            stack += node.args[::-1]
    return order
