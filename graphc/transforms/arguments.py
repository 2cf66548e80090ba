"""The arguments of a transform: which are differentiated, which are inputs, which are part of the code.

(w, X, 3, "mean"), differentiated by 0     w: input, a float;  X: input;  3 and "mean": static
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DtypeError
from graphc.frontends.numpy.signature import Static
from graphc.frontends.numpy.structure import LEAF, flatten, unflatten
from graphc.frontends.numpy.tracer import Tracer


def place_of(number: int, count: int) -> int:
    """The place that one of `argnums` names in a call with `count` positional arguments."""
    if not -count <= number < count:
        raise ArgumentError(
            "G070",
            f"argnums names argument {number}, and the call has {count} positional arguments",
            hint="arguments to differentiate by are given by position",
        )
    return number % count


def differentiable(value: Any, place: int) -> Any:
    """An argument to differentiate by: Python integers become floats, integer arrays are refused."""
    leaves, shape = flatten(value)
    if shape == LEAF:
        return _float_leaf(value, place)
    return unflatten(shape, [_float_leaf(v, place) if is_numeric(v) else v for v in leaves])


def is_numeric(leaf: Any) -> bool:
    """Whether a leaf of a structure is a number or an array; text, flags and None are part of the code."""
    return isinstance(leaf, (int, float, np.ndarray, np.generic)) and not isinstance(leaf, (bool, np.bool_))


def _float_leaf(leaf: Any, place: int) -> Any:
    if type(leaf) is Tracer:
        return leaf
    if isinstance(leaf, int) and not isinstance(leaf, bool):
        return float(leaf)
    kind = np.asarray(leaf).dtype.kind if isinstance(leaf, (np.ndarray, np.generic, float, list)) else "O"
    if kind != "f":
        what = f"an array of dtype {np.asarray(leaf).dtype.name}" if kind in "biuc" else f"a {type(leaf).__name__}"
        raise DtypeError(
            "G031",
            f"argument {place} holds {what}: there is no derivative with respect to it",
            hint="convert it with .astype(float), or choose other argnums",
        )
    return leaf


def described(names: Sequence[str], args: Sequence[Any], words: Mapping[str, Any], places: Collection[int]) -> Any:
    """The arguments by name, arrays and floats as examples, everything else static."""
    found: dict[str, Any] = {}
    for i, (name, value) in enumerate([*zip(names, args, strict=True), *words.items()]):
        leaves, shape = flatten(value)
        found[name] = unflatten(shape, [leaf if _is_input(leaf, i in places) else Static(leaf) for leaf in leaves])
    return found


def _is_input(leaf: Any, differentiated: bool) -> bool:
    if isinstance(leaf, (bool, np.bool_)):
        return False
    if isinstance(leaf, (np.ndarray, np.generic)):
        return leaf.dtype.kind in "biuf"
    return isinstance(leaf, float) or (differentiated and is_numeric(leaf))


def key(described: Mapping[str, Any]) -> Any:
    """What two calls must share to share compiled code, but for sizes."""
    rows = []
    for name, spec in described.items():
        leaves, shape = flatten(spec, is_static)
        rows.append((name, shape, tuple(map(_leaf_key, leaves))))
    return tuple(rows)


def is_static(spec: Any) -> bool:
    return isinstance(spec, Static)


def _leaf_key(leaf: Any) -> Any:
    if isinstance(leaf, Static):
        value = leaf.value
        try:
            hash(value)
        except TypeError:
            return id(value)
        return type(value), value
    array = np.asarray(leaf)
    return array.dtype.name, array.ndim, tuple(d if d <= 1 else -1 for d in array.shape), type(leaf) is float
