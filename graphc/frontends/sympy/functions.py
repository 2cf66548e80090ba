"""What each class of SymPy is in graphc: one table, by the name of the class.

sin(x)            sin                 ceiling(x)     ceil
Max(x, y, z)      maximum, twice      sec(x)         1 / cos(x)
Heaviside(x)      (1 + sign(x)) / 2
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from graphc.errors import UnsupportedError
from graphc.expr import build
from graphc.expr.functions import FUNCTIONS
from graphc.frontends.sympy.algebra import constant
from graphc.ir.leaf import scalar_value
from graphc.ir.node import Node

Maker = Callable[..., Node]

# SymPy's name of a function, and the language's.
NAMES: dict[str, str] = {
    **{n: n for n in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sign", "floor", "erf", "erfc", "digamma")},
    **{f"a{n}": f"arc{n}" for n in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "tan2")},
    "Abs": "absolute",
    "ceiling": "ceil",
    "Mod": "mod",
    "loggamma": "gammaln",
    "gamma": "gamma",
    "StrictLessThan": "less",
    "LessThan": "less_equal",
    "StrictGreaterThan": "greater",
    "GreaterThan": "greater_equal",
    "Equality": "equal",
    "Unequality": "not_equal",
    "Not": "logical_not",
}
_RECIPROCALS = {"sec": "cos", "csc": "sin", "cot": "tan", "sech": "cosh", "csch": "sinh", "coth": "tanh"}
_OF_RECIPROCALS = {
    "asec": "arccos",
    "acsc": "arcsin",
    "acot": "arctan",
    "asech": "arccosh",
    "acsch": "arcsinh",
    "acoth": "arctanh",
}
_SEVERAL = {"Max": "maximum", "Min": "minimum", "And": "logical_and", "Or": "logical_or", "Xor": "logical_xor"}


def maker(name: str) -> Maker | None:
    """What makes a node of the arguments of a SymPy class; None if graphc has nothing like it."""
    if name in _WRITTEN:
        return _WRITTEN[name]
    function = FUNCTIONS.get(NAMES.get(name, ""))
    return None if function is None else function.call


def called(name: str, *args: Node) -> Node:
    """A function of the language."""
    result: Node = FUNCTIONS[name].call(*args)
    return result


def _one_over(name: str) -> Maker:
    return lambda x: build.divide(1.0, called(name, x))


def _of_one_over(name: str) -> Maker:
    return lambda x: called(name, build.divide(1.0, x))


def _folded(name: str) -> Maker:
    return lambda *args: reduce(lambda a, b: called(name, a, b), args)


def _log(x: Node, base: Node | None = None) -> Node:
    top = called("log", x)
    return top if base is None else build.divide(top, called("log", base))


def _heaviside(x: Node, at_zero: Node | None = None) -> Node:
    """0 below 0 and 1 above, nan for nan; `at_zero`, 1/2 unless told otherwise, at 0."""
    step = build.multiply(0.5, build.add(1.0, called("sign", x)))
    if at_zero is None or scalar_value(at_zero) == 0.5:
        return step
    return build.where(build.equal(x, 0.0), at_zero, step)


def _if_then_else(c: Node, a: Node, b: Node) -> Node:
    return called("logical_or", called("logical_and", c, a), called("logical_and", called("logical_not", c), b))


def _sinc(x: Node) -> Node:
    """sin(x)/x, 1 at 0: the mask goes inside, so that 0/0 is never computed."""
    zero = build.equal(x, 0.0)
    inside = build.where(zero, 1.0, x)
    return build.where(zero, 1.0, build.divide(called("sin", inside), inside))


def _polygamma(order: Node, x: Node) -> Node:
    """The derivatives of loggamma: SymPy writes digamma as polygamma(0, x)."""
    n = scalar_value(order)
    if n is None or n != int(n):
        raise UnsupportedError("G040", "the order of polygamma must be an integer")
    result: Node = FUNCTIONS["polygamma"].call(int(n), x)
    return result


def _real(x: Node) -> Node:
    """The real part, or the conjugate, of what is real."""
    return x


_WRITTEN: dict[str, Maker] = {
    **{name: _one_over(of) for name, of in _RECIPROCALS.items()},
    **{name: _of_one_over(of) for name, of in _OF_RECIPROCALS.items() if of in FUNCTIONS},
    **{name: _folded(of) for name, of in _SEVERAL.items()},
    "log": _log,
    "Heaviside": _heaviside,
    "ITE": _if_then_else,
    "sinc": _sinc,
    **({"polygamma": _polygamma} if "polygamma" in FUNCTIONS else {}),
    "re": _real,
    "conjugate": _real,
    "BooleanTrue": lambda: build.literal(True),
    "BooleanFalse": lambda: build.literal(False),
}


def piecewise(pieces: list[tuple[Node, Node]]) -> Node:
    """The first value whose condition holds; nan if none does."""
    result = constant(float("nan"))
    for value, condition in reversed(pieces):
        result = value if scalar_value(condition) is True else build.where(condition, value, result)
    return result
