"""Operations on whole numbers: their bits, and divisors. None has a derivative.

bitwise_and(a, b)   a & b        left_shift(a, b)   a << b
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.errors import DtypeError
from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType
from graphc.ops.elementwise import same

INTEGER = frozenset({"integer"})


def whole(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    """Integers, or integers and booleans: the promoted dtype."""
    result = same(types, attrs)
    if result.dtype not in ("int64", "int32"):
        shown = " and ".join(map(str, types))
        raise DtypeError("G030", f"this operation needs integers, and was given {shown}")
    return result


def _operator(name: str, sign: str, doc: str) -> Op:
    return Op(
        name, ("a", "b"), whole, f"np.{name}(a, b)", doc, spelling=f"a {sign} b" if sign else None, traits=INTEGER
    )


OPS: list[Op] = [
    _operator("bitwise_and", "&", "The bits that both have."),
    _operator("bitwise_or", "|", "The bits that either has."),
    _operator("bitwise_xor", "", "The bits that one has and not both."),
    Op("invert", ("x",), whole, "np.invert(x)", "The opposite of every bit: -x - 1.", spelling="~x", traits=INTEGER),
    _operator("left_shift", "", "a * 2**b."),
    _operator("right_shift", "", "floor(a / 2**b)."),
    _operator("gcd", "", "The greatest common divisor."),
    _operator("lcm", "", "The least common multiple."),
]
