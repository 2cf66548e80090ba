"""Nested containers of arrays: dicts, lists, tuples, named tuples, dataclasses.

    flatten({"W": a, "b": [c, d]})      leaves [a, c, d], and a Shape that puts others in their place
    names_of(shape, "params")           ["params_W", "params_b_0", "params_b_1"]

The order is that of the container: a dict keeps the order of its keys.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.errors import LimitError

MAX_DEPTH = 64


@dataclass(frozen=True)
class Leaf:
    """The place of one leaf."""


@dataclass(frozen=True)
class Branch:
    """A container: its keys, what is under each, and how it is made of them.

    kind: the class, which takes part in equality so that a list is not a tuple.
    """

    kind: type
    keys: tuple[Any, ...]
    children: tuple[Leaf | Branch, ...]

    def make(self, values: Sequence[Any]) -> Any:
        """The container of these values."""
        if issubclass(self.kind, dict):
            return _dict_of(self.kind, dict(zip(self.keys, values, strict=True)))
        if hasattr(self.kind, "_fields"):
            return self.kind(*values)
        if dataclasses.is_dataclass(self.kind):
            made = object.__new__(self.kind)
            for key, value in zip(self.keys, values, strict=True):
                object.__setattr__(made, key, value)
            return made
        kind: Any = self.kind
        return kind(values)


Shape = Leaf | Branch
LEAF = Leaf()


def _dict_of(kind: type, items: dict[Any, Any]) -> Any:
    """A dict, or a subclass of it that can be made of one (OrderedDict)."""
    if kind is dict:
        return items
    try:
        return kind(items)
    except TypeError:  # a defaultdict takes its factory first
        return items


def is_container(value: Any) -> bool:
    """Whether a value is looked into."""
    return type(value) is not type and (
        isinstance(value, (dict, list, tuple)) or (dataclasses.is_dataclass(value) and not isinstance(value, type))
    )


def _items(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    if hasattr(type(value), "_fields"):
        return list(zip(type(value)._fields, value, strict=True))
    if isinstance(value, (list, tuple)):
        return list(enumerate(value))
    return [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]


def flatten(value: Any, is_leaf: Callable[[Any], bool] | None = None, depth: int = 0) -> tuple[list[Any], Shape]:
    """The leaves of a structure, and its shape."""
    if (is_leaf is not None and is_leaf(value)) or not is_container(value):
        return [value], LEAF
    if depth >= MAX_DEPTH:
        raise LimitError("G003", f"containers are nested deeper than {MAX_DEPTH}")
    items = _items(value)
    found: list[Any] = []
    children: list[Shape] = []
    for _, child in items:
        leaves, shape = flatten(child, is_leaf, depth + 1)
        found += leaves
        children.append(shape)
    return found, Branch(type(value), tuple(k for k, _ in items), tuple(children))


def rebuild(shape: Shape, leaves: Iterator[Any]) -> Any:
    """The structure with these leaves, taken in order."""
    if isinstance(shape, Leaf):
        return next(leaves)
    return shape.make([rebuild(child, leaves) for child in shape.children])


def unflatten(shape: Shape, leaves: Sequence[Any]) -> Any:
    """The structure of these leaves."""
    return rebuild(shape, iter(leaves))


def paths_of(shape: Shape, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """For each leaf the keys that lead to it."""
    if isinstance(shape, Leaf):
        return [prefix]
    return [p for key, child in zip(shape.keys, shape.children, strict=True) for p in paths_of(child, (*prefix, key))]


def joined_name(path: Sequence[Any]) -> str:
    """One identifier for a path: ("params", "W", 0) is params_W_0."""
    words = [re.sub(r"[^A-Za-z0-9_]+", "_", str(key)).strip("_") for key in path]
    name = "_".join(word for word in words if word)
    return name if name[:1].isalpha() else f"x_{name}"
