"""Rows against themselves: digests from the content, spans in the utterance, templates with their spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.audit.verification.checks import Check, bounded, problem, short, some
from exemplars.audit.verification.tables import Tables, schema_of
from exemplars.core.digests import hash_row
from exemplars.core.errors import Diagnostic
from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.workers import count_workers, map_shards
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.dataset.templates import write_template

_FEW: Final = 20_000
"""Fewer rows are looked at sooner than worker processes start."""
_FIX: Final = "`dvc checkout -f` the table, or `dvc repro`"


class _Shard(NamedTuple):
    """A row group of a table of exemplars."""

    path: Path
    name: str
    """The path, relative to the project."""
    group: int


def check_rows(tables: Tables) -> Check:
    """Recompute the digest of every exemplar, and hold its spans, template and id to the rest of the row."""
    read = tables.all()
    exemplars = {path: table for path, table in read.items() if schema_of(path) is EXEMPLAR_SCHEMA}
    rows = sum(table.num_rows for table in exemplars.values())
    shards = [
        _Shard(tables.files / path, path.as_posix(), group)
        for path in exemplars
        for group in range(pq.read_metadata(tables.files / path).num_row_groups)
    ]
    workers = 1 if rows < _FEW else count_workers(0)
    found: dict[str, list[Diagnostic]] = {}
    for shard, wrong in zip(shards, map_shards(_wrong_rows, shards, workers, "rows"), strict=True):
        found.setdefault(shard.name, []).extend(wrong)
    problems = [*tables.problems]
    problems += [one for name, wrong in found.items() for one in bounded(wrong, name)]
    problems += [one for path, table in read.items() for one in repeated_ids(path, table)]
    counted = f"{rows:,} digests, spans, templates of {len(exemplars)} tables recomputed"
    return Check("rows", counted, tuple(problems))


def wrong_rows(name: str, rows: Sequence[Exemplar]) -> Iterator[Diagnostic]:
    """What is wrong with exemplars. name: of their table."""
    for row in rows:
        place = f"{name}: {row.id}"
        digest = hash_row(row.utterance, row.context, row.skill, row.mode, row.arguments)
        if digest != row.digest:
            found, expected = f"content with digest {short(digest)}", f"its digest {short(row.digest)}"
            yield problem(place, "wrong_digest", found, expected, _FIX)
        for one in row.arguments:
            if one.start is None and one.end is None and one.surface is None:
                continue
            text = row.utterance[one.start : one.end]
            if text != one.surface or one.start is None or one.end is None:
                found = f"{text!r} at [{one.start}:{one.end}] for {one.slot}"
                yield problem(place, "wrong_span", found, repr(one.surface), _FIX)
        template = write_template(row.utterance, row.arguments)
        if template != row.exemplar:
            found = f"the template {row.exemplar!r}"
            yield problem(place, "wrong_template", found, repr(template), _FIX)


def repeated_ids(path: Path, table: pa.Table) -> Iterator[Diagnostic]:
    """Ids that stand twice in a table whose ids are unique: the ledger of `render` has one a prompt."""
    if path.name == "rejections.parquet" and path.parent.name == "training":
        return
    keys = table.column("id").to_pylist()
    if "system" in table.column_names:
        keys = list(zip(keys, table.column("system").to_pylist(), strict=True))
    if len(set(keys)) < len(keys):
        twice = [str(key) for key, count in Counter(keys).items() if count > 1]
        yield problem(path.as_posix(), "repeated_id", f"{some(twice)} more than once", "each once", _FIX)


def _wrong_rows(shard: _Shard) -> list[Diagnostic]:
    try:
        rows = exemplars_from_table(pq.ParquetFile(shard.path).read_row_group(shard.group))
        return bounded(wrong_rows(shard.name, rows), shard.name)
    except KeyError as error:  # A mode, grounding or speaker.
        found = f"a row with the unknown name {error}"
    except (pa.ArrowException, OSError, ValueError, TypeError, AttributeError) as error:
        found = " ".join(str(error).split())[:160]
    return [problem(shard.name, "unreadable_table", found, "rows of this version", _FIX)]
