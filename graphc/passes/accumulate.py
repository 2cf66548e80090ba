"""Running sums are added to where they lie.

    if masks[t]:                                  if masks[t]:
        step = zeros.copy(); step[t] = v    ->        dX[t] += v
    else:
        step = zeros
    dX += step

What a step adds to a sum may be placed somewhere in an array of zeros, or come from one side of a branch,
or be the sum of a loop inside: it is added there to the sum itself, so that no array of zeros is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from graphc.expr import build
from graphc.expr.looping import Opened, close, close_branch, open_branch, open_loop, substitute
from graphc.ir.control import BRANCH, LOOP, RESULT, final, history, result, stack
from graphc.ir.leaf import scalar_value
from graphc.ir.node import Node, topological
from graphc.passes.loops import Results, running_sum


def is_zero(node: Node) -> bool:
    """Whether all elements of an array are zero by its making."""
    while node.op.name in ("broadcast_to", "reshape", "expand_dims", "getitem"):
        node = node.args[0]
    return node.op.name == "zeros" or scalar_value(node) == 0


def accumulated(loop: Opened, used: frozenset[int]) -> Results | None:
    """A loop whose sums are added to in place, as far as that can be."""
    m = len(loop.inits)
    changed = loop
    for k in range(m):
        changed = _with_sum(changed, k)
    if changed is loop:
        return None
    node = close(changed)
    parts = {k: final(node, k) if k < m else history(node, k - m) for k in used if k < 2 * m}
    return parts | {k: stack(node, k - 2 * m) for k in used if k >= 2 * m}


def _with_sum(loop: Opened, k: int) -> Opened:
    """The loop with the k-th carried value added to in place; the same loop if it is not a sum, or needs nothing."""
    terms = running_sum(loop, k)
    if terms is None or any(term.shape != loop.placeholders[k].shape for _, term in terms):
        return loop
    roots = _roots(loop)
    added = _Added(roots).all(loop.placeholders[k], terms)
    if added is None:
        return loop
    nodes = substitute([*roots, *loop.names], {**added.instead, loop.updates[k]: added.total})
    updates, rest = nodes[: len(loop.updates)], nodes[len(loop.updates) :]
    stacked, rest = rest[: len(loop.stacked)], rest[len(loop.stacked) :]
    test = rest.pop(0) if loop.test is not None else None
    names = dict(zip(rest, loop.names.values(), strict=True))
    return replace(loop, updates=tuple(updates), stacked=tuple(stacked), test=test, names=names)


def _roots(loop: Opened) -> list[Node]:
    return [*loop.updates, *loop.stacked, *(() if loop.test is None else (loop.test,))]


class _Sum(NamedTuple):
    """total: a sum and what has been added.  instead: branches and loops that have become others."""

    total: Node
    instead: dict[Node, Node]


class _Added:
    """Adding what a step makes to a sum, among the nodes that `roots` need."""

    def __init__(self, roots: Sequence[Node]) -> None:
        self._users: dict[Node, int] = {}
        for node in topological(roots):
            for arg in node.args:
                self._users[arg] = self._users.get(arg, 0) + 1
        for root in roots:
            self._users[root] = self._users.get(root, 0) + 1

    def to(self, total: Node, step: Node, sign: int) -> _Sum | None:
        """The sum after a step; None if plain addition is all that can be done."""
        if is_zero(step):
            return _Sum(total, {})
        if step.op.name == "negative":
            return self.to(total, step.args[0], -sign)
        if step.op.name == "add_at" and is_zero(step.args[0]):
            value = step.args[1] if sign > 0 else build.negative(step.args[1])
            return _Sum(build.add_at(total, value, step["index"], step.args[2:]), {})
        if step.op.name in ("add", "subtract") and all(a.shape == step.shape for a in step.args):
            return self.all(total, [(sign, step.args[0]), (sign if step.op.name == "add" else -sign, step.args[1])])
        if step.op is RESULT and sign > 0 and self._users.get(step) == 1:
            if step.args[0].op is BRANCH:
                return self._branch(total, step)
            return self._loop(total, step) if step.args[0].op is LOOP else None
        return None

    def all(self, total: Node, terms: Sequence[tuple[int, Node]]) -> _Sum | None:
        """The sum after several terms; what is plainly added comes first. None if all are."""
        ordered = sorted(terms, key=lambda part: self.to(total, part[1], part[0]) is not None)
        found = total
        instead: dict[Node, Node] = {}
        placed = False
        for sign, term in ordered:
            done = self.to(found, term, sign)
            placed |= done is not None
            plain = build.add if sign > 0 else build.subtract
            found = plain(found, term) if done is None else done.total
            instead |= {} if done is None else done.instead
        return _Sum(found, instead) if placed else None

    def _branch(self, total: Node, step: Node) -> _Sum | None:
        """Each side adds its own."""
        node, k = step.args[0], step["k"]
        sides = open_branch(node)
        added = [_Added(side).to(total, side[k], 1) for side in sides]
        if all(a is None for a in added):
            return None
        outputs = []
        for side, done in zip(sides, added, strict=True):
            value = build.add(total, side[k]) if done is None else done.total
            others = substitute(side, dict(done.instead) if done is not None else {})
            outputs.append([*others[:k], value, *others[k + 1 :]])
        then, other = outputs
        made = close_branch(node.args[0], then, other, outside={*node.args, total})
        return _Sum(result(made, k), {node: made})

    def _loop(self, total: Node, step: Node) -> _Sum | None:
        """A loop inside starts from the sum, in the place of zeros."""
        node, k = step.args[0], step["k"]
        inner = open_loop(node)
        if k >= len(inner.inits) or not is_zero(inner.inits[k]) or not _is_sum(inner, k):
            return None
        inits = (*inner.inits[:k], total, *inner.inits[k + 1 :])
        made = close(replace(inner, inits=inits))
        return _Sum(final(made, k), {node: made})


def _is_sum(loop: Opened, k: int) -> bool:
    """Whether a carried value is nothing but added to."""
    placeholder, update = loop.placeholders[k], loop.updates[k]
    others = [r for i, r in enumerate(_roots(loop)) if i != k]
    return placeholder not in topological(others) and _only_added(update, placeholder)


def _only_added(node: Node, placeholder: Node) -> bool:
    """Whether a node is the placeholder and something added to it that does not depend on it."""
    while node is not placeholder:
        added = node.op.name in ("add", "subtract", "add_at") and placeholder not in topological(node.args[1:])
        if not added or node.args[0].shape != node.shape:
            return False
        node = node.args[0]
    return True
