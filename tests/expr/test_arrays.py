"""Shapes, joining, splitting, selecting and windows against NumPy: values, dtypes, gradients, second derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import agree

import graphc as gc
from graphc.expr import build
from graphc.expr.functions import FUNCTIONS
from graphc.ir.graph import Graph
from graphc.ir.leaf import input_node
from graphc.ir.types import TensorType

RNG = np.random.default_rng(7)
V = RNG.permutation(np.linspace(-1.5, 2.0, 5))
W = RNG.permutation(np.linspace(-1.0, 1.0, 5))
M = RNG.permutation(np.linspace(-1.5, 2.0, 12)).reshape(3, 4)
L = RNG.permutation(np.linspace(-1.5, 1.0, 12)).reshape(3, 4)
Q = RNG.permutation(np.linspace(-1.5, 2.0, 9)).reshape(3, 3)
T = RNG.permutation(np.linspace(-1.5, 2.0, 24)).reshape(2, 3, 4)
S = np.array(0.7)
SLIDE = np.lib.stride_tricks.sliding_window_view

# Texts that are Python and the language alike: evaluated with NumPy's functions they are the reference.
ONE = {
    "V": ["flip(x)", "roll(x, 2)", "roll(x, -7)", "repeat(x, 3)", "repeat(x, [1, 0, 2, 1, 3])", "tile(x, 2)",
          "tile(x, (2, 3))", "tile(x, ())", "pad(x, 2)", "pad(x, (1, 0))", "pad(x, ((0, 3),))",
          "diag(x)", "diag(x, 1)", "diag(x, -2)", "diagflat(x)", "tril(x)", "x[3:0:-1]", "x[3::-2]", "x[-2:1:-1]",
          "x[[True, False, True, True, False]]", "sliding_window_view(x, 2)", "atleast_2d(x)", "atleast_3d(x)",
          "atleast_1d(x)", "column_stack((x, x))", "dstack((x, 2 * x))", "append(x, x[:2])", "insert(x, 1, 7.0)",
          "insert(x, -1, [7.0, 8.0])", "insert(x, [1, 3], 5.0)", "insert(x, [3, 1], [5.0, 6.0])",
          "insert(x, [1, 1], [5.0, 6.0])", "delete(x, 0)", "delete(x, -1)", "delete(x, [1, 3])",
          "resize(x, (3, 4))", "resize(x, 3)", "compress([True, False, True], x)",
          "linspace(x[0], x[1], 4)", "linspace(x, 2 * x, 3)", "linspace(x, 1, 4, endpoint=False)",
          "linspace(x, 1, 4, axis=-1)", "geomspace(exp(x[0]), exp(x[1]), 4)", "logspace(x[0], x[1], 3)",
          "concatenate((x, x), axis=None)", "concat((x, x))"],
    "M": ["flip(x)", "flip(x, 1)", "flip(x, (0, 1))", "flipud(x)", "fliplr(x)", "rot90(x)", "rot90(x, 2)",
          "rot90(x, -1)", "rot90(x, 1, (1, 0))", "roll(x, 1)", "roll(x, 1, axis=1)", "roll(x, (1, -1), axis=(0, 1))",
          "roll(x, 1, axis=(0, 1))", "repeat(x, 2)", "repeat(x, 2, axis=1)", "repeat(x, [1, 2, 0], axis=0)",
          "tile(x, (1, 2))", "tile(x, (2, 1, 3))", "pad(x, 1)", "pad(x, ((1, 2), (0, 1)))", "diag(x)", "diag(x, 1)",
          "diag(x, -1)", "diagonal(x, 2)", "diagonal(x, axis1=1, axis2=0)", "trace(x)", "trace(x, 1)", "tril(x)",
          "triu(x, 1)", "tril(x, -1)", "x[2:0:-1, 1]", "x[::-1, ::2]", "x[[True, False, True]]",
          "x[arange(3) > 0, 1]", "x[tril_indices(3)]", "x[triu_indices(3, 1, 4)]", "x[diag_indices(3)]",
          "x[ix_([2, 0], [1, 1, 3])]", "sliding_window_view(x, (2, 2))", "sliding_window_view(x, 2, axis=1)",
          "append(x, x)", "append(x, x, axis=1)", "insert(x, 1, 7.0, axis=1)", "insert(x, 1, [1.0, 2.0, 3.0], axis=1)",
          "insert(x, 2, [1.0, 2.0, 3.0, 4.0], axis=0)", "insert(x, [0, 2], 9.0, axis=1)", "delete(x, 1, axis=0)",
          "delete(x, [0, -1], axis=1)", "delete(x, 2)", "split(x, 3)", "split(x, 2, axis=1)", "split(x, [1, 3], 1)",
          "array_split(x, 2)", "array_split(x, 3, axis=1)", "hsplit(x, 2)", "vsplit(x, 3)", "unstack(x, axis=1)",
          "rollaxis(x, 1)", "resize(x, (2, 4))", "fill_diagonal(x, 9.0)", "compress([False, True, True], x, axis=0)",
          "extract([True, False, True], x)", "select([x < 0, x > 1], [x * x, sin(x)], 0.5)",
          "choose([0, 1, 0, 1], (x, 2 * x))",
          "take_along_axis(x, argsort(x, axis=1), 1)", "take_along_axis(x, argsort(x, axis=0), 0)",
          "take_along_axis(x, [[1], [0], [2]], 1)", "take_along_axis(x, [3, 3, 5], None)",
          "put_along_axis(x, [[1], [0], [2]], 9.0, 1)", "block([[x, 2 * x], [3 * x, x]])", "block([x, x])",
          "row_stack((x, x))", "broadcast_arrays(x, x[0])", "meshgrid(x[0], x[:, 0])",
          "meshgrid(x[0], x[:, 0], sparse=True)", "permute_dims(x, (1, 0))"],
    "T": ["flip(x, 1)", "rot90(x, 1, (1, 2))", "roll(x, 2, axis=1)", "repeat(x, 2, axis=1)", "tile(x, 2)",
          "pad(x, ((0, 0), (1, 1), (2, 0)))", "diagonal(x)", "diagonal(x, 1, 1, 2)", "trace(x, 0, 1, 2)", "tril(x, 1)",
          "sliding_window_view(x, (2, 3), axis=(1, 2))", "sliding_window_view(x, 2, axis=0)", "dsplit(x, 2)",
          "rollaxis(x, 2)", "rollaxis(x, 0, 3)", "insert(x, 1, 5.0, axis=2)", "insert(x, 1, ones((2, 3)), axis=2)",
          "x[:, [True, False, True]]", "delete(x, 1, axis=1)", "block([[x], [x]])", "atleast_3d(x)"],
    "S": ["atleast_1d(x)", "atleast_2d(x)", "atleast_3d(x)", "repeat(x, 3)", "tile(x, 3)",
          "append(x, x)", "column_stack((x, x))", "flip(x)", "linspace(0, x, 3)", "full((2, 3), x)"],
}  # fmt: skip
ARRAYS = {"V": V, "M": M, "T": T, "S": S}
SYMBOLIC_TOO = {"flip", "roll", "tile", "pad", "sliding_window_view", "rot90", "append", "stack", "atleast_2d"}
CASES = [(name, text) for name, texts in ONE.items() for text in texts]


# Keywords that are strings, which a text cannot give.
STRINGS = [
    ("take(x, [7, -3, 1], mode='wrap')", V),
    ("take(x, [7, -3, 1], mode='clip')", V),
    ("take(x, [0, 1, 5], axis=1, mode='clip')", M),
    ("choose([5, -1, 0, 1], (x, 2 * x), mode='clip')", M),
    ("choose([5, -1, 0, 1], (x, 2 * x), mode='wrap')", M),
    ("meshgrid(x, 2 * x, indexing='ij')", V),
    ("reshape(x, (2, 6), order='F')", M),
    ("reshape(x, -1, order='F')", M),
    ("reshape(x, (4, -1), order='F')", T),
    ("ravel(x, order='F')", T),
    ("ravel(x, order='C')", T),
    *(
        (f"pad(x, {widths}, mode={mode!r})", x)
        for mode in ("constant", "edge", "reflect", "symmetric", "wrap", "linear_ramp")
        for widths, x in [("2", V), ("(3, 0)", V), ("((1, 2), (0, 1))", M), ("((0, 0), (2, 1), (1, 1))", T)]
    ),
    *((f"pad(x, (9, 7), mode={mode!r})", V) for mode in ("reflect", "symmetric", "wrap")),
    ("pad(x, 2, mode='constant', constant_values=3.0)", M),
    ("pad(x, 1, mode='constant', constant_values=((1.0, 2.0), (3.0, 4.0)))", M),
    ("pad(x, 3, mode='linear_ramp', end_values=(2.0, -1.0))", V),
]


class Names(dict):
    """The functions of the language by name, or NumPy's; those that write into an argument return the new array."""

    def __missing__(self, name):
        if "language" in self:
            return FUNCTIONS[name].call
        return WRITTEN_OTHERWISE.get(name) or getattr(np, name)


def _filled(x, value):
    x = x.copy()
    np.fill_diagonal(x, value)
    return x


def _put(x, indices, values, axis):
    x = x.copy()
    np.put_along_axis(x, np.asarray(indices), values, axis)
    return x


WRITTEN_OTHERWISE = {
    "sliding_window_view": SLIDE,
    "row_stack": np.vstack,
    "fill_diagonal": _filled,
    "put_along_axis": _put,
    "take_along_axis": lambda x, i, axis: np.take_along_axis(x, np.asarray(i), axis),
}


@pytest.mark.parametrize(("name", "text"), CASES)
def test_as_numpy(name, text):
    x = ARRAYS[name]

    def reference(x):
        found = eval(text, {}, Names(x=x))
        return tuple(found) if isinstance(found, list) else found

    parts = reference(x)
    if not isinstance(parts, tuple):
        name = text.partition("(")[0]
        agree(text, reference, x=x, named=name in SYMBOLIC_TOO, single=name != "geomspace")  # NumPy's widens float32
        return
    for k in range(len(parts)):
        agree(f"({text})[{k}]", lambda x, k=k: reference(x)[k], x=x, named=False)


@pytest.mark.parametrize(("text", "x"), STRINGS)
def test_keywords_that_are_strings(text, x):
    node = input_node("x", TensorType("float64", x.shape))
    call = text.replace("2 * x", "multiply(2, x)")
    found = eval(call, {}, Names(x=node, language=True))
    outputs = found if isinstance(found, tuple) else (found,)
    wanted = eval(text, {}, Names(x=x))
    for one, other in zip(outputs, wanted if isinstance(found, tuple) else (wanted,), strict=True):
        got = gc.compile(Graph((node,), (one,), ("out",)))(x)
        np.testing.assert_allclose(got, other, 1e-14, 1e-15, strict=True)
        curved = build.reduce("sum", build.multiply(one, build.apply("sin", one)), tuple(range(one.type.rank)))
        gc.check_grads(gc.compile(Graph((node,), (curved,), ("loss",))), {"x": x}, tolerance=1e-7)


def test_piecewise():
    node = input_node("x", TensorType("float64", (5,)))
    call = FUNCTIONS["piecewise"].call
    low, high = (build.apply(op, node, 0.5) for op in ("less", "greater"))
    found = call(node, [low, high], [lambda x: build.apply("sin", x), 2.0, lambda x: build.multiply(x, x)])
    module = gc.compile(Graph((node,), (found,), ("out",)))
    wanted = np.piecewise(V, [V < 0.5, V > 0.5], [np.sin, 2.0, lambda x: x * x])
    np.testing.assert_array_equal(module(V), wanted)
    np.testing.assert_allclose(module.backward(module.forward(V)[1], np.ones(5)).x, np.where(V < 0.5, np.cos(V), 0.0))


@pytest.mark.parametrize(
    "text",
    ["linspace(0, 1, 5)", "linspace(2, 3, 4, False)", "linspace(1, 1, 1)", "logspace(0, 2, 3)", "geomspace(1, 8, 4)",
     "geomspace(-1, -8, 4)", "arange(0, 1, 0.1)", "arange(5, 1, -2)", "arange(2, 9, 3)", "arange(1.5)", "eye(3, 4, 1)",
     "eye(3, k=-1)", "tri(3)", "tri(3, 4, 1)", "indices((2, 3))", "meshgrid(arange(2), arange(3))[1]",
     "nonzero([0, 3, 0, 2])[0]", "flatnonzero([[0, 3], [0, 2]])", "argwhere([[0, 3], [0, 2]])", "zeros((2, 3))",
     "ravel_multi_index(([0, 1], [2, 2]), (3, 4))", "unravel_index([5, 7], (3, 4))[0]", "identity(2)",
     "arange(3) * 1.0", "full((2,), 3)", "tril_indices(3, -1)[0]", "ix_([1, 2], [0])[0]", "diag_indices(2)[1]",
     "linspace(0, 1, 5, retstep=True)[1]"],
)  # fmt: skip
def test_arrays_of_numbers(text):
    found = gc.compile(text, inputs={})()
    wanted = eval(text, {}, Names())
    assert np.asarray(found).dtype == np.asarray(wanted).dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-15, strict=True) if np.ndim(wanted) else None
    assert np.shape(found) == np.shape(wanted) and np.allclose(found, wanted, rtol=1e-15, atol=0.0)


# (text, reference) over named sizes: x is n5, m is (n3, n4).
NAMED = [
    ("arange(1, x.shape[0], 2)", lambda x: np.arange(1, len(x), 2)),
    ("arange(x.shape[0], 0, -2)", lambda x: np.arange(len(x), 0, -2)),
    ("linspace(x[0], 3, x.shape[0])", lambda x: np.linspace(x[0], 3, len(x))),
    ("linspace(0, 1, x.shape[0], False)", lambda x: np.linspace(0, 1, len(x), endpoint=False)),
    ("x[x.shape[0] - 2 : 0 : -1]", lambda x: x[3:0:-1]),
    ("x[3:1:-1]", lambda x: x[3:1:-1]),
    ("x[3::-2]", lambda x: x[3::-2]),
    ("x[-2 : 0 : -2]", lambda x: x[-2:0:-2]),
    ("diag(x)", np.diag),
    ("diagonal(x * x[1:, None])", lambda x: np.diagonal(x * x[1:, None])),
    ("trace(x[:, None] * x[:3])", lambda x: np.trace(x[:, None] * x[:3])),
    ("diag(x, -1)", lambda x: np.diag(x, -1)),
    ("trace(x * x[:, None])", lambda x: np.trace(x * x[:, None])),
    ("diagonal(x * x[:, None], -1)", lambda x: np.diagonal(x * x[:, None], -1)),
    ("repeat(x, 2)", lambda x: np.repeat(x, 2)),
    ("tile(x, (x.shape[0], 2))", lambda x: np.tile(x, (5, 2))),
    ("pad(x, (x.shape[0], 1))", lambda x: np.pad(x, (5, 1))),
    ("roll(x, x.shape[0] - 2)", lambda x: np.roll(x, 3)),
    ("split(x, 5)[4]", lambda x: np.split(x, 5)[4]),
    ("split(x, [2, x.shape[0] - 1])[1]", lambda x: np.split(x, [2, 4])[1]),
    ("delete(x, 1)", lambda x: np.delete(x, 1)),
    ("insert(x, 2, x[:2])", lambda x: np.insert(x, 2, x[:2])),
    ("sliding_window_view(x, 3) @ x[:3]", lambda x: np.convolve(x, x[2::-1], "valid")),
    ("take_along_axis(x[None], argsort(x)[None], 1)", lambda x: np.sort(x)[None]),
    ("tril(x * x[:, None])", lambda x: np.tril(x * x[:, None])),
    ("eye(x.shape[0], k=1) @ x", lambda x: np.eye(5, k=1) @ x),
]


@pytest.mark.parametrize(("text", "reference"), NAMED)
def test_named_sizes(text, reference):
    agree(text, reference, x=V, single=False, gradients=not text.startswith(("arange", "linspace(0")))


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap", "constant"])
def test_padding_of_a_named_size(mode):
    node = gc.parse("x: f64[n]\nreturn x").outputs[0]
    found = FUNCTIONS["pad"].call(node, (2, 3), mode=mode)
    module = gc.compile(Graph((node,), (found,), ("out",)))
    np.testing.assert_array_equal(module(V), np.pad(V, (2, 3), mode=mode))
    assert "add.at" not in module.source
    if mode == "reflect":
        with pytest.raises(ValueError, match="at least"):
            module(V[:3])


def test_a_size_that_does_not_divide_is_refused_when_it_comes():
    module = gc.compile("split(x, 2)[0] * split(x, 2)[1]", inputs={"x": "n"})
    assert module(np.arange(6.0)).tolist() == [0.0, 4.0, 10.0]
    with pytest.raises(ValueError, match="at least 0"):
        module(np.arange(5.0))


def test_positions_that_go_round():
    agree("x[i % 5]", lambda x, i: np.take(x, i, mode="wrap"), x=V, i=np.array([7, -3, 0]), named=False)
    node, i = input_node("x", TensorType("float64", (5,))), input_node("i", TensorType("int64", (3,)))
    found = FUNCTIONS["take"].call(node, i, mode="wrap")
    module = gc.compile(Graph((node, i), (found,), ("out",)))
    assert module(V, np.array([7, -3, 0])).tolist() == V[[2, 2, 0]].tolist()


def test_two_arrays():
    agree("append(x, z)", np.append, x=V, z=M[0])
    agree("block([[x, z[:, None]], [ones((1, 4)), 3.0]])",
          lambda x, z: np.block([[x, z[:, None]], [np.ones((1, 4)), 3.0]]), x=M, z=V[:3], named=False)  # fmt: skip
    agree("select([x > z, x < 0], [x, z])", lambda x, z: np.select([x > z, x < 0], [x, z]), x=V, z=W)
    agree("put_along_axis(x, i, z, 1)", _put4, x=M, z=L[:, :2], i=np.array([[0, 3], [1, 2], [2, 0]]), named=False)
    agree("take_along_axis(x, i, 1)", lambda x, i: np.take_along_axis(x, i, 1), x=M, i=np.array([[0, 0]] * 3))
    agree("choose(i, (x, z))", lambda i, x, z: np.choose(i, (x, z)), i=np.array([[0, 1, 1, 0]] * 3), x=M, z=L)
    agree("fill_diagonal(x, z)", _filled, x=Q, z=V[:3], named=False)
    agree("linspace(x, z, 4)", lambda x, z: np.linspace(x, z, 4), x=V, z=W)
    agree("meshgrid(x, z)[0]", lambda x, z: np.meshgrid(x, z)[0], x=V, z=M[0])
    agree("where(tril(x) > 0, x, 0)", lambda x: np.where(np.tril(x) > 0, x, 0), x=Q)


def _put4(x, z, i):
    return _put(x, i, z, 1)


def test_convolutions():
    """A convolution through windows, its gradient without a scatter; pooling by reshape and by windows."""
    text = "sum(sliding_window_view(x, (2, 3)) * w, axis=(2, 3))"

    def convolved(x, w):
        return (SLIDE(x, w.shape) * w).sum((2, 3))

    agree(text, convolved, x=M, w=L[:2, :3], named=False)
    source = gc.compile(text, inputs={"x": "n m", "w": (2, 3)}).source
    assert "add.at" not in source and "_overlap_add" in source
    agree("max(reshape(x, (2, 2, 2, 2)), axis=(1, 3))", lambda x: x.reshape(2, 2, 2, 2).max((1, 3)),
          x=np.r_[M, L][:4], named=False)  # fmt: skip
    agree("max(sliding_window_view(x, (2, 2))[::2, ::2], axis=(2, 3))",
          lambda x: SLIDE(x, (2, 2))[::2, ::2].max((2, 3)), x=np.r_[M, L])  # fmt: skip
    agree("mean(reshape(x, (3, 2, 2)), axis=2)", lambda x: x.reshape(3, 2, 2).mean(2), x=M, named=False)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("split(ones(5), 2)", "G021"),
        ("split(x, 0)", "G030"),
        ("array_split(x, 2)", "G040"),
        ("unstack(x)", "G040"),
        ("diag(ones((2, 2, 2)))", "G021"),
        ("x[x > 0]", "G030"),
        ("x[[True, False]]", "G021"),
        ("compress(x[0] > 0, x)", "G040"),
        ("nonzero(x)", "G040"),
        ("tril_indices(x.shape[0])", "G040"),
        ("sliding_window_view(ones(3), 4)", "G021"),
        ("sliding_window_view(x, 2)", "G021"),
        ("roll(x, 0.5)", "G030"),
        ("roll(x, (1, 2, 3), axis=(0, 1))", "G022"),
        ("rot90(x, axes=(0, 0))", "G022"),
        ("repeat(x, -1)", "G023"),
        ("repeat(x, [1, 2], axis=0)", "G021"),
        ("pad(x, (1, 2, 3))", "G021"),
        ("insert(ones(3), 5, 1.0)", "G022"),
        ("delete(ones(3), [7])", "G022"),
        ("take_along_axis(x, [0], 1)", "G021"),
        ("select([x], [x])", "G030"),
        ("select([], [])", "G021"),
        ("ix_([0.5])", "G030"),
        ("arange(0, 1, 0)", "G023"),
        ("arange(0, 1.0, 0)", "G023"),
        ("arange(0, x.shape[0], 0.5)", "G040"),
        ("arange(0, 1, 1e-9)", "G003"),
        ("geomspace(-1, 1, 3)", "G023"),
        ("block([[x], x])", "G021"),
        ("rollaxis(x, 0, 5)", "G022"),
        ("linspace(0, 1, -1)", "G023"),
        ("linspace(x, 1, 3, axis=4)", "G022"),
        ("unravel_index([99], (2, 3))", "G022"),
        ("meshgrid(x, sparse=2)", "G030"),
        ("resize(x, (3,))", "G040"),
        ("fill_diagonal(x[0], 1.0)", "G021"),
    ],
)
def test_what_is_refused(text, code):
    with pytest.raises(gc.GraphcError) as caught:
        gc.parse(text, {"x": "n m"})
    assert caught.value.code == code, caught.value


def test_a_convolution_is_a_product_of_matrices():
    """Channels, a stride, sizes with names: einsum over windows is one product each way, and nothing is scattered."""

    def loss(x, w):
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 2), axis=(2, 3))
        return np.sum(np.sin(np.einsum("bcijkl,ockl->boij", windows[:, :, ::2], w)))

    x, w = RNG.normal(size=(2, 2, 7, 4)), RNG.normal(size=(3, 2, 3, 2))
    module = gc.compile(loss, inputs={"x": x, "w": w})
    gc.check_grads(module, {"x": x, "w": w}, tolerance=1e-7)
    assert module.source.partition("def forward")[2].count("@ ") == 3
    assert "add.at" not in module.source
