"""Loops and branches as functions, with JAX's conventions: gc.scan, gc.fori_loop, gc.while_loop, gc.cond.

    gc.scan(f, init, xs)        carry, ys:  carry, y = f(carry, x) for each row x of xs, the ys stacked

On plain arrays they are what Python does. Inside a traced function they become loops and branches of
the generated code, as statements of Python's do; the functions need no source for that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.frontends.numpy import branching, loops, several
from graphc.frontends.numpy.courses import Count, Course, course_of
from graphc.frontends.numpy.indexing import Outside
from graphc.frontends.numpy.sizes import TracedRange, TracedSize
from graphc.frontends.numpy.structure import LEAF, Shape, flatten, unflatten
from graphc.frontends.numpy.tracer import Tracer
from graphc.transforms.inside import session_of

Function = Callable[..., Any]


class _Outputs:
    """What the steps of a scan give besides the carry.  shape: of that of one step.  gaps: which leaves are None."""

    __slots__ = ("gaps", "shape")

    def __init__(self) -> None:
        self.shape: Shape = LEAF
        self.gaps: list[bool] = [True]

    def leaves(self, y: Any) -> tuple[Any, ...]:
        """The arrays of one step."""
        found, self.shape = flatten(y)
        self.gaps = [leaf is None for leaf in found]
        return tuple(leaf for leaf in found if leaf is not None)

    def structured(self, columns: Sequence[Any]) -> Any:
        """The arrays of all steps in the structure of those of one."""
        left = iter(columns)
        return unflatten(self.shape, [None if gap else next(left) for gap in self.gaps])


def scan(f: Function, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False) -> tuple[Any, Any]:
    """A loop that carries a value and gives one for each step: `carry, y = f(carry, x)`.

    init: the carry before the first step, an array or a structure of arrays; every step keeps its structure.
    xs: a structure of arrays, whose rows are what the steps get; or None, with `length` steps.
    reverse: from the last row to the first; the ys lie in the order of the rows in any case.
    Returns the last carry, and the ys stacked. Raises ArgumentError where there is no length, or several.

    >>> import numpy as np
    >>> scan(lambda total, x: (total + x, total * x), 0.0, np.array([1.0, 2.0, 3.0]))
    (np.float64(6.0), array([0., 2., 9.]))
    """
    return _scan(session_of((init, xs), {}), f, init, xs, length, reverse)


def _scan(
    session: Any, f: Function, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False
) -> tuple[Any, Any]:
    leaves, shape = flatten(xs)
    arrays = [] if xs is None else [_rows(session, leaf) for leaf in leaves]
    count = _length(arrays, length)
    step = f if session is None else session.convert(f)
    outputs = _Outputs()
    rows: list[tuple[Any, ...]] = []
    carry = init

    def body(x: Any) -> None:
        nonlocal carry
        carry, y = step(carry, x)
        found = outputs.leaves(y)
        if found:
            rows.append(found)

    def item(position: Any) -> Any:
        return None if xs is None else unflatten(shape, [array[position] for array in arrays])

    if session is None:
        for i in reversed(range(count)) if reverse else range(count):
            body(item(i))
    else:
        dim = count.dim if type(count) is TracedSize else count
        way = Count(0, reverse, None)

        def at(position: Any) -> Any:
            return item(session.size(dim - 1 - position if reverse else position))

        loops.go_through(session, Course(dim, at, way), body, "t")
    return carry, outputs.structured(_columns(session, rows, reverse))


def _rows(session: Any, leaf: Any) -> Any:
    """An array whose rows can be read at a size."""
    if type(leaf) is Tracer:
        return leaf
    return np.asarray(leaf) if session is None else Outside(session, np.asarray(leaf))


def _length(arrays: Sequence[Any], length: Any) -> Any:
    """How many steps there are."""
    counts = [length] if length is not None else []
    for array in arrays:
        shape = array.array.shape if type(array) is Outside else array.shape
        if not shape:
            raise ArgumentError("G070", "scan goes through the rows of arrays, and xs has a number in it")
        counts.append(shape[0])
    if not counts:
        raise ArgumentError("G070", "scan has neither xs nor a length", hint="give length=")
    if any(not c == counts[0] for c in counts[1:]):
        raise ArgumentError("G070", f"scan goes through arrays of {', '.join(map(str, counts))} rows")
    return counts[0]


def _columns(session: Any, rows: list[tuple[Any, ...]], reverse: bool) -> list[Any]:
    """The leaves of all steps, each as one array, in the order of the index."""
    if several.has_several(rows):
        whole = several.Rows(session, rows).stacked()
        found: list[Any] = list(whole.rows or ()) if whole is not None else []
        return [column[::-1] if reverse else column for column in found]
    return [np.stack(column[::-1] if reverse else column) for column in zip(*rows, strict=True)]


def fori_loop(lower: int, upper: int, f: Function, init: Any) -> Any:
    """The last carry of `carry = f(i, carry)`, for i from `lower` to `upper` - 1.

    >>> fori_loop(0, 4, lambda i, x: x * 2 + i, 1.0)
    27.0
    """
    return _fori_loop(session_of((lower, upper, init), {}), lower, upper, f, init)


def _fori_loop(session: Any, lower: Any, upper: Any, f: Function, init: Any) -> Any:
    step = f if session is None else session.convert(f)
    carry = init

    def body(i: Any) -> None:
        nonlocal carry
        carry = step(i, carry)

    if session is None:
        for i in range(lower, upper):
            body(i)
        return carry
    course = course_of(session, TracedRange(lower, upper))
    assert course is not None
    loops.go_through(session, course, body, "i")
    return carry


def while_loop(cond: Function, f: Function, init: Any) -> Any:
    """The last carry of `carry = f(carry)`, done while `cond(carry)` holds.

    >>> while_loop(lambda x: x > 1, lambda x: x / 2, 5.0)
    0.625
    """
    return _while_loop(session_of((init,), {}), cond, f, init)


def _while_loop(session: Any, cond: Function, f: Function, init: Any) -> Any:
    test, step = (cond, f) if session is None else (session.convert(cond), session.convert(f))
    carry = init

    def holds() -> Any:
        return test(carry)

    def body() -> None:
        nonlocal carry
        carry = step(carry)

    if session is not None:
        loops.repeat(session, holds, body)
        return carry
    while holds():
        body()
    return carry


def cond(condition: Any, f: Function, g: Function, *args: Any) -> Any:
    """The value of `f(*args)` if the condition holds, else of `g(*args)`; only that one is computed.

    >>> cond(True, lambda x: x + 1, lambda x: x - 1, 1.0)
    2.0
    """
    return _cond(session_of((condition, args), {}), condition, f, g, *args)


def _cond(session: Any, condition: Any, f: Function, g: Function, *args: Any) -> Any:
    if session is None:
        return f(*args) if condition else g(*args)
    then, other = session.convert(f), session.convert(g)
    return branching.choose(session, condition, lambda: then(*args), lambda: other(*args))


scan.__graphc_inside__ = _scan  # type: ignore[attr-defined]
fori_loop.__graphc_inside__ = _fori_loop  # type: ignore[attr-defined]
while_loop.__graphc_inside__ = _while_loop  # type: ignore[attr-defined]
cond.__graphc_inside__ = _cond  # type: ignore[attr-defined]
