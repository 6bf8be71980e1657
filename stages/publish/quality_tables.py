"""The page's tables about quality: losses, expectations, figures, and rows to review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from exemplars.core.records import Reason
from exemplars.core.remedies import REMEDIES, Where
from exemplars.core.reports import format_share
from stages.publish.cells import (
    MAX_ROWS,
    Cell,
    Grade,
    Link,
    Number,
    State,
    Table,
    bar_cells,
    count_cell,
)
from stages.publish.facts import ReleaseFindings
from stages.publish.flow import RejectionSummary, StageFlow
from stages.publish.tasks import rejection_anchor

_WHERE: Final = {
    Where.SOURCE: ("correct a source", Grade.FAIR),
    Where.PARAMETERS: ("change a parameter", Grade.FAIR),
    Where.NOWHERE: ("nothing to do", Grade.UNKNOWN),
}
"""Where to repair a rejected record, in words, and how good that is."""


def build_flow_table(flows: Sequence[StageFlow]) -> Table:
    """Build the table of what each stage gets, keeps and rejects."""
    rows: list[tuple[Cell, ...]] = [
        (
            flow.stage,
            count_cell(flow.records),
            *(count_cell(flow.rejected[where]) for where in _WHERE),
            count_cell(flow.kept),
        )
        for flow in flows
    ]
    headings = ("stage", "records in", *(f"lost: {text}" for text, _ in _WHERE.values()), "kept")
    return Table("flow-table", "Records by stage", headings, rows, "No stages.")


def build_loss_table(rejections: Sequence[RejectionSummary]) -> Table:
    """Build the table of why records were rejected."""
    bars = bar_cells([rejection.records for rejection in rejections])
    rows = [
        (
            Link(rejection.reason.replace("_", " "), f"#{rejection_anchor(rejection)}"),
            bar,
            rejection.stage,
            State(*_WHERE[rejection.where]),
            rejection.action,
        )
        for rejection, bar in zip(rejections, bars, strict=True)
    ]
    headings = ("reason", "records", "stage", "where to repair", "what to do")
    note = "Good: none to repair."
    return Table("loss-table", "Why records were lost", headings, rows, "No record was rejected.", note)


def build_rendering_table(rendering: Mapping[str, Any]) -> Table:
    """Build the table of the exemplars of each split that no prompt was rendered from, by reason."""
    losses = [
        (split, reason, count)
        for split, report in rendering["splits"].items()
        for reason, count in report["rejections_by_reason"].items()
    ]
    bars = bar_cells([count for _, _, count in losses])
    rows = [
        (
            reason.replace("_", " "),
            bar,
            split,
            State(*_WHERE[REMEDIES[Reason(reason)].where]),
            REMEDIES[Reason(reason)].action,
        )
        for (split, reason, _), bar in zip(losses, bars, strict=True)
    ]
    headings = ("reason", "rows", "split", "where to repair", "what to do")
    note = "Kept exemplars that no model is trained or evaluated on. Good: only those that you left out."
    return Table(
        "rendering-table", "Why exemplars were not rendered", headings, rows, "All were rendered.", note
    )


def build_expectation_table(results: Sequence[Mapping[str, Any]]) -> Table:
    """Build the table of expectations: bound, what was found, and the margin between them."""
    rows = [
        (
            result["expectation"],
            _state_of(result),
            _figure_cell(result, "bound"),
            _figure_cell(result, "found"),
            _figure_cell(result, "margin"),
            result["key"] or "",
        )
        for result in sorted(results, key=lambda result: (result["passed"], result["key"] is None))
    ]
    return Table(
        "expectation-table",
        "Expectations",
        ("expectation", "state", "bound", "found", "margin", "parameter"),
        rows,
        "No expectation was checked.",
        "Good: a margin of 0 or more. Where no parameter sets the bound, found counts the rows that break it.",
    )


def build_figure_table(findings: ReleaseFindings) -> Table:
    """Build the table of figures that have no bound, with what is good."""
    rows: list[tuple[Cell, ...]] = [
        ("contradicting rows", count_cell(findings.conflicts), "0: equal texts mean the same"),
        *(
            (f"texts with the flag {flag.replace('_', ' ')}", count_cell(count), "0: see the rows to review")
            for flag, count in findings.quality_flags.items()
        ),
        (
            "rows with a near duplicate",
            count_cell(findings.near_duplicate_rows),
            "any number: they are always in the same split",
        ),
        (
            "rows removed from train or validation as leaked",
            count_cell(findings.leaked),
            "0: their texts are in a split that is held out",
        ),
    ]
    return Table("figure-table", "Other figures", ("figure", "found", "good"), rows, "No figures.")


def build_review_table(review: pa.Table) -> Table:
    """Build the table of the rows that a person should look at."""
    rows = [
        (
            row["utterance"],
            row["why"].replace("_", " "),
            row["skill"] or "(none)",
            f"skill {row['suggested']}?" if row["suggested"] else row["detail"].replace("_", " "),
            f"{row['path']}:{row['locator']}",
        )
        for row in review.slice(0, MAX_ROWS).to_pylist()
    ]
    return Table(
        "review-table",
        "Rows to review",
        ("utterance", "why", "labeled", "finding", "file and line"),
        rows,
        "Nothing to review.",
        "Good: none. Correct the label or the text in its file; what is right may stay.",
        review.num_rows,
    )


def describe_bound(result: Mapping[str, Any]) -> str:
    """Describe the bound of an expectation that a parameter sets, and what was found.

    >>> figures = {"key": "validate.max_share", "bound": 0.1, "found": 0.0166, "unit": "share"}
    >>> describe_bound(figures)
    'Bound: at most 10 % (validate.max_share); found: 1.7 %.'
    """
    side = "at least" if ".min_" in result["key"] else "at most"
    bound, found = _figure_cell(result, "bound").text, _figure_cell(result, "found").text
    return f"Bound: {side} {bound} ({result['key']}); found: {found}."


def _state_of(result: Mapping[str, Any]) -> State:
    if result["passed"]:
        return State("met", Grade.GOOD)
    return State("broken", Grade.BAD) if result["severity"] == "critical" else State("warning", Grade.FAIR)


def _figure_cell(result: Mapping[str, Any], name: str) -> Number:
    value = result[name]
    if value is None:
        return Number("none", None)
    if result["unit"] in ("count", "rows"):
        return Number(f"{value:,.0f}", value)
    return Number(format_share(value) if result["unit"] == "share" else f"{value:.3f}", value)
