"""The functions of the language: NumPy's names, positional order and keywords.

    FUNCTIONS["sum"].call(x, axis=1)        a node
    FUNCTIONS["sum"].signature              "sum(x, axis=None, keepdims=False)"
    FUNCTIONS["linalg.eigh"].call(A)        a tuple of nodes

Both front ends look names up here and nowhere else; the reference page is made from it. A name is
NumPy's, without `np.`: the arguments that must be given come in NumPy's order, the others have
NumPy's names.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graphc.expr import (
    arrays,
    build,
    calculus,
    convolution,
    cumulative,
    einsum,
    elementwise,
    fourier,
    grids,
    joining,
    linear_algebra,
    nan_reductions,
    norms,
    numbers,
    ordering,
    polynomials,
    products,
    quantiles,
    reductions,
    remainders,
    repeating,
    selecting,
    special,
    statistics,
    tensors,
    triangles,
    windows,
)
from graphc.expr.arguments import Value, node
from graphc.expr.elementwise import applied
from graphc.ir.node import Node, make
from graphc.ir.types import MAX_RANK
from graphc.ops import REGISTRY

MAX_SPREAD = MAX_RANK  # arguments of a parameter that takes any number, such as one spacing an axis


@dataclass(frozen=True)
class Function:
    """One function of the language.

    call: values (nodes, numbers, sizes, sequences of them) -> a node, or a tuple of values.
    parameters: names in positional order, keyword-only ones last; "*xs" for each of the places of a
    parameter that takes any number.  positional: how many of them may be given by position.
    required: how many must be given.
    """

    name: str
    call: Callable[..., Any]
    doc: str
    section: str
    signature: str
    parameters: tuple[str, ...]
    positional: int
    required: int


def _unary(op: str) -> Callable[..., Node]:
    record = REGISTRY[op]

    def call(x: Value) -> Node:
        array = node(x)
        made = make(record, (array,))
        if array.type.dtype == "bool" and made.type.is_float:
            return make(record, (build.astype(array, made.type.dtype),))
        return made

    return call


def _binary(op: str) -> Callable[..., Node]:
    def call(a: Value, b: Value) -> Node:
        return applied(op, a, b)

    return call


_UNARY = {
    "exp": "exp",
    "expm1": "expm1",
    "log": "log",
    "log1p": "log1p",
    "sqrt": "sqrt",
    "square": "square",
    "reciprocal": "reciprocal",
    "fabs": "absolute",
    "sign": "sign",
    "log2": "log2",
    "log10": "log10",
    "exp2": "exp2",
    "cbrt": "cbrt",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "arcsin": "arcsin",
    "asin": "arcsin",
    "arccos": "arccos",
    "acos": "arccos",
    "arctan": "arctan",
    "atan": "arctan",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "arcsinh": "arcsinh",
    "asinh": "arcsinh",
    "arccosh": "arccosh",
    "acosh": "arccosh",
    "arctanh": "arctanh",
    "atanh": "arctanh",
    "sinc": "sinc",
    "trunc": "trunc",
    "isfinite": "isfinite",
    "isnan": "isnan",
    "isinf": "isinf",
    "signbit": "signbit",
    "spacing": "spacing",
    "sigmoid": "sigmoid",
    "expit": "sigmoid",
    "relu": "relu",
    "softplus": "softplus",
    "floor": "floor",
    "ceil": "ceil",
    "rint": "rint",
    "negative": "negative",
    "logical_not": "logical_not",
    "stop_gradient": "stop_gradient",
}
_BINARY = {
    "maximum": "maximum",
    "minimum": "minimum",
    "fmax": "fmax",
    "fmin": "fmin",
    "hypot": "hypot",
    "arctan2": "arctan2",
    "atan2": "arctan2",
    "logaddexp": "logaddexp",
    "logaddexp2": "logaddexp2",
    "fmod": "fmod",
    "copysign": "copysign",
    "heaviside": "heaviside",
    "nextafter": "nextafter",
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "divide": "divide",
    "true_divide": "divide",
    "less": "less",
    "less_equal": "less_equal",
    "greater": "greater",
    "greater_equal": "greater_equal",
    "equal": "equal",
    "not_equal": "not_equal",
    "logical_and": "logical_and",
    "logical_or": "logical_or",
    "logical_xor": "logical_xor",
}
_WRITTEN: dict[str, dict[str, Callable[..., Any]]] = {
    "elementwise": {
        "where": elementwise.where,
        "clip": elementwise.clip,
        "round": elementwise.round_,
        "around": elementwise.round_,
        "power": elementwise.power,
        "pow": elementwise.power,
        "astype": elementwise.astype,
        "abs": fourier.absolute,
        "absolute": fourier.absolute,
    },
    "reductions": {
        "sum": reductions.sum_,
        "mean": reductions.mean,
        "prod": reductions.prod,
        "max": reductions.max_,
        "amax": reductions.max_,
        "min": reductions.min_,
        "amin": reductions.min_,
        "var": reductions.var,
        "std": reductions.std,
        "any": reductions.any_,
        "all": reductions.all_,
        "count_nonzero": reductions.count_nonzero,
        "logsumexp": reductions.logsumexp,
        "softmax": reductions.softmax,
        "log_softmax": reductions.log_softmax,
    },
    "statistics": statistics.TABLE,
    "quantiles": quantiles.TABLE,
    "without nan": nan_reductions.TABLE,
    "calculus": calculus.TABLE,
    "convolution": convolution.TABLE,
    "polynomials": polynomials.TABLE,
    "remainders": remainders.TABLE,
    "numbers": numbers.TABLE,
    "special functions": special.TABLE,
    "running totals": cumulative.TABLE,
    "ordering": ordering.TABLE,
    "Fourier": fourier.TABLE,
    "products of tensors": {**tensors.TABLE, **einsum.TABLE},
    "linear algebra": linear_algebra.TABLE,
    "norms": norms.TABLE,
    "products": {
        "matmul": products.matmul,
        "dot": products.dot,
        "outer": products.outer,
        "inner": products.inner,
        "vdot": products.vdot,
    },
    "shapes": {
        "transpose": arrays.transpose,
        "permute_dims": arrays.transpose,
        "swapaxes": arrays.swapaxes,
        "moveaxis": arrays.moveaxis,
        "reshape": arrays.reshape,
        "ravel": arrays.ravel,
        "flatten": arrays.ravel,
        "broadcast_to": arrays.broadcast_to,
        "expand_dims": arrays.expand_dims,
        "squeeze": arrays.squeeze,
    },
    "joining and indexing": {
        "concatenate": arrays.concatenate,
        "concat": arrays.concatenate,
        "stack": arrays.stack,
        "vstack": arrays.vstack,
        "row_stack": arrays.vstack,
        "hstack": arrays.hstack,
        "array": arrays.array,
    },
    "creation": {
        "arange": arrays.arange,
        "eye": arrays.eye,
        "identity": arrays.identity,
        "zeros": arrays.zeros,
        "ones": arrays.ones,
        "full": arrays.full,
        "empty": arrays.empty,
        "empty_like": arrays.empty_like,
        "zeros_like": arrays.zeros_like,
        "ones_like": arrays.ones_like,
        "full_like": arrays.full_like,
    },
    "joining and splitting": joining.TABLE,
    "repeating and padding": repeating.TABLE,
    "triangles": triangles.TABLE,
    "grids": grids.TABLE,
    "selecting": selecting.TABLE,
    "windows": windows.TABLE,
}


def _functions() -> Iterator[Function]:
    for name, op in _UNARY.items():
        yield _function(name, _unary(op), "elementwise", REGISTRY[op].doc)
    for name, op in _BINARY.items():
        yield _function(name, _binary(op), "elementwise", REGISTRY[op].doc)
    for section, table in _WRITTEN.items():
        for name, call in table.items():
            yield _function(name, call, section, inspect.getdoc(call) or "")


def _function(name: str, call: Callable[..., Any], section: str, doc: str) -> Function:
    parameters = inspect.signature(call).parameters.values()
    by_position = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    spread = [f"*{p.name}" for p in parameters if p.kind is p.VAR_POSITIONAL]
    by_name = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    shown = [p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in by_position]
    others = [f"{p.name}={p.default!r}" for p in by_name]
    places = [*(p.name for p in by_position), *spread * MAX_SPREAD]
    return Function(
        name=name,
        call=call,
        doc=doc,
        section=section,
        signature=f"{name}({', '.join(shown + (spread or ['*'] if others else spread) + others)})",
        parameters=(*places, *(p.name for p in by_name)),
        positional=len(places),
        required=sum(p.default is p.empty for p in by_position),
    )


FUNCTIONS: dict[str, Function] = {f.name: f for f in _functions()}

# Functions that may be written as methods: x.sum(axis=0) is sum(x, axis=0).
METHODS: frozenset[str] = frozenset(
    {
        "sum",
        "mean",
        "max",
        "min",
        "prod",
        "var",
        "std",
        "dot",
        "reshape",
        "ravel",
        "flatten",
        "transpose",
        "swapaxes",
        "squeeze",
        "astype",
        "clip",
        "round",
        "take",
        "any",
        "all",
        "cumsum",
        "cumprod",
        "argsort",
        "argmax",
        "argmin",
        "searchsorted",
        "argpartition",
        "choose",
        "conj",
        "conjugate",
        "diagonal",
        "nonzero",
        "ptp",
        "repeat",
        "trace",
    }
)
# Methods that also take their sequence spread out: x.reshape(n, 2), x.transpose(1, 0).
SPREAD: dict[str, str] = {"reshape": "shape", "transpose": "axes"}


def _transposed(x: Node) -> Node:
    return arrays.transpose(x)


def _size(x: Node) -> Any:
    return x.type.size


# Attributes of an array; `.shape`, `.ndim` and `.size` are sizes, known or named.
ATTRIBUTES: dict[str, Callable[[Node], Any]] = {
    "T": _transposed,
    "mT": linear_algebra.matrix_transpose,
    "shape": lambda x: x.type.shape,
    "ndim": lambda x: x.type.rank,
    "size": _size,
}
