"""The reference is written from the tables, and docs/ops.md is what is written.

pytest tests/view --update-golden      writes docs/ops.md anew
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from graphc.errors import UnknownNameError
from graphc.expr.functions import FUNCTIONS
from graphc.ops import REGISTRY
from graphc.view import reference
from graphc.view.derivative import MEANING, written

PAGE = Path(__file__).parents[2] / "docs" / "ops.md"
NUMPY = re.compile(r"^## NumPy\n.*?(?=^## )", re.MULTILINE | re.DOTALL)


def test_page_is_as_committed(request: pytest.FixtureRequest) -> None:
    text = reference.markdown()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(text, encoding="utf-8", newline="\n")
    committed = PAGE.read_text("utf-8")
    versions = [re.search(r"of NumPy (\S+)", t)[1] for t in (text, committed)]  # type: ignore[index]
    if versions[0] != versions[1]:  # another NumPy has other functions
        text, committed = (NUMPY.sub("", t) for t in (text, committed))
    assert text == committed, "docs/ops.md differs; if that is wanted: --update-golden"


@pytest.mark.parametrize(
    ("name", "derivative"),
    {
        "sigmoid": "dx = dy * y * (1 - y)",
        "tanh": "dx = dy * (1 - y * y)",
        "add": "da = dy, db = dy",
        "subtract": "da = dy, db = -dy",
        "divide": "da = dy / b, db = -(dy / b * y)",
        "exp": "dx = dy * y",
        "log2": "dx = dy * 1.4427 / x",
        "relu": "dx = dy * (y > 0)",
        "sqrt": "dx = dy / (2 * y)",
        "logaddexp": "da = dy * sigmoid(a - b), db = dy * sigmoid(b - a)",
        "polygamma": "dx = dy * polygamma(x, n=n + 1)",
        "floor": "no derivative",
        "softmax": "dx = y * (dy - sum(y * dy))",
    }.items(),
)
def test_derivatives_as_on_paper(name: str, derivative: str) -> None:
    assert written(REGISTRY[name]) == derivative


def test_no_derivative_shows_what_is_no_mathematics() -> None:
    shown = {name: written(op) for name, op in REGISTRY.items()}
    assert [n for n, text in shown.items() if any(f"{word}(" in text for word in (*MEANING, "wins", "inside"))] == []


@pytest.mark.parametrize("name", [*FUNCTIONS, *(n for n in REGISTRY if n not in FUNCTIONS)])
def test_every_entry_can_be_printed(name: str) -> None:
    text = reference.entry(name)
    described = FUNCTIONS[name].doc if name in FUNCTIONS else REGISTRY[name].doc
    assert described.splitlines()[0] in text
    if name in REGISTRY:
        assert f"derivative  {written(REGISTRY[name])}\n" in text
        assert f"exactness   {REGISTRY[name].accuracy}\n" in text
        assert REGISTRY[name].conventions in text


def test_an_unknown_name_has_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="did you mean `sigmoid`"):
        reference.entry("np.sigmoud")
