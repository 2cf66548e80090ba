"""Poisson regression of visits to the doctor, fitted by Newton's method.

    python examples/poisson_regression.py

    log-likelihood -62419.6   |score| 6.8e-11   iterations 7
    constant      0.7004 +- 0.0112
    lncoins      -0.0525 +- 0.0029
    ...

The Hessian is the gradient of a gradient: `gc.grad` of the score times a direction gives one of its
columns. The generated code never writes the Hessian down; it multiplies by X, by the rates, by X.T.
The data are the RAND health insurance experiment, 20,190 rows that come with statsmodels.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammaln
from statsmodels.datasets import randhie

import graphc as gc

MAX_ITERATIONS = 25


def loglikelihood(beta: Any, X: Any, y: Any) -> Any:
    """The logarithm of the probability of the counts y, at rates exp(X @ beta)."""
    eta = X @ beta
    return np.sum(y * eta - np.exp(eta) - gammaln(y + 1))


score = gc.grad(loglikelihood)


def slope(beta: Any, direction: Any, X: Any, y: Any) -> Any:
    """The derivative of the log-likelihood along a direction."""
    return score(beta, X, y) @ direction


curvature = gc.grad(slope)


def hessian(beta: Any, X: Any, y: Any) -> Any:
    """The matrix of second derivatives, column by column."""
    return np.stack([curvature(beta, direction, X, y) for direction in np.eye(len(beta))], axis=1)


def data() -> tuple[list[str], Any, Any]:
    """Names of the columns, the table with a column of ones in front, and the counts."""
    table = randhie.load()
    X = np.column_stack([np.ones(len(table.endog)), table.exog.to_numpy(dtype=float)])
    return ["constant", *table.exog.columns], X, table.endog.to_numpy(dtype=float)


class Fit(NamedTuple):
    """beta and its standard errors; what it took to get there."""

    beta: Any
    error: Any
    iterations: int


def fit(X: Any, y: Any) -> Fit:
    """Newton's method, from the model that has a constant only."""
    beta = np.zeros(X.shape[1])
    beta[0] = np.log(y.mean())
    step, iterations = np.ones_like(beta), 0
    while np.abs(step).max() > 1e-10 and iterations < MAX_ITERATIONS:
        step = np.linalg.solve(hessian(beta, X, y), score(beta, X, y))
        beta = beta - step
        iterations += 1
    return Fit(beta, np.sqrt(np.diag(np.linalg.inv(-hessian(beta, X, y)))), iterations)


def main() -> None:
    """Fit, and print the table of coefficients."""
    names, X, y = data()
    found = fit(X, y)
    steepest = np.abs(score(found.beta, X, y)).max()
    value = loglikelihood(found.beta, X, y)
    print(f"log-likelihood {value:.1f}   |score| {steepest:.1e}   iterations {found.iterations}")
    for name, value, error in zip(names, found.beta, found.error, strict=True):
        print(f"{name:<10} {value:9.4f} +- {error:.4f}")


if __name__ == "__main__":
    main()
