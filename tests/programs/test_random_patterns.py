"""Random programs: the patterns of their values and of their gradients have all entries that are not 0.

By hand, for many more:  python tests/programs/test_random_patterns.py FIRST LAST
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import generator
import library
import numpy as np
import pytest

from graphc.autodiff import gradient
from graphc.autodiff.known import Known
from graphc.autodiff.sparsity import patterns_of
from graphc.frontends.text import parse
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.node import Node
from graphc.ir.sizes import bind_sizes
from graphc.passes.pipeline import stabilise

SIZES = {"n": 4, "m": 3, "k": 5}
MOST_NODES = 60  # of a program whose gradient is looked at, too
BLOCK = 15
Values = dict[str, np.ndarray[Any, Any]]


def entries(graph: Graph, output: Node, values: Values, name: str) -> np.ndarray[Any, Any]:
    """Where the Jacobian is not 0: row by row, the gradient of each element."""
    [primal] = interpret(graph, values)
    back = gradient(graph, [name])
    rows = np.zeros((primal.size, np.size(values[name])), dtype=bool)
    for k in range(primal.size):
        ct = np.zeros(primal.shape, dtype=output.type.dtype)
        ct.flat[k] = 1.0
        [row] = interpret(back, values | {back.input_names[-1]: ct})
        rows[k] = (row.ravel() != 0) & np.isfinite(row.ravel())
    return rows


def compare(graph: Graph, values: Values, fixed: Mapping[Node, np.ndarray[Any, Any]]) -> int:
    """How many entries there are."""
    found = 0
    sizes = bind_sizes([(n["name"], n.type) for n in graph.inputs], {k: np.shape(v) for k, v in values.items()})
    for source in [n for n in graph.inputs if n.type.is_float]:
        patterns = patterns_of(graph.outputs, source, Known(sizes, fixed))
        for output, pattern in zip(graph.outputs, patterns, strict=True):
            inside = np.zeros((pattern.height, pattern.width), dtype=bool)
            inside[pattern.rows, pattern.columns] = True
            if output.type.is_float:
                wanted = entries(Graph(graph.inputs, (output,), ("z",)), output, values, source["name"])
                assert not (wanted & ~inside).any(), f"{output.op.name} by {source['name']}"
                found += int(wanted.sum())
    return found


def check(program: generator.Program) -> int:
    graph, _ = stabilise(parse(program.text))
    values: Values = {k: np.asarray(v) for k, v in generator.inputs(program, SIZES).items()}
    fixed = {n: values[n["name"]] for n in graph.inputs if not n.type.is_float}
    found = compare(graph, values, fixed)
    floats = [n["name"] for n in graph.inputs if n.type.is_float]
    if floats and len(graph.nodes) <= MOST_NODES:
        slopes = gradient(graph, floats)
        results = interpret(graph, values)
        ones = [np.ones_like(r) for r, o in zip(results, graph.outputs, strict=True) if o.type.is_float]
        seeds = dict(zip(slopes.input_names[len(graph.inputs) :], ones, strict=True))
        found += compare(slopes, values | seeds, fixed)
    return found


def run(first: int, last: int) -> int:
    found = 0
    for make in (generator.program, library.program):
        for seed in range(first, last):
            program = make(seed)
            try:
                with np.errstate(all="ignore"):
                    found += check(program)
            except Exception as error:
                note = f"reproduce: python tests/programs/test_random_patterns.py {seed} {seed + 1}\n\n{program.text}"
                error.add_note(note)
                raise
    return found


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("first", range(0, 60, BLOCK))
def test_no_entry_is_missed(first: int) -> None:
    assert run(first, first + BLOCK) >= 100


if __name__ == "__main__":
    print(f"{run(int(sys.argv[1]), int(sys.argv[2])):,} entries, none missed")
