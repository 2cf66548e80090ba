"""Logistic regression with a ridge penalty, written as in a textbook and fitted by L-BFGS.

    python examples/logistic_regression.py

    loss 0.0966   |gradient| 4.7e-09   iterations 27
    accuracy: training 98.90 %, held out 96.49 %
    weights times 1000: plain NumPy gives nan, the generated code 27471.6

The loss takes logarithms of probabilities, which plain NumPy can't do once a probability rounds to 0
or 1. graphc writes it with softplus and its gradient as X.T @ (p - y) / n, so no weights that the
optimiser may try do any harm. The data are scikit-learn's breast-cancer measurements.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import graphc as gc

RIDGE = 0.01


def loss(theta: Any, X: Any, y: Any) -> Any:
    """The mean negative log-likelihood and the penalty; the last element of theta is the intercept."""
    w, b = theta[:-1], theta[-1]
    p = 1 / (1 + np.exp(-(X @ w + b)))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) + RIDGE / 2 * np.sum(w**2)


value_and_grad = gc.value_and_grad(loss)


def data() -> tuple[Any, Any, Any, Any]:
    """Standardised measurements and labels, for training and held out."""
    X, y = load_breast_cancer(return_X_y=True)
    X, X_held, y, y_held = train_test_split(X, y.astype(float), test_size=0.2, random_state=0, stratify=y)
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), y, scaler.transform(X_held), y_held


def fit(X: Any, y: Any) -> OptimizeResult:
    """The minimum; `.x` is theta."""
    start = np.zeros(X.shape[1] + 1)
    options = {"gtol": 1e-8, "ftol": 1e-15}
    return minimize(value_and_grad, start, args=(X, y), jac=True, method="L-BFGS-B", options=options)


def accuracy(theta: Any, X: Any, y: Any) -> float:
    """The share of samples on the right side of p = 1/2."""
    return float(np.mean((X @ theta[:-1] + theta[-1] > 0) == y))


def main() -> float:
    """Fit, and print what was found; the held-out accuracy."""
    X, y, X_held, y_held = data()
    found = fit(X, y)
    print(f"loss {found.fun:.4f}   |gradient| {np.abs(found.jac).max():.1e}   iterations {found.nit}")
    training, held = accuracy(found.x, X, y), accuracy(found.x, X_held, y_held)
    print(f"accuracy: training {100 * training:.2f} %, held out {100 * held:.2f} %")
    with np.errstate(all="ignore"):
        plain = loss(1000 * found.x, X, y)
    generated, _ = value_and_grad(1000 * found.x, X, y)
    print(f"weights times 1000: plain NumPy gives {plain}, the generated code {generated:.1f}")
    return held


if __name__ == "__main__":
    main()
