"""Fourier transforms: NumPy's values, gradients by central differences, odd and even sizes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

RNG = np.random.default_rng(7)
W = RNG.standard_normal((8, 8))


def weighed(z: Any) -> Any:
    """One number of all parts of a complex array, each with a weight of its own."""
    w = W[: z.shape[0], : z.shape[-1]] if z.ndim > 1 else W[0, : z.shape[0]]
    return np.sum(w * np.real(z)) + 2.0 * np.sum(w * w * np.imag(z)) if np.iscomplexobj(z) else np.sum(w * z * z)


VECTORS: list[Callable[[Any], Any]] = [
    lambda x: np.fft.fft(x),
    lambda x: np.fft.ifft(x),
    lambda x: np.fft.rfft(x),
    lambda x: np.fft.fft(x, norm="ortho"),
    lambda x: np.fft.ifft(x, norm="forward"),
    lambda x: np.fft.rfft(x, n=4),
    lambda x: np.fft.fft(x, 8),
    lambda x: np.fft.irfft(np.fft.rfft(x), n=len(x)),
    lambda x: np.fft.irfft(np.fft.rfft(x)),
    lambda x: np.fft.irfft(np.fft.rfft(x, norm="ortho"), n=x.shape[0], norm="ortho"),
    lambda x: np.fft.ifft(np.fft.fft(x) * np.exp(1j * x)),
    lambda x: np.fft.fftshift(np.fft.fft(x)),
    lambda x: np.fft.ifftshift(x),
    lambda x: np.abs(np.fft.fft(x)),
    lambda x: np.angle(np.fft.fft(x)[1:3]),
    lambda x: np.conj(np.fft.fft(x)) / (2.0 + np.fft.fft(x) ** 2),
    lambda x: np.fft.fft(x) * np.fft.fftfreq(x.shape[0], 0.5),
    lambda x: np.fft.rfft(x) * np.fft.rfftfreq(len(x)),
    lambda x: np.concatenate([np.fft.fft(x)[:3], x[:3]]),
    lambda x: np.where(x > 0, np.fft.fft(x), 1j * x),
    lambda x: np.fft.fft(x).sum() * np.ones(2),
    lambda x: (x + 1j) @ np.fft.fft(x) * np.ones(1),
]
MATRICES: list[Callable[[Any], Any]] = [
    lambda x: np.fft.fft2(x),
    lambda x: np.fft.ifft2(np.fft.fft2(x)),
    lambda x: np.fft.rfft2(x),
    lambda x: np.fft.irfft2(np.fft.rfft2(x), s=x.shape),
    lambda x: np.fft.fft(x, axis=0),
    lambda x: np.fft.rfft(x, axis=0),
    lambda x: np.fft.fftn(x, axes=(0,)),
    lambda x: np.fft.fftshift(np.fft.fft2(x), axes=(1,)),
    lambda x: np.fft.fft2(x, s=(6, 8)),
    lambda x: np.fft.fft(x).T.reshape(-1)[:8],
]


@pytest.mark.parametrize("size", [5, 6])
@pytest.mark.parametrize("f", VECTORS, ids=range(len(VECTORS)))
def test_vectors(f: Callable[[Any], Any], size: int) -> None:
    check(lambda x: weighed(f(x)), RNG.standard_normal(size))


@pytest.mark.parametrize("shape", [(3, 4), (4, 5)])
@pytest.mark.parametrize("f", MATRICES, ids=range(len(MATRICES)))
def test_matrices(f: Callable[[Any], Any], shape: tuple[int, int]) -> None:
    check(lambda x: weighed(f(x)), RNG.standard_normal(shape))


def check(f: Callable[[Any], Any], x: np.ndarray) -> None:
    module = gc.compile(f, {"x": x})
    assert abs(module(x) - f(x)) <= 1e-12 * (1.0 + abs(f(x)))
    gc.check_grads(module, {"x": x})


def test_second_order() -> None:
    def power(x: Any) -> Any:
        return np.sum(np.abs(np.fft.rfft(x)) ** 4) + np.sum(np.fft.irfft(np.fft.rfft(x) ** 2, n=len(x)) ** 3)

    x = RNG.standard_normal(6)
    gc.check_grads(lambda x: np.sum(gc.grad(power)(x) ** 2), {"x": x})


def test_single_precision_stays() -> None:
    x = RNG.standard_normal(8).astype(np.float32)
    module = gc.compile(lambda x: np.sum(np.abs(np.fft.rfft(x)) ** 2), {"x": x})
    value, gradients = module.value_and_grad(x)
    assert np.asarray(value).dtype == gradients.x.dtype == np.float32


def test_symbolic_sizes() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.fft.irfft(np.fft.rfft(x) * 2.0, n=x.shape[0]) ** 3)

    module = gc.compile(f, {"x": "n"})
    for size in (1, 4, 7):
        x = RNG.standard_normal(size)
        np.testing.assert_allclose(module.grad(x).x, 24.0 * x**2, rtol=1e-12)


def test_complex_results_are_refused() -> None:
    with pytest.raises(gc.UnsupportedError, match="returns complex numbers"):
        gc.compile(lambda x: np.fft.fft(x), {"x": "n"})
    with pytest.raises(gc.DtypeError, match="complex128"):
        gc.compile(lambda x: np.abs(x), {"x": np.ones(3) * 1j})


def test_text_models_have_pairs() -> None:
    module = gc.compile("sum(np.fft.rfft(x)[0]**2 + np.fft.rfft(x)[1]**2)", {"x": "n"})
    x = RNG.standard_normal(6)
    assert abs(module(x) - np.sum(np.abs(np.fft.rfft(x)) ** 2)) < 1e-12
    gc.check_grads(module, {"x": x})
