"""Sizes that the examples decide, each decision a new start of the trace.

    range(n)            n is the number that the example has
    X @ w               the sizes that must be equal are one, if the examples agree
    tril_indices(n)     where names are too little for a function, its sizes become numbers

A decision is an exception that ends the run of the user's function. Whatever the function does with
it (a bare `except:`, a `finally` that fails in its turn), the decision is kept, and the trace begins again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from graphc.errors import GraphcError, ShapeError
from graphc.expr.arguments import Weak
from graphc.frontends.numpy.sizes import Restart, needs_number, number_of, solved
from graphc.ir.dims import Dim, Quotient, Size
from graphc.ir.node import Node


class Decisions:
    """What one run of the user's function has to be told before it can go on.

    examples: the numbers of the sizes that came from example arrays.  pending: the decision, if there is one.
    """

    def __init__(self, examples: Mapping[str, int] | None = None) -> None:
        self.examples = dict(examples or {})
        self.pending: Restart | None = None

    def begin_again(self, replaced: Mapping[str, Dim]) -> NoReturn:
        """End this run: sizes are replaced."""
        self.pending = Restart(replaced)
        raise self.pending

    def number(self, dim: Dim) -> int:
        """The number of a size, which from now on it always is. ShapeError without an example."""
        if isinstance(dim, int):
            return dim
        if number_of(dim, self.examples) is None:
            raise needs_number(dim)
        self.begin_again(self._fixed(dim))

    def equal(self, a: Dim, b: Dim) -> bool:
        """Whether two sizes are equal; if they are in the examples, they are from now on."""
        if a == b:
            return True
        first, second = number_of(a, self.examples), number_of(b, self.examples)
        if first is None or second is None:
            raise needs_number(a if first is None else b)
        self.begin_again(self._replacement(a, b) if first == second else self._fixed(a, b))

    def instead_of(self, error: GraphcError, values: Sequence[Any]) -> None:
        """Begin again with sizes decided, if that may help against an error. values: the operands.

        Two sizes that had to be equal, and are in the examples, become one. Otherwise the sizes of
        the operands become numbers; if they are numbers already, the error is the user's.
        """
        if not self.examples:
            return
        sizes = getattr(error, "sizes", None)
        pairs = [sizes] if sizes is not None else _pairs(values) if isinstance(error, ShapeError) else []
        for a, b in pairs:
            first, second = number_of(a, self.examples), number_of(b, self.examples)
            if first is not None and first == second and a != b:
                self.begin_again(self._replacement(a, b))
        known = [d for d in _sizes_in(values) if number_of(d, self.examples) is not None]
        if known:  # first those of which parts are taken, then all
            halved = [d for d in known if any(isinstance(a, Quotient) for m, _ in d.terms for a in m)]
            self.begin_again(self._fixed(*(halved or known)))

    def _fixed(self, *dims: Dim) -> dict[str, Dim]:
        return {n: self.examples[n] for d in dims if isinstance(d, Size) for n in d.names()}

    def _replacement(self, a: Dim, b: Dim) -> dict[str, Dim]:
        """What makes two sizes equal that are equal in the examples."""
        return solved(a, b, list(self.examples)) or self._fixed(a, b)


def _sizes_in(values: Any) -> list[Size]:
    """The symbolic sizes of operands, and among them."""
    if isinstance(values, Node):
        return [d for d in values.shape if isinstance(d, Size)]
    if isinstance(values, (list, tuple)) and not isinstance(values, Weak):
        return [d for v in values for d in _sizes_in(v)]
    return [values] if isinstance(values, Size) else []


def _pairs(values: Sequence[Any]) -> list[tuple[Dim, Dim]]:
    """Sizes of different operands, each with each."""
    shapes = [v.shape for v in values if isinstance(v, Node)]
    return [(a, b) for i, s in enumerate(shapes) for t in shapes[i + 1 :] for a in s for b in t]
