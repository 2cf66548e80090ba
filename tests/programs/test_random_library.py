"""Random programs that call the library: they keep the contract of all programs (test_random.check).

Seeds beyond these ran once; what they found is frozen below.
"""

from __future__ import annotations

import library
import numpy as np
import pytest
from test_random import check

BLOCK = 12


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("first", range(0, 36, BLOCK))
def test_seeded_programs(first: int) -> None:
    with np.errstate(all="ignore"):
        assert sum(check(seed, program=library.program) for seed in range(first, first + BLOCK)) >= BLOCK


# An input called `self`; lines of helpers that were too wide.
@pytest.mark.parametrize("seed", [38, 64, 90])
def test_programs_that_once_failed(seed: int) -> None:
    with np.errstate(all="ignore"):
        assert check(seed, program=library.program) >= 1


def test_every_row_is_drawn() -> None:
    """No function of the tables is left out, and a seed always gives the same text."""
    text = "\n".join(library.program(seed).text for seed in range(2500))
    rows = [*library.UNARY, *library.BINARY, *(r[0] for r in (*library.KEPT, *library.SQUARE, *library.DEFINITE))]
    rows += [*library.SORTED, *library.QUANTILES, *library.CHANGED]
    names = {row.split("(")[0] for row in rows if row[0].isalpha()}
    assert [name for name in sorted(names) if f"{name}(" not in text] == []
    assert library.program(7).text == library.program(7).text
