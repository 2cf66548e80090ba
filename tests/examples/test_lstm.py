"""The LSTM of examples/lstm.py: its gradients, its code, its forecasts."""

import numpy as np
from example_scripts import script

import graphc as gc

lstm = script("lstm")


def test_gradients():
    _, x = lstm.data()
    params = lstm.start(seed=1)
    params["Wy"] = np.linspace(-1, 1, lstm.CELLS)
    given = {"params": params, "x": x[:20]}
    gc.check_grads(gc.compile(lstm.loss, given, wrt="params"), given)


def test_the_value_is_that_of_the_plain_function():
    _, x = lstm.data()
    params = lstm.start(seed=2)
    value, _ = gc.value_and_grad(lstm.loss)(params, x)
    np.testing.assert_allclose(value, lstm.loss(params, x), rtol=1e-12)


def test_the_code_does_not_grow_with_the_years():
    _, x = lstm.data()
    few, many = (gc.compile(lstm.loss, {"params": lstm.start(), "x": x[:n]}).source for n in (12, 300))
    assert few == many
    assert few.count("\n    for t in ") == 2, "one loop forwards, one backwards"


def test_it_beats_persistence():
    years, x = lstm.data()
    told, same = lstm.errors(lstm.fit(x[years < lstm.HELD_SINCE]), years, x)
    assert told < 0.7 * same
