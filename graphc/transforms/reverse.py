"""Reverse mode for functions: gc.grad(f), gc.value_and_grad(f), gc.vjp(f, x).

gc.grad(loss)(w, X, y)      compiled at the first call for these ranks and dtypes, then run
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graphc.api import module_of
from graphc.autodiff.reverse import transposed
from graphc.errors import ArgumentError
from graphc.expr import build
from graphc.frontends.numpy.signature import described_signature
from graphc.frontends.numpy.structure import LEAF, flatten
from graphc.frontends.numpy.trace import Traced, trace_signature
from graphc.ir.leaf import const_node
from graphc.ir.node import Node
from graphc.transforms.arguments import differentiable
from graphc.transforms.compiled import Compiled, scalars
from graphc.transforms.inside import Function, Stage, Tree, seed_of, session_of, stage
from graphc.transforms.transform import Transform


class Grad(Transform):
    """`gc.grad(f)`."""

    def __init__(self, function: Function, argnums: int | Sequence[int], has_aux: bool = False) -> None:
        super().__init__(function, argnums)
        self._has_aux = has_aux

    def _result(self, value: Any, aux: Any, gradients: Any) -> Any:
        return (gradients, aux) if self._has_aux else gradients

    def _compile(self, kinds: Mapping[str, Any], count: int, places: Sequence[int]) -> GradientForm:
        return GradientForm(self._function, kinds, count, places, self._has_aux)

    def _run(self, compiled: GradientForm, args: Sequence[Any], words: Mapping[str, Any]) -> Any:
        value, aux, found = compiled.run(args, words)
        return self._result(value, aux, found[0] if self._single else tuple(found))

    def _traced(self, session: Any, args: Sequence[Any], words: Mapping[str, Any], places: Sequence[int]) -> Any:
        part = stage(session, self._function, args, words, places, self._has_aux)
        aux = part.result[1] if self._has_aux else None
        if part.shape != LEAF or any(d != 1 for d in part.outputs[0].shape):
            raise session.placed(_no_scalar(part))
        [output] = part.outputs
        ct = build.broadcast_to(const_node(1, output.type.dtype), output.shape)
        found = gradients(part, [(output, ct)])
        return self._result(part.value(), part.actual(aux), found[0] if self._single else tuple(found))


class ValueAndGrad(Grad):
    """`gc.value_and_grad(f)`."""

    def _result(self, value: Any, aux: Any, gradients: Any) -> Any:
        return ((value, aux) if self._has_aux else value), gradients


def grad(
    function: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False, *, argnum: int | None = None
) -> Grad:
    """The gradient of a function with a scalar result, with respect to the arguments `argnums`.

    has_aux: the function returns (value, anything), and the gradient function (gradient, anything).
    argnum: another name of argnums, as autograd has it.
    Raises ArgumentError when the result is no scalar, DtypeError for an integer argument.

    >>> import numpy as np
    >>> grad(lambda w: np.sum(w**2))(np.array([1.0, -2.0]))
    array([ 2., -4.])
    """
    return Grad(function, argnums if argnum is None else argnum, has_aux)


def value_and_grad(
    function: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False, *, argnum: int | None = None
) -> ValueAndGrad:
    """The value and the gradient, computed together; arguments as for `grad`.

    >>> value, slope = value_and_grad(lambda x: x * x)(3.0)
    >>> float(value), float(slope)
    (9.0, 6.0)
    """
    return ValueAndGrad(function, argnums if argnum is None else argnum, has_aux)


def vjp(function: Function, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value, and a function from a cotangent of it to a tuple of cotangents of the primals.

    The result may be an array or a structure of arrays; the cotangent has the same structure.

    >>> import numpy as np
    >>> value, pullback = vjp(np.sin, np.array([0.0, 0.5]))
    >>> float(pullback(np.ones(2))[0][0])
    1.0
    """
    return _vjp(None, function, *primals)


def _vjp(session: Any, function: Function, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """`vjp`, as part of a trace if one is going on."""
    places = list(range(len(primals)))
    ready = [differentiable(p, i) for i, p in enumerate(primals)]
    session = session or session_of(ready, {})
    if session is not None:
        return _pullback_inside(session, function, ready, places)
    compiled = Grad(function, places)._compiled(ready, {}, places)
    value, saved = compiled.module.forward(**compiled.words(ready, {}))
    _, shape = flatten(value)

    def pullback(ct: Any) -> tuple[Any, ...]:
        cotangents, given = flatten(ct)
        if given != shape:
            raise _another_structure()
        return tuple(compiled.gradients(compiled.module.backward(saved, *cotangents)))

    return scalars(value), pullback


vjp.__graphc_inside__ = _vjp  # type: ignore[attr-defined]


def _pullback_inside(
    session: Any, function: Function, primals: Sequence[Any], places: Sequence[int]
) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    part = stage(session, function, primals, {}, places)

    def pullback(ct: Any) -> tuple[Any, ...]:
        leaves, shape = flatten(ct)
        if shape != part.shape:
            raise _another_structure()
        floats = [i for i, output in enumerate(part.outputs) if output.type.is_float]
        tree = Tree(session, [differentiable(leaves[i], i) for i in floats])
        seeded = zip([part.outputs[i] for i in floats], tree.stand_ins, strict=True)
        return tuple(gradients(part, [(output, seed_of(session, ct, output)) for output, ct in seeded], [tree]))

    return part.value(), pullback


def _another_structure() -> ArgumentError:
    return ArgumentError("G070", "the cotangent has another structure than the value")


def gradients(part: Stage, pairs: Sequence[tuple[Node, Node]], more: Sequence[Tree] = ()) -> list[Any]:
    """The gradients of each differentiated argument, in its structure, given outputs with their cotangents."""
    totals = transposed(pairs, part.inputs)
    wanted = [totals.get(n) or build.zeros(n.shape, n.type.dtype) for n in part.inputs]
    found = iter(part.finished(wanted, part.labels(totals, "d{}"), more))
    return [tree.structured([part.session.wrapped(next(found)) for _ in tree.nodes]) for tree in part.trees]


# --- compiled ---


class GradientForm(Compiled):
    """A module with a backward pass, and which of its gradients belong to which argument."""

    def __init__(
        self, function: Function, described: Mapping[str, Any], count: int, places: Sequence[int], has_aux: bool
    ) -> None:
        names = list(described)
        traced = trace_signature(function, described_signature(described, frozenset(names[count:])))
        traced = _with_aux(traced) if has_aux else traced
        super().__init__(traced, module_of(traced, tuple(names[p] for p in places)), names)
        self._has_aux = has_aux
        self._places = places

    def run(self, args: Sequence[Any], words: Mapping[str, Any]) -> tuple[Any, Any, list[Any]]:
        """The value, the auxiliary result, and the gradient of each differentiated argument."""
        value, saved = self.module.forward(**self.words(args, words))
        first = value[0] if self._has_aux else value
        if np.size(first) != 1 or isinstance(first, (tuple, list, dict)):
            array = isinstance(first, np.ndarray)
            raise _needs_scalar(f"an array of shape {first.shape}" if array else f"a {type(first).__name__}")
        seeds = self.module._joint.graph.inputs[len(self.module.graph.inputs) :]
        floats = [v for v in flatten(value)[0] if np.asarray(v).dtype.kind == "f"]
        ones = [np.ones_like(floats[0]) if s.type.rank else 1.0 for s in seeds[:1]]
        zeros = [np.zeros_like(v) if s.type.rank else 0.0 for s, v in zip(seeds[1:], floats[1:], strict=True)]
        gradients = self.gradients(self.module.backward(saved, *ones, *zeros))
        shown = scalars(value)
        return (*shown, gradients) if self._has_aux else (shown, None, gradients)

    def gradients(self, gradients: Any) -> list[Any]:
        """The gradient of each differentiated argument, numbers as NumPy's."""
        return [scalars(getattr(gradients, self.names[p])) for p in self._places]


def _no_scalar(part: Stage) -> ArgumentError:
    if part.shape == LEAF:
        return _needs_scalar(str(part.outputs[0].type))
    return _needs_scalar(f"a {type(part.result).__name__}")


def _needs_scalar(what: str) -> ArgumentError:
    return ArgumentError(
        "G070", f"the gradient needs a scalar, and the function returns {what}", hint="sum it, or use gc.vjp"
    )


def _with_aux(traced: Traced) -> Traced:
    """The traced function with no derivative of anything but its first result."""
    if not hasattr(traced.result, "children") or len(traced.result.children) != 2:
        raise ArgumentError("G070", "with has_aux=True the function returns a pair: value, anything")
    first, *others = traced.graph.outputs
    outputs = (first, *(build.apply("stop_gradient", o) for o in others))
    return replace(traced, graph=replace(traced.graph, outputs=outputs))
