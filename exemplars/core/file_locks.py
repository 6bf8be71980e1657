"""Files to which several processes append."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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


def _is_file_at(path: Path, descriptor: int) -> bool:
    """Return whether a file that was opened is still the one at its path: another process may have replaced it."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
