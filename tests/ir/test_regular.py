"""Large arrays that a short call makes again, to the bit."""

import numpy as np
import pytest

from graphc.ir.regular import regular

REGULAR = [
    np.arange(9),
    np.arange(3, 40, 4),
    np.arange(20, 0, -1),
    np.arange(50, dtype=np.int32),
    np.linspace(0.0, 1.0, 33),
    np.linspace(-2.5, 7.0, 100, dtype=np.float32),
    np.eye(5),
    np.eye(4, 6, dtype=np.float32),
    np.full((3, 7), -2.5),
    np.full(20, 7),
]
IRREGULAR = [
    np.arange(8),  # as well written out
    np.arange(9.0) ** 2,
    np.array([0, 1, 2, 3, 4, 5, 6, 7, 9]),
    np.linspace(0.0, 1.0, 33) + np.eye(1, 33, 5)[0] * 1e-16,
    np.array([np.nan] + [1.0] * 10),
    np.arange(12).reshape(3, 4),
    np.eye(5)[::-1],
    np.zeros(20, dtype=bool),
]


@pytest.mark.parametrize("array", REGULAR, ids=range(len(REGULAR)))
def test_the_call_makes_the_same_bits(array: np.ndarray) -> None:
    call = regular(array)
    assert call is not None
    made = call.made()
    assert made.dtype == array.dtype and made.shape == array.shape and made.tobytes() == array.tobytes()


@pytest.mark.parametrize("array", IRREGULAR, ids=range(len(IRREGULAR)))
def test_other_arrays_are_written_out(array: np.ndarray) -> None:
    assert regular(array) is None
