"""A compiled model: what a user calls, looks at and writes to a file.

    Module(parse("x * y"), ("x", "y")).value_and_grad(3.0, 4.0)   ->   (12.0, Gradients(x=4.0, y=3.0))

The graph is differentiated, planned and written when the module is made; the source is loaded when the
model is first called.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from graphc.autodiff.modes import MODES
from graphc.emit.explain import explain
from graphc.emit.further import Further
from graphc.emit.module import Options, emit, scalar_loss
from graphc.emit.output import write_atomically
from graphc.errors import ArgumentError, DtypeError, FileError
from graphc.ir.graph import Graph
from graphc.load import load_module
from graphc.module.interface import Interface
from graphc.passes.pipeline import Joint, further, join
from graphc.plan.program import Program, plan
from graphc.plan.stats import Stats, measure
from graphc.rewrite.rule import Step


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
