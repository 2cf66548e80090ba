"""Batching: for every op, rows side by side are what one gets row by row."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import samples as catalogue

from graphc.autodiff.batch import batched
from graphc.errors import UnsupportedError
from graphc.expr import build
from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.index import Array, Index, Range
from graphc.ir.interpret import evaluate_node, interpret
from graphc.ir.leaf import input_node
from graphc.ir.node import make
from graphc.ir.types import TensorType
from graphc.ops import REGISTRY

ROWS = 3
DIFFERENTIABLE = sorted(n for n, op in REGISTRY.items() if op.adjoint is not None or any(op.partials or ()))
CASES = [*DIFFERENTIABLE, "argsort", "any", "all", "floor", "less", "overshoot"]


def rows_of(a: np.ndarray, seed: int) -> np.ndarray:
    """The array and others like it: elements scaled a little, inside the domain."""
    if a.dtype.kind == "b":
        return np.stack([a, ~a, a])
    return np.stack([a * np.asarray(1.0 - 0.05 * (i + seed), a.dtype) for i in range(ROWS)])


@pytest.mark.parametrize("name", CASES)
def test_side_by_side_is_row_by_row(name: str) -> None:
    tried = 0
    for sample in [s for s in catalogue.samples(name) if not s.sizes]:
        inputs = [input_node(f"x{i}", TensorType(str(a.dtype), a.shape)) for i, a in enumerate(sample.args)]
        node = make(REGISTRY[name], inputs, **sample.attrs)
        floats = [i for i, a in enumerate(sample.args) if a.dtype.kind == ("b" if name in ("any", "all") else "f")]
        choices = [c for k in (1, 2) for c in itertools.combinations(floats, k)]
        for chosen in choices:
            if name == "lstsq" and 0 in chosen:
                continue
            many = {i: input_node(f"r{i}", TensorType(inputs[i].type.dtype, (ROWS, *inputs[i].shape))) for i in chosen}
            [out] = batched([node], {inputs[i]: m for i, m in many.items()}, ROWS)
            data = {i: rows_of(sample.args[i], i) for i in chosen}
            values = {n["name"]: a for n, a in zip(inputs, sample.args, strict=True)}
            values |= {f"r{i}": d for i, d in data.items()}
            graph = Graph((*inputs, *many.values()), (out,), ("out",))
            with np.errstate(all="ignore"):
                [found] = interpret(graph, values)
                one = [[data[i][k] if i in data else a for i, a in enumerate(sample.args)] for k in range(ROWS)]
                wanted = np.stack([evaluate_node(node, args, {}) for args in one])
            assert out.type == TensorType(node.type.dtype, (ROWS, *node.shape)), f"{sample} {chosen}"
            assert found.dtype == wanted.dtype and found.shape == wanted.shape, f"{sample} {chosen}"
            rtol = 1e-4 if "float32" in {str(a.dtype) for a in sample.args} else 1e-10
            scale = max(1.0, float(np.abs(wanted[np.isfinite(wanted)]).max(initial=0.0)))
            np.testing.assert_allclose(found, wanted, rtol, rtol * scale, err_msg=f"{name} {sample} {chosen}")
            tried += 1
    assert tried >= 10


def test_what_does_not_depend_is_repeated() -> None:
    x, y = (input_node(n, TensorType("float64", (2,))) for n in "xy")
    n = Size.named("n")
    rows = input_node("rows", TensorType("float64", (n, 2)))
    other = make(REGISTRY["exp"], (y,))
    found = batched([other, x], {x: rows}, n)
    assert [str(f.type) for f in found] == ["f64[n, 2]", "f64[n, 2]"]
    assert found[0].op.name == "broadcast_to" and found[0].args[0] is other and found[1] is rows


@pytest.mark.parametrize("name", ["searchsorted", "lstsq", "argmax"])
def test_what_takes_no_rows_is_refused(name: str) -> None:
    sample = next(s for s in catalogue.samples(name) if not s.sizes and s.attrs.get("axis") is None)
    inputs = [input_node(f"x{i}", TensorType(str(a.dtype), a.shape)) for i, a in enumerate(sample.args)]
    node = make(REGISTRY[name], inputs, **sample.attrs)
    rows = input_node("rows", TensorType(inputs[0].type.dtype, (ROWS, *inputs[0].shape)))
    with pytest.raises(UnsupportedError, match=f"`{name}` is not computed for many values at once"):
        batched([node], {inputs[0]: rows}, ROWS)


W = build.whole
INDICES = {
    "x[i]": ((Array(0), W(4), W(5), W(6)), [()]),
    "x[:, i]": ((W(3), Array(0), W(5), W(6)), [()]),
    "x[:, i, j]": ((W(3), Array(0), Array(1), W(6)), [(2,), ()]),
    "x[i, :, j]": ((Array(0), W(4), Array(1), W(6)), [(2,), (3, 1)]),
    "x[:, i, :, j]": ((W(3), Array(0), W(5), Array(1)), [(2,), (2,)]),
    "x[1, i]": ((1, Array(0), W(5), W(6)), [(2,)]),
    "x[i, None, :, 2]": ((Array(0), None, W(4), 2, W(6)), [(3,)]),
    "x[:, 1, :2, i]": ((W(3), 1, Range(0, 2, 1, 2, False), Array(0)), [()]),
    "x[:, None, i]": ((W(3), None, Array(0), W(5), W(6)), [(2, 2)]),
}


@pytest.mark.parametrize("op", ["getitem", "add_at", "set_at"])
@pytest.mark.parametrize("index", INDICES)
def test_each_row_has_an_index_of_its_own(index: str, op: str) -> None:
    entries, shapes = INDICES[index]
    rng = np.random.default_rng(1)
    x = input_node("x", TensorType("float64", (3, 4, 5, 6)))
    places = [input_node(f"i{k}", TensorType("int64", s)) for k, s in enumerate(shapes)]
    value = input_node("v", build.getitem(x, entries, places).type)
    inputs = [x, *places, value]
    args = [x, *places] if op == "getitem" else [x, value, *places]
    node = make(REGISTRY[op], args, index=Index(entries))
    data = {n: rng.integers(0, 3, (ROWS, *n.shape)) for n in places}
    data |= {n: rng.normal(size=(ROWS, *n.shape)) for n in (x, value)}
    for has in itertools.product([False, True], repeat=len(inputs)):
        many = {n: input_node("r" + n["name"], TensorType(n.type.dtype, data[n].shape))
                for n, h in zip(inputs, has, strict=True) if h and n in args}  # fmt: skip
        if not many:
            continue
        [out] = batched([node], many, ROWS)
        graph = Graph(tuple(many.get(n, n) for n in inputs), (out,), ("out",))
        given = {many.get(n, n)["name"]: data[n] if n in many else data[n][0] for n in inputs}
        [found] = interpret(graph, given)
        for k in range(ROWS):
            one = {n["name"]: data[n][k] if n in many else data[n][0] for n in inputs}
            np.testing.assert_array_equal(found[k], interpret(Graph(tuple(inputs), (node,), ("out",)), one)[0])
