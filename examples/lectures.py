"""The cases that the field teaches with: compiled, run, and compared with what a hand derives.

    python examples/lectures.py

    circuit     f                                        -12   by hand                      -12
    circuit     df/dx                                     -4   by hand                       -4

The models are the files in `lectures/`. Each function here returns rows (what, graphc's, by hand);
the derivations by hand are written out in NumPy beside them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gc

MODELS = Path(__file__).parent / "lectures"
Rows = list[tuple[str, Any, Any]]


def compiled(name: str, wrt: tuple[str, ...] | None = None) -> gc.Module:
    return gc.compile(MODELS / f"{name}.gc", wrt=wrt)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def circuit() -> Rows:
    """f = (x + y) * z: the add gate distributes, the multiply gate swaps."""
    f, g = compiled("circuit").value_and_grad(x=-2.0, y=5.0, z=-4.0)
    return [("f", f, -12.0), ("df/dx", g.x, -4.0), ("df/dy", g.y, -4.0), ("df/dz", g.z, 3.0)]


def neuron() -> Rows:
    """The derivative of the sigmoid is s * (1 - s): 0.73 * 0.27 = 0.2, times what stands beside."""
    w, x = np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0])
    s, g = compiled("neuron").value_and_grad(w, x)
    local = sigmoid(1.0) * (1 - sigmoid(1.0))
    return [
        ("f", s, sigmoid(1.0)),
        ("df/dw", g.w, local * np.array([-1.0, -2.0, 1.0])),
        ("df/dx", g.x, local * np.array([2.0, -3.0])),
    ]


def staged() -> Rows:
    """The backward pass, stage by stage, as a person would write it."""
    x, y = 3.0, -4.0
    f, g = compiled("staged").value_and_grad(x, y)
    sigy, sigx, xpy = sigmoid(y), sigmoid(x), x + y
    num, den = x + sigy, sigx + xpy**2
    dnum, dden = 1 / den, -num / den**2
    dxpy = 2 * xpy * dden
    dx = dnum + dxpy + dden * sigx * (1 - sigx)
    dy = dxpy + dnum * sigy * (1 - sigy)
    return [("f", f, num / den), ("df/dx", g.x, dx), ("df/dy", g.y, dy)]


def gates() -> Rows:
    """Add sends its gradient to both, multiply swaps the inputs, max routes to the larger one."""
    f, g = compiled("gates").value_and_grad(x=3.0, y=-4.0, z=2.0, w=-1.0)
    return [("f", f, -20.0), ("df/dx", g.x, -8.0), ("df/dy", g.y, 6.0), ("df/dz", g.z, 2.0), ("df/dw", g.w, 0.0)]


def matmul() -> Rows:
    """D = W @ X: dW = dD @ X.T and dX = W.T @ dD; the shapes leave no other choice."""
    rng = np.random.default_rng(1)
    W, X, dD = rng.standard_normal((5, 10)), rng.standard_normal((10, 3)), rng.standard_normal((5, 3))
    module = compiled("matmul")
    D, saved = module.forward(W, X)
    g = module.backward(saved, dD)
    return [("D", D, W @ X), ("dW", g.W, dD @ X.T), ("dX", g.X, W.T @ dD)]


def paths() -> Rows:
    """e = (a + b) * (b + 1): de/db is the sum over the two paths from b, 1*d + 1*c."""
    a, b = 3.0, 2.0
    e, g = compiled("paths").value_and_grad(a, b)
    return [("e", e, 15.0), ("de/da", g.a, 3.0), ("de/db", g.b, 1 * (b + 1) + 1 * (a + b))]


def shared() -> Rows:
    """y = x * exp(x**2): the gradients of the two uses of x add."""
    x = 0.7
    y, g = compiled("shared").value_and_grad(x)
    return [("y", y, x * np.exp(x**2)), ("dy/dx", g.x, np.exp(x**2) + x * np.exp(x**2) * 2 * x)]


def rnn() -> Rows:
    """Weights shared by three steps: their gradient is the sum of one contribution a step."""
    rng = np.random.default_rng(2)
    k, d = 4, 3
    Wi, Wh = rng.standard_normal((k, d)), rng.standard_normal((k, k))
    xs, h0, dh3 = rng.standard_normal((3, d)), rng.standard_normal(k), rng.standard_normal(k)
    module = compiled("rnn", wrt=("Wi", "Wh"))
    h3, saved = module.forward(Wi, Wh, *xs, h0)
    g = module.backward(saved, dh3)
    hs = [h0]
    for x in xs:
        hs.append(sigmoid(Wi @ x + Wh @ hs[-1]))
    paths_Wi, paths_Wh, dh = [], [], dh3
    for t in (2, 1, 0):
        dz = dh * hs[t + 1] * (1 - hs[t + 1])
        paths_Wi.append(np.outer(dz, xs[t]))
        paths_Wh.append(np.outer(dz, hs[t]))
        dh = Wh.T @ dz
    return [("h3", h3, hs[3]), ("dWi", g.Wi, sum(paths_Wi)), ("dWh", g.Wh, sum(paths_Wh))]


def lstm() -> Rows:
    """One LSTM cell step; the weights' gradients are averaged over the m examples."""
    rng = np.random.default_rng(3)
    n, d, m = 5, 3, 10
    a_prev, c_prev, x = rng.standard_normal((n, m)), rng.standard_normal((n, m)), rng.standard_normal((d, m))
    Wg, bg = rng.standard_normal((3 * n, n + d)), rng.standard_normal((3 * n, 1))
    Wc, bc = rng.standard_normal((n, n + d)), rng.standard_normal((n, 1))
    da, dc = rng.standard_normal((n, m)), rng.standard_normal((n, m))
    module = compiled("lstm")
    (a, c), saved = module.forward(a_prev, c_prev, x, Wg, bg, Wc, bc)
    g = module.backward(saved, da, dc)
    joined = np.concatenate((a_prev, x))
    gate = sigmoid(Wg @ joined + bg)
    i, f, o = gate[:n], gate[n : 2 * n], gate[2 * n :]
    candidate = np.tanh(Wc @ joined + bc)
    c_next = i * candidate + f * c_prev
    dc_next = dc + da * o * (1 - np.tanh(c_next) ** 2)
    dgate = np.concatenate((dc_next * candidate, dc_next * c_prev, da * np.tanh(c_next)))
    dz_gate = dgate * gate * (1 - gate)
    dz_c = dc_next * i * (1 - candidate**2)
    return [
        ("a", a, o * np.tanh(c_next)),
        ("c", c, c_next),
        ("dWg", g.Wg / m, dz_gate @ joined.T / m),
        ("dbg", g.bg / m, dz_gate.sum(axis=1, keepdims=True) / m),
        ("dWc", g.Wc / m, dz_c @ joined.T / m),
        ("dbc", g.bc / m, dz_c.sum(axis=1, keepdims=True) / m),
        ("da_prev", g.a_prev, (Wg.T @ dz_gate)[:n] + (Wc.T @ dz_c)[:n]),
        ("dc_prev", g.c_prev, dc_next * f),
    ]


def network() -> Rows:
    """dZ of the last layer is A - Y; then dW = dZ @ A.T / m and db is the row mean, layer by layer."""
    rng = np.random.default_rng(4)
    sizes, m = (6, 5, 4, 3), 8
    X, Y = rng.standard_normal((6, m)), np.eye(3)[rng.integers(0, 3, m)].T
    W = [rng.standard_normal((b, a)) for a, b in pairwise(sizes)]
    b = [rng.standard_normal((size, 1)) for size in sizes[1:]]
    wrt = ("W1", "b1", "W2", "b2", "W3", "b3")
    parameters = dict(zip(wrt, (W[0], b[0], W[1], b[1], W[2], b[2]), strict=True))
    J, g = compiled("network", wrt=wrt).value_and_grad(X=X, Y=Y, **parameters)
    A = [X, np.maximum(W[0] @ X + b[0], 0)]
    A.append(np.maximum(W[1] @ A[1] + b[1], 0))
    scores = np.exp(W[2] @ A[2] + b[2])
    A.append(scores / scores.sum(axis=0))
    rows: Rows = [("J", J, -np.mean(np.sum(Y * np.log(A[3]), axis=0)))]
    dZ = A[3] - Y
    for layer in (3, 2, 1):
        rows.append((f"dW{layer}", getattr(g, f"W{layer}"), dZ @ A[layer - 1].T / m))
        rows.append((f"db{layer}", getattr(g, f"b{layer}"), dZ.mean(axis=1, keepdims=True)))
        dZ = (W[layer - 1].T @ dZ) * (A[layer - 1] > 0)
    return rows


def identities() -> Rows:
    """z = W x, z = x W, an elementwise function, and softmax with cross-entropy, as on the gradient handouts."""
    rng = np.random.default_rng(5)
    W, x, y, d = rng.standard_normal((3, 3)), rng.standard_normal(3), np.eye(3)[1], rng.standard_normal(3)
    types = {"W": "n m", "x": "m", "V": "m n", "y": "n", "z": "n"}
    rows: Rows = []
    for text, by_W, by_x in (("W @ x", np.outer(d, x), W.T @ d), ("x @ V", np.outer(x, d), W @ d)):
        matrix = "W" if "W" in text else "V"
        module = gc.compile(text, {matrix: types[matrix], "x": "m"}, wrt=(matrix, "x"))
        _, saved = module.forward(**{matrix: W, "x": x})
        g = module.backward(saved, d)
        rows += [(f"{text}: d{matrix}", g[0], by_W), (f"{text}: dx", g[1], by_x)]
    for text, slope in (("tanh(z)", 1 - np.tanh(x) ** 2), ("sigmoid(z)", sigmoid(x) * (1 - sigmoid(x)))):
        module = gc.compile(text, {"z": "n"})
        rows.append((f"{text}: dz", module.backward(module.forward(x)[1], d).z, d * slope))
    loss = gc.compile("-sum(y * log(exp(z) / sum(exp(z))))", {"z": "n", "y": "n"}, wrt="z")
    rows.append(("cross-entropy: dz", loss.grad(z=x, y=y).z, np.exp(x) / np.exp(x).sum() - y))
    return rows


LECTURES: dict[str, Callable[[], Rows]] = {
    function.__name__: function
    for function in (circuit, neuron, staged, gates, matmul, paths, shared, rnn, lstm, network, identities)
}


def main() -> int:
    """Run every lecture and print its table; 1 if a number is not what a hand derives."""
    status = 0
    for name, lecture in LECTURES.items():
        for what, got, wanted in lecture():
            agrees = np.shape(got) == np.shape(wanted) and np.allclose(got, wanted, rtol=1e-12, atol=1e-13)
            status |= not agrees
            mark = "" if agrees else "   <--"
            print(f"{name:<11} {what:<19} {shown(got):>24}   by hand {shown(wanted):>24}{mark}")
    return status


def shown(value: Any) -> str:
    """A number; of an array the shape and the norm."""
    array = np.asarray(value)
    return f"{array:.6g}" if array.ndim == 0 else f"{array.shape}, norm {np.linalg.norm(array):.5f}"


if __name__ == "__main__":
    sys.exit(main())
