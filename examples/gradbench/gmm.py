"""gmm: the log-posterior of a mixture of K Gaussians, with a Wishart prior on their precisions.

    phi = softmax(alpha),  Q_k lower triangular: exp(q_k) on the diagonal, l_k below it, column by column

    log p = sum_i log sum_k phi_k N(x_i; mu_k, inv(Q_k.T Q_k)) + sum_k log W(Q_k.T Q_k; I / gamma**2, D + m + 1)

(Srajer, Kukelova, Fitzgibbon, "A benchmark of selected algorithmic differentiation tools on some problems
in computer vision and machine learning", 2018, with the prior on the precision.)

    python examples/gradbench/gmm.py
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import graphc as gc


def logsumexp(x: Any) -> Any:
    """Over the last axis."""
    a = np.max(x, axis=-1, keepdims=True)
    return np.squeeze(a, -1) + np.log(np.sum(np.exp(x - a), axis=-1))


def log_multigamma(a: float, d: int) -> float:
    """The logarithm of the multivariate gamma function."""
    return d * (d - 1) / 4 * math.log(math.pi) + sum(math.lgamma(a - j / 2) for j in range(d))


def log_wishart_prior(q: Any, l: Any, gamma: float, m: int) -> Any:  # noqa: E741
    """The log-density of all precisions."""
    k, d = q.shape
    n = d + m + 1
    frobenius = np.sum(np.exp(q) ** 2) + np.sum(l**2)
    constant = n * d * math.log(gamma / math.sqrt(2)) - log_multigamma(n / 2, d)
    return k * constant - 0.5 * gamma**2 * frobenius + m * np.sum(q)


def objective(mu: Any, q: Any, l: Any, alpha: Any, x: Any, gamma: float, m: int) -> Any:  # noqa: E741
    """The log-posterior.

    mu: (K, D), means.  q: (K, D), l: (K, D (D - 1) / 2), factors of the precisions.  alpha: (K,), logits.
    x: (N, D), observations.  gamma, m: precision and further degrees of freedom of the prior.
    """
    (k, d), n = mu.shape, len(x)
    columns, rows = np.triu_indices(d, 1)
    Q = np.zeros((k, d, d))
    Q[:, rows, columns] = l
    Q[:, np.arange(d), np.arange(d)] = np.exp(q)
    z = np.einsum("kij,nkj->nki", Q, x[:, None] - mu)
    log_densities = alpha + np.sum(q, axis=1) - 0.5 * np.sum(z**2, axis=2)
    likelihood = np.sum(logsumexp(log_densities)) - n * logsumexp(alpha) - n * d / 2 * math.log(2 * math.pi)
    return likelihood + log_wishart_prior(q, l, gamma, m)


jacobian = gc.grad(objective, argnums=(0, 1, 2, 3))


def example(rng: np.random.Generator, n: int = 1000, k: int = 5, d: int = 10) -> tuple[Any, ...]:
    """n observations, parameters of k components in d dimensions, and the prior."""
    mu, q = rng.uniform(size=(k, d)), rng.normal(size=(k, d))
    l, alpha = rng.normal(size=(k, d * (d - 1) // 2)), rng.normal(size=k)  # noqa: E741
    return mu, q, l, alpha, rng.normal(size=(n, d)), 1.0, 0


def main() -> None:
    """Print the log-posterior, and the sizes of its gradients."""
    arguments = example(np.random.default_rng(0))
    sizes = [f"{np.linalg.norm(g):.1f}" for g in jacobian(*arguments)]
    print(f"log p = {objective(*arguments):.4f}, gradients by mu, q, l, alpha: {', '.join(sizes)}")


if __name__ == "__main__":
    main()
