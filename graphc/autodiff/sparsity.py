"""Where a Jacobian may have entries that are not zero: known from the graph, without derivatives.

    y = x[1:] * x[:-1]       row i of dy/dx has entries in the columns i and i + 1

One walk from the input to the outputs, at the sizes of one call. Each node has a pattern: for each of
its elements, the elements of the input that it may depend on. An op says how its result depends on an
argument (`Op.links`), or its traits do; what says nothing depends on all of it. So a pattern may have
too many entries, never too few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from graphc.autodiff.known import Known
from graphc.autodiff.pattern import Pattern
from graphc.autodiff.reverse import active_nodes, carries, fitted, pullback
from graphc.autodiff.sparsity_loops import control_patterns
from graphc.expr.formula import instantiate, names_in, parse_formula
from graphc.ir.control import RESULT
from graphc.ir.leaf import input_node
from graphc.ir.links import Link, along, mixed, numbers
from graphc.ir.node import Node, topological

_COTANGENT = "_ct"  # names of inputs don't start with an underscore


def patterns_of(outputs: Sequence[Node], source: Node, known: Known) -> list[Pattern]:
    """The pattern of the Jacobian of each output by `source`, whose elements are the columns."""
    width = prod(known.shape(source))
    found = spread(outputs, {source: Pattern.identity(width)}, known)
    return [p or Pattern.empty(prod(known.shape(o)), width) for o, p in zip(outputs, found, strict=True)]


def spread(outputs: Sequence[Node], seeds: Mapping[Node, Pattern], known: Known) -> list[Pattern | None]:
    """The patterns of nodes, given those of some nodes below; None for what depends on none of these."""
    order = topological(outputs)
    active = active_nodes(order, seeds.keys())
    users = Counter([*outputs, *(a for n in order for a in n.args)])
    found = dict(seeds)
    several: dict[Node, Sequence[Pattern | None]] = {}  # of the results of a loop or a branch
    for node in order:
        if node in active and node not in seeds:
            results = control_patterns(node, [found.get(a) for a in node.args], known, spread)
            if results is not None:
                several[node] = results
            elif (pattern := _result(node, several) or _pattern(node, found, known)) is not None:
                found[node] = pattern
        for arg in node.args:
            users[arg] -= 1
            if not users[arg]:
                found.pop(arg, None)  # a pattern may be large
    return [found.get(o) for o in outputs]


def _result(node: Node, several: Mapping[Node, Sequence[Pattern | None]]) -> Pattern | None:
    return several[node.args[0]][node["k"]] if node.op is RESULT and node.args[0] in several else None


def _pattern(node: Node, found: Mapping[Node, Pattern], known: Known) -> Pattern | None:
    """The pattern of a node, given those of its arguments."""
    total = _moved(node, found, known)
    if total is not None:
        return total
    for i, arg in enumerate(node.args):
        if arg in found and carries(node, i):
            part = found[arg].through(links_of(node, i, known))
            total = part if total is None else total.united(part)
    return total


def _moved(node: Node, found: Mapping[Node, Pattern], known: Known) -> Pattern | None:
    """Each element of the result is one of the arguments, or none: where the numbers of all of them arrive."""
    floats = [a for a in node.args if a.type.is_float]
    width = next((found[a].width for a in floats if a in found), None)
    positions: dict[Node, Any] = {a: known.value(a) for a in node.args if not a.type.is_float}
    if "moves" not in node.op.traits or width is None or any(p is None for p in positions.values()):
        return None
    parts = [found.get(a) or Pattern.empty(prod(known.shape(a)), width) for a in floats]
    first = np.cumsum([1, *(p.height for p in parts)])
    numbered = iter([n + numbers(known.shape(a)) for a, n in zip(floats, first, strict=False)])
    arrived = known.moved(node, [next(numbered) if a.type.is_float else positions[a] for a in node.args])
    return Pattern.piled(parts).through([Link(arrived.ravel() - 1, None, arrived.size)])


def links_of(node: Node, i: int, known: Known) -> Sequence[Link]:
    """How the elements of a node depend on those of its argument `i`."""
    if node.op.links is not None:
        return node.op.links(node, known.operands(node), i)
    rules = (rule(node, i, known) for rule in _RULES)
    return next(links for links in rules if links is not None)


def _elementwise(node: Node, i: int, known: Known) -> list[Link] | None:
    if not node.op.traits & {"elementwise", "cast"}:
        return None
    source = np.broadcast_to(numbers(known.shape(node.args[i])), known.shape(node))
    slope = _slope(node, i, known)
    if slope is not None:
        source = np.where(slope != 0, source, -1)  # a factor that is 0 lets nothing through
    return [Link(source.ravel(), None, source.size)]


def _slope(node: Node, i: int, known: Known) -> npt.NDArray[Any] | None:
    """The local derivative, if it is one of several numbers that are known."""
    formula = (node.op.partials or {i: None})[i]
    if formula is None:
        return None
    term, args = parse_formula(formula), dict(zip(node.op.args, node.args, strict=True))
    used = [args.get(name) for name in names_in(term)]
    if not any(a is not None and a.type.rank for a in used) or any(a is None or known.value(a) is None for a in used):
        return None
    partial = instantiate(term, args | node.attributes)
    return known.value(partial) if isinstance(partial, Node) else None


def _along_axes(node: Node, i: int, known: Known) -> list[Link] | None:
    """What works along axes, for each place along the others by itself: then batching, too, needs no rule for it."""
    chosen = node.attributes.get("axes", node.attributes.get("axis"))
    if chosen is None or node.op.batch is not None or "moves" in node.op.traits:
        return None
    axes = chosen if isinstance(chosen, tuple) else (chosen,)
    return along(axes, known.shape(node.args[i]), known.shape(node))


def _stacks(node: Node, i: int, known: Known) -> list[Link] | None:
    """A matrix by itself."""
    if "stacks" not in node.op.traits:
        return None
    shape, result = known.shape(node.args[i]), known.shape(node)
    return mixed(shape, result, 2, len(result) - len(shape) + 2)


def _adds(node: Node, i: int, known: Known) -> list[Link] | None:
    """What adds elements up: its adjoint only moves, and says where each of them goes."""
    if node.op.adjoint is None:
        return None
    ct = input_node(_COTANGENT, node.type)
    pulled = pullback(node, ct, i)
    if pulled is None:
        return None
    back = fitted(pulled, node.args[i])
    table: dict[Node, Any] = {ct: numbers(known.shape(node)) + 1}
    for n in topological([back], known=[ct, node, *node.args]):
        if not any(a in table for a in n.args):
            continue
        args: list[Any] = [table.get(a, known.value(a)) for a in n.args]
        if not n.op.traits & {"moves", "cast"} or any(a is None for a in args):
            return None
        table[n] = known.moved(n, args) if "moves" in n.op.traits else args[0]
    if back not in table:
        return None
    target = table[back].ravel() - 1
    [source] = np.nonzero(target >= 0)
    return [Link(source, target[source], table[ct].size)]


def _all(node: Node, i: int, known: Known) -> list[Link]:
    return mixed(*(s := known.shape(node.args[i]), r := known.shape(node)), len(s), len(r))


_RULES = (_elementwise, _along_axes, _stacks, _adds, _all)
