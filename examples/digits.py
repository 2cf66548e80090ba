"""Train a 64-128-10 network on handwritten digits with gradients that graphc wrote.

    python examples/digits.py             or, to leave digits_grad.py alone:
    python examples/digits.py OTHER.py

    gradients against central differences: 5.6e-10
    epoch  1   loss 0.7761   held out  94.99 %
    ...
    held-out accuracy: 97.77 %

graphc is used offline, as a build step: it turns `digits.gc` into `digits_grad.py`, in a process
of its own. The training process below imports that file and NumPy, and never graphc.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

HERE = Path(__file__).parent
HIDDEN, EPOCHS, BATCH = 128, 30, 32
STEP, MOMENTUM = 0.1, 0.9
Parameters = dict[str, Any]


def build(generated: Path) -> None:
    """The build step: `graphc compile digits.gc`. It leaves the file alone if nothing changed."""
    command = ["compile", HERE / "digits.gc", "--wrt", "W1,b1,W2,b2", "-o", generated]
    subprocess.run([sys.executable, "-m", "graphc", *command], check=True)


def load(generated: Path) -> ModuleType:
    """The generated file as a module, with nothing of graphc in the process."""
    spec = importlib.util.spec_from_file_location(generated.stem, generated)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "graphc" not in sys.modules
    return module


def data(rng: np.random.Generator) -> tuple[Any, ...]:
    """Training and held-out images and labels; a fifth is held out."""
    X, y = load_digits(return_X_y=True)
    order = rng.permutation(len(y))
    X, y = X[order] / 16.0, y[order].astype(np.int64)
    held = len(y) // 5
    return X[held:], y[held:], X[:held], y[:held]


def start(rng: np.random.Generator) -> Parameters:
    """He's initialisation: weights of variance 2 / inputs."""
    return {
        "W1": rng.standard_normal((64, HIDDEN)) * np.sqrt(2 / 64),
        "b1": np.zeros(HIDDEN),
        "W2": rng.standard_normal((HIDDEN, 10)) * np.sqrt(2 / HIDDEN),
        "b2": np.zeros(10),
    }


def accuracy(parameters: Parameters, X: Any, y: Any) -> float:
    """The share of images whose digit gets the highest score."""
    hidden = np.maximum(X @ parameters["W1"] + parameters["b1"], 0)
    scores = hidden @ parameters["W2"] + parameters["b2"]
    return float(np.mean(scores.argmax(axis=1) == y))


def gradient_error(net: ModuleType, parameters: Parameters, X: Any, y: Any, rng: np.random.Generator) -> float:
    """The largest error of 40 elements of each gradient against central differences, relative to its largest."""
    _, gradients = net.value_and_grad(X=X, y=y, **parameters)
    worst = 0.0
    for name, gradient in gradients._asdict().items():
        flat = parameters[name].reshape(-1)
        for i in rng.choice(flat.size, min(40, flat.size), replace=False):
            kept, losses = flat[i], []
            for flat[i] in (kept + 1e-5, kept - 1e-5):
                losses.append(net.value_and_grad(X=X, y=y, **parameters)[0])
            flat[i] = kept
            numeric = (losses[0] - losses[1]) / 2e-5
            worst = max(worst, abs(gradient.reshape(-1)[i] - numeric) / np.abs(gradient).max())
    return worst


def train(net: ModuleType, seed: int = 0) -> float:
    """Mini-batches with momentum; the held-out accuracy at the end."""
    rng = np.random.default_rng(seed)
    X, y, X_held, y_held = data(rng)
    parameters = start(rng)
    print(f"gradients against central differences: {gradient_error(net, parameters, X[:64], y[:64], rng):.1e}")
    velocity = {name: np.zeros_like(value) for name, value in parameters.items()}
    for epoch in range(1, EPOCHS + 1):
        losses = []
        for rows in np.split(rng.permutation(len(y)), range(BATCH, len(y), BATCH)):
            loss, gradients = net.value_and_grad(X=X[rows], y=y[rows], **parameters)
            losses.append(loss)
            for name, gradient in gradients._asdict().items():
                velocity[name] = MOMENTUM * velocity[name] - STEP * gradient
                parameters[name] += velocity[name]
        if epoch in (1, 2, 3) or epoch % 5 == 0:
            held = 100 * accuracy(parameters, X_held, y_held)
            print(f"epoch {epoch:2d}   loss {np.mean(losses):.4f}   held out {held:6.2f} %")
    return accuracy(parameters, X_held, y_held)


def main(generated: Path = HERE / "digits_grad.py") -> float:
    """Build, load, train."""
    build(generated)
    result = train(load(generated))
    print(f"held-out accuracy: {100 * result:.2f} %")
    assert "graphc" not in sys.modules
    return result


if __name__ == "__main__":
    sys.exit(0 if main(*map(Path, sys.argv[1:])) >= 0.97 else 1)
