"""Traced forms of what does not go through NumPy's protocols, by the function that they replace.

math.exp(t)     a number without a dtype of its own, as exp(t)
float(t)        t, which from now on counts as a Python float
sum(rows), max(a, b), len(x)     over traced values
"""

from __future__ import annotations

import builtins
import functools
import math
import types
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.expr.arguments import Weak
from graphc.frontends.numpy import complex_functions, several
from graphc.frontends.numpy.courses import joint
from graphc.frontends.numpy.making import (
    Grid,
    Ranges,
    as_array,
    as_laid_out,
    creation,
    make_array,
    of_lists,
    scalar_type,
)
from graphc.frontends.numpy.outside import generator
from graphc.frontends.numpy.sizes import TracedRange, TracedSize
from graphc.frontends.numpy.tracer import Tracer, is_traced
from graphc.ir.dims import minimum
from graphc.ir.node import Node

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session


def as_float(session: Session, x: Any = 0.0) -> Any:
    """`float(x)`: the same value, which no longer widens what it meets."""
    return session.as_float(x)


def _as_int(session: Session, x: Any = 0, *base: Any) -> Any:
    if type(x) is TracedSize:
        return x
    if type(x) is Tracer and x.array is None:
        return x.astype(np.int64) if session.evaluated(x.node) is None else int(x)
    return int(x, *base)


def _as_bool(session: Session, x: Any = False) -> bool:
    return bool(x)


def _math(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `math`: Python's own on numbers, a number without dtype of traced ones."""

    def call(session: Session, *args: Any) -> Any:
        if not any(map(is_traced, args)):
            return original(*args)
        weak = [as_float(session, a) if is_traced(a) else a for a in args]
        node = session.call(name, weak, {})
        return session.wrapped(Weak(node) if isinstance(node, Node) else node)

    return call


def _math_log(session: Session, x: Any, base: Any = None) -> Any:
    if not is_traced(x) and not is_traced(base):
        return math.log(x) if base is None else math.log(x, base)
    natural = _MATH_LOG(session, x)
    return natural if base is None else natural / _MATH_LOG(session, base)


def _to_integer(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def call(session: Session, x: Any) -> Any:
        return getattr(np, name)(x).astype(np.int64) if is_traced(x) else original(x)

    return call


def _math_prod(session: Session, values: Iterable[Any], *, start: Any = 1) -> Any:
    total = start
    for value in values:
        total = total * value
    return total


def _prod(session: Session, a: Any, *args: Any, **words: Any) -> Any:
    """`np.prod(x.shape)` is a size."""
    sizes = type(a) in (tuple, list) and all(type(v) is TracedSize or type(v) is int for v in a)
    return math.prod(a) if sizes and not args and not words else of_lists(session, np.prod, a, *args, **words)


def _len(session: Session, x: Any) -> Any:
    if several.has_several(x):
        return session.size(several.Rows(session, x).count)
    return x.shape[0] if type(x) is Tracer and x.ndim else len(x)


def _range(session: Session, *bounds: Any) -> Any:
    if not any(type(b) is TracedSize for b in bounds):
        return range(*bounds)
    return TracedRange(*((0, *bounds) if len(bounds) == 1 else bounds))


def _sum(session: Session, values: Iterable[Any], /, start: Any = 0) -> Any:
    values = _one_array(session, values)
    if type(values) is Tracer and values.array is None:
        total = np.sum(values, axis=0)
        return total if type(start) is int and start == 0 else start + total
    return builtins.sum(values, start)


def _one_array(session: Session, values: Any) -> Any:
    """A list that a loop has filled as an array; anything else as it is."""
    return several.Rows(session, values).array() if several.has_several(values) else values


def _listed(original: Callable[..., Any]) -> Callable[..., Any]:
    """list(x) and tuple(x): the elements one by one, so that their number is decided."""

    def call(session: Session, *values: Any) -> Any:
        return original(*map(several.elements, values))

    return call


def _extreme(original: Callable[..., Any], ufunc: Any) -> Callable[..., Any]:
    """max(a, b) and max(values) of traced values."""

    def call(session: Session, *args: Any, **keywords: Any) -> Any:
        if len(args) == 1:
            args = (_one_array(session, args[0]),)
        if type(args[0]) is Tracer and len(args) == 1 and not keywords:
            return ufunc.reduce(args[0], axis=0) if args[0].ndim == 1 else original(args[0])
        values = list(args[0]) if len(args) == 1 else list(args)
        sizes = all(type(v) is TracedSize or type(v) is int for v in values)
        if sizes and session.varies(*(v.dim for v in values if type(v) is TracedSize)):
            return functools.reduce(functools.partial(_extreme_size, session, original is builtins.min), values)
        if "key" in keywords or sizes or not any(map(is_traced, values)):
            return original(values, **keywords)
        return functools.reduce(ufunc, values)

    return call


def _extreme_size(session: Session, least: bool, a: Any, b: Any) -> Any:
    """The smaller or the larger of two sizes, one of which is an index."""
    first, second = (v.dim if type(v) is TracedSize else v for v in (a, b))
    smaller = minimum(first, second)
    return session.size(smaller if least else first + second - smaller)


def _with_functions(original: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the library's that calls functions of the user's."""

    def call(session: Session, *args: Any, **keywords: Any) -> Any:
        convert = session.convert
        ready = [convert(a) if isinstance(a, (types.FunctionType, types.MethodType)) else a for a in args]
        return original(*ready, **{k: convert(v) if callable(v) else v for k, v in keywords.items()})

    return call


def _sorted(session: Session, values: Iterable[Any], /, *, key: Any = None, reverse: bool = False) -> Any:
    """`sorted` of numbers; a key decides by values, which is possible for known ones alone."""
    found = list(values)
    if key is None and any(map(is_traced, found)):
        ordered = list(np.sort(make_array(session, found)))
        return ordered[::-1] if reverse else ordered
    return sorted(found, key=key and session.convert(key), reverse=reverse)


def _ndenumerate(session: Session, arr: Any) -> Any:
    """`np.ndenumerate`: each position with its element."""
    if type(arr) is not Tracer:
        return np.ndenumerate(arr)
    return ((index, arr[index]) for index in np.ndindex(tuple(int(d) for d in arr.shape)))


def _any_of(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    def call(session: Session, values: Any) -> Any:
        if type(values) is Tracer and values.ndim:
            return getattr(values, name)()
        return original(values)

    return call


def _frompyfunc(session: Session, func: Any, /, nin: int = 1, nout: int = 1, **words: Any) -> Any:
    """The function itself: on arrays it does what the ufunc does element by element."""
    return session.convert(func)


def _vectorize(session: Session, function: Any = None, *rest: Any, **words: Any) -> Any:
    return session.convert(function)


_MATH_LOG = _math("log", math.log)

_MATH: dict[str, str] = {
    "exp": "exp", "expm1": "expm1", "exp2": "exp2", "log1p": "log1p", "log2": "log2", "log10": "log10",
    "sqrt": "sqrt", "cbrt": "cbrt", "sin": "sin", "cos": "cos", "tan": "tan", "asin": "arcsin", "acos": "arccos",
    "atan": "arctan", "atan2": "arctan2", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "arcsinh",
    "acosh": "arccosh", "atanh": "arctanh", "pow": "power", "hypot": "hypot", "fabs": "absolute", "erf": "erf",
    "erfc": "erfc", "gamma": "gamma", "lgamma": "gammaln", "degrees": "rad2deg", "radians": "deg2rad",
    "copysign": "copysign", "fmod": "fmod", "isnan": "isnan", "isinf": "isinf", "isfinite": "isfinite",
}  # fmt: skip

REPLACED: dict[Any, Callable[..., Any]] = {
    **{getattr(math, ours): _math(theirs, getattr(math, ours)) for ours, theirs in _MATH.items()},
    math.log: _math_log,
    math.floor: _to_integer("floor", math.floor),
    math.ceil: _to_integer("ceil", math.ceil),
    math.trunc: _to_integer("trunc", math.trunc),
    math.prod: _math_prod,
    np.prod: _prod,
    math.fsum: lambda session, values: _sum(session, values, 0.0),
    **complex_functions.PYTHON,
    np.array: make_array,
    np.asarray: as_array,
    np.asanyarray: as_array,
    np.ascontiguousarray: as_laid_out,
    np.asfortranarray: as_laid_out,
    np.require: as_laid_out,
    np.fromiter: lambda session, iter, dtype, count=-1, **words: make_array(session, list(iter), dtype),
    **{getattr(np, n): creation(getattr(np, n), "zeros" if n == "empty" else n) for n in (
        "zeros", "ones", "full", "empty", "eye", "identity", "arange", "linspace", "logspace", "geomspace", "tri",
        "indices", "diag_indices", "tril_indices", "triu_indices", "vander")},
    **{k: scalar_type(k) for k in (np.float64, np.float32, np.int64, np.int32, np.bool_)},
    float: as_float,
    int: _as_int,
    bool: _as_bool,
    len: _len,
    range: _range,
    sum: _sum,
    enumerate: joint(enumerate),
    zip: joint(zip),
    reversed: joint(reversed),
    list: _listed(list),
    tuple: _listed(tuple),
    max: _extreme(max, np.maximum),
    min: _extreme(min, np.minimum),
    any: _any_of(any, "any"),
    all: _any_of(all, "all"),
    map: _with_functions(map),
    filter: _with_functions(filter),
    sorted: _sorted,
    functools.reduce: _with_functions(functools.reduce),
    np.vectorize: _vectorize,
    np.frompyfunc: _frompyfunc,
    np.random.default_rng: generator(np.random.default_rng),
    np.random.RandomState: generator(np.random.RandomState),
    np.ndenumerate: _ndenumerate,
}  # fmt: skip

INDEXED: dict[int, Callable[[Session, Any], Any]] = {
    id(np.r_): functools.partial(Ranges, columns=False),
    id(np.c_): functools.partial(Ranges, columns=True),
    id(np.mgrid): Grid,
    id(np.ogrid): Grid,
}
