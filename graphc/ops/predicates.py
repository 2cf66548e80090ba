"""Truncation, signs, and questions about single numbers.

fmax(a, b)     the larger one that is a number: da = 1 where it is chosen
isnan(x)       a mask, without a derivative
"""

from __future__ import annotations

from graphc.ir.op import Helper, Op
from graphc.ops.elementwise import COMMUTATIVE, ELEMENTWISE, MASK, boolean, floating, numeric, rounding, same

_TRUNC = Helper(
    "_trunc",
    scalar='''def _trunc(x: float) -> float:
    """Round towards 0; inf and nan stay what they are."""
    return math.copysign(math.trunc(x), x) if math.isfinite(x) else x
''',
)
_FMAX = Helper(
    "_fmax",
    scalar='''def _fmax(a: float, b: float) -> float:
    """The larger one; a nan counts for nothing."""
    return a if a > b or b != b else b
''',
)
_FMIN = Helper(
    "_fmin",
    scalar='''def _fmin(a: float, b: float) -> float:
    """The smaller one; a nan counts for nothing."""
    return a if a < b or b != b else b
''',
)
_HEAVISIDE = Helper(
    "_heaviside",
    scalar='''def _heaviside(x: float, h: float) -> float:
    """0 below 0, h at 0, 1 above; nan for nan."""
    if x == 0.0 or x != x:
        return h if x == 0.0 else x
    return 1.0 if x > 0.0 else 0.0
''',
)


def _question(name: str, doc: str, scalar: str) -> Op:
    return Op(
        name, ("x",), boolean, f"np.{name}(x)", doc, scalar=scalar, partials=(None,), sympy=None, traits=MASK, cost=0.3
    )


OPS: list[Op] = [
    Op(
        "fmax",
        ("a", "b"),
        same,
        "np.fmax(a, b)",
        "The larger one that is not nan.",
        scalar="_fmax(a, b)",
        helpers=(_FMAX,),
        partials=("wins((a > b) | isnan(b), a, b)", "wins((b > a) | isnan(a), a, b)"),
        sympy="Max(a, b)",
        traits=COMMUTATIVE,
        formula="to the larger one",
        conventions="half each at a tie of two variables, 0 at a tie with a constant; a nan counts for nothing",
    ),
    Op(
        "fmin",
        ("a", "b"),
        same,
        "np.fmin(a, b)",
        "The smaller one that is not nan.",
        scalar="_fmin(a, b)",
        helpers=(_FMIN,),
        partials=("wins((a < b) | isnan(b), a, b)", "wins((b < a) | isnan(a), a, b)"),
        sympy="Min(a, b)",
        traits=COMMUTATIVE,
        formula="to the smaller one",
        conventions="half each at a tie of two variables, 0 at a tie with a constant; a nan counts for nothing",
    ),
    Op(
        "trunc",
        ("x",),
        numeric,
        rounding("trunc"),
        "Round towards 0.",
        scalar="_trunc(x)",
        helpers=(_TRUNC,),
        partials=(None,),
        sympy="sign(x) * floor(Abs(x))",
        traits=ELEMENTWISE,
        conventions="derivative 0 everywhere",
    ),
    Op(
        "copysign",
        ("a", "b"),
        floating,
        "np.copysign(a, b)",
        "|a| with the sign of b.",
        scalar="math.copysign(a, b)",
        partials=("sign(a) * copysign(1, b)", None),
        sympy="Abs(a) * sign(b)",
        traits=ELEMENTWISE,
        conventions="derivative 0 at a = 0",
    ),
    Op(
        "heaviside",
        ("x", "h"),
        floating,
        "np.heaviside(x, h)",
        "0 below 0, h at 0, 1 above.",
        scalar="_heaviside(x, h)",
        helpers=(_HEAVISIDE,),
        partials=(None, "x == 0"),
        sympy="Piecewise((0, x < 0), (h, Eq(x, 0)), (1, True))",
        traits=ELEMENTWISE,
        conventions="h at 0; derivative 0 for x everywhere",
    ),
    _question("isfinite", "Whether x is neither infinite nor nan.", "math.isfinite(x)"),
    _question("isnan", "Whether x is nan.", "math.isnan(x)"),
    _question("isinf", "Whether x is inf or -inf.", "math.isinf(x)"),
    _question("signbit", "Whether x has a minus sign, as -0.0 has.", "math.copysign(1.0, x) < 0.0"),
]
