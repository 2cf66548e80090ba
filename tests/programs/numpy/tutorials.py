"""Code of courses and tutorials: layers by hand, loops over pixels, a scalar autograd engine."""

import math

import numpy as np
from scipy.special import logsumexp


def affine_forward(x, w, b):
    out = None
    N = x.shape[0]
    x_rsp = x.reshape(N, -1)
    out = x_rsp.dot(w) + b
    cache = (x, w, b)
    return (out, cache)


def relu_forward(x):
    out = np.maximum(0, x)
    cache = x
    return (out, cache)


def softmax_loss(x, y):
    shifted_logits = x - np.max(x, axis=1, keepdims=True)
    Z = np.sum(np.exp(shifted_logits), axis=1, keepdims=True)
    log_probs = shifted_logits - np.log(Z)
    probs = np.exp(log_probs)
    N = x.shape[0]
    loss = -np.sum(log_probs[np.arange(N), y]) / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return (loss, dx)


class TwoLayerNet(object):
    def __init__(self, W1, b1, W2, b2, reg=0.1):
        self.params = {}
        self.params["W1"] = W1
        self.params["b1"] = b1
        self.params["W2"] = W2
        self.params["b2"] = b2
        self.reg = reg

    def loss(self, X, y=None):
        W1, b1 = (self.params["W1"], self.params["b1"])
        W2, b2 = (self.params["W2"], self.params["b2"])
        a1, cache1 = affine_forward(X, W1, b1)
        h, cache_r = relu_forward(a1)
        scores, cache2 = affine_forward(h, W2, b2)
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        loss += 0.5 * self.reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        return loss


def cs231n_net(W1, b1, W2, b2, X, y):
    """A network as a class with a dictionary of parameters."""
    net = TwoLayerNet(W1, b1, W2, b2)
    return net.loss(X, y)


def cs231n_net_ex(rng):
    return dict(
        W1=rng.normal(size=(12, 5)),
        b1=rng.normal(size=5),
        W2=rng.normal(size=(5, 3)),
        b2=rng.normal(size=3),
        X=rng.normal(size=(4, 2, 2, 3)),
        y=rng.integers(0, 3, 4),
    )


def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-05)
    momentum = bn_param.get("momentum", 0.9)
    N, D = x.shape
    running_mean = bn_param.get("running_mean", np.zeros(D, dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(D, dtype=x.dtype))
    out, cache = (None, None)
    if mode == "train":
        sample_mean = np.mean(x, axis=0)
        sample_var = np.var(x, axis=0)
        running_mean = momentum * running_mean + (1 - momentum) * sample_mean
        running_var = momentum * running_var + (1 - momentum) * sample_var
        std = np.sqrt(sample_var + eps)
        x_centered = x - sample_mean
        x_norm = x_centered / std
        out = gamma * x_norm + beta
        cache = (x_norm, x_centered, std, gamma)
    elif mode == "test":
        x_norm = (x - running_mean) / np.sqrt(running_var + eps)
        out = gamma * x_norm + beta
    else:
        raise ValueError('Invalid forward batchnorm mode "%s"' % mode)
    bn_param["running_mean"] = running_mean
    bn_param["running_var"] = running_var
    return (out, cache)


def batchnorm_loss(x, gamma, beta, dout):
    """Running averages are kept in a dictionary that the layer writes to."""
    bn = {"mode": "train"}
    for it in range(2):
        out, _ = batchnorm_forward(x, gamma, beta, bn)
    bn["mode"] = "test"
    out2, _ = batchnorm_forward(x * 1.1, gamma, beta, bn)
    return np.sum(out * dout) + np.sum(out2**2 * dout)


def batchnorm_ex(rng):
    return dict(
        x=rng.normal(size=(4, 3)), gamma=rng.normal(size=3), beta=rng.normal(size=3), dout=rng.normal(size=(4, 3))
    )


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = (conv_param["stride"], conv_param["pad"])
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    x_pad = np.pad(x, ((0,), (0,), (pad,), (pad,)), "constant")
    H_out = 1 + (H + 2 * pad - HH) // stride
    W_out = 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, H_out, W_out))
    for n in range(N):
        for f in range(F):
            for i in range(H_out):
                for j in range(W_out):
                    out[n, f, i, j] = (
                        np.sum(x_pad[n, :, i * stride : i * stride + HH, j * stride : j * stride + WW] * w[f]) + b[f]
                    )
    cache = (x, w, b, conv_param)
    return (out, cache)


def max_pool_forward_naive(x, pool_param):
    ph, pw, s = (pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"])
    N, C, H, W = x.shape
    Ho, Wo = (1 + (H - ph) // s, 1 + (W - pw) // s)
    out = np.zeros((N, C, Ho, Wo))
    for i in range(Ho):
        for j in range(Wo):
            out[:, :, i, j] = np.max(x[:, :, i * s : i * s + ph, j * s : j * s + pw], axis=(2, 3))
    return out


def conv_pool(x, w, b, t):
    """Convolution and pooling with loops over images, filters and pixels."""
    out, _ = conv_forward_naive(x, w, b, {"stride": 1, "pad": 1})
    out, _ = relu_forward(out)
    out = max_pool_forward_naive(out, {"pool_height": 2, "pool_width": 2, "stride": 2})
    return ((out - t) ** 2).mean()


def conv_pool_ex(rng):
    return dict(
        x=rng.normal(size=(2, 2, 4, 4)),
        w=rng.normal(size=(2, 2, 3, 3)),
        b=rng.normal(size=2),
        t=rng.normal(size=(2, 2, 2, 2)),
    )


def softmax_loss_naive(W, X, y, reg):
    """Loss and gradient with loops; the gradient of the gradient is asked for."""
    loss = 0.0
    dW = np.zeros_like(W)
    num_train = X.shape[0]
    for i in range(num_train):
        f = X[i].dot(W)
        f -= np.max(f)
        p = np.exp(f) / np.sum(np.exp(f))
        loss += -np.log(p[y[i]])
        for k in range(W.shape[1]):
            dW[:, k] += (p[k] - (k == y[i])) * X[i]
    loss = loss / num_train + reg * np.sum(W * W)
    return loss + 0.01 * np.sum(dW**2)


def naive_ex(rng):
    return dict(W=rng.normal(size=(4, 3)), X=rng.normal(size=(5, 4)), y=rng.integers(0, 3, 5), reg=0.1)


class Value:
    def __init__(self, data, _children=(), _op=""):
        self.data = data
        self.grad = 0
        self._backward = lambda: None
        self._prev = set(_children)
        self._op = _op

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, other):
        assert isinstance(other, (int, float))
        out = Value(self.data**other, (self,), f"**{other}")

        def _backward():
            self.grad += other * self.data ** (other - 1) * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        t = (math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)
        out = Value(t, (self,), "tanh")

        def _backward():
            self.grad += (1 - t**2) * out.grad

        out._backward = _backward
        return out

    def backward(self):
        topo = []
        visited = set()

        def build_topo(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build_topo(child)
                topo.append(v)

        build_topo(self)
        self.grad = 1
        for node in reversed(topo):
            node._backward()

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return other + -self

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * other ** (-1)


def micrograd_penalty(w, x):
    """An automatic differentiation by operator overloading, itself differentiated."""
    vals = [Value(wi) for wi in w]
    act = sum((vi * xi for vi, xi in zip(vals, x)), Value(0.0))
    out = act.tanh()
    loss = (1 - out * 2.0) ** 2
    loss.backward()
    return loss.data + sum((v.grad**2 for v in vals))


def micrograd_ex(rng):
    return dict(w=rng.normal(size=3), x=rng.normal(size=3))


def min_char_rnn(Wxh, Whh, Why, bh, by, inputs, targets):
    """A recurrent net with its states in dictionaries of column vectors."""
    vocab_size = Why.shape[0]
    xs, hs, ys, ps = ({}, {}, {}, {})
    hs[-1] = np.zeros((Whh.shape[0], 1))
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab_size, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
    return loss


def rnn_ex(rng):
    return dict(
        Wxh=rng.normal(size=(3, 4)),
        Whh=rng.normal(size=(3, 3)),
        Why=rng.normal(size=(4, 3)),
        bh=rng.normal(size=(3, 1)),
        by=rng.normal(size=(4, 1)),
        inputs=[0, 2, 1, 3],
        targets=[2, 1, 3, 0],
    )


def rope_attention(x, Wq, Wk, base=100.0):
    """Rotary positions written into an empty array by strides."""
    T, C = x.shape
    pos = np.arange(T)[:, None]
    inv = base ** (-np.arange(0, C, 2) / C)
    ang = pos * inv

    def rot(u):
        u1, u2 = (u[:, ::2], u[:, 1::2])
        out = np.empty_like(u)
        out[:, ::2] = u1 * np.cos(ang) - u2 * np.sin(ang)
        out[:, 1::2] = u1 * np.sin(ang) + u2 * np.cos(ang)
        return out

    s = rot(x @ Wq) @ rot(x @ Wk).T
    s -= s.max(axis=-1, keepdims=True)
    return -np.log(np.exp(s).sum(-1)).sum() + np.trace(s)


def rope_ex(rng):
    return dict(x=rng.normal(size=(4, 6)), Wq=rng.normal(size=(6, 6)), Wk=rng.normal(size=(6, 6)))


EDGES = [(0, 1), (1, 2), (2, 3), (3, 0), (1, 3)]


def gcn(X, W1, W2, y):
    """A graph network; the mean of a list of elements."""
    A = np.eye(4)
    for i, j in EDGES:
        A[i, j] += 1
        A[j, i] += 1
    d = A.sum(0) ** (-0.5)
    Ah = d[:, None] * A * d
    H = np.maximum(Ah @ X @ W1, 0.01 * (Ah @ X @ W1))
    Z = Ah @ H @ W2
    Z = Z - logsumexp(Z, axis=1)[:, None]
    return -np.mean([Z[i, y[i]] for i in range(len(y))])


def gcn_ex(rng):
    return dict(
        X=rng.normal(size=(4, 3)), W1=rng.normal(size=(3, 3)), W2=rng.normal(size=(3, 2)), y=np.array([0, 1, 1, 0])
    )


def reinforce(theta, states, actions, rewards, gamma=0.9):
    """Returns by a backward loop, clipped ratios."""
    logits = states @ theta
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    G = np.zeros_like(rewards)
    run = 0
    for t in reversed(range(len(rewards))):
        run = rewards[t] + gamma * run
        G[t] = run
    adv = (G - G.mean()) / (G.std() + 1e-08)
    ratio = p[range(len(actions)), actions] / 0.3
    clipped = np.clip(ratio, 0.8, 1.2)
    ent = -(p * np.log(p)).sum(-1).mean()
    return -np.minimum(ratio * adv, clipped * adv).mean() - 0.01 * ent


def rl_ex(rng):
    return dict(
        theta=rng.normal(size=(3, 2)),
        states=rng.normal(size=(6, 3)),
        actions=rng.integers(0, 2, 6),
        rewards=rng.normal(size=6),
    )


PROGRAMS = [
    (cs231n_net, cs231n_net_ex, ["W1", "b1", "W2", "b2", "X"]),
    (batchnorm_loss, batchnorm_ex, ["x", "gamma", "beta"]),
    (conv_pool, conv_pool_ex, ["x", "w", "b"]),
    (softmax_loss_naive, naive_ex, ["W", "X"]),
    (micrograd_penalty, micrograd_ex, ["w", "x"]),
    (min_char_rnn, rnn_ex, ["Wxh", "Whh", "Why", "bh", "by"]),
    (rope_attention, rope_ex, ["x", "Wq", "Wk"]),
    (gcn, gcn_ex, ["X", "W1", "W2"]),
    (reinforce, rl_ex, ["theta"]),
]
