"""What is given by an equation: gc.fixed_point(f, x, *args), gc.root(g, x, *args).

    x = gc.fixed_point(lambda x, a: np.cos(a * x), 0.5, a)       x = cos(a x)
    x = gc.root(lambda x, a: x**3 - a, 1.0, a)                   x**3 = a

The generated code repeats f until it settles, or takes Newton steps; the derivative by `args`, and by
whatever else f uses, comes from the equation alone and costs one linear solve of its own kind, however
many steps were needed (`autodiff/implicit.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from graphc.autodiff.implicit import jacobian
from graphc.autodiff.reverse import transposed
from graphc.errors import ArgumentError, ShapeError, UnsupportedError
from graphc.expr import build
from graphc.expr.implicit import Iteration, settled
from graphc.expr.implicit import fixed_point as fixed_point_of
from graphc.expr.looping import close_solution
from graphc.frontends.numpy.structure import flatten, unflatten
from graphc.frontends.numpy.trace import output_node
from graphc.ir.control import result
from graphc.ir.leaf import input_node
from graphc.ir.node import Node
from graphc.transforms.forward import WholeCall, name_result
from graphc.transforms.inside import Function, Tree
from graphc.transforms.transform import Transform

SINGLE, DOUBLE = 1e-5, 1e-12  # how far a step may still move what has settled


class Solver(WholeCall):
    """A function's fixed point or root; called with a first guess and the function's further arguments."""

    def __init__(self, function: Function, root: bool, tolerance: float | None, limit: int) -> None:
        super().__init__(function, 0)
        self._root = root
        self._tolerance = tolerance
        self._limit = limit

    def _traced(self, session: Any, args: Sequence[Any], words: Mapping[str, Any], places: Sequence[int]) -> Any:
        guess = Tree(session, args[0])
        found = session.convert(self._function)(guess.value, *args[1:], **words)
        leaves, shape = flatten(found)
        if shape != flatten(args[0])[1]:
            raise session.placed(
                ShapeError("G021", "the function returns another structure than that of its first argument")
            )
        sides = [_fitted(session, output_node(session, leaf), x) for leaf, x in zip(leaves, guess.nodes, strict=True)]
        tolerance = self._tolerance or max(SINGLE if x.type.dtype == "float32" else DOUBLE for x in guess.nodes)
        solve = _newton if self._root else fixed_point_of
        values = solve(guess.nodes, guess.stand_ins, sides, Iteration(_index(session), tolerance, self._limit))
        solution = unflatten(shape, [session.wrapped(v) for v in values])
        name_result(session, solution, "root" if self._root else "settled")
        return solution


def _index(session: Any) -> str:
    """The index of an iteration: step, step2, ..."""
    number: int = next(session.solutions)
    return "step" if number == 1 else f"step{number}"


def _fitted(session: Any, side: Node, like: Node) -> Node:
    """What the function returns, with the dtype of the unknown."""
    if side.shape != like.shape:
        raise session.placed(
            ShapeError("G021", f"the function makes {side.type} of {like.type}", hint="both must have one shape")
        )
    return build.astype(side, like.type.dtype)


def _newton(guesses: Sequence[Node], unknowns: Sequence[Node], sides: Sequence[Node], how: Iteration) -> list[Node]:
    """Newton's method: x - (dg/dx)^-1 g, repeated."""
    if len(unknowns) != 1:
        raise UnsupportedError("G040", "gc.root solves for one array", hint="join the unknowns with np.concatenate")
    [x], [g] = unknowns, sides
    step = _newton_step(x, g, f"_{how.index}_w")
    values = settled(guesses, unknowns, [build.subtract(x, step)], how)
    node = close_solution(values, unknowns, sides, root=True, **asdict(how))
    return [result(node, 0)]


def _newton_step(x: Node, g: Node, name: str) -> Node:
    weight = input_node(name, g.type)
    back = transposed([(g, weight)], [x]).get(x)
    if back is None:
        raise ArgumentError("G070", "the function does not depend on its first argument: it has no root to find")
    if x.type.rank == 0:
        slope = transposed([(g, build.literal(1.0, [g.type.dtype]))], [x])[x]
        return build.divide(g, slope)
    flat = build.apply("solve", jacobian(back, weight), build.reshape(g, (g.type.size,)))
    return build.reshape(flat, x.shape)


def fixed_point(
    function: Function, x: Any, *args: Any, tol: float | None = None, max_steps: int = 1000, **words: Any
) -> Any:
    """The x = function(x, *args) that comes of repeating the function, from a first guess.

    x may be an array or a structure of arrays. It has settled when a step moves no element by more than
    tol * (1 + the largest element): 1e-12, for float32 1e-5. What has not settled after `max_steps` steps
    is nan. The derivative is that of the equation (implicit function theorem), of any order.

    >>> import numpy as np
    >>> round(float(fixed_point(lambda x, a: np.cos(a * x), 0.5, 1.0)), 9)
    0.739085133
    """
    return _solver(function, False, tol, max_steps)(x, *args, **words)


def root(function: Function, x: Any, *args: Any, tol: float | None = None, max_steps: int = 100, **words: Any) -> Any:
    """The x with function(x, *args) = 0 that Newton's method finds from a first guess.

    x is a number or an array, and the function makes one of its shape. Tolerance, nan and derivative are
    as for `fixed_point`.

    >>> round(float(root(lambda x, a: x**2 - a, 1.0, 2.0)), 9)
    1.414213562
    """
    return _solver(function, True, tol, max_steps)(x, *args, **words)


def _solver(function: Function, is_root: bool, tol: float | None, max_steps: int) -> Solver:
    if not callable(function):
        raise ArgumentError("G070", f"expected a function, got a {type(function).__name__}")
    try:
        return _known(function, is_root, tol, max_steps)
    except TypeError:  # not hashable
        return Solver(function, is_root, tol, max_steps)


@lru_cache(maxsize=256)
def _known(function: Function, is_root: bool, tol: float | None, max_steps: int) -> Solver:
    return Solver(function, is_root, tol, max_steps)


def _fixed_point_inside(
    session: Any, function: Function, x: Any, *args: Any, tol: float | None = None, max_steps: int = 1000, **words: Any
) -> Any:
    return Transform.__graphc_inside__(_solver(function, False, tol, max_steps), session, x, *args, **words)


def _root_inside(
    session: Any, function: Function, x: Any, *args: Any, tol: float | None = None, max_steps: int = 100, **words: Any
) -> Any:
    return Transform.__graphc_inside__(_solver(function, True, tol, max_steps), session, x, *args, **words)


fixed_point.__graphc_inside__ = _fixed_point_inside  # type: ignore[attr-defined]
root.__graphc_inside__ = _root_inside  # type: ignore[attr-defined]
