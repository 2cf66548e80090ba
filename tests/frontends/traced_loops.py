"""Loops as people write them, for the tests of what the NumPy front end makes of them.

Arguments: X (T, d), Y (T, d), W (d, d), h (d,), c (d,), y (T,), a, b.  ROLLED: the loops of the outermost graph.
"""

import numpy as np

RNG = np.random.default_rng(0)
TYPES = {"X": "T d", "Y": "T d", "W": "d d", "h": "d", "c": "d", "y": "T", "a": (), "b": ()}
VALUES = {
    "X": RNG.normal(size=(5, 3)),
    "Y": RNG.normal(size=(5, 3)),
    "W": RNG.normal(size=(3, 3)) * 0.5,
    "h": np.array([0.3, -0.2, 0.9]),
    "c": RNG.normal(size=3),
    "y": RNG.normal(size=5),
    "a": 0.7,
    "b": -0.4,
}


# --- recurrences ---


def rnn(X, W, h):
    for t in range(len(X)):
        h = np.tanh(X[t] + h @ W)
    return np.sum(h**2)


def rnn_over_rows(X, W, h):
    for x in X:
        h = np.tanh(x + h @ W)
    return np.sum(h**2)


def lstm(X, W, h, c):
    for t in range(X.shape[0]):
        z = X[t] + h @ W
        gate, new = 1 / (1 + np.exp(-z)), np.tanh(z)
        c = gate * c + (1 - gate) * new
        h = gate * np.tanh(c)
    return np.sum(h), c


def list_of_states(X, W, h):
    hs = []
    for t in range(len(X)):
        h = np.tanh(X[t] @ W + h)
        hs.append(h)
    return np.stack(hs).sum(axis=0) * len(hs) + hs[-1] - hs[0]


def list_that_is_read(X, W, h):
    hs = [h]
    for x in X:
        hs.append(np.tanh(x @ W + hs[-1]))
    return np.array(hs)


def array_of_states(X, W, h):
    H = np.zeros((len(X) + 1, len(h)))
    H[0] = h
    for t in range(len(X)):
        H[t + 1] = np.tanh(X[t] @ W + H[t])
    return H


def filtered(y, a):
    out = np.zeros_like(y)
    out[0] = y[0]
    for t in range(1, len(y)):
        out[t] = a * out[t - 1] + y[t]
    return out


def fibonacci(a, b, y):
    for _ in range(len(y)):
        a, b = b, a + b
    return a, b


def kalman(y, a, b):
    F, Q = np.array([[1.0, 0.1], [0.0, 1.0]]), 0.01 * np.eye(2)
    m, P, likelihood, means = np.zeros(2), a * np.eye(2), 0.0, []
    for obs in y:
        m, P = F @ m, F @ P @ F.T + Q
        S = P[0, 0] + b**2
        K = P[:, 0] / S
        r = obs - m[0]
        m = m + K * r
        P = P - np.outer(K, K) * S
        likelihood += -0.5 * (np.log(2 * np.pi * S) + r * r / S)
        means.append(m)
    return likelihood, np.vstack(means)


def hmm(X, W):
    logA = W - np.log(np.sum(np.exp(W), axis=1, keepdims=True))
    alpha = X[0]
    for t in range(1, len(X)):
        alpha = X[t] + np.log(np.sum(np.exp(alpha[:, None] + logA), axis=0))
    return np.log(np.sum(np.exp(alpha)))


def viterbi(X, W):
    best = X[0]
    for x in X[1:]:
        best = np.max(best[:, None] + W, axis=0) + x
    return best.max()


def runge_kutta(h, W, a):
    def f(state):
        return np.tanh(W @ state) - state

    for _ in range(20):
        k1 = f(h)
        k2 = f(h + a / 2 * k1)
        k3 = f(h + a / 2 * k2)
        k4 = f(h + a * k3)
        h = h + a / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return h


def heat(y, a):
    for _ in range(30):
        new = y.copy()
        new[1:-1] = y[1:-1] + 0.1 * a * (y[2:] - 2 * y[1:-1] + y[:-2])
        y = new
    return y


def newton(h, a):
    x = h
    for _ in range(12):
        x = x - (x**3 - a) / (3 * x**2)
    return x


# --- what is gone through ---


def downwards(X, h):
    out = []
    for t in reversed(range(len(X))):
        h = np.sin(h) + X[t]
        out.append(h)
    return np.stack(out[::-1])


def from_the_last_but_one(X, h):
    for t in range(len(X) - 2, -1, -1):
        h = np.sin(h) + X[t] * t - X[t + 1]
    return h


def every_second(X, h):
    for t in range(0, len(X), 2):
        h = np.sin(h) + X[t] * t
    return h


def pairs(X, Y, a):
    total = 0.0
    for i, (u, v) in enumerate(zip(X, Y[::-1], strict=True), 1):
        total += u @ v * i * a
    return total


def rows_backwards(X, h):
    for i, x in enumerate(reversed(X)):
        h = np.tanh(h + x) * (i + 1)
    return h


def windows(y):
    out = []
    for t in range(len(y) - 2):
        out.append(np.mean(y[t : t + 3] ** 2))
    return np.array(out)


def prefixes(y):
    total = 0.0
    for i in range(len(y)):
        total += np.sum(y[:i]) * y[i]
    return total


def weighed_by_the_index(y, a):
    for t in range(len(y)):
        a = a + (t > 2) * y[t] - (t % 2 == 0) * y[t] * t / len(y)
    return a


def around(y):
    total = 0.0
    for i in range(len(y)):
        total += y[(i + 3) % len(y)] * i
    return total


def neighbours_inside(y):
    total = 0.0
    for i in range(len(y)):
        total += y[max(i - 1, 0)] * y[min(i + 1, len(y) - 1)]
    return total


# --- what is carried ---


def complex_number(y):
    z = 0j
    for v in y:
        z = z * np.exp(1j * v) + v
    return z.real + 2 * z.imag


def in_place(X, h):
    h = h.copy()
    same = h
    for x in X:
        h += x
        h *= 0.5
    return h, same


def counter(y):
    i, total = 0, 0.0
    for v in y:
        total = total + v * i
        i += 2
    return total, i


def number_becomes_array(X):
    total = 0
    for x in X:
        total = total + x
    return total


def in_containers(X, h):
    state = {"h": h, "n": 0.0}
    for x in X:
        state = {"h": np.tanh(state["h"] + x), "n": state["n"] + np.sum(x)}
    last = [h, 1.0]
    for x in X:
        last[0] = last[0] * x
    return state["h"] + last[0], state["n"]


class Cell:
    def __init__(self):
        self.h = 0.0

    def step(self, v):
        self.h = np.tanh(self.h + v)


def attribute(y):
    cell = Cell()
    for v in y:
        cell.step(v)
    return cell.h


def two_appended(y):
    out = []
    for v in y:
        out.append(v)
        out.append(2 * v)
    return np.array(out)


def appended_pairs(X):
    out = []
    for x in X:
        out.append((np.sin(x), np.sum(x)))
    total = 0.0
    for s, n in out:
        total += np.sum(s) * n
    return total, out[0][1]


def last_values(X):
    for t, x in enumerate(X):  # noqa: B007
        z = x * 2
    return z.sum() * t


def one_after_the_other(y):
    for t in range(len(y)):
        y = y * 0.9 + t
    for t in range(len(y)):
        y = np.sin(y) * t
    return y


# --- loops in loops ---


def gram(X):
    out = np.zeros((len(X), len(X)))
    for i in range(len(X)):
        for j in range(i):
            out[i, j] = np.dot(X[i], X[j])
    return out


def calls_a_loop(X):
    def length(v):
        s = 0.0
        for e in v:
            s += e * e
        return np.sqrt(s)

    total = 0.0
    for x in X:
        total += length(x)
    return total


def substitution(W, h):
    A = W + 5 * np.eye(len(h))
    n = len(h)
    y = np.zeros(n)
    for i in range(n):
        y[i] = (h[i] - np.dot(A[i, :i], y[:i])) / A[i, i]
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (y[i] - np.dot(A[i, i + 1 :], x[i + 1 :])) / A[i, i]
    return x


# --- comprehensions ---


def comprehension(y):
    return np.array([np.sin(v) * i for i, v in enumerate(y)])


def sum_of_a_generator(X, a):
    return sum(np.exp(a * (x @ x)) for x in X)


def rows_of_a_matrix(X):
    return np.array([[np.dot(u, v) for v in X] for u in X])


def stacked_comprehension(X, W):
    hs = [np.tanh(x @ W) for x in X]
    return np.stack(hs).sum(axis=0) + np.mean([np.sum(h) for h in hs])


# --- state that is not in variables of the function ---


class Slotted:
    __slots__ = ("h",)

    def __init__(self):
        self.h = 0.0

    def step(self, v):
        self.h = np.tanh(self.h + v)


def slot(y):
    cell = Slotted()
    step = cell.step
    for v in y:
        step(v)
    return cell.h


def variable_of_a_closure(y):
    total = 0.0

    def add(v):
        nonlocal total
        total = total * 0.5 + v

    for v in y:
        add(v)
    return total


MEMORY = {"h": 0.0}


def dict_outside(y):
    MEMORY["h"] = 0.0
    for v in y:
        MEMORY["h"] = MEMORY["h"] * 0.3 + v
    return MEMORY["h"]


ROLLED = {
    rnn: 1, rnn_over_rows: 1, lstm: 1, list_of_states: 1, list_that_is_read: 1, array_of_states: 1, filtered: 1,
    fibonacci: 1, kalman: 1, hmm: 1, viterbi: 1, runge_kutta: 1, heat: 1, newton: 1, downwards: 1,
    from_the_last_but_one: 1, every_second: 1, pairs: 1, rows_backwards: 1, windows: 1, prefixes: 1,
    weighed_by_the_index: 1, in_place: 1, counter: 1, number_becomes_array: 1, in_containers: 2, attribute: 1,
    two_appended: 1, appended_pairs: 2, last_values: 1, one_after_the_other: 2, gram: 1, calls_a_loop: 1,
    substitution: 2, comprehension: 1, sum_of_a_generator: 1, rows_of_a_matrix: 1, stacked_comprehension: 2, slot: 1,
    variable_of_a_closure: 1, around: 1, neighbours_inside: 1, complex_number: 1, dict_outside: 1,
}  # fmt: skip
