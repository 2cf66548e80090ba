"""gc.compile(..., mode=...): further derivatives as functions of the generated file."""

import subprocess
import sys

import numpy as np
import pytest

import graphc as gc
from graphc.load import load_module

RNG = np.random.default_rng(2)
ALL = ("jvp", "hvp", "jacobian", "hessian")
X, W, B, Y = RNG.normal(size=(5, 3)), RNG.normal(size=3), 0.3, RNG.normal(size=5)
V, U = RNG.normal(size=3), 0.7
STEP = 1e-6


def loss(X, w, b, y):
    z = X @ w + b
    return np.sum(np.logaddexp(0, z) - y * z)


TYPES = {"X": "n d", "w": "d", "b": (), "y": "n"}
MODEL = gc.compile(loss, TYPES, wrt=("w", "b"), mode=ALL)


def test_they_are_those_of_the_transforms():
    hessian = MODEL.hessian(X, W, B, Y)
    np.testing.assert_allclose(hessian.w_w, gc.hessian(loss, 1)(X, W, B, Y), rtol=1e-12)
    np.testing.assert_allclose(hessian.b_w, hessian.w_b, rtol=1e-12)
    product = MODEL.hvp(X, W, B, Y, V, U)
    np.testing.assert_allclose(product.w, hessian.w_w @ V + hessian.w_b * U, rtol=1e-12)
    np.testing.assert_allclose(product.b, hessian.b_w @ V + hessian.b_b * U, rtol=1e-12)
    value, along = MODEL.jvp(X, W, B, Y, w_dot=V, b_dot=U)
    slope = MODEL.grad(X, W, B, Y)
    assert value == MODEL(X, W, B, Y)
    assert along == pytest.approx(slope.w @ V + slope.b * U, rel=1e-12)
    jacobian = MODEL.jacobian(X, W, B, Y)
    np.testing.assert_allclose(jacobian.loss_w, slope.w, rtol=1e-12)
    assert jacobian.loss_b == pytest.approx(slope.b, rel=1e-12)


def test_the_file_stands_alone(tmp_path):
    path = tmp_path / "model.py"
    MODEL.save(path)
    call = "model.hvp(np.ones((2, 3)), np.ones(3), 1.0, np.ones(2), np.ones(3), 0.0)[1]"
    run = f"import model, numpy as np; print({call})"
    done = subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '.'); {run}"], cwd=tmp_path,
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert float(done.stdout) == pytest.approx(
        MODEL.hvp(np.ones((2, 3)), np.ones(3), 1.0, np.ones(2), np.ones(3), 0.0).b
    )


def test_several_outputs():
    model = gc.compile("A: f64[m, n]\nx: f64[n]\ny = tanh(A @ x)\nz = sum(x * x)\nreturn y, z", wrt="x", mode=ALL[::2])
    A, x, v = RNG.normal(size=(2, 3)), RNG.normal(size=3), RNG.normal(size=3)
    (y, _), (y_dot, z_dot) = model.jvp(A, x, v)
    jacobian = model.jacobian(A, x)
    np.testing.assert_allclose(y, np.tanh(A @ x), rtol=1e-14)
    np.testing.assert_allclose(jacobian.y_x, (1 - y**2)[:, None] * A, rtol=1e-12)
    np.testing.assert_allclose(jacobian.z_x, 2 * x, rtol=1e-14)
    np.testing.assert_allclose([*y_dot, z_dot], [*jacobian.y_x @ v, jacobian.z_x @ v], rtol=1e-12)


def test_structures():
    def net(params, x):
        return np.sum(np.tanh(x @ params["W"] + params["b"]) ** 2)

    params, x = {"W": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}, RNG.normal(size=(4, 3))
    along = {"W": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}
    model = gc.compile(net, {"params": params, "x": x}, wrt="params", mode="hvp")
    product = model.hvp(params, x, along).params
    wanted = gc.hvp(net)(params, x, along)
    for key in "Wb":
        np.testing.assert_allclose(product[key], wanted[key], rtol=1e-11)


def test_scalar_models_are_written_on_math():
    model = gc.compile("x * y + sin(x)", mode=ALL)
    assert "import numpy" not in model.source
    assert model.hessian(0.5, 2.0) == pytest.approx((-np.sin(0.5), 1.0, 1.0, 0.0))
    assert model.hvp(0.5, 2.0, 1.0, 0.0) == pytest.approx((-np.sin(0.5), 1.0))


def test_single_precision_stays():
    model = gc.compile("x: f32[n]\nreturn sum(x * sin(x))", mode="hvp")
    x = np.float32([0.5, 1.0])
    assert model.hvp(x, np.ones_like(x)).x.dtype == np.float32


def test_tangents_are_checked():
    with pytest.raises(ValueError, match="w_dot must have shape"):
        load_module(MODEL.source, "model").hvp(X, W, B, Y, np.ones(2), 0.0)
    with pytest.raises(gc.ArgumentError, match="w_dot"):
        MODEL.hvp(X, W, B, Y)


def test_what_there_is_not():
    with pytest.raises(gc.ArgumentError, match="no hvp"):
        gc.compile("x * y").hvp(1.0, 2.0, 1.0, 1.0)
    with pytest.raises(gc.UnsupportedError, match="scalar output"):
        gc.compile("x: f64[n]\nreturn sin(x)", mode="hessian")
    with pytest.raises(gc.UnsupportedError, match="not a mode"):
        gc.compile("x * y", mode="laplacian")
    with pytest.raises(gc.DtypeError):
        gc.compile("n: i64\nreturn n + 1", mode="jvp")


def test_the_command_line(capsys):
    from graphc.cli import main

    assert main(["compile", "-e", "x * x", "--mode", "hvp,jvp"]) == 0
    text = capsys.readouterr().out
    assert "def jvp(" in text and "def hvp(" in text and "mode=jvp,hvp" in text
