"""The graphs of further derivatives of a model, which `gc.compile(..., mode=...)` puts into its file.

jvp(x, x_dot)       the values and their derivatives along x_dot
hvp(x, x_dot)       the gradient of the sum of values, along x_dot: the Hessian times x_dot
jacobian(x)         for each output its derivative by each element of x
hessian(x)          the Jacobian of the gradient
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from graphc.autodiff.forward import jvp as tangents
from graphc.autodiff.jacobian import blocks
from graphc.autodiff.reverse import differentiate, source_of
from graphc.errors import UnsupportedError
from graphc.expr import build
from graphc.expr.looping import substitute
from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.node import Node


def jvp(graph: Graph, wrt: Sequence[str]) -> Graph:
    """Inputs: those of `graph`, then a tangent for each of `wrt`. Outputs: the values, then their tangents."""
    along = tangents(graph, wrt)
    return replace(
        along,
        outputs=(*graph.outputs, *along.outputs),
        output_names=(*graph.output_names, *along.output_names),
    )


def hvp(graph: Graph, wrt: Sequence[str]) -> Graph:
    """Inputs: as of `jvp`. Outputs: for each of `wrt` the gradient's derivative along all tangents."""
    along = tangents(_slopes(graph, wrt, "hvp"), wrt)
    return replace(along, output_names=tuple(f"H{name}" for name in wrt))


def jacobian(graph: Graph, wrt: Sequence[str]) -> Graph:
    """Outputs: for each floating-point output its derivative by each of `wrt`, of both shapes together."""
    floats = [(n, o) for n, o in zip(graph.output_names, graph.outputs, strict=True) if o.type.is_float]
    sources = [source_of(graph, name) for name in wrt]
    outputs = [o for _, o in floats]
    rows = blocks(outputs, sources, _extent(outputs) < _extent(sources))
    return replace(
        graph,
        outputs=tuple(block for row in rows for block in row),
        output_names=tuple(f"{output}_{name}" for output, _ in floats for name in wrt),
    )


def hessian(graph: Graph, wrt: Sequence[str]) -> Graph:
    """Outputs: for each pair of `wrt` the second derivative, of both shapes together."""
    slopes = _slopes(graph, wrt, "hessian")
    rows = blocks(slopes.outputs, [source_of(graph, name) for name in wrt], False)
    return replace(
        slopes,
        outputs=tuple(block for row in rows for block in row),
        output_names=tuple(f"{first}_{second}" for first in wrt for second in wrt),
    )


MODES: dict[str, Callable[[Graph, Sequence[str]], Graph]] = {
    "jvp": jvp,
    "hvp": hvp,
    "jacobian": jacobian,
    "hessian": hessian,
}


def _slopes(graph: Graph, wrt: Sequence[str], mode: str) -> Graph:
    """The gradient of a model with one scalar output, as a function of its inputs alone."""
    [output, *more] = graph.outputs
    if more or output.type.rank or not output.type.is_float:
        raise UnsupportedError(
            "G040",
            f'mode="{mode}" needs a model with one floating-point scalar output',
            hint='sum the output, or use mode="jacobian"',
        )
    slopes = differentiate(graph, wrt).graph
    seed = slopes.inputs[-1]
    one = build.literal(1.0, [output.type.dtype])
    outputs = substitute(slopes.outputs, {seed: one})
    return replace(slopes, inputs=graph.inputs, outputs=tuple(outputs))


def _extent(nodes: Sequence[Node]) -> tuple[int, int]:
    """How large arrays are together: first by how many named sizes are multiplied, then by the number."""
    terms = [(len(m), c) for n in nodes for m, c in _terms(n)]
    degree = max((d for d, _ in terms), default=0)
    return degree, sum(c for d, c in terms if d == degree)


def _terms(node: Node) -> Sequence[tuple[tuple[object, ...], int]]:
    size = node.type.size
    return size.terms if isinstance(size, Size) else [((), size)]
