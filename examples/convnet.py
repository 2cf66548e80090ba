"""A convolutional network on 8 x 8 images of digits, trained from a generated file.

    python examples/convnet.py

    epoch  1   loss 0.9561   held out  85.79 %
    ...
    held-out accuracy: 98.05 %

The network is ordinary NumPy: windows and a product for the convolution, a reshape for the pooling,
an index for the loss. A process of its own compiles it into a file; the training process loads that
file and NumPy, and never graphc.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.datasets import load_digits

EPOCHS, BATCH, STEP, MOMENTUM = 15, 32, 0.05, 0.9
FILTERS, HIDDEN = 16, 64
Parameters = dict[str, Any]


def scores(params: Parameters, images: Any) -> Any:
    """Ten numbers an image: convolution with 3 x 3 filters, pooling of 2 x 2 squares, a hidden layer."""
    windows = sliding_window_view(images, params["filters"].shape[1:], axis=(1, 2))
    maps = np.einsum("nhwij,fij->nhwf", windows, params["filters"]) + params["shift"]
    n, h, w, f = maps.shape
    pooled = np.maximum(maps, 0).reshape(n, h // 2, 2, w // 2, 2, f).max(axis=(2, 4))
    hidden = np.maximum(pooled.reshape(n, -1) @ params["W1"] + params["b1"], 0)
    return hidden @ params["W2"] + params["b2"]


def loss(params: Parameters, images: Any, labels: Any) -> Any:
    """The mean cross-entropy."""
    z = scores(params, images)
    log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(labels)), labels])


def build(path: Path) -> None:
    """The build step, the only one that needs graphc."""
    import graphc as gc

    params = {"filters": "f 3 3", "shift": "f", "W1": "9*f h", "b1": "h", "W2": "h k", "b2": "k"}
    gc.compile(loss, {"params": params, "images": "n 8 8", "labels": "int n"}, wrt="params").save(path)


def start(rng: np.random.Generator) -> Parameters:
    """He's initialisation: weights of variance 2 / inputs."""
    return {
        "filters": rng.standard_normal((FILTERS, 3, 3)) * np.sqrt(2 / 9),
        "shift": np.zeros(FILTERS),
        "W1": rng.standard_normal((9 * FILTERS, HIDDEN)) * np.sqrt(2 / (9 * FILTERS)),
        "b1": np.zeros(HIDDEN),
        "W2": rng.standard_normal((HIDDEN, 10)) * np.sqrt(2 / HIDDEN),
        "b2": np.zeros(10),
    }


def train(value_and_grad: Callable[..., Any], seed: int = 0) -> float:
    """Mini-batches with momentum; the accuracy on a fifth that is held out."""
    rng = np.random.default_rng(seed)
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    images, labels = digits.images[order] / 16, digits.target[order].astype(np.int64)
    held = len(order) // 5
    params = start(rng)
    velocity = {name: np.zeros_like(p) for name, p in params.items()}
    for epoch in range(1, EPOCHS + 1):
        losses = []
        for rows in np.split(held + rng.permutation(len(order) - held), range(BATCH, len(order) - held, BATCH)):
            value, gradients = value_and_grad(**params, images=images[rows], labels=labels[rows])
            losses.append(value)
            for name, gradient in gradients._asdict().items():
                velocity[name] = MOMENTUM * velocity[name] - STEP * gradient
                params[name] += velocity[name]
        right = float(np.mean(scores(params, images[:held]).argmax(axis=1) == labels[:held]))
        print(f"epoch {epoch:2d}   loss {np.mean(losses):.4f}   held out {100 * right:6.2f} %")
    return right


def main() -> float:
    """Build in a process of its own, load, train."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "convnet_grad.py"
        subprocess.run([sys.executable, __file__, str(path)], check=True)
        result = train(runpy.run_path(str(path))["value_and_grad"])
    print(f"held-out accuracy: {100 * result:.2f} %")
    assert "graphc" not in sys.modules
    return result


if __name__ == "__main__":
    if sys.argv[1:]:
        build(Path(sys.argv[1]))
    else:
        sys.exit(0 if main() >= 0.97 else 1)
