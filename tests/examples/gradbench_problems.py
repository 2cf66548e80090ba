"""What the tests of GradBench's problems share: the problems as modules, and oracles that are exact to rounding."""

import sys

import numpy as np
from example_scripts import EXAMPLES, script

PROBLEMS = EXAMPLES / "gradbench"


def problem(name):
    """The module of a problem; what it imports from its folder is found."""
    if str(PROBLEMS) not in sys.path:
        sys.path.append(str(PROBLEMS))
    return script(name, PROBLEMS)


def complex_step(f, x):
    """The gradient of f, exact to rounding: the imaginary part of f(x + ih) / h."""
    h = 1e-200
    units = np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([np.imag(f(x + 1j * h * unit)) / h for unit in units]).reshape(x.shape)


def close(got, wanted, rtol=1e-8):
    """Relative to the size of the whole: an entry that cancels is not asked for more than the oracle can say."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol * np.max(np.abs(wanted), initial=1e-4))
