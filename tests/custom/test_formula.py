"""User-defined elementwise ops: values, slopes of every order, the code, and what is refused."""

import pickle
import subprocess
import sys

import mpmath
import numpy as np
import pytest
import sympy as sp
from around import Traced, model, total
from sympy.abc import x, y

import graphc as gc
from graphc.ir.interpret import interpret
from graphc.ir.listing import parse_listing
from graphc.ir.node import Node
from graphc.ir.verify import verify
from graphc.ops import REGISTRY

MISH = x * sp.tanh(sp.log(1 + sp.exp(x)))
HUBER = sp.Piecewise((x**2 / 2, sp.Abs(x) < y), (y * (sp.Abs(x) - y / 2), True))
FORMULAS = {
    "mish": MISH,
    "gauss": sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi),
    "swish": x / (1 + sp.exp(-x)),
    "lisht": x * sp.tanh(x),
    "rosen": (1 - x) ** 2 + 100 * (y - x**2) ** 2,
    "huber": HUBER,
    "hinge": sp.Max(0, 1 - x * y),
    "sawtooth": x - sp.floor(x),
    "late": sp.log(x - 10),
    "affine": 3 * x - 2,
    "ratio": sp.sin(x) * y / (1 + y**2),
}
POINTS = np.array([-3.7, -0.61, 0.23, 1.37, 2.9])


def by_difference(expr, symbol, at):
    """The derivative of the formula by mpmath, which knows nothing of graphc."""
    function = sp.lambdify(symbol, expr.subs(at), "mpmath")
    return float(mpmath.diff(function, mpmath.mpf(at_of(symbol, at))))


def at_of(symbol, at):
    return at["_" + symbol.name]


@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_first_two_derivatives(name):
    expr = FORMULAS[name]
    op = gc.elementwise(name, expr)
    symbols = sorted(expr.free_symbols, key=lambda s: s.name)
    points = POINTS + 14.0 if name == "late" else POINTS
    graph = model(lambda *args: total(op(*args)), **{s.name: "f64[n]" for s in symbols})
    values = {s.name: points + 0.4 * i for i, s in enumerate(symbols)}
    value, gradient = gc.compile(verify(graph)).value_and_grad(**values)
    exact = [expr.subs({s: sp.Float(values[s.name][k], 30) for s in symbols}).evalf(30) for k in range(len(points))]
    assert value == pytest.approx(float(sum(exact)), rel=1e-13)
    assert float(interpret(graph, values)[0]) == pytest.approx(value, rel=1e-14)
    for s in symbols:
        for k in range(len(points)):
            others = {t: sp.Float(values[t.name][k], 30) for t in symbols if t is not s}
            slope = by_difference(expr, s, {**others, "_" + s.name: values[s.name][k]})
            assert getattr(gradient, s.name)[k] == pytest.approx(slope, rel=1e-9, abs=1e-9)
    second = gc.compile(gc.gradient(graph))
    assert gc.check_grads(second, {**values, "dout": 1.3}, wrt=[s.name for s in symbols], tolerance=1e-5).rows


def test_the_slopes_of_slopes_go_on():
    third = gc.elementwise("mish", MISH).slope(0).slope(0).slope(0)
    assert third.name == "mish_slope3"
    exact = sp.diff(MISH, x, 3)
    for at in POINTS:
        assert third(at) == pytest.approx(float(exact.subs(x, sp.Float(at, 40)).evalf(30)), rel=1e-11)


def test_the_naive_formula_is_stable():
    """log(1 + exp(x)) overflows at 710; the op does not, nor does its slope."""
    mish = gc.elementwise("mish", MISH)
    assert mish(np.array([-1000.0, 1000.0])).tolist() == [-0.0, 1000.0]
    assert mish.slope(0)(np.array([-1000.0, 1000.0])).tolist() == [0.0, 1.0]


def test_the_code_has_a_named_function():
    mish = gc.elementwise("mish", MISH)
    source = gc.compile(model(lambda a: total(mish(a)), a="f64[n]")).source
    assert "out = float(_mish(a).sum())" in source and "da = dout * _mish_slope(a)" in source
    assert (
        '''def _mish(x: Array) -> Array:
    """x*tanh(log(exp(x) + 1))."""
    y: Array = x * np.tanh(_softplus(x))
    return y
'''
        in source
    )
    assert (
        '''def _mish_slope(x: Array) -> Array:
    """The slope of mish."""
    tanh = np.tanh(_softplus(x))
    y: Array = x * (1.0 - tanh**2) * _sigmoid(x) + tanh
    return y
'''
        in source
    )


def test_scalar_models_stay_on_math():
    mish = gc.elementwise("mish", MISH)
    module = gc.compile(model(mish, t="f64"))
    assert "import numpy" not in module.source and "def _mish(x: float) -> float:" in module.source
    value, gradient = module.value_and_grad(t=0.7)
    assert (value, gradient.t) == pytest.approx((float(mish(0.7)), float(mish.slope(0)(0.7))), rel=1e-15)


@pytest.mark.parametrize("name", FORMULAS)
def test_single_precision_stays(name):
    op = gc.elementwise(name, FORMULAS[name])
    arrays = [np.linspace(12.0, 14.0, 4, dtype=np.float32)] * len(op.args)
    assert op(*arrays).dtype == np.float32
    module = gc.compile(model(lambda *a: total(op(*a)), **dict.fromkeys(op.args, "f32[n]")))
    gradient = module.grad(**dict(zip(op.args, arrays, strict=True)))
    assert {g.dtype for g in gradient} == {np.dtype(np.float32)}


def test_arguments_broadcast():
    ratio = gc.elementwise("ratio", FORMULAS["ratio"])
    module = gc.compile(model(lambda a, b: total(ratio(a, b)), a="f64[n, d]", b="f64[d]"))
    report = gc.check_grads(module, {"a": POINTS.reshape(5, 1) + np.arange(3.0), "b": np.array([0.3, -0.7, 1.9])})
    assert [row.name for row in report.rows] == ["a", "b"]


def test_order_of_arguments():
    difference = x - 2 * y
    assert gc.elementwise("diff2", difference)(5.0, 1.0) == 3.0
    assert gc.elementwise("diff2", difference, args=(y, x))(5.0, 1.0) == -9.0
    assert gc.elementwise("diff2", difference, args=["x", "y", "z"])(5.0, 1.0, 100.0) == 3.0


def test_integers_become_floats():
    half = gc.elementwise("half", x / 2)
    np.testing.assert_array_equal(half([1, 2, 3]), [0.5, 1.0, 1.5])
    assert str(model(half, k="i64[n]").outputs[0].type) == "f64[n]"


def test_traced_values_are_wrapped():
    half = gc.elementwise("half", x / 2)
    node = model(half, k="f64[n]").inputs[0]
    result = half(Traced(node))
    assert type(result) is Traced and result.__graphc_node__ is half(node)
    assert isinstance(half(node), Node)


def test_arrays_beside_nodes_are_constants():
    ratio = gc.elementwise("ratio", FORMULAS["ratio"])
    module = gc.compile(model(lambda a: total(ratio(a, np.array([1.0, 2.0]))), a="f64[2]"))
    point = np.array([0.3, 0.4])
    assert module(a=point) == pytest.approx(float(ratio(point, np.array([1.0, 2.0])).sum()), rel=1e-15)


def test_in_numpy_code():
    """Traced, with the slopes of any order from `gc.grad`."""
    mish = gc.elementwise("mish", MISH)

    def f(t):
        return mish(t) * t

    exact = sp.diff(MISH * x, x, 2).subs(x, sp.Float(0.3, 40)).evalf(30)
    assert f(0.3) == pytest.approx(float((MISH * x).subs(x, sp.Float(0.3, 40)).evalf(30)), rel=1e-15)
    assert gc.grad(gc.grad(f))(0.3) == pytest.approx(float(exact), rel=1e-13)


# --- identity ---


def test_one_definition_is_one_op():
    assert gc.elementwise("half", x / 2) is gc.elementwise("half", x / 2)
    assert gc.elementwise("half", x / 2) is not gc.elementwise("half", x / 4)


def test_another_definition_is_another_op():
    """Nodes of two ops of one name are two nodes, and do not fit into one file."""
    first, second = gc.elementwise("scale", 2 * x), gc.elementwise("scale", 3 * x)
    graph = model(lambda a: first(a), a="f64")
    other = model(lambda a: second(a), a="f64")
    assert (gc.compile(graph)(a=1.0), gc.compile(other)(a=1.0)) == (2.0, 3.0)
    a = graph.inputs[0]
    assert first(a) is not second(a) and second(a).op is second.op
    with pytest.raises(gc.UnknownNameError, match="`scale`"):
        gc.compile(model(lambda a: first(second(a)), a="f64"))


def test_graphs_pickle():
    graph = model(lambda a: total(gc.elementwise("mish", MISH)(a)), a="f64[n]")
    assert pickle.loads(pickle.dumps(graph)).outputs[0] is graph.outputs[0]
    slope = gc.compile(graph).gradient
    assert pickle.loads(pickle.dumps(slope)).outputs[0] is slope.outputs[0]


def test_graphs_pickle_into_another_process():
    graph = model(lambda a: total(gc.elementwise("mish", MISH)(a)), a="f64[n]")
    code = "import pickle, sys, graphc, numpy as np\ng = pickle.load(sys.stdin.buffer)\n" \
           "print(graphc.compile(g).grad(a=np.array([0.5])).a.item())"  # fmt: skip
    result = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(graph), capture_output=True, timeout=120)
    assert float(result.stdout) == float(gc.elementwise("mish", MISH).slope(0)(0.5))


def test_listings_are_read_back():
    mish = gc.elementwise("mish", MISH)
    graph = gc.compile(model(lambda a: total(mish(a)), a="f64[n]")).gradient
    assert sorted(mish.ops) == ["mish", "mish_slope"]
    assert str(parse_listing(str(graph), {**REGISTRY, **mish.ops})) == str(graph)


def test_the_file_stands_alone(tmp_path):
    module = gc.compile(model(lambda a: total(gc.elementwise("mish", MISH)(a)), a="f64[n]"))
    module.save(tmp_path / "alone.py")
    code = "import sys, numpy as np, alone\nprint(alone.value_and_grad(np.array([0.5, -1.0]))[1].a.tolist())\n" \
           "print(sorted(m for m in sys.modules if m in ('graphc', 'sympy')))"  # fmt: skip
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.stdout == f"{module.grad(a=np.array([0.5, -1.0])).a.tolist()}\n[]\n"


def test_the_file_is_formatted_and_typed(tmp_path):
    for name in ("mish", "huber", "sawtooth"):
        op = gc.elementwise(name, FORMULAS[name])
        for type in ("f64[n]", "f32[n]"):
            graph = model(lambda *args, op=op: total(op(*args)), **dict.fromkeys(op.args, type))
            gc.compile(graph).save(tmp_path / f"{name}_{type[:3]}.py")
    files = sorted(map(str, tmp_path.glob("*.py")))
    for tool in (["black", "--check", "-q"], ["mypy", "--strict", "--config-file=", "--cache-dir=/dev/null"]):
        result = subprocess.run([sys.executable, "-m", *tool, *files], capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, result.stdout + result.stderr


# --- refusals ---


@pytest.mark.parametrize(("name", "expr", "args", "code"), [
    ("exp", x**2, None, "G012"),
    ("erf2 ", x**2, None, "G013"),
    ("sum", x**2, None, "G012"),
    ("check", x**2, None, "G012"),
    ("print", x**2, None, "G012"),
    ("_f", x**2, None, "G012"),
    ("f", "x**2", None, "G040"),
    ("f", sp.Integer(3), None, "G020"),
    ("f", x + y, (x,), "G020"),
    ("f", x + y, (x, y, x), "G020"),
    ("f", x > y, None, "G040"),
    ("f", sp.Matrix([x]), None, "G040"),
    ("f", sp.zeta(x), None, "G040"),
    ("f", sp.sqrt(-1 - x**2), None, "G040"),
    ("f", sp.Function("g")(x), None, "G011"),
])  # fmt: skip
def test_refusals(name, expr, args, code):
    with pytest.raises(gc.GraphcError) as caught:
        gc.elementwise(name, expr, args)
    assert caught.value.code == code


def test_a_wrong_slope_is_found(monkeypatch):
    """The check at the definition can fail."""
    from graphc.custom import formula as room

    right = room.partial
    monkeypatch.setattr(room, "partial", lambda graph, name: right(right(graph, name), name))
    with pytest.raises(gc.GradientMismatch, match="`wrong1_slope`"):
        gc.elementwise("wrong1", sp.sin(x) * x)
