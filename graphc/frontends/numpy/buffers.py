"""Memory as NumPy has it, made functional: assignment into an array, and into views of it.

    h = np.zeros((3, k))        a buffer that holds zeros
    row = h[1]                  a view: the same buffer, reached by h -> h[1]
    row += x                    the buffer now holds set_at(zeros, zeros[1] + x, [1])
    h                           reads that

A buffer holds one value after another; each value is a node of the graph and never changes. A view
remembers the steps that lead from the buffer to it: reading takes them, writing takes them back.
While nothing traced has been written, a buffer is a real array, and NumPy itself does the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from typing import Any, NamedTuple
from weakref import ref as weakref

import numpy as np
import numpy.typing as npt

from graphc.errors import UnsupportedError
from graphc.expr import build
from graphc.ir.dims import Dim, Size, substitute
from graphc.ir.index import Range
from graphc.ir.leaf import const_node
from graphc.ir.node import Node, make
from graphc.ir.op import Op
from graphc.ops import REGISTRY

STEPS = ("getitem", "transpose", "reshape", "expand_dims", "squeeze", "sized")


class Step(NamedTuple):
    """One step from an array to a view of it: an op of one argument, with its attributes."""

    op: Op
    attrs: tuple[tuple[str, Any], ...]

    def take(self, node: Node) -> Node:
        """The view of a value."""
        return make(self.op, [node], **dict(self.attrs))

    def put(self, node: Node, part: Node) -> Node:
        """The value whose view is `part`, and which is `node` elsewhere."""
        attrs = dict(self.attrs)
        if self.op.name == "getitem":
            return build.set_at(node, part, attrs["index"])
        if self.op.name == "transpose":
            order = attrs["axes"]
            return build.transpose(part, tuple(order.index(a) for a in range(len(order))))
        if self.op.name == "sized":
            return build.apply("sized", part, axis=attrs["axis"], size=node.shape[attrs["axis"]])
        return build.reshape(part, node.shape)


Path = tuple[Step, ...]
_AGES = count()


class Buffer:
    """One piece of memory.

    array: the real array, while all of it is known.  node: its present value otherwise.
    contiguous: whether the elements are known to lie in order, so that a reshape is a view.
    constant: what makes a node of a real array, given the variable that it is in.
    name: the variable that it is in.  readonly: why it can't be written to, if it can't.
    twins: memory that NumPy may or may not share with this; what is written to one while the other
    is in use has no certain meaning.
    stale: why its value is not known any more, if it is not.  age: later buffers have larger ones.
    """

    __slots__ = (
        "__weakref__", "_node", "age", "array", "constant", "contiguous", "dtype", "name", "readonly", "stale", "twins",
    )  # fmt: skip

    def __init__(
        self,
        value: Node | npt.NDArray[Any],
        contiguous: bool = True,
        readonly: str = "",
        constant: Callable[[npt.NDArray[Any], str], Node] | None = None,
    ) -> None:
        self.array: npt.NDArray[Any] | None = None if isinstance(value, Node) else value
        self._node: Node | None = value if isinstance(value, Node) else None
        self.dtype = np.dtype(value.type.dtype) if isinstance(value, Node) else value.dtype
        self.contiguous = contiguous
        self.name = ""
        self.readonly = readonly
        self.stale = ""
        self.age = next(_AGES)
        self.constant = constant or _constant
        self.twins: list[weakref[Buffer]] = []

    def may_share(self, other: Buffer) -> None:
        """This memory and another may be the same, and so may all that the other one may be."""
        for twin in [other, *(t for t in (ref() for ref in other.twins) if t is not None and t is not self)]:
            self.twins.append(weakref(twin))
            twin.twins.append(weakref(self))

    @property
    def node(self) -> Node:
        """The present value."""
        if self.stale:
            raise UnsupportedError("G040", self.stale, hint="take a copy before the loop: y = x.copy()")
        if self._node is None:
            assert self.array is not None
            self._node = by_name(self.array) or self.constant(self.array, self.name)
        return self._node

    def read(self, path: Path) -> Node:
        """The present value of a view."""
        node = self.node
        for step in path:
            node = step.take(node)
        return node

    @property
    def state(self) -> tuple[npt.NDArray[Any] | None, Node | None]:
        """What it holds: the array, the node."""
        return self.array, self._node

    def hold(self, node: Node) -> None:
        """From now on the value is `node`."""
        self.array, self._node = None, node

    def write(self, path: Path, value: Node) -> None:
        """Put a value of the view's shape and dtype into a view."""
        self.check_writable()
        values = [self.node]
        for step in path:
            values.append(step.take(values[-1]))
        for step, before in zip(reversed(path), reversed(values[:-1]), strict=True):
            value = step.put(before, value)
        self.array, self._node = None, value

    def check_writable(self) -> None:
        """Raise UnsupportedError if it is not certain what a write would change."""
        if self.readonly:
            raise UnsupportedError("G040", self.readonly, hint="write into a copy: y = x.copy()")
        if any(twin() is not None for twin in self.twins):
            raise UnsupportedError(
                "G040",
                "another array in use may be a view of this memory: the assignment has no certain meaning",
                hint="take a copy first: x.copy().reshape(...), np.diag(x).copy()",
            )

    def view(self, path: Path) -> npt.NDArray[Any] | None:
        """The view of the real array, while there is one."""
        view = self.array
        for step in path if view is not None else ():
            assert view is not None
            view = _real_step(view, step)
        return view

    def touched(self) -> None:
        """The real array has been written to."""
        self._node = None


class Journal:
    """What buffers held before they were written to, to take it back.

    written: the buffers, in the order of the first write.  age: buffers from before have smaller ones.
    spoiled: whether something else has changed that can't be taken back.
    """

    def __init__(self) -> None:
        self.written: list[Buffer] = []
        self.age = next(_AGES)
        self.spoiled = False
        self._kept: dict[int, tuple[npt.NDArray[Any] | None, npt.NDArray[Any] | None, Node | None]] = {}

    def writing(self, buffer: Buffer) -> None:
        """A buffer is about to be written to."""
        if id(buffer) not in self._kept:
            array, node = buffer.state
            self._kept[id(buffer)] = array, None if array is None else array.copy(), node
            self.written.append(buffer)

    def restore(self) -> None:
        """Every buffer from before holds again what it held."""
        for buffer in self.written:
            if buffer.age > self.age:
                continue
            array, content, node = self._kept[id(buffer)]
            if array is not None:
                array[...] = content
            buffer.array, buffer._node = array, node


def by_name(array: npt.NDArray[Any]) -> Node | None:
    """Zeros, ones, counts and identity matrices by their names, which rules know."""
    dtype = array.dtype.name
    if array.size <= 1 or dtype not in ("float64", "float32", "int64", "int32"):
        return None
    first = array.flat[0]
    if first in (0, 1) and not np.signbit(first) and (array == first).all():
        return (build.ones if first else build.zeros)(array.shape, dtype)
    if array.ndim == 1 and dtype == "int64" and (array == np.arange(len(array))).all():
        return build.arange(len(array))
    if array.ndim == 2 and first == 1 and array.tobytes() == np.eye(*array.shape, dtype=array.dtype).tobytes():
        return build.eye(array.shape[0], array.shape[1], dtype)
    return None


def _constant(array: npt.NDArray[Any], called: str) -> Node:
    return const_node(array, array.dtype.name)


def _real_step(array: npt.NDArray[Any], step: Step) -> npt.NDArray[Any]:
    attrs = dict(step.attrs)
    if step.op.name == "getitem":
        view: npt.NDArray[Any] = array[attrs["index"].resolve({}, ())]
        return view
    if step.op.name == "transpose":
        return array.transpose(attrs["axes"])
    if step.op.name == "sized":
        return array
    if step.op.name == "expand_dims":
        return np.expand_dims(array, attrs["axes"])
    return array.squeeze(attrs["axes"]) if step.op.name == "squeeze" else array.reshape(attrs["shape"])


def path_between(source: Node, target: Node) -> Path | None:
    """The steps by which `target` is a view of `source`; None if it is not."""
    steps: list[Step] = []
    node = target
    while node is not source:
        if node.op.name not in STEPS or len(node.args) != 1:
            return None
        steps.append(Step(node.op, tuple(zip(node.op.attrs, node.attrs, strict=True))))
        node = node.args[0]
    return tuple(reversed(steps))


def reshapes(path: Sequence[Step]) -> bool:
    """Whether a path may be a copy for NumPy: it reshapes, and memory may not be in order."""
    return any(step.op is REGISTRY["reshape"] for step in path)


def strided(path: Sequence[Step]) -> bool:
    """Whether a path leaves the order of memory."""
    return any(step.op.name in ("getitem", "transpose") for step in path)


def names_in(value: Any) -> Iterator[str]:
    """The names of sizes in a path."""
    if isinstance(value, Size):
        yield from value.names()
    elif isinstance(value, Range):
        yield from names_in((value.start, value.stop))
    elif isinstance(value, tuple):
        yield from chain.from_iterable(map(names_in, value))


def replaced_in(value: Any, replaced: Mapping[str, Dim]) -> Any:
    """A size or a path with names of sizes replaced."""
    if isinstance(value, Size):
        return substitute(value, replaced)
    if isinstance(value, Range):
        start, stop, count = (replaced_in(v, replaced) for v in (value.start, value.stop, value.count))
        return replace(value, start=start, stop=stop, count=count)
    if not isinstance(value, tuple):
        return value
    items = [replaced_in(item, replaced) for item in value]
    return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
