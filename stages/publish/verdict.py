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
    """Judge whether there are enough exemplars of everything."""
    bad = [
        (len(shortfalls.empty_skills), "skill without any exemplar", "skills without any exemplar"),
        (int(not shortfalls.train_rows), "no row to train on", ""),
        (int(not shortfalls.test_rows), "no row to test on", ""),
    ]
    gaps = shortfalls.gaps
    fair = [
        (
            len(shortfalls.untrained_skills),
            "skill that train does not have",
            "skills that train does not have",
        ),
        (gaps["skills"].thin, "thin skill", "thin skills"),
        (gaps["parameters"].thin, "thin parameter", "thin parameters"),
        (gaps["values"].thin, "thin value", "thin values"),
    ]
    reasons = [*_phrase(bad), *_phrase(fair)]
    if 0 < shortfalls.test_rows < shortfalls.min_test_rows:
        noun = "row" if shortfalls.test_rows == 1 else "rows"
        reasons.append(f"{shortfalls.test_rows} test {noun} of {shortfalls.min_test_rows} wanted")
    grade = Grade.BAD if list(_phrase(bad)) else Grade.FAIR if reasons else Grade.GOOD
    skills = gaps["skills"].parts
    enough = f"{rows:,} exemplars of {skills:,} skill{'' if skills == 1 else 's'}"
    return Answer("enough", "Is it enough?", grade, _WORDS[grade], (*reasons, enough), "coverage")


def judge_cleanness(shortfalls: Shortfalls) -> Answer:
    """Judge whether the dataset keeps its contract, and whether its rows are right."""
    review = shortfalls.review
    bad = [
        (len(shortfalls.failed), "expectation not met", "expectations not met"),
        (review.get("conflict", 0), "contradicting row", "contradicting rows"),
    ]
    repairable = sum(rejection.records for rejection in shortfalls.repairable)
    to_review = sum(review.values()) - review.get("conflict", 0)
    fair = [
        (repairable, "record to repair", "records to repair"),
        (to_review, "row to review", "rows to review"),
    ]
    reasons = [*_phrase(bad), *_phrase(fair)]
    grade = Grade.BAD if list(_phrase(bad)) else Grade.FAIR if reasons else Grade.GOOD
    return Answer(
        "clean",
        "Is it clean?",
        grade,
        _WORDS[grade],
        tuple(reasons or ["nothing to repair or review"]),
        "checks",
    )


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


def _phrase(counts: Sequence[tuple[int, str, str]]) -> Iterator[str]:
    """Phrase the counts that are not zero. counts: with the words for one, and for several."""
    for count, single, several in counts:
        if count:
            yield single if not several else f"{count:,} {single if count == 1 else several}"


def _compare_with_baselines(evaluation: Mapping[str, Any]) -> Iterator[str]:
    for name, comparison in evaluation["reference_against"].items():
        difference = comparison["differences"]["exact_match"]["value"]
        p_value = comparison["mcnemar_p"]
        if difference is None or name.startswith("tuned"):
            continue
        p_text = format_p_value(p_value)
        chance = f"p {p_text}" if p_text.startswith("<") else f"p = {p_text}"
        if p_value >= _SIGNIFICANCE:
            yield f"no clear difference from {name} ({chance})"
        else:
            yield f"{abs(difference):.3f} {'better' if difference > 0 else 'worse'} than {name} ({chance})"


_WORDS: Final = {Grade.GOOD: "yes", Grade.FAIR: "mostly", Grade.BAD: "no"}
