"""Projects that the review page is tested on: a small one that is compiled by the stages' own functions, a large one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import msgspec

from exemplars.core import layout
from exemplars.core.digests import stamp_digest
from exemplars.core.files import write_bytes
from exemplars.core.records import (
    Argument,
    Exemplar,
    Grounding,
    LabelledArgument,
    Mode,
    Origin,
    Reason,
    Record,
    Rejection,
    ReviewItem,
    Speaker,
    Turn,
)
from exemplars.core.tables import rows_to_table, write_table
from exemplars.dataset.catalog import Skill, encode_catalog
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.row_tables import exemplars_to_table, records_to_table, rejections_to_table
from exemplars.models.rows import Prediction

SKILLS = (
    Skill(
        "call",
        "Ring somebody.",
        (Parameter("contact", required=True), Parameter("line", enum=("home", "work"))),
    ),
    Skill("play", "Play music.", (Parameter("title", "What to play"), Parameter("count", type="integer"))),
)
EMOJI = "play 👩‍👩‍👧 Café 🎵 now please"
RIGHT_TO_LEFT = "תשמיע את שלום 🌍 עכשיו"
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> play Gold'
PARAMS = """\
ingest:
  sources:
    mine: {format: jsonl, path: data/raw/mine, license: Apache-2.0}
"""


def make_row(
    number: int,
    utterance: str,
    skill: str | None = None,
    said: dict[str, str] | None = None,
    context: tuple[Turn, ...] = (),
) -> Exemplar:
    """Make a row of a skill whose values are said verbatim. said: the values, by their slots."""
    arguments, template = [], utterance
    for slot, value in (said or {}).items():
        start = utterance.index(value)
        end = start + len(value)
        arguments.append(Argument(slot, value, value, start, end, Grounding.VERBATIM))
        template = template.replace(value, f"<{slot}>")
    row = Exemplar(
        id=f"mine:rows.jsonl#{number}",
        digest="",
        source="mine",
        turn=f"mine:rows.jsonl#{number}",
        call=0,
        service=None,
        skill=skill,
        mode=Mode.NONE if skill is None else Mode.NORMAL,
        speaker=Speaker.USER,
        utterance=utterance,
        exemplar=template,
        arguments=tuple(arguments),
        reply=None,
        context=context,
        group=f"mine:{number}",
        license="Apache-2.0",
        origin=Origin("rows.jsonl", "0" * 64, str(number)),
    )
    return stamp_digest(row)


def make_record(row: Exemplar) -> Record:
    """Make the record that a row was compiled from."""
    return Record(
        id=row.id,
        turn=row.turn,
        source=row.source,
        utterance=row.utterance,
        mode=row.mode,
        skill=row.skill,
        service=row.service,
        arguments=tuple(LabelledArgument(argument.slot, argument.value) for argument in row.arguments),
        context=row.context,
        group=row.group,
        license=row.license,
        origin=row.origin,
    )


ROWS = (
    make_row(1, EMOJI, "play", {"title": "Café"}),
    make_row(2, RIGHT_TO_LEFT, "play", {"title": "שלום"}),
    make_row(3, HOSTILE, "play", {"title": "Gold"}),
    make_row(4, "ring my mum at work", "call", {"contact": "my mum"}, (Turn(Speaker.USER, "hello"),)),
    make_row(5, "ring my dad", "call", {"contact": "my dad"}),
    make_row(6, "thanks, bye"),
)


def write_project(root: Path, rows: Sequence[Exemplar] = ROWS, *, listed: Sequence[str] = ()) -> None:
    """Write what the stages write of rows that are all in train. listed: the ids of those on the conflicts list."""
    (root / ".dvc").mkdir()
    write_bytes(root / "dvc.yaml", b"stages: {}\n")
    write_bytes(root / "params.yaml", PARAMS.encode())
    write_bytes(root / "schemas/recognizers.json", b'{"recognizers": {}}\n')
    write_bytes(root / layout.REVIEWS, b"")
    write_bytes(root / layout.CATALOG, encode_catalog(SKILLS))
    write_bytes(root / layout.source_catalog("mine"), encode_catalog(SKILLS))
    write_bytes(root / layout.source_recognizers("mine"), b'{"recognizers": {}}\n')
    table = exemplars_to_table(sorted(rows, key=lambda row: row.id))
    write_table(root / layout.EXEMPLARS, table)
    write_table(root / layout.records("mine"), records_to_table([make_record(row) for row in rows]))
    write_table(root / layout.CURATED, table)
    write_table(root / layout.split("train"), table)
    write_table(root / layout.ledger_path(layout.EXEMPLARS), rejections_to_table([make_rejection()]))
    by_id = {row.id: row for row in rows}
    items = [make_item(by_id[row_id]) for row_id in listed or by_id]
    write_table(root / layout.REVIEW, rows_to_table(items, ReviewItem))


def make_rejection() -> Rejection:
    """Make the rejection of a record that was never compiled."""
    return Rejection(
        id="mine:lost.jsonl#99",
        source="mine",
        stage="compile",
        reason=Reason.VALUE_NOT_FOUND,
        message="lost.jsonl:99: 'jazz' of slot 'title' occurs nowhere; correct the value",
        origin=Origin("lost.jsonl", "0" * 64, "99"),
        group="mine:99",
        skill="play",
        utterance="play something",
    )


def make_item(row: Exemplar) -> ReviewItem:
    """Put a row on the conflicts list."""
    return ReviewItem(
        row.id, "conflict", "another row says the same", None, row.skill, None, "rows.jsonl", row.origin.locator, row.utterance
    )  # fmt: skip


def write_large_project(root: Path, count: int) -> None:
    """Write a project of `count` rows of about 12 words, each with a context of two turns, and 5,000 predictions."""
    chosen = random.Random(1)
    words = [f"word{number}" for number in range(8_000)]
    rows = []
    for number in range(count):
        value = chosen.choice(words)
        utterance = " ".join(["play", value, *chosen.choices(words, k=10)])
        context = (Turn(Speaker.USER, f"first {number}"), Turn(Speaker.ASSISTANT, "and what then?"))
        rows.append(make_row(number, utterance, f"skill_{number % 40}", {"title": value}, context))
    rows.sort(key=lambda row: row.id)
    write_project(root, rows, listed=[row.id for row in rows[:100]])
    predictions = [make_prediction(row, system) for row in rows[:2_500] for system in ("lora", "tagger")]
    write_table(root / layout.PREDICTIONS, rows_to_table(predictions, Prediction))


def make_prediction(row: Exemplar, system: str) -> Prediction:
    """Make a prediction that is wrong for the tagger."""
    return Prediction(
        id=row.id,
        exemplar_ids=(row.id,),
        condition="end_to_end",
        system=system,
        kind="wrong_value" if system == "tagger" else "right",
        utterance=row.utterance,
        right="play()",
        predicted=f"play({system})",
        ended=True,
        source=row.source,
        skill=row.skill,
        nearest=(),
        shown=("play",),
        confidence=0.75 if system == "tagger" else None,
        answered_by=None,
        origin=msgspec.structs.replace(row.origin),
    )
