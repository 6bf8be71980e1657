"""Rows against themselves: digests against contents, spans and templates against utterances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.audit.verification.checks import Check, build_diagnostic, cap_problems, shorten_hash
from exemplars.audit.verification.tables import Tables, find_record_type
from exemplars.core import layout
from exemplars.core.digests import hash_row
from exemplars.core.errors import Diagnostic, summarize_names
from exemplars.core.records import Exemplar
from exemplars.core.workers import count_workers, map_shards
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.dataset.templates import write_template

_MIN_PARALLEL_ROWS: Final = 20_000
"""With fewer rows, one process is done before worker processes have started."""
_FIX: Final = "run `dvc checkout -f` on the table, or `dvc repro`"


class _Shard(NamedTuple):
    """A row group of a table of exemplars."""

    path: Path
    name: str
    """The path, relative to the project."""
    row_group: int


def check_rows(tables: Tables) -> Check:
    """Recompute every exemplar's digest and template, and check its spans; check that ids are unique."""
    keys = tables.read_all_keys()
    exemplars = {path: table for path, table in keys.items() if find_record_type(path) is Exemplar}
    rows = sum(table.num_rows for table in exemplars.values())
    shards = [
        _Shard(tables.files / path, path.as_posix(), row_group)
        for path in exemplars
        for row_group in range(pq.read_metadata(tables.files / path).num_row_groups)
    ]
    workers = 1 if rows < _MIN_PARALLEL_ROWS else count_workers(0)
    by_table: dict[str, list[Diagnostic]] = {}
    for shard, wrong in zip(shards, map_shards(_check_shard, shards, workers, "rows"), strict=True):
        by_table.setdefault(shard.name, []).extend(wrong)
    problems = [*tables.problems]
    problems += [problem for name, wrong in by_table.items() for problem in cap_problems(wrong, name)]
    problems += [problem for path, table in keys.items() for problem in find_repeated_ids(path, table)]
    counted = f"{rows:,} rows of {len(exemplars)} tables: digests, spans, templates"
    return Check("rows", counted, tuple(problems))


def find_wrong_rows(name: str, rows: Sequence[Exemplar]) -> Iterator[Diagnostic]:
    """Find exemplars whose digest, spans or template do not fit their content. name: of their table."""
    for row in rows:
        place = f"{name}: {row.id}"
        digest = hash_row(row)
        if digest != row.digest:
            found, expected = f"content with digest {shorten_hash(digest)}", shorten_hash(row.digest)
            yield build_diagnostic(place, "wrong_digest", found, expected, _FIX)
        for argument in row.arguments:
            start, end, surface = argument.start, argument.end, argument.surface
            if start is None and end is None and surface is None:
                continue
            text = row.utterance[start:end]
            if text != surface or start is None or end is None:
                found = f"{text!r} at [{start}:{end}] for {argument.slot}"
                yield build_diagnostic(place, "wrong_span", found, repr(surface), _FIX)
        template = write_template(row.utterance, row.arguments)
        if template != row.exemplar:
            found = f"the template {row.exemplar!r}"
            yield build_diagnostic(place, "wrong_template", found, repr(template), _FIX)


def find_repeated_ids(path: Path, table: pa.Table) -> Iterator[Diagnostic]:
    """Find ids that a table has more than once, unless it may: the ledger of `render` has one row per prompt."""
    if path == layout.ledger_path(layout.TRAINING_BASE):
        return
    keys = table.column("id").to_pylist()
    if "system" in table.column_names:
        parts = (table.column(name).to_pylist() for name in ("condition", "system"))
        keys = list(zip(keys, *parts, strict=True))
    if len(set(keys)) < len(keys):
        repeated = [str(key) for key, count in Counter(keys).items() if count > 1]
        found = f"duplicate ids: {summarize_names(sorted(repeated))}"
        yield build_diagnostic(path.as_posix(), "repeated_id", found, "unique ids", _FIX)


def _check_shard(shard: _Shard) -> list[Diagnostic]:
    try:
        rows = exemplars_from_table(pq.ParquetFile(shard.path).read_row_group(shard.row_group))
        return cap_problems(find_wrong_rows(shard.name, rows), shard.name)
    except KeyError as error:  # An enum has no such member.
        found = f"a row with the unknown mode, grounding or speaker {error}"
    except (pa.ArrowException, OSError, ValueError, TypeError, AttributeError) as error:
        found = " ".join(str(error).split())[:160]
    return [build_diagnostic(shard.name, "unreadable_table", found, "rows of this version", _FIX)]
