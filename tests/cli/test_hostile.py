"""The command line under attack: every `cli` case of the suite, through a process of its own.

The output file is either the old one or a complete new one, whatever happens; nothing but the
output is written, nothing is loaded from the working directory, and the file does not depend on
the place, the locale or the time.
"""

import ast
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parents[1] / "data" / "hostile_inputs.json").read_text("utf-8"))
    if case["target"] == "cli"
}
MODEL = "x: f64\nw: f64\ny = x * w + 1.0\nreturn y\n"
GRAPHC = [sys.executable, "-m", "graphc"]
OLD = "# the old file\n" * 40
AS_ROOT = os.geteuid() == 0


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "M").write_text(MODEL)
    return tmp_path


def graphc(folder, *words, env=None, **options):
    """Run `graphc compile` in a folder; the finished process."""
    return subprocess.run(
        [*GRAPHC, "compile", *words], cwd=folder, env=env or clean(), capture_output=True, timeout=60, **options
    )


def clean(**extra):
    """An environment without Python's own switches, and without byte code written anywhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LC_", "LANG"))}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **extra}


def refused(process, status):
    message = process.stderr.decode()
    assert process.returncode == status, message
    assert process.stdout == b""
    assert message.startswith("error[G"), message
    assert "Traceback" not in message
    assert len(message) < 3000
    assert all(c == "\n" or c.isprintable() for c in message)
    return message


def complete(source):
    """The text is a whole generated file, and holds only what graphc puts there."""
    tree = ast.parse(source)
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert imported <= {"math", "numpy"}
    names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    assert {"forward", "backward", "value_and_grad"} <= set(names) <= {
        "forward", "backward", "value_and_grad", "_check"}  # fmt: skip
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert called <= {"forward", "backward", "_check", "Gradients", "float", "isinstance", "TypeError", "ValueError"}
    return source


def reference(folder):
    process = graphc(folder, "M", "-o", "REFERENCE")
    assert process.returncode == 0, process.stderr
    text = (folder / "REFERENCE").read_text("ascii")
    (folder / "REFERENCE").unlink()
    return complete(text)


SIMPLE = {
    "cli-dir-out": (1, "it is a directory"),
    "cli-out-missing-dir": (1, "No such file or directory"),
    "cli-out-is-in": (1, "it is the input"),
    "cli-dev-full": (1, "No space left on device"),
    "cli-wrt-empty": (2, "wrt is empty"),
    "cli-name-inj": (2, "is not a name"),
    "cli-name-kw": (2, "is reserved: it is a keyword of Python"),
}


@pytest.mark.parametrize("name", SIMPLE)
def test_refused(folder, name):
    status, message = SIMPLE[name]
    assert message in refused(graphc(folder, *CASES[name]["argv"]), status)
    assert [p.name for p in folder.iterdir()] == ["M"]
    assert (folder / "M").read_text() == MODEL


@pytest.mark.parametrize("how", ["symbolic", "hard"])
def test_output_is_a_link_to_the_input(folder, how):
    (folder / "L").symlink_to("M") if how == "symbolic" else os.link(folder / "M", folder / "L")
    assert "it is the input" in refused(graphc(folder, "M", "-o", "L"), 1)
    assert (folder / "M").read_text() == MODEL


@pytest.mark.skipif(AS_ROOT, reason="root writes everywhere; see the next test")
def test_unwritable_directory(folder):
    (folder / "READONLY_DIR").mkdir(mode=0o555)
    assert "Permission denied" in refused(graphc(folder, *CASES["cli-out-readonly"]["argv"]), 1)
    assert list((folder / "READONLY_DIR").iterdir()) == []


def test_directory_where_nothing_can_be_created(folder):
    refused(graphc(folder, "M", "-o", "/proc/O"), 1)


def test_dev_null_stays_a_device(folder):
    process = graphc(folder, *CASES["cli-dev-null"]["argv"])
    assert process.returncode == 0
    assert Path("/dev/null").is_char_device()


def test_standard_output_is_full(folder):
    with open("/dev/full", "wb") as full:
        process = subprocess.run([*GRAPHC, "compile", "M"], cwd=folder, env=clean(), stdout=full,
                                 stderr=subprocess.PIPE, timeout=60)  # fmt: skip
    assert process.returncode == 1
    assert process.stderr.startswith(b"error[G060]: cannot write standard output: No space left on device\n")
    assert b"Traceback" not in process.stderr


def test_reader_that_stops_early(folder):
    """`graphc ... | head -1` is quiet, however much is left to write."""
    (folder / "M").write_text("x: f64\n" + "".join(f"y{i} = sin(x + {i}) * x\n" for i in range(3000)) + "return y0\n")
    with subprocess.Popen([*GRAPHC, "show", "M", "--as", "tree"], cwd=folder, env=clean(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:  # fmt: skip
        process.stdout.close()
        message = process.stderr.read()
        assert process.wait(60) == 1
    assert message == b""


def test_file_size_limit(folder):
    (folder / "O").write_text(OLD)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    assert "File too large" in refused(graphc(folder, "M", "-o", "O", preexec_fn=limit), 1)
    assert (folder / "O").read_text() == OLD
    assert sorted(p.name for p in folder.iterdir()) == ["M", "O"]


def test_sigkill_at_any_moment(folder):
    new = reference(folder)
    clock = random.Random(0)
    started = time.perf_counter()
    assert graphc(folder, "M", "-o", "O").returncode == 0
    whole = time.perf_counter() - started
    outcomes = set()
    for _ in range(12):
        (folder / "O").write_text(OLD)
        command = [*GRAPHC, "compile", "M", "-o", "O"]
        process = subprocess.Popen(command, cwd=folder, env=clean(), stderr=subprocess.PIPE)
        time.sleep(clock.uniform(0.5, 1.2) * whole)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        text = (folder / "O").read_text()
        assert text in (OLD, new)
        outcomes.add(text)
    assert outcomes <= {OLD, new}


def test_concurrent_writers(folder):
    new = reference(folder)
    (folder / "O").write_text(OLD)
    seen, done = set(), threading.Event()

    def read():
        while not done.is_set():
            seen.add((folder / "O").read_text())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        command = [*GRAPHC, "compile", "M", "-o", "O"]
        writers = [subprocess.Popen(command, cwd=folder, env=clean(), stderr=subprocess.PIPE) for _ in range(20)]
        assert {w.communicate(timeout=120) and w.returncode for w in writers} == {0}
    finally:
        done.set()
        reader.join()
    assert seen <= {OLD, new}
    assert (folder / "O").read_text() == new
    assert sorted(p.name for p in folder.iterdir()) == ["M", "O"]


FILE_NAMES = ["m\rraise SystemExit(1)\r#.txt", 'm"""\'\'\'\\".gc', "m\n\x1b[31m.gc", "é\u202e.gc", "-m.gc"]


@pytest.mark.parametrize("name", FILE_NAMES)
def test_file_names_are_only_names(folder, name):
    (folder / name).write_text(MODEL)
    words = ["-o", "O", "--", name] if name.startswith("-") else [name, "-o", "O"]
    process = graphc(folder, *words)
    assert process.returncode == 0, process.stderr
    source = complete((folder / "O").read_text("ascii"))
    assert "\r" not in source
    assert source.split("\n")[1:2] == reference(folder).split("\n")[1:2]
    assert source.split("\n")[0].startswith("# Code generated by graphc")


def test_output_names_are_only_names(folder):
    name = 'o\r"""\x1b[31m'
    process = graphc(folder, "M", "-o", name)
    assert (process.returncode, process.stderr) == (0, b'wrote o\\r"""\\x1b[31m\n')
    assert (folder / name).read_text() == reference(folder)


@pytest.mark.parametrize("env", [
    {"LC_ALL": "C"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONHASHSEED": "1"},
    {"PYTHONHASHSEED": "12345"},
], ids=str)  # fmt: skip
def test_same_bytes_in_every_environment(folder, env):
    new = reference(folder)
    assert graphc(folder, "M", "-o", "O", env=clean(**env)).returncode == 0
    assert (folder / "O").read_bytes() == new.encode("ascii")
    assert graphc(folder, "M", env=clean(**env)).stdout == new.encode("ascii")
    tree = subprocess.run([*GRAPHC, "show", "M", "--as", "tree"], cwd=folder, env=clean(**env), capture_output=True)
    assert (tree.returncode, "└─ ".encode() in tree.stdout) == (0, True)


def test_working_directory_does_not_matter(folder):
    other = folder / "elsewhere" / "deep"
    other.mkdir(parents=True)
    (other / "M").write_text(MODEL)
    assert graphc(folder, "M", "-o", "O").returncode == 0
    assert graphc(other, "M", "-o", "O").returncode == 0
    assert graphc(folder, str(other / "M"), "-o", "P").returncode == 0
    source = (folder / "O").read_text()
    assert source == (other / "O").read_text() == (folder / "P").read_text()
    assert str(folder) not in source


HOSTILE_FILES = ["lark.py", "networkx.py", "sympy.py", "argparse.py", "math.py", "sitecustomize.py",
                 "usercustomize.py", "conftest.py", "graphc.py", "graphc.cfg", "M.py", "json.py"]  # fmt: skip


def test_nothing_is_loaded_from_the_working_directory(folder):
    for name in HOSTILE_FILES:
        (folder / name).write_text("open('graphc_canary', 'w')\n")
    (folder / "pyproject.toml").write_text("[tool.graphc]\nplugins = ['M']\n")
    script = Path(sys.executable).with_name("graphc")
    command = [script, "compile", "M", "-o", "O"]
    process = subprocess.run(command, cwd=folder, env=clean(), capture_output=True, timeout=60)
    assert process.returncode == 0, process.stderr
    assert not (folder / "graphc_canary").exists()
    (folder / "graphc.py").unlink()  # with -m, Python itself looks here for the package
    (folder / "sitecustomize.py").unlink()
    (folder / "usercustomize.py").unlink()
    assert graphc(folder, "M", "-o", "P").returncode == 0
    assert not (folder / "graphc_canary").exists()
    assert (folder / "O").read_text() == (folder / "P").read_text()


AUDIT = """
import os, sys
written = []
def hook(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        written.append(os.fspath(args[0]) if not isinstance(args[0], int) else args[0])
sys.addaudithook(hook)
from graphc.cli import main
status = main(["compile", "M", "-o", "O"])
print(status, [os.path.basename(name) for name in written if isinstance(name, str)])
"""


def test_only_the_output_is_opened_for_writing(folder):
    process = subprocess.run([sys.executable, "-c", AUDIT], cwd=folder, env=clean(), capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    status, names = process.stdout.strip().split(" ", 1)
    (draft,) = ast.literal_eval(names)
    assert (status, draft.startswith(".graphc-"), draft.endswith(".tmp")) == ("0", True, True)
    assert sorted(p.name for p in folder.iterdir()) == ["M", "O"]


def test_generated_files_are_for_every_supported_python(folder):
    """The grammar of Python 3.11 and a run with warnings as errors."""
    source = reference(folder)
    ast.parse(source, feature_version=(3, 11))
    (folder / "O.py").write_text(source)
    code = "import O, sys; assert O.value_and_grad(2.0, 3.0)[0] == 7.0; assert 'graphc' not in sys.modules"
    process = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=folder, env=clean(), capture_output=True)
    assert process.returncode == 0, process.stderr


TESTED = {
    *SIMPLE, "cli-out-readonly", "cli-dev-null", "cli-fsize-limit", "cli-sigkill", "cli-concurrent",
    "cli-file-name-cr", "cli-file-name-quotes", "cli-locale-c", "cli-cwd-independent", "cli-env-pythonpath",
    "cli-no-numpy-write", "cli-generated-py-versions",
}  # fmt: skip


def test_every_case_is_counted():
    assert set(CASES) == TESTED
