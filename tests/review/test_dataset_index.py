from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from exemplars.core import layout
from exemplars.core.errors import UserError
from exemplars.core.records import Argument, Grounding, Reason, Rejection
from exemplars.core.tables import rows_to_table, write_table
from exemplars.dataset.row_tables import exemplars_to_table, rejections_to_table
from exemplars.models.rows import Prediction
from exemplars.review.dataset_index import DatasetIndex, RowFilter
from tests.review.projects import ROWS, make_prediction, make_rejection, make_row, write_project

MUSIC, _, _, MUM, DAD, NONE = ROWS


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return tmp_path


def find_ids(**wanted: str) -> list[str]:
    return [row["id"] for row in DatasetIndex().find_page(RowFilter(**wanted), 0).rows]


def reject(row_id: str, stage: str, reason: Reason) -> Rejection:
    return msgspec.structs.replace(make_rejection(), id=row_id, stage=stage, reason=reason)


def test_a_row_is_read_as_it_was_written(project: Path) -> None:
    index = DatasetIndex()
    assert [index.read_exemplar(row.id) for row in ROWS] == list(ROWS)
    assert index.read_exemplar("mine:lost.jsonl#99") is None
    assert index.read_rejection("mine:lost.jsonl#99") == make_rejection()


def test_every_row_has_its_split_and_its_reason(project: Path) -> None:
    write_table(layout.split("train"), exemplars_to_table(ROWS[:4]))
    write_table(layout.split("test"), exemplars_to_table([DAD]))
    curated = [reject(NONE.id, "curate", Reason.LOW_QUALITY)]
    write_table(layout.ledger_path(layout.CURATED), rejections_to_table(curated))
    assert find_ids(split="test") == [DAD.id]
    assert find_ids(split="(none)") == ["mine:lost.jsonl#99", NONE.id]
    assert find_ids(reason="low_quality", skill="(no call)") == [NONE.id]


def test_a_chat_row_that_was_not_rendered_is_found_by_its_row_or_its_turn(project: Path) -> None:
    calls = [msgspec.structs.replace(row, turn="mine:rows.jsonl#turn/1") for row in (MUM, DAD)]
    write_table(layout.EXEMPLARS, exemplars_to_table([MUSIC, *calls]))
    lost = [
        reject("mine:rows.jsonl#turn/1", "render", Reason.TOO_LONG),
        reject(f"{MUSIC.id}@slot:title", "render", Reason.CONTROL_TOKEN),
    ]
    write_table(layout.ledger_path(layout.TRAINING_BASE), rejections_to_table(lost))
    assert find_ids(reason="too_long") == [MUM.id, DAD.id]
    assert find_ids(reason="control_token") == [MUSIC.id]
    assert DatasetIndex().read_rejection(DAD.id) == lost[0]
    assert [row.id for row in DatasetIndex().read_turn(calls[0])] == [DAD.id]


def test_rows_are_found_by_the_grounding_of_any_argument(project: Path) -> None:
    said = Argument("line", "work", "work", 15, 19, Grounding.CATEGORICAL)
    row = msgspec.structs.replace(MUM, arguments=(*MUM.arguments, said))
    write_table(layout.EXEMPLARS, exemplars_to_table([row, DAD]))
    assert find_ids(grounding="categorical") == [row.id]
    assert find_ids(grounding="verbatim") == [row.id, DAD.id]
    assert find_ids(grounding="nothing") == []


def test_rows_are_found_by_what_a_run_answered_as_written(project: Path) -> None:
    predictions = [make_prediction(MUM, system) for system in ("lora", "tagger")]
    predictions.append(msgspec.structs.replace(make_prediction(DAD, "tagger"), id=f"{DAD.id}~speech"))
    predictions.append(msgspec.structs.replace(make_prediction(DAD, "lora"), condition="oracle"))
    write_table(layout.PREDICTIONS, rows_to_table(predictions, Prediction))
    assert find_ids(system="tagger") == [MUM.id]
    assert find_ids(system="lora", answer="wrong") == []
    assert find_ids(answer="wrong") == [MUM.id]
    page = DatasetIndex().find_page(RowFilter(text="my mum"), 0)
    assert (page.rows[0]["asked"], page.rows[0]["right"]) == (2, 1)


def test_pages_have_fifty_rows_each(project: Path) -> None:
    rows = sorted((make_row(number, f"ring {number}") for number in range(120)), key=lambda row: row.id)
    write_table(layout.EXEMPLARS, exemplars_to_table(rows))
    index = DatasetIndex()
    pages = [index.find_page(RowFilter(text="ring"), page) for page in range(4)]
    assert [(page.total, len(page.rows)) for page in pages] == [(120, 50), (120, 50), (120, 20), (120, 0)]
    assert [row["id"] for page in pages for row in page.rows] == [row.id for row in rows]


def test_a_text_is_no_pattern(project: Path) -> None:
    assert find_ids(text="my (") == []
    assert find_ids(text="<IMG SRC=X") == [ROWS[2].id]


def test_facets_count_the_most_frequent_value_first(project: Path) -> None:
    facets = DatasetIndex().facets
    assert facets["skill"] == [("play", 4), ("call", 2), ("(no call)", 1)]
    assert facets["grounding"] == [("verbatim", 5)]
    assert facets["system"] == []


def test_a_project_without_rows_or_with_a_broken_table_is_named(project: Path) -> None:
    layout.EXEMPLARS.write_bytes(b"PAR1")
    with pytest.raises(
        UserError, match=r"unreadable_table: found .*; wait for `dvc repro` if it runs, or run it"
    ):
        DatasetIndex()
    layout.EXEMPLARS.unlink()
    with pytest.raises(UserError, match="there are no rows to review yet; run `dvc repro curate`"):
        DatasetIndex()
