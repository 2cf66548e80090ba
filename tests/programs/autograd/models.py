"""Training scripts in the style of autograd's examples: models of data.

Each function trains something small with `grad` in its loop, and returns the objective (a function of
the parameters and the number of the step), the first parameters and the last ones.
"""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

from graphc import grad, value_and_grad


def sgd(gradient, params, steps, step_size):
    """Plain gradient descent on one array."""
    for i in range(steps):
        params = params - step_size * gradient(params, i)
    return params


def tree_sgd(gradient, params, steps, step_size):
    """The same on a list of (W, b) pairs."""
    for i in range(steps):
        g = gradient(params, i)
        params = [(W - step_size * dW, b - step_size * db) for (W, b), (dW, db) in zip(params, g)]
    return params


def logistic_regression():
    inputs = np.array([[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]])
    targets = np.array([True, True, False, True])

    def sigmoid(x):
        return 0.5 * (np.tanh(x / 2.0) + 1)

    def logistic_predictions(weights, inputs):
        return sigmoid(np.dot(inputs, weights))

    def training_loss(weights, iter):
        preds = logistic_predictions(weights, inputs)
        label_probabilities = preds * targets + (1 - preds) * (1 - targets)
        return -np.sum(np.log(label_probabilities))

    weights = np.array([0.0, 0.0, 0.0])
    return training_loss, weights, sgd(grad(training_loss), weights, 20, 0.05)


def init_random_params(scale, layer_sizes, rs):
    return [(scale * rs.randn(m, n), scale * rs.randn(n)) for m, n in zip(layer_sizes[:-1], layer_sizes[1:])]


def neural_net():
    """A list of (W, b), log-softmax outputs and mini-batches by the step number."""
    rs = np.random.RandomState(0)
    images, labels = rs.randn(12, 4), np.eye(3)[rs.randint(0, 3, 12)]

    def neural_net_predict(params, inputs):
        for W, b in params:
            outputs = np.dot(inputs, W) + b
            inputs = np.tanh(outputs)
        return outputs - logsumexp(outputs, axis=1, keepdims=True)

    def l2_norm(params):
        return sum(np.sum(W**2) + np.sum(b**2) for W, b in params)

    def objective(params, iter):
        idx = slice(6 * (iter % 2), 6 * (iter % 2 + 1))
        log_prior = -0.01 * l2_norm(params)
        log_lik = np.sum(neural_net_predict(params, images[idx]) * labels[idx])
        return -log_prior - log_lik

    params = init_random_params(0.3, [4, 5, 3], rs)
    return objective, params, tree_sgd(grad(objective), params, 20, 0.05)


def neural_net_regression():
    """Log-posterior of a net with one input, the activation an argument."""
    rs = np.random.RandomState(0)
    inputs = np.concatenate([np.linspace(0, 3, num=6), np.linspace(6, 8, num=6)])
    targets = np.cos(inputs) + rs.randn(12) * 0.1
    inputs, targets = ((inputs - 4.0) / 2.0).reshape((12, 1)), targets.reshape((12, 1)) / 2.0

    def nn_predict(params, inputs, nonlinearity=np.tanh):
        for W, b in params:
            outputs = np.dot(inputs, W) + b
            inputs = nonlinearity(outputs)
        return outputs

    def log_gaussian(params, scale):
        return np.sum([np.sum(norm.logpdf(W, 0, scale)) + np.sum(norm.logpdf(b, 0, scale)) for W, b in params])

    def logprob(weights, inputs, targets, noise_scale=0.5):
        predictions = nn_predict(weights, inputs, np.tanh)
        return np.sum(norm.logpdf(predictions, targets, noise_scale))

    def objective(weights, t):
        return -logprob(weights, inputs, targets) - log_gaussian(weights, 5.0)

    params = init_random_params(0.5, [1, 4, 1], rs)
    return objective, params, tree_sgd(grad(objective), params, 20, 0.01)


class WeightsParser:
    """Names for the parts of one flat vector."""

    def __init__(self):
        self.idxs_and_shapes = {}
        self.num_weights = 0

    def add_weights(self, name, shape):
        start = self.num_weights
        self.num_weights += np.prod(shape)
        self.idxs_and_shapes[name] = (slice(start, self.num_weights), shape)

    def get(self, vect, name):
        idxs, shape = self.idxs_and_shapes[name]
        return np.reshape(vect[idxs], shape)


def sigmoid(x):
    return 0.5 * (np.tanh(x) + 1.0)


def concat_and_multiply(weights, *args):
    cat_state = np.hstack(args + (np.ones((args[0].shape[0], 1)),))
    return np.dot(cat_state, weights)


def rnn():
    """Characters predicted by a recurrent net with one flat vector of weights."""
    rs = np.random.RandomState(1)
    parser = WeightsParser()
    for name, shape in (("init", (1, 4)), ("change", (3 + 4 + 1, 4)), ("predict", (4 + 1, 3))):
        parser.add_weights(name, shape)
    inputs = np.eye(3)[rs.randint(0, 3, (5, 2))]

    def rnn_predict(params, inputs):
        def update_rnn(input, hiddens):
            return np.tanh(concat_and_multiply(parser.get(params, "change"), input, hiddens))

        def hiddens_to_output_probs(hiddens):
            output = concat_and_multiply(parser.get(params, "predict"), hiddens)
            return output - logsumexp(output, axis=1, keepdims=True)

        num_sequences = inputs.shape[1]
        hiddens = np.repeat(parser.get(params, "init"), num_sequences, axis=0)
        output = [hiddens_to_output_probs(hiddens)]
        for input in inputs:
            hiddens = update_rnn(input, hiddens)
            output.append(hiddens_to_output_probs(hiddens))
        return output

    def training_loss(params, iter):
        logprobs = rnn_predict(params, inputs)
        loglik = 0.0
        num_time_steps, num_examples, _ = inputs.shape
        for t in range(num_time_steps):
            loglik += np.sum(logprobs[t] * inputs[t])
        return -loglik / (num_time_steps * num_examples)

    params = 0.3 * rs.randn(parser.num_weights)
    return training_loss, params, sgd(grad(training_loss), params, 15, 0.3)


def lstm():
    rs = np.random.RandomState(2)
    inputs = rs.randn(4, 2, 3)
    targets = np.sin(inputs.sum(axis=2))
    shape = (3 + 2 + 1, 2)
    init = {
        "init cells": 0.1 * rs.randn(1, 2),
        "init hiddens": 0.1 * rs.randn(1, 2),
        **{name: 0.5 * rs.randn(*shape) for name in ("change", "forget", "ingate", "outgate")},
        "predict": 0.5 * rs.randn(3, 1),
    }

    def lstm_predict(params, inputs):
        def update_lstm(input, hiddens, cells):
            change = np.tanh(concat_and_multiply(params["change"], input, hiddens))
            forget = sigmoid(concat_and_multiply(params["forget"], input, hiddens))
            ingate = sigmoid(concat_and_multiply(params["ingate"], input, hiddens))
            outgate = sigmoid(concat_and_multiply(params["outgate"], input, hiddens))
            cells = cells * forget + ingate * change
            hiddens = outgate * np.tanh(cells)
            return hiddens, cells

        num_sequences = inputs.shape[1]
        hiddens = np.repeat(params["init hiddens"], num_sequences, axis=0)
        cells = np.repeat(params["init cells"], num_sequences, axis=0)
        output = []
        for input in inputs:
            hiddens, cells = update_lstm(input, hiddens, cells)
            output.append(concat_and_multiply(params["predict"], hiddens)[:, 0])
        return np.array(output)

    def training_loss(params, iter):
        return np.mean((lstm_predict(params, inputs) - targets) ** 2)

    params = init
    gradient = grad(training_loss)
    for i in range(15):
        g = gradient(params, i)
        params = {name: params[name] - 0.3 * g[name] for name in params}
    return training_loss, init, params


def gmm():
    """A mixture of Gaussians with a dict of structured parameters, by descent with momentum."""
    rs = np.random.RandomState(3)
    data = np.concatenate([rs.randn(6, 2) + 2, 0.5 * rs.randn(6, 2) - 1])
    init = {
        "log proportions": 0.1 * rs.randn(2),
        "means": rs.randn(2, 2),
        "lower triangles": np.zeros((2, 2, 2)) + np.eye(2) + 0.1 * rs.randn(2, 2, 2),
    }

    def log_normal(data, mean, L):
        z = np.linalg.solve(L, (data - mean).T)
        return -0.5 * np.sum(z**2, axis=0) - np.sum(np.log(np.abs(np.diag(L))))

    def unpack(params):
        normalized = params["log proportions"] - logsumexp(params["log proportions"])
        return normalized, params["means"], [np.tril(L) for L in params["lower triangles"]]

    def objective(params, i):
        scores = [w + log_normal(data, m, L) for w, m, L in zip(*unpack(params))]
        return -np.sum(logsumexp(np.vstack(scores), axis=0))

    params, velocity = init, {k: np.zeros_like(v) for k, v in init.items()}
    for i in range(15):
        g = grad(objective)(params, i)
        velocity = {k: 0.5 * velocity[k] - 0.01 * g[k] for k in g}
        params = {k: params[k] + velocity[k] for k in params}
    return objective, init, params


def gaussian_process():
    rs = np.random.RandomState(4)
    X, y = rs.rand(7, 1) * 4, rs.randn(7)

    def rbf_covariance(kernel_params, x, xp):
        output_scale = np.exp(kernel_params[0])
        lengthscales = np.exp(kernel_params[1:])
        diffs = np.expand_dims(x / lengthscales, 1) - np.expand_dims(xp / lengthscales, 0)
        return output_scale * np.exp(-0.5 * np.sum(diffs**2, axis=2))

    def log_marginal_likelihood(params):
        mean, cov_params, noise_scale = params[0], params[2:], np.exp(params[1]) + 0.0001
        cov_y_y = rbf_covariance(cov_params, X, X) + noise_scale * np.eye(len(y))
        prior_mean = mean * np.ones(len(y))
        L = np.linalg.cholesky(cov_y_y)
        z = np.linalg.solve(L, y - prior_mean)
        return -0.5 * z @ z - np.sum(np.log(np.diagonal(L))) - 0.5 * len(y) * np.log(2 * np.pi)

    objective = lambda params, i=0: -log_marginal_likelihood(params)
    params = 0.1 * rs.randn(4)
    trained = params
    both = value_and_grad(objective)
    for _ in range(15):
        value, gradient = both(trained)
        trained = trained - 0.05 * gradient
    return objective, params, trained


def ica():
    rs = np.random.RandomState(5)
    data = rs.standard_t(3, size=(8, 2)) @ rs.randn(2, 2)

    def log_density(z):
        return -np.log(np.pi * np.cosh(z))

    def objective(W_flat, i):
        W = W_flat.reshape(2, 2)
        z = np.einsum("ij,nj->ni", W, data)
        return -np.mean(np.sum(log_density(z), axis=1)) - np.log(np.abs(np.linalg.det(W)))

    params = np.eye(2).ravel() + 0.1 * rs.randn(4)
    return objective, params, sgd(grad(objective), params, 20, 0.05)


PROGRAMS = [
    logistic_regression, neural_net, neural_net_regression, rnn, lstm, gmm, gaussian_process, ica,
]  # fmt: skip
