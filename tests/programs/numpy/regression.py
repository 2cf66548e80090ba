"""Losses of regression and classification, as people write them for a scientific script."""

import math
from functools import partial

import numpy as np
from scipy.special import gammaln
from scipy.stats import norm


def svm_loss(W, X, y, reg=1e-2, delta=1.0):
    """Multi-class hinge loss, the margins of the right classes zeroed in place."""
    num_train = X.shape[0]
    scores = X.dot(W)
    correct = scores[np.arange(num_train), y][:, np.newaxis]
    margins = np.maximum(0, scores - correct + delta)
    margins[np.arange(num_train), y] = 0
    loss = margins.sum() / num_train
    loss += reg * np.sum(W * W)
    return loss


def svm_loss_loops(W, X, y, reg=0.1):
    """The same, with the loops of the first lecture."""
    loss = 0.0
    for i in range(len(X)):
        scores = X[i] @ W
        correct_class_score = scores[y[i]]
        for j in range(W.shape[1]):
            margin = scores[j] - correct_class_score + 1
            loss += np.maximum(margin, 0.0) * (j != y[i])
    return loss / len(X) + 0.5 * reg * (W**2).sum()


def svm_example(rng):
    return {"W": rng.normal(size=(4, 3)), "X": rng.normal(size=(6, 4)), "y": rng.integers(0, 3, 6)}


def softmax_loss(W, b, X, y):
    scores = X @ W + b
    scores -= scores.max(axis=1, keepdims=True)
    probabilities = np.exp(scores)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    log_likelihood = -np.log(probabilities[range(X.shape[0]), y])
    return np.mean(log_likelihood)


def softmax_example(rng):
    return svm_example(rng) | {"b": rng.normal(size=3)}


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def logistic_loss(w, X, y, penalty=None, l2=0.1):
    assert X.ndim == 2 and X.shape[1] == w.shape[0], f"X is {X.shape}, w is {w.shape}"
    p = sigmoid(X @ w)
    loss = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    if penalty is None:
        return loss
    elif penalty == "l2":
        loss += l2 * np.dot(w, w)
    else:
        raise ValueError(penalty)
    return loss


def logistic_example(rng):
    return {"w": rng.normal(size=3), "X": rng.normal(size=(8, 3)), "y": rng.integers(0, 2, 8).astype(float)}


def ridge_logistic_loss(w, X, y):
    return partial(logistic_loss, penalty="l2", l2=0.25)(w, X, y)


def poisson_nll(beta, X, counts, exposure):
    eta = X @ beta + np.log(exposure)
    mu = np.exp(eta)
    return np.sum(mu - counts * eta + gammaln(counts + 1))


def counts_example(rng):
    return {
        "beta": 0.3 * rng.normal(size=3),
        "X": rng.normal(size=(7, 3)),
        "counts": rng.poisson(3.0, 7),
        "exposure": rng.uniform(0.5, 2.0, 7),
    }


def negative_binomial_nll(beta, log_r, X, counts):
    """Counts with more spread than Poisson's; r is the number of failures."""
    mu = np.exp(X @ beta)
    r = math.exp(log_r)
    ll = gammaln(counts + r) - gammaln(r) - gammaln(counts + 1)
    ll += r * np.log(r / (r + mu)) + counts * np.log(mu / (r + mu))
    return -ll.sum()


def negative_binomial_example(rng):
    made = counts_example(rng)
    return {"beta": made["beta"], "log_r": 0.4, "X": made["X"], "counts": made["counts"]}


def ordinal_nll(w, gaps, X, y):
    """Proportional odds: thresholds that grow, because their gaps are exponentials."""
    thresholds = np.cumsum(np.r_[gaps[0], np.exp(gaps[1:])])
    eta = X @ w
    cumulative = sigmoid(thresholds[None, :] - eta[:, None])
    n = X.shape[0]
    padded = np.hstack([np.zeros((n, 1)), cumulative, np.ones((n, 1))])
    return -np.log(padded[np.arange(n), y + 1] - padded[np.arange(n), y]).sum()


def ordinal_example(rng):
    return {
        "w": rng.normal(size=2),
        "gaps": rng.normal(size=3) - 0.5,
        "X": rng.normal(size=(9, 2)),
        "y": rng.integers(0, 4, 9),
    }


def tobit_nll(beta, log_sigma, X, y, lower=0.0):
    """A linear model whose outcomes are cut off below."""
    sigma = np.exp(log_sigma)
    mu = X @ beta
    censored = y <= lower
    inside = norm.logpdf((y - mu) / sigma) - log_sigma
    below = norm.logcdf((lower - mu) / sigma)
    return -np.where(censored, below, inside).sum()


def tobit_example(rng):
    return {
        "beta": rng.normal(size=2),
        "log_sigma": 0.1,
        "X": rng.normal(size=(8, 2)),
        "y": np.maximum(rng.normal(size=8), 0.0),
    }


def huber_loss(theta, X, y, delta=0.7):
    *slopes, intercept = theta
    prediction = sum(s * column for s, column in zip(slopes, X.T)) + intercept
    r = y - prediction
    small = np.abs(r) <= delta
    losses = np.empty_like(r)
    losses[small] = 0.5 * r[small] ** 2
    losses[~small] = delta * (np.abs(r[~small]) - 0.5 * delta)
    return losses.mean()


def huber_example(rng):
    return {"theta": rng.normal(size=4), "X": rng.normal(size=(9, 3)), "y": 2 * rng.normal(size=9)}


def quantile_loss(w, X, y, quantiles=(0.1, 0.5, 0.9)):
    """The pinball loss, one column of w for each quantile."""
    total = 0
    for k, q in enumerate(quantiles):
        error = y - X @ w[:, k]
        total += np.maximum(q * error, (q - 1) * error).mean()
    return total / len(quantiles)


def quantile_example(rng):
    return {"w": rng.normal(size=(3, 3)), "X": rng.normal(size=(8, 3)), "y": rng.normal(size=8)}


def elastic_net(w, X, y, alpha=0.3, l1_ratio=0.5):
    residual = y - X @ w
    l1, l2 = np.linalg.norm(w, 1), np.linalg.norm(w) ** 2
    return (residual**2).sum() / (2 * len(y)) + alpha * (l1_ratio * l1 + 0.5 * (1 - l1_ratio) * l2)


def soft_threshold(x, t):
    return np.sign(x) * np.maximum(np.abs(x) - t, 0)


def ista_loss(lam, X, y, X_test, y_test, steps=12):
    """The test error of a lasso fit, as a function of its penalty: the iterations unrolled."""
    w = np.zeros(X.shape[1])
    L = np.linalg.norm(X, ord="fro") ** 2
    for _ in range(steps):
        gradient = X.T @ (X @ w - y)
        w = soft_threshold(w - gradient / L, lam / L)
    return np.mean((X_test @ w - y_test) ** 2)


def ista_example(rng):
    return {
        "lam": 0.5,
        "X": rng.normal(size=(8, 4)),
        "y": rng.normal(size=8),
        "X_test": rng.normal(size=(5, 4)),
        "y_test": rng.normal(size=5),
    }


def rosenbrock(x):
    return sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


PROGRAMS = [
    (svm_loss, svm_example, ["W"]),
    (svm_loss_loops, svm_example, ["W"]),
    (softmax_loss, softmax_example, ["W", "b"]),
    (logistic_loss, logistic_example, ["w"]),
    (ridge_logistic_loss, logistic_example, ["w"]),
    (poisson_nll, counts_example, ["beta"]),
    (negative_binomial_nll, negative_binomial_example, ["beta", "log_r"]),
    (ordinal_nll, ordinal_example, ["w", "gaps"]),
    (tobit_nll, tobit_example, ["beta", "log_sigma"]),
    (huber_loss, huber_example, ["theta"]),
    (quantile_loss, quantile_example, ["w"]),
    (elastic_net, logistic_example, ["w"]),
    (ista_loss, ista_example, ["lam", "X"]),
    (rosenbrock, lambda rng: {"x": rng.normal(size=6)}, ["x"]),
]
