"""Neural networks in plain NumPy."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


class MLP:
    """Weights in a dict, under keys made of the layer's number."""

    def __init__(self, weights, activation=np.tanh):
        self.weights = weights
        self.activation = activation
        self.cache = {}

    @property
    def depth(self):
        return len(self.weights) // 2

    def forward(self, X):
        A = X
        for l in range(1, self.depth + 1):
            Z = A @ self.weights[f"W{l}"] + self.weights[f"b{l}"]
            self.cache[f"Z{l}"] = Z
            A = self.activation(Z) if l < self.depth else Z
        return A

    def loss(self, X, Y):
        out = self.forward(X)
        decay = sum(np.sum(W**2) for name, W in self.weights.items() if name.startswith("W"))
        return 0.5 * np.mean(np.sum((out - Y) ** 2, axis=1)) + 1e-3 * decay


def mlp_loss(weights, X, Y):
    return MLP(weights).loss(X, Y)


def mlp_example(rng):
    sizes = [3, 5, 4, 2]
    weights = {f"W{i + 1}": rng.normal(size=s) for i, s in enumerate(zip(sizes, sizes[1:]))}
    weights |= {f"b{i + 1}": rng.normal(size=s) for i, s in enumerate(sizes[1:])}
    return {"weights": weights, "X": rng.normal(size=(6, 3)), "Y": rng.normal(size=(6, 2))}


class Layer:
    def __call__(self, x):
        raise NotImplementedError


class Dense(Layer):
    def __init__(self, W, b):
        self.W, self.b = W, b

    def __call__(self, x):
        return np.dot(x, self.W) + self.b


class BatchNorm(Layer):
    def __init__(self, gamma, beta, eps=1e-5):
        self.gamma, self.beta, self.eps = gamma, beta, eps

    def __call__(self, x):
        mean, var = x.mean(axis=0), x.var(axis=0)
        return self.gamma * (x - mean) / np.sqrt(var + self.eps) + self.beta


class Relu(Layer):
    def __call__(self, x):
        return x * (x > 0)


def sequential_loss(layers, X, y):
    """A list of layer objects, made of a list of pairs."""
    net = []
    for (W, b), (gamma, beta) in layers:
        net += [Dense(W, b), BatchNorm(gamma, beta), Relu()]
    h = X
    for layer in net[:-1]:
        h = layer(h)
    return np.mean((h[:, 0] - y) ** 2)


def sequential_example(rng):
    sizes = [(3, 4), (4, 2)]
    layers = [
        ((rng.normal(size=s), rng.normal(size=s[1])), (rng.normal(size=s[1]), rng.normal(size=s[1]))) for s in sizes
    ]
    return {"layers": layers, "X": rng.normal(size=(7, 3)), "y": rng.normal(size=7)}


@dataclass
class Block:
    """The weights of one transformer block."""

    Wqkv: np.ndarray
    Wo: np.ndarray
    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def layer_norm(x, eps=1e-5):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps)


def attention(q, k, v, mask):
    return softmax(q @ k.T / np.sqrt(q.shape[-1]) + mask) @ v


def transformer_loss(block, x, target, n_head=2):
    """Multi-head attention with a causal mask, a feed-forward part, both residual."""
    T, C = x.shape
    qkv = layer_norm(x) @ block.Wqkv
    heads = [np.split(part, n_head, axis=-1) for part in np.split(qkv, 3, axis=-1)]
    causal = (1 - np.tri(T)) * -1e10
    out = [attention(q, k, v, causal) for q, k, v in zip(*heads)]
    x = x + np.hstack(out) @ block.Wo
    x = x + gelu(layer_norm(x) @ block.W1 + block.b1) @ block.W2 + block.b2
    logits = layer_norm(x)
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -log_p[np.arange(T), target].mean()


def transformer_example(rng):
    T, C, H = 5, 4, 6
    made = [rng.normal(size=s) * 0.5 for s in [(C, 3 * C), (C, C), (C, H), (H,), (H, C), (C,)]]
    return {"block": Block(*made), "x": rng.normal(size=(T, C)), "target": rng.integers(0, C, T)}


def im2col_indices(x_shape, size, stride):
    N, C, H, W = x_shape
    out_h, out_w = (H - size) // stride + 1, (W - size) // stride + 1
    i0 = np.tile(np.repeat(np.arange(size), size), C)
    i1 = stride * np.repeat(np.arange(out_h), out_w)
    j0 = np.tile(np.arange(size), size * C)
    j1 = stride * np.tile(np.arange(out_w), out_h)
    k = np.repeat(np.arange(C), size * size).reshape(-1, 1)
    return k, i0.reshape(-1, 1) + i1.reshape(1, -1), j0.reshape(-1, 1) + j1.reshape(1, -1)


def conv_im2col_loss(F, x, target, pad=1):
    n_filters, C, size, _ = F.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    k, i, j = im2col_indices(padded.shape, size, 1)
    cols = padded[:, k, i, j]
    cols = cols.transpose(1, 2, 0).reshape(size * size * C, -1)
    out = F.reshape(n_filters, -1) @ cols
    out = out.reshape(n_filters, x.shape[2], x.shape[3], x.shape[0]).transpose(3, 0, 1, 2)
    pooled = out.reshape(x.shape[0], n_filters, x.shape[2] // 2, 2, x.shape[3] // 2, 2).max(axis=3).max(axis=4)
    return 0.5 * np.sum((pooled - target) ** 2)


def conv_im2col_example(rng):
    return {
        "F": rng.normal(size=(2, 2, 3, 3)),
        "x": rng.normal(size=(2, 2, 4, 4)),
        "target": rng.normal(size=(2, 2, 2, 2)),
    }


def conv_windows_loss(F, bias, images, labels, W):
    windows = sliding_window_view(images, (3, 3), axis=(1, 2))
    maps = np.einsum("nhwij,fij->nfhw", windows, F) + bias[:, None, None]
    h = np.maximum(maps, 0)
    scores = h.mean(axis=(2, 3)) @ W
    scores = scores - np.log(np.sum(np.exp(scores), axis=1, keepdims=True))
    return -np.mean(scores[np.arange(len(labels)), labels])


def conv_windows_example(rng):
    return {
        "F": rng.normal(size=(3, 3, 3)),
        "bias": rng.normal(size=3),
        "images": rng.normal(size=(4, 6, 5)),
        "labels": rng.integers(0, 2, 4),
        "W": rng.normal(size=(3, 2)),
    }


def vae_loss(params, x, noise):
    """The negative evidence bound with one fixed sample."""
    h = np.tanh(x @ params["enc"]["W"] + params["enc"]["b"])
    mu, logvar = np.split(h @ params["heads"], 2, axis=1)
    z = mu + np.exp(0.5 * logvar) * noise
    logits = np.tanh(z @ params["dec"][0]) @ params["dec"][1]
    log_px = -np.sum(np.logaddexp(0, np.where(x > 0.5, -logits, logits)), axis=1)
    kl = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar), axis=1)
    return np.mean(kl - log_px)


def vae_example(rng):
    params = {
        "enc": {"W": rng.normal(size=(6, 4)), "b": rng.normal(size=4)},
        "heads": rng.normal(size=(4, 4)),
        "dec": [rng.normal(size=(2, 3)), rng.normal(size=(3, 6))],
    }
    return {"params": params, "x": rng.integers(0, 2, (5, 6)).astype(float), "noise": rng.normal(size=(5, 2))}


def infonce_loss(A, B, temperature=0.2):
    """Contrastive: row i of A belongs to row i of B, and to no other."""
    a = A / np.linalg.norm(A, axis=1, keepdims=True)
    b = B / np.linalg.norm(B, axis=1, keepdims=True)
    logits = a @ b.T / temperature

    def cross_entropy(s):
        shifted = s - s.max(axis=1)[:, None]
        return -np.mean(np.diag(shifted) - np.log(np.exp(shifted).sum(axis=1)))

    return (cross_entropy(logits) + cross_entropy(logits.T)) / 2


def gumbel_softmax_loss(logits, codebook, gumbel, x, tau=0.7):
    y = softmax((logits + gumbel) / tau, axis=1)
    return np.square(x - y @ codebook).sum(axis=-1).mean() - 0.1 * np.sum(softmax(logits) * np.log(softmax(logits)))


def gumbel_example(rng):
    return {
        "logits": rng.normal(size=(4, 3)),
        "codebook": rng.normal(size=(3, 2)),
        "gumbel": rng.gumbel(size=(4, 3)),
        "x": rng.normal(size=(4, 2)),
    }


def word2vec_loss(U, V, centre, context, negatives):
    """Skip-gram with negative samples; words come several times."""
    v = V[centre]
    positive = np.sum(v * U[context], axis=1)
    negative = np.einsum("bd,bkd->bk", v, U[negatives])
    log_sigmoid = lambda t: -np.log1p(np.exp(-t))
    return -(log_sigmoid(positive).sum() + log_sigmoid(-negative).sum()) / centre.shape[0]


def word2vec_example(rng):
    return {
        "U": rng.normal(size=(7, 3)),
        "V": rng.normal(size=(7, 3)),
        "centre": np.array([0, 2, 2, 5, 0]),
        "context": np.array([1, 1, 3, 4, 6]),
        "negatives": rng.integers(0, 7, (5, 3)),
    }


PROGRAMS = [
    (mlp_loss, mlp_example, ["weights"]),
    (sequential_loss, sequential_example, ["layers", "X"]),
    (transformer_loss, transformer_example, ["block", "x"]),
    (conv_im2col_loss, conv_im2col_example, ["F", "x"]),
    (conv_windows_loss, conv_windows_example, ["F", "bias", "images", "W"]),
    (vae_loss, vae_example, ["params"]),
    (infonce_loss, lambda rng: {"A": rng.normal(size=(5, 3)), "B": rng.normal(size=(5, 3))}, ["A", "B"]),
    (gumbel_softmax_loss, gumbel_example, ["logits", "codebook"]),
    (word2vec_loss, word2vec_example, ["U", "V"]),
]
