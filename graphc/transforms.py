"""The transforms that people type: gc.grad(f), gc.value_and_grad(f), gc.vjp(f, x).

    gc.grad(loss)(w, X, y)      compiled at the first call for these ranks and dtypes, then run

The conventions are JAX's: `argnums` says which arguments to differentiate by, results come back in
their structure. Arguments that are not differentiated by may be anything: arrays and floats are
inputs of the compiled code; integers, strings, None and functions are part of it. Inside a traced
function a transform becomes part of the graph, so gradients of gradients need nothing new.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from threading import Lock
from types import MethodType
from typing import Any

import numpy as np

from graphc.api import Module, module_of
from graphc.autodiff.reverse import gradients_of
from graphc.errors import ArgumentError, DtypeError, ShapeError
from graphc.expr import build
from graphc.frontends.numpy.environment import fingerprint
from graphc.frontends.numpy.signature import Static, described_signature
from graphc.frontends.numpy.structure import LEAF, flatten, unflatten
from graphc.frontends.numpy.trace import Traced, output_node, trace_signature
from graphc.frontends.numpy.tracer import Tracer
from graphc.ir.collector import collector_paused
from graphc.ir.graph import Graph
from graphc.ir.leaf import const_node, input_node
from graphc.ir.node import Node, rebuild, topological
from graphc.ir.sizes import bind_sizes
from graphc.passes.pipeline import stabilise

MAX_KEPT = 128  # compiled forms of one function
Function = Callable[..., Any]


class Transform:
    """A function made from another one; compiled for each kind of arguments that it meets.

    source: the generated code of the call before.
    """

    def __init__(self, function: Function, argnums: int | Sequence[int], has_aux: bool) -> None:
        if not callable(function):
            raise ArgumentError("G070", f"expected a function, got a {type(function).__name__}")
        self._function = function
        self._single = isinstance(argnums, int)
        self._argnums = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        self._has_aux = has_aux
        self._kept: OrderedDict[Any, list[_Compiled]] = OrderedDict()
        self._last: _Compiled | None = None
        self._lock = Lock()
        self.__name__ = getattr(function, "__name__", "function")
        self.__doc__ = getattr(function, "__doc__", None)
        self.__wrapped__ = function

    @property
    def source(self) -> str:
        """The generated code. ArgumentError before the first call."""
        return self.module.source

    @property
    def module(self) -> Module:
        """The compiled module of the call before."""
        if self._last is None:
            raise ArgumentError("G070", "nothing is compiled yet", hint="call it once; it compiles for its arguments")
        return self._last.module

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """As a method: `grad = gc.grad(loss)` in a class body."""
        return self if owner is None else MethodType(self, owner)

    def __graphc_inside__(self, session: Any, *args: Any, **words: Any) -> Any:
        """The call as part of a trace that is going on."""
        return self._result(*self.value_and_gradients(args, words, session))

    def __call__(self, *args: Any, **words: Any) -> Any:
        return self._result(*self.value_and_gradients(args, words))

    def _result(self, value: Any, aux: Any, gradients: Any) -> Any:
        raise NotImplementedError

    def value_and_gradients(
        self, args: Sequence[Any], words: Mapping[str, Any], session: Any = None
    ) -> tuple[Any, Any, Any]:
        """The value, the auxiliary result, and the gradients by `argnums`."""
        places = [self._place(n, len(args)) for n in self._argnums]
        ready = [_differentiable(a, i) if i in places else a for i, a in enumerate(args)]
        session = session or _session_of(ready, words)
        if session is not None:
            value, aux, found = _inside(session, self._function, ready, words, places, self._has_aux)
        else:
            value, aux, found = self._compiled(ready, words, places).run(ready, words)
        return value, aux, found[0] if self._single else tuple(found)

    @cached_property
    def _names(self) -> list[str]:
        """The names of positional arguments, as far as the function says."""
        try:
            parameters = inspect.signature(self._function).parameters.values()
        except (TypeError, ValueError):
            return []
        names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        return [n for n in names if n.isascii()]

    def _place(self, number: int, count: int) -> int:
        if not -count <= number < count:
            raise ArgumentError(
                "G070",
                f"argnums names argument {number}, and the call has {count} positional arguments",
                hint="arguments to differentiate by are given by position",
            )
        return number % count

    def _compiled(self, args: Sequence[Any], words: Mapping[str, Any], places: Sequence[int]) -> _Compiled:
        names = [*self._names, *(f"arg{i}" for i in range(len(self._names), len(args)))]
        described = _described(names[: len(args)], args, words, places)
        with self._lock, collector_paused():
            key = (_key(described), fingerprint(self._function))
            found = next((c for c in self._kept.get(key, ()) if c.fits(described)), None)
            if found is None:
                found = _Compiled(self._function, described, len(args), places, self._has_aux)
                self._kept.setdefault(key, []).append(found)
                while len(self._kept) > MAX_KEPT:
                    self._kept.popitem(last=False)
            self._last = found
        return found


class Grad(Transform):
    """`gc.grad(f)`."""

    def _result(self, value: Any, aux: Any, gradients: Any) -> Any:
        return (gradients, aux) if self._has_aux else gradients


class ValueAndGrad(Transform):
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
    transform = Transform(function, tuple(range(len(primals))), False)
    ready = [_differentiable(p, i) for i, p in enumerate(primals)]
    session = session or _session_of(ready, {})
    places = range(len(primals))
    if session is not None:
        return _pullback_inside(session, function, ready)
    compiled = transform._compiled(ready, {}, list(places))
    value, saved = compiled.module.forward(**compiled.words(ready, {}))
    _, shape = flatten(value)

    def pullback(ct: Any) -> tuple[Any, ...]:
        cotangents, given = flatten(ct)
        if given != shape:
            raise ArgumentError("G070", "the cotangent has another structure than the value")
        return tuple(compiled.gradients(compiled.module.backward(saved, *cotangents)))

    return _scalars(value), pullback


vjp.__graphc_inside__ = _vjp  # type: ignore[attr-defined]


# --- arguments ---


def _differentiable(value: Any, place: int) -> Any:
    """An argument to differentiate by: Python integers become floats, integer arrays are refused."""
    leaves, shape = flatten(value)
    if shape == LEAF:
        return _float_leaf(value, place)
    return unflatten(shape, [_float_leaf(v, place) if _is_numeric(v) else v for v in leaves])


def _is_numeric(leaf: Any) -> bool:
    """Whether a leaf of a structure is a number or an array; text, flags and None are part of the code."""
    return isinstance(leaf, (int, float, np.ndarray, np.generic)) and not isinstance(leaf, (bool, np.bool_))


def _float_leaf(leaf: Any, place: int) -> Any:
    if type(leaf) is Tracer:
        return leaf
    if isinstance(leaf, int) and not isinstance(leaf, bool):
        return float(leaf)
    kind = np.asarray(leaf).dtype.kind if isinstance(leaf, (np.ndarray, np.generic, float, list)) else "O"
    if kind != "f":
        what = f"an array of dtype {np.asarray(leaf).dtype.name}" if kind in "biuc" else f"a {type(leaf).__name__}"
        raise DtypeError(
            "G031",
            f"argument {place} holds {what}: there is no derivative with respect to it",
            hint="convert it with .astype(float), or choose other argnums",
        )
    return leaf


def _described(names: Sequence[str], args: Sequence[Any], words: Mapping[str, Any], places: Sequence[int]) -> Any:
    """The arguments by name, arrays and floats as examples, everything else static."""
    described: dict[str, Any] = {}
    for i, (name, value) in enumerate([*zip(names, args, strict=True), *words.items()]):
        leaves, shape = flatten(value)
        described[name] = unflatten(shape, [leaf if _is_input(leaf, i in places) else Static(leaf) for leaf in leaves])
    return described


def _is_input(leaf: Any, differentiated: bool) -> bool:
    if isinstance(leaf, (bool, np.bool_)):
        return False
    if isinstance(leaf, (np.ndarray, np.generic)):
        return leaf.dtype.kind in "biuf"
    return isinstance(leaf, float) or (differentiated and _is_numeric(leaf))


def _key(described: Mapping[str, Any]) -> Any:
    """What two calls must share to share compiled code, but for sizes."""
    rows = []
    for name, spec in described.items():
        leaves, shape = flatten(spec, _is_static)
        rows.append((name, shape, tuple(map(_leaf_key, leaves))))
    return tuple(rows)


def _is_static(spec: Any) -> bool:
    return isinstance(spec, Static)


def _leaf_key(leaf: Any) -> Any:
    if isinstance(leaf, Static):
        value = leaf.value
        try:
            hash(value)
        except TypeError:
            return id(value)
        return type(value), value
    array = np.asarray(leaf)
    return array.dtype.name, array.ndim, tuple(d if d <= 1 else -1 for d in array.shape), type(leaf) is float


# --- compiled ---


class _Compiled:
    """One compiled form: a module, and which of its gradients belong to which argument."""

    def __init__(
        self, function: Function, described: Mapping[str, Any], count: int, places: Sequence[int], has_aux: bool
    ) -> None:
        names = list(described)
        signature = described_signature(described, frozenset(names[count:]))
        self._traced = (
            _with_aux(trace_signature(function, signature)) if has_aux else trace_signature(function, signature)
        )
        self._has_aux = has_aux
        self._arguments = self._traced.signature.arguments
        self._names = names
        self._places = places
        self.module = module_of(self._traced, tuple(names[p] for p in places))
        self._types = [(n["name"], n.type) for n in self._traced.graph.inputs]
        self._fitting: set[tuple[Any, ...]] = set()

    def fits(self, described: Mapping[str, Any]) -> bool:
        """Whether the code serves arguments of these sizes."""
        rows = [(a, flatten(described[a.name], _is_static)[0]) for a in self._arguments]
        own = tuple(np.shape(v) for a, leaves in rows for v, t in zip(leaves, a.types, strict=True) if t is not None)
        if own in self._fitting:
            return True
        names = [n for a in self._arguments for n, t in zip(a.names, a.types, strict=True) if t is not None]
        shapes = {name: array.shape for name, array in self._traced.captured.items()}
        try:
            bind_sizes(self._types, {**shapes, **dict(zip(names, own, strict=True))})
        except ShapeError:
            return False
        self._fitting.add(own)
        return True

    def words(self, args: Sequence[Any], words: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name, static ones left out."""
        given = {**dict(zip(self._names, args, strict=False)), **words}
        return {a.name: given[a.name] for a in self._arguments if any(t is not None for t in a.types)}

    def run(self, args: Sequence[Any], words: Mapping[str, Any]) -> tuple[Any, Any, list[Any]]:
        value, saved = self.module.forward(**self.words(args, words))
        first = value[0] if self._has_aux else value
        if np.size(first) != 1 or isinstance(first, (tuple, list, dict)):
            raise _no_scalar(first)
        seeds = self.module._joint.graph.inputs[len(self.module.graph.inputs) :]
        floats = [v for v in flatten(value)[0] if np.asarray(v).dtype.kind == "f"]
        ones = [np.ones_like(floats[0]) if s.type.rank else 1.0 for s in seeds[:1]]
        zeros = [np.zeros_like(v) if s.type.rank else 0.0 for s, v in zip(seeds[1:], floats[1:], strict=True)]
        gradients = self.gradients(self.module.backward(saved, *ones, *zeros))
        shown = _scalars(value)
        return (*shown, gradients) if self._has_aux else (shown, None, gradients)

    def gradients(self, gradients: Any) -> list[Any]:
        """The gradient of each differentiated argument, numbers as NumPy's."""
        return [_scalars(getattr(gradients, self._names[p])) for p in self._places]


def _no_scalar(value: Any) -> ArgumentError:
    what = f"an array of shape {np.shape(value)}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
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


def _scalars(value: Any) -> Any:
    """Python floats as NumPy's, which have a shape and a dtype."""
    leaves, shape = flatten(value)
    return unflatten(shape, [np.float64(v) if type(v) is float else v for v in leaves])


# --- inside a traced function ---


def _session_of(args: Sequence[Any], words: Mapping[str, Any]) -> Any:
    """The trace that is going on, if an argument belongs to one."""
    leaves = [leaf for a in (*args, *words.values()) for leaf in flatten(a)[0]]
    return next((leaf.session for leaf in leaves if type(leaf) is Tracer), None)


def _inside(
    session: Any,
    function: Function,
    args: Sequence[Any],
    words: Mapping[str, Any],
    places: Sequence[int],
    has_aux: bool,
) -> tuple[Any, Any, list[Any]]:
    """Value, auxiliary result and gradients as parts of the graph that is being traced."""
    fresh, actual, shapes, given = _fresh(session, args, places)
    result = session.convert(function)(*given, **words)
    value, aux = result if has_aux else (result, None)
    output = output_node(session, value)
    if any(d != 1 for d in output.shape):
        raise session.placed(_no_scalar_node(output))
    stable = _stable(output, fresh)
    ct = build.broadcast_to(const_node(1, output.type.dtype), output.shape)
    found = gradients_of(stable, ct, fresh)
    table = dict(zip(fresh, actual, strict=True))
    back = _substituted([stable, *found], table)
    leaves = [session.wrapped(node) for node in back[1:]]
    gradients = []
    for shape, count in shapes:
        gradients.append(unflatten(shape, leaves[:count]))
        leaves = leaves[count:]
    return session.wrapped(back[0]), _actual(session, aux, table), gradients


def _no_scalar_node(node: Node) -> ArgumentError:
    return ArgumentError(
        "G070", f"the gradient needs a scalar, and the function returns {node.type}", hint="sum it, or use gc.vjp"
    )


def _fresh(
    session: Any, args: Sequence[Any], places: Sequence[int]
) -> tuple[list[Node], list[Node], list[Any], list[Any]]:
    """New inputs in the place of the differentiated arguments, and what they stand for."""
    fresh: list[Node] = []
    actual: list[Node] = []
    shapes: list[Any] = []
    given = list(args)
    for place in places:
        leaves, shape = flatten(args[place])
        values = []
        for leaf in leaves:
            node = output_node(session, leaf)
            stand_in = input_node(session.fresh_name(), node.type)
            fresh.append(stand_in)
            actual.append(node)
            values.append(session.like(leaf, stand_in))
        shapes.append((shape, len(leaves)))
        given[place] = unflatten(shape, values)
    return fresh, actual, shapes, given


def _stable(output: Node, inputs: Sequence[Node]) -> Node:
    """The stable form of a value: it is stabilised before it is differentiated."""
    graph = Graph(inputs=tuple(inputs), outputs=(output,), output_names=("out",))
    return stabilise(graph)[0].outputs[0]


def _substituted(roots: Sequence[Node], table: Mapping[Node, Node]) -> list[Node]:
    """The roots with some nodes replaced."""
    made = dict(table)
    for node in topological(roots):
        if node not in made:
            made[node] = rebuild(node, [made[a] for a in node.args])
    return [made[root] for root in roots]


def _actual(session: Any, value: Any, table: Mapping[Node, Node]) -> Any:
    """A structure with the stand-ins replaced in its traced leaves."""
    leaves, shape = flatten(value)
    return unflatten(
        shape,
        [session.wrapped(_substituted([v.node], table)[0]) if type(v) is Tracer else v for v in leaves],
    )


def _pullback_inside(session: Any, function: Function, primals: Sequence[Any]) -> tuple[Any, Any]:
    fresh, actual, shapes, given = _fresh(session, primals, range(len(primals)))
    table = dict(zip(fresh, actual, strict=True))
    result = session.convert(function)(*given)
    leaves, shape = flatten(result)
    outputs = [_stable(output_node(session, leaf), fresh) for leaf in leaves]

    def pullback(ct: Any) -> tuple[Any, ...]:
        cotangents, ct_shape = flatten(ct)
        if ct_shape != shape:
            raise ArgumentError("G070", "the cotangent has another structure than the value")
        totals: list[Node] | None = None
        for output, cotangent in zip(outputs, cotangents, strict=True):
            seed = session.attempt(partial(_seed, output_node(session, cotangent), output), [output])
            found = gradients_of(output, seed, fresh)
            totals = found if totals is None else [build.add(a, b) for a, b in zip(totals, found, strict=True)]
        flat = [session.wrapped(n) for n in _substituted(totals or [], table)]
        gradients = []
        for tree, count in shapes:
            gradients.append(unflatten(tree, flat[:count]))
            flat = flat[count:]
        return tuple(gradients)

    return _actual(session, result, table), pullback


def _seed(ct: Node, output: Node) -> Node:
    """A cotangent with the dtype and shape of its output."""
    return build.broadcast_to(build.astype(ct, output.type.dtype), output.shape)
