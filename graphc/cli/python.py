"""Functions as sources: `model.py:loss` and `package.module:loss`.

The file is run, as `python model.py` would run it: that is for code that you trust.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from graphc.errors import ArgumentError, FileError, GraphcError, UnknownNameError, did_you_mean, printable

_NAME = "[A-Za-z_][A-Za-z0-9_]*+"
PYTHON = re.compile(
    rf"(?P<file>.+\.py):(?P<name>{_NAME})|(?P<module>{_NAME}(?:\.{_NAME})*+):(?P<inner>{_NAME})", re.ASCII
)


def load_function(source: str) -> Callable[..., Any]:
    """The function that `source` names. Runs its module.

    Raises FileError if there is no such file, ArgumentError if it does not run, UnknownNameError if
    it has no such function.
    """
    found = PYTHON.fullmatch(source)
    assert found is not None
    name = found["name"] or found["inner"]
    shown = printable(found["file"] or found["module"], 200)
    print(f"note: this runs {shown}", file=sys.stderr)
    module = _loaded(shown, lambda: _from_file(Path(found["file"])) if found["file"] else _imported(found["module"]))
    function = getattr(module, name, None)
    if not callable(function):
        known = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        raise UnknownNameError("G010", f"`{shown}` has no function `{name[:60]}`", hint=did_you_mean(name, known))
    result: Callable[..., Any] = function
    return result


def _loaded(shown: str, action: Callable[[], ModuleType]) -> ModuleType:
    """The module; whatever it raises while it runs becomes an error of one line."""
    try:
        return action()
    except GraphcError:
        raise
    except FileNotFoundError as error:
        raise FileError("G060", f"cannot read {shown}: {error.strerror}") from None
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ArgumentError("G070", f"{shown} does not run: {printable(reason, 200)}") from error


def _from_file(path: Path) -> ModuleType:
    """Run a file as a module of its own; modules beside it can be imported."""
    if not path.is_file():
        raise FileNotFoundError(2, "No such file or directory")
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules.setdefault(path.stem, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def _imported(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    return importlib.import_module(name)
