"""Special functions, which NumPy lacks: error functions, gamma functions, Bessel functions.

    erf(x)            dx = 2 / sqrt(pi) * exp(-x**2)
    erfinv(x)         dx = sqrt(pi) / 2 * exp(y**2)
    gammaln(x)        dx = digamma(x)
    polygamma(x, n)   dx = polygamma(x, n + 1)
    bessel_i(x, n)    dx = (bessel_i(x, n - 1) + bessel_i(x, n + 1)) / 2

Functions that the module `math` of Python has are called for each element: as accurate as they come,
and the same bits for numbers and for arrays. The others are in special_functions.py.

Sources: NIST Digital Library of Mathematical Functions, chapters 5 (gamma), 7 (error functions) and
10 (Bessel functions).
"""

from __future__ import annotations

import math

from graphc.ir.op import Helper, Op, Safe
from graphc.ops.elementwise import ELEMENTWISE, floating
from graphc.ops.special_functions import (
    BESSEL_I,
    BESSEL_IE,
    DIGAMMA,
    ERFCINV,
    ERFCX,
    ERFINV,
    INVERSE_ERF,
    INVERSE_POWER,
    LOG_NDTR,
    MILLS,
    POLYGAMMA,
)

_EACH = '''def {name}(x: Array) -> Array:
    """{doc}"""
    y: Array = np.vectorize({call}, otypes=[np.result_type(x)])(x)
    return y
'''
_ERF = Helper("_erf", array=_EACH.format(name="_erf", doc="The error function.", call="math.erf"))
_ERFC = Helper("_erfc", array=_EACH.format(name="_erfc", doc="1 - erf(x), accurate for large x.", call="math.erfc"))
_LOG_OF_GAMMA = '''def _log_of_gamma(x: float) -> float:
    """log(|gamma(x)|); inf at 0, -1, -2, ..."""
    try:
        return math.lgamma(x)
    except (OverflowError, ValueError):
        return math.inf
'''
_GAMMA_OF = '''def _gamma_of(x: float) -> float:
    """gamma(x); nan at -1, -2, ..., infinite at 0."""
    try:
        return math.gamma(x)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.copysign(math.inf, x) if x == 0.0 else math.nan
'''
_GAMMALN = (
    Helper("_gammaln", array=_EACH.format(name="_gammaln", doc="log(|gamma(x)|).", call="_log_of_gamma")),
    Helper("_log_of_gamma", array=_LOG_OF_GAMMA, scalar=_LOG_OF_GAMMA),
)
_GAMMA = (
    Helper("_gamma", array=_EACH.format(name="_gamma", doc="The gamma function.", call="_gamma_of")),
    Helper("_gamma_of", array=_GAMMA_OF, scalar=_GAMMA_OF),
)
_LOGIT = Helper(
    "_logit",
    array='''def _logit(x: Array) -> Array:
    """log(x / (1 - x)), accurate near 1/2."""
    middle = np.abs(x - 0.5) < 0.2
    c = np.where(middle, x, 0.5)
    r = np.where(middle, 1.0, x) / np.where(middle, 1.0, 1.0 - x)
    y: Array = np.where(middle, np.log1p((2.0 * c - 1.0) / (1.0 - c)), np.log(r))
    return y
''',
    scalar='''def _logit(x: float) -> float:
    """log(x / (1 - x)), accurate near 1/2."""
    if abs(x - 0.5) < 0.2:
        return math.log1p((2.0 * x - 1.0) / (1.0 - x))
    if 0.0 < x < 1.0:
        return math.log(x / (1.0 - x))
    return math.copysign(math.inf, x - 0.5) if x == 0.0 or x == 1.0 else math.nan
''',
)


def _special(
    name: str,
    partial: str,
    doc: str,
    *helpers: Helper,
    sympy: str,
    scalar: str = "",
    attrs: tuple[str, ...] = (),
    domain: str = "(-oo, oo)",
    safe: Safe | None = None,
    range: tuple[float, float] | None = None,
    cost: float = 60.0,
    exactness: float | str,
    conventions: str = "",
) -> Op:
    call = f"_{name}({', '.join(('x', *attrs))})"
    return Op(
        name,
        ("x",),
        floating,
        lambda types, attrs: call if types[0].is_float else call.replace("(x", "(np.asarray(x, dtype=np.float64)"),
        doc,
        attrs=attrs,
        scalar=scalar or call,
        helpers=helpers,
        partials=(partial,),
        sympy=sympy,
        domain=(domain,),
        safe=safe,
        range=range,
        traits=ELEMENTWISE,
        cost=cost,
        exactness=exactness,
        conventions=conventions,
    )


OPS: list[Op] = [
    _special(
        "erf",
        f"{2.0 / math.sqrt(math.pi)!r} * exp(-square(x))",
        "The error function.",
        _ERF,
        sympy="erf(x)",
        scalar="math.erf(x)",
        range=(-1.0, 1.0),
        exactness=2,
    ),
    _special(
        "erfc",
        f"{-2.0 / math.sqrt(math.pi)!r} * exp(-square(x))",
        "1 - erf(x), accurate for large x.",
        _ERFC,
        sympy="erfc(x)",
        scalar="math.erfc(x)",
        range=(0.0, 2.0),
        exactness=5,
    ),
    _special(
        "erfinv",
        f"{math.sqrt(math.pi) / 2.0!r} * exp(square(y))",
        "The inverse of erf.",
        INVERSE_ERF,
        ERFINV,
        sympy="erfinv(x)",
        domain="[-1, 1]",
        safe=Safe(0, 0.0, unless="constant(x)"),
        cost=400.0,
        exactness=4,
        conventions="infinite at -1 and 1, with derivative inf; nan beyond",
    ),
    _special(
        "erfcinv",
        f"{-math.sqrt(math.pi) / 2.0!r} * exp(square(y))",
        "The inverse of erfc, accurate for small x.",
        INVERSE_ERF,
        ERFCINV,
        sympy="erfinv(1 - x)",
        domain="(0, 2)",
        safe=Safe(0, 1.0, unless="constant(x)"),
        cost=400.0,
        exactness=4,
        conventions="inf at 0 and -inf at 2, with derivative -inf; nan beyond",
    ),
    _special(
        "log_ndtr",
        "inverse_mills(x)",
        "The logarithm of the normal distribution function.",
        LOG_NDTR,
        ERFCX,
        sympy="log(erfc(-x / sqrt(2)) / 2)",
        exactness=8,
    ),
    _special(
        "inverse_mills",
        "-(y * (x + y))",
        "The normal density over the normal distribution function.",
        MILLS,
        ERFCX,
        sympy="sqrt(2 / pi) * exp(-x**2 / 2) / erfc(-x / sqrt(2))",
        exactness=8,
    ),
    _special(
        "gammaln",
        "digamma(x)",
        "log(|gamma(x)|).",
        *_GAMMALN,
        sympy="loggamma(x)",
        scalar="_log_of_gamma(x)",
        domain="(0, oo)",
        safe=Safe(0, 1.0, unless="positive(x)"),
        exactness="8 ulp of 1 + |y|",
        conventions="inf at 0, -1, -2, ...",
    ),
    _special(
        "gamma",
        "y * digamma(x)",
        "The gamma function.",
        *_GAMMA,
        sympy="gamma(x)",
        scalar="_gamma_of(x)",
        domain="(0, oo)",
        safe=Safe(0, 1.0, unless="positive(x)"),
        exactness=10,
        conventions="infinite at 0, nan at -1, -2, ...",
    ),
    _special(
        "digamma",
        "polygamma(x, n=1)",
        "The derivative of log(gamma(x)).",
        DIGAMMA,
        sympy="digamma(x)",
        domain="(0, oo)",
        safe=Safe(0, 1.0, unless="positive(x)"),
        exactness="12 ulp of 1 + |y|",
        conventions="nan at 0, -1, -2, ...",
    ),
    _special(
        "polygamma",
        "next_order(x, n=n, name='polygamma')",
        "The derivative of order n of digamma, n from 1.",
        POLYGAMMA,
        INVERSE_POWER,
        sympy="polygamma(n, x)",
        attrs=("n",),
        domain="(0, oo)",
        safe=Safe(0, 1.0, unless="positive(x)"),
        exactness=8,
        conventions="nan at 0, -1, -2, ...",
    ),
    _special(
        "bessel_i",
        "bessel_slope(x, n=n, name='bessel_i')",
        "The modified Bessel function of the first kind of order n.",
        BESSEL_I,
        BESSEL_IE,
        sympy="besseli(n, x)",
        attrs=("n",),
        cost=120.0,
        exactness=12,
    ),
    _special(
        "bessel_ie",
        "bessel_slope(x, n=n, name='bessel_ie') - sign(x) * y",
        "exp(-|x|) times the modified Bessel function of the first kind of order n.",
        BESSEL_IE,
        sympy="exp(-Abs(x)) * besseli(n, x)",
        attrs=("n",),
        cost=120.0,
        exactness=8,
        conventions="derivative at 0 that of bessel_i: |x| counts for nothing",
    ),
    _special(
        "logit",
        "1 / (x * (1 - x))",
        "log(x / (1 - x)).",
        _LOGIT,
        sympy="log(x / (1 - x))",
        domain="(0, 1)",
        safe=Safe(0, 0.5, unless="constant(x)"),
        cost=4.0,
        exactness=4,
        conventions="-inf at 0, inf at 1, nan beyond",
    ),
]
