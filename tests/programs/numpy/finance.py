"""Portfolios, options and yield curves; and idioms of optimisation scripts."""

import math
from contextlib import contextmanager

import numpy as np
from scipy.special import erf


def portfolio_risk(w, returns, risk_aversion=2.0):
    """Weights through a softmax; mean, variance and drawdown of the portfolio."""
    w = np.exp(w - w.max())
    w /= w.sum()
    mu, cov = returns.mean(axis=0), np.cov(returns, rowvar=False)
    wealth = np.cumprod(1 + returns @ w)
    drawdown = 1 - wealth / np.maximum.accumulate(wealth)
    return risk_aversion / 2 * w @ cov @ w - w @ mu + 0.1 * drawdown.max()


def normal_cdf(x):
    return 0.5 * (1 + erf(x / np.sqrt(2)))


def black_scholes(S, K, T, r, sigma, kind="call"):
    d1 = (np.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * np.sqrt(T))
    d2 = d1 - sigma * np.sqrt(T)
    price = S * normal_cdf(d1) - K * np.exp(-r * T) * normal_cdf(d2)
    return price if kind == "call" else price - S + K * np.exp(-r * T)


def calibration_loss(theta, prices, strikes=(0.8, 0.9, 1.1, 1.2), maturities=(0.5, 1.0, 0.5, 2.0), spot=1.0):
    """A volatility smile: one volatility for each strike, quadratic in its logarithm."""
    level, skew, curve, rate = theta
    loss = 0
    for K, T, price in zip(strikes, maturities, prices):
        m = math.log(K / spot)
        sigma = level + skew * m + curve * m**2
        model = black_scholes(spot, K, T, rate, sigma, kind="put" if K < spot else "call")
        loss += (model - price) ** 2
    return loss


def calibration_example(rng):
    return {"theta": np.array([0.3, -0.1, 0.2, 0.02]), "prices": rng.uniform(0.01, 0.2, 4)}


def nelson_siegel(params, maturities, yields):
    b0, b1, b2, log_tau = params
    x = maturities / np.exp(log_tau)
    loading = -np.expm1(-x) / x
    fitted = b0 + b1 * loading + b2 * (loading - np.exp(-x))
    return np.sqrt(np.mean((fitted - yields) ** 2))


def bond_example(rng):
    return {
        "params": rng.normal(size=4),
        "maturities": np.array([0.5, 1.0, 2.0, 5.0, 10.0]),
        "yields": rng.normal(size=5),
    }


def unpack(flat, shapes):
    """Arrays of these shapes out of one long vector."""
    start = 0
    for shape in shapes:
        size = int(np.prod(shape))
        yield flat[start : start + size].reshape(shape)
        start += size


def flat_network_loss(theta, X, y):
    shapes = [(3, 4), (4,), (4, 1), (1,)]
    W1, b1, W2, b2 = unpack(theta, shapes)
    hidden = np.maximum(0.1 * (z := X @ W1 + b1), z)
    return np.mean(((hidden @ W2 + b2).squeeze() - y) ** 2)


@contextmanager
def quiet():
    with np.errstate(all="ignore"):
        yield


def barrier_objective(x, A, b, *extra, t=5.0):
    """A linear objective inside a polytope, with a logarithmic barrier."""
    try:
        with quiet():
            slack = b - A @ x
            barrier = -np.log(slack).sum()
    finally:
        checked = slack.shape
    assert checked == b.shape
    (penalty,) = extra or (0.0,)
    return t * x.sum() + barrier + penalty * max(x[0] ** 2, x[1] ** 2)


def barrier_example(rng):
    return {"x": 0.1 * rng.normal(size=3), "A": rng.normal(size=(5, 3)), "b": rng.uniform(1, 2, 5)}


class Adam:
    """The optimiser itself, unrolled: the loss at the end as a function of where it starts."""

    def __init__(self, lr=0.1, betas=(0.9, 0.99), eps=1e-8):
        self.lr, self.betas, self.eps = lr, betas, eps
        self.m = self.v = 0
        self.t = 0

    def step(self, x, g):
        self.t += 1
        b1, b2 = self.betas
        self.m = b1 * self.m + (1 - b1) * g
        self.v = b2 * self.v + (1 - b2) * g**2
        m_hat, v_hat = self.m / (1 - b1**self.t), self.v / (1 - b2**self.t)
        return x - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


def unrolled_adam(x0, A, lr=0.1):
    optimiser = Adam(lr)
    x = x0
    for _ in range(4):
        x = optimiser.step(x, A @ x)
    return 0.5 * x @ A @ x


def adam_example(rng):
    B = rng.normal(size=(3, 3))
    return {"x0": rng.normal(size=3), "A": B @ B.T + np.eye(3)}


PROGRAMS = [
    (portfolio_risk, lambda rng: {"w": rng.normal(size=4), "returns": 0.1 * rng.normal(size=(9, 4))}, ["w", "returns"]),
    (calibration_loss, calibration_example, ["theta", "prices"]),
    (nelson_siegel, bond_example, ["params"]),
    (
        flat_network_loss,
        lambda rng: {"theta": rng.normal(size=21), "X": rng.normal(size=(6, 3)), "y": rng.normal(size=6)},
        ["theta"],
    ),
    (barrier_objective, barrier_example, ["x"]),
    (unrolled_adam, adam_example, ["x0", "A"]),
]
