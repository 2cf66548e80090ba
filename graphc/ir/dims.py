"""Sizes of axes: integers, names, and integer polynomials of names.

    n, h = Size.named("n"), Size.named("h")
    2 * h + n - h      ->  h + n
    (n + 1) // 2       ->  a size that prints as `(n + 1) // 2`
    minimum(n, h)      ->  a size that prints as `min(h, n)`
    root(n)            ->  a size that prints as `max(int(n ** 0.5), 1)`
    n - n              ->  0, a plain int

A `Dim` is an `int` or a `Size`; a polynomial that is constant is always the `int`, so equality of
sizes is `==`. Quotients appear where a slice has a step, minima where a matrix has as many singular
values as it has rows or columns, roots where a loop is cut into pieces; they are atoms of the polynomial.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, Union

from graphc.errors import LimitError, ShapeError

MAX_SIZE = 2**63 - 1

Dim = Union[int, "Size"]
Atom = Union[str, "Quotient", "Minimum", "Root"]
Monomial = tuple[Atom, ...]  # a product of atoms, sorted by their text; () is the constant


class Quotient(NamedTuple):
    """`numerator // denominator`, rounded down: an atom of a polynomial."""

    numerator: Dim
    denominator: Dim

    def names(self) -> Iterator[str]:
        yield from _names(self)

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        return evaluate(self.numerator, sizes) // evaluate(self.denominator, sizes)

    def mapped(self, change: Callable[[Dim], Dim]) -> Dim:
        """The same of changed sizes."""
        return quotient(change(self.numerator), change(self.denominator))

    def __str__(self) -> str:
        plain = isinstance(self.denominator, int) or _is_atom(self.denominator)
        return f"({self.numerator}) // {self.denominator if plain else f'({self.denominator})'}"


class Minimum(NamedTuple):
    """The smaller of two sizes, of which neither is known to be it: an atom of a polynomial."""

    first: Dim
    second: Dim

    def names(self) -> Iterator[str]:
        yield from _names(self)

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        return min(evaluate(self.first, sizes), evaluate(self.second, sizes))

    def mapped(self, change: Callable[[Dim], Dim]) -> Dim:
        """The same of changed sizes."""
        return minimum(change(self.first), change(self.second))

    def __str__(self) -> str:
        return f"min({self.first}, {self.second})"


class Root(NamedTuple):
    """The square root of a size, rounded down, at least 1: an atom of a polynomial."""

    square: Size

    def names(self) -> Iterator[str]:
        yield from _names(self)

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        return max(int(evaluate(self.square, sizes) ** 0.5), 1)

    def mapped(self, change: Callable[[Dim], Dim]) -> Dim:
        """The same of a changed size."""
        return root(change(self.square))

    def __str__(self) -> str:
        return f"max(int({self.square} ** 0.5), 1)" if self.square.name else f"max(int(({self.square}) ** 0.5), 1)"


def _is_atom(dim: Size) -> bool:
    """Whether a size is a name or a function of sizes, and needs no brackets."""
    (monomial, coefficient), *others = dim.terms
    return not others and coefficient == 1 and len(monomial) == 1 and not isinstance(monomial[0], Quotient)


def _names(dims: Iterable[Dim]) -> Iterator[str]:
    for dim in dims:
        if isinstance(dim, Size):
            yield from dim.names()


class Size:
    """A polynomial with integer coefficients over named sizes; never constant."""

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: tuple[tuple[Monomial, int], ...]) -> None:
        self.terms = terms
        self._hash = hash(terms)

    @staticmethod
    def named(name: str) -> Size:
        return Size((((name,), 1),))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size) and self.terms == other.terms

    def __hash__(self) -> int:
        return self._hash

    def __add__(self, other: Dim) -> Dim:
        return _collect([*self.terms, *_terms(other)])

    __radd__ = __add__

    def __neg__(self) -> Dim:
        return _collect([(m, -c) for m, c in self.terms])

    def __sub__(self, other: Dim) -> Dim:
        return _collect([*self.terms, *((m, -c) for m, c in _terms(other))])

    def __rsub__(self, other: Dim) -> Dim:
        return _collect([*_terms(other), *((m, -c) for m, c in self.terms)])

    def __mul__(self, other: Dim) -> Dim:
        return _collect(
            [(tuple(sorted(m1 + m2, key=str)), c1 * c2) for m1, c1 in self.terms for m2, c2 in _terms(other)]
        )

    __rmul__ = __mul__

    def __floordiv__(self, other: int) -> Dim:
        if other <= 0:
            raise ShapeError("G023", f"a size is divided by a positive integer, not {other}")
        if all(c % other == 0 for _, c in self.terms):
            return _collect([(m, c // other) for m, c in self.terms])
        return Size((((Quotient(self, other),), 1),))

    @property
    def name(self) -> str | None:
        """The name, if this size is a plain name."""
        if len(self.terms) == 1 and self.terms[0][1] == 1 and len(self.terms[0][0]) == 1:
            atom = self.terms[0][0][0]
            return atom if isinstance(atom, str) else None
        return None

    def names(self) -> Iterator[str]:
        """The names in it, in order of appearance, with repeats."""
        for monomial, _ in self.terms:
            for atom in monomial:
                if isinstance(atom, str):
                    yield atom
                else:
                    yield from atom.names()

    def __str__(self) -> str:
        parts: list[str] = []
        for monomial, coefficient in self.terms:
            sign = "-" if coefficient < 0 else "+"
            factors = [str(a) for a in monomial]
            if abs(coefficient) != 1 or not factors:
                factors.insert(0, str(abs(coefficient)))
            alone = len(factors) == 1 and (parts or sign == "+")  # a minus in front binds tighter than //
            parts += [sign, " * ".join(f"({f})" if "//" in f and not alone else f for f in factors)]
        text = " ".join(parts[1:])
        return text if parts[0] == "+" else "-" + text

    def __repr__(self) -> str:
        return f"Size({self})"

    def __reduce__(self) -> tuple[object, ...]:
        return (Size, (self.terms,))


def _terms(dim: Dim) -> tuple[tuple[Monomial, int], ...]:
    return dim.terms if isinstance(dim, Size) else (((), dim),)


def _collect(terms: list[tuple[Monomial, int]]) -> Dim:
    totals: dict[Monomial, int] = {}
    for monomial, coefficient in terms:
        totals[monomial] = totals.get(monomial, 0) + coefficient
    kept = {m: c for m, c in totals.items() if c}
    if any(abs(c) > MAX_SIZE for c in kept.values()):
        raise LimitError("G003", "a size must be below 2**63")
    if not kept or set(kept) == {()}:
        return kept.get((), 0)
    ordered = sorted(kept.items(), key=lambda item: (not item[0], [str(a) for a in item[0]]))
    return Size(tuple(ordered))


def evaluate(dim: Dim, sizes: Mapping[str, int]) -> int:
    """The integer that `dim` is when the names have the values in `sizes`."""
    if not isinstance(dim, Size):
        return dim
    total = 0
    for monomial, coefficient in dim.terms:
        for atom in monomial:
            coefficient *= sizes[atom] if isinstance(atom, str) else atom.evaluate(sizes)
        total += coefficient
    return total


def mapped(dim: Dim, change: Callable[[Atom], Dim]) -> Dim:
    """`dim` with other sizes in the place of its atoms."""
    if not isinstance(dim, Size):
        return dim
    total: Dim = 0
    for monomial, coefficient in dim.terms:
        term: Dim = coefficient
        for atom in monomial:
            term = term * change(atom)
        total = total + term
    return total


def substitute(dim: Dim, replaced: Mapping[str, Dim]) -> Dim:
    """`dim` with names replaced."""

    def change(atom: Atom) -> Dim:
        if isinstance(atom, str):
            return replaced.get(atom, Size.named(atom))
        return atom.mapped(lambda inner: substitute(inner, replaced))

    return mapped(dim, change)


def at_least(dim: Dim, least: int) -> bool:
    """Whether `dim >= least` follows from every named size being at least 0."""
    if not isinstance(dim, Size):
        return dim >= least
    constant = sum(c for m, c in dim.terms if not m)
    return constant >= least and all(c > 0 for m, c in dim.terms if m)


def minimum(a: Dim, b: Dim) -> Dim:
    """The smaller of two sizes: one of them where that is known, else a size that prints as `min(a, b)`."""
    if at_least(b - a, 0):
        return a
    if at_least(a - b, 0):
        return b
    first, second = sorted((a, b), key=str)
    return Size((((Minimum(first, second),), 1),))


def quotient(a: Dim, b: Dim) -> Dim:
    """`a // b`, for a size `b` that is positive wherever the quotient is asked for."""
    if not isinstance(b, int):
        return Size((((Quotient(a, b),), 1),))
    if b <= 0:
        raise ShapeError("G023", f"a size is divided by a positive integer, not {b}")
    return a // b


def root(dim: Dim) -> Dim:
    """The square root, rounded down, at least 1."""
    return max(int(dim**0.5), 1) if isinstance(dim, int) else Size((((Root(dim),), 1),))


def roots(dim: Dim) -> Iterator[Root]:
    """The roots in a size, those inside other roots first."""
    for atom in [atom for monomial, _ in _terms(dim) for atom in monomial]:
        for part in () if isinstance(atom, str) else atom:
            yield from roots(part)
        if isinstance(atom, Root):
            yield atom


def at_most(bound: Dim, size: Dim) -> bool:
    """Whether `bound <= size` follows from all sizes being at least 0; n // 2 <= n does."""
    if at_least(size - bound, 0):
        return True
    scale = 1
    total: Dim = bound
    if isinstance(bound, Size):
        for monomial, coefficient in bound.terms:
            (atom,) = monomial if len(monomial) == 1 else (None,)
            if isinstance(atom, Quotient) and isinstance(atom.denominator, int) and coefficient > 0:
                rest = total - coefficient * scale * Size(((monomial, 1),))
                total = atom.denominator * rest + coefficient * scale * atom.numerator
                scale *= atom.denominator
    return at_least(scale * size - total, 0)


def product(dims: tuple[Dim, ...]) -> Dim:
    total: Dim = 1
    for dim in dims:
        total = total * dim
    return total


def degree(dim: Dim) -> int:
    """How many sizes that are not known are multiplied in a size: 0 for numbers, 2 for n * m + n."""
    if not isinstance(dim, Size):
        return 0
    return max(len(monomial) for monomial, _ in dim.terms)


def exact_quotient(whole: Dim, part: Dim) -> Dim | None:
    """`whole / part` where it divides exactly as polynomials, else None."""
    if whole == part:
        return 1
    if isinstance(part, int):
        if part == 0:
            return None
        if all(c % part == 0 for _, c in _terms(whole)):
            return _collect([(m, c // part) for m, c in _terms(whole)])
        return None
    if len(part.terms) != 1:
        return None
    (divisor, factor) = part.terms[0]
    result: list[tuple[Monomial, int]] = []
    for monomial, coefficient in _terms(whole):
        rest = list(monomial)
        for atom in divisor:
            if atom not in rest:
                return None
            rest.remove(atom)
        if coefficient % factor:
            return None
        result.append((tuple(rest), coefficient // factor))
    return _collect(result)
