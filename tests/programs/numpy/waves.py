"""Signals and waves: transforms, filters by recursion, complex amplitudes."""

import numpy as np


def stft_loss(x, n=8, hop=4):
    """Frames, windows, a transform of each; power and phase."""
    win = np.hanning(n)
    frames = [x[i : i + n] * win for i in range(0, len(x) - n + 1, hop)]
    S = np.array([np.fft.rfft(f) for f in frames])
    P = np.abs(S) ** 2
    return np.sum(np.log(P + 0.001)) + np.mean(np.angle(S)[:, 1:-1] ** 2)


def x_ex(rng):
    return dict(x=rng.normal(size=20))


def freq_response(h, target):
    """The transfer function of a filter, a frequency at a time."""
    w = np.linspace(0, np.pi, 16)
    H = np.array([np.sum(h * np.exp(-1j * wi * np.arange(len(h)))) for wi in w])
    return np.sum((np.abs(H) - target) ** 2)


def freq_ex(rng):
    return dict(h=rng.normal(size=5), target=rng.random(16))


def freq_matrix(h, target):
    """The same with one matrix of exponentials, in decibels."""
    w = np.linspace(0, np.pi, 16)
    k = np.arange(h.size)
    E = np.exp(-1j * np.outer(w, k))
    H = E @ h
    return np.mean((20 * np.log10(np.abs(H) + 1e-06) - target) ** 2) + (H * H.conj()).real.sum()


def iir(b, a, x):
    """A recursive filter written sample by sample."""
    y = np.zeros_like(x)
    for n in range(len(x)):
        acc = 0.0
        for k in range(len(b)):
            if n - k >= 0:
                acc += b[k] * x[n - k]
        for k in range(1, len(a)):
            if n - k >= 0:
                acc -= a[k] * y[n - k]
        y[n] = acc / a[0]
    return 0.5 * np.sum(y**2)


def iir_ex(rng):
    return dict(b=rng.normal(size=3), a=np.array([1.2, 0.3, -0.1]), x=rng.normal(size=9))


def yule_walker(x, p=3):
    """Autoregression from autocorrelations, in a Toeplitz matrix of list comprehensions."""
    r = np.array([np.dot(x[: len(x) - k], x[k:]) for k in range(p + 1)]) / len(x)
    R = np.array([[r[abs(i - j)] for j in range(p)] for i in range(p)])
    phi = np.linalg.solve(R, r[1:])
    return r[0] - phi @ r[1:]


def hilbert_env(x):
    """The envelope of the analytic signal."""
    N = len(x)
    X = np.fft.fft(x)
    h = np.zeros(N)
    h[0] = h[N // 2] = 1
    h[1 : N // 2] = 2
    a = np.fft.ifft(X * h)
    return np.sum(np.abs(a) * np.arange(N))


def goertzel(x, k=3):
    """One bin of the Fourier transform, by a recursion of two numbers."""
    N = len(x)
    w = 2 * np.pi * k / N
    c = 2 * np.cos(w)
    s1 = s2 = 0
    for v in x:
        s1, s2 = (v + c * s1 - s2, s1)
    return s1**2 + s2**2 - c * s1 * s2


def haar(x, lam=0.1):
    """The Haar transform by slices, with a smooth sparsity penalty."""
    coeffs = []
    a = x
    while len(a) > 1:
        s, d = ((a[0::2] + a[1::2]) / np.sqrt(2), (a[0::2] - a[1::2]) / np.sqrt(2))
        coeffs.append(d)
        a = s
    coeffs.append(a)
    c = np.concatenate(coeffs[::-1])
    return lam * np.sum(np.sqrt(c**2 + 0.0001))


def haar_ex(rng):
    return dict(x=rng.normal(size=16))


def heston_cf(params, S0=100.0, K=100.0, T=1.0, r=0.02):
    """Option pricing with the characteristic function of the Heston model."""
    kappa, theta, sigma, rho, v0 = params

    def cf(u):
        d = np.sqrt((rho * sigma * 1j * u - kappa) ** 2 + sigma**2 * (1j * u + u**2))
        g = (kappa - rho * sigma * 1j * u - d) / (kappa - rho * sigma * 1j * u + d)
        C = r * 1j * u * T + kappa * theta / sigma**2 * (
            (kappa - rho * sigma * 1j * u - d) * T - 2 * np.log((1 - g * np.exp(-d * T)) / (1 - g))
        )
        D = (kappa - rho * sigma * 1j * u - d) / sigma**2 * (1 - np.exp(-d * T)) / (1 - g * np.exp(-d * T))
        return np.exp(C + D * v0 + 1j * u * np.log(S0))

    u = np.linspace(0.01, 30, 40)
    integrand = np.real(np.exp(-1j * u * np.log(K)) * cf(u) / (1j * u))
    return 0.5 + np.trapezoid(integrand, u) / np.pi


def heston_ex(rng):
    return dict(params=np.array([1.5, 0.04, 0.3, -0.6, 0.05]))


def ray_transfer(R, d, n):
    """A Gaussian beam through lenses: 2x2 matrices and a complex beam parameter."""

    def lens(f):
        return np.array([[1, 0], [-1 / f, 1]])

    def prop(z):
        return np.array([[1.0, z], [0, 1]])

    def refr(n1, n2, R):
        return np.array([[1, 0], [(n1 - n2) / (R * n2), n1 / n2]])

    M = np.eye(2)
    for k in range(len(R)):
        n1, n2 = (1.0, n) if k % 2 == 0 else (n, 1.0)
        M = prop(d[k]) @ refr(n1, n2, R[k]) @ M
    M = lens(3.0) @ M
    q = 1j * 2.0
    A, B, C, D = M.ravel()
    q2 = (A * q + B) / (C * q + D)
    return (1 / q2).real ** 2 + q2.imag


def ray_ex(rng):
    return dict(R=rng.uniform(2, 4, 4) * np.array([1, -1, 1, -1]), d=rng.uniform(0.1, 1, 4), n=1.5)


PROGRAMS = [
    (stft_loss, x_ex, ["x"]),
    (freq_response, freq_ex, ["h"]),
    (freq_matrix, freq_ex, ["h"]),
    (iir, iir_ex, ["b", "a", "x"]),
    (yule_walker, x_ex, ["x"]),
    (hilbert_env, x_ex, ["x"]),
    (goertzel, x_ex, ["x"]),
    (haar, haar_ex, ["x"]),
    (heston_cf, heston_ex, ["params"]),
    (ray_transfer, ray_ex, ["R", "d", "n"]),
]
