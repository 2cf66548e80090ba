"""Products with logarithms: their limit where the factor is 0.

    xlogy(x, y)               x * log(y)         0 where x is, and 0 for y
    relative_entropy(x, y)    x * log(x / y)     0 where x is

Rules make them of products with logarithms; the first is a function of the language.
"""

from __future__ import annotations

from graphc.ir.op import Helper, Op, Safe
from graphc.ops.arithmetic import DIV
from graphc.ops.elementwise import ELEMENTWISE, floating
from graphc.ops.functions import LOG, LOG1P

_XLOGY = '''def {name}(x: Array, y: Array) -> Array:
    """x * {log}; 0 where x is 0, whatever y is."""
    zero = (x == 0.0) & (y == y)
    out: Array = np.where(zero, x, x * np.{op}(np.where(zero, {one}, y)))
    return out
'''
_XLOGY_SCALAR = '''def {name}(x: float, y: float) -> float:
    """x * {log}; 0 where x is 0, whatever y is."""
    return x if x == 0.0 and y == y else x * _{op}(y)
'''
_RELATIVE_ENTROPY = Helper(
    "_relative_entropy",
    array='''def _relative_entropy(x: Array, y: Array) -> Array:
    """x * log(x / y); 0 where x is 0, whatever y is."""
    zero = (x == 0.0) & (y == y)
    a, b = np.where(zero, 1.0, x), np.where(zero, 1.0, y)
    near = np.abs(a - b) < 0.5 * b
    close = np.log1p((np.where(near, a, b) - b) / b)
    out: Array = np.where(zero, x, x * np.where(near, close, np.log(a / b)))
    return out
''',
    scalar='''def _relative_entropy(x: float, y: float) -> float:
    """x * log(x / y); 0 where x is 0, whatever y is."""
    if x == 0.0 and y == y:
        return x
    if abs(x - y) < 0.5 * y:
        return x * math.log1p((x - y) / y)
    return x * _log(_div(x, y))
''',
)


def _times_logarithm(name: str, op: str, log: str, one: float, slope: str, guard: Helper) -> Op:
    """x * log(y) with its limit where x is 0."""
    words = {"name": f"_{name}", "op": op, "log": log, "one": one}
    helper = Helper(f"_{name}", array=_XLOGY.format(**words), scalar=_XLOGY_SCALAR.format(**words))
    return Op(
        name,
        ("x", "y_"),
        floating,
        f"_{name}(x, y_)",
        f"x * {log}.",
        scalar=f"_{name}(x, y_)",
        helpers=(guard, helper),
        partials=(f"{op}(y_)", slope),
        sympy=f"x*{log}".replace("y", "y_"),
        domain=("(-oo, oo)", "(0, oo)" if one else "(-1, oo)"),
        safe=Safe(1, one, unless="positive(y_)" if one else "nonnegative(y_)"),
        traits=ELEMENTWISE,
        cost=2.5,
        exactness=4,
        conventions="0 where x is 0 whatever y is, with derivative 0 for y",
    )


OPS: list[Op] = [
    _times_logarithm("xlogy", "log", "log(y)", 1.0, "ratio_of_zero(x, y_)", LOG),
    _times_logarithm("xlog1py", "log1p", "log(1 + y)", 0.0, "ratio_of_zero(x, 1 + y_)", LOG1P),
    Op(
        "relative_entropy",
        ("x", "y_"),
        floating,
        "_relative_entropy(x, y_)",
        "x * log(x / y).",
        scalar="_relative_entropy(x, y_)",
        helpers=(DIV, LOG, _RELATIVE_ENTROPY),
        partials=("1 + log(x / y_)", "-ratio_of_zero(x, y_)"),
        sympy="x*log(x/y_)",
        domain=("(0, oo)", "(0, oo)"),
        safe=Safe(1, 1.0, unless="positive(y_)"),
        traits=ELEMENTWISE,
        cost=4.0,
        exactness=4,
        conventions="0 where x is 0 whatever y is, with derivative 0 for y",
    ),
]
