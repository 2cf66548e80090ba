"""The orchestrator: the only place that knows the whole way from a source to a module.

text, NumPy code, Graph  ->  graph  ->  joint graph  ->  program  ->  source  ->  Module
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from graphc.autodiff.modes import MODES
from graphc.autodiff.reverse import gradient as reverse_gradient
from graphc.check.check_grads import SINGLE_TOLERANCE, Report
from graphc.check.check_grads import check_grads as compare_grads
from graphc.emit.explain import explain
from graphc.emit.further import Further
from graphc.emit.module import Options, emit, scalar_loss
from graphc.emit.output import write_atomically
from graphc.errors import ArgumentError, DtypeError, FileError, UnsupportedError
from graphc.frontends.numpy import Traced
from graphc.frontends.numpy import trace as trace_function
from graphc.frontends.sympy import from_sympy, is_sympy
from graphc.frontends.text import InputSpec, check_name, read_model
from graphc.frontends.text import parse as parse_text
from graphc.ir.collector import collector_paused
from graphc.ir.graph import Graph
from graphc.load import load_module
from graphc.module import Interface
from graphc.passes import pipeline
from graphc.passes.checkpoint import checkpointed
from graphc.passes.pipeline import Joint, further, join
from graphc.plan.program import Program, plan
from graphc.plan.stats import Stats, measure
from graphc.rewrite.rule import Step

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


class Module:
    """A compiled model: callables, and everything there is to inspect.

    Call it for the value(s). Arguments are given by position in declared order, or by name.
    """

    def __init__(
        self,
        graph: Graph,
        wrt: tuple[str, ...],
        name: str | None = None,
        interface: Interface | None = None,
        arguments: tuple[str, ...] = (),
        joint: Joint | None = None,
        modes: Sequence[str] = (),
    ) -> None:
        self._joint: Joint = joint or join(graph, wrt)
        self._program: Program = plan(self._joint)
        self._wrt = wrt
        self._interface = interface or Interface.of_graph(graph)
        self._arguments = arguments or wrt
        self._options = Options(title=name or graph.title, wrt=wrt)
        self._modes = {mode: self._further(mode) for mode in modes}
        self.source: str = emit(self._program, self._options, tuple(self._modes.values()))

    def _further(self, mode: str) -> Further:
        """One more function of the generated file."""
        self._need_gradients()
        graph = MODES[mode](self._joint.stable, self._wrt)
        return Further(mode, plan(further(self._joint, graph)), len(self.graph.outputs), self._wrt)

    @cached_property
    def _module(self) -> ModuleType:
        return load_module(self.source, self._options.title)

    # --- running ---

    def __call__(self, /, *args: Any, **inputs: Any) -> Any:
        """The value, or a tuple of the values."""
        return self._interface.returned(self._module.forward(**self._bind(args, inputs))[0])

    def forward(self, /, *args: Any, **inputs: Any) -> tuple[Any, Any]:
        """The value(s), and what `backward` needs."""
        value, saved = self._module.forward(**self._bind(args, inputs))
        return self._interface.returned(value), saved

    def backward(self, saved: Any, *cotangents: Any) -> Any:
        """The gradients, given what `forward` saved and one cotangent for each float output.

        A single scalar output has the cotangent 1.0 by default. May be called again.
        """
        self._need_gradients()
        seeds = self._joint.graph.inputs[len(self.graph.inputs) :]
        default = len(seeds) == 1 and seeds[0].type.rank == 0
        if len(cotangents) != len(seeds) and not (default and not cotangents):
            raise ArgumentError(
                "G070", f"backward takes {len(seeds)} cotangents, one for each output, and got {len(cotangents)}"
            )
        given = [_coerced(ct, seed.type.dtype, seed.type.rank) for ct, seed in zip(cotangents, seeds, strict=False)]
        return self._interface.gathered(self._arguments, self._module.backward(saved, *given))

    def value_and_grad(self, /, *args: Any, **inputs: Any) -> tuple[Any, Any]:
        """(value, Gradients) of a model with one scalar output."""
        self._need_gradients()
        if not scalar_loss(self._program):
            raise ArgumentError(
                "G070",
                "value_and_grad needs one floating-point scalar output",
                hint="call forward, then backward with one cotangent for each output",
            )
        value, gradients = self._module.value_and_grad(**self._bind(args, inputs))
        return self._interface.returned(value), self._interface.gathered(self._arguments, gradients)

    def grad(self, /, *args: Any, **inputs: Any) -> Any:
        """The Gradients of a model with one scalar output."""
        return self.value_and_grad(*args, **inputs)[1]

    def jvp(self, /, *args: Any, **inputs: Any) -> tuple[Any, Any]:
        """(value, its derivative along tangents) of a model compiled with mode="jvp".

        The tangents come after the inputs, one for each of `wrt`, or by name: w_dot.
        """
        value, tangent = self._call("jvp", args, inputs)
        return self._interface.returned(value), self._interface.returned(tangent)

    def hvp(self, /, *args: Any, **inputs: Any) -> Any:
        """The Hessian times the tangents, as Gradients, of a model compiled with mode="hvp"; arguments as of `jvp`."""
        return self._interface.gathered(self._arguments, self._call("hvp", args, inputs))

    def jacobian(self, /, *args: Any, **inputs: Any) -> Any:
        """For each output and each of `wrt` a field y_w of shape output + input; compiled with mode="jacobian"."""
        return self._call("jacobian", args, inputs)

    def hessian(self, /, *args: Any, **inputs: Any) -> Any:
        """For each pair of `wrt` a field w_b of shape input + input; compiled with mode="hessian"."""
        return self._call("hessian", args, inputs)

    def _call(self, mode: str, args: Sequence[Any], inputs: Mapping[str, Any]) -> Any:
        """Call a further function of the generated file."""
        if mode not in self._modes:
            raise ArgumentError("G070", f"the model has no {mode}", hint=f'compile it with mode="{mode}"')
        nodes = self._modes[mode].program.values.inputs
        tangents = {w: n["name"] for w, n in zip(self._wrt, nodes[len(self.graph.inputs) :], strict=False)}
        interface = self._interface.along(tangents, self._arguments) if tangents else self._interface
        flat = interface.leaves(args, inputs)
        typed = {n["name"]: _coerced(flat[n["name"]], n.type.dtype, n.type.rank) for n in nodes}
        return getattr(self._module, mode)(**typed)

    def _floats(self, value: Any) -> tuple[Any, ...]:
        """The floating-point outputs among those of the generated file."""
        values = value if isinstance(value, tuple) else (value,)
        return tuple(v for v, o in zip(values, self.graph.outputs, strict=True) if o.type.is_float)

    def _flat_value(self, /, **arrays: Any) -> tuple[Any, ...]:
        return self._floats(self._module.forward(**self._typed(arrays))[0])

    def _flat_gradients(self, /, **arrays: Any) -> Any:
        """The gradients of the sum of all outputs."""
        value, saved = self._module.forward(**self._typed(arrays))
        ones = [np.ones_like(v) if np.ndim(v) else 1.0 for v in self._floats(value)]
        return self._module.backward(saved, *ones)

    def _need_gradients(self) -> None:
        if not self._wrt:
            raise DtypeError("G031", "the model has no floating-point input to differentiate by")

    def _bind(self, args: Sequence[Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name; lists become arrays, everything else is passed as it is."""
        return self._typed(self._interface.leaves(args, inputs))

    def _typed(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {n["name"]: _coerced(given[n["name"]], n.type.dtype, n.type.rank) for n in self.graph.inputs}

    # --- looking ---

    @property
    def graph(self) -> Graph:
        """The graph as it was given."""
        return self._joint.values

    @property
    def gradient(self) -> Graph:
        """The graph of the gradients, simplified."""
        return self._joint.gradient

    @property
    def steps(self) -> tuple[Step, ...]:
        """The rewrites, in order."""
        return (*self._joint.before, *self._joint.after)

    def explain(self, name: str | None = None) -> str:
        """The rewrites as text; with a name, those that led to that value or gradient."""
        return explain(self._joint, name)

    @cached_property
    def stats(self) -> Stats:
        """Operations, flops, bytes saved for backward and peak, symbolic in the sizes."""
        return measure(self._program)

    def __repr__(self) -> str:
        inputs = ", ".join(f"{n['name']}: {n.type}" for n in self.graph.inputs)
        return f"<graphc.Module {self._options.title}({inputs})>"

    # --- writing ---

    def save(self, path: str | Path) -> bool:
        """Write the source atomically. False if the file was up to date already."""
        return write_atomically(Path(path), self.source)

    def check(self, path: str | Path) -> bool:
        """Whether the file holds exactly this source."""
        return _read(Path(path)) == self.source

    def diff(self, path: str | Path) -> str:
        """A unified diff from the file to this source; empty if they are equal."""
        old = _read(Path(path)) or ""
        lines = difflib.unified_diff(
            old.splitlines(keepends=True), self.source.splitlines(keepends=True), Path(path).name, "generated"
        )
        return "".join(lines)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise FileError("G060", f"cannot read `{path}`: {error}") from error


def _coerced(value: Any, dtype: str, rank: int) -> Any:
    """A list, or integers for a float input, as an array of the declared dtype; complex numbers are refused."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu" and dtype.startswith("float") and value.ndim:
        return value.astype(dtype)
    if rank == 0 and isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0 and value.dtype.kind in "biuf":
        return value.item()
    if isinstance(value, (int, float, np.ndarray, np.generic)):
        return value
    try:
        array: npt.NDArray[Any] = np.asarray(value)
    except ValueError as error:
        raise ArgumentError("G070", f"a list of unequal lengths is not an array: {error}") from error
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and not dtype.startswith("float") and array.size):
        return array
    return array.astype(dtype) if array.ndim else array.item()


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
