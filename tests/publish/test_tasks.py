from __future__ import annotations

from typing import Any

import pytest

from exemplars.cli.main import build_parser
from exemplars.core.records import Reason
from exemplars.core.tables import rows_to_table
from exemplars.dataset.row_tables import rejections_to_table
from exemplars.models.rows import Prediction
from stages.publish.flow import summarize_rejections
from stages.publish.shortfalls import CoverageGap
from stages.publish.tasks import MAX_TASKS, list_tasks
from tests.publish.release import make_evaluation, make_prediction, make_rejection, make_result
from tests.publish.test_verdict import NOTHING

NO_PREDICTIONS = rows_to_table([], Prediction)
REASONS = (Reason.VALUE_NOT_FOUND, Reason.UNKNOWN_SLOT, Reason.INVALID_VALUE, Reason.SPAN_MISMATCH)
LEDGER = rejections_to_table([make_rejection(1, "compile", reason) for reason in REASONS])
REPAIRABLE = tuple(summarize_rejections(LEDGER))


@pytest.mark.parametrize(
    ("changes", "text", "href"),
    [
        (
            {"failed": (make_result("enough", 5, message="found 5 rows; at least 100", passed=False),)},
            "Expectation not met: found 5 rows; at least 100.",
            "#expectation-table",
        ),
        ({"review": {"conflict": 2}}, "Settle 2 rows with the same text and different labels.", "#review"),
        ({"review": {"personal_data": 1}}, "Label or replace the personal data in 1 row.", "#review"),
        (
            {"repairable": REPAIRABLE[:1]},
            "Repair 1 record: invalid value; correct the value, or the type or enumeration of the parameter.",
            "#rejection-compile-invalid_value",
        ),
        ({"empty_skills": ("a", "b")}, "Write the first exemplars of a, b.", "#coverage"),
        (
            {"untrained_skills": ("a", "b", "c", "d")},
            "Write training rows for a, b, c and 1 more: only held-out splits have them.",
            "#skills-table",
        ),
        (
            {"gaps": {"skills": CoverageGap(4, 1, 2), "parameters": CoverageGap(9, 0, 0), "values": CoverageGap(9, 3, 7)}},
            "Write up to 9 exemplars for 1 skill and 3 values.",
            "#coverage",
        ),
        ({"test_rows": 60}, "Add 40 rows to the test split.", "#split-table"),
        (
            {"review": {"label_noise": 7}},
            "Check the skill of 7 rows: they read like those of a different skill.",
            "#review",
        ),
        ({"review": {"quality": 1}}, "Read 1 text with a quality flag.", "#review"),
        ({"undescribed": ("forum",)}, "Describe the source forum: publish.sources in params.yaml.", "#documents"),
    ],
)  # fmt: skip
def test_each_shortfall_is_a_task_with_a_place(changes: dict[str, Any], text: str, href: str) -> None:
    evaluation = make_evaluation(rows=200)
    [task] = list_tasks(NOTHING._replace(**changes), evaluation, NO_PREDICTIONS)
    assert (task.text, task.href) == (text, href)


def test_a_release_without_a_shortfall_has_no_task() -> None:
    assert list_tasks(NOTHING, make_evaluation(rows=200), NO_PREDICTIONS) == []


def test_a_model_has_its_wrong_answers_read_and_its_wide_interval_narrowed() -> None:
    kinds = ("missed", "wrong_value", "right", "wrong_value")
    predictions = rows_to_table([make_prediction(kind) for kind in kinds], Prediction)
    assert [task.text for task in list_tasks(NOTHING, make_evaluation(), predictions)] == [
        "Read 3 wrong answers of lora; most often wrong value.",
        "Evaluate more of the 200 test rows (evaluate.max_rows): the interval is wide.",
    ]


def test_a_model_is_trained_first() -> None:
    [task] = list_tasks(NOTHING, None, NO_PREDICTIONS)
    assert (task.text, task.command) == ("Train and evaluate a model.", "dvc repro evaluate")


def test_no_more_tasks_than_people_read() -> None:
    failed = tuple(make_result("x", 1, message=f"found {number}", passed=False) for number in range(20))
    shortfalls = NOTHING._replace(
        failed=failed,
        repairable=REPAIRABLE,
        review={"conflict": 1, "personal_data": 1, "label_noise": 1, "quality": 1},
        untrained_skills=("a",),
        empty_skills=("b",),
        undescribed=("c",),
    )
    tasks = list_tasks(shortfalls, None, NO_PREDICTIONS)
    assert len(tasks) == MAX_TASKS == 10
    assert [task.text for task in tasks[2:6]] == [
        "Expectation not met: found 2.",
        "Settle 1 row with the same text and different labels.",
        "Label or replace the personal data in 1 row.",
        "Repair 1 record: invalid value; correct the value, or the type or enumeration of the parameter.",
    ]


@pytest.mark.parametrize("rejection", REPAIRABLE)
def test_the_command_of_a_task_exists(rejection: Any) -> None:
    [task] = list_tasks(NOTHING._replace(repairable=(rejection,)), make_evaluation(rows=200), NO_PREDICTIONS)
    assert task.command is not None
    name, *arguments = task.command.split()
    assert name == "exemplars"
    assert build_parser().parse_args(arguments).reason == rejection.reason


def test_train_rows_that_were_not_sampled_are_a_task() -> None:
    [task] = list_tasks(NOTHING._replace(unsampled=428), make_evaluation(rows=200), NO_PREDICTIONS)
    assert task.text == "Train on all rows: render.max_rows leaves out 428 exemplars of the train split."


def test_an_expectation_that_a_task_of_coverage_names_is_not_named_twice() -> None:
    broken = make_result("test rows", 60, key="validate.min_test_rows", message="60 rows", passed=False)
    [task] = list_tasks(
        NOTHING._replace(failed=(broken,), test_rows=60), make_evaluation(rows=60), NO_PREDICTIONS
    )
    assert task.text == "Add 40 rows to the test split."
