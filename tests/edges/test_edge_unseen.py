"""Functions in the many ways in which people write them: one value and one gradient for all of them, at the edges.

    Family("relu", SPELLINGS, {"x": [-2, 0, 3]}, 3.0, {"x": [0, 0, 1]})

Each spelling goes through the text language and through a traced NumPy function, and warnings are errors. Smooth
functions are compared with mpmath, in 900 digits; what has kinks, ties and limits is worked out by hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import edge_case
import mpmath
import pytest
from edge_case import DOORS, Case
from mpmath import mpf

BIG = (-800.0, -40.0, -1.0, 0.0, 1.0, 40.0, 800.0)
LOG_2 = math.log(2.0)


class Family(NamedTuple):
    """A function, its spellings, where it is tried, and what must come of the sum of its values.

    hess: the diagonal of the second derivative, for some inputs.  only: spellings for one door.
    """

    name: str
    spellings: Sequence[str]
    inputs: dict[str, Any]
    value: Any
    grads: dict[str, Any]
    output: Any = None
    hess: Mapping[str, Any] = MappingProxyType({})
    wrt: tuple[str, ...] | None = None
    clean: bool = True
    dtypes: Mapping[str, str] = MappingProxyType({})
    atol: float = 1e-12

    def cases(self) -> Iterator[Case]:
        for text in self.spellings:
            yield Case(
                self.name, text, self.inputs, self.value, self.grads, self.output, self.hess, wrt=self.wrt,
                clean=self.clean, dtypes=self.dtypes, atol=self.atol,
            )  # fmt: skip


def smooth(name: str, f: Callable[[Any], Any], spellings: Sequence[str], points: Sequence[float] = BIG) -> Family:
    """A function of one number, whose value and slope are those of `f` in many digits."""
    with mpmath.workdps(900):
        exact = [mpf(p) for p in points]
        output = [float(f(p)) for p in exact]
        slopes = [float(mpmath.diff(f, p, h=mpf(10) ** -250)) for p in exact]
        total = float(sum(f(p) for p in exact))
    return Family(name, spellings, {"x": list(points)}, total, {"x": slopes}, output)


exp, log = mpmath.exp, mpmath.log
A = "np.exp(-np.abs(x))"  # the exponential that the usual stable forms have
SMOOTH = [
    smooth("softplus", lambda x: log(1 + exp(x)), [
        "np.log(1 + np.exp(x))", "np.log1p(np.exp(x))", "np.logaddexp(0, x)", f"np.maximum(x, 0) + np.log1p({A})",
        f"x * (x > 0) + np.log1p({A})", f"(x >= 0) * x + np.log1p({A})", f"np.where(x >= 0, x, 0) + np.log(1 + {A})",
        f"np.where(x < 0, 0, x) + np.log1p({A})", "np.maximum(x, 0) + np.log1p(np.exp(np.minimum(x, -x)))",
        "np.log1p(np.exp(-np.maximum(x, -x))) + x * (x > 0)", f"(x + np.abs(x)) / 2 + np.log1p({A})",
        "np.where(x > 0, x + np.log1p(np.exp(-x)), np.log1p(np.exp(x)))", "-np.log(1 - 1 / (1 + np.exp(-x)))",
        "x - np.log(1 / (1 + np.exp(-x)))", "0.5 * x + np.log(2 * np.cosh(0.5 * x))",
        f"np.clip(x, 0, None) + np.log1p({A})", f"-np.minimum(-x, 0) + np.log1p({A})",
    ]),
    smooth("log-sigmoid", lambda x: -log(1 + exp(-x)), [
        "np.log(1 / (1 + np.exp(-x)))", "-np.log1p(np.exp(-x))", f"np.minimum(x, 0) - np.log1p({A})",
        f"np.where(x < 0, x, 0) - np.log1p({A})", f"x * (x < 0) - np.log1p({A})", "x - np.logaddexp(0, x)",
        "np.log(np.exp(x) / (1 + np.exp(x)))", "np.log(0.5 * (1 + np.tanh(x / 2)))", "np.log1p(-1 / (1 + np.exp(x)))",
        "np.where(x >= 0, -np.log1p(np.exp(-x)), x - np.log1p(np.exp(x)))", f"(x - np.abs(x)) / 2 - np.log1p({A})",
    ]),
    smooth("sigmoid", lambda x: 1 / (1 + exp(-x)), [
        "1 / (1 + np.exp(-x))", "np.exp(x) / (1 + np.exp(x))", "0.5 * (1 + np.tanh(x / 2))", "(1 + np.exp(-x)) ** -1",
        "np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))", "1 - 1 / (1 + np.exp(x))",
        f"np.exp(np.minimum(x, 0)) / (1 + {A})", f"np.where(x < 0, np.exp(x), 1.0) / (1 + {A})",
        "np.exp(x / 2) / (np.exp(x / 2) + np.exp(-x / 2))", "np.exp(x - np.logaddexp(0, x))",
        "np.exp(x) / (np.exp(x) + np.exp(0 * x))",
    ]),
    smooth("tanh", mpmath.tanh, [
        "np.tanh(x)", "(np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))", "np.sinh(x) / np.cosh(x)",
        "(np.exp(2 * x) - 1) / (np.exp(2 * x) + 1)", "2 / (1 + np.exp(-2 * x)) - 1", "1 - 2 / (np.exp(2 * x) + 1)",
        "np.expm1(2 * x) / (np.expm1(2 * x) + 2)", "-np.expm1(-2 * x) / (1 + np.exp(-2 * x))",
        "np.sign(x) * (1 - np.exp(-2 * np.abs(x))) / (1 + np.exp(-2 * np.abs(x)))",
    ]),
    smooth("log-cosh", lambda x: log(mpmath.cosh(x)), [
        "np.log(np.cosh(x))", "np.log((np.exp(x) + np.exp(-x)) / 2)", "np.log(np.exp(x) + np.exp(-x)) - np.log(2)",
        "np.logaddexp(x, -x) - np.log(2.0)", "np.abs(x) + np.log1p(np.exp(-2 * np.abs(x))) - np.log(2)",
        "x + np.log1p(np.exp(-2 * x)) - np.log(2)", "-np.log(1 / np.cosh(x))",
        "np.log((np.exp(x) + 1 / np.exp(x)) / 2)",
    ]),
    smooth("log-two-exponentials", lambda x: log(2 * mpmath.cosh(x) + 3), [
        "np.log(np.exp(x) + np.exp(-x) + 3)", "np.log(2 * np.cosh(x) + 3)", "np.log(3 + np.exp(-x) + np.exp(x))",
        "np.logaddexp(np.logaddexp(x, -x), np.log(3.0))",
    ]),
    smooth("sech", lambda x: 1 / mpmath.cosh(x), [
        "1 / np.cosh(x)", "2 / (np.exp(x) + np.exp(-x))", "2 * np.exp(x) / (np.exp(2 * x) + 1)",
        "2 * np.exp(-np.abs(x)) / (1 + np.exp(-2 * np.abs(x)))",
    ]),
    smooth("sech-squared", lambda x: 1 / mpmath.cosh(x) ** 2, [
        "1 / np.cosh(x) ** 2", "1 - np.tanh(x) ** 2", "(1 - np.tanh(x)) * (1 + np.tanh(x))",
        "np.square(1 / np.cosh(x))",
        "4 / (np.exp(x) + np.exp(-x)) ** 2", "(2 / (np.exp(x) + np.exp(-x))) ** 2",
    ]),
    smooth("bernoulli-variance", lambda x: exp(x) / (1 + exp(x)) ** 2, [
        "np.exp(x) / (1 + np.exp(x)) ** 2", "1 / (1 + np.exp(-x)) * (1 - 1 / (1 + np.exp(-x)))",
        "0.25 / np.cosh(x / 2) ** 2", "1 / (np.exp(x) + 2 + np.exp(-x))", "1 / (2 + 2 * np.cosh(x))",
        "0.25 * (1 - np.tanh(x / 2) ** 2)",
    ]),
    smooth("swish", lambda x: x / (1 + exp(-x)), [
        "x / (1 + np.exp(-x))", "x * np.exp(x) / (1 + np.exp(x))", "0.5 * x * (1 + np.tanh(x / 2))",
        "x * np.exp(-np.logaddexp(0, -x))", f"x * np.where(x < 0, np.exp(x), 1.0) / (1 + {A})",
    ]),
    smooth("mish", lambda x: x * mpmath.tanh(log(1 + exp(x))), [
        "x * np.tanh(np.log(1 + np.exp(x)))", "x * np.tanh(np.logaddexp(0, x))", "x * np.tanh(np.log1p(np.exp(x)))",
        f"x * np.tanh(np.maximum(x, 0) + np.log1p({A}))", f"x * np.tanh(x * (x > 0) + np.log1p({A}))",
    ]),
    smooth("log-one-minus-exp", lambda x: log(1 - exp(-x)), [
        "np.log(1 - np.exp(-x))", "np.log1p(-np.exp(-x))", "np.log(-np.expm1(-x))", "np.log(1 - 1 / np.exp(x))",
    ], (1e-10, 0.5, 3.0, 800.0)),
    smooth("inverse-softplus", lambda x: log(exp(x) - 1), [
        "np.log(np.exp(x) - 1)", "np.log(np.expm1(x))", "x + np.log(1 - np.exp(-x))", "x + np.log1p(-np.exp(-x))",
        "x + np.log(-np.expm1(-x))",
    ], (1e-10, 0.5, 3.0, 800.0)),
    smooth("elu", lambda x: x if x > 0 else exp(x) - 1, [
        "np.where(x > 0, x, np.exp(x) - 1)", "np.where(x >= 0, x, np.expm1(x))", "np.where(x < 0, np.exp(x) - 1, x)",
        "np.where(x > 0, x, np.exp(np.where(x > 0, 0, x)) - 1)",
    ]),
    smooth("gaussian-log-density", lambda x: -(x**2) / 2 - log(2 * mpmath.pi) / 2, [
        "np.log(np.exp(-x**2 / 2) / np.sqrt(2 * np.pi))", "-0.5 * x**2 - 0.5 * np.log(2 * np.pi)",
        "np.log(1 / np.sqrt(2 * np.pi) * np.exp(-0.5 * x * x))",
        "np.log(np.exp(-0.5 * x * x)) - np.log(np.sqrt(2 * np.pi))",
    ], (-60.0, 0.0, 1.0, 60.0)),
    smooth("power-zero", lambda x: mpf(1) + 0 * x, ["x**0", "np.power(x, 0)", "x**0.0",
    "(x**2) ** 0"], (-1.0, 0.0, 2.0)),
]  # fmt: skip

X, ZEROS, EQUAL, ROWS = [-2.0, 0.0, 3.0], [0.0] * 3, [2.0] * 3, [[0.0, 0.0], [3.0, 4.0]]
BOUNDS = [-2.0, -1.0, 0.0, 1.0, 3.0]
KINKS = [
    Family("relu", [
        "np.maximum(x, 0)", "np.maximum(0, x)", "np.where(x > 0, x, 0)", "np.where(x >= 0, x, 0)",
        "np.where(x < 0, 0, x)",
        "np.where(x <= 0, 0, x)", "np.where(0 <= x, x, 0)", "np.where(~(x < 0), x, 0)", "x * (x > 0)", "x * (x >= 0)",
        "(x > 0) * x", "(x >= 0) * x", "x * (1 - (x < 0))", "np.clip(x, 0, None)", "(x + np.abs(x)) / 2", "x.clip(0)",
        "(np.abs(x) + x) * 0.5", "x - np.minimum(x, 0)", "-np.minimum(-x, 0)", "x * np.heaviside(x, 1)",
        "np.fmax(x, 0)",
        "x * np.where(x >= 0, 1.0, 0.0)", "x * (np.sign(x) + 1) / 2", "x - np.where(x < 0, x, 0)",
        "np.select([x >= 0], [x], 0.0)", "np.where(x >= 0, x, np.zeros_like(x))", "(x + np.sqrt(x**2)) / 2",
    ], {"x": X}, 3.0, {"x": [0, 0, 1]}),
    Family("negative-part", [
        "np.minimum(x, 0)", "np.where(x <= 0, x, 0)", "x * (x <= 0)", "np.clip(x, None, 0)", "(x - np.abs(x)) / 2",
        "x - np.maximum(x, 0)", "-np.maximum(-x, 0)", "np.where(x >= 0, 0, x)",
    ], {"x": X}, -2.0, {"x": [1, 0, 0]}),
    Family("abs", [
        "np.abs(x)", "np.sqrt(x**2)", "(x * x) ** 0.5", "np.maximum(x, -x)", "np.where(x > 0, x, -x)",
        "np.where(x >= 0, x, -x)", "np.where(x < 0, -x, x)", "x * np.sign(x)", "np.hypot(x, 0)",
        "2 * np.maximum(x, 0) - x",
        "np.maximum(x, 0) - np.minimum(x, 0)", "-np.minimum(x, -x)", "np.linalg.norm(x[:, None], axis=1)", "np.fabs(x)",
    ], {"x": X}, 5.0, {"x": [-1, 0, 1]}),
    Family("abs-elsewhere", [
        "np.abs(x - 1)", "np.maximum(x - 1, 1 - x)", "np.where(x >= 1, x - 1, 1 - x)", "np.where(x > 1, x - 1, 1 - x)",
        "np.sqrt((x - 1) ** 2)", "np.maximum(x, 1) - np.minimum(x, 1)", "np.where(1 < x, x - 1, -(x - 1))",
    ], {"x": [0.0, 1.0, 3.0]}, 3.0, {"x": [-1, 0, 1]}),
    Family("hinge", [
        "np.maximum(0, 1 - m)", "np.where(m <= 1, 1 - m, 0)", "np.where(m >= 1, 0, 1 - m)", "(1 - m) * (m <= 1)",
        "np.clip(1 - m, 0, None)", "-np.minimum(m - 1, 0)", "1 - np.minimum(m, 1)", "np.where(1 - m >= 0, 1 - m, 0)",
    ], {"m": [0.0, 1.0, 2.0]}, 1.0, {"m": [-1, 0, 0]}),
    Family("leaky-relu", [
        "np.where(x > 0, x, 0.1 * x)", "np.where(x >= 0, x, 0.1 * x)", "np.maximum(x, 0.1 * x)",
        "np.maximum(0.1 * x, x)",
        "np.where(x < 0, 0.1 * x, x)", "np.maximum(x, 0) + 0.1 * np.minimum(x, 0)", "x * np.where(x >= 0, 1, 0.1)",
        "np.maximum(0, x) - 0.1 * np.maximum(0, -x)",
    ], {"x": X}, 2.8, {"x": [0.1, 0.1, 1]}),
    Family("quantile-loss", [
        "np.maximum(0.3 * x, -0.7 * x)", "np.where(x >= 0, 0.3 * x, -0.7 * x)", "x * (0.3 - (x < 0))",
        "0.3 * np.maximum(x, 0) + 0.7 * np.maximum(-x, 0)", "np.where(x < 0, (0.3 - 1) * x, 0.3 * x)",
    ], {"x": X}, 2.3, {"x": [-0.7, 0, 0.3]}),
    Family("clip", [
        "np.clip(x, -1, 1)", "np.minimum(np.maximum(x, -1), 1)", "np.where(x < -1, -1, np.where(x > 1, 1, x))",
        "np.where(x <= -1, -1, np.where(x >= 1, 1, x))", "np.where(np.abs(x) <= 1, x, np.sign(x))",
        "np.where((x >= -1) & (x <= 1), x, np.sign(x))", "np.select([x < -1, x > 1], [-1.0, 1.0], x)",
        "np.where(x < -1, -1.0, np.minimum(x, 1))",
    ], {"x": BOUNDS}, 0.0, {"x": [0, 0, 1, 0, 0]}),
    Family("soft-threshold", [
        "np.sign(x) * np.maximum(np.abs(x) - 1, 0)", "np.where(np.abs(x) >= 1, x - np.sign(x), 0)",
        "np.maximum(x - 1, 0) - np.maximum(-x - 1, 0)", "np.where(x >= 1, x - 1, np.where(x <= -1, x + 1, 0))",
        "np.maximum(x - 1, 0) + np.minimum(x + 1, 0)",
    ], {"x": BOUNDS}, 1.0, {"x": [1, 0, 0, 0, 1]}),
    Family("dead-zone", [
        "np.maximum(np.abs(x) - 1, 0)", "np.where(np.abs(x) >= 1, np.abs(x) - 1, 0)",
        "(np.abs(x) - 1) * (np.abs(x) >= 1)",
        "np.maximum(x - 1, 0) + np.maximum(-x - 1, 0)", "np.where(np.abs(x) < 1, 0, np.abs(x) - 1)",
    ], {"x": BOUNDS}, 3.0, {"x": [-1, 0, 0, 0, 1]}),
    Family("relu-squared", [
        "np.maximum(x, 0) ** 2", "np.where(x > 0, x**2, 0)", "np.where(x >= 0, x, 0) ** 2", "(x >= 0) * x**2",
        "x * np.maximum(x, 0)", "np.square(np.maximum(x, 0))",
    ], {"x": X}, 9.0, {"x": [0, 0, 6]}, hess={"x": [0, "any", 2]}),
    Family("tie-of-two", [
        "np.maximum(x, y)", "np.maximum(y, x)", "(x + y + np.abs(x - y)) / 2", "np.max(np.stack([x, y]), axis=0)",
        "np.fmax(x, y)", "np.where(x == y, (x + y) / 2, np.maximum(x, y))",
    ], {"x": [1.0, 1.0], "y": [1.0, 2.0]}, 3.0, {"x": [0.5, 0], "y": [0.5, 1]}),
    Family("max-over-axis", [
        "np.max(x, axis=1)", "np.amax(x, axis=1)", "x.max(axis=1)", "-np.min(-x, axis=1)", "np.max(x.T, axis=0)",
        "np.max(x, axis=1, keepdims=True)[:, 0]",
    ], {"x": [[2.0, 2.0, 1.0], [0.0, 1.0, 5.0]]}, 7.0, {"x": [[0.5, 0.5, 0], [0, 0, 1]]}),
]  # fmt: skip

LENGTHS = [
    Family("norm", [
        "np.linalg.norm(x)", "np.sqrt(np.sum(x**2))", "np.sum(x**2) ** 0.5", "(x @ x) ** 0.5", "np.sqrt(np.dot(x, x))",
        "np.sqrt(np.einsum('i,i->', x, x))", "np.sqrt(np.sum(np.abs(x) ** 2))", "np.power(np.sum(x * x), 0.5)",
        "np.sqrt(x[0] ** 2 + x[1] ** 2 + x[2] ** 2)", "np.sqrt(np.linalg.norm(x) ** 2)",
        "np.sum(np.abs(x) ** 3) ** (1 / 3)",
    ], {"x": ZEROS}, 0.0, {"x": ZEROS}),
    Family("root-mean-square", [
        "np.sqrt(np.mean(x**2))", "np.mean(x**2) ** 0.5", "np.sqrt(x @ x / 3)", "np.sqrt(2 * x @ x)",
        "np.sqrt(np.sum(3 * x**2))", "np.linalg.norm(x) / np.sqrt(3)", "np.sqrt(np.average(x * x))",
    ], {"x": ZEROS}, 0.0, {"x": ZEROS}),
    Family("standard-deviation", [
        "np.std(x)", "np.sqrt(np.var(x))", "np.var(x) ** 0.5", "np.sqrt(np.mean((x - np.mean(x)) ** 2))",
        "np.mean((x - np.mean(x)) ** 2) ** 0.5", "np.sqrt(np.sum((x - x.mean()) ** 2) / 3)",
        "np.sqrt(np.var(x, ddof=1))",
        "np.sqrt(np.mean(x**2) - np.mean(x) ** 2)",
    ], {"x": EQUAL}, 0.0, {"x": ZEROS}),
    Family("variance", [
        "np.var(x)", "np.mean((x - np.mean(x)) ** 2)", "np.mean(x**2) - np.mean(x) ** 2", "np.std(x) ** 2",
        "np.sum((x - x.mean()) ** 2) / x.size", "np.mean(np.abs(x - np.mean(x)) ** 2)",
    ], {"x": [1e8] * 3}, 0.0, {"x": ZEROS}, hess={"x": [4 / 9] * 3}),
    Family("norm-of-rows", [
        "np.linalg.norm(x, axis=1)", "np.sqrt(np.sum(x**2, axis=1))", "np.sqrt(np.einsum('ij,ij->i', x, x))",
        "np.einsum('ij,ij->i', x, x) ** 0.5", "np.sqrt(np.diag(x @ x.T))", "np.hypot(x[:, 0], x[:, 1])",
        "np.sqrt(x[:, 0] ** 2 + x[:, 1] * x[:, 1])", "np.sum(x * x, 1) ** 0.5",
    ], {"x": ROWS}, 5.0, {"x": [[0, 0], [0.6, 0.8]]}),
    Family("hypot", [
        "np.hypot(x, y)", "np.sqrt(x**2 + y**2)", "(x * x + y * y) ** 0.5", "np.sqrt(np.abs(x) ** 2 + np.abs(y) ** 2)",
        "np.linalg.norm(np.stack([x, y]), axis=0)", "np.sqrt(np.sum(np.stack([x, y]) ** 2, axis=0))",
    ], {"x": [0.0, 3.0], "y": [0.0, -4.0]}, 5.0, {"x": [0, 0.6], "y": [0, -0.8]}),
    Family("root-of-cube", [
        "np.sqrt(x**3)", "np.sqrt(x * x * x)", "(x**3) ** 0.5", "x**1.5", "x * np.sqrt(x)", "np.sqrt(x) * x",
        "x * x**0.5",
        "np.sqrt(x) ** 3", "x**2 / np.sqrt(x)",
    ], {"x": [0.0, 4.0]}, 8.0, {"x": [0, 3]}),
    Family("root-of-fourth", [
        "np.sqrt(x**4)", "(x**4) ** 0.5", "np.sqrt(x**2 * x**2)", "np.abs(x) ** 2", "np.sqrt((x**2) ** 2)",
    ], {"x": [0.0, -2.0]}, 4.0, {"x": [0, -4]}),
    Family("product-with-zero", [
        "np.prod(x)", "np.cumprod(x)[-1]", "x[0] * x[1] * x[2]", "np.prod(x[::-1])", "np.prod(x, keepdims=True)[0]",
    ], {"x": [0.0, 2.0, 3.0]}, 0.0, {"x": [6, 0, 0]}, hess={"x": ZEROS}),
    Family("power", ["x**y", "np.power(x, y)", "np.float_power(x, y)", "1.0 * x**y"],
        {"x": [0.0, 0.0, 2.0], "y": [0.0, 2.0, 3.0]}, 9.0, {"x": [0, 0, 12], "y": [0, 0, 8 * LOG_2]}),
]  # fmt: skip

P, Q = [0.0, 0.25, 0.75], [0.2, 0.3, 0.5]
KL = sum(p * math.log(p / q) for p, q in zip(P, Q, strict=True) if p)
LIMITS = [
    Family("entropy", [
        "-np.sum(p * np.log(p))", "-(np.log(p) * p).sum()", "-p @ np.log(p)", "-np.dot(p, np.log(p))",
        "-np.einsum('i,i->', p, np.log(p))", "np.sum(p * np.log(1 / p))", "np.dot(p, -np.log(p))",
        "-np.sum(p * np.log2(p)) * np.log(2.0)",
    ], {"p": P}, -sum(p * math.log(p) for p in P if p), {"p": ["inf", *(-1 - math.log(p) for p in P[1:])]},
    clean=False),
    Family("relative-entropy", [
        "np.sum(p * np.log(p / q))", "np.sum(p * (np.log(p) - np.log(q)))", "p @ (np.log(p) - np.log(q))",
        "np.sum(p * np.log(p)) - np.sum(p * np.log(q))", "-np.sum(p * np.log(q / p))", "np.dot(p, np.log(p / q))",
        "np.sum((np.log(p) - np.log(q)) * p / 1.0)", "np.sum(np.where(p > 0, p * np.log(p / q), 0))",
        "np.einsum('i,i->', p, np.log(p) - np.log(q))",
    ], {"p": P, "q": Q}, KL, {"q": [-p / q for p, q in zip(P, Q, strict=True)]}, wrt=("q",)),
    Family("relative-entropy-of-nothing", [
        "np.sum(p * np.log(p / q))", "np.sum(p * (np.log(p) - np.log(q)))", "p @ (np.log(p) - np.log(q))",
        "np.dot(p, np.log(p / q))", "np.sum(p * np.log(p) - p * np.log(q))",
    ], {"p": [0.0, 1.0], "q": [0.0, 1.0]}, 0.0, {"q": [0, -1]}, wrt=("q",)),
    Family("poisson", ["r - k * np.log(r)", "r - np.log(r) * k", "-(k * np.log(r) - r)", "-k * np.log(r) + r"],
        {"k": [0.0, 2.0], "r": [0.0, 1.0]}, 1.0, {"r": [1, -1]}, wrt=("r",)),
    Family("masked-log", [
        "np.where(x > 0, np.log(x), 0)", "np.where(x <= 0, 0, np.log(x))", "np.log(np.where(x > 0, x, 1))",
        "np.where(~(x > 0), 0.0, np.log(x))", "np.select([x > 0], [np.log(x)], 0)",
    ], {"x": [-1.0, 0.0, 2.0]}, LOG_2, {"x": [0, 0, 0.5]}, hess={"x": [0, 0, -0.25]}),
    Family("masked-root", [
        "np.where(x > 0, np.sqrt(x), 0)", "np.where(x > 0, x**0.5, 0)", "np.sqrt(np.where(x > 0, x, 1)) * (x > 0)",
        "np.sqrt(np.maximum(x, 0))", "np.maximum(x, 0) ** 0.5",
    ], {"x": [-1.0, 0.0, 4.0]}, 2.0, {"x": [0, 0, 0.25]}, hess={"x": [0, 0, -1 / 32]}),
    Family("masked-quotient", [
        "np.where(y != 0, x / y, 0)", "np.where(y == 0, 0, x / y)", "x / np.where(y != 0, y, 1) * (y != 0)",
        "np.where(np.abs(y) > 0, x / y, 0.0)", "np.where(y != 0, x * (1 / y), 0)",
    ], {"x": [1.0, 6.0], "y": [0.0, 3.0]}, 2.0, {"x": [0, 1 / 3], "y": [0, -2 / 3]}, hess={"y": [0, 4 / 9]}),
]  # fmt: skip

LOGITS = [[1000.0, -1000.0, 0.0], [-800.0, 800.0, 799.0], [0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]
SOFT = [[0.0, 1.0, 0.0], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.25, 0.25, 0.5]]
LABELS = [2, 2, 1, 0]
SCORES = [-1000.0, -800.0, -1.0, 0.0, 2.0, 800.0, 1000.0]
TARGETS = [1.0, 0.0, 1.0, 0.5, 0.25, 1.0, 0.0]
SOFTMAXES = [
    "np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)",
    "np.exp(z) / np.exp(z).sum(axis=1)[:, None]",
    "np.exp(z - z.max(axis=1)[:, None]) / np.sum(np.exp(z - z.max(axis=1)[:, None]), axis=1, keepdims=True)",
    "np.exp(z - np.log(np.sum(np.exp(z), axis=1, keepdims=True)))",
    "(np.exp(z).T / np.sum(np.exp(z), axis=1)).T",
]
SIGMOIDS = [
    "1 / (1 + np.exp(-z))",
    "np.exp(z) / (1 + np.exp(z))",
    "0.5 * (1 + np.tanh(z / 2))",
    "1 - 1 / (1 + np.exp(z))",
]


def shares(row: Sequence[Any]) -> list[Any]:
    total = sum(exp(v) for v in row)
    return [exp(v) / total for v in row]


def cross_entropy(
    name: str, weights: Any, extra: dict[str, Any], spellings: Sequence[str], heat: float = 1.0
) -> Family:
    """The mean of -sum(w * log(softmax(z / heat))), in many digits."""
    with mpmath.workdps(900):
        rows = [[mpf(v) / mpf(heat) for v in row] for row in LOGITS]
        pairs = list(zip(rows, weights, strict=True))
        loss = -sum(mpf(w) * (v - log(sum(exp(u) for u in r))) for r, k in pairs for v, w in zip(r, k, strict=True)) / 4
        grads = [[float((s - mpf(w)) / 4 / mpf(heat)) for s, w in zip(shares(r), k, strict=True)] for r, k in pairs]
    return Family(name, spellings, {"z": LOGITS, **extra}, float(loss), {"z": grads}, wrt=("z",))


def binary(spellings: Sequence[str]) -> Family:
    with mpmath.workdps(900):
        pairs = [(mpf(z), mpf(y)) for z, y in zip(SCORES, TARGETS, strict=True)]
        loss = sum(log(1 + exp(z)) - y * z for z, y in pairs) / 7
        grads = [float((1 / (1 + exp(-z)) - y) / 7) for z, y in pairs]
    inputs = {"z": SCORES, "y": TARGETS}
    return Family("binary-cross-entropy", spellings, inputs, float(loss), {"z": grads}, wrt=("z",))


ROW = [[1000.0, 1001.0, -1000.0], [-1000.0, -1001.0, -3000.0], [0.5, 1.0, 2.0]]
with mpmath.workdps(900):
    PARTS = [[float(p) for p in shares([mpf(v) for v in row])] for row in ROW]
    TOTALS = float(sum(log(sum(exp(mpf(v)) for v in row)) for row in ROW))
ONE_HOT = [[float(k == y) for k in range(3)] for y in LABELS]
LOSSES = [
    cross_entropy("labels", ONE_HOT, {"y": LABELS}, [
        *(f"-np.mean(np.log(({p})[np.arange(4), y]))" for p in SOFTMAXES),
        *(f"np.mean(-np.log(np.take_along_axis({p}, y[:, None], axis=1)))" for p in SOFTMAXES),
        *(f"-np.sum(np.eye(3)[y] * np.log({p})) / 4" for p in SOFTMAXES),
        *(f"-np.mean(np.log(np.sum(np.eye(3)[y] * ({p}), axis=1)))" for p in SOFTMAXES),
        *(f"-np.mean(np.log(({p}).T[y, np.arange(4)]))" for p in SOFTMAXES),
        *(f"-np.mean(np.log(np.take(np.ravel({p}), np.arange(4) * 3 + y)))" for p in SOFTMAXES),
        "np.mean(np.log(np.sum(np.exp(z), axis=1)) - z[np.arange(4), y])",
        "np.mean(np.log(np.sum(np.exp(z - z[np.arange(4), y][:, None]), axis=1)))",
        "-np.mean(np.log(np.exp(z[np.arange(4), y]) / np.sum(np.exp(z), axis=1)))",
    ])._replace(dtypes={"y": "int64"}),
    cross_entropy("soft-labels", SOFT, {"q": SOFT}, [
        *(f"-np.mean(np.sum(q * np.log({p}), axis=1))" for p in SOFTMAXES),
        *(f"-np.einsum('ij,ij->', q, np.log({p})) / 4" for p in SOFTMAXES),
        *(f"-np.trace(q @ np.log({p}).T) / 4" for p in SOFTMAXES),
        "np.mean(np.log(np.sum(np.exp(z), axis=1)) * np.sum(q, axis=1) - np.sum(q * z, axis=1))",
    ]),
    cross_entropy("temperature", SOFT, {"q": SOFT, "t": 0.5}, [
        "-np.mean(np.sum(q * np.log(np.exp(z / t) / np.sum(np.exp(z / t), axis=1, keepdims=True)), axis=1))",
        "-np.mean(np.sum(q * (z / t - np.log(np.sum(np.exp(z / t), axis=1, keepdims=True))), axis=1))",
        "-np.mean(np.sum(q * np.log(np.exp(z * (1 / t)) / np.sum(np.exp(z * (1 / t)), axis=1)[:, None]), axis=1))",
        "-np.mean(np.sum(q * np.log(np.exp(z)**2 / np.sum(np.exp(z)**2, axis=1, keepdims=True)), axis=1)) + 0 * t",
    ], heat=0.5),
    binary([
        *(f"-np.mean(y * np.log({s}) + (1 - y) * np.log(1 - ({s})))" for s in SIGMOIDS),
        *(f"-np.mean(y * np.log({s}) + (1 - y) * np.log1p(-({s})))" for s in SIGMOIDS),
        *(f"-(y @ np.log({s}) + (1 - y) @ np.log(1 - ({s}))) / 7" for s in SIGMOIDS),
        *(f"-np.mean(np.log(({s}) ** y * (1 - ({s})) ** (1 - y)))" for s in SIGMOIDS),
        "np.mean(np.log(1 + np.exp(z)) - y * z)", "np.mean(np.logaddexp(0, z) - y * z)",
        "np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))",
        "np.mean(z * (z > 0) - z * y + np.log1p(np.exp(-np.abs(z))))",
        "np.mean((1 - y) * z + np.log1p(np.exp(-np.abs(z))) + np.maximum(-z, 0))",
        "np.mean(y * np.log1p(np.exp(-z)) + (1 - y) * np.log1p(np.exp(z)))",
        "np.mean(np.where(z >= 0, z - z * y + np.log1p(np.exp(-z)), -z * y + np.log1p(np.exp(z))))",
    ]),
    Family("log-sum-exp", [
        "np.log(np.sum(np.exp(z), axis=1))", "np.log(np.sum(np.exp(z), axis=1, keepdims=True))[:, 0]",
        "np.max(z, axis=1) + np.log(np.sum(np.exp(z - np.max(z, axis=1, keepdims=True)), axis=1))",
        "np.logaddexp(np.logaddexp(z[:, 0], z[:, 1]), z[:, 2])", "np.log(np.exp(z) @ np.ones(3))",
        "np.log(np.exp(z[:, 0]) + np.exp(z[:, 1]) + np.exp(z[:, 2]))", "np.log(np.exp(z).T.sum(axis=0))",
        "np.log(np.mean(np.exp(z), axis=1)) + np.log(3)", "np.log(3 * np.mean(np.exp(z), axis=1))",
        "-np.log(1 / np.sum(np.exp(z), axis=1))", "np.log2(np.sum(np.exp(z), axis=1)) * np.log(2)",
    ], {"z": ROW}, TOTALS, {"z": PARTS}),
    Family("softmax", [
        *(f"({p})[:, 0]" for p in SOFTMAXES), "np.exp(z[:, 0]) / np.sum(np.exp(z), axis=1)",
        "np.exp(z[:, 0]) / (np.exp(z[:, 0]) + np.exp(z[:, 1]) + np.exp(z[:, 2]))",
        "(np.exp(z).T / np.exp(z).T.sum(axis=0))[0]", "np.exp(z[:, 0] - np.log(np.sum(np.exp(z), axis=1)))",
    ], {"z": ROW}, sum(p[0] for p in PARTS), {"z": [[a * (1 - a), -a * b, -a * c] for a, b, c in PARTS]}),
]  # fmt: skip

FAMILIES = [*SMOOTH, *KINKS, *LENGTHS, *LIMITS, *LOSSES]
CASES = [(case, door) for family in FAMILIES for case in family.cases() for door in DOORS]

# What does not hold: docs/conventions.md says so under "Where a limit is not taken".
BY_NAME = {family.name: family for family in FAMILIES}
OPEN = [
    BY_NAME["elu"]._replace(name="elu-by-parts", spellings=["np.maximum(x, 0) + np.expm1(np.minimum(x, 0))"]),
    BY_NAME["binary-cross-entropy"]._replace(
        name="mixture", spellings=["-np.mean(np.log(y / (1 + np.exp(-z)) + (1 - y) / (1 + np.exp(z))))"]
    ),
]


@pytest.mark.parametrize(("case", "door"), CASES, ids=lambda value: value if isinstance(value, str) else value.id)
def test_spelling(case: Case, door: str) -> None:
    edge_case.check(case, DOORS[door])


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("family", OPEN, ids=lambda family: family.name)
@pytest.mark.xfail(reason="docs/conventions.md", strict=True, raises=(AssertionError, FloatingPointError))
def test_open(family: Family, door: str) -> None:
    for case in family.cases():
        edge_case.check(case, DOORS[door])


def test_there_are_many() -> None:
    assert len(FAMILIES) == len(BY_NAME) >= 30
    assert all(len(set(f.spellings)) >= 4 for f in FAMILIES)


def test_the_families_can_fail() -> None:
    """A slope that is another one at the kink, and a function that warns, are noticed."""
    relu = BY_NAME["relu"]
    (wrong,) = relu._replace(spellings=["x * (x > 0)"], grads={"x": [0, 1, 1]}).cases()
    with pytest.raises(AssertionError):
        edge_case.check(wrong, DOORS["text"])
    (warning,) = relu._replace(spellings=["np.maximum(x, 0) + 0 * np.log(x * x)"]).cases()
    with pytest.raises(FloatingPointError):
        edge_case.check(warning, DOORS["numpy"])
