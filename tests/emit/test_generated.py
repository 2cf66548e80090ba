"""The generated files as products: formatted, typed, guarded, safe in threads, and NumPy's answers at the edges."""

from __future__ import annotations

import itertools
import math
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import contract
import generator
import numpy as np
import pytest

import graphc as gc
from graphc.ir.interpret import interpret
from graphc.load import load_module

HERE = Path(__file__).parent
GOLDEN = sorted((HERE.parent / "golden").glob("*.gc"))
BIN = Path(sys.executable).parent
ALL = ("jvp", "hvp", "jacobian", "hessian")
FURTHER = {
    "logistic": ((HERE.parent / "golden" / "logistic.gc").read_text("utf-8"), ALL),
    "scalar": ("x * y + sin(x)", ALL),
    "hidden": ("Gradients: f64[n]\nJacobian: f64\nreturn sum(sin(Gradients * Jacobian))", ALL),
    "vectors": ("A: f64[m, n]\nx: f64[n]\ny = tanh(A @ x)\nz = sum(x * x)\nreturn y, z", ("jvp", "jacobian")),
    "single": ("x: f32[n]\nreturn sum(x * x * x)", ("jvp", "jacobian")),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the code of all golden models and of 100 random ones."""
    folder = tmp_path_factory.mktemp("generated")
    for model in GOLDEN:
        (folder / f"golden_{model.stem}.py").write_text(gc.compile(model).source, "utf-8")
    for name, (text, modes) in FURTHER.items():
        (folder / f"further_{name}.py").write_text(gc.compile(text, mode=modes).source, "utf-8")
    for seed in range(5000, 5100):
        (folder / f"random_{seed}.py").write_text(gc.compile(generator.program(seed).text).source, "utf-8")
    assert len(list(folder.glob("*.py"))) >= 120
    return folder


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240)


def test_ruff_format_changes_nothing(written: Path) -> None:
    done = run(str(BIN / "ruff"), "format", "--isolated", "--check", "--no-cache", ".", cwd=written)
    assert done.returncode == 0, done.stdout


def test_black_changes_nothing(written: Path) -> None:
    done = run(str(BIN / "black"), "--check", "--quiet", "--config", "/dev/null", ".", cwd=written)
    assert done.returncode == 0, run(str(BIN / "black"), "--diff", "--quiet", ".", cwd=written).stdout[:4000]


def test_long_names_change_nothing(tmp_path: Path) -> None:
    """The rows of the checks of arguments are laid out as everything else."""
    for length in (20, 24, 28, 30, 31, 33, 38, 60):
        a, b, c = "a" * length, "b" * length, "c" * length
        model = gc.compile(f"sum({a} @ {b}) * {c}", {a: "n m", b: "m 3", c: "f64"})
        (tmp_path / f"names_of_{length}.py").write_text(model.source, "utf-8")
    test_ruff_format_changes_nothing(tmp_path)
    test_black_changes_nothing(tmp_path)


def test_nothing_is_unused(written: Path) -> None:
    """No import, variable or argument that is never read, no name that is not defined."""
    done = run(str(BIN / "ruff"), "check", "--isolated", "--no-cache", "--select", "F", ".", cwd=written)
    assert done.returncode == 0, done.stdout[:4000]


def test_mypy_strict_is_content(written: Path, tmp_path: Path) -> None:
    files = sorted(p.name for p in written.glob("*.py"))
    done = run(
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        "/dev/null",
        "--cache-dir",
        str(tmp_path),
        *files,
        cwd=written,
    )
    assert done.returncode == 0, done.stdout[:6000]


def test_the_text_holds_only_what_graphc_puts_there(written: Path) -> None:
    for path in sorted(written.glob("*.py")):
        contract.text_holds_only(path.read_text("utf-8"))


# --- arguments ---

SIZES = {"n": 4, "d": 3, "h": 5, "k": 3, "m": 2, "t": 3, "v": 5}


def arguments(module: gc.Module) -> dict[str, Any]:
    """Arrays and numbers that a golden model takes."""
    draw = np.random.default_rng(3)
    found: dict[str, Any] = {}
    for node in module.graph.inputs:
        shape = tuple(eval(str(d), {}, SIZES) for d in node.type.shape)
        if node.type.dtype == "int64":
            found[node["name"]] = draw.integers(0, 2, shape)
        else:
            drawn = draw.uniform(0.2, 0.9, shape)
            found[node["name"]] = drawn.astype(node.type.dtype) if shape else float(drawn)
    return found


def wrong(name: str, good: Any) -> Iterator[tuple[Any, type[Exception], str]]:
    """Arguments that do not fit, the error, and what its message says."""
    if isinstance(good, float):
        for bad in ("1", None, 1j, [1.0, 2.0], {}):
            yield bad, TypeError, f"{name} must be a number"
        yield np.ones(3), TypeError, f"{name} must be a number"
        return
    other = np.float64 if good.dtype != np.float64 else np.float32
    yield good.astype(other), TypeError, f"{name} must be {good.dtype}, got {np.dtype(other)}"
    yield good.astype(complex), TypeError, f"{name} must be {good.dtype}, got complex128"
    yield good.tolist(), TypeError, f"{name} must be an array"
    yield None, TypeError, f"{name} must be an array, got None"
    yield good[None], ValueError, f"{name} must have {good.ndim} axes, got shape {good[None].shape}"
    yield good[0], (TypeError if good.ndim == 1 else ValueError), f"{name} must"


@pytest.mark.parametrize("model", GOLDEN, ids=lambda p: p.stem)
def test_arguments_that_do_not_fit_are_named(model: Path) -> None:
    module = gc.compile(model)
    code = load_module(module.source, model.name)
    good = arguments(module)
    code.forward(**good)
    count = 0
    for name, value in good.items():
        for bad, error, message in wrong(name, value):
            with pytest.raises(error) as caught:
                code.forward(**{**good, name: bad})
            text = str(caught.value)
            assert message in text and "\n" not in text and len(text) < 200, text
            assert caught.type is error
            count += 1
    assert count >= 5 * len(good)


@pytest.mark.parametrize("model", GOLDEN, ids=lambda p: p.stem)
def test_sizes_that_differ_are_named(model: Path) -> None:
    """One axis longer: an error naming an argument, unless no other argument has the size."""
    module = gc.compile(model)
    code = load_module(module.source, model.name)
    good = arguments(module)
    types = {n["name"]: n.type for n in module.graph.inputs}
    for name, value in good.items():
        for axis, dim in enumerate(types[name].shape):
            longer = np.concatenate([value, np.take(value, [0], axis)], axis)
            shared = (
                isinstance(dim, int)
                or "*" in str(dim)
                or sum(str(dim) in re.findall(r"\w+", str(d)) for t in types.values() for d in t.shape) > 1
            )
            if not shared:
                code.forward(**{**good, name: longer})
                continue
            with pytest.raises(ValueError, match=r"^\w+ must have shape \(.*\), got \(.*\)$") as caught:
                code.forward(**{**good, name: longer})
            assert str(caught.value).split()[0] in good


def test_two_threads_get_the_right_answers() -> None:
    module = gc.compile(GOLDEN[[m.stem for m in GOLDEN].index("net_onehot")])
    code = load_module(module.source, "net_onehot.gc")
    draws = [np.random.default_rng(i) for i in range(2)]
    inputs = [
        {
            "X": d.normal(size=(40, 7)),
            "W1": d.normal(size=(7, 9)),
            "b1": d.normal(size=9),
            "W2": d.normal(size=(9, 4)),
            "b2": d.normal(size=4),
            "y": d.integers(0, 4, 40),
        }
        for d in draws
    ]
    expected = [contract.bits(code.value_and_grad(**i)[1]) for i in inputs]
    assert expected[0] != expected[1]
    failures: list[int] = []
    start = threading.Barrier(2)

    def work(which: int) -> None:
        start.wait()
        for _ in range(200):
            if contract.bits(code.value_and_grad(**inputs[which])[1]) != expected[which]:
                failures.append(which)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(t.is_alive() for t in threads)
    assert failures == []


# --- numbers at the edges: what NumPy answers, and no exception ---

# NumPy writes an array to the power of the number 0.5 as a square root, which is nan at -inf, and to an
# array of 0.5 as a power, which is inf there, as in C and in `math`.
UNCLEAR = (-math.inf, 0.5)
EDGES: tuple[Any, ...] = (
    0.0,
    -0.0,
    math.inf,
    -math.inf,
    math.nan,
    1e308,
    -1e308,
    5e-324,
    -5e-324,
    1.0,
    -1.0,
    0.5,
    -2.0,
    710.0,
    -745.0,
    3,
    0,
    -1,
    2**70,
)
UNARY = (
    "exp(x)",
    "expm1(x)",
    "log(x)",
    "log1p(x)",
    "log2(x)",
    "log10(x)",
    "exp2(x)",
    "sqrt(x)",
    "square(x)",
    "reciprocal(x)",
    "abs(x)",
    "sign(x)",
    "sin(x)",
    "cos(x)",
    "tan(x)",
    "arcsin(x)",
    "arccos(x)",
    "arctan(x)",
    "sinh(x)",
    "cosh(x)",
    "tanh(x)",
    "sigmoid(x)",
    "relu(x)",
    "softplus(x)",
    "floor(x)",
    "ceil(x)",
    "rint(x)",
    "round(x)",
    "-x",
    "x**2",
    "x**3",
    "x**-1",
    "x**-2",
    "x**0.5",
    "x**-0.5",
    "x**0",
    "1 / x",
    "x / x**2",
    "clip(x, -1, 1)",
    "where(x > 0, x, -2 * x)",
    "1 / (1 + exp(-x))",
    "log(1 + exp(x))",
    "(exp(x) - exp(-x)) / (exp(x) + exp(-x))",
    "exp(-x**2)",
    "x * exp(x)",
)
BINARY = (
    "x + y",
    "x - y",
    "x * y",
    "x / y",
    "x**y",
    "maximum(x, y)",
    "minimum(x, y)",
    "logaddexp(x, y)",
    "where(x < y, x / y, y / x)",
    "sqrt(x**2 + y**2)",
)


def same(a: float, b: float) -> bool:
    """The same number, to a few ulp: `math` and NumPy are not the same library."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or abs(a - b) <= 4e-15 * abs(b) or abs(a - b) <= 1e-320


def edge_failures(text: str, names: tuple[str, ...], *, against: str) -> list[str]:
    """Points at which the module raises, or answers something else than the interpreter on its graphs."""
    module = gc.compile(text)
    assert "import numpy" not in module.source, f"{text} is not written with math"
    code = load_module(module.source, "edge")
    failures = []
    for point in itertools.product(EDGES, repeat=len(names)):
        if (text.endswith("x**0.5") and point[0] == -math.inf) or (text.endswith("x**y") and point == UNCLEAR):
            continue
        given = dict(zip(names, point, strict=True))
        value, saved = code.forward(**given)
        gradients = code.backward(saved)
        assert type(value) is float and all(type(g) is float for g in gradients)
        floats = {k: float(v) for k, v in given.items()}
        if against == "value":
            wanted = interpret(module._joint.stable, floats)
            if not same(value, float(wanted[0])):
                failures.append(f"{text} at {given}: {value}, NumPy {wanted[0]}")
        else:
            seed = {"d" + module.graph.output_names[0]: 1.0}
            for name, g, w in zip(names, gradients, interpret(module.gradient, {**floats, **seed}), strict=True):
                if not same(g, float(w)):
                    failures.append(f"d{name} of {text} at {given}: {g}, NumPy {w}")
    return failures


@pytest.mark.parametrize("against", ["value", "gradient"])
@pytest.mark.parametrize("text", UNARY)
def test_scalar_functions_answer_what_numpy_answers(text: str, against: str) -> None:
    assert edge_failures(f"x: f64\nout = {text}", ("x",), against=against) == []


@pytest.mark.parametrize("against", ["value", "gradient"])
@pytest.mark.parametrize("text", BINARY)
def test_scalar_operators_answer_what_numpy_answers(text: str, against: str) -> None:
    assert edge_failures(f"x: f64\ny: f64\nout = {text}", ("x", "y"), against=against) == []


def test_an_integer_beyond_all_floats_is_refused_clearly() -> None:
    code = load_module(gc.compile("x * 2").source, "huge")
    with pytest.raises((OverflowError, ValueError), match=r"^[^\n]*too large[^\n]*$"):
        code.forward(10**400)


def test_no_warning_at_import_or_in_use() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for model in GOLDEN:
            module = gc.compile(model)
            code = load_module(module.source, model.name)
            assert len(code.forward(**arguments(module))) == 2
