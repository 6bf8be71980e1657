"""Rows against the raw files that they came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from exemplars.audit.verification.checks import Check, build_diagnostic, shorten_hash
from exemplars.audit.verification.hashes import hash_files
from exemplars.core import layout
from exemplars.core.errors import Diagnostic
from exemplars.core.files import hash_file

_NO_SOURCE: Final = ""
"""In the place of a source's name: preferences name who made them, and are all in one file."""


class RawFile(NamedTuple):
    """A file of a source, as rows name it."""

    source: str
    path: str
    """Relative to the root of the source."""


class RowCount(NamedTuple):
    """How many rows of a table have the same origin."""

    table: str
    rows: int


def check_origins(tables: Mapping[Path, pa.Table], sources: Mapping[str, str], files: Path) -> Check:
    """Hash every raw file that a row names, and compare with the hash that the row recorded.

    sources: the folder of each source. files: the folder that holds those folders.
    """
    recorded: dict[RawFile, dict[str, list[RowCount]]] = defaultdict(lambda: defaultdict(list))
    rows = 0
    sources = {**sources, _NO_SOURCE: layout.RAW_PREFERENCES.parent.as_posix()}
    for name, table in tables.items():
        is_preferences = name.is_relative_to(layout.PREFERENCES)
        for raw_file, sha256, count in count_origins(table):
            raw_file = raw_file._replace(source=_NO_SOURCE) if is_preferences else raw_file
            recorded[raw_file][sha256].append(RowCount(name.as_posix(), count))
            rows += count
    places = {
        raw_file: files / sources[raw_file.source] / raw_file.path
        for raw_file in recorded
        if raw_file.source in sources
    }
    current = hash_files(places.values(), hash_file)
    problems: list[Diagnostic] = []
    for raw_file, hashes in sorted(recorded.items()):
        if raw_file not in places:
            problems.append(_report_unknown_source(raw_file, hashes))
            continue
        now, path = current[places[raw_file]], f"{sources[raw_file.source]}/{raw_file.path}"
        problems += [
            _report_change(path, now, sha256, counts)
            for sha256, counts in sorted(hashes.items())
            if sha256 != now
        ]
    counted = f"{rows:,} rows traced to {len(recorded):,} raw files by SHA-256"
    return Check("origins", counted, tuple(problems))


def count_origins(table: pa.Table) -> list[tuple[RawFile, str, int]]:
    """Count the rows of a table by raw file and recorded SHA-256."""
    origin = table.column("origin")
    columns = {name: pc.struct_field(origin, name) for name in ("path", "sha256")}
    grouped = pa.table({"source": table.column("source"), **columns}).group_by(["source", "path", "sha256"])
    return [
        (RawFile(row["source"], row["path"]), row["sha256"], row["count_all"])
        for row in grouped.aggregate([([], "count_all")]).to_pylist()
    ]


def _report_change(path: str, now: str | None, recorded: str, counts: list[RowCount]) -> Diagnostic:
    found = "no readable file" if now is None else f"SHA-256 {shorten_hash(now)}"
    expected = f"{shorten_hash(recorded)}, recorded in {_format_counts(counts)}"
    fix = f"`git diff {path}` shows a change: revert it, or run `dvc repro`"
    return build_diagnostic(path, "changed_source", found, expected, fix)


def _report_unknown_source(raw_file: RawFile, hashes: Mapping[str, list[RowCount]]) -> Diagnostic:
    counts = [count for rows in hashes.values() for count in rows]
    return build_diagnostic(
        counts[0].table,
        "unknown_source",
        f"the source {raw_file.source!r} in {_format_counts(counts)}",
        "a source under ingest.sources in params.yaml",
        "add it there, or run `dvc repro`",
    )


def _format_counts(counts: list[RowCount]) -> str:
    first, others = counts[0], len(counts) - 1
    more = f" and in {others} more table(s)" if others else ""
    return f"{first.rows:,} row(s) of {first.table}{more}"
