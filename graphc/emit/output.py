"""Files that the command line writes: all of the text, or the file as it was.

write_atomically(Path("model_grad.py"), text)   ->   True; False if it held this text already
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from graphc.errors import FileError


def write_atomically(path: Path, text: str, source: Path | None = None) -> bool:
    """Write `text`; return False, and touch nothing, if the file holds it already.

    The text goes to a new file beside `path`, is flushed to the disk, gets the permissions of the
    file that it replaces and is moved into place; a failure leaves the old file and no other. A
    symbolic link stays one. Devices and pipes are written to directly.
    source: the input, which is never written to, under whatever name.
    Raises FileError for every failure of the file system.
    """
    try:
        return _write(path, text.encode("utf-8"), source)
    except FileError:
        raise
    except OSError as error:
        raise _cannot(path, error.strerror or str(error)) from error
    except ValueError as error:  # a null byte in the path, half a surrogate pair in the text
        raise _cannot(path, str(error)) from error


def _cannot(path: Path, reason: str, hint: str | None = None) -> FileError:
    return FileError("G060", f"cannot write `{path}`: {reason}", hint=hint)


def _write(path: Path, data: bytes, source: Path | None) -> bool:
    status = _status(path)
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise _cannot(path, "it is a directory", hint="give the name of a file in it")
    if source is not None and _is_same(path, source):
        raise _cannot(path, f"it is the input `{source}`", hint="give the output another name")
    if status is not None and not stat.S_ISREG(status.st_mode):
        with open(path, "wb") as stream:
            stream.write(data)
        return True
    target = Path(os.path.realpath(path))
    if status is not None and status.st_size == len(data) and target.read_bytes() == data:
        return False
    _replace(target, data, None if status is None else stat.S_IMODE(status.st_mode))
    return True


def _status(path: Path) -> os.stat_result | None:
    """What is at `path`, links followed; None if nothing is."""
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _is_same(path: Path, source: Path) -> bool:
    try:
        return os.path.samefile(path, source)
    except FileNotFoundError:
        return os.path.realpath(path) == os.path.realpath(source)


def _replace(target: Path, data: bytes, mode: int | None) -> None:
    """Put a file with this content in the place of `target`; mode: None leaves it to the umask."""
    draft = target.parent / f".graphc-{secrets.token_hex(8)}.tmp"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            os.chmod(draft, mode)
        os.replace(draft, target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
