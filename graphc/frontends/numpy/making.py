"""Arrays of lists, numbers and sizes.

np.array([[c, -s], [s, c]])      stacked
np.zeros(n)                      an array that traced values may be written to
np.mean([a, b])                  the list is an array, as to NumPy
np.r_[a, b], np.mgrid[:h, :w]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.frontends.numpy import complex_functions
from graphc.frontends.numpy.buffers import Buffer
from graphc.frontends.numpy.calls import not_covered
from graphc.frontends.numpy.complex import Complex
from graphc.frontends.numpy.methods import is_complex_dtype
from graphc.frontends.numpy.several import JOINED, Rows, has_several
from graphc.frontends.numpy.sizes import TracedSize
from graphc.frontends.numpy.tracer import Kind, Tracer, is_traced, real_of

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

# NumPy's functions that ask their arguments, and those of them that look into a sequence of arrays by themselves.
DISPATCHED = (np.ufunc, type(np.sum))

_SEQUENCES = frozenset(
    """
    concatenate stack vstack hstack dstack column_stack block multi_dot select choose piecewise lexsort ix_
    broadcast_arrays einsum
    """.split()  # noqa: SIM905
)


def of_lists(session: Session, function: Any, *args: Any, **keywords: Any) -> Any:
    """`np.mean([a, b])`: NumPy asks arrays, not what is in lists, and so would not come to traced ones."""
    if args and has_several(args[0]):
        rows = Rows(session, args[0]).array()
        name = function.__name__
        return JOINED[name](rows, *args[1:], **keywords) if name in JOINED else function(rows, *args[1:], **keywords)
    if function.__name__ in _SEQUENCES:
        return function(*args, **keywords)
    index = function.__name__ == "at"  # np.add.at(x, (i, j), value): a tuple of positions is no array
    arrays = [a if index and i == 1 else _stacked(session, a) for i, a in enumerate(args)]
    return function(*arrays, **{name: _stacked(session, value) for name, value in keywords.items()})


def _stacked(session: Session, x: Any) -> Any:
    """A list with traced elements as an array; a shape with traced sizes stays as it is."""
    return make_array(session, x) if type(x) in (list, tuple) and _has_elements(x) else x


def _has_elements(x: Any) -> bool:
    if type(x) in (list, tuple):
        return any(map(_has_elements, x))
    return type(x) is not TracedSize and is_traced(x)


def make_array(
    session: Session, x: Any, dtype: Any = None, *, copy: bool | None = True, ndmin: int = 0, **words: Any
) -> Any:
    """`np.array`: nested lists of traced values are stacked, a traced array is copied."""
    x = Rows(session, x).array() if has_several(x) else x
    if type(x) is Tracer and not copy:
        return as_array(session, x, dtype)
    if type(x) is Complex:
        return x.copy() if dtype is None else x.astype(dtype)
    if has_traced(x) and complex_functions.has_complex(x):
        return Complex(session, *(make_array(session, complex_functions.parts_of(x, i), ndmin=ndmin) for i in (0, 1)))
    if type(x) is Tracer:
        made = x.copy("K") if dtype is None else x.astype(dtype)
    elif has_traced(x):
        made = session.wrapped(session.call("array", (_lists(x),), {}))
        made = made if dtype is None else made.astype(dtype)
    else:
        return session.known(np.array(real_of(x), dtype=dtype, ndmin=ndmin, **words))
    if made.kind is not Kind.ARRAY:
        made = Tracer(session, Buffer(made.node), (), Kind.ARRAY)
    return made.reshape((1,) * (ndmin - made.ndim) + made.shape) if made.ndim < ndmin else made


def as_array(session: Session, x: Any, dtype: Any = None, **words: Any) -> Any:
    """`np.asarray`: an array stays the one it is."""
    if type(x) is Tracer and x.kind is Kind.ARRAY and (dtype is None or x.dtype == np.dtype(dtype)):
        return x
    if type(x) is Complex and (dtype is None or x.dtype == np.dtype(dtype)):
        return x
    if type(x) is np.ndarray:
        return np.asarray(x, dtype=dtype)
    return make_array(session, x, dtype)


def as_laid_out(session: Session, x: Any, dtype: Any = None, **words: Any) -> Any:
    """np.ascontiguousarray, np.asfortranarray: the array itself or a copy, as its memory lies."""
    array = as_array(session, x, dtype)
    if array is not x or array.ndim < 2:
        return array
    return session.shared(array.copy("K"), array)


def has_traced(x: Any) -> bool:
    if type(x) in (list, tuple):
        return any(map(has_traced, x))
    if type(x) is np.ndarray and x.dtype == object:
        return any(map(has_traced, x.ravel().tolist()))
    return is_traced(x)


def _lists(x: Any) -> Any:
    """Nested sequences as lists, real arrays among them as arrays."""
    if type(x) in (list, tuple):
        return [_lists(v) for v in x]
    return x.array if type(x) is Tracer and x.array is not None else x


def creation(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function that makes an array; with symbolic sizes or traced values, one of the language's."""

    def call(session: Session, *args: Any, **keywords: Any) -> Any:
        if not any(map(has_traced, (*args, *keywords.values()))):
            return session.known(original(*(real_of(a) for a in args), **{k: real_of(v) for k, v in keywords.items()}))
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


def scalar_type(kind: type) -> Callable[..., Any]:
    """np.float32(x), np.float64(x), np.int64(x)."""

    def call(session: Session, x: Any = 0) -> Any:
        if type(x) is TracedSize:
            return session.wrapped(session.call("astype", (session.as_float(x), np.dtype(kind).name), {}))
        if not is_traced(x):
            return kind(real_of(x))
        made = x.astype(kind)
        return made if made.ndim else Tracer(session, Buffer(made.node), (), Kind.SCALAR)

    return call


class Ranges:
    """np.r_[a, b] and np.c_[a, b] of arrays and numbers."""

    def __init__(self, session: Session, original: Any, columns: bool) -> None:
        self.session, self.original, self.columns = session, original, columns

    def __getitem__(self, key: Any) -> Any:
        items = key if type(key) is tuple else (key,)
        if not any(map(has_traced, items)):
            return self.session.known(self.original[key])
        if any(isinstance(i, str) for i in items):
            raise self.session.placed(not_covered("r_ with a text"))
        arrays = [self.original[i] if type(i) is slice else i for i in items]
        dtype = np.result_type(*map(_kind_of, arrays))
        parts = [as_array(self.session, a, dtype) for a in arrays]
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


class Grid:
    """np.mgrid[:h, :w] and np.ogrid[:h, :w]: whatever the sizes are, they become numbers."""

    def __init__(self, session: Session, original: Any) -> None:
        self.session, self.original = session, original

    def __getitem__(self, key: Any) -> Any:
        items = key if type(key) is tuple else (key,)
        numbers = [slice(*map(_plain_number, (i.start, i.stop, i.step))) for i in items]
        return self.session.known(self.original[tuple(numbers) if type(key) is tuple else numbers[0]])


def _plain_number(x: Any) -> Any:
    return int(x) if type(x) is TracedSize else x
