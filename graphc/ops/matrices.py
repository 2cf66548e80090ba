"""The dtypes and shapes of what is made of matrices, and of stacks of them.

    square("inv")    of  int64[..., n, n]   ->   f64[..., n, n]
    scalar("det")    of    f32[..., n, n]   ->   f32[...]

What is in front of the last two axes is a stack, of which each matrix is taken by itself.
"""

from __future__ import annotations

from typing import Any

from graphc.errors import ShapeError
from graphc.ir.types import TensorType, promote, show_shape


def floating(*types: TensorType) -> str:
    """The dtype in which LAPACK works: integers are taken as float64."""
    dtype = promote(*(t.dtype for t in types))
    return dtype if dtype.startswith("float") else "float64"


def matrix_shape(type: TensorType, function: str) -> tuple[Any, ...]:
    """The shape of matrices, whatever is in front. ShapeError G021 for fewer than two axes."""
    if type.rank < 2:
        raise ShapeError("G021", f"`{function}` needs a matrix, and was given {show_shape(type.shape)}")
    return type.shape


def square_shape(type: TensorType, function: str) -> tuple[Any, ...]:
    """The shape of square matrices. ShapeError G021 if the sizes are not known to be equal."""
    shape = matrix_shape(type, function)
    if shape[-1] != shape[-2]:
        raise ShapeError(
            "G021",
            f"`{function}` needs a square matrix, and was given {show_shape(shape)}",
            hint=f"if {shape[-2]} and {shape[-1]} are always equal, declare them with one name",
        ).between(shape[-2], shape[-1])
    return shape


def square(function: str) -> Any:
    """The shape rule of what makes a matrix of a square matrix."""
    return lambda types, attrs: TensorType(floating(types[0]), square_shape(types[0], function))


def scalar(function: str) -> Any:
    """The shape rule of what makes a number of a square matrix."""
    return lambda types, attrs: TensorType(floating(types[0]), square_shape(types[0], function)[:-2])
