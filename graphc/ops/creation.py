"""Arrays made from sizes alone."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.ir.op import Attrs, Op
from graphc.ir.types import TensorType


def _dtype(attrs: Attrs) -> str:
    return "" if attrs["dtype"] == "float64" else ", dtype=" + numpy_dtype(attrs["dtype"])


def numpy_dtype(dtype: str) -> str:
    return "np.bool_" if dtype == "bool" else f"np.{dtype}"


def _eye_text(types: Sequence[TensorType], attrs: Attrs) -> str:
    return f"np.eye(n{_dtype(attrs)})" if attrs["n"] == attrs["m"] else f"np.eye(n, m{_dtype(attrs)})"


def _full(name: str) -> Op:
    return Op(
        name,
        (),
        lambda types, attrs: TensorType(attrs["dtype"], attrs["shape"]),
        lambda types, attrs: f"np.{name}(shape{_dtype(attrs)})",
        f"An array of {name}.",
        attrs=("shape", "dtype"),
        spelling=f"{name}(shape)",
        traits=frozenset({"creation"}),
        cost=0.2,
    )


OPS: list[Op] = [
    _full("zeros"),
    _full("ones"),
    Op(
        "arange",
        (),
        lambda types, attrs: TensorType(attrs["dtype"], (attrs["n"],)),
        lambda types, attrs: (
            "np.arange(n)" if attrs["dtype"] == "int64" else f"np.arange(n{_dtype(attrs) or ', dtype=np.float64'})"
        ),
        "0, 1, ..., n - 1.",
        attrs=("n", "dtype"),
        spelling="arange(n)",
        traits=frozenset({"creation"}),
    ),
    Op(
        "eye",
        (),
        lambda types, attrs: TensorType(attrs["dtype"], (attrs["n"], attrs["m"])),
        _eye_text,
        "The identity matrix.",
        attrs=("n", "m", "dtype"),
        spelling=lambda types, attrs: "eye(n)" if attrs["n"] == attrs["m"] else "eye(n, m)",
        traits=frozenset({"creation"}),
    ),
]
