"""Elementwise operations: arithmetic, functions, comparisons, selection.

Each record states local partial derivatives as formulas over the output `y` and the arguments, so
that the backward pass reuses what the forward pass computed. A partial that is a comparison is a
mask: it lets the cotangent through where it is true and gives an exact zero elsewhere.

Sources: G. H. Hardy, "A Course of Pure Mathematics" for the derivatives; the values at kinks are
the minimum-norm element of the subdifferential (Rockafellar, "Convex Analysis", section 23).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from graphc.errors import DtypeError
from graphc.ir.op import Attrs, Helper, Infer, Op
from graphc.ir.types import TensorType, broadcast, promote

_INF = math.inf
_ELEMENTWISE = frozenset({"elementwise"})
_COMMUTATIVE = frozenset({"elementwise", "commutative"})
_MASK = frozenset({"elementwise", "mask"})


def _shape(types: Sequence[TensorType]) -> tuple[object, ...]:
    return broadcast(*(t.shape for t in types))


def _same(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    """Arithmetic: the promoted dtype."""
    return TensorType(promote(*(t.dtype for t in types)), broadcast(*(t.shape for t in types)))


def _numeric(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    """Arithmetic that NumPy does not define on booleans alone."""
    result = _same(types, attrs)
    if result.dtype == "bool":
        raise DtypeError(
            "G030",
            "this operation needs numbers, and was given booleans",
            hint="use logical_and, logical_or, logical_not, or where",
        )
    return result


def _float(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    """Functions: integers and booleans become float64."""
    result = _same(types, attrs)
    return result if result.is_float else result.with_dtype("float64")


def _rounding(name: str) -> Callable[[Sequence[TensorType], Attrs], str]:
    """Integers are whole already; NumPy before 2.1 made floats of them."""
    return lambda types, attrs: f"np.{name}(x)" if types[0].is_float else "+x"


def _bool(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return TensorType("bool", broadcast(*(t.shape for t in types)))


def _logical(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    for t in types:
        if t.dtype != "bool":
            raise DtypeError(
                "G030", f"logic needs booleans, and was given {t}", hint="compare first: (x > 0) & (y > 0)"
            )
    return _bool(types, attrs)


def _where(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    if types[0].dtype != "bool":
        raise DtypeError(
            "G030",
            f"the condition of where must be boolean, not {types[0]}",
            hint="compare it with something: where(x > 0, ...)",
        )
    return TensorType(promote(types[1].dtype, types[2].dtype), broadcast(*(t.shape for t in types)))


def _astype_text(types: Sequence[TensorType], attrs: Attrs) -> str:
    dtype = "np.bool_" if attrs["dtype"] == "bool" else f"np.{attrs['dtype']}"
    if types[0].rank:
        return f"x.astype({dtype})"
    return f"{dtype}(x)" if attrs["dtype"].startswith("float") else f"np.asarray(x).astype({dtype})"


def _guarded(name: str, call: str, doc: str, error: str, otherwise: str) -> Helper:
    """A scalar function that answers what NumPy answers where `math` raises."""
    return Helper(
        name,
        scalar=f'''def {name}(x: float) -> float:
    """{doc}"""
    try:
        return {call}
    except {error}:
        return {otherwise}
''',
    )


def _function(
    name: str,
    partial: str | None,
    *,
    doc: str,
    scalar: str | None = None,
    helper: Helper | None = None,
    numpy: str | None = None,
    sympy: str | None = None,
    domain: str = "(-oo, oo)",
    range: tuple[float, float] | None = None,
    cost: float = 1.0,
    infer: Infer = _float,
    plain: tuple[str, str] | None = None,
    spelling: str | None = None,
) -> Op:
    """A function of one argument; `numpy.NAME` and `NAME` of SymPy unless told otherwise."""
    return Op(
        name,
        ("x",),
        infer,
        numpy or f"np.{name}(x)",
        doc,
        scalar=scalar,
        plain=plain,
        spelling=spelling,
        helpers=() if helper is None else (helper,),
        partials=(partial,),
        sympy=sympy or f"{name}(x)",
        domain=(domain,),
        range=range,
        traits=_ELEMENTWISE,
        cost=cost,
    )


_DIV = Helper(
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
_SIGN = Helper(
    "_sign",
    scalar='''def _sign(x: float) -> float:
    """-1, 0 or 1; nan for nan."""
    if x == 0.0 or x != x:
        return abs(x)
    return math.copysign(1.0, x)
''',
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
_LOG = Helper(
    "_log",
    scalar='''def _log(x: float) -> float:
    """log(x); -inf at 0, nan below."""
    if x > 0.0:
        return math.log(x)
    return -math.inf if x == 0.0 else math.nan
''',
)
_LOG1P = Helper(
    "_log1p",
    scalar='''def _log1p(x: float) -> float:
    """log(1 + x); -inf at -1, nan below."""
    if x > -1.0:
        return math.log1p(x)
    return -math.inf if x == -1.0 else math.nan
''',
)
_SQRT = Helper(
    "_sqrt",
    scalar='''def _sqrt(x: float) -> float:
    """The square root; nan below 0."""
    return math.sqrt(x) if x >= 0.0 else math.nan
''',
)
_FLOOR = '''def {name}(x: float) -> float:
    """{name}; inf and nan stay what they are."""
    return math.copysign({call}, x) if math.isfinite(x) else x
'''


def _arithmetic() -> list[Op]:
    return [
        Op(
            "add",
            ("a", "b"),
            _same,
            "a + b",
            "Sum.",
            scalar="a + b",
            update="a += b",
            spelling="a + b",
            partials=("1", "1"),
            sympy="a + b",
            traits=_COMMUTATIVE | {"linear"},
            cost=0.3,
        ),
        Op(
            "subtract",
            ("a", "b"),
            _numeric,
            "a - b",
            "Difference.",
            scalar="a - b",
            update="a -= b",
            spelling="a - b",
            partials=("1", "-1"),
            sympy="a - b",
            traits=_ELEMENTWISE | {"linear"},
            cost=0.3,
        ),
        Op(
            "multiply",
            ("a", "b"),
            _same,
            "a * b",
            "Product.",
            scalar="a * b",
            update="a *= b",
            spelling="a * b",
            partials=("b", "a"),
            sympy="a * b",
            traits=_COMMUTATIVE,
            cost=0.3,
        ),
        Op(
            "divide",
            ("a", "b"),
            _float,
            "a / b",
            "Quotient.",
            scalar="_div(a, b)",
            update="a /= b",
            plain=("nonzero", "a / b"),
            spelling="a / b",
            helpers=(_DIV,),
            partials=("1 / b", "-(1 / b) * y"),
            sympy="a / b",
            domain=("(-oo, oo)", "nonzero"),
            traits=_ELEMENTWISE,
            cost=0.4,
        ),
        Op(
            "power",
            ("a", "b"),
            _numeric,
            "a**b",
            "Power.",
            scalar="_pow(a, b)",
            spelling="a**b",
            helpers=(_POW,),
            partials=("power_slope(a, b)", "where(a == 0, 0, y * log(a))"),
            sympy="a**b",
            domain=("(0, oo)", "(-oo, oo)"),
            traits=_ELEMENTWISE,
            cost=15.0,
            formula="da = b * a**(b - 1), db = a**b * log(a)",
        ),
        Op(
            "negative",
            ("x",),
            _numeric,
            "-x",
            "The opposite.",
            scalar="-x",
            spelling="-x",
            partials=("-1",),
            sympy="-x",
            traits=_ELEMENTWISE | {"linear"},
            cost=0.3,
        ),
        _function(
            "absolute",
            "sign(x)",
            doc="Absolute value; its derivative at 0 is 0.",
            numpy="np.abs(x)",
            scalar="abs(x)",
            sympy="Abs(x)",
            range=(0.0, _INF),
            cost=0.3,
            infer=_numeric,
        ),
        _function(
            "sign",
            None,
            doc="-1, 0 or 1; its derivative is 0.",
            scalar="_sign(x)",
            helper=_SIGN,
            range=(-1.0, 1.0),
            infer=_numeric,
        ),
        _function(
            "square",
            "2 * x",
            doc="x * x.",
            numpy="x**2",
            spelling="x**2",
            scalar="x * x",
            sympy="x**2",
            range=(0.0, _INF),
            cost=0.3,
            infer=_numeric,
        ),
        _function(
            "sqrt",
            "root_slope(x, y)",
            doc="Square root; its derivative at 0 is inf, and 0 where it is a norm.",
            scalar="_sqrt(x)",
            helper=_SQRT,
            plain=("nonnegative", "math.sqrt(x)"),
            domain="[0, oo)",
            range=(0.0, _INF),
            cost=1.3,
        ),
        _function(
            "reciprocal",
            "-(y * y)",
            doc="1 / x.",
            numpy="1.0 / x",
            scalar="_div(1.0, x)",
            helper=_DIV,
            plain=("nonzero", "1.0 / x"),
            sympy="1/x",
            domain="nonzero",
            cost=0.4,
        ),
    ]


def _functions() -> list[Op]:
    inf, nan = "math.inf", "math.nan"
    over, bad = "OverflowError", "ValueError"
    exp = _guarded("_exp", "math.exp(x)", "exp(x); inf beyond the largest float.", over, inf)
    expm1 = _guarded("_expm1", "math.expm1(x)", "exp(x) - 1; inf beyond the largest float.", over, inf)
    sin = _guarded("_sin", "math.sin(x)", "sin(x); nan at infinity.", bad, nan)
    cos = _guarded("_cos", "math.cos(x)", "cos(x); nan at infinity.", bad, nan)
    tan = _guarded("_tan", "math.tan(x)", "tan(x); nan at infinity.", bad, nan)
    asin = _guarded("_arcsin", "math.asin(x)", "arcsin(x); nan outside [-1, 1].", bad, nan)
    acos = _guarded("_arccos", "math.acos(x)", "arccos(x); nan outside [-1, 1].", bad, nan)
    sinh = _guarded(
        "_sinh", "math.sinh(x)", "sinh(x); infinite beyond the largest float.", over, "math.copysign(math.inf, x)"
    )
    cosh = _guarded("_cosh", "math.cosh(x)", "cosh(x); inf beyond the largest float.", over, inf)
    return [
        _function(
            "exp",
            "y",
            doc="Exponential.",
            scalar="_exp(x)",
            helper=exp,
            range=(0.0, _INF),
            plain=("nonpositive", "math.exp(x)"),
            cost=0.9,
        ),
        _function(
            "expm1",
            "exp(x)",
            doc="exp(x) - 1, accurate near 0.",
            scalar="_expm1(x)",
            helper=expm1,
            sympy="exp(x) - 1",
            range=(-1.0, _INF),
            plain=("nonpositive", "math.expm1(x)"),
            cost=1.2,
        ),
        _function(
            "log",
            "1 / x",
            doc="Natural logarithm.",
            scalar="_log(x)",
            helper=_LOG,
            plain=("positive", "math.log(x)"),
            domain="(0, oo)",
            cost=1.0,
        ),
        _function(
            "log1p",
            "1 / (1 + x)",
            doc="log(1 + x), accurate near 0.",
            scalar="_log1p(x)",
            helper=_LOG1P,
            plain=("nonnegative", "math.log1p(x)"),
            sympy="log(1 + x)",
            domain="(-1, oo)",
            cost=1.2,
        ),
        _function("sin", "cos(x)", doc="Sine.", scalar="_sin(x)", helper=sin, range=(-1.0, 1.0), cost=8.3),
        _function("cos", "-sin(x)", doc="Cosine.", scalar="_cos(x)", helper=cos, range=(-1.0, 1.0), cost=8.3),
        _function("tan", "1 + y * y", doc="Tangent.", scalar="_tan(x)", helper=tan, cost=10.0),
        _function(
            "arcsin",
            "1 / sqrt((1 - x) * (1 + x))",
            doc="Inverse sine.",
            scalar="_arcsin(x)",
            helper=asin,
            sympy="asin(x)",
            domain="[-1, 1]",
            range=(-math.pi / 2, math.pi / 2),
            cost=8.0,
        ),
        _function(
            "arccos",
            "-1 / sqrt((1 - x) * (1 + x))",
            doc="Inverse cosine.",
            scalar="_arccos(x)",
            helper=acos,
            sympy="acos(x)",
            domain="[-1, 1]",
            range=(0.0, math.pi),
            cost=8.0,
        ),
        _function(
            "arctan",
            "1 / (1 + x * x)",
            doc="Inverse tangent.",
            scalar="math.atan(x)",
            sympy="atan(x)",
            range=(-math.pi / 2, math.pi / 2),
            cost=8.0,
        ),
        _function("sinh", "cosh(x)", doc="Hyperbolic sine.", scalar="_sinh(x)", helper=sinh, cost=4.0),
        _function(
            "cosh", "sinh(x)", doc="Hyperbolic cosine.", scalar="_cosh(x)", helper=cosh, range=(1.0, _INF), cost=4.0
        ),
        _function("tanh", "1 - y * y", doc="Hyperbolic tangent.", scalar="math.tanh(x)", range=(-1.0, 1.0), cost=1.9),
        _function(
            "sigmoid",
            "y * (1 - y)",
            doc="1 / (1 + exp(-x)), without overflow.",
            numpy="_sigmoid(x)",
            scalar="_sigmoid(x)",
            helper=_SIGMOID,
            sympy="1/(1 + exp(-x))",
            range=(0.0, 1.0),
            cost=2.0,
        ),
        _function(
            "softplus",
            "sigmoid(x)",
            doc="log(1 + exp(x)), without overflow.",
            numpy="_softplus(x)",
            scalar="_softplus(x)",
            helper=_SOFTPLUS,
            sympy="log(1 + exp(x))",
            range=(0.0, _INF),
            cost=3.0,
        ),
        _function(
            "relu",
            "y > 0",
            doc="maximum(x, 0); its derivative at 0 is 0.",
            numpy="np.maximum(x, 0.0)",
            scalar="_max(x, 0.0)",
            helper=_MAX,
            sympy="Max(x, 0)",
            range=(0.0, _INF),
            cost=0.3,
        ),
        Op(
            "floor",
            ("x",),
            _numeric,
            _rounding("floor"),
            "Round down; its derivative is 0.",
            scalar="_floor(x)",
            helpers=(Helper("_floor", scalar=_FLOOR.format(name="_floor", call="math.floor(x)")),),
            partials=(None,),
            sympy="floor(x)",
            traits=_ELEMENTWISE,
        ),
        Op(
            "ceil",
            ("x",),
            _numeric,
            _rounding("ceil"),
            "Round up; its derivative is 0.",
            scalar="_ceil(x)",
            helpers=(Helper("_ceil", scalar=_FLOOR.format(name="_ceil", call="math.ceil(x)")),),
            partials=(None,),
            sympy="ceiling(x)",
            traits=_ELEMENTWISE,
        ),
        Op(
            "rint",
            ("x",),
            _float,
            "np.rint(x)",
            "Round to the nearest integer, halves to even; its derivative is 0.",
            scalar="_rint(x)",
            helpers=(Helper("_rint", scalar=_FLOOR.format(name="_rint", call="round(x)")),),
            partials=(None,),
            traits=_ELEMENTWISE,
        ),
    ]


def _selection() -> list[Op]:
    return [
        Op(
            "maximum",
            ("a", "b"),
            _numeric,
            "np.maximum(a, b)",
            "The larger one; a tie of two variables is shared.",
            scalar="_max(a, b)",
            helpers=(_MAX,),
            partials=("wins(a > b, a, b)", "wins(b > a, a, b)"),
            sympy="Max(a, b)",
            traits=_COMMUTATIVE,
            cost=0.3,
            formula="to the larger one; half each at a tie; 0 at a tie with a constant",
        ),
        Op(
            "minimum",
            ("a", "b"),
            _numeric,
            "np.minimum(a, b)",
            "The smaller one; a tie of two variables is shared.",
            scalar="_min(a, b)",
            helpers=(_MIN,),
            partials=("wins(a < b, a, b)", "wins(b < a, a, b)"),
            sympy="Min(a, b)",
            traits=_COMMUTATIVE,
            cost=0.3,
            formula="to the smaller one; half each at a tie; 0 at a tie with a constant",
        ),
        Op(
            "clip",
            ("x",),
            _float,
            "np.clip(x, lo, hi)",
            "x kept between two constants; the derivative at them is 0.",
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
            traits=_ELEMENTWISE,
            cost=0.6,
            formula="to x where lo < x < hi, else 0",
        ),
        Op(
            "where",
            ("c", "a", "b"),
            _where,
            "np.where(c, a, b)",
            "a where c is true, else b.",
            scalar="a if c else b",
            partials=(None, "c", "~c"),
            sympy="Piecewise((a, c), (b, True))",
            traits=_ELEMENTWISE,
            cost=1.0,
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
                _bool,
                f"a {sign} b",
                f"Whether a {sign} b.",
                scalar=f"a {sign} b",
                spelling=f"a {sign} b",
                partials=(None, None),
                sympy=f"{sympy}(a, b)",
                traits=_MASK,
                cost=0.3,
            )
            for name, (sign, sympy) in comparisons.items()
        ),
        Op(
            "logical_and",
            ("a", "b"),
            _logical,
            "a & b",
            "Both.",
            scalar="a and b",
            spelling="a & b",
            partials=(None, None),
            sympy="And(a, b)",
            traits=_MASK | {"commutative"},
            cost=0.1,
        ),
        Op(
            "logical_or",
            ("a", "b"),
            _logical,
            "a | b",
            "Either or both.",
            scalar="a or b",
            spelling="a | b",
            partials=(None, None),
            sympy="Or(a, b)",
            traits=_MASK | {"commutative"},
            cost=0.1,
        ),
        Op(
            "logical_xor",
            ("a", "b"),
            _logical,
            "a ^ b",
            "One but not both.",
            scalar="a is not b",
            partials=(None, None),
            sympy="Xor(a, b)",
            traits=_MASK | {"commutative"},
            cost=0.1,
        ),
        Op(
            "logical_not",
            ("x",),
            _logical,
            "~x",
            "The opposite.",
            scalar="not x",
            spelling="~x",
            partials=(None,),
            sympy="Not(x)",
            traits=_MASK,
            cost=0.1,
        ),
    ]


def _cast() -> list[Op]:
    return [
        Op(
            "astype",
            ("x",),
            lambda types, attrs: types[0].with_dtype(attrs["dtype"]),
            _astype_text,
            "The same values in another dtype.",
            attrs=("dtype",),
            spelling=lambda types, attrs: f"astype(x, {attrs['dtype']})",
            adjoint=lambda e, node, ct, i: e.astype(ct, node.args[0].type.dtype) if node.type.is_float else None,
            traits=frozenset({"cast", "linear"}),
            cost=0.5,
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
            traits=_ELEMENTWISE | {"view"},
            cost=0.0,
        ),
    ]


OPS: list[Op] = [*_arithmetic(), *_functions(), *_selection(), *_logic(), *_cast()]
