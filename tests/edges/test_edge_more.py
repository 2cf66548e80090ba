"""More edge cases: other numbers, spellings and compositions than the suite has.

The smooth ones are compared with mpmath, to 800 digits; the others are worked out by hand.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import edge_case
import mpmath
import numpy as np
import pytest
from edge_case import DOORS, Case

from graphc.errors import GraphcError

BOTH = pytest.mark.parametrize("door", DOORS)
BIG = (-800.0, -40.0, -1.0, 0.3, 1.0, 40.0, 800.0)

# NumPy's names, in many digits and of one number.
DIGITS = SimpleNamespace(
    **{name: getattr(mpmath, name) for name in ("exp", "log", "tanh", "sinh", "cosh", "sqrt", "sin", "cos")},
    pi=mpmath.pi,
    arctan=mpmath.atan,
    log1p=lambda x: mpmath.log(1 + x),
    expm1=lambda x: mpmath.exp(x) - 1,
    logaddexp=lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b)),
    log2=lambda x: mpmath.log(x, 2),
    abs=abs,
    maximum=max,
    where=lambda c, a, b: a if c else b,
)

SMOOTH = [
    ("np.log(np.exp(x) + 1)", BIG),
    ("np.log1p(np.exp(3 * x))", BIG),
    ("1 / (np.exp(-x) + 1)", BIG),
    ("np.exp(-np.log(1 + np.exp(-x)))", BIG),
    ("1 - 1 / (1 + np.exp(x))", BIG),
    ("x / (1 + np.exp(-x))", BIG),
    ("x * np.tanh(np.log1p(np.exp(x)))", BIG),
    ("np.log(np.exp(x) + np.exp(-x))", BIG),
    ("(1 - np.exp(-2 * x)) / (1 + np.exp(-2 * x))", BIG),
    ("(np.exp(2 * x) - 1) / (np.exp(2 * x) + 1)", BIG),
    ("np.log(1 / (1 + np.exp(-x)))", BIG),
    ("-np.log(1 - 1 / (1 + np.exp(-x)))", BIG),
    ("np.exp(2 * x) / (1 + np.exp(2 * x))", BIG),
    ("2 / (1 + np.exp(-2 * x)) - 1", BIG),
    ("np.log(np.exp(x) * 2)", BIG),
    ("np.log(3 * np.exp(x) + 5 * np.exp(-x))", BIG),
    ("np.log(np.exp(x) / (1 + np.exp(x)))", BIG),
    ("np.log(1 + np.exp(x) + np.exp(2 * x))", BIG),
    ("1 / (1 + np.exp(-x))**2", BIG),
    ("np.exp(x) / (1 + np.exp(x))**2", BIG),
    ("1 / (1 + np.exp(-x)) * (1 - 1 / (1 + np.exp(-x)))", BIG),
    ("np.logaddexp(0, x)", BIG),
    ("np.logaddexp(x, 0.3)", BIG),
    ("np.logaddexp(x, -x)", BIG),
    ("np.log2(1 + 2.0**x)", BIG),
    ("x - np.log(1 + np.exp(x))", BIG),
    ("np.log(1 + np.exp(x)) - np.log(1 + np.exp(-x))", BIG),
    ("np.sqrt(np.exp(x))", (-40.0, 1.0, 800.0)),
    ("np.exp(x)**2 / (1 + np.exp(x)**2)", BIG),
    ("np.log(np.exp(x)**2)", BIG),
    ("np.exp(x - 1) / (1 + np.exp(x - 1))", BIG),
    ("1 / (1 + np.exp(1 - 2 * x))", BIG),
    ("np.log(1e-8 + np.exp(x))", (-40.0, 0.0, 800.0)),
    ("1 - np.tanh(x)", BIG),
    ("np.sinh(x) / np.cosh(x)", BIG),
    ("np.log(1 - np.exp(-x))", (1e-10, 0.5, 3.0, 800.0)),
    ("1 - np.exp(-x)", (1e-18, 0.5, 800.0)),
    ("1 - np.exp(-np.exp(x))", (-800.0, -40.0, 0.0, 5.0)),
    ("np.log(-np.log(1 - x))", (1e-12, 0.3, 0.999999)),
    ("-x * np.log(x) - (1 - x) * np.log(1 - x)", (1e-12, 0.3, 0.999999)),
    ("np.log(np.exp(-x**2 / 2) / np.sqrt(2 * np.pi))", (-60.0, 0.0, 60.0)),
    ("np.log(np.exp(-(x - 1)**2) + np.exp(-(x + 1)**2))", (-60.0, 0.0, 0.5, 60.0)),
    ("np.log(1 + np.exp(-np.abs(x))) + np.maximum(x, 0)", (-800.0, -1.0, 1.0, 800.0)),
    ("np.where(x > 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))", BIG),
    ("np.where(x > 0, x + np.log1p(np.exp(-x)), np.log1p(np.exp(x)))", BIG),
    ("np.where(x > 0, x, np.exp(x) - 1)", BIG),
    ("np.where(x < 0, np.exp(x), 1 + x)", BIG),
    ("np.abs(x)**1.5 + np.abs(x)**3", (-2.0, 3.0)),
    ("x**x", (0.5, 2.0)),
    ("np.sqrt(x**2)", (-1e200, -3.0, 2.0)),
]


@BOTH
@pytest.mark.parametrize(("expr", "points"), SMOOTH, ids=lambda value: value if isinstance(value, str) else "")
def test_against_many_digits(expr, points, door):
    """Value and gradient, and no warnings: relatively to 1e-9, absolutely to 1e-12."""
    with mpmath.workdps(800):
        exact = [mpmath.mpf(x) for x in points]

        def f(x):
            return eval(expr, {"np": DIGITS, "x": x})

        output = [float(f(x)) for x in exact]
        slopes = [float(mpmath.diff(f, x, h=abs(x or 1) * mpmath.mpf(10) ** -200)) for x in exact]
        total = float(sum(f(x) for x in exact))
    case = Case("", expr, {"x": list(points)}, total, {"x": slopes}, output, clean=True)
    edge_case.check(case, DOORS[door])


P = [0.09003057317038046, 0.24472847105479767, 0.6652409557748219]  # exp(0, 1, 2) over their sum
LOGS = 2.40760596444438  # log(1 + e + e**2)
E1 = math.exp(-1.0)

BY_HAND = [
    # Kinks: the smallest subgradient, whatever the spelling.
    Case("two-kinks", "np.abs(x) + np.abs(x - 1)", {"x": [0.0, 0.5, 1.0]}, 3.0, {"x": [-1, 0, 1]}),
    Case(
        "three-way-tie",
        "np.maximum(np.maximum(x, y), z)",
        {"x": 1.0, "y": 1.0, "z": 1.0},
        1.0,
        {"x": 0.25, "y": 0.25, "z": 0.5},
    ),
    Case("bound-scaled", "np.maximum(2 * x, 4.0)", {"x": [1.0, 2.0, 3.0]}, 14.0, {"x": [0, 0, 2]}),
    Case("bound-first", "np.minimum(3.0, x)", {"x": [2.0, 3.0, 4.0]}, 8.0, {"x": [1, 0, 0]}),
    Case(
        "clip-product", "np.clip(x * y, 0.0, 1.0)", {"x": [0.5, -1.0], "y": [2.0, 1.0]}, 1.0, {"x": [0, 0], "y": [0, 0]}
    ),
    Case(
        "relu-squared",
        "np.maximum(x, 0)**2",
        {"x": [-1.0, 0.0, 2.0]},
        4.0,
        {"x": [0, 0, 4]},
        hess_diag={"x": [0, 0, 2]},
    ),
    Case("all-tied", "np.max(x)", {"x": [2.0, 2.0, 2.0, 2.0]}, 2.0, {"x": [0.25] * 4}),
    Case("min-axis", "np.min(x, axis=0)", {"x": [[1.0, 2.0], [1.0, 3.0]]}, 3.0, {"x": [[0.5, 1], [0.5, 0]]}),
    Case("x-abs-x", "x * np.abs(x)", {"x": [-2.0, 0.0, 3.0]}, 5.0, {"x": [4, 0, 6]}),
    Case(
        "huber",
        "np.where(np.abs(x) <= 1, 0.5 * x**2, np.abs(x) - 0.5)",
        {"x": [-1.0, 0.0, 1.0, 3.0]},
        3.5,
        {"x": [-1, 0, 1, 1]},
    ),
    Case("softsign", "x / (1 + np.abs(x))", {"x": [0.0, -3.0]}, -0.75, {"x": [1, 0.0625]}),
    Case("where-tie", "np.where(x > y, x, y)", {"x": [1.0, 2.0], "y": [1.0, 1.0]}, 3.0, {"x": [0, 1], "y": [1, 0]}),
    # Norms of nothing.
    Case(
        "hypotenuse",
        "np.sqrt(x**2 + y**2)",
        {"x": [0.0, 3.0], "y": [0.0, 4.0]},
        5.0,
        {"x": [0, 0.6], "y": [0, 0.8]},
        clean=True,
    ),
    Case(
        "zero-row",
        "np.sqrt(np.sum(x**2, axis=1))",
        {"x": [[0.0, 0.0], [3.0, 4.0]]},
        5.0,
        {"x": [[0, 0], [0.6, 0.8]]},
        clean=True,
    ),
    Case(
        "same-points",
        "np.sqrt(np.sum((a - b)**2))",
        {"a": [1.0, 2.0], "b": [1.0, 2.0]},
        0.0,
        {"a": [0, 0], "b": [0, 0]},
        clean=True,
    ),
    Case("root-of-product", "np.sqrt(x * x)", {"x": [0.0, -2.0]}, 2.0, {"x": [0, -1]}, clean=True),
    Case(
        "std-of-equal",
        "np.std(x, axis=1)",
        {"x": [[2.0, 2.0], [1.0, 3.0]]},
        1.0,
        {"x": [[0, 0], [-0.5, 0.5]]},
        clean=True,
    ),
    Case(
        "unit-rows",
        "np.where(np.sum(x**2, axis=1, keepdims=True) > 0, x / np.sqrt(np.sum(x**2, axis=1, keepdims=True)), 0.0)",
        {"x": [[0.0, 0.0], [3.0, 4.0]]},
        1.4,
        {"x": [[0, 0], [0.032, -0.024]]},
        clean=True,  # (|x|**2 - x sum(x)) / |x|**3
    ),
    # Powers.
    Case("power-zero", "x**0", {"x": [0.0, 2.0]}, 2.0, {"x": [0, 0]}, hess_diag={"x": [0, 0]}, clean=True),
    Case("power-four", "x**4", {"x": [0.0, -2.0]}, 16.0, {"x": [0, -32]}, hess_diag={"x": [0, 48]}, clean=True),
    Case("power-minus-two", "x**-2", {"x": [-2.0]}, 0.25, {"x": [0.25]}, hess_diag={"x": [0.375]}, clean=True),
    Case("power-three-halves", "x**1.5", {"x": [0.0, 4.0]}, 8.0, {"x": [0, 3]}, clean=True),
    Case(
        "zero-to-the-two",
        "x**y",
        {"x": [0.0, 3.0], "y": [2.0, 0.0]},
        1.0,
        {"x": [0, 0], "y": [0, math.log(3)]},
        clean=True,
    ),
    Case("root-of-fourth", "np.sqrt(x**4)", {"x": [-2.0]}, 4.0, {"x": [-4]}, clean=True),
    Case("cube-of-square", "(x**2)**1.5", {"x": [-2.0]}, 8.0, {"x": [-12]}, clean=True),
    Case("log-of-square", "np.log(x**2)", {"x": [-3.0]}, 2 * math.log(3), {"x": [-2 / 3]}, clean=True),
    # Masks.
    Case("const-false", "np.where(False, np.log(x), x)", {"x": [-1.0]}, -1.0, {"x": [1]}, clean=True),
    Case(
        "sinc-by-hand",
        "np.where(x != 0, np.sin(x) / x, 1.0)",
        {"x": [0.0, math.pi]},
        1.0,
        {"x": [0, -1 / math.pi]},
        clean=True,
    ),
    Case(
        "odd-root",
        "np.where(x >= 0, np.sqrt(x), -np.sqrt(-x))",
        {"x": [4.0, -4.0]},
        0.0,
        {"x": [0.25, 0.25]},
        clean=True,
    ),
    Case(
        "bump",
        "np.where(x > 0, np.exp(-1 / x), 0.0)",
        {"x": [-1.0, 0.0, 1.0]},
        E1,
        {"x": [0, 0, E1]},
        hess_diag={"x": [0, 0, -E1]},
        clean=True,
    ),
    Case(
        "logit-inside",
        "np.where((x > 0) & (x < 1), np.log(x / (1 - x)), 0.0)",
        {"x": [-1.0, 0.5, 2.0]},
        0.0,
        {"x": [0, 4, 0]},
        clean=True,
    ),
    Case(
        "rows-masked",
        "np.where(m[:, None] > 0, x / d[:, None], 0.0)",
        {"m": [1.0, 0.0], "x": [[2.0, 4.0], [1.0, 1.0]], "d": [2.0, 0.0]},
        3.0,
        {"m": [0, 0], "x": [[0.5, 0.5], [0, 0]], "d": [-1.5, 0]},
        clean=True,
    ),
    Case(
        "ratio-under-bool",
        "np.where(b != 0, a / b, a)",
        {"a": [1.0, 6.0], "b": [0.0, 3.0]},
        3.0,
        {"a": [1, 1 / 3], "b": [0, -2 / 3]},
        clean=True,
    ),
    Case(
        "nan-not-taken",
        "np.where(m > 0, x * y, 1.0)",
        {"m": [1.0, 0.0], "x": [2.0, "nan"], "y": [3.0, "inf"]},
        7.0,
        {"m": [0, 0], "x": [3, 0], "y": [2, 0]},
    ),
    Case(
        "masked-lse",
        "np.log(np.sum(np.where(m > 0, np.exp(x), 0.0)))",
        {"m": [1.0, 0.0, 1.0], "x": [1000.0, 5000.0, 1000.0]},
        1000 + math.log(2),
        {"x": [0.5, 0, 0.5]},
        wrt=("x",),
        clean=True,
    ),
    Case(
        "masked-attention",
        "np.sum(v * (np.where(m, np.exp(x), 0.0) / np.sum(np.where(m, np.exp(x), 0.0), axis=1, keepdims=True)))",
        {
            "m": [[True, True, False], [True, False, False]],
            "x": [[800.0, 800.0, 900.0], [-900.0, 0.0, 5.0]],
            "v": [[2.0, 4.0, 8.0], [3.0, 5.0, 7.0]],
        },
        6.0,
        {"x": [[-0.5, 0.5, 0], [0, 0, 0]]},
        dtypes={"m": "bool"},
        wrt=("x",),
        clean=True,
    ),
    # 0 log 0.
    Case("entropy-certain", "-np.sum(p * np.log(p))", {"p": [1.0, 0.0]}, 0.0, {"p": [-1, "inf"]}),
    Case("poisson-none", "k * np.log(r) - r", {"k": [0.0, 2.0], "r": [0.0, 1.0]}, -1.0, {"r": [-1, 1]}, wrt=("r",)),
    Case(
        "cross-entropy-zero",
        "-np.sum(w * y * np.log(p))",
        {"w": [2.0, 3.0], "y": [0.0, 1.0], "p": [0.0, 0.5]},
        3 * math.log(2),
        {"p": [0, -6]},
        wrt=("p",),
    ),
    # Softmax.
    Case(
        "softmax-last",
        "np.sum(w * np.exp(x) / np.sum(np.exp(x)))",
        {"x": [1000.0, 1001.0, 1002.0], "w": [0.0, 0.0, 1.0]},
        P[2],
        {"x": [-P[2] * P[0], -P[2] * P[1], P[2] * (1 - P[2])], "w": P},
        clean=True,
    ),
    Case(
        "lse-difference",
        "np.log(np.sum(np.exp(x))) - np.log(np.sum(np.exp(y)))",
        {"x": [1000.0, 1001.0, 1002.0], "y": [-1000.0]},
        2000 + LOGS,
        {"x": P, "y": [-1]},
        clean=True,
    ),
    Case(
        "picked-log-softmax",
        "-np.log(np.exp(z) / np.sum(np.exp(z)))[1]",
        {"z": [1000.0, 1001.0, 1002.0]},
        LOGS - 1,
        {"z": [P[0], P[1] - 1, P[2]]},
        clean=True,
    ),
    Case(
        "mean-lse-rows",
        "np.mean(np.log(np.sum(np.exp(x), axis=1)))",
        {"x": [[1000.0, 1001.0, 1002.0], [-2.0, -1.0, 0.0]]},
        (1000 + LOGS + LOGS - 2) / 2,
        {"x": [[p / 2 for p in P]] * 2},
        clean=True,
    ),
    Case(
        "weights-cancel",
        "np.log(np.sum(w * np.exp(x)))",
        {"w": [0.0, 1.0], "x": [5.0, -50.0]},
        -50.0,
        {"w": [math.exp(55), 1], "x": [0, 1]},
        clean=True,
    ),
    Case(
        "weights-huge",
        "np.log(np.sum(w * np.exp(x), axis=0))",
        {"w": [[1.0], [1.0], [1.0]], "x": [[-1000.0], [-1001.0], [-1002.0]]},
        -1002 + LOGS,
        {"x": [[P[2]], [P[1]], [P[0]]]},
        wrt=("x",),
        clean=True,
    ),
    Case(
        "tie-with-number",
        "np.logaddexp(x, 1.5)",
        {"x": [1.5]},
        1.5 + math.log(2),
        {"x": [0.5]},
        hess_diag={"x": [0.25]},
        clean=True,
    ),
    # Shapes, indices, products.
    Case("gather-twice", "np.sum(x[[0, 0, 1]]**2)", {"x": [2.0, 3.0]}, 17.0, {"x": [8, 6]}, hess_diag={"x": [4, 2]}),
    Case(
        "reversed-weights",
        "np.sum(x[::-1] * w)",
        {"x": [1.0, 2.0, 3.0], "w": [1.0, 10.0, 100.0]},
        123.0,
        {"x": [100, 10, 1], "w": [3, 2, 1]},
    ),
    Case(
        "prod-rows", "np.prod(x, axis=1)", {"x": [[0.0, 0.0, 5.0], [0.0, 2.0, 3.0]]}, 0.0, {"x": [[0, 0, 0], [6, 0, 0]]}
    ),
    Case("prod-hess", "np.prod(x)", {"x": [0.0, 2.0, 3.0]}, 0.0, {"x": [6, 0, 0]}, hess_diag={"x": [0, 0, 0]}),
    Case(
        "column-row",
        "np.sum((x - y)**2)",
        {"x": [[1.0], [2.0]], "y": [[1.0, 3.0]]},
        6.0,
        {"x": [[-4], [0]], "y": [[-2, 6]]},
    ),
    Case("empty-sum", "np.sum(x * y)", {"x": [], "y": 2.0}, 0.0, {"x": [], "y": 0}, shapes={"x": (0,)}),
    Case("empty-rows", "np.sum(x, axis=0)", {"x": []}, 0.0, {"x": []}, [0, 0, 0], shapes={"x": (0, 3)}),
    Case("var-of-two", "np.var(x, ddof=1)", {"x": [1.0, 3.0]}, 2.0, {"x": [-2, 2]}, hess_diag={"x": [1, 1]}),
    Case(
        "quadratic-form",
        "x @ A @ x",
        {"x": [1.0, 2.0], "A": [[1.0, 2.0], [3.0, 4.0]]},
        27.0,
        {"x": [12, 21], "A": [[1, 2], [2, 4]]},
        hess_diag={"x": [2, 8]},
    ),
    Case("unused", "np.sum(x)", {"x": [1.0], "y": 2.0, "z": [[1.0, 2.0]]}, 1.0, {"x": [1], "y": 0, "z": [[0, 0]]}),
    Case("quotients", "x / y / y", {"x": [1e300], "y": [1e200]}, 1e-100, {"x": [0.0], "y": [-2e-300]}),
    Case(
        "single-softplus",
        "np.log(1 + np.exp(x))",
        {"x": [-100.0, 0.0, 200.0]},
        200.6931471805599,
        {"x": [0.0, 0.5, 1.0]},
        dtype="float32",
        rtol=1e-6,
        atol=1e-6,
        clean=True,
    ),
    Case(
        "single-masked",
        "np.where(x > 0, np.log(x), 0.0)",
        {"x": [0.0, 2.0]},
        math.log(2),
        {"x": [0, 0.5]},
        dtype="float32",
        rtol=1e-6,
        atol=1e-6,
        clean=True,
    ),
    Case(
        "single-lse",
        "np.log(np.sum(w * np.exp(x)))",
        {"x": [100.0, 100.0], "w": [1.0, 1.0]},
        100 + math.log(2),
        {"x": [0.5, 0.5], "w": [0.5, 0.5]},
        dtype="float32",
        rtol=1e-6,
        atol=1e-6,
        clean=True,
    ),
]


@BOTH
@pytest.mark.parametrize("case", BY_HAND, ids=lambda case: case.id)
def test_by_hand(case, door):
    edge_case.check(case, DOORS[door])


REFUSED = [
    ("x + y", {"x": [1.0, 2.0], "y": [1.0, 2.0, 3.0]}, ValueError),
    ("np.min(x, axis=1)", {"x": [1.0, 2.0]}, ValueError),
    ("np.reshape(x, (4, 2))", {"x": [1.0, 2.0]}, ValueError),
    ("np.concatenate((x, y), axis=0)", {"x": [1.0, 2.0], "y": [[1.0]]}, ValueError),
    ("np.where(x, x, 0.0)", {"x": [1.0, 2.0]}, TypeError),
]


@BOTH
@pytest.mark.parametrize(("expr", "inputs", "kind"), REFUSED)
def test_refused(expr, inputs, kind, door):
    arrays = {name: np.array(value) for name, value in inputs.items()}
    with pytest.raises(GraphcError) as caught:
        DOORS[door](expr, arrays, None)
    assert isinstance(caught.value, kind)
