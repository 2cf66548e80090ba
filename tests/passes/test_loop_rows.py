"""Arrays that loops fill row by row are carried as rows, where that is certain; the values stay the same."""

import inspect

import numpy as np
import pytest

import graphc as gc
from graphc.frontends.numpy.trace import trace
from graphc.ir.interpret import interpret
from graphc.ir.verify import verify
from graphc.passes.loop_rows import carry_rows
from graphc.passes.loops import on_loops, pruned

RNG = np.random.default_rng(1)
TYPES = {"x": "n d", "y": "n", "a": (), "h": "d"}
VALUES = {"x": RNG.normal(size=(6, 3)), "y": RNG.normal(size=6), "a": 0.6, "h": np.array([0.1, -0.4, 0.8])}


def one_back(x, h):
    H = np.zeros((len(x) + 1, len(h)))
    H[0] = h
    for t in range(len(x)):
        H[t + 1] = np.tanh(x[t] + H[t])
    return H


def last_of_one_back(x, h):
    return one_back(x, h)[-1]


def two_back(y, a):
    out = np.zeros(len(y))
    out[0] = y[0]
    out[1] = y[1] * a
    for t in range(2, len(y)):
        out[t] = a * out[t - 1] - 0.3 * out[t - 2] + y[t]
    return out


def only_two_back(y, a):
    out = np.zeros(len(y) + 2)
    out[:2] = a
    for t in range(len(y)):
        out[t + 2] = np.sin(out[t]) + y[t]
    return out


def downwards(x, h):
    beta = np.zeros((len(x) + 1, len(h)))
    beta[-1] = h
    for t in reversed(range(len(x))):
        beta[t] = np.sin(beta[t + 1]) * x[t]
    return beta


def every_row(x, h):
    out = np.empty((len(x), len(h)))
    for t in range(len(x)):
        out[t] = x[t] * h
    return out


def part_of_the_rows(y, a):
    out = y.copy()
    for t in range(1, len(y) - 1):
        out[t] = a * out[t - 1] + out[t] + out[t + 1] + out[0]
    return out


def row_just_written(y, a):
    out = np.zeros(len(y) + 1)
    total = a
    for t in range(len(y)):
        out[t + 1] = out[t] * a + y[t]
        total = total + out[t + 1] ** 2
    return total, out


def elements_of_rows(x, h):
    H = np.zeros((len(x) + 1, 2))
    for t in range(len(x)):
        H[t + 1] = np.array([H[t, 1] + x[t, 0], H[t, 0] * h[0]])
    return H


def two_arrays(x, h):
    n = len(x)
    p, v = np.zeros((n + 1, len(h))), np.zeros((n + 1, len(h)))
    p[0] = h
    for t in range(n):
        v[t + 1] = v[t] - 0.1 * p[t] + x[t]
        p[t + 1] = p[t] + 0.1 * v[t + 1]
    return p, v


CARRIED = (
    one_back, last_of_one_back, two_back, only_two_back, downwards, every_row, part_of_the_rows, row_just_written,
    elements_of_rows, two_arrays,
)  # fmt: skip


# --- what stays ---


def wraps_around(y, a):
    out = y.copy()
    for t in range(len(y)):
        out[t] = out[t - 1] * a + y[t]
    return out


def rows_written_twice(y, a):
    out = np.zeros(len(y))
    for t in range(len(y)):
        out[t] = a
        out[t] = out[t] + y[t]
    return out


def part_of_a_row(x, h):
    out = np.zeros((len(x) + 1, 3))
    for t in range(len(x)):
        out[t + 1, :2] = out[t, 1:] + x[t, :2] * h[0]
    return out


def all_rows_so_far(y, a):
    out = np.zeros(len(y))
    for t in range(len(y)):
        out[t] = a * np.sum(out[:t]) + y[t]
    return out


def row_that_is_being_written(y, a):
    out = np.zeros(len(y)) + a
    for t in range(len(y)):
        out[t] = out[2] * 0.5 + y[t]
    return out


STAYS = (wraps_around, rows_written_twice, part_of_a_row, all_rows_so_far, row_that_is_being_written)


def traced(function):
    names = inspect.signature(function).parameters
    types = {n: TYPES[n] if function is not part_of_a_row else TYPES[n].replace("d", "3") for n in names}
    return trace(function, types).graph, {n: VALUES[n] for n in names}


def carried(graph):
    """The shapes of what the loops of a graph carry, without what nothing needs."""
    graph, _ = on_loops(graph, pruned)
    loops = [n for n in graph.nodes if n.op.name == "loop"]
    return [tuple(map(str, i.shape)) for n in loops for i in n["body"].inputs[: n["carried"]]]


@pytest.mark.parametrize("function", (*CARRIED, *STAYS), ids=lambda f: f.__name__)
def test_the_values_stay(function):
    graph, values = traced(function)
    changed, move = carry_rows(graph)
    assert [move(o) for o in graph.outputs] == list(verify(changed).outputs)
    wanted = function(**values)
    for got, value in zip(interpret(changed, values), wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
        np.testing.assert_allclose(got, value, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("function", CARRIED, ids=lambda f: f.__name__)
def test_no_array_is_carried(function):
    graph, _ = traced(function)
    assert any("n" in " ".join(shape) for shape in carried(graph))
    assert not any("n" in " ".join(shape) for shape in carried(carry_rows(graph)[0]))


@pytest.mark.parametrize("function", STAYS, ids=lambda f: f.__name__)
def test_what_is_not_certain_stays(function):
    graph, _ = traced(function)
    assert carry_rows(graph)[0].outputs == graph.outputs


@pytest.mark.parametrize("function", (*CARRIED, *STAYS), ids=lambda f: f.__name__)
def test_gradients(function):
    graph, values = traced(function)
    gc.check_grads(gc.compile(graph), values)


def test_a_list_and_an_array_are_the_history_of_one_loop():
    def with_a_list(x, h):
        hs = [h]
        for t in range(len(x)):
            hs.append(np.tanh(x[t] + hs[-1]))
        return np.stack(hs)

    one, other = (on_loops(carry_rows(trace(f, {"x": "n d", "h": "d"}).graph)[0], pruned)[0].outputs
                  for f in (one_back, with_a_list))  # fmt: skip
    assert one == other and one[0].op.name == "result"
