"""Arguments for every op: ordinary values inside the domain, in many shapes, layouts and dtypes.

    samples("matmul")   ->   [Sample((a, b), {}), ...]

An op without an entry in `SAMPLES` fails the suite.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import mpmath
import numpy as np
import scipy.linalg
import scipy.special

from graphc.ir.dims import Size, evaluate
from graphc.ir.index import Array, Index, Range
from graphc.ir.node import Constant
from graphc.ir.types import TensorType
from graphc.ops import FAMILIES, REGISTRY

N, H = Size.named("n"), Size.named("h")

ELEMENTWISE = (
    "arithmetic",
    "functions",
    "elementary functions",
    "selection",
    "signs and questions",
    "floating-point numbers",
)


class Sample(NamedTuple):
    """Arguments and attributes of one op; `sizes` are the values of the sizes in the attributes."""

    args: tuple[np.ndarray, ...]
    attrs: Mapping[str, Any] = MappingProxyType({})
    sizes: Mapping[str, int] = MappingProxyType({})

    def __str__(self) -> str:
        shapes = ", ".join(f"{a.dtype}{list(a.shape)}" for a in self.args)
        return f"({shapes}; {dict(self.attrs)})"


# --- values ---

LIMITS: dict[str, tuple[float, float]] = {
    "(-oo, oo)": (-3.0, 3.0),
    "[0, oo)": (0.05, 4.0),
    "(0, oo)": (0.05, 4.0),
    "(-1, oo)": (-0.9, 4.0),
    "(-oo, 0)": (-4.0, -0.05),
    "[-1, 1]": (-0.95, 0.95),
    "[1, oo)": (1.05, 4.0),
    "(0, 1)": (0.05, 0.95),
    "(0, 2)": (0.05, 1.95),
}


def draw(rng: np.random.Generator, shape: Sequence[int], domain: str, dtype: str = "float64") -> np.ndarray:
    """Distinct values, spread evenly over the domain, in random order: nothing is near a kink or a tie."""
    if dtype == "bool":
        return rng.random(shape) < 0.5
    size = math.prod(shape)
    if dtype.startswith("int"):
        low, high = LIMITS.get(domain, (1.0, 5.0))
        return rng.integers(math.ceil(low), max(math.floor(high), math.ceil(low)) + 1, shape).astype(dtype)
    low, high = LIMITS.get(domain, (0.3, 3.0))
    grid = low + (high - low) * (np.arange(size) + rng.uniform(0.2, 0.8, size)) / max(size, 1)
    if domain == "nonzero":
        grid *= np.where(np.arange(size) % 2, 1.0, -1.0)
    return rng.permutation(grid).reshape(shape).astype(dtype)


def layouts(array: np.ndarray) -> Iterator[np.ndarray]:
    """The same values in memory orders that NumPy treats differently."""
    yield np.asfortranarray(array)
    wide = np.repeat(array, 2, axis=-1)
    yield wide[..., ::2]
    yield np.ascontiguousarray(array[::-1])[::-1]


# --- elementwise ---

ONE = [(40,), (), (1,), (3, 4), (0,), (2, 0), (1, 1), (2, 1, 3)]
TWO = [
    ((40,), (40,)),
    ((), ()),
    ((), (3,)),
    ((3,), ()),
    ((1,), (5,)),
    ((3, 4), (4,)),
    ((3, 1), (1, 4)),
    ((4,), (3, 4)),
    ((2, 3, 4), (3, 1)),
    ((0,), (1,)),
    ((0, 3), (3,)),
    ((1, 1), ()),
]
THREE = [
    ((40,), (40,), (40,)),
    ((), (), ()),
    ((), (3,), (3,)),
    ((3,), (), ()),
    ((3, 1), (1, 4), (4,)),
    ((0,), (1,), ()),
    ((3, 4), (4,), ()),
    ((2, 1), (2, 3), (1,)),
    ((5,), (1,), (5,)),
    ((1, 1), (3,), (2, 1)),
]
WIDTH = {1: [(s,) for s in ONE], 2: TWO, 3: THREE}
_INTEGERS = [("int64",), ("int32",)]
_MIXED = [
    ("float32", "float32"),
    ("float32", "float64"),
    ("int64", "float64"),
    ("int32", "float32"),
    ("float32", "int64"),
    ("int64", "int64"),
    ("int32", "int64"),
    ("int32", "int32"),
]
BOOLEANS = frozenset({"logical_and", "logical_or", "logical_xor", "logical_not"})
ALSO_BOOLEAN = frozenset({"add", "multiply", "equal", "not_equal", "stop_gradient", "fmax", "fmin"})
ATTRS: dict[str, list[dict[str, Any]]] = {
    "clip": [{"lo": -1.0, "hi": 1.5}, {"lo": 0.0, "hi": 1.0}],
    "sinc_slope": [{"n": n} for n in (1, 2, 3)],
    "polygamma": [{"n": n} for n in (1, 2, 3)],
    "bessel_i": [{"n": n} for n in (0, 1, 2)],
    "bessel_ie": [{"n": n} for n in (0, 1, 2)],
    "astype": [{"dtype": d} for d in ("float64", "float32", "int64", "int32", "bool")],
}


def dtypes_of(name: str) -> list[tuple[str, ...]]:
    """The dtypes of the arguments that are tried besides float64."""
    width = len(REGISTRY[name].args)
    if name in BOOLEANS:
        return []
    if name == "where":
        return [("bool", *pair) for pair in [*_MIXED, ("bool", "bool"), ("bool", "float64")]]
    pairs = [("float32",), *_INTEGERS] if width == 1 else list(_MIXED)
    if name in ALSO_BOOLEAN:
        pairs += [("bool",) * width]
    if name in ALSO_BOOLEAN and width == 2:
        pairs += [("bool", "int64"), ("float32", "bool")]
    return pairs


def elementwise(name: str, rng: np.random.Generator) -> Iterator[Sample]:
    op = REGISTRY[name]
    width = len(op.args)
    domains = op.domain or ("(-oo, oo)",) * width
    plain = ("bool",) * width if name in BOOLEANS else ("float64",) * width
    plain = ("bool", "float64", "float64") if name == "where" else plain
    for attrs in ATTRS.get(name, [{}]):
        for shapes in WIDTH[width]:
            yield Sample(tuple(map(draw, [rng] * width, shapes, domains, plain)), attrs)
        first = tuple(draw(rng, (4, 3), d, t) for d, t in zip(domains, plain, strict=True))
        for layout in zip(*map(layouts, first), strict=True):
            yield Sample(layout, attrs)
        for dtypes in dtypes_of(name):
            shapes = WIDTH[width][4 if width == 2 else 0]
            whole = name == "power" and not any(d.startswith("float") for d in dtypes)
            limits = ("[0, oo)",) * width if whole else domains  # NumPy refuses 2**-1 in integers
            yield Sample(tuple(map(draw, [rng] * width, shapes, limits, dtypes)), attrs)


def between_powers(name: str, rng: np.random.Generator) -> Iterator[Sample]:
    """The samples of an elementwise op, kept away from the powers of 2."""
    for sample in elementwise(name, rng):
        [x] = sample.args
        m, e = np.frexp(x)
        kept = np.asarray(np.ldexp(np.sign(m) * (0.55 + 0.8 * (np.abs(m) - 0.5)), e), x.dtype)
        yield Sample((kept if x.dtype.kind == "f" else x,), sample.attrs)


# --- whole numbers ---


def wholes(rng: np.random.Generator, least: int = -9, width: int = 2) -> Iterator[Sample]:
    """Integers from `least` to 9, in mixed dtypes; with booleans beside them."""
    for shapes in WIDTH[width]:
        yield Sample(tuple(rng.integers(least, 10, s) for s in shapes))
    for dtypes in [("int32", "int32"), ("int64", "int32"), ("bool", "int64"), ("int32", "bool")]:
        arrays = tuple(rng.integers(least, 10, (3, 4)).astype(d) for d in dtypes[:width])
        if any(a.dtype != np.bool_ for a in arrays):
            yield Sample(arrays)


# --- reductions ---

AXES = [
    ((7,), (0,)),
    ((3, 4), (0,)),
    ((3, 4), (1,)),
    ((3, 4), (0, 1)),
    ((2, 3, 4), (1,)),
    ((2, 3, 4), (0, 2)),
    ((1, 4), (0,)),
    ((1,), (0,)),
    ((4, 1), (0, 1)),
    ((2, 3, 4), (0, 1, 2)),
]
EMPTY = [((0,), (0,)), ((3, 0), (1,)), ((0, 3), (1,)), ((2, 0), (0, 1))]
NEED_ELEMENTS = frozenset({"max", "min", "logsumexp", "softmax", "log_softmax", "top", "overshoot"})
NO_VALUE_WHEN_EMPTY = frozenset({"mean", "var", "std"})


def reduction(name: str, rng: np.random.Generator) -> Iterator[Sample]:
    attrs = REGISTRY[name].attrs
    options: list[dict[str, Any]] = [{}]
    if "keepdims" in attrs:
        options = [{"keepdims": False}, {"keepdims": True}]
    if "ddof" in attrs:
        options = [{**o, "ddof": d} for o in options for d in (0, 1)]
    empties = [] if name in NEED_ELEMENTS | NO_VALUE_WHEN_EMPTY else EMPTY
    kept = [((0, 3), (1,))] if name in NEED_ELEMENTS else []
    for option in options:
        for shape, axes in [*AXES, *empties, *kept]:
            if math.prod(shape[a] for a in axes) - option.get("ddof", 0) <= 0 and (shape, axes) not in empties + kept:
                continue
            yield Sample((draw(rng, shape, "(-oo, oo)"),), {"axes": axes, **option})
        for layout in layouts(draw(rng, (3, 4), "(-oo, oo)")):
            yield Sample((layout,), {"axes": (1,), **option})
        dtypes = ["float32"] if name in NEED_ELEMENTS else ["float32", "int64", "int32", "bool"]
        for dtype in [*dtypes, *(["int64", "int32", "bool"] if name in ("max", "min") else [])]:
            yield Sample((draw(rng, (3, 4), "(-oo, oo)", dtype),), {"axes": (0,), **option})


def truths(rng: np.random.Generator) -> Iterator[Sample]:
    for keepdims in (False, True):
        for shape, axes in [*AXES, *EMPTY]:
            for share in (0.2, 0.8):
                yield Sample((rng.random(shape) < share,), {"axes": axes, "keepdims": keepdims})


# --- along one axis ---

LINES = [
    ((7,), 0),
    ((1,), 0),
    ((2,), 0),
    ((3, 4), 0),
    ((3, 4), 1),
    ((2, 3, 4), 1),
    ((2, 3, 2), 2),
    ((2, 3, 2), 0),
    ((4, 1), 1),
    ((1, 3), 1),
    ((0,), 0),
    ((3, 0), 1),
    ((0, 3), 1),
]


def along(
    *options: dict[str, Any], arguments: int = 1, empty: bool = True, integers: bool = True
) -> Callable[..., Iterator[Sample]]:
    """Samples of an op with an attribute `axis` and these further attributes."""

    def generate(rng: np.random.Generator) -> Iterator[Sample]:
        for option in options or ({},):
            for shape, axis in LINES:
                if math.prod(shape) or empty:
                    yield Sample(
                        tuple(draw(rng, shape, "(-oo, oo)") for _ in range(arguments)), {"axis": axis, **option}
                    )
            for layout in layouts(draw(rng, (3, 4), "(-oo, oo)")):
                yield Sample((layout,) * arguments, {"axis": 1, **option})
            for dtype in ("float32", "int64", "int32") if integers else ("float32",):
                first = draw(rng, (3, 4), "(-oo, oo)", dtype)
                yield Sample((first, first[::-1])[:arguments], {"axis": 1, **option})

    return generate


def permutations(rng: np.random.Generator) -> Iterator[Sample]:
    for sample in along()(rng):
        noise = rng.random(sample.args[0].shape)
        yield Sample((*sample.args, np.argsort(noise, axis=sample.attrs["axis"])), sample.attrs)


def positions(rng: np.random.Generator) -> Iterator[Sample]:
    for sample in along({"keepdims": False}, {"keepdims": True}, empty=False)(rng):
        yield sample
        if sample.args[0].shape == (3, 4):
            yield Sample(sample.args, {**sample.attrs, "axis": None})


def parts(rng: np.random.Generator) -> Iterator[Sample]:
    for sample in along(empty=False)(rng):
        size = sample.args[0].shape[sample.attrs["axis"]]
        yield Sample(sample.args, {**sample.attrs, "kth": size // 2})
        yield Sample(sample.args, {**sample.attrs, "kth": (0, size - 1)})


def searched(*options: dict[str, Any], flipped: bool = False) -> Callable[..., Iterator[Sample]]:
    """A sorted vector and values, some of which are in it; `flipped`: the values come first."""

    def generate(rng: np.random.Generator) -> Iterator[Sample]:
        for option in options:
            for size, shape in [
                (5, (7,)),
                (5, ()),
                (1, (3,)),
                (0, (3,)),
                (4, (2, 3)),
                (3, (0,)),
                (6, (1,)),
                (2, (2, 1)),
            ]:
                edges = np.sort(draw(rng, (size,), "(-oo, oo)"))
                values = draw(rng, shape, "(-oo, oo)")
                values.reshape(-1)[: min(values.size, size)] = edges[: values.size]
                yield Sample((values, edges) if flipped else (edges, values), option)
            for dtypes in [("float32", "float32"), ("int64", "int64"), ("int64", "float64")]:
                pair = np.sort(draw(rng, (5,), "(-oo, oo)", dtypes[0])), draw(rng, (6,), "(-oo, oo)", dtypes[1])
                yield Sample(pair[::-1] if flipped else pair, option)

    return generate


def counted(rng: np.random.Generator) -> Iterator[Sample]:
    for size, n in [(1, 1), (5, 3), (5, 8), (0, 2), (7, 4), (3, 5), (6, 2), (10, 3), (4, 4), (2, 6)]:
        yield Sample((rng.integers(0, n, size), draw(rng, (size,), "(-oo, oo)")), {"n": n})
    yield Sample((rng.integers(0, 4, 6), draw(rng, (6,), "(-oo, oo)", "float32")), {"n": 4})


def convolutions(rng: np.random.Generator) -> Iterator[Sample]:
    for mode in ("full", "same", "valid"):
        for n, m in [(5, 3), (6, 4), (4, 4), (3, 1), (1, 1), (7, 2), *([(2, 5), (1, 3)] if mode == "full" else [])]:
            yield Sample((draw(rng, (n,), "(-oo, oo)"), draw(rng, (m,), "(-oo, oo)")), {"mode": mode})
        for pair in [("float32", "float32"), ("int64", "int32"), ("float32", "int64")]:
            yield Sample((draw(rng, (5,), "(-oo, oo)", pair[0]), draw(rng, (2,), "(-oo, oo)", pair[1])), {"mode": mode})


# --- shapes ---


def arrays(rng: np.random.Generator, shapes: Sequence[Sequence[int]], dtype: str = "float64") -> tuple[np.ndarray, ...]:
    return tuple(draw(rng, s, "(-oo, oo)", dtype) for s in shapes)


def listed(rows: Sequence[tuple[Sequence[Sequence[int]], dict[str, Any]]]) -> Callable[..., Iterator[Sample]]:
    """Samples for a table of (shapes, attributes): every row in float64, the first three in other dtypes, too."""

    def generate(rng: np.random.Generator) -> Iterator[Sample]:
        for shapes, attrs in rows:
            yield Sample(arrays(rng, shapes), attrs)
        for shapes, attrs in rows[:3]:
            for dtype in ("float32", "int64", "int32"):
                yield Sample(arrays(rng, shapes, dtype), attrs)
            yield Sample(tuple(next(layouts(a)) if a.ndim > 1 else a for a in arrays(rng, shapes)), attrs)

    return generate


def joined(rng: np.random.Generator) -> Iterator[Sample]:
    for shapes, axis in [
        (((3,), (4,)), 0),
        (((3,), (0,)), 0),
        (((2, 3), (2, 1)), 1),
        (((2, 3), (4, 3)), 0),
        (((2, 3),), 1),
        (((1, 2), (1, 3), (1, 4)), 1),
        (((0, 2), (0, 2)), 0),
        (((2, 3, 4), (2, 5, 4)), 1),
        (((5,),) * 4, 0),
    ]:
        yield Sample(arrays(rng, shapes), {"axis": axis})
    for pair in [("float32", "float32"), ("float32", "int64"), ("int32", "float64"), ("int32", "int64")]:
        yield Sample(tuple(draw(rng, (3,), "(-oo, oo)", d) for d in pair), {"axis": 0})


def stacked(rng: np.random.Generator) -> Iterator[Sample]:
    for shapes, axis in [
        (((),), 0),
        (((),) * 3, 0),
        (((3,), (3,)), 0),
        (((3,), (3,)), 1),
        (((2, 3),) * 2, 0),
        (((2, 3),) * 2, 1),
        (((2, 3),) * 2, 2),
        (((0,),) * 2, 1),
        (((1, 1),), 1),
        (((2, 3, 4),) * 2, 3),
    ]:
        yield Sample(arrays(rng, shapes), {"axis": axis})
    for pair in [("float32", "float32"), ("float32", "int64"), ("int32", "float64"), ("int32", "int64")]:
        yield Sample(tuple(draw(rng, (3,), "(-oo, oo)", d) for d in pair), {"axis": 1})


TRANSPOSES = [
    ((3, 4), (1, 0)),
    ((3, 4), (0, 1)),
    ((2, 3, 4), (2, 1, 0)),
    ((2, 3, 4), (1, 0, 2)),
    ((2, 3, 4), (2, 0, 1)),
    ((2, 3, 4), (1, 2, 0)),
    ((5,), (0,)),
    ((0, 3), (1, 0)),
    ((2, 3, 1, 2), (0, 3, 2, 1)),
    ((1, 4), (1, 0)),
]
RESHAPES = [
    ((3, 4), (12,)),
    ((3, 4), (2, 6)),
    ((12,), (3, 4)),
    ((), (1,)),
    ((1, 1), ()),
    ((3, 1), (3,)),
    ((0, 3), (0,)),
    ((2, 3, 4), (4, 6)),
    ((2, 3, 4), (6, 4)),
    ((4,), (2, 1, 2)),
]
BROADCASTS = [
    ((4,), (3, 4)),
    ((3, 1), (3, 4)),
    ((), (2, 3)),
    ((1,), (5,)),
    ((3, 4), (3, 4)),
    ((1, 4), (0, 4)),
    ((1, 1), (2, 3)),
    ((), (0,)),
    ((3, 1), (2, 3, 4)),
    ((2, 1, 3), (4, 2, 5, 3)),
]
EXPANDED = [
    ((3,), (0,)),
    ((3,), (1,)),
    ((), (0,)),
    ((), (0, 1)),
    ((2, 3), (1,)),
    ((2, 3), (0, 3)),
    ((0,), (1,)),
    ((2, 3), (2,)),
    ((2, 3), (0, 1)),
    ((1,), (0, 2)),
]
SQUEEZED = [
    ((1, 3), (0,)),
    ((3, 1), (1,)),
    ((1,), (0,)),
    ((1, 1), (0, 1)),
    ((1, 1), (1,)),
    ((2, 1, 3), (1,)),
    ((1, 0), (0,)),
    ((1, 2, 1), (0, 2)),
    ((2, 3, 1), (2,)),
    ((1, 2, 3), (0,)),
]
PRODUCTS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)),
    ((1,), (1,)),
    ((1, 3), (3, 1)),
    ((0,), (0,)),
    ((2, 0), (0, 3)),
    ((0, 3), (3,)),
    ((2, 1, 2, 3), (3,)),
    ((3,), (2, 1, 3, 4)),
]


def outers(rng: np.random.Generator) -> Iterator[Sample]:
    for m, n in [(3, 4), (1, 4), (3, 1), (1, 1), (0, 3), (3, 0), (2, 2), (5, 2), (4, 4), (7, 3)]:
        yield Sample(arrays(rng, ((m,), (n,))))
    for pair in [("float32", "float32"), ("float32", "int64"), ("int32", "float64"), ("int64", "int64")]:
        yield Sample((draw(rng, (3,), "(-oo, oo)", pair[0]), draw(rng, (4,), "(-oo, oo)", pair[1])))


def matmuls(rng: np.random.Generator) -> Iterator[Sample]:
    yield from listed([(shapes, {}) for shapes in PRODUCTS])(rng)
    for pair in [("float32", "float64"), ("int64", "float32"), ("int32", "int64"), ("bool", "float64")]:
        yield Sample((draw(rng, (2, 3), "(-oo, oo)", pair[0]), draw(rng, (3, 2), "(-oo, oo)", pair[1])))


# --- linear algebra ---

SQUARES = [(3, 3), (1, 1), (2, 2), (4, 4), (2, 3, 3), (2, 1, 2, 2), (5, 5), (0, 2, 2)]
TALL = [(4, 3), (3, 1), (2, 2), (1, 1), (5, 2), (3, 3), (2, 4, 3), (0, 3, 2)]
WIDE = [(3, 4), (1, 3), (2, 3, 4)]


def well_conditioned(rng: np.random.Generator, shape: Sequence[int], dtype: str = "float64") -> np.ndarray:
    """A random matrix, and a diagonal of different sizes that keeps it far from singular and from ties."""
    x = draw(rng, shape, "(-oo, oo)") / 3.0
    place = np.arange(min(shape[-2:]))
    x[..., place, place] += 4.0 * (place + 1.0)
    return x.astype(dtype)


def symmetric(rng: np.random.Generator, shape: Sequence[int], dtype: str = "float64") -> np.ndarray:
    x = well_conditioned(rng, shape).astype(dtype)
    return x + x.swapaxes(-1, -2)


def matrices(
    shapes: Sequence[Sequence[int]], make: Callable[..., np.ndarray] = well_conditioned, **attrs: Any
) -> Callable[..., Iterator[Sample]]:
    """One matrix, or a stack of them: every shape in float64, the first two in other dtypes, too."""

    def generate(rng: np.random.Generator) -> Iterator[Sample]:
        for shape in shapes:
            yield Sample((make(rng, shape),), attrs)
        for shape in shapes[:2]:
            for dtype in ("float32", "int64", "int32"):
                yield Sample((make(rng, shape, dtype),), attrs)
            yield Sample((np.asfortranarray(make(rng, shape)),), attrs)

    return generate


def systems(rng: np.random.Generator) -> Iterator[Sample]:
    for a, b in [
        ((3, 3), (3,)),
        ((3, 3), (3, 2)),
        ((1, 1), (1,)),
        ((2, 2), (2, 1)),
        ((2, 3, 3), (3,)),
        ((2, 3, 3), (3, 2)),
        ((3, 3), (2, 3, 2)),
        ((2, 1, 3, 3), (4, 3, 2)),
        ((1, 3, 3), (4, 3, 1)),
        ((2, 2), (2, 0)),
        ((4, 4), (4, 4)),
    ]:
        yield Sample((well_conditioned(rng, a), draw(rng, b, "(-oo, oo)")))
    for pair in [("float32", "float32"), ("float32", "float64"), ("int64", "float32"), ("int32", "int64")]:
        yield Sample((well_conditioned(rng, (3, 3), pair[0]), draw(rng, (3, 2), "(-oo, oo)", pair[1])))


def fits(rng: np.random.Generator) -> Iterator[Sample]:
    for a, b in [
        ((4, 3), (4,)),
        ((4, 3), (4, 2)),
        ((3, 3), (3,)),
        ((2, 3), (2,)),
        ((3, 5), (3, 2)),
        ((1, 1), (1,)),
        ((5, 1), (5,)),
        ((1, 3), (1, 1)),
        ((6, 2), (6, 3)),
        ((2, 2), (2, 4)),
    ]:
        yield Sample((well_conditioned(rng, a), draw(rng, b, "(-oo, oo)")))
    for pair in [("float32", "float32"), ("int64", "float64"), ("int32", "int64")]:
        yield Sample((well_conditioned(rng, (4, 3), pair[0]), draw(rng, (4,), "(-oo, oo)", pair[1])))


def slopes(rng: np.random.Generator) -> Iterator[Sample]:
    for shape in [*SQUARES, *SQUARES[:3]]:
        yield Sample((well_conditioned(rng, shape), draw(rng, shape, "(-oo, oo)")))
    for shape in SQUARES[:2]:
        for dtype in ("float32", "int64", "int32"):
            yield Sample((well_conditioned(rng, shape, dtype), draw(rng, shape, "(-oo, oo)", dtype)))


def pseudo_inverses(rng: np.random.Generator) -> Iterator[Sample]:
    yield from matrices([*TALL[:-1], *WIDE], rcond=None)(rng)
    yield Sample((well_conditioned(rng, (4, 3)),), {"rcond": 1e-6})


def triangles(rng: np.random.Generator) -> Iterator[Sample]:
    for k in (0, -1, 2):
        for shape in [(3, 3), (2, 4), (4, 2), (1, 1), (2, 3, 3), (0, 2)]:
            yield Sample(arrays(rng, (shape,)), {"k": k})
        for dtype in ("float32", "int64", "bool"):
            yield Sample((draw(rng, (3, 3), "(-oo, oo)", dtype),), {"k": k})


def einsums(rng: np.random.Generator) -> Iterator[Sample]:
    rows = [
        ("i,i->", (3,), (3,)),
        ("bi,bi->b", (2, 3), (2, 3)),
        ("bi,ib->b", (2, 3), (3, 2)),
        ("bij,bj->bi", (2, 3, 4), (2, 4)),
        ("bi,bij->jb", (2, 3), (2, 3, 4)),
        ("ij,jk->ki", (2, 3), (3, 4)),
        ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
        ("i,j->ji", (2,), (3,)),
        ("ij,ij->", (2, 3), (2, 3)),
        ("ab,ba->ab", (2, 0), (0, 2)),
        ("i,->i", (3,), ()),
    ]
    for subscripts, a, b in rows:
        yield Sample(arrays(rng, (a, b)), {"subscripts": subscripts})
    for pair in [("float32", "float32"), ("float32", "float64"), ("int64", "float64"), ("int32", "int64")]:
        both = (draw(rng, (2, 3), "(-oo, oo)", d) for d in pair)
        yield Sample(tuple(both), {"subscripts": "bi,bi->b"})


def crosses(rng: np.random.Generator) -> Iterator[Sample]:
    for a, b in [
        ((3,), (3,)),
        ((4, 3), (3,)),
        ((3,), (2, 3)),
        ((2, 3), (2, 3)),
        ((2, 1, 3), (4, 3)),
        ((0, 3), (3,)),
        ((1, 3), (1, 3)),
        ((1, 3), (5, 3)),
        ((2, 2, 3), (3,)),
        ((2, 3), (1, 3)),
    ]:
        yield Sample(arrays(rng, (a, b)))
    for pair in [("float32", "float32"), ("float32", "float64"), ("int64", "float64"), ("int32", "int64")]:
        yield Sample((draw(rng, (2, 3), "(-oo, oo)", pair[0]), draw(rng, (3,), "(-oo, oo)", pair[1])))


# Functions of a symmetric matrix: what they are of others is what they are of the symmetric part.
OF_SYMMETRIC = frozenset({"cholesky", "eigh_values", "eigh_vectors"})
# LAPACK's errors are small beside the largest element of a matrix, not beside each one.
BY_LARGEST = frozenset(op.name for family in ("linear systems", "decompositions") for op in FAMILIES[family])


# --- indexing ---


def run(start: int, stop: int | None, step: int, size: int) -> Range:
    count = len(range(*slice(start, stop, step).indices(size)))
    return Range(start, stop, step, count, step == 1 and count == size)


def indices(rng: np.random.Generator) -> Iterator[tuple[tuple[int, ...], tuple[Any, ...], tuple[np.ndarray, ...]]]:
    """(shape, entries, index arrays)."""
    i, j = np.array([2, 0, 2]), np.array([1, 1, -1])
    whole = {n: run(0, n, 1, n) for n in (3, 4, 5)}
    yield (5,), (2,), ()
    yield (5,), (run(1, 4, 1, 5),), ()
    yield (5,), (run(0, 5, 2, 5),), ()
    yield (5,), (run(4, None, -1, 5),), ()
    yield (5,), (run(4, 0, -2, 5),), ()
    yield (5,), (run(2, 2, 1, 5),), ()
    yield (5,), (None, whole[5]), ()
    yield (3, 4), (1, whole[4]), ()
    yield (3, 4), (whole[3], None, run(1, 3, 1, 4)), ()
    yield (3, 4), (2, 3), ()
    yield (5,), (Array(0),), (i,)
    yield (5,), (Array(0),), (i.astype(np.int32),)
    yield (5,), (Array(0),), (np.array([[0, 4], [-1, 2]]),)
    yield (5,), (Array(0),), (np.array(3),)
    yield (5,), (Array(0),), (np.array([], dtype=np.int64),)
    yield (3, 4), (Array(0), whole[4]), (i,)
    yield (3, 4), (whole[3], Array(0)), (i,)
    yield (3, 4), (Array(0), Array(1)), (i, j)
    yield (3, 4), (Array(0), Array(1)), (i[:, None], j)
    yield (3, 4), (1, Array(0)), (i,)
    yield (3, 4), (Array(0), run(3, None, -2, 4)), (i,)
    yield (3, 5, 4), (Array(0), whole[5], Array(1)), (i, j)
    yield (3, 5, 4), (whole[3], Array(0), Array(1)), (i, j)
    yield (3, 5, 4), (Array(0), None, whole[5], whole[4]), (i,)
    yield (3, 5, 4), (0, whole[5], Array(0)), (i,)
    yield (3, 5, 4), (0, Array(0), whole[4]), (i,)


def reads(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, entries, positions in indices(rng):
        yield Sample((draw(rng, shape, "(-oo, oo)"), *positions), {"index": Index(entries)})
    for dtype in ("float32", "int64", "int32", "bool"):
        yield Sample((draw(rng, (5,), "(-oo, oo)", dtype), np.array([4, 4])), {"index": Index((Array(0),))})
    symbolic = Index((N - 1, Range(1, H + 1, 1, H, False)))
    yield Sample((draw(rng, (3, 5), "(-oo, oo)"),), {"index": symbolic}, {"n": 3, "h": 2})


def additions(rng: np.random.Generator) -> Iterator[Sample]:
    for sample in reads(rng):
        base, *positions = sample.args
        index = sample.attrs["index"].resolve(sample.sizes, positions)
        if base.dtype != np.bool_ and not sample.sizes:
            value = draw(rng, np.shape(base[index]), "(-oo, oo)", str(base.dtype))
            yield Sample((base, value, *positions), sample.attrs, sample.sizes)


WINDOWS: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = [
    ((6,), (0,), (3,)),
    ((4, 5), (0, 1), (2, 3)),
    ((4, 5), (1,), (2,)),
    ((6,), (0,), (1,)),
    ((6,), (0,), (6,)),
    ((4, 5), (0,), (3,)),
    ((4, 5), (1, 0), (2, 3)),
    ((2, 4, 5), (1, 2), (2, 2)),
    ((2, 4, 5), (2,), (4,)),
    ((1, 1), (0, 1), (1, 1)),
]


def overlapping(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, axes, widths in WINDOWS:
        for dtype in ("float64", "float32"):
            windows = np.lib.stride_tricks.sliding_window_view(np.zeros(shape), widths, axes)
            yield Sample((draw(rng, windows.shape, "(-oo, oo)", dtype),), {"axes": axes, "shape": shape})


def summed_windows(windows: np.ndarray, axes: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Element by element."""
    out = np.zeros(shape, windows.dtype)
    for index in np.ndindex(windows.shape):
        place = list(index[: len(shape)])
        for axis, offset in zip(axes, index[len(shape) :], strict=True):
            place[axis] += offset
        out[tuple(place)] += windows[index]
    return out


# --- arrays of sizes, leaves ---


def filled(rng: np.random.Generator) -> Iterator[Sample]:
    for shape in [(), (1,), (3,), (0,), (3, 4), (2, 0), (2, 3, 4), (1, 1)]:
        yield Sample((), {"shape": shape, "dtype": "float64"})
    for dtype in ("float32", "int64", "int32", "bool"):
        yield Sample((), {"shape": (3, 2), "dtype": dtype})
    yield Sample((), {"shape": (N, 2 * H), "dtype": "float64"}, {"n": 3, "h": 2})


def ranges(rng: np.random.Generator) -> Iterator[Sample]:
    for n in (0, 1, 5):
        for dtype in ("int64", "int32", "float64", "float32"):
            yield Sample((), {"n": n, "dtype": dtype})
    yield Sample((), {"n": 2 * N + 1, "dtype": "int64"}, {"n": 3})


def identities(rng: np.random.Generator) -> Iterator[Sample]:
    for n, m in [(0, 0), (1, 1), (3, 3), (3, 4), (4, 3), (0, 2)]:
        for dtype in ("float64", "float32"):
            yield Sample((), {"n": n, "m": m, "dtype": dtype})
    yield Sample((), {"n": N, "m": N + H, "dtype": "int64"}, {"n": 3, "h": 2})


def constants(rng: np.random.Generator) -> Iterator[Sample]:
    for value in (0.0, -0.0, 1.0, math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308):
        yield Sample((), {"value": Constant.of(value, "float64")})
    for dtype in ("float32", "int64", "int32", "bool"):
        yield Sample((), {"value": Constant.of([[1, 0, 3]], dtype)})
    yield Sample((), {"value": Constant.of(np.zeros((0, 2)), "float64")})


def size_leaves(rng: np.random.Generator) -> Iterator[Sample]:
    for dim in (N, 2 * N, N * H - 1, (N + 1) // 2, N * N):
        for dtype, least in (("int64", 0), ("float64", 1)):
            yield Sample((), {"dim": dim, "dtype": dtype, "least": least}, {"n": 3, "h": 5})


def inputs(rng: np.random.Generator) -> Iterator[Sample]:
    for dtype in ("float64", "float32", "int64", "int32", "bool"):
        for shape in ((), (2,)):
            yield Sample((), {"name": "x", "type": TensorType(dtype, shape)})


def pairs(rows: Sequence[tuple[Any, Any]], attr: str) -> Callable[..., Iterator[Sample]]:
    return listed([((shape,), {attr: value}) for shape, value in rows])


def transforms(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, axis in (((2, 4), 0), ((2, 5), 0), ((2, 1), 0), ((2, 3, 4), 0), ((2, 3, 4), 1)):
        for inverse in (False, True):
            for dtype in ("float64", "float64", "float64", "float32"):
                x = draw(rng, shape, "(-oo, oo)", dtype)
                yield Sample((x,), {"axis": axis, "inverse": inverse})


def half_transforms(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, axis in (((4,), 0), ((5,), 0), ((1,), 0), ((3, 4), 0), ((3, 5), 1), ((2, 4, 3), 1)):
        for dtype in ("float64", "float64", "float64", "float32"):
            yield Sample((draw(rng, shape, "(-oo, oo)", dtype),), {"axis": axis})


def half_inverses(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, axis, n in (((2, 3), 0, 4), ((2, 3), 0, 5), ((2, 1), 0, 1), ((2, 3, 4), 0, 4), ((2, 3, 4), 1, 7)):
        for dtype in ("float64", "float64", "float64", "float32"):
            yield Sample((draw(rng, shape, "(-oo, oo)", dtype),), {"n": n, "axis": axis})


SAMPLES: dict[str, Callable[[np.random.Generator], Iterator[Sample]]] = {
    "input": inputs, "const": constants, "size": size_leaves,
    **{name: (lambda rng, name=name: elementwise(name, rng)) for name in (
        "add", "subtract", "multiply", "divide", "power", "negative", "absolute", "sign", "square", "sqrt",
        "reciprocal", "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh",
        "cosh", "tanh", "sigmoid", "softplus", "relu", "floor", "ceil", "rint", "maximum", "minimum", "clip",
        "log2", "log10", "exp2", "cbrt", "arcsinh", "arccosh", "arctanh", "sinc", "sinc_slope", "hypot", "arctan2",
        "logaddexp", "logaddexp2", "mod", "floor_divide", "fmod", "fmax", "fmin", "trunc", "copysign", "heaviside",
        "isfinite", "isnan", "isinf", "signbit", "erf", "erfc", "log_ndtr", "inverse_mills", "gammaln", "gamma",
        "digamma", "polygamma", "bessel_i", "bessel_ie", "logit", "erfinv", "erfcinv", "exponent",
        "spacing", "nextafter",
        "where", "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and",
        "logical_or", "logical_xor", "logical_not", "astype", "stop_gradient",
        "xlogy", "xlog1py", "relative_entropy", "logcosh", "sech", "log1mexp", "logexpm1")},
    "mantissa": lambda rng: between_powers("mantissa", rng),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm"), wholes),
    **dict.fromkeys(("left_shift", "right_shift"), lambda rng: wholes(rng, least=0)),
    "invert": lambda rng: wholes(rng, width=1),
    **{name: (lambda rng, name=name: reduction(name, rng)) for name in (
        "sum", "mean", "max", "min", "prod", "var", "std", "logsumexp", "softmax", "log_softmax", "top",
        "overshoot", "prod_of_others")},
    "any": truths, "all": truths,
    **{name: along() for name in ("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp", "sort", "argsort")},
    "recurrence": along({"reverse": False}, {"reverse": True}, arguments=2, integers=False),
    "shift": along({"by": 1, "fill": 1.0}, {"by": -1, "fill": 0.0}),
    "permute": permutations, "argmax": positions, "argmin": positions, "argpartition": parts,
    "searchsorted": searched({"side": "left"}, {"side": "right"}),
    "digitize": searched({"right": False}, {"right": True}, flipped=True), "bincount": counted,
    "convolve": convolutions,
    "transpose": pairs(TRANSPOSES, "axes"), "reshape": pairs(RESHAPES, "shape"),
    "broadcast_to": pairs(BROADCASTS, "shape"), "expand_dims": pairs(EXPANDED, "axes"),
    "squeeze": pairs(SQUEEZED, "axes"), "concatenate": joined, "stack": stacked,
    "fft": transforms, "rfft": half_transforms, "irfft": half_inverses,
    "matmul": matmuls, "outer": outers, "getitem": reads, "add_at": additions, "set_at": additions,
    "einsum": einsums, "cross": crosses, "tril": triangles, "triu": triangles,
    **{name: matrices(SQUARES) for name in ("inv", "det", "cofactor", "slogdet_sign", "slogdet_log")},
    **{name: matrices(SQUARES, symmetric) for name in OF_SYMMETRIC}, "cofactor_slope": slopes,
    **{name: matrices([*TALL, *WIDE]) for name in ("svd_u", "svd_values", "svd_vt", "matrix_rank")},
    "qr_q": matrices(TALL), "qr_r": matrices(TALL), "solve": systems, "lstsq": fits, "pinv": pseudo_inverses,
    "norm": lambda rng: reduction("norm", rng),
    "roll": along({"shift": 1}, {"shift": -2}, {"shift": 5}),
    "sized": listed([((s,), {"axis": a, "size": s[a]}) for s, a in LINES]),
    "windows": listed([((s,), {"axes": a, "widths": w}) for s, a, w in WINDOWS]), "overlap_add": overlapping,
    "zeros": filled, "ones": filled, "arange": ranges, "eye": identities,
}  # fmt: skip


def samples(name: str, seed: int = 0) -> list[Sample]:
    """The samples of an op; the same for the same seed."""
    return list(SAMPLES[name](np.random.default_rng([seed, *name.encode()])))


# --- what NumPy and SciPy answer ---


def axis_of(attrs: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(attrs["axes"])


def others(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """The product of all others, by its definition."""
    result = np.empty_like(x)
    for index in np.ndindex(x.shape):
        line = tuple(slice(None) if a in axes else i for a, i in enumerate(index))
        chosen = x[line].ravel()
        position = np.ravel_multi_index([index[a] for a in axes], [x.shape[a] for a in axes])
        result[index] = np.prod(np.delete(chosen, position))
    return result


def recurring(factor: np.ndarray, x: np.ndarray, axis: int, reverse: bool) -> np.ndarray:
    """y[i] = x[i] + factor[i] * y[i - 1], by its definition."""
    out = np.empty_like(x)
    for index in np.ndindex(x.shape):
        ends = (index[axis], x.shape[axis]) if reverse else (0, index[axis] + 1)
        line = tuple(slice(*ends) if a == axis else i for a, i in enumerate(index))
        factors, terms = (factor[line][::-1], x[line][::-1]) if reverse else (factor[line], x[line])
        out[index] = sum(t * np.prod(factors[k + 1 :]) for k, t in enumerate(terms))
    return out


def moved(x: np.ndarray, axis: int, by: int, fill: float) -> np.ndarray:
    """`x` moved by one place, by padding and cutting."""
    wide = np.pad(x, [(1, 1) if a == axis else (0, 0) for a in range(x.ndim)], constant_values=fill)
    return np.take(wide, np.arange(x.shape[axis]) + 1 - by, axis)


def written(base: np.ndarray, value: np.ndarray, index: Any) -> np.ndarray:
    """Written one by one, in order."""
    result = base.copy()
    places = np.arange(base.size).reshape(base.shape)[index]
    for place, item in zip(places.ravel(), value.ravel(), strict=True):
        result.reshape(-1)[place] = item
    return result


def added(base: np.ndarray, value: np.ndarray, index: Any) -> np.ndarray:
    """Adding at an index, by its definition: one element after the other."""
    out = base.copy()
    places = np.arange(base.size).reshape(base.shape)[index]
    for place, item in zip(np.ravel(places), np.ravel(value), strict=True):
        out.reshape(-1)[place] += item
    return out


@np.vectorize
def sinc_slope(x: float, n: int) -> float:
    """The derivative of order n of sinc, by its power series in 50 digits."""
    with mpmath.workdps(50):
        u = mpmath.pi * mpmath.mpf(float(x))
        terms = (
            (-1) ** k * math.perm(2 * k, n) * u ** (2 * k - n) / mpmath.factorial(2 * k + 1)
            for k in range((n + 1) // 2, 60)
        )
        return float(mpmath.pi**n * mpmath.fsum(terms))


def _in_the_dtype_of(f: Callable[..., Any]) -> Callable[[Sample], Any]:
    """A reference in float64; float32 arguments are answered in float32."""

    def call(s: Sample) -> Any:
        kept = s.args[0].dtype if s.args[0].dtype.kind == "f" else np.float64
        return np.asarray(f(*(a.astype(np.float64) for a in s.args), **s.attrs)).astype(kept)

    return call


def determinants(x: np.ndarray) -> np.ndarray:
    """By Leibniz: the sum over permutations."""
    n = x.shape[-1]
    total = np.zeros(x.shape[:-2])
    for order in itertools.permutations(range(n)):
        sign = np.linalg.det(np.eye(n)[list(order)])
        total = total + np.round(sign) * np.prod([x[..., i, j] for i, j in enumerate(order)], axis=0)
    return total


def cofactors(x: np.ndarray) -> np.ndarray:
    """Signed minors, by definition."""
    out = np.empty(x.shape)
    for i, j in np.ndindex(x.shape[-2:]):
        minor = np.delete(np.delete(x.astype(float), i, -2), j, -1)
        out[..., i, j] = (-1.0) ** (i + j) * determinants(minor)
    return out


def cofactor_changes(x: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Central differences of the cofactors, extrapolated: exact, up to rounding, for polynomials of degree 4."""
    near, far = (cofactors(x + h * along) - cofactors(x - h * along) for h in (1, 2))
    return (8.0 * near - far) / 12.0


def promoted(call: Callable[..., Any]) -> Callable[[Sample], Any]:
    """In the dtype in which LAPACK works on these arguments."""

    def reference(s: Sample) -> Any:
        single = all(a.dtype == np.float32 for a in s.args)
        return np.asarray(call(*s.args), np.float32 if single else np.float64)

    return reference


def _method(name: str) -> Callable[..., Any]:
    def call(s: Sample) -> Any:
        extra = {k: v for k, v in s.attrs.items() if k != "axes"}
        return getattr(np, name)(*s.args, axis=axis_of(s.attrs), **extra)

    return call


def _along(call: Callable[..., Any], **extra: Any) -> Callable[..., Any]:
    return lambda s: call(*s.args, **s.attrs, **extra)


def _numpy(name: str) -> Callable[..., Any]:
    return lambda s: getattr(np, name)(*s.args)


def _shape(s: Sample) -> tuple[int, ...]:
    return tuple(evaluate(d, s.sizes) for d in s.attrs["shape"])


def paired(z: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return np.stack((z.real, z.imag)).astype(dtype)


def joined_pair(x: np.ndarray) -> np.ndarray:
    return x[0].astype(np.float64) + 1j * x[1].astype(np.float64)


REFERENCE: dict[str, Callable[[Sample], Any]] = {
    "const": lambda s: s.attrs["value"].array(),
    "size": lambda s: np.asarray(max(evaluate(s.attrs["dim"], s.sizes), s.attrs["least"]), s.attrs["dtype"]),
    **{op.name: _numpy(op.name) for family in ELEMENTWISE for op in FAMILIES[family] if hasattr(np, op.name)},
    **{op.name: _numpy(op.name) for op in FAMILIES["whole numbers"]},
    **{
        name: _in_the_dtype_of(getattr(scipy.special, name))
        for name in ("erf", "erfc", "erfinv", "erfcinv", "log_ndtr", "gammaln", "gamma", "digamma", "logit")
    },
    "polygamma": _in_the_dtype_of(lambda x, n: scipy.special.polygamma(n, x)),
    "bessel_i": _in_the_dtype_of(lambda x, n: scipy.special.iv(n, x)),
    "bessel_ie": _in_the_dtype_of(lambda x, n: scipy.special.ive(n, x)),
    "inverse_mills": _in_the_dtype_of(
        lambda x: np.sqrt(2.0 / np.pi) * np.exp(-0.5 * x * x) / scipy.special.erfc(-x / np.sqrt(2.0))
    ),
    "sinc_slope": _in_the_dtype_of(lambda x, n: np.reshape([sinc_slope(v, n) for v in x.ravel()], x.shape)),
    "exponent": lambda s: np.frexp(s.args[0])[1],
    "mantissa": lambda s: np.frexp(s.args[0])[0],
    "reciprocal": lambda s: 1.0 / s.args[0],
    "sigmoid": lambda s: scipy.special.expit(s.args[0]),
    "softplus": lambda s: np.logaddexp(s.args[0], np.zeros_like(s.args[0])),
    "relative_entropy": lambda s: s.args[0] * np.log(s.args[0] / s.args[1]),
    "logcosh": lambda s: np.log(np.cosh(s.args[0])),
    "sech": lambda s: 1.0 / np.cosh(s.args[0]),
    "log1mexp": lambda s: np.log(-np.expm1(s.args[0])),
    "logexpm1": lambda s: np.log(np.expm1(s.args[0])),
    "xlogy": lambda s: s.args[0] * np.log(s.args[1]),
    "xlog1py": lambda s: s.args[0] * np.log1p(s.args[1]),
    "relu": lambda s: np.maximum(s.args[0], 0.0),
    "clip": lambda s: np.clip(s.args[0], s.attrs["lo"], s.attrs["hi"]),
    "astype": lambda s: s.args[0].astype(s.attrs["dtype"]),
    "stop_gradient": lambda s: s.args[0],
    **{name: _method(name) for name in ("sum", "mean", "max", "min", "prod", "var", "std", "any", "all")},
    "logsumexp": lambda s: scipy.special.logsumexp(s.args[0], axis=axis_of(s.attrs), keepdims=s.attrs["keepdims"]),
    "softmax": lambda s: scipy.special.softmax(s.args[0], axis=axis_of(s.attrs)),
    "log_softmax": lambda s: scipy.special.log_softmax(s.args[0], axis=axis_of(s.attrs)),
    "top": lambda s: np.max(s.args[0], axis=axis_of(s.attrs), keepdims=True),
    "overshoot": lambda s: np.zeros_like(np.max(s.args[0], axis=axis_of(s.attrs), keepdims=True)),
    "prod_of_others": lambda s: others(s.args[0], axis_of(s.attrs)),
    "cumsum": _along(np.cumsum),
    "cumprod": _along(np.cumprod),
    "cummax": _along(np.maximum.accumulate),
    "cummin": _along(np.minimum.accumulate),
    "cumlogsumexp": _along(np.logaddexp.accumulate),
    "recurrence": _along(recurring),
    "shift": _along(moved),
    "sort": _along(np.sort),
    "argsort": _along(np.argsort, kind="stable"),
    "argpartition": _along(np.argpartition),
    "permute": _along(np.take_along_axis),
    "argmax": _along(np.argmax),
    "argmin": _along(np.argmin),
    "searchsorted": _along(np.searchsorted),
    "digitize": _along(np.digitize),
    "convolve": _along(np.convolve),
    "bincount": lambda s: np.array([s.args[1][s.args[0] == k].sum() for k in range(s.attrs["n"])]),
    "transpose": lambda s: np.transpose(s.args[0], s.attrs["axes"]),
    "reshape": lambda s: np.reshape(s.args[0], _shape(s)),
    "broadcast_to": lambda s: np.broadcast_to(s.args[0], _shape(s)),
    "expand_dims": lambda s: np.expand_dims(s.args[0], s.attrs["axes"]),
    "squeeze": lambda s: np.squeeze(s.args[0], s.attrs["axes"]),
    "concatenate": lambda s: np.concatenate(s.args, s.attrs["axis"]),
    "stack": lambda s: np.stack(s.args, s.attrs["axis"]),
    "matmul": _numpy("matmul"),
    "outer": _numpy("outer"),
    "getitem": lambda s: s.args[0][s.attrs["index"].resolve(s.sizes, s.args[1:])],
    "add_at": lambda s: added(s.args[0], s.args[1], s.attrs["index"].resolve(s.sizes, s.args[2:])),
    "set_at": lambda s: written(s.args[0], s.args[1], s.attrs["index"].resolve(s.sizes, s.args[2:])),
    "fft": lambda s: paired(
        (np.fft.ifft if s.attrs["inverse"] else np.fft.fft)(joined_pair(s.args[0]), axis=s.attrs["axis"]),
        s.args[0].dtype,
    ),
    "rfft": lambda s: paired(np.fft.rfft(s.args[0].astype(np.float64), axis=s.attrs["axis"]), s.args[0].dtype),
    "irfft": lambda s: np.fft.irfft(joined_pair(s.args[0]), s.attrs["n"], axis=s.attrs["axis"]).astype(s.args[0].dtype),
    "roll": lambda s: np.roll(s.args[0], s.attrs["shift"], s.attrs["axis"]),
    "sized": lambda s: s.args[0],
    "windows": lambda s: np.lib.stride_tricks.sliding_window_view(s.args[0], s.attrs["widths"], s.attrs["axes"]),
    "overlap_add": lambda s: summed_windows(s.args[0], s.attrs["axes"], s.attrs["shape"]),
    "zeros": lambda s: np.zeros(_shape(s), s.attrs["dtype"]),
    "ones": lambda s: np.ones(_shape(s), s.attrs["dtype"]),
    "arange": lambda s: np.arange(evaluate(s.attrs["n"], s.sizes), dtype=s.attrs["dtype"]),
    "eye": lambda s: np.eye(evaluate(s.attrs["n"], s.sizes), evaluate(s.attrs["m"], s.sizes), dtype=s.attrs["dtype"]),
    "einsum": lambda s: np.einsum(s.attrs["subscripts"], *s.args, optimize=True),
    "cross": lambda s: np.stack(
        [
            s.args[0][..., i] * s.args[1][..., j] - s.args[0][..., j] * s.args[1][..., i]
            for i, j in ((1, 2), (2, 0), (0, 1))
        ],
        axis=-1,
    ),
    "tril": lambda s: np.tril(s.args[0], s.attrs["k"]),
    "triu": lambda s: np.triu(s.args[0], s.attrs["k"]),
    "inv": lambda s: np.linalg.solve(s.args[0], np.eye(s.args[0].shape[-1], dtype=np.linalg.inv(s.args[0]).dtype)),
    "det": promoted(determinants),
    "cofactor": promoted(cofactors),
    "cofactor_slope": promoted(cofactor_changes),
    "slogdet_sign": promoted(lambda x: np.sign(determinants(x))),
    "slogdet_log": promoted(lambda x: np.log(np.abs(determinants(x)))),
    "solve": lambda s: np.linalg.solve(*s.args),
    "pinv": lambda s: np.linalg.pinv(s.args[0]),
    "lstsq": promoted(lambda a, b: scipy.linalg.lstsq(a, b, lapack_driver="gelsd")[0]),
    "matrix_rank": lambda s: np.linalg.matrix_rank(s.args[0]),
    "cholesky": lambda s: np.linalg.cholesky(s.args[0]),
    "eigh_values": lambda s: np.linalg.eigh(s.args[0])[0],
    "eigh_vectors": lambda s: np.linalg.eigh(s.args[0])[1],
    "svd_u": lambda s: np.linalg.svd(s.args[0], full_matrices=False)[0],
    "svd_values": lambda s: np.linalg.svd(s.args[0], full_matrices=False)[1],
    "svd_vt": lambda s: np.linalg.svd(s.args[0], full_matrices=False)[2],
    "qr_q": lambda s: np.linalg.qr(s.args[0])[0],
    "qr_r": lambda s: np.linalg.qr(s.args[0])[1],
    "norm": lambda s: np.sqrt(np.square(s.args[0]).sum(axis=axis_of(s.attrs), keepdims=s.attrs["keepdims"])),
}
