"""Training scripts in the style of autograd's examples: inference, simulation, control.

Each function returns the objective (a function of the parameters and the number of the step), the
first parameters and the last ones.
"""

import numpy as np
from scipy.stats import norm

from graphc import grad, vjp


def black_box_svi():
    """Stochastic variational inference with reparameterised samples, one seed a step."""
    D, num_samples = 2, 50

    def unpack_params(params):
        mean, log_std = params[:D], params[D:]
        return mean, log_std

    def gaussian_entropy(log_std):
        return 0.5 * D * (1.0 + np.log(2 * np.pi)) + np.sum(log_std)

    def log_density(x, t):
        mu, log_sigma = x[:, 0], x[:, 1]
        sigma_density = norm.logpdf(log_sigma, 0, 1.35)
        mu_density = norm.logpdf(mu, 0, np.exp(log_sigma))
        return sigma_density + mu_density

    def variational_objective(params, t):
        mean, log_std = unpack_params(params)
        rs = np.random.RandomState(t)
        samples = rs.randn(num_samples, D) * np.exp(log_std) + mean
        lower_bound = gaussian_entropy(log_std) + np.mean(log_density(samples, t))
        return -lower_bound

    init = np.concatenate([-np.ones(D), -3 * np.ones(D)])
    params = init
    gradient = grad(variational_objective)
    for t in range(20):
        params = params - 0.02 * gradient(params, t)
    return variational_objective, init, params


def bayesian_neural_net():
    """The same bound for the weights of a net, cut out of a matrix of samples."""
    rs = np.random.RandomState(0)
    inputs, targets = np.linspace(-2, 2, 8).reshape(8, 1), rs.randn(8, 1)
    layer_sizes = [1, 3, 1]
    shapes = list(zip(layer_sizes[:-1], layer_sizes[1:]))
    num_weights = sum((m + 1) * n for m, n in shapes)

    def unpack_layers(weights):
        num_weight_sets = len(weights)
        for m, n in shapes:
            yield (
                weights[:, : m * n].reshape((num_weight_sets, m, n)),
                weights[:, m * n : m * n + n].reshape((num_weight_sets, 1, n)),
            )
            weights = weights[:, (m + 1) * n :]

    def predictions(weights, inputs):
        inputs = np.expand_dims(inputs, 0)
        for W, b in unpack_layers(weights):
            outputs = np.einsum("mnd,mdo->mno", inputs, W) + b
            inputs = np.sin(outputs)
        return outputs

    def logprob(weights, inputs, targets):
        log_prior = -0.1 * np.sum(weights**2, axis=1)
        preds = predictions(weights, inputs)
        log_lik = -np.sum((preds - targets) ** 2, axis=1)[:, 0] / 0.2
        return log_prior + log_lik

    def objective(params, t):
        mean, log_std = params[0:num_weights], params[num_weights:]
        samples = np.random.RandomState(t).randn(4, num_weights) * np.exp(log_std) + mean
        entropy = 0.5 * num_weights * (1.0 + np.log(2 * np.pi)) + np.sum(log_std)
        return -(entropy + np.mean(logprob(samples, inputs, targets)))

    init = np.concatenate([0.3 * rs.randn(num_weights), -5 * np.ones(num_weights)])
    params, gradient = init, grad(objective)
    for t in range(15):
        params = params - 0.005 * gradient(params, t)
    return objective, init, params


def fluid_simulation():
    """Velocities that move smoke to a wanted picture: projection and advection on a small torus."""
    rows = cols = 5
    rs = np.random.RandomState(1)
    init_smoke, target = rs.rand(rows, cols), rs.rand(rows, cols)

    def project(vx, vy):
        p = np.zeros(vx.shape)
        h = 1.0 / vx.shape[0]
        div = (
            -0.5
            * h
            * (np.roll(vx, -1, axis=0) - np.roll(vx, 1, axis=0) + np.roll(vy, -1, axis=1) - np.roll(vy, 1, axis=1))
        )
        for _ in range(3):
            p = (
                div + np.roll(p, 1, axis=0) + np.roll(p, -1, axis=0) + np.roll(p, 1, axis=1) + np.roll(p, -1, axis=1)
            ) / 4.0
        vx -= 0.5 * (np.roll(p, -1, axis=0) - np.roll(p, 1, axis=0)) / h
        vy -= 0.5 * (np.roll(p, -1, axis=1) - np.roll(p, 1, axis=1)) / h
        return vx, vy

    def advect(f, vx, vy):
        cell_ys, cell_xs = np.meshgrid(np.arange(rows), np.arange(cols))
        center_xs = (cell_xs - vx).ravel()
        center_ys = (cell_ys - vy).ravel()
        left_ix = np.floor(center_xs).astype(int)
        top_ix = np.floor(center_ys).astype(int)
        rw, bw = center_xs - left_ix, center_ys - top_ix
        left_ix, right_ix = np.mod(left_ix, rows), np.mod(left_ix + 1, rows)
        top_ix, bot_ix = np.mod(top_ix, cols), np.mod(top_ix + 1, cols)
        flat_f = (1 - rw) * ((1 - bw) * f[left_ix, top_ix] + bw * f[left_ix, bot_ix]) + rw * (
            (1 - bw) * f[right_ix, top_ix] + bw * f[right_ix, bot_ix]
        )
        return np.reshape(flat_f, (rows, cols))

    def simulate(vx, vy, smoke, num_time_steps):
        for _ in range(num_time_steps):
            vx_updated, vy_updated = advect(vx, vx, vy), advect(vy, vx, vy)
            vx, vy = project(vx_updated, vy_updated)
            smoke = advect(smoke, vx, vy)
        return smoke

    def objective(params, t=0):
        init_vx = np.reshape(params[: (rows * cols)], (rows, cols))
        init_vy = np.reshape(params[(rows * cols) :], (rows, cols))
        return np.mean((target - simulate(init_vx, init_vy, init_smoke, 2)) ** 2)

    init = 0.2 + 0.1 * rs.rand(2 * rows * cols)
    params, gradient = init, grad(objective)
    for t in range(10):
        params = params - 0.2 * gradient(params, t)
    return objective, init, params


def ode_fit():
    """A small net as the right side of a differential equation, solved by RK4."""
    rs = np.random.RandomState(2)
    t_grid = np.linspace(0.0, 1.0, 6)
    true_y = np.stack([np.cos(2 * t_grid), np.sin(2 * t_grid)], axis=1)

    def nn_predict(inputs, t, params):
        for W, b in params:
            outputs = np.dot(inputs, W) + b
            inputs = np.maximum(0, outputs) + 0.1 * outputs
        return outputs

    def odeint(func, y0, ts, params):
        ys = [y0]
        for t, dt in zip(ts[:-1], np.diff(ts)):
            y = ys[-1]
            k1 = func(y, t, params)
            k2 = func(y + dt * k1 / 2, t + dt / 2, params)
            k3 = func(y + dt * k2 / 2, t + dt / 2, params)
            k4 = func(y + dt * k3, t + dt, params)
            ys.append(y + dt * (k1 + 2 * k2 + 2 * k3 + k4) / 6)
        return np.array(ys)

    def train_loss(params, iter):
        pred = odeint(nn_predict, true_y[0], t_grid, params)
        return np.mean(np.abs(pred - true_y))

    init = [(0.4 * rs.randn(m, n), 0.1 * rs.randn(n)) for m, n in ((2, 4), (4, 2))]
    params, gradient = init, grad(train_loss)
    for i in range(15):
        params = [(W - 0.1 * gW, b - 0.1 * gb) for (W, b), (gW, gb) in zip(params, gradient(params, i))]
    return train_loss, init, params


class conv_layer:
    """A layer object, as in autograd's convolutional net."""

    def __init__(self, kernel_shape, num_filters):
        self.kernel_shape, self.num_filters = kernel_shape, num_filters

    def forward_pass(self, inputs, param_vector):
        h, w = self.kernel_shape
        params = param_vector.reshape(self.num_filters, inputs.shape[1], h, w)
        windows = np.lib.stride_tricks.sliding_window_view(inputs, (h, w), axis=(2, 3))
        return np.einsum("nchwij,fcij->nfhw", windows, params)


class maxpool_layer:
    def __init__(self, pool_shape):
        self.pool_shape = pool_shape

    def forward_pass(self, inputs, param_vector):
        new_shape = inputs.shape[:2]
        for i in [0, 1]:
            pool_width, img_width = self.pool_shape[i], inputs.shape[i + 2]
            new_shape += (img_width // pool_width, pool_width)
        result = inputs.reshape(new_shape)
        return np.max(np.max(result, axis=3), axis=4)


def convnet():
    rs = np.random.RandomState(3)
    images, targets = rs.randn(4, 1, 6, 6), np.eye(2)[rs.randint(0, 2, 4)]
    layers = [(conv_layer((3, 3), 2), 18), (maxpool_layer((2, 2)), 0)]

    def predict(W_vect, inputs):
        cur_units, start = inputs, 0
        for layer, size in layers:
            cur_units = layer.forward_pass(cur_units, W_vect[start : start + size])
            start += size
        flat = cur_units.reshape((cur_units.shape[0], np.prod(cur_units.shape[1:])))
        out = flat @ W_vect[start:].reshape(8, 2)
        return out - np.log(np.sum(np.exp(out), axis=1, keepdims=True))

    def loss_fun(W_vect, i):
        return 0.001 * np.dot(W_vect, W_vect) - np.sum(predict(W_vect, images) * targets)

    init = 0.3 * rs.randn(18 + 16)
    params, gradient = init, grad(loss_fun)
    for i in range(12):
        params = params - 0.05 * gradient(params, i)
    return loss_fun, init, params


def tanh_derivatives():
    """Gradients of gradients, as on autograd's first page: a curve fitted by its slopes."""

    def tanh(x):
        return (1.0 - np.exp((-2 * x))) / (1.0 + np.exp(-(2 * x)))

    def slopes(scale, x):
        return grad(lambda t: np.sum(tanh(scale * t)))(x)

    x = np.linspace(-2, 2, 7)
    wanted = 1.3 / np.cosh(1.3 * x) ** 2

    def objective(scale, i):
        return np.sum((slopes(scale, x) - wanted) ** 2)

    scale, gradient = np.array(0.8), grad(objective)
    for i in range(15):
        scale = scale - 0.02 * gradient(scale, i)
    return objective, np.array(0.8), scale


def rosenbrock_newton():
    """Newton's steps by Hessian-vector products, which are the gradient of a dot product."""

    def rosenbrock(x, i=0):
        return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2

    gradient = grad(rosenbrock)

    def hvp(x, v):
        return grad(lambda t: np.dot(gradient(t), v))(x)

    init = np.array([-1.2, 1.0])
    x = init
    for _ in range(4):
        H = np.stack([hvp(x, e) for e in np.eye(2)])
        x = x - np.linalg.solve(H, gradient(x))
    return rosenbrock, init, x


def gauss_newton():
    """A curve fitted by its Jacobian, rows of which are pullbacks of unit vectors."""
    t = np.linspace(0, 1, 6)
    y = 2.0 * np.exp(-1.5 * t)

    def residuals(p):
        return p[0] * np.exp(-p[1] * t) - y

    def objective(p, i=0):
        return 0.5 * np.sum(residuals(p) ** 2)

    init = np.array([1.0, 0.5])
    p = init
    for _ in range(3):
        r, pullback = vjp(residuals, p)
        J = np.array([pullback(row)[0] for row in np.eye(len(t))])
        p = p - np.linalg.lstsq(J, r, rcond=None)[0]
    return objective, init, p


PROGRAMS = [
    black_box_svi, bayesian_neural_net, fluid_simulation, ode_fit, convnet, tanh_derivatives, rosenbrock_newton,
    gauss_newton,
]  # fmt: skip
