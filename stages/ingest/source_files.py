"""The files of a source, read into the tables that they give."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import pyarrow as pa

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ledger import reject_row
from exemplars.core.records import Origin, Reason, Rejection
from exemplars.dataset.catalog import Skill
from exemplars.dataset.catalog_merge import place_skills
from exemplars.dataset.recognizers import Recognizers, merge_recognizers
from exemplars.dataset.row_tables import records_to_table, rejections_to_table
from stages.ingest.file_listing import SourceFile
from stages.ingest.params import OnBadFile
from stages.ingest.reading import STAGE, Reading, SourceInfo, make_problem, make_unread


class SourceTables(NamedTuple):
    """All that a source holds, as tables; every record is in one of the first two."""

    records: pa.Table
    rejections: pa.Table
    skills: tuple[Skill, ...]
    recognizers: Recognizers


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
    return read_parts(
        source, [(file,) for file in files], on_bad_file, lambda data: parse(*next(iter(data.items())))
    )


def read_parts(
    source: SourceInfo,
    parts: Iterable[tuple[SourceFile, ...]],
    on_bad_file: OnBadFile,
    parse: Callable[[dict[str, bytes]], Reading],
) -> Reading:
    """Read a source of parts, each of one or several files that are parsed together, into one reading.

    parse: from the bytes of a part's files, by their relative paths, to its reading. Errors as in `read_files`.
    """
    readings: list[Reading] = []
    unreadable: list[Diagnostic] = []
    for files in parts:
        hashes: dict[str, str] = {}
        try:
            data = {file.name: file.read() for file in files}
            hashes = {name: hash_content(content) for name, content in data.items()}
            readings.append(_parse_part(data, parse))
        except UserError as error:
            unreadable += error.diagnostics
            names = [file.name for file in files]
            name = next((item.path for item in error.diagnostics if item.path in names), names[0])
            rejection = reject_file(source, name, hashes.get(name, ""), error)
            readings.append(Reading(rejections=(rejection,)))
    if unreadable and on_bad_file is OnBadFile.FAIL:
        raise UserError(unreadable)
    return merge_readings(readings)


def _parse_part(data: dict[str, bytes], parse: Callable[[dict[str, bytes]], Reading]) -> Reading:
    reading = parse(data)
    return reading._replace(skills=place_skills(reading.skills, data))


def reject_file(source: SourceInfo, path: str, sha256: str, error: UserError) -> Rejection:
    """Build the rejection of a file that cannot be read at all. sha256: empty if not even its bytes can."""
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
