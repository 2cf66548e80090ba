"""Python's cycle collector, paused while graphs are built.

A graph has no cycles, so there is nothing for the collector to find, and it looks through all nodes
again and again: with 100,000 of them that is half of the time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Inside, the cycle collector rests; afterwards it is as it was before."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
