"""lstm: a recurrent network with diagonal weights, over a sequence of characters.

    a layer:  f = sigmoid(w_f x + b_f)   i = sigmoid(w_i h + b_i)   o = sigmoid(w_o x + b_o)   g = tanh(w_g h + b_g)
              c' = f c + i g,  h' = o tanh(c');  h' is the x of the next layer

    a step:   y = w_out h'_last + b_out,  p = y - log(2 + sum exp(y))
    loss      -sum_t sequence[t + 1] . p_t / number of elements

(ADBench's LSTM, whose weights are diagonal and whose sum of exponentials has a 2 in it.)

    python examples/gradbench/lstm.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def layer(weight: Any, bias: Any, hidden: Any, cell: Any, x: Any) -> tuple[Any, Any]:
    """The new hidden state and cell; weight, bias: (4, b), the others (b,)."""
    forget = sigmoid(x * weight[0] + bias[0])
    ingate = sigmoid(hidden * weight[1] + bias[1])
    outgate = sigmoid(x * weight[2] + bias[2])
    change = np.tanh(hidden * weight[3] + bias[3])
    cell = cell * forget + ingate * change
    return outgate * np.tanh(cell), cell


def objective(main_params: Any, extra_params: Any, state: Any, sequence: Any) -> Any:
    """The mean negative log-likelihood of each character after those before it.

    main_params: (2 l, 4 b), a row of weights and one of biases for each of l layers.
    extra_params: (3, b), weights of the input, weights and biases of the output.
    state: (2 l, b), a row of hidden states and one of cells for each layer.  sequence: (c, b), characters as bits.
    """
    count, width = sequence.shape
    parameters = main_params.reshape(-1, 2, 4, width)
    weights, biases = parameters[:, 0], parameters[:, 1]
    states = state.reshape(-1, 2, width)
    hidden, cell = states[:, 0].copy(), states[:, 1].copy()
    total = 0.0
    for t in range(count - 1):
        x = sequence[t] * extra_params[0]
        for i in range(len(hidden)):
            hidden[i], cell[i] = layer(weights[i], biases[i], hidden[i], cell[i], x)
            x = hidden[i]
        y = x * extra_params[1] + extra_params[2]
        total = total + np.sum(sequence[t + 1] * (y - np.log(2 + np.sum(np.exp(y)))))
    return -total / ((count - 1) * width)


jacobian = gc.grad(objective, argnums=(0, 1))


def example(rng: np.random.Generator, layers: int = 2, characters: int = 128, bits: int = 14) -> tuple[Any, ...]:
    """Parameters, a state, and a sequence of characters."""
    main_params = rng.uniform(size=(2 * layers, 4 * bits))
    extra_params = rng.uniform(size=(3, bits))
    state = rng.uniform(size=(2 * layers, bits))
    return main_params, extra_params, state, rng.integers(0, 2, size=(characters, bits)).astype(float)


def main() -> None:
    """Print the loss, and the sizes of its gradients."""
    arguments = example(np.random.default_rng(0))
    sizes = [f"{np.linalg.norm(g):.4f}" for g in jacobian(*arguments)]
    print(f"loss {objective(*arguments):.4f}, gradients by main and extra parameters: {', '.join(sizes)}")


if __name__ == "__main__":
    main()
