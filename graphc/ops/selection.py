"""Choosing and comparing, element by element.

The values at kinks are the minimum-norm element of the subdifferential (Rockafellar, "Convex
Analysis", section 23).
"""

from __future__ import annotations

from graphc.ir.op import Helper, Op
from graphc.ops.elementwise import (
    COMMUTATIVE,
    ELEMENTWISE,
    MASK,
    astype_text,
    boolean,
    chosen,
    floating,
    logical,
    numeric,
    where_text,
)

_MAX = Helper(
    "_max",
    scalar='''def _max(a: float, b: float) -> float:
    """The larger one; nan if either is."""
    return a if a > b or a != a else b
''',
)
_MIN = Helper(
    "_min",
    scalar='''def _min(a: float, b: float) -> float:
    """The smaller one; nan if either is."""
    return a if a < b or a != a else b
''',
)


def _selection() -> list[Op]:
    return [
        Op(
            "maximum",
            ("a", "b"),
            numeric,
            "np.maximum(a, b)",
            "The larger one.",
            scalar="_max(a, b)",
            helpers=(_MAX,),
            partials=("wins(a > b, a, b)", "wins(b > a, a, b)"),
            sympy="Max(a, b)",
            traits=COMMUTATIVE,
            cost=0.3,
            formula="to the larger one",
            conventions="half each at a tie of two variables, 0 at a tie with a constant",
        ),
        Op(
            "minimum",
            ("a", "b"),
            numeric,
            "np.minimum(a, b)",
            "The smaller one.",
            scalar="_min(a, b)",
            helpers=(_MIN,),
            partials=("wins(a < b, a, b)", "wins(b < a, a, b)"),
            sympy="Min(a, b)",
            traits=COMMUTATIVE,
            cost=0.3,
            formula="to the smaller one",
            conventions="half each at a tie of two variables, 0 at a tie with a constant",
        ),
        Op(
            "clip",
            ("x",),
            floating,
            "np.clip(x, lo, hi)",
            "x kept between two constants.",
            attrs=("lo", "hi"),
            spelling="clip(x, lo, hi)",
            partials=("inside(x, lo, hi)",),
            scalar="_clip(x, lo, hi)",
            helpers=(
                Helper(
                    "_clip",
                    scalar='''def _clip(x: float, lo: float, hi: float) -> float:
    """x kept between lo and hi; nan stays nan."""
    return lo if x < lo else hi if x > hi else x
''',
                ),
            ),
            sympy="Min(Max(x, lo), hi)",
            traits=ELEMENTWISE,
            cost=0.6,
            formula="to x where lo < x < hi",
            conventions="derivative 0 at lo and at hi",
        ),
        Op(
            "where",
            ("c", "a", "b"),
            chosen,
            where_text,
            "a where c is true, else b.",
            scalar="a if c else b",
            partials=(None, "c", "~c"),
            sympy="Piecewise((a, c), (b, True))",
            traits=ELEMENTWISE,
            cost=1.0,
            conventions="of the branch taken only: the other one may be inf or nan",
        ),
    ]


def _logic() -> list[Op]:
    comparisons = {
        "less": ("<", "Lt"),
        "less_equal": ("<=", "Le"),
        "greater": (">", "Gt"),
        "greater_equal": (">=", "Ge"),
        "equal": ("==", "Eq"),
        "not_equal": ("!=", "Ne"),
    }
    return [
        *(
            Op(
                name,
                ("a", "b"),
                boolean,
                f"a {sign} b",
                f"Whether a {sign} b.",
                scalar=f"a {sign} b",
                spelling=f"a {sign} b",
                partials=(None, None),
                sympy=f"{sympy}(a, b)",
                traits=MASK,
                cost=0.3,
                conventions="derivative 0 everywhere",
            )
            for name, (sign, sympy) in comparisons.items()
        ),
        Op(
            "logical_and",
            ("a", "b"),
            logical,
            "a & b",
            "Both.",
            scalar="a and b",
            spelling="a & b",
            partials=(None, None),
            sympy="And(a, b)",
            traits=MASK | {"commutative"},
            cost=0.1,
        ),
        Op(
            "logical_or",
            ("a", "b"),
            logical,
            "a | b",
            "Either or both.",
            scalar="a or b",
            spelling="a | b",
            partials=(None, None),
            sympy="Or(a, b)",
            traits=MASK | {"commutative"},
            cost=0.1,
        ),
        Op(
            "logical_xor",
            ("a", "b"),
            logical,
            "a ^ b",
            "One but not both.",
            scalar="a is not b",
            partials=(None, None),
            sympy="Xor(a, b)",
            traits=MASK | {"commutative"},
            cost=0.1,
        ),
        Op(
            "logical_not",
            ("x",),
            logical,
            lambda types, attrs: "~x" if types[0].rank else "not x",  # ~True is -2
            "The opposite.",
            scalar="not x",
            spelling="~x",
            partials=(None,),
            sympy="Not(x)",
            traits=MASK,
            cost=0.1,
        ),
    ]


def _cast() -> list[Op]:
    return [
        Op(
            "astype",
            ("x",),
            lambda types, attrs: types[0].with_dtype(attrs["dtype"]),
            astype_text,
            "The same values in another dtype.",
            attrs=("dtype",),
            spelling=lambda types, attrs: f"astype(x, {attrs['dtype']})",
            adjoint=lambda e, node, ct, i: e.astype(ct, node.args[0].type.dtype) if node.type.is_float else None,
            formula="dx = dy in the dtype of x; nothing through integers",
            traits=frozenset({"cast", "linear"}),
            cost=0.5,
            exactness=0.5,
        ),
        Op(
            "stop_gradient",
            ("x",),
            lambda types, attrs: types[0],
            "x",
            "x, and no gradient through it.",
            scalar="x",
            partials=(None,),
            sympy="x",
            traits=ELEMENTWISE | {"view"},
            cost=0.0,
            conventions="derivative 0 everywhere",
        ),
    ]


OPS: list[Op] = [*_selection(), *_logic(), *_cast()]
