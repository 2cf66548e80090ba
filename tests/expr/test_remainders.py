"""Remainders, parts of numbers and bits against NumPy: values, dtypes, gradients."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import agree

import graphc as gc

X = np.array([5.3, -5.3, 0.4, -0.4, 7.9, 2.1])
Y = np.array([2.0, 2.5, -3.0, 1.5, 3.3, -0.6])
K = np.array([7, -7, 5, -5, 0, 6])
J = np.array([2, 2, -3, 3, 4, 4])
MIXED = [(X, Y), (X, Y[:1]), (X.reshape(2, 3), Y[:3]), (X[0], Y[0]), (X[:0], Y[:0])]
WHOLE = [(K, J), (K.astype("int32"), J), (K.astype("int32"), J.astype("int32")), (K, J[0])]


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("x % z", np.mod),
        ("x // z", np.floor_divide),
        ("mod(x, z)", np.mod),
        ("remainder(x, z)", np.remainder),
        ("floor_divide(x, z)", np.floor_divide),
        ("fmod(x, z)", np.fmod),
    ],
)
def test_division(text, reference):
    for x, z in MIXED:
        agree(text, reference, x=x, z=z)
    for x, z in [*WHOLE, (K, Y), (X, J)]:
        agree(text, reference, x=x, z=z, gradients=False)


@pytest.mark.parametrize(("symbol", "f"), [("%", np.mod), ("//", np.floor_divide)])
def test_operators_with_numbers(symbol, f):
    agree(f"x {symbol} 2", lambda x: f(x, 2), x=X)
    agree(f"7 {symbol} x", lambda x: f(7, x), x=Y)
    agree(f"k {symbol} 2", lambda k: f(k, 2), k=K, gradients=False)
    agree(f"k {symbol} 2.5", lambda k: f(k, 2.5), k=K, gradients=False)
    assert gc.compile(f"x + 7 {symbol} 2")(1.0) == 1.0 + f(7, 2)


def test_precedence_is_pythons():
    agree("-x % 3 * 2 - x // 2 ** 2", lambda x: -x % 3 * 2 - x // 2**2, x=X)


def test_pairs():
    agree("divmod(x, z)[0] + divmod(x, z)[1]", lambda x, z: sum(np.divmod(x, z)), x=X, z=Y)
    agree("modf(x)[0] + 10 * modf(x)[1]", lambda x: np.modf(x)[0] + 10 * np.modf(x)[1], x=X)
    inf = np.array([np.inf, -np.inf])
    agree("modf(x)[0]", lambda x: np.modf(x)[0], x=inf, gradients=False)
    agree("ldexp(x, k)", np.ldexp, x=X, k=J)
    assert gc.compile("ldexp(x, k)", inputs={"x": "f64", "k": "i64"})(3e-300, 1100) == np.ldexp(3e-300, 1100)


FLOATS = np.array([0.3, -1.7, 6.0, 1e-320, -1e300, 0.0])


def test_how_floats_are_written():
    agree("frexp(x)[0]", lambda x: np.frexp(x)[0], x=FLOATS[:3])
    agree("sum(z * frexp(x)[0])", lambda x, z: np.sum(z * np.frexp(x)[0]), x=FLOATS[:3].reshape(3, 1), z=FLOATS[:3])
    agree("ldexp(frexp(x)[0], frexp(x)[1])", lambda x: x, x=FLOATS[:3])
    for text, reference in [
        ("parts = frexp(x)\nreturn parts[0], parts[1]", np.frexp),
        ("spacing(x)", np.spacing),
        ("nextafter(x, 8)", lambda x: np.nextafter(x, 8)),
        ("nextafter(0, x)", lambda x: np.nextafter(0.0, x)),
    ]:
        agree(text, reference, x=FLOATS, gradients=False, single=False)
        agree(text, reference, x=FLOATS[:3].astype(np.float32), gradients=False)
        agree(text, reference, x=K, gradients=False)
    ulp = gc.compile("z * nextafter(x, z) + spacing(x)")
    assert ulp.grad(x=3.0, z=5.0) == (np.nextafter(3.0, 5.0), 5.0)  # of z and of x
    slope = gc.compile("frexp(x)[0]").grad
    assert [slope(v).x for v in (0.0, 12.0, -0.3, 5e-324)] == [1.0, 0.0625, 2.0, np.inf]


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("x & z", np.bitwise_and),
        ("x | z", np.bitwise_or),
        ("bitwise_and(x, z)", np.bitwise_and),
        ("bitwise_or(x, z)", np.bitwise_or),
        ("bitwise_xor(x, z)", np.bitwise_xor),
    ],
)
def test_bits(text, reference):
    for x, z in [*WHOLE, (K > 0, J > 0), (K > 0, J)]:
        agree(text, reference, x=x, z=z, gradients=False)


def test_bits_of_one_and_shifts():
    for x in (K, K > 0, K.astype("int32")):
        agree("~x", np.invert, x=x, gradients=False)
        agree("invert(x)", np.invert, x=x, gradients=False)
    for x, k in [(K, abs(J)), (K.astype("int32"), abs(J))]:
        agree("left_shift(x, k)", np.left_shift, x=x, k=k, gradients=False)
        agree("right_shift(x, k)", np.right_shift, x=x, k=k, gradients=False)
        agree("gcd(x, k) + 100 * lcm(x, k)", lambda x, k: np.gcd(x, k) + 100 * np.lcm(x, k), x=x, k=k, gradients=False)


@pytest.mark.parametrize("text", ["x & 1", "x | x", "~x", "left_shift(x, 2)", "gcd(x, 2)", "bitwise_xor(x, x)"])
def test_bits_of_floats_are_refused(text):
    with pytest.raises(gc.GraphcError) as caught:
        gc.parse(text, {"x": "n"})
    assert caught.value.code == "G030"


def test_a_size_is_divided_by_a_number():
    with pytest.raises(gc.GraphcError) as caught:
        gc.parse("x[: x.size // x.size]", {"x": "n"})
    assert caught.value.code == "G040"
    assert gc.compile("x.size // x", inputs={"x": "n"})(np.array([2.0, -2.0, 4.0])).tolist() == [1.0, -2.0, 0.0]
