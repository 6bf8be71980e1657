"""The rows that stay, as tables, with their speech views and what they are about: computed shard by shard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from exemplars.core import layout
from exemplars.core.ids import make_speech_id
from exemplars.core.records import Exemplar, ReviewItem
from exemplars.core.representativeness import Representativeness
from exemplars.core.row_groups import RowGroups
from exemplars.core.schemas import EXEMPLAR_SCHEMA, PAIR_SCHEMA, REJECTION_SCHEMA
from exemplars.core.tables import open_table, rows_to_table, take_rows, write_table
from exemplars.core.workers import map_shards
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import exemplars_from_table, exemplars_to_table, replace_columns
from exemplars.dataset.speech import SPOKEN_COLUMNS, make_speech_views
from stages.curate.curation import Curated
from stages.curate.inputs import CurateInputs
from stages.curate.lexicons import Lexicons
from stages.curate.representativeness import RowCounts, count_rows, join_counts, measure_representativeness
from stages.curate.rows import Rows
from stages.curate.turn_keys import sort_by_turn


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
    places: NDArray[np.int32]
    """The rows that stay, by their places in the row group."""
    moved: NDArray[np.int32]
    """Those that are in other groups than in the input, by their places among those that stay."""
    names: pa.Array
    """The groups of the moved rows."""
    replaced: dict[int, Exemplar]
    """Those with another content, by their places among those that stay."""
    others: list[Exemplar]
    """Rows of other row groups whose turns have calls here: the calls of a turn have one speech view."""


class _SpokenRows(NamedTuple):
    """What a worker makes of a row group: without what the stage can read itself, which is most of it."""

    places: NDArray[np.int32]
    """The rows that have a speech view, by their places among those that stay."""
    columns: pa.Table
    """The columns in which the views differ from their rows."""
    counts: RowCounts


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
    with open_table(layout.ledger_path(layout.CURATED), REJECTION_SCHEMA) as ledger:
        for table in curated.ledger.read():
            ledger.write(table)
    with open_table(layout.PAIRS, PAIR_SCHEMA) as pairs:
        for table in curated.pairs.read():
            pairs.write(table)
    write_table(layout.REVIEW, rows_to_table(curated.review, ReviewItem))


def build_kept_rows(curated: Curated, inputs: CurateInputs, workers: int) -> Iterator[KeptRows]:
    """Build the tables of the rows that stay, row group by row group."""
    groups = inputs.exemplars
    work = partial(_make_spoken, groups, inputs.skills, inputs.lexicons)
    shards = _list_shards(curated.kept)
    results = map_shards(work, shards, workers, "speech", lambda shard: groups.name_group(shard.group))
    for shard, spoken in zip(shards, results, strict=True):
        kept = _take_kept(groups, shard)
        speech = replace_columns(take_rows(kept, spoken.places), spoken.columns)
        yield KeptRows(kept, speech, spoken.counts)


def _list_shards(rows: Rows) -> list[_Shard]:
    others = _load_others(rows)
    bounds = np.searchsorted(rows.numbers, rows.table.groups.starts).tolist()
    return [
        _make_shard(group, rows.select(np.arange(start, end)), others[group])
        for group, (start, end) in enumerate(pairwise(bounds))
    ]


def _load_others(rows: Rows) -> dict[int, list[Exemplar]]:
    """Load the rows whose turns have calls in several row groups: for each row group, those of the others."""
    turns = sort_by_turn(rows)
    groups = turns.calls.find_row_groups()
    is_torn = np.isin(turns.turns, turns.turns[groups != groups[turns.starts][turns.turns]])
    calls = turns.calls.select(is_torn)
    loaded = calls.load()
    others: dict[int, list[Exemplar]] = defaultdict(list)
    row_groups: dict[int, set[int]] = defaultdict(set)
    places = [
        *zip(calls.numbers.tolist(), turns.turns[is_torn].tolist(), groups[is_torn].tolist(), strict=True)
    ]
    for _, turn, group in places:
        row_groups[turn].add(group)
    for number, turn, own in sorted(places):
        for group in row_groups[turn] - {own}:
            others[group].append(loaded[number])
    return others


def _make_shard(group: int, rows: Rows, others: list[Exemplar]) -> _Shard:
    table = rows.table
    names = [table.group_names.get(key) for key in rows["group"].tolist()]
    moved = np.flatnonzero([name is not None for name in names])
    replaced = {
        place: table.replaced[number]
        for place, number in enumerate(rows.numbers.tolist())
        if number in table.replaced
    }
    return _Shard(
        group,
        (rows.numbers - table.groups.starts[group]).astype(np.int32),
        moved.astype(np.int32),
        pa.array([name for name in names if name is not None], pa.string()),
        replaced,
        others,
    )


def _take_kept(groups: RowGroups, shard: _Shard) -> pa.Table:
    """Take the rows of a row group that stay, with their new groups and contents."""
    table = take_rows(groups.read(shard.group), shard.places)
    index = table.schema.get_field_index("group")
    names = table.column("group").to_numpy()
    names[shard.moved] = shard.names.to_numpy(zero_copy_only=False)
    table = table.set_column(index, table.schema.field(index), pa.array(names, pa.string()))
    if not shard.replaced:
        return table
    rows = enumerate(exemplars_from_table(table))
    return exemplars_to_table(
        [msgspec.structs.replace(shard.replaced.get(place, row), group=row.group) for place, row in rows]
    )


def _make_spoken(
    groups: RowGroups, skills: Sequence[Skill], lexicons: Lexicons, shard: _Shard
) -> _SpokenRows:
    rows = exemplars_from_table(_take_kept(groups, shard))
    places = {make_speech_id(row.id): place for place, row in enumerate(rows)}
    views = [view for view in make_speech_views([*rows, *shard.others]) if view.id in places]
    return _SpokenRows(
        np.array([places[view.id] for view in views], np.int32),
        rows_to_table(views, Exemplar, SPOKEN_COLUMNS),
        count_rows(rows, skills, lexicons),
    )
