"""Tables of a revision, read by column: a hundred thousand rows are filtered before any is a Python object."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from exemplars.audit.revisions import Revision, cached_object, fetch
from exemplars.core.errors import Diagnostic, UserError


def available(revision: Revision, path: Path) -> bool:
    """Whether a stage has made the table at this revision. Raises `UserError` without a `dvc.lock`."""
    if revision.commit is None:
        return (revision.root / path).is_file()
    return revision.has(path)


def content_md5(revision: Revision, path: Path) -> str | None:
    """DVC's hash of a table, of the workspace recomputed from its bytes; null where there is none."""
    if not available(revision, path):
        return None
    if revision.commit is None:
        with (revision.root / path).open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    return revision.outputs[path.as_posix()].md5


def bring(revision: Revision, paths: Iterable[Path]) -> None:
    """Fetch at once what the cache lacks of these tables, as far as the remote has it.

    Raises `UserError` where the remote does not answer.
    """
    if revision.commit is None:
        return
    hashes = [revision.outputs[path.as_posix()].md5 for path in paths if revision.has(path)]
    if lacking := [one for one in hashes if not cached_object(revision.root, one).is_file()]:
        fetch(revision.root, lacking)


def read(
    revision: Revision, path: Path, columns: Sequence[str], where: pl.Expr | None = None
) -> pl.DataFrame:
    """The rows of a table for which `where` holds, all without it.

    Raises `UserError` where the table is missing or damaged, or lacks one of the columns.
    """
    try:
        frame = pl.scan_parquet(revision.output(path), glob=False)
        if lacking := [name for name in columns if name not in frame.collect_schema()]:
            raise _unreadable(revision, path, f"no column {', '.join(lacking)}")
        return (frame if where is None else frame.filter(where)).select(columns).collect()
    except FileNotFoundError:
        raise _unreadable(revision, path, "no such file") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(revision, path, str(error).splitlines()[0]) from None


def rows(revision: Revision, path: Path, columns: Sequence[str], where: pl.Expr) -> list[dict[str, Any]]:
    """The rows of a table for which `where` holds; none where no stage has made the table yet.

    Raises `UserError` as `read` does.
    """
    return read(revision, path, columns, where).to_dicts() if available(revision, path) else []


def _unreadable(revision: Revision, path: Path, found: str) -> UserError:
    here = revision.commit is None
    return UserError(
        [
            Diagnostic(
                path=str(path) if here else f"{path} at {revision.name}",
                code="unreadable_table",
                found=found,
                expected="a table of this version",
                fix="run `dvc repro` to make it" if here else "name a revision of this version",
            )
        ]
    )
