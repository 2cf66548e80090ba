"""What NumPy's two protocols answer for traced arrays.

np.add(x, 1, out=y)       ufunc: the function `add`, then y is overwritten
np.sum(x, axis=0)         function: the function `sum`
np.put_along_axis(...)    one of the few that have code of their own: `functions.py`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import UnsupportedError
from graphc.expr.functions import FUNCTIONS
from graphc.frontends.numpy import calls, complex, complex_functions, folds, indexing, methods
from graphc.frontends.numpy.functions import SPECIAL
from graphc.frontends.numpy.tracer import Tracer, is_traced, real_of

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

_REDUCE = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all",
           "logical_or": "any", "logaddexp": "logsumexp", "fmax": "nanmax", "fmin": "nanmin"}  # fmt: skip
_ACCUMULATE = {"add": "cumsum", "multiply": "cumprod", "maximum": "maximum_accumulate",
               "minimum": "minimum_accumulate", "logaddexp": "logaddexp_accumulate"}  # fmt: skip
_LOGICAL = {"bitwise_and": "logical_and", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor",
            "invert": "logical_not"}  # fmt: skip
RENAMED = {"true_divide": "divide", "conjugate": "positive", "degrees": "rad2deg", "radians": "deg2rad"}
_MODULES = {"numpy.linalg": "linalg.", "numpy.fft": "fft.", "scipy.linalg": "linalg.", "scipy.fft": "fft."}
# Functions that NumPy answers with views of their first argument.
_VIEWS = frozenset(
    """
    reshape ravel transpose swapaxes moveaxis rollaxis squeeze expand_dims atleast_1d atleast_2d atleast_3d flip
    fliplr flipud rot90 split array_split hsplit vsplit dsplit permute_dims matrix_transpose unstack
    linalg.matrix_transpose
    """.split()  # noqa: SIM905
)
# Functions whose results share memory with their arguments, element for element in no simple order.
_SHARED = frozenset({"broadcast_to", "broadcast_arrays", "sliding_window_view", "diag", "diagonal", "einsum"})
# Functions and methods that write to their first argument.
_WRITING = frozenset({"at", "copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"})
_READONLY = frozenset({"broadcast_to", "sliding_window_view", "diag", "diagonal"})


# --- ufuncs ---


def ufunc(session: Session, ufunc: Any, method: str, inputs: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """`ufunc.method(*inputs, **keywords)`."""
    if complex.any_complex((*inputs, keywords.get("out"))):
        return complex.ufunc_of(session, ufunc, method, inputs, keywords)
    out = keywords.pop("out", None)
    targets = out if isinstance(out, tuple) else (out,)
    if all(t is None for t in targets):
        targets = ()
    if not any(map(is_traced, inputs)) and not any(map(is_traced, (*targets, *keywords.values()))):
        return _known(session, getattr(ufunc, method), inputs, {**keywords, **_real_out(targets)}, targets)
    name = _name_of(ufunc, inputs)
    where = keywords.pop("where", True)
    for word in ("casting", "order", "subok", "signature"):
        keywords.pop(word, None)
    if method == "at":
        return _at(session, name, inputs)
    result = _METHODS[method](session, name, inputs, keywords) if method in _METHODS else None
    if result is None and method in folds.METHODS and ufunc.nin == 2:
        result = folds.METHODS[method](ufunc, *inputs, **keywords)
    if result is None:
        raise session.placed(calls.not_covered(f"{ufunc.__name__}.{method}"))
    if where is not True:
        result = _where(session, where, result, targets, ufunc)
    return session.stored(result, out)


def _real_out(targets: Sequence[Any]) -> dict[str, Any]:
    return {"out": tuple(real_of(t) for t in targets)} if targets else {}


def _known(
    session: Session, call: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any], targets: Sequence[Any]
) -> Any:
    """NumPy's own answer to a call without traced arguments."""
    for value in (*targets, *(args[:1] if getattr(call, "__name__", "") in _WRITING else ())):
        if type(value) is Tracer:
            session.writing(value.buffer)
    result = call(*map(real_of, args), **{k: real_of(v) for k, v in keywords.items()})
    for target in targets:
        if type(target) is Tracer:
            session.attempt(target.buffer.check_writable)
            target.buffer.touched()
    if targets:
        return targets[0] if len(targets) == 1 else tuple(targets)
    for arg in args:
        if type(arg) is Tracer:
            arg.buffer.touched() if result is None else None
    return session.known(result, *args)


def _name_of(ufunc: Any, inputs: Sequence[Any]) -> str:
    """The function of the language for a ufunc; on booleans `&` is logical."""
    name: str = ufunc.__name__
    if name in _LOGICAL and all(_is_boolean(x) for x in inputs):
        return _LOGICAL[name]
    return RENAMED.get(name, name)


def _is_boolean(x: Any) -> bool:
    return bool(x.dtype == np.bool_) if hasattr(x, "dtype") else isinstance(x, bool)


def _call(session: Session, name: str, inputs: Sequence[Any], keywords: dict[str, Any]) -> Any:
    dtype = keywords.pop("dtype", None)
    result = session.call(
        name, inputs, keywords, shown=_SIGNS.get(name, name if hasattr(np, name) else f"scipy.special.{name}")
    )
    wrapped = session.wrapped(result, _in_order(inputs))
    return wrapped if dtype is None else wrapped.astype(dtype)


_SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "matmul": "@", "power": "**"}


def _in_order(values: Sequence[Any]) -> bool:
    """Whether the result has its elements in order: NumPy keeps the layout that its arguments have."""
    return all(_in_order(v) if type(v) in (list, tuple) else type(v) is not Tracer or v.contiguous for v in values)


def _reduce(session: Session, name: str, inputs: Sequence[Any], keywords: dict[str, Any]) -> Any:
    if name not in _REDUCE:
        return None
    array, *rest = inputs
    words = {"axis": 0, **dict(zip(("axis", "dtype"), rest, strict=False)), **keywords}
    return session.wrapped(session.call(_REDUCE[name], (array,), words, shown=f"{name}.reduce"))


def _accumulate(session: Session, name: str, inputs: Sequence[Any], keywords: dict[str, Any]) -> Any:
    if name not in _ACCUMULATE:
        return None
    array, *rest = inputs
    words = {"axis": 0, **dict(zip(("axis", "dtype"), rest, strict=False)), **keywords}
    return session.wrapped(session.call(_ACCUMULATE[name], (array,), words, shown=f"{name}.accumulate"))


def _outer(session: Session, name: str, inputs: Sequence[Any], keywords: dict[str, Any]) -> Any:
    a, b = inputs
    spread = np.expand_dims(a, tuple(range(np.ndim(a), np.ndim(a) + np.ndim(b))))
    return _call(session, name, (spread, b), keywords)


_METHODS: dict[str, Callable[..., Any]] = {
    "__call__": _call, "reduce": _reduce, "accumulate": _accumulate, "outer": _outer,
}  # fmt: skip


def _at(session: Session, name: str, inputs: Sequence[Any]) -> None:
    """`np.add.at(x, index, value)`."""
    target, key, *rest = inputs
    if type(target) is not Tracer:
        raise session.placed(calls.made_outside())
    if name == "subtract":
        name, rest = "add", [-rest[0]]
    if name != "add":
        raise session.placed(calls.not_covered(f"{name}.at"))
    indexing.add_at(target, key, rest[0])


def _where(session: Session, mask: Any, result: Any, targets: Sequence[Any], ufunc: Any) -> Any:
    """`where=`: elsewhere stays what `out` held."""
    if not targets or targets[0] is None:
        raise session.placed(
            UnsupportedError(
                "G044",
                f"np.{ufunc.__name__} with where= and without out= leaves elements undefined",
                hint="give out=, or write np.where(mask, f(x), other)",
            )
        )
    return np.where(mask, result, targets[0])


# --- functions ---


def function(session: Session, func: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """`func(*args, **keywords)` for a function of NumPy's that is no ufunc."""
    if complex.any_complex(args) or complex.any_complex(keywords.values()):
        return complex_functions.function_of(session, func, args, keywords)
    if func in SPECIAL:
        return SPECIAL[func](session, *args, **keywords)
    name = "nonzero" if func is np.where and len(args) == 1 else name_of(func)
    if name.startswith("atleast_") and len(args) > 1:
        return tuple(function(session, func, (a,), {}) for a in args)
    if not _any_traced(args) and not _any_traced(keywords.values()) and name not in _VIEWS:
        out = keywords.pop("out", None)
        targets = () if out is None else (out,)
        real = {**keywords, **({"out": real_of(out)} if targets else {})}
        return _known(session, func, args, real, targets)
    out = keywords.pop("out", None)
    known = FUNCTIONS.get(name)
    required = known.required if known is not None else 0
    values, words = calls.by_position(func, required, args, keywords)
    if name in ("ravel", "reshape") and type(values[0]) is Tracer:
        methods.check_order(values[0], words.get("order", "C"))
    result = session.call(name, values, words, shown=name)
    if name in _VIEWS and values and type(values[0]) is Tracer:
        return session.viewed(values[0], result)
    made = session.wrapped(result, _in_order([*values, *words.values()]))
    if name in _SHARED and out is None and not _is_new(name, values):
        session.shared(made, *values, readonly=name if name in _READONLY else "")
    return session.stored(made, out)


def _is_new(name: str, values: Sequence[Any]) -> bool:
    """Whether a function that may answer with a view makes a new array of these arguments."""
    if name == "einsum":
        operands = [v for v in values if type(v) is Tracer]
        return len(operands) > 1 or np.ndim(operands[0]) == 0
    return name == "diag" and values[0].ndim == 1


def _any_traced(values: Any) -> bool:
    return any(_any_traced(v) if type(v) in (list, tuple) else is_traced(v) for v in values)


def name_of(func: Any) -> str:
    """The name of a function of NumPy's in the language: norm of numpy.linalg is linalg.norm."""
    module = getattr(func, "__module__", None) or ""
    prefix = next((p for m, p in _MODULES.items() if module.startswith(m)), "")
    return f"{prefix}{func.__name__}"
