"""Generated files, read back: the types of their inputs stand in the docstring of `forward`.

X: (n, d) float64;  w: (d,) float64   ->   [("X", f64[n, d]), ("w", f64[d])]
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from graphc.check.check_grads import Report, check_grads
from graphc.check.random_point import finite, random_point
from graphc.errors import ArgumentError
from graphc.frontends.text import input_type, read_model
from graphc.ir.types import TensorType
from graphc.load import load_module

_ITEM = re.compile(r"(\w++): (\([^()]*\)) (\w++)", re.ASCII)


def verify_file(path: Path, seed: int) -> Report:
    """The gradients of a generated file against numeric ones. Runs the file.

    Raises ArgumentError if graphc has not generated it, GradientMismatch if they differ.
    """
    source = read_model(path)
    arguments = signature(source)
    module = load_module(source, path.stem)
    if not hasattr(module, "backward"):
        raise ArgumentError("G070", f"`{path}` has no gradients")

    def accepts(point: Mapping[str, Any]) -> bool:
        try:
            with np.errstate(all="ignore"):
                return finite(value(module, point)) and finite(tuple(gradients(module, point)))
        except (ValueError, IndexError):  # sizes that do not fit each other
            return False

    point = random_point(arguments, accepts, seed)
    return check_grads(
        lambda **inputs: value(module, inputs),
        lambda **inputs: gradients(module, inputs),
        point,
        module.Gradients._fields,
    )


def signature(source: str) -> list[tuple[str, TensorType]]:
    """The inputs of `forward` and their types."""
    docstring = _docstring(source)
    if "@generated" not in source[:400] or docstring is None:
        raise ArgumentError("G070", "the file is not one that graphc generated", hint="compile a model with -o")
    items = _ITEM.findall(docstring)
    return [(name, input_type(name, f"{dtype}[{shape.strip('()')}]")) for name, shape, dtype in items]


def _docstring(source: str) -> str | None:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = [item for item in tree.body if isinstance(item, ast.FunctionDef) and item.name == "forward"]
    return ast.get_docstring(found[0]) if found else None


def value(module: ModuleType, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
    """The floating-point outputs at these inputs."""
    return _floats(module.forward(**_plain(inputs))[0])


def gradients(module: ModuleType, inputs: Mapping[str, Any]) -> Any:
    """The gradients of the sum of all outputs."""
    outputs, saved = module.forward(**_plain(inputs))
    return module.backward(saved, *(np.ones_like(output)[()] for output in _floats(outputs)))


def _floats(outputs: Any) -> tuple[Any, ...]:
    several = outputs if isinstance(outputs, tuple) else (outputs,)
    return tuple(output for output in several if np.asarray(output).dtype.kind == "f")


def _plain(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """0-d arrays as numbers."""
    return {name: array[()] for name, array in inputs.items()}
