"""The compiled forms of a transform: one for each kind of arguments, kept between calls.

slope = gc.grad(loss)
slope(w, X, y)          described, traced, compiled
slope(w2, X2, y2)       the same ranks and dtypes: run
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, Generic, TypeVar

import numpy as np

from graphc.errors import ShapeError
from graphc.frontends.numpy.environment import fingerprint
from graphc.frontends.numpy.structure import flatten, unflatten
from graphc.frontends.numpy.trace import Traced
from graphc.ir.collector import collector_paused
from graphc.ir.sizes import bind_sizes
from graphc.module.compiled import Module
from graphc.transforms.arguments import is_static, key

MAX_KEPT = 128  # compiled forms of one function


class Form:
    """A traced function, the arguments that it serves, and how they become those of its graph.

    names: of the arguments, positional ones first.
    """

    def __init__(self, traced: Traced, names: Sequence[str]) -> None:
        self.names = list(names)
        self._arguments = traced.signature.arguments
        self._captured = traced.captured
        self._types = [(n["name"], n.type) for n in traced.graph.inputs]
        self._fitting: set[tuple[Any, ...]] = set()

    def fits(self, described: Mapping[str, Any]) -> bool:
        """Whether the code serves arguments of these sizes."""
        rows = [(a, flatten(described[a.name], is_static)[0]) for a in self._arguments]
        own = tuple(np.shape(v) for a, leaves in rows for v, t in zip(leaves, a.types, strict=True) if t is not None)
        if own in self._fitting:
            return True
        names = [n for a in self._arguments for n, t in zip(a.names, a.types, strict=True) if t is not None]
        shapes = {name: array.shape for name, array in self._captured.items()}
        try:
            bind_sizes(self._types, {**shapes, **dict(zip(names, own, strict=True))})
        except ShapeError:
            return False
        self._fitting.add(own)
        return True

    def words(self, args: Sequence[Any], words: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name, static ones left out."""
        given = {**dict(zip(self.names, args, strict=False)), **words}
        return {a.name: given[a.name] for a in self._arguments if any(t is not None for t in a.types)}


class Compiled(Form):
    """A form of which there is one module."""

    def __init__(self, traced: Traced, module: Module, names: Sequence[str]) -> None:
        super().__init__(traced, names)
        self.module = module


OneForm = TypeVar("OneForm", bound=Form)


class Kept(Generic[OneForm]):
    """The compiled forms of one function.

    last: that of the call before.
    """

    def __init__(self) -> None:
        self._forms: OrderedDict[Any, list[OneForm]] = OrderedDict()
        self._lock = Lock()
        self.last: OneForm | None = None

    def form(self, function: Callable[..., Any], described: Mapping[str, Any], make: Callable[[], OneForm]) -> OneForm:
        """The form for arguments of this kind; made if there is none, or if what the function uses has changed."""
        with self._lock, collector_paused():
            kind = (key(described), fingerprint(function))
            found = next((c for c in self._forms.get(kind, ()) if c.fits(described)), None)
            if found is None:
                found = make()
                self._forms.setdefault(kind, []).append(found)
                while len(self._forms) > MAX_KEPT:
                    self._forms.popitem(last=False)
            self.last = found
        return found


def scalars(value: Any) -> Any:
    """Python floats as NumPy's, which have a shape and a dtype."""
    leaves, shape = flatten(value)
    return unflatten(shape, [np.float64(v) if type(v) is float else v for v in leaves])
