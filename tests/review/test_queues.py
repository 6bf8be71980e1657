from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from exemplars.core import layout
from exemplars.core.records import Reason, Rejection
from exemplars.core.reviews import Decision, Review, ReviewedRow, RowEdit, describe_row
from exemplars.core.tables import rows_to_table, write_table
from exemplars.dataset.row_tables import rejections_to_table
from exemplars.models.rows import Prediction
from exemplars.review.dataset_index import DatasetIndex
from exemplars.review.decision_book import DecisionBook
from exemplars.review.queues import Queue, QueueLists, QueueState
from tests.review.projects import ROWS, make_prediction, make_rejection, write_project

MUSIC, ARABIC, _, MUM, DAD, NONE = ROWS


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path, listed=[MUM.id, DAD.id, NONE.id])
    return tmp_path


def build(queue: Queue, reviewer: str = "Ada") -> QueueState:
    return QueueLists(DatasetIndex()).build(queue, DecisionBook(reviewer))


def list_rows(queue: Queue, reviewer: str = "Ada") -> list[str]:
    return [entry.row for entry in build(queue, reviewer).entries]


def decide(
    number: int, row: str, digest: str, decision: Decision = Decision.APPROVED, reviewer: str = "Ada",
    after: ReviewedRow | None = None,
) -> None:  # fmt: skip
    review = Review(
        decision_id=f"{number:032x}", row=row, digest=digest, decision=decision, reviewer=reviewer,
        time="2026-11-27T20:00:00Z", after=after,
    )  # fmt: skip
    DecisionBook(reviewer).append(review)


def predict(*predictions: Prediction) -> None:
    write_table(layout.PREDICTIONS, rows_to_table(predictions, Prediction))


def test_what_this_reviewer_has_decided_is_gone_and_what_others_have_comes_last(project: Path) -> None:
    decide(1, MUM.id, MUM.digest, reviewer="Bob")
    decide(2, DAD.id, DAD.digest)
    assert list_rows(Queue.CONFLICTS) == [NONE.id, MUM.id]
    assert build(Queue.CONFLICTS).decided == 1
    assert list_rows(Queue.CONFLICTS, "Bob") == [NONE.id, DAD.id]


def test_a_decision_on_other_content_is_shown_again(project: Path) -> None:
    decide(1, MUM.id, "0" * 64)
    assert MUM.id in list_rows(Queue.CONFLICTS)
    assert list_rows(Queue.STALE) == [MUM.id]
    decide(2, MUM.id, MUM.digest)
    assert list_rows(Queue.STALE) == []


def test_an_edit_that_compile_has_applied_decides_about_what_it_made(project: Path) -> None:
    decide(1, MUM.id, "0" * 64, Decision.EDITED, after=describe_row(MUM))
    write_table(layout.EDITS, rows_to_table([RowEdit(MUM.id, f"{1:032x}", "0" * 64, MUM.digest)], RowEdit))
    assert list_rows(Queue.CONFLICTS) == [DAD.id, NONE.id]
    assert list_rows(Queue.STALE) == []
    decide(2, MUM.id, MUM.digest, reviewer="Bob")
    assert list_rows(Queue.DISAGREEMENT) == []


def test_an_edit_that_does_not_compile_anymore_is_stale_and_open(project: Path) -> None:
    decide(1, DAD.id, DAD.digest, Decision.EDITED, after=describe_row(MUM))
    edit = RowEdit(DAD.id, f"{1:032x}", DAD.digest, None, "no mum is found")
    write_table(layout.EDITS, rows_to_table([edit], RowEdit))
    assert [entry.why for entry in build(Queue.STALE).entries] == ["Ada edited it, but no mum is found"]


def test_generated_rows_are_those_that_wait_for_a_decision(project: Path) -> None:
    pending: list[Rejection] = [
        msgspec.structs.replace(make_rejection(), id=row.id, stage="curate", reason=Reason.PENDING_REVIEW)
        for row in (MUSIC, ARABIC)
    ]
    write_table(layout.ledger_path(layout.CURATED), rejections_to_table(pending))
    decide(1, ARABIC.id, ARABIC.digest, Decision.REJECTED)
    assert list_rows(Queue.GENERATED) == [MUSIC.id]


def test_errors_of_most_systems_come_first_and_say_which(project: Path) -> None:
    wrong = msgspec.structs.replace(make_prediction(DAD, "lora"), kind="missed")
    predict(
        make_prediction(MUM, "tagger"), make_prediction(MUM, "lora"), wrong, make_prediction(DAD, "tagger")
    )
    assert [(entry.row, entry.why) for entry in build(Queue.ERRORS).entries] == [
        (DAD.id, "lora: missed; tagger: wrong value"),
        (MUM.id, "tagger: wrong value"),
    ]


def test_models_disagree_if_their_answers_differ_and_baselines_do_not_count(project: Path) -> None:
    same = msgspec.structs.replace(make_prediction(DAD, "lora"), predicted="play(tagger)")
    predict(
        make_prediction(MUM, "tagger"), make_prediction(MUM, "lora"), same, make_prediction(DAD, "tagger"),
        make_prediction(DAD, "knn"),
    )  # fmt: skip
    assert [(entry.row, entry.why) for entry in build(Queue.DISAGREEMENT).entries] == [
        (MUM.id, "lora, tagger give 2 different answers")
    ]


def test_reviewers_disagree_until_one_of_them_changes_the_decision(project: Path) -> None:
    decide(1, MUM.id, MUM.digest)
    decide(2, MUM.id, MUM.digest, Decision.REJECTED, "Bob")
    assert [entry.why for entry in build(Queue.DISAGREEMENT).entries] == [
        "reviewers disagree: Ada approved it, Bob rejected it"
    ]
    decide(3, MUM.id, MUM.digest, Decision.REJECTED)
    assert list_rows(Queue.DISAGREEMENT) == []


def test_without_a_review_list_or_predictions_the_queues_are_empty(project: Path) -> None:
    layout.REVIEW.unlink()
    assert [build(queue) for queue in Queue] == [QueueState((), 0)] * len(Queue)
