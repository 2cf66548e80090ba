"""An elementwise graph as the source of one function, on arrays and on Python floats.

    x * tanh(softplus(x))     ->     def _mish(x: Array) -> Array:
                                         y: Array = x * np.tanh(_softplus(x))
                                         return y

Values that are used twice get a line of their own, as in any generated code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from graphc.emit import layout
from graphc.emit.body import scalar_text
from graphc.emit.expression import Writer, numpy_text
from graphc.emit.names import Namer, describe
from graphc.emit.pyexpr import print_expr
from graphc.emit.wrap import statement
from graphc.ir.graph import Graph
from graphc.ir.leaf import CONST, INPUT, input_node, scalar_value
from graphc.ir.node import Node, rebuild, topological
from graphc.ir.op import Helper
from graphc.ir.types import TensorType
from graphc.passes.pipeline import join
from graphc.plan.program import plan


def helper_of(name: str, graph: Graph, doc: str) -> Helper:
    """The function `name` that computes `graph`, whose inputs and output are float64 scalars.

    On arrays it keeps the dtype of its arguments. It has no scalar form if an op has none.
    """
    program = plan(join(graph, ()))
    result = program.final_values[0]
    statements = [s.node for s in program.forward if s.node is not result]
    names = _names(graph, statements)
    scalar = all(n.op in (INPUT, CONST) or n.op.scalar is not None for n in topological([result]))
    wide = lifted([*statements, result])
    dtype = f"np.result_type({', '.join(graph.input_names)})"
    return Helper(
        name,
        array=_function(name, graph, doc, "Array", [wide[s] for s in statements], wide[result],
                        {wide[n]: text for n, text in names.items() if n in wide}, _array_text(dtype), "np"),
        scalar=_function(name, graph, doc, "float", statements, result, names, scalar_text, "math") if scalar else "",
    )  # fmt: skip


def lifted(roots: list[Node]) -> dict[Node, Node]:
    """The nodes that `roots` need, over vectors in the place of scalars; constants stay numbers."""
    table: dict[Node, Node] = {}
    for node in topological(roots):
        if node.op is INPUT:
            table[node] = input_node(node["name"], TensorType("float64", (2,)))
        else:
            table[node] = rebuild(node, [table[a] for a in node.args])
    return table


def _names(graph: Graph, statements: list[Node]) -> dict[Node, str]:
    namer = Namer(graph.input_names)
    names = {n: n["name"] for n in graph.inputs}
    for node in statements:
        names[node] = namer.fresh(describe(node, names, graph.users.get(node, ())))
    return names


def _array_text(dtype: str) -> Callable[[Node], str]:
    """The NumPy code of an op; what is made of numbers and masks alone takes the arguments' dtype."""

    def text(node: Node) -> str:
        if node.op.name == "astype":
            return f"x.astype({dtype})"
        if node.op.name == "where" and all(scalar_value(a) is not None for a in node.args[1:]):
            return f"np.where(c, a, b).astype({dtype})"
        return numpy_text(node)

    return text


def _function(
    name: str,
    graph: Graph,
    doc: str,
    kind: str,
    statements: list[Node],
    result: Node,
    names: Mapping[Node, str],
    text_of: Callable[[Node], str],
    prefix: str,
) -> str:
    writer = Writer(text_of, names, prefix=prefix)
    params = [f"{n}: {kind}" for n in graph.input_names]
    lines = [*layout.function_head(name, params, kind), *layout.docstring(doc, 1)]
    for node in statements:
        lines += layout.assign(names[node], print_expr(writer.definition(node)), 1)
    value = print_expr(writer.expr(result))
    if kind == "float":
        return "\n".join([*lines, *statement("return", value, 1)]) + "\n"
    local = Namer(names.values()).fresh("y")
    return "\n".join([*lines, *layout.assign(f"{local}: {kind}", value, 1), f"    return {local}"]) + "\n"
