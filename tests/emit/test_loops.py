"""Loops and branches in generated code: the text as committed, the values of the interpreter, no one else's arrays.

pytest tests/emit/test_loops.py --update-golden      writes the files in `loops/` anew; review the changes like code
"""

from __future__ import annotations

import functools
import itertools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import contract
import loop_generator
import numpy as np
import pytest

import graphc as gc
from graphc.emit.module import Options, emit
from graphc.expr import build
from graphc.expr.looping import Opened, close, close_branch, placeholder
from graphc.ir.control import final, history, result, stack
from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.index import Index
from graphc.ir.interpret import interpret
from graphc.ir.leaf import const_node, input_node
from graphc.ir.node import Node
from graphc.ir.types import TensorType
from graphc.load import load_module
from graphc.passes.pipeline import Joint
from graphc.plan.program import plan
from tests.emit.loop_models import MODELS, Model

KEPT = Path(__file__).parent / "loops"
BIN = Path(sys.executable).parent
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model[0].__name__)


def compiled(model: Model) -> gc.Module:
    function, inputs = model
    return gc.compile(function, inputs, name=function.__name__)


# --- the generated files ---


@each_model
def test_the_text_is_as_committed(model: Model, request: pytest.FixtureRequest) -> None:
    path = KEPT / f"{model[0].__name__}.py"
    text = compiled(model).source
    contract.text_holds_only(text)
    if request.config.getoption("--update-golden"):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.read_text("utf-8") == text, "if that is wanted: --update-golden"


def test_every_file_belongs_to_a_model() -> None:
    assert {p.stem for p in KEPT.glob("*.py")} == {function.__name__ for function, _ in MODELS}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the code of all models, and of 40 random programs."""
    folder = tmp_path_factory.mktemp("loops")
    for path in KEPT.glob("*.py"):
        (folder / path.name).write_text(path.read_text("utf-8"), "utf-8")
    for seed in range(40):
        (folder / f"random_{seed}.py").write_text(unchanged(loop_generator.program(seed)), "utf-8")
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "format", "--isolated", "--check", "--no-cache", "."),
        ("black", "--check", "--quiet", "--config", "/dev/null", "."),
        ("ruff", "check", "--isolated", "--no-cache", "--select", "F", "."),
        ("mypy", "--strict", "--config-file", "/dev/null", "--cache-dir", "cache", "."),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_tools_are_content(command: tuple[str, ...], written: Path) -> None:
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=written, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout[:4000]


def arguments(model: Model, steps: int) -> dict[str, Any]:
    draw = np.random.default_rng(5)
    sizes = {"T": steps, "d": 3, "k": 2, "n": 4, "m": steps}
    found: dict[str, Any] = {}
    for node in compiled(model).graph.inputs:
        drawn = draw.uniform(0.2, 1.5, [sizes[str(d)] for d in node.shape])
        found[node["name"]] = drawn.astype(node.type.dtype) if drawn.ndim else float(drawn)
    return found


@pytest.mark.parametrize("steps", [1, 2, 5])
@each_model
def test_values_are_those_of_the_function_and_gradients_agree(model: Model, steps: int) -> None:
    module, given = compiled(model), arguments(model, steps)
    single = any(n.type.dtype == "float32" for n in module.graph.inputs)
    got, wanted = module(**given), model[0](**given)
    np.testing.assert_allclose(got, wanted, rtol=1e-5 if single else 1e-12)
    assert np.asarray(got).dtype == ("float32" if single and np.ndim(got) else "float64")
    assert all(row.agrees for row in gc.check_grads(module, given).rows)


# --- random programs ---

CHUNKS = [range(start, start + 50) for start in range(0, 300, 50)]


def unchanged(graph: Graph) -> str:
    """The code of a graph that no pass has changed."""
    joint = Joint(graph, graph, replace(graph, outputs=(), output_names=()), graph, {}, (), ())
    return emit(plan(joint), Options(title="random", wrt=()))


def values(steps: int) -> dict[str, Any]:
    draw = np.random.default_rng(steps)
    arrays = {"x": draw.normal(size=3) / 2, "y": draw.normal(size=3) / 2, "M": draw.normal(size=(steps, 3)) / 2}
    return {**arrays, "s": 0.3, "u": -0.4}


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_random_programs_do_what_the_interpreter_does(seeds: range) -> None:
    for seed in seeds:
        graph = loop_generator.program(seed)
        source = unchanged(graph)
        contract.text_holds_only(source)
        module = load_module(source, f"random_{seed}")
        for steps in (0, 1, 3):
            given, kept = values(steps), values(steps)
            with np.errstate(all="ignore"):
                results = contract.several(module.forward(**given)[0])
            for got, wanted in zip(results, interpret(graph, kept), strict=True):
                np.testing.assert_allclose(
                    got, wanted, rtol=1e-9, atol=1e-9, err_msg=f"loop_generator.program({seed}), {steps} steps"
                )
            arrays = [a for a in (*results, *given.values()) if np.ndim(a)]
            assert all(np.array_equal(given[name], kept[name]) for name in kept), seed
            assert not any(np.shares_memory(a, b) for a, b in itertools.combinations(arrays, 2)), seed


# --- how a loop reads ---

n, T, t, i, steps = map(Size.named, ("n", "T", "t", "i", "steps"))
NUMBER, VECTOR = TensorType("float64", ()), TensorType("float64", (n,))


def number(value: float) -> Node:
    return const_node(value, "float64")


def apply(name: str, *args: Node) -> Node:
    return build.apply(name, *args)


a, b = (placeholder("t", k, NUMBER) for k in range(2))
v, w = (placeholder("t", k, VECTOR) for k in range(2))
x, y, z = (input_node(name, type) for name, type in (("x", VECTOR), ("y", VECTOR), ("z", NUMBER)))
X = input_node("X", TensorType("float64", (T, n)))
ROW = build.at(X, 0, t)


def opened(inits: tuple[Node, ...], news: tuple[Node, ...], *stacked: Node, **options: Any) -> Node:
    olds = tuple(placeholder("t", k, init.type) for k, init in enumerate(inits))
    count, test = options.pop("count", T), options.pop("test", None)
    return close(
        Opened(
            "t",
            options.pop("start", 0),
            count,
            options.pop("reverse", False),
            inits,
            olds,
            news,
            stacked,
            test,
            **options,
        )
    )


def body(**outputs: Node) -> str:
    """The statements of `forward`, without its first lines and the last."""
    used = Graph((), tuple(outputs.values()), ()).nodes
    inputs = tuple(node for node in (x, y, z, X) if node in used)
    source = unchanged(Graph(inputs, tuple(outputs.values()), tuple(outputs)))
    start, stop = source.index("    _check("), source.index("    return ")
    lines = source[start:stop].split("\n")[1:-1]
    sizes = ("T = ", "n = ", "T, n = ", "z = np.float64")
    return "\n".join(line[4:] for line in lines if not line[4:].startswith(sizes))


def test_a_sum_is_added_to_in_place() -> None:
    loop = opened((build.zeros((n,), "float64"),), (build.add(apply("sin", ROW), v),), names={v: "total"})
    assert body(total=final(loop, 0)) == (
        "total = np.zeros((n,))  # (n,)\nfor t in range(T):\n    total += np.sin(X[t])"
    )


def test_an_input_is_copied_before_it_is_written_into() -> None:
    loop = opened((x,), (build.set_at(v, number(0.0), Index((t,))),), names={v: "y"}, count=2)
    assert body(y=final(loop, 0)) == "y = x.copy()  # (n,)\nfor t in range(2):\n    y[t] = 0.0"


def test_an_array_that_is_looked_at_later_is_not_written_into() -> None:
    loop = opened((x, y), (build.add(v, ROW), v), names={v: "a", w: "b"})
    assert body(a=final(loop, 0), b=final(loop, 1)) == (
        "a = x  # (n,)\nb = y  # (n,)\nfor t in range(T):\n    a, b = a + X[t], a"
    )


def test_old_values_are_read_before_they_are_overwritten() -> None:
    loop = opened((x, y), (apply("tanh", v), apply("sin", build.add(v, w))), names={v: "a", w: "b"}, count=2)
    assert body(a=final(loop, 0), b=final(loop, 1)) == (
        "a = x  # (n,)\nb = y  # (n,)\nfor _ in range(2):\n    b = np.sin(a + b)  # (n,)\n    a = np.tanh(a)  # (n,)"
    )


def test_variables_that_need_each_other_are_assigned_together() -> None:
    loop = opened((z, number(1.0)), (b, build.add(a, b)), names={a: "a", b: "b"}, count=5)
    assert body(b=final(loop, 1)) == "a: float = z\nb = 1.0\nfor _ in range(5):\n    a, b = b, a + b"


def test_a_history_is_an_array_of_rows() -> None:
    loop = opened((x,), (build.multiply(v, ROW),), build.reduce("sum", v, (0,)), names={v: "h"}, reverse=True)
    assert body(hs=history(loop, 0), sums=stack(loop, 0)) == (
        "hs = np.empty((T + 1, n))  # every h\n"
        "hs[-1] = x\n"
        "sums = np.empty((T,))  # (T,)\n"
        "for t in reversed(range(T)):\n"
        "    hs[t] = hs[t + 1] * X[t]  # (n,)\n"
        "    sums[t] = hs[t + 1].sum()"
    )


def test_only_what_is_used_is_computed() -> None:
    loop = opened(
        (z, x), (build.multiply(a, 0.5), build.multiply(placeholder("t", 1, VECTOR), ROW)), names={a: "a"}, count=3
    )
    assert body(a=final(loop, 0)) == "a = z\nfor _ in range(3):\n    a = a * 0.5"


def test_a_loop_that_does_not_begin_at_0() -> None:
    loop = opened((z,), (build.add(a, build.at(x, 0, t)),), start=2, count=n - 2, names={a: "s"})
    assert body(ss=history(loop, 0)) == (
        "ss = np.empty((n - 1,))  # every s\nss[0] = z\nfor t in range(2, n):\n    ss[t - 1] = ss[t - 2] + x[t]"
    )


def test_a_while_counts_its_steps_if_someone_asks() -> None:
    halved = build.multiply(a, 0.5)
    loop = opened((z,), (halved,), count=steps, test=apply("greater", a, number(1.0)), names={a: "a"})
    plain = "a = z\nwhile a > 1.0:\n    a = a * 0.5"
    assert body(a=final(loop, 0)) == plain
    counted = build.apply("size", dim=steps, dtype="float64", least=0)
    assert body(o=build.add(final(loop, 0), counted)) == (
        "a = z\nsteps = 0\nwhile a > 1.0:\n    a = a * 0.5\n    steps += 1\no = float(a + steps)"
    )


def test_a_while_piles_its_rows_in_lists() -> None:
    going = apply("greater", build.reduce("sum", v, (0,)), number(1.0))
    loop = opened((x,), (build.multiply(v, 0.5),), build.multiply(v, v), count=steps, test=going, names={v: "h"})
    assert body(hs=history(loop, 0), sums=stack(loop, 0)) == (
        "h = x  # (n,)\n"
        "hs_list = [h]\n"
        "sums_list: list[Array] = []\n"
        "while h.sum() > 1.0:\n"
        "    h_times_h = h * h  # (n,)\n"
        "    h = h * 0.5  # (n,)\n"
        "    sums_list.append(h_times_h)\n"
        "    hs_list.append(h)\n"
        "hs = np.array(hs_list)  # (steps + 1, n)\n"
        "sums = np.array(sums_list).reshape(len(sums_list), n)  # (steps, n)"
    )


def test_a_condition_and_its_step_share_the_work() -> None:
    moved = apply("tanh", build.multiply(v, 0.9))
    gap = build.reduce("max", apply("absolute", build.subtract(moved, v)), (0,))
    loop = opened((x,), (moved,), count=steps, test=apply("greater", gap, number(1e-3)), names={v: "h"})
    assert body(h=final(loop, 0)) == (
        "h = x  # (n,)\n"
        "while True:\n"
        "    tanh = np.tanh(h * 0.9)  # (n,)\n"
        "    if not np.abs(tanh - h).max() > 0.001:\n"
        "        break\n"
        "    h = tanh"
    )


def test_a_long_condition_has_a_line_of_its_own_and_its_name_is_what_it_says() -> None:
    large = [apply("greater", build.reduce("sum", apply(f, v), (0,)), number(1e-3)) for f in ("absolute", "exp", "tan")]
    going = functools.reduce(functools.partial(apply, "logical_and"), large)
    loop = opened((x,), (build.multiply(v, 0.5),), count=steps, test=going)
    lines = body(h=final(loop, 0)).splitlines()
    assert lines[1] == "while True:"
    assert lines[2] == "    going = ("
    assert lines[lines.index("        break") - 1] == "    if not going:"


def test_a_branch_that_changes_nothing_is_left_out() -> None:
    branch = close_branch(apply("greater", a, number(0.0)), (a,), (build.add(a, build.at(x, 0, t)),))
    loop = opened((z,), (result(branch, 0),), count=n, names={a: "s"})
    assert body(s=final(loop, 0)) == "s = z\nfor t in range(n):\n    if not s > 0.0:\n        s = s + x[t]"


def test_a_branch_writes_into_what_is_carried() -> None:
    mask = apply("greater", build.at(y, 0, t), number(0.0))
    branch = close_branch(mask, (build.add_at(v, z, Index((t,))),), (v,))
    loop = opened((x,), (result(branch, 0),), count=n, names={v: "s"})
    assert body(s=final(loop, 0)) == ("s = x.copy()  # (n,)\nfor t in range(n):\n    if y[t] > 0.0:\n        s[t] += z")


def test_a_loop_inside_goes_on_with_the_variable_outside() -> None:
    old = placeholder("i", 0, NUMBER)
    inner = close(Opened("i", 0, t, False, (a,), (old,), (build.multiply(old, build.at(x, 0, i)),), names={old: "p"}))
    loop = opened((z,), (final(inner, 0),), count=n, names={a: "p"})
    assert body(p=final(loop, 0)) == "p = z\nfor t in range(n):\n    for i in range(t):\n        p = p * x[i]"


def test_numbers_divide_as_those_of_numpy() -> None:
    """What a loop carries may be a Python number, if it makes no step."""
    loop = opened((number(0.0),), (build.add(a, build.at(x, 0, t)),), count=n)
    graph = Graph((x,), (build.divide(number(1.0), final(loop, 0)),), ("o",))
    with np.errstate(all="ignore"):
        assert load_module(unchanged(graph), "division").forward(np.zeros(0))[0] == np.inf


def test_a_row_is_written_once() -> None:
    """It is memory that views look at: what a loop inside carries is a variable beside it."""
    old = placeholder("i", 0, VECTOR)
    inner = close(Opened("i", 0, 3, False, (x,), (old,), (build.multiply(old, ROW),), names={old: "p"}))
    branch = close_branch(apply("greater", build.at(y, 0, t), number(0.0)), (final(inner, 0),), (x,))
    loop = opened((z,), (a,), result(branch, 0))
    assert body(ps=stack(loop, 0)) == (
        "ps = np.empty((T, n))  # every p\n"
        "for t in range(T):\n"
        "    if y[t] > 0.0:\n"
        "        part = X[t]  # (n,)\n"
        "        p = x.copy()  # (n,)\n"
        "        for _ in range(3):\n"
        "            p *= part\n"
        "        ps[t] = p\n"
        "    else:\n"
        "        ps[t] = x"
    )
