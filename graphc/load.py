"""Generated source -> a module that runs, whose tracebacks show its lines.

    load_module("def f(x: float) -> float:\\n    return 2.0 * x\\n", "double").f(3.0)   ->   6.0

The module is not put into `sys.modules`: two models may have one name, and a model named `math`
must not shadow anything. The price is that pickle, which finds classes by name, does not take a
`Gradients` tuple; `tuple(g)`, `g._asdict()`, or importing the saved file does.
"""

from __future__ import annotations

import linecache
import weakref
from collections import deque
from threading import Lock
from types import ModuleType

from graphc.errors import InternalError, printable
from graphc.ir.collector import collector_paused

_lock = Lock()
_gone: deque[str] = deque()  # files of modules that are no more


def load_module(source: str, name: str) -> ModuleType:
    """Run generated source as a new module called `name`.

    Its file name is `<graphc:name>`, or `<graphc:name#2>` while another text has the first.
    Raises InternalError if the text is not Python: the emitter wrote it.
    """
    module = ModuleType(name)
    filename = _register(source, printable(name, 80), module)
    module.__file__ = filename
    try:
        with collector_paused():
            code = compile(source, filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        message = f"the generated code of {filename} is not Python: {error}"
        raise InternalError("G090", message) from error
    exec(code, module.__dict__)  # the text is graphc's own; a user's text never gets here
    return module


def _register(source: str, name: str, module: ModuleType) -> str:
    """Let `linecache` know the lines for as long as the module, or a function of it, lives."""
    lines = source.splitlines(keepends=True)
    with _lock:
        while _gone:
            linecache.cache.pop(_gone.popleft(), None)
        number = 1
        while (filename := _filename(name, number)) in linecache.cache:
            number += 1
        linecache.cache[filename] = (len(source), None, lines, filename)
    # The functions hold the dict, and so the dict must hold the module.
    module.__dict__["__graphc_module__"] = module
    # Not taken out there and then: a collection may come while `linecache` goes through its files.
    weakref.finalize(module, _gone.append, filename).atexit = False
    return filename


def _filename(name: str, number: int) -> str:
    return f"<graphc:{name}>" if number == 1 else f"<graphc:{name}#{number}>"
