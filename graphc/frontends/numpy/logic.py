"""`and`, `or`, `not` and chains of comparisons of the user's, whose operands may be traced.

x > 0 and y > 0       logical_and(x > 0, y > 0)
i < n and x[i] > 0    a branch: where i is n there is no x[i]
x or y                a branch: x if x is not 0, else y
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphc.errors import UnsupportedError
from graphc.expr import build
from graphc.frontends.numpy.branching import choose
from graphc.frontends.numpy.truth import is_boolean, may_fail, truth
from graphc.ir.leaf import const_node
from graphc.ir.node import Node, topological

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

Closure = Callable[[], Any]

_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
    "is": operator.is_, "is not": operator.is_not, "in": lambda a, b: a in b, "not in": lambda a, b: a not in b,
}  # fmt: skip


def all_of(session: Session, first: Any, *others: Closure) -> Any:
    """`first and ...`."""
    return _joined(session, "logical_and", first, others)


def any_of(session: Session, first: Any, *others: Closure) -> Any:
    """`first or ...`."""
    return _joined(session, "logical_or", first, others)


def _joined(session: Session, name: str, first: Any, others: tuple[Closure, ...]) -> Any:
    """Operands are asked from the left until one decides."""
    found, deciding = first, name == "logical_or"
    for later in others:
        known = truth(session, found)
        if not isinstance(known, Node):
            if known is deciding:
                return found
            found = later()
        else:
            found = _both(session, name, found, known, later)
    return found


def _both(session: Session, name: str, left: Any, condition: Node, later: Closure) -> Any:
    """Two operands, the first of them traced."""
    if is_boolean(left):
        right = later()
        node = _boolean(session, right)
        if node is not None and not may_fail(node, set(topological([condition]))):
            return session.wrapped(build.apply(name, condition, node))
    sides = (later, lambda: left) if name == "logical_and" else (lambda: left, later)
    return choose(session, left, *sides)


def _boolean(session: Session, x: Any) -> Node | None:
    """A truth value as a node; None for anything else."""
    if not is_boolean(x):
        return None
    known = truth(session, x)
    return known if isinstance(known, Node) else const_node(known, "bool")


def negated(session: Session, x: Any) -> Any:
    """`not x`."""
    known = truth(session, x)
    return session.wrapped(build.apply("logical_not", known)) if isinstance(known, Node) else not known


def compared(session: Session, signs: tuple[str, ...], first: Any, *others: Closure) -> Any:
    """`first < second < third`: each operand is asked once, and none after one comparison is known to fail."""
    left, found = first, True
    for sign, later in zip(signs, others, strict=True):
        known = truth(session, found)
        if known is False:
            return found
        right = later()
        holds = _COMPARED[sign](left, right)
        node = _boolean(session, holds)
        if isinstance(known, Node):
            if node is None:
                raise session.placed(
                    UnsupportedError("G043", "a chain of comparisons of arrays", hint="write (a < b) & (b < c)")
                )
            holds = session.wrapped(build.apply("logical_and", known, node))
        left, found = right, holds
    return found
