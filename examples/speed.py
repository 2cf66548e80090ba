"""What a value with its gradient costs, in units of the plain NumPy function alone.

    python examples/speed.py

    model                        NumPy forward   generated, with gradient            autograd
    logistic, 10,000 x 100             0.11 ms            0.28 ms   2.6 x     0.42 ms   3.8 x
    ...

The same functions run as plain NumPy, as the generated module, and, if it is installed, under
autograd. Times are the best of several, in one process; divide, don't compare across machines.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from timeit import Timer
from types import ModuleType
from typing import Any

import numpy
from sklearn.datasets import load_digits

import graphc as gc
from graphc.load import load_module

REPEATS, SECONDS = 7, 0.2
Case = tuple[Callable[..., Any], tuple[Any, ...], tuple[int, ...]]


def cases(np: ModuleType) -> dict[str, Case]:
    """Functions over `np`, with their arguments and the places of those to differentiate by."""

    def logistic(w: Any, X: Any, y: Any) -> Any:
        z = X @ w
        return np.mean(np.log(1 + np.exp(z)) - y * z)

    def network(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, y: Any) -> Any:
        z = np.maximum(X @ W1 + b1, 0) @ W2 + b2
        log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
        return -np.mean(log_p[np.arange(len(y)), y])

    def process(theta: Any, x: Any, y: Any) -> Any:
        p = np.exp(theta)
        distance = (x[:, None] - x[None, :]) / p[1]
        L = np.linalg.cholesky(p[0] * np.exp(-0.5 * distance**2) + p[2] * np.eye(len(x)))
        z = np.linalg.solve(L, y)
        return np.sum(z**2) / 2 + np.sum(np.log(np.diag(L)))

    rng = numpy.random.default_rng(0)
    X = rng.standard_normal((10_000, 100))
    w = rng.standard_normal(100) / 10
    digits = load_digits()
    weights = (
        rng.standard_normal((64, 128)) / 8,
        numpy.zeros(128),
        rng.standard_normal((128, 10)) / 11,
        numpy.zeros(10),
    )
    x = numpy.sort(rng.uniform(0, 10, 200))
    return {
        "logistic, 10,000 x 100": (logistic, (w, X, (X @ w > 0).astype(float)), (0,)),
        "network, 1,797 x 64-128-10": (network, (*weights, digits.data / 16, digits.target), (0, 1, 2, 3)),
        "Gaussian process, n = 200": (process, (numpy.array([0.0, 0.0, -2.0]), x, numpy.sin(x)), (0,)),
    }


def milliseconds(call: Callable[[], Any]) -> float:
    """The best time of one call."""
    timer = Timer(call)
    number = max(1, round(SECONDS / max(timer.timeit(3) / 3, 1e-7)))
    return 1000 * min(timer.repeat(REPEATS, number)) / number


def generated(function: Callable[..., Any], arguments: tuple[Any, ...], places: tuple[int, ...]) -> Callable[[], Any]:
    """A call of the generated file's own `value_and_grad`."""
    names = function.__code__.co_varnames[: len(arguments)]
    module = gc.compile(function, dict(zip(names, arguments, strict=True)), wrt=[names[p] for p in places])
    value_and_grad = load_module(module.source, function.__name__).value_and_grad
    return lambda: value_and_grad(*arguments)


def autograds(name: str) -> float | None:
    """The time of one call of autograd's `value_and_grad`; None if it is not installed."""
    if find_spec("autograd") is None:
        return None
    function, arguments, places = cases(import_module("autograd.numpy"))[name]
    value_and_grad = import_module("autograd").value_and_grad(function, places)
    return milliseconds(lambda: value_and_grad(*arguments))


def main() -> None:
    """Print the table."""
    print(f"{'model':<28} {'NumPy forward':>13}   {'generated, with gradient':>24}   {'autograd':>17}")
    for name, (function, arguments, places) in cases(numpy).items():
        plain = milliseconds(lambda f=function, a=arguments: f(*a))
        times = (milliseconds(generated(function, arguments, places)), autograds(name))
        cells = ["-" if t is None else f"{t:.2f} ms  {t / plain:4.1f} x" for t in times]
        print(f"{name:<28} {plain:10.2f} ms   {cells[0]:>24}   {cells[1]:>17}")


if __name__ == "__main__":
    main()
