"""The bytes of a model file, as text. UTF-8, with or without a byte order mark; nothing else.

read_model("logistic.gc")    "X: f64[n, d]\\n..."
"""

from __future__ import annotations

from pathlib import Path

from graphc.errors import FileError, LimitError, ParseError, printable
from graphc.frontends.text.characters import MAX_TEXT


def read_model(path: str | Path) -> str:
    """The text of a model file.

    Raises FileError G060 if it cannot be read, LimitError G003 beyond 16 MiB, ParseError G002
    if it is not text.
    """
    name = printable(str(path), 200)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_TEXT + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path is not valid"
        raise FileError("G060", f"cannot read {name}: {reason}") from None
    return decode_model(data, name)


def decode_model(data: bytes, name: str = "<model>") -> str:
    """The text of these bytes; a file is never unpickled, unzipped or otherwise interpreted."""
    if len(data) > MAX_TEXT:
        raise LimitError("G003", f"{printable(name, 200)} is larger than 16 MiB")
    if b"\0" in data:
        raise ParseError("G002", f"{printable(name, 200)} is not a text file: it holds a NUL byte")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise ParseError(
            "G002",
            f"{printable(name, 200)} is not UTF-8 text: byte 0x{byte:02X} in line {line}",
            hint="save the file as UTF-8",
        ) from None
