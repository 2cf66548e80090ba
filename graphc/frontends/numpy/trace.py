"""A Python function over NumPy, run once with traced arguments: the graph of what it computes.

    trace(loss, {"X": "n d", "w": "d"})     Traced(graph=..., shape of the result, captured arrays)

The function runs as it is, on objects that behave as arrays and write down what is done with them. It
is the user's own code and trusted as such. Where the examples must decide about a size, the function
runs again with that size decided.
"""

from __future__ import annotations

import keyword
import os
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from graphc.errors import GraphcError, LimitError, UnsupportedError
from graphc.expr.arguments import Weak, nodes
from graphc.frontends.numpy.buffers import Buffer
from graphc.frontends.numpy.complex import Complex
from graphc.frontends.numpy.hooks import Hooks
from graphc.frontends.numpy.masked import Masked
from graphc.frontends.numpy.places import call_of
from graphc.frontends.numpy.session import Session
from graphc.frontends.numpy.several import Several
from graphc.frontends.numpy.signature import Argument, FreeNames, Signature, signature_of
from graphc.frontends.numpy.sizes import Restart, TracedSize
from graphc.frontends.numpy.structure import Shape, flatten, joined_name, paths_of, unflatten
from graphc.frontends.numpy.tracer import Kind, Tracer
from graphc.ir.control import LOOP, names_in
from graphc.ir.dims import Dim, Size, substitute
from graphc.ir.graph import Graph
from graphc.ir.leaf import INPUT, input_node
from graphc.ir.node import Node, topological

MAX_RESTARTS = 200
MAX_WRITTEN_OUT = 1_000  # steps of loops that are written out where a trace with rolled ones has failed


@dataclass(frozen=True, eq=False)
class Traced:
    """graph: its inputs are the leaves of the arguments, then the captured arrays.

    signature: the arguments, sizes decided.  result: the structure of what the function returns.
    captured: arrays from outside that became inputs.
    """

    graph: Graph
    signature: Signature
    result: Shape
    captured: Mapping[str, npt.NDArray[Any]]


def trace(function: Callable[..., Any], inputs: Mapping[str, Any] | None = None) -> Traced:
    """The graph of a function.

    inputs: for each argument its type, an example array, or a structure of them; see `signature`.
    Raises a GraphcError that shows the line of the function where something does not fit or is not
    covered; what the function itself raises goes through.
    """
    return trace_signature(function, signature_of(function, inputs))


def trace_signature(function: Callable[..., Any], signature: Signature) -> Traced:
    """`trace` with the arguments described already."""
    decided: dict[str, Dim] = {}
    named = unrolled = False
    for _ in range(MAX_RESTARTS):
        session = _session(signature.replaced(decided), unrolled)
        try:
            traced, aliases = _run(session, function, signature.replaced(decided))
            if named or not (better := signature.renamed(aliases)):
                return traced
            signature, named = better, True
        except Exception:  # it may come of loops that are rolled: of a list that is long, a number that is not known
            if unrolled or not 0 < session.rolled <= MAX_WRITTEN_OUT:
                raise
            unrolled = True
        except Restart as restart:
            decided = {name: substitute(dim, restart.replaced) for name, dim in decided.items()}
            decided.update({n: d for n, d in restart.replaced.items() if n not in decided})
    raise LimitError("G003", "the sizes of the function can't be decided: give them as numbers")


def _session(signature: Signature, unrolled: bool) -> Session:
    taken = [name for a in signature.arguments for name in a.names]
    return Session(signature.examples, [*taken, *_sizes_of(signature)], unrolled)


def _run(session: Session, function: Callable[..., Any], signature: Signature) -> tuple[Traced, dict[str, str]]:
    """The traced function, and what variables of its own it had inputs in."""
    taken = [name for a in signature.arguments for name in a.names]
    hooks = Hooks(session)
    inputs: list[Node] = []
    args: list[Any] = []
    words: dict[str, Any] = {}
    for argument in signature.arguments:
        value = _argument(session, argument, inputs)
        if argument.name in signature.by_keyword:
            words[argument.name] = value
        else:
            args.append(value)
    try:
        result = call_converted(hooks, function, args, words)
    finally:
        if session.decisions.pending is not None:
            raise session.decisions.pending
    leaves, shape = flatten(result)
    outputs = [_output(session, function, leaf) for leaf in leaves]
    inputs += session.captures.nodes
    _check_inputs(function, session, inputs, outputs)
    graph = Graph(
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        output_names=tuple(_output_names(session, outputs, shape, _name_of(function, taken))),
        names=unique(session.names, taken),
        origin=session.origin,
        title=title_of(function),
    )
    return Traced(graph, signature, shape, session.captures.arrays), session.aliases


def _check_inputs(function: Callable[..., Any], session: Session, inputs: Sequence[Node], outputs: list[Node]) -> None:
    """An error for a value of one step of a loop that has come out of it on a way that is not seen."""
    known = set(inputs)
    order = topological(outputs)
    sizes = {name for node in inputs for name in names_in(node)}
    sizes |= {n for node in order if node.op is LOOP and isinstance(node["count"], Size) for n in node["count"].names()}
    for node in order:
        if (node.op is INPUT and node not in known) or not sizes.issuperset(names_in(node)):
            code = code_of(function)
            raise UnsupportedError(
                "G043",
                "a value of one step of a loop is used outside of it",
                hint="hand it on in a variable, a list, a dict or an attribute",
            ).at(session.origin.get(node) or (None if code is None else session.places.definition(code)))


def _sizes_of(signature: Signature) -> Iterator[str]:
    """The names of sizes in the arguments."""
    for type in (t for a in signature.arguments for t in a.types if t is not None):
        for dim in type.shape:
            if isinstance(dim, Size):
                yield from dim.names()


def call_converted(hooks: Hooks, function: Callable[..., Any], args: list[Any], words: dict[str, Any]) -> Any:
    """Call a function of the user's, converted."""
    try:
        return hooks.call(function)(*args, **words)
    except RecursionError:
        raise LimitError(
            "G003",
            f"`{title_of(function)}` calls itself without end, or too deep",
            hint="a recursion must end for the traced sizes",
        ) from None


def _argument(session: Session, argument: Argument, inputs: list[Node]) -> Any:
    """What the function gets for an argument: traced leaves in the structure of the argument."""
    values: list[Any] = []
    for type, name, leaf, weak in zip(argument.types, argument.names, argument.leaves, argument.weak, strict=True):
        if type is None:
            values.append(leaf)
            continue
        node = input_node(name, type)
        inputs.append(node)
        kind = Kind.ARRAY if type.rank else Kind.WEAK if weak and type.is_float else Kind.SCALAR
        values.append(Tracer(session, Buffer(node, type.rank <= 1), (), kind))
    return unflatten(argument.shape, values)


def _output(session: Session, function: Callable[..., Any], value: Any) -> Node:
    """A returned value as a node; what can't be one is an error at the definition of the function."""
    try:
        return output_node(session, value)
    except GraphcError as error:
        code = code_of(function)
        raise error.at(None if code is None else session.places.definition(code)) from None


def output_node(session: Session, value: Any) -> Node:
    """A returned value as a node."""
    if type(value) is Tracer:
        return value.node
    if type(value) is TracedSize:
        return nodes((value.dim,))[0]
    if type(value) is Complex:
        raise UnsupportedError(
            "G042", "the function returns complex numbers", hint="return real ones: z.real, z.imag, np.abs(z)"
        )
    if type(value) is Masked:
        raise UnsupportedError(
            "G043", "what a traced mask chooses is returned", hint="its size is not known: return np.where(mask, x, 0)"
        )
    if type(value) is Several:
        raise UnsupportedError(
            "G042",
            "the function returns a list with as many elements as a loop has steps",
            hint="return an array of them: np.stack(hs)",
        )
    if isinstance(value, (bool, int, float)):
        return nodes((value,))[0]
    given = session.value(value)
    if isinstance(given, Weak):
        return given.node
    if isinstance(given, Node):
        return given
    hint = "the function has no return statement" if value is None else "return arrays, numbers, or containers of them"
    what = "nothing" if value is None else f"a {type(value).__name__}"
    raise UnsupportedError("G042", f"the function returns {what}", hint=hint)


def _name_of(function: Any, taken: list[str]) -> str:
    """The function's name for what it returns, `out` if that will not do."""
    name = title_of(function).rpartition(":")[2].strip("_")
    fits = name.isascii() and name.isidentifier() and not keyword.iskeyword(name) and name not in taken
    return name if fits else "out"


def _output_names(session: Session, outputs: list[Node], shape: Shape, otherwise: str) -> list[str]:
    """Keys of the result where it has some, else the user's names, else that of the function."""
    paths = paths_of(shape)
    names: list[str] = []
    free = FreeNames()
    for node, path in zip(outputs, paths, strict=True):
        keyed = joined_name(path) if path and isinstance(path[-1], str) else None
        name = keyed or (None if node.op is INPUT else session.names.get(node)) or otherwise
        names.append(free(name))
    return names


def unique(names: Mapping[Node, str], taken: Iterable[str]) -> dict[Node, str]:
    """The names, a number behind one that has been given before: h, h2, h3."""
    free = FreeNames(taken)
    return {node: free(name) for node, name in names.items()}


def _inner(function: Any) -> Any:
    """The Python function behind partial objects, methods and objects that can be called, if there is one."""
    while hasattr(function, "func"):
        function = function.func
    inner = getattr(function, "__func__", function)
    return inner if isinstance(inner, types.FunctionType) else call_of(type(inner)) or inner


def code_of(function: Any) -> types.CodeType | None:
    """The code of a function of the user's."""
    code: types.CodeType | None = getattr(_inner(function), "__code__", None)
    return code


def title_of(function: Any) -> str:
    """model.py:loss"""
    inner = _inner(function)
    name = getattr(inner, "__name__", type(inner).__name__)
    code = code_of(function)
    return f"{os.path.basename(code.co_filename)}:{name}" if code is not None else name
