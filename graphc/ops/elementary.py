"""More elementary functions: other bases, roots, inverse hyperbolic functions, angles, remainders.

    log2(x)        dx = 1.4427 / x
    hypot(a, b)    da = a / y, and 0 at the origin
    mod(a, b)      da = 1, db = -floor(a / b)

Sources: M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", chapter 4.
"""

from __future__ import annotations

import math

from graphc.ir.op import Helper, Op, Safe
from graphc.ops.elementwise import COMMUTATIVE, ELEMENTWISE, INF, floating, function, guarded, numeric, same

_LOGARITHM = '''def {name}(x: float) -> float:
    """The logarithm to base {base}; -inf at 0, nan below."""
    if x > 0.0:
        return math.log{base}(x)
    return -math.inf if x == 0.0 else math.nan
'''
_ARCTANH = Helper(
    "_arctanh",
    scalar='''def _arctanh(x: float) -> float:
    """The inverse of tanh; infinite at -1 and 1, nan beyond."""
    if abs(x) < 1.0:
        return math.atanh(x)
    return math.copysign(math.inf, x) if abs(x) == 1.0 else math.nan
''',
)
_SINC = Helper(
    "_sinc",
    scalar='''def _sinc(x: float) -> float:
    """sin(pi * x) / (pi * x); nan at infinity."""
    u = math.pi * x
    if u == 0.0:
        return 1.0
    return math.sin(u) / u if math.isfinite(u) else math.nan
''',
)
# The power series converges fast below 3; above it the recurrence, which divides by u, loses little.
_SINC_SLOPE = Helper(
    "_sinc_slope",
    array='''def _sinc_slope(x: Array, n: int) -> Array:
    """The derivative of order n of sin(pi * x) / (pi * x)."""
    u = np.pi * np.asarray(x)
    near = np.abs(u) < 3.0
    small, large = np.where(near, u, 0.0), np.where(near, 1.0, u)
    series = np.zeros_like(u)
    for k in range(18, (n + 1) // 2 - 1, -1):
        term = (-1) ** k * math.perm(2 * k, n) / math.factorial(2 * k + 1)
        series = series * small**2 + term
    s, c = np.sin(large), np.cos(large)
    far = s / large
    for k in range(1, n + 1):
        s, c = c, -s
        far = (s - k * far) / large
    y: Array = np.pi**n * np.where(near, series * small ** (n % 2), far)
    return y
''',
    scalar='''def _sinc_slope(x: float, n: int) -> float:
    """The derivative of order n of sin(pi * x) / (pi * x)."""
    u = math.pi * x
    if not math.isfinite(u):
        return math.nan
    y = 0.0
    if abs(u) < 3.0:
        for k in range(18, (n + 1) // 2 - 1, -1):
            c = (-1) ** k * math.perm(2 * k, n) / math.factorial(2 * k + 1)
            y = y * u**2 + c
        return float(math.pi**n * (y * u ** (n % 2)))
    s, c = math.sin(u), math.cos(u)
    y = s / u
    for k in range(1, n + 1):
        s, c = c, -s
        y = (s - k * y) / u
    return float(math.pi**n * y)
''',
)
_LOGADDEXP = '''def {name}(a: float, b: float) -> float:
    """{doc}"""
    if a == b:
        return a + {one}
    high, low = (a, b) if a > b else (b, a)
    if low != low:
        return low
    return high + {scale}math.log1p({power})
'''
_MOD = Helper(
    "_mod",
    scalar='''def _mod(a: float, b: float) -> float:
    """The remainder with the sign of b; nan for b = 0."""
    return a % b if b != 0.0 else math.nan
''',
)
_FLOOR_DIVIDE = Helper(
    "_floor_divide",
    scalar='''def _floor_divide(a: float, b: float) -> float:
    """floor(a / b); for b = 0 what NumPy answers: inf, -inf or nan."""
    if b != 0.0:
        return a // b
    return math.nan if a == 0.0 or a != a else a * math.copysign(math.inf, b)
''',
)
_FMOD = Helper(
    "_fmod",
    scalar='''def _fmod(a: float, b: float) -> float:
    """The remainder with the sign of a; nan for b = 0."""
    bad = b == 0.0 or math.isinf(a) or a != a or b != b
    return math.nan if bad else math.fmod(a, b)
''',
)


def _functions() -> list[Op]:
    exp2 = guarded("_exp2", "math.exp2(x)", "2**x; inf beyond the largest float.", "OverflowError", "math.inf")
    arccosh = guarded("_arccosh", "math.acosh(x)", "The inverse of cosh; nan below 1.", "ValueError", "math.nan")
    logarithms = [
        function(
            f"log{base}",
            f"{1.0 / math.log(base)!r} / x",
            doc=f"Logarithm to base {base}.",
            scalar=f"_log{base}(x)",
            helper=Helper(f"_log{base}", scalar=_LOGARITHM.format(name=f"_log{base}", base=base)),
            sympy=f"log(x) / log({base})",
            domain="(0, oo)",
            plain=("positive", f"math.log{base}(x)"),
            safe=Safe(0, 1.0, unless="positive(x)"),
            cost=1.5,
            exactness=4,
            conventions="-inf at 0, nan below",
        )
        for base in (2, 10)
    ]
    return [
        *logarithms,
        function(
            "exp2",
            f"{math.log(2.0)!r} * y",
            doc="2 to the power x.",
            scalar="_exp2(x)",
            helper=exp2,
            sympy="2**x",
            range=(0.0, INF),
            safe=Safe(0, 0.0, unless="nonpositive(x)"),
            exactness=4,
        ),
        function(
            "cbrt",
            "1 / (3 * square(y))",
            doc="Cube root.",
            scalar="math.cbrt(x)",
            sympy="Piecewise((x**(1/3), x > 0), (-(-x)**(1/3), True))",
            domain="nonzero",
            safe=Safe(0, 1.0, unless="nonzero(x)"),
            cost=8.0,
            exactness=4,
            conventions="derivative inf at 0",
        ),
        function(
            "arcsinh",
            "1 / hypot(1, x)",
            doc="Inverse hyperbolic sine.",
            scalar="math.asinh(x)",
            sympy="asinh(x)",
            cost=10.0,
            exactness=4,
        ),
        function(
            "arccosh",
            "1 / (sqrt(x - 1) * sqrt(x + 1))",
            doc="Inverse hyperbolic cosine.",
            scalar="_arccosh(x)",
            helper=arccosh,
            sympy="acosh(x)",
            domain="[1, oo)",
            range=(0.0, INF),
            safe=Safe(0, 2.0, unless="constant(x)"),
            cost=10.0,
            exactness=4,
            conventions="derivative inf at 1; nan below",
        ),
        function(
            "arctanh",
            "1 / ((1 - x) * (1 + x))",
            doc="Inverse hyperbolic tangent.",
            scalar="_arctanh(x)",
            helper=_ARCTANH,
            sympy="atanh(x)",
            domain="[-1, 1]",
            safe=Safe(0, 0.0, unless="constant(x)"),
            cost=10.0,
            exactness=4,
            conventions="infinite at -1 and 1, with derivative inf; nan beyond",
        ),
        function(
            "sinc",
            "sinc_slope(x, n=1)",
            doc="sin(pi * x) / (pi * x).",
            scalar="_sinc(x)",
            helper=_SINC,
            sympy="sin(pi * x) / (pi * x)",
            cost=12.0,
            exactness="2 ulp of 1 + |y|",
            conventions="1 at 0, with derivative 0",
        ),
        Op(
            "sinc_slope",
            ("x",),
            floating,
            "_sinc_slope(x, n)",
            "The derivative of order n of sinc, accurate near 0.",
            attrs=("n",),
            scalar="_sinc_slope(x, n)",
            helpers=(_SINC_SLOPE,),
            partials=("next_order(x, n=n, name='sinc_slope')",),
            sympy="Derivative(sin(pi * x) / (pi * x), (x, n))",
            traits=ELEMENTWISE,
            cost=60.0,
            exactness="32 ulp of 1 + |y|",
            conventions="the limit at 0",
        ),
    ]


def _of_two() -> list[Op]:
    logaddexp = _LOGADDEXP.format(
        name="_logaddexp",
        doc="log(exp(a) + exp(b)), without overflow.",
        one="math.log(2.0)",
        power="math.exp(low - high)",
        scale="",
    )
    logaddexp2 = _LOGADDEXP.format(
        name="_logaddexp2",
        doc="log2(2**a + 2**b), without overflow.",
        one="1.0",
        power="math.exp2(low - high)",
        scale="math.log2(math.e) * ",
    )
    return [
        Op(
            "hypot",
            ("a", "b"),
            floating,
            "np.hypot(a, b)",
            "sqrt(a**2 + b**2), without overflow.",
            scalar="math.hypot(a, b)",
            partials=("where(y == 0, 0, a / y)", "where(y == 0, 0, b / y)"),
            sympy="sqrt(a**2 + b**2)",
            range=(0.0, INF),
            traits=COMMUTATIVE,
            cost=5.0,
            exactness=1,
            conventions="derivative 0 at (0, 0)",
        ),
        Op(
            "arctan2",
            ("a", "b"),
            floating,
            "np.arctan2(a, b)",
            "The angle of the point (b, a).",
            scalar="math.atan2(a, b)",
            partials=(
                "where(hypot(a, b) == 0, 0, b / hypot(a, b) / hypot(a, b))",
                "-where(hypot(a, b) == 0, 0, a / hypot(a, b) / hypot(a, b))",
            ),
            sympy="atan2(a, b)",
            range=(-math.pi, math.pi),
            traits=ELEMENTWISE,
            cost=15.0,
            exactness=4,
            conventions="derivative 0 at the origin",
        ),
        Op(
            "logaddexp",
            ("a", "b"),
            floating,
            "np.logaddexp(a, b)",
            "log(exp(a) + exp(b)), without overflow.",
            scalar="_logaddexp(a, b)",
            helpers=(Helper("_logaddexp", scalar=logaddexp),),
            partials=("sigmoid(excess(a, b))", "sigmoid(excess(b, a))"),
            sympy="log(exp(a) + exp(b))",
            traits=COMMUTATIVE,
            cost=12.0,
            exactness="2 ulp of 1 + |y|",
            conventions="-inf of two -inf, with derivative 1/2 each",
        ),
        Op(
            "logaddexp2",
            ("a", "b"),
            floating,
            "np.logaddexp2(a, b)",
            "log2(2**a + 2**b), without overflow.",
            scalar="_logaddexp2(a, b)",
            helpers=(Helper("_logaddexp2", scalar=logaddexp2),),
            partials=(
                f"sigmoid({math.log(2.0)!r} * excess(a, b))",
                f"sigmoid({math.log(2.0)!r} * excess(b, a))",
            ),
            sympy="log(2**a + 2**b) / log(2)",
            traits=COMMUTATIVE,
            cost=15.0,
            exactness="2 ulp of 1 + |y|",
            conventions="-inf of two -inf, with derivative 1/2 each",
        ),
        Op(
            "mod",
            ("a", "b"),
            numeric,
            "np.mod(a, b)",
            "The remainder of a / b, with the sign of b.",
            scalar="_mod(a, b)",
            helpers=(_MOD,),
            spelling="a % b",
            partials=("1", "-floor_divide(a, b)"),
            sympy="a - b * floor(a / b)",
            domain=("(-oo, oo)", "nonzero"),
            safe=Safe(1, 1.0, unless="nonzero(b)"),
            traits=ELEMENTWISE,
            cost=8.0,
            exactness=0.5,
            conventions="derivative at a jump that of the piece above it; nan where b is 0",
        ),
        Op(
            "floor_divide",
            ("a", "b"),
            same,
            "np.floor_divide(a, b)",
            "floor(a / b).",
            scalar="_floor_divide(a, b)",
            helpers=(_FLOOR_DIVIDE,),
            spelling="a // b",
            partials=(None, None),
            sympy="floor(a / b)",
            domain=("(-oo, oo)", "nonzero"),
            safe=Safe(1, 1.0, unless="nonzero(b)"),
            traits=ELEMENTWISE,
            cost=8.0,
            exactness=0.5,
            conventions="derivative 0 everywhere; inf or nan where b is 0",
        ),
        Op(
            "fmod",
            ("a", "b"),
            numeric,
            "np.fmod(a, b)",
            "The remainder of a / b, with the sign of a.",
            scalar="_fmod(a, b)",
            helpers=(_FMOD,),
            partials=("1", "-trunc(a / b)"),
            sympy="a - b * Piecewise((floor(a / b), a / b > 0), (-floor(-a / b), True))",
            domain=("(-oo, oo)", "nonzero"),
            safe=Safe(1, 1.0, unless="nonzero(b)"),
            traits=ELEMENTWISE,
            cost=8.0,
            conventions="derivative at a jump that of the piece away from 0; nan where b is 0",
        ),
    ]


OPS: list[Op] = [*_functions(), *_of_two()]
