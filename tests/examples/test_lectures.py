"""The cases that the field teaches with: the numbers on the slides, and the derivations by hand."""

import numpy as np
import pytest
from example_scripts import EXAMPLES, script

import graphc as gc

lectures = script("lectures")


@pytest.mark.parametrize("name", lectures.LECTURES)
def test_by_hand(name):
    rows = lectures.LECTURES[name]()
    assert len(rows) >= 2
    for what, got, wanted in rows:
        assert np.shape(got) == np.shape(wanted), what
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-13, err_msg=what)


@pytest.mark.parametrize("model", sorted(p.name for p in (EXAMPLES / "lectures").glob("*.gc")))
def test_every_model_has_a_lecture(model):
    assert model.removesuffix(".gc") in lectures.LECTURES


def slides(name):
    """What a lecture computes, by the names of its rows."""
    return {what: got for what, got, _ in lectures.LECTURES[name]()}


def test_circuit():
    assert slides("circuit") == {"f": -12.0, "df/dx": -4.0, "df/dy": -4.0, "df/dz": 3.0}


def test_neuron():
    found = slides("neuron")
    assert round(found["f"], 2) == 0.73
    assert round(found["f"] * (1 - found["f"]), 1) == 0.2
    np.testing.assert_array_equal(np.round(found["df/dx"], 2), [0.39, -0.59])
    np.testing.assert_array_equal(np.round(found["df/dw"], 2), [-0.2, -0.39, 0.2])


def test_staged():
    found = slides("staged")
    assert [round(v, 5) for v in found.values()] == [1.54564, 2.05957, 1.59223]


def test_staged_backward_is_staged():
    """What forward has computed is not computed again."""
    source = gc.compile(EXAMPLES / "lectures" / "staged.gc").source
    backward = source[source.index("def backward(") : source.index("def value_and_grad(")]
    assert "_sigmoid" not in backward
    assert "exp" not in backward
    assert "dnum = " in backward
    assert "dden = " in backward


def test_gates():
    assert slides("gates") == {"f": -20.0, "df/dx": -8.0, "df/dy": 6.0, "df/dz": 2.0, "df/dw": 0.0}


def test_paths():
    assert slides("paths") == {"e": 15.0, "de/da": 3.0, "de/db": 8.0}


def test_shared_weights_add_up():
    """With weights of its own for each step, the three gradients add up to that of the shared one."""
    text = (EXAMPLES / "lectures" / "rnn.gc").read_text()
    shared = gc.compile(text, wrt="Wh")
    own = text.replace("Wh: f64[k, k]", "A: f64[k, k]\nB: f64[k, k]\nC: f64[k, k]")
    own = own.replace("Wh @ h0", "A @ h0").replace("Wh @ h1", "B @ h1").replace("Wh @ h2", "C @ h2")
    separate = gc.compile(own, wrt=("A", "B", "C"))
    rng = np.random.default_rng(0)
    Wi, Wh, xs, h0 = rng.standard_normal((3, 2)), rng.standard_normal((3, 3)), rng.standard_normal((3, 2)), np.ones(3)
    rest = {"Wi": Wi, "x1": xs[0], "x2": xs[1], "x3": xs[2], "h0": h0}
    dh = rng.standard_normal(3)
    total = shared.backward(shared.forward(Wh=Wh, **rest)[1], dh).Wh
    parts = separate.backward(separate.forward(A=Wh, B=Wh, C=Wh, **rest)[1], dh)
    assert all(np.abs(part).max() > 1e-3 for part in parts)
    np.testing.assert_allclose(total, parts.A + parts.B + parts.C, rtol=1e-13)


def test_last_layer_is_a_minus_y():
    """With respect to the scores: dZ = (A - Y) / m, at ordinary scores and at +-1000."""
    module = gc.compile(
        "A = exp(Z) / sum(exp(Z), axis=0, keepdims=True)\nJ = -mean(sum(Y * log(A), axis=0))",
        {"Z": "k m", "Y": "k m"}, wrt="Z")  # fmt: skip
    rng = np.random.default_rng(0)
    Y = np.eye(4)[rng.integers(0, 4, 6)].T
    for Z in (rng.standard_normal((4, 6)), rng.choice([-1000.0, 0.0, 1000.0], (4, 6))):
        exponentials = np.exp(Z - Z.max(axis=0))
        A = exponentials / exponentials.sum(axis=0)
        np.testing.assert_allclose(module.grad(Z, Y).Z, (A - Y) / 6, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("name", sorted(p.name for p in (EXAMPLES / "lectures").glob("*.gc")))
def test_against_numeric_gradients(name):
    module = gc.compile(EXAMPLES / "lectures" / name)
    rng = np.random.default_rng(0)
    sizes = {"n": 2, "d": 3, "m": 4, "k": 3, "h": 5, "g": 4, "p": 2, "q": 3, "r": 4}
    point = {n["name"]: rng.standard_normal(tuple(evaluated(d, sizes) for d in n.shape)) for n in module.graph.inputs}
    report = gc.check_grads(module, point, tolerance=1e-8)
    assert [row.name for row in report.rows] == list(module.graph.input_names)


def evaluated(dim, sizes):
    return dim if isinstance(dim, int) else eval(str(dim), {}, sizes)
