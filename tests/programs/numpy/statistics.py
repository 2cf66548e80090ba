"""Likelihoods, embeddings and factorisations."""

import numpy as np
from scipy.special import gammaln, logsumexp


def gp_nll(log_params, X, y):
    """The marginal likelihood of a Gaussian process, by Cholesky."""
    amplitude, noise, *scales = np.exp(log_params)
    Z = X / np.array(scales)
    sq = np.sum(Z**2, 1).reshape(-1, 1) + np.sum(Z**2, 1) - 2 * np.dot(Z, Z.T)
    K = amplitude**2 * np.exp(-0.5 * sq) + (noise**2 + 1e-8) * np.eye(X.shape[0])
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return 0.5 * y.dot(alpha) + np.log(np.diag(L)).sum() + 0.5 * len(X) * np.log(2 * np.pi)


def gp_nll_slogdet(log_params, X, y):
    amplitude, noise = np.exp(log_params[0]), np.exp(log_params[1])
    scales = np.exp(log_params[2:])
    diff = (X[:, np.newaxis, :] - X[np.newaxis, :, :]) / scales
    K = amplitude * (1 + np.abs(diff).sum(axis=-1)) * np.exp(-np.abs(diff).sum(axis=-1))
    K[np.diag_indices_from(K)] += noise
    sign, logdet = np.linalg.slogdet(K)
    return 0.5 * (y @ np.linalg.inv(K) @ y + sign * logdet)


def gp_example(rng):
    return {"log_params": 0.3 * rng.normal(size=4), "X": rng.normal(size=(6, 2)), "y": rng.normal(size=6)}


def gmm_nll(params, X):
    """A mixture of Gaussians with full covariances given by their Cholesky factors."""
    weights, means, lowers = params["log_weights"], params["means"], params["lowers"]
    log_mix = weights - logsumexp(weights)
    terms = []
    for log_w, mean, lower in zip(log_mix, means, lowers):
        diagonal = np.exp(np.diag(lower))
        L = np.tril(lower, -1) + np.diag(diagonal)
        z = np.linalg.solve(L, (X - mean).T)
        terms.append(log_w - 0.5 * np.sum(z**2, axis=0) - np.log(diagonal).sum())
    return -np.sum(logsumexp(np.vstack(terms), axis=0))


def gmm_example(rng):
    params = {
        "log_weights": rng.normal(size=3),
        "means": rng.normal(size=(3, 2)),
        "lowers": [0.4 * rng.normal(size=(2, 2)) for _ in range(3)],
    }
    return {"params": params, "X": rng.normal(size=(7, 2))}


def factor_analysis_nll(W, log_psi, X):
    """Woodbury's identity and the determinant lemma instead of a large inverse."""
    n, d = X.shape
    k = W.shape[1]
    inv_psi = np.exp(-log_psi)
    WtP = W.T * inv_psi
    M = np.eye(k) + WtP @ W
    centred = X - X.mean(axis=0)
    projected = centred @ WtP.T
    quadratic = np.sum(centred**2 * inv_psi) - np.sum(projected @ np.linalg.inv(M) * projected)
    _, logdet = np.linalg.slogdet(M)
    return 0.5 * (quadratic + n * (logdet + log_psi.sum()))


def factor_example(rng):
    return {"W": rng.normal(size=(5, 2)), "log_psi": rng.normal(size=5), "X": rng.normal(size=(8, 5))}


def cox_nll(beta, X, time, event):
    """Partial likelihood with Breslow's ties, by cumulative sums from the latest time on."""
    order = np.argsort(-time)
    X, event = X[order], event[order]
    eta = X @ beta
    running_max = eta.max()
    log_risk = np.log(np.cumsum(np.exp(eta - running_max))) + running_max
    return -np.sum((eta - log_risk)[event == 1])


def cox_example(rng):
    return {
        "beta": rng.normal(size=3),
        "X": rng.normal(size=(8, 3)),
        "time": rng.exponential(size=8),
        "event": np.array([1, 0, 1, 1, 0, 1, 1, 0]),
    }


def matrix_factorisation(U, V, bu, bv, R, lam=0.1):
    """Ratings that were not given are nan."""
    mask = ~np.isnan(R)
    predicted = U @ V.T + bu[:, None] + bv[None, :]
    error = np.where(mask, predicted - np.nan_to_num(R), 0.0)
    return (error**2).sum() / mask.sum() + lam * (np.sum(U**2) + np.sum(V**2))


def ratings_example(rng):
    R = rng.normal(size=(5, 4))
    R[rng.uniform(size=R.shape) < 0.4] = np.nan
    return {
        "U": rng.normal(size=(5, 2)),
        "V": rng.normal(size=(4, 2)),
        "bu": rng.normal(size=5),
        "bv": rng.normal(size=4),
        "R": R,
    }


def nmf_kl(log_W, log_H, V):
    """Non-negative factors under the generalised Kullback-Leibler divergence."""
    WH = np.exp(log_W) @ np.exp(log_H)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(V > 0, V * np.log(V / WH), 0)
    return np.sum(ratio - V + WH)


def tsne_loss(Y, P):
    sum_Y = np.sum(np.square(Y), 1)
    num = -2.0 * np.dot(Y, Y.T)
    num = 1.0 / (1.0 + np.add(np.add(num, sum_Y).T, sum_Y))
    n = Y.shape[0]
    num[range(n), range(n)] = 0.0
    Q = num / np.sum(num)
    Q = np.maximum(Q, 1e-12)
    return np.sum(P * np.log(P / Q))


def tsne_example(rng):
    P = rng.uniform(0.1, 1, (6, 6))
    P = P + P.T
    return {"Y": rng.normal(size=(6, 2)), "P": P / P.sum()}


def mds_stress(X, D):
    n = len(X)
    stress = 0
    for i in range(n):
        for j in range(i):
            stress += (D[i][j] - np.linalg.norm(X[i] - X[j])) ** 2
    return np.sqrt(stress / (n * (n - 1) / 2))


def ica_loss(W, X):
    """Negative log-likelihood of independent sources with heavy tails."""
    S = W @ X
    return np.mean(np.sum(np.log(np.cosh(S)), axis=0)) - np.linalg.slogdet(W)[1]


def kernel_pca(A, X, gamma=0.3):
    """Variance along directions given by their coefficients, the kernel centred."""
    sq = ((X[:, None] - X[None]) ** 2).sum(-1)
    K = np.exp(-gamma * sq)
    n = K.shape[0]
    one = np.ones((n, n)) / n
    K = K - one @ K - K @ one + one @ K @ one
    norms = np.sqrt(np.diag(A.T @ K @ A))
    return -np.trace((A / norms).T @ K @ K @ (A / norms))


def sinkhorn_cost(C, a, b, eps=0.5, n_iter=15):
    """Entropic optimal transport."""
    K = np.exp(-C / eps)
    u = np.ones_like(a)
    for _ in range(n_iter):
        v = b / (K.T @ u)
        u = a / (K @ v)
    plan = u[:, None] * K * v
    return (plan * C).sum()


def sinkhorn_example(rng):
    a, b = rng.uniform(0.5, 1, 4), rng.uniform(0.5, 1, 3)
    return {"C": rng.uniform(size=(4, 3)), "a": a / a.sum(), "b": b / b.sum()}


def pagerank_loss(log_links, target, damping=0.85, tol=None, max_iter=20):
    links = np.exp(log_links)
    np.fill_diagonal(links, 0)
    transition = links / links.sum(axis=0)
    n = len(transition)
    rank = np.full(n, 1.0 / n)
    for iteration in range(max_iter):
        new = (1 - damping) / n + damping * transition @ rank
        if tol is not None and np.abs(new - rank).sum() < tol:
            break
        rank = new
    return -(target * np.log(rank)).sum()


def dirichlet_multinomial_nll(log_alpha, counts):
    alpha = np.exp(log_alpha)
    n = counts.sum(axis=1)
    ll = gammaln(alpha.sum()) - gammaln(n + alpha.sum())
    ll = ll + np.sum(gammaln(counts + alpha) - gammaln(alpha), axis=-1)
    return -ll.sum()


PROGRAMS = [
    (gp_nll, gp_example, ["log_params", "X", "y"]),
    (gp_nll_slogdet, gp_example, ["log_params", "X"]),
    (gmm_nll, gmm_example, ["params"]),
    (factor_analysis_nll, factor_example, ["W", "log_psi"]),
    (cox_nll, cox_example, ["beta"]),
    (matrix_factorisation, ratings_example, ["U", "V", "bu", "bv"]),
    (
        nmf_kl,
        lambda rng: {
            "log_W": rng.normal(size=(4, 2)),
            "log_H": rng.normal(size=(2, 3)),
            "V": rng.poisson(2.0, (4, 3)) * 1.0,
        },
        ["log_W", "log_H"],
    ),
    (tsne_loss, tsne_example, ["Y"]),
    (mds_stress, lambda rng: {"X": rng.normal(size=(5, 2)), "D": rng.uniform(1, 2, (5, 5))}, ["X"]),
    (ica_loss, lambda rng: {"W": rng.normal(size=(3, 3)), "X": rng.normal(size=(3, 9))}, ["W"]),
    (kernel_pca, lambda rng: {"A": rng.normal(size=(6, 2)), "X": rng.normal(size=(6, 2))}, ["A", "X"]),
    (sinkhorn_cost, sinkhorn_example, ["C", "a", "b"]),
    (
        pagerank_loss,
        lambda rng: {"log_links": rng.normal(size=(5, 5)), "target": rng.dirichlet(np.ones(5))},
        ["log_links"],
    ),
    (
        dirichlet_multinomial_nll,
        lambda rng: {"log_alpha": rng.normal(size=4), "counts": rng.poisson(3.0, (6, 4))},
        ["log_alpha"],
    ),
]
