"""Files to which several processes append."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError

_TRUNCATED: Final = "truncated"
"""What msgspec says of a document that ends too early."""


@contextmanager
def lock_file(path: Path) -> Iterator[int]:
    """Yield a descriptor of the file, which no other process that locks it reads or writes in the meantime.

    The file is made if it does not exist. Raises `OSError` if it cannot be opened for writing.
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_file_at(path, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)


@contextmanager
def keep_others_away(path: Path, command: str) -> Iterator[None]:
    """Keep other runs of a command away from a project. Raises `UserError` if one is at work, at once.

    path: of the file that is locked; it has nothing in it. command: as people write it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            summary = f"another `{command}` is at work in this project"
            fix = "wait for its end, or end it"
            raise UserError([Diagnostic(path=str(path), code="busy", summary=summary, fix=fix)]) from None
        yield


def _is_file_at(path: Path, descriptor: int) -> bool:
    """Return whether a file that was opened is still the one at its path: another process may have replaced it."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def append_lines(path: Path, build: Callable[[bytes], bytes]) -> None:
    """Append lines to a file of JSON lines, and return when they are on the disk; after an error it is as it was.

    What a killed process left of a line is removed first. build: from what the file has to the lines to append; no
    other process appends in the meantime. Raises `OSError` if the file cannot be written.
    """
    with lock_file(path) as descriptor:
        data = read_from(descriptor, 0)
        end = data.rfind(b"\n") + 1
        if end < len(data) and is_torn(data[end:]):
            os.ftruncate(descriptor, end)
            data = data[:end]
        if lines := build(data):
            gap = b"" if data[-1:] in (b"", b"\n") else b"\n"
            write_at_end(descriptor, len(data), gap + lines)


def is_torn(line: bytes) -> bool:
    """Return whether the last line of a file, which has no line break, is the beginning of a JSON document.

    >>> is_torn(b'{"version": 1, "row": "s:a'), is_torn(b'{"version": 1}'), is_torn(b"hello")
    (True, False, False)
    """
    try:
        msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        return _TRUNCATED in str(error)
    return False


def read_from(descriptor: int, start: int) -> bytes:
    """Read a file from an offset in bytes to its end."""
    parts = []
    while part := os.pread(descriptor, 2**20, start):
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def write_at_end(descriptor: int, end: int, line: bytes) -> None:
    """Write at the end of a file until the disk has it; after an error the file ends where it did."""
    try:
        written = 0
        while written < len(line):
            written += os.pwrite(descriptor, line[written:], end + written)
        os.fsync(descriptor)
    except BaseException:
        os.ftruncate(descriptor, end)
        raise
