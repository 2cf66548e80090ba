"""How structured arguments and results of a model map to the flat ones of the generated file.

    m.value_and_grad(params={"W": W, "b": b}, X=X)   ->   (3.2, Gradients(params={"W": ..., "b": ...}))

The generated file takes and gives arrays; dicts, lists and dataclasses of them are taken apart and
put together here.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy.typing as npt

from graphc.errors import ArgumentError, did_you_mean
from graphc.frontends.numpy.signature import Argument
from graphc.frontends.numpy.structure import LEAF, Shape, flatten, unflatten
from graphc.frontends.numpy.trace import Traced
from graphc.ir.graph import Graph


class Interface(NamedTuple):
    """How structured arguments and results map to the flat ones of the generated file.

    arguments: in order.  result: the structure of what the model returns.  fixed: arrays that the
    function took from outside, by the name of their input.
    """

    arguments: tuple[Argument, ...]
    result: Shape | None
    fixed: Mapping[str, npt.NDArray[Any]]

    @staticmethod
    def of_graph(graph: Graph) -> Interface:
        """Each input is an argument of its own."""
        arguments = tuple(Argument(n["name"], LEAF, (n.type,), (n["name"],), (None,), (False,)) for n in graph.inputs)
        return Interface(arguments, None, {})

    @staticmethod
    def of_traced(traced: Traced) -> Interface:
        return Interface(tuple(traced.signature.arguments), traced.result, traced.captured)

    def along(self, tangents: Mapping[str, str], wrt: Sequence[str]) -> Interface:
        """With a tangent for each of `wrt` behind the arguments. tangents: flat names of inputs -> of theirs."""
        leaves = {n: (a, i) for a in self.arguments for i, n in enumerate(a.names)}
        table = {a.name: a for a in self.arguments}
        more = [_tangent(table[name] if name in table else _leaf(*leaves[name]), tangents) for name in wrt]
        return self._replace(arguments=(*self.arguments, *more))

    # --- in ---

    def leaves(self, args: Sequence[Any], words: Mapping[str, Any]) -> dict[str, Any]:
        """The flat inputs by name."""
        given = self._given(args, words)
        values: dict[str, Any] = dict(self.fixed)
        for argument in self.arguments:
            if argument.name not in given and all(t is None for t in argument.types):
                continue
            if argument.name not in given:
                kind = argument.types[0] if argument.shape is LEAF else "a structure of arrays"
                raise ArgumentError("G070", f"the input `{argument.name}` is missing: {kind}")
            values.update(_flat(argument, given[argument.name]))
        return values

    def _given(self, args: Sequence[Any], words: Mapping[str, Any]) -> dict[str, Any]:
        names = [a.name for a in self.arguments]
        if len(args) > len(names):
            raise ArgumentError("G070", f"the model has {len(names)} inputs, and got {len(args)} arguments")
        given = dict(zip(names, args, strict=False))
        for name, value in words.items():
            if name in self.fixed:
                raise ArgumentError("G070", f"`{name}` was taken from outside when the function was traced")
            if name not in names:
                hint = did_you_mean(name, names) or f"the inputs are: {', '.join(names) or 'none'}"
                raise ArgumentError("G070", f"`{name}` is not an input", hint=hint)
            if name in given:
                raise ArgumentError("G070", f"the input `{name}` is given twice")
            given[name] = value
        return given

    # --- out ---

    def returned(self, value: Any) -> Any:
        """The result in its structure."""
        if self.result is None or self.result == LEAF:
            return value
        values = value if isinstance(value, tuple) else (value,)
        return unflatten(self.result, values)

    def names_of(self, wrt: Sequence[str]) -> list[str]:
        """The flat names that arguments, or leaves, stand for. ArgumentError for static ones."""
        table = {a.name: [n for n, t in zip(a.names, a.types, strict=True) if t is not None] for a in self.arguments}
        return [leaf for name in wrt for leaf in table.get(name, [name])]

    def gathered(self, wrt: Sequence[str], gradients: Any) -> Any:
        """Flat gradients in the structure of the arguments `wrt`."""
        table = {a.name: a for a in self.arguments}
        if all(table[name].shape == LEAF for name in wrt if name in table):
            return gradients
        flat = gradients._asdict()
        return _gradients_class(tuple(wrt))(*(self._structured(table.get(name), name, flat) for name in wrt))

    def _structured(self, argument: Argument | None, name: str, flat: Mapping[str, Any]) -> Any:
        if argument is None:
            return flat[name]
        return unflatten(argument.shape, [flat.get(n) for n in argument.names])


def _leaf(argument: Argument, i: int) -> Argument:
    """One leaf of an argument as an argument of its own."""
    return Argument(argument.names[i], LEAF, (argument.types[i],), (argument.names[i],), (None,), (argument.weak[i],))


def _tangent(like: Argument, tangents: Mapping[str, str]) -> Argument:
    """An argument that is a tangent of another one; what is not differentiated by is as before."""
    floats = [name in tangents for name in like.names]
    types = tuple(t if f else None for t, f in zip(like.types, floats, strict=True))
    names = tuple(tangents.get(name, name) for name in like.names)
    return replace(like, name=f"{like.name}_dot", types=types, names=names)


@lru_cache(maxsize=1024)
def _gradients_class(names: tuple[str, ...]) -> Any:
    """A named tuple with one field an argument."""
    return namedtuple("Gradients", names)


def _flat(argument: Argument, value: Any) -> dict[str, Any]:
    """The leaves of one argument. ArgumentError if it has another structure than it had at compile time."""
    if argument.shape == LEAF:
        return {argument.names[0]: value} if argument.types[0] is not None else {}
    leaves, shape = flatten(value)
    if shape != argument.shape:
        raise ArgumentError("G070", f"`{argument.name}` has another structure than when the model was compiled")
    return {n: v for n, t, v in zip(argument.names, argument.types, leaves, strict=True) if t is not None}
