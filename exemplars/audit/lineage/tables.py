"""Tables of a revision, read by column: rows are filtered before any of them becomes a Python object."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from exemplars.audit.dvc_cache import fetch_missing_objects
from exemplars.audit.revisions import Revision
from exemplars.core.errors import Diagnostic, UserError


def is_available(revision: Revision, path: Path) -> bool:
    """Check whether a stage has written the table at this revision, be it readable or not.

    A link to an object that DVC's cache has lost counts: to read it is an error, and not an empty table. Raises
    `UserError` without a `dvc.lock`.
    """
    if revision.commit is None:
        return os.path.lexists(revision.root / path)
    return revision.has_output(path)


def hash_table(revision: Revision, path: Path) -> str | None:
    """Return DVC's MD5 of a table, recomputed from its bytes in the workspace; `None` if no stage has written it.

    Raises `UserError` if the table of the workspace is not a file.
    """
    if not is_available(revision, path):
        return None
    if revision.commit is None:
        _check_file(revision, path)
        with (revision.root / path).open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    return revision.outputs[path.as_posix()].md5


def fetch_tables(revision: Revision, paths: Iterable[Path]) -> None:
    """Fetch the tables that the cache does not have, all in one go, as far as the remote has them.

    Raises `UserError` if the remote does not answer.
    """
    if revision.commit is not None:
        hashes = [revision.outputs[path.as_posix()].md5 for path in paths if revision.has_output(path)]
        fetch_missing_objects(revision.root, hashes)


def read_columns(
    revision: Revision,
    path: Path,
    columns: Sequence[str],
    where: pl.Expr | None = None,
    added: Collection[str] = (),
) -> pl.DataFrame:
    """Read columns of the rows of a table for which `where` holds; of all rows if it is `None`.

    added: columns of texts that a table of an earlier version may not have; it then has `None` in them.
    Raises `UserError` if the table is missing or damaged, or does not have one of the columns.
    """
    if revision.commit is None:
        _check_file(revision, path)
    try:
        frame = pl.scan_parquet(revision.locate_output(path), glob=False)
        names = frame.collect_schema().names()
        frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in added if name not in names)
        if missing := [name for name in columns if name not in (*names, *added)]:
            raise _unreadable(revision, path, f"no column {', '.join(missing)}")
        return (frame if where is None else frame.filter(where)).select(columns).collect()
    except FileNotFoundError:
        raise _unreadable(revision, path, "no such file") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(revision, path, str(error).splitlines()[0]) from None


def filter_rows(
    revision: Revision, path: Path, columns: Sequence[str], where: pl.Expr, added: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Return the rows of a table for which `where` holds; none if no stage has written the table yet.

    added: as of `read_columns`. Raises `UserError` as it does.
    """
    if not is_available(revision, path):
        return []
    return read_columns(revision, path, columns, where, added).to_dicts()


def _check_file(revision: Revision, path: Path) -> None:
    """Raise `UserError` unless a table of the workspace is a file: to open anything else may wait forever."""
    place = revision.root / path
    if not place.is_file():
        is_link = place.is_symlink() and not place.exists()
        found = "a link to nothing" if is_link else "no file" if place.exists() else "no such file"
        raise _unreadable(revision, path, found)


def _unreadable(revision: Revision, path: Path, found: str) -> UserError:
    in_workspace = revision.commit is None
    return UserError(
        [
            Diagnostic(
                path=str(path) if in_workspace else f"{path} at {revision.name}",
                code="unreadable_table",
                found=found,
                expected="a table of this version",
                fix="run `dvc checkout`, or `dvc repro` to make it"
                if in_workspace
                else "name a revision of this version",
            )
        ]
    )
