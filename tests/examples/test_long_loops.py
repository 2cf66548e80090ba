"""examples/long_loops.py: with checkpoints the memory of a long loop grows as the root of its steps."""

from example_scripts import script

long_loops = script("long_loops")


def test_memory_grows_as_the_root():
    (whole, pieces, _), (more_whole, more_pieces, _) = map(long_loops.measured, (400, 3600))
    assert 8 < more_whole / whole < 10, "nine times the steps, nine times the memory"
    assert more_pieces / pieces < 3.3, "or about three times"
