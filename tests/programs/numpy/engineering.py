"""Scripts of engineers: column vectors and loops from 1, finite elements, arms, control, dynamic programs."""

import functools
import math
import operator
from collections import deque
from itertools import accumulate

import numpy as np
from numpy.linalg import norm


def matlab_port(x, y):
    """Translated from MATLAB."""
    n = np.size(x, 0)
    m = np.size(y, 0)
    A = np.zeros((n, m))
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            A[i - 1, j - 1] = x[i - 1, 0] * np.exp(-((i - j) ** 2) / 2) * y[j - 1, 0]
    b = A @ np.ones((m, 1))
    res = np.linalg.norm(b - np.mean(b), "fro") + np.max(np.sum(np.abs(A), 0)) + np.linalg.norm(A, 1)
    z = np.vstack((x, y))
    z = z[:, 0]
    s = (x.T @ A @ y).squeeze() + np.trapezoid(x[:, 0], axis=0) + np.sum(np.kron(x, y.T))
    return res + np.dot(z, z) + b[0].item() + float(s)


def matlab_ex(rng):
    return dict(x=rng.normal(size=(4, 1)), y=rng.normal(size=(3, 1)))


def matlab_fem(E, h=0.25, n=4):
    """Stiffness by np.ix_, the fixed end deleted and inserted again."""
    K = np.zeros((n + 1, n + 1))
    F = np.zeros((n + 1, 1))
    for e in range(n):
        ke = E[e] / h * np.array([[1, -1], [-1, 1]])
        idx = [e, e + 1]
        K[np.ix_(idx, idx)] += ke
        F[idx] += h / 2
    K = np.delete(np.delete(K, 0, axis=0), 0, axis=1)
    u = np.linalg.solve(K, F[1:])
    u = np.insert(u, 0, 0.0, axis=0)
    return float((F.T @ u)[0, 0])


def fem_ex(rng):
    return dict(E=rng.uniform(1, 2, 4))


def dh(theta, d, a, alpha):
    ct, st, ca, sa = (np.cos(theta), np.sin(theta), np.cos(alpha), np.sin(alpha))
    return np.array([[ct, -st * ca, st * sa, a * ct], [st, ct * ca, -ct * sa, a * st], [0, sa, ca, d], [0, 0, 0, 1]])


DH = [(0.3, 0.1, np.pi / 2), (0, 0.5, 0), (0.1, 0.4, -np.pi / 2)]


def forward_kinematics(q, target):
    """A chain of Denavit-Hartenberg transforms."""
    T = np.eye(4)
    for qi, (d, a, al) in zip(q, DH):
        T = T.dot(dh(qi, d, a, al))
    R, p = (T[:3, :3], T[:3, 3])
    ang = np.arccos((np.trace(R) - 1) / 2)
    pitch = math.atan2(-R[2, 0], math.sqrt(R[2, 1] ** 2 + R[2, 2] ** 2))
    return norm(p - target) + 0.1 * ang + pitch**2


def fk_ex(rng):
    return dict(q=np.array([0.3, -0.7, 1.1]), target=rng.normal(size=3))


def riccati(logq, A, B, T=8):
    """A few steps of the Riccati recursion."""
    Q = np.diag(np.exp(logq))
    R = np.eye(B.shape[1])
    P = Q
    for _ in range(T):
        BtP = B.T @ P
        K = np.linalg.solve(R + BtP @ B, BtP @ A)
        P = Q + A.T @ P @ (A - B @ K)
    return np.trace(P) + K.sum()


def ric_ex(rng):
    return dict(logq=rng.normal(size=3), A=0.5 * rng.normal(size=(3, 3)), B=rng.normal(size=(3, 2)))


def kalman_smoother(lq, lr, y):
    """Rauch, Tung and Striebel: forward, then backward in place."""
    n = y.size
    q, r = (np.exp(lq), np.exp(lr))
    m = np.zeros(n)
    P = np.zeros(n)
    mp = np.zeros(n)
    Pp = np.zeros(n)
    for k in range(n):
        mp[k] = m[k - 1] if k else 0.0
        Pp[k] = P[k - 1] + q if k > 0 else 10.0
        K = Pp[k] / (Pp[k] + r)
        m[k] = mp[k] + K * (y[k] - mp[k])
        P[k] = (1 - K) * Pp[k]
    ms, Ps = (m.copy(), P.copy())
    for k in range(n - 2, -1, -1):
        G = P[k] / Pp[k + 1]
        ms[k] += G * (ms[k + 1] - mp[k + 1])
        Ps[k] += G**2 * (Ps[k + 1] - Pp[k + 1])
    return ms @ ms + Ps.sum()


def ks_ex(rng):
    return dict(lq=-0.3, lr=0.2, y=rng.normal(size=6))


def binomial_american(S0, K, T, r, sigma, N=8):
    """Backward induction in place, on an array that gets shorter."""
    dt = T / N
    u = np.exp(sigma * np.sqrt(dt))
    d = 1 / u
    p = (np.exp(r * dt) - d) / (u - d)
    disc = np.exp(-r * dt)
    S = S0 * d ** np.arange(N, -1, -1) * u ** np.arange(0, N + 1)
    C = np.maximum(K - S, 0)
    for i in np.arange(N - 1, -1, -1):
        S = S0 * d ** np.arange(i, -1, -1) * u ** np.arange(0, i + 1)
        C[: i + 1] = disc * (p * C[1 : i + 2] + (1 - p) * C[0 : i + 1])
        C = C[:-1]
        C = np.maximum(C, K - S)
    return C[0]


def binom_ex(rng):
    return dict(S0=100.0, K=103.0, T=1.0, r=0.05, sigma=0.25)


def thomas(a, b, c, d):
    """A tridiagonal system by elimination."""
    n = len(d)
    cp, dp = (np.zeros(n), np.zeros(n))
    x = np.zeros(n)
    cp[0], dp[0] = (c[0] / b[0], d[0] / b[0])
    for i in range(1, n):
        m = b[i] - a[i] * cp[i - 1]
        cp[i] = c[i] / m if i < n - 1 else 0
        dp[i] = (d[i] - a[i] * dp[i - 1]) / m
    x[-1] = dp[-1]
    for i in reversed(range(n - 1)):
        x[i] = dp[i] - cp[i] * x[i + 1]
    return x.dot(x)


def th_ex(rng):
    return dict(a=rng.normal(size=5), b=4 + rng.random(5), c=rng.normal(size=5), d=rng.normal(size=5))


def nat_spline(y, x, xq):
    """A natural cubic spline at given points."""
    n = len(x) - 1
    h = np.diff(x)
    A = np.zeros((n + 1, n + 1))
    r = np.zeros(n + 1)
    A[0, 0] = A[n, n] = 1
    for i in range(1, n):
        A[i, i - 1 : i + 2] = (h[i - 1], 2 * (h[i - 1] + h[i]), h[i])
        r[i] = 3 * ((y[i + 1] - y[i]) / h[i] - (y[i] - y[i - 1]) / h[i - 1])
    c = np.linalg.solve(A, r)
    b = (y[1:] - y[:-1]) / h - h * (2 * c[:-1] + c[1:]) / 3
    d = (c[1:] - c[:-1]) / (3 * h)
    k = np.searchsorted(x, xq, side="right") - 1
    dx = xq - x[k]
    s = y[k] + dx * (b[k] + dx * (c[k] + dx * d[k]))
    return (s**2).sum()


def ns_ex(rng):
    return dict(y=rng.normal(size=5), x=np.array([0, 1.0, 1.7, 3, 4]), xq=np.array([0.3, 1.2, 2.0, 3.5]))


def angle_axis_to_R(a):
    n = np.sqrt(np.sum(np.square(a)))
    x, y, z = (a[0] / n, a[1] / n, a[2] / n)
    s, c = (np.sin(n), np.cos(n))
    return np.array(
        [
            [x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
            [x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s],
            [x * z * (1 - c) - y * s, z * y * (1 - c) + x * s, z * z + (1 - z * z) * c],
        ]
    )


def hand(theta, base, weights, targets, parents=(-1, 0, 1, 0)):
    """A skeleton of 4x4 transforms with a list of parents."""

    def euler(v):
        (cx, cy, cz), (sx, sy, sz) = (np.cos(v), np.sin(v))
        Rx = np.eye(3)
        Rx[1, 1] = cx
        Rx[2, 1] = sx
        Rx[1, 2] = -sx
        Rx[2, 2] = cx
        Ry = np.eye(3)
        Ry[0, 0] = cy
        Ry[0, 2] = sy
        Ry[2, 0] = -sy
        Ry[2, 2] = cy
        Rz = np.eye(3)
        Rz[:2, :2] = np.array([[cz, -sz], [sz, cz]])
        return Rz @ Ry @ Rx

    rel = []
    for i in range(len(parents)):
        T = np.eye(4)
        T[:3, :3] = euler(theta[3 * i : 3 * i + 3])
        T[0, 3] = 0.5 * (i + 1)
        rel.append(T)
    absol = []
    for i, p in enumerate(parents):
        absol.append(rel[i] if p == -1 else absol[p] @ rel[i])
    hom = np.vstack((base, np.ones(base.shape[1])))
    pos = np.zeros((3, base.shape[1]))
    for T, w in zip(absol, weights):
        pos += (T @ hom)[:3] * w
    R = angle_axis_to_R(theta[-3:])
    return np.sum((R @ pos - targets) ** 2)


def hand_ex(rng):
    return dict(
        theta=rng.normal(size=15),
        base=rng.normal(size=(3, 5)),
        weights=rng.dirichlet(np.ones(4), 5).T,
        targets=rng.normal(size=(3, 5)),
    )


def x6(rng):
    return dict(x=rng.uniform(0.5, 2, 6))


def deque_filter(x):
    """Statistics of a list of averages."""
    buf = deque(maxlen=3)
    out = []
    for v in x:
        buf.append(v)
        out.append(sum(buf) / len(buf))
    return np.var(out) + max(out) - min(out)


def accumulate_it(x):
    """itertools and functools over elements."""
    s = list(accumulate(x, lambda a, b: 0.5 * a + b))
    return np.dot(s, s) + functools.reduce(operator.mul, x)


PROGRAMS = [
    (matlab_port, matlab_ex, ["x", "y"]),
    (matlab_fem, fem_ex, ["E"]),
    (forward_kinematics, fk_ex, ["q", "target"]),
    (riccati, ric_ex, ["logq", "A", "B"]),
    (kalman_smoother, ks_ex, ["lq", "lr", "y"]),
    (binomial_american, binom_ex, ["S0", "sigma", "r"]),
    (thomas, th_ex, ["a", "b", "c", "d"]),
    (nat_spline, ns_ex, ["y", "x", "xq"]),
    (hand, hand_ex, ["theta", "base"]),
    (deque_filter, x6, ["x"]),
    (accumulate_it, x6, ["x"]),
]
