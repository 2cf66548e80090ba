"""What a long loop costs in memory, with and without checkpoints.

    python examples/long_loops.py

    steps     peak, all saved     peak, checkpoint="sqrt"     time, relative
      100              57 kB                       19 kB               1.8
     1600             825 kB                       53 kB               1.6

The program is an LSTM; the peaks are of what a call of `value_and_grad` allocates, the time is that of the one with
checkpoints in units of the other one. Four times the steps need four times the memory, or about twice.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gc

STEPS = (100, 400, 1600, 6400)


def lstm(x: Any, W: Any, U: Any, b: Any) -> Any:
    """The size of the last state of an LSTM."""
    n = len(U)
    h, c = np.zeros(n), np.zeros(n)
    for t in range(len(x)):
        a = x[t] @ W + h @ U + b
        i, f, o = (1 / (1 + np.exp(-a[k * n : (k + 1) * n])) for k in range(3))
        c = f * c + i * np.tanh(a[3 * n :])
        h = o * np.tanh(c)
    return np.sum(h**2)


def peak(call: Callable[[], object]) -> int:
    """The bytes that a call holds at most."""
    call()  # what is made once
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def seconds(call: Callable[[], object]) -> float:
    """The time of the best of three calls."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def measured(steps: int, state: int = 4) -> tuple[int, int, float]:
    """The peaks without and with checkpoints, and the ratio of the times."""
    rng = np.random.default_rng(0)
    shapes = {"x": (steps, 3), "W": (3, 4 * state), "U": (state, 4 * state), "b": (4 * state,)}
    arguments = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    plain, pieces = (gc.compile(lstm, arguments, wrt=("W", "U", "b"), checkpoint=how) for how in (None, "sqrt"))
    for ours, theirs in zip(plain.grad(**arguments), pieces.grad(**arguments), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    calls = [lambda m=m: m.value_and_grad(**arguments) for m in (plain, pieces)]
    return peak(calls[0]), peak(calls[1]), seconds(calls[1]) / seconds(calls[0])


def main() -> None:
    """Print a line for each number of steps."""
    print('steps     peak, all saved     peak, checkpoint="sqrt"     time, relative')
    for steps in STEPS:
        whole, pieces, ratio = measured(steps)
        print(f"{steps:5}{whole / 1000:16.0f} kB{pieces / 1000:25.0f} kB{ratio:18.1f}")


if __name__ == "__main__":
    main()
