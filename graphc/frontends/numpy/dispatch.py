"""What NumPy's two protocols answer for traced arrays.

np.add(x, 1, out=y)       ufunc: the function `add`, then y is overwritten
np.sum(x, axis=0)         function: the function `sum`
np.put_along_axis(...)    one of the few that have code of their own: they write into an argument
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import UnsupportedError
from graphc.expr.functions import FUNCTIONS
from graphc.frontends.numpy import calls, complex, complex_functions, folds, indexing, methods
from graphc.frontends.numpy.tracer import Tracer, is_traced

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

_REDUCE = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all",
           "logical_or": "any", "logaddexp": "logsumexp", "fmax": "nanmax", "fmin": "nanmin"}  # fmt: skip
_ACCUMULATE = {"add": "cumsum", "multiply": "cumprod", "maximum": "maximum_accumulate",
               "minimum": "minimum_accumulate"}  # fmt: skip
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
_READONLY = frozenset({"broadcast_to", "sliding_window_view", "diag", "diagonal"})


# --- ufuncs ---


def ufunc(session: Session, ufunc: Any, method: str, inputs: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """`ufunc.method(*inputs, **keywords)`."""
    if _any_complex((*inputs, keywords.get("out"))):
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
    return {"out": tuple(session_array(t) for t in targets)} if targets else {}


def session_array(x: Any) -> Any:
    """The real array behind a known one."""
    return x.array if type(x) is Tracer else x


def _known(
    session: Session, call: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any], targets: Sequence[Any]
) -> Any:
    """NumPy's own answer to a call without traced arguments."""
    result = call(*map(_real, args), **{k: _real(v) for k, v in keywords.items()})
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


def _real(x: Any) -> Any:
    if type(x) is Tracer:
        return x.array
    if type(x) in (list, tuple):
        return type(x)(_real(v) for v in x)
    return x


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
        raise session.placed(made_outside())
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


def made_outside() -> UnsupportedError:
    """The error for writing a traced value into an array that the trace does not know."""
    return UnsupportedError(
        "G043",
        "a traced value is written into an array that was made outside the traced function",
        hint="make the array inside (np.zeros, a.copy()), or write x = x + y instead of x += y",
    )


# --- functions ---


def function(session: Session, func: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """`func(*args, **keywords)` for a function of NumPy's that is no ufunc."""
    if _any_complex(args) or _any_complex(keywords.values()):
        return complex_functions.function_of(session, func, args, keywords)
    if func in SPECIAL:
        return SPECIAL[func](session, *args, **keywords)
    name = "nonzero" if func is np.where and len(args) == 1 else name_of(func)
    if name.startswith("atleast_") and len(args) > 1:
        return tuple(function(session, func, (a,), {}) for a in args)
    if not _any_traced(args) and not _any_traced(keywords.values()) and name not in _VIEWS:
        out = keywords.pop("out", None)
        targets = () if out is None else (out,)
        real = {**keywords, **({"out": session_array(out)} if targets else {})}
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


def _any_complex(values: Any) -> bool:
    return any(_any_complex(v) if type(v) in (list, tuple) else complex.is_complex(v) for v in values)


def name_of(func: Any) -> str:
    """The name of a function of NumPy's in the language: norm of numpy.linalg is linalg.norm."""
    module = getattr(func, "__module__", None) or ""
    prefix = next((p for m, p in _MODULES.items() if module.startswith(m)), "")
    return f"{prefix}{func.__name__}"


def _copyto(session: Session, dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    target = _target(session, dst)
    target.assign(src if where is True else np.where(where, src, target))


def _target(session: Session, x: Any) -> Tracer:
    if type(x) is not Tracer:
        raise session.placed(made_outside())
    return x


def _writing(name: str) -> Callable[..., None]:
    """A function that overwrites its first argument, from the one that makes a new array."""

    def call(session: Session, target: Any, *args: Any, **keywords: Any) -> None:
        array = _target(session, target)
        array.assign(session.wrapped(session.call(name, (array, *args), keywords)))

    return call


def _putmask(session: Session, target: Any, mask: Any, values: Any) -> None:
    array = _target(session, target)
    array.assign(np.where(mask, values, array))


def _put(session: Session, target: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    _target(session, target).reshape(-1)[ind] = v


def _apply_along_axis(session: Session, func1d: Any, axis: int, arr: Any, *args: Any, **keywords: Any) -> Any:
    """The function applied to each line, one after the other."""
    lines = np.moveaxis(arr, axis, 0)
    lead = tuple(int(s) for s in lines.shape[1:])
    call = session.callable(func1d)
    results = [call(lines[(slice(None), *index)], *args, **keywords) for index in np.ndindex(lead)]
    rest = np.shape(results[0])
    whole = np.reshape(np.stack(results), (*lead, *rest))
    places = tuple(range(len(lead), len(lead) + len(rest)))
    return np.moveaxis(whole, places, tuple(range(axis, axis + len(rest)))) if rest else whole


def _piecewise(session: Session, x: Any, condlist: Any, funclist: Any, *args: Any, **keywords: Any) -> Any:
    single = not isinstance(condlist, (list, tuple)) and np.ndim(condlist) == np.ndim(x)
    conditions = [condlist] if single else list(condlist)
    pieces = [session.callable(f)(x, *args, **keywords) if callable(f) else f for f in funclist]
    result: Any = pieces[len(conditions)] if len(pieces) > len(conditions) else 0.0
    for condition, piece in zip(conditions, pieces, strict=False):
        result = np.where(condition, piece, result)  # NumPy lets the last true condition win
    return np.asarray(result).astype(x.dtype) if not is_traced(result) else result.astype(x.dtype)


def _apply_over_axes(session: Session, func: Any, a: Any, axes: Any) -> Any:
    """The function applied over one axis after the other, each kept at size 1."""
    call, result = session.callable(func), a
    for axis in (axes,) if np.ndim(axes) == 0 else axes:
        reduced = call(result, axis)
        result = reduced if reduced.ndim == result.ndim else np.expand_dims(reduced, axis)
    return result


def _array_equiv(session: Session, a1: Any, a2: Any) -> Any:
    return np.all(np.equal(a1, a2))


def _einsum_path(session: Session, *operands: Any, **keywords: Any) -> Any:
    """The path that NumPy finds for these sizes; what `einsum` does with it is graphc's affair."""
    real = [np.broadcast_to(0.0, tuple(int(d) for d in x.shape)) if type(x) is Tracer else x for x in operands]
    return np.einsum_path(*real, **keywords)


def _common_type(session: Session, *arrays: Any) -> Any:
    return np.common_type(*(np.empty(0, x.dtype) for x in arrays))


def _shape(session: Session, a: Any) -> Any:
    return a.shape


def _size(session: Session, a: Any, axis: Any = None) -> Any:
    return a.size if axis is None else a.shape[axis]


def _array_equal(session: Session, a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    return False if np.shape(a1) != np.shape(a2) else np.all(np.equal(a1, a2))


def _like(name: str) -> Callable[..., Any]:
    def call(session: Session, a: Any, *args: Any, **keywords: Any) -> Any:
        words = {k: v for k, v in keywords.items() if k not in ("order", "subok", "device")}
        shape = words.pop("shape", None)
        if methods.is_complex_dtype(words.get("dtype")) or _any_complex(args):
            made = session.as_complex(np.zeros_like(a, float, shape=shape))
            made[...] = args[0] if name == "full_like" else float(name == "ones_like")
            return made
        if shape is not None:
            fill = args[:1] if name == "full_like" else ()
            made = session.call(name.removesuffix("_like"), (shape, *fill), {"dtype": a.dtype, **words})
            return session.wrapped(made)
        if a.array is not None:
            return session.known(getattr(np, name)(a.array, *map(_real, args), **words))
        return session.wrapped(session.call(name, (a, *args), words), a.contiguous)

    return call


def _nan_to_num(session: Session, x: Any, copy: bool = True, **keywords: Any) -> Any:
    if not is_traced(x) and copy:
        return session.known(np.nan_to_num(_real(x), **keywords))
    made = session.wrapped(session.call("nan_to_num", (x,), keywords))
    return made if copy else session.stored(made, x)


def _diag_indices_from(session: Session, arr: Any) -> Any:
    return session.wrapped(session.call("diag_indices", (arr.shape[0], arr.ndim), {}))


def _can_cast(session: Session, a: Any, to: Any, casting: Any = "safe") -> bool:
    return np.can_cast(getattr(a, "dtype", a), to, casting)


SPECIAL: dict[Any, Callable[..., Any]] = {
    np.copyto: _copyto,
    np.put_along_axis: _writing("put_along_axis"),
    np.fill_diagonal: _writing("fill_diagonal"),
    np.putmask: _putmask,
    np.place: _putmask,
    np.put: _put,
    np.apply_along_axis: _apply_along_axis,
    np.apply_over_axes: _apply_over_axes,
    np.piecewise: _piecewise,
    np.einsum_path: _einsum_path,
    np.shape: _shape,
    np.ndim: lambda session, a: a.ndim,
    np.size: _size,
    np.copy: lambda session, a, order="K", subok=False: a.copy(order),
    np.array_equal: _array_equal,
    np.array_equiv: _array_equiv,
    np.common_type: _common_type,
    np.iscomplexobj: lambda session, x: False,
    np.isrealobj: lambda session, x: True,
    np.may_share_memory: lambda session, a, b, max_work=None: getattr(a, "buffer", 0) is getattr(b, "buffer", 1),
    np.shares_memory: lambda session, a, b, max_work=None: getattr(a, "buffer", 0) is getattr(b, "buffer", 1),
    np.result_type: lambda session, *xs: np.result_type(*(getattr(x, "dtype", x) for x in xs)),
    np.can_cast: _can_cast,
    np.nan_to_num: _nan_to_num,
    np.diag_indices_from: _diag_indices_from,
    np.real: lambda session, val: val,
    np.real_if_close: lambda session, a, tol=100: a,
    np.array_repr: lambda session, arr, *rest, **words: repr(arr),
    np.array_str: lambda session, a, *rest, **words: repr(a),
    np.array2string: lambda session, a, *rest, **words: repr(a),
    np.zeros_like: _like("zeros_like"),
    np.ones_like: _like("ones_like"),
    np.full_like: _like("full_like"),
    np.empty_like: _like("zeros_like"),
}
