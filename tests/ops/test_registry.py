"""Every record of the registry: shapes, values, derivatives, special points, refusals."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
import samples as catalogue
import sympy

from graphc.autodiff import gradient
from graphc.errors import DtypeError, GraphcError, ShapeError
from graphc.expr import build
from graphc.expr.facts import FACTS, interval
from graphc.expr.formula import instantiate, parse_formula
from graphc.ir import control
from graphc.ir.dims import Size, evaluate
from graphc.ir.graph import Graph
from graphc.ir.index import Array, Index, Range
from graphc.ir.interpret import evaluate_node, interpret
from graphc.ir.leaf import INPUT, const_node, input_node, scalar_value
from graphc.ir.node import Node, make
from graphc.ir.op import Op
from graphc.ir.types import TensorType
from graphc.ops import FAMILIES, REGISTRY

Sample = catalogue.Sample

OPS = sorted(n for n, op in REGISTRY.items() if op not in control.OPS)  # those: tests/ir/test_control.py
ELEMENTWISE = sorted(n for n, op in REGISTRY.items() if op.elementwise)
EVALUATED = [n for n in OPS if n != "input"]
DIFFERENTIABLE = [n for n in OPS if REGISTRY[n].adjoint is not None or any(REGISTRY[n].partials or ())]


@cache
def samples(name: str) -> list[Any]:
    return list(catalogue.samples(name))


def names_of(op: Op, count: int) -> list[str]:
    fixed = [a for a in op.args if not a.startswith("*")]
    return fixed + [f"xs{i}" for i in range(count - len(fixed))]


def node_of(op: Op, sample: Any) -> Node:
    args = [
        input_node(n, TensorType(str(a.dtype), a.shape))
        for n, a in zip(names_of(op, len(sample.args)), sample.args, strict=True)
    ]
    return make(op, args, **sample.attrs)


def shown(op: Op, sample: Any) -> str:
    return f"samples({op.name!r}, seed=0): {sample}"


def raw(op: Op, sample: Any, types: Sequence[TensorType]) -> Any:
    """The value of the op's NumPy text, not cast to the type that the record promises."""
    space: dict[str, Any] = {"np": np, "math": math, "Array": Any, "IntArray": Any}
    for helper in op.helpers:
        exec(helper.array, space)
    attrs = dict(sample.attrs)
    for key, value in attrs.items():
        if isinstance(value, Size):
            attrs[key] = evaluate(value, sample.sizes)
        elif isinstance(value, Index):
            attrs[key] = value.resolve(sample.sizes, sample.args[-value.arrays :] if value.arrays else ())
        elif isinstance(value, tuple):
            attrs[key] = tuple(evaluate(v, sample.sizes) for v in value)
    fixed = sum(not a.startswith("*") for a in op.args)
    scope = dict(zip(op.args[:fixed], sample.args[:fixed], strict=True))
    if op.variadic:
        scope[op.args[-1][1:]] = sample.args[fixed:]
    with np.errstate(all="ignore"):
        return eval(op.numpy_text(types, sample.attrs), {**space, **attrs, **scope})


# --- the registry itself ---


def test_every_op_has_samples_and_every_sample_an_op() -> None:
    assert set(catalogue.SAMPLES) == set(OPS)
    assert set(catalogue.REFERENCE) == set(EVALUATED)


def test_families_hold_every_op_once() -> None:
    names = [op.name for family in FAMILIES.values() for op in family]
    assert len(names) == len(set(names)) == len(REGISTRY)


@pytest.mark.parametrize("name", OPS)
def test_enough_samples(name: str) -> None:
    elements = sum(max((a.size for a in s.args), default=1) for s in samples(name))
    assert len(samples(name)) >= 10
    assert name not in ELEMENTWISE or elements >= 40


@pytest.mark.parametrize("name", OPS)
def test_the_record_is_whole(name: str) -> None:
    op = REGISTRY[name]
    assert op.name == name
    assert op.doc.endswith(".") and "\n" not in op.doc
    assert op.cost >= 0.0
    assert op.partials is None or (len(op.partials) == len(op.args) and op.adjoint is None)
    assert op.partials is None or op.elementwise
    assert not op.elementwise or op.scalar is not None or name == "astype"
    assert not op.domain or len(op.domain) == len(op.args)
    assert all(h.name.startswith("_") and (h.array or h.scalar) for h in op.helpers)
    assert op.plain is None or op.plain[0] in FACTS
    for h in op.helpers:
        assert all(f"def {h.name}(" in text for text in (h.array, h.scalar) if text)


# --- shapes, dtypes, values ---

NUMBERS = frozenset({"const", "size"})  # their text is a number, which takes the dtype of what it meets


@pytest.mark.parametrize("name", EVALUATED)
def test_shape_dtype_and_value_are_those_of_numpy(name: str) -> None:
    op = REGISTRY[name]
    for sample in samples(name):
        node = node_of(op, sample)
        with np.errstate(all="ignore"):
            wanted = np.asarray(catalogue.REFERENCE[name](sample))
            found = evaluate_node(node, sample.args, sample.sizes)
        text = found if name in NUMBERS else np.asarray(raw(op, sample, [a.type for a in node.args]))
        promised = tuple(evaluate(d, sample.sizes) for d in node.shape)
        assert promised == wanted.shape == found.shape == text.shape, shown(op, sample)
        assert node.type.dtype == str(wanted.dtype) == str(found.dtype) == str(text.dtype), shown(op, sample)
        rtol = 2e-6 if found.dtype == np.float32 else 4e-15
        atol = 1e-6 if found.dtype == np.float32 else 1e-15
        if name in catalogue.BY_LARGEST:
            atol = 4 * rtol * float(np.abs(wanted).max(initial=0.0))
        np.testing.assert_allclose(found, wanted, rtol, atol, err_msg=shown(op, sample))


@pytest.mark.parametrize("name", EVALUATED)
def test_arguments_are_not_written(name: str) -> None:
    for sample in samples(name):
        before = [a.copy() for a in sample.args]
        with np.errstate(all="ignore"):
            evaluate_node(node_of(REGISTRY[name], sample), sample.args, sample.sizes)
        for a, b in zip(sample.args, before, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "bool"])
def test_an_input_is_what_it_is_given(dtype: str) -> None:
    for sample in samples("input"):
        node = make(INPUT, (), **sample.attrs)
        value = np.ones([int(d) for d in node.shape], node.type.dtype)
        found = interpret(Graph((node,), (node,), ("out",)), {"x": value})[0]
        assert found.dtype == value.dtype and found.shape == value.shape and (found == value).all()


UNNAMED_SIZES = frozenset(
    {
        "cross",
        "reshape",
        "broadcast_to",
        "getitem",
        "add_at",
        "set_at",
        "zeros",
        "ones",
        "arange",
        "eye",
        "input",
        "const",
        "size",
        "fft",
        "irfft",
        "overlap_add",
        "sized",
    }
)


@pytest.mark.parametrize("name", [n for n in OPS if n not in UNNAMED_SIZES])
def test_named_sizes_give_the_same_shape(name: str) -> None:
    op = REGISTRY[name]
    for sample in samples(name):
        sizes = {f"n{d}": d for a in sample.args for d in a.shape if d != 1}
        named = [
            TensorType(str(a.dtype), tuple(d if d == 1 else Size.named(f"n{d}") for d in a.shape)) for a in sample.args
        ]
        found = op.infer(named, sample.attrs)
        wanted = node_of(op, sample).type
        assert found.dtype == wanted.dtype
        assert tuple(evaluate(d, sizes) for d in found.shape) == wanted.shape, shown(op, sample)


@pytest.mark.parametrize("name", [n for n in OPS if REGISTRY[n].range is not None])
def test_values_lie_in_the_range(name: str) -> None:
    op = REGISTRY[name]
    low, high = op.range or (math.nan, math.nan)
    columns = zip(*itertools.product([v for v in SPECIAL if v == v], repeat=len(op.args)), strict=True)
    extreme = Sample(tuple(map(np.array, columns)) if op.elementwise else (), samples(name)[0].attrs)
    if not op.elementwise:
        axes = {"axes": (1,)} if "axes" in op.attrs else {}
        extreme = Sample((np.array([[1e308, -1e308, 0.0, 700.0]]),), {**samples(name)[0].attrs, **axes})
    for sample in [*samples(name), extreme]:
        with np.errstate(all="ignore"):
            value = evaluate_node(node_of(op, sample), sample.args, sample.sizes)
        defined = value[~np.isnan(value)]
        assert (defined >= low).all() and (defined <= high).all(), shown(op, sample)


@pytest.mark.parametrize("name", EVALUATED)
def test_the_interval_of_facts_holds_the_value(name: str) -> None:
    """With nothing known of the arguments, and with arguments that are constants."""
    op = REGISTRY[name]
    for sample in samples(name):
        constants = [const_node(a, str(a.dtype)) for a in sample.args]
        for node in (node_of(op, sample), make(op, constants, **sample.attrs)):
            low, high = interval(node)
            with np.errstate(all="ignore"):
                value = evaluate_node(node, sample.args, sample.sizes).astype(float)
            assert not np.any(value < low) and not np.any(value > high), shown(op, sample)


# --- derivatives ---

MP = {"Max": "lambda *a: max(a)", "Min": "lambda *a: min(a)"}
# nextafter(a, b) is a, up to an ulp, and a mantissa needs an exact floor of a logarithm.
WITH_FORMULAS = [n for n in ELEMENTWISE if n not in ("nextafter", "mantissa")]
PARTIALS = [(n, i) for n in WITH_FORMULAS for i, p in enumerate(REGISTRY[n].partials or ()) if p is not None]
# A condition is not a number: both values are tried instead.
CONDITIONS = {"where": [{"c": sympy.true}, {"c": sympy.false}]}


def symbolic(op: Op, attrs: dict[str, Any], given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The SymPy formula of an elementwise op over real symbols."""
    symbols = {a: sympy.Symbol(a, real=True) for a in op.args if a not in given}
    numbers = {k: sympy.Integer(v) if isinstance(v, int) else sympy.Float(v) for k, v in attrs.items()}
    scope = {**symbols, **given, **numbers}
    return sympy.sympify(op.sympy, locals=scope), symbols


def _step_slope(inner: Any, *place: Any) -> Any:
    """What SymPy leaves undone: the derivative of floor, 0 away from the integers."""
    assert isinstance(inner, sympy.Derivative) and isinstance(inner.expr, sympy.floor)
    return sympy.Integer(0)


@pytest.mark.parametrize(("name", "i"), PARTIALS, ids=[f"{n}-{i}" for n, i in PARTIALS])
def test_partials_are_those_of_sympy(name: str, i: int) -> None:
    """At 40 points, to 1e-12 of the larger of 1 and the slope, against SymPy's derivative in 30 digits."""
    op = REGISTRY[name]
    partial = (op.partials or ())[i]
    for given in CONDITIONS.get(name, [{}]):
        sample = next(s for s in samples(name) if s.args and s.args[-1].shape == (40,))
        args = tuple(
            np.full(40, bool(given[a])) if a in given else v for a, v in zip(op.args, sample.args, strict=True)
        )
        formula, symbols = symbolic(op, sample.attrs, given)
        slope = sympy.diff(formula, symbols[op.args[i]]).replace(sympy.Subs, _step_slope).doit()
        exact = sympy.lambdify(list(symbols.values()), slope, "mpmath")
        node = node_of(op, Sample(args, sample.attrs))
        scope = {**node.attributes, **dict(zip(op.args, node.args, strict=True)), "y": node}
        value = instantiate(parse_formula(partial), scope)
        found = np.full(40, float(value)) if not isinstance(value, Node) else valued(value, node.args, args)
        found = np.broadcast_to(found.astype(float), (40,))
        with mpmath.workdps(30):
            for k in range(40):
                point = [mpmath.mpf(float(v[k])) for a, v in zip(op.args, args, strict=True) if a not in given]
                wanted = float(exact(*point))
                assert abs(found[k] - wanted) <= 1e-12 * max(1.0, abs(wanted)), (point, found[k], wanted)


def valued(node: Node, inputs: Sequence[Node], values: Sequence[np.ndarray]) -> np.ndarray:
    graph = Graph(tuple(inputs), (node,), ("out",))
    return interpret(graph, {i["name"]: v for i, v in zip(inputs, values, strict=True)})[0]


def floats(sample: Any) -> list[int]:
    return [i for i, a in enumerate(sample.args) if a.dtype == np.float64]


def slope_along(f: Callable[[float], float]) -> float:
    """Central differences, extrapolated twice: an error of order h**6."""
    rows = [(f(h) - f(-h)) / (2.0 * h) for h in (4e-3, 2e-3, 1e-3)]
    first = [(4.0 * b - a) / 3.0 for a, b in itertools.pairwise(rows)]
    return (16.0 * first[1] - first[0]) / 15.0


def pulled(op: Op, sample: Any, ct: np.ndarray) -> tuple[list[int], list[np.ndarray]]:
    """The floating-point arguments and the cotangents that the op's derivative gives them."""
    node = node_of(op, sample)
    graph = Graph(node.args, (node,), ("out",))
    which = floats(sample)
    back = gradient(graph, [node.args[i]["name"] for i in which])
    values = {n["name"]: a for n, a in zip(node.args, sample.args, strict=True)}
    return which, interpret(back, {**values, "dout": ct})


def smooth_samples(name: str) -> list[Any]:
    """The samples in float64 whose sizes are known; empty ones are for shapes."""
    found = [s for s in samples(name) if floats(s) and not s.sizes]
    found = [s for s in found if not any(a.dtype == np.float32 for a in s.args)]
    if name == "astype":
        found = [s for s in found if s.attrs["dtype"] == "float64"]
    return [s for s in found if not s.attrs.get("ddof") or REGISTRY[name].attrs]


def evaluated(node: Node, args: list[np.ndarray]) -> np.ndarray:
    """The value that the derivative is of."""
    if node.op.name in catalogue.OF_SYMMETRIC:
        args = [(a + a.swapaxes(-1, -2)) / 2.0 for a in args]
    return evaluate_node(node, args, {})


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_vjp_is_the_adjoint_of_the_jvp(name: str) -> None:
    """<ct, J v> = <vjp(ct), v> with J v by extrapolated central differences, to 1e-8 of the scale of the terms."""
    op = REGISTRY[name]
    seed = 17
    rng = np.random.default_rng(seed)
    tried = 0
    for sample in smooth_samples(name):
        node = node_of(op, sample)
        shape = tuple(int(d) for d in node.shape)
        ct = rng.uniform(-1.0, 1.0, shape)
        which, found = pulled(op, sample, ct)
        directions = [rng.uniform(-1.0, 1.0, sample.args[i].shape) for i in which]

        def line(t: float, s: Any = sample, n: Node = node, c: Any = ct, w: Any = which, d: Any = directions) -> float:
            args = list(s.args)
            for i, v in zip(w, d, strict=True):
                args[i] = args[i] + t * v * DAMPING.get(name, 1.0)
            with np.errstate(all="ignore"):
                return math.fsum((c * evaluated(n, args)).ravel())

        left = slope_along(line) / DAMPING.get(name, 1.0)
        right = math.fsum(float(np.sum(g * v)) for g, v in zip(found, directions, strict=True))
        scale = 1.0 + sum(float(np.abs(g * v).sum()) for g, v in zip(found, directions, strict=True))
        assert abs(left - right) <= 1e-8 * scale, f"seed {seed}: {shown(op, sample)}: {left} and {right}"
        tried += 1
    assert tried >= 10


# Shorter steps, where a kink, the end of the domain or a change of LAPACK's signs is near.
DAMPING = {
    "svd_u": 0.1,
    "svd_vt": 0.1,
    "max": 0.1,
    "min": 0.1,
    "maximum": 0.02,
    "minimum": 0.02,
    "fmax": 0.02,
    "fmin": 0.02,
    "cbrt": 0.1,
    **dict.fromkeys(("gammaln", "gamma", "digamma", "polygamma", "logit"), 0.05),
    "bessel_ie": 0.02,
    "log2": 0.1,
    "log10": 0.1,
    "arctanh": 0.1,
    "arccosh": 0.1,
    "mod": 0.002,
    "fmod": 0.002,
    "copysign": 0.02,
    "hypot": 0.1,
    "arctan2": 0.1,
    "power": 0.1,
    "log": 0.1,
    "log1p": 0.1,
    "sqrt": 0.1,
    "reciprocal": 0.1,
    "divide": 0.1,
    "arcsin": 0.1,
    "arccos": 0.1,
    "absolute": 0.1,
    "relu": 0.1,
    "clip": 0.1,
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_vjp_agrees_with_differences_element_by_element(name: str) -> None:
    """Every entry of every gradient, to 1e-7, against extrapolated central differences."""
    op = REGISTRY[name]
    rng = np.random.default_rng(5)
    chosen = [s for s in smooth_samples(name) if all(a.size <= 12 for a in s.args)][:6]
    for sample in chosen:
        node = node_of(op, sample)
        ct = rng.uniform(-1.0, 1.0, tuple(int(d) for d in node.shape))
        which, found = pulled(op, sample, ct)
        for i, gradient_ in zip(which, found, strict=True):
            base = sample.args[i]
            assert gradient_.shape == base.shape and gradient_.dtype == base.dtype
            for place in np.ndindex(base.shape):

                def line(t: float, s: Any = sample, n: Node = node, c: Any = ct, k: int = i, p: Any = place) -> float:
                    args = [a.copy() for a in s.args]
                    args[k][p] += t * DAMPING.get(name, 1.0)
                    with np.errstate(all="ignore"):
                        return math.fsum((c * evaluated(n, args)).ravel())

                wanted = slope_along(line) / DAMPING.get(name, 1.0)
                assert abs(gradient_[place] - wanted) <= 1e-7 * max(1.0, abs(wanted)), (shown(op, sample), i, place)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_float32_gives_float32_gradients(name: str) -> None:
    op = REGISTRY[name]
    attrs = {"dtype": "float32"} if name == "astype" else None
    found = [s for s in samples(name) if any(a.dtype == np.float32 for a in s.args)]
    tried = 0
    for sample in found:
        if any(a.dtype == np.float64 for a in sample.args) or (attrs and sample.attrs != attrs):
            continue
        node = node_of(op, sample)
        graph = Graph(node.args, (node,), ("out",))
        wrt = [a["name"] for a in node.args if a.type.dtype == "float32"]
        back = gradient(graph, wrt)
        assert {g.type.dtype for g in back.outputs} == {"float32"}, shown(op, sample)
        if all(a.dtype == np.float32 or name in ("getitem", "add_at", "set_at") for a in sample.args):
            wide = [n for n in back.nodes if n.type.dtype == "float64"]
            assert node.type.dtype == "float32" and wide == [], shown(op, sample)
        tried += 1
    assert tried >= 1


@pytest.mark.parametrize("name", [n for n in OPS if n not in DIFFERENTIABLE and REGISTRY[n].partials])
def test_what_is_not_differentiable_sends_zeros(name: str) -> None:
    op = REGISTRY[name]
    for sample in samples(name):
        node = node_of(op, sample)
        wrt = [a["name"] for a in node.args if a.type.is_float]
        back = gradient(Graph(node.args, (node,), ("out",)), wrt)
        assert len(back.outputs) == len(wrt)
        assert all(g.op.name == "zeros" or scalar_value(g) == 0 for g in back.outputs), shown(op, sample)


# --- special points ---

_SIZES = (0.0, 5e-324, 1e-308, 1e-8, 0.3, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 36.8, 710.0, 746.0, 1e5, 1e16, 1e308, math.inf)
SPECIAL = [*_SIZES, *(-v for v in _SIZES), math.nan]


def scalar_functions(op: Op) -> dict[str, Any]:
    space: dict[str, Any] = {"math": math}
    for helper in op.helpers:
        exec(helper.scalar, space)
    return space


def ulps(a: float, b: float) -> float:
    """How many floats lie between a and b; 0 for the same bits and for two NaNs."""
    if a != a or b != b:
        return 0.0 if a != a and b != b else math.inf
    if a == b:
        return 0.0 if math.copysign(1.0, a) == math.copysign(1.0, b) else math.inf
    if math.isinf(a) or math.isinf(b):
        return math.inf
    return abs(a - b) / math.ulp(max(abs(a), abs(b)))


def points(op: Op) -> list[tuple[Any, ...]]:
    kinds = [
        [False, True] if op.name in catalogue.BOOLEANS or (op.name == "where" and a == "c") else SPECIAL
        for a in op.args
    ]
    return list(itertools.product(*kinds))


@pytest.mark.parametrize("name", [n for n in OPS if REGISTRY[n].scalar is not None])
def test_scalar_text_answers_what_numpy_answers(name: str) -> None:
    """At every pair of special points: the same bits, or 2 ulp for library functions; nothing is raised."""
    op = REGISTRY[name]
    space = scalar_functions(op)
    code = compile(op.scalar or "", name, "eval")
    for attrs in catalogue.ATTRS.get(name, [{}]):
        where = points(op)
        columns = tuple(np.array(c) for c in zip(*where, strict=True))
        wanted = raw(op, Sample(columns, attrs), [TensorType(str(c.dtype), c.shape) for c in columns])
        for point, value in zip(where, wanted.tolist(), strict=True):
            found = eval(code, space, {**attrs, **dict(zip(op.args, point, strict=True))})
            assert type(found) is type(value), f"{name}{point}: {found!r} and NumPy {value!r}"
            assert ulps(float(found), float(value)) <= 2.0, f"{name}{point}: {found!r} and NumPy {value!r}"


FACT = {
    "nonzero": lambda v: v != 0.0,
    "positive": lambda v: v > 0.0,
    "nonnegative": lambda v: v >= 0.0,
    "nonpositive": lambda v: v <= 0.0,
}


@pytest.mark.parametrize("name", [n for n in OPS if REGISTRY[n].plain is not None])
def test_plain_text_equals_the_scalar_text_where_its_fact_holds(name: str) -> None:
    op = REGISTRY[name]
    fact, text = op.plain or ("", "")
    assert set(FACT) == set(FACTS)
    tried = 0
    for point in points(op):
        if point[-1] != point[-1] or not FACT[fact](point[-1]):
            continue
        scope = dict(zip(op.args, point, strict=True))
        plain = eval(text, {"math": math}, scope)
        careful = eval(op.scalar or "", scalar_functions(op), scope)
        assert ulps(plain, careful) == 0.0, (name, point, plain, careful)
        tried += 1
    assert tried >= 15


@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if isinstance(REGISTRY[n].update, str)])
def test_update_computes_in_place(name: str) -> None:
    op = REGISTRY[name]
    for sample in samples(name):
        node = node_of(op, sample)
        if node.type != node.args[0].type:
            continue
        scope = dict(zip(op.args, (a.copy() for a in sample.args), strict=True))
        target = scope[op.args[0]]
        exec(op.update, {"np": np}, scope)
        assert scope[op.args[0]] is target
        np.testing.assert_array_equal(target, raw(op, sample, [a.type for a in node.args]))


@pytest.mark.parametrize("name", ["add_at", "set_at"])
def test_writing_is_in_place(name: str) -> None:
    op = REGISTRY[name]
    for sample in samples(name):
        node = node_of(op, sample)
        out = sample.args[0].copy()
        index = sample.attrs["index"].resolve(sample.sizes, sample.args[2:])
        update = op.update if isinstance(op.update, str) else op.update(node)  # type: ignore[misc]
        exec(update, {"np": np}, {"base": out, "index": index, "value": sample.args[1]})
        np.testing.assert_allclose(out, catalogue.REFERENCE[name](sample), rtol=1e-15, atol=1e-15)


# (op, how, what is wanted) at points where the textbook formula fails.
EXTREMES = [
    ("logsumexp", [1e308, 1e308], {"axes": (0,), "keepdims": False}, 1e308),
    ("logsumexp", [-math.inf, -math.inf], {"axes": (0,), "keepdims": False}, -math.inf),
    ("logsumexp", [math.inf, 0.0], {"axes": (0,), "keepdims": False}, math.inf),
    ("logsumexp", [-math.inf, 2.0], {"axes": (0,), "keepdims": False}, 2.0),
    ("logsumexp", [math.nan, 0.0], {"axes": (0,), "keepdims": False}, math.nan),
    ("softmax", [1e308, -1e308], {"axes": (0,)}, [1.0, 0.0]),
    ("softmax", [-math.inf, 0.0], {"axes": (0,)}, [0.0, 1.0]),
    ("log_softmax", [1000.0, 0.0], {"axes": (0,)}, [0.0, -1000.0]),
    ("log_softmax", [-math.inf, 0.0], {"axes": (0,)}, [-math.inf, 0.0]),
    ("top", [math.inf, 0.0], {"axes": (0,)}, [0.0]),
    ("top", [-math.inf, -math.inf], {"axes": (0,)}, [0.0]),
    ("overshoot", [800.0, 0.0], {"axes": (0,)}, [100.0]),
    ("overshoot", [-800.0, -900.0], {"axes": (0,)}, [-100.0]),
    ("overshoot", [math.inf, 0.0], {"axes": (0,)}, [0.0]),
    ("prod_of_others", [0.0, 2.0, 3.0], {"axes": (0,)}, [6.0, 0.0, 0.0]),
    ("prod_of_others", [0.0, 0.0, 3.0], {"axes": (0,)}, [0.0, 0.0, 0.0]),
    ("max", [math.nan, 1.0], {"axes": (0,), "keepdims": False}, math.nan),
    ("sum", [], {"axes": (0,), "keepdims": False}, 0.0),
    ("prod", [], {"axes": (0,), "keepdims": False}, 1.0),
]


@pytest.mark.parametrize(("name", "x", "attrs", "wanted"), EXTREMES)
def test_extremes(name: str, x: list[float], attrs: dict[str, Any], wanted: Any) -> None:
    sample = Sample((np.array(x, dtype=float),), attrs)
    with np.errstate(all="ignore"):
        found = evaluate_node(node_of(REGISTRY[name], sample), sample.args, {})
    np.testing.assert_array_equal(found, wanted)


# --- what is refused ---

F, F32, I64, B = "float64", "float32", "int64", "bool"
_TWO_NUMBERS = ("subtract", "power", "maximum", "minimum", "mod", "fmod")
_ONE_NUMBER = ("negative", "absolute", "sign", "square")
_BROADCASTING = tuple(n for n in ELEMENTWISE if len(REGISTRY[n].args) == 2)
READ = Index((Array(0),))
Wrong = tuple[str, tuple[tuple[str, tuple[Any, ...]], ...], dict[str, Any], type[GraphcError]]
WRONG: list[Wrong] = [
    *(
        (n, ((B if n in catalogue.BOOLEANS else F, (3,)), (B if n in catalogue.BOOLEANS else F, (4,))), {}, ShapeError)
        for n in _BROADCASTING
    ),
    *(
        (
            n,
            (
                (B if n in catalogue.BOOLEANS else F, (Size.named("n"),)),
                (B if n in catalogue.BOOLEANS else F, (Size.named("m"),)),
            ),
            {},
            ShapeError,
        )
        for n in _BROADCASTING
    ),
    *(
        (
            n,
            ((B if n in catalogue.BOOLEANS else F, (2, 3)), (B if n in catalogue.BOOLEANS else F, (2,))),
            {},
            ShapeError,
        )
        for n in _BROADCASTING
    ),
    *((n, ((B, (3,)), (B, (3,))), {}, DtypeError) for n in _TWO_NUMBERS),
    *((n, ((B, (3,)),), {}, DtypeError) for n in _ONE_NUMBER),
    ("floor", ((B, (3,)),), {}, DtypeError),
    ("ceil", ((B, (3,)),), {}, DtypeError),
    *(
        (n, ((t, (3,)), (B, (3,))), {}, DtypeError)
        for n in ("logical_and", "logical_or", "logical_xor")
        for t in (F, I64)
    ),
    ("logical_not", ((F, (3,)),), {}, DtypeError),
    ("logical_not", ((I64, (3,)),), {}, DtypeError),
    ("where", ((F, (3,)), (F, (3,)), (F, (3,))), {}, DtypeError),
    ("where", ((I64, (3,)), (F, (3,)), (F, (3,))), {}, DtypeError),
    ("where", ((B, (3,)), (F, (4,)), (F, ())), {}, ShapeError),
    ("where", ((B, (3,)), (F, (3,)), (F, (2,))), {}, ShapeError),
    ("matmul", ((F, ()), (F, (3,))), {}, ShapeError),
    ("matmul", ((F, (3,)), (F, ())), {}, ShapeError),
    ("matmul", ((F, (3,)), (F, (4,))), {}, ShapeError),
    ("matmul", ((F, (2, 3)), (F, (2, 3))), {}, ShapeError),
    ("matmul", ((F, (2, 3)), (F, (2,))), {}, ShapeError),
    ("matmul", ((F, (1, 3)), (F, (1, 3))), {}, ShapeError),
    ("matmul", ((F, (2, 2, 3)), (F, (4, 3, 2))), {}, ShapeError),
    ("matmul", ((B, (2, 3)), (B, (3, 2))), {}, DtypeError),
    ("outer", ((F, (2, 3)), (F, (3,))), {}, ShapeError),
    ("outer", ((F, (3,)), (F, ())), {}, ShapeError),
    *((n, ((F, (3,)),), {}, ShapeError) for n in ("inv", "det", "cholesky", "eigh_values", "svd_u", "qr_q", "qr_r")),
    *((n, ((F, (2, 3)),), {}, ShapeError) for n in ("inv", "det", "cholesky", "eigh_vectors", "slogdet_log")),
    ("inv", ((F, (Size.named("n"), Size.named("m"))),), {}, ShapeError),
    ("solve", ((F, (2, 3)), (F, (2,))), {}, ShapeError),
    ("solve", ((F, (3, 3)), (F, (2,))), {}, ShapeError),
    ("solve", ((F, (2, 3, 3)), (F, (4, 3, 1))), {}, ShapeError),
    ("solve", ((F, (3, 3)), (F, ())), {}, ShapeError),
    ("lstsq", ((F, (3, 2)), (F, (2,))), {}, ShapeError),
    ("pinv", ((F, (3,)),), {"rcond": None}, ShapeError),
    ("tril", ((F, (3,)),), {"k": 0}, ShapeError),
    ("cross", ((F, (2, 2)), (F, (3,))), {}, ShapeError),
    ("cross", ((F, (2, 3)), (F, (4, 3))), {}, ShapeError),
    ("einsum", ((F, (2, 3)), (F, (2, 4))), {"subscripts": "bi,bi->b"}, ShapeError),
    ("einsum", ((F, (2, 3)), (F, (2,))), {"subscripts": "bi,bi->b"}, ShapeError),
    ("einsum", ((F, (2, 3)), (F, (2,))), {"subscripts": "bi,b->b"}, ShapeError),
    ("einsum", ((B, (2, 3)), (B, (2, 3))), {"subscripts": "bi,bi->b"}, DtypeError),
    ("reshape", ((F, (3, 4)),), {"shape": (5,)}, ShapeError),
    ("reshape", ((F, (Size.named("n"),)),), {"shape": (3,)}, ShapeError),
    ("broadcast_to", ((F, (3,)),), {"shape": (4,)}, ShapeError),
    ("broadcast_to", ((F, (2, 3)),), {"shape": (3,)}, ShapeError),
    ("broadcast_to", ((F, (3,)),), {"shape": (1,)}, ShapeError),
    ("squeeze", ((F, (2, 3)),), {"axes": (0,)}, ShapeError),
    ("squeeze", ((F, (1, Size.named("n"))),), {"axes": (0, 1)}, ShapeError),
    ("concatenate", ((F, (2, 3)), (F, (2, 4))), {"axis": 0}, ShapeError),
    ("concatenate", ((F, (2, 3)), (F, (3,))), {"axis": 0}, ShapeError),
    ("stack", ((F, (2, 3)), (F, (2, 4))), {"axis": 0}, ShapeError),
    ("stack", ((F, (3,)), (F, (1, 3))), {"axis": 0}, ShapeError),
    ("getitem", ((F, (5,)), (F, (2,))), {"index": READ}, DtypeError),
    ("getitem", ((F, (5,)), (B, (5,))), {"index": READ}, DtypeError),
    ("getitem", ((F, (5,)),), {"index": Index((1, 2))}, ShapeError),
    ("getitem", ((F, (3, 4)), (I64, (2,)), (I64, (3,))), {"index": Index((Array(0), Array(1)))}, ShapeError),
    ("add_at", ((F, (5,)), (F, (3,)), (I64, (2,))), {"index": READ}, ShapeError),
    ("add_at", ((F, (5,)), (F, ()), (I64, (2,))), {"index": READ}, ShapeError),
    ("add_at", ((F, (5,)), (F, (4,))), {"index": Index((Range(0, 2, 1, 2, False),))}, ShapeError),
    ("add_at", ((F, (5,)), (F, (2,)), (F, (2,))), {"index": READ}, DtypeError),
    ("set_at", ((F, (5,)), (F, (3,)), (I64, (2,))), {"index": READ}, ShapeError),
    ("set_at", ((F, (5,)), (F, (2,)), (B, (2,))), {"index": READ}, DtypeError),
    ("set_at", ((F, (5,)), (F32, (2,)), (I64, (2,))), {"index": READ}, DtypeError),
    ("tril", ((F, (3,)),), {"k": 0}, ShapeError),
    ("triu", ((F, ()),), {"k": 0}, ShapeError),
    ("windows", ((F, (3,)),), {"axes": (0,), "widths": (4,)}, ShapeError),
    ("overlap_add", ((F, (3, 2)),), {"axes": (0,), "shape": (5,)}, ShapeError),
    ("any", ((F, (3,)),), {"axes": (0,), "keepdims": False}, DtypeError),
    ("all", ((I64, (3,)),), {"axes": (0,), "keepdims": False}, DtypeError),
    ("convolve", ((F, (3, 4)), (F, (3,))), {"mode": "full"}, ShapeError),
    ("convolve", ((F, (3,)), (F, (4,))), {"mode": "valid"}, ShapeError),
    ("convolve", ((B, (3,)), (B, (2,))), {"mode": "full"}, DtypeError),
    ("recurrence", ((F, (3,)), (F, (4,))), {"axis": 0, "reverse": False}, ShapeError),
    ("permute", ((F, (3,)), (I64, (4,))), {"axis": 0}, ShapeError),
    ("permute", ((F, (3,)), (F, (3,))), {"axis": 0}, DtypeError),
    ("searchsorted", ((F, (3, 4)), (F, (3,))), {"side": "left"}, ShapeError),
    ("digitize", ((F, (3,)), (F, ())), {"right": False}, ShapeError),
    ("bincount", ((F, (3,)), (F, (3,))), {"n": 2}, DtypeError),
    ("bincount", ((I64, (3,)), (I64, (3,))), {"n": 2}, DtypeError),
    ("bincount", ((I64, (3,)), (F, (4,))), {"n": 2}, ShapeError),
    ("bincount", ((I64, (3, 3)), (F, (3, 3))), {"n": 2}, ShapeError),
]


@pytest.mark.parametrize(("name", "types", "attrs", "error"), WRONG)
def test_wrong_arguments_are_refused(name: str, types: Any, attrs: Any, error: type[GraphcError]) -> None:
    args = [input_node(f"x{i}", TensorType(*t)) for i, t in enumerate(types)]
    with pytest.raises(error) as caught:
        make(REGISTRY[name], args, **attrs)
    assert caught.value.code.startswith("G03" if error is DtypeError else "G02")


def test_derivatives_take_the_attributes_they_need() -> None:
    """`clip` with two constants: its mask is open at both ends."""
    x = input_node("x", TensorType(F, (5,)))
    back = gradient(Graph((x,), (build.clip(x, -1.0, 1.0),), ("y",)), ["x"])
    found = interpret(back, {"x": np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), "dy": np.ones(5)})[0]
    assert found.tolist() == [0.0, 0.0, 1.0, 0.0, 0.0]
