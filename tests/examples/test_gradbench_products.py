"""What else GradBench's problems must give: second derivatives, files that are products, scripts, a benchmark."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gradbench_problems import PROBLEMS, close, problem

import graphc as gc

SECOND = {  # problem: (a scalar function of its module and of its arguments, the argument, sizes)
    "gmm": (lambda m, *args: m.objective(*args), 1, {"n": 9, "k": 3, "d": 3}),
    "lstm": (lambda m, *args: m.objective(*args), 1, {"layers": 2, "characters": 12, "bits": 2}),
    "ode": (lambda m, *args: m.last(*args), 0, {"n": 5, "s": 12}),
    "det": (lambda m, *args: m.primal(*args), 0, {"n": 4}),
    "ba": (lambda m, *args: np.sum(m.objective(*args)[0] ** 2), 1, {"n": 2, "m": 3, "p": 6}),
    "ht": (lambda m, *args: np.sum(m.objective(*args) ** 2), 0, {"points": 5, "vertices": 9}),
    "particle": (lambda m, w: m.objective(problem("descent").reverse, w + 0.1), 0, {}),
}


def difference(f, x, v):
    """The derivative along v, by central differences of two steps."""
    slopes = [(f(x + h * v) - f(x - h * v)) / (2 * h) for h in (1e-4, 2e-4)]
    return (4 * slopes[0] - slopes[1]) / 3


@pytest.mark.parametrize("name", SECOND)
def test_second_derivatives(name):
    """Forward over reverse, a whole Hessian, and reverse over reverse agree with differences of the gradient."""
    function, place, sizes = SECOND[name]
    module = problem(name)
    arguments = list(module.example(np.random.default_rng(10), **sizes))
    x = arguments[place] = np.atleast_1d(arguments[place])
    v = np.random.default_rng(11).normal(size=x.shape)

    def f(*args):
        return function(module, *args)

    gradient = gc.grad(f, place)
    wanted = difference(lambda y: gradient(*arguments[:place], y, *arguments[place + 1 :]), x, v)
    close(gc.hvp(f, place)(*arguments, v), wanted)
    close(np.tensordot(gc.hessian(f, place)(*arguments), v, axes=v.ndim), wanted)
    close(gc.grad(lambda *args: np.sum(gradient(*args) * v), place)(*arguments), wanted)


# --- the generated files ---

COMPILED = ["llsq", "lse", "gmm", "lstm", "ode", "det", "ba"]  # by their first derivative
CHECKS = [
    ("ruff", "format", "--isolated", "--check", "--no-cache", "."),
    ("ruff", "check", "--isolated", "--no-cache", "--select", "F", "."),
    ("mypy", "--strict", "--config-file", "/dev/null", "--cache-dir", "cache", "."),
]


def generated():
    """The source of each problem, under a name."""
    rng, descent = np.random.default_rng(0), problem("descent")
    for name in COMPILED:
        derivative = getattr(problem(name), problem("bench").PROBLEMS[name].derivatives[0])
        derivative(*problem(name).example(rng, **({"n": 9} if name == "llsq" else {})))
        yield name, derivative.module.source
    ht = problem("ht")
    ht.jacobian(*ht.example(rng, points=7, vertices=12))
    yield "ht_by_rows", ht.complicated_jacobian.source
    ht.jacobian(*ht.example(rng, points=100, vertices=120))
    yield "ht", ht.complicated_jacobian.source
    yield "ht_us", ht.by_us.module.source
    yield "kmeans", problem("kmeans").direction.source
    for name in ("particle", "saddle"):
        for outer, inner in itertools.product((descent.reverse, descent.forward), repeat=2):
            yield f"{name}_{outer.__name__}_{inner.__name__}", problem(name).program(outer, inner).source


def test_generated_files_are_formatted_and_typed(tmp_path):
    for name, source in generated():
        (tmp_path / f"gen_{name}.py").write_text(source)
    for command, *options in CHECKS:
        done = subprocess.run(
            [str(Path(sys.executable).parent / command), *options], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[:4000]


# --- scripts ---

PRINTED = {  # problem: a number that its script prints, and the bounds of that number
    "hello": (r"double\(0.1257\) = (\S+)", 0.2514, 0.2516),
    "llsq": (r"y = (\S+),", 564.859, 564.860),
    "lse": (r"sum of the gradient = (\S+)", 0.9999, 1.0001),
    "kmeans": (r"step 4: cost (\S+)", 426.18, 426.19),
    "gmm": (r"log p = (\S+),", -41106.84, -41106.83),
    "lstm": (r"loss (\S+),", 1.4253, 1.4254),
    "ode": (r"element by (\S+)", 0.0, 1e-9),
    "det": (r"off by (\S+)", 0.0, 1e-13),
    "ba": (r"in (\d+) derivatives", 15, 15),
    "ht": (r"step 5: (\S+)", 0.0, 1e-12),
    "particle": (r"ff: w = (\S+)", 0.20719187, 0.20719188),
    "saddle": (r"ff: \[(\S+) ", 8.2463e-06, 8.2464e-06),
}


@pytest.mark.parametrize("name", PRINTED)
def test_scripts_print_what_they_find(name, capsys):
    pattern, low, high = PRINTED[name]
    problem(name).main()
    assert low <= float(re.search(pattern, capsys.readouterr().out)[1]) <= high


def test_every_problem_has_a_row_everywhere():
    """A file, a line of the table of the README, and one of the benchmark."""
    files = {path.stem for path in PROBLEMS.glob("*.py")} - {"bench", "descent"}
    rows = set(re.findall(r"^\| \[(\w+)\]", (PROBLEMS / "README.md").read_text(), re.MULTILINE))
    assert files == rows == set(problem("bench").PROBLEMS) == set(PRINTED)


def test_the_benchmark_prints_a_table(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["bench.py", "gmm", "saddle", "--seconds", "0"])
    problem("bench").main()
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["problem", "function", "primal", "derivative", "ratio"]
    assert [line.split()[:2] for line in lines] == [
        ["gmm", "jacobian"],
        *(["saddle", mode] for mode in ("rr", "rf", "fr", "ff")),
    ]
    assert float(lines[0].split()[-1]) > 0 and all(line.split()[-1] == "-" for line in lines[1:])
