"""What a graph is: sizes, types, op records, interned nodes, graphs."""

from graphc.ir.dims import Dim, Size
from graphc.ir.graph import Graph
from graphc.ir.node import Node, make, topological
from graphc.ir.op import Op
from graphc.ir.types import TensorType

__all__ = ["Dim", "Graph", "Node", "Op", "Size", "TensorType", "make", "topological"]
