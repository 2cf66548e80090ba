"""What records say of their exactness, measured: against mpmath, and in the same operations on long numbers.

test_formula("tanh")     the largest error at some hundred points, of NumPy's text and of the scalar one
test_lengths("sum")      NumPy's sum against that of mpmath's numbers, in the unit that the record names
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest
import samples as catalogue
import ulps

from graphc.ir import control
from graphc.ir.interpret import evaluate_node
from graphc.ir.leaf import INPUT, input_node
from graphc.ir.node import make
from graphc.ir.op import Op
from graphc.ir.types import TensorType
from graphc.ops import REGISTRY, exactness

Sample = catalogue.Sample

OF_ONE = re.compile(r"([\d.]+) ulp of 1 \+ \|y\|")


def declared(op: Op) -> tuple[float, bool] | None:
    """The number of ulp, and whether they are those of 1 + |y|; None if the record has another phrase."""
    if not isinstance(op.exactness, str):
        return op.exactness, False
    found = OF_ONE.fullmatch(op.exactness)
    return (float(found[1]), True) if found else None


def value_of(op: Op, sample: Any) -> np.ndarray:
    args = [input_node(f"x{i}", TensorType(str(a.dtype), a.shape)) for i, a in enumerate(sample.args)]
    with np.errstate(all="ignore"):
        return evaluate_node(make(op, args, **sample.attrs), sample.args, sample.sizes)


# --- exact ---

# An input is what it is given, and loops and branches are as exact as their bodies.
MEASURED = {n: op for n, op in REGISTRY.items() if op not in (INPUT, *control.OPS)}
EXACT = [n for n, op in MEASURED.items() if op.exactness == 0]


@pytest.mark.parametrize("name", EXACT)
def test_exact(name: str) -> None:
    """The bits of the reference, at every sample."""
    for sample in catalogue.samples(name):
        found, wanted = value_of(REGISTRY[name], sample), np.asarray(catalogue.REFERENCE[name](sample))
        assert found.dtype == wanted.dtype and found.shape == wanted.shape
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype.kind != "f" or np.array_equal(np.signbit(found), np.signbit(wanted)), str(sample)


# --- a formula to compare with ---


def numeric(op: Op) -> bool:
    """Whether it makes numbers of numbers: what makes or takes truth values is exact, and tested so."""
    return "mask" not in op.traits and op.name != "where"


FORMULAS = [n for n, op in REGISTRY.items() if op.elementwise and op.sympy and numeric(op)]


def arguments(op: Op, attrs: Mapping[str, Any], dtype: str) -> tuple[np.ndarray, ...]:
    """Those of the samples, and some hundred over the whole domain."""
    rng = np.random.default_rng([7, *op.name.encode()])
    given = [s.args for s in catalogue.samples(op.name) if dict(s.attrs) == attrs]
    rows = [[np.ravel(c) for c in np.broadcast_arrays(*g)] for g in given if {str(a.dtype) for a in g} == {dtype}]
    rows.append(list(ulps.places(op, rng, dtype, 60)))
    return tuple(map(np.concatenate, zip(*rows, strict=True)))


def scalar_values(op: Op, columns: tuple[np.ndarray, ...], attrs: Mapping[str, Any]) -> list[float]:
    space: dict[str, Any] = {"math": math}
    for helper in op.helpers:
        exec(helper.scalar, space)
    code = compile(op.scalar or "", op.name, "eval")
    points = zip(*map(np.ndarray.tolist, columns), strict=True)
    return [eval(code, space, {**attrs, **dict(zip(op.args, point, strict=True))}) for point in points]


def worst(op: Op, attrs: Mapping[str, Any], dtype: str, of_one: bool) -> ulps.Miss:
    columns = arguments(op, attrs, dtype)
    found = [value_of(op, Sample(columns, attrs)).tolist()]
    if dtype == "float64":
        found.append(scalar_values(op, columns, attrs))
    call = ulps.exact(op, attrs)
    misses = [ulps.Miss(0.0)]
    for point, *values in zip(zip(*columns, strict=True), *found, strict=True):
        true = ulps.true_value(call, point)
        if true is not None and abs(true) <= ulps.LARGEST[dtype]:
            unit = ulps.last_place(1 + abs(true) if of_one else true, dtype)
            misses += [ulps.Miss(ulps.distance(v, true, unit), tuple(map(float, point)), dtype) for v in values]
    assert len(misses) > 100
    return max(misses)


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name: str) -> None:
    """Not more than is declared; and not much less, or the record says nothing.

    A factor of 4 and one ulp are left for other processors, whose vector functions are others: on those that
    have none, most functions of `math` are right to half an ulp.
    """
    op = REGISTRY[name]
    bound = declared(op)
    assert bound is not None, op.exactness
    found = max(worst(op, a, t, bound[1]) for a in catalogue.ATTRS.get(name, [{}]) for t in ("float64", "float32"))
    assert found.ulps <= bound[0] * (1.0 + 1e-9), f"{op.accuracy} is declared, and found is {found}"
    assert bound[0] <= 4.0 * max(found.ulps, 1.0 if bound[0] > 1.0 else 0.0) + 1.0, f"{op.accuracy} for {found}"


# --- what depends on lengths ---


def long(array: np.ndarray) -> np.ndarray:
    """Numbers of mpmath, in which the operations of NumPy go on; integers stay what they are."""
    if array.dtype.kind != "f":
        return array
    numbers = np.empty(array.shape, dtype=object)
    numbers[...] = np.frompyfunc(lambda v: mpmath.mpf(float(v)), 1, 1)(array)
    return numbers


root, exponential, logarithm = (np.frompyfunc(f, 1, 1) for f in (mpmath.sqrt, mpmath.exp, mpmath.log))


def centred(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    return x - x.sum(axis=axes, keepdims=True) / count(x, axes)


def count(x: np.ndarray, axes: tuple[int, ...]) -> int:
    return math.prod(x.shape[a] for a in axes)


def variance(x: np.ndarray, axes: tuple[int, ...], keepdims: bool, ddof: int) -> Any:
    return (centred(x, axes) ** 2).sum(axis=axes, keepdims=keepdims) / (count(x, axes) - ddof)


def probabilities(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    e = exponential(x)
    return e / e.sum(axis=axes, keepdims=True)


def crossed(a: np.ndarray, b: np.ndarray, sign: int) -> np.ndarray:
    pairs = ((1, 2), (2, 0), (0, 1))
    return np.stack([a[..., i] * b[..., j] + sign * a[..., j] * b[..., i] for i, j in pairs], axis=-1)


def waves(z: np.ndarray, axis: int, inverse: bool) -> np.ndarray:
    """The transform by its definition, over n if it is the inverse one."""
    n = z.shape[axis]
    turn = mpmath.mpc(0, (2 if inverse else -2)) * mpmath.pi / n
    matrix = np.array([[mpmath.exp(turn * (i * j)) for j in range(n)] for i in range(n)], dtype=object)
    moved = np.moveaxis(z, axis, 0)
    out = np.einsum("ij,j...->i...", matrix, moved)
    return np.moveaxis(out / n if inverse else out, 0, axis)


real, imaginary, conjugate = (
    np.frompyfunc(f, 1, 1) for f in (lambda v: mpmath.mpc(v).real, lambda v: mpmath.mpc(v).imag, mpmath.conj)
)


def halves(z: np.ndarray) -> np.ndarray:
    return np.stack([real(z), imaginary(z)])


def joined(x: np.ndarray) -> Any:
    return x[0] + mpmath.mpc(0, 1) * x[1]


def mirrored(x: np.ndarray, n: int, axis: int) -> np.ndarray:
    """The whole transform of n real numbers from its first half; the ends are real."""
    z = np.moveaxis(joined(x), axis, 0)
    ends = [0] + ([n // 2] if n % 2 == 0 else [])
    first = [real(z[k]) if k in ends else z[k] for k in range(n // 2 + 1)]
    rest = [conjugate(first[n - k]) for k in range(n // 2 + 1, n)]
    return np.moveaxis(np.array([*first, *rest], dtype=object).reshape(n, *z.shape[1:]), 0, axis)


# The ops on numbers of mpmath.
LONG: dict[str, Callable[..., Any]] = {
    "sum": lambda x, axes, keepdims: x.sum(axis=axes, keepdims=keepdims),
    "mean": lambda x, axes, keepdims: x.sum(axis=axes, keepdims=keepdims) / count(x, axes),
    "prod": lambda x, axes, keepdims: x.prod(axis=axes, keepdims=keepdims),
    "prod_of_others": lambda x, axes: catalogue.others(x, axes),
    "var": variance,
    "std": lambda x, axes, keepdims, ddof: root(variance(x, axes, keepdims, ddof)),
    "norm": lambda x, axes, keepdims: root((x**2).sum(axis=axes, keepdims=keepdims)),
    "logsumexp": lambda x, axes, keepdims: logarithm(exponential(x).sum(axis=axes, keepdims=keepdims)),
    "softmax": probabilities,
    "log_softmax": lambda x, axes: logarithm(probabilities(x, axes)),
    "overshoot": lambda x, axes: x.max(axis=axes, keepdims=True) - np.clip(x.max(axis=axes, keepdims=True), -700, 700),
    "cumsum": lambda x, axis: np.cumsum(x, axis),
    "cumprod": lambda x, axis: np.cumprod(x, axis),
    "cumlogsumexp": lambda x, axis: logarithm(np.cumsum(exponential(x), axis)),
    "recurrence": lambda factor, x, axis, reverse: catalogue.recurring(factor, x, axis, reverse),
    "bincount": lambda x, weights, n: np.array([weights[x == k].sum() for k in range(n)], dtype=object),
    "matmul": np.matmul,
    "outer": lambda a, b: np.multiply.outer(a, b),
    "cross": lambda a, b: crossed(a, b, -1),
    "einsum": lambda a, b, subscripts: np.einsum(subscripts, a, b),
    "convolve": np.convolve,
    "astype": lambda x, dtype: x,
    "add_at": lambda base, value, *place, index: catalogue.added(base, value, index.resolve({}, place)),
    "overlap_add": lambda x, axes, shape: catalogue.summed_windows(x, axes, shape),
    "fft": lambda x, axis, inverse: halves(waves(joined(x), axis, inverse)),
    "rfft": lambda x, axis: halves(waves(x, axis, False).take(range(x.shape[axis] // 2 + 1), axis)),
    "irfft": lambda x, n, axis: halves(waves(mirrored(x, n, axis), axis, True))[0],
}


class Case(NamedTuple):
    """One sample in numbers of mpmath, its true value, and how many elements make one of it."""

    name: str
    args: tuple[np.ndarray, ...]
    attrs: Mapping[str, Any]
    true: np.ndarray
    n: int

    @property
    def magnitudes(self) -> Any:
        """The same sum over the absolute values of its terms."""
        places = self.name in ("bincount", "add_at")
        args = tuple(a if places and a.dtype != object else np.abs(a) for a in self.args)
        if self.name == "cross":
            return crossed(*args, 1)
        if self.name in ("fft", "rfft", "irfft"):
            return self._sum_of_parts(args[0])
        return LONG[self.name](*args, **self.attrs)

    def _sum_of_parts(self, x: np.ndarray) -> np.ndarray:
        """Of a transform every element has the same one: all parts, twice for the half of real numbers."""
        parts = x if self.name == "rfft" else x[0] + x[1]
        total = parts.sum(axis=self.attrs["axis"], keepdims=True)
        over = {"fft": self.n if self.attrs.get("inverse") else 1, "rfft": 1, "irfft": self.n / 2}[self.name]
        return total / over  # type: ignore[no-any-return]

    @property
    def size(self) -> np.ndarray:
        return np.abs(self.true)

    @property
    def below(self) -> Any:
        """How far each element is below the largest."""
        x = self.args[0]
        return x.max(axis=self.attrs["axes"], keepdims=True) - x

    def mean_error(self, dtype: str) -> Any:
        x, axes = np.abs(self.args[0]), self.attrs["axes"]
        mean = x.sum(axis=axes, keepdims=self.attrs["keepdims"]) / self.n
        return units(mean, dtype) * self.n


def units(size: Any, dtype: str) -> Any:
    return np.frompyfunc(lambda v: ulps.last_place(v, dtype), 1, 1)(size)


# What each phrase allows.
ALLOWED: dict[float | str, Callable[[Case, str], Any]] = {
    0.5: lambda c, t: 0.5 * units(c.size, t),
    exactness.SUM: lambda c, t: c.n * units(c.magnitudes, t),
    exactness.MEAN: lambda c, t: c.n * units(c.magnitudes, t),
    exactness.RECURRENCE: lambda c, t: 2 * c.n * units(c.magnitudes, t),
    exactness.PRODUCT: lambda c, t: c.n * units(c.size, t),
    exactness.VARIANCE: lambda c, t: (c.n + 4) * units(c.size, t) + c.mean_error(t) ** 2,
    exactness.DEVIATION: lambda c, t: (c.n + 4) * units(c.size, t) + c.mean_error(t),
    exactness.LOGSUMEXP: lambda c, t: (c.n + 4) * units(1 + np.abs(c.args[0]).max(), t),
    exactness.SOFTMAX: lambda c, t: (c.n + 4 + c.below) * units(c.size, t),
    exactness.LOG_SOFTMAX: lambda c, t: (c.n + 4) * units(1 + c.size, t),
    exactness.FOURIER: lambda c, t: 4 * math.log2(2 * c.n) * units(c.magnitudes, t),
}

# How many elements make one of the result.
TERMS: dict[str, Callable[..., int]] = {
    **dict.fromkeys(("cumsum", "cumprod", "cumlogsumexp", "recurrence"), lambda x, *rest, axis, **attrs: x.shape[axis]),
    "bincount": lambda x, weights, n: max(1, x.size),
    "matmul": lambda a, b: max(1, a.shape[-1]),
    "outer": lambda a, b: 1,
    "astype": lambda x, dtype: 1,
    "cross": lambda a, b: 2,
    "einsum": lambda a, b, subscripts: math.prod(
        d for k, d in zip(subscripts, a.shape, strict=False) if k not in subscripts.partition("->")[2]
    ),
    "convolve": lambda a, v, mode: min(a.size, v.size),
    "add_at": lambda base, value, *place, index: 1 + value.size,
    "overlap_add": lambda x, axes, shape: math.prod(x.shape[len(shape) :]),
    "fft": lambda x, axis, inverse: x.shape[axis + 1],
    "rfft": lambda x, axis: x.shape[axis],
    "irfft": lambda x, n, axis: n,
}


def lengthy(name: str) -> list[Any]:
    """The samples of floats, the same numbers over many orders of magnitude, and long lines of them."""
    rng = np.random.default_rng([3, *name.encode()])
    given = [s for s in catalogue.samples(name) if not s.sizes and any(a.dtype.kind == "f" for a in s.args)]
    found = [s for s in given if value_of(REGISTRY[name], s).dtype.kind == "f" and all(a.size for a in s.args)]
    spread = 2.0 if name in ("recurrence", "prod", "cumprod", "prod_of_others") else 6.0

    def wild(a: np.ndarray) -> np.ndarray:
        return (a * 10.0 ** rng.uniform(-spread, spread, a.shape)).astype(a.dtype) if a.dtype.kind == "f" else a

    lines = [
        Sample((rng.normal(size=(2, 400)).astype(dtype),), {**given[0].attrs, "axes": (1,)})
        for dtype in ("float64", "float32")
        if "reduction" in REGISTRY[name].traits
    ]
    return [*found, *(Sample(tuple(map(wild, s.args)), s.attrs) for s in found), *lines]


@pytest.mark.parametrize("name", sorted(LONG))
def test_lengths(name: str) -> None:
    op = REGISTRY[name]
    tried = 0
    with mpmath.workdps(700 if "log" in name or "soft" in name else 60):
        for sample in lengthy(name):
            found = value_of(op, sample)
            if found.dtype.kind != "f" or (name == "overshoot" and found.dtype != np.float64):
                continue
            args = tuple(map(long, sample.args))
            true = np.asarray(LONG[name](*args, **sample.attrs), dtype=object)
            terms = TERMS.get(name, lambda x, axes, **rest: count(x, axes))(*args, **sample.attrs)
            case = Case(name, args, sample.attrs, true, terms)
            allowed = np.asarray(ALLOWED[op.exactness](case, str(found.dtype)), dtype=object)
            misses = np.asarray(np.abs(long(found) - true), dtype=object)
            over = misses > np.broadcast_to(allowed, true.shape)
            assert found.shape == true.shape and not over.any(), f"{sample}: {misses[over]}"
            tried += found.size
    assert tried >= 40


# --- matrices ---


def wide(*arrays: np.ndarray) -> list[np.ndarray]:
    return [a.astype(np.longdouble) for a in arrays]


def size(a: np.ndarray) -> float:
    """The Frobenius norm; of a stack that of the largest."""
    axes = tuple(range(a.ndim))[-2:]
    return float(np.sqrt(np.square(a).sum(axis=axes)).max(initial=0.0))


def apart(a: Any, b: Any) -> float:
    return float(np.max(np.abs(np.subtract(a, b)), initial=0.0))


def factor(name: str, *args: np.ndarray, **attrs: Any) -> np.ndarray:
    return value_of(REGISTRY[name], Sample(args, attrs)).astype(np.longdouble)


def symmetric_residual(x: np.ndarray) -> tuple[float, float]:
    """A V - V W, and V.T V - 1."""
    w, v = factor("eigh_values", x), factor("eigh_vectors", x)
    [a] = wide(x)
    turned = apart(v.swapaxes(-1, -2) @ v, np.eye(x.shape[-1])) * size(a)
    return max(apart(a @ v, v * w[..., None, :]), turned), size(a)


def singular_residual(x: np.ndarray) -> tuple[float, float]:
    u, s, vt = (factor(n, x) for n in ("svd_u", "svd_values", "svd_vt"))
    [a] = wide(x)
    one = np.eye(s.shape[-1])
    turned = max(apart(u.swapaxes(-1, -2) @ u, one), apart(vt @ vt.swapaxes(-1, -2), one))
    return max(apart((u * s[..., None, :]) @ vt, a), turned * size(a)), size(a)


def triangular_residual(x: np.ndarray) -> tuple[float, float]:
    q, r = factor("qr_q", x), factor("qr_r", x)
    [a] = wide(x)
    return max(apart(q @ r, a), apart(q.swapaxes(-1, -2) @ q, np.eye(r.shape[-1])) * size(a)), size(a)


def cholesky_residual(x: np.ndarray) -> tuple[float, float]:
    low = factor("cholesky", x)
    return apart(low @ low.swapaxes(-1, -2), wide(x)[0]), size(x)


def inverse_residual(x: np.ndarray) -> tuple[float, float]:
    y = factor("inv", x)
    return apart(wide(x)[0] @ y, np.eye(x.shape[-1])), size(x) * size(y)


def solve_residual(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    x = factor("solve", a, b)
    columns = (x[..., None], b[..., None]) if b.ndim == 1 else (x, b)
    return apart(wide(a)[0] @ columns[0], columns[1]), size(a) * size(columns[0])


def fit_residual(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """A.T (A x - b) is 0 for the best x."""
    x = factor("lstsq", a, b)
    [w] = wide(a)
    return apart(w.T @ (w @ x - b), 0.0), size(a) * (size(a) * size(x) + size(b))


def pseudo_residual(a: np.ndarray, rcond: Any) -> tuple[float, float]:
    x = factor("pinv", a, rcond=rcond)
    [w] = wide(a)
    return apart(w @ x @ w, w), size(a) ** 2 * size(x)


def long_cofactors(x: np.ndarray) -> np.ndarray:
    n = x.shape[-1]
    out = np.empty(x.shape, dtype=object)
    for index in np.ndindex(x.shape):
        *front, i, j = index
        minor = np.delete(np.delete(x[tuple(front)], i, 0), j, 1)
        out[index] = (-1) ** (i + j) * (mpmath.det(mpmath.matrix(minor.tolist())) if n > 1 else mpmath.mpf(1))
    return out


def determinant(x: np.ndarray) -> np.ndarray:
    """By the cofactors of the first row."""
    return (x[..., 0, :] * long_cofactors(x)[..., 0, :]).sum(axis=-1)


def determinant_residual(x: np.ndarray) -> tuple[float, float]:
    """A relative change of A by e changes det(A) by at most e norm(A) norm(cofactors) n."""
    wanted = np.asarray(determinant(long(x)), dtype=object)
    scale = size(x) * size(long_cofactors(long(x)).astype(float)) * x.shape[-1]
    return apart(long(factor("det", x).astype(float)), wanted), scale


def sign_residual(x: np.ndarray) -> tuple[float, float]:
    wanted = np.sign(np.asarray(determinant(long(x)), dtype=object).astype(float))
    return apart(factor("slogdet_sign", x), wanted), 1.0


def log_residual(x: np.ndarray) -> tuple[float, float]:
    det = np.abs(np.asarray(determinant(long(x)), dtype=object))
    scale = determinant_residual(x)[1] / float(np.min(det)) + apart(logarithm(det), 0.0)
    return apart(long(factor("slogdet_log", x).astype(float)), logarithm(det)), scale


def rank_residual(x: np.ndarray) -> tuple[float, float]:
    return apart(factor("matrix_rank", x), min(x.shape[-2:])), 1.0


def cofactor_residual(x: np.ndarray) -> tuple[float, float]:
    n = x.shape[-1]
    return apart(long(factor("cofactor", x).astype(float)), long_cofactors(long(x))), n * size(x) ** (n - 1)


def slope_residual(x: np.ndarray, along: np.ndarray) -> tuple[float, float]:
    """Cofactors are polynomials of degree 4 at most here: extrapolated central differences are exact."""
    n, a, v = x.shape[-1], long(x), long(along)
    near, far = (long_cofactors(a + h * v) - long_cofactors(a - h * v) for h in (1, 2))
    found = long(factor("cofactor_slope", x, along).astype(float))
    return apart(found, (8 * near - far) / 12), n * size(x) ** (n - 2) * size(along)


RESIDUALS: dict[str, Callable[..., tuple[float, float]]] = {
    **dict.fromkeys(("eigh_values", "eigh_vectors"), symmetric_residual),
    **dict.fromkeys(("svd_u", "svd_values", "svd_vt"), singular_residual),
    **dict.fromkeys(("qr_q", "qr_r"), triangular_residual),
    "cholesky": cholesky_residual,
    "inv": inverse_residual,
    "solve": solve_residual,
    "lstsq": fit_residual,
    "pinv": pseudo_residual,
    "det": determinant_residual,
    "slogdet_sign": sign_residual,
    "slogdet_log": log_residual,
    "matrix_rank": rank_residual,
    "cofactor": cofactor_residual,
    "cofactor_slope": slope_residual,
}
MODEST = 4.0


@pytest.mark.parametrize("name", sorted(RESIDUALS))
def test_matrices(name: str) -> None:
    """What a factorisation leaves over is at most 4 n ulp of the size of what it was made of."""
    tried = 0
    for sample in catalogue.samples(name):
        dtypes = {a.dtype for a in sample.args}
        if not all(a.size for a in sample.args) or dtypes not in ({np.dtype("float64")}, {np.dtype("float32")}):
            continue
        left, scale = RESIDUALS[name](*sample.args, **sample.attrs)
        n = max(d for a in sample.args for d in a.shape[-2:])
        assert left <= MODEST * n * float(np.spacing(scale, dtype=dtypes.pop())), f"{sample}: {left} beside {scale}"
        tried += 1
    assert tried >= 7


def test_every_record_is_measured() -> None:
    assert set(EXACT) | set(FORMULAS) | set(LONG) | set(RESIDUALS) == set(MEASURED)
    matrices = {exactness.LAPACK, exactness.COFACTOR, exactness.COFACTOR_SLOPE}
    assert {REGISTRY[n].exactness for n in RESIDUALS} == matrices
    assert {REGISTRY[n].exactness for n in LONG} == set(ALLOWED)


WORDS: dict[float | str, str] = {0.0: "exact", 0.5: "correctly rounded", 4: "4 ulp", "n ulp": "n ulp"}


@pytest.mark.parametrize(("said", "words"), WORDS.items())
def test_in_words(said: float | str, words: str) -> None:
    assert Op("f", ("x",), lambda t, a: t[0], "x", "", exactness=said).accuracy == words
