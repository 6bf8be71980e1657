"""The rows that stay, as tables, with their speech views and what they are about: computed shard by shard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import msgspec
import pyarrow as pa

from exemplars.core import layout
from exemplars.core.ids import make_speech_id
from exemplars.core.records import Exemplar, Rejection, ReviewItem, TextPair
from exemplars.core.representativeness import Representativeness
from exemplars.core.row_groups import RowGroups
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import open_table, rows_to_table, take_rows, write_table
from exemplars.core.workers import map_shards
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import exemplars_from_table, exemplars_to_table
from exemplars.dataset.speech import make_speech_views
from stages.curate.curation import Curated
from stages.curate.inputs import CurateInputs
from stages.curate.lexicons import Lexicons
from stages.curate.representativeness import RowCounts, count_rows, join_counts, measure_representativeness
from stages.curate.rows import Row, RowReader


class KeptRows(NamedTuple):
    """The rows of a row group that stay."""

    kept: pa.Table
    """In their order."""
    speech: pa.Table
    """Their speech views, in the same order."""
    counts: RowCounts
    """What they are about."""


class _Shard(NamedTuple):
    """What is to be done with a row group."""

    group: int
    rows: list[int]
    """The rows that stay, by their places in the row group."""
    groups: list[str]
    """Their groups, which may be other ones than in the input."""
    replaced: dict[int, Exemplar]
    """Those with another content, by their places among those that stay."""
    others: list[Exemplar]
    """Rows of other row groups whose turns have calls here: the calls of a turn have one speech view."""


def write_kept_rows(curated: Curated, inputs: CurateInputs, workers: int) -> Representativeness:
    """Write the rows that stay and their speech views; return what they are about.

    Both files are replaced at the end, so that after an error they are what they were.
    """
    counts = count_rows((), inputs.skills, inputs.lexicons)
    with (
        open_table(layout.CURATED, EXEMPLAR_SCHEMA) as kept,
        open_table(layout.SPEECH, EXEMPLAR_SCHEMA) as speech,
    ):
        for shard in build_kept_rows(curated, inputs, workers):
            kept.write(shard.kept)
            speech.write(shard.speech)
            counts = join_counts(counts, shard.counts)
    return measure_representativeness(counts, inputs.skills)


def write_lists(curated: Curated) -> None:
    """Write the ledger, the near duplicates, and the rows to review."""
    write_table(layout.ledger_path(layout.CURATED), rows_to_table(curated.rejections, Rejection))
    write_table(layout.PAIRS, rows_to_table(curated.pairs, TextPair))
    write_table(layout.REVIEW, rows_to_table(curated.review, ReviewItem))


def build_kept_rows(curated: Curated, inputs: CurateInputs, workers: int) -> Iterator[KeptRows]:
    """Build the tables of the rows that stay, row group by row group."""
    work = partial(_build_shard, inputs.exemplars, inputs.skills, inputs.lexicons)
    shards = _list_shards(curated.kept, curated.reader)
    yield from map_shards(
        work, shards, workers, "speech", lambda shard: inputs.exemplars.name_group(shard.group)
    )


def _list_shards(rows: Sequence[Row], reader: RowReader) -> list[_Shard]:
    by_group: dict[int, list[Row]] = {group: [] for group in range(len(reader.groups))}
    first_groups: dict[str, int] = {}
    torn: dict[str, set[int]] = {}
    for row in rows:
        group = reader.groups.find_group(row.number)
        by_group[group].append(row)
        first = first_groups.setdefault(row.turn, group)
        if first != group:
            torn.setdefault(row.turn, {first}).add(group)
    calls = [row for row in rows if row.turn in torn]
    loaded = reader.load(calls)
    others: dict[int, list[Exemplar]] = defaultdict(list)
    for row in calls:
        for group in torn[row.turn] - {reader.groups.find_group(row.number)}:
            others[group].append(loaded[row.id])
    return [_make_shard(group, members, reader, others[group]) for group, members in by_group.items()]


def _make_shard(group: int, rows: Sequence[Row], reader: RowReader, others: list[Exemplar]) -> _Shard:
    start = reader.groups.starts[group]
    replaced = {
        place: reader.replaced[row.number] for place, row in enumerate(rows) if row.number in reader.replaced
    }
    return _Shard(group, [row.number - start for row in rows], [row.group for row in rows], replaced, others)


def _build_shard(groups: RowGroups, skills: Sequence[Skill], lexicons: Lexicons, shard: _Shard) -> KeptRows:
    table = take_rows(groups.read(shard.group), shard.rows)
    index = table.schema.get_field_index("group")
    table = table.set_column(index, table.schema.field(index), pa.array(shard.groups, pa.string()))
    rows = exemplars_from_table(table)
    if shard.replaced:
        rows = [
            msgspec.structs.replace(shard.replaced.get(place, row), group=row.group)
            for place, row in enumerate(rows)
        ]
        table = exemplars_to_table(rows)
    ids = {make_speech_id(row.id) for row in rows}
    views = [view for view in make_speech_views([*rows, *shard.others]) if view.id in ids]
    return KeptRows(table, exemplars_to_table(views), count_rows(rows, skills, lexicons))
