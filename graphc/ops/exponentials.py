"""Logarithms and quotients of exponentials in forms that neither overflow nor cancel.

    log(cosh(x))       logcosh(x)       y' = tanh(x)
    1 / cosh(x)        sech(x)          y' = -y * tanh(x)
    log(1 - exp(x))    log1mexp(x)      for x < 0
    log(exp(x) - 1)    logexpm1(x)      for x > 0, the inverse of softplus

Rules make them of the formulas on the left. Source: M. Maechler, "Accurately computing log(1 - exp(-|a|))".
"""

from __future__ import annotations

from graphc.ir.op import Helper, Op, Safe
from graphc.ops.elementwise import INF, function

_LOGCOSH = Helper(
    "_logcosh",
    array='''def _logcosh(x: Array) -> Array:
    """log(cosh(x)), without overflow, and accurate near 0."""
    a = np.abs(x)
    s = np.sinh(np.minimum(a, 1.0))
    far = a + np.log1p(np.exp(-2.0 * a)) - math.log(2.0)
    y: Array = np.where(a < 1.0, 0.5 * np.log1p(s * s), far)
    return y
''',
    scalar='''def _logcosh(x: float) -> float:
    """log(cosh(x)), without overflow, and accurate near 0."""
    a = abs(x)
    if a < 1.0:
        return 0.5 * math.log1p(math.sinh(a) ** 2)
    return a + math.log1p(math.exp(-2.0 * a)) - math.log(2.0)
''',
)
_SECH = Helper(
    "_sech",
    array='''def _sech(x: Array) -> Array:
    """1 / cosh(x), without overflow."""
    e = np.exp(-np.abs(x))
    y: Array = 2.0 * e / (1.0 + e * e)
    return y
''',
    scalar='''def _sech(x: float) -> float:
    """1 / cosh(x), without overflow."""
    e = math.exp(-abs(x))
    return 2.0 * e / (1.0 + e * e)
''',
)
_LOG1MEXP = Helper(
    "_log1mexp",
    array='''def _log1mexp(x: Array) -> Array:
    """log(1 - exp(x)), accurate near 0 and far from it."""
    near = x > -math.log(2.0)
    close = np.log(-np.expm1(np.where(near, x, -1.0)))
    y: Array = np.where(near, close, np.log1p(-np.exp(np.where(near, -1.0, x))))
    return y
''',
    scalar='''def _log1mexp(x: float) -> float:
    """log(1 - exp(x)), accurate near 0 and far from it; -inf at 0, nan above."""
    if x >= 0.0:
        return -math.inf if x == 0.0 else math.nan
    if x > -math.log(2.0):
        return math.log(-math.expm1(x))
    return math.log1p(-math.exp(x))
''',
)
_LOGEXPM1 = Helper(
    "_logexpm1",
    array='''def _logexpm1(x: Array) -> Array:
    """log(exp(x) - 1), without overflow, and accurate near 0."""
    far = x > 1.0
    high = np.where(far, x, 1.0)
    y: Array = np.where(
        far,
        high + np.log1p(-np.exp(-high)),
        np.log(np.expm1(np.where(far, 1.0, x))),
    )
    return y
''',
    scalar='''def _logexpm1(x: float) -> float:
    """log(exp(x) - 1), without overflow; -inf at 0, nan below."""
    if x > 1.0:
        return x + math.log1p(-math.exp(-x))
    if x > 0.0:
        return math.log(math.expm1(x))
    return -math.inf if x == 0.0 else math.nan
''',
)

OPS: list[Op] = [
    function(
        "logcosh",
        "tanh(x)",
        doc="log(cosh(x)), without overflow.",
        numpy="_logcosh(x)",
        scalar="_logcosh(x)",
        helper=_LOGCOSH,
        sympy="log(cosh(x))",
        range=(0.0, INF),
        cost=6.0,
        exactness=6,
    ),
    function(
        "sech",
        "-(y * tanh(x))",
        doc="1 / cosh(x), without overflow.",
        numpy="_sech(x)",
        scalar="_sech(x)",
        helper=_SECH,
        sympy="1 / cosh(x)",
        range=(0.0, 1.0),
        cost=2.0,
        exactness=6,
    ),
    function(
        "log1mexp",
        "-exp(x - y)",
        doc="log(1 - exp(x)) for negative x, accurate near 0 and far from it.",
        numpy="_log1mexp(x)",
        scalar="_log1mexp(x)",
        helper=_LOG1MEXP,
        sympy="log(1 - exp(x))",
        domain="(-oo, 0)",
        safe=Safe(0, -1.0, unless="constant(x)"),
        range=(-INF, 0.0),
        cost=6.0,
        exactness=4,
        conventions="-inf at 0 with derivative -inf",
    ),
    function(
        "logexpm1",
        "-1 / expm1(-x)",
        doc="log(exp(x) - 1) for positive x, without overflow: the inverse of softplus.",
        numpy="_logexpm1(x)",
        scalar="_logexpm1(x)",
        helper=_LOGEXPM1,
        sympy="log(exp(x) - 1)",
        domain="(0, oo)",
        safe=Safe(0, 1.0, unless="positive(x)"),
        cost=6.0,
        exactness="2 ulp of 1 + |y|",
        conventions="-inf at 0 with derivative inf",
    ),
]
