"""SymPy expressions become graphs.

    x**2 + sin(y)/x     ->   x, y: f64[]     out = x**2 + sin(y)/x
    Matrix([x*y, x])    ->   out: f64[2, 1]
    v[0] * v[2]         ->   v: f64[3]

One walk lists the subexpressions, arguments first; the inputs follow from the list; then each
subexpression becomes a node. The walk is a loop and compares objects by identity: 100,000 terms,
5,000 nested functions and shared subexpressions cost what they are, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graphc.errors import DtypeError, LimitError, ParseError, ShapeError, UnknownNameError, UnsupportedError
from graphc.expr import build
from graphc.frontends.sympy.algebra import Ratio, constant, factor, number, numeral, raised, times, total
from graphc.frontends.sympy.declaring import Inputs
from graphc.frontends.sympy.functions import called, maker, piecewise
from graphc.frontends.sympy.showing import shown
from graphc.frontends.text.shapes import InputSpec
from graphc.ir.collector import collector_paused
from graphc.ir.graph import Graph
from graphc.ir.node import Node

if TYPE_CHECKING:
    import sympy

MAX_TERMS = 10_000  # of a Sum or Product that is written out
_UNEVALUATED = ("Derivative", "Integral", "Limit", "Subs", "Sum", "Product")


class Part(NamedTuple):
    """A subexpression, and those that it is made of."""

    expr: Any
    parts: Sequence[Any]


def from_sympy(
    expr: sympy.Basic | sympy.MatrixBase | Sequence[Any], inputs: Mapping[str, InputSpec] | None = None
) -> Graph:
    """The graph of a SymPy expression.

    expr: an expression or relation; a Matrix or Array of them (one output of that shape); a list
    or tuple of these (an output each).
    inputs: the inputs in their order, with types as in `compile`; without it, float64
    scalars sorted by name. Elements `x[0]` of an IndexedBase or `A[0, 1]` of a MatrixSymbol are read from one
    array input, as large as it must be unless its shape is given.

    Raises UnknownNameError for names and functions that graphc does not have, ParseError G004 for
    numbers beyond float64, DtypeError for complex numbers, UnsupportedError for the rest.

    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> from_sympy(x * sympy.sin(y)).input_names
    ('x', 'y')
    """
    results = list(expr) if isinstance(expr, (list, tuple)) else [expr]
    if not results:
        raise UnsupportedError("G042", "a model has at least one output")
    with collector_paused():
        entries = [_entries(result) for result in results]
        order = _ordered([e for _, group in entries for e in group])
        declared = Inputs.of(order, inputs)
        values = _values(order, declared)
        outputs = tuple(
            _stacked([values[id(e)].node for e in group], shape) if shape is not None else values[id(group[0])].node
            for shape, group in entries
        )
        names = declared.free_names(len(outputs))
        return Graph(inputs=declared.nodes, outputs=outputs, output_names=names, title="<sympy>")


def is_sympy(value: object) -> bool:
    """Whether `value` is an object of SymPy; asked without loading SymPy."""
    return any(str(cls.__module__).partition(".")[0] == "sympy" for cls in type(value).__mro__)


def _entries(result: Any) -> tuple[tuple[int, ...] | None, list[Any]]:
    """The shape, None for a single expression, and the expressions in row-major order."""
    import sympy  # loaded where it is used: start-up stays light

    if type(result) in (int, float):
        return None, [sympy.Integer(result) if isinstance(result, int) else sympy.Float(result)]
    if isinstance(result, (sympy.MatrixBase, sympy.NDimArray)):
        shape = tuple(int(d) for d in result.shape)
        flat = list(result.flat()) if isinstance(result, sympy.MatrixBase) else list(result.reshape(len(result)))
        return shape, flat
    if not isinstance(result, (sympy.Expr, sympy.logic.boolalg.Boolean)) or isinstance(result, sympy.MatrixExpr):
        hint = "give an expression, or use gc.parse for a text" if isinstance(result, str) else None
        raise UnsupportedError("G040", f"a {type(result).__name__} is not a SymPy expression", hint=hint)
    return None, [result]


def _stacked(nodes: list[Node], shape: tuple[int, ...]) -> Node:
    """The entries as one array; each must be a scalar."""
    wide = [n for n in nodes if n.type.rank]
    if wide:
        raise ShapeError("G021", f"the entries of a matrix must be scalars, and one is {wide[0].type}")
    if not nodes:
        return build.zeros(shape)
    return build.reshape(build.joined("stack", nodes, 0), shape)


# --- the walk ---


def _ordered(roots: Sequence[Any]) -> list[Part]:
    """Every subexpression, arguments first; an object that is used twice is listed once."""
    done: set[int] = set()
    order: list[Part] = []
    for root in roots:
        stack: list[tuple[Any, Sequence[Any] | None]] = [(root, None)]
        while stack:
            expr, parts = stack.pop()
            if id(expr) in done:
                continue
            if parts is None:
                parts = _parts(expr)
                stack.append((expr, parts))
                stack.extend((p, None) for p in reversed(parts) if id(p) not in done)
            else:
                done.add(id(expr))
                order.append(Part(expr, parts))  # the list keeps the objects alive, so that their ids stay theirs
    return order


def _parts(expr: Any) -> Sequence[Any]:
    name = type(expr).__name__
    if name in ("Indexed", "MatrixElement"):
        return ()
    if name in ("Sum", "Product"):
        return _written_out(expr)
    _refuse(expr, name)
    parts: Sequence[Any] = expr.args
    return parts


def _written_out(expr: Any) -> Sequence[Any]:
    """The terms of a Sum or Product over a known range."""
    import sympy

    limits: tuple[Any, ...] = tuple(expr.limits[0]) if len(expr.limits) == 1 else ()
    if len(limits) != 3 or not (limits[1].is_Integer and limits[2].is_Integer):
        raise UnsupportedError(
            "G040", f"`{shown(expr)}` has no known number of terms", hint="give one index with integer bounds"
        )
    index, first, last = limits[0], int(limits[1]), int(limits[2])
    if last - first >= MAX_TERMS:
        raise LimitError("G003", f"`{shown(expr)}` has more than {MAX_TERMS:,} terms")
    if last < first - 1:
        raise UnsupportedError("G040", f"`{shown(expr)}` runs backwards")
    try:
        return [expr.function.xreplace({index: sympy.Integer(k)}) for k in range(first, last + 1)]
    except RecursionError:
        raise LimitError("G003", f"`{shown(expr)}` is nested too deeply to be written out") from None


def _refuse(expr: Any, name: str) -> None:
    """What no graph can hold, by the kind of error."""
    if name in _UNEVALUATED:
        raise UnsupportedError("G040", f"`{shown(expr)}` is not evaluated", hint="call .doit() on it first")
    if name == "ImaginaryUnit":
        raise DtypeError("G030", "the expression is complex: it contains the imaginary unit `I`")
    if name in ("Infinity", "NegativeInfinity", "ComplexInfinity", "NaN"):
        raise ParseError("G004", f"the expression contains `{shown(expr)}`, which is not a number")
    if getattr(expr, "is_Function", False) and hasattr(type(expr), "name") and not _known(expr):
        raise UnknownNameError("G011", f"`{shown(expr)}`: the function is not defined")


def _known(expr: Any) -> bool:
    return any(maker(cls.__name__) is not None for cls in type(expr).__mro__)


# --- the nodes ---


def _values(order: Sequence[Part], declared: Inputs) -> dict[int, Any]:
    """For each subexpression a `Ratio`; for a piece of a Piecewise a pair of nodes."""
    values: dict[int, Any] = {}
    for expr, parts in order:
        try:
            values[id(expr)] = _value(expr, parts, [values[id(p)] for p in parts], declared)
        except (DtypeError, ShapeError) as error:
            error.label = error.label or f"in `{shown(expr)}`"
            raise
    return values


def _value(expr: Any, parts: Sequence[Any], args: list[Any], declared: Inputs) -> Any:
    name = type(expr).__name__
    if expr in declared:
        return Ratio(declared.node(expr))
    if expr.is_Rational or expr.is_Float:
        return numeral(expr)
    if expr.is_NumberSymbol:
        return Ratio(constant(number(expr)))
    if expr.is_Add or name == "Sum":
        return total(args) if args else Ratio(constant(0.0))
    if expr.is_Mul or name == "Product":
        return times([factor(p, a) for p, a in zip(parts, args, strict=True)])
    if expr.is_Pow:
        return _power(parts, args)
    if name == "ExprCondPair":
        return args[0].node, args[1].node
    if name == "Piecewise":
        return Ratio(piecewise(args))
    return Ratio(_called(expr, [a.node for a in args]))


def _power(parts: Sequence[Any], args: list[Ratio]) -> Ratio:
    base, exponent = parts
    if type(base).__name__ == "Exp1":
        return Ratio(called("exp", args[1].node))
    return raised(args[0].node, exponent, args[1])


def _called(expr: Any, args: list[Node]) -> Node:
    for cls in type(expr).__mro__:
        make = maker(cls.__name__)
        if make is not None:
            return make(*args)
    raise UnsupportedError("G040", f"`{shown(expr)}`: graphc has no `{type(expr).__name__}`")
