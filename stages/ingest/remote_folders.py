"""Sources at URLs (s3://, gs://, https://): their files are copied through fsspec, for the time that they are read.

DVC runs `ingest` only if such a folder has changed, so that a copy would seldom be used again.
"""

from __future__ import annotations

import errno
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.layout import is_url, join_path

COPIES: Final = Path(".dvc/tmp/exemplars/sources")
"""In the project's folder, since the nodes of a cluster read the copies, too."""


def require_folder(path: str) -> Path:
    """Return the folder of a source whose files a command edits. Raises `UserError` if it is a URL."""
    if is_url(path):
        fix = "edit the files there, or fetch them with `dvc import-url` and name that folder in params.yaml"
        raise UserError([_make_problem(path, "a source at a URL can only be read", fix)])
    return Path(path)


@contextmanager
def open_source_folder(path: str) -> Iterator[Path]:
    """Yield the folder of a source; that of a URL is a copy, which is removed after the block.

    Raises `UserError` if a URL has no driver, cannot be read, or has nothing; errors of the block name the URL, not
    the copy.
    """
    if not is_url(path):
        yield Path(path)
        return
    parent = COPIES if COPIES.parents[2].is_dir() else None
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
    copy = Path(tempfile.mkdtemp(dir=parent))
    try:
        _copy_files(path.rstrip("/"), copy)
        yield copy
    except UserError as error:
        raise UserError(_name_original(problem, copy, path) for problem in error.diagnostics) from None
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _copy_files(url: str, copy: Path) -> None:
    import fsspec  # With its drivers, it takes longer to import than most sources take to be read.

    try:
        store, root = fsspec.core.url_to_fs(url)
        store.invalidate_cache()
        files = _list_files(store, root, url)
        for name in files.values():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
        with _make_progress_bar(url) as progress:
            store.get(list(files), [str(copy / name) for name in files.values()], callback=progress)
    except UserError:
        raise
    except Exception as error:  # Each driver has exceptions of its own.
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # It is about the disk here.
        raise UserError([_describe_failure(url, error)]) from None


def _list_files(store: Any, root: str, url: str) -> dict[str, str]:
    """List the files below a folder: their paths relative to it, by their paths in the store."""
    prefix = f"{root.rstrip('/')}/"
    files = {path: path.removeprefix(prefix) for path in sorted(store.find(root))}
    names = {
        path: PurePosixPath(name) for path, name in files.items() if path != name and not name.endswith("/")
    }
    for path, name in names.items():
        if name.is_absolute() or ".." in name.parts:
            fix = "rename it in the store"
            raise UserError([_make_problem(url, f"the name {quote_text(path)} leads out of the folder", fix)])
    visible = {
        path: str(name)
        for path, name in names.items()
        if not any(part.startswith(".") for part in name.parts)
    }
    if not visible:
        raise UserError(
            [_make_problem(url, "there is no such folder, or no file in it", "correct the source's path")]
        )
    return visible


def _make_progress_bar(url: str) -> Any:
    from fsspec.callbacks import Callback, TqdmCallback

    if not sys.stderr.isatty():
        return Callback()
    return TqdmCallback(tqdm_kwargs={"desc": url, "leave": False, "delay": 0.5, "ncols": 79})


def _describe_failure(url: str, error: Exception) -> Diagnostic:
    scheme = url.partition("://")[0]
    reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
    if isinstance(error, ImportError):
        extra = "`pip install 'exemplars[s3]'`" if scheme == "s3" else f"`pip install 'dvc[{scheme}]'`"
        return _make_problem(url, f"the driver of {scheme}:// is not installed: {reason}", f"run {extra}")
    if isinstance(error, ValueError) and "rotocol" in reason:
        fix = "use a scheme that fsspec knows, such as s3:// or gs://, or `dvc import-url`"
        return _make_problem(url, f"there is no driver of {scheme}://", fix)
    if isinstance(error, PermissionError) or "redentials" in reason:
        fix = "give this process the credentials that the store asks for, as DVC needs them"
        return _make_problem(url, f"it may not be read: {reason}", fix)
    fix = "check the address, the network and the credentials, then run the same command again"
    return _make_problem(url, f"it cannot be read: {reason}", fix)


def _make_problem(url: str, summary: str, fix: str) -> Diagnostic:
    return Diagnostic(path=url, code="unreadable_url", summary=summary, fix=fix)


def _name_original(problem: Diagnostic, copy: Path, url: str) -> Diagnostic:
    """Replace the path of a copy in a problem by the URL."""
    path = PurePosixPath(problem.path)
    if not path.is_relative_to(copy):
        return problem
    name = path.relative_to(copy).as_posix()
    return msgspec.structs.replace(problem, path=url if name == "." else join_path(url, name))
