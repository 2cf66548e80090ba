"""Sizes are integer polynomials: evaluating them is a homomorphism."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphc.errors import LimitError, ShapeError
from graphc.ir.dims import (
    MAX_SIZE,
    Size,
    at_least,
    evaluate,
    exact_quotient,
    minimum,
    product,
    quotient,
    root,
    roots,
    substitute,
)

N, M, H = (Size.named(s) for s in "nmh")
atoms = st.one_of(st.integers(-6, 6), st.sampled_from([N, M, H, (N + 1) // 2, minimum(N, 2 * H), quotient(M, root(N))]))
dims = st.recursive(
    atoms,
    lambda d: st.one_of(
        st.tuples(d, d).map(lambda p: p[0] + p[1]),
        st.tuples(d, d).map(lambda p: p[0] - p[1]),
        st.tuples(d, d).map(lambda p: p[0] * p[1]),
    ),
    max_leaves=6,
)
values = st.fixed_dictionaries({s: st.integers(0, 9) for s in "nmh"})


@given(dims, dims, values)
@settings(derandomize=True, max_examples=150)
def test_evaluation_is_a_homomorphism(a: Any, b: Any, sizes: dict[str, int]) -> None:
    x, y = evaluate(a, sizes), evaluate(b, sizes)
    assert evaluate(a + b, sizes) == x + y
    assert evaluate(a - b, sizes) == x - y
    assert evaluate(a * b, sizes) == x * y
    assert evaluate(-1 * a, sizes) == -x
    assert evaluate(a // 3, sizes) == x // 3


@given(dims, dims, dims)
@settings(derandomize=True, max_examples=100)
def test_ring_laws_hold_as_equality_of_sizes(a: Any, b: Any, c: Any) -> None:
    assert a + b == b + a and a * b == b * a
    assert (a + b) + c == a + (b + c)
    assert a * (b + c) == a * b + a * c
    assert a - a == 0 and type(a - a) is int
    assert hash(a + b) == hash(b + a)
    assert pickle.loads(pickle.dumps(a)) == a


@given(dims, dims, values)
@settings(derandomize=True, max_examples=100)
def test_minimum_is_the_smaller_one(a: Any, b: Any, sizes: dict[str, int]) -> None:
    assert evaluate(minimum(a, b), sizes) == min(evaluate(a, sizes), evaluate(b, sizes))
    assert minimum(a, b) == minimum(b, a)


@given(dims, st.integers(-5, 20), values)
@settings(derandomize=True, max_examples=100)
def test_at_least_is_never_wrong(a: Any, least: int, sizes: dict[str, int]) -> None:
    assert not at_least(a, least) or evaluate(a, sizes) >= least


@given(dims, dims, values)
@settings(derandomize=True, max_examples=100)
def test_exact_quotient_times_the_part_is_the_whole(a: Any, b: Any, sizes: dict[str, int]) -> None:
    found = exact_quotient(a, b)
    assert found is None or found * b == a


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (N, "n"),
        (2 * H + N, "2 * h + n"),
        (N - 1, "n - 1"),
        (1 - N, "-n + 1"),
        ((N + 1) // 2, "(n + 1) // 2"),
        (2 * ((N + 1) // 2), "2 * ((n + 1) // 2)"),
        (N * M, "m * n"),
        (minimum(N, H) - 1, "min(h, n) - 1"),
        (minimum(2 * N, H // 2), "min((h) // 2, 2 * n)"),
        (4 * N // 2, "2 * n"),
        (N * N - N, "-n + n * n"),
        (root(N) + 1, "max(int(n ** 0.5), 1) + 1"),
        (root(N + 1), "max(int((n + 1) ** 0.5), 1)"),
        (2 * quotient(N, root(M)), "2 * ((n) // max(int(m ** 0.5), 1))"),
        (quotient(N, 2 * M), "(n) // (2 * m)"),
        (quotient(4, M), "(4) // m"),
    ],
)
def test_printing(size: Any, text: str) -> None:
    assert str(size) == text


def test_constants_are_ints() -> None:
    assert (N - N, N + 2 - N, 0 * N) == (0, 2, 0)
    assert product(()) == 1 and product((N, 2, 3)) == 6 * N
    assert exact_quotient(6 * N, 3) == 2 * N and exact_quotient(N * M, N) == M
    assert exact_quotient(N, 2) is None and exact_quotient(N, 0) is None and exact_quotient(N + M, N) is None


@given(dims, dims, values)
@settings(derandomize=True, max_examples=100)
def test_substitution_is_evaluation_in_two_steps(a: Any, b: Any, sizes: dict[str, int]) -> None:
    moved = {**sizes, "h": abs(evaluate(b, sizes))}
    assert evaluate(substitute(a, {"h": moved["h"]}), sizes) == evaluate(a, moved)


def test_roots() -> None:
    assert [root(k) for k in (0, 1, 3, 4, 15, 16, 10**12)] == [1, 1, 1, 2, 3, 4, 10**6]
    assert [evaluate(root(N), {"n": k}) for k in (0, 1, 8, 9)] == [1, 1, 2, 3]
    assert list(map(str, roots(N + quotient(M, root(N + root(H)))))) == [str(root(H)), str(root(N + root(H)))]
    assert list(root(N).names()) == ["n"] and substitute(root(N), {"n": 49}) == 7


def test_names() -> None:
    assert N.name == "n" and (2 * N).name is None and (N + 0 * M).name == "n"
    assert list((N * M + (H + 1) // 2).names()) == ["h", "m", "n"]


@pytest.mark.parametrize("divisor", [0, -1])
def test_division_by_what_is_not_positive(divisor: int) -> None:
    with pytest.raises(ShapeError) as caught:
        N // divisor
    with pytest.raises(ShapeError):
        quotient(7, divisor)
    assert caught.value.code == "G023"


def test_sizes_have_a_limit() -> None:
    assert evaluate(N + MAX_SIZE, {"n": 0}) == MAX_SIZE
    with pytest.raises(LimitError) as caught:
        (MAX_SIZE * N) * 2
    assert caught.value.code == "G003"
