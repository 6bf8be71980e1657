"""The files of a source, read into the tables that they give."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ledger import reject_row
from exemplars.core.records import Origin, Reason, Rejection
from exemplars.core.schemas import RECORD_SCHEMA, REJECTION_SCHEMA
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


class RowTables(NamedTuple):
    """The rows of a part of a source; every record is in one of the two."""

    records: pa.Table
    rejections: pa.Table


class Definitions(NamedTuple):
    """What a source declares, or what its rows have shown."""

    skills: tuple[Skill, ...] = ()
    recognizers: Recognizers = Recognizers()


class SourceStream:
    """A source that is read part by part, so that only a part is in memory; its definitions come last."""

    def __init__(self, parts: Generator[RowTables, None, Definitions]) -> None:
        """parts: with what the source defines as the value that they return."""
        self.definitions = Definitions()
        """Complete when all parts have been taken."""
        self._parts = parts

    def __iter__(self) -> Iterator[RowTables]:
        """Yield the parts, in the order of the source."""
        self.definitions = yield from self._parts

    def collect(self) -> SourceTables:
        """Take all parts."""
        parts = list(self)
        return SourceTables(
            pa.concat_tables([RECORD_SCHEMA.empty_table(), *(part.records for part in parts)]),
            pa.concat_tables([REJECTION_SCHEMA.empty_table(), *(part.rejections for part in parts)]),
            *self.definitions,
        )


def stream_tables(tables: SourceTables) -> Generator[RowTables, None, Definitions]:
    """Give the tables of a source that was read as a whole as its only part."""
    yield RowTables(tables.records, tables.rejections)
    return Definitions(tables.skills, tables.recognizers)


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
