"""Many elements of a list that a loop has made, as one: rows of an array.

    hs = [h0]
    for t in range(n):
        hs.append(f(hs[-1], x[t]))
    hs                      [h0, Several(n, rows)], a list of n + 1 elements
    np.stack(hs), hs[-1]    what NumPy and Python would make of it

The list stays the object that it is, so that all that hold it see the same. Whatever meets the one
element without knowing what it is gets an error, not a wrong answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import UnsupportedError
from graphc.expr import build
from graphc.frontends.numpy.forms import Form, Structure, form_of, joined, node_of, opened
from graphc.frontends.numpy.refused import Refused
from graphc.frontends.numpy.signals import cannot
from graphc.frontends.numpy.sizes import TracedSize
from graphc.frontends.numpy.tracer import Kind, Tracer
from graphc.ir.dims import Dim, Size, at_least
from graphc.ir.node import Node
from graphc.ir.types import TensorType

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session


class Several(Refused):
    """Elements of a list.

    count: how many.  element: the structure of one.  rows: for each leaf of it an array with one row an element;
    None while a loop runs whose steps have not asked for them.  forms: of the leaves of one element.
    """

    __slots__ = ("count", "element", "forms", "rows")

    def __init__(
        self, session: Session, count: Dim, element: Structure, forms: Sequence[Form], rows: Sequence[Tracer] | None
    ) -> None:
        super().__init__(session, "a list that a loop has filled has as many elements as the loop has steps")
        self.count, self.element, self.forms, self.rows = count, element, tuple(forms), rows
        for row in rows or ():
            row.buffer.readonly = "an element of a list that a loop has filled can't be written to"

    def at(self, position: Dim) -> Any:
        """The element at a position."""
        if self.rows is None:
            raise NeedsRows(self)
        leaves = []
        for form, row in zip(self.forms, self.rows, strict=True):
            leaf = form.stand_in(self.session, build.at(row.node, 0, position))
            leaf.buffer.readonly = row.buffer.readonly
            leaves.append(leaf)
        return self.element.filled(self.session, leaves)


class NeedsRows(BaseException):
    """A step reads a list that steps before it have filled."""

    def __init__(self, part: Several) -> None:
        super().__init__()
        self.part = part


def has_several(x: Any) -> bool:
    """Whether some elements of a list are one."""
    return type(x) is list and any(type(v) is Several for v in x)


def is_rows(x: Any) -> bool:
    """Whether a loop over x can go through rows."""
    return (type(x) is Tracer and x.ndim > 0) or has_several(x)


def elements(x: Any) -> Any:
    """The elements one by one; how many they are is decided."""
    if not has_several(x):
        return x
    session = next(v for v in x if type(v) is Several).session
    found: list[Any] = []
    for part in x:
        found += [part.at(i) for i in range(session.number(part.count))] if type(part) is Several else [part]
    return found


class Rows:
    """An array, or a list with `Several` in it, as a sequence of rows."""

    def __init__(self, session: Session, source: Any) -> None:
        self.session = session
        self._source = source
        self._parts = source if type(source) is list else [source]

    @property
    def count(self) -> Dim:
        """How many there are."""
        total: Dim = 0
        for part in self._parts:
            total = total + self._length(part)
        return total

    def _length(self, part: Any) -> Dim:
        if type(self._source) is Tracer:
            size: Dim = part.node.shape[0]
            return size
        return part.count if type(part) is Several else 1

    @property
    def uniform(self) -> bool:
        """Whether all elements have one form."""
        return type(self._source) is Tracer or self._joined() is not None

    def at(self, position: Dim) -> Any:
        """The element at a position from the front."""
        if type(self._source) is Tracer:
            return self._source[self.session.size(position)]
        start: Dim = 0
        for part in self._parts:
            length = self._length(part)
            if type(part) is not Several and start == position:
                return part
            if type(part) is Several and at_least(position - start, 0) and at_least(start + length - 1 - position, 0):
                return part.at(position - start)
            start = start + length
        whole = self.stacked()
        if whole is None:
            raise self.session.placed(_mixed())
        return whole.at(position)

    def _joined(self) -> tuple[Structure, list[Form]] | None:
        """The structure that all elements have, and the forms that they fit into."""
        found: tuple[Structure, list[Form]] | None = None
        for part in self._parts:
            if type(part) is Several:
                structure, forms = part.element, list(part.forms)
            else:
                leaves, structure = opened(part)
                given = [form_of(leaf) for leaf in leaves]
                if None in given:
                    return None
                forms = [f for f in given if f is not None]
            if found is None:
                found = structure, forms
                continue
            both = [joined(a, b) for a, b in zip(found[1], forms, strict=False)]
            if structure != found[0] or None in both:
                return None
            found = structure, [f for f in both if f is not None]
        return found

    def stacked(self) -> Several | None:
        """All elements as one; None if they are of different kinds."""
        known = self._joined()
        if known is None:
            return None
        structure, forms = known
        columns: list[list[Node]] = [[] for _ in forms]
        for part in self._parts:
            for column, node in zip(columns, self._rows_of(part, forms), strict=True):
                column.append(node)
        rows = [build.joined("concatenate", c, 0) if len(c) > 1 else c[0] for c in columns]
        tracers = [self.session.array(row) for row in rows]
        return Several(self.session, self.count, structure, forms, tracers)

    def _rows_of(self, part: Any, forms: Sequence[Form]) -> list[Node]:
        """The leaves of some elements, a new axis in front."""
        if type(part) is not Several:
            fitted = [f.fitted(node_of(self.session, leaf)) for f, leaf in zip(forms, opened(part)[0], strict=True)]
            return [build.expand_dims(node, (0,)) for node in fitted]
        if part.rows is None:
            raise NeedsRows(part)
        lifted = [Form(f.type.with_shape((part.count, *f.type.shape)), f.kind) for f in forms]
        return [form.fitted(row.node) for form, row in zip(lifted, part.rows, strict=True)]

    def array(self) -> Tracer:
        """All elements as an array."""
        whole = self.stacked()
        if whole is None or len(whole.forms) != 1 or whole.rows is None:
            raise self.session.placed(_mixed())
        return self.session.array(whole.rows[0].node)

    def item(self, key: Any) -> Any:
        """`hs[key]`."""
        if type(key) is slice:
            return self._slice(key)
        position = key.dim if type(key) is TracedSize else key
        if not isinstance(position, (int, Size)):
            raise TypeError("list indices must be integers or slices")
        back = position < 0 if isinstance(position, int) else at_least(-1 * position, 1)
        return self.at(self.count + position if back else position)

    def _slice(self, key: slice) -> Any:
        whole = self.stacked()
        if whole is None or whole.rows is None:
            raise self.session.placed(_mixed())
        rows = [row[key] for row in whole.rows]
        return [Several(self.session, rows[0].node.shape[0], whole.element, whole.forms, rows)]


class View:
    """A list with `Several` in it, where it is subscripted."""

    __slots__ = ("_rows",)

    def __init__(self, session: Session, source: list[Any]) -> None:
        self._rows = Rows(session, source)

    def __getitem__(self, key: Any) -> Any:
        return self._rows.item(key)


def _mixed() -> UnsupportedError:
    return UnsupportedError(
        "G043",
        "the elements of a list that a loop has filled differ in shape or structure",
        hint="keep in one list what has one shape",
    )


# --- NumPy's functions of lists ---


def _stack(rows: Any, axis: Any = 0) -> Any:
    return np.moveaxis(rows, 0, axis)


def _concatenate(rows: Any, axis: Any = 0) -> Any:
    """The first axis of the elements, or another one, in a row."""
    if axis is None:
        return rows.reshape(-1)
    axis = axis % (rows.ndim - 1)
    moved = np.moveaxis(rows, 0, axis)
    shape = moved.shape
    return moved.reshape((*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]))


def _vstack(rows: Any) -> Any:
    return _concatenate(rows) if rows.ndim > 2 else rows.reshape((rows.shape[0], -1)) if rows.ndim == 1 else rows


def _hstack(rows: Any) -> Any:
    return rows if rows.ndim == 1 else _concatenate(rows, 0 if rows.ndim == 2 else 1)


def _column_stack(rows: Any) -> Any:
    return _concatenate(rows, 1) if rows.ndim > 2 else np.transpose(np.atleast_2d(rows) if rows.ndim == 1 else rows)


JOINED: dict[str, Callable[..., Any]] = {
    "stack": _stack, "concatenate": _concatenate, "vstack": _vstack, "hstack": _hstack,
    "column_stack": _column_stack,
}  # fmt: skip


def prior(session: Session, count: Dim, element: Structure, forms: Sequence[Form]) -> Several:
    """The elements that steps before this one have made, which no step has asked for as yet."""
    return Several(session, count, element, forms, None)


def rows_type(count: Dim, form: Form) -> TensorType:
    """The type of an array with one row an element."""
    return form.type.with_shape((count, *form.type.shape))


def appended(elements: Sequence[Any]) -> tuple[Structure, list[Form]]:
    """The structure and the forms of what one step appends to a list; CannotRoll if they differ."""
    found: tuple[Structure, list[Form]] | None = None
    for element in elements:
        leaves, structure = opened(element)
        forms = [form_of(leaf) for leaf in leaves]
        kept = [f._replace(kind=Kind.SCALAR if f.kind is Kind.WEAK else f.kind) for f in forms if f is not None]
        if len(kept) < len(forms):
            cannot("a step appends something that is no array to a list")
        if found is None:
            found = structure, kept
        both = [joined(a, b) for a, b in zip(found[1], kept, strict=False)]
        if found[0] != structure or None in both:
            cannot("a step appends arrays of different shapes to one list")
        found = structure, [f for f in both if f is not None]
    assert found is not None
    return found
