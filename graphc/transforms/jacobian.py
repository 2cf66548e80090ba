"""Jacobians and Hessians: gc.jacobian(f)(x), gc.hessian(f)(x).

    y = f(x), x: (n,), y: (m,)     m < n: all rows at once, the pullback of the m unit cotangents
                                   otherwise all columns at once, the tangents along the n unit vectors

Side by side means a new first axis through every op (`autodiff/batch.py`): no loop over rows, and the
same code for every size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphc.autodiff.jacobian import blocks
from graphc.frontends.numpy.sizes import number_of
from graphc.ir.node import Node
from graphc.transforms.forward import WholeCall, name_result
from graphc.transforms.inside import Function, Stage, stage
from graphc.transforms.reverse import Grad


class Jacobian(WholeCall):
    """`gc.jacobian(f)`."""

    name = "jacobian"
    may_have_gaps = False

    def _traced(self, session: Any, args: Sequence[Any], words: Mapping[str, Any], places: Sequence[int]) -> Any:
        part = stage(session, self._inner(), args, words, places, may_have_gaps=self.may_have_gaps)
        result = _jacobian(part, self._by_rows(part), self._single)
        name_result(session, result, self.name)
        return result

    def _inner(self) -> Function:
        """The function whose Jacobian it is."""
        return self._function

    def _by_rows(self, part: Stage) -> bool:
        """Whether there are fewer outputs than inputs, as far as the sizes are known."""
        return _count(part, part.outputs) < _count(part, part.inputs)


class Hessian(Jacobian):
    """`gc.hessian(f)`: the Jacobian of the gradient, forward over reverse."""

    name = "hessian"
    may_have_gaps = True

    def _inner(self) -> Function:
        return Grad(self._function, self._argnums[0] if self._single else self._argnums)

    def _by_rows(self, part: Stage) -> bool:
        return False


def jacobian(function: Function, argnums: int | Sequence[int] = 0) -> Jacobian:
    """The Jacobian of a function: of shape `output shape + input shape`.

    For structures it is one of these for each array of the result and each of the argument: the
    structure of the result, with that of the argument in each leaf; for several argnums a tuple there.
    Raises UnsupportedError for an op that is not computed for many directions at once.

    >>> import numpy as np
    >>> jacobian(lambda x: x[1:] * x[0])(np.array([2.0, 3.0, 4.0]))
    array([[3., 2., 0.],
           [4., 0., 2.]])
    """
    return Jacobian(function, argnums)


def hessian(function: Function, argnums: int | Sequence[int] = 0) -> Hessian:
    """The Hessian of a function with a scalar result: of shape `input shape + input shape`.

    For structures and for several argnums it is nested, as `jacobian` of the gradient is.

    >>> import numpy as np
    >>> hessian(lambda x: np.prod(x))(np.array([2.0, 3.0]))
    array([[0., 1.],
           [1., 0.]])
    """
    return Hessian(function, argnums)


def _count(part: Stage, nodes: Sequence[Node]) -> float:
    """How many elements there are in the examples; symbolic sizes without one count as very many."""
    examples = part.session.decisions.examples
    numbers = [number_of(node.type.size, examples) for node in nodes]
    return sum(float("inf") if n is None else n for n in numbers)


def _jacobian(part: Stage, by_rows: bool, single: bool) -> Any:
    """For each output, in the structure of the value, its derivative by each differentiated argument."""
    outputs, inputs = part.outputs, part.inputs
    found = blocks(outputs, inputs, by_rows)
    flat = iter(part.finished([block for row in found for block in row], {}))
    leaves = []
    for _ in outputs:
        trees = [tree.structured([part.session.wrapped(next(flat)) for _ in tree.nodes]) for tree in part.trees]
        leaves.append(trees[0] if single else tuple(trees))
    return part.structured(leaves)
