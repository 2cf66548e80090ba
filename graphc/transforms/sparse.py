"""Sparse Jacobians and Hessians: gc.sparse_jacobian(f)(x), gc.sparse_hessian(f)(x).

    y = x[1:] * x[:-1], x: (n,)     row i has entries in the columns i and i + 1, so two tangents hold all:
                                    along [1, 0, 1, 0, ...] and [0, 1, 0, 1, ...]

The code is compiled for a kind of arguments, as that of all transforms, and serves every size. What depends
on sizes and on index arrays, the pattern and its colours, is found at the first call with them, kept, and
handed to the code as arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from graphc.autodiff.colouring import Compression, compressed, compressed_symmetric
from graphc.autodiff.pattern import Pattern
from graphc.errors import UnsupportedError
from graphc.frontends.numpy.signature import Signature, described_signature
from graphc.frontends.numpy.structure import unflatten
from graphc.frontends.numpy.trace import Traced, title_of, trace_signature
from graphc.module.compiled import Module
from graphc.transforms.forward import Flat, innermost
from graphc.transforms.inside import Function
from graphc.transforms.reverse import Grad
from graphc.transforms.sparse_form import Array, Nest, SparseForm, Structure
from graphc.transforms.transform import Transform, nothing_compiled


class SparseJacobian(Transform):
    """`gc.sparse_jacobian(f)`."""

    name = "jacobian"

    @property
    def arrays(self) -> dict[str, Array]:
        """What the generated code of the call before takes beside the arguments of the function."""
        return dict(self._last.arrays)

    @property
    def passes(self) -> int:
        """How many tangents and pullbacks the call before took."""
        return self._last.passes

    @property
    def module(self) -> Module:
        """The compiled module of the call before."""
        return self._last.coded.module

    @property
    def _last(self) -> Structure:
        form: SparseForm | None = self._kept.last
        if form is None or form.last is None:
            raise nothing_compiled()
        return form.last

    def _compile(self, kinds: Mapping[str, Any], count: int, places: Sequence[int]) -> SparseForm:
        signature = described_signature(kinds, frozenset(list(kinds)[count:]))
        traced, structured = self._outputs(signature)
        traced = replace(traced, graph=replace(traced.graph, title=title_of(innermost(self._function))))
        nest = Nest(traced, structured, places, self._single)
        return SparseForm(traced, list(kinds), nest, self.name, self._compressed_pattern)

    def _outputs(self, signature: Signature) -> tuple[Traced, Callable[[Sequence[Any]], Any]]:
        """The function that is differentiated, and the structure of its outputs."""
        traced = trace_signature(self._function, signature)
        return traced, lambda values: unflatten(traced.result, values)

    def _compressed_pattern(self, pattern: Pattern, diagonal: bool) -> tuple[Pattern, Compression]:
        """A pattern as it is used, and how it is compressed. diagonal: of an output by its own input."""
        return pattern, compressed(pattern)

    def _run(self, compiled: Any, args: Sequence[Any], words: Mapping[str, Any]) -> Any:
        return compiled.run(args, words)

    def _traced(self, session: Any, args: Sequence[Any], words: Mapping[str, Any], places: Sequence[int]) -> NoReturn:
        raise session.placed(
            UnsupportedError(
                "G040",
                f"a sparse {self.name} is computed inside a traced function",
                hint=f"its pattern is known at a call only: use gc.{self.name} there, or call it from outside",
            )
        )


class SparseHessian(SparseJacobian):
    """`gc.sparse_hessian(f)`: the sparse Jacobian of the gradient, whose blocks on the diagonal are symmetric."""

    name = "hessian"

    def _outputs(self, signature: Signature) -> tuple[Traced, Callable[[Sequence[Any]], Any]]:
        flat: Any = Flat(Grad(self._function, self._argnums[0] if self._single else self._argnums))
        return trace_signature(flat, signature), flat.structured

    def _compressed_pattern(self, pattern: Pattern, diagonal: bool) -> tuple[Pattern, Compression]:
        if not diagonal:
            return super()._compressed_pattern(pattern, diagonal)
        both = pattern.symmetric()
        return both, compressed_symmetric(both)


def sparse_jacobian(function: Function, argnums: int | Sequence[int] = 0) -> SparseJacobian:
    """The Jacobian of a function as `Triplets`: its entries that may differ from 0, and their rows and columns.

    They take as many derivatives as the matrix has colours, columns of one colour having no row in common:
    3 for a tridiagonal matrix of any size. Rows and columns are the elements of the result and of the
    argument in C order; for structures and several argnums there is one matrix for each array of the
    result and each of the argument, nested as those of `jacobian`.
    Integer and boolean arrays may decide where entries are: patterns are found, and kept, for each shape
    of the arguments and each value of those. Where one entry of a row is infinite, others of that row may be NaN.
    Raises UnsupportedError inside a traced function, and for an op that takes one direction at a time.

    >>> import numpy as np
    >>> entries = sparse_jacobian(lambda x: x[1:] * x[:-1])(np.array([2.0, 3.0, 4.0]))
    >>> entries.data, entries.cols
    (array([3., 2., 4., 3.]), array([0, 1, 1, 2]))
    """
    return SparseJacobian(function, argnums)


def sparse_hessian(function: Function, argnums: int | Sequence[int] = 0) -> SparseHessian:
    """The Hessian of a function with a scalar result as `Triplets`; see `sparse_jacobian`.

    Where it is diagonal, as that of a sum over elements, it takes one derivative of the gradient.

    >>> import numpy as np
    >>> sparse_hessian(lambda x: np.sum(x**3))(np.array([1.0, 2.0])).data
    array([ 6., 12.])
    """
    return SparseHessian(function, argnums)
