"""Arithmetic, element by element.

Each record states local partial derivatives as formulas over the output `y` and the arguments, so
that the backward pass reuses what the forward pass computed. A partial that is a comparison is a
mask: it lets the cotangent through where it is true and gives an exact zero elsewhere.

Sources: G. H. Hardy, "A Course of Pure Mathematics" for the derivatives; the values at kinks are
the minimum-norm element of the subdifferential (Rockafellar, "Convex Analysis", section 23).
"""

from __future__ import annotations

from graphc.ir.op import Helper, Op, Safe
from graphc.ops.elementwise import (
    COMMUTATIVE,
    ELEMENTWISE,
    INF,
    floating,
    function,
    numeric,
    same,
)

DIV = Helper(
    "_div",
    scalar='''def _div(a: float, b: float) -> float:
    """a / b; where b is 0 what NumPy answers: inf, -inf or nan."""
    if b != 0.0:
        return a / b
    if a == 0.0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)
''',
)
_POW = Helper(
    "_pow",
    scalar='''def _pow(x: float, y: float) -> float:
    """x**y; what NumPy answers where Python raises: inf, -inf or nan."""
    odd = y % 2.0 == 1.0 if math.isfinite(y) else False
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0.0 and odd else math.inf
    except ValueError:
        if x == 0.0:
            return math.copysign(math.inf, x) if odd else math.inf
        return math.nan
''',
)
_SIGN = Helper(
    "_sign",
    scalar='''def _sign(x: float) -> float:
    """-1, 0 or 1; nan for nan."""
    if x == 0.0 or x != x:
        return abs(x)
    return math.copysign(1.0, x)
''',
)
_SQRT = Helper(
    "_sqrt",
    scalar='''def _sqrt(x: float) -> float:
    """The square root; nan below 0."""
    return math.sqrt(x) if x >= 0.0 else math.nan
''',
)


def _arithmetic() -> list[Op]:
    return [
        Op(
            "add",
            ("a", "b"),
            same,
            "a + b",
            "Sum.",
            scalar="a + b",
            update="a += b",
            spelling="a + b",
            partials=("1", "1"),
            sympy="a + b",
            traits=COMMUTATIVE | {"linear"},
            cost=0.3,
            exactness=0.5,
        ),
        Op(
            "subtract",
            ("a", "b"),
            numeric,
            "a - b",
            "Difference.",
            scalar="a - b",
            update="a -= b",
            spelling="a - b",
            partials=("1", "-1"),
            sympy="a - b",
            traits=ELEMENTWISE | {"linear"},
            cost=0.3,
            exactness=0.5,
        ),
        Op(
            "multiply",
            ("a", "b"),
            same,
            "a * b",
            "Product.",
            scalar="a * b",
            update="a *= b",
            spelling="a * b",
            partials=("b", "a"),
            sympy="a * b",
            traits=COMMUTATIVE,
            cost=0.3,
            exactness=0.5,
        ),
        Op(
            "divide",
            ("a", "b"),
            floating,
            "a / b",
            "Quotient.",
            scalar="_div(a, b)",
            update="a /= b",
            plain=("nonzero", "a / b"),
            spelling="a / b",
            helpers=(DIV,),
            partials=("1 / b", "-(1 / b * y)"),
            sympy="a / b",
            domain=("(-oo, oo)", "nonzero"),
            safe=Safe(1, 1.0, unless="nonzero(b)"),
            traits=ELEMENTWISE,
            cost=0.4,
            exactness=0.5,
            conventions="inf or nan where b is 0",
        ),
        Op(
            "power",
            ("a", "b"),
            numeric,
            "a**b",
            "Power.",
            scalar="_pow(a, b)",
            spelling="a**b",
            helpers=(_POW,),
            partials=("power_slope(a, b)", "where(a == 0, 0, y * log(a))"),
            sympy="a**b",
            domain=("(0, oo)", "(-oo, oo)"),
            safe=Safe(0, 1.0, unless="counts(b)"),
            traits=ELEMENTWISE,
            cost=15.0,
            formula="da = b * a**(b - 1), db = a**b * log(a)",
            exactness=2,
            conventions="derivative 0 for a where b is 0, and for b where a is 0",
        ),
        Op(
            "negative",
            ("x",),
            numeric,
            "-x",
            "The opposite.",
            scalar="-x",
            spelling="-x",
            partials=("-1",),
            sympy="-x",
            traits=ELEMENTWISE | {"linear"},
            cost=0.3,
        ),
        function(
            "absolute",
            "sign(x)",
            doc="Absolute value.",
            numpy="np.abs(x)",
            scalar="abs(x)",
            sympy="Abs(x)",
            range=(0.0, INF),
            cost=0.3,
            infer=numeric,
            conventions="derivative 0 at 0",
        ),
        function(
            "sign",
            None,
            doc="-1, 0 or 1.",
            scalar="_sign(x)",
            helper=_SIGN,
            range=(-1.0, 1.0),
            infer=numeric,
            conventions="0 at 0; derivative 0 everywhere",
        ),
        function(
            "square",
            "2 * x",
            doc="x * x.",
            numpy="x**2",
            spelling="x**2",
            scalar="x * x",
            sympy="x**2",
            range=(0.0, INF),
            cost=0.3,
            infer=numeric,
            exactness=0.5,
        ),
        function(
            "sqrt",
            "root_slope(x, y)",
            doc="Square root.",
            scalar="_sqrt(x)",
            helper=_SQRT,
            plain=("nonnegative", "math.sqrt(x)"),
            domain="[0, oo)",
            safe=Safe(0, 1.0, unless="positive(x)"),
            range=(0.0, INF),
            cost=1.3,
            exactness=0.5,
            conventions="derivative inf at 0, and 0 where x is never negative, as in a norm; nan below",
        ),
        function(
            "reciprocal",
            "-(y * y)",
            doc="1 / x.",
            numpy="1.0 / x",
            scalar="_div(1.0, x)",
            helper=DIV,
            plain=("nonzero", "1.0 / x"),
            sympy="1/x",
            domain="nonzero",
            safe=Safe(0, 1.0, unless="nonzero(x)"),
            cost=0.4,
            exactness=0.5,
            conventions="inf at 0",
        ),
    ]


OPS: list[Op] = _arithmetic()
