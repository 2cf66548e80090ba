"""Random inputs of small random sizes, at which a function and its gradients are finite.

X: f64[n, d], w: f64[d]   ->   {"X": an array (3, 5), "w": an array (5,)}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.check.numeric import Array
from graphc.errors import ArgumentError, LimitError
from graphc.ir.dims import evaluate
from graphc.ir.sizes import names_of
from graphc.ir.types import TensorType

Arguments = Sequence[tuple[str, TensorType]]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]

SIZES = (2, 6)  # from, below
TRIES = 12  # choices of sizes
MAX_ELEMENTS = 10_000_000
# Where a function may be defined: everywhere, for positive numbers, in the unit interval, above one.
_DRAWS: tuple[Draw, ...] = (
    lambda random, shape: random.standard_normal(shape),
    lambda random, shape: random.uniform(0.2, 2.0, shape),
    lambda random, shape: random.uniform(0.1, 0.9, shape),
    lambda random, shape: random.uniform(1.1, 2.0, shape),
)


def random_point(arguments: Arguments, accepts: Callable[[Mapping[str, Any]], bool], seed: int = 0) -> dict[str, Any]:
    """The first random inputs that `accepts` takes.

    Raises ArgumentError if none of them is, LimitError if sizes that are fixed are large.
    """
    for point in _points(arguments, np.random.default_rng(seed)):
        if accepts(point):
            return point
    raise ArgumentError(
        "G070",
        "no random inputs were found at which the value and the gradients are finite",
        hint="call graphc.check_grads with inputs of your own",
    )


def _points(arguments: Arguments, random: np.random.Generator) -> Iterator[dict[str, Any]]:
    names = names_of(dim for _, type in arguments for dim in type.shape)
    for _ in range(TRIES):
        sizes = {name: int(random.integers(*SIZES)) for name in names}
        shapes = {name: tuple(evaluate(d, sizes) for d in type.shape) for name, type in arguments}
        if any(size < 0 for shape in shapes.values() for size in shape):
            continue
        if sum(float(np.prod(shape, dtype=float)) for shape in shapes.values()) > MAX_ELEMENTS:
            raise LimitError("G003", f"the inputs have more than {MAX_ELEMENTS:,} elements")
        for draw in _DRAWS:
            yield {name: _array(type.dtype, shapes[name], draw, random) for name, type in arguments}


def _array(dtype: str, shape: tuple[int, ...], draw: Draw, random: np.random.Generator) -> Any:
    if dtype.startswith("float"):
        return np.asarray(draw(random, shape)).astype(dtype)[()]
    return random.integers(0, 2, shape).astype(dtype)[()]  # 0 and 1 are indices of every axis


def finite(values: Any) -> bool:
    """Whether every number in these arrays is finite."""
    several = values if isinstance(values, tuple) else (values,)
    return all(bool(np.isfinite(value).all()) for value in several)
