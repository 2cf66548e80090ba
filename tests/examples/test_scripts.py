"""The example scripts, run as a user runs them."""

import re
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*words, timeout=120):
    command = [sys.executable, "-W", "error", *map(str, words)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def test_lectures():
    lines = run(EXAMPLES / "lectures.py").splitlines()
    assert len(lines) == 48
    assert not [line for line in lines if line.endswith("<--")]


def test_digits(tmp_path):
    started = time.perf_counter()
    output = run(EXAMPLES / "digits.py", tmp_path / "net.py")
    assert time.perf_counter() - started < 60
    error = float(re.search(r"central differences: (\S+)", output)[1])
    assert error < 1e-6
    assert float(re.search(r"held-out accuracy: (\S+) %", output)[1]) >= 97.0
    assert len(re.findall(r"^epoch", output, re.MULTILINE)) >= 5


def test_digits_file_is_up_to_date(tmp_path):
    """The committed file is what graphc writes today."""
    run("-m", "graphc", "compile", EXAMPLES / "digits.gc", "--wrt", "W1,b1,W2,b2", "-o", tmp_path / "digits_grad.py")
    assert (tmp_path / "digits_grad.py").read_text() == (EXAMPLES / "digits_grad.py").read_text()


def test_digits_logits_of_a_thousand(tmp_path):
    """The naive softmax of digits.gc is stable: scores of +-1000 give a finite loss and p - y."""
    code = f"""
import sys; sys.path.insert(0, {str(EXAMPLES)!r}); sys.dont_write_bytecode = True
import digits_grad as net, numpy as np
X, y = np.eye(2), np.array([0, 1])
W = 1000.0 * np.eye(2)
loss, g = net.value_and_grad(X, W, np.zeros(2), -np.eye(2), np.zeros(2), y)
assert loss == 1000.0, loss
assert g.b2.tolist() == [0.0, 0.0], g.b2
assert g.W2.tolist() == [[-500.0, 500.0], [500.0, -500.0]], g.W2
assert "graphc" not in sys.modules
"""
    run("-c", code)


def test_scale():
    lines = run(EXAMPLES / "scale.py", "--sizes", "500").splitlines()
    assert len(lines) == 7
    assert lines[-1].startswith("60 doublings: ")


@pytest.mark.parametrize("model", sorted(EXAMPLES.rglob("*.gc")), ids=lambda p: p.name)
def test_models_verify(model):
    assert run("-m", "graphc", "verify", model).startswith("input ")


FOUND = {  # script: what its output must contain, with one number, and that number's bounds
    "logistic_regression.py": (r"held out (\S+) %", 96.0, 100.0),
    "poisson_regression.py": (r"log-likelihood (\S+)", -62419.7, -62419.5),
    "gaussian_process.py": (r"24 months: (\S+) ppm", 0.0, 0.6),
    "mixture.py": (r"-> (\S+) in", -1.2013, -1.2012),
    "convnet.py": (r"held-out accuracy: (\S+) %", 97.0, 100.0),
    "style.py": (r"epoch 60 .* held out +(\S+) %", 95.0, 100.0),
}


@cache
def printed(script):
    return run(EXAMPLES / script, timeout=60 if script == "convnet.py" else 120)


@pytest.mark.parametrize("script", FOUND)
def test_real_data(script):
    pattern, low, high = FOUND[script]
    assert low <= float(re.search(pattern, printed(script))[1]) <= high


@pytest.mark.parametrize("script", ["convnet.py", "style.py"])
def test_training_lowers_the_loss(script):
    losses = [float(loss) for loss in re.findall(r"^epoch .* loss (\S+)", printed(script), re.MULTILINE)]
    assert len(losses) >= 7
    assert losses[-1] < 0.25 * losses[0]
