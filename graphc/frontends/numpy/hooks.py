"""What converted functions call: each function that they call is looked up here first."""

from __future__ import annotations

import array
import collections
import functools
import math
import random
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.frontends.numpy import branching, logic, loops, signals, source, syntax
from graphc.frontends.numpy.builtins import INDEXED, REPLACED
from graphc.frontends.numpy.making import DISPATCHED, of_lists
from graphc.frontends.numpy.outside import GENERATORS, draws, scipy_function, scipy_method, testing
from graphc.frontends.numpy.places import call_of, is_foreign
from graphc.frontends.numpy.tracer import is_traced

# Objects of Python's that change, and whose changes a trial can't take back; and what does not change them.
CHANGING = (collections.deque, set, bytearray, array.array, random.Random, Iterator)
READING = frozenset(
    """
    copy count index union intersection difference symmetric_difference issubset issuperset isdisjoint
    """.split()  # noqa: SIM905
)

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session


class Hooks:
    """What converted functions call: `call` before each call, `named` after each assignment."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.named = session.named
        self.stored = session.checked
        self.read = session.readable
        self.target = session.target
        self.loop = functools.partial(loops.loop, session)
        self.listed = functools.partial(loops.listed, session)
        self.repeat = functools.partial(loops.repeat, session)
        self.branch = functools.partial(branching.branch, session)
        self.choose = functools.partial(branching.choose, session)
        self.all_of = functools.partial(logic.all_of, session)
        self.any_of = functools.partial(logic.any_of, session)
        self.negated = functools.partial(logic.negated, session)
        self.compared = functools.partial(logic.compared, session)
        self.value = functools.partial(branching.value, session)
        self.returned = signals.returned
        self.BREAK, self.CONTINUE = signals.BREAK, signals.CONTINUE
        self._converted: dict[int, tuple[Any, Any]] = {}
        session.convert = self.call

    def call(self, function: Any) -> Any:
        """What is called in the place of `function`."""
        inside = getattr(function, "__graphc_inside__", None)
        if inside is not None:  # a transform: it becomes part of this trace
            return functools.partial(inside, self.session)
        if id(function) in INDEXED:
            return INDEXED[id(function)](self.session, function)
        if isinstance(function, DISPATCHED) and function not in REPLACED:
            return functools.partial(of_lists, self.session, function)
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
        if isinstance(getattr(function, "__self__", None), GENERATORS):
            return draws(self.session, function)
        if isinstance(function, types.MethodType):
            distribution = scipy_method(self.session, function)
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
        if function is next or isinstance(function, types.BuiltinMethodType):
            self._check_change(function)
        if isinstance(function, types.BuiltinMethodType) and isinstance(function.__self__, np.ndarray):
            return self._array_method(function)
        if isinstance(function, types.BuiltinMethodType) and isinstance(function.__self__, np.ufunc):
            at = function.__name__ == "at"  # a tuple there is an index
            return function if at else functools.partial(of_lists, self.session, function)
        call = call_of(type(function))
        if call is not None:
            return functools.partial(self.call(call), function)
        return function

    def _check_change(self, function: Any) -> None:
        """An error for a method of a list that a loop has filled; a note of changes that can't be taken back."""
        owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        if function is next:
            self.session.untracked("an iterator")
        elif isinstance(owner, CHANGING) and name not in READING:
            self.session.untracked(f"a {type(owner).__name__}")
        elif name not in ("append", "extend", "copy", "clear"):
            self.session.target(owner)

    def _function(self, function: types.FunctionType) -> Any:
        special = scipy_function(self.session, function) or testing(self.session, function)
        if special is not None:
            return special
        if is_foreign(function.__code__.co_filename) or syntax.HOOKS in function.__code__.co_freevars:
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
        if isinstance(value, (types.FunctionType, types.MethodType, DISPATCHED[1])):
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
