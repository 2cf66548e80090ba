"""Writing files: all of the text, or the file as it was."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from graphc.emit.output import write_atomically
from graphc.errors import FileError


def test_new_file_then_nothing_to_do(tmp_path: Path) -> None:
    path = tmp_path / "out.py"
    assert write_atomically(path, "a = 1\n") is True
    before = path.stat()
    assert write_atomically(path, "a = 1\n") is False
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.read_text() == "a = 1\n"


def test_mode_is_kept_and_nothing_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "out.py"
    path.write_text("old\n")
    path.chmod(0o640)
    write_atomically(path, "new\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["out.py"]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real.py", tmp_path / "link.py"
    real.write_text("old\n")
    link.symlink_to(real)
    write_atomically(link, "new\n")
    assert link.is_symlink()
    assert real.read_text() == "new\n"


@pytest.mark.parametrize("name", [".", "missing/out.py", "/dev/full", "a\0b"])
def test_failures_are_file_errors(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError) as caught:
        write_atomically(Path(name), "text\n")
    assert caught.value.code == "G060"
    assert os.listdir(tmp_path) == []


def test_dev_null_is_written_to_and_stays_a_device() -> None:
    write_atomically(Path("/dev/null"), "text\n")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("spelling", ["model.gc", "./model.gc", "link.gc"])
def test_the_input_is_never_overwritten(tmp_path: Path, spelling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = tmp_path / "model.gc"
    model.write_text("x * x\n")
    (tmp_path / "link.gc").symlink_to(model)
    with pytest.raises(FileError):
        write_atomically(Path(spelling), "text\n", source=model)
    assert model.read_text() == "x * x\n"
