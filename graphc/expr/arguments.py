"""What a caller hands to a function of the language, made into what `build` takes.

    nodes([x, 2])            x is f32:  the 2 becomes a float32 constant
    nodes([x, n])            a size becomes a number of the dtype of x, like a Python int
    nodes([x, [1.0, 2.0]])   a list becomes an array
    shape_of((n, 2 * h))     a shape

Everything else is refused here with a GraphcError, so the functions below need no checks of kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from graphc.errors import DtypeError, LimitError, ParseError, ShapeError, printable
from graphc.expr import build
from graphc.ir.dims import MAX_SIZE, Dim, Size
from graphc.ir.leaf import size_node
from graphc.ir.node import Node
from graphc.ir.types import LONG, MAX_RANK, SHORT, dtype_named, promote

MAX_SEQUENCE = 65_536  # elements of one list


class Weak(NamedTuple):
    """A scalar made of sizes and literals, such as sqrt(n): like a Python number it takes the dtype
    of what it meets."""

    node: Node


class _Limit(NamedTuple):
    dtype: str
    largest: float
    integer: bool


_LARGEST = {
    "float32": _Limit("float32", 3.4028234663852886e38, False),
    "int32": _Limit("int32", 2**31 - 1, True),
}
Value = Any  # Node | int | float | bool | Size | Weak | nested tuples and lists of them


def node(x: Value) -> Node:
    """One value as a node."""
    return x if isinstance(x, Node) else nodes((x,))[0]


def nodes(values: Sequence[Value]) -> list[Node]:
    """Values as nodes; numbers, sizes and weak values take the dtype of the arrays beside them."""
    peers = [v.type.dtype for v in values if isinstance(v, Node)]
    if len(peers) == len(values):
        return list(values)
    if not peers:
        peers = _inner_dtypes(values)
    return [_node(v, peers, 0) for v in values]


def _inner_dtypes(values: Iterable[Value]) -> list[str]:
    """The dtypes found inside sequences; float64 where a float stands beside sizes."""
    values = list(values)
    found: list[str] = []
    for v in values:
        if isinstance(v, (tuple, list)) and not isinstance(v, Weak):
            found += [n.type.dtype for n in leaves(v) if isinstance(n, Node)]
    if found:
        return found
    floating = any(isinstance(v, (float, Weak)) for v in values)
    return ["float64"] if floating else []


def _node(value: Value, peers: list[str], depth: int) -> Node:
    if isinstance(value, Node):
        return value
    if isinstance(value, (bool, int, float)):
        return build.literal(_representable(value, peers), peers)
    if isinstance(value, Size):
        dtype = promote("bool", *peers)
        return size_node(value, "int64" if dtype == "bool" else dtype)
    if isinstance(value, Weak):
        return weak_node(value, peers)
    if hasattr(value, "_fields"):
        raise _unopened(value)
    if isinstance(value, (tuple, list)):
        return _array(value, peers, depth)
    raise DtypeError("G030", f"expected an array or a number, and was given {describe(value)}")


def _unopened(value: Value) -> DtypeError:
    """The error for a result with several parts, such as a complex array, where one array is needed."""
    fields = ", .".join(value._fields)
    return DtypeError("G030", f"expected an array, and was given {describe(value)}", hint=f"take a part: .{fields}")


def _representable(value: float, peers: Sequence[str]) -> float:
    """The number, if the dtype that it takes can hold it."""
    limit = _LARGEST.get(promote("bool", *peers))
    whole = isinstance(value, int)
    if limit is not None and abs(value) > limit.largest and (whole or not limit.integer):
        raise ParseError("G004", f"the number {value} does not fit the {limit.dtype} beside it")
    return value


def weak_node(value: Weak, peers: Sequence[str] = ()) -> Node:
    """A weak value beside arrays of these dtypes, which it never widens."""
    dtype = promote("bool", *peers)
    own = value.node.type
    adapts = dtype == "float32" if own.is_float else dtype in ("float32", "float64", "int32")
    return build.astype(value.node, dtype) if adapts else value.node


def _array(items: Sequence[Value], peers: list[str], depth: int) -> Node:
    if depth >= MAX_RANK:
        raise LimitError("G003", f"lists are nested deeper than {MAX_RANK}")
    if not items:
        return build.zeros((0,))
    writable(len(items), "elements of a list")
    return build.joined("stack", [_node(i, peers, depth + 1) for i in items], 0)


def writable(count: int, what: str) -> int:
    """A number of values or parts that are written out one by one; LimitError beyond 65,536."""
    if count > MAX_SEQUENCE:
        raise LimitError("G003", f"{count:,} {what} are over the limit of {MAX_SEQUENCE:,}")
    return count


def leaves(value: Value) -> list[Value]:
    """What stands inside nested sequences; LimitError beyond 64 levels."""
    level, found = [value], []
    for _ in range(MAX_RANK + 1):
        found += [v for v in level if isinstance(v, Weak) or not isinstance(v, (tuple, list))]
        level = [i for v in level if isinstance(v, (tuple, list)) and not isinstance(v, Weak) for i in v]
        if not level:
            return found
    raise LimitError("G003", f"lists are nested deeper than {MAX_RANK}")


def sequence(values: Value, function: str) -> list[Node]:
    """The arrays of `concatenate((a, b))`."""
    if not isinstance(values, (tuple, list)) or isinstance(values, Weak):
        raise DtypeError(
            "G030",
            f"`{function}` takes a tuple of arrays, and was given {describe(values)}",
            hint=f"write {function}((a, b))",
        )
    if hasattr(values, "_fields"):
        raise _unopened(values)
    if not values:
        raise ShapeError("G021", f"`{function}` needs at least one array")
    return nodes(values)


def dim(value: Value) -> Dim:
    """A size: an integer from 0, or a named size."""
    if isinstance(value, Size):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise ShapeError("G023", f"a size is an integer or a named size, not {describe(value)}")
    if value < 0:
        raise ShapeError("G023", f"a size is not negative, and {value} is")
    if value > MAX_SIZE:
        raise LimitError("G003", "a size must be below 2**63")
    return value


def shape_of(value: Value) -> tuple[Dim, ...]:
    """A shape: a size or a tuple of sizes."""
    given = value if isinstance(value, (tuple, list)) and not isinstance(value, Weak) else (value,)
    if len(given) > MAX_RANK:
        raise LimitError("G003", f"an array has at most {MAX_RANK} axes")
    return tuple(dim(d) for d in given)


def axis_number(value: Value, rank: int) -> int:
    """One axis, counted from 0."""
    return axes_of((value,), rank)[0]


def axes_of(value: Value, rank: int) -> tuple[int, ...]:
    """Axes as numbers from 0, in order; None means all."""
    given = value if isinstance(value, (tuple, list)) else (value,)
    for a in given if value is not None else ():
        if isinstance(a, bool) or not isinstance(a, int):
            raise ShapeError(
                "G022",
                f"an axis is an integer, not {describe(a)}",
                hint="maximum(a, b) and minimum(a, b) compare two arrays",
            )
    return build.normal_axes(value, rank)


def permutation(value: Value, rank: int) -> tuple[int, ...]:
    """The axes in a new order, each once."""
    order = (
        tuple(axis_number(a, rank) for a in value) if isinstance(value, (tuple, list)) else (axis_number(value, rank),)
    )
    if len(order) != rank or len(set(order)) != rank:
        raise ShapeError("G022", f"expected each of the {rank} axes once")
    return order


def flag(value: Value, name: str) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise DtypeError("G030", f"`{name}` is True or False, not {describe(value)}")
    return value


def whole_number(value: Value, name: str) -> int:
    """A small integer known at compile time."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise DtypeError("G030", f"`{name}` is an integer, not {describe(value)}")
    if not -1000 <= value <= 1000:
        raise LimitError("G003", f"`{name}` is out of bounds")
    return value


def dtype_of(value: Value, default: str) -> str:
    """A dtype given by name; None means the default."""
    if value is None:
        return default
    if not isinstance(value, str):
        raise DtypeError("G030", f"a dtype is float64, float32, int64, int32 or bool, not {describe(value)}")
    return dtype_named(value)


def describe(value: Value) -> str:
    """A few words for an error message."""
    if isinstance(value, Node):
        return f"an array {value.type}" if value.type.rank else f"a value {value.type}"
    if isinstance(value, (Size, Weak)):
        return f"the size {value}" if isinstance(value, Size) else "a number made of sizes"
    if value is Ellipsis:
        return "`...`"
    if isinstance(value, str):
        return f"the {'dtype' if value in LONG or value in SHORT else 'text'} {printable(value, 40)}"
    if hasattr(value, "_fields"):
        return f"a result with the parts {', '.join(value._fields)}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return printable(repr(value), 40) if isinstance(value, (bool, int, float, type(None))) else "this"
