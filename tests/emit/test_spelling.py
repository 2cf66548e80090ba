"""The formulas of the docstring: each value is defined before it is used."""

import numpy as np

import graphc as gc


def deviation(x, scale):
    centred = x - x.mean()
    return centred / scale


def above_its_caller(x, a):
    scale = np.exp(a)
    y = deviation(x, scale)
    return np.sum(y**2)


def repeated(x, a, b):
    for w in (a, b):
        z = x * w
        x = np.tanh(z)
    return np.sum(x)


def formulas(function, inputs):
    docstring = gc.compile(function, inputs).source.split('"""')[1]
    return [line.split(" = ")[0].strip() for line in docstring.splitlines() if " = " in line]


def test_a_function_that_stands_above_its_caller():
    assert formulas(above_its_caller, {"x": "n", "a": ()}) == ["centred", "scale", "y", "above_its_caller"]


def test_a_loop():
    assert formulas(repeated, {"x": "n", "a": "n", "b": "n"}) == ["z", "x2", "z2", "x3", "repeated"]


def test_straight_code_is_in_the_users_order():
    text = "x: f64\ny: f64\nlate = sin(y)\nearly = cos(x)\nreturn early * late + early * early"
    assert formulas(text, None)[:2] == ["late", "early"]
