"""The documents do what they say.

Python blocks run, in order, one namespace a file. In `console` blocks the lines after `$ graphc ...`
are its output, `...` standing for anything; the command must succeed. Links between files lead
somewhere.
"""

import contextlib
import io
import linecache
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(path, language):
    """(line number, text) of each block in a language."""
    text = path.read_text("utf-8")
    return [(text.count("\n", 0, m.start()) + 2, m[2]) for m in FENCE.finditer(text) if m[1] == language]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_python_blocks(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__document__"}
    for line, text in blocks(path, "python"):
        source, name = "\n" * (line - 1) + text, f"<{path.name}:{line}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)  # as notebooks do
        code = compile(source, name, "exec")
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, namespace)


def commands():
    """(file, line, command, expected output) of every command in the documents."""
    found = []
    for path in DOCUMENTS:
        for line, text in blocks(path, "console"):
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append((name_of(path), line, command, output))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A directory with the examples, where commands may write."""
    path = tmp_path_factory.mktemp("documents")
    shutil.copytree(ROOT / "examples", path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    return path


@pytest.mark.parametrize(("document", "line", "command", "output"), commands(), ids=lambda v: str(v)[:50])
def test_commands(folder, document, line, command, output):
    words = shlex.split(command)
    assert words[0] == "graphc"
    process = subprocess.run([sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stderr
    if output:
        pattern = ".*".join(map(re.escape, re.split(r"\.\.\.", output)))
        pattern = pattern.replace(r"\.*\n", ".*")
        assert re.fullmatch(pattern, process.stdout + process.stderr, re.DOTALL), f"{document}:{line}\n{process.stdout}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links(path):
    for target in re.findall(r"\]\(([^)#]+)\)", FENCE.sub("", path.read_text("utf-8"))):
        assert target.startswith("https://") or (path.parent / target).exists(), target


def test_there_are_examples_everywhere():
    assert len(commands()) >= 8
    assert [name_of(path) for path in DOCUMENTS if not blocks(path, "python")] == []


def test_the_error_in_the_tutorial():
    """The message that the tutorial shows is the one that is printed."""
    import graphc as gc

    with pytest.raises(gc.ShapeError) as caught:
        gc.compile("X @ w", {"X": "n d", "w": "k"})
    assert f"```text\n{caught.value}\n```" in (ROOT / "docs" / "tutorial.md").read_text("utf-8")


def test_readme_has_the_two_commands():
    """One line each, complete in itself; .ci/run runs them."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    start = "python3 -m venv .venv && .venv/bin/pip install -q -e "
    assert [line.removeprefix(start) for line in lines if line.startswith("python3 ")] == [
        ". && .venv/bin/graphc compile examples/logistic.gc --wrt w,b",
        '".[test]" && .venv/bin/python -m pytest',
    ]
