"""What statements that were made closures can see and change: variables, and containers in them.

    state = {"h": h}; hs = []
    for t in range(n):                      Scope([body]): the cells of state, hs, t, ..., and
        state["h"] = f(state["h"])          the dict and the list in them
        hs.append(state["h"])

A scope is looked at before and after the statements have run; what is another object then has been
changed. Objects are compared by identity, and never copied.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from graphc.frontends.numpy.places import is_foreign

MAX_CONTAINERS = 5_000
ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()  # of a variable without a value


@dataclass(frozen=True)
class Place:
    """A variable, an entry of a dict, an attribute or an element of a list.

    owner: the cell, dict or list.  key: of the entry; None for a cell.  name: what the user calls it.
    """

    owner: Any
    key: Any
    name: str

    @property
    def id(self) -> tuple[int, Any]:
        """The same for the same place."""
        return id(self.owner), self.key

    def get(self) -> Any:
        """What is there, ABSENT for nothing."""
        if isinstance(self.owner, CellType):
            return _content(self.owner)
        if isinstance(self.owner, dict):
            return self.owner.get(self.key, ABSENT)
        if not isinstance(self.owner, list):
            return getattr(self.owner, self.key, ABSENT)
        return self.owner[self.key] if self.key < len(self.owner) else ABSENT

    def set(self, value: Any) -> None:
        if isinstance(self.owner, CellType):
            if value is not ABSENT:
                self.owner.cell_contents = value
            elif _content(self.owner) is not ABSENT:
                del self.owner.cell_contents
        elif not isinstance(self.owner, (dict, list)):
            setattr(self.owner, self.key, value) if value is not ABSENT else delattr(self.owner, self.key)
        elif type(self.owner) is list and self.key == len(self.owner) and value is not ABSENT:
            self.owner.append(value)
        elif value is not ABSENT:
            self.owner[self.key] = value
        elif isinstance(self.owner, dict):
            self.owner.pop(self.key, None)


class Scope:
    """The variables and containers that some closures reach, as they are now."""

    def __init__(self, closures: Sequence[FunctionType]) -> None:
        self._cells: dict[int, tuple[CellType, str]] = {}
        self._containers: dict[int, tuple[Any, str]] = {}
        self._globals: list[tuple[dict[str, Any], str]] = []
        self._functions: set[int] = set()
        pending: list[tuple[Any, str]] = [(closure, "") for closure in closures]
        while pending and len(self._containers) < MAX_CONTAINERS:
            value, name = pending.pop()
            if isinstance(value, FunctionType):
                pending += self._of_function(value, value in closures)
            elif isinstance(value, MethodType):
                pending += [(value.__self__, name), (value.__func__, name)]
            elif isinstance(value, functools.partial):
                pending += [(v, name) for v in (value.func, *value.args, *value.keywords.values())]
            elif id(value) not in self._containers:
                pending += self._of_container(value, name)
        owners = [owner for owner, _ in self._containers.values()]
        self._kept = [(owner, copy.copy(owner)) for owner in owners if isinstance(owner, (dict, list))]
        self.before = self.now()

    def _of_function(self, function: FunctionType, own: bool) -> list[tuple[Any, str]]:
        """What a function of the user's has from outside."""
        if id(function) in self._functions or (not own and is_foreign(function.__code__.co_filename)):
            return []
        self._functions.add(id(function))
        found = []
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if id(cell) not in self._cells and not name.startswith("__graphc"):
                self._cells[id(cell)] = cell, name
                found.append((_content(cell), name))
        if not is_foreign(function.__code__.co_filename):
            for name in function.__code__.co_names:
                value = function.__globals__.get(name, ABSENT)
                if value is not ABSENT and not isinstance(value, (ModuleType, type)):
                    self._globals.append((function.__globals__, name))
                    found.append((value, name))
        return found

    def _of_container(self, value: Any, name: str) -> list[tuple[Any, str]]:
        """What is in a container, which is remembered if it can change."""
        kind = type(value)
        if issubclass(kind, tuple):
            return [(v, name) for v in value]
        if issubclass(kind, dict):
            self._containers[id(value)] = value, name
            return [(v, str(k)) for k, v in value.items()]
        if issubclass(kind, list):
            self._containers[id(value)] = value, name
            return [(v, f"{name}[{i}]") for i, v in enumerate(value)]
        attributes = _attributes(value)
        if attributes is None or id(attributes) in self._containers:
            slots = _slots(value)
            if slots:
                self._containers[id(value)] = value, name
            return [(getattr(value, k), k) for k in slots if hasattr(value, k)]
        self._containers[id(attributes)] = attributes, name
        return [(v, k) for k, v in attributes.items()]

    def now(self) -> dict[tuple[int, Any], tuple[Place, Any]]:
        """Every place with what is in it."""
        return {place.id: (place, value) for place, value in self._places()}

    def _places(self) -> Iterator[tuple[Place, Any]]:
        for cell, name in self._cells.values():
            yield Place(cell, None, name), _content(cell)
        for scope, name in self._globals:
            yield Place(scope, name, name), scope.get(name, ABSENT)
        for owner, name in self._containers.values():
            if isinstance(owner, dict):
                for key, value in owner.items():
                    yield Place(owner, key, str(key)), value
            elif not isinstance(owner, list):
                for key in _slots(owner):
                    yield Place(owner, key, key), getattr(owner, key, ABSENT)
            else:
                for i, value in enumerate(owner):
                    yield Place(owner, i, f"{name}[{i}]"), value

    def changed(self) -> list[tuple[Place, Any, Any]]:
        """The places whose content is another object than before: (place, before, after)."""
        after = self.now()
        found = []
        for key, (place, value) in after.items():
            old = self.before[key][1] if key in self.before else ABSENT
            if old is not value:
                found.append((place, old, value))
        found += [(place, value, ABSENT) for key, (place, value) in self.before.items() if key not in after]
        return found

    def restore(self) -> None:
        """Everything as it was when the scope was made."""
        for owner, kept in self._kept:
            if isinstance(owner, dict) and isinstance(kept, dict):
                if len(owner) != len(kept) or any(owner.get(k, ABSENT) is not v for k, v in kept.items()):
                    owner.clear()
                    owner.update(kept)
            elif isinstance(owner, list):
                owner[:] = kept
        for place, before, _ in self.changed():
            place.set(before)

    def holding(self, value: Any) -> list[Place]:
        """The places that hold an object."""
        return [place for place, found in self.now().values() if found is value]


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return ABSENT


def _slots(value: Any) -> list[str]:
    """The attributes of an object of the user's that are in slots."""
    kind = type(value)
    if isinstance(value, (type, np.generic)) or is_library(kind):
        return []
    declared = [c.__dict__.get("__slots__", ()) for c in kind.__mro__]
    found = [name for slots in declared for name in ((slots,) if isinstance(slots, str) else slots)]
    return [s for s in found if s not in ("__dict__", "__weakref__")]


def is_library(kind: type) -> bool:
    """Whether a class is none of the user's."""
    return kind.__module__.partition(".")[0] in ("graphc", "numpy", "scipy", "builtins", "collections", "functools")


def _attributes(value: Any) -> dict[str, Any] | None:
    """The attributes of an object of the user's."""
    kind = type(value)
    if isinstance(value, (type, ModuleType, FunctionType, np.ndarray, np.generic)):
        return None
    if is_library(kind):
        return None
    attributes = getattr(value, "__dict__", None)
    return attributes if isinstance(attributes, dict) else None
