"""Exemplars for tests, from what matters in them, and the lexicons of this project."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.core.digests import stamp_digest
from exemplars.core.records import (
    Argument,
    Exemplar,
    Grounding,
    Mode,
    Origin,
    Rejection,
    ReviewItem,
    Speaker,
    TextPair,
    Turn,
)
from exemplars.core.representativeness import Representativeness
from exemplars.core.row_groups import RowGroups
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import rows_from_table
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import exemplars_from_table, exemplars_to_table, rejections_from_table
from exemplars.dataset.templates import write_template
from stages.curate.curation import curate
from stages.curate.facts import FactParams, collect_shard_facts
from stages.curate.inputs import CurateInputs
from stages.curate.kept_rows import build_kept_rows
from stages.curate.lexicons import read_lexicons
from stages.curate.params import CurateParams
from stages.curate.report import build_curate_report, summarize_curation
from stages.curate.representativeness import count_rows, join_counts, measure_representativeness
from stages.curate.rows import Rows, RowTable
from stages.curate.scratch import open_scratch
from stages.curate.text_cache import TextCache
from stages.curate.verdicts import Verdicts
from tests.conftest import PROJECT

LEXICONS = read_lexicons(str(PROJECT / "schemas/lexicons"))


def make_argument(slot: str, surface: str, text: str, value: str | None = None) -> Argument:
    """Make an argument whose span is the first occurrence of `surface` in the text."""
    start = text.index(surface)
    return Argument(slot, value or surface, surface, start, start + len(surface), Grounding.VERBATIM)


def make_row(
    name: str,
    utterance: str,
    skill: str | None = "call",
    arguments: tuple[Argument, ...] = (),
    before: tuple[str, ...] = (),
    group: str = "",
    split: str | None = None,
    mode: Mode | None = None,
    reply: str | None = None,
    context: tuple[Turn, ...] = (),
    speaker: Speaker = Speaker.USER,
) -> Exemplar:
    """Make an exemplar with the id `s:<name>`. before: what the assistant said, instead of a context."""
    context = context or tuple(Turn(Speaker.ASSISTANT, turn) for turn in before)
    mode = mode or (Mode.NONE if skill is None else Mode.NORMAL)
    row = Exemplar(
        id=f"s:{name}",
        digest="",
        source="s",
        turn=f"s:{name}",
        call=0,
        service=None,
        skill=skill,
        mode=mode,
        speaker=speaker,
        utterance=utterance,
        exemplar=write_template(utterance, arguments),
        arguments=arguments,
        reply=reply,
        context=context,
        group=group or f"s:{name}",
        license="MIT",
        origin=Origin("a.md", "0" * 64, name),
        split=split,
    )
    return stamp_digest(row)


def make_turn(name: str, utterance: str, *calls: tuple[str, tuple[Argument, ...]]) -> list[Exemplar]:
    """Make the exemplars of the calls of a turn, each a skill with its arguments, with the ids `s:<name>/<call>`."""
    rows = [
        make_row(f"{name}/{number}", utterance, skill, arguments, group=f"s:{name}")
        for number, (skill, arguments) in enumerate(calls)
    ]
    return [msgspec.structs.replace(row, turn=f"s:{name}", call=number) for number, row in enumerate(rows)]


class Result(NamedTuple):
    """What the stage makes of exemplars."""

    kept: list[Exemplar]
    rejections: list[Rejection]
    pairs: list[TextPair]
    review: list[ReviewItem]
    speech: list[Exemplar]
    representativeness: Representativeness
    report: dict[str, Any]
    summary: str


def curate_exemplars(
    rows: Iterable[Exemplar],
    params: CurateParams,
    skills: Sequence[Skill] = (),
    key: bytes | None = None,
    verdicts: Verdicts | None = None,
    candidate_sources: Iterable[str] = (),
    texts: TextCache | None = None,
    row_group: int = 8192,
    workers: int = 1,
) -> Result:
    """Run the stage on exemplars, which are sorted first. row_group: rows of each row group of the input."""
    with ExitStack() as files:
        folder = files.enter_context(tempfile.TemporaryDirectory())
        inputs = CurateInputs(
            write_rows(Path(folder), rows, row_group),
            tuple(skills),
            LEXICONS,
            verdicts or Verdicts(),
            frozenset(candidate_sources),
            key,
            texts or TextCache(),
        )
        scratch = files.enter_context(open_scratch(Path(folder)))
        curated = curate(inputs, params, scratch, workers=workers)
        shards = list(build_kept_rows(curated, inputs, workers))
        counts = count_rows((), skills, LEXICONS)
        for shard in shards:
            counts = join_counts(counts, shard.counts)
        measured = measure_representativeness(counts, skills)
        return Result(
            exemplars_from_table(pa.concat_tables(shard.kept for shard in shards)),
            [rejection for table in curated.ledger.read() for rejection in rejections_from_table(table)],
            [pair for table in curated.pairs.read() for pair in rows_from_table(table, TextPair)],
            curated.review,
            exemplars_from_table(pa.concat_tables(shard.speech for shard in shards)),
            measured,
            build_curate_report(curated, measured),
            summarize_curation(curated),
        )


def write_rows(folder: Path, rows: Iterable[Exemplar], row_group: int = 8192) -> RowGroups:
    """Write exemplars, sorted, as the input of the stage."""
    path = folder / "exemplars.parquet"
    table = exemplars_to_table(sorted(rows, key=lambda row: row.id))
    pq.write_table(table, path, row_group_size=row_group)
    return RowGroups(path, EXEMPLAR_SCHEMA)


def read_rows(folder: Path, rows: Iterable[Exemplar], params: CurateParams, row_group: int = 8192) -> Rows:
    """Return exemplars as the steps see them."""
    table = RowTable(write_rows(folder, rows, row_group), BytesIO())
    settings = FactParams(params, LEXICONS.names)
    for group in range(len(table.groups)):
        table.fill(group, collect_shard_facts(settings, table.groups, group))
    return table.select_all()
