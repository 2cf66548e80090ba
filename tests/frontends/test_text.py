"""The text language: what parses, what graph it gives, and that its values are NumPy's."""

import subprocess
import sys

import numpy as np
import pytest

from graphc.errors import GraphcError
from graphc.expr.functions import ATTRIBUTES, FUNCTIONS, METHODS
from graphc.frontends.text import check_name, decode_model, input_type, parse, read_model
from graphc.ir.dims import Size
from graphc.ir.interpret import interpret
from graphc.ir.listing import write_listing
from graphc.ir.types import TensorType
from graphc.ir.verify import verify

N, D = Size.named("n"), Size.named("d")

LOGISTIC = """\
# logistic.gc
X: f64[n, d]
w: f64[d]
b: f64
y: f64[n]

z = X @ w + b
loss = mean(softplus(z) - y * z)
return loss                      # without it, the last assignment is the output
"""


def value(text, **inputs):
    """The value of a text for these inputs."""
    arrays = {k: np.asarray(v) for k, v in inputs.items()}
    (result,) = interpret(verify(parse(text, arrays)), arrays)
    return result


def test_the_model_of_the_design():
    graph = parse(LOGISTIC, title="logistic.gc", model_file=True)
    assert (
        write_listing(graph)
        == """\
graph "logistic.gc" (X: f64[n, d], w: f64[d], b: f64[], y: f64[n]) -> (loss: loss) {
  %0: f64[n] = matmul(X, w)
  z: f64[n] = add(%0, b)
  %2: f64[n] = softplus(z)
  %3: f64[n] = multiply(y, z)
  %4: f64[n] = subtract(%2, %3)
  loss: f64[] = mean(%4; axes=(0,), keepdims=False)
}
"""
    )
    origins = {graph.names.get(n, n.op.name): str(s) for n, s in graph.origin.items()}
    assert origins["z"] == origins["matmul"] == "logistic.gc:7:1"
    assert origins["loss"] == origins["softplus"] == "logistic.gc:8:1"
    span = graph.origin[graph.outputs[0]]
    assert span.source.text[span.start : span.end] == "loss = mean(softplus(z) - y * z)"


X = np.arange(12.0).reshape(3, 4) / 7 - 0.5
V = np.array([0.3, -1.2, 2.5, 0.7])
ROWS = np.array([2, 0, 1])
NUMPY = [
    "x + 2 * v - 1",
    "-x**2",
    "2**-x",
    "x / v",
    "(x > 0) & (x < 1)",
    "~(x > 0) | (x == v)",
    "np.where(x > 0, x, 0.01 * x)",
    "np.sum(x, axis=0)",
    "np.sum(x, axis=(0, 1), keepdims=True)",
    "np.mean(x, 1)",
    "np.var(x, axis=1, ddof=1, keepdims=True)",
    "np.std(x)",
    "np.prod(x, axis=-1)",
    "np.max(x, axis=0) - np.min(x)",
    "x @ v",
    "np.dot(x, v)",
    "x.T @ x",
    "np.outer(v, v)",
    "np.inner(x, x)",
    "np.inner(v, x)",
    "np.vdot(x, x)",
    "x.T",
    "np.transpose(x, (1, 0))",
    "np.swapaxes(x, 0, 1)",
    "np.moveaxis(x[None], 0, -1)",
    "x.reshape(4, 3)",
    "np.reshape(x, (2, -1))",
    "x.reshape(-1)",
    "x.ravel()",
    "x.flatten()",
    "np.broadcast_to(v, (3, 4))",
    "np.expand_dims(v, 0)",
    "np.expand_dims(v, (0, 2))",
    "np.squeeze(x[:1])",
    "np.concatenate((x, x), axis=1)",
    "np.concatenate([x, x], axis=None)",
    "np.stack((v, v), axis=1)",
    "np.stack([v, 2 * v])",
    "np.vstack((v, x))",
    "np.hstack((v, v))",
    "np.hstack((x, x))",
    "x[0]",
    "x[-1]",
    "x[1:, ::2]",
    "x[::-1]",
    "x[:, -2]",
    "x[..., 0]",
    "x[:, None] * v",
    "x[np.newaxis, 0]",
    "x[5:1]",
    "x[-2:]",
    "x[2:0:-1]",
    "x[i]",
    "x[i, i]",
    "x[[2, 0]]",
    "x[:, i]",
    "x[i][:, [1, 1]]",
    "x[(0, 1)]",
    "np.take(x, i, axis=0)",
    "np.take(x, [5, 7])",
    "np.eye(4)[i]",
    "np.arange(4) + v",
    "np.arange(2, 6) * v",
    "np.zeros((2, 3)) + 1",
    "np.ones(4) * v",
    "np.full((2,), 3.5)",
    "np.zeros_like(x)",
    "np.ones_like(v)",
    "np.full_like(x, 2)",
    "np.identity(4) @ v",
    "np.eye(3, 4) * x",
    "np.clip(x, -0.2, 0.4)",
    "np.clip(x, 0.0, None)",
    "np.clip(x, None, v)",
    "np.round(x, 1)",
    "np.rint(x) + np.floor(x) + np.ceil(x)",
    "np.log2(x + 1)",
    "np.log10(x + 1)",
    "np.exp2(x)",
    "np.logaddexp(x, v)",
    "np.abs(x) + np.fabs(v)",
    "np.sign(x)",
    "np.sqrt(x * x)",
    "np.square(x)",
    "np.reciprocal(v)",
    "np.exp(x) + np.expm1(x) + np.log1p(x)",
    "np.sin(x) * np.cos(v) - np.tan(x)",
    "np.arcsin(x / 3) + np.arccos(x / 3) + np.arctan(x)",
    "np.asin(x / 3) + np.acos(x / 3) + np.atan(x)",
    "np.sinh(x) + np.cosh(x) + np.tanh(x)",
    "np.maximum(x, v) - np.minimum(x, 0)",
    "np.power(v, 2)",
    "np.pow(v, 3)",
    "np.add(x, 1) - np.subtract(x, v)",
    "np.multiply(x, v) / np.true_divide(x + 2, 3)",
    "np.negative(x)",
    "np.less(x, v)",
    "np.greater_equal(x, 0)",
    "np.not_equal(x, v)",
    "np.logical_xor(x > 0, v > 0)",
    "np.logical_not(x > 0)",
    "x.sum(axis=0)",
    "x.mean()",
    "x.max(axis=1)",
    "x.std(axis=0)",
    "x.dot(v)",
    "x.transpose(1, 0)",
    "x.clip(0, 1)",
    "x.astype(np.float32)",
    "x.astype(np.int64)",
    "x.round()",
    "(x.size + x.ndim) * v",
    "x.shape[0] * x",
    "i / 2",
    "i + 1",
    "i * 0.5",
    "np.sum(i)",
    "np.mean(i)",
    "np.sum(x > 0)",
    "np.sum(v[0])",
    "np.max(v[1])",
    "np.var(v[0])",
    "np.dot(x[0, 0], v)",
    "np.dot(np.stack((x, x)), np.stack((x.T, x.T)))",
    "np.array([v[0], 1.0, 2])",
    "np.pi * v",
    "1 - 1e-3 + .5 + 1. + 0x10 + 1_000 + v",
    "v * 10000000000000000000000",
]


@pytest.mark.parametrize("text", NUMPY)
def test_values_are_numpys(text):
    """The language is NumPy's: with and without the prefix, value, shape and dtype."""
    inputs = {"x": X, "v": V, "i": ROWS}
    expected = np.asarray(eval(text, {"np": np}, inputs))
    for spelling in (text, text.replace("np.", "").replace("newaxis", "None")):
        got = value(spelling, **inputs)
        assert got.shape == expected.shape
        assert got.dtype == expected.dtype
        np.testing.assert_allclose(got, expected, rtol=1e-14, atol=1e-15)


# What a symbolic graph refuses, because it hangs on the numbers: the text and the code.
NEEDS_NUMBERS = {"x.reshape(4, 3)": "G021", "np.reshape(x, (2, -1))": "G021"}


@pytest.mark.parametrize("text", [t for t in NUMPY if "[" in t or "reshape" in t or "sum" in t])
def test_named_sizes_give_the_same(text):
    """The same texts with symbolic sizes, where they do not need the numbers."""
    known = {"x": X, "v": V, "i": ROWS}
    if text in NEEDS_NUMBERS:
        with pytest.raises(GraphcError) as caught:
            parse(text, {"x": "n d", "v": "d", "i": "int n"})
        assert caught.value.code == NEEDS_NUMBERS[text]
        return
    (got,) = interpret(parse(text, {"x": "n d", "v": "d", "i": "int n"}), known)
    np.testing.assert_allclose(got, eval(text, {"np": np}, known), rtol=1e-14, atol=1e-15)


# --- names, outputs, inputs ---


def test_a_line_without_declarations_has_scalar_inputs_in_order():
    graph = parse("b * sin(a) + b / zeta")
    assert graph.input_names == ("b", "a", "zeta")
    assert {n.type for n in graph.inputs} == {TensorType("float64", ())}
    assert graph.output_names == ("out",)
    assert parse("f = x * y").output_names == ("f",)
    assert parse("h = x * y\nh + float").input_names == ("x", "y", "float")


def test_outputs_and_their_names():
    text = "a = x + 1\nb = a * 2\nreturn b, a, x * 3, x - 1"
    assert parse(text).output_names == ("b", "a", "out", "out1")
    assert parse("a = x + 1\na * 2").output_names == ("out",)
    assert parse("out = x + 1\nreturn out, x").output_names == ("out", "x")
    assert parse("x, y").output_names == ("x", "y")
    (number,) = interpret(parse("return 3"), {})
    assert number.dtype == np.float64 and number == 3.0


def test_rebinding_keeps_both_nodes():
    graph = parse("x: f64[n]\nh = tanh(x)\nh = tanh(h)\nreturn h")
    assert [graph.names.get(n) for n in graph.nodes] == [None, "h", "h"]


def test_e_is_a_number_unless_it_is_the_users():
    assert value("e * x", x=2.0) == 2 * np.e
    graph = parse("e: f64\nreturn e * 2")
    assert graph.input_names == ("e",)


ORDINARY = [
    "type",
    "id",
    "print",
    "float",
    "int",
    "object",
    "dict",
    "set",
    "range",
    "zip",
    "map",
    "next",
    "forward",
    "cache",
    "grad",
    "shape",
    "dtype",
    "axis",
    "eps",
    "zero",
    "inputs",
    "args",
    "kwargs",
    "dout",
    "y",
    "X",
    "zeta",
    "saved",
    "math",
    "n",
    "T",
    "size",
    "e",
]


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_names_are_the_users(name):
    assert check_name(name) == name
    graph = parse(f"{name}: f64\nreturn {name} * 2.0 + 1.0", model_file=True)
    assert interpret(graph, {name: 3.0})[0] == 7.0
    assert parse(f"{name} * 2.0 + 1.0", {name: "f64"}).input_names == (name,)


def test_definitions():
    text = "def sq(a): return a * a\ndef norm2(a, b=b): return a"
    with pytest.raises(GraphcError, match="definition"):
        parse(text)
    text = "def sq(a): return a * a\ndef f(a, b): return sq(a) + sq(b)[0] - 1\nf(x, b=v)"
    assert value(text, x=3.0, v=V) == 8.0 + V[0] ** 2


def test_definitions_that_double_stay_small():
    """60 definitions, each calling the one before twice: 2**60 paths, 61 nodes."""
    lines = ["def f0(a): return a + 1"]
    lines += [f"def f{i}(a): return f{i - 1}(a) + f{i - 1}(a)" for i in range(1, 60)]
    assert len(parse("\n".join([*lines, "f59(x)"])).nodes) < 200
    deep = [f"def f{i}(a): return f{i - 1}(a) + 1" for i in range(1, 400)]
    with pytest.raises(GraphcError) as caught:
        parse("\n".join([lines[0], *deep, "f399(x)"]))
    assert caught.value.code == "G003"
    wide = [f"def f{i}(a): return f{i - 1}(a) * f{i - 1}(a + {i})" for i in range(1, 40)]
    with pytest.raises(GraphcError) as caught:
        parse("\n".join([lines[0], *wide, "f39(x)"]))
    assert caught.value.code == "G003"


# --- sizes ---


def test_sizes_are_numbers_that_do_not_widen():
    for text in (
        "sum(x) / n",
        "sum(x) * (1 / n)",
        "x / sqrt(n)",
        "x * n - 2 * n",
        "x * maximum(n, 1)",
        "x / x.shape[0]",
    ):
        graph = parse("x: f32[n]\n" + text)
        assert graph.outputs[0].type.dtype == "float32", text
        assert interpret(graph, {"x": np.ones(4)})[0].dtype == np.float32
    (mean,) = interpret(parse("x: f64[n]\nsum(x) / n"), {"x": V})
    assert mean == V.sum() / 4


def test_sizes_in_shapes():
    def shape(text):
        return parse("X: f64[n, d]\ny: i64[n]\n" + text).outputs[0].shape

    assert shape("zeros((n, 2 * d + 1))") == (N, 2 * D + 1)
    assert shape("reshape(X, (d, -1))") == (D, N)
    assert shape("reshape(X, (n * d,))") == shape("X.ravel()") == shape("ones(X.size)") == (N * D,)
    assert shape("eye(d)[y]") == (N, D)
    assert shape("arange(n) * 1.0") == (N,)
    assert shape("broadcast_to(X[0], (n, d))") == (N, D)
    assert shape("X[1:, ::2]") == (N - 1, (D + 1) // 2)
    assert shape("X[: n // 2]") == (N // 2, D)
    assert shape("X[arange(n), y]") == (N,)
    assert shape("concatenate((X, X), axis=1)") == (N, 2 * D)
    assert parse("x: f64[2*h + 1, (a + 3) // 2]\nreturn x").outputs[0].shape == (
        2 * Size.named("h") + 1,
        (Size.named("a") + 3) // 2,
    )


@pytest.mark.parametrize(
    ("spec", "type"),
    [
        ("n d", TensorType("float64", (N, D))),
        ("n, d", TensorType("float64", (N, D))),
        ("n,d,", TensorType("float64", (N, D))),
        ("[n, d]", TensorType("float64", (N, D))),
        ("f32[d]", TensorType("float32", (D,))),
        ("float32[3]", TensorType("float32", (3,))),
        ("int n", TensorType("int64", (N,))),
        ("f64", TensorType("float64", ())),
        ("bool", TensorType("bool", ())),
        ("f64[]", TensorType("float64", ())),
        ("n", TensorType("float64", (N,))),
        ("2*n+1 3", TensorType("float64", (2 * N + 1, 3))),
        ("n//2", TensorType("float64", (N // 2,))),
        ("()", TensorType("float64", ())),
        ("(3,)", TensorType("float64", (3,))),
        ((3, 4), TensorType("float64", (3, 4))),
        (("n", "d"), TensorType("float64", (N, D))),
        ((), TensorType("float64", ())),
        ([3, "d"], TensorType("float64", (3, D))),
        (TensorType("int32", (N,)), TensorType("int32", (N,))),
        (np.zeros((2, 3), "float32"), TensorType("float32", (2, 3))),
        (np.float32(1), TensorType("float32", ())),
        (np.zeros(2, ">f8"), TensorType("float64", (2,))),
        (1.5, TensorType("float64", ())),
        (2, TensorType("int64", ())),
        (True, TensorType("bool", ())),
    ],
)
def test_input_types(spec, type):
    assert input_type("x", spec) == type


# --- the frame ---


def test_layout_of_the_text():
    one = write_listing(parse("x: f64\ny = (x +\n  1) \\\n * 2 # c"))
    assert one == write_listing(parse("\ufeff\n  x: f64\r\n\r\n\ty = (x+1)*2\r\n"))


def test_files(tmp_path):
    path = tmp_path / "m.gc"
    path.write_bytes(b"\xef\xbb\xbfx: f64\r\nreturn x\r\n")
    assert parse(read_model(path), model_file=True).input_names == ("x",)
    assert decode_model(b"x") == "x"
    for bad, code in ((tmp_path, "G060"), (tmp_path / "none", "G060"), ("a\0b", "G060")):
        with pytest.raises(GraphcError) as caught:
            read_model(bad)
        assert caught.value.code == code


def test_size_of_the_text():
    assert len(parse("x" + "+x" * 100_000).nodes) == 100_001
    assert len(parse("(" * 100_000 + "x" + ")" * 100_000).nodes) == 1
    assert len(parse("sin(" * 50_000 + "x" + ")" * 50_000).nodes) == 50_001
    assert len(parse("-" * 50_000 + "x").nodes) == 50_001
    assert len(parse("x" + "**x" * 50_000).nodes) == 50_001


def test_lark_is_loaded_at_the_first_parse():
    code = (
        "import sys, graphc.frontends.text as t; assert 'lark' not in sys.modules; "
        "t.parse('x'); assert 'lark' in sys.modules and 'sympy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_table_of_functions():
    for name, function in FUNCTIONS.items():
        assert function.name == name
        assert function.doc and function.section
        assert function.signature.startswith(name + "(")
        assert function.required <= function.positional <= len(function.parameters)
    assert set(METHODS) <= set(FUNCTIONS)
    assert set(ATTRIBUTES) == {"T", "mT", "shape", "ndim", "size"}
