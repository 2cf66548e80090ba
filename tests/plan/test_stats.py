"""What programs with loops and branches cost, exactly, in symbols."""

from __future__ import annotations

from loop_programs import A, H, T, X, k, loop, op, total

import graphc as gc
from graphc.expr import build
from graphc.expr.looping import close_branch
from graphc.ir.control import final, result, stack
from graphc.ir.dims import Size, substitute
from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.plan.stats import Stats

t = Size.named("t")


def stats_of(*outputs: Node) -> Stats:
    names = tuple(f"o{i}" for i in range(len(outputs)))
    return gc.compile(Graph((X, H, A), outputs, names), wrt=("H",)).stats


def step(h: Node) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    return (op("tanh", build.multiply(h, A)),), ()


def test_a_loop_costs_its_steps() -> None:
    stats = stats_of(final(loop(step, H), 0))
    assert stats.forward_ops == 2 * T
    assert stats.forward_flops == 2 * T * k
    assert stats.saved_bytes == 8 * (T + 1) * k, "the history"


def test_loops_inside_loops_as_far_as_the_index() -> None:
    """1 + 2 + ... + T steps, each of 2 k operations."""
    triangle = loop(lambda h: ((final(loop(step, h, index="s", count=t + 1), 0),), ()), H)
    stats = stats_of(final(triangle, 0))
    assert stats.forward_ops == T * T + T
    assert substitute(stats.forward_flops, {"T": 4, "k": 3}) == 10 * 2 * 3


def test_a_branch_costs_the_dearer_side() -> None:
    chosen = close_branch(op("greater", A, 0.0), [op("sin", H)], [op("exp", build.multiply(op("cos", H), A))])
    assert stats_of(result(chosen, 0)).forward_ops == 1 + 3
    assert stats_of(result(chosen, 0)).forward_flops == 1 + 3 * k


def test_a_while_counts_in_its_own_steps() -> None:
    steps = Size.named("steps")
    node = loop(step, H, count=steps, test=lambda h: op("greater", total(op("square", h)), 0.1))
    stats = stats_of(final(node, 0))
    assert stats.forward_ops == 5 * steps
    assert "steps" in str(stats)


def test_rows_that_are_kept_are_in_the_peak() -> None:
    stats = stats_of(stack(loop(lambda h: ((op("sin", h),), (op("exp", h),)), H), 0))
    assert substitute(stats.peak_bytes, {"T": 1000, "k": 1}) >= 2 * 8 * 1000, "the history and the stack"


def test_pieces_count_as_long_as_the_first() -> None:
    graph = Graph((X, H, A), (final(loop(step, H), 0),), ("o0",))
    whole, pieces = (gc.compile(graph, wrt=("H",), checkpoint=c).stats for c in (None, "sqrt"))
    sizes = {"T": 10_000, "k": 3}
    flops, bounded = (substitute(s.forward_flops, sizes) for s in (whole, pieces))
    assert flops <= bounded <= 1.02 * flops
    assert substitute(pieces.saved_bytes, sizes) == 8 * 101 * 3
    assert substitute(pieces.peak_bytes, sizes) < substitute(whole.peak_bytes, sizes) / 10
