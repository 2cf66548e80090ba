"""Further functions of the generated file: `jvp`, `hvp`, `jacobian`, `hessian`.

def hvp(X: Array, w: Array, y: Array, w_dot: Array) -> Gradients:
    \"\"\"Return the Hessian of loss along w_dot.\"\"\"
    _check_along(X, w, y, w_dot)
    ...
    return Gradients(w=Hw)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from graphc.emit import layout
from graphc.emit.function import computed
from graphc.emit.guard import check_function
from graphc.emit.naming import name_everything
from graphc.emit.target import Target
from graphc.ir.types import TensorType, show_shape
from graphc.plan.program import Program


class Further(NamedTuple):
    """One more function.

    mode: its name.  program: what it computes.  values: how many outputs the model has.
    wrt: the inputs that are differentiated by.
    """

    mode: str
    program: Program
    values: int
    wrt: tuple[str, ...]


def further_functions(functions: Sequence[Further], target: Target, what: str) -> list[str]:
    """The functions, and the classes and checks that only they need. what: the outputs, as text."""
    lines: list[str] = []
    if any("Gradients" in f.program.values.input_names and f.mode == "hvp" for f in functions):
        lines += ["", "", "_Gradients = Gradients"]  # which an argument of the same name hides
    along = [f for f in functions if f.mode in _ALONG]
    for function in functions:
        lines += _CLASSES[function.mode](function, target) if function.mode in _CLASSES else []
        lines += _function(function, target, what)
    if along:
        program = along[0].program
        lines += ["", "", *check_function(program, target, name_everything(program), "_check_along")]
    return lines


def _function(function: Further, target: Target, what: str) -> list[str]:
    program, mode = function.program, function.mode
    names = name_everything(program)
    inputs = program.values.inputs
    parameters = [f"{n['name']}: {target.annotation(n.type)}" for n in inputs]
    directions = " and ".join(n["name"] for n in inputs[len(inputs) - len(function.wrt) :])
    doc = _DOCS[mode].format(what=what, along=directions, wrt=" and ".join(function.wrt))
    check = "_check_along" if mode in _ALONG else "_check"

    def returned(values: Sequence[str]) -> list[str]:
        return _RETURNS[mode](function, values)

    return [
        "",
        "",
        *layout.function_head(mode, parameters, _type(function, target)),
        *layout.docstring(doc, 1),
        *computed(program, target, names, check, returned),
    ]


_ALONG = ("jvp", "hvp")
_DOCS = {
    "jvp": "Return {what}, and the derivative along {along}.",
    "hvp": "Return the Hessian of {what} along {along}.",
    "jacobian": "Return the derivative of each element of {what} by each element of {wrt}.",
    "hessian": "Return the second derivatives of {what} by {wrt}.",
}


def _type(function: Further, target: Target) -> str:
    if function.mode == "hvp":
        return "Gradients"
    if function.mode != "jvp":
        return _class_name(function)
    types = [target.annotation(n.type) for n in function.program.values.outputs]
    return f"tuple[{_joined(types[: function.values])}, {_joined(types[function.values :])}]"


def _joined(types: Sequence[str]) -> str:
    return types[0] if len(types) == 1 else f"tuple[{', '.join(types)}]"


def _pair(function: Further, values: Sequence[str]) -> list[str]:
    """`return y, y_dot`; of several outputs a tuple each."""
    parts = (values[: function.values], values[function.values :])
    return layout.tuple_statement("return", [p[0] if len(p) == 1 else f"({', '.join(p)})" for p in parts], 1)


def _gradients(function: Further, values: Sequence[str]) -> list[str]:
    items = [f"{name}={value}" for name, value in zip(function.wrt, values, strict=True)]
    hidden = "Gradients" in function.program.values.input_names
    return layout.call_statement("return", "_Gradients" if hidden else "Gradients", items, 1)


def _own_class(function: Further, values: Sequence[str]) -> list[str]:
    names = function.program.values.output_names
    items = [f"{name}={value}" for name, value in zip(names, values, strict=True)]
    return layout.call_statement("return", _class_name(function), items, 1)


def _class_name(function: Further) -> str:
    """Jacobian, Hessian; with an underscore behind it where an argument has that name."""
    name = function.mode.capitalize()
    return name + "_" * (name in function.program.values.input_names)


_RETURNS: Mapping[str, Callable[[Further, Sequence[str]], list[str]]] = {
    "jvp": _pair,
    "hvp": _gradients,
    "jacobian": _own_class,
    "hessian": _own_class,
}


def _class(function: Further, target: Target) -> list[str]:
    """The named tuple of all blocks."""
    target.symbols.add("NamedTuple")
    graph = function.program.values
    lines = ["", "", f"class {_class_name(function)}(NamedTuple):"]
    for name, node in zip(graph.output_names, graph.outputs, strict=True):
        lines.append(f"    {name}: {target.annotation(node.type)}{_shape(node.type)}")
    return lines


def _shape(type: TensorType) -> str:
    return f"  # {show_shape(type.shape)}" if type.rank else ""


_CLASSES: Mapping[str, Callable[[Further, Target], list[str]]] = {"jacobian": _class, "hessian": _class}
