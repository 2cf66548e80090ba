"""Graphs around a user's op, and a stand-in for a front end that traces values."""

from __future__ import annotations

import graphc as gc
from graphc.expr import build
from graphc.ir.graph import Graph
from graphc.ir.node import Node


def model(function, **types):
    """The graph of `function` over inputs of these types."""
    lines = [f"{name}: {type}" for name, type in types.items()]
    inputs = gc.parse("\n".join([*lines, f"return {next(iter(types))} * 1"])).inputs
    return Graph(inputs=inputs, outputs=(function(*inputs),), output_names=("out",), title="custom")


def total(node: Node) -> Node:
    """The sum of all elements."""
    return build.reduce("sum", node, tuple(range(node.type.rank)))


class Traced:
    """What a tracing front end hands to functions."""

    def __init__(self, node: Node) -> None:
        self.__graphc_node__ = node

    @classmethod
    def __graphc_wrap__(cls, node: Node) -> Traced:
        return cls(node)
