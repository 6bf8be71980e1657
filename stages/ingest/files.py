"""The files of a source on disk, and what reading them gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.records import Origin, Reason, Rejection
from exemplars.dataset.catalog import Skill
from exemplars.dataset.recognizers import Recognizers, merge_recognizers
from exemplars.dataset.row_tables import records_to_table, rejections_to_table
from stages.ingest.params import OnBadFile
from stages.ingest.reading import Reading, SourceFacts, rejected


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


def files_in(root: Path, folder: str, pattern: str, what: str) -> list[SourceFile]:
    """The files below `root/folder` whose names match the pattern, sorted by their relative paths.

    Hidden files and folders are left out. what: what the folder is, for messages.
    Raises `UserError` where the folder does not exist or holds no such file.
    """
    place = root / folder
    if not place.is_dir():
        found, fix = "no such folder", "correct the source's path or splits in params.yaml"
    else:
        files = [
            SourceFile(path.relative_to(root).as_posix(), path)
            for path in place.rglob(pattern)
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
        ]
        if files:
            return sorted(files)
        found, fix = f"no file named {pattern}", "put the files there, or remove the source from params.yaml"
    raise UserError([Diagnostic(path=str(place), code="empty_source", found=found, expected=what, fix=fix)])


def bad_file_rows(facts: SourceFacts, path: str, sha256: str, error: UserError) -> list[Rejection]:
    """The ledger's row for a file that cannot be read at all."""
    return [rejected(facts, Origin(path, sha256, ""), Reason.UNREADABLE_FILE, error.diagnostics)]


def read_each(
    facts: SourceFacts,
    files: list[SourceFile],
    on_bad_file: OnBadFile,
    parse: Callable[[str, bytes], Reading],
) -> Reading:
    """What all files hold together.

    parse: from a file's relative path and its bytes.
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
            rows = bad_file_rows(facts, name, hash_content(data), error)
            readings.append(Reading(rejections=tuple(rows)))
    if unreadable and on_bad_file is OnBadFile.FAIL:
        raise UserError(unreadable)
    return joined(readings)


def joined(readings: list[Reading]) -> Reading:
    """What several readings hold together."""
    return Reading(
        records=tuple(one for reading in readings for one in reading.records),
        rejections=tuple(one for reading in readings for one in reading.rejections),
        skills=tuple(one for reading in readings for one in reading.skills),
        recognizers=merge_recognizers(reading.recognizers for reading in readings),
    )


def as_tables(reading: Reading) -> SourceTables:
    """A reading with its rows as tables."""
    return SourceTables(
        records_to_table(reading.records),
        rejections_to_table(reading.rejections),
        reading.skills,
        reading.recognizers,
    )
