"""Types as users write them in `inputs=`.

"n d"  "n, d"  "[n, d]"  "f64[n, d]"  (3, 4)  ("n", "d")  an array   ->  TensorType
"(3, 4)"    a shape as NumPy prints it: plain integers only
"int n"     a dtype in front
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from graphc.errors import DtypeError, GraphcError, LimitError, ShapeError, printable
from graphc.frontends.text.names import check_name
from graphc.ir.dims import MAX_SIZE, Dim, Size
from graphc.ir.types import LONG, MAX_RANK, SHORT, TensorType, dtype_named

InputSpec = Any  # str | tuple | list | TensorType | numpy array | int | float | bool

_LITERAL = re.compile(r"\((?:[0-9]+(?:, ?[0-9]+)*,?)?\)")
_BRACKETS = re.compile(r"\s*([^\[\]]*?)\s*\[([^\[\]]*)\]\s*", re.DOTALL)
_SIZE_TOKEN = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_]*)|([0-9]+)|(//|[+*-]))")
_LIKE_DTYPE = re.compile(
    r"(?:float|int|uint|complex|datetime|timedelta)[0-9]*|bool_?|object_?|str_?|bytes_?|void", re.IGNORECASE
)
_HINT = 'write "n d", "f64[n, d]", "int n", (3, 4) or give an example array'
_DTYPES = {**LONG, **{name: name for name in SHORT}}


def input_type(name: str, spec: InputSpec) -> TensorType:
    """The type of the input `name` that `spec` describes; float64 unless it says otherwise.

    Raises ShapeError G023 for a shape and DtypeError G030 for a dtype that cannot be read.
    """
    try:
        type = _read(spec)
    except GraphcError as error:
        error.message = f"input `{printable(name, 60)}`: {error.message}"
        raise
    if type.rank > MAX_RANK:
        raise LimitError("G003", f"input `{printable(name, 60)}`: an array has at most {MAX_RANK} axes")
    return type


def _read(spec: InputSpec) -> TensorType:
    if isinstance(spec, TensorType):
        return TensorType(dtype_named(spec.dtype), tuple(_dim(d) for d in spec.shape))
    if isinstance(spec, str):
        return _text(spec)
    if isinstance(spec, (tuple, list)):
        return TensorType("float64", tuple(_dim(d) for d in spec))
    if isinstance(spec, (bool, int, float, np.ndarray, np.generic)):
        return _example(np.asarray(spec))
    raise ShapeError("G023", f"a {type(spec).__name__} does not describe an input", hint=_HINT)


def _example(array: np.ndarray[Any, Any]) -> TensorType:
    if array.dtype.name not in SHORT:
        raise DtypeError(
            "G030",
            f"arrays of dtype {printable(array.dtype.name, 40)} are not supported",
            hint="the dtypes are float64, float32, int64, int32 and bool",
        )
    return TensorType(array.dtype.name, array.shape)


def _dim(value: Any) -> Dim:
    if isinstance(value, Size):
        return value
    if isinstance(value, str):
        return _size(value)
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ShapeError("G023", f"a size is an integer or a name, not a {type(value).__name__}", hint=_HINT)
    return _bounded(int(value))


def _bounded(value: int) -> int:
    if not 0 <= value <= MAX_SIZE:
        raise ShapeError("G023", "a size is at least 0 and below 2**63")
    return value


def _text(text: str) -> TensorType:
    if len(text) > 65_536:
        raise LimitError("G003", "the description of a type is too long")
    if text.lstrip().startswith("("):
        return TensorType("float64", _literal(text.strip(" ")))
    brackets = _BRACKETS.fullmatch(text)
    if brackets is not None:
        dtype, inside = brackets.groups()
        return TensorType(dtype_named(dtype) if dtype else "float64", _sizes(inside, empty_is_scalar=True))
    if "\n" in text or not text.isascii():
        raise ShapeError("G023", f"`{printable(text, 60)}` is not a shape", hint=_HINT)
    first, _, rest = text.strip().partition(" ")
    first = first.rstrip(",")
    if first in _DTYPES:
        return TensorType(_DTYPES[first], _sizes(rest, empty_is_scalar=True))
    if _LIKE_DTYPE.fullmatch(first):
        return TensorType(dtype_named(first), ())
    return TensorType("float64", _sizes(text, empty_is_scalar=False))


def _literal(text: str) -> tuple[Dim, ...]:
    """A shape as NumPy prints it."""
    numbers = re.findall("[0-9]+", text)
    plain = all(n == "0" or not n.startswith("0") for n in numbers)
    if _LITERAL.fullmatch(text) is None or not plain:
        raise ShapeError(
            "G023",
            f"`{printable(text, 60)}` is not a shape",
            hint='in parentheses go plain integers: (), (3,) or (3, 4); for names write "n d"',
        )
    if any(len(n) > 19 for n in numbers):
        raise ShapeError("G023", "a size is at least 0 and below 2**63")
    return tuple(_bounded(int(n)) for n in numbers)


def _sizes(text: str, *, empty_is_scalar: bool) -> tuple[Dim, ...]:
    """Sizes separated by commas, or by spaces."""
    if not text.strip():
        if not empty_is_scalar:
            raise ShapeError("G023", "an empty text is not a shape", hint='write "()" or "f64" for a scalar')
        return ()
    parts = text.split(",") if "," in text else text.split()
    if "," in text and not parts[-1].strip():
        parts.pop()
    return tuple(_size(part) for part in parts)


def _size(text: str) -> Dim:
    """A size: an integer, a name, or sums, products and quotients of them, like `2*h + 1`."""
    total: Dim = 0
    product: Dim = 1
    sign, operator, position = 1, "*", 0
    while True:
        token = _SIZE_TOKEN.match(text, position)
        if token is None or token.group(3):
            raise ShapeError("G023", f"`{printable(text.strip(), 60)}` is not a size", hint=_HINT)
        product = _times(product, operator, token)
        position = token.end()
        token = _SIZE_TOKEN.match(text, position)
        if token is None and not text[position:].strip():
            total = total + sign * product
            return _bounded(total) if isinstance(total, int) else total
        if token is None or not token.group(3):
            raise ShapeError("G023", f"`{printable(text.strip(), 60)}` is not a size", hint=_HINT)
        operator, position = token.group(3), token.end()
        if operator in "+-":
            total, product = total + sign * product, 1
            sign, operator = (-1 if operator == "-" else 1), "*"


def _times(product: Dim, operator: str, token: re.Match[str]) -> Dim:
    name, digits = token.group(1), token.group(2)
    if digits is not None and (len(digits) > 19 or (digits != "0" and digits.startswith("0"))):
        raise ShapeError("G023", f"`{printable(digits, 40)}` is not a size")
    value: Dim = Size.named(check_name(name)) if name else _bounded(int(digits))
    if operator == "*":
        return product * value
    if not isinstance(value, int) or value == 0:
        raise ShapeError("G023", "a size is divided by a positive integer only")
    return product // value
