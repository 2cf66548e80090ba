"""What the derivative of each problem costs, in units of the problem itself in plain NumPy.

    python examples/gradbench/bench.py [--seconds 0.05] [problem ...]

    problem    function     primal   derivative   ratio
    gmm        jacobian    1.23 ms      4.56 ms    3.7

Times are the best of several, in one process, and do not count the compilation, which the first call does.
Functions made by gc.grad look at their arguments at each call; where the problem is one multiplication, this is
all that there is to see.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from timeit import Timer
from typing import Any, NamedTuple

import numpy as np

REPEATS = 5


class Problem(NamedTuple):
    """The names of the function in plain NumPy and of its derivative, of the same arguments."""

    primal: str
    derivative: str


PROBLEMS = {
    "hello": Problem("square", "double"),
    "llsq": Problem("primal", "gradient"),
    "lse": Problem("primal", "gradient"),
    "kmeans": Problem("cost", "direction"),
    "gmm": Problem("objective", "jacobian"),
    "lstm": Problem("objective", "jacobian"),
    "ode": Problem("primal", "gradient"),
    "det": Problem("primal", "gradient"),
    "ba": Problem("objective", "jacobian"),
}


def milliseconds(call: Callable[[], Any], seconds: float) -> float:
    """The best time of one call, after a first one."""
    call()
    timer = Timer(call)
    number = max(1, round(seconds / max(timer.timeit(1), 1e-7)))
    return 1000 * min(timer.repeat(REPEATS, number)) / number


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="The cost of derivatives in units of the function alone.")
    parser.add_argument("problems", nargs="*", default=list(PROBLEMS), help="by default all")
    parser.add_argument("--seconds", type=float, default=0.05, help="for each of several measurements")
    options = parser.parse_args()
    print(f"{'problem':<10} {'function':<10} {'primal':>11} {'derivative':>12} {'ratio':>7}")
    for name in options.problems:
        module, problem = import_module(name), PROBLEMS[name]
        arguments = module.example(np.random.default_rng(0))
        calls = [getattr(module, function) for function in problem]
        primal, derivative = (milliseconds(lambda c=c: c(*arguments), options.seconds) for c in calls)  # noqa: B023
        ratio = derivative / primal
        print(f"{name:<10} {problem.derivative:<10} {primal:8.3f} ms {derivative:9.3f} ms {ratio:7.1f}")


if __name__ == "__main__":
    main()
