"""An LSTM that forecasts next year's sunspots, trained by back-propagation through time.

    python examples/lstm.py

    epoch   0   error 0.0508
    epoch 300   error 0.0110
    root mean square error of the years since 1960: 14.0; of "as last year" 30.4

The data are the yearly numbers since 1700 that come with statsmodels. The model is plain NumPy: a loop
over the years that carries the cell's state. The compiled code has a loop forwards and one backwards,
the same for ten years and for ten thousand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from statsmodels.datasets import sunspots

import graphc as gc

CELLS = 8
HELD_SINCE = 1960
EPOCHS, STEP = 300, 0.01


def sigmoid(z: Any) -> Any:
    """The logistic function, as textbooks write it."""
    return 1 / (1 + np.exp(-z))


def forecasts(params: Any, x: Any) -> Any:
    """For each year the forecast of the next one; x: the numbers so far, scaled."""
    n = params["Wc"].shape[1]
    h, c = np.zeros(n), np.zeros(n)
    found = []
    for t in range(len(x)):
        into = np.concatenate((h, x[t : t + 1]))
        gates = sigmoid(into @ params["Wg"] + params["bg"])
        forget, update, output = gates[:n], gates[n : 2 * n], gates[2 * n :]
        candidate = np.tanh(into @ params["Wc"] + params["bc"])
        c = forget * c + update * candidate
        h = output * np.tanh(c)
        found.append(x[t] + h @ params["Wy"] + params["by"])
    return np.stack(found)


def loss(params: Any, x: Any) -> Any:
    """The mean square error of the forecasts of all years but the first."""
    return np.mean((forecasts(params, x[:-1]) - x[1:]) ** 2)


value_and_grad = gc.value_and_grad(loss)


def start(seed: int = 0) -> dict[str, Any]:
    """Small random weights; the forget gates are open."""
    rng = np.random.default_rng(seed)
    return {
        "Wg": rng.normal(size=(CELLS + 1, 3 * CELLS)) / np.sqrt(CELLS),
        "bg": np.concatenate((np.ones(CELLS), np.zeros(2 * CELLS))),
        "Wc": rng.normal(size=(CELLS + 1, CELLS)) / np.sqrt(CELLS),
        "bc": np.zeros(CELLS),
        "Wy": np.zeros(CELLS),
        "by": 0.0,
    }


def data() -> tuple[Any, Any]:
    """The years, and the numbers of sunspots in hundreds."""
    table = sunspots.load_pandas().data
    return table["YEAR"].to_numpy(), table["SUNACTIVITY"].to_numpy() / 100


def fit(x: Any, epochs: int = EPOCHS, show: bool = False) -> dict[str, Any]:
    """Weights after some steps of Adam (Kingma and Ba, 2015)."""
    params = start()
    first = {k: np.zeros_like(v) for k, v in params.items()}
    second = {k: np.zeros_like(v) for k, v in params.items()}
    for epoch in range(epochs + 1):
        error, slopes = value_and_grad(params, x)
        if show and epoch % epochs == 0:
            print(f"epoch {epoch:3d}   error {error:.4f}")
        for k, slope in slopes.items():
            first[k] = 0.9 * first[k] + 0.1 * slope
            second[k] = 0.999 * second[k] + 0.001 * slope**2
            mean, square = first[k] / (1 - 0.9 ** (epoch + 1)), second[k] / (1 - 0.999 ** (epoch + 1))
            params[k] = params[k] - STEP * mean / (np.sqrt(square) + 1e-8)
    return params


def errors(params: Any, years: Any, x: Any) -> tuple[float, float]:
    """The root mean square errors, in sunspots, of the forecasts of the held years, and of "as last year"."""
    held = years[1:] >= HELD_SINCE
    told = forecasts(params, x[:-1])[held] - x[1:][held]
    same = (x[:-1] - x[1:])[held]
    return 100 * float(np.sqrt(np.mean(told**2))), 100 * float(np.sqrt(np.mean(same**2)))


def main() -> None:
    """Train on the years before 1960 and forecast the others."""
    years, x = data()
    params = fit(x[years < HELD_SINCE], show=True)
    told, same = errors(params, years, x)
    print(f'root mean square error of the years since {HELD_SINCE}: {told:.1f}; of "as last year" {same:.1f}')


if __name__ == "__main__":
    main()
