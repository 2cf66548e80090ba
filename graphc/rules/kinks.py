"""Functions with a kink, by their names: the rectifier, the absolute value, maximum and minimum.

    x - minimum(x, 0)      relu(x)
    (x + abs(x)) / 2       relu(x)

One function has one slope where it has a kink, however it is written: the one of least magnitude.
"""

from __future__ import annotations

from graphc.rewrite.rule import Exact, Rule

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
