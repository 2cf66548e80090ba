"""The examples on real data, each against an independent implementation of the same model."""

import numpy as np
import pytest
from example_scripts import script
from scipy.signal import correlate2d
from sklearn.datasets import load_digits, load_iris
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, ExpSineSquared, WhiteKernel
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from statsmodels.discrete.discrete_model import Poisson

import graphc as gc

logistic, poisson, process, mixture, convnet, style, speed = map(
    script, ("logistic_regression", "poisson_regression", "gaussian_process", "mixture", "convnet", "style", "speed")
)


# --- logistic regression ---


def test_logistic_regression_is_scikit_learns():
    X, y, X_held, y_held = logistic.data()
    theta = logistic.fit(X, y).x
    peer = LogisticRegression(C=1 / (len(y) * logistic.RIDGE), tol=1e-10, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(theta, [*peer.coef_[0], *peer.intercept_], rtol=0, atol=1e-4)
    assert logistic.accuracy(theta, X_held, y_held) == peer.score(X_held, y_held) >= 0.96


@pytest.mark.parametrize("scale", [0.0, 1.0, 100.0])
def test_logistic_gradient_by_hand(scale):
    """X.T @ (p - y) / n and the penalty's; also where p rounds to 0 and 1."""
    X, y, *_ = logistic.data()
    theta = scale * np.random.default_rng(0).standard_normal(X.shape[1] + 1)
    z = X @ theta[:-1] + theta[-1]
    residual = (0.5 * (1 + np.tanh(z / 2)) - y) / len(y)
    by_hand = np.append(X.T @ residual + logistic.RIDGE * theta[:-1], residual.sum())
    value, gradient = logistic.value_and_grad(theta, X, y)
    np.testing.assert_allclose(gradient, by_hand, rtol=1e-10, atol=1e-10)
    likelihood = np.mean(np.logaddexp(0, z) - y * z)
    np.testing.assert_allclose(value, likelihood + logistic.RIDGE / 2 * np.sum(theta[:-1] ** 2), rtol=1e-12)


# --- Poisson regression ---


@pytest.fixture(scope="module")
def visits():
    """The data and statsmodels' model of them."""
    _, X, y = poisson.data()
    return X, y, Poisson(y, X)


def test_poisson_regression_is_statsmodels(visits):
    X, y, model = visits
    peer = model.fit(disp=0, method="newton", tol=1e-12)
    found = poisson.fit(X, y)
    np.testing.assert_allclose(found.beta, peer.params, rtol=1e-8)
    np.testing.assert_allclose(found.error, peer.bse, rtol=1e-8)
    np.testing.assert_allclose(poisson.loglikelihood(found.beta, X, y), peer.llf, rtol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_poisson_score_and_hessian(visits, seed):
    X, y, model = visits
    beta = 0.05 * np.random.default_rng(seed).standard_normal(X.shape[1])
    for ours, peers in (
        (poisson.score(beta, X, y), model.score(beta)),
        (poisson.hessian(beta, X, y), model.hessian(beta)),
    ):
        np.testing.assert_allclose(ours, peers, rtol=1e-8, atol=1e-12 * np.abs(peers).max())


# --- Gaussian processes ---


def with_white_noise(theta, t, y):
    length, noise = np.exp(theta[0]), np.exp(theta[1])
    K = process.rbf(t, t, 1.0, length) + noise * np.eye(len(t))
    return process.log_marginal_likelihood(K, y)


def negative(theta, t, y):
    return -process.loss(theta, t, y)


SEASONS = ConstantKernel() * RBF() + ConstantKernel() * RBF() * ExpSineSquared(periodicity_bounds="fixed")


@pytest.mark.parametrize(
    ("function", "kernel", "theta"),
    [
        *((with_white_noise, RBF() + WhiteKernel(), theta) for theta in ([0.0, 0.0], [-1.0, -3.0], [1.5, 1.0])),
        (negative, SEASONS + WhiteKernel(), np.log(list(process.START.values()))),
        (negative, SEASONS + WhiteKernel(), [-1.0, -0.5, 2.0, 4.0, 0.3, -3.0]),
    ],
)
def test_marginal_likelihood_is_scikit_learns(function, kernel, theta):
    t, y = (values[:120] for values in process.data())
    peer = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(t[:, None], y)
    wanted, slopes = peer.log_marginal_likelihood(np.array(theta), eval_gradient=True)
    value, gradient = gc.value_and_grad(function)(np.array(theta), t, y)
    np.testing.assert_allclose(value, wanted, rtol=1e-8)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-8, atol=1e-8 * np.abs(slopes).max())


# --- mixtures of Gaussians ---


@pytest.fixture(scope="module")
def irises():
    """The data, scikit-learn's converged mixture, and its parameters as the example has them."""
    X = load_iris().data
    peer = GaussianMixture(3, reg_covar=0, tol=1e-13, max_iter=1000, random_state=0).fit(X)
    U = peer.precisions_cholesky_
    diagonal = np.log(np.diagonal(U, axis1=1, axis2=2))
    return X, peer, {"logits": np.log(peer.weights_), "means": peer.means_, "diagonal": diagonal, "above": U}


def test_mixture_densities_are_scikit_learns(irises):
    X, peer, params = irises
    ours = gc.compile(mixture.log_densities, {"params": params, "X": X})(params, X)
    np.testing.assert_allclose(ours, peer.score_samples(X), rtol=1e-8, atol=1e-8)
    far = X + 1000.0
    assert (np.exp(peer.score_samples(far)) == 0).all()
    ours = gc.compile(mixture.log_densities, {"params": params, "X": X})(params, far)
    np.testing.assert_allclose(ours, peer.score_samples(far), rtol=1e-8)


def test_where_em_ends_the_gradient_is_zero(irises):
    X, _, params = irises
    _, gradients = mixture.value_and_grad(params, X)
    assert {name: np.abs(g).max() < 1e-6 for name, g in gradients.items()} == dict.fromkeys(params, True)
    _, elsewhere = mixture.value_and_grad({**params, "means": params["means"] + 0.01}, X)
    assert np.abs(elsewhere["means"]).max() > 1e-3


def test_mixture_is_fitted_as_well_as_by_em(irises):
    X, peer, _ = irises
    params, _ = mixture.fit(X, mixture.start(X, np.random.default_rng(0)))
    assert abs(-mixture.loss(params, X) - peer.score(X)) < 1e-6


def test_mixture_gradients():
    X, rng = load_iris().data[::10], np.random.default_rng(1)
    params = {name: p + 0.1 * rng.standard_normal(p.shape) for name, p in mixture.start(X, rng).items()}
    gc.check_grads(mixture.loss, {"params": params, "X": X}, tolerance=1e-7)


# --- a convolutional network ---


def shifted(rng):
    """Parameters away from the kinks: the blank corners of images do not give relu(0)."""
    return {name: p + 0.1 * rng.standard_normal(p.shape) for name, p in convnet.start(rng).items()}


def test_convolution_by_scipy():
    params, image = shifted(np.random.default_rng(0)), load_digits().images[7] / 16
    maps = [correlate2d(image, f, mode="valid") + b for f, b in zip(params["filters"], params["shift"], strict=True)]
    pooled = [[[m[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max() for m in maps] for j in range(3)] for i in range(3)]
    hidden = np.maximum(np.maximum(pooled, 0).ravel() @ params["W1"] + params["b1"], 0)
    compiled = gc.compile(convnet.scores, {"params": params, "images": image[None]})
    np.testing.assert_allclose(compiled(params, image[None])[0], hidden @ params["W2"] + params["b2"], rtol=1e-12)


def test_convnet_gradients():
    digits = load_digits()
    point = {"params": shifted(np.random.default_rng(1)), "images": digits.images[:6] / 16, "labels": digits.target[:6]}
    report = gc.check_grads(convnet.loss, point, wrt="params", tolerance=1e-6)
    assert {row.name for row in report.rows} == set(point["params"])


# --- code as people write it ---


def test_gradients_of_a_class_by_complex_steps():
    """Plain NumPy at x + 1e-30j has the derivative in its imaginary part, to the last digits."""
    X, y, _, _ = style.data()
    rng = np.random.default_rng(3)
    network = style.Network(X.shape[1], 5, 4, 3)
    params, masks = network.start(rng), network.masks(len(y), rng)
    gradients = gc.grad(network.loss)(params, X, y, masks)
    assert [list(layer) for layer in gradients] == [list(layer) for layer in params]
    for number, layer in enumerate(params):
        for name, array in layer.items():
            steps = np.zeros_like(array)
            for index in np.ndindex(array.shape):
                moved = array.astype(complex)
                moved[index] += 1e-30j
                stepped = [{**old, name: moved} if i == number else old for i, old in enumerate(params)]
                steps[index] = network.loss(stepped, X, y, masks).imag / 1e-30
            np.testing.assert_allclose(gradients[number][name], steps, rtol=1e-10, atol=1e-14)


# --- what is measured ---


@pytest.mark.parametrize("name", speed.cases(np))
def test_what_is_measured_is_right(name):
    function, (*parameters, X, y), places = speed.cases(np)[name]
    arguments = (*parameters, X[:20], y[:20])
    names = function.__code__.co_varnames[: len(arguments)]
    point = dict(zip(names, arguments, strict=True))
    report = gc.check_grads(function, point, wrt=[names[p] for p in places], tolerance=1e-6)
    assert len(report.rows) == len(places)
    value, _ = speed.generated(function, arguments, places)()
    np.testing.assert_allclose(value, function(*arguments), rtol=1e-12)
