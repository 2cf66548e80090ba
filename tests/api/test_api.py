"""The public Python API as the design promises it, and the closed forms that are the point of it."""

from __future__ import annotations

import builtins
import inspect
import re
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import graphc as gc
from graphc.errors import GraphcError

TEXT = "x: f64[n]\nw: f64[n]\nb: f64\nz = x @ w + b\nloss = z * z\n"
X, W, B = np.array([1.0, 2.0]), np.array([0.5, -1.0]), 0.25
Z = -1.25


@pytest.fixture(scope="module")
def module() -> gc.Module:
    return gc.compile(TEXT)


# --- running ---


def test_calls_by_position_by_name_and_mixed(module: gc.Module) -> None:
    value = Z * Z
    assert module(X, W, B) == module(x=X, w=W, b=B) == module(X, b=B, w=W) == value
    assert type(module(X, W, B)) is float


def test_value_and_grad_and_grad(module: gc.Module) -> None:
    value, gradients = module.value_and_grad(X, W, b=B)
    assert value == Z * Z
    assert gradients._fields == ("x", "w", "b")
    assert gradients.x.tolist() == (2 * Z * W).tolist()
    assert gradients.w.tolist() == (2 * Z * X).tolist()
    assert gradients.b == 2 * Z and type(gradients.b) is float
    again = module.grad(X, W, B)
    assert type(again).__name__ == "Gradients" and again.b == gradients.b


def test_forward_and_backward(module: gc.Module) -> None:
    value, saved = module.forward(X, W, B)
    assert value == Z * Z
    assert module.backward(saved).b == 2 * Z
    assert module.backward(saved, 10.0).b == 20 * Z
    assert module.backward(saved, 1).b == module.backward(saved, np.float64(1)).b == 2 * Z


def test_several_outputs_take_one_cotangent_each() -> None:
    module = gc.compile("x: f64[n]\nreturn sum(x), x * 2, x > 0")
    values, saved = module.forward([1.0, -1.0])
    assert values[0] == 0.0 and values[1].tolist() == [2.0, -2.0] and values[2].tolist() == [True, False]
    assert module.backward(saved, 3.0, [1.0, 10.0]).x.tolist() == [5.0, 23.0]
    for wrong in ((), (1.0,), (1.0, [1.0, 1.0], 1.0)):
        with pytest.raises(gc.ArgumentError, match=r"backward takes 2 cotangents, one for each output, and got \d"):
            module.backward(saved, *wrong)
    with pytest.raises(gc.ArgumentError, match="value_and_grad needs one floating-point scalar output"):
        module.value_and_grad([1.0])


def test_an_array_output_has_no_default_cotangent() -> None:
    module = gc.compile("x: f64[n]\nreturn x * 2")
    _, saved = module.forward([1.0])
    with pytest.raises(gc.ArgumentError, match="backward takes 1 cotangents"):
        module.backward(saved)


@pytest.mark.parametrize(
    ("args", "inputs", "message"),
    [
        ((), {"x": X, "w": W}, "the input `b` is missing: f64[]"),
        ((X, W), {}, "the input `b` is missing: f64[]"),
        ((X, W, B), {"b": B}, "the input `b` is given twice"),
        ((X, W, B, B), {}, "the model has 3 inputs, and got 4 arguments"),
        ((X, W), {"c": B}, "`c` is not an input"),
        ((X, W), {"bb": B}, "help: did you mean `b`?"),
        (([[1.0], [1.0, 2.0]], W, B), {}, "a list of unequal lengths is not an array"),
    ],
)
def test_wrong_arguments(module: gc.Module, args: tuple[Any, ...], inputs: dict[str, Any], message: str) -> None:
    for call in (module, module.forward, module.value_and_grad, module.grad):
        with pytest.raises(gc.ArgumentError) as caught:
            call(*args, **inputs)
        assert message in str(caught.value)


def test_arguments_may_be_lists_and_numpy_numbers(module: gc.Module) -> None:
    assert module([1, 2], [0.5, -1.0], np.float64(B)) == module(X, W, np.array(B)) == Z * Z
    assert gc.compile("x: f64\nb: bool\nout = where(b, x, -x)")(np.int64(2), np.True_) == 2.0


def test_an_input_may_have_any_name() -> None:
    module = gc.compile("self: f64\nargs: f64\ninputs: f64\nout = self * args + inputs")
    assert module(self=2.0, args=3.0, inputs=4.0) == 10.0
    assert module.grad(self=2.0, args=3.0, inputs=4.0)._asdict() == {"self": 3.0, "args": 2.0, "inputs": 1.0}


def test_a_model_without_float_inputs_has_values_only() -> None:
    module = gc.compile("i: i64[n]\nout = sum(i)")
    assert module(np.array([1, 2, 3])) == 6
    _, saved = module.forward(np.array([1]))
    for call in (lambda: module.grad(np.array([1])), lambda: module.backward(saved)):
        with pytest.raises(gc.DtypeError, match="the model has no floating-point input"):
            call()


# --- sources and options ---


@pytest.mark.parametrize(
    ("wrt", "fields"),
    [(None, ("x", "w", "b")), ("w", ("w",)), (("b", "w"), ("b", "w")), (["x"], ("x",))],
)
def test_wrt(wrt: Any, fields: tuple[str, ...]) -> None:
    gradients = gc.compile(TEXT, wrt=wrt).grad(X, W, B)
    assert gradients._fields == fields
    whole = gc.compile(TEXT).grad(X, W, B)
    for name in fields:
        assert np.array_equal(getattr(gradients, name), getattr(whole, name))


@pytest.mark.parametrize(
    ("wrt", "error", "message"),
    [
        ("q", gc.UnknownNameError, "`q` is not an input"),
        ((), gc.ArgumentError, "wrt is empty"),
        ("", gc.ArgumentError, "wrt is empty"),
        (("w", "w"), gc.ArgumentError, "wrt names an input twice: w, w"),
    ],
)
def test_wrong_wrt(wrt: Any, error: type[GraphcError], message: str) -> None:
    with pytest.raises(error) as caught:
        gc.compile(TEXT, wrt=wrt)
    assert message in str(caught.value)


def test_an_integer_input_has_no_gradient() -> None:
    with pytest.raises(gc.DtypeError, match="`i` is i64"):
        gc.compile("i: i64[n]\nx: f64[n]\nloss = sum(x[i])", wrt="i")


def test_text_file_and_graph_give_one_module(tmp_path: Path) -> None:
    path = tmp_path / "model.gc"
    path.write_text(TEXT)
    from_file, from_graph, from_text = gc.compile(path), gc.compile(gc.parse(TEXT)), gc.compile(TEXT)
    assert from_file(X, W, B) == from_graph(X, W, B) == from_text(X, W, B)
    assert "from model.gc." in from_file.source
    assert from_file.source.replace("model.gc", "<expression>") == from_text.source
    assert str(tmp_path) not in from_file.source


def test_an_expression_with_inputs() -> None:
    module = gc.compile(
        "mean(softplus(X @ w) - y * (X @ w))", {"X": "n d", "w": "d", "y": "n"}, wrt="w", name="logistic"
    )
    assert [str(n.type) for n in module.graph.inputs] == ["f64[n, d]", "f64[d]", "f64[n]"]
    assert "from logistic." in module.source
    assert gc.compile("x * y")(3, 4) == 12.0


def test_sources_targets_and_modes_that_there_are_not() -> None:
    for bad in (3, None, b"x", object()):
        with pytest.raises(gc.UnsupportedError):
            gc.compile(bad)  # type: ignore[arg-type]
    with pytest.raises(gc.UnsupportedError, match='the target is "numpy"'):
        gc.compile("x", target="fortran")
    with pytest.raises(gc.UnsupportedError, match="`fast` is not a mode"):
        gc.compile("x", mode="fast")
    with pytest.raises(gc.FileError):
        gc.compile(Path("/nowhere/at/all.gc"))
    with pytest.raises(gc.UnknownNameError):
        gc.compile("x * y", name="two words")


# --- looking ---


def test_graphs(module: gc.Module) -> None:
    assert module.graph.output_names == ("loss",) and module.graph.input_names == ("x", "w", "b")
    assert module.gradient.output_names == ("dx", "dw", "db")
    assert module.gradient.input_names == ("x", "w", "b", "dloss")
    assert [o.shape for o in module.gradient.outputs] == [n.shape for n in module.graph.inputs]
    assert gc.gradient(module.graph, "b").output_names == ("db",)


def test_stats_are_symbolic() -> None:
    stats = gc.compile("X: f64[n, d]\nw: f64[d]\nloss = sum((X @ w)**2)").stats
    assert "n" in str(stats.forward_flops) and "d" in str(stats.forward_flops)
    assert str(stats.saved_bytes) == "8 * n"
    assert stats.ops == stats.forward_ops + stats.backward_ops >= 4
    assert str(stats.flops) == str(stats.forward_flops + stats.backward_flops)
    assert "saved_bytes" in str(stats)


def test_steps_and_explain() -> None:
    module = gc.compile("s = 1 / (1 + exp(-x))\nloss = s * y", {"x": (), "y": ()})
    assert "sigmoid" in [s.rule.name for s in module.steps]
    text = module.explain()
    assert "sigmoid: 1 / (1 + exp(-x))  ->  sigmoid(x)" in text and "because: no overflow" in text
    for name in ("s", "loss", "dx", "dy"):
        assert f"{name} = " in module.explain(name)
    assert "dx = " not in module.explain("dy")
    with pytest.raises(gc.UnknownNameError, match="nothing here is called `dq`"):
        module.explain("dq")


def test_repr(module: gc.Module) -> None:
    assert repr(module) == "<graphc.Module <expression>(x: f64[n], w: f64[n], b: f64[])>"


def test_the_source_shows_in_tracebacks(module: gc.Module) -> None:
    code = inspect.unwrap(module._module.forward)
    assert inspect.getsource(code).startswith("def forward(x: Array, w: Array, b: float)")


# --- writing ---


def test_save_check_and_diff(module: gc.Module, tmp_path: Path) -> None:
    path = tmp_path / "out.py"
    assert not module.check(path)
    assert module.diff(path).count("\n+") == module.source.count("\n") + 1
    assert module.save(path) is True
    assert path.read_text() == module.source and module.check(str(path)) and module.diff(path) == ""
    assert module.save(str(path)) is False
    path.write_text(module.source.replace("loss", "cost", 1))
    assert not module.check(path)
    diff = module.diff(path).splitlines()
    assert diff[:2] == ["--- out.py", "+++ generated"]
    assert sum(line.startswith("-") for line in diff) == sum(line.startswith("+") for line in diff) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.py"]
    with pytest.raises(gc.FileError):
        module.save(tmp_path / "no" / "such" / "folder.py")
    with pytest.raises(gc.FileError):
        module.check(tmp_path)


# --- public names ---


def public() -> list[str]:
    return sorted(name for names in gc._HOMES.values() for name in names)


@pytest.mark.parametrize("name", public())
def test_public_names_are_exported_and_documented(name: str) -> None:
    value = getattr(gc, name)
    assert name in dir(gc)
    doc = inspect.getdoc(value) or ""
    assert len(doc) >= 15 and doc[0].isupper() and doc.split("\n")[0].rstrip().endswith((".", ":")), doc
    if inspect.isclass(value):
        for method, function in vars(value).items():
            if not method.startswith("_") and callable(function):
                assert inspect.getdoc(function), f"{name}.{method}"


def test_there_are_no_other_names() -> None:
    assert set(public()) <= set(dir(gc))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        gc.nothing  # noqa: B018
    assert re.fullmatch(r"\d+\.\d+\.\d+", gc.__version__)


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("ParseError", "SyntaxError"),
        ("UnknownNameError", "NameError"),
        ("ShapeError", "ValueError"),
        ("DtypeError", "TypeError"),
        ("UnsupportedError", "NotImplementedError"),
        ("GradientMismatch", "AssertionError"),
        ("FileError", "OSError"),
    ],
)
def test_errors_are_builtins_too(name: str, builtin: str) -> None:
    error = getattr(gc, name)
    assert issubclass(error, GraphcError) and issubclass(error, getattr(builtins, builtin))
    assert issubclass(gc.LimitError, GraphcError) and issubclass(gc.InternalError, GraphcError)


@pytest.mark.parametrize(
    ("text", "builtin"),
    [
        ("x +", SyntaxError),
        ("x: f64\nreturn x + yy", NameError),
        ("x: f64[n]\ny: f64[m]\nreturn x + y", ValueError),
        ("x: f64\nreturn x & x", TypeError),
    ],
)
def test_errors_are_caught_as_builtins(text: str, builtin: type[Exception]) -> None:
    with pytest.raises(builtin) as caught:
        gc.compile(text)
    assert isinstance(caught.value, GraphcError) and str(caught.value).startswith("error[G")


def test_check_grads_finds_a_wrong_gradient(module: gc.Module) -> None:
    report = gc.check_grads(module, {"x": X, "w": W, "b": B})
    assert [row.name for row in report.rows] == ["x", "w", "b"] and all(row.agrees for row in report.rows)
    kink = gc.compile("relu(x)")
    with pytest.raises(AssertionError, match="the gradient with respect to `x` differs"):
        gc.check_grads(kink, {"x": 0.0})
    with pytest.raises(gc.ArgumentError, match="check_grads takes a compiled module"):
        gc.check_grads(3, {"x": 1.0})  # type: ignore[arg-type]
    assert gc.check_grads(lambda x: x * x, {"x": 1.5}).rows[0].agrees


# --- closed forms ---


def backward_of(module: gc.Module) -> str:
    """The statements of `backward`, without comments."""
    body = module.source.split("def backward(")[1].split('"""')[2].split("\n\n\n")[0]
    return "\n".join(line.split("  #")[0].strip() for line in body.splitlines()).strip()


def test_the_sigmoid_written_out_is_s_times_one_minus_s() -> None:
    for text in ("s = 1 / (1 + exp(-x))", "s = exp(x) / (1 + exp(x))", "s = sigmoid(x)", "s = (1 + exp(-x))**-1"):
        module = gc.compile(f"x: f64[n]\n{text}")
        assert backward_of(module) == "(s,) = saved\ndx = ds * s * (1.0 - s)\nreturn Gradients(x=dx)", text
    scalar = gc.compile("x: f64\ns = 1 / (1 + exp(-x))")
    assert backward_of(scalar) == "(s,) = saved\ndx = ds * s * (1.0 - s)\nreturn Gradients(x=dx)"


def test_the_gradient_of_tanh_is_one_minus_its_square() -> None:
    for text in ("t = tanh(x)", "t = (exp(x) - exp(-x)) / (exp(x) + exp(-x))", "t = sinh(x) / cosh(x)"):
        module = gc.compile(f"x: f64[n]\n{text}")
        assert backward_of(module) == "(t,) = saved\ndx = dt * (1.0 - t**2)\nreturn Gradients(x=dx)", text
    assert "1.0 - t * t" in backward_of(gc.compile("x: f64\nt = tanh(x)"))


NAIVE = "z: f64[n, k]\n{declared}p = exp(z) / sum(exp(z), axis=1, keepdims=True)\nloss = {loss}\n"
ONE_HOT = NAIVE.format(declared="y: i64[n]\n", loss="-sum(eye(k)[y] * log(p))")
INTEGER = NAIVE.format(declared="y: i64[n]\n", loss="-sum(log(p[arange(n), y]))")
SOFT = NAIVE.format(declared="y: f64[n, k]\n", loss="-sum(y * log(p))")
LOGITS = np.array([[1000.0, -1000.0, 0.0], [-1000.0, -999.0, -998.0], [0.5, 0.25, -0.125], [700.0, 710.0, 709.0]])
LABELS = np.array([1, 0, 2, 0])


def exact(logits: Any, labels: Any) -> tuple[float, Any]:
    """-sum(y log p) and p sum(y) - y, in 50 digits and 900 bits of exponent's worth of range."""
    with mpmath.workdps(60):
        loss, rows = mpmath.mpf(0), []
        for z, y in zip(logits, labels, strict=True):
            top = [mpmath.mpf(float(v)) for v in z]
            total = mpmath.log(mpmath.fsum(mpmath.exp(v) for v in top))
            loss -= mpmath.fsum(mpmath.mpf(float(w)) * (v - total) for w, v in zip(y, top, strict=True))
            weight = mpmath.fsum(mpmath.mpf(float(w)) for w in y)
            rows.append(
                [float(mpmath.exp(v - total) * weight - mpmath.mpf(float(w))) for v, w in zip(top, y, strict=True)]
            )
        return float(loss), np.array(rows)


def test_softmax_with_cross_entropy_is_p_minus_y_one_hot() -> None:
    module = gc.compile(ONE_HOT, wrt="z")
    code = backward_of(module)
    assert "np.log" not in code and "np.exp" not in code
    assert re.search(r"dz = dloss \* \(.+ - part\)", code), code
    value, gradients = module.value_and_grad(LOGITS, LABELS)
    loss, slope = exact(LOGITS, np.eye(3)[LABELS])
    assert value == pytest.approx(loss, rel=1e-15)
    np.testing.assert_allclose(gradients.z, slope, rtol=1e-13, atol=1e-16)


def test_softmax_with_cross_entropy_is_p_minus_y_for_integers() -> None:
    module = gc.compile(INTEGER, wrt="z")
    code = backward_of(module)
    assert "np.log" not in code and "np.exp" not in code
    assert re.search(r"dz\[\w+, y\] -= dloss", code), code
    value, gradients = module.value_and_grad(LOGITS, LABELS)
    loss, slope = exact(LOGITS, np.eye(3)[LABELS])
    assert value == pytest.approx(loss, rel=1e-15)
    np.testing.assert_allclose(gradients.z, slope, rtol=1e-13, atol=1e-16)


def test_soft_labels_keep_their_sum() -> None:
    module = gc.compile(SOFT, wrt="z")
    code = backward_of(module)
    assert "np.log" not in code and "np.exp" not in code
    assert re.search(r"dz = dloss \* \(.+ \* y\.sum\(axis=1, keepdims=True\) - y\)", code), code
    labels = np.array([[0.2, 0.3, 0.1], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [2.0, 1.0, 0.5]])
    value, gradients = module.value_and_grad(LOGITS, labels)
    loss, slope = exact(LOGITS, labels)
    assert value == pytest.approx(loss, rel=1e-15)
    np.testing.assert_allclose(gradients.z, slope, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        "z: f64[n]\ny: f64[n]\ns = 1 / (1 + exp(-z))\nloss = -sum(y * log(s) + (1 - y) * log(1 - s))",
        "z: f64[n]\ny: f64[n]\ns = sigmoid(z)\nloss = sum(-y * log(s) - (1 - y) * log(1 - s))",
        "z: f64[n]\ny: f64[n]\nloss = sum(softplus(z) - y * z)",
    ],
)
def test_cross_entropy_of_a_sigmoid_is_s_minus_y(text: str) -> None:
    module = gc.compile(text, wrt="z")
    assert re.search(r"dz = dloss \* \(_sigmoid\(z\) - y\)", backward_of(module)), backward_of(module)
    z, y = np.array([1000.0, -1000.0, 3.0, -40.0]), np.array([0.0, 1.0, 0.5, 0.0])
    value, gradients = module.value_and_grad(z, y)
    with mpmath.workdps(500):
        s = [1 / (1 + mpmath.exp(-mpmath.mpf(v))) for v in z]
        loss = -mpmath.fsum(b * mpmath.log(a) + (1 - b) * mpmath.log(1 - a) for a, b in zip(s, y, strict=True))
        slopes = [float(a - b) for a, b in zip(s, y, strict=True)]
    assert value == pytest.approx(float(loss), rel=1e-15)
    np.testing.assert_allclose(gradients.z, slopes, rtol=1e-15)
