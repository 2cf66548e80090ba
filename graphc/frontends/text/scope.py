"""What names mean while a text is read: inputs, sizes, variables, definitions.

x: f64[n]      x is an input, n a size
y = x * 2      y is a variable
z              unknown here: an error, or in a one-line expression a float64 scalar input
"""

from __future__ import annotations

from dataclasses import dataclass, field

from graphc.errors import GraphcError, LimitError, Source, Span, UnknownNameError, UnsupportedError, did_you_mean
from graphc.expr.absent import ADVICE
from graphc.expr.arguments import Value, Weak
from graphc.expr.functions import FUNCTIONS, Function
from graphc.frontends.text.characters import MAX_IDENTIFIER, MAX_INPUTS
from graphc.frontends.text.names import CONSTANTS, DTYPES, PYTHON_DTYPES, RESERVED_FUNCTIONS, check_name
from graphc.frontends.text.tape import Definition
from graphc.ir.dims import Size
from graphc.ir.leaf import INPUT, input_node
from graphc.ir.node import Node
from graphc.ir.types import TensorType


@dataclass
class Scope:
    """The names of one text.

    implicit: whether an unknown name becomes a float64 scalar input.
    values: inputs and variables.  sizes: named sizes.  fresh: nodes made by the statement at hand.
    """

    source: Source
    implicit: bool
    inputs: dict[str, Node] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)
    names: dict[Node, str] = field(default_factory=dict)
    origin: dict[Node, Span] = field(default_factory=dict)
    fresh: list[Node] = field(default_factory=list)
    guessed: bool = False  # an input has been made up
    last: tuple[str, Span] | None = None  # the last assignment

    def span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    # --- declaring ---

    def declare(self, name: str, type: TensorType, span: Span | None) -> None:
        """A new input. Its named sizes become names of sizes."""
        check_name(name, span)
        if self.guessed and not self.implicit:
            raise UnknownNameError(
                "G010",
                "names are used above that are not declared",
                span=span,
                hint="declare every input before its first use",
            )
        if name in self.values or name in self.definitions:
            raise UnknownNameError(
                "G014",
                f"`{name}` has a meaning already",
                span=span,
                hint="an input is declared once, before anything is computed",
            )
        if len(self.inputs) >= MAX_INPUTS:
            raise LimitError("G003", f"a model has at most {MAX_INPUTS:,} inputs", span=span)
        for dim in type.shape:
            for size in dim.names() if isinstance(dim, Size) else ():
                self.sizes.setdefault(size, Size.named(size))
        node = input_node(name, type)
        self.inputs[name] = self.values[name] = node
        for size in (name, *(s for d in type.shape if isinstance(d, Size) for s in d.names())):
            if size in self.sizes and size in self.inputs:
                raise UnknownNameError(
                    "G014", f"`{size}` is both an input and a size", span=span, hint="give the size another name"
                )
        if span is not None:
            self.origin[node] = span

    def assign(self, name: str, value: Value, span: Span) -> None:
        """`name = value`. A variable may be assigned again; an input may not."""
        check_name(name, span)
        if name in self.inputs:
            raise UnknownNameError(
                "G014",
                f"`{name}` is an input and cannot be assigned to",
                span=span,
                hint=f"call the result something else: {name[:40]}1 = ...",
            )
        if name in self.definitions:
            raise UnknownNameError("G014", f"`{name}` is a function defined above", span=span)
        self.values[name] = value
        self.last = name, span
        node = value.node if isinstance(value, Weak) else value
        if isinstance(node, Node) and node.op is not INPUT:
            self.names.setdefault(node, name)

    def settle(self, span: Span) -> None:
        """The statement ends: what it made came from here."""
        for node in self.fresh:
            self.origin.setdefault(node, span)
        self.fresh.clear()

    # --- looking up ---

    def lookup(self, name: str, start: int, end: int) -> Value:
        """The value of a name."""
        if len(name) > MAX_IDENTIFIER:
            raise LimitError("G003", f"a name has at most {MAX_IDENTIFIER:,} characters", span=self.span(start, end))
        if name in self.values:
            return self.values[name]
        if name in self.sizes:
            return self.sizes[name]
        for table in (CONSTANTS, DTYPES) if self.implicit else (CONSTANTS, DTYPES, PYTHON_DTYPES):
            if name in table:
                return table[name]
        taken = (
            name.startswith("np.") or name in ("nan", "inf") or name in RESERVED_FUNCTIONS or name in self.definitions
        )
        if self.implicit and not taken:
            self.guessed = True
            self.declare(name, TensorType("float64", ()), self.span(start, end))
            return self.values[name]
        raise self.unknown(name, start, end)

    def unknown(self, name: str, start: int, end: int) -> GraphcError:
        span = self.span(start, end)
        plain = name.removeprefix("np.")
        if self.source.text[end : end + 1] == "." and name.startswith("np."):
            return UnsupportedError(
                "G041",
                f"`{name}` is not a part of the language",
                span=span,
                hint="functions are written np.exp(x) or exp(x)",
            )
        if plain in FUNCTIONS or name in self.definitions:
            return UnknownNameError(
                "G010",
                f"`{plain}` is a function, and is not called here",
                span=span,
                hint=f"write {FUNCTIONS[plain].signature}" if plain in FUNCTIONS else None,
            )
        known = [*self.values, *self.sizes, *CONSTANTS]
        hint = did_you_mean(name, known) or f"declare it above: {name[:40]}: f64[n]"
        if name in ("nan", "inf", "np.nan", "np.inf"):
            hint = "nan and inf are not in the language; inputs may hold them"
        return UnknownNameError("G010", f"`{name[:100]}` is not declared", span=span, hint=hint)

    def function(self, name: str, start: int, end: int) -> Function | Definition:
        """The function or definition of a name that is called."""
        if name in self.definitions:
            return self.definitions[name]
        plain = name.removeprefix("np.")
        if plain in FUNCTIONS:
            return FUNCTIONS[plain]
        span = self.span(start, end)
        if self.source.text[end : end + 1] == "." and name.startswith("np."):
            raise self.unknown(name, start, end)
        if name in self.values or name in self.sizes:
            raise UnsupportedError(
                "G040", f"`{name[:100]}` is a value and cannot be called", span=span, hint="is a * missing?"
            )
        hint = ADVICE.get(plain.rpartition(".")[2]) or did_you_mean(plain, [*FUNCTIONS, *self.definitions])
        raise UnknownNameError(
            "G011",
            f"`{name[:100]}` is not a function of the language",
            span=span,
            hint=hint or "`graphc ops` lists the functions",
        )
