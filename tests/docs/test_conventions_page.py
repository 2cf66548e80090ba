"""Every row of the tables in docs/conventions.md holds: a row without a case here fails, and a case without a row.

| `abs(x)` at 0; a norm ... | 0 | ... |      sum(abs(x)) and norm(x) have the gradient 0 at zeros
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import graphc as gc

PAGE = Path(__file__).parents[2] / "docs" / "conventions.md"
ROW = re.compile(r"^\| (?!where|---)(.+?) \| (.+?) \| .+ \|$", re.MULTILINE)

inf, nan = math.inf, math.nan
ZEROS, TIES = np.zeros((2, 2)), np.array([1.0, 7.0, 7.0, 7.0])
UPPER = np.array([[4.0, 2.0], [2.0, 9.0]])


class Case(NamedTuple):
    """A model, the shapes of its arguments, their values, and the gradient of the first one."""

    text: str
    shapes: dict[str, str]
    values: tuple[Any, ...]
    gradient: Any


X, XY, M = {"x": "n"}, {"x": "()", "y": "()"}, {"A": "n n"}
CASES: dict[str, list[Case]] = {
    "`abs(x)` at 0; a norm, `sqrt(sum(x**2))` at 0": [
        Case(f"{text}", X, (np.zeros(3),), np.zeros(3))
        for text in ("sum(abs(x))", "np.linalg.norm(x)", "sqrt(sum(x**2))", "sqrt(x @ x)")
    ],
    "`relu(x)`, `maximum(x, c)`, `clip` at a constant bound": [
        Case(f"sum({text})", X, (np.array([2.0]),), [0.0])
        for text in ("relu(x - 2)", "maximum(x, 2)", "maximum(2, x)", "clip(x, 2, 3)", "clip(x, 0, 2)", "minimum(x, 2)")
    ],
    "a broken line of one value: `where(x >= 0, x, 0)`, `maximum(x, 0.1 * x)`, `x * (x >= 0)`": [
        *(Case(t, {"x": "()"}, (0.0,), 0.0) for t in ("where(x >= 0, x, 0)", "x * (x >= 0)", "where(x > 0, x, -x)")),
        *(Case(t, {"x": "()"}, (0.0,), 0.1) for t in ("maximum(x, 0.1 * x)", "where(x >= 0, x, 0.1 * x)")),
    ],
    "`abs(x) + abs(x - 1)`, `abs(x) + 3 * x`": [
        Case("abs(x) + abs(x - 1)", {"x": "()"}, (0.0,), -1.0),
        Case("abs(x) + 3 * x", {"x": "()"}, (0.0,), 3.0),
    ],
    "`maximum(x, y)` at a tie": [Case("maximum(x, y)", XY, (3.0, 3.0), 0.5), Case("fmin(y, x)", XY, (3.0, 3.0), 0.5)],
    "`max(x)` over an axis with k ties": [Case("max(x)", X, (TIES,), [0.0, 1 / 3, 1 / 3, 1 / 3])],
    "`sqrt(x)` at 0": [Case("sqrt(x)", {"x": "()"}, (0.0,), inf)],
    "`sqrt(u)` at 0 where u is never negative: a mean of squares, a variance, `abs(x)`": [
        Case(f"sqrt({u})", X, (np.zeros(3),), np.zeros(3)) for u in ("mean(x**2)", "var(x)", "sum(abs(x))")
    ],
    "`x**1.5`, `sqrt(x**3)`, `x * sqrt(x)` at 0": [
        Case(text, {"x": "()"}, (0.0,), 0.0) for text in ("x**1.5", "sqrt(x**3)", "x * sqrt(x)")
    ],
    "`x * log(y)` where x is 0": [
        Case("x * log(y)", {"y": "()", "x": "()"}, (0.0, 0.0), 0.0),
        Case("x * log(y)", XY, (0.0, 0.0), -inf),
        Case("x * log(y)", XY, (0.0, 2.0), math.log(2.0)),
    ],
    "`x**0`, `x**y` where y is 0": [Case("x**0", {"x": "()"}, (0.0,), 0.0), Case("x**y", XY, (0.0, 0.0), 0.0)],
    "`prod(x)` with zeros": [Case("prod(x)", X, (np.array([2.0, 0.0, 3.0]),), [0.0, 6.0, 0.0])],
    "`sign`, `floor`, `ceil`, comparisons": [
        Case(f"sum({text})", X, (np.array([1.0, 2.5]),), [0.0, 0.0])
        for text in ("sign(x)", "floor(x)", "ceil(x)", "where(x > 1, 2.0, 3.0)", "1.0 * (x >= 1)")
    ],
    "`where(c, a, b)`": [
        Case("sum(where(x > 0, log(x), 0))", X, (np.array([2.0, -1.0, 0.0]),), [0.5, 0.0, 0.0]),
        Case("sum(where(x > 0, x, y))", {"x": "n", "y": "n"}, (np.array([2.0, 0.0]), np.array([nan, inf])), [1.0, 0.0]),
    ],
    "an input that no output uses": [Case("2 * y", {"x": "n", "y": "()"}, (np.ones(3), 1.0), np.zeros(3))],
    "`cholesky`, `eigh`, `eigvalsh`": [
        Case("np.linalg.cholesky(A)[1, 0]", M, (np.eye(2),), [[0.0, 0.5], [0.5, 0.0]]),
        Case("np.linalg.eigvalsh(A)[0]", M, (1.0 - np.eye(2),), [[0.5, -0.5], [-0.5, 0.5]]),
        Case("np.linalg.eigh(A)[0][0]", M, (1.0 - np.eye(2),), [[0.5, -0.5], [-0.5, 0.5]]),
    ],
    "a singular value of 0; the spectral and the nuclear norm there": [
        Case(text, M, (ZEROS,), ZEROS)
        for text in ("sum(np.linalg.svd(A)[1])", "np.linalg.norm(A, 2)", "np.linalg.norm(A, 'nuc')")
    ],
    "vectors of equal eigenvalues or singular values": [
        Case("sum(np.linalg.eigh(A)[1])", M, (np.eye(2),), ZEROS),
        Case("sum(np.linalg.svd(A)[0])", M, (np.eye(2),), ZEROS),
    ],
    "`det` of a singular matrix": [
        Case("np.linalg.det(A)", M, (np.diag([2.0, 3.0, 0.0]),), np.diag([0.0, 0.0, 6.0])),
    ],
    "`matrix_rank`, the sign of `slogdet`": [
        Case("1.0 * np.linalg.matrix_rank(A)", M, (UPPER,), ZEROS),
        Case("np.linalg.slogdet(A)[0]", M, (UPPER,), ZEROS),
    ],
    "`sort` with ties": [
        Case(
            "sum(w * sort(x))", {"x": "n", "w": "n"}, (np.array([3.0, 1.0, 1.0]), np.array([1.0, 2.0, 4.0])), [4, 1, 2]
        ),
    ],
    "`median`, `quantile`": [
        Case("median(x)", X, (np.array([4.0, 1.0, 2.0, 9.0]),), [0.5, 0.0, 0.5, 0.0]),
        Case("quantile(x, 0.25)", X, (np.array([4.0, 1.0, 2.0, 9.0]),), [0.0, 0.25, 0.75, 0.0]),
    ],
    "`maximum_accumulate` with k ties so far": [
        Case("sum(maximum_accumulate(x))", X, (np.array([1.0, 3.0, 3.0]),), [1.0, 1.5, 0.5]),
    ],
    "`prod`, `cumprod` with zeros": [
        Case("sum(cumprod(x))", X, (np.array([2.0, 0.0, 3.0, 4.0]),), [1.0, 32.0, 0.0, 0.0]),
        Case("prod(x)", X, (np.array([0.0, 0.0, 3.0]),), [0.0, 0.0, 0.0]),
    ],
    "`nansum` and its kin at NaN": [
        Case("nansum(x)", X, (np.array([1.0, nan]),), [1.0, 0.0]),
        Case("nanmean(x)", X, (np.array([1.0, nan, 3.0]),), [0.5, 0.0, 0.5]),
        Case("nanmax(x)", X, (np.array([1.0, nan]),), [1.0, 0.0]),
        Case("nanprod(x)", X, (np.array([2.0, nan, 3.0]),), [3.0, 0.0, 2.0]),
    ],
    "`interp(x, xp, fp)` in x": [
        Case("interp(x, array([0.0, 1.0, 3.0]), array([5.0, 6.0, 2.0]))", {"x": "()"}, (at,), slope)
        for at, slope in ((1.0, -2.0), (0.5, 1.0), (0.0, 0.0), (3.0, 0.0), (-1.0, 0.0), (4.0, 0.0))
    ],
}
ROWS = [where for where, _ in ROW.findall(PAGE.read_text("utf-8"))]


def test_rows_and_cases_are_the_same() -> None:
    assert list(CASES) == ROWS


@pytest.mark.parametrize("where", CASES)
def test_row(where: str) -> None:
    for case in CASES[where]:
        m = gc.compile(case.text, case.shapes, wrt=next(iter(case.shapes)))
        found = m.grad(*case.values)[0]
        np.testing.assert_allclose(found, case.gradient, rtol=1e-14, atol=1e-15, err_msg=case.text)
