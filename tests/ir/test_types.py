"""Dtypes promote and shapes broadcast as in NumPy; sizes of inputs are found."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from graphc.errors import DtypeError, ShapeError
from graphc.ir.dims import Size
from graphc.ir.sizes import bind_sizes, size_sources
from graphc.ir.types import SHORT, TensorType, broadcast, dtype_named, promote, show_shape

N, M, H = (Size.named(s) for s in "nmh")
SHAPES = [(), (1,), (3,), (0,), (1, 3), (2, 1), (2, 3), (2, 1, 3), (1, 1), (4, 2, 3), (0, 3)]


@pytest.mark.parametrize(("a", "b"), list(itertools.product(SHORT, SHORT)))
def test_promotion_is_that_of_numpy(a: str, b: str) -> None:
    assert promote(a, b) == promote(b, a) == str(np.result_type(a, b))


@pytest.mark.parametrize("dtypes", list(itertools.product(SHORT, repeat=3)))
def test_promotion_of_three_is_that_of_two_and_one(dtypes: tuple[str, str, str]) -> None:
    a, b, c = dtypes
    assert promote(promote(a, b), c) == str(np.result_type(np.result_type(a, b), c))


@pytest.mark.parametrize(("a", "b"), list(itertools.product(SHAPES, SHAPES)))
def test_broadcasting_is_that_of_numpy(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        wanted = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ShapeError) as caught:
            broadcast(a, b)
        assert caught.value.code == "G021"
        return
    assert broadcast(a, b) == wanted


@pytest.mark.parametrize(
    ("shapes", "wanted"),
    [
        (((N,), (N,)), (N,)),
        (((N, 1), (M,)), (N, M)),
        (((N, M), ()), (N, M)),
        (((1, 1), (N, 2 * M)), (N, 2 * M)),
        (((N + M,), (M + N,)), (N + M,)),
        ((), ()),
    ],
)
def test_named_sizes_broadcast(shapes: tuple[tuple[object, ...], ...], wanted: tuple[object, ...]) -> None:
    assert broadcast(*shapes) == wanted


@pytest.mark.parametrize(("a", "b"), [((N,), (M,)), ((N,), (3,)), ((N,), (N + 1,)), ((N, 2), (N, 3))])
def test_different_sizes_do_not_broadcast(a: tuple[object, ...], b: tuple[object, ...]) -> None:
    with pytest.raises(ShapeError, match="do not match"):
        broadcast(a, b)


def test_printing() -> None:
    assert str(TensorType("float64", (N, 3))) == "f64[n, 3]"
    assert [show_shape(s) for s in ((), (N,), (N, 3))] == ["()", "(n,)", "(n, 3)"]
    assert [dtype_named(s) for s in ("f32", "float32", "i64", "bool")] == ["float32", "float32", "int64", "bool"]
    with pytest.raises(DtypeError, match="float16"):
        dtype_named("float16")


def test_sizes_come_from_axes() -> None:
    types = [("w", TensorType("float64", (2 * H + 1,))), ("x", TensorType("float64", (N, H)))]
    assert [tuple(s) for s in size_sources(types)] == [("h", "x", 1, 1, 0), ("n", "x", 0, 1, 0)]
    assert bind_sizes(types, {"w": (7,), "x": (5, 3)}) == {"h": 3, "n": 5}
    only = [("w", TensorType("float64", (2 * H + 1,)))]
    assert bind_sizes(only, {"w": (7,)}) == {"h": 3}


@pytest.mark.parametrize(
    ("shape", "given"), [((2 * H,), (7,)), ((N, N), (2, 3)), ((N,), (2, 2)), ((3,), (4,)), ((), (1,))]
)
def test_shapes_that_do_not_fit(shape: tuple[object, ...], given: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError) as caught:
        bind_sizes([("x", TensorType("float64", shape))], {"x": given})
    assert caught.value.code == "G021"


def test_a_size_that_no_axis_gives() -> None:
    with pytest.raises(ShapeError) as caught:
        size_sources([("x", TensorType("float64", (N * M,)))])
    assert caught.value.code == "G024"
