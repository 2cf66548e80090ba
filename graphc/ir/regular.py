"""Arrays that a short call makes again, to the bit: what generated code writes for large constants.

[0, 1, 2, ..., 199]           np.arange(200)
[0.0, 0.005, ..., 1.0]        np.linspace(0.0, 1.0, 200)
[[1.0, 0.0], [0.0, 1.0]]      np.eye(2)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

SHORT = 8  # elements that are as well written out


class Call(NamedTuple):
    """`np.function(*args)`, and the dtype if it has to be said."""

    function: str
    args: tuple[Any, ...]
    dtype: str | None = None

    def made(self) -> npt.NDArray[Any]:
        """The array."""
        keywords = {} if self.dtype is None else {"dtype": self.dtype}
        array: npt.NDArray[Any] = getattr(np, self.function)(*self.args, **keywords)
        return array


def regular(array: npt.NDArray[Any]) -> Call | None:
    """The call that makes an array of more than a few elements, or None."""
    if array.size <= SHORT or array.dtype.kind not in "if":
        return None
    for call in _candidates(array):
        made = call.made()
        if made.dtype == array.dtype and made.shape == array.shape and made.tobytes() == array.tobytes():
            return call
    return None


def _candidates(array: npt.NDArray[Any]) -> list[Call]:
    name = array.dtype.name
    first, last = array.flat[0].item(), array.flat[-1].item()
    if first == last and (array == array.flat[0]).all():
        return [Call("full", (array.shape, first), None if name in ("float64", "int64") else name)]
    if array.ndim == 2 and array[0, 0] == 1:
        other = None if name == "float64" else name
        return [Call("eye", array.shape[:1] if array.shape[0] == array.shape[1] else array.shape, other)]
    if array.ndim != 1:
        return []
    if array.dtype.kind == "i":
        step = array[1].item() - first
        stop = last + (1 if step > 0 else -1)
        whole = None if name == "int64" else name
        return (
            [
                Call(
                    "arange",
                    (stop,) if first == 0 and step == 1 else (first, stop, *([step] if step != 1 else [])),
                    whole,
                )
            ]
            if step
            else []
        )
    single = None if name == "float64" else name
    return [Call("linspace", (first, last, array.size), single)] if np.isfinite([first, last]).all() else []
