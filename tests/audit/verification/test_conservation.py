"""Row conservation of `render`, whose chat rows may hold several rows of the splits."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from exemplars.audit.dvc_cache import Output
from exemplars.audit.verification.conservation import check_row_conservation
from exemplars.audit.verification.report_counts import check_reports
from exemplars.audit.verification.tables import Tables
from exemplars.core import layout
from exemplars.core.files import write_json
from exemplars.core.ids import SPLITS
from exemplars.core.ledger import Problem, reject_row
from exemplars.core.records import Origin, Reason
from exemplars.core.tables import rows_to_table
from exemplars.dataset.row_tables import exemplars_to_table, rejections_to_table
from exemplars.models.preference_log import make_preference_id
from exemplars.models.preference_rows import PairSource, PreferenceRow
from exemplars.models.rows import TrainingRow
from tests.chat_rows import make_training_row
from tests.render.rows import exemplar

FIRST, SECOND, THIRD = (
    msgspec.structs.replace(exemplar("ring Ada and Bo"), id=f"s:f#{number}", digest=f"{number}" * 64)
    for number in (1, 2, 3)
)
BOTH = make_training_row(
    id="s:f#t", exemplar_ids=(FIRST.id, SECOND.id), digests=(FIRST.digest, SECOND.digest), turn="s:f#t"
)
LOST = reject_row(THIRD, "render", [Problem(Reason.TOO_LONG, "900 tokens")])


def write_tables(root: Path, rows: list[TrainingRow]) -> Tables:
    """Write the tables of a train split of three rows, of which one is rejected."""
    tables = {layout.split(name): exemplars_to_table([]) for name in SPLITS}
    tables[layout.split("train")] = exemplars_to_table([FIRST, SECOND, THIRD])
    tables[layout.split_speech()] = exemplars_to_table([])
    tables |= {layout.training(name): rows_to_table([], TrainingRow) for name in SPLITS}
    tables[layout.training("train")] = rows_to_table(rows, TrainingRow)
    tables[layout.ledger_path(layout.TRAINING_BASE)] = rejections_to_table([LOST])
    for path, table in tables.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, root / path)
    return Tables(root, [Output(path.as_posix(), "0" * 32) for path in tables], ())


@pytest.mark.parametrize(
    ("row", "codes"),
    [
        (BOTH, []),
        (msgspec.structs.replace(BOTH, exemplar_ids=BOTH.exemplar_ids[:1], digests=BOTH.digests[:1]), ["lost_rows"]),
        (msgspec.structs.replace(BOTH, exemplar_ids=(FIRST.id, THIRD.id)), ["lost_rows", "doubled_rows", "other_content"]),
        (msgspec.structs.replace(BOTH, digests=(FIRST.digest, "9" * 64)), ["other_content"]),
    ],
    ids=["all calls", "a call that is missing", "a call that was rejected", "another digest"],
)  # fmt: skip
def test_every_call_of_a_chat_row_is_accounted_for(
    tmp_path: Path, row: TrainingRow, codes: list[str]
) -> None:
    tables = write_tables(tmp_path, [row])
    check = check_row_conservation(tables, [], {"render": {"views": ["call"]}})
    assert [problem.code for problem in check.problems] == codes
    assert "3 rows in = kept + rejected, at 1 stages" in check.counted


def test_the_reports_of_render_count_the_exemplars_in_its_prompts(tmp_path: Path) -> None:
    tables = write_tables(tmp_path, [BOTH])
    paths = [layout.report("render"), layout.details("render")]
    write_json(tmp_path / paths[0], {"rows_in": 3, "kept": 2, "rejected": 1, "prompts": 1})
    splits = {name: {"rows": 0, "rows_by_view": {}} for name in SPLITS}
    splits["train"] = {"rows": 1, "rows_by_view": {"call": 1}}
    details = {
        "exemplars": 3,
        "prompts": 1,
        "rejected": 1,
        "rejections_by_source": {"s": 1},
        "splits": splits,
    }
    write_json(tmp_path / paths[1], details)
    names = [path.as_posix() for path in paths]
    assert check_reports(tables, [], names).problems == ()
    write_json(tmp_path / paths[0], {"rows_in": 2, "kept": 1, "rejected": 1, "prompts": 1})
    assert [problem.found for problem in check_reports(tables, [], names).problems] == [
        "rows_in = 2",
        "kept = 1",
    ]


def write_preferences(root: Path, kept: list[int], rejected: list[int]) -> Tables:
    """Write three lines, of which one is withdrawn, the withdrawal, and the tables that `render` makes of them."""
    lines = [
        '{"version":1,"id":"p1","row":"d","chosen":"a","rejected":"b","source":"written"}',
        '{"version":1,"id":"p2","row":"d","chosen":"a","rejected":"c","source":"judge"}',
        '{"version":1,"id":"w2","withdraws":"p2","source":"judge"}',
        "{broken",
    ]
    path = root / layout.RAW_PREFERENCES
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines), "utf-8")
    rows = [make_preference_row(number) for number in kept]
    ledger = [
        msgspec.structs.replace(LOST, id=make_preference_id(number), source="preferences")
        for number in rejected
    ]
    tables = {
        layout.preferences("train"): rows_to_table(rows, PreferenceRow),
        layout.preferences("validation"): rows_to_table([], PreferenceRow),
        layout.PREFERENCE_REJECTIONS: rejections_to_table(ledger),
    }
    for path, table in tables.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, root / path)
    return Tables(root, [Output(path.as_posix(), "0" * 32) for path in tables], ())


def make_preference_row(number: int) -> PreferenceRow:
    return PreferenceRow(
        id=make_preference_id(number), pair=f"p{number}", digest="0" * 64, row="d", exemplar_ids=(), digests=(),
        source=PairSource.WRITTEN, kind=None, skill=None, group="g", license="MIT",
        origin=Origin("preferences.jsonl", "0" * 64, str(number)), messages=(), tools="[]", prompt="", prompt_ids=(),
        chosen="a", rejected="b", chosen_ids=(1,), rejected_ids=(2,),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "rejected", "codes"),
    [
        ([1], [2, 4], []),
        ([1], [2], ["lost_rows"]),
        ([1], [1, 2, 4], ["doubled_rows"]),
        ([1, 3], [2, 4], ["unknown_rows"]),
    ],
    ids=["all", "a broken line that is missing", "one that is kept and rejected", "a withdrawal as a row"],
)
def test_every_preference_is_accounted_for(
    tmp_path: Path, kept: list[int], rejected: list[int], codes: list[str]
) -> None:
    check = check_row_conservation(write_preferences(tmp_path, kept, rejected), [], {})
    assert [problem.code for problem in check.problems] == codes
    assert "3 rows in = kept + rejected, at 1 stages" in check.counted
