"""What the user calls the nodes of a trace, and where in the user's code each was made.

z = X @ w       the node is `z`, made at model.py:12; an error about its shape says so
z += 1          from here on another node is `z`, and the product has no name
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from graphc.errors import GraphcError
from graphc.frontends.numpy import several
from graphc.frontends.numpy.buffers import Buffer
from graphc.frontends.numpy.places import Places
from graphc.frontends.numpy.tracer import Tracer
from graphc.ir.leaf import CONST, INPUT
from graphc.ir.node import Node
from graphc.ir.types import show_shape


class Naming:
    """The part of a session that is about names and places.

    names: what the user calls a node.  origin: where it was made.
    aliases: the first variable of the user's that held an input.
    """

    def __init__(self) -> None:
        self.places = Places()
        self.names: dict[Node, str] = {}
        self.origin: dict[Node, Any] = {}
        self.aliases: dict[str, str] = {}
        self._bound: dict[str, Node] = {}

    # --- giving names ---

    def named(self, name: str, value: Any, augmented: bool = False) -> Any:
        """`name = value` in the user's code; after `name += ...` the name is that of the new value alone."""
        plain = name.strip("_")
        if several.has_several(value):
            for array in (row for part in value if type(part) is several.Several for row in part.rows or ()):
                self.named(name, array)
        if type(value) is not Tracer or not plain.isascii() or not plain.isidentifier():
            return value
        if not value.path:
            value.buffer.name = plain
        if value.array is None:
            self._call(plain, value.node, augmented)
        return value

    def _call(self, name: str, node: Node, moved: bool) -> None:
        """Give a node a name. moved: the value that had it before is gone."""
        if node.op is INPUT:
            self.aliases.setdefault(node["name"], name)
        before = self._bound.get(name)
        if moved and before is not None and before is not node and self.names.get(before) == name:
            del self.names[before]
        if node.op not in (INPUT, CONST):
            self.names.setdefault(node, name)
            self._bound[name] = node

    def written(self, buffer: Buffer) -> None:
        """A buffer has a new value: it is what the variable now holds."""
        if buffer.name and buffer.array is None:
            self._call(buffer.name, buffer.node, True)

    def note(self, node: Node) -> None:
        """Remember where in the user's code a node has been made."""
        if node not in self.origin and node.op not in (INPUT, CONST):
            place = self.places.here()
            if place is not None:
                self.origin[node] = place

    # --- around trials and bodies ---

    def naming(self) -> tuple[dict[Any, Any], ...]:
        """What is called how, at this moment."""
        return dict(self.names), dict(self.origin), dict(self._bound), dict(self.aliases)

    def rename(self, naming: tuple[dict[Any, Any], ...]) -> None:
        """Call things as they were called before."""
        tables: list[dict[Any, Any]] = [self.names, self.origin, self._bound, self.aliases]
        for table, kept in zip(tables, naming, strict=True):
            table.clear()
            table.update(kept)

    def inside(
        self, inner: Collection[Node], names: Mapping[Node, str], origin: Mapping[Node, Any]
    ) -> tuple[dict[Node, str], dict[Node, Any]]:
        """What a body is told of its nodes; what is told of others, which it only uses, is kept here."""
        for table, told in ((self.names, names), (self.origin, origin)):
            for node, what in told.items():
                if node not in inner:
                    table.setdefault(node, what)
        return {n: name for n, name in names.items() if n in inner}, {n: at for n, at in origin.items() if n in inner}

    # --- in errors ---

    def placed(self, error: GraphcError) -> GraphcError:
        """An error, with the place in the user's code where it comes up."""
        return error.at(self.places.here())

    def name_operands(self, error: GraphcError, values: Sequence[Any], shown: str) -> None:
        """Say in an error about shapes what the user calls the operands. shown: what the operation is called."""
        nodes = [v for v in values if isinstance(v, Node)][:3]
        if error.code != "G021" or not nodes:
            return
        if shown and error.message.startswith(("sizes ", "shapes do not match")):
            error.message = f"shapes do not match in `{shown}`"
        parts = [f"{self._called(n, i, len(nodes))} is {show_shape(n.shape)}" for i, n in enumerate(nodes)]
        error.label = " and ".join(parts)

    def _called(self, node: Node, position: int, count: int) -> str:
        name = node["name"] if node.op is INPUT else self.names.get(node)
        if name is not None:
            return f"`{name}`"
        return ("the left operand", "the right operand", "the third")[position] if count > 1 else "the operand"
