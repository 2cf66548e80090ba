"""The house: data flows down this list of rooms, and a room imports only from rooms above it.

Imports are read from the source, so that those for type checkers and those inside functions count.
"""

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

import graphc

ROOT = Path(graphc.__file__).parent
ROOMS = ("errors", "ir", "ops", "expr", "frontends", "autodiff", "rewrite", "rules", "passes", "plan", "emit",
         "check", "view", "load", "module", "custom", "api", "transforms", "cli")  # fmt: skip
LAZY = {"sympy", "networkx", "lark"}
STANDARD = sys.stdlib_module_names
# Modules that are named in a string and loaded later, and why that is no way around the rooms.
NAMED_LATER = {
    "__init__.py": "the public names, loaded when first used",
    "cli/__init__.py": "the commands, after --version",
    "cli/python.py": "the module of the user's that the command names",
    "ir/graph.py": "Graph.to_sympy: a convenience of the SymPy front end, which few graphs need",
    "ir/op.py": "unpickling: an op is found by its name in the table, as pickle finds functions",
}


def sources():
    return sorted(ROOT.rglob("*.py"))


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def room_of(module):
    """The room of a module of graphc; the package itself is the hall, open to all."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "hall"


def imports(tree):
    """(module, inside a function) of every import statement; `from graphc import cli` is graphc.cli."""
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
              for n in ast.walk(f)}  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            names = [node.module]
            if node.module == "graphc":
                names = [f"graphc.{a.name}" if room_exists(a.name) else "graphc" for a in node.names]
        else:
            continue
        for name in names:
            yield name, id(node) in inside


def room_exists(name):
    return (ROOT / name).is_dir() or (ROOT / f"{name}.py").is_file()


def test_every_file_is_in_a_room():
    found = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in sources()}
    assert found - {"__init__", "__main__"} == set(ROOMS)


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_imports_come_from_rooms_above(path):
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if room in ("__init__", "__main__"):
        return
    below = ROOMS[ROOMS.index(room) + 1 :]
    wrong = [name for name, _ in imports(ast.parse(path.read_text("utf-8")))
             if name.startswith("graphc.") and room_of(name) in below]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_imports_stand_at_the_top(path):
    """Except those of heavy libraries, at the one place where each is used; and those are nowhere else."""
    tree = ast.parse(path.read_text("utf-8"))
    for name, inside in imports(tree):
        library = name.split(".")[0]
        assert inside <= (library in LAZY), f"`{name}` is imported inside a function"
        if library in LAZY and not inside:
            assert type_checking_only(tree, name), f"`{name}` is imported at start-up"


def type_checking_only(tree, name):
    guarded = [n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    return any(name == found for block in guarded for found, _ in imports(block))


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_libraries(path):
    """NumPy and the three lazy ones are all there is."""
    libraries = {name.split(".")[0] for name, _ in imports(ast.parse(path.read_text("utf-8")))}
    assert libraries - STANDARD <= {"graphc", "numpy", *LAZY}


def test_modules_named_in_strings():
    calls = ((p, n) for p in sources() for n in ast.walk(ast.parse(p.read_text("utf-8"))) if isinstance(n, ast.Call))
    found = {name_of(p) for p, n in calls if ast.unparse(n.func).split(".")[-1] in ("import_module", "__import__")}
    assert found == set(NAMED_LATER)


# --- start-up ---


def fresh(code):
    """Run code in a new process; what it prints."""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.parametrize("code", [
    "import graphc",
    "from graphc.cli import main; main(['--version'])",
])  # fmt: skip
def test_light_start(code):
    heavy = fresh(f"import sys\n{code}\nprint(sorted({{'numpy', *{LAZY!r}}} & set(sys.modules)))")
    assert heavy.splitlines()[-1] == "[]"


def test_api_starts_without_the_lazy_ones():
    code = f"import sys, graphc\ngraphc.compile\nprint(sorted({LAZY!r} & set(sys.modules)))"
    assert fresh(code) == "[]\n"


def test_version_is_quick():
    """0.06 s, of which Python itself is 0.01 to 0.03; the best of five, since machines are shared."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        fresh("from graphc.cli import main; main(['--version'])")
        times.append(time.perf_counter() - started)
    assert min(times) < 0.15
