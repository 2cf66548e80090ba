"""Rearrangements that undo each other, and sums over what was only repeated."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.expr import build
from graphc.ir.dims import Dim, product
from graphc.ir.leaf import const_node, size_node
from graphc.ir.node import Node
from graphc.ops.reduction import reduced_shape
from graphc.rewrite.rule import ComputedRule, Exact
from graphc.rewrite.views import Views


def merge_transposes(node: Node, views: Views) -> Node | None:
    inner = node.args[0]
    if inner.op.name != "transpose":
        return None
    return build.transpose(inner.args[0], tuple(inner["axes"][a] for a in node["axes"]))


def merge_reshapes(node: Node, views: Views) -> Node | None:
    """Reshapes, squeezes and new axes one after the other are one."""
    inner = node.args[0]
    if inner.shape == node.shape and inner.op.name != "broadcast_to":
        return inner
    if inner.type.rank == 0:
        return build.broadcast_to(inner, node.shape)
    if inner.op.name not in ("reshape", "squeeze", "expand_dims"):
        return None
    return build.reshape(inner.args[0], node.shape)


def thin_reshape(node: Node, views: Views) -> Node | None:
    """A number repeated over one shape, reshaped, is the number repeated over the other."""
    inner = node.args[0]
    if inner.op.name != "broadcast_to" or inner.args[0].type.rank > 0:
        return None
    return build.broadcast_to(inner.args[0], node.shape)


def name_reshape(node: Node, views: Views) -> Node | None:
    """A reshape that only adds or drops axes of size 1 says so."""
    x = node.args[0]
    if x.type.rank < node.type.rank:
        added = _extra_axes(node.shape, x.shape)
        return None if added is None or x.type.rank == 0 else build.expand_dims(x, added)
    dropped = _extra_axes(x.shape, node.shape)
    return None if not dropped else build.squeeze(x, dropped)


def _extra_axes(long: tuple[object, ...], short: tuple[object, ...]) -> tuple[int, ...] | None:
    """The axes of size 1 without which `long` is `short`."""
    extra: list[int] = []
    position = 0
    for axis, dim in enumerate(long):
        if position < len(short) and dim == short[position]:
            position += 1
        elif dim == 1:
            extra.append(axis)
        else:
            return None
    return tuple(extra) if position == len(short) else None


def keep_reduced_axes(node: Node, views: Views) -> Node | None:
    """A reduction whose axes come back at size 1 keeps them."""
    inner = node.args[0]
    if inner.op.name == "negative" and "keepdims" in inner.args[0].op.attrs:
        kept = keep_reduced_axes(build.reshape(inner.args[0], node.shape), views)
        return None if kept is None else build.negative(kept)
    if "keepdims" not in inner.op.attrs or inner["keepdims"] or inner.type.rank == 0:
        return None
    if node.shape != reduced_shape(inner.args[0].shape, _reduced_axes(inner), True):
        return None
    attrs = {**inner.attributes, "keepdims": True}
    return build.apply(inner.op.name, inner.args[0], **attrs)


def _reduced_axes(node: Node) -> tuple[int, ...]:
    """The axes of a reduction; argmax and argmin have one, or all by None."""
    if "axes" in node.op.attrs:
        axes: tuple[int, ...] = node["axes"]
        return axes
    return tuple(range(node.args[0].type.rank)) if node["axis"] is None else (node["axis"],)


def drop_reduced_axes(node: Node, views: Views) -> Node | None:
    """A reduction that keeps axes which are dropped at once does not keep them."""
    inner = node.args[0]
    if "keepdims" not in inner.op.attrs or not inner["keepdims"]:
        return None
    if node.shape != reduced_shape(inner.args[0].shape, _reduced_axes(inner), False):
        return None
    return build.apply(inner.op.name, inner.args[0], **{**inner.attributes, "keepdims": False})


def sum_of_broadcast(node: Node, views: Views) -> Node | None:
    """The sum of something repeated is a multiple of it."""
    inner, axes = node.args[0], node["axes"]
    if inner.op.name != "broadcast_to":
        return None
    source = inner.args[0]
    extra = inner.type.rank - source.type.rank
    repeated = tuple(a for a in axes if a < extra or (source.shape[a - extra] == 1 and inner.shape[a] != 1))
    if not repeated:
        return None
    number = size_node(product(tuple(inner.shape[a] for a in repeated)), node.type.dtype)
    kept = tuple(a - extra for a in axes if a >= extra)
    total = build.reduce("sum", source, kept) if kept else source
    return build.broadcast_to(build.reshape(build.multiply(number, total), _core(node, source, total)), node.shape)


def _core(node: Node, source: Node, total: Node) -> tuple[Dim, ...]:
    """The shape that the shrunken sum has inside the result, axes of size 1 in front left out."""
    rank = node.type.rank
    if not node["keepdims"]:
        return total.shape
    lead = node.args[0].type.rank - source.type.rank
    kept = [1 if a in node["axes"] else source.shape[a - lead] for a in range(lead, node.args[0].type.rank)]
    return tuple(kept)[-rank:]


def sum_of_transpose(node: Node, views: Views) -> Node | None:
    """A sum does not mind the order of axes, unless several are left in another order."""
    inner, order = node.args[0], node.args[0].attributes.get("axes")
    if inner.op.name != "transpose" or node["keepdims"] or order is None:
        return None
    left = [axis for i, axis in enumerate(order) if i not in node["axes"]]
    if left != sorted(left):
        return None
    return build.reduce(node.op.name, inner.args[0], tuple(sorted(order[i] for i in node["axes"])))


def sign_out_of_sum(node: Node, views: Views) -> Node | None:
    inner = node.args[0]
    if inner.op.name != "negative":
        return None
    return build.negative(build.apply(node.op.name, inner.args[0], **node.attributes))


def merge_broadcasts(node: Node, views: Views) -> Node | None:
    inner = node.args[0]
    return build.broadcast_to(inner.args[0], node.shape) if inner.op.name == "broadcast_to" else None


def filled_operand(node: Node, views: Views) -> Node | None:
    """Equal entries count as the number that they are where another operand has the whole shape, and the dtype."""
    numbers = [repeated_number(a) for a in node.args]
    whole = {a.type.dtype for a, n in zip(node.args, numbers, strict=True) if n is None and a.shape == node.shape}
    if not any(n is not None and n.type.dtype in whole for n in numbers):
        return None
    fits = [n if n is not None and n.type.dtype in whole else a for a, n in zip(node.args, numbers, strict=True)]
    return build.apply(node.op.name, *fits, **node.attributes)


def repeated_number(x: Node) -> Node | None:
    """The number that every entry of an array is."""
    if x.op.name in ("zeros", "ones"):
        return const_node(0 if x.op.name == "zeros" else 1, x.type.dtype)
    return x.args[0] if x.op.name == "broadcast_to" and x.args[0].type.rank == 0 else None


def add_into(node: Node, views: Views) -> Node | None:
    """Adding zeros with entries put in is adding the entries in place."""
    for base, scattered in (node.args, node.args[::-1]):
        if base.shape == scattered.shape and (writes := _on_zeros(scattered)):
            return _written(base, writes)
    return None


def subtract_from(node: Node, views: Views) -> Node | None:
    base, scattered = node.args
    writes = _on_zeros(scattered) if base.shape == scattered.shape else []
    return _written(base, writes, build.negative) if writes else None


def _on_zeros(node: Node) -> list[Node]:
    """What is added, place by place, to an array of zeros, the first one first; nothing if it is another array."""
    writes: list[Node] = []
    while node.op.name == "add_at":
        writes.append(node)
        node = node.args[0]
    return writes[::-1] if node.op.name == "zeros" else []


def _written(base: Node, writes: Sequence[Node], change: Callable[[Node], Node] = lambda value: value) -> Node:
    """The same added to another array."""
    for write in writes:
        base = build.add_at(base, change(write.args[1]), write["index"], write.args[2:])
    return base


def scaled_scatter(node: Node, views: Views) -> Node | None:
    """A sign on zeros with entries put in belongs to the entries."""
    inner = node.args[0]
    if inner.op.name != "add_at" or inner.args[0].op.name != "zeros":
        return None
    return build.add_at(inner.args[0], build.negative(inner.args[1]), inner["index"], inner.args[2:])


def row_sum_of_scatter(node: Node, views: Views) -> Node | None:
    """One entry in each row: the sums of the rows are the entries."""
    inner = node.args[0]
    if inner.op.name != "add_at" or inner.args[0].op.name != "zeros" or inner.type.rank != 2 or node["axes"] != (1,):
        return None
    arrays = inner.args[2:]
    if len(arrays) != 2 or inner["index"].arrays != 2 or arrays[0].op.name != "arange":
        return None
    if arrays[0].shape != inner.shape[:1] or arrays[1].shape != inner.shape[:1]:
        return None
    return build.reshape(inner.args[1], node.shape)


def sum_of_sums(node: Node, views: Views) -> Node | None:
    """Summing axis after axis is summing over all of them."""
    inner = node.args[0]
    if inner.op.name != "sum" or inner["keepdims"] or inner.op is not node.op or inner in views.opaque:
        return None
    left = [axis for axis in range(inner.args[0].type.rank) if axis not in inner["axes"]]
    axes = tuple(sorted((*inner["axes"], *(left[axis] for axis in node["axes"]))))
    made = build.reduce("sum", inner.args[0], axes, node["keepdims"])
    return made if made.shape == node.shape else build.reshape(made, node.shape)


_CHOICES = ("maximum", "minimum", "where", "less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
_OPERATORS = ("add", "subtract", "multiply", "divide", "power")
B, R = Exact.BITWISE, Exact.ROUNDING
COMPUTED = (
    ComputedRule(
        "merge-transposes",
        ("transpose",),
        merge_transposes,
        B,
        "one order of axes after the other is an order",
        (("x.T.T", "x"),),
    ),
    ComputedRule(
        "merge-reshapes",
        ("reshape", "squeeze", "expand_dims"),
        merge_reshapes,
        B,
        "only the last shape counts",
        (("reshape(ravel(x), (n, m))", "x"), ("squeeze(expand_dims(x, 1), axis=1)", "x")),
    ),
    ComputedRule(
        "reshape-of-repeated",
        ("reshape", "squeeze", "expand_dims", "transpose"),
        thin_reshape,
        B,
        "a repeated number has any shape",
        (("ravel(broadcast_to(s, (n, m)))", "broadcast_to(s, (n * m,))"),),
    ),
    ComputedRule(
        "keep-reduced-axes",
        ("expand_dims", "reshape"),
        keep_reduced_axes,
        B,
        "keepdims does the same",
        (("sum(x, axis=1)[:, None]", "sum(x, axis=1, keepdims=True)"),),
    ),
    ComputedRule(
        "drop-reduced-axes",
        ("squeeze", "reshape"),
        drop_reduced_axes,
        B,
        "without keepdims it is the same",
        (("squeeze(sum(x, axis=1, keepdims=True), axis=1)", "sum(x, axis=1)"),),
    ),
    ComputedRule(
        "name-reshape",
        ("reshape",),
        name_reshape,
        B,
        "only axes of size 1 come or go",
        (("reshape(x, (n, 1, m))", "x[:, None]"),),
    ),
    ComputedRule(
        "sign-out-of-sum",
        ("sum", "mean"),
        sign_out_of_sum,
        B,
        "a sum of opposites is the opposite",
        (("sum(-x)", "-sum(x)"),),
    ),
    ComputedRule(
        "sum-of-sums",
        ("sum",),
        sum_of_sums,
        R,
        "the order of summation is free",
        (("sum(sum(x, axis=1))", "sum(x)"),),
        over="sum",
    ),
    ComputedRule(
        "sum-of-broadcast",
        ("sum",),
        sum_of_broadcast,
        R,
        "the same number several times",
        (("sum(broadcast_to(s, (n, m)))", "n * m * s"),),
    ),
    ComputedRule(
        "sum-of-transpose",
        ("sum", "mean"),
        sum_of_transpose,
        R,
        "the same terms",
        (("sum(x.T, axis=0)", "sum(x, axis=1)"), ("mean(x.T)", "mean(x)")),
        over="transpose",
    ),
    ComputedRule(
        "merge-broadcasts",
        ("broadcast_to",),
        merge_broadcasts,
        B,
        "repeated once for all",
        (("broadcast_to(broadcast_to(s, (n, 1)), (n, m)) + x", "s + x"),),
    ),
    ComputedRule(
        "filled-operand",
        (*_CHOICES, *_OPERATORS),
        filled_operand,
        B,
        "equal entries are one number, with the conventions of one",
        (
            ("maximum(x, zeros_like(x))", "maximum(x, 0)"),
            ("where(x > ones_like(x), x, y)", "where(x > 1, x, y)"),
            ("x / ones_like(x)", "x"),
        ),
    ),
)
GRADIENT = (
    ComputedRule("add-into", ("add",), add_into, R, "no array of zeros", (), over="add_at"),
    ComputedRule("subtract-from", ("subtract",), subtract_from, R, "no array of zeros", (), over="add_at"),
    ComputedRule("sign-of-scatter", ("negative",), scaled_scatter, B, "the sign of the entries", (), over="add_at"),
    ComputedRule("row-sum-of-scatter", ("sum",), row_sum_of_scatter, R, "one entry in each row", (), over="add_at"),
)
