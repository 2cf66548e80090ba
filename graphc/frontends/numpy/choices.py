"""What a branch chooses: one value from the two that its sides leave in a variable.

    if c:  y = [x, 1]       of("y", [x, 1], [z, 1]): the lists are of one structure, and only the first
    else:  y = [z, 1]       elements differ, a `Pair`; once all pairs are known, one node chooses them:
                            finished(...) = [branch(c: x, z), 1]

A choice is (structure, leaves), some leaves being pairs; `Unbound`, where the values have no common form,
is an error only if somebody reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.expr import build
from graphc.expr.looping import close_branch
from graphc.frontends.numpy.forms import Form, equal, form_of, is_whole, joined, node_of, opened
from graphc.frontends.numpy.refused import Unbound
from graphc.frontends.numpy.sizes import dim_of
from graphc.frontends.numpy.tracer import Kind, Tracer
from graphc.frontends.numpy.variables import ABSENT
from graphc.ir.control import result
from graphc.ir.node import Node, topological

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session


class Pair(NamedTuple):
    """Two values of which one is chosen, in the form that both fit into."""

    then: Node
    other: Node
    form: Form


class Choices:
    """All that one branch chooses. known: the nodes from before it."""

    def __init__(self, session: Session, condition: Node, known: set[Node]) -> None:
        self._session = session
        self._condition = condition
        self._known = known
        self._pairs: dict[tuple[Node, Node], Pair] = {}
        self._chosen: dict[tuple[Node, Node], Node] = {}

    # --- two values in one form ---

    def of(self, name: str, then: Any, other: Any) -> Any:
        """What is chosen of two values: (structure, leaves), a leaf that differs being a `Pair`."""
        if then is other:
            return opened(then)[1], opened(then)[0]
        for side, when in ((then, "true"), (other, "false")):
            if side is ABSENT or type(side) is Unbound:
                return Unbound(self._session, f"`{name}` has no value where a traced condition is {when}")
        leaves, structure = opened(then)
        others, structure_of_other = opened(other)
        if structure != structure_of_other:
            return self._unlike(name, then, other)
        found = [self._leaf(name, a, b) for a, b in zip(leaves, others, strict=True)]
        return next((f for f in found if type(f) is Unbound), (structure, found))

    def padded(self, value: Any, first: bool) -> Any:
        """A value of one side, zeros on the other, which never uses them. first: whether the zeros come first."""
        leaves, structure = opened(value)
        found: list[Any] = []
        for leaf in leaves:
            form = form_of(leaf)
            if type(leaf) is not Tracer or form is None:
                found.append(leaf)
                continue
            zeros = build.zeros(leaf.node.shape, leaf.node.type.dtype)
            found.append(self.pair(*((zeros, leaf.node) if first else (leaf.node, zeros)), form))
        return structure, found

    def pair(self, then: Node, other: Node, form: Form) -> Pair:
        """Two nodes of which one is chosen."""
        return self._pairs.setdefault((then, other), Pair(then, other, form))

    def _leaf(self, name: str, then: Any, other: Any) -> Any:
        if then is other or (is_whole(then) and is_whole(other) and dim_of(then) == dim_of(other)):
            return then
        first, second = form_of(then), form_of(other)
        if first is None or second is None:
            return then if equal(then, other) else self._unlike(name, then, other)
        self._session.unify(first.type.shape, second.type.shape)
        form = joined(first, second)
        if form is None or form.type.shape not in (first.type.shape, second.type.shape):
            return self._unlike(name, then, other)
        if type(then) is type(other) and type(then) is not Tracer and equal(then, other):
            return then
        form = form._replace(kind=Kind.SCALAR) if is_whole(then) and is_whole(other) else form
        a, b = (form.fitted(node_of(self._session, side)) for side in (then, other))
        return self.pair(a, b, form)

    def _unlike(self, name: str, then: Any, other: Any) -> Unbound:
        kinds = " and ".join(str(f.type) if (f := form_of(v)) else type(v).__name__ for v in (then, other))
        return Unbound(
            self._session,
            f"`{name}` is of two kinds, as a traced condition is true or false: {kinds}",
            "give it one shape and structure on both sides",
        )

    # --- as nodes ---

    def decide(self, names: Mapping[Node, str], origin: Mapping[Node, Any]) -> None:
        """Make the nodes that choose. names, origin: what the sides call their nodes, and where they make them."""
        rest: list[Pair] = []
        for pair in self._pairs.values():
            if pair.then is pair.other:
                self._chosen[pair.then, pair.other] = pair.then
            elif not pair.form.type.rank and self._is_there(pair.then) and self._is_there(pair.other):
                self._chosen[pair.then, pair.other] = self._simple(pair)
            else:
                rest.append(pair)
        if not rest:
            return
        sides = [p.then for p in rest], [p.other for p in rest]
        inner = set(topological(sides[0], self._known)) ^ set(topological(sides[1], self._known))
        node = close_branch(self._condition, *sides, *self._session.inside(inner, names, origin), self._known)
        self._session.note(node)
        self._chosen.update(((p.then, p.other), result(node, k)) for k, p in enumerate(rest))

    def _is_there(self, node: Node) -> bool:
        """Whether a node is there without the branch: a value from before it, or a number."""
        return node in self._known or not node.args

    def _simple(self, pair: Pair) -> Node:
        """A choice between numbers that are there already."""
        if pair.form.type.dtype == "bool" and not pair.then.args and not pair.other.args:
            both = [bool(self._session.evaluated(n)) for n in (pair.then, pair.other) if n.op.name == "const"]
            if both == [True, False]:
                return self._condition
            if both == [False, True]:
                return build.apply("logical_not", self._condition)
        return build.where(self._condition, pair.then, pair.other)

    def chosen(self, then: Node, other: Node) -> Node:
        """The node for a pair of nodes, once all is decided."""
        return self._chosen[then, other]

    def finished(self, choice: Any, sides: Sequence[Any] = ()) -> Any:
        """A value with what is chosen in the place of pairs. sides: the two values that it was chosen of."""
        if choice is ABSENT or type(choice) is Unbound:
            return choice
        structure, leaves = choice
        found = []
        for leaf in leaves:
            if type(leaf) is Pair:
                leaf = leaf.form.stand_in(self._session, self._chosen[leaf.then, leaf.other])
                _remember(leaf, sides)
            found.append(leaf)
        return structure.filled(self._session, found)


def _remember(made: Tracer, sides: Sequence[Any]) -> None:
    """A chosen array may be one that other variables hold."""
    for leaf in chain.from_iterable(opened(side)[0] for side in sides):
        if type(leaf) is Tracer and leaf.kind is Kind.ARRAY and made.kind is Kind.ARRAY:
            made.buffer.may_share(leaf.buffer)
