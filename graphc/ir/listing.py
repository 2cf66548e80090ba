"""The grammar of listings, and how a listing becomes a graph again.

graph "logistic.gc" (X: f64[n, d], w: f64[d], y: f64[n]) -> (loss: %4) {
  z: f64[n] = matmul(X, w)
  %1: f64[n] = softplus(z)
  %2: f64[n] = multiply(y, z)
  %3: f64[n] = subtract(%1, %2)
  %4: f64[] = mean(%3; axis=(0,), keepdims=False)
}

graph     := "graph" string "(" [input ("," input)*] ")" "->" "(" [name ":" ref ("," ...)*] ")" "{" node* "}"
input     := name ":" type                      type := dtype "[" [dim ("," dim)*] "]"
node      := ref ":" type "=" op "(" [ref ("," ref)*] [";" attr ("," attr)*] ")"
           | ref ":" type "=" ref "." ("final" | "history" | "stack" | "result") "[" number "]"
           | ref "=" "loop" name "from" dim "count" dim ["reverse"] "(" carried* [";" read*] ")" block ["while" block]
           | ref "=" "branch" ref "(" read* ")" block "else" block
           | ref "=" "equation" name ("fixed" | "root") "tolerance" number "limit" number "(" ... ")" block
block     := "->" "(" ref* [";" ref*] ")" "{" node* "}"
carried   := ref ":" type "=" ref               read := ref ["=" ref]          both with "," between
ref       := (name | "%" number) "'"*           attr := name "=" value
value     := number | string | "True" | "False" | "None" | "(" values ")" | "<" dim ">"
           | type "{" numbers "}"               a constant
           | "[" entries "]"                    an index; a range is start:stop:step:count
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graphc.errors import ParseError, Source, Span
from graphc.ir.blocks import read_control, read_result
from graphc.ir.dims import Dim, Size, minimum, quotient, root
from graphc.ir.graph import Graph
from graphc.ir.index import Array, Index, Range
from graphc.ir.leaf import input_node
from graphc.ir.node import Constant, Node, make
from graphc.ir.op import Op
from graphc.ir.types import LONG, TensorType
from graphc.ir.writing import write_listing

__all__ = ["parse_listing", "write_listing"]

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*'*)|(?P<ref>%\d+)|(?P<string>\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<number>-?(?:inf|\d+(?:\.\d*)?(?:e[+-]?\d+)?))|(?P<mark>->|//|.))",
    re.DOTALL,
)


def parse_listing(text: str, ops: Mapping[str, Op], title: str = "<listing>") -> Graph:
    """The graph of a listing. `ops` are the known operations by name.

    Raises ParseError where the text is not a listing, or where a type written in it is not the
    one that the op gives.
    """
    return Reader(Source(title, text), ops).graph()


class Reader:
    """What is left of a listing, and the nodes that are known so far."""

    def __init__(self, source: Source, ops: Mapping[str, Op]) -> None:
        self.source = source
        self.ops = ops
        self.offset = 0
        self.nodes: dict[str, Node] = {}

    # --- tokens ---

    def peek(self) -> str:
        match = _TOKEN.match(self.source.text, self.offset)
        return match.group().strip() if match else ""

    def next(self) -> str:
        match = _TOKEN.match(self.source.text, self.offset)
        if match is None:
            raise self.error("the listing ends too early")
        self.offset = match.end()
        return match.group().strip()

    def expect(self, token: str) -> None:
        found = self.next()
        if found != token:
            raise self.error(f"expected `{token}`, found `{found}`")

    def error(self, message: str) -> ParseError:
        end = min(self.offset, len(self.source.text))
        return ParseError("G001", message, span=Span(self.source, max(0, end - 1), end))

    def sequence(self, close: str, item: Callable[[], Any]) -> list[Any]:
        """Items separated by commas, up to `close`, which is taken too."""
        items: list[Any] = []
        while self.peek() != close:
            items.append(item())
            if self.peek() == ",":
                self.next()
            elif self.peek() != close:
                raise self.error(f"expected `,` or `{close}`, found `{self.peek()}`")
        self.next()
        return items

    # --- grammar ---

    def graph(self) -> Graph:
        self.expect("graph")
        title = json.loads(self.next())
        self.expect("(")
        inputs = tuple(self.sequence(")", self.input))
        self.expect("->")
        self.expect("(")
        outputs = self.sequence(")", self.output)
        names = self.nodes_of_block()
        missing = [ref for _, ref in outputs if ref not in self.nodes]
        if missing:
            raise self.error(f"the output `{missing[0]}` is not defined")
        return Graph(
            inputs=inputs,
            outputs=tuple(self.nodes[ref] for _, ref in outputs),
            output_names=tuple(name for name, _ in outputs),
            names=names,
            title=title,
        )

    def input(self) -> Node:
        name = self.next()
        self.expect(":")
        self.nodes[name] = input_node(name, self.type())
        return self.nodes[name]

    def output(self) -> tuple[str, str]:
        name = self.next()
        self.expect(":")
        return name, self.next()

    def type(self) -> TensorType:
        dtype = self.next()
        if dtype not in LONG:
            raise self.error(f"`{dtype}` is not a dtype")
        self.expect("[")
        return TensorType(LONG[dtype], tuple(self.sequence("]", self.dim)))

    def nodes_of_block(self) -> dict[Node, str]:
        """What the nodes between braces are called."""
        self.expect("{")
        names: dict[Node, str] = {}
        while self.peek() != "}":
            ref, node = self.node()
            if not ref.startswith("%"):
                names[node] = ref.rstrip("'")
        self.next()
        return names

    def node(self) -> tuple[str, Node]:
        ref = self.next()
        if self.peek() == "=":
            self.nodes[ref] = read_control(self)
            return ref, self.nodes[ref]
        self.expect(":")
        type = self.type()
        self.expect("=")
        name = self.next()
        if self.peek() == ".":
            return ref, self.defined(ref, read_result(self, self.known(name)), type)
        if name not in self.ops:
            raise self.error(f"`{name}` is not an op")
        self.expect("(")
        args = []
        while self.peek() not in (")", ";"):
            args.append(self.argument())
            if self.peek() == ",":
                self.next()
        attrs = dict(self.sequence(")", self.attribute)) if self.next() == ";" else {}
        return ref, self.defined(ref, make(self.ops[name], args, **attrs), type)

    def defined(self, ref: str, node: Node, type: TensorType) -> Node:
        if node.type != type:
            raise self.error(f"{ref} is declared as {type}, and {node.op.name} gives {node.type}")
        self.nodes[ref] = node
        return node

    def argument(self) -> Node:
        return self.known(self.next())

    def known(self, ref: str) -> Node:
        if ref not in self.nodes:
            raise self.error(f"`{ref}` is not defined before its use")
        return self.nodes[ref]

    def attribute(self) -> tuple[str, Any]:
        name = self.next()
        self.expect("=")
        return name, self.value()

    def value(self) -> Any:
        token = self.peek()
        if token in LONG:
            return self.constant()
        if token in _WORDS:
            self.next()
            return _WORDS[token]
        if token.startswith('"'):
            return json.loads(self.next())
        if token == "(":
            self.next()
            return tuple(self.sequence(")", self.value))
        if token == "[":
            self.next()
            return Index(tuple(self.sequence("]", self.entry)))
        if token == "<":
            self.next()
            dim = self.dim()
            self.expect(">")
            return dim
        return self.number()

    def constant(self) -> Constant:
        type = self.type()
        self.expect("{")
        items = self.sequence("}", self.number)
        return Constant.of(_shaped(items, type), type.dtype)

    def entry(self) -> Any:
        if self.peek() == "@":
            self.next()
            return Array(int(self.next()))
        fields = [self.value()]
        while self.peek() == ":":
            self.next()
            fields.append(self.value())
        return fields[0] if len(fields) == 1 else Range(*fields)

    def number(self) -> Any:
        token = self.next()
        if token == "-":
            token += self.next()
        if token in _WORDS:
            return _WORDS[token]
        try:
            return int(token)
        except ValueError:
            pass
        try:
            return float(token)
        except ValueError:
            raise self.error(f"expected a value, found `{token}`") from None

    def dim(self) -> Dim:
        """sum := ["-"] term (("+" | "-") term)*;  term := factor (("*" | "//") factor)*.

        min(sum, sum) and max(int(factor**0.5), 1) are factors.
        """
        total = self.term()
        while self.peek() in ("+", "-") or re.fullmatch(r"-\d+", self.peek()):
            if self.peek() == "+":
                self.next()
                total = total + self.term()
            elif self.peek() == "-":
                self.next()
                total = total - self.term()
            else:
                total = total + self.term()
        return total

    def term(self) -> Dim:
        total = self.factor()
        while self.peek() in ("*", "//"):
            times = self.next() == "*"
            total = total * self.factor() if times else quotient(total, self.factor())
        return total

    def factor(self) -> Dim:
        token = self.next()
        if token == "(":
            total = self.dim()
            self.expect(")")
            return total
        if token == "-":
            return -1 * self.factor()
        if re.fullmatch(r"-?\d+", token):
            return int(token)
        if token == "max" and self.peek() == "(":
            for mark in ("(", "int", "("):
                self.expect(mark)
            square = self.factor()
            for mark in ("*", "*", "0.5", ")", ",", "1", ")"):
                self.expect(mark)
            return root(square)
        if token == "min" and self.peek() == "(":
            self.next()
            return minimum(*self.sequence(")", self.dim))
        if re.fullmatch(r"[A-Za-z_]\w*", token, re.ASCII):
            return Size.named(token)
        raise self.error(f"expected a size, found `{token}`")


_WORDS: dict[str, Any] = {
    "True": True,
    "False": False,
    "None": None,
    "nan": float("nan"),
    "inf": float("inf"),
    "-inf": float("-inf"),
}


def _shaped(items: list[Any], type: TensorType) -> Any:
    return np.array(items, dtype=type.dtype).reshape(tuple(d for d in type.shape if isinstance(d, int)))
