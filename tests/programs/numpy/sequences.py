"""Recurrences over time: filters, recurrent networks, dynamic programs."""

from collections import namedtuple
from functools import reduce
from itertools import pairwise

import numpy as np
from scipy.special import expit, logsumexp


def lstm_cell(x, h, c, params):
    gates = np.concatenate([x, h]) @ params["W"] + params["b"]
    i, f, o, g = np.split(gates, 4)
    c = expit(f) * c + expit(i) * np.tanh(g)
    return expit(o) * np.tanh(c), c


def lstm_loss(params, xs, ys):
    hidden = params["W"].shape[1] // 4
    h, c = np.zeros(hidden), np.zeros(hidden)
    loss = 0.0
    for x, y in zip(xs, ys):
        h, c = lstm_cell(x, h, c, params)
        loss += np.sum((h @ params["V"] - y) ** 2)
    return loss / len(xs)


def lstm_example(rng):
    d, k = 3, 2
    params = {"W": rng.normal(size=(d + k, 4 * k)), "b": rng.normal(size=4 * k), "V": rng.normal(size=(k, 2))}
    return {"params": params, "xs": rng.normal(size=(6, d)), "ys": rng.normal(size=(6, 2))}


GRU = namedtuple("GRU", "Wz Uz Wr Ur Wh Uh")


def gru_step(p, h, x):
    z = expit(x @ p.Wz + h @ p.Uz)
    r = expit(x @ p.Wr + h @ p.Ur)
    candidate = np.tanh(x @ p.Wh + (r * h) @ p.Uh)
    return (1 - z) * h + z * candidate


def gru_loss(p, h0, xs, target):
    last = reduce(lambda h, x: gru_step(p, h, x), xs, h0)
    return 0.5 * np.linalg.norm(last - target) ** 2


def gru_example(rng):
    p = GRU(*[rng.normal(size=(2, 3) if name[0] == "W" else (3, 3)) for name in GRU._fields])
    return {"p": p, "h0": rng.normal(size=3), "xs": rng.normal(size=(5, 2)), "target": rng.normal(size=3)}


def hmm_nll(log_pi, log_A, means, observed):
    """The forward algorithm in log space."""
    log_pi = log_pi - logsumexp(log_pi)
    log_A = log_A - logsumexp(log_A, axis=1, keepdims=True)
    T, K = len(observed), len(means)
    log_alpha = np.empty((T, K))
    log_b = -0.5 * (observed[:, None] - means) ** 2
    log_alpha[0] = log_pi + log_b[0]
    for t in range(1, T):
        for k in range(K):
            log_alpha[t, k] = logsumexp(log_alpha[t - 1] + log_A[:, k]) + log_b[t, k]
    return -logsumexp(log_alpha[-1])


def hmm_example(rng):
    return {
        "log_pi": rng.normal(size=3),
        "log_A": rng.normal(size=(3, 3)),
        "means": rng.normal(size=3),
        "observed": rng.normal(size=6),
    }


def crf_nll(emissions, transitions, tags):
    """A linear chain: the score of the right path against all paths."""
    score = emissions[0, tags[0]]
    for t, (before, now) in enumerate(pairwise(tags), start=1):
        score += transitions[before, now] + emissions[t, now]
    alpha = emissions[0]
    for emission in emissions[1:]:
        alpha = np.log(np.sum(np.exp(alpha[:, None] + transitions), axis=0)) + emission
    return np.log(np.exp(alpha).sum()) - score


def crf_example(rng):
    return {"emissions": rng.normal(size=(5, 3)), "transitions": rng.normal(size=(3, 3)), "tags": rng.integers(0, 3, 5)}


def ctc_loss(logits, labels=(1, 2, 1), blank=0):
    """Connectionist temporal classification: a dynamic program over the labels with blanks between."""
    extended = [blank]
    for label in labels:
        extended += [label, blank]
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    T, S = logits.shape[0], len(extended)
    alpha = np.full((T, S), -1e30)
    alpha[0, 0] = log_p[0, blank]
    alpha[0, 1] = log_p[0, extended[1]]
    for t in range(1, T):
        for s in range(S):
            candidates = [alpha[t - 1, s]]
            if s >= 1:
                candidates.append(alpha[t - 1, s - 1])
            if s >= 2 and extended[s] != blank and extended[s] != extended[s - 2]:
                candidates.append(alpha[t - 1, s - 2])
            alpha[t, s] = logsumexp(np.array(candidates)) + log_p[t, extended[s]]
    return -np.logaddexp(alpha[T - 1, S - 1], alpha[T - 1, S - 2])


def soft_dtw(x, y, gamma=0.5):
    """Soft dynamic time warping (Cuturi and Blondel, 2017)."""
    n, m = x.shape[0], y.shape[0]
    D = ((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=2)
    R = np.full((n + 1, m + 1), 1e10)
    R[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            a, b, c = -R[i - 1, j] / gamma, -R[i, j - 1] / gamma, -R[i - 1, j - 1] / gamma
            biggest = np.maximum(np.maximum(a, b), c)
            total = np.exp(a - biggest) + np.exp(b - biggest) + np.exp(c - biggest)
            R[i, j] = D[i - 1, j - 1] - gamma * (np.log(total) + biggest)
    return R[n, m]


def arma_nll(phi, theta, log_sigma, y):
    """Conditional likelihood of an ARMA(2, 1) process, residuals one after another."""
    residuals = np.zeros_like(y)
    for t in range(2, y.shape[0]):
        predicted = phi @ y[t - 2 : t][::-1] + theta * residuals[t - 1]
        residuals[t] = y[t] - predicted
    n = len(y) - 2
    return n * log_sigma + 0.5 * (residuals[2:] ** 2).sum() / np.exp(2 * log_sigma)


def arma_example(rng):
    return {"phi": 0.4 * rng.normal(size=2), "theta": 0.3, "log_sigma": -0.2, "y": rng.normal(size=9)}


class KalmanFilter:
    def __init__(self, F, H, Q, R):
        self.F, self.H, self.Q, self.R = F, H, Q, R

    def predict(self, x, P):
        return self.F @ x, self.F @ P @ self.F.T + self.Q

    def update(self, x, P, z):
        y = z - self.H @ x
        S = self.H @ P @ self.H.T + self.R
        K = np.linalg.solve(S, self.H @ P).T
        log_likelihood = -0.5 * (y @ np.linalg.solve(S, y) + np.linalg.slogdet(2 * np.pi * S)[1])
        return x + K @ y, (np.eye(len(x)) - K @ self.H) @ P, log_likelihood


def kalman_nll(F, H, log_q, log_r, zs):
    n, m = F.shape[0], H.shape[0]
    kf = KalmanFilter(F, H, np.exp(log_q) * np.eye(n), np.diag(np.exp(log_r)))
    x, P = np.zeros(n), np.eye(n)
    total = 0
    for z in zs:
        x, P = kf.predict(x, P)
        x, P, ll = kf.update(x, P, z)
        total += ll
    return -total


def kalman_example(rng):
    return {
        "F": 0.5 * rng.normal(size=(3, 3)),
        "H": rng.normal(size=(2, 3)),
        "log_q": -1.0,
        "log_r": rng.normal(size=2),
        "zs": rng.normal(size=(4, 2)),
    }


def hawkes_nll(mu, alpha, beta, times, T=10.0):
    """Self-exciting events with an exponential kernel; Ozaki's recursion."""
    A = 0.0
    log_intensity = np.log(mu)
    for previous, now in zip(times[:-1], times[1:]):
        A = np.exp(-beta * (now - previous)) * (1 + A)
        log_intensity += np.log(mu + alpha * A)
    compensator = mu * T + alpha / beta * np.sum(1 - np.exp(-beta * (T - times)))
    return compensator - log_intensity


def hawkes_example(rng):
    return {"mu": 0.7, "alpha": 0.4, "beta": 1.3, "times": np.sort(rng.uniform(0, 10, 8))}


PROGRAMS = [
    (lstm_loss, lstm_example, ["params"]),
    (gru_loss, gru_example, ["p", "h0"]),
    (hmm_nll, hmm_example, ["log_pi", "log_A", "means"]),
    (crf_nll, crf_example, ["emissions", "transitions"]),
    (ctc_loss, lambda rng: {"logits": rng.normal(size=(6, 3))}, ["logits"]),
    (soft_dtw, lambda rng: {"x": rng.normal(size=(4, 2)), "y": rng.normal(size=(3, 2))}, ["x", "y"]),
    (arma_nll, arma_example, ["phi", "theta", "log_sigma", "y"]),
    (kalman_nll, kalman_example, ["F", "H", "log_q", "log_r"]),
    (hawkes_nll, hawkes_example, ["mu", "alpha", "beta"]),
]
