"""Writing whole folders: a folder is either complete or what it was before, also if the process is killed."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from exemplars.core.files import read_umask

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder next to `path`, and put it in the place of `path` when the block succeeds.

    After an error `path` is what it was. If the process is killed, `path` is the old folder or the new one, and
    the folder that is left over (`.NAME.….partial`) is removed by the next call. Raises `OSError` if the folder
    cannot be written.
    """
    path = path.resolve() if path.is_symlink() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    partial, descriptor = _make_locked_folder(path)
    try:
        yield partial
        partial.chmod(0o777 & ~read_umask())
        _flush_files(partial)
        if path.exists():
            _exchange(partial, path)
        else:
            partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        os.close(descriptor)


def move_folder(new: Path, path: Path) -> None:
    """Put a complete folder in the place of `path`, and remove the old one.

    If the process is killed, `path` is the old folder or the new one. Raises `OSError` if the folder cannot be written.
    """
    _flush_files(new)
    if path.exists():
        _exchange(new, path)
        shutil.rmtree(new, ignore_errors=True)
    else:
        new.rename(path)


def _remove_leftovers(path: Path) -> None:
    """Remove what killed processes left: folders that no process has locked."""
    for leftover in path.parent.glob(f".{path.name}.*.partial"):
        descriptor = _lock_folder(leftover)
        if descriptor is not None:
            shutil.rmtree(leftover, ignore_errors=True)
            os.close(descriptor)


def _make_locked_folder(path: Path) -> tuple[Path, int]:
    """Make a folder next to `path` and lock it, before another process takes it for a leftover."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent))
        descriptor = _lock_folder(folder)
        if descriptor is not None and folder.exists():
            return folder, descriptor
        if descriptor is not None:
            os.close(descriptor)


def _lock_folder(folder: Path) -> int | None:
    """Lock a folder until the descriptor is closed or the process ends; `None` if another process has locked it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _flush_files(folder: Path) -> None:
    """Have the disk keep the files before the folder gets its name."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _exchange(first: Path, second: Path) -> None:
    """Let two folders change names, in one step if the file system can do that (Linux)."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        rename = library.renameat2
    except (OSError, AttributeError):
        _exchange_in_steps(first, second)
        return
    if rename(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0:
        return
    number = ctypes.get_errno()
    if number not in (errno.EINVAL, errno.ENOSYS):
        raise OSError(number, os.strerror(number), str(second))
    _exchange_in_steps(first, second)


def _exchange_in_steps(new: Path, path: Path) -> None:
    """Put a new folder in the place of the old one by renaming; a process killed in between leaves no `path`."""
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent))
    path.rename(old)  # An empty folder is replaced.
    new.rename(path)
    old.rename(new)
