"""SymPy in and out: values against SymPy's own evaluation, gradients against its derivatives, refusals."""

import json
import subprocess
import sys
import time
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from loop_programs import A, loop, op
from sympy.abc import a, b, x, y, z

import graphc as gc
from graphc.expr import build
from graphc.expr.looping import close_branch
from graphc.frontends.sympy.functions import maker
from graphc.ir.control import final, result
from graphc.ir.graph import Graph
from graphc.ir.verify import verify

POINT = {"x": 0.625, "y": 1.375, "z": -0.75, "a": 2.25, "b": 0.3125}
v = sp.IndexedBase("v")
i = sp.Symbol("i")
third = sp.Rational(1, 3)

SMOOTH = [
    x + y - z,
    -x - y,
    -(x + 1),
    x * y / (a * b),
    -third * x,
    2 * x / 3 - y / 8,
    x**2 - y**3 + z**-2,
    x**third + x**-third + a ** sp.Rational(-3, 2),
    x**y + a ** (-b) + 2**x,
    sp.sqrt(x) + 1 / sp.sqrt(y),
    sp.pi * x + sp.E * y + sp.GoldenRatio * z,
    sp.exp(-(x**2)) + sp.log(a) + sp.log(a, 2),
    sp.sin(x) * sp.cos(y) * sp.tan(z),
    sp.asin(x) + sp.acos(b) + sp.atan(y),
    sp.sinh(x) + sp.cosh(y) + sp.tanh(z),
    sp.sec(x) + sp.csc(y) + sp.cot(z) + sp.sech(x) + sp.csch(y) + sp.coth(z),
    sp.asec(a) + sp.acsc(a) + sp.acot(a),
    sp.sinc(x),
    1 / (1 + sp.exp(-x)),
    sp.Float("0.1234567890123456789012345", 30) * x,
    sp.Rational(10**400, 10**400 + 1) * x,
    sp.Rational(10**30 + 1, 3 * 10**30) * x,
    x * 0.1 + sp.Integer(2) ** 70 * y * sp.Rational(1, 2**70),
    sp.Abs(sp.Symbol("x", real=True)) ** 3,
    sp.Sum(i**2 * x**i, (i, 1, 5)),
    sp.Product(x + i, (i, 0, 3)),
]
KINKED = [
    sp.Abs(z) + sp.sign(x) * y,
    sp.floor(a) * x + sp.ceiling(a) * y,
    sp.Max(x, y, z) * sp.Min(a, b, x),
    sp.Piecewise((x**2, x > 1), (y, sp.And(y > 1, sp.Not(z > 0))), (z, True)),
    sp.Piecewise((x * y, sp.Or(x > 1, sp.Ne(y, 0))), (z, sp.Eq(x, 0))),
    sp.Piecewise((x, sp.Xor(x > 0, y > 0)), (a, sp.ITE(x > 0, y > 0, z > 0)), (b, True)),
    sp.Heaviside(x) * y + sp.Heaviside(z, 0) * a,
]


def names(expr):
    return sorted(s.name for s in expr.free_symbols)


def exact(expr):
    """SymPy's value at the point, to 30 digits, as a float."""
    at = {s: sp.Float(POINT[s.name], 40) for s in expr.free_symbols}
    return float(expr.doit().subs(at).evalf(30))


@pytest.mark.parametrize("expr", [*SMOOTH, *KINKED], ids=str)
def test_value(expr):
    graph = verify(gc.from_sympy(expr))
    assert list(graph.input_names) == names(expr)
    value = gc.compile(graph)(**{n: POINT[n] for n in graph.input_names})
    assert value == pytest.approx(exact(expr), rel=4e-15, abs=1e-15)


@pytest.mark.parametrize("expr", SMOOTH, ids=str)
def test_gradient_is_sympys(expr):
    module = gc.compile(expr)
    gradient = module.grad(**{n: POINT[n] for n in names(expr)})
    for symbol in sorted(expr.free_symbols, key=lambda s: s.name):
        slope = sp.diff(expr.doit(), symbol)
        assert getattr(gradient, symbol.name) == pytest.approx(exact(slope), rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("expr", KINKED, ids=str)
def test_gradient_is_the_numeric_one(expr):
    report = gc.check_grads(gc.compile(expr), {n: POINT[n] for n in names(expr)})
    assert len(report.rows) == len(names(expr))


SPECIAL = [
    sp.atan2(y, x),
    sp.asinh(x),
    sp.acosh(a),
    sp.atanh(b),
    sp.asech(x),
    sp.acsch(x),
    sp.acoth(a),
    sp.Mod(a, x),
    sp.erf(x),
    sp.erfc(x),
    sp.gamma(a),
    sp.loggamma(a),
    sp.digamma(a),
    sp.polygamma(1, a),
]


@pytest.mark.parametrize("expr", SPECIAL, ids=str)
def test_functions_that_the_language_may_have(expr):
    """Right if it has them, and refused by name if not."""
    if maker(type(expr).__name__) is None:
        with pytest.raises(gc.UnsupportedError, match=type(expr).__name__):
            gc.from_sympy(expr)
        return
    module = gc.compile(expr)
    point = {n: POINT[n] for n in names(expr)}
    assert module(**point) == pytest.approx(exact(expr), rel=4e-15)
    assert len(gc.check_grads(module, point).rows) == len(point)


def test_an_empty_sum_is_zero_and_an_empty_product_one():
    empty = gc.from_sympy([sp.Sum(x * i, (i, 2, 1)) + y, sp.Product(x * i, (i, 2, 1)) + y])
    assert gc.compile(empty)(y=4.0) == (4.0, 5.0)


@pytest.mark.parametrize(("expr", "value"), [
    (sp.Heaviside(x), {-2.0: 0.0, 0.0: 0.5, 3.0: 1.0}),
    (sp.Heaviside(x, 1), {-2.0: 0.0, 0.0: 1.0, 3.0: 1.0}),
    (sp.sinc(x), {0.0: 1.0}),
    (sp.Piecewise((x, x > 0)), {2.0: 2.0, -1.0: float("nan")}),
    (sp.Max(x, 0), {-1.0: 0.0, 2.0: 2.0}),
])  # fmt: skip
def test_special_points(expr, value):
    module = gc.compile(expr)
    for at, wanted in value.items():
        np.testing.assert_equal(module(x=at), wanted)
    assert module.grad(x=0.0).x in (0.0, 0.5)


def test_relations_and_booleans():
    flags = gc.from_sympy([x > y, x >= y, x < y, x <= y, sp.Eq(x, y), sp.Ne(x, y), sp.And(x > 0, y > 0), sp.true])
    assert gc.compile(flags)(x=1.0, y=2.0) == (False, False, True, True, False, True, True, True)


def test_code_is_what_one_would_write():
    graph = gc.from_sympy(y - x + sp.Rational(2, 3) * x * z / sp.sqrt(y) - 1)
    ops = [n.op.name for n in graph.nodes if n.args]
    assert "negative" not in ops and ops.count("divide") == 1


def test_minus_one_is_no_factor():
    assert [n.op.name for n in gc.from_sympy(-x * y).nodes] == ["input", "input", "multiply", "negative"]


# --- inputs and outputs ---


def test_declared_inputs_keep_their_order_and_types():
    graph = gc.from_sympy(x * y, {"y": "f32", "unused": "n", "x": "f32"})
    assert graph.input_names == ("y", "unused", "x")
    assert graph.outputs[0].type.dtype == "float32"


def test_symbols_may_be_arrays():
    module = gc.compile(sp.exp(-x) * y, {"x": "n", "y": ()})
    got = module(x=np.array([0.0, 1.0]), y=2.0)
    np.testing.assert_allclose(got, 2.0 * np.exp([0.0, -1.0]), rtol=1e-15)


@pytest.mark.parametrize("kind", [sp.Matrix, sp.ImmutableMatrix, sp.SparseMatrix, sp.Array])
def test_matrix(kind):
    module = gc.compile(kind([[x, 1], [2, x * y]]))
    np.testing.assert_array_equal(module(x=3.0, y=4.0), [[3.0, 1.0], [2.0, 12.0]])
    saved = module.forward(x=3.0, y=4.0)[1]
    assert module.backward(saved, np.array([[1.0, 5.0], [7.0, 10.0]])) == (1.0 + 10.0 * 4.0, 30.0)


def test_array_of_three_axes():
    cube = sp.Array(range(24), (2, 3, 4)) * x
    np.testing.assert_array_equal(gc.compile(cube)(x=1.0), np.arange(24.0).reshape(2, 3, 4))


def test_jacobian_of_a_matrix():
    functions = sp.Matrix([x**2 * y, sp.sin(x)])
    both = gc.compile(gc.from_sympy([functions, functions.jacobian([x, y])]))
    value, jacobian = both(x=2.0, y=3.0)
    np.testing.assert_allclose(value, [[12.0], [np.sin(2.0)]], rtol=1e-15)
    np.testing.assert_allclose(jacobian, [[12.0, 4.0], [np.cos(2.0), 0.0]], rtol=1e-15)


def test_several_outputs():
    graph = gc.from_sympy((x * y, x + y, 3))
    assert graph.output_names == ("out1", "out2", "out3")
    assert gc.compile(graph)(x=2.0, y=5.0) == (10.0, 7.0, 3.0)


def test_an_input_may_be_called_out():
    graph = gc.from_sympy(sp.Symbol("out") * 2)
    assert graph.output_names == ("out_",)
    assert gc.compile(graph).value_and_grad(out=3.0) == (6.0, (2.0,))


@pytest.mark.parametrize(("expr", "type"), [
    (v[0] * v[2], "f64[3]"),
    (v[1, 0] + v[0, 4], "f64[2, 5]"),
    (sp.IndexedBase("v", shape=(7,))[2], "f64[7]"),
    (sp.MatrixSymbol("v", 2, 3)[0, 1], "f64[2, 3]"),
    (sp.Sum(v[i] ** 2, (i, 0, 3)), "f64[4]"),
])  # fmt: skip
def test_elements_are_read_from_one_array(expr, type):
    graph = gc.from_sympy(expr)
    assert [(n["name"], str(n.type)) for n in graph.inputs] == [("v", type)]
    array = np.arange(1.0, 1.0 + np.prod(graph.inputs[0].shape)).reshape(graph.inputs[0].shape)
    assert gc.check_grads(gc.compile(graph), {"v": array}).rows[0].agrees


def test_elements_of_a_declared_array():
    module = gc.compile(v[0] * v[1], {"v": (4,)})
    assert module(v=np.array([2.0, 3.0, 4.0, 5.0])) == 6.0


# --- size ---


def test_a_hundred_thousand_terms():
    symbols = sp.symbols("x:100")
    terms = [sp.Mul(sp.Integer(k + 2), symbols[k % 100], evaluate=False) for k in range(100_000)]
    expr = sp.Add(*terms, evaluate=False)
    started = time.perf_counter()
    graph = gc.from_sympy(expr)
    assert time.perf_counter() - started < 20.0
    assert sum(n.op.name == "add" for n in graph.nodes) == 99_999


def test_shared_subexpressions_are_read_once():
    expr = x
    for _ in range(200):
        expr = sp.Add(expr, sp.sin(expr), evaluate=False)  # 2**200 paths
    assert len(gc.from_sympy(expr).nodes) == 401


# --- refusals ---


def deep():
    return reduce(lambda e, _: sp.sin(e, evaluate=False), range(5000), x)


HOSTILE = {
    "sym-string": lambda: "x + 1",
    "sym-newline-name": lambda: sp.Symbol("x\nimport os") + 1,
    "sym-space-name": lambda: sp.Symbol("x y") + 1,
    "sym-kw-name": lambda: sp.Symbol("lambda") + 1,
    "sym-dup-dummy": lambda: sp.Dummy("x") + 2 * sp.Dummy("x"),
    "sym-dup-assume": lambda: sp.Symbol("x", real=True) + 2 * sp.Symbol("x", positive=True),
    "sym-undef-func": lambda: sp.Function("f")(x),
    "sym-derivative": lambda: sp.Derivative(sp.sin(x), x),
    "sym-integral": lambda: sp.Integral(sp.sin(x), x),
    "sym-huge-int": lambda: x * sp.Integer(10) ** 400,
    "sym-huge-rational": lambda: x * sp.Rational(10**400, 10**400 + 1),
    "sym-deep-nest": deep,
    "sym-matrix": lambda: sp.Matrix([[x, 1], [2, x]]),
}
CASES = [c for c in json.loads((Path(__file__).parents[1] / "data/hostile_inputs.json").read_text())
         if c["target"] == "sympy"]  # fmt: skip


def test_every_hostile_case_is_built():
    assert sorted(HOSTILE) == sorted(c["id"] for c in CASES)


@pytest.mark.parametrize("case", CASES, ids=[c["id"] for c in CASES])
def test_hostile(case):
    expr = HOSTILE[case["id"]]()
    started = time.perf_counter()
    try:
        gc.from_sympy(expr)
        outcome = "accept"
    except gc.GraphcError as error:
        outcome = "error"
        assert error.kind == case["kind"]
        assert len(str(error)) < 2000
    assert outcome in (case["expect"], *case.get("also_ok", ()))
    assert time.perf_counter() - started < case.get("max_seconds", 2)


@pytest.mark.parametrize(("expr", "code", "text"), [
    (sp.I * x, "G030", "`I`"),
    (sp.oo * sp.Symbol("p", positive=True), "G004", "`oo`"),
    (sp.Add(x, sp.zoo, evaluate=False), "G004", "`zoo`"),
    (sp.nan, "G004", "`nan`"),
    (sp.Float("1e400") * x, "G004", "beyond"),
    (sp.Function("f")(x, y), "G011", "`f(x, y)`"),
    (sp.zeta(x), "G040", "`zeta(x)`"),
    (sp.Sum(x**i, (i, 0, a)), "G040", "number of terms"),
    (sp.Sum(x**i, (i, 0, 10**9)), "G003", "terms"),
    (sp.Sum(x**i, (i, 5, 0)), "G040", "backwards"),
    (sp.Limit(x, x, 0), "G040", "not evaluated"),
    (v[i], "G040", "`v[i]`"),
    (v[-1], "G022", "`v[-1]`"),
    (v[0] + v[0, 1], "G022", "`v`"),
    (v[0] + sp.Symbol("v"), "G014", "`v`"),
    (sp.Symbol("_x"), "G012", "`_x`"),
    (sp.Symbol("exp"), "G012", "`exp`"),
    (sp.Symbol("α"), "G013", "name"),
    (sp.MatrixSymbol("A", 2, 2), "G040", "MatrixSymbol"),
    (sp.MatrixSymbol("A", 2, 2) * sp.MatrixSymbol("B", 2, 2), "G040", "MatMul"),
    (sp.Interval(0, 1), "G040", "Interval"),
    ([], "G042", "output"),
    (None, "G040", "NoneType"),
    (sp.And(sp.Symbol("p"), x > 0), "G030", "boolean"),
], ids=str)  # fmt: skip
def test_refusals(expr, code, text):
    with pytest.raises(gc.GraphcError) as caught:
        gc.from_sympy(expr)
    assert caught.value.code == code
    assert text in str(caught.value)


@pytest.mark.parametrize(("inputs", "code"), [
    ({"x": ()}, "G010"),
    ({"x": (), "y": "n n n", "z": "n", "1y": ()}, "G013"),
    ({"x": "complex128", "y": ()}, "G030"),
])  # fmt: skip
def test_refused_inputs(inputs, code):
    with pytest.raises(gc.GraphcError) as caught:
        gc.from_sympy(x * y, inputs)
    assert caught.value.code == code


def test_an_index_outside_the_declared_array():
    with pytest.raises(gc.ShapeError, match="outside"):
        gc.from_sympy(v[5], {"v": (3,)})
    with pytest.raises(gc.ShapeError, match="size `n`"):
        gc.from_sympy(v[5], {"v": "n"})


def test_messages_are_bounded():
    huge = sp.Function("f")(sp.Add(*sp.symbols("x:5000")))
    with pytest.raises(gc.UnknownNameError) as caught:
        gc.from_sympy(huge)
    assert str(caught.value) == "error[G011]: `f(...)`: the function is not defined"


def test_nothing_is_evaluated(monkeypatch):
    def forbidden(*args, **kwargs):
        raise AssertionError("called")

    for name in ("sympify", "lambdify", "parse_expr"):
        monkeypatch.setattr(sp, name, forbidden)
    gc.from_sympy(sp.sin(x) * y).to_sympy()


# --- and back ---

TEXTS = [
    "x + y - z * 2",
    "x / (y + 3) - 0.1 * z",
    "exp(-x) * log(a) + sqrt(y)",
    "where(x > 0, abs(x) * y, sign(x) / 3)",
    "maximum(x, y)**2 - minimum(x, 0.25) - relu(z) * clip(y, -1, 1)",
    "sigmoid(-x) + softplus(y) + tanh(z) + log1p(a) + expm1(b)",
    "(x > y) * x + (x < y) * z",
    "where((x > 0) & ~(y > 2), floor(a), ceil(b))",
    "arctan(x) + arcsin(b) + arccos(b) + sinh(x) + cosh(y)",
    "sin(x) * cos(y) + tan(z)",
    "x**2 + 1 / y + square(z)",
]


@pytest.mark.parametrize("text", TEXTS)
def test_there_and_back(text):
    for graph in (gc.parse(text), gc.simplify(gc.parse(text))):
        expr = graph.to_sympy()
        again = gc.from_sympy(expr)
        point = {n: POINT[n] for n in graph.input_names}
        known = {n: POINT[n] for n in again.input_names}
        assert gc.compile(again)(**known) == pytest.approx(gc.compile(graph)(**point), rel=1e-15)


def test_gradients_leave_as_expressions():
    gradient = gc.gradient(gc.parse("x**2 * sin(y)"))
    dx, dy = gradient.to_sympy()
    p, q, d = (sp.Symbol(n, real=True) for n in ("x", "y", "dout"))
    assert sp.simplify(dx - 2 * d * p * sp.sin(q)) == 0
    assert sp.simplify(dy - d * p**2 * sp.cos(q)) == 0


def test_constants_are_exact():
    numbers = [0.1, 1 / 3, 2.0**60, 1e-300, 12345.678, 0.375]
    for number in numbers:
        assert float(gc.parse(f"x * {number!r}").to_sympy().args[0]) == number
    assert gc.parse("x * 0.375").to_sympy().args[0] == sp.Rational(3, 8)


def test_deep_graphs_leave_and_come_back():
    graph = gc.from_sympy(deep())
    assert str(gc.from_sympy(graph.to_sympy())) == str(graph)


def test_long_sums_leave_in_one_piece():
    graph = gc.parse(" + ".join(f"{k}.5 * x{k % 7}" for k in range(2000)))
    assert len(graph.to_sympy().args) == 7


@pytest.mark.parametrize("text", ["X: f64[n]\nreturn sum(X)", "X: f64[n]\nreturn X * 2", "rint(x)"])
def test_what_has_no_expression(text):
    with pytest.raises(gc.UnsupportedError):
        gc.parse(text).to_sympy()


def test_sympy_is_loaded_only_where_it_is_used():
    code = "import sys, graphc; graphc.from_sympy; graphc.compile('x * y'); print('sympy' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.stdout == "False\n"


# --- loops and branches ---


def scalar_graph(node):
    return verify(Graph((A,), (node,), ("y",)))


def test_a_branch_is_piecewise():
    inner = close_branch(op("less", A, 3.0), [op("sin", A)], [op("exp", A)])
    outer = close_branch(op("greater", A, 0.0), [build.multiply(result(inner, 0), 2.0)], [op("square", A)])
    symbol = sp.Symbol("A", real=True)
    found = scalar_graph(result(outer, 0)).to_sympy()
    wanted = {-2.0: 4.0, 2.0: 2 * np.sin(2.0), 4.0: 2 * np.exp(4.0)}
    for value, expected in wanted.items():
        assert float(found.subs(symbol, value)) == pytest.approx(expected, rel=1e-14)
        assert gc.compile(gc.from_sympy(found))(value) == pytest.approx(expected, rel=1e-14)


def test_a_loop_is_refused():
    node = loop(lambda x: ((build.multiply(x, 0.5),), ()), A, count=10)
    with pytest.raises(gc.UnsupportedError, match="a loop has no formula in SymPy"):
        scalar_graph(final(node, 0)).to_sympy()
