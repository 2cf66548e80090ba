"""Large arrays from outside the traced function: each becomes an input, under the user's name for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy.typing as npt

from graphc.frontends.numpy.places import user_frame
from graphc.ir.leaf import input_node
from graphc.ir.node import Node
from graphc.ir.types import TensorType


class Captures:
    """The arrays from outside, by the name of the input; each as it was when it was met.

    taken: names that the function's own inputs have.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self._inputs: dict[Any, Node] = {}
        self._taken = set(taken)

    @property
    def nodes(self) -> list[Node]:
        """The inputs, in the order in which the arrays were met."""
        return list(self._inputs.values())

    def node(self, array: npt.NDArray[Any], dtype: str, called: str) -> Node:
        """The input that stands for an array: one for equal arrays."""
        key = array.shape, array.dtype.str, array.tobytes()
        if key not in self._inputs:
            name = self._free(called or _name_outside(array))
            self.arrays[name] = array.astype(dtype)
            self._inputs[key] = input_node(name, TensorType(dtype, array.shape))
        return self._inputs[key]

    def _free(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name


def _name_outside(array: npt.NDArray[Any]) -> str:
    """What the user calls an array from outside."""
    frame = user_frame()
    while frame is not None:
        for scope in (frame.f_locals, frame.f_globals):
            for name, value in scope.items():
                if value is array and name.isascii() and name.strip("_").isidentifier():
                    return name.strip("_")
        frame = frame.f_back
    return "data"
