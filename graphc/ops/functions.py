"""Functions of one argument: exponentials, trigonometry, the activations of networks, rounding."""

from __future__ import annotations

import math

from graphc.ir.op import Helper, Op, Safe
from graphc.ops.elementwise import (
    ELEMENTWISE,
    INF,
    floating,
    function,
    guarded,
    numeric,
    rounding,
)

_SIGMOID = Helper(
    "_sigmoid",
    array='''def _sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    e = np.exp(-np.abs(x))
    y: Array = np.where(x < 0.0, e, 1.0) / (1.0 + e)
    return y
''',
    scalar='''def _sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)
''',
)
_SOFTPLUS = Helper(
    "_softplus",
    array='''def _softplus(x: Array) -> Array:
    """log(1 + exp(x)), without overflow."""
    y: Array = np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))
    return y
''',
    scalar='''def _softplus(x: float) -> float:
    """log(1 + exp(x)), without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
''',
)
_MAX = Helper(
    "_max",
    scalar='''def _max(a: float, b: float) -> float:
    """The larger one; nan if either is."""
    return a if a > b or a != a else b
''',
)
LOG = Helper(
    "_log",
    scalar='''def _log(x: float) -> float:
    """log(x); -inf at 0, nan below."""
    if x > 0.0:
        return math.log(x)
    return -math.inf if x == 0.0 else math.nan
''',
)
LOG1P = Helper(
    "_log1p",
    scalar='''def _log1p(x: float) -> float:
    """log(1 + x); -inf at -1, nan below."""
    if x > -1.0:
        return math.log1p(x)
    return -math.inf if x == -1.0 else math.nan
''',
)
_FLOOR = '''def {name}(x: float) -> float:
    """{name}; inf and nan stay what they are."""
    return math.copysign({call}, x) if math.isfinite(x) else x
'''


def _functions() -> list[Op]:
    inf, nan = "math.inf", "math.nan"
    over, bad = "OverflowError", "ValueError"
    exp = guarded("_exp", "math.exp(x)", "exp(x); inf beyond the largest float.", over, inf)
    expm1 = guarded("_expm1", "math.expm1(x)", "exp(x) - 1; inf beyond the largest float.", over, inf)
    sin = guarded("_sin", "math.sin(x)", "sin(x); nan at infinity.", bad, nan)
    cos = guarded("_cos", "math.cos(x)", "cos(x); nan at infinity.", bad, nan)
    tan = guarded("_tan", "math.tan(x)", "tan(x); nan at infinity.", bad, nan)
    asin = guarded("_arcsin", "math.asin(x)", "arcsin(x); nan outside [-1, 1].", bad, nan)
    acos = guarded("_arccos", "math.acos(x)", "arccos(x); nan outside [-1, 1].", bad, nan)
    sinh = guarded(
        "_sinh", "math.sinh(x)", "sinh(x); infinite beyond the largest float.", over, "math.copysign(math.inf, x)"
    )
    cosh = guarded("_cosh", "math.cosh(x)", "cosh(x); inf beyond the largest float.", over, inf)
    return [
        function(
            "exp",
            "y",
            doc="Exponential.",
            scalar="_exp(x)",
            helper=exp,
            range=(0.0, INF),
            plain=("nonpositive", "math.exp(x)"),
            safe=Safe(0, 0.0, unless="nonpositive(x)"),
            cost=0.9,
            exactness=4,
        ),
        function(
            "expm1",
            "exp(x)",
            doc="exp(x) - 1, accurate near 0.",
            scalar="_expm1(x)",
            helper=expm1,
            sympy="exp(x) - 1",
            range=(-1.0, INF),
            plain=("nonpositive", "math.expm1(x)"),
            safe=Safe(0, 0.0, unless="nonpositive(x)"),
            cost=1.2,
            exactness=4,
        ),
        function(
            "log",
            "1 / x",
            doc="Natural logarithm.",
            scalar="_log(x)",
            helper=LOG,
            plain=("positive", "math.log(x)"),
            domain="(0, oo)",
            safe=Safe(0, 1.0, unless="positive(x)"),
            cost=1.0,
            exactness=4,
            conventions="-inf at 0, nan below",
        ),
        function(
            "log1p",
            "1 / (1 + x)",
            doc="log(1 + x), accurate near 0.",
            scalar="_log1p(x)",
            helper=LOG1P,
            plain=("nonnegative", "math.log1p(x)"),
            sympy="log(1 + x)",
            domain="(-1, oo)",
            safe=Safe(0, 0.0, unless="nonnegative(x)"),
            cost=1.2,
            exactness=4,
            conventions="-inf at -1, nan below",
        ),
        function(
            "sin",
            "cos(x)",
            doc="Sine.",
            scalar="_sin(x)",
            helper=sin,
            range=(-1.0, 1.0),
            cost=8.3,
            exactness=2,
        ),
        function(
            "cos",
            "-sin(x)",
            doc="Cosine.",
            scalar="_cos(x)",
            helper=cos,
            range=(-1.0, 1.0),
            cost=8.3,
            exactness=2,
        ),
        function(
            "tan",
            "1 + y * y",
            doc="Tangent.",
            scalar="_tan(x)",
            helper=tan,
            cost=10.0,
            exactness=4,
        ),
        function(
            "arcsin",
            "1 / sqrt((1 - x) * (1 + x))",
            doc="Inverse sine.",
            scalar="_arcsin(x)",
            helper=asin,
            sympy="asin(x)",
            domain="[-1, 1]",
            safe=Safe(0, 0.0, unless="constant(x)"),
            range=(-math.pi / 2, math.pi / 2),
            cost=8.0,
            exactness=4,
            conventions="derivative inf at -1 and 1; nan beyond",
        ),
        function(
            "arccos",
            "-1 / sqrt((1 - x) * (1 + x))",
            doc="Inverse cosine.",
            scalar="_arccos(x)",
            helper=acos,
            sympy="acos(x)",
            domain="[-1, 1]",
            safe=Safe(0, 0.0, unless="constant(x)"),
            range=(0.0, math.pi),
            cost=8.0,
            exactness=4,
            conventions="derivative -inf at -1 and 1; nan beyond",
        ),
        function(
            "arctan",
            "1 / (1 + x * x)",
            doc="Inverse tangent.",
            scalar="math.atan(x)",
            sympy="atan(x)",
            range=(-math.pi / 2, math.pi / 2),
            cost=8.0,
            exactness=2,
        ),
        function(
            "sinh",
            "cosh(x)",
            doc="Hyperbolic sine.",
            scalar="_sinh(x)",
            helper=sinh,
            cost=4.0,
            safe=Safe(0, 0.0, unless="constant(x)"),
            exactness=4,
        ),
        function(
            "cosh",
            "sinh(x)",
            doc="Hyperbolic cosine.",
            scalar="_cosh(x)",
            helper=cosh,
            range=(1.0, INF),
            cost=4.0,
            safe=Safe(0, 0.0, unless="constant(x)"),
            exactness=4,
        ),
        function(
            "tanh",
            "1 - y * y",
            doc="Hyperbolic tangent.",
            scalar="math.tanh(x)",
            range=(-1.0, 1.0),
            cost=1.9,
            exactness=4,
        ),
        function(
            "sigmoid",
            "y * (1 - y)",
            doc="1 / (1 + exp(-x)), without overflow.",
            numpy="_sigmoid(x)",
            scalar="_sigmoid(x)",
            helper=_SIGMOID,
            sympy="1/(1 + exp(-x))",
            range=(0.0, 1.0),
            cost=2.0,
            exactness=4,
        ),
        function(
            "softplus",
            "sigmoid(x)",
            doc="log(1 + exp(x)), without overflow.",
            numpy="_softplus(x)",
            scalar="_softplus(x)",
            helper=_SOFTPLUS,
            sympy="log(1 + exp(x))",
            range=(0.0, INF),
            cost=3.0,
            exactness=4,
        ),
        function(
            "relu",
            "y > 0",
            doc="maximum(x, 0).",
            numpy="np.maximum(x, 0.0)",
            scalar="_max(x, 0.0)",
            helper=_MAX,
            sympy="Max(x, 0)",
            range=(0.0, INF),
            cost=0.3,
            conventions="derivative 0 at 0",
        ),
        Op(
            "floor",
            ("x",),
            numeric,
            rounding("floor"),
            "Round down.",
            scalar="_floor(x)",
            helpers=(Helper("_floor", scalar=_FLOOR.format(name="_floor", call="math.floor(x)")),),
            partials=(None,),
            sympy="floor(x)",
            traits=ELEMENTWISE,
            conventions="derivative 0 everywhere",
        ),
        Op(
            "ceil",
            ("x",),
            numeric,
            rounding("ceil"),
            "Round up.",
            scalar="_ceil(x)",
            helpers=(Helper("_ceil", scalar=_FLOOR.format(name="_ceil", call="math.ceil(x)")),),
            partials=(None,),
            sympy="ceiling(x)",
            traits=ELEMENTWISE,
            conventions="derivative 0 everywhere",
        ),
        Op(
            "rint",
            ("x",),
            floating,
            "np.rint(x)",
            "Round to the nearest integer, halves to even.",
            scalar="_rint(x)",
            helpers=(Helper("_rint", scalar=_FLOOR.format(name="_rint", call="round(x)")),),
            partials=(None,),
            traits=ELEMENTWISE,
            conventions="derivative 0 everywhere",
        ),
    ]


OPS: list[Op] = _functions()
