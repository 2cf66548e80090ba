"""Naive spellings of the functions that have a stable form.

Each is a textbook identity; the right side neither overflows nor cancels where the left one does.
They run before and after differentiation: correctness, not speed. Sources: Higham, "Accuracy and
Stability of Numerical Algorithms", chapter 1; Maechler, "Accurately computing log(1 - exp(-|a|))";
Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax functions".
"""

from __future__ import annotations

from graphc.expr import build
from graphc.ir.node import Node
from graphc.rewrite.rule import ComputedRule, Exact, Rule
from graphc.rewrite.views import Views

R = Exact.ROUNDING
SAMPLED_REDUCTION = "a reduction: proved on arrays of SymPy symbols of small shapes"


def square_of_exp(node: Node, views: Views) -> Node | None:
    """The square of an exponential, as one exponential."""
    inner = node.args[0]
    return build.apply("exp", build.multiply(2, inner.args[0])) if inner.op.name == "exp" else None


# Why a smooth function is known by its parts.
KINKS = "smooth at 0, where both parts have a kink"

EXPONENTIALS = (
    Rule("reciprocal-of-exp", "1 / exp(x)", "exp(-x)", R, "one division less, and no 1/inf"),
    Rule("log-of-exp", "log(exp(x))", "x", R, "log undoes exp"),
    Rule("exp-of-log", "exp(log(x))", "x", R, "exp undoes log", assume={"x": "positive"}),
    Rule("log-of-reciprocal", "log(1 / x)", "-log(x)", R, "no division", assume={"x": "positive"}),
    Rule("log-of-root", "log(sqrt(x))", "0.5 * log(x)", R, "no root", assume={"x": "positive"}),
    Rule("sigmoid-of-difference", "exp(x) / (exp(x) + exp(y))", "sigmoid(x - y)", R, "no inf/inf for large x"),
    Rule("softplus", "log(1 + exp(x))", "softplus(x)", R, "no overflow for large x"),
    Rule("softplus-of-logaddexp", "logaddexp(0, x)", "softplus(x)", R, "one function of one argument"),
    Rule("softplus-of-log1p", "log1p(exp(x))", "softplus(x)", R, "no overflow for large x"),
    Rule("log1p", "log(1 + x)", "log1p(x)", R, "accurate for small x", when=("variable(x)",), assume={"x": "positive"}),
    Rule("expm1", "exp(x) - 1", "expm1(x)", R, "accurate for small x"),
    Rule("expm1-of-log1p", "expm1(log1p(x))", "x", R, "expm1 undoes log1p", assume={"x": "positive"}),
    Rule("log1p-of-expm1", "log1p(expm1(x))", "x", R, "log1p undoes expm1"),
    Rule("sinh", "exp(x) - exp(-x)", "2 * sinh(x)", R, "accurate for small x"),
    Rule("cosh", "exp(x) + exp(-x)", "2 * cosh(x)", R, "one exponential"),
    Rule("root-of-exp", "sqrt(exp(x))", "exp(0.5 * x)", R, "no overflow for large x"),
    Rule("log-of-cosh", "log(cosh(x))", "logcosh(x)", R, "no overflow, and accurate near 0"),
    Rule("log-of-sech", "log(sech(x))", "-logcosh(x)", R, "no log(0) for large x"),
    Rule("tanh", "sinh(x) / cosh(x)", "tanh(x)", R, "no inf/inf for large x"),
    Rule("tanh-by-expm1", "expm1(x) / (1 + exp(x))", "tanh(0.5 * x)", R, "no inf/inf for large x"),
    Rule("tanh-by-two-expm1", "expm1(x) / (2 + expm1(x))", "tanh(0.5 * x)", R, "no inf/inf for large x"),
    Rule("tanh-by-shares", "expm1(x) * sigmoid(-x)", "tanh(0.5 * x)", R, "no inf * 0 for large x"),
    Rule("tanh-by-sech", "sinh(x) * sech(x)", "tanh(x)", R, "no inf * 0 for large x"),
    Rule("sigmoid-by-sech", "exp(x) * sech(x)", "2 * sigmoid(2 * x)", R, "no inf * 0 for large x"),
    Rule("tanh-by-size", "sign(x) * tanh(absolute(x))", "tanh(x)", R, KINKS),
    Rule("tanh-by-negative-size", "sign(x) * tanh(-absolute(x))", "-tanh(x)", R, KINKS),
    Rule("sech", "1 / cosh(x)", "sech(x)", R, "no overflow, and no 0 * inf in its slope"),
    Rule("sech-squared", "1 / square(cosh(x))", "square(sech(x))", R, "no overflow for large x"),
    Rule("sech-of-half", "1 / (1 + cosh(x))", "0.5 * square(sech(0.5 * x))", R, "no overflow for large x"),
    Rule("sech-of-half-doubled", "1 / (2 + 2 * cosh(x))", "0.25 * square(sech(0.5 * x))", R, "no overflow for large x"),
    Rule("sech-by-exp", "exp(x) / (1 + exp(2 * x))", "0.5 * sech(x)", R, "no inf/inf for large x"),
    Rule("log1mexp", "log(-expm1(x))", "log1mexp(x)", R, "accurate for very negative x, too"),
    Rule("log1mexp-by-log1p", "log1p(-exp(x))", "log1mexp(x)", R, "accurate for x near 0, too"),
    Rule("logexpm1", "log(expm1(x))", "logexpm1(x)", R, "no overflow for large x"),
    Rule("logexpm1-by-parts", "x + log1mexp(-x)", "logexpm1(x)", R, "no cancellation for small x"),
    Rule(
        "softplus-of-logexpm1",
        "softplus(logexpm1(x))",
        "x",
        R,
        "one is the inverse of the other",
        assume={"x": "positive"},
    ),
    Rule("tan", "sin(x) / cos(x)", "tan(x)", R, "one function instead of two"),
    Rule("pythagoras", "square(sin(x)) + square(cos(x))", "1", R, "on the unit circle"),
)

SIGMOIDS = (
    Rule("logistic-density", "exp(x) / square(1 + exp(x))", "sigmoid(x) * sigmoid(-x)", R, "no inf/inf for large x"),
    Rule("sigmoid-by-exp", "exp(x) / (1 + exp(x))", "sigmoid(x)", R, "no inf/inf for large x"),
    Rule("sigmoid", "1 / (1 + exp(x))", "sigmoid(-x)", R, "no overflow for large x"),
    Rule("sigmoid-squared", "1 / square(1 + exp(x))", "square(sigmoid(-x))", R, "no overflow for large x"),
    Rule("sigmoid-by-softplus", "exp(-softplus(x))", "sigmoid(-x)", R, "one function instead of two"),
    Rule("exp-times-sigmoid", "exp(x) * sigmoid(-x)", "sigmoid(x)", R, "no inf * 0 for large x"),
    Rule("log-of-sigmoid", "log(sigmoid(x))", "-softplus(-x)", R, "no log(0) for very negative x"),
    Rule("log1p-of-sigmoid", "log1p(-sigmoid(x))", "-softplus(x)", R, "no log(0) for large x"),
    Rule("sigmoid-by-parts", "exp(minimum(x, 0)) * sigmoid(absolute(x))", "sigmoid(x)", R, KINKS),
    Rule("softplus-minus-x", "softplus(x) - x", "softplus(-x)", R, "no cancellation for large x"),
    Rule("x-plus-softplus", "x + softplus(-x)", "softplus(x)", R, "no cancellation for negative x"),
    Rule("softplus-by-parts", "relu(x) + softplus(-absolute(x))", "softplus(x)", R, KINKS),
    Rule("softplus-by-negated-parts", "relu(-x) + softplus(-absolute(x))", "softplus(-x)", R, KINKS),
    Rule("softplus-by-minimum", "softplus(-absolute(x)) - minimum(-x, 0)", "softplus(x)", R, KINKS),
    Rule("log-sigmoid-by-minimum", "minimum(x, 0) - softplus(-absolute(x))", "-softplus(-x)", R, KINKS),
    Rule("softplus-by-positive", "where(x > 0, x, 0) + softplus(-absolute(x))", "softplus(x)", R, KINKS),
    Rule("softplus-by-nonnegative", "where(x >= 0, x, 0) + softplus(-absolute(x))", "softplus(x)", R, KINKS),
    Rule("softplus-by-not-negative", "where(x < 0, 0, x) + softplus(-absolute(x))", "softplus(x)", R, KINKS),
    Rule("softplus-by-not-nonpositive", "where(x <= 0, 0, x) + softplus(-absolute(x))", "softplus(x)", R, KINKS),
    Rule("log-sigmoid-by-negative", "where(x < 0, x, 0) - softplus(-absolute(x))", "-softplus(-x)", R, KINKS),
    Rule("log-sigmoid-by-nonpositive", "where(x <= 0, x, 0) - softplus(-absolute(x))", "-softplus(-x)", R, KINKS),
    Rule("sigmoid-by-branches", "where(x < 0, exp(x), 1) * sigmoid(absolute(x))", "sigmoid(x)", R, KINKS),
    Rule("tanh-by-sigmoid", "2 * sigmoid(x) - 1", "tanh(0.5 * x)", R, "no cancellation for small x"),
    Rule("one-plus-tanh", "1 + tanh(x)", "2 * sigmoid(2 * x)", R, "no cancellation for very negative x"),
    Rule("one-minus-tanh", "1 - tanh(x)", "2 * sigmoid(-2 * x)", R, "no cancellation for large x"),
)


# Before differentiation only: a backward pass multiplies what forward has saved, and s * (1 - s) is the wanted form.
COMPLEMENTS: tuple[Rule | ComputedRule, ...] = (
    Rule("one-minus-sigmoid", "1 - sigmoid(x)", "sigmoid(-x)", R, "no cancellation for large x"),
    ComputedRule(
        "square-of-exp",
        ("square",),
        square_of_exp,
        R,
        "no overflow for large x before a root, a quotient or a logarithm",
        (("exp(x) ** 2", "exp(2 * x)"),),
    ),
)

SOFTMAX = (
    Rule(
        "logsumexp",
        "log(sum(exp(x), axes=a, keepdims=k))",
        "logsumexp(x, axes=a, keepdims=k)",
        R,
        "no overflow for large x",
        proof=SAMPLED_REDUCTION,
    ),
    Rule(
        "softmax",
        "exp(x) / sum(exp(x), axes=a, keepdims=k)",
        "softmax(x, axes=a)",
        R,
        "no inf/inf for large x",
        when=("lines_up(x, a, k)",),
        proof=SAMPLED_REDUCTION,
    ),
    Rule(
        "log-of-softmax", "log(softmax(x, axes=a))", "log_softmax(x, axes=a)", R, "no log(0)", proof=SAMPLED_REDUCTION
    ),
    Rule(
        "log-softmax",
        "x - logsumexp(x, axes=a, keepdims=k)",
        "log_softmax(x, axes=a)",
        R,
        "one pass",
        when=("lines_up(x, a, k)",),
        proof=SAMPLED_REDUCTION,
    ),
    Rule(
        "exp-of-log-softmax",
        "exp(log_softmax(x, axes=a))",
        "softmax(x, axes=a)",
        R,
        "softmax by its name",
        proof=SAMPLED_REDUCTION,
    ),
    Rule(
        "softmax-of-shifted",
        "softmax(x - m, axes=a)",
        "softmax(x, axes=a)",
        R,
        "a common shift cancels",
        when=("constant_over(m, x, a)",),
        proof=SAMPLED_REDUCTION,
    ),
    Rule(
        "log-softmax-of-shifted",
        "log_softmax(x - m, axes=a)",
        "log_softmax(x, axes=a)",
        R,
        "a common shift cancels",
        when=("constant_over(m, x, a)",),
        proof=SAMPLED_REDUCTION,
    ),
    Rule(
        "logsumexp-of-shifted",
        "m + logsumexp(x - m, axes=a, keepdims=k)",
        "logsumexp(x, axes=a, keepdims=k)",
        R,
        "the shift by hand is done inside",
        when=("constant_over(m, x, a)", "shift_lines_up(m, x, a, k)"),
        proof=SAMPLED_REDUCTION,
    ),
    Rule(
        "sum-of-distribution",
        "sum(x, axes=a, keepdims=k)",
        "1",
        R,
        "probabilities sum to 1",
        when=("sums_to_one(x, a)",),
        proof=SAMPLED_REDUCTION,
    ),
    Rule(
        "variance",
        "mean(square(x), axes=a, keepdims=k) - square(mean(x, axes=a, keepdims=k))",
        "var(x, axes=a, keepdims=k, ddof=0)",
        R,
        "two passes do not cancel",
        proof=SAMPLED_REDUCTION,
    ),
)
