"""Files that are either whole or absent. Only the shells of stages call these."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends well.

    On an error, or a kill, what stood at `path` before stays as it was.
    Raises `OSError` where the folder cannot be written.
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
    """Write a whole file. Raises `OSError`; then the old file stays."""
    with replace_file(path) as partial:
        partial.write_bytes(data)


def encode_json(document: Any) -> bytes:
    """JSON in the form that diffs well: indented, keys in the order given, one last newline."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def write_json(path: Path, document: Any) -> None:
    """Write `encode_json` as a whole file. Raises `OSError`; then the old file stays."""
    write_bytes(path, encode_json(document))
