"""Products of matrices and vectors, and sums of products, that are something simpler.

    x @ ones(n)        sum(x, axis=-1)
    sum(s * x)         s * sum(x)
    diag(x @ y)        sum(x * y.T, axis=1): no matrix of which only the diagonal is read
    (2 * v) @ w        2 * (v @ w)

A product of matrices costs a size more than what is left of it.
"""

from __future__ import annotations

from graphc.expr import build
from graphc.ir.index import Array, Index
from graphc.ir.node import Node
from graphc.rewrite.conditions import constant_over
from graphc.rewrite.rule import ComputedRule, Exact
from graphc.rewrite.views import Factor, Product, Views, build_product
from graphc.rules.structure import repeated_number


def matmul_with_repeated(node: Node, views: Views) -> Node | None:
    """A product with a vector of equal entries is a sum."""
    a, b = node.args
    if not node.type.is_float or a.type.dtype != b.type.dtype:
        return None
    if (number := repeated_number(b)) is not None and b.type.rank == 1:
        return build.multiply(number, build.reduce("sum", a, (a.type.rank - 1,)))
    if (number := repeated_number(a)) is not None and a.type.rank == 1:
        return build.multiply(number, build.reduce("sum", b, (max(0, b.type.rank - 2),)))
    return None


def scales_out_of_dot(node: Node, views: Views) -> Node | None:
    """Constant factors of two vectors multiply their product instead."""
    a, b = node.args
    if a.type.rank != 1 or b.type.rank != 1 or not node.type.is_float:
        return None
    products = [views.product(x) if x not in views.opaque else Product(1.0, ()) for x in (a, b)]
    scale = products[0].coefficient * products[1].coefficient
    if all(abs(p.coefficient) == 1.0 for p in products) or not all(p.factors for p in products):
        return None
    cores = [build_product(p._replace(coefficient=1.0), node.type.dtype) for p in products]
    if any(core.shape != x.shape for core, x in zip(cores, (a, b), strict=True)):
        return None
    return build.multiply(scale, build.matmul(*cores))


def diagonal_of_product(node: Node, views: Views) -> Node | None:
    """The diagonal of a product of matrices has the products of their rows and columns."""
    product, positions = node.args[0], node.args[1:]
    if product.op.name != "matmul" or len(positions) != 2 or node["index"].entries != (Array(0), Array(1)):
        return None
    a, b = product.args
    full = positions[0].op.name == "arange" and positions[0].shape == product.shape[:1]
    if positions[0] is not positions[1] or not full or a.type.rank != 2 or b.type.rank != 2:
        return None
    if product.shape[0] != product.shape[1] or not product.type.is_float:
        return None
    return build.reduce("sum", build.multiply(a, build.swap(b)), (1,))


def product_of_signs(node: Node, views: Views) -> Node | None:
    """Signs and constant factors go out of a product of matrices."""
    a, b = node.args
    signs = [x.op.name == "negative" for x in (a, b)]
    if not any(signs):
        return None
    product_ = build.apply(node.op.name, a.args[0] if signs[0] else a, b.args[0] if signs[1] else b)
    return product_ if all(signs) else build.negative(product_)


def factors_out_of_sum(node: Node, views: Views) -> Node | None:
    """A factor that is the same along the summed axes, and signs, multiply the sum instead."""
    inner, axes = node.args[0], node["axes"]
    if not node.type.is_float or inner.op.name not in ("multiply", "divide", "negative") or inner in views.opaque:
        return None
    view = views.product(inner)
    out = tuple(f for f in view.factors if constant_over(f.base, inner, axes))
    rest = tuple(f for f in view.factors if f not in out)
    if not rest or (not out and view.coefficient == 1.0):
        return None
    core = build_product(Product(1.0, rest), node.type.dtype)
    core = core if _spans(core, inner, axes) else build.broadcast_to(core, inner.shape)
    lead = inner.type.rank - core.type.rank
    total = build.apply(node.op.name, core, axes=tuple(a - lead for a in axes), keepdims=node["keepdims"])
    factors = out if node["keepdims"] else tuple(f._replace(base=_without(f.base, inner, axes)) for f in out)
    scale = build_product(Product(view.coefficient, factors), node.type.dtype)
    return build.broadcast_to(build.multiply(scale, total), node.shape)


def _spans(x: Node, whole: Node, axes: tuple[int, ...]) -> bool:
    """Whether x, which broadcasts to `whole`, has all of these axes itself."""
    lead = whole.type.rank - x.type.rank
    return all(a >= lead and x.shape[a - lead] == whole.shape[a] for a in axes)


def _without(x: Node, whole: Node, axes: tuple[int, ...]) -> Node:
    """x, which broadcasts to `whole` and has size 1 along these axes, without them."""
    lead = whole.type.rank - x.type.rank
    return build.squeeze(x, tuple(a - lead for a in axes if a >= lead))


def diagonal(node: Node, views: Views) -> Node | None:
    """Unit vectors times the slopes of an elementwise function: off the diagonal there is nothing, not 0 * inf."""
    view = views.product(node)
    units = [f for f in view.factors if _is_eye(f.base) and f.base.shape == node.shape and f.exponent == 1]
    others = [f for f in view.factors if f not in units]
    if len(units) != 1 or not any(f.base.type.rank for f in others):
        return None
    n = node.shape[0]
    if any(f.base.shape not in ((), (n,), (1, n), (n, 1)) for f in others):
        return None
    along = tuple(f if f.base.type.rank < 2 else Factor(build.reshape(f.base, (n,)), f.exponent) for f in others)
    value = build_product(Product(view.coefficient, along), node.type.dtype)
    place = build.arange(n)
    return build.set_at(build.zeros(node.shape, value.type.dtype), value, Index((Array(0), Array(1))), (place, place))


def transposed_diagonal(node: Node, views: Views) -> Node | None:
    """A diagonal matrix is its own transpose."""
    return node.args[0] if node["axes"] == (1, 0) and _diagonal_of(node.args[0]) is not None else None


def product_with_diagonal(node: Node, views: Views) -> Node | None:
    """A product with a diagonal matrix scales rows or columns."""
    a, b = node.args
    rows, columns = _diagonal_of(a), _diagonal_of(b)
    if rows is not None and b.type.rank == 2:
        return build.multiply(build.expand_dims(rows, (1,)), b)
    return build.multiply(a, columns) if columns is not None and a.type.rank == 2 else None


def _diagonal_of(node: Node) -> Node | None:
    """What stands on the diagonal of a square matrix with nothing else in it."""
    if node.op.name != "set_at" or node["index"] != Index((Array(0), Array(1))) or node.shape[0] != node.shape[1]:
        return None
    zeros, value, *places = node.args
    on = places[0] is places[1] and places[0].op.name == "arange" and places[0].shape == node.shape[:1]
    return value if on and zeros.op.name == "zeros" else None


def _is_eye(node: Node) -> bool:
    return node.op.name == "eye" and bool(node["n"] == node["m"])


B, R = Exact.BITWISE, Exact.ROUNDING
COMPUTED = (
    ComputedRule(
        "signs-out-of-product",
        ("matmul", "outer"),
        product_of_signs,
        B,
        "a product of opposites",
        (("-x @ y.T", "-(x @ y.T)"),),
    ),
    ComputedRule(
        "matmul-with-repeated",
        ("matmul",),
        matmul_with_repeated,
        R,
        "a product with equal entries is a sum",
        (("x @ broadcast_to(s, (m,))", "s * sum(x, axis=1)"),),
    ),
    ComputedRule(
        "scales-out-of-dot",
        ("matmul",),
        scales_out_of_dot,
        R,
        "multiply the number, not the vector",
        (("(2 * x[0]) @ (3 * y[0])", "6 * (x[0] @ y[0])"),),
    ),
    ComputedRule(
        "diagonal-of-product",
        ("getitem",),
        diagonal_of_product,
        R,
        "the rest of the product is not read",
        (("diag(x @ y.T)", "sum(x * y, axis=1)"),),
        over="matmul",
    ),
)
GRADIENT = (
    ComputedRule(
        "factors-out-of-sum",
        ("sum", "mean"),
        factors_out_of_sum,
        R,
        "multiply once instead of n times",
        (
            ("sum(s * x)", "s * sum(x)"),
            ("sum(x * y[0], axis=0)", "y[0] * sum(x, axis=0)"),
            ("mean(x / y[:, 0][:, None], axis=1)", "mean(x, axis=1) / y[:, 0]"),
            ("sum(x * y[:, :1], axis=1, keepdims=True)", "y[:, :1] * sum(x, axis=1, keepdims=True)"),
        ),
    ),
    ComputedRule(
        "diagonal",
        ("multiply", "divide"),
        diagonal,
        Exact.BITWISE,
        "a diagonal matrix has nothing beside its diagonal",
        (("eye(m) * x[0]", "diag(x[0])"), ("eye(n) * y[:, :1]", "diag(squeeze(y[:, :1], axis=1))")),
        among=frozenset({"eye"}),
    ),
    ComputedRule(
        "transposed-diagonal",
        ("transpose",),
        transposed_diagonal,
        Exact.BITWISE,
        "a diagonal matrix is symmetric",
        (("diag(x[0]).T", "diag(x[0])"),),
    ),
    ComputedRule(
        "product-with-diagonal",
        ("matmul",),
        product_with_diagonal,
        R,
        "rows or columns are scaled",
        (("diag(x[:, 0]) @ y", "x[:, 0][:, None] * y"), ("x @ diag(y[0])", "x * y[0]")),
        over="set_at",
    ),
)
