"""NumPy's functions that are no function of the language: traced, each has code of its own.

np.copyto, np.put_along_axis      write into an argument
np.piecewise, np.apply_along_axis call functions of the user's
np.shape, np.result_type          ask about arrays
np.zeros_like(x, shape=...)       make arrays
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.frontends.numpy import calls, complex, methods
from graphc.frontends.numpy.tracer import Tracer, is_traced, real_of

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session


def _copyto(session: Session, dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    target = _target(session, dst)
    target.assign(src if where is True else np.where(where, src, target))


def _target(session: Session, x: Any) -> Tracer:
    if type(x) is not Tracer:
        raise session.placed(calls.made_outside())
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
    if np.shape(a1) != np.shape(a2):
        return False
    same = np.equal(a1, a2)
    return np.all(np.logical_or(same, np.logical_and(np.isnan(a1), np.isnan(a2))) if equal_nan else same)


def _may_share_memory(session: Session, a: Any, b: Any, max_work: Any = None) -> bool:
    """Whether two arrays are views of one; as in NumPy, that may be of parts that do not meet."""
    return type(a) is Tracer and type(b) is Tracer and a.buffer is b.buffer


def _shares_memory(session: Session, a: Any, b: Any, max_work: Any = None) -> bool:
    """Whether two arrays have an element in common; known where one of them is the whole or both are one part."""
    if not _may_share_memory(session, a, b):
        return False
    if a.path and b.path and a.path != b.path:
        raise session.placed(calls.not_covered("shares_memory"))
    return True


def _like(name: str) -> Callable[..., Any]:
    def call(session: Session, a: Any, *args: Any, **keywords: Any) -> Any:
        words = {k: v for k, v in keywords.items() if k not in ("order", "subok", "device")}
        shape = words.pop("shape", None)
        if methods.is_complex_dtype(words.get("dtype")) or complex.any_complex(args):
            made = session.as_complex(np.zeros_like(a, float, shape=shape))
            made[...] = args[0] if name == "full_like" else float(name == "ones_like")
            return made
        if shape is not None:
            fill = args[:1] if name == "full_like" else ()
            made = session.call(name.removesuffix("_like"), (shape, *fill), {"dtype": a.dtype, **words})
            return session.wrapped(made)
        if a.array is not None:
            return session.known(getattr(np, name)(a.array, *map(real_of, args), **words))
        return session.wrapped(session.call(name, (a, *args), words), a.contiguous)

    return call


def _nan_to_num(session: Session, x: Any, copy: bool = True, **keywords: Any) -> Any:
    if not is_traced(x) and copy:
        return session.known(np.nan_to_num(real_of(x), **keywords))
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
    np.may_share_memory: _may_share_memory,
    np.shares_memory: _shares_memory,
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
