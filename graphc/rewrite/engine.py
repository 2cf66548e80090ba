"""The engine: brings a graph to its normal form under a set of rules.

    log(exp(x) / sum(exp(x), axis=1, keepdims=True))
      softmax:        exp(x) / sum(exp(x))  ->  softmax(x)
      log-softmax:    log(softmax(x))       ->  log_softmax(x)

Arguments first: when a node is looked at, its arguments are in normal form, so one look at each
node is enough and the cost is linear in the graph. Every rule lowers a measure (`rule.weight`), so
there is no limit on the number of steps and none is needed. The engine knows no concrete rule.

Loops and branches are opened first, so that rules see across their borders: the logarithm in a loop
of a softmax before it is a log-softmax before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from graphc.expr.formula import Call, instantiate
from graphc.expr.looping import insides, recomputed, rewritten
from graphc.ir.control import has_insides
from graphc.ir.graph import Graph
from graphc.ir.node import Node, rebuild, topological
from graphc.rewrite.conditions import holds
from graphc.rewrite.match import Found, is_product, is_sum, matches, needed_heads, needed_ops
from graphc.rewrite.rule import ComputedRule, Rule, Step
from graphc.rewrite.views import Factor, Product, Term, Views, build_product, build_sum, conform, signed

AnyRule = Rule | ComputedRule
_NO_OPS: frozenset[str] = frozenset()
_SUM_ROOTS = ("add", "subtract")
_PRODUCT_ROOTS = ("multiply", "divide", "reciprocal", "square", "power")


class _Entry(NamedTuple):
    """A rule, the ops at which it is tried (none: at all), and the ops that it needs to see.

    anywhere: in the whole graph.  over: among the arguments.  heads: among the factors of the terms.
    """

    rule: AnyRule
    roots: tuple[str, ...]
    anywhere: frozenset[str]
    over: frozenset[str]
    heads: frozenset[str]


# What is seen of a node before any rule is tried: its op, those of its arguments, those of its factors.
_Surroundings = tuple[str, frozenset[str], frozenset[str]]


class Engine:
    """Rules, and what they have made of every node seen so far.

    steps: the rewrites that happened, in order.
    """

    def __init__(self, rules: Sequence[AnyRule], observer: Callable[[Step], None] | None = None) -> None:
        self.steps: list[Step] = []
        self._observer = observer
        self.views = Views()
        self._normal: dict[Node, Node] = {}
        self._entries = [_entry(rule) for rule in rules]
        self._present: set[str] = set()
        self._everywhere: list[_Entry] = []
        self._by_op: defaultdict[str, list[_Entry]] = defaultdict(list)
        self._looks_at_factors: set[str] = set()
        self._candidates: dict[_Surroundings, tuple[AnyRule, ...]] = {}

    def run(self, graph: Graph, fixed: Iterable[Node] = ()) -> Graph:
        """The graph with every node in normal form; names and origins are carried over.

        The nodes in `fixed` stay as they are, and rules do not look through them, nor through
        values with several users: after differentiation these are the stages of the backward pass.
        """
        for node in _with_insides(fixed):
            self._normal[node] = node
            if node.args:
                self.views.opaque.add(node)
        self._visit_all(graph.nodes)
        return graph.mapped(self.of)

    def _meet(self, nodes: Iterable[Node]) -> None:
        """Take note of new ops in the graph: a rule is tried once all that it needs are there."""
        met = {node.op.name for node in nodes}
        if met <= self._present:
            return
        self._present |= met
        entries = [e for e in self._entries if e.anywhere <= self._present and self._is_among(e.rule)]
        self._everywhere = [e for e in entries if not e.roots]
        self._by_op.clear()
        for entry in entries:
            for op in entry.roots:
                self._by_op[op].append(entry)
        self._looks_at_factors = {op for entry in entries if entry.heads for op in entry.roots}
        self._candidates.clear()

    def _is_among(self, rule: AnyRule) -> bool:
        """Whether one of the ops of which a computed rule needs one is in the graph."""
        return not isinstance(rule, ComputedRule) or not rule.among or not rule.among.isdisjoint(self._present)

    def of(self, node: Node) -> Node:
        """The normal form of a node that `run` has seen."""
        return self._normal[node]

    def _visit_all(self, nodes: Sequence[Node]) -> None:
        """Bring nodes that are in topological order into normal form; beside fixed ones, what they share is opaque."""
        self._meet(nodes)
        opaque = self.views.opaque
        shared = _used_twice(nodes) if opaque else ()
        for node in nodes:
            normal = self._visit(node)
            if node in shared and normal not in opaque and self._is_stage(normal):
                opaque.add(normal)

    def _inside(self, outputs: Sequence[Node]) -> Callable[[Node], Node]:
        """What becomes of the nodes in a loop or a branch."""
        self._visit_all(topological(outputs, known=self._normal))
        return lambda node: self._normal.get(node, node)

    def _is_stage(self, node: Node) -> bool:
        """Whether a shared value is worth keeping whole: more than a scaled copy of something."""
        if node.op.name in ("add", "subtract"):
            return True
        own = [f for f in self.views.product(node).factors if f.base.type.rank == node.type.rank]
        return len(own) > 1 or any(f.base.args and f.base not in self.views.opaque for f in own)

    def _visit(self, node: Node) -> Node:
        """The normal form of a node whose arguments have one."""
        known = self._normal.get(node)
        if known is None:
            current = rebuild(node, [self._normal[a] for a in node.args])
            if has_insides(current):
                current = rewritten(current, self._inside)
                self._meet((current, *current.args))
            known = self._normal[node] = self.normal(current)
        return known

    def normal(self, node: Node) -> Node:
        """The normal form of a node whose arguments are in normal form."""
        known = self._normal.get(node)
        if known is not None:
            return known
        trail = [node]
        while True:
            step = self._step(trail[-1])
            if step is None:
                break
            self.steps.append(step)
            if self._observer is not None:
                self._observer(step)
            trail.append(step.after)
            if step.after in self._normal:
                trail.append(self._normal[step.after])
                break
        for seen in trail:
            self._normal[seen] = trail[-1]
        return trail[-1]

    def _step(self, node: Node) -> Step | None:
        """The first rule that fires at the node, applied."""
        for rule in self._rules_for(node):
            after = self._apply(rule, node)
            if after is not None and after is not node:
                return Step(rule, node, self._settle(after))
        return None

    def _rules_for(self, node: Node) -> tuple[AnyRule, ...]:
        """The rules that may fire here, judged by the ops around the node."""
        op = node.op.name
        over = frozenset([a.op.name for a in node.args])
        heads = self.views.heads(node) if op in self._looks_at_factors else _NO_OPS
        rules = self._candidates.get((op, over, heads))
        if rules is None:
            entries = (*self._everywhere, *self._by_op.get(op, ()))
            rules = tuple(e.rule for e in entries if e.over <= over and e.heads <= heads)
            self._candidates[op, over, heads] = rules
        return rules

    def _apply(self, rule: AnyRule, node: Node) -> Node | None:
        if isinstance(rule, ComputedRule):
            return rule.rewrite(node, self.views)
        for found in matches(self.views, rule.left, node):
            if all(holds(c, found.scope) for c in rule.when):
                after = self._replace(rule, node, found)
                if after is not None and after is not node:
                    return after
        return None

    def _replace(self, rule: Rule, node: Node, found: Found) -> Node | None:
        """The right side, times the common factor, among the terms that stay."""
        value = instantiate(rule.right, found.scope)
        scale, rest = found.scale, found.rest
        if not scale.factors and scale.coefficient == 1.0 and not rest and isinstance(value, Node):
            return conform(value, node.type)
        if isinstance(value, Node):
            sign, base = signed(value)
            term = Product(scale.coefficient * sign, (*scale.factors, Factor(base, 1)))
        else:
            term = scale._replace(coefficient=scale.coefficient * value)
        replacement = build_product(term, node.type.dtype)
        if rest:
            kept = [Term(1.0, replacement)] if term.coefficient else []
            terms = (*rest[: found.place], *kept, *rest[found.place :])
            replacement = build_sum(terms, node.type.dtype)
        return conform(replacement, node.type)

    def _settle(self, after: Node) -> Node:
        """Bring what a rule built into normal form below its root."""
        pending = [after]
        fresh: list[Node] = []
        seen: set[Node] = set()
        while pending:
            node = pending.pop()
            if node in seen or node in self._normal:
                continue
            seen.add(node)
            fresh.append(node)
            pending += node.args
        self._meet(fresh)
        for node in _arguments_first(fresh, seen):
            if node is not after:
                self._visit(node)
        return rebuild(after, [self._normal[a] for a in after.args])


def _with_insides(nodes: Iterable[Node]) -> list[Node]:
    """The nodes, and those in the loops and branches among them, also as a loop backwards computes them again."""
    found = dict.fromkeys(nodes)
    pending = [node for node in found if has_insides(node)]
    while pending:
        inner = topological([*insides(pending[-1]), *recomputed(pending.pop())], known=found)
        found |= dict.fromkeys(inner)
        pending += [node for node in inner if has_insides(node)]
    return list(found)


def _used_twice(nodes: Iterable[Node]) -> set[Node]:
    """The nodes that are arguments more than once."""
    once: set[Node] = set()
    twice: set[Node] = set()
    for node in nodes:
        for arg in node.args:
            (twice if arg in once else once).add(arg)
    return twice


def _arguments_first(nodes: Iterable[Node], inside: set[Node]) -> list[Node]:
    """The nodes, each after those of its arguments that are among them."""
    order: list[Node] = []
    done: set[Node] = set()
    for root in nodes:
        stack = [(root, False)]
        while stack:
            node, expanded = stack.pop()
            if node in done:
                continue
            if expanded:
                done.add(node)
                order.append(node)
            else:
                stack.append((node, True))
                stack += [(a, False) for a in node.args if a in inside and a not in done]
    return order


def _entry(rule: AnyRule) -> _Entry:
    """A rule with the ops that it needs to see."""
    roots = _roots(rule)
    if isinstance(rule, ComputedRule):
        over = frozenset((rule.over,)) if rule.over else _NO_OPS
        return _Entry(rule, roots, over, over, _NO_OPS)
    anywhere, heads = needed_ops(rule.left), needed_heads(rule.left)
    within = is_sum(rule.left) or is_product(rule.left)
    return _Entry(rule, roots, anywhere, _NO_OPS, heads) if within else _Entry(rule, roots, anywhere, heads, _NO_OPS)


def _roots(rule: AnyRule) -> tuple[str, ...]:
    """The ops at which a rule is tried."""
    if isinstance(rule, ComputedRule):
        return rule.ops
    left = rule.left
    if is_sum(left):
        return _SUM_ROOTS
    if is_product(left):
        return _PRODUCT_ROOTS
    assert isinstance(left, Call)
    return (left.op,)
