"""Writing at an index against NumPy: values, gradients, second derivatives, and what the generated code does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.expr import build
from graphc.expr.subscript import accumulate, assign, subscript
from graphc.ir.graph import Graph
from graphc.ir.leaf import const_node, input_node
from graphc.ir.node import Node
from graphc.ir.types import TensorType

RNG = np.random.default_rng(11)
I = np.array([2, 0, 2])  # noqa: E741
S = slice


def node(name: str, array: np.ndarray) -> Node:
    return input_node(name, TensorType(str(array.dtype), array.shape))


def loss_of(out: Node, inputs: Sequence[Node]) -> gc.Graph:
    curved = build.multiply(out, build.apply("sin", out))
    return Graph(tuple(inputs), (build.reduce("sum", curved, tuple(range(out.type.rank))),), ("loss",))


# (shape of the base, index, shape of the value)
WRITES: list[tuple[tuple[int, ...], tuple[Any, ...], tuple[int, ...]]] = [
    ((4,), (1,), ()),
    ((4,), (S(-1, None),), (1, 1)),
    ((4,), (S(1, 3),), (2,)),
    ((4,), (S(None, None, -1),), (4,)),
    ((4,), (S(None),), ()),
    ((4,), (S(2, 2),), ()),
    ((3, 4), (1,), (4,)),
    ((3, 4), (S(None), 1), (3,)),
    ((3, 4), (S(1, None), S(None, None, 2)), (2,)),
    ((3, 4), (..., None), (1,)),
    ((3, 4), (I,), (3, 4)),
    ((3, 4), (I,), (4,)),
    ((3, 4), (I, S(None, 2)), ()),
    ((3, 4), (I, I), (3,)),
    ((3, 4), (S(None), I), (3, 1)),
    ((3, 4), (I[:, None], np.array([1, 3])), (3, 2)),
    ((2, 3, 4), (0, S(None), I), (3, 3)),
]


@pytest.mark.parametrize("write", [assign, accumulate])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("shape", "index", "value"), WRITES)
def test_writing(write: Any, dtype: str, shape: Any, index: Any, value: Any) -> None:
    x, v = RNG.normal(size=shape).astype(dtype), RNG.normal(size=value).astype(dtype)
    items = [const_node(i, "int64") if isinstance(i, np.ndarray) else i for i in index]
    args = node("x", x), node("v", v)
    out = write(args[0], items, args[1])
    wanted = x.copy()
    if write is assign:
        wanted[index] = v
    else:
        np.add.at(wanted, index, np.broadcast_to(v.squeeze(), wanted[index].shape) if v.size == 1 else v)
    found = gc.compile(Graph(args, (out,), ("out",)))(x, v)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, wanted)
    if dtype == "float64":
        loss = loss_of(out, args)
        gc.check_grads(gc.compile(loss), {"x": x, "v": v}, tolerance=1e-7)
        slopes = gc.gradient(loss, ["x", "v"])
        total = [build.reduce("sum", build.apply("sin", d), tuple(range(d.type.rank))) for d in slopes.outputs]
        again = Graph(slopes.inputs, (build.add(*total),), ("again",))
        gc.check_grads(gc.compile(again, wrt=("x", "v")), {"x": x, "v": v, "dloss": 1.0}, tolerance=1e-6)


def test_where_an_index_repeats_only_the_last_write_has_a_gradient() -> None:
    x, v, i = node("x", np.zeros(4)), node("v", np.zeros(4)), node("i", np.zeros(4, dtype=np.int64))
    module = gc.compile(loss_of(assign(x, (i,), v), (x, v, i)), wrt=("x", "v"))
    inputs = {"x": np.arange(4.0), "v": np.arange(4.0) + 0.5, "i": np.array([1, -1, 1, 3])}
    gc.check_grads(module, inputs, tolerance=1e-7)
    assert module.grad(**inputs).v[:2].tolist() == [0.0, 0.0]


def test_a_filled_array_is_written_in_place() -> None:
    u = node("u", np.zeros(4))
    out = build.zeros((9,))
    for k in range(0, 8, 2):
        out = assign(out, (k,), build.apply("sin", subscript(u, (k // 2,))))
    source = gc.compile(Graph((u,), (out,), ("out",)), wrt=("u",)).source
    body = source.partition("def backward")[0]
    assert body.count("np.zeros(") == 1 and ".copy()" not in body
    assert "    out[2] = np.sin(u[1])\n" in body


def test_a_loop_that_fills_an_array_leaves_no_array() -> None:
    """a[0] = u[0]; a[k] = a[k - 1] * u[k], read back at once and stacked in the end."""
    u = node("u", np.zeros(3))
    a = build.zeros((3,))
    for k in range(3):
        entry = subscript(u, (k,))
        a = assign(a, (k,), build.multiply(subscript(a, (k - 1,)), entry) if k else entry)
    module = gc.compile(Graph((u,), (a,), ("a",)))
    assert "np.zeros(" not in module.source.partition("def backward")[0]
    np.testing.assert_array_equal(module(np.array([2.0, 3.0, 5.0])), [2.0, 6.0, 30.0])


def test_the_input_is_not_written_into() -> None:
    x = node("x", np.zeros(3))
    given = np.arange(3.0)
    found = gc.compile(Graph((x,), (assign(x, (0,), 7.0),), ("out",)))(given)
    assert given.tolist() == [0.0, 1.0, 2.0] and found.tolist() == [7.0, 1.0, 2.0]


def test_a_value_takes_the_dtype_of_the_array() -> None:
    x = node("x", np.zeros(3, dtype=np.float32))
    v = node("v", np.zeros(3))
    assert assign(x, (slice(None),), v).type == x.type
    assert assign(node("k", np.zeros(3, dtype=np.int64)), (0,), 1.5).type.dtype == "int64"


@pytest.mark.parametrize(
    ("items", "value", "code"), [((3,), 1.0, "G022"), ((S(0, 2),), [1.0, 2.0, 3.0], "G021"), ((0, 0), 1.0, "G022")]
)
def test_what_is_refused(items: Any, value: Any, code: str) -> None:
    with pytest.raises(gc.GraphcError) as caught:
        assign(node("x", np.zeros(3)), items, value)
    assert caught.value.code == code
