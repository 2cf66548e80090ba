"""What the derivative of each problem costs, in units of the problem itself in plain NumPy.

    python examples/gradbench/bench.py [--seconds 0.05] [--large] [problem ...]

    problem    function         primal   derivative   ratio
    gmm        jacobian       1.232 ms     4.561 ms     3.7

Times are the best of several, in one process, and do not count the compilation, which the first call does.
Functions made by gc.grad look at their arguments at each call; where the problem is one multiplication, this is
all that there is to see. On a busy machine set OPENBLAS_NUM_THREADS=1: threads that wait for one another tell nothing.
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
    """The names of the function in plain NumPy, if there is one without derivatives, and of its derivatives.

    large: the sizes of one of the larger inputs that GradBench has.
    """

    primal: str | None
    derivatives: tuple[str, ...]
    large: dict[str, int] = {}  # noqa: RUF012


PROBLEMS = {
    "hello": Problem("square", ("double",)),
    "llsq": Problem("primal", ("gradient",), {"m": 128, "n": 100_000}),
    "lse": Problem("primal", ("gradient",), {"n": 1_000_000}),
    "kmeans": Problem("cost", ("direction",), {"n": 10_000, "k": 100, "d": 16}),
    "gmm": Problem("objective", ("jacobian",), {"n": 1000, "k": 25, "d": 32}),
    "lstm": Problem("objective", ("jacobian",), {"layers": 4, "characters": 1024}),
    "ode": Problem("primal", ("gradient",), {"n": 10_000, "s": 100}),
    "det": Problem("primal", ("gradient",), {"n": 6}),
    "ba": Problem("objective", ("jacobian",), {"n": 21, "m": 11_315, "p": 36_455}),
    "ht": Problem("objective", ("jacobian",), {"points": 1000, "vertices": 2000}),
    "particle": Problem(None, ("rr", "rf", "fr", "ff")),
    "saddle": Problem(None, ("rr", "rf", "fr", "ff")),
}


def milliseconds(call: Callable[[], Any], seconds: float) -> float:
    """The best time of one call, after a first one."""
    call()
    timer = Timer(call)
    number = max(1, round(seconds / max(timer.timeit(1), 1e-7)))
    return 1000 * min(timer.repeat(REPEATS, number)) / number


def measure(name: str, seconds: float, large: bool) -> None:
    """Print the lines of one problem."""
    module, problem = import_module(name), PROBLEMS[name]
    arguments = module.example(np.random.default_rng(0), **(problem.large if large else {}))

    def timed(function: str) -> float:
        return milliseconds(lambda: getattr(module, function)(*arguments), seconds)

    primal = None if problem.primal is None else timed(problem.primal)
    for function in problem.derivatives:
        derivative = timed(function)
        before, ratio = ("-", "-") if primal is None else (f"{primal:.3f} ms", f"{derivative / primal:.1f}")
        print(f"{name:<10} {function:<10} {before:>12} {f'{derivative:.3f} ms':>12} {ratio:>7}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="The cost of derivatives in units of the function alone.")
    parser.add_argument("problems", nargs="*", default=list(PROBLEMS), help="by default all")
    parser.add_argument("--seconds", type=float, default=0.05, help="for each of several measurements")
    parser.add_argument("--large", action="store_true", help="inputs of the sizes that GradBench has")
    options = parser.parse_args()
    print(f"{'problem':<10} {'function':<10} {'primal':>12} {'derivative':>12} {'ratio':>7}")
    for name in options.problems:
        measure(name, options.seconds, options.large)


if __name__ == "__main__":
    main()
