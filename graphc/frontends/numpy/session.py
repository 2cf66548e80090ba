"""One trace: what the traced objects share, and how calls become nodes.

    np.exp(x @ W)     Tracer.__array_ufunc__  ->  session.ufunc  ->  FUNCTIONS["exp"]  ->  a node

A call goes to the function of the language with the same name, so that whatever text models know
the tracer knows. Calls whose arguments are all known are NumPy's own affair.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from graphc.errors import GraphcError, ShapeError, UnsupportedError
from graphc.expr import build
from graphc.expr.arguments import Weak
from graphc.expr.fourier import Pair
from graphc.expr.functions import FUNCTIONS
from graphc.frontends.numpy import calls, dispatch, indexing, several
from graphc.frontends.numpy.buffers import Buffer, Path, path_between, reshapes
from graphc.frontends.numpy.captures import Captures
from graphc.frontends.numpy.complex import Complex
from graphc.frontends.numpy.operands import Operands
from graphc.frontends.numpy.signals import CannotRoll
from graphc.frontends.numpy.sizes import TracedSize, number_of
from graphc.frontends.numpy.tracer import Kind, Tracer, is_traced
from graphc.frontends.numpy.trials import Trials
from graphc.ir.dims import Dim, Size
from graphc.ir.interpret import evaluate_node
from graphc.ir.leaf import INPUT, SIZE, size_node
from graphc.ir.node import Node, topological


class Session(Trials):
    """The state of a trace.

    decisions: about sizes that the examples know.
    captures: arrays from outside that have become inputs.
    value, constant: what the language gets for a value of the user's.
    seeded: random generators that the function makes itself, from a seed.
    solutions: numbers for the iterations that solve equations.
    """

    def __init__(
        self, examples: Mapping[str, int] | None = None, taken: Sequence[str] = (), unrolled: bool = False
    ) -> None:
        super().__init__(examples, taken, unrolled)
        self.captures = Captures(taken)
        operands = Operands(self.names, self.captures)
        self.value, self.constant = operands.value, operands.constant
        self._fresh_count = 0
        self.solutions = itertools.count(1)
        self.seeded: list[Any] = []
        self._values: dict[Node, npt.NDArray[Any] | None] = {}
        self.convert: Callable[[Any], Any] = lambda function: function

    # --- values out ---

    def array(self, node: Node, contiguous: bool = True) -> Tracer:
        """A new array, or number, of this value."""
        kind = Kind.ARRAY if node.type.rank else Kind.SCALAR
        return Tracer(self, Buffer(node, contiguous), (), kind)

    def known(self, result: Any, *sources: Any) -> Any:
        """A result of NumPy's on real arrays: an array becomes one that traced values may be written to.

        sources: what it was made of; it may be a view of one of them.
        """
        if isinstance(result, np.ndarray):
            if result.dtype == object:
                return result
            if result.dtype.kind == "c":
                return Complex(self, self.known(result.real.copy()), self.known(result.imag.copy()))
            made = Tracer(self, Buffer(result, result.flags.c_contiguous, constant=self.constant), (), Kind.ARRAY)
            arrays = [s for s in sources if type(s) is Tracer and s.array is not None]
            return self.shared(made, *(s for s in arrays if np.may_share_memory(result, s.array)))
        if type(result) in (tuple, list):
            return type(result)(self.known(r, *sources) for r in result)
        return result

    def wrapped(self, result: Any, contiguous: bool = True) -> Any:
        """What the user gets for a result of a function of the language."""
        if isinstance(result, Node):
            self.note(result)
            return self.array(result, contiguous)
        if isinstance(result, Pair):
            return Complex(self, self.wrapped(result.real), self.wrapped(result.imag))
        if isinstance(result, Weak):
            return Tracer(self, Buffer(result.node), (), Kind.WEAK)
        if isinstance(result, Size):
            return self.size(result)
        if isinstance(result, (tuple, list)):
            items = [self.wrapped(r, contiguous) for r in result]
            return type(result)(*items) if hasattr(result, "_fields") else type(result)(items)
        return result

    def as_complex(self, real: Any) -> Complex:
        """Real values as complex ones."""
        return Complex(self, real, 0)

    def viewed(self, source: Tracer, result: Any) -> Any:
        """The result of a function that NumPy answers with a view of `source`."""
        if isinstance(result, (tuple, list)):
            return type(result)(self.viewed(source, r) for r in result)
        if not isinstance(result, Node):
            return self.wrapped(result)
        path = path_between(source.node, result)
        if path is not None:
            self.note(result)
            return self.view(source, path)
        whole = Tracer(self, source.buffer, (), Kind.ARRAY)  # a view of a view may be one of the whole in few steps
        path = path_between(whole.node, result)
        return self.shared(self.wrapped(result), source) if path is None else self.view(whole, path)

    def shared(self, made: Any, *sources: Any, readonly: str = "") -> Any:
        """Arrays that NumPy answers with views of others, where no steps lead from these to them.

        readonly: the function whose results NumPy does not let anybody write to.
        """
        for array in made if isinstance(made, (tuple, list)) else [made]:
            for source in sources:
                if type(array) is Tracer and type(source) is Tracer:
                    array.buffer.may_share(source.buffer)
            if readonly and type(array) is Tracer:
                array.buffer.readonly = f"what `{readonly}` answers can't be written to"
        return made

    def view(self, source: Tracer, path: Path) -> Tracer:
        buffer = source.buffer
        if reshapes(path) and not source.contiguous:
            copy = self.array(buffer.read((*source.path, *path)), contiguous=True)
            copy.buffer.may_share(buffer)
            return copy
        return Tracer(self, buffer, (*source.path, *path), Kind.ARRAY)

    def like(self, value: Any, node: Node) -> Tracer:
        """A new array or number of the same kind as `value`."""
        kind = value.kind if type(value) is Tracer else Kind.ARRAY if node.type.rank else Kind.WEAK
        return Tracer(self, Buffer(node), (), kind)

    def fresh_name(self) -> str:
        """A name for an input that no user can have given."""
        self._fresh_count += 1
        return f"_stand_in_{self._fresh_count}"

    # --- calling ---

    def call(self, name: str, args: Sequence[Any], keywords: Mapping[str, Any], shown: str | None = None) -> Any:
        """The function `name` of the language on values of the user's; nodes are not wrapped yet."""
        function = FUNCTIONS.get(name)
        if function is None:
            raise self.placed(calls.not_covered(shown or name))
        values = self.attempt(lambda: [self.value(a) for a in args])
        named = self.attempt(lambda: calls.keywords_for(function, {k: self.value(v) for k, v in keywords.items()}))
        return self.attempt(lambda: calls.apply(function, values, named), [*values, *named.values()], shown or name)

    def attempt(self, action: Callable[[], Any], values: Sequence[Any] = (), shown: str = "") -> Any:
        """The result of an action; its errors get the place in the user's code and the operands' names."""
        try:
            return action()
        except GraphcError as error:
            if isinstance(error, (ShapeError, UnsupportedError)):
                self.decisions.instead_of(error, values)
                self.name_operands(error, values, shown)
            raise self.placed(error) from None

    # --- ufuncs ---

    def ufunc(self, ufunc: Any, method: str, inputs: Sequence[Any], keywords: dict[str, Any]) -> Any:
        """What `__array_ufunc__` answers."""
        return dispatch.ufunc(self, ufunc, method, inputs, keywords)

    def function(self, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
        """What `__array_function__` answers."""
        return dispatch.function(self, function, args, dict(keywords))

    def stored(self, result: Any, out: Any) -> Any:
        """A result, written to `out` if that is given."""
        target = out[0] if isinstance(out, tuple) and len(out) == 1 else out
        if target is None:
            return result
        if type(target) is not Tracer:
            raise self.placed(calls.made_outside())
        indexing.cast_into(target, result)
        return target

    def checked(self, value: Any, target: Any) -> Any:
        """`target[...] = value` in the user's code: a traced value does not go into an array from outside."""
        if type(target) is np.ndarray and target.dtype != object and is_traced(value):
            raise self.placed(calls.made_outside())
        return value

    def target(self, value: Any) -> Any:
        """What is written to, as in `value[...] = x`: a list that a loop has filled is not."""
        if several.has_several(value):
            next(v for v in value if type(v) is several.Several).refuse()
        if type(value) is np.ndarray:
            self.untracked("an array from outside")
        return value

    def readable(self, value: Any) -> Any:
        """`value[...]` in the user's code: an array from outside may be read at traced positions."""
        if several.has_several(value):
            return several.View(self, value)
        return indexing.Outside(self, value) if type(value) is np.ndarray else value

    def callable(self, function: Any) -> Any:
        """A function of the user's, ready to be called with traced values."""
        return self.convert(function)

    def evaluated(self, node: Node) -> npt.NDArray[Any] | None:
        """The value of a node that depends on no input and no symbolic size; None for others."""
        if node not in self._values:
            order = topological([node])
            known = all(n.op not in (INPUT, SIZE) and _sizes_known(n) for n in order)
            self._values[node] = evaluated(order) if known else None
        return self._values[node]

    # --- sizes ---

    def size(self, dim: Dim) -> Any:
        """A size for the user: an int, or one that stays symbolic."""
        return TracedSize(self, dim) if isinstance(dim, Size) else dim

    def number(self, dim: Dim) -> int:
        """The number of a size, which from now on it always is."""
        if self.varies(dim):
            raise CannotRoll(
                f"Python needs the number of `{dim}`, which is another one in each step", span=self.places.here()
            )
        number: int = self.attempt(lambda: self.decisions.number(dim))
        return number

    def equal_sizes(self, a: Dim, b: Dim) -> bool:
        """Whether two sizes are equal; if they are in the examples, they are from now on."""
        equal: bool = self.attempt(lambda: self.decisions.equal(a, b))
        return equal

    def unify(self, a: Sequence[Dim], b: Sequence[Dim]) -> None:
        """Make the sizes of two shapes one where they are equal in the examples."""
        for first, second in zip(a, b, strict=False):
            both = isinstance(first, Size) and isinstance(second, Size) and first != second
            if both and number_of(first - second, self.decisions.examples) == 0:
                self.equal_sizes(first, second)

    def as_float(self, x: Any) -> Any:
        """`float(x)`: the same value, as a Python number."""
        if type(x) is TracedSize:
            return self.number_with("multiply", x, 1.0, False)
        if type(x) is not Tracer or x.array is not None:
            return float(x)
        if any(d != 1 for d in x.node.shape):
            raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
        node = build.astype(build.reshape(x.node, ()), x.dtype.name if x.dtype.kind == "f" else "float64")
        return self.wrapped(Weak(node))

    def number_with(self, operation: str, size: Any, other: Any, swapped: bool) -> Any:
        """Arithmetic of a size that is not a size: a number that takes the dtype of what it meets."""
        if type(other) is Tracer or isinstance(other, (np.ndarray, np.generic)):
            return self.ufunc(getattr(np, operation), "__call__", (other, size) if swapped else (size, other), {})
        if not isinstance(other, (int, float)):
            return NotImplemented
        mine, theirs = (Weak(size_node(v.dim, "float64")) if type(v) is TracedSize else v for v in (size, other))
        node = self.attempt(lambda: FUNCTIONS[operation].call(*((theirs, mine) if swapped else (mine, theirs))))
        return self.wrapped(Weak(node))


def _sizes_known(node: Node) -> bool:
    """Whether no attribute of a node is a symbolic size."""
    return all(isinstance(d, int) for d in node.shape) and not any(isinstance(v, Size) for v in node.attrs)


def evaluated(order: Sequence[Node]) -> npt.NDArray[Any]:
    """The value of the last of these nodes, which are in topological order and need no inputs."""
    table: dict[Node, npt.NDArray[Any]] = {}
    with np.errstate(all="ignore"):
        for node in order:
            table[node] = evaluate_node(node, [table[a] for a in node.args], {})
    return table[order[-1]]
