"""Functions with a kink, by their names: the rectifier, the absolute value, maximum and minimum.

    x - minimum(x, 0)      relu(x)
    (x + abs(x)) / 2       relu(x)

One function has one slope where it has a kink, however it is written: the one of least magnitude.
"""

from __future__ import annotations

from graphc.expr import build
from graphc.expr.lines import KINKED, BrokenLine, broken_line
from graphc.ir.leaf import scalar_value
from graphc.ir.node import Node
from graphc.rewrite.rule import ComputedRule, Exact, Rule
from graphc.rewrite.views import Views


def one_kink(node: Node, views: Views) -> Node | None:
    """A line that is broken at 0 only, and is 0 there, by its name."""
    if node.op.name == "where" and any(scalar_value(branch) is not None for branch in node.args[1:]):
        return None  # a mask, perhaps, that keeps an argument where it is used
    line = broken_line(node, views.opaque)
    if line is None or line.knots != (0.0,) or line.at_zero != 0.0 or not line.keeps_nan:
        return None
    scaled = node.op.name in ("multiply", "divide", "negative")
    if scaled and not any(a.type.dtype == "bool" for a in node.args) and line.kinks <= {"relu", "absolute"}:
        return None  # a multiple of what has its name already
    named = _named(line)
    return None if named is None or named.type != node.type else named


def _named(line: BrokenLine) -> Node | None:
    left, right = line.slopes
    if left == 0.0:
        return _multiple(right, build.apply("relu", line.x))
    if right == 0.0:
        return _multiple(left, build.apply("minimum", line.x, 0))
    return _multiple(right, build.apply("absolute", line.x)) if left == -right else None


def _multiple(factor: float, x: Node) -> Node:
    return x if factor == 1.0 else build.negative(x) if factor == -1.0 else build.multiply(factor, x)


B, R = Exact.BITWISE, Exact.ROUNDING

# One convention at 0 for one function: the slope of least magnitude.
ONE_KINK = "the rectifier by its name, and its slope at 0"

PATTERNS = (
    Rule("maximum-of-same", "maximum(x, x)", "x", B, "both are the same"),
    Rule("minimum-of-same", "minimum(x, x)", "x", B, "both are the same"),
    Rule("relu", "maximum(x, 0)", "relu(x)", B, "the rectifier by its name"),
    Rule("relu-by-minimum", "x - minimum(x, 0)", "relu(x)", R, ONE_KINK),
    Rule("relu-by-absolute", "x + absolute(x)", "2 * relu(x)", R, ONE_KINK),
    Rule("relu-by-relu", "x + relu(-x)", "relu(x)", R, ONE_KINK),
    Rule("relu-of-minus-by-absolute", "x - absolute(x)", "-2 * relu(-x)", R, ONE_KINK),
    Rule("relu-minus-relu", "relu(x) - relu(-x)", "x", R, "no kink at all"),
    Rule("relu-twice", "relu(relu(x))", "relu(x)", B, "already not negative"),
    Rule(
        "relu-of-nonnegative",
        "relu(x)",
        "x",
        R,
        "not negative anyway",
        when=("nonnegative(x)",),
        assume={"x": "nonnegative"},
    ),
)
COMPUTED = (
    ComputedRule(
        "one-kink",
        ("add", "subtract", "multiply", "divide", "negative", "where", "maximum", "minimum"),
        one_kink,
        R,
        "one name for one function, which rules with it then find",
        (
            ("x * (x > 0)", "relu(x)"),
            ("where(x >= 0, x, -x)", "absolute(x)"),
            ("minimum(x, -x)", "-absolute(x)"),
            ("where(x < 0, 3 * x, 0 * x)", "3 * minimum(x, 0)"),
            ("2 * relu(x) - x", "absolute(x)"),
        ),
        among=frozenset(KINKED),
    ),
)
