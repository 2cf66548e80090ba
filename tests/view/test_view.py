"""Trees, DOT and Mermaid: exact small pictures, bounded big ones."""

from __future__ import annotations

import pytest

import graphc as gc
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
