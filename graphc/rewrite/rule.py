"""A rule is data: two formulas, a condition, how exact it is, and why.

    Rule("log-of-exp", "log(exp(x))", "x", exact=Exact.ROUNDING, why="log undoes exp")

Names on the left match any node; a name used as an attribute (`axes=a`) matches its value. Sums
and products match in any order, with any sign, and together with any common factor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple

from graphc.expr.formula import Call, Literal, Variable, parse_formula
from graphc.ir.node import Node
from graphc.rewrite.views import Views


class Exact(Enum):
    """What a rule may change. Both sides agree where both are defined, in every case."""

    BITWISE = "the same bits"
    ROUNDING = "as accurate or more, up to a few ulp; defined wherever the left side is"
    REAL = "equal over the real numbers only; off unless asked for"


@dataclass(frozen=True)
class Rule:
    """`lhs` becomes `rhs` where every condition in `when` holds.

    when: conditions of `rewrite.conditions`, such as "positive(x)".
    assume: what a proof may assume of the variables, as SymPy assumptions: {"x": "positive"}.
    proof: "sympy", or the reason why the rule is sampled only.
    """

    name: str
    lhs: str
    rhs: str
    exact: Exact
    why: str
    when: tuple[str, ...] = ()
    assume: dict[str, str] = field(default_factory=dict)
    proof: str = "sympy"

    @cached_property
    def left(self) -> Any:
        return parse_formula(self.lhs)

    @cached_property
    def right(self) -> Any:
        return parse_formula(self.rhs)

    def __str__(self) -> str:
        condition = f"   when {' and '.join(self.when)}" if self.when else ""
        return f"{self.lhs}  ->  {self.rhs}{condition}"


@dataclass(frozen=True)
class ComputedRule:
    """A rule whose right side is computed; its examples say what it does.

    ops: the ops at whose nodes it is tried; () means every op.
    examples: (before, after) as texts of the language over `x, y: f64[n, m]`, `s, t: f64`.
    over: an op that one of the arguments must be; "" means that any will do.
    among: ops of which one must be in the graph; () means that none need.
    """

    name: str
    ops: tuple[str, ...]
    rewrite: Callable[[Node, Views], Node | None]
    exact: Exact
    why: str
    examples: tuple[tuple[str, str], ...]
    over: str = ""
    among: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return "; ".join(f"{a}  ->  {b}" for a, b in self.examples)


class Step(NamedTuple):
    """One rewrite that happened."""

    rule: Rule | ComputedRule
    before: Node
    after: Node


# A sum weighs more than two products and a number: 1 + tanh(x) -> 2 * sigmoid(2 * x) removes one.
_WEIGHT = {"negative": 1, "multiply": 2, "square": 2, "divide": 3, "add": 6, "subtract": 6, "power": 20}


def weight(term: Any) -> int:
    """The measure that every rule lowers: rough cost of a formula, every name counting 1."""
    if isinstance(term, (Variable, Literal)):
        return 1
    assert isinstance(term, Call)
    return _WEIGHT.get(term.op, 10) + sum(weight(a) for a in term.args)
