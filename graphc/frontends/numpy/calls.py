"""How a call of NumPy's becomes a call of the function of the language with the same name.

np.sum(a, axis=0, dtype=None)   ->   FUNCTIONS["sum"].call(a, axis=0)

What must be given goes by position; the other arguments have NumPy's names. A keyword that only
says where the result lies in memory is left out, one that would change the result is an error.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from graphc.errors import ArgumentError, UnsupportedError
from graphc.expr.absent import ADVICE
from graphc.expr.functions import FUNCTIONS, Function

# Keywords without an effect on the values.
_MEMORY = frozenset(
    {"order", "casting", "subok", "copy", "device", "like", "optimize", "kind", "stable", "hermitian", "overwrite_a",
     "overwrite_b", "check_finite", "requirements", "signature", "writeable", "lower_bound", "upper_bound"}
)  # fmt: skip


def draws_anew(name: str) -> UnsupportedError:
    """The error for drawing random numbers, which the generated code would not do again."""
    return UnsupportedError(
        "G043", f"`{name}` draws random numbers, which a static graph would keep for ever", hint=ADVICE["random"]
    )


def not_covered(name: str) -> UnsupportedError:
    """The error for a function that the language does not have."""
    module, _, plain = name.rpartition(".")
    close = get_close_matches(plain, [n.rpartition(".")[2] for n in FUNCTIONS], n=1, cutoff=0.75)
    shown = name if name.startswith("scipy.") else f"np.{name}"
    hint = ADVICE.get(module) or ADVICE.get(plain) or (f"did you mean np.{close[0]}?" if close else None)
    return UnsupportedError(
        "G044",
        f"`{shown}` of a traced value is not covered",
        hint=hint or "`graphc ops` lists what is; or define it: gc.custom_op with a vjp of your own",
    )


def keywords_for(function: Function, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords that the function takes; UnsupportedError for one that it would ignore."""
    kept: dict[str, Any] = {}
    for name, value in keywords.items():
        if name in function.parameters:
            kept[name] = value
        elif name not in _MEMORY and not _is_default(value):
            raise UnsupportedError(
                "G044", f"`{function.name}` takes no `{name}=` here", hint=f"write {function.signature}"
            )
    return kept


def _is_default(value: Any) -> bool:
    """None, and NumPy's mark for an argument that was not given."""
    return value is None or type(value).__name__ == "_NoValueType"


def apply(function: Function, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """The result of a function of the language; ArgumentError if the arguments do not fit it."""
    while len(args) > function.required and _is_default(args[-1]):
        args = args[:-1]
    try:
        _signature(function.name).bind(*args, **keywords)
    except TypeError as error:
        message = f"`{function.name}`: {error}"
        raise ArgumentError("G020", message, hint=f"write {function.signature}") from None
    return function.call(*args, **keywords)


@lru_cache(maxsize=1024)
def _signature(name: str) -> inspect.Signature:
    return inspect.signature(FUNCTIONS[name].call)


@lru_cache(maxsize=1024)
def parameters_of(function: Any) -> tuple[inspect.Parameter, ...]:
    """The parameters of a function of NumPy's, as far as it says."""
    try:
        return tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return ()


def by_position(
    function: Any, required: int, args: Sequence[Any], keywords: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments that must be given, moved from NumPy's names (`a=x`) to their positions."""
    values, rest = list(args), dict(keywords)
    for parameter in parameters_of(function)[len(values) : required]:
        if parameter.name not in rest:
            break
        values.append(rest.pop(parameter.name))
    names = [p.name for p in parameters_of(function) if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(values) > required and len(names) >= len(values):
        rest = {**dict(zip(names[required : len(values)], values[required:], strict=True)), **rest}
        values = values[:required]
    return values, rest


def made_outside() -> UnsupportedError:
    """The error for writing a traced value into an array that the trace does not know."""
    return UnsupportedError(
        "G043",
        "a traced value is written into an array that was made outside the traced function",
        hint="make the array inside (np.zeros, a.copy()), or write x = x + y instead of x += y",
    )
