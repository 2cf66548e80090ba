"""The reference of functions and operations, written from their tables.

entry("sigmoid")    one function or operation at length
markdown()          the page docs/ops.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from itertools import groupby

import numpy as np

from graphc.errors import UnknownNameError, printable
from graphc.expr.functions import FUNCTIONS, Function
from graphc.frontends.numpy.coverage import covered
from graphc.ir.op import Op
from graphc.ops import FAMILIES, REGISTRY
from graphc.view.derivative import written

_INTRODUCTION = """# Functions and operations

Written by `graphc ops --markdown` from the tables that the compiler works with; `graphc ops NAME` prints one entry.

A **function** is what a model calls: it has NumPy's name, arguments and conventions, in text models and in
NumPy code alike. An **operation** is what the graph is made of: one record with its formula and its derivative.
Many functions are compositions of a few operations, and are differentiated through them.

In a derivative `dy` is the gradient on the result `y`, and `dx` the gradient on the argument `x`. What an
operation saves for the backward pass is what its derivative reads. *Conventions* are what stands where calculus is
silent: at kinks, at ties, at the ends of the domain; [conventions](conventions.md) has the rule behind them.

*Exactness* is how far the generated NumPy code may be from the true value of the arguments as they are, in float64
and in float32: in ulp, units in the last place of the result or of what is named there. A correctly rounded result
is the nearest floating-point number, at most 0.5 ulp away; n is how many elements make one of the result. The tests
measure it against fifty digits and more. How a record is written is told in [adding an op](adding-an-op.md).

```python
import graphc as gc

m = gc.compile("sum(sigmoid(x))", {"x": "n"})  # sigmoid: dx = dy * y * (1 - y)
assert abs(m.grad([0.0])[0][0] - 0.25) < 1e-15
```
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *_coverage(), *_functions(), *_operations()])


def _coverage() -> Iterator[str]:
    names = covered()
    version = ".".join(np.__version__.split(".")[:2])
    yield f"## NumPy\n\nOf the public functions of NumPy {version} {len(names)} can be traced, each counted once:\n"
    for prefix, title in (("", "numpy"), ("linalg.", "numpy.linalg"), ("fft.", "numpy.fft")):
        own = [n for n in names if n.rpartition(".")[0] == prefix.rstrip(".")]
        yield f"- `{title}`: {', '.join(n.removeprefix(prefix) for n in own)}"
    yield ""


def _functions() -> Iterator[str]:
    yield "## Functions\n"
    ordered = sorted(FUNCTIONS.values(), key=lambda f: _SECTIONS.index(f.section))
    for section, functions in groupby(ordered, key=lambda f: f.section):
        yield f"### {section}\n\n| function | what it is |\n|---|---|"
        yield from (f"| {_code(f.signature)} | {_cell(_summary(f))} |" for f in functions)
        yield ""


_SECTIONS = list(dict.fromkeys(f.section for f in FUNCTIONS.values()))


def _operations() -> Iterator[str]:
    yield "## Operations\n"
    for family, ops in FAMILIES.items():
        yield f"### {family}: operations\n\n| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|"
        yield from (f"| {' | '.join(column(op) for column in _COLUMNS.values())} |" for op in ops)
        yield ""


def _summary(function: Function) -> str:
    """The first sentence or paragraph of a function's documentation."""
    return " ".join(function.doc.partition("\n\n")[0].split())


def _cell(text: str) -> str:
    """Text in a table; what is marked as code already keeps its stars."""
    barred = text.replace("|", "\\|")
    return barred if "`" in text else barred.replace("*", "\\*")


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`"


def _formula(op: Op) -> str:
    """The derivative; words are not set as code."""
    text = written(op)
    return _code(text) if text.startswith("d") else _cell(text)


def _call(op: Op) -> str:
    return f"{op.name}({', '.join((*op.args, *op.attrs))})"


def _domain(op: Op) -> str:
    bounded = [(a, d) for a, d in zip(op.args, op.domain, strict=False) if d != "(-oo, oo)"]
    return ", ".join(f"{a} not 0" if d == "nonzero" else f"{a} in {d}" for a, d in bounded)


_COLUMNS: dict[str, Callable[[Op], str]] = {
    "operation": lambda op: _code(_call(op)),
    "what it is": lambda op: _cell(op.doc),
    "derivative": _formula,
    "defined for": _domain,
    "conventions": lambda op: _cell(op.conventions),
    "exactness": lambda op: _cell(op.accuracy),
}


# --- one entry ---


def entry(name: str) -> str:
    """A function, or an operation, at length. Raises UnknownNameError."""
    plain = name.removeprefix("np.").removeprefix("numpy.")
    if plain not in FUNCTIONS and plain not in REGISTRY:
        close = get_close_matches(plain, [*FUNCTIONS, *REGISTRY], n=1)
        hint = f"did you mean `{close[0]}`?" if close else "`graphc ops` lists them"
        raise UnknownNameError("G011", f"`{printable(name, 60)}` is no function and no operation", hint=hint)
    lines: list[str] = []
    if plain in FUNCTIONS:
        function = FUNCTIONS[plain]
        lines += [function.signature, "", *_indented(function.doc.splitlines())]
    if plain in REGISTRY:
        lines += ["", *_details(REGISTRY[plain])] if lines else _details(REGISTRY[plain])
    return "\n".join(lines) + "\n"


def _details(op: Op) -> list[str]:
    rows = {
        "operation": _call(op),
        "": op.doc,
        "derivative": written(op),
        "domain": _domain(op),
        "conventions": op.conventions,
        "exactness": op.accuracy,
        "values": "" if op.range is None else f"from {op.range[0]:g} to {op.range[1]:g}",
        "as NumPy": op.numpy if isinstance(op.numpy, str) else "",
        "kind": ", ".join(sorted(op.traits)),
    }
    return [f"{title:<12}{text}".rstrip() for title, text in rows.items() if text]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}".rstrip() for line in lines]
