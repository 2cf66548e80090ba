"""What the records of elementwise operations share: dtype rules, and a short way to write a function."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from graphc.errors import DtypeError
from graphc.ir.op import Attrs, Helper, Infer, Op, Safe
from graphc.ir.types import TensorType, broadcast, promote

INF = math.inf
ELEMENTWISE = frozenset({"elementwise"})
COMMUTATIVE = frozenset({"elementwise", "commutative"})
MASK = frozenset({"elementwise", "mask"})


def same(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    """Arithmetic: the promoted dtype."""
    first = types[0]
    if types.count(first) == len(types):
        return first
    return TensorType(promote(*(t.dtype for t in types)), broadcast(*(t.shape for t in types)))


def numeric(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    """Arithmetic that NumPy does not define on booleans alone."""
    result = same(types, attrs)
    if result.dtype == "bool":
        raise DtypeError(
            "G030",
            "this operation needs numbers, and was given booleans",
            hint="use logical_and, logical_or, logical_not, or where",
        )
    return result


def floating(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    """Functions: integers and booleans become float64."""
    result = same(types, attrs)
    return result if result.is_float else result.with_dtype("float64")


def rounding(name: str) -> Callable[[Sequence[TensorType], Attrs], str]:
    """Integers are whole already; NumPy before 2.1 made floats of them."""
    return lambda types, attrs: f"np.{name}(x)" if types[0].is_float else "+x"


def boolean(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    return TensorType("bool", broadcast(*(t.shape for t in types)))


def logical(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    for t in types:
        if t.dtype != "bool":
            raise DtypeError(
                "G030", f"logic needs booleans, and was given {t}", hint="compare first: (x > 0) & (y > 0)"
            )
    return boolean(types, attrs)


def chosen(types: Sequence[TensorType], attrs: Attrs) -> TensorType:
    if types[0].dtype != "bool":
        raise DtypeError(
            "G030",
            f"the condition of where must be boolean, not {types[0]}",
            hint="compare it with something: where(x > 0, ...)",
        )
    return TensorType(promote(types[1].dtype, types[2].dtype), broadcast(*(t.shape for t in types)))


def where_text(types: Sequence[TensorType], attrs: Attrs) -> str:
    """A choice between numbers is Python's, which computes one of them; a literal must not widen it."""
    if any(t.rank for t in types):
        return "np.where(c, a, b)"
    single = promote(types[1].dtype, types[2].dtype) == "float32"
    return "np.float32(a if c else b)" if single else "a if c else b"


def astype_text(types: Sequence[TensorType], attrs: Attrs) -> str:
    dtype = "np.bool_" if attrs["dtype"] == "bool" else f"np.{attrs['dtype']}"
    if types[0].rank:
        return f"x.astype({dtype})"
    return f"{dtype}(x)" if attrs["dtype"].startswith("float") else f"np.asarray(x).astype({dtype})"


def guarded(name: str, call: str, doc: str, error: str, otherwise: str) -> Helper:
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


def function(
    name: str,
    partial: str | None,
    *,
    doc: str,
    scalar: str | None = None,
    helper: Helper | None = None,
    numpy: str | None = None,
    sympy: str | None = None,
    domain: str = "(-oo, oo)",
    safe: Safe | None = None,
    range: tuple[float, float] | None = None,
    cost: float = 1.0,
    infer: Infer = floating,
    plain: tuple[str, str] | None = None,
    spelling: str | None = None,
    exactness: float | str = 0.0,
    conventions: str = "",
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
        safe=safe,
        range=range,
        traits=ELEMENTWISE,
        cost=cost,
        exactness=exactness,
        conventions=conventions,
    )
