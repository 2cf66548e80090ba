"""Models with loops and branches whose generated code is kept beside, in `loops/`: functions and their inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def rnn(xs: Array, Wx: Array, Wh: Array, b: Array, target: Array) -> Any:
    """A recurrence, of which the gradient needs every state."""
    h = np.zeros(b.shape[0])
    for x in xs:
        h = np.tanh(x @ Wx + h @ Wh + b)
    return np.sum((h - target) ** 2)


def leapfrog(q: Array, p: Array, w: Array, dt: float) -> Any:
    """Two variables, one of which is updated in place."""
    for _ in range(100):
        p = p - dt * w * np.sin(q)
        q = q + dt * p
    return np.sum(q**2) + np.sum(p**2)


def fibonacci(x: Array, a: float, b: float) -> Any:
    """Two variables that need each other's old values."""
    for t in range(x.shape[0]):
        a, b = b, a + b * x[t]
    return b


def hidden_markov(log_a: Array, log_b: Array, log_pi: Array) -> Any:
    """A loop that does not start at 0."""
    alpha = log_pi + log_b[0]
    for t in range(1, log_b.shape[0]):
        alpha = np.log(np.sum(np.exp(alpha[:, None] + log_a), axis=0)) + log_b[t]
    return np.log(np.sum(np.exp(alpha)))


def cumulative(X: Array, w: Array) -> Any:
    """A loop in a loop, and an array that is filled."""
    out = np.zeros(X.shape[0])
    for i in range(X.shape[0]):
        total = 0.0
        for j in range(X.shape[1]):
            total = np.sin(total + w[j] * X[i, j])
        out[i] = total
    return out


def square_root(a: float) -> Any:
    """A `while`, whose steps are counted for the way back."""
    x = a
    while abs(x * x - a) > 1e-12 * a:
        x = 0.5 * (x + a / x)
    return x


def smallest_power(x: Array) -> Any:
    """A `while` whose condition is computed from arrays, and also needed by the step."""
    y = x
    while np.sum(y * y) > 1.0:
        y = y / (1.0 + np.sum(y * y))
    return np.sum(y)


def clipped(xs: Array, limit: float) -> Any:
    """A branch in a loop."""
    total = 0.0
    for x in xs:
        if x > limit:
            x = limit * np.log(x)
            total = total + x
        else:
            total = total - x * x
    return total


def single(xs: Array, decay: float) -> Any:
    """float32, and every state is returned."""
    means = []
    mean = xs[0]
    for x in xs:
        mean = decay * mean + (1 - decay) * x
        means.append(mean)
    return np.array(means)


Model = tuple[Callable[..., Any], dict[str, Any]]
MODELS: list[Model] = [
    (rnn, {"xs": "T d", "Wx": "d k", "Wh": "k k", "b": "k", "target": "k"}),
    (leapfrog, {"q": "n", "p": "n", "w": "n", "dt": ()}),
    (fibonacci, {"x": "T", "a": (), "b": ()}),
    (hidden_markov, {"log_a": "k k", "log_b": "T k", "log_pi": "k"}),
    (cumulative, {"X": "n m", "w": "m"}),
    (square_root, {"a": ()}),
    (smallest_power, {"x": "n"}),
    (clipped, {"xs": "T", "limit": ()}),
    (single, {"xs": "f32[T]", "decay": "f32"}),
]
