"""Fixed points: x = f(x), found by repeating x = f(x), and differentiated by what they are.

    going, t = True, 0
    while going and t < limit:
        new = f(x)
        going = max(abs(new - x)) > tolerance * (1 + max(abs(new)))
        x = new

A value that has not settled within `limit` steps is nan: no answer, rather than a wrong one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from graphc.expr import build
from graphc.expr.looping import Opened, close, close_solution
from graphc.ir.control import final, result
from graphc.ir.dims import Size
from graphc.ir.leaf import const_node, input_node, size_node
from graphc.ir.node import Node
from graphc.ir.types import TensorType

TRUTH = TensorType("bool", ())


@dataclass(frozen=True)
class Iteration:
    """How something is repeated until it settles.

    index: of the loop.  tolerance: how far a step may still move it, relative to 1 + its largest element.
    limit: of steps.
    """

    index: str
    tolerance: float
    limit: int


def fixed_point(
    inits: Sequence[Node],
    placeholders: Sequence[Node],
    updates: Sequence[Node],
    how: Iteration,
) -> list[Node]:
    """The values x = f(x) that come of repeating `updates`, which are f of the `placeholders`."""
    values = settled(inits, placeholders, updates, how)
    node = close_solution(values, placeholders, updates, root=False, **asdict(how))
    return [result(node, k) for k in range(len(values))]


def settled(
    inits: Sequence[Node],
    placeholders: Sequence[Node],
    updates: Sequence[Node],
    how: Iteration,
) -> list[Node]:
    """What repeating `updates` settles at; nan where it does not. Its derivative is that of the steps."""
    going = input_node(f"_{how.index}_going", TRUTH)
    moving = const_node(False, "bool")
    for before, after in zip(placeholders, updates, strict=True):
        axes = tuple(range(after.type.rank))
        gap = build.reduce("max", build.apply("absolute", build.subtract(after, before)), axes)
        size = build.reduce("max", build.apply("absolute", after), axes)
        bound = build.multiply(how.tolerance, build.add(size, 1.0))
        moving = build.apply("logical_or", moving, build.apply("greater", gap, bound))
    steps = size_node(Size.named(how.index))
    test = build.apply("logical_and", going, build.apply("less", steps, const_node(how.limit, "int64")))
    loop = close(
        Opened(
            index=how.index,
            start=0,
            count=Size.named(f"{how.index}_count"),
            reverse=False,
            inits=(*inits, const_node(True, "bool")),
            placeholders=(*placeholders, going),
            updates=(*updates, moving),
            test=test,
        )
    )
    lost = final(loop, len(inits))
    return [build.where(lost, build.literal(float("nan"), [x.type.dtype]), final(loop, k)) for k, x in enumerate(inits)]
