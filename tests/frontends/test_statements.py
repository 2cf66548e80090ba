"""Statements that become closures do what they did: jumps, scopes, `else` of loops, exceptions, names of classes.

Nothing in the conditions here is traced; what is computed with `x` is.
"""

import contextlib

import numpy as np
import pytest

from graphc.frontends.numpy.trace import trace
from graphc.ir.interpret import interpret

# ruff: noqa: B007, B023, C416, E731, F841, F842, PLR, RET, RUF021, SIM, UP

X = np.random.default_rng(4).normal(size=5)


def returns_through_finally(x):
    for i in range(5):
        try:
            if i == 3:
                return x * i
        finally:
            x = x + 1
    return x


def loop_in_with(x):
    with contextlib.nullcontext() as q:
        for i in range(4):
            if i == 2:
                break
            x = x * 2
        else:
            x = x * 100
        if i == 2:
            return x
    return -x


def walrus_and_else(x):
    n = 0
    while (n := n + 1) < 5:
        if n % 2:
            continue
        x = x * n
    else:
        x = x + n
    return x


def closures_and_del(x):
    out = []
    for i, (a, *b) in enumerate([(1, 2, 3), (4, 5)]):

        def g(y, k=a):
            return y * k + len(b)

        out.append(g(x))
        del a
    return np.stack(out)


def match_and_return(x):
    match len(x.shape):
        case 1 if x.ndim == 1:
            for k in (1, 2):
                if k == 2:
                    return x * k
        case _:
            return x


def exception_in_a_loop(x):
    try:
        for i in [1, 2, 0]:
            y = 1 // i
    except ZeroDivisionError as e:
        msg = str(e)
        x = x * len(msg)
    return x


COUNT = 0


def global_counter(x):
    global COUNT
    COUNT = 0
    for i in range(3):
        COUNT += 1
        if COUNT == 2:
            break
    return x * COUNT


def generator(x):
    def gen():
        for i in range(3):
            if i == 1:
                continue
            yield x * i

    return sum(gen())


def annotated(x):
    a: int = 3
    for i in range(2):
        b: int = a + i
        c: int
    return x * b


def lambda_and_chains(x):
    f = lambda v: v if v.ndim else 0
    return f(x) if (not (1 < 2 < 1) and 3 in (1, 3)) or None else x * 0


class A:
    k = 2

    def __init__(self):
        super().__init__()
        self.z = [i for i in range(3)]

    def run(self, x):
        for i in self.z:
            if i == self.k:
                return x * self.__w(i)
        return x

    def __w(self, i):
        return i + self.k


def method_with_private_names(x):
    return A().run(x)


def break_in_the_else_of_a_loop(x):
    i = 10
    for i in []:
        pass
    while True:
        i -= 1
        for j in range(i):
            if j == 3:
                break
        else:
            break
    return x * i * j


def import_and_class(x):
    if len(x) == 5:
        import math as m

        class B:
            v = m.pi

    return x * B.v


def nested_jumps(x):
    r = 0
    for i in range(3):
        for j in range(3):
            if j > i:
                break
            if (i + j) % 2:
                continue
            r += i * j + 1
        else:
            r += 100
    return x * r


def return_or_break(x):
    for i in range(3):
        if i == 1:
            if x.ndim == 1:
                break
            return x * 9
        x = x + i
    return x * i


PROGRAMS = (
    returns_through_finally,
    loop_in_with,
    walrus_and_else,
    closures_and_del,
    match_and_return,
    exception_in_a_loop,
    global_counter,
    generator,
    annotated,
    lambda_and_chains,
    method_with_private_names,
    break_in_the_else_of_a_loop,
    import_and_class,
    nested_jumps,
    return_or_break,
)


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda f: f.__name__)
def test_the_value_is_that_of_the_function(function):
    graph = trace(function, {"x": "5"}).graph
    np.testing.assert_allclose(interpret(graph, {"x": X})[0], function(X), rtol=1e-13)
