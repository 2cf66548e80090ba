"""Sizes of arrays in traced code: integers that may still be names.

    n, d = X.shape          X: f64[n, d]    TracedSize(n), TracedSize(d)
    X.reshape(n * d)        stays symbolic
    range(n)                needs a number: n becomes the number that the example has

What Python itself must know is decided from the example arrays, and the trace starts again with that
decision in the types of the inputs; the generated file checks it. Without examples it is an error
that says what to declare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.errors import ShapeError
from graphc.ir.dims import Dim, Size, at_least, evaluate

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session


class Restart(BaseException):
    """The trace must begin again with sizes replaced. Not an Exception: user code cannot catch it.

    replaced: names of sizes and what they are.
    """

    def __init__(self, replaced: Mapping[str, Dim]) -> None:
        super().__init__(replaced)
        self.replaced = replaced


def solved(a: Dim, b: Dim, names: Sequence[str]) -> dict[str, Dim] | None:
    """The last of `names` by which `a` and `b` become equal, and what it is then; None if there is none."""
    difference = a - b
    if not isinstance(difference, Size):
        return None
    used = list(difference.names())
    alone = {m[0]: c for m, c in difference.terms if len(m) == 1 and abs(c) == 1}
    for name in reversed(names):
        if name in alone and used.count(name) == 1:
            return {name: (difference - alone[name] * Size.named(name)) * -alone[name]}
    return None


class TracedSize:
    """A size in traced code. Arithmetic stays symbolic; whatever needs the number asks the session."""

    __slots__ = ("dim", "session")

    dim: Size
    session: Session

    def __init__(self, session: Session, dim: Size) -> None:
        self.session = session
        self.dim = dim

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """`isinstance(X.shape[0], int)` is True, as it is without tracing."""
        return int

    def _combined(self, other: Any, operation: str, swapped: bool = False) -> Any:
        if isinstance(other, bool) or not isinstance(other, int):
            return self.session.number_with(operation, self, other, swapped)
        mine: Dim = self.dim
        theirs: Dim = dim_of(other)
        first, second = (theirs, mine) if swapped else (mine, theirs)
        if operation == "add":
            return self.session.size(first + second)
        if operation == "subtract":
            return self.session.size(first - second)
        if operation == "multiply":
            return self.session.size(first * second)
        return self.session.number_with(operation, self, other, swapped)

    def __add__(self, other: Any) -> Any:
        return self._combined(other, "add")

    def __radd__(self, other: Any) -> Any:
        return self._combined(other, "add", True)

    def __sub__(self, other: Any) -> Any:
        return self._combined(other, "subtract")

    def __rsub__(self, other: Any) -> Any:
        return self._combined(other, "subtract", True)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, (list, tuple, str)):
            return other * int(self)
        return self._combined(other, "multiply")

    def __rmul__(self, other: Any) -> Any:
        if isinstance(other, (list, tuple, str)):
            return other * int(self)
        return self._combined(other, "multiply", True)

    def __truediv__(self, other: Any) -> Any:
        return self._combined(other, "divide")

    def __rtruediv__(self, other: Any) -> Any:
        return self._combined(other, "divide", True)

    def __pow__(self, other: Any) -> Any:
        if type(other) is int and 0 <= other <= 4:
            total: Dim = 1
            for _ in range(other):
                total = total * self.dim
            return self.session.size(total)
        return self._combined(other, "power")

    def __rpow__(self, other: Any) -> Any:
        return self._combined(other, "power", True)

    def __floordiv__(self, other: Any) -> Any:
        if type(other) is int and other > 0:
            return self.session.size(self.dim // other)
        if self.session.varies(self.dim, dim_of(other)):
            return self.session.ufunc(np.floor_divide, "__call__", (self, other), {})
        return int(self) // other

    def __rfloordiv__(self, other: Any) -> Any:
        return other // int(self)

    def __mod__(self, other: Any) -> Any:
        if type(other) is int and other > 0:
            return self.session.size(self.dim - (self.dim // other) * other)
        if self.session.varies(self.dim, dim_of(other)):
            return self.session.ufunc(np.remainder, "__call__", (self, other), {})
        return int(self) % other

    def __rmod__(self, other: Any) -> Any:
        return other % int(self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __neg__(self) -> Any:
        return self.session.size(-self.dim)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self if at_least(self.dim, 0) else self.session.ufunc(np.absolute, "__call__", (self,), {})

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        return self.session.ufunc(ufunc, method, inputs, keywords)

    # --- where Python needs the number ---

    def __index__(self) -> int:
        return self.session.number(self.dim)

    __int__ = __index__

    def __float__(self) -> float:
        return float(self.session.number(self.dim))

    def __bool__(self) -> bool:
        return self.session.number(self.dim) != 0

    def __hash__(self) -> int:
        return hash(self.session.number(self.dim))

    def _compared(self, other: Any) -> int:
        """Negative, 0 or positive, as `self` is below, equal to or above `other`."""
        theirs = dim_of(other)
        gap: Dim | None = self.dim - theirs if isinstance(theirs, (int, Size)) else None
        if isinstance(gap, int):
            return gap
        mine = self.session.number(self.dim)
        return mine - (self.session.number(theirs) if isinstance(theirs, Size) else theirs)

    def _against(self, other: Any, ufunc: Any, decided: Callable[[int], bool]) -> Any:
        """A comparison: traced if it comes out differently from step to step of a loop."""
        theirs = dim_of(other)
        if (
            isinstance(theirs, (int, Size))
            and isinstance(self.dim - theirs, Size)
            and self.session.undecided(self.dim, theirs)
        ):
            return self.session.ufunc(ufunc, "__call__", (self, other), {})
        return decided(self._compared(other))

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, (int, float)):
            return NotImplemented
        theirs = dim_of(other)
        if isinstance(theirs, Size) and theirs != self.dim and not self.session.undecided(self.dim, theirs):
            return self.session.equal_sizes(self.dim, theirs)
        return self._against(other, np.equal, lambda gap: gap == 0)

    def __ne__(self, other: object) -> Any:
        equal = self == other
        return equal if equal is NotImplemented else ~equal if not isinstance(equal, bool) else not equal

    def __lt__(self, other: Any) -> Any:
        return self._against(other, np.less, lambda gap: gap < 0)

    def __le__(self, other: Any) -> Any:
        return self._against(other, np.less_equal, lambda gap: gap <= 0)

    def __gt__(self, other: Any) -> Any:
        return self._against(other, np.greater, lambda gap: gap > 0)

    def __ge__(self, other: Any) -> Any:
        return self._against(other, np.greater_equal, lambda gap: gap >= 0)

    def __repr__(self) -> str:
        if self.session.varies(self.dim):
            self.session.number(self.dim)
        return str(self.dim)

    def __format__(self, spec: str) -> str:
        if self.session.varies(self.dim):
            self.session.number(self.dim)
        return format(str(self.dim), spec) if not spec or spec[-1] == "s" else format(int(self), spec)


class TracedRange:
    """`range(n)` of a symbolic size: an index as it is, x[range(n), y]; to go through it fixes n."""

    __slots__ = ("start", "step", "stop")

    def __init__(self, start: Any, stop: Any, step: Any = 1) -> None:
        self.start, self.stop, self.step = start, stop, step

    @property
    def _real(self) -> range:
        return range(int(self.start), int(self.stop), int(self.step))

    def __iter__(self) -> Iterator[int]:
        return iter(self._real)

    def __reversed__(self) -> Iterator[int]:
        return reversed(self._real)

    def __len__(self) -> int:
        return len(self._real)

    def __getitem__(self, key: Any) -> Any:
        return self._real[key]

    def __contains__(self, item: Any) -> bool:
        return item in self._real


def dim_of(value: Any) -> Any:
    """The size behind a traced one; anything else as it is."""
    return value.dim if type(value) is TracedSize else value


def number_of(dim: Dim, examples: Mapping[str, int]) -> int | None:
    """What a size is in the examples; None if they do not say."""
    try:
        return evaluate(dim, examples)
    except KeyError:
        return None


def needs_number(dim: Dim) -> ShapeError:
    """The error where Python needs the number of a size that is a name."""
    return ShapeError(
        "G024",
        f"the size {dim} is a name, and Python needs its number here",
        hint="declare it as a number in inputs=, or give example arrays",
    )
