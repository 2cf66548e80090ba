"""The inputs of a SymPy expression.

    x, y                 f64[] each, sorted by name
    v[0] + v[2]          v: f64[3], the smallest that has these elements
    A[0, 1]              A: a MatrixSymbol, with its own shape

In SymPy two symbols may have one name and differ in their assumptions; in a signature they can't.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphc.errors import LimitError, ShapeError, UnknownNameError, UnsupportedError, did_you_mean
from graphc.expr import build
from graphc.frontends.sympy.showing import shown
from graphc.frontends.text.characters import MAX_INPUTS
from graphc.frontends.text.names import check_name
from graphc.frontends.text.shapes import InputSpec, input_type
from graphc.ir.dims import MAX_SIZE, Dim
from graphc.ir.leaf import input_node
from graphc.ir.node import Node
from graphc.ir.types import TensorType


@dataclass(frozen=True)
class Inputs:
    """nodes: the inputs in their order.  owners: the Symbol, IndexedBase or MatrixSymbol of each name."""

    nodes: tuple[Node, ...]
    owners: Mapping[str, Any]

    @staticmethod
    def of(order: Iterable[tuple[Any, Any]], given: Mapping[str, InputSpec] | None) -> Inputs:
        """The inputs that the subexpressions `order` use, and those of `given` that they do not."""
        owners: dict[str, Any] = {}
        shapes: dict[str, tuple[Dim, ...]] = {}
        for expr, _ in order:
            owner, indices = _owner(expr)
            if owner is None:
                continue
            name = check_name(_name(owner))
            if owners.setdefault(name, owner) != owner:
                raise UnknownNameError(
                    "G014",
                    f"two different symbols are called `{name}`",
                    hint="symbols with one name and other assumptions are distinct in SymPy: create each once",
                )
            if indices is not None:
                shapes[name] = _grown(expr, owner, indices, shapes.get(name))
        types = _types(owners, shapes, given or {})
        if len(types) > MAX_INPUTS:
            raise LimitError("G003", f"a model has at most {MAX_INPUTS:,} inputs")
        return Inputs(tuple(input_node(name, type) for name, type in types.items()), owners)

    @cached_property
    def _named(self) -> dict[str, Node]:
        return {n["name"]: n for n in self.nodes}

    def __contains__(self, expr: Any) -> bool:
        return _owner(expr)[0] is not None

    def node(self, expr: Any) -> Node:
        """The input of a symbol, or the element that it is."""
        owner, indices = _owner(expr)
        node = self._named[_name(owner)]
        if indices is None:
            return node
        if len(indices) != node.type.rank:
            raise ShapeError("G022", f"`{shown(expr)}` has {len(indices)} indices, and `{_name(owner)}` is {node.type}")
        return build.getitem(node, _positions(expr, indices, node.shape))

    def free_names(self, count: int) -> tuple[str, ...]:
        """`out`, or `out1`, `out2`, ... for several outputs; never the name of an input."""
        names = ["out"] if count == 1 else [f"out{i + 1}" for i in range(count)]
        while self._named.keys() & set(names):
            names = [name + "_" for name in names]
        return tuple(names)


def _owner(expr: Any) -> tuple[Any, Sequence[Any] | None]:
    """The symbol, None if there is none, and the indices of an element."""
    kind = type(expr).__name__
    if kind == "Indexed":
        return expr.base, expr.indices
    if kind == "MatrixElement":
        return expr.parent, expr.indices
    return (expr, None) if getattr(expr, "is_Symbol", False) else (None, None)


def _name(owner: Any) -> str:
    name = owner.label.name if type(owner).__name__ == "IndexedBase" else getattr(owner, "name", None)
    if name is None:
        raise UnsupportedError("G040", f"`{shown(owner)}`: only elements of symbols are inputs")
    return str(name)


def _grown(expr: Any, owner: Any, indices: Sequence[Any], before: tuple[Dim, ...] | None) -> tuple[Dim, ...]:
    """The shape that the array must have for its element `expr`: its own, or large enough."""
    for index in indices:
        if not getattr(index, "is_Integer", False):
            raise UnsupportedError("G040", f"`{shown(expr)}`: an index must be an integer, not `{shown(index)}`")
        if not 0 <= int(index) < MAX_SIZE:
            raise ShapeError("G022", f"`{shown(expr)}`: an index is at least 0 and below 2**63")
    own = getattr(owner, "shape", None)
    if own is not None and all(getattr(d, "is_Integer", isinstance(d, int)) for d in own):
        return tuple(int(d) for d in own)
    needed = tuple(int(i) + 1 for i in indices)
    if before is None:
        return needed
    if len(before) != len(needed):
        raise ShapeError("G022", f"`{_name(owner)}` has {len(before)} indices here and {len(needed)} there")
    return tuple(max(a, b) for a, b in zip(before, needed, strict=True) if isinstance(a, int))


def _types(
    owners: Mapping[str, Any], shapes: Mapping[str, tuple[Dim, ...]], given: Mapping[str, InputSpec]
) -> dict[str, TensorType]:
    """The declared inputs in their order, or all of them sorted by name."""
    types = {check_name(name): input_type(name, spec) for name, spec in given.items()}
    missing = sorted(owners.keys() - types.keys())
    if given and missing:
        hint = did_you_mean(missing[0], types) or f"add it: {{..., {missing[0]!r}: ()}}"
        raise UnknownNameError("G010", f"the symbol `{missing[0]}` is not among the inputs", hint=hint)
    return types | {name: TensorType("float64", shapes.get(name, ())) for name in missing}


def _positions(expr: Any, indices: Sequence[Any], shape: tuple[Dim, ...]) -> list[int]:
    positions = [int(i) for i in indices]
    for position, size in zip(positions, shape, strict=True):
        if not isinstance(size, int):
            raise ShapeError("G024", f"`{shown(expr)}`: the size `{size}` must be a number to read an element")
        if position >= size:
            raise ShapeError("G022", f"`{shown(expr)}` is outside the array, whose shape is {shape}")
    return positions
