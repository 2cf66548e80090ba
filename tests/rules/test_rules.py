"""Every rule is proved, sampled against 800 digits, fires where it should and nowhere else, and lowers the measure."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import graphc as gc
from graphc.expr import build
from graphc.expr.formula import AttrName, Call, Literal, Variable, instantiate, names_in, parse_formula
from graphc.frontends.text import parse
from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.index import Array, Index, Range
from graphc.ir.interpret import evaluate_nodes, interpret
from graphc.ir.leaf import INPUT, const_node, input_node
from graphc.ir.node import Node, topological
from graphc.ir.types import TensorType
from graphc.ops import REGISTRY
from graphc.passes.pipeline import join
from graphc.rewrite.conditions import CONDITIONS, holds
from graphc.rewrite.engine import Engine
from graphc.rewrite.match import is_product, is_sum
from graphc.rewrite.rule import ComputedRule, Exact, Rule, weight
from graphc.rules import RULES, SIMPLIFY, STABILISE

PATTERNS = [r for r in RULES.values() if isinstance(r, Rule)]
COMPUTED = [r for r in RULES.values() if isinstance(r, ComputedRule)]
CONDITIONAL = [(r, c) for r in PATTERNS for c in r.when]
each_pattern = pytest.mark.parametrize("rule", PATTERNS, ids=lambda r: r.name)
each_computed = pytest.mark.parametrize("rule", COMPUTED, ids=lambda r: r.name)

# Rules that SymPy cannot prove, with the reason. They are sampled a hundred times as hard.
NOT_PROVED: dict[str, str] = {}


def test_there_are_rules() -> None:
    assert len(RULES) >= 40
    assert len({r.name for r in (*STABILISE, *SIMPLIFY)}) == len(RULES)
    assert set(NOT_PROVED) <= {r.name for r in PATTERNS}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda r: r.name)
def test_the_record_is_whole(rule: Rule | ComputedRule) -> None:
    assert rule.why and "\n" not in rule.why and not rule.why.endswith(".")
    assert isinstance(rule.exact, Exact)
    if isinstance(rule, ComputedRule):
        assert set(rule.ops) <= set(REGISTRY)
        return
    assert set(names_in(rule.right)) <= set(names_in(rule.left)), "the right side has a name that nothing binds"
    assert {c.removeprefix("not ").partition("(")[0] for c in rule.when} <= set(CONDITIONS)
    assert set(rule.assume) <= set(names_in(rule.left))


# --- a formula in another arithmetic ---

REDUCED = ("sum", "mean", "var", "softmax", "logsumexp", "log_softmax")
Scope = Mapping[str, Any]


@cache
def formula(op: str, arithmetic: str) -> Callable[..., Any]:
    """An elementwise op in SymPy ("sympy") or in many digits ("mpmath"; "sums" where terms of sums may be dropped)."""
    record = REGISTRY[op]
    symbols = [sympy.Symbol(a, real=True) for a in record.args]
    if arithmetic == "sums" and op == "exp":
        return exponential
    if arithmetic != "sympy":
        expression = sympy.sympify(record.sympy, locals=dict(zip(record.args, symbols, strict=True)))
        return sympy.lambdify(symbols, expression, "mpmath")
    return lambda *args: sympy.sympify(record.sympy, locals=dict(zip(record.args, args, strict=True)))


def number(value: float, arithmetic: str) -> Any:
    return sympy.Rational(value) if arithmetic == "sympy" else mpmath.mpf(value)


def value_of(term: Any, scope: Scope, arithmetic: str) -> Any:
    """The value of a formula over arrays of objects; attributes are taken from the scope, too."""
    if isinstance(term, Variable):
        return np.asarray(scope[term.name], dtype=object)
    if isinstance(term, Literal):
        return np.asarray(number(term.value, arithmetic), dtype=object)
    args = [value_of(a, scope, arithmetic) for a in term.args]
    attrs = {k: scope[v.name] if isinstance(v, AttrName) else v for k, v in term.attrs}
    if term.op in REDUCED:
        return reduced(term.op, args[0], attrs, arithmetic)
    result = np.frompyfunc(formula(term.op, arithmetic), len(args), 1)(*args)
    return np.asarray(result, dtype=object)


def exponential(x: Any) -> Any:
    """exp(x) in many digits; beside other terms of a sum e**-3000 is nothing, and costs much."""
    return mpmath.exp(x) if x > -3000 else mpmath.mpf(0)


def reduced(op: str, x: Any, attrs: Mapping[str, Any], arithmetic: str) -> Any:
    log = np.frompyfunc(formula("log", arithmetic), 1, 1)
    exp = np.frompyfunc(formula("exp", arithmetic), 1, 1)
    axes, keep = attrs["axes"], attrs.get("keepdims", False)
    count = math.prod(x.shape[a] for a in axes)
    total = np.sum(x, axis=axes, keepdims=True)
    drop = (lambda v: v) if keep else (lambda v: np.asarray(np.sum(v, axis=axes), dtype=object))
    sums = np.sum(exp(x), axis=axes, keepdims=True) if op in ("softmax", "logsumexp", "log_softmax") else None
    return np.asarray({
        "sum": lambda: drop(total),
        "mean": lambda: drop(total / count),
        "var": lambda: drop(np.sum((x - total / count) ** 2, axis=axes, keepdims=True) / (count - attrs["ddof"])),
        "softmax": lambda: exp(x) / sums,
        "logsumexp": lambda: drop(log(sums)),
        "log_softmax": lambda: x - log(sums),
    }[op](), dtype=object)  # fmt: skip


def calls(term: Any) -> Iterator[Call]:
    if isinstance(term, Call):
        yield term
        for a in term.args:
            yield from calls(a)


def conditions_of(rule: Rule) -> list[str]:
    """The variables that are conditions: arguments of logic and of `where`."""
    found: dict[str, None] = {}
    for call in calls(rule.left):
        taken = call.args if call.op.startswith("logical") else call.args[:1] if call.op == "where" else ()
        found.update((a.name, None) for a in taken if isinstance(a, Variable))
    return list(found)


def is_structural(rule: Rule) -> bool:
    return any(call.op in REDUCED for call in calls(rule.left))


# --- proofs ---

# Shapes of x, with axes and keepdims, on which structural rules are proved and sampled.
SHAPES = [
    ((2,), (0,), False),
    ((2,), (0,), True),
    ((2, 2), (0,), False),
    ((2, 2), (1,), True),
    ((2, 2), (0, 1), False),
    ((2, 1), (0,), True),
    ((1, 2), (1,), True),
    ((2, 1, 2), (0, 2), True),
]


def shift_shapes(shape: tuple[int, ...], axes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The shapes of what is the same all along the axes: as small as can be, and as large."""
    return [(), tuple(1 if i in axes else d for i, d in enumerate(shape))]


def symbols(name: str, shape: tuple[int, ...], assumption: str | None) -> Any:
    extra = {assumption: True} if assumption else {}
    made = [sympy.Symbol(f"{name}{i}", real=True, **extra) for i in range(math.prod(shape))]
    return np.array(made, dtype=object).reshape(shape)


def proof_scopes(rule: Rule) -> Iterator[Scope]:
    names, logic = names_in(rule.left), conditions_of(rule)
    numbers = [n for n in names if n not in logic]
    if not is_structural(rule):
        for choice in itertools.product([sympy.true, sympy.false], repeat=len(logic)):
            yield {**{n: symbols(n, (), rule.assume.get(n)) for n in numbers}, **dict(zip(logic, choice, strict=True))}
        return
    for shape, axes, keep in SHAPES:
        for m in shift_shapes(shape, axes) if "m" in names else [()]:
            if (not keep and m) or not fits(rule, shape, axes, keep):
                continue
            x = symbols("x", shape, rule.assume.get("x"))
            if any(c.startswith("sums_to_one") for c in rule.when):
                x = reduced("softmax", x, {"axes": axes}, "sympy")
            yield {"x": x, "m": symbols("m", m, None), "a": axes, "k": keep}


def fits(rule: Rule, shape: tuple[int, ...], axes: tuple[int, ...], keep: bool) -> bool:
    """Whether the conditions on axes hold for an x of this shape."""
    scope = {"x": input_node("x", TensorType("float64", shape)), "a": axes, "k": keep}
    return all(holds(c, scope) for c in rule.when if c.startswith("lines_up"))


def is_zero(left: Any, right: Any) -> bool:
    """Whether two real SymPy expressions are equal, by the first of several ways that shows it."""
    difference = left - right
    ways: list[Callable[[], Any]] = [
        lambda: difference,
        lambda: sympy.simplify(difference),
        lambda: sympy.simplify(sympy.expand(difference.rewrite(sympy.exp), force=True)),
        lambda: sympy.simplify(sympy.exp(left) / sympy.exp(right)) - 1,
        lambda: sympy.simplify(sympy.exp(left).rewrite(sympy.exp) / sympy.exp(right).rewrite(sympy.exp)) - 1,
        lambda: sympy.factor(sympy.together(sympy.expand(difference.rewrite(sympy.exp)))),
    ]
    return any(way() == 0 for way in ways) or is_zero_by_cases(difference)


def is_zero_by_cases(difference: Any) -> bool:
    """Whether kinks (Abs, Max, Min, Piecewise) cancel for variables that are positive, negative and 0."""
    if not difference.has(sympy.Abs, sympy.Max, sympy.Min, sympy.Piecewise):
        return False
    variables = sorted(difference.free_symbols, key=str)
    sizes = [sympy.Symbol(f"size_{v}", positive=True) for v in variables]
    for signs in itertools.product((1, -1, 0), repeat=len(variables)):
        case = difference.subs({v: s * size for v, s, size in zip(variables, signs, sizes, strict=True)})
        if sympy.simplify(sympy.exp(sympy.expand_log(case, force=True)) - 1) != 0:
            return False
    return True


@each_pattern
def test_rule_is_proved(rule: Rule) -> None:
    """Both sides are one expression of SymPy, for every choice of conditions and on arrays of symbols."""
    if rule.name in NOT_PROVED:
        pytest.skip(NOT_PROVED[rule.name])
    tried = 0
    for scope in proof_scopes(rule):
        left, right = value_of(rule.left, scope, "sympy"), value_of(rule.right, scope, "sympy")
        left, right = np.broadcast_arrays(left, right, subok=False)
        for a, b in zip(left.ravel(), right.ravel(), strict=True):
            proved = a == b or (not isinstance(a, sympy.logic.boolalg.Boolean) and is_zero(a, b))
            assert proved, f"{rule}: {a} and {b} with {scope}"
        tried += 1
    assert tried >= (3 if is_structural(rule) else 1)


# --- samples ---

_LARGE = (
    5e-324,
    1e-300,
    1e-160,
    1e-20,
    1e-8,
    0.3,
    1.0,
    2.5,
    18.0,
    36.8,
    350.0,
    700.0,
    709.7,
    745.0,
    1e5,
    1e16,
    1e160,
    1e300,
    1.7e308,
)
EXTREME = [0.0, *_LARGE, *(-v for v in _LARGE)]
NONFINITE = [-0.0, math.inf, -math.inf, math.nan]
FITS = {None: lambda v: True, "positive": lambda v: v > 0.0, "nonnegative": lambda v: v >= 0.0 or v != v}
ULPS = 8.0
SEED = 20240817


def points(rule: Rule, values: list[float], ordinary: int) -> Iterator[Scope]:
    """Every combination of extreme values, and ordinary ones: scopes of floats."""
    rng = np.random.default_rng(SEED)
    logic = conditions_of(rule)
    names = names_in(rule.left)
    axes = [[True, False] if n in logic else [v for v in values if FITS[rule.assume.get(n)](v)] for n in names]
    thin = (1, 1, 3, 5, 5)[len(names)]
    for point in itertools.islice(itertools.product(*(a if len(a) < 5 else a[::thin] for a in axes)), 6000):
        yield dict(zip(names, point, strict=True))
    for _ in range(ordinary):
        yield {n: bool(rng.random() < 0.5) if n in logic else ordinary_value(rng, rule.assume.get(n)) for n in names}


def ordinary_value(rng: np.random.Generator, assumption: str | None) -> float:
    value = float(rng.normal() * 10.0 ** rng.uniform(-3.0, 2.0))
    return abs(value) if assumption else value


def array_points(rule: Rule, ordinary: int) -> Iterator[Scope]:
    rng = np.random.default_rng(SEED)
    names = names_in(rule.left)
    for shape, axes, keep in [*SHAPES[:4], *SHAPES[-1:], ((3, 4), (1,), True), ((4, 3), (0,), False)]:
        for m in shift_shapes(shape, axes) if "m" in names else [()]:
            if (not keep and m) or not fits(rule, shape, axes, keep):
                continue
            for k in range(ordinary + 8):
                x = rng.choice(EXTREME, shape) if k < 8 else rng.normal(size=shape) * 10.0 ** rng.uniform(-3, 3)
                shift = rng.choice(EXTREME, m) if k < 4 else rng.normal(size=m) * 10.0 ** rng.uniform(-1, 3)
                if any(c.startswith("sums_to_one") for c in rule.when):
                    x = interpreted(parse_formula("softmax(x, axes=a)"), {"x": x, "a": axes})
                yield {"x": x, "m": np.asarray(shift), "a": axes, "k": keep}


def interpreted(term: Any, scope: Scope) -> Any:
    """The value of a formula in float64, as the interpreter has it."""
    values = {n: np.asarray(scope[n]) for n in names_in(term)}
    inputs = {n: input_node(n, TensorType(str(v.dtype), v.shape)) for n, v in values.items()}
    attrs = {n: v for n, v in scope.items() if n in ("a", "k")}
    node = instantiate(term, {**attrs, **inputs})
    if not isinstance(node, Node):
        return np.asarray(float(node))
    return interpret(Graph(tuple(inputs.values()), (node,), ("out",)), values)[0]


@cache
def compiled(term: Any, logic: tuple[str, ...]) -> Callable[[Scope], float]:
    """A scalar formula in float64, ready for many points."""
    names = names_in(term)
    inputs = {n: input_node(n, TensorType("bool" if n in logic else "float64", ())) for n in names}
    node = instantiate(term, inputs)
    if not isinstance(node, Node):
        return lambda scope: float(node)
    graph = Graph(tuple(inputs.values()), (node,), ("out",))
    return lambda scope: interpret(graph, {n: scope[n] for n in names})[0].item()


def exact(term: Any, scope: Scope) -> Any:
    """The true value in 800 digits as an array of objects, None where it does not exist."""
    with mpmath.workdps(800):
        lifted = {n: v if n in ("a", "k") else objects(v) for n, v in scope.items()}
        try:
            return value_of(term, lifted, "sums" if "a" in scope and "k" in scope else "mpmath")
        except (ZeroDivisionError, ValueError, OverflowError):
            return None


def objects(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype == np.bool_:
        return array.astype(object)
    return np.frompyfunc(lambda v: mpmath.mpf(float(v)), 1, 1)(array)


def check_point(rule: Rule, scope: Scope, truth: Any, left: float, right: float) -> None:
    """The right side is at most `ULPS` away from the truth, or at least no worse than the left side."""
    if not isinstance(truth, mpmath.mpf) or not mpmath.isfinite(truth):
        return
    wanted = float(truth)
    where = f"seed {SEED}, {rule.name} at {dict(scope)}: {wanted!r} is {left!r} on the left, {right!r} on the right"
    if math.isinf(wanted):
        assert right == wanted or right != right != left != left, where
        return
    assert math.isfinite(right), where
    with mpmath.workdps(800):
        off = abs(mpmath.mpf(right) - truth)
        before = abs(mpmath.mpf(left) - truth) if math.isfinite(left) else mpmath.inf
        assert off <= max(before, ULPS * math.ulp(wanted), allowance(rule, scope, wanted)), where


EPS = 2.0**-53
# Where an error is measured at the scale of the operands and not of the result, and why.
AT_SCALE = {
    "binary-cross-entropy": "s - y is the wanted form: its error is that of s, which the forward pass has rounded",
    "logsumexp": "rounded like the largest x",
    "logsumexp-of-shifted": "rounded like the largest x",
    "log-of-softmax": "rounded like x - logsumexp(x)",
    "log-softmax": "rounded like x - logsumexp(x)",
    "log-softmax-of-shifted": "rounded like x - logsumexp(x)",
    "softmax-of-shifted": "x - top is rounded before exp",
    "softmax": "x - top is rounded before exp",
    "exp-of-log-softmax": "x - top is rounded before exp",
    "sigmoid-of-difference": "x - y is rounded before exp",
}


def allowance(rule: Rule, scope: Scope, wanted: float) -> float:
    """8 roundings of the largest operand; for a softmax or a sigmoid, an exponential, relative to the result."""
    if rule.name not in AT_SCALE:
        return 0.0
    scale = 1.0 + max(float(np.max(np.abs(scope[n]))) for n in names_in(rule.right))
    if ("softmax(" in rule.rhs and "log_softmax(" not in rule.rhs) or "sigmoid(" in rule.rhs:
        return abs(wanted) * math.expm1(min(8.0 * EPS * scale, 700.0))
    return 8.0 * EPS * scale


@each_pattern
def test_right_side_is_as_accurate_as_the_left(rule: Rule) -> None:
    hard = 100 if rule.name in NOT_PROVED else 1
    if is_structural(rule):
        for scope in array_points(rule, 4 * hard):
            truth = exact(rule.left, scope)
            if truth is None:
                continue
            left, right = interpreted(rule.left, scope), interpreted(rule.right, scope)
            truth, left, right = np.broadcast_arrays(truth, left, right)
            for t, a, b in zip(truth.ravel(), left.ravel(), right.ravel(), strict=True):
                check_point(rule, scope, t, float(a), float(b))
        return
    logic = tuple(conditions_of(rule))
    before, after = compiled(rule.left, logic), compiled(rule.right, logic)
    for scope in points(rule, EXTREME, 60 * hard):
        truth = exact(rule.left, scope)
        if truth is not None:
            check_point(rule, scope, truth.item(), before(scope), after(scope))


@each_pattern
def test_right_side_is_defined_where_the_left_is(rule: Rule) -> None:
    """At 0, -0, inf, -inf, nan and the extremes: what was a number stays that number."""
    if is_structural(rule):
        return
    logic = tuple(conditions_of(rule))
    before, after = compiled(rule.left, logic), compiled(rule.right, logic)
    for scope in points(rule, [*NONFINITE, *EXTREME[::4]], 0):
        left, right = before(scope), after(scope)
        where = f"{rule.name} at {dict(scope)}: {left!r} on the left, {right!r} on the right"
        if rule.exact is Exact.BITWISE:
            same = np.float64(left).tobytes() == np.float64(right).tobytes() or (left != left and right != right)
            assert same, where
        elif left == left and any(not math.isfinite(v) for v in scope.values()):
            assert right == left or abs(right - left) <= ULPS * math.ulp(max(abs(left), abs(right))), where


SPECIAL_ROWS = [
    [-math.inf, 0.0],
    [-math.inf, 1e300],
    [-1e300, 700.0],
    [0.0, -0.0],
    [math.inf, math.inf],
    [-math.inf, -math.inf],
    [math.inf, 0.0],
    [math.nan, 0.0],
]


@pytest.mark.parametrize("rule", [r for r in PATTERNS if is_structural(r)], ids=lambda r: r.name)
def test_structural_rules_at_infinity(rule: Rule) -> None:
    for row in SPECIAL_ROWS:
        for m in (0.0, 3.0, -700.0):
            x = np.array(row)
            if any(c.startswith("sums_to_one") for c in rule.when):
                x = interpreted(parse_formula("softmax(x, axes=a)"), {"x": x, "a": (0,)})
            scope = {"x": x, "m": np.array(m), "a": (0,), "k": False}
            left, right = (np.broadcast_arrays(interpreted(t, scope), np.zeros(1))[0] for t in (rule.left, rule.right))
            for a, b in zip(np.ravel(left).tolist(), np.ravel(right).tolist(), strict=False):
                fine = a != a or a == b or abs(a - b) <= ULPS * math.ulp(max(abs(a), abs(b), abs(m)))
                assert fine, f"{rule.name} at {row}, m={m}: {a!r} on the left, {b!r} on the right"


# --- firing ---


def language_type() -> TensorType:
    return TensorType("float64", (Size.named("n"), Size.named("m")))


X = input_node("x", TensorType("float64", (3, 4)))
Y = input_node("y", TensorType("float64", (3, 4)))
SIZED = input_node("sized_", language_type())  # where n and m come from when no other input has them
W = input_node("w", TensorType("float64", (3, 4)))
SQUARE = input_node("x", TensorType("float64", (3, 3)))
COLUMN = input_node("m", TensorType("float64", (3, 1)))
# What to put for the names so that a condition holds, and so that it does not.
HOLDS: dict[str, Scope] = {
    "nonnegative(x)": {"x": build.apply("exp", X)},
    "variable(x)": {"x": X},
    "lines_up(x, a, k)": {"x": SQUARE, "a": (1,), "k": True},
    "constant_over(m, x, a)": {"x": X, "m": COLUMN, "a": (1,), "k": True},
    "shift_lines_up(m, x, a, k)": {"x": X, "m": COLUMN, "a": (1,), "k": True},
    "sums_to_one(x, a)": {"x": build.reduce("softmax", X, (1,)), "a": (1,), "k": False},
}
FAILS: dict[str, list[Scope]] = {
    "nonnegative(x)": [{"x": X}, {"x": build.apply("expm1", X)}, {"x": build.negative(build.apply("exp", X))}],
    "variable(x)": [{"x": const_node(0.5, "float64")}],
    "lines_up(x, a, k)": [{"x": SQUARE, "a": (1,), "k": False}],
    "constant_over(m, x, a)": [
        {"x": X, "m": W, "a": (1,), "k": True},
        {"x": X, "m": input_node("m", TensorType("float64", (4,))), "a": (1,), "k": True},
        {"x": X, "m": COLUMN, "a": (0,), "k": True},
    ],
    "shift_lines_up(m, x, a, k)": [{"x": SQUARE, "m": COLUMN, "a": (1,), "k": False}],
    "sums_to_one(x, a)": [
        {"x": X, "a": (1,), "k": False},
        {"x": build.reduce("softmax", X, (0,)), "a": (1,), "k": False},
        {"x": build.apply("sigmoid", X), "a": (1,), "k": False},
    ],
}


def firing_scope(rule: Rule) -> dict[str, Any]:
    """Nodes for the names of a rule that meet its conditions."""
    logic = conditions_of(rule)
    scope: dict[str, Any] = {
        n: input_node(n, TensorType("bool" if n in logic else "float64", (3, 4))) for n in names_in(rule.left)
    }
    if is_structural(rule):
        scope |= {"a": (1,), "k": True}
    for condition in rule.when:
        scope |= HOLDS[condition]
    return scope


def run_rule(rule: Rule | ComputedRule, node: Node) -> tuple[Node, list[str]]:
    engine = Engine([rule])
    inputs = tuple(n for n in topological([node]) if n.op is INPUT)
    made = engine.run(Graph(inputs, (node,), ("out",))).outputs[0]
    return made, [s.rule.name for s in engine.steps]


def agrees(before: Node, after: Node, seed: int = SEED) -> bool:
    """Whether two nodes have one value on random inputs, to 1e-10 of the largest element."""
    rng = np.random.default_rng(seed)
    used = topological([before, after])
    inputs = tuple(dict.fromkeys((SIZED, *(n for n in used if n.op is INPUT))))
    sizes = {"n": 3, "m": 4}
    values: dict[str, Any] = {}
    for node in inputs:
        shape = tuple(d if isinstance(d, int) else sizes[str(d)] for d in node.shape)
        draw = rng.random(shape) < 0.5 if node.type.dtype == "bool" else np.abs(rng.normal(size=shape)) + 0.1
        values[node["name"]] = rng.integers(0, 3, shape) if node.type.dtype == "int64" else draw
    graph = Graph(inputs, (before, after), ("before", "after"))
    a, b = interpret(graph, values)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    scale = max(1.0, float(np.abs(a.astype(float)).max(initial=0.0)))
    return bool(np.allclose(a.astype(float), b.astype(float), rtol=1e-10, atol=1e-12 * scale, equal_nan=True))


def target(rule: Rule, scope: Scope, like: Node) -> Node:
    value = instantiate(rule.right, scope)
    node = value if isinstance(value, Node) else const_node(value, "float64")
    return build.broadcast_to(node, like.shape)


@each_pattern
def test_rule_fires_on_its_own_left_side(rule: Rule) -> None:
    scope = firing_scope(rule)
    before = instantiate(rule.left, scope)
    after, fired = run_rule(rule, before)
    assert fired[:1] == [rule.name]
    assert after is target(rule, scope, before), f"{rule}: got {after}"
    assert agrees(before, after)


def commuted(term: Any) -> Iterator[Any]:
    """The formula with the operands of its sums, products and other commutative ops in every order."""
    if not isinstance(term, Call):
        yield term
        return
    for args in itertools.product(*(list(commuted(a)) for a in term.args)):
        yield Call(term.op, tuple(args), term.attrs)
        if "commutative" in REGISTRY[term.op].traits:
            yield Call(term.op, tuple(args)[::-1], term.attrs)


@each_pattern
def test_rule_fires_with_operands_in_any_order(rule: Rule) -> None:
    scope = firing_scope(rule)
    for term in dict.fromkeys(commuted(rule.left)):
        before = instantiate(term, scope)
        after, fired = run_rule(rule, before)
        assert fired[:1] == [rule.name], term
        assert agrees(before, after)


@pytest.mark.parametrize("rule", [r for r in PATTERNS if is_sum(r.left) or is_product(r.left)], ids=lambda r: r.name)
def test_sums_and_products_match_with_factors_and_signs(rule: Rule) -> None:
    scope = firing_scope(rule)
    left = instantiate(rule.left, scope)
    w = input_node("w_", TensorType("float64", left.shape))
    s = input_node("s_", TensorType("float64", ()))
    two, minus = (build.literal(v, ["float64"]) for v in (2.0, -3.0))
    ways = {
        "w * left": build.multiply(w, left),
        "left * w": build.multiply(left, w),
        "-left": build.negative(left),
        "s * left": build.multiply(s, left),
        "2 * left": build.multiply(two, left),
        "-3 * left": build.multiply(minus, left),
        "left / w": build.divide(left, w),
    }
    if is_sum(rule.left):
        terms = parse_terms(rule.left)
        ways["w * each term"] = total([(sign, build.multiply(w, instantiate(t, scope))) for sign, t in terms])
        ways["each term * s"] = total([(sign, build.multiply(instantiate(t, scope), s)) for sign, t in terms])
        ways["each term negated"] = total([(-sign, instantiate(t, scope)) for sign, t in terms])
        ways["w + left"] = build.add(w, left)
        ways["each term, w between"] = total(
            [terms_of(terms[0], scope), (1.0, w), *(terms_of(t, scope) for t in terms[1:])]
        )
    for how, before in ways.items():
        after, fired = run_rule(rule, before)
        assert rule.name in fired, how
        assert agrees(before, after), how
        assert before.type == after.type, how


def parse_terms(term: Any, sign: float = 1.0) -> list[tuple[float, Any]]:
    if not is_sum(term):
        return [(sign, term)]
    right = sign if term.op == "add" else -sign
    return parse_terms(term.args[0], sign) + parse_terms(term.args[1], right)


def terms_of(term: tuple[float, Any], scope: Scope) -> tuple[float, Any]:
    return term[0], instantiate(term[1], scope)


def total(terms: list[tuple[float, Any]]) -> Node:
    result: Any = None
    for sign, value in terms:
        node = value if isinstance(value, Node) else const_node(value, "float64")
        if result is None:
            result = node if sign > 0 else build.negative(node)
        else:
            result = build.add(result, node) if sign > 0 else build.subtract(result, node)
    return result


@pytest.mark.parametrize(("rule", "condition"), CONDITIONAL, ids=[f"{r.name}: {c}" for r, c in CONDITIONAL])
def test_rule_does_not_fire_when_its_condition_is_false(rule: Rule, condition: str) -> None:
    for wrong in FAILS[condition]:
        scope = {**firing_scope(rule), **wrong}
        assert not holds(condition, scope)
        before = instantiate(rule.left, scope)
        after, fired = run_rule(rule, before)
        assert fired == [] and after is before


# Formulas that look like a left side and are none.
NEAR_MISSES = [
    "log(2 + exp(x))",
    "log(x - exp(x))",
    "exp(x) - 2",
    "exp(x) - exp(y)",
    "exp(x) + exp(y)",
    "1 / (2 + exp(x))",
    "exp(x) / (2 + exp(y))",
    "square(sin(x)) + square(cos(y))",
    "square(sin(x)) - square(cos(x))",
    "sin(x) / cos(y)",
    "softplus(x) - y",
    "2 * sigmoid(x) - 3",
    "1 + tanh(x) * y",
    "x**3",
    "maximum(x, 1)",
    "log(sum(square(x)))",
    "exp(x) / sum(exp(y))",
    "mean(square(x)) - square(mean(y))",
    "mean(square(x)) + square(mean(x))",
    "log(x + y)",
    "where(x > 0, where(y > 0, x, y), 1)",
    "softmax(x, axis=1) - softmax(x, axis=0)",
]


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_near_misses_stay(text: str) -> None:
    graph = language(text)
    engine = Engine([r for r in STABILISE if isinstance(r, Rule)])
    assert engine.run(graph).outputs == graph.outputs
    assert engine.steps == []


# --- termination ---


@each_pattern
def test_rule_lowers_the_measure(rule: Rule) -> None:
    """The weight falls, and no name occurs more often: it falls whatever stands for the names."""
    assert weight(rule.left) > weight(rule.right)
    assert occurrences(rule.right) <= occurrences(rule.left)


def occurrences(term: Any) -> Counter[str]:
    found: Counter[str] = Counter()
    stack = [term]
    while stack:
        top = stack.pop()
        if isinstance(top, Variable):
            found[top.name] += 1
        elif isinstance(top, Call):
            stack += top.args
    return found


# --- computed rules ---

INPUTS = {"x": "n m", "y": "n m", "s": (), "t": ()}


@cache
def language(text: str) -> Graph:
    return parse(text, inputs=INPUTS)


def scattered(rows: int = 3, columns: int = 4) -> tuple[Node, Node]:
    """Zeros with entries put in, one in each row; and the entries."""
    values = input_node("v", TensorType("float64", (rows,)))
    positions = [build.arange(rows), input_node("k", TensorType("int64", (rows,)))]
    read = build.getitem(X, [Array(0), Array(1)], positions)
    return build.add_at(build.zeros((rows, columns)), values, read["index"], positions), values


def one_hot_row() -> tuple[Node, Node]:
    """Labels are integers, which the inputs of texts are not."""
    labels = input_node("k", TensorType("int64", (3,)))
    marks = build.getitem(build.eye(4, 4), [Array(0), build.whole(4)], [labels])
    chosen = build.getitem(X, [Array(0), Array(1)], [build.arange(3), labels])
    total = build.reduce("sum", build.multiply(marks, X), (1,))
    return build.apply("log", total), build.apply("log", chosen)


def exponential_sums() -> dict[str, tuple[Node, Node]]:
    """Masked logits are -inf, which texts do not have; shifts are an op of graphc's own."""
    mask, y = build.apply("greater", X, 0.5), input_node("y", X.type)
    masked = build.where(mask, build.apply("exp", X), 0.0)
    logits = build.where(mask, X, -math.inf)
    total = build.reduce("sum", masked, (1,), True)
    shift = build.reduce("overshoot", build.apply("stop_gradient", X), (1,))
    weighted = build.multiply(y, build.apply("exp", X))
    shifted = build.multiply(y, build.apply("exp", build.subtract(X, shift)))
    logarithm = build.apply("log", build.reduce("sum", shifted, (1,)))
    return {
        "times-logarithm": (
            build.multiply(build.multiply(-2.0, y), build.apply("log", X)),
            build.multiply(-2.0, build.apply("xlogy", y, X)),
        ),
        "masked-logsumexp": (build.apply("log", total), build.reduce("logsumexp", logits, (1,), True)),
        "masked-softmax": (
            build.where(mask, build.divide(build.apply("exp", X), total), 0.0),
            build.reduce("softmax", logits, (1,)),
        ),
        "weighted-logsumexp": (
            build.apply("log", build.reduce("sum", weighted, (1,))),
            build.add(logarithm, build.squeeze(shift, (1,))),
        ),
    }


def built_examples() -> dict[str, tuple[Node, Node]]:
    """What the language cannot say: it folds constants itself, and has no `add_at`."""
    put, values = scattered()
    index, positions = put["index"], put.args[2:]
    into = build.add_at(X, values, index, positions)
    negated = build.negative(values)
    row, other = (build.getitem(Y, [k, build.whole(Y.shape[1])]) for k in (0, 1))
    first, second = (Index((k, build.whole(X.shape[1]))) for k in (0, 1))
    one = build.set_at(X, row, first)
    both = build.set_at(build.set_at(build.zeros((2, *X.shape[1:])), other, second), row, first)
    everywhere = Index(tuple(map(build.whole, X.shape)))
    number = [build.apply("exp", const_node(1.0, "float64")), const_node(math.e, "float64")]
    return {
        **exponential_sums(),
        "fold-constants": tuple(build.multiply(v, X) for v in number),
        "add-into": (build.add(X, put), into),
        "subtract-from": (build.subtract(X, put), build.add_at(X, negated, index, positions)),
        "sign-of-scatter": (build.negative(put), build.add_at(put.args[0], negated, index, positions)),
        "read-of-write": (build.getitem(build.set_at(one, other, second), first.entries), row),
        "write-of-everything": (build.set_at(X, Y, everywhere), Y),
        "write-over-write": (build.set_at(build.set_at(X, other, first), row, first), one),
        "rows-to-stack": (both, build.joined("stack", [row, other], 0)),
        "pieces-to-whole": (in_pieces(X), build.joined("concatenate", [X, Y], 1)),
        "write-of-sum": (
            build.set_at(X, build.add(row, build.getitem(X, first.entries)), first),
            build.add_at(X, row, first),
        ),
        "log-of-one-hot": one_hot_row(),
        "row-sum-of-scatter": (build.reduce("sum", put, (1,)), values),
    }


def in_pieces(left: Node) -> Node:
    """Two arrays side by side, the right one written first."""
    n, m = left.shape
    whole = build.whole(n)
    wide = build.add_at(build.zeros((n, m + m)), Y, Index((whole, Range(m, m + m, 1, m, False))))
    return build.add_at(wide, left, Index((whole, Range(0, m, 1, m, False))))


def examples_of(rule: ComputedRule) -> list[tuple[Node, Node]]:
    found = [(language(a).outputs[0], language(b).outputs[0]) for a, b in rule.examples]
    return found + ([built_examples()[rule.name]] if rule.name in built_examples() else [])


def simplified(node: Node) -> tuple[Node, list[str]]:
    engine = Engine([*SIMPLIFY, *(r for r in STABILISE if r not in SIMPLIFY)])
    inputs = tuple(n for n in topological([node]) if n.op is INPUT)
    made = engine.run(Graph(inputs, (node,), ("out",))).outputs[0]
    return made, [s.rule.name for s in engine.steps]


@each_computed
def test_computed_rule_does_what_its_examples_say(rule: ComputedRule) -> None:
    assert examples_of(rule), "a computed rule needs an example"
    count = 0
    for before, after in examples_of(rule):
        made, fired = simplified(before)
        count += rule.name in fired
        assert made is simplified(after)[0]
        assert agrees(before, made)
        assert made.type == before.type
    assert count >= len(examples_of(rule)) - (rule.name == "fold-constants")


@each_computed
def test_computed_rule_fires_alone(rule: ComputedRule) -> None:
    for before, _ in examples_of(rule):
        made, fired = run_rule(rule, before)
        assert set(fired) <= {rule.name}
        assert made.type == before.type and agrees(before, made)


# --- the engine ---

EXPRESSIONS = [
    "sum(log(1 + exp(-y * (x * s))))",
    "-log(1 / (1 + exp(-x)))",
    "log(exp(x) / sum(exp(x), axis=1, keepdims=True))",
    "mean(square(x)) - square(mean(x))",
    "exp(x - max(x, axis=1, keepdims=True))",
    "(x + y) * (x - y) / (x + y)",
    "-(-(x - y)) + 2 * x - x",
    "x * y * s / (x * t) - 3 * -y",
    "log(sqrt(exp(x) * exp(x)))",
    "abs(-(x**2))",
    "exp(x) / (exp(x) + 1) - 1",
    "1 - 1 / (1 + exp(-x))",
    "(exp(x) - exp(-x)) / (exp(x) + exp(-x))",
    "softmax(x - max(x, axis=1, keepdims=True), axis=1)",
    "where(~(x > 0), maximum(y, 0), y + 0 * x)",
    "sum(x * s + y * s, axis=0)",
    "reshape(ravel(x.T.T), (n, m)) + x",
    "x / exp(y) + sin(x) / cos(x)",
    "log(sum(exp(x - s)) ) + s",
    "s * x - s * y + s * (x + y)",
    "sqrt(square(x)) + sqrt(abs(x) * abs(x))",
    "-y * log(1 / (1 + exp(-x))) - (1 - y) * log(1 - 1 / (1 + exp(-x)))",
    "((x * 2) * 3) / 6 - x",
    "log(log(1 + exp(exp(x))))",
    "(1 + tanh(x)) * (1 - tanh(x))",
    "2 / (1 + exp(-2 * x)) - 1",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_steps_replay_and_keep_the_value(text: str) -> None:
    graph = language(text)
    for rules in (STABILISE, SIMPLIFY):
        engine = Engine(rules)
        made = engine.run(graph)
        assert agrees(graph.outputs[0], made.outputs[0])
        for step in engine.steps:
            assert step.before.type == step.after.type
            assert agrees(step.before, step.after), f"{text}: {step.rule.name}"
        again = Engine(rules)
        assert again.run(made).outputs == made.outputs and again.steps == [], "a normal form stays"


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_normal_form_does_not_depend_on_the_order_of_work(text: str) -> None:
    """One output after the other, in either order, or after unrelated work: the same nodes."""
    graph = language(text)
    parts = [n for n in graph.nodes if n.type.is_float]
    forward, backward = Engine(STABILISE), Engine(STABILISE)
    names = tuple(f"o{i}" for i in range(len(parts)))
    first = forward.run(Graph(graph.inputs, tuple(parts), names)).outputs
    second = backward.run(Graph(graph.inputs, tuple(reversed(parts)), names)).outputs
    alone = Engine(STABILISE).run(graph).outputs[0]
    assert list(first) == list(reversed(second))
    assert forward.of(graph.outputs[0]) is alone


@pytest.mark.parametrize("text", EXPRESSIONS)
@pytest.mark.parametrize("seed", range(3))
def test_engine_terminates_with_the_rules_in_any_order(text: str, seed: int) -> None:
    """The order of the rules is a preference; every order ends, at a form with the same value."""
    rng = np.random.default_rng(seed)
    rules = list(RULES.values())
    engine = Engine([rules[i] for i in rng.permutation(len(rules))])
    graph = language(text)
    made = engine.run(graph)
    assert len(engine.steps) <= 20 * len(graph.nodes), f"seed {seed}"
    assert agrees(graph.outputs[0], made.outputs[0]), f"seed {seed}"


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_gradients_keep_their_value(text: str) -> None:
    """Every rewrite of the joint graph of values and gradients keeps the value of its node."""
    joint = join(language(f"sum({text})"), ["x", "y", "s", "t"])
    for step in joint.after:
        assert step.before.type == step.after.type
        assert agrees(step.before, step.after), f"{text}: {step.rule.name}"
    for before, after in zip(joint.raw.outputs, joint.gradient.outputs, strict=True):
        assert agrees(before, after)


def test_observer_sees_every_step() -> None:
    seen: list[Any] = []
    engine = Engine(STABILISE, observer=seen.append)
    engine.run(language("log(1 + exp(x)) + x * x"))
    assert seen == engine.steps and len(seen) == 2


def test_evaluation_of_steps_is_not_vacuous() -> None:
    """`agrees` can tell two values apart."""
    graph = language("x - y")
    assert not agrees(graph.outputs[0], build.negative(graph.outputs[0]))
    assert len(evaluate_nodes(graph, {"x": np.ones((1, 2)), "y": np.ones((1, 2)), "s": 0.0, "t": 0.0})) == 5


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("np.diag(a @ b)", {"a": (3,), "b": (4, 3, 4)}),
        ("np.sqrt(n**4)", {"n": "int"}),
        ("np.diag(n @ n.T)", {"n": "int"}),
    ],
)
def test_what_only_looks_like_a_left_side(text: str, inputs: dict[str, Any]) -> None:
    """A row of a stack of products is no product of two matrices, and powers of integers are integers."""
    rng = np.random.default_rng(SEED)
    draws = {k: rng.integers(1, 5, (2, 3)) if v == "int" else rng.normal(size=v) for k, v in inputs.items()}
    found = gc.compile(text, draws)(**draws)
    wanted = eval(text, {"np": np, **draws})
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


def test_a_number_does_not_take_the_dtype_of_an_array_with_it() -> None:
    """Entries of a wider dtype than the other operand's decide the dtype of the result, and so they stay an array."""
    module = gc.compile("x: f32[n]\nreturn where(x > 0, x, zeros((n,)))")
    assert module(np.ones(3, np.float32)).dtype == np.float64
