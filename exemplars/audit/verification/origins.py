"""Rows against the raw files that they came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from exemplars.audit.verification.checks import Check, problem, short
from exemplars.audit.verification.hashes import file_digests
from exemplars.core.errors import Diagnostic


class RawFile(NamedTuple):
    """A file of a source, as rows name it."""

    source: str
    path: str
    """Relative to the root of the source."""


def check_origins(tables: Mapping[Path, pa.Table], sources: Mapping[str, str], files: Path) -> Check:
    """Hash every raw file that a row names, and compare with the hash that the row has.

    sources: the folder of each source. files: where those folders lie.
    """
    named: dict[RawFile, dict[str, list[tuple[str, int]]]] = defaultdict(lambda: defaultdict(list))
    rows = 0
    for name, table in tables.items():
        for file, sha256, count in origins_of(table):
            named[file][sha256].append((name.as_posix(), count))
            rows += count
    places = {one: files / sources[one.source] / one.path for one in named if one.source in sources}
    digests = file_digests(places.values(), "sha256")
    problems: list[Diagnostic] = []
    for file, hashes in sorted(named.items()):
        if file not in places:
            problems.append(_no_source(file, hashes))
            continue
        now, place = digests[places[file]], f"{sources[file.source]}/{file.path}"
        problems += [_other(place, now, sha256, by) for sha256, by in sorted(hashes.items()) if sha256 != now]
    counted = f"{rows:,} rows traced to {len(named):,} raw files by SHA-256"
    return Check("origins", counted, tuple(problems))


def origins_of(table: pa.Table) -> list[tuple[RawFile, str, int]]:
    """The raw files of a table's rows with the hashes that the rows have, and how many rows name them."""
    origin = table.column("origin")
    flat = {name: pc.struct_field(origin, name) for name in ("path", "sha256")}
    counted = pa.table({"source": table.column("source"), **flat}).group_by(["source", "path", "sha256"])
    return [
        (RawFile(row["source"], row["path"]), row["sha256"], row["count_all"])
        for row in counted.aggregate([([], "count_all")]).to_pylist()
    ]


def _other(place: str, now: str | None, then: str, by: list[tuple[str, int]]) -> Diagnostic:
    found = "no file that can be read" if now is None else f"SHA-256 {short(now)}"
    expected = f"{short(then)}, which {_rows_of(by)} have"
    fix = f"`git diff {place}` shows a change: take it back, or run `dvc repro`"
    return problem(place, "changed_source", found, expected, fix)


def _no_source(file: RawFile, hashes: Mapping[str, list[tuple[str, int]]]) -> Diagnostic:
    by = [one for rows in hashes.values() for one in rows]
    return problem(
        by[0][0],
        "unknown_source",
        f"{_rows_of(by)} of the source {file.source!r}",
        "a source under ingest.sources in params.yaml",
        "name it there, or run `dvc repro`",
    )


def _rows_of(by: list[tuple[str, int]]) -> str:
    first, count = by[0]
    more = f" and of {len(by) - 1} tables more" if len(by) > 1 else ""
    return f"{count:,} rows of {first}{more}"
