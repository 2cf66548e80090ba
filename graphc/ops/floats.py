"""How floating-point numbers are written: exponents, the gaps between them, the next ones.

    mantissa(12.0)   0.75        exponent(12.0)        4, since 12 = 0.75 * 2**4
    spacing(1.0)     2.2e-16     nextafter(1.0, 2.0)   1 + 2.2e-16

As functions of real numbers an exponent and a gap are constant almost everywhere: they have no derivative. A mantissa
has the slope 2**-exponent, and the next number is the number itself, to rounding: it has the slope 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.ir.op import Attrs, Helper, Op
from graphc.ir.types import TensorType
from graphc.ops.elementwise import ELEMENTWISE, floating

_SPACING = Helper(
    "_spacing",
    scalar='''def _spacing(x: float) -> float:
    """The distance to the next float away from 0, with the sign of x; nan at infinity."""
    return math.nextafter(x, -math.inf if x < 0.0 else math.inf) - x
''',
)


def _whole(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return types[0].with_dtype("int32")


OPS: list[Op] = [
    Op(
        "mantissa",
        ("x",),
        floating,
        "np.frexp(x)[0]",
        "The m of x = m * 2**e with 1/2 <= |m| < 1.",
        scalar="math.frexp(x)[0]",
        spelling="frexp(x)[0]",
        partials=("where(x == 0, 1, y / x)",),
        traits=ELEMENTWISE,
        cost=2.0,
        formula="dx = dy * y / x",
        conventions="x at 0, inf and nan, with derivative 1 at 0; at a jump the derivative of the piece away from 0",
        label="m",
    ),
    Op(
        "exponent",
        ("x",),
        _whole,
        "np.frexp(x)[1]",
        "The least e with |x| < 2**e.",
        scalar="math.frexp(x)[1]",
        spelling="frexp(x)[1]",
        partials=(None,),
        traits=ELEMENTWISE,
        cost=2.0,
        conventions="0 at 0, inf and nan; derivative 0 everywhere",
        label="exponent",
    ),
    Op(
        "spacing",
        ("x",),
        floating,
        "np.spacing(x)",
        "The distance to the next float away from 0, with the sign of x.",
        scalar="_spacing(x)",
        helpers=(_SPACING,),
        partials=(None,),
        traits=ELEMENTWISE,
        cost=2.0,
        conventions="nan at inf; derivative 0 everywhere",
        label="gap",
    ),
    Op(
        "nextafter",
        ("a", "b"),
        floating,
        "np.nextafter(a, b)",
        "The next float after a on the way to b.",
        scalar="math.nextafter(a, b)",
        partials=("1", None),
        traits=ELEMENTWISE,
        cost=4.0,
        conventions="b where a is b; derivative that of a everywhere",
        label="next",
    ),
]
