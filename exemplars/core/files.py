"""Reading and writing whole files: a file is either complete or absent, never cut off.

Only entry points, readers of `ingest` and commands call these.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from exemplars.core.errors import Diagnostic, UserError

T = TypeVar("T")


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a temporary file in the folder of `path`, and rename it to `path` when the block succeeds.

    After an error, or if the process is killed, `path` is what it was before.
    Raises `OSError` if the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.chmod(0o644)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file. Raises `OSError`, and then leaves the old file as it was."""
    with replace_file(path) as partial:
        partial.write_bytes(data)


def read_json(path: Path, type_: type[T], *, code: str, expected: str, fix: str) -> T:
    """Read a JSON file into a value of `type_`.

    code, expected, fix: the parts of the diagnostic that is raised.
    Raises `UserError` if the file is missing, is not JSON, or does not match the type.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=type_)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        problem = Diagnostic(path=str(path), code=code, found=found, expected=expected, fix=fix)
        raise UserError([problem]) from None


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal, without loading the whole file into memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def encode_json(document: Any) -> bytes:
    r"""Encode a document as JSON that diffs well: indented, keys in the order given, a final newline.

    >>> encode_json({"b": 1})
    b'{\n  "b": 1\n}\n'
    """
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def write_json(path: Path, document: Any) -> None:
    """Write a document as a JSON file. Raises `OSError`, and then leaves the old file as it was."""
    write_bytes(path, encode_json(document))
