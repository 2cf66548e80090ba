"""What a function uses besides its arguments: closure, globals, the object it is a method of.

    scale = 2.0
    def f(x): return scale * x        fingerprint(f) changes when `scale` does

Compiled code has these values in it. A fingerprint tells when it no longer may be used.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any
from zlib import adler32, crc32

import numpy as np

from graphc.frontends.numpy.places import is_foreign

MAX_VALUES = 20_000
WHOLE = 8 * 2**20  # bytes of an array that are all looked at; of a larger one, a sample
_PLAIN = (int, float, complex, str, bytes, bool, type(None), np.generic)


def fingerprint(function: Any) -> int:
    """A number that changes when something that the function uses from outside changes."""
    total = 0
    for count, value in enumerate(_values(function)):
        if count > MAX_VALUES:
            break
        total = hash((total, value))
    return total


def _values(function: Any) -> Iterator[Any]:
    """The outside values, in a fixed order, as hashable marks."""
    seen: set[int] = set()
    stack: list[Any] = [function]
    while stack:
        value = stack.pop()
        if isinstance(value, _PLAIN):
            yield type(value).__name__, value if value == value else "nan"
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, np.ndarray):
            yield _mark(value)
        elif isinstance(value, dict):
            yield "dict", len(value)
            stack += [x for k, v in reversed(value.items()) for x in (v, k if isinstance(k, _PLAIN) else None)]
        elif isinstance(value, (list, tuple)):
            yield type(value).__name__, len(value)
            stack += reversed(value)
        else:
            stack += _parts(value)


def _mark(array: np.ndarray[Any, Any]) -> tuple[Any, ...]:
    if array.dtype == object:
        return "objects", array.shape
    data = array if array.nbytes <= WHOLE else array.ravel()[:: 1 + array.nbytes // WHOLE]
    content = np.ascontiguousarray(data).view(np.uint8) if data.ndim else data.tobytes()
    return array.dtype.str, array.shape, crc32(content), adler32(content)  # type: ignore[arg-type]


def _parts(value: Any) -> list[Any]:
    """What a function, a method or an object of the user's refers to."""
    if isinstance(value, types.MethodType):
        return [value.__self__, value.__func__]
    if isinstance(value, types.FunctionType):
        return [] if is_foreign(value.__code__.co_filename) else _of_function(value)
    if hasattr(value, "__wrapped__"):
        return [value.__wrapped__]
    if hasattr(value, "func") and hasattr(value, "keywords"):  # functools.partial
        return [value.keywords, value.args, value.func]
    if isinstance(value, (type, types.ModuleType)) or callable(getattr(value, "__array_ufunc__", None)):
        return []
    return (
        [vars(value)]
        if hasattr(value, "__dict__") and not type(value).__module__.startswith(("numpy", "scipy"))
        else []
    )


def _of_function(function: types.FunctionType) -> list[Any]:
    found: list[Any] = [function.__defaults__, function.__kwdefaults__]
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # empty as yet
            found.append(None)
    codes = [function.__code__]
    for code in codes:
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        for name in code.co_names:
            value = function.__globals__.get(name)
            if not isinstance(value, types.ModuleType):
                found.append(value)
    return found
