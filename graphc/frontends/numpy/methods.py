"""Methods of traced arrays: x.sum(axis=0) is np.sum(x, axis=0)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from graphc.errors import UnsupportedError
from graphc.ir.types import dtype_named

if TYPE_CHECKING:
    from graphc.frontends.numpy.tracer import Tracer

ADVICE = (
    "traced are NumPy functions, array methods and operators; and, where the source can be read, math.*, float() and "
    "np.array([...])"
)
_FUNCTIONS = frozenset(
    """
    sum mean max min prod var std any all cumsum cumprod ptp argmax argmin argsort argpartition round clip dot trace
    repeat take searchsorted nonzero choose
    """.split()  # noqa: SIM905
)
_VIEWS = frozenset({"reshape", "ravel", "transpose", "swapaxes", "squeeze"})
_SPREAD = {"reshape": 1, "transpose": 0}  # x.reshape(n, 2) is x.reshape((n, 2))


def bound(tracer: Tracer, name: str) -> Any:
    """The method or attribute `name`. AttributeError for what an array does not have, or not while it is traced."""
    if name in _FUNCTIONS or name in _VIEWS or name in _OWN:
        return lambda *args, **keywords: call(tracer, name, *args, **keywords)
    if name.startswith("__") or name in ("_fields", "items", "keys"):
        raise AttributeError(name)
    array = tracer.array
    if array is not None and hasattr(array, name):
        return getattr(array, name)
    raise _NoAttribute(tracer, name)


class _NoAttribute(UnsupportedError, AttributeError):
    """An attribute that arrays may have, and traced ones have not."""

    def __init__(self, tracer: Tracer, name: str) -> None:
        super().__init__("G044", f"a traced array has no attribute `{name}`", hint=ADVICE)
        tracer.session.placed(self)


def call(tracer: Tracer, name: str, *args: Any, **keywords: Any) -> Any:
    """`tracer.name(*args, **keywords)`."""
    if name in _OWN:
        return _OWN[name](tracer, *args, **keywords)
    session = tracer.session
    if name in _SPREAD and len(args) > 1:
        args = (args,)
    if name == "ravel" and args:
        keywords, args = {**keywords, "order": args[0]}, ()
    check_order(tracer, keywords.get("order", "C"))
    if tracer.array is not None and name not in _VIEWS and not any(map(_traced, (*args, *keywords.values()))):
        return session.known(getattr(tracer.array, name)(*args, **keywords), tracer)
    out = keywords.pop("out", None)
    result = session.call(name, (tracer, *args), keywords)
    if name in _VIEWS:
        return session.viewed(tracer, result)
    return session.stored(session.wrapped(result, tracer.contiguous), out)


def _traced(value: Any) -> bool:
    if type(value) in (list, tuple):
        return any(map(_traced, value))
    return hasattr(type(value), "__graphc_wrap__") and value.array is None


def _compress(tracer: Tracer, condition: Any, *args: Any, **keywords: Any) -> Any:
    """The function has the condition first."""
    return tracer.session.wrapped(tracer.session.call("compress", (condition, tracer, *args), keywords))


def check_order(tracer: Tracer, order: str) -> None:
    """UnsupportedError for order="A" and "K" where they mean what the memory of the argument says."""
    if order in ("A", "K") and not tracer.contiguous:
        raise tracer.session.placed(
            UnsupportedError(
                "G040", f'order="{order}" depends on how memory happens to lie', hint='write order="C", or order="F"'
            )
        )


def _copy(tracer: Tracer, order: Literal["C", "F", "K", "A"] = "C") -> Any:
    array = tracer.array
    if array is not None:
        return tracer.session.known(array.copy(order))
    return tracer.session.array(tracer.node, order == "C" or (order in "KA" and tracer.contiguous))


def _flatten(tracer: Tracer, order: str = "C") -> Any:
    return _copy(call(tracer, "ravel", order=order))


def is_complex_dtype(dtype: Any) -> bool:
    return dtype is not None and np.dtype(dtype).kind == "c"


def _astype(tracer: Tracer, dtype: Any, *args: Any, copy: bool = True, **keywords: Any) -> Any:
    session = tracer.session
    array = tracer.array
    if array is not None:
        return session.known(array.astype(dtype, *args, **keywords))
    if is_complex_dtype(dtype):
        return session.as_complex(_copy(tracer))
    name = session.value(dtype)
    wanted = session.attempt(lambda: dtype_named(name) if isinstance(name, str) else name)
    if wanted == tracer.dtype.name and not copy:
        return tracer
    result = session.wrapped(session.call("astype", (tracer, wanted), {}), tracer.contiguous)
    return result


def _fill(tracer: Tracer, value: Any) -> None:
    tracer.assign(value)


def _sort(tracer: Tracer, axis: int = -1, **keywords: Any) -> None:
    """In place, as the method is; np.sort makes a copy."""
    tracer.assign(tracer.session.wrapped(tracer.session.call("sort", (tracer, axis), {})))


def _item(tracer: Tracer, *args: Any) -> Any:
    """The only element, as a Python number."""
    value = tracer[args[0] if len(args) == 1 else args] if args else call(tracer, "reshape", ())
    return tracer.session.as_float(value)


def _tolist(tracer: Tracer) -> Any:
    return [_tolist(row) for row in tracer] if tracer.ndim else _item(tracer)


def _diagonal(tracer: Tracer, *args: Any, **keywords: Any) -> Any:
    return np.diagonal(tracer, *args, **keywords)


def _itself(tracer: Tracer) -> Any:
    return tracer


def _view(tracer: Tracer, *args: Any, **keywords: Any) -> Any:
    if args or keywords:
        raise _NoAttribute(tracer, "view(dtype)")
    return tracer.session.view(tracer, ())


_OWN: dict[str, Callable[..., Any]] = {
    "copy": _copy, "flatten": _flatten, "astype": _astype, "fill": _fill, "sort": _sort, "item": _item,
    "tolist": _tolist, "conj": _itself, "conjugate": _itself, "view": _view, "compress": _compress,
    "diagonal": _diagonal,
}  # fmt: skip
