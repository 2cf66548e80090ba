"""What the file as a whole decides: scalar or array code, type names, helpers, renamed symbols."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from graphc.emit.names import RESERVED
from graphc.errors import UnknownNameError
from graphc.ir.control import RESULT, bodies
from graphc.ir.leaf import CONST, INPUT
from graphc.ir.node import Node
from graphc.ir.op import Helper, Op
from graphc.ir.types import TensorType
from graphc.plan.program import Program

_ALIAS = {"int64": ("IntArray", "np.int64"), "int32": ("Int32Array", "np.int32"), "bool": ("BoolArray", "np.bool_")}
_SCALAR = {"float64": "float", "int64": "int", "int32": "int", "bool": "bool"}
_USES = {"math": "math.", "Any": ": Any"}  # what a helper may need imported, and how it is used
_WORD = re.compile(r"\b_\w+")


@dataclass(eq=False)
class Target:
    """scalar: every value is a float64 or bool of rank 0, so `math` does.

    symbols: what the text has used so far.  renamed: symbols that an input's name would hide.
    aliases: names of array types -> their dtype.  wide: float32 and float64 arrays both occur.
    loose: helpers that are called with numbers, too; those of float32 arrays, which NumPy's stubs widen, are as loose.
    loops: there are loops or branches.
    untyped: values of which NumPy's stubs say no more than that they are floating-point.
    """

    scalar: bool
    wide: bool
    base: str
    available: dict[str, Helper]
    renamed: dict[str, str]
    loose: frozenset[str] = frozenset()
    untyped: frozenset[Node] = frozenset()
    loops: bool = False
    symbols: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(program: Program, *further: Program) -> Target:
        programs = (program, *further)
        nodes = [n for p in programs for n in (*_within(p.joint.graph.nodes), *p.values.inputs)]
        kinds = dict.fromkeys([(n.op, n.type) for n in nodes])  # few, in the order of the nodes
        floats = {type.dtype for op, type in kinds if type.is_float and (type.rank or op is not CONST)}
        taken = {n["name"] for p in programs for n in p.values.inputs}
        return Target(
            scalar=all(_is_scalar(op, type) for op, type in kinds),
            wide=len(floats) > 1,
            base="float32" if floats == {"float32"} else "float64",
            available=_by_name(h for op, _ in kinds for h in op.helpers),
            renamed={name: f"_{name}" for name in sorted(taken & RESERVED) if name.isidentifier()},
            untyped=frozenset(n for n in nodes if "untyped" in n.op.traits),
            loops=any(n.op is RESULT for n in nodes),
            loose=frozenset(
                h.name for n in nodes if n.op.helpers and n.args and n.args[0].type.rank == 0 for h in n.op.helpers
            ),
        )

    def symbol(self, name: str) -> str:
        """What a symbol is called inside a function."""
        self.symbols.add(name)
        return self.renamed.get(name, name)

    def annotation(self, type: TensorType) -> str:
        """The type of a parameter or result."""
        if type.rank == 0:
            return "np.float32" if type.dtype == "float32" else self.symbol(_SCALAR[type.dtype])
        return self.array(type.dtype)

    def held(self, node: Node) -> str:
        """The type of a value between forward and backward."""
        if node.type.rank == 0 and node in self.untyped:
            self.symbols.add("Any")
            return f"{self.symbol('np')}.floating[{self.symbol('Any')}]"
        if node.type == TensorType("bool", ()) and node.op is not INPUT and not self.scalar:
            numpys = f"{self.symbol('np')}.bool_"  # a comparison of NumPy's numbers; those of loops may be Python's
            return f"{numpys} | {self.symbol('bool')}" if self.loops else numpys
        return self.annotation(node.type)

    def array(self, dtype: str) -> str:
        if dtype.startswith("float"):
            self.aliases.setdefault("Array", "np.floating[Any]" if self.wide or self.untyped else f"np.{self.base}")
            return self.symbol("Array")
        name, numpy = _ALIAS[dtype]
        self.aliases.setdefault(name, numpy)
        return self.symbol(name)

    def hidden(self) -> list[tuple[str, str]]:
        """The symbols that were used and that an input's name hides, and what they are called instead."""
        return [(name, new) for name, new in sorted(self.renamed.items()) if name in self.symbols]

    def helpers(self) -> list[str]:
        """The sources of the helpers that the text uses, and of those that they use."""
        order = [name for name in self.available if name in self.symbols]
        for name in order:
            source = self._source(name)
            order += [n for n in self.available if n in _WORD.findall(source) and n not in order]
        for name in order:
            source = self._source(name)
            self.symbols |= {name for name, use in _USES.items() if use in source}
            if not self.scalar:
                self.array(self.base)
                if "IntArray" in source:
                    self.array("int64")
        return [self._source(name) for name in order]

    def _source(self, name: str) -> str:
        helper = self.available[name]
        if self.scalar or (name not in self.loose and self.base != "float32"):
            return helper.scalar if self.scalar else helper.array
        self.symbols.add("Any")
        return helper.array.replace(": Array", ": Any").replace("-> Array", "-> Any")


def _by_name(helpers: Iterable[Helper]) -> dict[str, Helper]:
    """The helpers by name. Of a user's own there may be two; a file has one function of a name."""
    table: dict[str, Helper] = {}
    for helper in helpers:
        if table.setdefault(helper.name, helper) != helper:
            raise UnknownNameError("G014", f"two different functions of the model are called `{helper.name[1:]}`")
    return table


def _within(nodes: Iterable[Node]) -> list[Node]:
    """The nodes, and those inside loops and branches."""
    found: list[Node] = []
    for node in nodes:
        for body in bodies(node):
            found += _within(body.graph.nodes)
        found.append(node)
    return found


def _is_scalar(op: Op, type: TensorType) -> bool:
    plain = op in (INPUT, CONST) or op.scalar is not None
    return plain and type.rank == 0 and type.dtype in ("float64", "bool")
