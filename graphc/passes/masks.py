"""Masks go into the arguments of functions that can fail.

    where(x > 0, log(x), 0)   ->   where(x > 0, log(where(x > 0, x, 1)), 0)

NumPy computes both branches of `where`. So that the branch not taken warns of nothing and has no
infinite slope, what only that branch uses is computed of a safe argument where it is not taken
(the value comes from the op's record, `Op.safe`). A value that is also used elsewhere stays.

Two walks. Backwards, each value learns where it is needed: in the disjunction of a few paths, a path
being the branches that lead to it. Forwards, the graph is built anew. A mask is used only for
values that come after it in an order that puts conditions first; so nothing waits for itself.

Loops and branches are entered. What was moved out of a loop, because it does not change in it, goes
back where its mask is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import NamedTuple

from graphc.expr import build
from graphc.expr.looping import names_inside, rewritten
from graphc.ir.control import LOOP, has_control, has_insides
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph
from graphc.ir.leaf import constant_value, scalar_value
from graphc.ir.node import Node, rebuild, topological
from graphc.rewrite.conditions import holds

PATHS = 4  # alternatives that are kept of a value; with more it counts as needed everywhere
STEPS = 8  # branches that are kept of a path: the innermost ones


class Branch(NamedTuple):
    """One branch of a `where`: the condition, and the value that takes it."""

    condition: Node
    taken: bool


Path = tuple[Branch, ...]  # outermost first; all must be taken
Care = tuple[Path, ...]  # where a value is needed: along any of these
EVERYWHERE: Care = ((),)


@dataclass(frozen=True, eq=False)
class _Part:
    """A graph, or what is inside a loop or a branch: nodes in an order that puts conditions first.

    keep: nodes that stay as they are.  names: of nodes.  steps: whether it is in a loop.
    """

    order: list[Node]
    outputs: Sequence[Node]
    keep: frozenset[Node]
    names: Mapping[Node, str]
    steps: bool = False

    @cached_property
    def place(self) -> Mapping[Node, int]:
        """The place of each node in the order."""
        return {node: i for i, node in enumerate(self.order)}

    @cached_property
    def users(self) -> Mapping[Node, list[Node]]:
        """The nodes that use each node, once for each use."""
        users: dict[Node, list[Node]] = {}
        for node in self.order:
            for arg in node.args:
                users.setdefault(arg, []).append(node)
        return users


def send_masks(graph: Graph, fixed: Iterable[Node] = ()) -> tuple[Graph, Callable[[Node], Node]]:
    """The graph with masked arguments, and where its nodes went.

    The nodes in `fixed` stay as they are; beside them, in a backward pass, no argument is widened by
    its mask: what divides a whole row is a scale that gradients share.
    """
    if not has_control(graph) and all(op.name != "where" for op in graph.ops):
        return graph, lambda node: node
    table = _sent_into(_part(graph.outputs, (), frozenset(fixed), graph.names))
    masked = graph.mapped(lambda node: table.get(node, node)) if table else graph
    return masked, lambda node: table.get(node, node)


def _part(
    outputs: Sequence[Node], outside: Collection[Node], keep: frozenset[Node], names: Mapping[Node, str]
) -> _Part:
    nodes = topological(outputs, known=outside)
    conditions = [node.args[0] for node in nodes if node.op.name == "where"]
    return _Part(topological([*conditions, *outputs], known=outside), outputs, keep, names)


def _sent_into(part: _Part) -> dict[Node, Node]:
    """For each node of a part what becomes of it."""
    if not any(node.op.name == "where" or has_insides(node) for node in part.order):
        return {}
    place = part.place
    care, narrow = _care(part)
    lazy = _lazy(part)
    keep = part.keep
    table: dict[Node, Node] = {}
    for node in part.order:
        args = [table.get(a, a) for a in node.args]
        if node.op.safe is not None and node not in keep and node not in lazy:
            paths = [tuple(b for b in path if place.get(b.condition, -1) < place[node]) for path in care[node]]
            i = node.op.safe.argument
            if not _is_safe(node, paths) and (not keep or _all_fit(paths, node.args[i].shape)):
                sent = [[b._replace(condition=table.get(b.condition, b.condition)) for b in path] for path in paths]
                mask = _narrowed(_mask(sent), node.shape) if node in narrow else _mask(sent)
                args[i] = _masked(args[i], mask, node.op.safe.value)
        table[node] = node if node in keep else rebuild(node, args)
        if has_insides(node) and node not in keep:
            table[node] = _inside(node, part, table)
    return table


def _inside(node: Node, part: _Part, table: Mapping[Node, Node]) -> Node:
    """A loop or a branch with masked arguments inside; what only it reads may be masked there, too."""
    own = _private(node, part)
    others = {table[n] for n in table if n not in own}
    mine = {table[n] for n in own} - others
    current = table[node]
    around = {a for n in (current, *mine) for a in n.args if a not in mine}

    def change(outputs: Sequence[Node]) -> Callable[[Node], Node]:
        inside = _part(outputs, around, part.keep, names_inside(current))
        inner = _sent_into(replace(inside, steps=node.op is LOOP))
        return lambda n: inner.get(n, n)

    return rewritten(current, change)


def _private(loop: Node, part: _Part) -> set[Node]:
    """The nodes that only a loop reads: what does not change in it was moved out of it."""
    if loop.op is not LOOP:
        return set()
    taken = {*part.keep, *part.outputs, *loop.args[: loop["carried"]]}
    found = {loop}
    pending = list(loop.args)
    while pending:
        node = pending.pop()
        free = node in part.place and node.args and node not in taken
        if free and node not in found and found.issuperset(part.users[node]):
            found.add(node)
            pending += node.args
    return found - {loop}


def _care(part: _Part) -> tuple[dict[Node, Care], set[Node]]:
    """Where each value is needed; and the values that must not be widened by a mask.

    These are needed by several users in different places: a wide mask would be right for one, and
    would change the shape of the others.
    """
    care: dict[Node, Care] = dict.fromkeys(part.outputs, EVERYWHERE)
    narrow: set[Node] = set()
    for node in reversed(part.order):
        for i, arg in enumerate(node.args):
            sent = _sent(node, i, care[node])
            if node in narrow or care.get(arg, sent) != sent:
                narrow.add(arg)
            care[arg] = _either(care[arg], sent) if arg in care else sent
    return care, narrow


def _sent(node: Node, i: int, care: Care) -> Care:
    """Where `node` needs its argument `i`, given where it is needed itself."""
    if node.op.name == "where" and i > 0:
        branch = Branch(node.args[0], i == 1)
        return tuple(path if branch in path else (*path, branch)[-STEPS:] for path in care)
    if node.op.elementwise:
        return care
    return tuple(tuple(b for b in path if not b.condition.shape) for path in care)  # these hold of every element


def _either(a: Care, b: Care) -> Care:
    """Where a value is needed that has two users."""
    if a == b:
        return a
    paths: list[Path] = []
    for path in (*a, *b):
        for other in list(paths):
            path = _joined(path, other) or path
        if not any(set(other) <= set(path) for other in paths):
            paths = [other for other in paths if not set(path) <= set(other)] + [path]
    return tuple(paths) if len(paths) <= PATHS else EVERYWHERE


def _joined(a: Path, b: Path) -> Path | None:
    """The one path that is the same as either of two that differ in one branch taken or not."""
    if len(a) != len(b) or a[:-1] != b[:-1] or not a or a[-1].condition is not b[-1].condition:
        return None
    return a[:-1]


def _fits(condition: Node, shape: tuple[Dim, ...]) -> bool:
    """Whether the condition does not widen a value of this shape."""
    own = condition.shape
    if own == shape or not own:
        return True
    return len(own) <= len(shape) and all(d in (1, e) for d, e in zip(own[::-1], shape[::-1], strict=False))


def _all_fit(paths: list[Path], shape: tuple[Dim, ...]) -> bool:
    return all(_fits(b.condition, shape) for path in paths for b in path)


def _lazy(part: _Part) -> set[Node]:
    """Numbers that generated code writes inside `a if c else b`: they are computed only where c is true.

    Not in a loop: what is a number there may be computed before or after it, for all steps at once.
    """
    lazy: set[Node] = set()
    if part.steps:
        return lazy
    for node in reversed(part.order):
        users = part.users.get(node, [])
        if node.type.rank or node in part.names or len(users) != 1 or node in part.outputs:
            continue
        (user,) = users
        if user in lazy or (user.op.name == "where" and user.args[0] is not node and user.type.rank == 0):
            lazy.add(node)
    return lazy


def _is_safe(node: Node, paths: list[Path]) -> bool:
    """Whether no mask is needed, or none is known: `node` never fails, or is masked, or is needed everywhere."""
    safe = node.op.safe
    assert safe is not None
    if not all(paths) or holds(safe.unless, dict(zip(node.op.args, node.args, strict=True))):
        return True
    source = node.args[safe.argument]
    while source.op.elementwise and source.op.name != "where":
        varying = [a for a in source.args if constant_value(a) is None]
        if len(varying) != 1:
            return False
        (source,) = varying
    if source.op.name != "where":
        return False
    condition, a, b = source.args
    kept = [Branch(condition, taken) for taken, other in ((True, b), (False, a)) if scalar_value(other) is not None]
    return any(all(branch in path for path in paths) for branch in kept)


def _masked(x: Node, mask: Branch, safe: float) -> Node:
    """`x` where the mask says so, `safe` elsewhere."""
    value = safe if x.type.is_float else int(safe)
    return build.where(mask.condition, x, value) if mask.taken else build.where(mask.condition, value, x)


def _mask(paths: list[list[Branch]]) -> Branch:
    """The condition under which one of the paths is taken."""
    if len(paths) == 1 and len(paths[0]) == 1:
        return paths[0][0]
    return Branch(reduce(_or, [reduce(_and, map(_holds_of, path)) for path in paths]), True)


def _narrowed(mask: Branch, shape: tuple[Dim, ...]) -> Branch:
    """A mask for a value that is repeated over wider ones: whether any of them is needed."""
    if _fits(mask.condition, shape):
        return mask
    wide = _holds_of(mask)
    extra = wide.type.rank - len(shape)
    repeated = tuple(extra + i for i, d in enumerate(shape) if extra + i >= 0 and d == 1 != wide.shape[extra + i])
    count = build.reduce("sum", wide, repeated, True) if repeated else wide
    count = build.reduce("sum", count, tuple(range(extra))) if extra > 0 else count
    return Branch(build.apply("greater", count, 0), True)


def _holds_of(branch: Branch) -> Node:
    return branch.condition if branch.taken else build.apply("logical_not", branch.condition)


def _and(a: Node, b: Node) -> Node:
    return build.apply("logical_and", a, b)


def _or(a: Node, b: Node) -> Node:
    return build.apply("logical_or", a, b)
