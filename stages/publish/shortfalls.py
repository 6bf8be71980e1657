"""What a release does not have yet: the numbers that the verdict and the list of tasks are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import pyarrow as pa

from exemplars.core.records import Reason
from exemplars.core.reports import NO_SKILL
from exemplars.core.representativeness import Coverage
from stages.publish.facts import ReleaseFacts
from stages.publish.flow import RejectionSummary
from stages.publish.inputs import PublishInputs
from stages.publish.params import CoverageGoals

_TEST_ROWS_KEY: Final = "validate.min_test_rows"


class CoverageGap(NamedTuple):
    """What the parts of one kind (skills, parameters, values) do not have."""

    parts: int
    """The number of all parts of this kind."""
    thin: int
    """The number of parts with fewer exemplars than the goal."""
    missing: int
    """The number of exemplars that would bring all of them to the goal."""


class Shortfalls(NamedTuple):
    """What a release does not have yet."""

    gaps: dict[str, CoverageGap]
    """By `skills`, `parameters` and `values`."""
    empty_skills: tuple[str, ...]
    """Skills without an exemplar."""
    untrained_skills: tuple[str, ...]
    """Skills with exemplars, and with none of them in the train split."""
    train_rows: int
    test_rows: int
    min_test_rows: int
    failed: tuple[Mapping[str, Any], ...]
    """The expectations that are not met, as `validate` reports them."""
    repairable: tuple[RejectionSummary, ...]
    """Rejections that a change to a source or a parameter would avoid."""
    review: dict[str, int]
    """Rows to review, by why."""
    unsampled: int
    """Train rows that `render.max_rows` leaves out."""
    undescribed: tuple[str, ...]
    """Sources without a statement of the publisher."""


def find_shortfalls(facts: ReleaseFacts, inputs: PublishInputs) -> Shortfalls:
    """Find what a release does not have yet."""
    rows = {split.name: split.rows for split in facts.splits}
    trained = next((split.skills for split in facts.splits if split.name == "train"), {})
    results = inputs.reports["validate"]["results"]
    bounds = {result["key"]: result["bound"] for result in results}
    return Shortfalls(
        gaps=measure_gaps(inputs.representativeness.coverage, inputs.goals),
        empty_skills=tuple(
            part.skill
            for part in inputs.representativeness.coverage
            if name_kind(part) == "skills" and not part.rows
        ),
        untrained_skills=tuple(sorted(set(facts.skills) - set(trained) - {NO_SKILL})),
        train_rows=rows.get("train", 0),
        test_rows=rows.get("test", 0),
        min_test_rows=int(bounds.get(_TEST_ROWS_KEY) or 0),
        failed=tuple(result for result in results if not result["passed"]),
        repairable=tuple(rejection for rejection in facts.rejections if rejection.repairable),
        review=_count_reviews(inputs.review),
        unsampled=_count_unsampled(inputs.rendering),
        undescribed=tuple(source.name for source in facts.sources if source.statement is None),
    )


def measure_gaps(coverage: Iterable[Coverage], goals: CoverageGoals) -> dict[str, CoverageGap]:
    """Measure how far skills, parameters and values are from their goals."""
    missing: dict[str, list[int]] = {"skills": [], "parameters": [], "values": []}
    for part in coverage:
        missing[name_kind(part)].append(count_missing(part, goals))
    return {
        kind: CoverageGap(len(numbers), sum(number > 0 for number in numbers), sum(numbers))
        for kind, numbers in missing.items()
    }


def count_missing(part: Coverage, goals: CoverageGoals) -> int:
    """Count the exemplars that a part of the catalog does not have yet."""
    goal = goals.min_rows_a_parameter if part.parameter else goals.min_rows_a_skill
    return max(goal - part.rows, 0)


def name_kind(part: Coverage) -> str:
    """Name the kind of a part of the catalog: `skills`, `parameters` or `values`."""
    return "values" if part.value else "parameters" if part.parameter else "skills"


def _count_reviews(review: pa.Table) -> dict[str, int]:
    counts: dict[str, int] = {}
    for why in review.column("why").to_pylist():
        counts[why] = counts.get(why, 0) + 1
    return counts


def _count_unsampled(rendering: Mapping[str, Any] | None) -> int:
    splits = rendering["splits"] if rendering else {}
    return int(splits.get("train", {}).get("rejections_by_reason", {}).get(Reason.NOT_DRAWN, 0))
