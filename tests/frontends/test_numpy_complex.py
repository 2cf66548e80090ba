"""Complex numbers in traced code: written to, joined, multiplied, solved for; checked against NumPy and differences."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

K = np.arange(3)
Z = np.array([1 + 2j, 0.5 - 1j, -0.3j])
POINT = np.array([0.3, -0.7, 1.2])


def parts_of_constants(x: Any) -> Any:
    z = 1j * np.linspace(0, 1, 3)
    return np.sum(z.imag * x)


def parts_of_constant_exponentials(x: Any) -> Any:
    z = np.exp(1j * np.arange(3))
    return np.sum(z.imag * x) + np.sum(np.real(z) * x) + np.sum(np.imag(z) * x)


def array_from_outside(x: Any) -> Any:
    return np.sum(np.abs(Z * x) ** 2)


def parts_of_array_from_outside(x: Any) -> Any:
    return np.sum((Z.imag * x) ** 2) + np.sum(Z.real * x) + np.abs(Z @ x)


def array_of_arrays(x: Any) -> Any:
    S = np.array([np.fft.rfft(x), np.fft.rfft(x * x)])
    return np.sum(np.abs(S) ** 2)


def array_of_numbers(x: Any) -> Any:
    S = np.array([np.sum(x * np.exp(-1j * w * np.arange(3))) for w in (0.0, 0.5, 1.0)])
    return np.sum(np.abs(S) ** 2)


def asarray(x: Any) -> Any:
    return np.abs(np.asarray(np.exp(1j * x)) + np.array(1j * x)).sum()


def parts_written(x: Any) -> Any:
    z = np.zeros(3, dtype=complex)
    z.real = x
    z.imag = x**2
    return np.sum(np.abs(z) ** 2 * K)


def elements_written(x: Any) -> Any:
    z = np.zeros(3, dtype=complex)
    z[0] = x[0] + 1j * x[1]
    z[1:] = np.exp(1j * x[1:])
    return np.sum(z.real * K) + np.sum(z.imag)


def rows_written(x: Any) -> Any:
    z = np.empty((2, 3), np.complex128)
    for i in range(2):
        z[i] = np.exp(1j * i * x)
    return np.abs(z.sum(axis=0)).sum()


def astype(x: Any) -> Any:
    return np.abs(x.astype(complex) * 1j + 1).sum()


def roots(x: Any) -> Any:
    return np.sum(np.sqrt(x + 1j * x**2).real * K) + np.sqrt(-x[0] + 0j).imag


def powers(x: Any) -> Any:
    return (
        np.abs((x + 1j) ** 1.5).sum()
        + ((1 + 1j * x) ** -1).real.sum()
        + ((1 + 1j * x) ** -2).imag.sum()
        + np.power(1j * x + 1, 3).real.sum()
    )


def complex_exponents(x: Any) -> Any:
    return (2.0 ** (1j * x)).real.sum() + (np.abs(x) ** (1j)).imag.sum()


def trigonometric(x: Any) -> Any:
    z = x + 0.5j
    return np.sum(
        np.cos(z).real + np.sin(z).imag + np.tanh(z).real + np.sinh(z).imag + np.cosh(z).real + np.tan(z).real
    )


def logarithms(x: Any) -> Any:
    return (
        np.log10(x + 1j).real.sum()
        + np.log2(x + 1j).imag.sum()
        + np.log1p(1j * x).real.sum()
        + np.expm1(1j * x).real.sum()
    )


def in_place(x: Any) -> Any:
    z = np.exp(1j * x)
    z *= 2
    z += x
    z -= 1j
    z /= 1 + 1j
    return np.abs(z).sum()


def element_in_place(x: Any) -> Any:
    z = np.exp(1j * x)
    z[0] = 0
    z[1] += 2j
    return np.abs(z).sum()


def products(x: Any) -> Any:
    return np.prod(x + 1j).real + np.prod(x + 1j).imag


def cumulative(x: Any) -> Any:
    return np.cumsum(np.exp(1j * x)).real.sum()


def outer(x: Any) -> Any:
    return np.abs(np.outer(np.exp(1j * x), x)).sum() + np.outer(np.exp(1j * x), x).imag.sum()


def einsum(x: Any) -> Any:
    return np.abs(np.einsum("i,ij->j", np.exp(1j * x), np.outer(x, x))).sum()


def vdot(x: Any) -> Any:
    return np.vdot(np.exp(1j * x), x * 1j).real + np.vdot(x * 1j, np.exp(1j * x)).imag + np.vdot(x + 1j, x + 1j).real


def dot(x: Any) -> Any:
    return np.exp(1j * x).dot(x).imag + (np.exp(1j * x) @ np.exp(-2j * x)).real


def adjoint_matrix(x: Any) -> Any:
    A = np.exp(1j * np.outer(x, x))
    return np.trace(A.conj().T @ A).real + np.linalg.norm(A) ** 2


def norms(x: Any) -> Any:
    return np.linalg.norm(np.fft.fft(x)) + np.linalg.norm(x + 1j, 1)


def solve(x: Any) -> Any:
    A = np.eye(3) + 1j * np.diag(x)
    return np.abs(np.linalg.solve(A, x + 0j)).sum()


def inverse(x: Any) -> Any:
    A = np.eye(2) + 1j * np.array([[x[0], x[1]], [x[1], x[2]]])
    return np.abs(np.linalg.inv(A)).sum()


def complex_of_elements(x: Any) -> Any:
    z = complex(x[0], x[1])
    return abs(z) + z.real * z.imag


def complex_of_numbers(a: Any, b: Any) -> Any:
    z = complex(a, b)
    return abs(z * z) + (z / (1 + z)).real


def polar(x: Any) -> Any:
    r, th = np.abs(x + 2j), np.angle(x + 2j)
    z = r * np.exp(1j * th)
    return z.real.sum() + z.imag.sum()


def isreal(x: Any) -> Any:
    return np.sum(np.where(np.isreal(x), x, 0)) + np.sum(np.real_if_close(x))


def largest(x: Any) -> Any:
    return np.max(np.abs(np.fft.fft(x)))


def differences(x: Any) -> Any:
    return np.abs(np.diff(np.exp(1j * x))).sum()


def polynomials(x: Any) -> Any:
    return np.abs(np.polyval(x, 1j)) + np.abs(np.polyval([1, 2], 1j * x)).sum()


def fourier(x: Any) -> Any:
    return np.abs(np.fft.ifft(np.fft.fft(x) * np.exp(1j * x)))[1]


def roots_of_unity(x: Any) -> Any:
    return np.abs(np.exp(2j * np.pi * K / 3) + x).sum()


def builtin_sum(x: Any) -> Any:
    return abs(sum(np.exp(1j * x[i]) for i in range(3)))


def rational(x: Any) -> Any:
    return np.abs((1j * x) * (2 + 3j) / (x + 1j) - 1).sum()


def squares(x: Any) -> Any:
    return np.square(1j * x + 1).imag.sum() + (np.abs(1j * x + 1) ** 2).sum()


def moments(x: Any) -> Any:
    z = np.exp(1j * x)
    return np.abs(z.mean()) + np.var(z) + np.std(z)


def absolute(x: Any) -> Any:
    return np.absolute(x * 1j).sum() + (x * 1j).__abs__().sum()


def kron(x: Any) -> Any:
    return np.abs(np.kron(x + 1j, x)).sum()


def signs(x: Any) -> Any:
    return (x * 1j * np.sign(x)).imag.sum()


def joined(x: Any) -> Any:
    return (
        np.abs(np.stack([x + 1j, x])).sum()
        + np.abs(np.concatenate([x + 1j, x])).sum()
        + np.abs(np.hstack([x, 1j * x])).sum()
    )


def cmath_exp(a: Any) -> Any:
    return abs(cmath.exp(1j * a) + 1)


def views(x: Any) -> Any:
    return ((x + 1j)[::-1] * K).real.sum() + (x + 1j)[None].T.shape[0] + (x + 1j).reshape(3, 1).imag.sum()


def reciprocal(x: Any) -> Any:
    return np.sum(1 / (1 + 1j * x)).real


def out(x: Any) -> Any:
    z = np.zeros(3, complex)
    np.multiply(1j, x, out=z)
    return np.abs(z + 1).sum()


def iterated(x: Any) -> Any:
    return sum([abs(v) ** 2 for v in np.fft.fft(x)])


def parts_of_elements(x: Any) -> Any:
    return sum(z.real for z in np.fft.fft(x))


def full(x: Any) -> Any:
    z = np.full(3, 1j)
    return np.abs(z * x + 1).sum()


def ones(x: Any) -> Any:
    return np.abs(np.ones(3, dtype=complex) * x + 1j).sum()


def like(x: Any) -> Any:
    z = np.zeros_like(x, dtype=complex)
    z += x
    z += 1j
    return np.abs(z).sum()


def matrix_of_numbers(x: Any) -> Any:
    A = np.array([[1 + 1j * x[0], x[1]], [x[2], 2.0]])
    return np.abs(np.linalg.inv(A)[0, 1]) + np.angle((A @ A)[0, 0])


def aliases(x: Any) -> Any:
    z = np.exp(1j * x)
    w = z
    w *= 2j
    v = z[1:]
    v += x[1:]
    z[0] = 5 * x[0]
    return z.real.sum() + (z.imag * K).sum() + v.imag.sum()


def copies(x: Any) -> Any:
    z = x + 1j * x**2
    c = z.conj()
    c[0] = 0
    p = +z
    p[1] = 0
    q = z.copy()
    q.imag = 0
    q.real[2] = 1
    return np.sum(z.real * z.imag) + c.real.sum() + p.imag.sum() + q.real.sum()


def traced_sizes(x: Any) -> Any:
    n = len(x)
    z = np.zeros(n, dtype=complex)
    o = np.ones(x.shape, dtype=np.complex128)
    f = np.full(x.shape, 2j)
    z[:] = x
    z = z * 1j + o * x + f
    return np.abs(z).sum() + np.abs(np.ones_like(z) * x + np.full_like(z, 1j)).sum() + np.zeros_like(z).real.sum()


def recursive_fourier(x: Any) -> Any:
    x = np.concatenate([x, [x[0]]])

    def fft(a: Any) -> Any:
        n = len(a)
        if n == 1:
            return a.astype(complex)
        e, o = fft(a[::2]), fft(a[1::2])
        w = np.exp(-2j * np.pi * np.arange(n // 2) / n)
        return np.concatenate([e + w * o, e - w * o])

    return np.sum(np.abs(fft(x)) ** 2 * np.arange(4)) + np.angle(fft(x)[1])


def slow_fourier(x: Any) -> Any:
    N = len(x)
    X = np.zeros(N, dtype=complex)
    for m in range(N):
        for n in range(N):
            X[m] += x[n] * np.exp(-2j * np.pi * m * n / N)
    return np.sum(np.abs(X)) + X[1].real


def qubit(x: Any) -> Any:
    psi = np.zeros(2, complex)
    psi[0] = 1
    X = np.array([[0, 1], [1, 0]])
    Y = np.array([[0, -1j], [1j, 0]])

    def H(t: Any, P: Any) -> Any:
        return np.cos(t / 2) * np.eye(2) - 1j * np.sin(t / 2) * P

    for i in range(3):
        psi = H(x[i], (X, Y)[i % 2]) @ psi
    return np.real(np.vdot(psi, Y @ psi)) + np.abs(psi[1]) ** 2


def fresnel(x: Any) -> Any:
    n1, n2 = 1.0, 1.5 + 0.1j * x[0]
    th = np.arcsin(0.3)
    c2 = np.sqrt(1 - (n1 * np.sin(th) / n2) ** 2)
    r = (n1 * np.cos(th) - n2 * c2) / (n1 * np.cos(th) + n2 * c2)
    return abs(r) ** 2


def impedance(x: Any) -> Any:
    R, L, C = np.abs(x)
    w = np.logspace(-1, 1, 7)
    Zs = R + 1j * w * L + 1 / (1j * w * C)
    return np.sum(20 * np.log10(np.abs(Zs))) + np.sum(np.angle(Zs, deg=True))


def split_step(x: Any) -> Any:
    A = x * np.exp(0.3j * x)
    w = np.fft.fftfreq(3) * 2 * np.pi
    for _ in range(3):
        A = np.fft.ifft(np.fft.fft(A) * np.exp(0.5j * w**2 * 0.1))
        A = A * np.exp(1j * np.abs(A) ** 2 * 0.1)
    return np.sum(np.abs(A) ** 4)


def characteristic(x: Any) -> Any:
    return np.prod(1 / (1 - 1j * x)).real + np.log(np.prod(1 - 1j * x)).imag


def spectral_mask(x: Any) -> Any:
    z = np.fft.rfft(np.outer(x, x), axis=1)
    z[:, 0] = 0
    z[np.abs(z) < 0.1] = 0
    return np.abs(np.fft.irfft(z, n=3, axis=1)).sum()


def cmath_functions(a: Any) -> Any:
    return cmath.phase(complex(a, 1)) + cmath.sqrt(-a).imag + (cmath.log(1j * a) * 2).real


OF_ARRAYS: list[Callable[..., Any]] = [
    parts_of_constants,
    parts_of_constant_exponentials,
    array_from_outside,
    parts_of_array_from_outside,
    array_of_arrays,
    array_of_numbers,
    asarray,
    parts_written,
    elements_written,
    rows_written,
    astype,
    roots,
    powers,
    complex_exponents,
    trigonometric,
    logarithms,
    in_place,
    element_in_place,
    products,
    cumulative,
    outer,
    einsum,
    vdot,
    dot,
    adjoint_matrix,
    norms,
    solve,
    inverse,
    complex_of_elements,
    polar,
    isreal,
    largest,
    differences,
    polynomials,
    fourier,
    roots_of_unity,
    builtin_sum,
    rational,
    squares,
    moments,
    absolute,
    kron,
    signs,
    joined,
    views,
    reciprocal,
    out,
    iterated,
    parts_of_elements,
    full,
    ones,
    like,
    matrix_of_numbers,
    aliases,
    copies,
    traced_sizes,
    recursive_fourier,
    slow_fourier,
    qubit,
    fresnel,
    impedance,
    split_step,
    characteristic,
    spectral_mask,
]
OF_NUMBERS: list[tuple[Callable[..., Any], tuple[float, ...]]] = [
    (complex_of_numbers, (0.3, 0.8)), (cmath_exp, (0.3,)), (cmath_functions, (0.3,)),
]  # fmt: skip


def agrees(f: Any, *args: Any) -> None:
    names = f.__code__.co_varnames[: f.__code__.co_argcount]
    inputs = dict(zip(names, args, strict=True))
    module = gc.compile(f, inputs)
    np.testing.assert_allclose(module(**inputs), f(*args), rtol=1e-12, atol=1e-12)
    gc.check_grads(module, inputs)


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("f", OF_ARRAYS, ids=lambda f: f.__name__)
def test_value_and_gradient(f: Callable[..., Any]) -> None:
    agrees(f, POINT)


@pytest.mark.parametrize(("f", "args"), OF_NUMBERS, ids=[f.__name__ for f, _ in OF_NUMBERS])
def test_numbers(f: Callable[..., Any], args: tuple[float, ...]) -> None:
    agrees(f, *args)


def test_roots_at_the_branch_cut_and_at_zero() -> None:
    z = np.array([-4.0 + 0j, 0j, 3e-200 + 4e-200j, 1e200 + 1j])

    def root(a: Any, b: Any) -> Any:
        return np.sqrt(a + 1j * b).real, np.sqrt(a + 1j * b).imag

    real, imag = gc.compile(root, {"a": "n", "b": "n"})(z.real, z.imag)
    np.testing.assert_allclose(real + 1j * imag, np.sqrt(z.real + 1j * z.imag), rtol=1e-15)


def test_single_precision_stays() -> None:
    def f(x: Any) -> Any:
        z = np.sqrt(x + 1j * x) * np.exp(1j * x) / (2 + x.astype(np.complex64))
        return np.sum(np.abs(z) ** 2)

    value, slope = gc.value_and_grad(f)(POINT.astype(np.float32))
    assert value.dtype == np.float32 and slope.dtype == np.float32
    np.testing.assert_allclose(value, f(POINT), rtol=1e-5)


def test_what_does_not_fit_says_so() -> None:
    def into_real(x: Any) -> Any:
        y = np.zeros(3)
        np.multiply(1j, x, out=y)
        return y.sum()

    def returned(x: Any) -> Any:
        return x * 1j

    def singular(x: Any) -> Any:
        return np.linalg.norm(np.outer(x, x) * 1j, 2)

    for f, text in ((into_real, "real array"), (returned, "complex numbers"), (singular, "singular values")):
        with pytest.raises(gc.UnsupportedError, match=text):
            gc.compile(f, {"x": POINT})
