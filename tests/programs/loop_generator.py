"""Random programs of loops and branches inside one another: `program(seed)` is a graph.

They carry vectors and numbers, hand values around, read what other variables were, write into arrays and
look at them backwards: whatever the plan of a step must get right.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from graphc.expr import build
from graphc.expr.looping import Opened, close, close_branch, placeholder
from graphc.ir.control import final, history, result, stack
from graphc.ir.dims import Size
from graphc.ir.graph import Graph
from graphc.ir.index import Index, Range
from graphc.ir.leaf import const_node, input_node
from graphc.ir.node import Node
from graphc.ir.types import TensorType

n, T = Size.named("n"), Size.named("T")
VECTOR, NUMBER = TensorType("float64", (n,)), TensorType("float64", ())
BACKWARDS = (Range(n - 1, None, -1, n, False),)
MAX_DEPTH = 2  # of loops; branches go one deeper
Pool = dict[TensorType, list[Node]]


def number(value: float) -> Node:
    return const_node(value, "float64")


def program(seed: int) -> Graph:
    """A graph with the inputs x, y (n,), M (T, n), s and u, for n of at least 3."""
    return Program(seed).graph()


class Program:
    """What one seed makes."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.loops = 0

    def graph(self) -> Graph:
        x, y, s, u = (input_node(name, type) for name, type in zip("xysu", (VECTOR,) * 2 + (NUMBER,) * 2, strict=True))
        M = input_node("M", TensorType("float64", (T, n)))
        pool: Pool = {
            VECTOR: [x, y, build.zeros((n,), "float64"), build.ones((n,), "float64")],
            NUMBER: [s, u, number(0.0), number(0.5), build.reduce("sum", M, (0, 1))],
        }
        begun = {type: len(nodes) for type, nodes in pool.items()}
        self.loop(pool, 0, [])
        self.grow(pool, 3, 0, [])
        if self.chance(0.7):
            self.loop(pool, 0, [])
        made = [node for type, nodes in pool.items() for node in nodes[begun[type] :][-4:]]
        outputs = tuple(dict.fromkeys(made)) or (x,)
        return Graph((x, y, M, s, u), outputs, tuple(f"o{i}" for i in range(len(outputs))))

    # --- choices ---

    def chance(self, probability: float) -> bool:
        return self.draw.random() < probability

    def pick(self, nodes: Sequence[Node], last: int = 6) -> Node:
        """One of the last ones, mostly."""
        return self.draw.choice(nodes[-last:] if self.chance(0.7) else nodes)

    # --- straight code ---

    def grow(self, pool: Pool, count: int, depth: int, indices: list[str]) -> None:
        """Add values to a pool."""
        kinds = [self.arithmetic, self.of_numbers, self.tanh, self.backwards, self.write, self.add_at, self.read]
        for _ in range(count):
            if self.chance(0.15) and depth < MAX_DEPTH:
                self.loop(pool, depth + 1, indices)
            elif self.chance(0.15) and depth <= MAX_DEPTH:
                self.branch(pool, depth + 1, indices)
            elif self.chance(0.05) and indices:
                pool[NUMBER].append(self.index(self.draw.choice(indices)))
            else:
                self.draw.choice(kinds)(pool)

    def index(self, name: str) -> Node:
        return build.apply("size", dim=Size.named(name), dtype="float64", least=0)

    def arithmetic(self, pool: Pool) -> None:
        a, b = self.pick(pool[VECTOR]), self.pick(pool[VECTOR if self.chance(0.7) else NUMBER])
        pair = (a, b) if self.chance(0.5) else (b, a)
        pool[VECTOR].append(build.apply(self.draw.choice(["add", "multiply", "subtract"]), *pair))

    def of_numbers(self, pool: Pool) -> None:
        numbers = pool[NUMBER]
        pool[NUMBER].append(
            build.apply(self.draw.choice(["add", "multiply", "subtract"]), self.pick(numbers), self.pick(numbers))
        )

    def tanh(self, pool: Pool) -> None:
        type = self.draw.choice([VECTOR, NUMBER])
        pool[type].append(build.apply("tanh", self.pick(pool[type])))

    def backwards(self, pool: Pool) -> None:
        pool[VECTOR].append(build.getitem(self.pick(pool[VECTOR]), BACKWARDS))

    def element(self, pool: Pool) -> Node:
        return self.pick(pool[NUMBER]) if self.chance(0.6) else build.at(self.pick(pool[VECTOR]), 0, 0)

    def write(self, pool: Pool) -> None:
        pool[VECTOR].append(build.set_at(self.pick(pool[VECTOR]), self.element(pool), Index((1,))))

    def add_at(self, pool: Pool) -> None:
        pool[VECTOR].append(build.add_at(self.pick(pool[VECTOR]), self.element(pool), Index((0,))))

    def read(self, pool: Pool) -> None:
        vector = self.pick(pool[VECTOR])
        read = build.reduce("sum", vector, (0,)) if self.chance(0.3) else build.at(vector, 0, self.draw.randrange(3))
        pool[NUMBER].append(read)

    # --- loops and branches ---

    def branch(self, pool: Pool, depth: int, indices: list[str]) -> None:
        sides: list[Pool] = []
        for _ in range(2):
            side = {type: list(nodes) for type, nodes in pool.items()}
            self.grow(side, self.draw.randrange(4), depth, indices)
            sides.append(side)
        types = [self.draw.choice([VECTOR, NUMBER]) for _ in range(self.draw.randrange(1, 4))]
        then, other = ([self.pick(side[type], 3) for type in types] for side in sides)
        node = close_branch(build.apply("greater", self.draw.choice(pool[NUMBER]), number(0.1)), then, other)
        for k, type in enumerate(types):
            if self.chance(0.8):
                pool[type].append(result(node, k))

    def loop(self, pool: Pool, depth: int, indices: list[str]) -> None:
        index = f"t{self.loops}"
        self.loops += 1
        types = [self.draw.choice([VECTOR, VECTOR, NUMBER]) for _ in range(self.draw.randrange(1, 4))]
        stacked = [self.draw.choice([VECTOR, NUMBER]) for _ in range(self.draw.randrange(3))]
        olds = [placeholder(index, k, type) for k, type in enumerate(types)]
        inner = {type: list(nodes) for type, nodes in pool.items()}
        for old in olds:
            inner[old.type].append(old)
        self.grow(inner, self.draw.randrange(2, 8), depth, [*indices, index])
        for old in olds:
            if self.chance(0.3):
                inner[old.type].append(old)  # more likely to be handed on
        test = self.test(index, olds, pool) if self.chance(0.25) else None
        count = Size.named("n" + index) if test is not None else self.count(indices)
        news = [self.pick(inner[type], 4) for type in types]
        loop = Opened(
            index,
            0 if test is not None else self.draw.choice([0, 0, 1]),
            count,
            test is None and self.chance(0.4),
            tuple(self.pick(pool[type], 4) for type in types),
            tuple(olds),
            tuple(news),
            tuple(self.pick(inner[type], 4) for type in stacked),
            test,
            names={node: self.draw.choice("abch") for node in (*olds, *news) if self.chance(0.4) and node not in pool},
        )
        self.results(pool, close(loop), types, stacked, None if test is None else count)

    def count(self, indices: Sequence[str]) -> int | Size:
        return self.draw.choice([T, 2, 3, T + 1, *map(Size.named, indices)])

    def test(self, index: str, olds: Sequence[Node], pool: Pool) -> Node:
        """Whether a `while` goes on: for two steps at most."""
        steps = build.apply("size", dim=Size.named(index), dtype="int64", least=0)
        test = build.apply("less", steps, const_node(self.draw.randrange(3), "int64"))
        for old in olds:
            if self.chance(0.5):
                value = build.apply("tanh", old if old.type == NUMBER else build.reduce("sum", old, (0,)))
                test = build.apply("logical_and", test, build.apply("less", value, number(0.8)))
        return test

    def results(
        self,
        pool: Pool,
        loop: Node,
        types: Sequence[TensorType],
        stacked: Sequence[TensorType],
        counted: Size | None,
    ) -> None:
        """Add what the loop leaves behind to the pool."""
        for k, type in enumerate(types):
            if self.chance(0.8):
                pool[type].append(final(loop, k))
            if self.chance(0.3):
                pool[type].append(build.reduce("sum", history(loop, k), (0,)))
        for j, type in enumerate(stacked):
            if self.chance(0.7):
                pool[type].append(build.reduce("sum", stack(loop, j), (0,)))
        if counted is not None and self.chance(0.3):
            last = final(loop, 0)
            last = build.reduce("sum", last, (0,)) if last.type.rank else last
            steps = build.apply("size", dim=counted, dtype="float64", least=0)
            pool[NUMBER].append(build.add(build.multiply(last, 0.1), steps))
