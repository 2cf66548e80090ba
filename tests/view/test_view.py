"""Trees, DOT and Mermaid: exact small pictures, bounded big ones."""

from __future__ import annotations

import re

import loop_programs as programs
import pytest
from loop_programs import A, H, T

import graphc as gc
from graphc.expr import build
from graphc.expr.looping import Opened, close, placeholder
from graphc.ir.control import bodies, final
from graphc.ir.graph import Graph
from graphc.ir.listing import write_listing
from graphc.view import VIEWS

LOGISTIC = """X: f64[n, d]
w: f64[d]
y: f64[n]
z = X @ w
loss = mean(softplus(z) - y * z)
"""


def test_every_view_of_a_small_graph_names_its_parts() -> None:
    graph = gc.parse(LOGISTIC)
    for name, view in VIEWS.items():
        text = view(graph)
        for word in ("loss", "z", "softplus", "mean"):
            assert word in text, (name, word)


def test_listing_view_is_the_listing() -> None:
    graph = gc.parse(LOGISTIC)
    assert VIEWS["listing"](graph) == write_listing(graph)


def test_tree_refers_back_to_shared_nodes() -> None:
    text = VIEWS["tree"](gc.parse("z = x * y\nreturn z + sin(z)"))
    assert text.count("multiply") + text.count("x * y") == 1
    assert "^z" in text


@pytest.mark.parametrize("view", ["tree", "dot", "mermaid"])
@pytest.mark.parametrize(
    "text",
    [
        "y0 = x\n" + "\n".join(f"y{i + 1} = y{i} * y{i}" for i in range(60)),
        "y0 = x\n" + "\n".join(f"y{i + 1} = sin(y{i}) + x" for i in range(5000)),
    ],
    ids=["diamonds", "chain"],
)
def test_big_graphs_are_drawn_in_bounded_space(view: str, text: str) -> None:
    assert len(VIEWS[view](gc.parse(text)).splitlines()) <= 4000


@pytest.mark.parametrize("view", ["dot", "mermaid"])
def test_edges_are_those_of_the_graph(view: str) -> None:
    graph = gc.parse("x * y + x")
    text = VIEWS[view](graph)
    assert text.count("->" if view == "dot" else "-->") >= 4


def test_views_are_deterministic() -> None:
    for view in VIEWS.values():
        assert view(gc.parse(LOGISTIC)) == view(gc.parse(LOGISTIC))


# --- loops and branches ---

NESTED = ("history", "branch in a loop", "while", "triangular")


def recurrent() -> Graph:
    h = placeholder("t", 0, H.type)
    new = build.apply("tanh", build.multiply(h, A))
    loop = close(Opened("t", 0, T, False, (H,), (h,), (new,), names={h: "h", new: "h"}))
    return Graph((H, A), (final(loop, 0),), ("last",))


def test_the_tree_of_a_loop() -> None:
    assert VIEWS["tree"](recurrent()) == (
        "last: f64[k] = %2.final[0]\n"
        "└─ %2 = for t in range(T)\n"
        "   └─ h': f64[k] = tanh(%0)\n"
        "      └─ %0: f64[k] = multiply(h, A)\n"
        "         ├─ h: f64[k] = H, then h'\n"
        "         │  └─ H: f64[k]\n"
        "         └─ A: f64[]\n"
    )


def test_the_drawing_of_a_loop_is_a_cluster() -> None:
    text = VIEWS["dot"](recurrent())
    inside = text[text.index("{ label=") : text.index("  }")]
    assert inside.splitlines()[0] == '{ label="for t in range(T)";'
    assert [word in inside for word in ("loop", "tanh", "multiply", "result")] == [True, True, True, False]
    assert "  n4 -> n1 [style=dashed, constraint=false];\n" in text
    chart = VIEWS["mermaid"](recurrent())
    assert '  subgraph b5 ["for t in range(T)"]\n' in chart and "  n4 -.-> n1\n" in chart


@pytest.mark.parametrize("program", NESTED)
def test_every_value_inside_is_drawn_once(program: str) -> None:
    """As many vertices as there are nodes, in bodies too; what a body is given is drawn where it comes from."""
    graph = programs.graph_of(program)
    count, pending = 0, [graph]
    while pending:
        nodes = pending.pop().nodes
        count += sum(n.op.name not in ("input", "const") for n in nodes)
        pending += [body.graph for n in nodes for body in bodies(n)]
    for view, mark in (("dot", "shape=ellipse, label"), ("mermaid", "([")):
        drawn = [
            line
            for line in VIEWS[view](graph).splitlines()
            if mark in line and not re.search(r'"[-0-9.e]+(\\n|<br>)', line)
        ]
        outputs = VIEWS[view](graph).count("peripheries=2") if view == "dot" else 0
        assert len(drawn) + outputs == count
    assert "^" in VIEWS["tree"](graph) and "more nodes" not in VIEWS["tree"](graph)


def test_sides_of_a_branch_are_told_apart() -> None:
    text = VIEWS["tree"](programs.graph_of("branch in a loop"))
    assert [word in text for word in ("─ if %", "─ then %", "─ else %", " = if %")] == [True] * 4
