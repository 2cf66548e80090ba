"""What all transforms share: a function made from another one, compiled for each kind of arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MethodType
from typing import Any

from graphc.errors import ArgumentError
from graphc.module.compiled import Module
from graphc.transforms.arguments import described, differentiable, place_of
from graphc.transforms.compiled import Form, Kept
from graphc.transforms.inside import session_of

Function = Callable[..., Any]


class Transform:
    """A function made from another one; compiled for each kind of arguments that it meets.

    source: the generated code of the call before.
    """

    def __init__(self, function: Function, argnums: int | Sequence[int]) -> None:
        if not callable(function):
            raise ArgumentError("G070", f"expected a function, got a {type(function).__name__}")
        self._function = function
        self._single = isinstance(argnums, int)
        self._argnums = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        self._kept: Kept[Any] = Kept()
        self.__name__ = getattr(function, "__name__", "function")
        self.__doc__ = getattr(function, "__doc__", None)
        self.__wrapped__ = function

    @property
    def source(self) -> str:
        """The generated code. ArgumentError before the first call."""
        return self.module.source

    @property
    def module(self) -> Module:
        """The compiled module of the call before."""
        if self._kept.last is None:
            raise nothing_compiled()
        module: Module = self._kept.last.module
        return module

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """As a method: `grad = gc.grad(loss)` in a class body."""
        return self if owner is None else MethodType(self, owner)

    def __call__(self, *args: Any, **words: Any) -> Any:
        session = session_of(args, words)
        if session is not None:
            return self.__graphc_inside__(session, *args, **words)
        places = self._places(args)
        ready = _ready(args, places)
        return self._run(self._compiled(ready, words, places), ready, words)

    def __graphc_inside__(self, session: Any, *args: Any, **words: Any) -> Any:
        """The call as part of a trace that is going on."""
        places = self._places(args)
        return self._traced(session, _ready(args, places), words, places)

    def _places(self, args: Sequence[Any]) -> list[int]:
        """The places of the arguments that are differentiated by."""
        return [place_of(n, len(args)) for n in self._argnums]

    def _compiled(self, args: Sequence[Any], words: Mapping[str, Any], places: Sequence[int]) -> Any:
        kinds = described(self._named(len(args)), args, words, places)
        return self._kept.form(self._function, kinds, lambda: self._compile(kinds, len(args), places))

    def _named(self, count: int) -> list[str]:
        """Names for so many positional arguments."""
        return [*self._names, *(f"arg{i}" for i in range(len(self._names), count))][:count]

    @cached_property
    def _names(self) -> list[str]:
        """The names of positional arguments, as far as the function says."""
        try:
            parameters = inspect.signature(self._function).parameters.values()
        except (TypeError, ValueError):
            return []
        names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        return [n for n in names if n.isascii()]

    # --- what the kinds of transforms say ---

    def _compile(self, kinds: Mapping[str, Any], count: int, places: Sequence[int]) -> Form:
        """The compiled form for these kinds of arguments, `count` of them positional."""
        raise NotImplementedError

    def _run(self, compiled: Any, args: Sequence[Any], words: Mapping[str, Any]) -> Any:
        """The result of a call outside of any trace."""
        raise NotImplementedError

    def _traced(self, session: Any, args: Sequence[Any], words: Mapping[str, Any], places: Sequence[int]) -> Any:
        """The result of a call inside a trace."""
        raise NotImplementedError


def nothing_compiled() -> ArgumentError:
    return ArgumentError("G070", "nothing is compiled yet", hint="call it once; it compiles for its arguments")


def _ready(args: Sequence[Any], places: Sequence[int]) -> list[Any]:
    return [differentiable(a, i) if i in places else a for i, a in enumerate(args)]
