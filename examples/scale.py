"""How the time grows with the size of a model: parse, gradient, the way to source, load and run.

    python examples/scale.py                      1,000 to 100,000 nodes
    python examples/scale.py --sizes 1000 3000    smaller, quicker

    text                             nodes   parse  compile     run  us/node
    x + x + ...                      1,000   0.010    0.098   0.001    109.2

parse: text to graph.  compile: graph to generated source, the gradient and the rules included.
run: load the source and call `value_and_grad` once.  us/node: all three, divided by the nodes (for
the parentheses, which make no nodes: by their number). The cases run one after the other in this
process; values and gradients are compared with closed forms.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import graphc as gc


class Case(NamedTuple):
    """text: a text with so many terms.  nodes: of one term.  value, slope: of the text at x = 0.5."""

    name: str
    nodes: int
    text: Callable[[int], str]
    value: Callable[[int], float]
    slope: Callable[[int], float]


X = 0.5


def polynomial(n: int) -> float:
    return math.fsum(X * X / (i + 2) for i in range(n))


CASES = (
    Case("x + x + ...", 1, lambda n: " + ".join(["x"] * n), lambda n: X * n, lambda n: n),
    Case("((( ... x ... )))", 1, lambda n: "(" * n + "x" + ")" * n, lambda n: X, lambda n: 1.0),
    Case("x*x/2 + x*x/3 + ...", 3, lambda n: " + ".join(f"x*x/{i + 2}" for i in range(n)), polynomial,
         lambda n: 2 * polynomial(n) / X),
    Case("sin(x + 1) + sin(x + 2) + ...", 4, lambda n: " + ".join(f"sin(x + {i + 1})" for i in range(n)),
         lambda n: math.fsum(math.sin(X + i + 1) for i in range(n)),
         lambda n: math.fsum(math.cos(X + i + 1) for i in range(n))),
    Case("y = sin(y) + x, repeated", 2, lambda n: "x: f64\n" + "y = x\n" + "y = sin(y) + x\n" * n,
         lambda n: chain(n)[0], lambda n: chain(n)[1]),
)  # fmt: skip


def chain(n: int) -> tuple[float, float]:
    """The value and the slope of n steps of y = sin(y) + x from y = x."""
    y, dy = X, 1.0
    for _ in range(n):
        y, dy = math.sin(y) + X, math.cos(y) * dy + 1.0
    return y, dy


def measure(case: Case, size: int) -> None:
    """One row of the table."""
    terms = size // case.nodes
    text = case.text(terms)
    started = time.perf_counter()
    graph = gc.parse(text)
    parsed = time.perf_counter()
    module = gc.compile(graph)
    compiled = time.perf_counter()
    value, gradient = module.value_and_grad(X)
    ran = time.perf_counter()
    assert math.isclose(value, case.value(terms), rel_tol=1e-9), (value, case.value(terms))
    assert math.isclose(gradient.x, case.slope(terms), rel_tol=1e-9, abs_tol=1e-9), (gradient.x, case.slope(terms))
    each = 1e6 * (ran - started) / size
    print(f"{case.name:<30}{size:>8,}{parsed - started:>8.3f}{compiled - parsed:>9.3f}"
          f"{ran - compiled:>8.3f}{each:>9.1f}", flush=True)  # fmt: skip


def doublings() -> None:
    """y = y + y, sixty times: 2**60 paths from x to y, and 61 nodes at most."""
    started = time.perf_counter()
    module = gc.compile("x: f64\ny0 = x\n" + "".join(f"y{i + 1} = y{i} + y{i}\n" for i in range(60)))
    value, gradient = module.value_and_grad(X)
    assert (value, gradient.x) == (X * 2.0**60, 2.0**60)
    print(f"60 doublings: {time.perf_counter() - started:.3f} s")


def main() -> int:
    """The table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    sizes = options.parse_args().sizes
    gc.compile("x")  # the grammar and the rules are loaded once a process
    print(f"{'text':<30}{'nodes':>8}{'parse':>8}{'compile':>9}{'run':>8}{'us/node':>9}")
    for case in CASES:
        for size in sizes:
            measure(case, size)
    doublings()
    return 0


if __name__ == "__main__":
    sys.exit(main())
