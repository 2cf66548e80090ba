"""Loops and branches as a docstring shows them, to the letter."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import loop_programs as programs
import numpy as np
import pytest
from loop_programs import A, H, T, X, loop, op, total

import graphc as gc
from graphc.emit.outline import outline
from graphc.expr import build
from graphc.expr.looping import Opened, close, close_branch, placeholder
from graphc.ir.control import final, history, result, stack
from graphc.ir.graph import Graph
from graphc.ir.interpret import interpret
from graphc.ir.leaf import const_node

OUTLINES = {
    "history": """
h = H
for t in range(T):
    h         = tanh(X[t] + h @ W)
    hs[t + 1] = h
y = sum(hs**2) + sum(exp(h))
""",
    "history, down": """
h = H
for t in reversed(range(T)):
    h     = tanh(X[t] + h @ W)
    hs[t] = h
y = sum(hs**2) + sum(exp(h))
""",
    "stacks": """
h = H
for t in range(T):
    rows[t]  = sin((h + X[t]) * A) * h
    rows2[t] = sum(sin((h + X[t]) * A))
    h        = sin((h + X[t]) * A)
y = sum(rows**2) + sum(sin(rows2))
""",
    "swap": """
h = A
y = sin(A)
for t in range(T):
    h, y = y, A * y + h * sum(C[:, t])
""",
    "part of the rows": """
h = H
for t in range(1, T - 1):
    h     = tanh(h + X[t + 1] + X[t - 1])
    hs[t] = h
y = sum(hs**2) + sum(exp(h))
""",
    "triangular": """
h = H
for t in range(T):
    h2 = h
    for s in range(t):
        h2 = tanh(h2 + X[s])
    h         = h2 * A
    hs[t + 1] = h
y = sum(hs**2) + sum(exp(h))
""",
    "branch in a loop": """
h = H
for t in range(T):
    if sum(h) > 0:
        h = sin(h @ W * A)
    else:
        h = h * cos(X[t])
    hs[t + 1] = h
y = sum(hs**2) + sum(exp(h))
""",
    "while": """
h  = H
hs = [h]
while sum(h**2) > 0.01:
    h = h * cos(A)
    hs.append(h)
y = sum(hs**2) + sum(exp(h))
""",
}


@pytest.mark.parametrize("program", OUTLINES)
def test_outlines(program: str) -> None:
    assert "\n".join(outline(programs.graph_of(program))) == OUTLINES[program].strip("\n")


def test_the_users_names_and_what_follows() -> None:
    """z is used by what comes after it; the old h is needed after the new one: its line comes last."""
    h = placeholder("t", 0, H.type)
    z = build.add(build.at(X, 0, programs.t), h)
    new = op("tanh", z)
    further = build.multiply(new, h)
    names = {h: "h", z: "z", new: "h", further: "gain"}
    node = close(Opened("t", 0, T, False, (H,), (h,), (new,), (further,), names=names))
    graph = Graph((X, H), (final(node, 0), gain := programs.stack(node, 0)), ("last", "gains"))
    assert outline(graph) == [
        "h = H",
        "for t in range(T):",
        "    z        = X[t] + h",
        "    h2       = tanh(z)",
        "    gain     = h2 * h",
        "    gains[t] = gain",
        "    h        = h2",
        "last = h",
    ]
    assert gain in graph.outputs


def test_two_branches_with_names() -> None:
    node = close_branch(op("greater", A, 0.0), [op("sin", H), A], [H, op("exp", A)])
    graph = Graph((H, A), (result(node, 0), result(node, 1)), ("a", "b"))
    assert outline(graph) == [
        "if A > 0:",
        "    a = sin(H)",
        "    b = A",
        "else:",
        "    a = H",
        "    b = exp(A)",
    ]


def test_a_while_that_counts() -> None:
    node = loop(
        lambda x: ((build.add(x, build.apply("size", dim=programs.t, dtype="float64", least=0)),), ()),
        const_node(0.0, "float64"),
        count=programs.Size.named("steps"),
        test=lambda x: op("less", x, A),
    )
    graph = Graph((A,), (final(node, 0),), ("total",))
    assert outline(graph) == [
        "total = 0",
        "t     = 0",
        "while total < A:",
        "    total = total + t",
        "    t     = t + 1",
    ]


def test_straight_graphs_are_as_before() -> None:
    assert outline(gc.parse("z = x * y\nreturn z + sin(z)")) == ["z   = x * y", "out = z + sin(z)"]


def test_too_much_is_left_out() -> None:
    node = loop(programs.recurrent, H)
    outputs = tuple(build.multiply(total(history(node, 0)), float(i)) for i in range(2, 60))
    graph = replace(programs.graph_of("final"), outputs=outputs, output_names=tuple(f"y{i}" for i in range(58)))
    assert outline(graph) == []


def test_the_generated_file_has_it() -> None:
    source = gc.compile(programs.graph_of("final")).source
    assert "h = H\nfor t in range(T):\n    h = tanh(X[t] + h @ W)\ny = sum(h)\n" in source


def test_explain_shows_programs() -> None:
    text = gc.compile(programs.graph_of("final")).explain()
    assert "    for t in range(T):\n" in text and "    for t in reversed(range(T)):\n" in text
    only = gc.compile(programs.graph_of("final")).explain("dX")
    assert "dX" in only and "dH" not in only


def _shuffled(seed: int) -> Graph:
    """A loop over scalars whose new values, named or not, are made of one another's old ones in some order."""
    rng = np.random.default_rng(seed)
    before = [placeholder("t", k, A.type) for k in range(3)]
    made = list(before)
    for _ in range(7):
        first, second = (made[i] for i in rng.integers(0, len(made), 2))
        made.append(op("sin", build.add(first, build.multiply(0.5, second))))
    chosen = rng.permutation(np.arange(1, len(made)))
    updates = [made[i] for i in chosen[:3]]
    names = {n: f"v{i}" for i, n in enumerate(made[3:]) if rng.random() < 0.4}
    names |= dict(zip(before, "abc", strict=True))
    inits = (A, op("cos", A), op("exp", A))
    node = close(Opened("t", 0, 3, False, inits, tuple(before), tuple(updates), (made[chosen[3]],), names=names))
    ends = tuple(final(node, k) for k in range(3))
    return Graph((A,), (*ends, total(stack(node, 0))), ("x", "y", "z", "kept"))


@pytest.mark.parametrize("seed", range(60))
def test_the_program_that_is_shown_does_what_the_graph_does(seed: int) -> None:
    graph = _shuffled(seed)
    space: dict[str, Any] = {"sin": np.sin, "cos": np.cos, "exp": np.exp, "A": 0.7}
    space["sum"] = lambda rows: sum(rows.values())
    lines = outline(graph)
    for rows in {m[1] for line in lines if (m := re.match(r" +(\w+)\[t(?: \+ 1)?\] += ", line))}:
        space[rows] = {}
    exec("\n".join(lines), space)  # the text is graphc's own
    for name, wanted in zip(graph.output_names, interpret(graph, {"A": 0.7}), strict=True):
        assert space[name] == pytest.approx(float(wanted), rel=1e-12), "\n".join(lines)


def test_a_new_value_waits_for_texts_that_need_the_old_one() -> None:
    """`new` is written after `s`, and has the old s in it."""

    def epidemic(beta: Any, start: Any, observed: Any) -> Any:
        s, i, days = 1.0 - start, start, []
        for _ in range(len(observed)):
            new = beta * s * i
            s, i = s - new, i + new - 0.1 * i
            days.append(new)
        return np.sum((np.stack(days) - observed) ** 2)

    text = gc.compile(epidemic, {"beta": (), "start": (), "observed": "T"}).explain()
    step = text.partition("for i2 in range(T):")[2] or text.partition("in range(T):")[2]
    lines = [line.split(" = ")[0].strip() for line in step.split("\n")[1:8]]
    assert lines.index("new") < next(k for k, left in enumerate(lines) if "s" in left.split(", "))
