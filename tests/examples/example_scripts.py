"""The scripts of examples/ as modules."""

import importlib.util
from functools import cache
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


@cache
def script(name, folder=EXAMPLES):
    """The module of a script."""
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
