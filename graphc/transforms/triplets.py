"""What a sparse Jacobian is: its entries, and where they stand.

[[1, 0, 2],
 [0, 3, 0]]      ->      data = [1, 2, 3], rows = [0, 0, 1], cols = [0, 2, 1], shape = (2, 3)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Triplets(NamedTuple):
    """A sparse matrix: entry k is `data[k]`, at row `rows[k]` and column `cols[k]`; the rest is 0.

    Rows and columns are the elements of the output and of the input, in C order. Entries are sorted by
    row, then by column, each once; one may be 0 by its value. The index arrays are read-only.

        scipy.sparse.coo_array((t.data, (t.rows, t.cols)), shape=t.shape)
        scipy.sparse.csr_array((t.data, t.cols, t.indptr), shape=t.shape)
    """

    data: Array
    rows: Array
    cols: Array
    shape: tuple[int, int]

    @property
    def indptr(self) -> Array:
        """Where each row begins among the entries, and where the last one ends."""
        return np.searchsorted(self.rows, np.arange(self.shape[0] + 1))

    def toarray(self) -> Array:
        """The matrix with its zeros."""
        full = np.zeros(self.shape, dtype=self.data.dtype)
        full[self.rows, self.cols] = self.data
        return full
