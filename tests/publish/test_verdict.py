from __future__ import annotations

from typing import Any

import pytest

from stages.publish.cells import Grade
from stages.publish.flow import summarize_rejections
from stages.publish.shortfalls import CoverageGap, Shortfalls
from stages.publish.tasks import Task
from stages.publish.verdict import Answer, judge_amount, judge_cleanness, judge_model, summarize_release
from tests.publish.release import make_evaluation, make_ledger, make_result

NOTHING = Shortfalls(
    gaps={kind: CoverageGap(2, 0, 0) for kind in ("skills", "parameters", "values")},
    empty_skills=(),
    untrained_skills=(),
    train_rows=800,
    test_rows=200,
    min_test_rows=100,
    failed=(),
    repairable=(),
    review={},
    unsampled=0,
    undescribed=(),
)
BROKEN = make_result("enough", 5, passed=False, message="found 5")


@pytest.mark.parametrize(
    ("changes", "grade", "reason"),
    [
        ({}, Grade.GOOD, "1,000 exemplars of 2 skills"),
        ({"untrained_skills": ("call",)}, Grade.FAIR, "1 skill that train does not have"),
        ({"gaps": {**NOTHING.gaps, "values": CoverageGap(9, 3, 7)}}, Grade.FAIR, "3 thin values"),
        ({"test_rows": 40}, Grade.BAD, "40 test rows, 100 wanted"),
        ({"empty_skills": ("a", "b")}, Grade.BAD, "2 skills without any exemplar"),
        ({"test_rows": 0, "min_test_rows": 0}, Grade.BAD, "0 test rows, 0 wanted"),
        ({"train_rows": 0}, Grade.BAD, "empty train split"),
    ],
)
def test_the_amount_is_judged_by_gaps_and_splits(changes: dict[str, Any], grade: Grade, reason: str) -> None:
    answer = judge_amount(NOTHING._replace(**changes), 1000)
    assert (answer.grade, answer.reasons[0]) == (grade, reason)


@pytest.mark.parametrize(
    ("changes", "grade", "reasons"),
    [
        ({}, Grade.GOOD, ("nothing to repair or review",)),
        ({"review": {"quality": 3, "label_noise": 4}}, Grade.FAIR, ("7 rows to review",)),
        ({"repairable": summarize_rejections(make_ledger())[:1]}, Grade.FAIR, ("2 records to repair",)),
        ({"review": {"conflict": 2, "quality": 1}}, Grade.BAD, ("2 contradicting rows", "1 row to review")),
        (
            {"failed": ({**BROKEN, "severity": "critical"}, BROKEN)},
            Grade.BAD,
            ("1 broken expectation", "1 warning"),
        ),
        ({"failed": (BROKEN,)}, Grade.FAIR, ("1 warning",)),
    ],
)
def test_cleanness_is_judged_by_expectations_rejections_and_review(
    changes: dict[str, Any], grade: Grade, reasons: tuple[str, ...]
) -> None:
    answer = judge_cleanness(NOTHING._replace(**changes))
    assert (answer.grade, answer.reasons) == (grade, reasons)


@pytest.mark.parametrize(
    ("target", "grade", "word"),
    [(0.2, Grade.GOOD, "yes"), (0.4, Grade.FAIR, "probably"), (0.6, Grade.BAD, "not yet")],
)
def test_a_model_is_good_if_its_whole_interval_reaches_the_target(
    target: float, grade: Grade, word: str
) -> None:
    answer = judge_model(make_evaluation(), target)
    assert (answer.grade, answer.word) == (grade, word)
    assert answer.reasons == (
        f"exact match 0.500 (0.250 to 0.750), {target:g} wanted",
        "on 4 test rows, by lora",
        "no clear difference from base (p = 0.500)",
    )


def test_a_baseline_that_is_better_is_named() -> None:
    comparison = {"differences": {"exact_match": {"value": -0.1}}, "mcnemar_p": 0.0001, "warning": None}
    answer = judge_model(make_evaluation(reference_against={"knn": comparison}), 0.8)
    assert answer.reasons[-1] == "0.100 worse than knn (p < 0.001)"


def test_a_model_that_was_not_evaluated_is_not_known_to_be_good() -> None:
    answer = judge_model(None, 0.8)
    assert (answer.grade, answer.word) == (Grade.UNKNOWN, "not known")


def test_the_terminal_gets_at_most_five_lines_of_eighty_columns() -> None:
    reasons = ("a reason of thirty characters.", "a second one that is as long..", "a third that is cut")
    answers = [Answer("enough", "Is it enough?", Grade.FAIR, "mostly", reasons, "coverage")] * 3
    lines = summarize_release(answers, [Task("Do " + "this " * 30, "#review"), Task("that", "#review")])
    assert lines == [
        *["enough: mostly; a reason of thirty characters., a second one that is as long.."] * 3,
        "next: Do this this this this this this this this this this this this this ...",
        "publish: open reports/dataset.html",
    ]
    assert max(map(len, lines)) <= 80


def test_a_release_without_a_task_has_no_next_line() -> None:
    assert summarize_release([judge_cleanness(NOTHING)], []) == [
        "clean: yes; nothing to repair or review",
        "publish: open reports/dataset.html",
    ]
