"""The files of a source on disk, and the tables that reading them gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ledger import reject_row
from exemplars.core.records import Origin, Reason, Rejection
from exemplars.dataset.catalog import Skill
from exemplars.dataset.recognizers import Recognizers, merge_recognizers
from exemplars.dataset.row_tables import records_to_table, rejections_to_table
from stages.ingest.params import OnBadFile
from stages.ingest.reading import STAGE, Reading, SourceInfo, make_problem, make_unread


class SourceFile(NamedTuple):
    """A file of a source."""

    name: str
    """Its path relative to the source's root, with `/` between folders."""
    path: Path


class SourceTables(NamedTuple):
    """All that a source holds, as tables; every record is in one of the first two."""

    records: pa.Table
    rejections: pa.Table
    skills: tuple[Skill, ...]
    recognizers: Recognizers


def list_files(root: Path, folder: str, pattern: str, expected: str) -> list[SourceFile]:
    """List the files below `root/folder` whose names match a pattern, sorted by their relative paths.

    Hidden files and folders are skipped. expected: what the folder should hold, for messages.
    Raises `UserError` if the folder does not exist or holds no such file.
    """
    base = root / folder
    if not base.is_dir():
        found, fix = "no such folder", "correct the source's path or splits in params.yaml"
    else:
        files = [
            SourceFile(path.relative_to(root).as_posix(), path)
            for path in base.rglob(pattern)
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
        ]
        if files:
            return sorted(files)
        found, fix = f"no file named {pattern}", "put the files there, or remove the source from params.yaml"
    raise UserError(
        [Diagnostic(path=str(base), code="empty_source", found=found, expected=expected, fix=fix)]
    )


def read_files(
    source: SourceInfo,
    files: Iterable[SourceFile],
    on_bad_file: OnBadFile,
    parse: Callable[[str, bytes], Reading],
) -> Reading:
    """Read all files of a source into one reading.

    parse: from a file's relative path and its bytes to its reading.
    Raises `UserError` with the problems of all files that cannot be read, unless they are to be
    rejected.
    """
    readings: list[Reading] = []
    unreadable: list[Diagnostic] = []
    for name, path in files:
        data = path.read_bytes()
        try:
            readings.append(parse(name, data))
        except UserError as error:
            unreadable += error.diagnostics
            rejection = reject_file(source, name, hash_content(data), error)
            readings.append(Reading(rejections=(rejection,)))
    if unreadable and on_bad_file is OnBadFile.FAIL:
        raise UserError(unreadable)
    return merge_readings(readings)


def reject_file(source: SourceInfo, path: str, sha256: str, error: UserError) -> Rejection:
    """Build the rejection of a file that cannot be read at all."""
    problems = [make_problem(diagnostic, Reason.UNREADABLE_FILE) for diagnostic in error.diagnostics]
    return reject_row(make_unread(source, Origin(path, sha256, "")), STAGE, problems)


def merge_readings(readings: Iterable[Reading]) -> Reading:
    """Merge several readings, in their order."""
    readings = list(readings)
    return Reading(
        records=tuple(record for reading in readings for record in reading.records),
        rejections=tuple(rejection for reading in readings for rejection in reading.rejections),
        skills=tuple(skill for reading in readings for skill in reading.skills),
        recognizers=merge_recognizers(reading.recognizers for reading in readings),
    )


def build_tables(reading: Reading) -> SourceTables:
    """Build the tables of a reading's rows."""
    return SourceTables(
        records_to_table(reading.records),
        rejections_to_table(reading.rejections),
        reading.skills,
        reading.recognizers,
    )
