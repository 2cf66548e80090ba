"""Forward mode for functions: gc.jvp(f, primals, tangents), gc.hvp(f)(*args, v).

    gc.jvp(f, (x,), (v,))     f(x), and its derivative along v
    gc.hvp(f)(x, v)           the derivative of the gradient along v: the Hessian of f times v

The whole call is traced and compiled into one module without a backward pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from graphc.autodiff.forward import constant_of, tangents_of
from graphc.errors import ArgumentError
from graphc.expr import build
from graphc.frontends.numpy.signature import FreeNames, described_signature
from graphc.frontends.numpy.structure import LEAF, Shape, flatten, joined_name, paths_of, unflatten
from graphc.frontends.numpy.trace import Traced, title_of, trace_signature
from graphc.ir.node import Node, rebuild, topological
from graphc.module.compiled import Module
from graphc.module.interface import Interface
from graphc.passes.pipeline import settled
from graphc.transforms.arguments import place_of
from graphc.transforms.compiled import Compiled, scalars
from graphc.transforms.inside import Function, Stage, Tree, seed_of, stage
from graphc.transforms.reverse import Grad
from graphc.transforms.transform import Transform


class WholeCall(Transform):
    """A transform that is compiled by tracing its own call."""

    def _compile(self, kinds: Mapping[str, Any], count: int, places: Sequence[int]) -> Compiled:
        names = list(kinds)
        flat: Any = Flat(self)  # a trace calls it by `__graphc_inside__`
        traced = trace_signature(flat, described_signature(kinds, frozenset(names[count:])))
        graph = replace(traced.graph, title=title_of(innermost(self._function)))
        module = Module(graph, (), None, Interface.of_traced(traced), joint=settled(graph))
        return WholeForm(traced, module, names, flat)

    def _run(self, compiled: WholeForm, args: Sequence[Any], words: Mapping[str, Any]) -> Any:
        return compiled.flat.structured(scalars(compiled.module(**compiled.words(args, words))))


class Flat:
    """A transform whose result is the list of its arrays; what is None in the structure is left out."""

    def __init__(self, transform: Transform) -> None:
        self._transform = transform
        self._gaps: list[bool] = []
        self._shape: Shape = LEAF

    def __graphc_inside__(self, session: Any, *args: Any, **words: Any) -> list[Any]:
        leaves, self._shape = flatten(self._transform.__graphc_inside__(session, *args, **words))
        self._gaps = [leaf is None for leaf in leaves]
        return [leaf for leaf in leaves if leaf is not None]

    def structured(self, values: Sequence[Any]) -> Any:
        """The result as it was, with these arrays."""
        left = iter(values)
        return unflatten(self._shape, [None if gap else next(left) for gap in self._gaps])


class WholeForm(Compiled):
    """A module without a backward pass, and the structure of its result."""

    def __init__(self, traced: Traced, module: Module, names: Sequence[str], flat: Flat) -> None:
        super().__init__(traced, module, names)
        self.flat = flat


def innermost(function: Function) -> Function:
    """The function that transforms were made of."""
    while isinstance(function, Transform):
        function = function.__wrapped__
    return function


class Tangent(WholeCall):
    """`gc.jvp(f, primals, tangents)`, called as f_dot(*primals, *tangents)."""

    def _places(self, args: Sequence[Any]) -> list[int]:
        return list(range(len(args)))

    def _named(self, count: int) -> list[str]:
        names = super()._named(count // 2)
        free = FreeNames(names)
        return [*names, *(free(f"{name}_dot") for name in names)]

    def _traced(self, session: Any, args: Sequence[Any], words: Mapping[str, Any], places: Sequence[int]) -> Any:
        half = len(args) // 2
        part = stage(session, self._function, args[:half], words, range(half))
        _name_outputs(part, getattr(innermost(self._function), "__name__", ""))
        trees = [Tree(session, v) for v in args[half:]]
        return part.value(), pushed(part, trees)


def jvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of a function, and its derivative along `tangents`: (f(x), J v).

    primals, tangents: a tuple each, one entry an argument, of the same structure and shapes.
    The tangent has the structure of the value; integers in it have the tangent 0.

    >>> import numpy as np
    >>> value, tangent = jvp(lambda x: x**2, (np.array([1.0, 3.0]),), (np.array([1.0, 0.5]),))
    >>> value, tangent
    (array([1., 9.]), array([2., 3.]))
    """
    return _tangent(function)(*_checked(primals, tangents))  # type: ignore[no-any-return]


def _jvp_inside(session: Any, function: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    return _tangent(function).__graphc_inside__(session, *_checked(primals, tangents))


jvp.__graphc_inside__ = _jvp_inside  # type: ignore[attr-defined]


def _tangent(function: Function) -> Tangent:
    """The compiled forms for a function, the same ones in every call."""
    try:
        return _known(function)
    except TypeError:  # not hashable
        return Tangent(function, ())


@lru_cache(maxsize=256)
def _known(function: Function) -> Tangent:
    return Tangent(function, ())


def _checked(primals: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
    """The primals, then the tangents."""
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            hint = f"one argument is {name}=(x,)"
            raise ArgumentError("G070", f"{name} is a tuple, not a {type(given).__name__}", hint=hint)
    if [flatten(p)[1] for p in primals] != [flatten(t)[1] for t in tangents]:
        raise ArgumentError("G070", "the tangents have another structure than the primals")
    return [*primals, *tangents]


class HessianProduct(WholeCall):
    """`gc.hvp(f)`."""

    def _places(self, args: Sequence[Any]) -> list[int]:
        """Those of the arguments differentiated by, and that of the direction."""
        if not args:
            raise ArgumentError("G070", "the last argument is the direction v")
        count = len(args) - 1
        return [*(place_of(n, count) for n in self._argnums), count]

    def _named(self, count: int) -> list[str]:
        names = super()._named(count - 1)
        return [*names, FreeNames(names)("v")]

    def _traced(self, session: Any, args: Sequence[Any], words: Mapping[str, Any], places: Sequence[int]) -> Any:
        *given, v = args
        argnums = places[0] if self._single else places[:-1]
        directions = [v] if self._single else _directions(v, len(places) - 1)
        for place, direction in zip(places[:-1], directions, strict=True):
            if flatten(given[place])[1] != flatten(direction)[1]:
                raise ArgumentError("G070", "the direction has another structure than the argument")
        part = stage(session, Grad(self._function, argnums), given, words, places[:-1], may_have_gaps=True)
        result = pushed(part, [Tree(session, d) for d in directions])
        name_result(session, result, "Hv")
        return result


def hvp(function: Function, argnums: int | Sequence[int] = 0) -> HessianProduct:
    """The Hessian of a function with a scalar result times a vector: hvp(f)(*args, v).

    v has the structure of the argument `argnums`, or is a tuple of such for several; so is the result.
    No matrix is made: the gradient is differentiated along v (Pearlmutter, "Fast exact multiplication
    by the Hessian", 1994).

    >>> import numpy as np
    >>> hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    return HessianProduct(function, argnums)


def _directions(v: Any, count: int) -> Sequence[Any]:
    if not isinstance(v, (tuple, list)) or len(v) != count:
        raise ArgumentError("G070", f"the direction is a tuple of {count}, one for each of argnums")
    return v


def pushed(part: Stage, trees: Sequence[Tree]) -> Any:
    """The tangent of the value, in its structure, along tangents of the differentiated arguments."""
    session = part.session
    given = [_constant(n) or stand_in for t in trees for n, stand_in in zip(t.nodes, t.stand_ins, strict=True)]
    seeds = {node: seed_of(session, tangent, node) for node, tangent in zip(part.inputs, given, strict=True)}
    found = tangents_of(part.outputs, seeds)
    wanted = [found.get(o) or _zero(o) for o in part.outputs]
    finished = part.finished(wanted, part.labels(found, "{}_dot"), trees)
    return part.structured([session.wrapped(n) for n in finished])


def _constant(tangent: Node) -> Node | None:
    """A small tangent that depends on no input, as a constant: `np.eye(3)[0]`."""
    made: dict[Node, Node] = {}
    for node in topological([tangent]):
        constant = constant_of(rebuild(node, [made[a] for a in node.args]))
        if constant is None:
            return None
        made[node] = constant
    return made[tangent]


def _zero(output: Node) -> Node:
    return build.zeros(output.shape, output.type.dtype)


def _name_outputs(part: Stage, name: str) -> None:
    """Outputs without a name are called as the function is, "value" if that has none."""
    for output in part.outputs:
        if output.args:
            part.names.setdefault(output, name if name.isidentifier() else "value")


def name_result(session: Any, result: Any, name: str) -> None:
    """Call the leaves of a result after what they are, and where they stand in it: Hv, or Hv_W and Hv_b."""
    leaves, shape = flatten(result)
    for leaf, path in zip(leaves, paths_of(shape), strict=True):
        if leaf is not None:
            session.names[leaf.node] = joined_name((name, *path))
