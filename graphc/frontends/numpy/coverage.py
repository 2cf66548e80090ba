"""Which functions of NumPy can be traced.

    covered()     {"sum": np.sum, "linalg.solve": np.linalg.solve, "fft.rfft": np.fft.rfft, ...}

A function counts once, under the first of its names. What only computes with sizes, types and
numbers known beforehand (np.hanning, np.finfo) is NumPy's own affair and does not count.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

from graphc.expr.functions import FUNCTIONS
from graphc.frontends.numpy.builtins import REPLACED
from graphc.frontends.numpy.complex_functions import FUNCTIONS as OF_COMPLEX
from graphc.frontends.numpy.dispatch import RENAMED, name_of
from graphc.frontends.numpy.functions import SPECIAL

MODULES: dict[str, ModuleType] = {"": np, "linalg.": np.linalg, "fft.": np.fft}
_DISPATCHED = type(np.sum)
# Known to the tracer, and yet no functions of traced values: they print, are about to leave NumPy, or are refused.
_OTHERS = frozenset({"array2string", "array_repr", "array_str", "row_stack", "linalg.eig", "linalg.eigvals"})


def public() -> dict[str, Any]:
    """Every function and ufunc of numpy, numpy.linalg and numpy.fft by its first public name."""
    found: dict[int, tuple[str, Any]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for name, function in _functions():
            found.setdefault(id(function), (name, function))
    return dict(found.values())


def _functions() -> Iterator[tuple[str, Any]]:
    kinds = (np.ufunc, FunctionType, BuiltinFunctionType, _DISPATCHED)
    for prefix, module in MODULES.items():
        names = sorted(name for name in dir(module) if not name.startswith("_"))
        yield from ((prefix + n, getattr(module, n)) for n in names if isinstance(getattr(module, n), kinds))


def covered() -> dict[str, Any]:
    """Those of them that can be traced."""
    return {name: f for name, f in public().items() if name not in _OTHERS and _is_covered(f)}


def _is_covered(function: Any) -> bool:
    if isinstance(function, np.ufunc):
        return RENAMED.get(function.__name__, function.__name__) in FUNCTIONS
    return function in SPECIAL or function in REPLACED or name_of(function) in (FUNCTIONS.keys() | OF_COMPLEX.keys())
