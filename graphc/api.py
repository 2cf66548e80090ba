"""The orchestrator: the only place that knows the whole way from a source to a module.

text, NumPy code, Graph  ->  graph  ->  joint graph  ->  program  ->  source  ->  Module
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphc.autodiff.modes import MODES
from graphc.autodiff.reverse import gradient as reverse_gradient
from graphc.check.check_grads import SINGLE_TOLERANCE, Report
from graphc.check.check_grads import check_grads as compare_grads
from graphc.errors import ArgumentError, UnsupportedError
from graphc.frontends.numpy import Traced
from graphc.frontends.numpy import trace as trace_function
from graphc.frontends.sympy import from_sympy, is_sympy
from graphc.frontends.text import InputSpec, check_name, read_model
from graphc.frontends.text import parse as parse_text
from graphc.ir.collector import collector_paused
from graphc.ir.graph import Graph
from graphc.module.compiled import Module
from graphc.module.interface import Interface
from graphc.passes import pipeline
from graphc.passes.checkpoint import checkpointed

Source = Any  # str | Path | Graph | Callable[..., Any] | sympy.Basic | sympy.MatrixBase


def parse(text: str, inputs: Mapping[str, InputSpec] | None = None) -> Graph:
    """The graph of a text model.

    inputs: types of the inputs that the text does not declare; see `compile`.

    >>> parse("x: f64[n]\\nreturn sum(x * x)").output_names
    ('out',)
    """
    with collector_paused():
        return parse_text(text, inputs)


def trace(function: Callable[..., Any], inputs: Mapping[str, Any] | None = None) -> Graph:
    """The graph of a function over NumPy, which runs once with traced arguments.

    inputs: for each argument its type ("n d"), an example array, or a dict, list, tuple, named tuple or
    dataclass of them. Arguments with annotations (jaxtyping, `Annotated`) or defaults may be left out.
    Raises a GraphcError at the line of the function that does not fit, or that is not covered.

    >>> import numpy as np
    >>> trace(lambda x, w: np.sum(x @ w), {"x": "n d", "w": "d"}).input_names
    ('x', 'w')
    """
    with collector_paused():
        return trace_function(function, inputs).graph


def gradient(graph: Graph, wrt: str | Sequence[str] | None = None) -> Graph:
    """The graph of the gradients of `graph` with respect to `wrt` (default: every float input).

    Its inputs are those of `graph` and one cotangent, `d` + name, for each float output; its
    outputs have the shape and dtype of the inputs. The graph is stabilised first.
    Raises UnknownNameError for a name that is no input, DtypeError for an integer input.

    >>> gradient(parse("x * y"), "x").output_names
    ('dx',)
    """
    stable, _ = pipeline.stabilise(graph)
    return reverse_gradient(stable, wrt_names(graph, wrt))


def simplify(graph: Graph) -> Graph:
    """The graph in its simplest form under the exact rules; the same values, at least as accurate.

    >>> [node.op.name for node in simplify(parse("1 / (1 + exp(-x))")).nodes]
    ['input', 'sigmoid']
    """
    return pipeline.simplify(graph)[0]


def compile(
    source: Source,
    inputs: Mapping[str, InputSpec] | None = None,
    *,
    wrt: str | Sequence[str] | None = None,
    name: str | None = None,
    target: str = "numpy",
    mode: str | Sequence[str] | None = None,
    checkpoint: str | None = None,
) -> Module:
    """Compile a model into NumPy code for its values and gradients.

    source: a str is text, a `pathlib.Path` is a model file; or a Python function
    over NumPy, a SymPy expression or matrix, or a `Graph`.
    inputs: types of inputs that the text does not declare: {"X": "n d", "w": "f64[d]", "b": ()};
    for a function also example arrays, and structures: {"params": {"W": "d h", "b": "h"}}.
    wrt: an input name or several; None means every floating-point input.
    name: what the header calls the model; an identifier.
    target: "numpy".
    mode: what else the generated file has besides `forward`, `backward` and `value_and_grad`: "jvp", "hvp",
    "jacobian", "hessian", or a tuple of them. They are methods of the module, too.
    checkpoint: "sqrt": of T steps of a loop about sqrt(T) are saved, and the others computed again for the
    gradients, where nothing but what the loop ends with is used.
    Raises a GraphcError that says where and what.

    >>> m = compile("x * y")
    >>> m.value_and_grad(3.0, 4.0)
    (12.0, Gradients(x=4.0, y=3.0))
    """
    modes = _modes(target, mode)
    if name is not None:
        check_name(name)
    with collector_paused():
        if callable(source) and not is_sympy(source):
            traced = trace_function(source, inputs)
            return module_of(replace(traced, graph=_checkpointed(traced.graph, checkpoint)), wrt, name, modes)
        graph = _checkpointed(_graph_of(source, inputs, name), checkpoint)
        return Module(graph, wrt_names(graph, wrt), name, modes=modes)


def _checkpointed(graph: Graph, how: str | None) -> Graph:
    """The graph with its loops in pieces, if that is asked for."""
    if how not in (None, "sqrt"):
        raise UnsupportedError("G040", f"`{how}` is no way of checkpointing", hint='the way is checkpoint="sqrt"')
    return graph if how is None else checkpointed(graph)


def module_of(
    traced: Traced, wrt: str | Sequence[str] | None = None, name: str | None = None, modes: Sequence[str] = ()
) -> Module:
    """The compiled module of a traced function."""
    interface = Interface.of_traced(traced)
    floats = {n["name"] for n in traced.graph.inputs if n.type.is_float} - set(traced.captured)
    if wrt is None:
        chosen = tuple(a.name for a in interface.arguments if floats.intersection(a.names))
    else:
        chosen = wrt_names(traced.graph, wrt)
    leaves = [n for n in interface.names_of(chosen) if wrt is not None or n in floats]
    return Module(traced.graph, tuple(leaves), name, interface, chosen, modes=modes)


def _modes(target: str, mode: str | Sequence[str] | None) -> tuple[str, ...]:
    """The functions that the generated file has besides those that it always has."""
    if target != "numpy":
        raise UnsupportedError("G040", f"`{target}` is not a target", hint='the target is "numpy"')
    modes = () if mode is None else (mode,) if isinstance(mode, str) else tuple(mode)
    for item in modes:
        if item not in (*MODES, "value_and_grad"):
            known = ", ".join(f'"{m}"' for m in ("value_and_grad", *MODES))
            raise UnsupportedError("G040", f"`{item}` is not a mode", hint=f"the modes are {known}")
    return tuple(m for m in MODES if m in modes)


def _graph_of(source: Source, inputs: Mapping[str, InputSpec] | None, name: str | None) -> Graph:
    if isinstance(source, Graph):
        return source
    if isinstance(source, Path):
        return parse_text(read_model(source), inputs, title=source.name, model_file=inputs is None)
    if isinstance(source, str):
        return parse_text(source, inputs, title=name or "<expression>")
    if is_sympy(source):
        return from_sympy(source, inputs)
    raise UnsupportedError(
        "G040",
        f"cannot compile {type(source).__name__}",
        hint="give a text, a pathlib.Path of a model file, a function, a SymPy expression, or a graphc.Graph",
    )


def wrt_names(graph: Graph, wrt: str | Sequence[str] | None) -> tuple[str, ...]:
    """The inputs to differentiate by, checked to be given once each; by default every float input."""
    if wrt is None:
        return tuple(node["name"] for node in graph.inputs if node.type.is_float)
    names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    if not names or "" in names:
        raise ArgumentError("G070", "wrt is empty", hint="name at least one input, or leave wrt out")
    if len(set(names)) != len(names):
        raise ArgumentError("G070", f"wrt names an input twice: {', '.join(names)}")
    return names


def check_grads(
    f_or_module: Module | Callable[..., Any],
    inputs: Mapping[str, Any],
    *,
    wrt: Sequence[str] | None = None,
    tolerance: float = 1e-6,
) -> Report:
    """Compare the gradients of a module, or of a function, with numeric ones at `inputs`.

    Raises GradientMismatch with a table per input where they differ by more than `tolerance`
    relative to the largest element of that gradient; returns the table otherwise. With float32
    inputs the tolerance is at least 1e-2.

    >>> check_grads(compile("x * y"), {"x": 3.0, "y": 4.0}).rows[0].name
    'x'
    """
    if not isinstance(f_or_module, Module) and not callable(f_or_module):
        raise ArgumentError(
            "G070", f"check_grads takes a compiled module or a function, not {type(f_or_module).__name__}"
        )
    module = f_or_module if isinstance(f_or_module, Module) else compile(f_or_module, inputs)
    module._need_gradients()
    flat = module._bind((), inputs)
    names = module._interface.names_of((wrt,) if isinstance(wrt, str) else wrt) if wrt is not None else module._wrt
    if any(node.type.dtype == "float32" for node in module.graph.inputs):
        tolerance = max(tolerance, SINGLE_TOLERANCE)
    return compare_grads(module._flat_value, module._flat_gradients, flat, names, tolerance=tolerance)
