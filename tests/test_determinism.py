"""The same model gives the same bytes: in other processes, hash seeds, folders and locales, and after other models."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import loop_programs as programs

import graphc as gc
from graphc.ir.control import final
from graphc.ir.graph import Graph

ROOT = Path(__file__).parents[1]
MODELS = sorted((ROOT / "tests" / "golden").glob("*.gc"))

SCRIPT = """
import hashlib, json, sys
from pathlib import Path
import graphc as gc
from graphc.ir.listing import write_listing
found = {}
for path in map(Path, sys.argv[1:]):
    m = gc.compile(path)
    text = "\\0".join([m.source, write_listing(m.graph), write_listing(m.gradient), m.explain(), str(m.stats), repr(m)])
    found[path.name] = hashlib.sha256(text.encode()).hexdigest()
print(json.dumps(found))
"""


LOOPS = """
import hashlib, json, sys
import graphc as gc
import loop_programs as programs
found = {}
for name in sys.argv[1:]:
    m = gc.compile(programs.graph_of(name))
    text = "\\0".join([m.source, str(m.graph), str(m.gradient), m.explain(), str(m.stats)])
    found[name] = hashlib.sha256(text.encode()).hexdigest()
print(json.dumps(found))
"""


def digests(folder: Path, models: Sequence[object], script: str = SCRIPT, **environment: str) -> dict[str, str]:
    """What another process makes of the models."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "autodiff")])
    env = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    command = [sys.executable, "-W", "error", "-c", script, *map(str, models)]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    result: dict[str, str] = json.loads(done.stdout)
    return result


def test_processes_agree_whatever_the_hash_seed_folder_locale_and_order(tmp_path: Path) -> None:
    assert len(MODELS) >= 20
    first = digests(ROOT, MODELS, PYTHONHASHSEED="0", LC_ALL="C", TZ="UTC")
    assert set(first) == {m.name for m in MODELS} and len(set(first.values())) == len(MODELS)
    second = digests(
        tmp_path, MODELS[::-1], PYTHONHASHSEED="4242", LC_ALL="C.UTF-8", TZ="Asia/Tokyo", HOME=str(tmp_path)
    )
    assert second == first


def test_loops_and_branches_are_the_same_in_every_process(tmp_path: Path) -> None:
    names = ("stacks, down", "swap", "nested", "triangular", "branch in a loop", "while")
    first = digests(ROOT, names, LOOPS, PYTHONHASHSEED="0")
    assert len(set(first.values())) == len(names)
    assert digests(tmp_path, names[::-1], LOOPS, PYTHONHASHSEED="4242") == first


def test_the_header_knows_what_is_in_a_loop() -> None:
    def mark(name: str, start: int = 0) -> str:
        h = programs.loop(lambda h: ((programs.op(name, h),), ()), programs.H, start=start)
        graph = Graph((programs.X, programs.H), (final(h, 0),), ("y",))
        return gc.compile(graph).source.split("sha256:")[1][:16]

    assert mark("sin") == mark("sin")
    assert len({mark("sin"), mark("cos"), mark("sin", 1)}) == 3


def test_a_second_compilation_and_other_models_before_change_nothing() -> None:
    before = {m: gc.compile(m).source for m in MODELS}
    kept = [gc.compile("x * y + exp(x)"), gc.compile("x: f64[n]\nreturn sum(sigmoid(x))")]
    again = {m: gc.compile(m).source for m in reversed(MODELS)}
    assert again == before and len(kept) == 2
    assert {m: gc.compile(gc.compile(m).graph).source for m in MODELS} == before


def test_the_committed_files_are_these_bytes() -> None:
    found = {m.name: hashlib.sha256(gc.compile(m).source.encode()).hexdigest() for m in MODELS}
    committed = {m.name: hashlib.sha256(m.with_suffix(".py").read_bytes()).hexdigest() for m in MODELS}
    assert found == committed


def test_the_header_knows_the_graph_and_the_options_and_not_the_bytes_of_the_model() -> None:
    def mark(text: str, wrt: str | None = None) -> str:
        return gc.compile(text, wrt=wrt).source.split("sha256:")[1][:16]

    text = "x: f64[n]\ny: f64[n]\nloss = sum(x * y)\n"
    assert mark(text) == mark("# a comment\n\nx : f64[ n ]\ny: f64[n]\nloss = sum( x*y )   # another\nreturn loss\n")
    others = [
        text.replace("*", "+"),
        text.replace("loss", "total"),
        text.replace("y: f64", "y: f32"),
        text.replace("[n]", "[3]"),
    ]
    marks = [mark(text), mark(text, "x"), *map(mark, others)]
    assert len(set(marks)) == len(marks)
    assert all(set(m) <= set("0123456789abcdef") and len(m) == 16 for m in marks)
