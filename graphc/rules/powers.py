"""Powers, roots and absolute values.

    sqrt(x**2)      abs(x)       no overflow in between
    sqrt(x**3)      x**1.5       and the slope at 0, which is 0
    x / sqrt(x)     sqrt(x)      also where both are 0

Rules with `sqrt` run before differentiation: they decide where its infinite slope counts.
"""

from __future__ import annotations

from graphc.expr import build
from graphc.ir.leaf import scalar_value
from graphc.ir.node import Node
from graphc.rewrite.rule import ComputedRule, Exact, Rule
from graphc.rewrite.views import Factor, Views, build_product, conform


def absolute_of_negative(node: Node, views: Views) -> Node | None:
    """The size of the opposite is the size."""
    inner = node.args[0]
    return build.apply("absolute", inner.args[0]) if inner.op.name == "negative" else None


def root_of_power(node: Node, views: Views) -> Node | None:
    """The root of a whole power is half the power: sqrt(x**4) is x**2, sqrt(x**6) is |x|**3, sqrt(x**3) is x**1.5."""
    if node.op.name == "power" and scalar_value(node.args[1]) != 0.5:
        return None
    inner = node.args[0]
    twice = 2.0 if inner.op.name == "square" else scalar_value(inner.args[1]) if inner.op.name == "power" else None
    if twice is None or twice < 2 or twice % 1 != 0:
        return None
    base = inner.args[0]
    size = build.apply("absolute", base) if twice % 4 == 2 else base
    half = build.apply("square", size) if twice == 4 else size if twice == 2 else build.power(size, twice / 2)
    return conform(half, node.type)


def factor_over_root(node: Node, views: Views) -> Node | None:
    """A factor divided by a root of itself is a smaller power of it, also where both are 0."""
    view = views.product(node)
    for root in view.factors:
        exponent = root.exponent * _root_exponent(root.base)
        if not -1 < exponent < 0:
            continue
        x = root.base.args[0]
        whole = next((f for f in view.factors if f.base is x and f.exponent > 0), None)
        if whole is None:
            continue
        left = root.base if exponent == -0.5 and root.exponent == -1 else build.power(x, 1 + exponent)
        smaller = {root: Factor(left, 1), whole: Factor(x, whole.exponent - 1)}
        factors = tuple(smaller.get(f, f) for f in view.factors)
        product = build_product(view._replace(factors=tuple(f for f in factors if f.exponent)), node.type.dtype)
        return conform(product, node.type)
    return None


def _root_exponent(x: Node) -> float:
    """The exponent of a root or a power by a number; 0 of anything else."""
    if x.op.name == "sqrt":
        return 0.5
    return (scalar_value(x.args[1]) or 0.0) if x.op.name == "power" else 0.0


def root_of_variance(node: Node, views: Views) -> Node | None:
    """The root of a variance by its name, with the slope 0 where all are equal."""
    inner = node.args[0]
    return build.apply("std", inner.args[0], **inner.attributes) if inner.op.name == "var" else None


def square_of_length(node: Node, views: Views) -> Node | None:
    """The square of a standard deviation or of a norm is smooth where they have a kink."""
    inner = node.args[0]
    if inner.op.name == "std":
        return build.apply("var", inner.args[0], **inner.attributes)
    if inner.op.name == "norm" and inner.args[0].type.dtype == node.type.dtype:
        return build.apply("sum", build.apply("square", inner.args[0]), **inner.attributes)
    return None


B, R = Exact.BITWISE, Exact.ROUNDING
COMPUTED = (
    ComputedRule(
        "absolute-of-negative",
        ("absolute",),
        absolute_of_negative,
        B,
        "the size has no sign",
        (("abs(-x)", "abs(x)"),),
    ),
    ComputedRule(
        "root-of-power",
        ("sqrt", "power"),
        root_of_power,
        R,
        "no overflow in between, and the slope at 0",
        (("sqrt(x**3)", "x**1.5"), ("sqrt(x**4)", "square(x)"), ("sqrt(x**6)", "absolute(x)**3")),
    ),
    ComputedRule(
        "root-of-variance",
        ("sqrt",),
        root_of_variance,
        R,
        "its slope is 0 where all are equal",
        (("sqrt(var(x, axis=1, ddof=1))", "std(x, axis=1, ddof=1)"),),
        over="var",
    ),
    ComputedRule(
        "square-of-length",
        ("square",),
        square_of_length,
        R,
        "the square undoes the root",
        (("std(x, axis=0)**2", "var(x, axis=0)"), ("np.linalg.norm(x)**2", "sum(square(x))")),
    ),
    ComputedRule(
        "factor-over-root",
        ("multiply", "divide"),
        factor_over_root,
        R,
        "no 0/0 where the factor is 0",
        (("x / sqrt(x)", "sqrt(x)"), ("y * x**2 * x**-0.25", "y * x * x**0.75")),
        among=frozenset({"sqrt", "power"}),
    ),
)
PATTERNS = (
    Rule("power-one", "x**1", "x", B, "the first power is the number itself"),
    Rule("power-two", "x**2", "square(x)", B, "NumPy squares by multiplying, too"),
    Rule("power-minus-one", "x**-1", "1 / x", B, "NumPy's -1st power is the reciprocal"),
    Rule("absolute-twice", "absolute(absolute(x))", "absolute(x)", B, "already without a sign"),
    Rule("square-of-absolute", "square(absolute(x))", "square(x)", B, "a square has no sign"),
    Rule(
        "root-of-nonnegative",
        "x**0.5",
        "sqrt(x)",
        R,
        "the root by its name",
        when=("nonnegative(x)",),
        assume={"x": "nonnegative"},
    ),
    Rule("root-of-square", "sqrt(square(x))", "absolute(x)", R, "and no overflow in between"),
    Rule(
        "square-of-root",
        "square(sqrt(x))",
        "x",
        R,
        "the square undoes the root",
        when=("nonnegative(x)",),
        assume={"x": "nonnegative"},
    ),
    Rule("square-of-hypot", "square(hypot(a, b))", "square(a) + square(b)", R, "the square undoes the root"),
    Rule("absolute-of-square", "absolute(square(x))", "square(x)", B, "a square is not negative"),
    Rule(
        "absolute-of-nonnegative",
        "absolute(x)",
        "x",
        R,
        "not negative anyway",
        when=("nonnegative(x)",),
        assume={"x": "nonnegative"},
    ),
)
