"""examples/long_loops.py: with checkpoints the memory of a long loop grows as the root of its steps."""

import importlib.util
from pathlib import Path

_path = Path(__file__).parents[2] / "examples" / "long_loops.py"
_spec = importlib.util.spec_from_file_location("long_loops", _path)
assert _spec is not None and _spec.loader is not None
long_loops = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(long_loops)


def test_memory_grows_as_the_root():
    (whole, pieces, _), (more_whole, more_pieces, _) = map(long_loops.measured, (400, 3600))
    assert 8 < more_whole / whole < 10, "nine times the steps, nine times the memory"
    assert more_pieces / pieces < 3.3, "or about three times"
