"""The calls of `calls.txt`: what each is called, and what it computes with real arrays.

np.sum(X, axis=0)                   the call of `np.sum`
svd.S: np.linalg.svd(X).S           the call of `svd.S`
Z = x.copy(); Z.fill(t); Z          several statements; the last is the result
"""

from __future__ import annotations

import linecache
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
import scipy.special
import scipy.stats

_NAME = re.compile(r"(?:np|math|scipy)(?:\.\w+)+")
_LABEL = re.compile(r"(?P<label>[^:\[({\"]+(?:\(\w*\))?): (?P<call>.+)")


class Call(NamedTuple):
    """One line: its section, its name, its text, and the inputs that it reads, in order."""

    section: str
    name: str
    text: str
    inputs: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.name} | {self.text}"

    @property
    def source(self) -> str:
        *statements, result = self.text.split("; ")
        lines = [*statements, f"return {result}"]
        return f"def call({', '.join(self.inputs)}):\n" + "".join(f"    {line}\n" for line in lines)

    def function(self) -> Callable[..., Any]:
        """The call as a function whose source can be read."""
        path = f"<{self.text}>"
        linecache.cache[path] = len(self.source), None, self.source.splitlines(keepends=True), path
        scope: dict[str, Any] = {"np": np, "math": math, "scipy": scipy}
        exec(compile(self.source, path, "exec"), scope)
        return scope["call"]  # type: ignore[no-any-return]


def inputs() -> dict[str, np.ndarray]:
    """The arrays that the calls read."""
    draw = np.random.default_rng(7)
    spread = draw.permutation(np.linspace(0.12, 0.88, 12))  # no two are near each other: no kink is crossed
    return {
        "x": spread[:4],
        "y": spread[4:8],
        "t": np.asarray(spread[9]),
        "u": draw.permutation(np.linspace(0.1, 0.9, 8)),
        "X": spread.reshape(3, 4),
        "Y": spread[::-1].reshape(3, 4) * 1.1,
        "A": np.array([[2.1, 0.3, -0.4], [0.5, 1.4, 0.2], [0.1, -0.6, 1.8]]),
        "B": np.array([[0.9, 0.2, 0.1], [-0.3, 1.6, 0.4], [0.2, 0.5, 2.3]]),
        "T": draw.permutation(np.linspace(0.1, 0.9, 24)).reshape(2, 3, 4),
        "i": np.array([2, 0, 1, 1]),
        "m": np.array([True, False, True, True]),
    }


INPUTS = inputs()


def parsed(section: str, line: str) -> Call:
    """A line of the file."""
    label = _LABEL.fullmatch(line)
    text = label["call"] if label else line
    name = label["label"] if label else _NAME.search(line)[0]  # type: ignore[index]
    words = set(re.findall(r"(?<![\w.\"])\w+\b(?![\"(=])", re.sub(r"lambda [\w, ]+:", "", text)))
    return Call(section, name, text, tuple(n for n in INPUTS if n in words))


def read() -> list[Call]:
    """All calls, in the order of the file."""
    calls, section = [], ""
    for line in (Path(__file__).parent / "calls.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            calls.append(parsed(section, line))
    return calls
