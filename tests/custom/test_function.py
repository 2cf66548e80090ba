"""User-defined ops from NumPy functions: gradients, the generated file, and what is refused."""

import math
import os
import pickle
import subprocess
import sys

import curves
import numpy as np
import pytest
from around import Traced, model, total

import graphc as gc
from graphc.ir.interpret import interpret
from graphc.ir.node import Node

OUTSIDE = 3.0


@gc.custom_op
def shrink(x, k):
    """Towards 0 by k, keeping the sign."""
    # where |x| <= k it is 0
    return np.sign(x) * np.maximum(np.abs(x) - k, 0.0)


@shrink.defvjp
def shrink_vjp(ct, y, x, k):
    on = y != 0.0
    return np.where(on, ct, 0.0), np.where(on, -ct * np.sign(x), 0.0)


def forward_solve(a, b):
    return np.linalg.solve(a, b)


def solve_vjp(ct, y, a, b):
    db = np.linalg.solve(a.T, ct)
    return -np.outer(db, y), db


solved = gc.custom_op("solved", forward_solve, solve_vjp, infer=lambda a, b: b)


def rows(x):
    return x.sum(axis=1)


def rows_vjp(ct, y, x):
    return (np.repeat(ct[:, None], x.shape[1], axis=1),)


def test_gradients():
    module = gc.compile(model(lambda x, k: total(shrink(x, k)), x="f64[n, d]", k="f64[d]"))
    report = gc.check_grads(module, {"x": np.array([[1.0, -2.0], [0.1, 3.0]]), "k": np.array([0.5, 0.7])})
    assert [row.name for row in report.rows] == ["x", "k"]


def test_gradients_of_scalars():
    module = gc.compile(model(shrink, x="f64", k="f64"))
    assert module.value_and_grad(x=-2.0, k=0.5) == (-1.5, (1.0, 1.0))


def test_a_shape_rule():
    module = gc.compile(model(lambda a, b: total(solved(a, b)), a="f64[n, n]", b="f64[n]"))
    assert gc.check_grads(module, {"a": np.array([[3.0, 1.0], [0.5, 2.0]]), "b": np.array([1.0, -2.0])}).rows
    op = gc.custom_op("row_sums", rows, rows_vjp, infer=lambda x: x[:1])
    graph = model(lambda x: total(op(x)), x="f64[n, d]")
    assert str(graph.outputs[0].args[0].type) == "f64[n]"
    assert gc.check_grads(gc.compile(graph), {"x": np.arange(6.0).reshape(2, 3)}).rows


def test_the_interpreter_agrees():
    graph = model(lambda x, k: total(shrink(x, k)), x="f64[n]", k="f64")
    values = {"x": np.array([1.0, -2.0, 0.1]), "k": 0.5}
    assert float(interpret(graph, values)[0]) == gc.compile(graph)(**values)


def test_single_precision_stays():
    module = gc.compile(model(lambda x, k: shrink(x, k), x="f32[n]", k="f32[n]"))
    value, saved = module.forward(x=np.ones(3, np.float32), k=np.full(3, 0.5, np.float32))
    gradient = module.backward(saved, np.ones(3, np.float32))
    assert (value.dtype, *(g.dtype for g in gradient)) == (np.float32,) * 3


def test_the_sources_are_in_the_file_once():
    source = gc.compile(model(lambda x, k: total(shrink(shrink(x, k), k)), x="f64[n]", k="f64[n]")).source
    assert source.count("def _shrink(") == source.count("def _shrink_vjp(") == 1
    assert (
        '''def _shrink(x: Any, k: Any) -> Any:
    """Towards 0 by k, keeping the sign."""
    # where |x| <= k it is 0
    return np.sign(x) * np.maximum(np.abs(x) - k, 0.0)
'''
        in source
    )


def test_the_file_stands_alone(tmp_path):
    module = gc.compile(model(lambda x, k: total(shrink(x, k)), x="f64[n]", k="f64[n]"))
    module.save(tmp_path / "alone.py")
    code = "import sys, numpy as np, alone\n" \
           "print(alone.value_and_grad(np.array([1.0, -2.0]), np.ones(2))[1].x.tolist())\n" \
           "print('graphc' in sys.modules)"  # fmt: skip
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.stdout == "[0.0, 1.0]\nFalse\n"


def test_imported_functions():
    op = gc.custom_op("curve", curves.curve, curves.curve_vjp, import_from="curves")
    module = gc.compile(model(lambda x: total(op(x)), x="f64[n]"))
    head, _, rest = module.source.partition("\nArray = ")
    assert "from curves import curve as _curve\nfrom curves import curve_vjp as _curve_vjp\n" in head
    assert "def _curve" not in rest
    assert gc.check_grads(module, {"x": np.array([0.3, 1.7])}).rows


def test_a_function_without_a_vjp_has_values():
    @gc.custom_op
    def plain(x):
        return np.cbrt(x)

    graph = model(lambda x: total(plain(x)), x="f64[n]")
    assert interpret(graph, {"x": np.array([8.0, 27.0])})[0] == 5.0
    with pytest.raises(gc.UnsupportedError, match="derivative of `plain` is not known"):
        gc.compile(graph)


def test_the_vjp_has_no_derivative_of_its_own():
    graph = model(lambda x, k: total(shrink(x, k)), x="f64[n]", k="f64[n]")
    with pytest.raises(gc.UnsupportedError, match="shrink_vjp"):
        gc.gradient(gc.gradient(graph))


def test_an_argument_without_a_cotangent():
    def scaled(x, k):
        return x * k

    def scaled_vjp(ct, y, x, k):
        return ct * k, None

    op = gc.custom_op("scaled_by", scaled, scaled_vjp)
    gradient = gc.compile(model(lambda x, k: total(op(x, k)), x="f64[n]", k="f64[n]")).grad(x=np.ones(2), k=np.ones(2))
    assert [g.tolist() for g in gradient] == [[1.0, 1.0], [0.0, 0.0]]


def test_a_function_that_gives_back_its_argument():
    def same(x):
        return x

    def same_vjp(ct, y, x):
        return (ct,)

    op = gc.custom_op("same_as", same, same_vjp)
    module = gc.compile(model(lambda x: op(x), x="f64[n]"))
    given = np.array([1.0, 2.0])
    value, saved = module.forward(x=given)
    ct = np.ones(2)
    gradient = module.backward(saved, ct).x
    value[:], gradient[:] = 7.0, 9.0
    assert (given.tolist(), ct.tolist()) == ([1.0, 2.0], [1.0, 1.0])


def test_calls():
    np.testing.assert_array_equal(shrink(np.array([1.0, -2.0]), 0.5), [0.5, -1.5])
    x, k = model(shrink, x="f64[n]", k="f64").inputs
    assert isinstance(shrink(x, k), Node)
    assert shrink(Traced(x), 0.5).__graphc_node__ is shrink(x, 0.5)


def test_graphs_pickle():
    op = gc.custom_op("curve", curves.curve, curves.curve_vjp, import_from="curves")
    graph = gc.compile(model(lambda x: total(op(x)), x="f64[n]")).gradient
    code = "import pickle, sys, numpy as np\ng = pickle.load(sys.stdin.buffer)\n" \
           "from graphc.ir.interpret import interpret\n" \
           "print(interpret(g, {'x': np.array([0.5]), 'dout': 1.0})[0].item())"  # fmt: skip
    result = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(graph), capture_output=True, timeout=60,
                            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})  # fmt: skip
    assert float(result.stdout) == pytest.approx(0.5 * math.cos(0.5) + math.sin(0.5), rel=1e-15)


def test_a_decorated_function_pickles_by_its_name():
    """As pickle takes functions: from the module that it is defined in."""
    assert curves.decorated.__reduce__() == "decorated"
    assert pickle.loads(pickle.dumps(curves.decorated)) is curves.decorated
    assert pickle.loads(pickle.dumps(curves.decorated.op)) is curves.decorated.op


def test_in_numpy_code():
    """Traced: the op stays one call in the generated code, a number stays a number."""

    def loss(w, data):
        return np.sum(shrink(data @ w, 0.25) ** 2)

    module = gc.compile(loss, {"w": "d", "data": "n d"})
    assert "_shrink(prod, 0.25)" in module.source
    point = {"w": np.array([0.5, -1.5]), "data": np.array([[1.0, 2.0], [0.3, -0.7], [2.0, 0.1]])}
    assert module(**point) == pytest.approx(loss(**point), rel=1e-15)
    assert [row.name for row in gc.check_grads(module, point).rows] == ["w", "data"]
    np.testing.assert_array_equal(gc.grad(loss)(*point.values()), module.grad(**point).w)


# --- refusals ---


def uses_a_global(x):
    return x * OUTSIDE


def uses_a_module(x):
    return x * sys.maxsize


def imports(x):
    import os

    return x * len(os.sep)


def writes_a_global(x):
    global OUTSIDE
    OUTSIDE = 4.0
    return x


def has_a_default(x, k=1.0):
    return x * k


def takes_any(*xs):
    return sum(xs)


def closure():
    k = 2.0

    def inner(x):
        return x * k

    return inner


REFUSED = [uses_a_global, uses_a_module, imports, writes_a_global, has_a_default, takes_any, closure(),
           lambda x: x, np.sin, math.sin]  # fmt: skip


@pytest.mark.parametrize("function", REFUSED, ids=lambda f: f.__name__)
def test_functions_that_cannot_be_carried_along(function):
    with pytest.raises(gc.UnsupportedError) as caught:
        gc.custom_op("some_op", function)
    assert caught.value.code == "G040"


def not_a_tuple(ct, y, x):
    return ct * x


def too_many(ct, y, x):
    return ct, ct


def sometimes(ct, y, x):
    if ct.size:
        return (ct,)
    return ct


def nothing(ct, y, x):
    pass


@pytest.mark.parametrize("vjp", [not_a_tuple, too_many, sometimes, nothing])
def test_a_vjp_that_does_not_return_a_cotangent_an_argument(vjp):
    def square(x):
        return x * x

    with pytest.raises(gc.UnsupportedError, match="return"):
        gc.custom_op("some_op", square, vjp)


@pytest.mark.parametrize(("call", "code"), [
    (lambda: gc.custom_op("some_op"), "G020"),
    (lambda: gc.custom_op("sum", rows), "G012"),
    (lambda: gc.custom_op("some_op", rows, rows), "G020"),
    (lambda: gc.custom_op("some_op", rows, infer="rows"), "G070"),
    (lambda: gc.custom_op("some_op", rows, import_from="os; x"), "G070"),
    (lambda: shrink.defvjp(shrink_vjp), "G070"),
    (lambda: shrink(1.0), "G020"),
    (lambda: model(gc.custom_op("some_op", rows, infer=lambda x: 3), x="f64[n]"), "G023"),
])  # fmt: skip
def test_wrong_calls(call, code):
    with pytest.raises(gc.GraphcError) as caught:
        call()
    assert caught.value.code == code


def test_a_wrong_vjp_is_found_by_the_check():
    def cube(x):
        return x**3

    def cube_vjp(ct, y, x):
        return (ct * 2.0 * x,)

    op = gc.custom_op("cubed", cube, cube_vjp)
    with pytest.raises(gc.GradientMismatch):
        gc.check_grads(gc.compile(model(lambda x: total(op(x)), x="f64[n]")), {"x": np.array([1.0, 2.0])})
