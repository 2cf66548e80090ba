"""Options of the whole suite, and where its shared modules are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

for suite in ("programs", "expr", "edges", "custom", "coverage", "ops", "autodiff", "examples", "frontends"):
    sys.path.insert(0, str(Path(__file__).parent / suite))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files anew; review the changes like code"
    )
