"""Loops and branches in listings, pickles and limits, and what must hold of them."""

from __future__ import annotations

import pickle

import loop_programs as programs
import pytest

from graphc.errors import InternalError, LimitError, ParseError
from graphc.expr import build
from graphc.expr.implicit import Iteration, fixed_point
from graphc.expr.looping import Opened, close, close_branch, placeholder
from graphc.ir import graph as graphs
from graphc.ir.control import LOOP, Body, bodies, final, result, stack
from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.leaf import const_node, input_node
from graphc.ir.listing import parse_listing
from graphc.ir.node import Node, make
from graphc.ir.types import TensorType
from graphc.ir.verify import verify
from graphc.ops import REGISTRY
from graphc.passes.pipeline import join

T, k, t = map(Size.named, ("T", "k", "t"))
X = input_node("X", TensorType("float64", (T, k)))
h0 = input_node("h0", TensorType("float64", (k,)))


def recurrent(index: str = "t") -> Node:
    h = placeholder(index, 0, h0.type)
    z = build.multiply(build.at(X, 0, Size.named(index)), h)
    new = build.apply("tanh", z)
    total = build.reduce("sum", new, (0,))
    names = {h: "h", z: "z", new: "h"}
    return close(Opened(index, 0, T, False, (h0,), (h,), (new,), (total,), names=names))


def test_a_loop_is_a_block() -> None:
    loop = recurrent()
    graph = Graph((X, h0), (final(loop, 0), stack(loop, 0)), ("last", "sums"), {final(loop, 0): "h"})
    assert str(graph) == (
        'graph "<graph>" (X: f64[T, k], h0: f64[k]) -> (last: h, sums: %2) {\n'
        "  %0 = loop t from 0 count T (h: f64[k] = h0; X) -> (h'; %3) {\n"
        "    %0: f64[k] = getitem(X; index=[<t>, 0:<k>:1:<k>:True])\n"
        "    z: f64[k] = multiply(%0, h)\n"
        "    h': f64[k] = tanh(z)\n"
        "    %3: f64[] = sum(h'; axes=(0,), keepdims=False)\n"
        "  }\n"
        "  h: f64[k] = %0.final[0]\n"
        "  %2: f64[T] = %0.stack[0]\n"
        "}\n"
    )
    again = parse_listing(str(graph), REGISTRY)
    assert again.outputs == graph.outputs
    (body,) = [body for node in again.nodes for body in bodies(node)]
    assert dict(body.names) == dict(loop["body"].names)


def test_a_branch_has_two_blocks_and_a_while_its_test() -> None:
    x = input_node("x", TensorType("float64", ()))
    zero = const_node(0.0, "float64")
    branch = close_branch(build.apply("greater", x, zero), [build.apply("log", x)], [build.apply("exp", x)])
    carried = placeholder("t", 0, x.type)
    halved = build.divide(carried, 2.0)
    going = build.apply("greater", carried, zero)
    loop = close(Opened("t", 0, Size.named("steps"), False, (x,), (carried,), (halved,), (), going))
    graph = Graph((x,), (result(branch, 0), final(loop, 0)), ("a", "b"))
    text = str(graph)
    assert (
        "%2 = branch %1 (x) -> (%0) {\n    %0: f64[] = log(x)\n  } else -> (%0) {\n    %0: f64[] = exp(x)\n  }" in text
    )
    assert "  } while -> (%1) {\n" in text and "%2.result[0]" in text
    assert parse_listing(text, REGISTRY).outputs == graph.outputs


def test_an_equation_has_a_block() -> None:
    x = input_node("x", TensorType("float64", ()))
    unknown = placeholder("i", 0, x.type)
    (y,) = fixed_point([x], [unknown], [build.apply("cos", build.multiply(unknown, x))], Iteration("i", 1e-10, 100))
    graph = verify(Graph((x,), (y,), ("y",)))
    assert "equation i fixed tolerance 1e-10 limit 100 (_i_0: f64[] = %5; x) -> (%1) {" in str(graph)
    assert parse_listing(str(graph), REGISTRY).outputs == graph.outputs
    assert pickle.loads(pickle.dumps(graph)).outputs == graph.outputs


@pytest.mark.parametrize("program", programs.PROGRAMS)
def test_listings_and_pickles_come_back(program: str) -> None:
    graph = programs.graph_of(program)
    joint = join(graph, ("X", "H")).graph
    for each in (graph, joint):
        again = parse_listing(str(each), REGISTRY)
        assert again.outputs == verify(each).outputs
        assert str(again) == str(each)
        restored = pickle.loads(pickle.dumps(each))
        assert restored.outputs == each.outputs and str(restored) == str(each)
        assert each.to_networkx().number_of_nodes() == len(each.nodes)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("loop t", "lop t", "expected one of loop, branch, equation"),
        ("= h0; X", "= nothing; X", "`nothing` is not defined"),
        ("; X)", "; Y)", "`Y` is not defined"),
        ("(h'; %3)", "(h', %3)", "2 outputs where 1"),
        ("(h'; %3)", "(h'; %9)", "`%9` is not defined"),
        ("%0.stack[0]", "%0.stack[1]", "no `.stack[1]`"),
        ("%0.stack[0]", "%0.result[0]", "no `.result[0]`"),
        ("%0.stack[0]", "h.stack[0]", "no `.stack[0]`"),
        ("h: f64[k] = h0", "h: f64[T] = h0", "begins as f64[k]"),
        ("%2: f64[T] =", "%2: f64[k] =", "result gives f64[T]"),
    ],
)
def test_wrong_blocks_are_parse_errors(old: str, new: str, message: str) -> None:
    loop = recurrent()
    text = str(Graph((X, h0), (final(loop, 0), stack(loop, 0)), ("last", "sums"), {final(loop, 0): "h"}))
    assert old in text
    with pytest.raises(ParseError) as raised:
        parse_listing(text.replace(old, new), REGISTRY)
    assert message in raised.value.message


# --- what must hold ---


def with_body(loop: Node, body: Body) -> Node:
    return make(loop.op, loop.args, **{**loop.attributes, "body": body})


def test_a_body_takes_nothing_but_what_it_is_given() -> None:
    loop = recurrent()
    body = loop["body"]
    stray = build.add(body.outputs[0], input_node("stray", h0.type))
    wrong = with_body(loop, Body(body.inputs, (stray, *body.outputs[1:])))
    with pytest.raises(InternalError, match="`stray` is not declared"):
        verify(Graph((X, h0), (final(wrong, 0),), ("y",)))


def test_an_index_is_a_size_inside_its_loop_only() -> None:
    loop = recurrent()
    outside = build.multiply(final(loop, 0), build.at(X, 0, t))
    with pytest.raises(InternalError, match="index t of a loop"):
        verify(Graph((X, h0), (outside,), ("y",)))


def test_loops_inside_one_another_have_different_indices() -> None:
    h, g = placeholder("t", 0, h0.type), placeholder("s", 0, h0.type)
    inner = close(Opened("s", 0, T, False, (h,), (g,), (build.apply("tanh", g),)))
    outer = close(Opened("t", 0, T, False, (h0,), (h,), (final(inner, 0),)))
    verify(Graph((X, h0), (final(outer, 0),), ("y",)))
    body = outer["body"]
    (found,) = [n for n in body.graph.nodes if n.op is LOOP]
    same = make(LOOP, found.args, **{**found.attributes, "index": "t"})
    wrong = with_body(outer, Body(body.inputs, (final(same, 0),)))
    with pytest.raises(InternalError, match="inside another one"):
        verify(Graph((X, h0), (final(wrong, 0),), ("y",)))


def test_the_limit_counts_what_is_in_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph((X, h0), (final(recurrent(), 0),), ("y",))
    inside = sum(len(body.graph.nodes) for node in graph.nodes for body in bodies(node))
    monkeypatch.setattr(graphs, "MAX_NODES", len(graph.nodes) + inside - 1)
    with pytest.raises(LimitError, match="2 million"):
        assert Graph(graph.inputs, graph.outputs, ("y",)).nodes
