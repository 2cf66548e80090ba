"""Traced forms of what does not go through NumPy's protocols.

math.exp(t)     a number without a dtype of its own, as exp(t)
float(t)        t, which from now on counts as a Python float
np.array([[c, -s], [s, c]])      stacked
np.zeros(n)     an array that traced values may be written to
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
from graphc.expr.functions import FUNCTIONS
from graphc.frontends.numpy import complex_functions, source
from graphc.frontends.numpy.buffers import Buffer
from graphc.frontends.numpy.calls import draws_anew, not_covered
from graphc.frontends.numpy.complex import Complex
from graphc.frontends.numpy.methods import is_complex_dtype
from graphc.frontends.numpy.places import call_of, is_foreign
from graphc.frontends.numpy.sizes import TracedRange, TracedSize
from graphc.frontends.numpy.tracer import Kind, Tracer, is_traced
from graphc.ir.node import Node

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

_GENERATORS = (np.random.Generator, np.random.RandomState)


class Hooks:
    """What converted functions call: `call` before each call, `named` after each assignment."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.named = session.named
        self.stored = session.checked
        self.read = session.readable
        self._converted: dict[int, tuple[Any, Any]] = {}
        session.convert = self.call

    def call(self, function: Any) -> Any:
        """What is called in the place of `function`."""
        inside = getattr(function, "__graphc_inside__", None)
        if inside is not None:  # a transform: it becomes part of this trace
            return functools.partial(inside, self.session)
        if id(function) in _INDEXED:
            return _INDEXED[id(function)](self.session, function)
        if isinstance(function, _DISPATCHED) and function not in REPLACED:
            return functools.partial(_of_lists, self.session, function)
        try:
            replacement = REPLACED.get(function)
        except TypeError:  # not hashable
            replacement = None
        if replacement is not None:
            return functools.partial(replacement, self.session)
        return self._of_kind(function)

    def _of_kind(self, function: Any) -> Any:
        if isinstance(function, types.FunctionType):
            return self._function(function)
        if isinstance(getattr(function, "__self__", None), _GENERATORS):
            return _draws(self.session, function)
        if isinstance(function, types.MethodType):
            distribution = _scipy_method(self.session, function)
            made = self.call(function.__func__) if distribution is None else None
            if made is None or made is function.__func__:
                return distribution or function
            return functools.partial(made, function.__self__)
        if isinstance(function, functools.partial):
            return functools.partial(self.call(function.func), *function.args, **function.keywords)
        if isinstance(function, np.vectorize):
            return self.call(function.pyfunc)
        if isinstance(function, types.MethodDescriptorType) and function.__objclass__ is np.ndarray:
            return functools.partial(_unbound, function)
        if isinstance(function, type):
            return self._class(function)
        if isinstance(function, types.BuiltinMethodType) and isinstance(function.__self__, np.ndarray):
            return self._array_method(function)
        if isinstance(function, types.BuiltinMethodType) and isinstance(function.__self__, np.ufunc):
            at = function.__name__ == "at"  # a tuple there is an index
            return function if at else functools.partial(_of_lists, self.session, function)
        call = call_of(type(function))
        if call is not None:
            return functools.partial(self.call(call), function)
        return function

    def _function(self, function: types.FunctionType) -> Any:
        special = _scipy(self.session, function) or _testing(self.session, function)
        if special is not None:
            return special
        if is_foreign(function.__code__.co_filename) or source.HOOKS in function.__code__.co_freevars:
            return function
        key = id(function)
        if key not in self._converted:
            self._converted[key] = function, source.convert(function, self)
        return self._converted[key][1]

    def _class(self, kind: type) -> Any:
        """A class of the user's: its `__init__` is converted, too."""
        start = kind.__dict__.get("__init__")
        plain = type(kind) is type and getattr(kind, "__new__", None) is object.__new__
        if not plain or not isinstance(start, types.FunctionType) or is_foreign(start.__code__.co_filename):
            return kind
        initialise = self.call(start)

        def make(*args: Any, **keywords: Any) -> Any:
            made: Any = object.__new__(kind)
            initialise(made, *args, **keywords)
            return made

        return make

    def _array_method(self, function: Any) -> Any:
        """A method of a real array: what it makes may be written to, what it takes may be traced."""
        name, owner = function.__name__, function.__self__

        def call(*args: Any, **keywords: Any) -> Any:
            if any(map(is_traced, (*args, *keywords.values()))):
                traced = self.session.array(self.session.constant(owner))
                return getattr(traced, name)(*args, **keywords)
            result = function(*args, **keywords)
            return self.session.known(result) if name == "copy" else result

        return call

    def seen(self, value: Any) -> Any:
        """What a global or a closure cell holds while the function runs without source."""
        if is_traced(value):
            return value
        if isinstance(value, types.ModuleType):
            return (
                _Module(value, self) if value in (np, math) or value.__name__.startswith(("numpy", "scipy")) else value
            )
        if isinstance(value, (types.FunctionType, types.MethodType, _DISPATCHED[1])):
            return self.call(value)
        try:
            return self.call(value) if value in REPLACED else value
        except TypeError:
            return value


class _Module:
    """A module whose functions have traced forms."""

    def __init__(self, module: types.ModuleType, hooks: Hooks) -> None:
        self._module = module
        self._hooks = hooks

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        if isinstance(value, types.ModuleType):
            return _Module(value, self._hooks)
        return self._hooks.seen(value) if not isinstance(value, type) or value in REPLACED else value


def _unbound(method: Any, array: Any, *args: Any, **keywords: Any) -> Any:
    """`np.ndarray.sum(x)`: the method of the object that is given."""
    return getattr(array, method.__name__)(*args, **keywords)


# NumPy's functions that ask their arguments, and those of them that look into a sequence of arrays by themselves.
_DISPATCHED = (np.ufunc, type(np.sum))
_SEQUENCES = frozenset(
    """
    concatenate stack vstack hstack dstack column_stack block multi_dot select choose piecewise lexsort ix_
    broadcast_arrays einsum
    """.split()  # noqa: SIM905
)


def _of_lists(session: Session, function: Any, *args: Any, **keywords: Any) -> Any:
    """`np.mean([a, b])`: NumPy asks arrays, not what is in lists, and so would not come to traced ones."""
    if function.__name__ in _SEQUENCES:
        return function(*args, **keywords)
    index = function.__name__ == "at"  # np.add.at(x, (i, j), value): a tuple of positions is no array
    arrays = [a if index and i == 1 else _stacked(session, a) for i, a in enumerate(args)]
    return function(*arrays, **{name: _stacked(session, value) for name, value in keywords.items()})


def _stacked(session: Session, x: Any) -> Any:
    """A list with traced elements as an array; a shape with traced sizes stays as it is."""
    return _array(session, x) if type(x) in (list, tuple) and _has_elements(x) else x


def _has_elements(x: Any) -> bool:
    if type(x) in (list, tuple):
        return any(map(_has_elements, x))
    return type(x) is not TracedSize and is_traced(x)


# --- numbers ---


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
    return math.prod(a) if sizes and not args and not words else _of_lists(session, np.prod, a, *args, **words)


# --- arrays ---


def _array(
    session: Session, x: Any, dtype: Any = None, *, copy: bool | None = True, ndmin: int = 0, **words: Any
) -> Any:
    """`np.array`: nested lists of traced values are stacked, a traced array is copied."""
    if type(x) is Tracer and not copy:
        return _asarray(session, x, dtype)
    if type(x) is Complex:
        return x.copy() if dtype is None else x.astype(dtype)
    if _has_traced(x) and complex_functions.has_complex(x):
        return Complex(session, *(_array(session, complex_functions.parts_of(x, i), ndmin=ndmin) for i in (0, 1)))
    if type(x) is Tracer:
        made = x.copy("K") if dtype is None else x.astype(dtype)
    elif _has_traced(x):
        made = session.wrapped(session.call("array", (_lists(x),), {}))
        made = made if dtype is None else made.astype(dtype)
    else:
        return session.known(np.array(_real(x), dtype=dtype, ndmin=ndmin, **words))
    if made.kind is not Kind.ARRAY:
        made = Tracer(session, Buffer(made.node), (), Kind.ARRAY)
    return made.reshape((1,) * (ndmin - made.ndim) + made.shape) if made.ndim < ndmin else made


def _asarray(session: Session, x: Any, dtype: Any = None, **words: Any) -> Any:
    """`np.asarray`: an array stays the one it is."""
    if type(x) is Tracer and x.kind is Kind.ARRAY and (dtype is None or x.dtype == np.dtype(dtype)):
        return x
    if type(x) is Complex and (dtype is None or x.dtype == np.dtype(dtype)):
        return x
    if type(x) is np.ndarray:
        return np.asarray(x, dtype=dtype)
    return _array(session, x, dtype)


def _as_laid_out(session: Session, x: Any, dtype: Any = None, **words: Any) -> Any:
    """np.ascontiguousarray, np.asfortranarray: the array itself or a copy, as its memory lies."""
    array = _asarray(session, x, dtype)
    if array is not x or array.ndim < 2:
        return array
    return session.shared(array.copy("K"), array)


def _has_traced(x: Any) -> bool:
    if type(x) in (list, tuple):
        return any(map(_has_traced, x))
    if type(x) is np.ndarray and x.dtype == object:
        return any(map(_has_traced, x.ravel().tolist()))
    return is_traced(x)


def _lists(x: Any) -> Any:
    """Nested sequences as lists, real arrays among them as arrays."""
    if type(x) in (list, tuple):
        return [_lists(v) for v in x]
    return x.array if type(x) is Tracer and x.array is not None else x


def _real(x: Any) -> Any:
    if type(x) is Tracer:
        return x.array
    return [_real(v) for v in x] if type(x) in (list, tuple) else x


def _creation(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function that makes an array; with symbolic sizes or traced values, one of the language's."""

    def call(session: Session, *args: Any, **keywords: Any) -> Any:
        if not any(map(_has_traced, (*args, *keywords.values()))):
            return session.known(original(*(_real(a) for a in args), **{k: _real(v) for k, v in keywords.items()}))
        words = {k: v for k, v in keywords.items() if k not in ("order", "device", "like")}
        positional = list(args)
        if is_complex_dtype(words.get("dtype")) or complex_functions.has_complex(args):
            return complex_functions.filled(session, name, positional, words)
        if name in ("zeros", "ones", "full") and "shape" in words:
            positional.insert(0, words.pop("shape"))
        if name == "full" and "fill_value" in words:
            positional.insert(1, words.pop("fill_value"))
        if name in ("arange", "linspace", "eye", "identity") and "N" in words:
            positional.insert(0, words.pop("N"))
        return session.wrapped(session.call(name, positional, words), keywords.get("order") in (None, "C"))

    return call


def _scalar_type(kind: type) -> Callable[..., Any]:
    """np.float32(x), np.float64(x), np.int64(x)."""

    def call(session: Session, x: Any = 0) -> Any:
        if type(x) is TracedSize:
            return session.wrapped(session.call("astype", (as_float(session, x), np.dtype(kind).name), {}))
        if not is_traced(x):
            return kind(_real(x))
        made = x.astype(kind)
        return made if made.ndim else Tracer(session, Buffer(made.node), (), Kind.SCALAR)

    return call


# --- Python's own ---


def _len(session: Session, x: Any) -> Any:
    return x.shape[0] if type(x) is Tracer and x.ndim else len(x)


def _range(session: Session, *bounds: Any) -> Any:
    if not any(type(b) is TracedSize for b in bounds):
        return range(*bounds)
    return TracedRange(*((0, *bounds) if len(bounds) == 1 else bounds))


def _sum(session: Session, values: Iterable[Any], /, start: Any = 0) -> Any:
    if type(values) is Tracer and values.array is None:
        total = np.sum(values, axis=0)
        return total if type(start) is int and start == 0 else start + total
    return builtins.sum(values, start)


def _extreme(original: Callable[..., Any], ufunc: Any) -> Callable[..., Any]:
    """max(a, b) and max(values) of traced values."""

    def call(session: Session, *args: Any, **keywords: Any) -> Any:
        if type(args[0]) is Tracer and len(args) == 1 and not keywords:
            return ufunc.reduce(args[0], axis=0) if args[0].ndim == 1 else original(args[0])
        values = list(args[0]) if len(args) == 1 else list(args)
        sizes = all(type(v) is TracedSize or isinstance(v, int) for v in values)
        if "key" in keywords or sizes or not any(map(is_traced, values)):
            return original(values, **keywords)
        return functools.reduce(ufunc, values)

    return call


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
        ordered = list(np.sort(_array(session, found)))
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


def _generator(kind: Callable[..., Any]) -> Callable[..., Any]:
    """`np.random.default_rng(seed)`: with a seed the numbers are the same at each call, and so constants."""

    def call(session: Session, seed: Any = None) -> Any:
        made = kind(seed)
        if seed is not None:
            session.seeded.append(made)
        return made

    return call


def _draws(session: Session, method: Any) -> Any:
    """A method of a random generator; an error where each call would have to draw anew."""
    if any(method.__self__ is known for known in session.seeded):
        return method

    def refuse(*args: Any, **keywords: Any) -> Any:
        raise session.placed(draws_anew(method.__name__))

    return refuse


def _vectorize(session: Session, function: Any = None, *rest: Any, **words: Any) -> Any:
    return session.convert(function)


class _Rows:
    """np.r_[a, b] and np.c_[a, b] of arrays and numbers."""

    def __init__(self, session: Session, original: Any, columns: bool) -> None:
        self.session, self.original, self.columns = session, original, columns

    def __getitem__(self, key: Any) -> Any:
        items = key if type(key) is tuple else (key,)
        if not any(map(_has_traced, items)):
            return self.session.known(self.original[key])
        if any(isinstance(i, str) for i in items):
            raise self.session.placed(not_covered("r_ with a text"))
        arrays = [self.original[i] if type(i) is slice else i for i in items]
        dtype = np.result_type(*map(_kind_of, arrays))
        parts = [_asarray(self.session, a, dtype) for a in arrays]
        if self.columns:
            return np.concatenate([p.reshape(-1, 1) if p.ndim < 2 else p for p in parts], axis=1)
        return np.concatenate([p.reshape(1) if p.ndim == 0 else p for p in parts])


def _kind_of(x: Any) -> Any:
    """What an operand counts for in promotion: its dtype, or the number that it is."""
    if type(x) in (bool, int, float):
        return x
    if type(x) is TracedSize or (type(x) is Tracer and x.kind is Kind.WEAK):
        return 0 if type(x) is TracedSize else 0.0
    return x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype


class _Grid:
    """np.mgrid[:h, :w] and np.ogrid[:h, :w]: whatever the sizes are, they become numbers."""

    def __init__(self, session: Session, original: Any) -> None:
        self.session, self.original = session, original

    def __getitem__(self, key: Any) -> Any:
        items = key if type(key) is tuple else (key,)
        numbers = [slice(*map(_plain_number, (i.start, i.stop, i.step))) for i in items]
        return self.session.known(self.original[tuple(numbers) if type(key) is tuple else numbers[0]])


def _plain_number(x: Any) -> Any:
    return int(x) if type(x) is TracedSize else x


def _testing(session: Session, function: types.FunctionType) -> Any:
    """np.testing.assert_allclose and its like: they need numbers."""
    if not (function.__module__ or "").startswith("numpy.testing"):
        return None

    def call(*args: Any, **keywords: Any) -> Any:
        if any(map(_has_traced, (*args, *keywords.values()))):
            raise session.placed(not_covered(f"testing.{function.__name__}"))
        return function(*map(_real, args), **{k: _real(v) for k, v in keywords.items()})

    return call


# --- SciPy ---


def _scipy(session: Session, function: types.FunctionType) -> Any:
    """A Python function of SciPy's that the language has under the same name."""
    module = function.__module__ or ""
    if not module.startswith("scipy."):
        return None
    special = module.startswith("scipy.special")
    names = [function.__name__] if special else [f"linalg.{function.__name__}", function.__name__]
    known = next((n for n in names if n in FUNCTIONS), None)

    def call(*args: Any, **keywords: Any) -> Any:
        if not any(map(_has_traced, (*args, *keywords.values()))):
            return function(*args, **keywords)
        if known is None:
            public = [part for part in module.split(".") if not part.startswith("_")]
            raise session.placed(not_covered(".".join([*public, function.__name__])))
        return session.wrapped(session.call(known, args, keywords))

    return call


def _scipy_method(session: Session, method: types.MethodType) -> Any:
    """norm.pdf, norm.cdf, norm.logpdf, norm.logcdf of scipy.stats."""
    if not type(method.__self__).__module__.startswith("scipy.stats"):
        return None
    owner = type(method.__self__).__name__.removesuffix("_gen")
    name = f"{owner}_{method.__name__}"

    def call(*args: Any, **keywords: Any) -> Any:
        if not any(map(_has_traced, (*args, *keywords.values()))):
            return method(*args, **keywords)
        shown = f"scipy.stats.{owner}.{method.__name__}"
        return session.wrapped(session.call(name, args, keywords, shown=shown))

    return call


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
    np.array: _array,
    np.asarray: _asarray,
    np.asanyarray: _asarray,
    np.ascontiguousarray: _as_laid_out,
    np.asfortranarray: _as_laid_out,
    np.require: _as_laid_out,
    np.fromiter: lambda session, iter, dtype, count=-1, **words: _array(session, list(iter), dtype),
    **{getattr(np, n): _creation(getattr(np, n), "zeros" if n == "empty" else n) for n in (
        "zeros", "ones", "full", "empty", "eye", "identity", "arange", "linspace", "logspace", "geomspace", "tri",
        "indices", "diag_indices", "tril_indices", "triu_indices", "vander")},
    **{k: _scalar_type(k) for k in (np.float64, np.float32, np.int64, np.int32, np.bool_)},
    float: as_float,
    int: _as_int,
    bool: _as_bool,
    len: _len,
    range: _range,
    sum: _sum,
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
    np.random.default_rng: _generator(np.random.default_rng),
    np.random.RandomState: _generator(np.random.RandomState),
    np.ndenumerate: _ndenumerate,
}  # fmt: skip
_INDEXED: dict[int, Callable[[Session, Any], Any]] = {
    id(np.r_): functools.partial(_Rows, columns=False),
    id(np.c_): functools.partial(_Rows, columns=True),
    id(np.mgrid): _Grid,
    id(np.ogrid): _Grid,
}
