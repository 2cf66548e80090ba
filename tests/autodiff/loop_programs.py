"""Graphs with loops and branches in them, for the tests of what works on them."""

import numpy as np

from graphc.expr import build
from graphc.expr.looping import Opened, close, close_branch, placeholder
from graphc.ir.control import final, history, result, stack
from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.leaf import const_node, input_node
from graphc.ir.types import TensorType
from graphc.ir.verify import verify

T, k, t, s = map(Size.named, ("T", "k", "t", "s"))


def real(name, *shape):
    return input_node(name, TensorType("float64", shape))


def op(name, *args):
    return build.apply(name, *args)


def total(x):
    return build.reduce("sum", x, tuple(range(x.type.rank)))


def loop(step, *inits, index="t", start=0, count=T, reverse=False, test=None):
    """The loop whose step makes (updates, further outputs) of what is carried."""
    before = [placeholder(index, i, init.type) for i, init in enumerate(inits)]
    updates, further = step(*before)
    going = None if test is None else test(*before)
    return close(Opened(index, start, count, reverse, inits, tuple(before), tuple(updates), tuple(further), going))


X, W, H, A, C = real("X", T, k), real("W", k, k), real("H", k), real("A"), real("C", k, T)


def recurrent(h):
    return (op("tanh", build.add(build.at(X, 0, t), build.matmul(h, W))),), ()


def emitting(h):
    new = op("sin", build.multiply(build.add(h, build.at(X, 0, t)), A))
    return (new,), (build.multiply(new, h), total(new))


def second_order_recurrence(a, b):
    return (b, build.add(build.multiply(A, b), build.multiply(a, total(build.at(C, 1, t))))), ()


def counting(h, n):
    weight = build.astype(n, "float64")
    return (
        op("cos", build.add(build.multiply(weight, h), build.at(X, 0, t))),
        build.add(n, const_node(2, "int64")),
    ), ()


def by_number(h):
    number = build.apply("size", dim=t, dtype="float64", least=0)
    return (op("sin", build.add(build.multiply(number, h), op("exp", A))),), ()


def neighbours(h):
    """Rows that come one step later, and one that wraps around: x[t - 1] at t = 0 is the last one."""
    return (op("tanh", build.add(build.add(h, build.at(X, 0, t + 1)), build.at(X, 0, t - 1))),), ()


def nested(h):
    def inner(g):
        return (op("sin", build.add(build.multiply(g, A), build.multiply(build.at(X, 0, s), build.at(X, 0, t)))),), ()

    return (op("tanh", final(loop(inner, h, index="s"), 0)),), ()


def triangular(h):
    """The inner loop goes as far as the outer one has come."""

    def inner(g):
        return (op("tanh", build.add(g, build.at(X, 0, s))),), ()

    return (build.multiply(final(loop(inner, h, index="s", count=t), 0), A),), ()


def written(buffer):
    """An array that is filled: row t + 1 from row t."""
    row = op("tanh", build.add(build.at(buffer, 0, t), build.at(X, 0, t)))
    return (build.set_at(buffer, row, build.at(buffer, 0, t + 1).attrs[0]),), ()


def branching(h):
    new = build.matmul(h, W)
    positive = op("greater", total(h), const_node(0.0, "float64"))
    node = close_branch(
        positive, (op("sin", build.multiply(new, A)),), (build.multiply(h, op("cos", build.at(X, 0, t))),)
    )
    return (result(node, 0),), ()


def halving(x):
    return (build.multiply(x, op("cos", A)),), ()


def large(x):
    return op("greater", total(op("square", x)), const_node(0.01, "float64"))


def buffered():
    start = build.set_at(build.zeros((T + 1, k)), H, build.at(build.zeros((T + 1, k)), 0, 0).attrs[0])
    return total(op("square", final(loop(written, start), 0)))


def both(node):
    return build.add(total(op("square", history(node, 0))), total(op("exp", final(node, 0))))


def stacks(node):
    return build.add(total(op("square", stack(node, 0))), total(op("sin", stack(node, 1))))


PROGRAMS = {
    "final": lambda: total(final(loop(recurrent, H), 0)),
    "history": lambda: both(loop(recurrent, H)),
    "history, down": lambda: both(loop(recurrent, H, reverse=True)),
    "stacks": lambda: stacks(loop(emitting, H)),
    "stacks, down": lambda: stacks(loop(emitting, H, reverse=True)),
    "only the first stack": lambda: total(op("square", stack(loop(emitting, H), 0))),
    "swap": lambda: final(loop(second_order_recurrence, A, op("sin", A)), 1),
    "an integer is carried": lambda: total(final(loop(counting, H, const_node(1, "int64")), 0)),
    "the index is a number": lambda: both(loop(by_number, H)),
    "part of the rows": lambda: both(loop(neighbours, H, start=1, count=T - 2)),
    "rows that wrap around": lambda: both(loop(neighbours, H, count=T - 1)),
    "nested": lambda: both(loop(nested, H)),
    "triangular": lambda: both(loop(triangular, H)),
    "filled": buffered,
    "branch in a loop": lambda: both(loop(branching, H)),
    "while": lambda: both(loop(halving, H, count=Size.named("steps"), test=large)),
}  # fmt: skip
RNG = np.random.default_rng(3)
VALUES = {
    "X": RNG.normal(size=(4, 2)),
    "W": RNG.normal(size=(2, 2)),
    "H": RNG.normal(size=2),
    "A": np.array(0.7),
    "C": RNG.normal(size=(2, 4)),
}


def graph_of(program):
    return verify(Graph((X, W, H, A, C), (PROGRAMS[program](),), ("y",)))
