"""What is known of a value before the program runs: an interval that holds it.

    exp(x)          (0, inf)  closed:  0 can be reached by underflow
    1 + x * x       [1, inf)
    sigmoid(x)      [0, 1]

The intervals are of floating-point results, not of real ones: exp underflows to 0, so `positive`
is not known of it, `nonnegative` is. NaN is always possible and is not spoken of.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from weakref import WeakKeyDictionary

import numpy as np

from graphc.ir.dims import at_least
from graphc.ir.leaf import constant_value
from graphc.ir.node import Node, topological

Interval = tuple[float, float]
ANY: Interval = (-math.inf, math.inf)
_known: WeakKeyDictionary[Node, Interval] = WeakKeyDictionary()


def interval(node: Node) -> Interval:
    """The closed interval in which every element of `node` lies, if it is not NaN."""
    if node not in _known:
        todo = [node] if all(a in _known for a in node.args) else topological([node])
        for n in todo:
            if n not in _known:
                _known[n] = _interval(n)
    return _known[node]


def _interval(node: Node) -> Interval:
    """Rounded to what the dtype can hold: a product that is positive in float64 may be 0 in float32."""
    low, high = _wide(node)
    if node.type.dtype != "float32":
        return low, high
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float32(low)), float(np.float32(high))


def _wide(node: Node) -> Interval:
    constant = constant_value(node)
    if constant is not None:
        finite = constant.size > 0 and not (constant != constant).any()
        return (float(constant.min()), float(constant.max())) if finite else ANY
    args = [_known[a] for a in node.args]
    name = node.op.name
    if name == "size":
        known = at_least(node["dim"], 0) or node["least"] > 0
        return (float(node["least"]) if known else -math.inf, math.inf)
    if node.type.dtype == "bool":
        return (0.0, 1.0)
    if len(node.args) == 2 and node.args[0] is node.args[1] and _squares(node):
        return (0.0, math.inf)
    if name == "power":
        return _power(node, args[0])
    if name == "astype" and not node.type.is_float:
        return float(np.trunc(args[0][0])), float(np.trunc(args[0][1]))
    transfer = _TRANSFER.get(name)
    if transfer is not None:
        low, high = transfer(*args) if not node.op.variadic else transfer(*args[:1])
        return (-math.inf if low != low else low, math.inf if high != high else high)
    return node.op.range or ANY


def _squares(node: Node) -> bool:
    """Whether a product of something with itself has squares only: x * x, v @ v, the squared length of each row."""
    name = node.op.name
    if name == "einsum":
        left, _, rest = node["subscripts"].partition(",")
        return rest.startswith(f"{left}->")  # type: ignore[no-any-return]
    return name == "multiply" or (name == "matmul" and node.args[0].type.rank == 1)


def _power(node: Node, base: Interval) -> Interval:
    exponent = _known[node.args[1]]
    even = exponent[0] == exponent[1] and exponent[0] % 2 == 0
    return (0.0, math.inf) if even or base[0] >= 0 else ANY


def _add(a: Interval, b: Interval) -> Interval:
    return a[0] + b[0], a[1] + b[1]


def _subtract(a: Interval, b: Interval) -> Interval:
    return a[0] - b[1], a[1] - b[0]


def _multiply(a: Interval, b: Interval) -> Interval:
    products = [0.0 if 0.0 in (x, y) else x * y for x in a for y in b]
    return min(products), max(products)


def _divide(a: Interval, b: Interval) -> Interval:
    if a[0] >= 0 and b[0] >= 0:
        return 0.0, math.inf
    return ANY


def _negative(a: Interval) -> Interval:
    return -a[1], -a[0]


def _same(a: Interval) -> Interval:
    return a


def _sum(a: Interval) -> Interval:
    return (0.0 if a[0] >= 0 else -math.inf, 0.0 if a[1] <= 0 else math.inf)


_TRANSFER: dict[str, Callable[..., Interval]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "negative": _negative,
    "maximum": lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    "minimum": lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
    "where": lambda c, a, b: (min(a[0], b[0]), max(a[1], b[1])),
    "sum": _sum,
    "cumsum": _sum,
    "permute": lambda a, order: a,
    **dict.fromkeys(
        (
            "mean",
            "max",
            "min",
            "cummax",
            "cummin",
            "sort",
            "transpose",
            "reshape",
            "broadcast_to",
            "expand_dims",
            "squeeze",
            "astype",
            "stop_gradient",
            "getitem",
        ),
        _same,
    ),
}


def nonzero(node: Node) -> bool:
    low, high = interval(node)
    return low > 0 or high < 0


def positive(node: Node) -> bool:
    return interval(node)[0] > 0


def nonnegative(node: Node) -> bool:
    return interval(node)[0] >= 0


def nonpositive(node: Node) -> bool:
    return interval(node)[1] <= 0


def stationary_at_zero(node: Node) -> bool:
    """Whether 0, where `node` has it, is a minimum inside its domain: there its slope is 0.

    So it is of v @ v, of sum(exp(x)) and of mean(abs(x)), but not of sqrt(x), which ends at 0; 16 values are looked at.
    """
    if positive(node) or not nonnegative(node):
        return False
    stack, seen = [node], 0
    while stack and seen < 16:
        top = stack.pop()
        seen += 1
        if positive(top) or (len(top.args) == 2 and top.args[0] is top.args[1] and _squares(top)):
            continue
        if top.op.name == "power":
            if not _rises_from_zero(top):
                return False
            stack.append(top.args[0])
        elif top.op.name in _TRANSFER:
            stack += [a for a in top.args if a.type.is_float]
        elif any(domain != "(-oo, oo)" for domain in top.op.domain):
            return False
    return not stack


def _rises_from_zero(power: Node) -> bool:
    """Whether a power is 0 at 0 and has no edge there but that of its base: x**4, abs(x)**1.5."""
    low, high = interval(power.args[1])
    return low == high > 0 and (low % 2 == 0 or nonnegative(power.args[0]))


FACTS = {"nonzero": nonzero, "positive": positive, "nonnegative": nonnegative, "nonpositive": nonpositive}
