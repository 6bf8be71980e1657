"""The verdict on a release: is it enough, is it clean, is the model good?"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from exemplars.core.reports import format_interval, format_p_value
from stages.publish import paths
from stages.publish.cells import Grade
from stages.publish.shortfalls import Shortfalls
from stages.publish.tasks import Task

_COLUMNS: Final = 80
"""The width of a terminal."""
_SIGNIFICANCE: Final = 0.05


class Answer(NamedTuple):
    """The answer to a question about a release."""

    topic: str
    question: str
    grade: Grade
    word: str
    """The answer in a word or two."""
    reasons: tuple[str, ...]
    """Figures that support it, in phrases; the most important first."""
    section: str
    """The section of the page with the details."""


def give_verdict(
    shortfalls: Shortfalls, rows: int, evaluation: Mapping[str, Any] | None, target: float
) -> tuple[Answer, ...]:
    """Answer the three questions.

    rows: the number of exemplars. evaluation: the report of `evaluate`; `None` if no model was evaluated.
    target: the exact match of a good model.
    """
    return (
        judge_amount(shortfalls, rows),
        judge_cleanness(shortfalls),
        judge_model(evaluation, target),
    )


def judge_amount(shortfalls: Shortfalls, rows: int) -> Answer:
    """Judge whether there are enough exemplars of everything, and enough rows to measure a model on."""
    bad = [
        *_phrase(len(shortfalls.empty_skills), "skill without any exemplar", "skills without any exemplar"),
        *([] if shortfalls.train_rows else ["empty train split"]),
    ]
    if shortfalls.test_rows < shortfalls.min_test_rows or not shortfalls.test_rows:
        noun = "row" if shortfalls.test_rows == 1 else "rows"
        bad.append(f"{shortfalls.test_rows:,} test {noun}, {shortfalls.min_test_rows:,} wanted")
    gaps = shortfalls.gaps
    fair = [
        *_phrase(
            len(shortfalls.untrained_skills),
            "skill that train does not have",
            "skills that train does not have",
        ),
        *_phrase(gaps["skills"].thin, "thin skill"),
        *_phrase(gaps["parameters"].thin, "thin parameter"),
        *_phrase(gaps["values"].thin, "thin value"),
    ]
    grade = _grade(bad, fair)
    size = " of ".join(
        [*_phrase(rows, "exemplar", keep_zero=True), *_phrase(gaps["skills"].parts, "skill", keep_zero=True)]
    )
    reasons = (*bad, *fair, size)
    return Answer("enough", "Is it enough?", grade, _WORDS[grade], reasons, "coverage")


def judge_cleanness(shortfalls: Shortfalls) -> Answer:
    """Judge whether the dataset keeps its contract, and whether its rows are right."""
    review = shortfalls.review
    repairable = sum(rejection.records for rejection in shortfalls.repairable)
    critical = sum(result["severity"] == "critical" for result in shortfalls.failed)
    bad = [
        *_phrase(critical, "broken expectation"),
        *_phrase(review.get("conflict", 0), "contradicting row"),
    ]
    fair = [
        *_phrase(repairable, "record to repair", "records to repair"),
        *_phrase(sum(review.values()) - review.get("conflict", 0), "row to review", "rows to review"),
        *_phrase(len(shortfalls.failed) - critical, "warning"),
    ]
    grade = _grade(bad, fair)
    reasons = (*bad, *fair) or ("nothing to repair or review",)
    return Answer("clean", "Is it clean?", grade, _WORDS[grade], reasons, "checks")


def judge_model(evaluation: Mapping[str, Any] | None, target: float) -> Answer:
    """Judge the reference system by its exact match on the test rows.

    It is good if the whole interval is at or above `target`, and fair if only its value is.
    """
    question, section = "Is the model good?", "models"
    if evaluation is None:
        missing = "no model was evaluated: dvc repro evaluate"
        return Answer("model", question, Grade.UNKNOWN, "not known", (missing,), section)
    figure = evaluation["systems"][evaluation["reference"]]["exact_match"]
    good, fair = figure["low"] >= target, figure["value"] >= target
    grade = Grade.GOOD if good else Grade.FAIR if fair else Grade.BAD
    word = {Grade.GOOD: "yes", Grade.FAIR: "probably", Grade.BAD: "not yet"}[grade]
    reasons = (
        f"exact match {format_interval(figure, 3)}, {target:g} wanted",
        f"on {evaluation['rows']:,} test rows, by {evaluation['reference']}",
        *_compare_with_baselines(evaluation),
    )
    return Answer("model", question, grade, word, reasons, section)


def summarize_release(answers: Sequence[Answer], tasks: Sequence[Task]) -> list[str]:
    """Summarize a release in lines for a terminal: the verdict, what to do next, and which page to open."""
    lines = [_join_reasons(f"{answer.topic}: {answer.word}", answer.reasons) for answer in answers]
    if tasks:
        lines.append(f"next: {tasks[0].text}")
    page = f"publish: open {paths.DATASET_PAGE.as_posix()}"
    return [*(textwrap.shorten(line, _COLUMNS, placeholder=" ...") for line in lines), page]


def _join_reasons(line: str, reasons: Sequence[str]) -> str:
    """Add the reasons to a line that still fit the terminal."""
    for reason in reasons:
        longer = f"{line}{', ' if ';' in line else '; '}{reason}"
        if len(longer) > _COLUMNS:
            break
        line = longer
    return line


def _phrase(count: int, single: str, several: str = "", *, keep_zero: bool = False) -> list[str]:
    """Phrase a count; nothing if it is zero. several: the words for more than one, if no `s` makes them."""
    if not count and not keep_zero:
        return []
    return [f"{count:,} {single if count == 1 else several or single + 's'}"]


def _grade(bad: Sequence[str], fair: Sequence[str]) -> Grade:
    return Grade.BAD if bad else Grade.FAIR if fair else Grade.GOOD


def _compare_with_baselines(evaluation: Mapping[str, Any]) -> Iterator[str]:
    """Compare the reference with systems that no run of this dataset answers."""
    trained = {name for run in evaluation["runs"] for name in (run, f"{run}_constrained")}
    for name, comparison in evaluation["reference_against"].items():
        difference = comparison["differences"]["exact_match"]["value"]
        p_value = comparison["mcnemar_p"]
        if difference is None or name in trained:
            continue
        p_text = format_p_value(p_value)
        chance = f"p {p_text}" if p_text.startswith("<") else f"p = {p_text}"
        if p_value >= _SIGNIFICANCE:
            yield f"no clear difference from {name} ({chance})"
        else:
            yield f"{abs(difference):.3f} {'better' if difference > 0 else 'worse'} than {name} ({chance})"


_WORDS: Final = {Grade.GOOD: "yes", Grade.FAIR: "mostly", Grade.BAD: "not yet"}
