"""Recovery after DVC was killed: it writes `dvc.lock` and `.dvc/tmp/rwlock` in place, so that they may be cut off.

Each stage keeps a copy of `dvc.lock` before it runs (`exemplars/core/code_version.py`); a damaged file is
replaced by the copy, or by the version of git's `HEAD`. Stages that finished after the copy run again.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from exemplars.audit.git_history import run_git_bytes
from exemplars.audit.revisions import LOCK
from exemplars.core.code_version import LOCK_COPY
from exemplars.core.documents import decode_json
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_file, write_bytes
from exemplars.core.yaml_documents import YamlProblem, decode_yaml

_TMP: Final = Path(".dvc/tmp")
_OUTPUT_FOLDERS: Final = ("data", "models", "reports")
_TEMPORARY: Final = re.compile(r".*\.[A-Za-z0-9_-]{22}\.tmp", re.DOTALL)
"""The names that DVC gives to files while it links or copies them (dvc-objects, `tmp_fname`)."""


def recover_project(root: Path) -> list[str]:
    """Restore what a killed DVC left damaged, and keep a copy of a good `dvc.lock`; return what was done.

    Raises `UserError` if a DVC command is running: it may be writing these files.
    """
    with _hold_dvc_locks(root):
        done = [*_recover_rwlock(root), *_remove_temporary_files(root)]
        lock = root / LOCK
        data = _read(lock)
        if data is not None and _is_damaged(root, data):
            done.append(_restore_lock(root))
        elif data is not None:
            write_bytes(root / LOCK_COPY, data)
    return done


def _remove_temporary_files(root: Path) -> list[str]:
    """Remove what DVC was writing into the folders of outputs, where it would count in their hash."""
    files = [
        path
        for folder in _OUTPUT_FOLDERS
        for path in sorted((root / folder).rglob("*.tmp"))
        if _TEMPORARY.fullmatch(path.name) and path.is_file()
    ]
    for file in files:
        file.unlink(missing_ok=True)
    return [f"{file.relative_to(root).as_posix()}: a temporary file of DVC, removed" for file in files]


def read_stage_names(data: bytes) -> list[str] | None:
    """Read the names of the stages of a `dvc.lock`, in their order; `None` if it is empty, cut off or no `dvc.lock`.

    >>> read_stage_names(b"schema: '2.0'\\nstages:\\n  a:\\n    cmd: x\\n    outs: []\\n")
    ['a']
    >>> read_stage_names(b"schema: '2.0'\\nstages:\\n  a:\\n    cmd: x\\n    outs: []")  # DVC ends each line.
    """
    if not data.endswith(b"\n"):
        return None
    try:
        document = decode_yaml(data.decode())
    except (YamlProblem, UnicodeDecodeError):
        return None
    stages = document.get("stages") if isinstance(document, dict) else None
    if not isinstance(stages, dict) or not _matches_schema(document):
        return None
    return [str(name) for name in stages]


def _matches_schema(document: dict[str, Any]) -> bool:
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from voluptuous import Invalid

    try:
        COMPILED_LOCKFILE_SCHEMA(document)
    except Invalid:
        return False
    return all("deps" in stage or "outs" in stage for stage in document["stages"].values())


def _is_damaged(root: Path, data: bytes) -> bool:
    """Check whether a `dvc.lock` cannot be read, or was cut off between two stages."""
    names = read_stage_names(data)
    if names is None:
        return True
    former = _read_copy(root) or _read_committed(root)
    kept = None if former is None else read_stage_names(former)
    if kept is None or names != kept[: len(names)]:
        return False
    is_cut = any(name.partition("@")[0] in _read_pipeline(root) for name in kept[len(names) :])
    return is_cut and data != _read_committed(root)


def _read_pipeline(root: Path) -> dict[str, Any]:
    """Read the stages of `dvc.yaml`; none if it cannot be read."""
    path = root / "dvc.yaml"
    try:
        document = decode_yaml(read_file(path).decode())
    except (UserError, ValueError, YamlProblem):
        return {}
    stages = document.get("stages") if isinstance(document, dict) else None
    return stages if isinstance(stages, dict) else {}


def _restore_lock(root: Path) -> str:
    for origin, data in (("the copy of the last stage", _read_copy(root)), ("git", _read_committed(root))):
        if data is not None and read_stage_names(data) is not None:
            write_bytes(root / LOCK, data)
            return f"{LOCK} was cut off: restored from {origin}"
    (root / LOCK).unlink()
    return f"{LOCK} was cut off, and there is no copy: removed, so that all stages run again"


def _read_copy(root: Path) -> bytes | None:
    return _read(root / LOCK_COPY)


def _read(path: Path) -> bytes | None:
    """Read a file of DVC's; `None` if it does not exist. Raises `UserError` if it is no file."""
    return (
        read_file(path, name=path.name, expected="a file that DVC writes") if os.path.lexists(path) else None
    )


def _read_committed(root: Path) -> bytes | None:
    return run_git_bytes(root, "show", f"HEAD:./{LOCK}")


def _recover_rwlock(root: Path) -> list[str]:
    """Remove an rwlock that cannot be read, or that names processes that are no more."""
    from dvc.rwlock import RWLOCK_FILE, SCHEMA
    from voluptuous import Invalid

    path = root / _TMP / RWLOCK_FILE
    data = _read(path)
    if data is None:
        return []
    try:
        locks = SCHEMA(decode_json(data))
    except (msgspec.DecodeError, Invalid):
        path.unlink()
        return [f"{path.relative_to(root)} was cut off: removed"]
    holders = [
        *locks["write"].values(),
        *(holder for holders in locks["read"].values() for holder in holders),
    ]
    if not holders:
        return []
    running = [holder for holder in holders if _is_running(int(holder["pid"]), path.stat().st_mtime)]
    if running:
        raise UserError([_report_busy(f"`{running[0]['cmd']}` (process {running[0]['pid']}) is running")])
    path.unlink()
    return [f"{path.relative_to(root)} named processes that were killed: removed"]


def _is_running(pid: int, written: float) -> bool:
    """Check whether a process is still the one that an rwlock names: the number may have been given again.

    In a container without an init process, a killed process stays as a zombie.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= written)
    except psutil.Error:
        return False


@contextlib.contextmanager
def _hold_dvc_locks(root: Path) -> Iterator[None]:
    """Hold the locks with which DVC guards both files. Raises `UserError` if a DVC command holds one."""
    from dvc.lock import LockError, make_lock
    from dvc.rwlock import RWLOCK_LOCK

    folder = root / _TMP
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        for name in ("lock", RWLOCK_LOCK):
            try:
                stack.enter_context(make_lock(str(folder / name), tmp_dir=str(folder)))
            except LockError:
                raise UserError([_report_busy("a DVC command is running")]) from None
        yield


def _report_busy(summary: str) -> Diagnostic:
    return Diagnostic(
        path="the project",
        code="busy",
        found="another command at work",
        expected="no other command that reads or writes the project",
        fix="wait for it to finish, then run again",
        summary=summary,
    )
