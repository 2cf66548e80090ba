"""The reference evaluator: every node by the NumPy text of its op, one after the other.

It is what "the value of a graph" means; the passes and the generated code are tested against it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np
import numpy.typing as npt

from graphc.errors import ArgumentError
from graphc.ir.control import BRANCH, IMPLICIT, LOOP, RESULT, Body, in_order
from graphc.ir.dims import Size, evaluate
from graphc.ir.graph import Graph
from graphc.ir.index import Index
from graphc.ir.leaf import CONST, INPUT
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ir.sizes import bind_sizes


def interpret(graph: Graph, values: Mapping[str, npt.ArrayLike]) -> list[npt.NDArray[Any]]:
    """The outputs of `graph` for these inputs, as arrays of the outputs' dtypes.

    Raises ArgumentError for a missing input and ShapeError for shapes that do not fit.
    """
    table = evaluate_nodes(graph, values)
    return [np.asarray(table[node], dtype=node.type.dtype) for node in graph.outputs]


def evaluate_nodes(
    graph: Graph, values: Mapping[str, npt.ArrayLike], nodes: Sequence[Node] | None = None
) -> dict[Node, npt.NDArray[Any]]:
    """The value of every node (or of `nodes`, given in topological order)."""
    table: dict[Node, npt.NDArray[Any]] = {}
    for node in graph.inputs:
        if node["name"] not in values:
            raise ArgumentError("G070", f"the input `{node['name']}` is missing")
        table[node] = np.asarray(values[node["name"]], dtype=node.type.dtype)
    sizes = bind_sizes(
        [(node["name"], node.type) for node in graph.inputs],
        {node["name"]: table[node].shape for node in graph.inputs},
    )
    with np.errstate(all="ignore"):
        for node in in_order(graph.nodes if nodes is None else nodes):
            if node.op is not INPUT:
                table[node] = evaluate_node(node, [table[a] for a in node.args], sizes)
    return table


def evaluate_node(node: Node, args: Sequence[npt.NDArray[Any]], sizes: dict[str, int]) -> npt.NDArray[Any]:
    """The value of one node for these argument values; of a loop or a branch the tuple of its results.

    sizes: the named sizes; a loop that goes on while a test holds adds how often it went.
    """
    if node.op is CONST:
        return np.asarray(node["value"].array())
    if node.op in _CONTROL:
        return _CONTROL[node.op](node, args, sizes)  # type: ignore[no-any-return]
    return np.asarray(computed(node, args, sizes), dtype=node.type.dtype)


def computed(node: Node, args: Sequence[npt.NDArray[Any]], sizes: Mapping[str, int]) -> Any:
    """What the text of a node's op gives for arguments of any dtype."""
    scope: dict[str, Any] = dict(zip(node.op.attrs, node.attrs, strict=True))
    for name, value in scope.items():
        scope[name] = _concrete(value, sizes, args)
    fixed = [name for name in node.op.args if not name.startswith("*")]
    scope.update(zip(fixed, args, strict=False))
    if len(fixed) < len(node.op.args):
        scope[node.op.args[-1][1:]] = tuple(args[len(fixed) :])
    text = node.op.numpy_text([a.type for a in node.args], node.attributes)
    return eval(_compiled(text), namespace(node.op), scope)  # our own text, from the op's record


def _run(body: Body, args: Sequence[npt.NDArray[Any]], sizes: Mapping[str, int]) -> list[npt.NDArray[Any]]:
    """The outputs of a body."""
    table = dict(zip(body.inputs, args, strict=True))
    inner = dict(sizes)
    for node in in_order(body.graph.nodes):
        if node not in table:
            table[node] = evaluate_node(node, [table[a] for a in node.args], inner)
    return [table[node] for node in body.outputs]


def _loop(node: Node, args: Sequence[npt.NDArray[Any]], sizes: dict[str, int]) -> tuple[npt.NDArray[Any], ...]:
    """Every result of a loop."""
    m, body, test = node["carried"], node["body"], node["test"]
    carried, read = list(args[:m]), list(args[m:])
    histories = [[c] for c in carried]
    stacks: list[list[npt.NDArray[Any]]] = [[] for _ in body.outputs[m:]]
    start = evaluate(node["start"], sizes)
    steps = range(start, start + evaluate(node["count"], sizes)) if test is None else range(start, sys.maxsize)
    for i in reversed(steps) if node["reverse"] else steps:
        here = {**sizes, node["index"]: i}
        if test is not None and not _run(test, [*carried, *read], here)[0]:
            sizes[node["count"].name] = i - start
            break
        outputs = _run(body, [*carried, *read], here)
        carried = outputs[:m]
        for rows, value in zip([*histories, *stacks], outputs, strict=True):
            rows.append(value)
    shapes = [o.shape for o in body.outputs[m:]]
    order = -1 if node["reverse"] else 1
    piled = [_piled(rows[::order], rows[0].shape, rows[0].dtype) for rows in histories]
    for rows, shape, output in zip(stacks, shapes, body.outputs[m:], strict=True):
        inner = tuple(evaluate(d, sizes) for d in shape)
        piled.append(_piled(rows[::order], inner, np.dtype(output.type.dtype)))
    return (*carried, *piled)


def _piled(rows: Sequence[npt.NDArray[Any]], shape: tuple[int, ...], dtype: Any) -> npt.NDArray[Any]:
    return np.array(rows, dtype=dtype).reshape(len(rows), *shape)


def _branch(node: Node, args: Sequence[npt.NDArray[Any]], sizes: Mapping[str, int]) -> tuple[npt.NDArray[Any], ...]:
    return tuple(_run(node["then"] if args[0] else node["other"], args[1:], sizes))


_CONTROL: dict[Op, Any] = {
    LOOP: _loop,
    BRANCH: _branch,
    IMPLICIT: lambda node, args, sizes: tuple(args[: node["solved"]]),
    RESULT: lambda node, args, sizes: args[0][node["k"]],
}


def _concrete(value: Any, sizes: Mapping[str, int], args: Sequence[Any]) -> Any:
    if isinstance(value, Size):
        return evaluate(value, sizes)
    if isinstance(value, Index):
        return value.resolve(sizes, args[-value.arrays :] if value.arrays else ())
    if type(value) is tuple:
        return tuple(_concrete(v, sizes, args) for v in value)
    return value


@lru_cache(maxsize=4096)
def _compiled(text: str) -> CodeType:
    return compile(text, "<op>", "eval")


@lru_cache(maxsize=1024)
def namespace(op: Op) -> dict[str, Any]:
    """What an op's formula sees: NumPy, `math`, and the op's helpers, which are graphc's own text."""
    scope: dict[str, Any] = {"np": np, "math": math, "Any": Any, "Array": Any, "IntArray": Any}
    for helper in op.helpers:
        exec(helper.array, scope)
    return scope
