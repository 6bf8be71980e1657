"""What to do next about a release: a short list, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import pyarrow as pa

from stages.publish.flow import RejectionSummary
from stages.publish.shortfalls import Shortfalls

MAX_TASKS: Final = 10
_MAX_ALIKE: Final = 3
"""How many tasks of a kind are listed."""
_MAX_NAMES: Final = 3
_KEYS_OF_COVERAGE: Final = ("validate.min_rows_a_skill", "validate.min_test_rows")
"""The bounds of expectations that tasks of coverage name with what is missing."""
_WIDE: Final = 0.1
"""Width of an interval from which more test rows would say more."""


class Task(NamedTuple):
    """Something to do."""

    text: str
    href: str
    """Where the page has the details."""
    command: str | None = None
    """A command that helps."""


def list_tasks(
    shortfalls: Shortfalls, evaluation: Mapping[str, Any] | None, predictions: pa.Table
) -> list[Task]:
    """List what to do, the most urgent first: at most `MAX_TASKS` tasks.

    evaluation: the report of `evaluate`; `None` if no model was evaluated. predictions: of its systems.
    """
    tasks = [
        *_list_data_tasks(shortfalls),
        *_list_coverage_tasks(shortfalls),
        *_list_review_tasks(shortfalls.review),
        *_list_model_tasks(shortfalls, evaluation, predictions),
    ]
    if shortfalls.undescribed:
        names = join_names(shortfalls.undescribed)
        noun = "source" if len(shortfalls.undescribed) == 1 else "sources"
        tasks.append(Task(f"Describe the {noun} {names}: publish.sources in params.yaml.", "#documents"))
    return tasks[:MAX_TASKS]


def join_names(names: Iterable[str]) -> str:
    """Join names with commas; after the first few, say how many there are in addition.

    >>> join_names(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    known = list(names)
    rest = len(known) - _MAX_NAMES
    return ", ".join(known[:_MAX_NAMES]) + (f" and {rest:,} more" if rest > 0 else "")


def rejection_anchor(rejection: RejectionSummary) -> str:
    """Name the element of the page with the examples of a rejection."""
    return f"rejection-{rejection.stage}-{rejection.reason}"


def _list_data_tasks(shortfalls: Shortfalls) -> Iterator[Task]:
    failed = [result for result in shortfalls.failed if result["key"] not in _KEYS_OF_COVERAGE]
    for result in failed[:_MAX_ALIKE]:
        yield Task(f"Expectation not met: {result['message']}.", "#expectation-table")
    for why, text in (
        ("conflict", "Settle {n} with the same text and different labels."),
        ("personal_data", "Label or replace the personal data in {n}."),
    ):
        if count := shortfalls.review.get(why):
            yield Task(text.format(n=_count(count, "row")), "#review")
    for rejection in shortfalls.repairable[:_MAX_ALIKE]:
        reason = rejection.reason.replace("_", " ")
        yield Task(
            f"Repair {_count(rejection.records, 'record')}: {reason}; {rejection.action}.",
            f"#{rejection_anchor(rejection)}",
            f"exemplars rejections --reason {rejection.reason}",
        )


def _list_coverage_tasks(shortfalls: Shortfalls) -> Iterator[Task]:
    if names := shortfalls.empty_skills:
        yield Task(f"Write the first exemplars of {join_names(names)}.", "#coverage")
    if names := shortfalls.untrained_skills:
        yield Task(
            f"Write training rows for {join_names(names)}: only held-out splits have them.", "#skills-table"
        )
    gaps = shortfalls.gaps
    thin = [_count(gap.thin, kind.removesuffix("s")) for kind, gap in gaps.items() if gap.thin]
    if thin:
        missing = sum(gap.missing for gap in gaps.values())
        yield Task(f"Write up to {_count(missing, 'exemplar')} for {' and '.join(thin)}.", "#coverage")
    if shortfalls.test_rows < shortfalls.min_test_rows:
        missing = shortfalls.min_test_rows - shortfalls.test_rows
        yield Task(f"Add {_count(missing, 'row')} to the test split.", "#split-table")


def _list_review_tasks(review: Mapping[str, int]) -> Iterator[Task]:
    if count := review.get("label_noise"):
        yield Task(
            f"Check the skill of {_count(count, 'row')}: they read like those of a different skill.",
            "#review",
        )
    if count := review.get("quality"):
        yield Task(f"Read {_count(count, 'text')} with a quality flag.", "#review")


def _list_model_tasks(
    shortfalls: Shortfalls, evaluation: Mapping[str, Any] | None, predictions: pa.Table
) -> Iterator[Task]:
    if evaluation is None:
        yield Task("Train and evaluate a model.", "#models", "dvc repro evaluate")
        return
    reference = evaluation["reference"]
    if shortfalls.unsampled:
        count = _count(shortfalls.unsampled, "exemplar")
        text = f"Train on all rows: render.max_rows leaves out {count} of the train split."
        yield Task(text, "#rendering-table", "exemplars rejections --reason not_drawn")
    columns = (predictions.column(name).to_pylist() for name in ("system", "kind", "exemplar_ids"))
    answered = [(kind, ids) for system, kind, ids in zip(*columns, strict=True) if system == reference]
    wrong = [kind for kind, _ in answered if kind != "right"]
    if wrong:
        frequent = max(sorted(set(wrong)), key=wrong.count)
        text = f"Read {_count(len(wrong), 'wrong answer')} of {reference}; most often {frequent.replace('_', ' ')}."
        yield Task(text, "#wrong-table")
    figure = evaluation["systems"][reference]["exact_match"]
    evaluated = {exemplar_id for _, ids in answered for exemplar_id in ids}
    if figure["high"] - figure["low"] > _WIDE and 0 < len(evaluated) < shortfalls.test_rows:
        text = f"Evaluate more of the {shortfalls.test_rows:,} test rows (evaluate.max_rows): the interval is wide."
        yield Task(text, "#models")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
