"""Differential equations, mechanics and structures."""

import math

import numpy as np


def heat_loss(u0, kappa, observed, steps=10, dt=0.1):
    """Explicit Euler on a ring; the measured end says what the beginning was."""
    u = u0.copy()
    for _ in range(steps):
        u += dt * kappa * (np.roll(u, 1) - 2 * u + np.roll(u, -1))
    return ((u - observed) ** 2).mean()


def heat_example(rng):
    return {"u0": rng.normal(size=8), "kappa": 0.8, "observed": rng.normal(size=8)}


def heat_plate(T, source, steps=5):
    """Jacobi sweeps over the inside of a plate, the rim held fixed."""
    T = np.array(T)
    for _ in range(steps):
        inside = 0.25 * (T[:-2, 1:-1] + T[2:, 1:-1] + T[1:-1, :-2] + T[1:-1, 2:])
        T[1:-1, 1:-1] = inside + source
    return np.sum(T[1:-1, 1:-1] ** 2)


def nbody_energy(positions, velocities, masses, G=1.0):
    kinetic = 0.5 * (masses * (velocities**2).sum(axis=1)).sum()
    potential = 0.0
    n = len(masses)
    for i in range(n):
        for j in range(i + 1, n):
            r = np.sqrt(np.sum((positions[i] - positions[j]) ** 2))
            potential -= G * masses[i] * masses[j] / r
    return kinetic + potential


def nbody_energy_pairs(positions, velocities, masses):
    """The same by arrays of index pairs."""
    i, j = np.triu_indices(positions.shape[0], k=1)
    separation = positions[i] - positions[j]
    distance = np.linalg.norm(separation, axis=-1)
    return 0.5 * masses @ np.einsum("ij,ij->i", velocities, velocities) - np.sum(masses[i] * masses[j] / distance)


def nbody_example(rng):
    return {
        "positions": rng.normal(size=(4, 3)),
        "velocities": rng.normal(size=(4, 3)),
        "masses": rng.uniform(1, 2, 4),
    }


def forces_by_scatter(positions, pairs, stiffness):
    """Springs between pairs of points; the forces are summed where they act."""
    forces = np.zeros_like(positions)
    delta = positions[pairs[:, 0]] - positions[pairs[:, 1]]
    np.add.at(forces, pairs[:, 0], -stiffness[:, None] * delta)
    np.add.at(forces, pairs[:, 1], stiffness[:, None] * delta)
    return (forces**2).sum()


def springs_example(rng):
    return {
        "positions": rng.normal(size=(5, 2)),
        "pairs": np.array([[0, 1], [1, 2], [2, 3], [0, 3], [1, 4], [0, 1]]),
        "stiffness": rng.uniform(1, 2, 6),
    }


def rk4(f, y, t, dt):
    k1 = f(y, t)
    k2 = f(y + dt * k1 / 2, t + dt / 2)
    k3 = f(y + dt * k2 / 2, t + dt / 2)
    k4 = f(y + dt * k3, t + dt)
    return y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def lotka_volterra_loss(theta, y0, data, dt=0.1):
    alpha, beta, gamma, delta = theta

    def rhs(y, t):
        prey, predator = y
        return np.array([alpha * prey - beta * prey * predator, delta * prey * predator - gamma * predator])

    y, trajectory = y0, []
    for k in range(len(data)):
        y = rk4(rhs, y, k * dt, dt)
        trajectory.append(y)
    return np.mean((np.stack(trajectory) - data) ** 2)


def lotka_volterra_example(rng):
    return {"theta": rng.uniform(0.5, 1.5, 4), "y0": np.array([1.0, 0.8]), "data": rng.uniform(0.5, 1.5, (5, 2))}


def pendulum_shooting(omega0, length, target=0.3, steps=20, dt=0.05):
    """How far the pendulum is from where it should be, for a first angular velocity."""
    theta, omega = 0.1, omega0
    t = 0
    while t < steps:
        omega = omega - dt * 9.81 / length * math.sin(theta)
        theta += dt * omega
        t += 1
    return (theta - target) ** 2


def truss_compliance(areas, nodes, load):
    """A plane truss: stiffness summed bar by bar, then the work of the load."""
    bars = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3)]
    K = np.zeros((2 * len(nodes), 2 * len(nodes)))
    for e, (i, j) in enumerate(bars):
        d = nodes[j] - nodes[i]
        L = np.hypot(d[0], d[1])
        c, s = d / L
        k = np.array([[c * c, c * s], [c * s, s * s]]) * areas[e] / L
        K[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] += k
        K[2 * j : 2 * j + 2, 2 * j : 2 * j + 2] += k
        K[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] -= k
        K[2 * j : 2 * j + 2, 2 * i : 2 * i + 2] -= k
    free = np.array([2, 4, 5, 6, 7])
    u = np.linalg.solve(K[np.ix_(free, free)], load[free])
    return load[free] @ u


def truss_example(rng):
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    return {"areas": rng.uniform(1, 2, 6), "nodes": square + 0.1 * rng.normal(size=(4, 2)), "load": rng.normal(size=8)}


def beam_deflection(heights, length=1.0, E=10.0):
    """A cantilever of Euler-Bernoulli elements, assembled with np.ix_."""
    n = heights.shape[0]
    h = length / n
    element = np.array(
        [
            [12, 6 * h, -12, 6 * h],
            [6 * h, 4 * h**2, -6 * h, 2 * h**2],
            [-12, -6 * h, 12, -6 * h],
            [6 * h, 2 * h**2, -6 * h, 4 * h**2],
        ]
    )
    K = np.zeros((2 * n + 2, 2 * n + 2))
    for e, height in enumerate(heights):
        dofs = np.arange(2 * e, 2 * e + 4)
        K[np.ix_(dofs, dofs)] += E * height**3 / 12 / h**3 * element
    f = np.zeros(2 * n + 2)
    f[-2] = 1.0
    u = np.zeros(2 * n + 2)
    u[2:] = np.linalg.solve(K[2:, 2:], f[2:])
    return u[-2]


def fluid_step(vx, vy, iterations=3):
    """Remove the divergence of a velocity field, as in autograd's smoke."""
    p = np.zeros_like(vx)
    h = 1.0 / vx.shape[0]
    div = (
        -0.5 * h * (np.roll(vx, -1, axis=0) - np.roll(vx, 1, axis=0) + np.roll(vy, -1, axis=1) - np.roll(vy, 1, axis=1))
    )
    for _ in range(iterations):
        p = (div + np.roll(p, 1, axis=0) + np.roll(p, -1, axis=0) + np.roll(p, 1, axis=1) + np.roll(p, -1, axis=1)) / 4
    vx = vx - 0.5 * (np.roll(p, -1, axis=0) - np.roll(p, 1, axis=0)) / h
    vy = vy - 0.5 * (np.roll(p, -1, axis=1) - np.roll(p, 1, axis=1)) / h
    return vx, vy


def fluid_loss(v):
    vx, vy = fluid_step(*v)
    return np.sum(vx**2 * np.cos(vy))


def spectral_loss(signal, target):
    """Compare spectra in decibels."""

    def spectrum(x):
        X = np.fft.rfft(x * np.hanning(len(x)))
        return 10 * np.log10(np.abs(X) ** 2 + 1e-3)

    return np.mean((spectrum(signal) - spectrum(target)) ** 2)


def harmonic_chain(q, p, k=1.5, steps=6, dt=0.2):
    """Leapfrog, in place."""
    q, p = q.copy(), p.copy()

    def force(q):
        f = np.zeros_like(q)
        f[1:] -= k * (q[1:] - q[:-1])
        f[:-1] += k * (q[1:] - q[:-1])
        return f - 0.1 * q**3

    p += 0.5 * dt * force(q)
    for step in range(steps):
        q += dt * p
        if step != steps - 1:
            p += dt * force(q)
    p += 0.5 * dt * force(q)
    return 0.5 * np.vdot(p, p) + 0.5 * k * np.sum(np.diff(q) ** 2)


def two_vectors(rng):
    return {"q": rng.normal(size=5), "p": rng.normal(size=5)}


PROGRAMS = [
    (heat_loss, heat_example, ["u0", "kappa"]),
    (heat_plate, lambda rng: {"T": rng.normal(size=(5, 6)), "source": rng.normal(size=(3, 4))}, ["T", "source"]),
    (nbody_energy, nbody_example, ["positions", "velocities", "masses"]),
    (nbody_energy_pairs, nbody_example, ["positions", "velocities", "masses"]),
    (forces_by_scatter, springs_example, ["positions", "stiffness"]),
    (lotka_volterra_loss, lotka_volterra_example, ["theta", "y0"]),
    (pendulum_shooting, lambda rng: {"omega0": 0.9, "length": 1.4}, ["omega0", "length"]),
    (truss_compliance, truss_example, ["areas", "nodes", "load"]),
    (beam_deflection, lambda rng: {"heights": rng.uniform(1, 2, 4)}, ["heights"]),
    (fluid_loss, lambda rng: {"v": rng.normal(size=(2, 4, 4))}, ["v"]),
    (spectral_loss, lambda rng: {"signal": rng.normal(size=12), "target": rng.normal(size=12)}, ["signal"]),
    (harmonic_chain, two_vectors, ["q", "p"]),
]
