"""The page's tables: headings and cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import pyarrow as pa

from exemplars.core.reports import format_p_value
from exemplars.core.representativeness import Association, Balance, Coverage
from stages.publish.facts import METRICS
from stages.publish.rendering import format_figure

PAGE_METRICS: Final = {**METRICS, "no_call_recall": "recall of no call", "well_formed": "well formed"}
"""The metrics of models that the page shows, with their headings."""
_MAX_ROWS: Final = 400
"""More rows would make the page slow; the Parquet file has them all."""


class Number(NamedTuple):
    """A cell with a number."""

    text: str
    value: float | None
    """The value to sort by; `None` in an empty cell."""


class Table(NamedTuple):
    """A table of the page."""

    id: str
    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str | Number, ...]]
    total: int
    """The number of rows before the table was cut."""
    empty: str
    """The sentence to show if there are no rows."""

    @property
    def numeric(self) -> list[bool]:
        """Whether each column has numbers."""
        return [isinstance(cell, Number) for cell in self.rows[0]] if self.rows else []


def build_split_table(splits: Mapping[str, Mapping[str, Any]]) -> Table:
    """Build the table of splits from their manifest."""
    rows = [
        (name, _count(split["rows"]), _count(split["groups"]), split["data_hash"])
        for name, split in splits.items()
    ]
    headings = ("split", "rows", "groups", "data hash")
    return Table("split-table", "Rows, groups and data hash", headings, rows, len(rows), "No splits.")


def build_coverage_table(coverage: Sequence[Coverage]) -> Table:
    """Build the table of skills, parameters and values with the number of their exemplars."""
    rows = [
        (part.skill, part.parameter, part.value, _count(part.rows), " · ".join(part.examples))
        for part in coverage[:_MAX_ROWS]
    ]
    return Table(
        "coverage-table",
        "Coverage of the catalog, fewest exemplars first",
        ("skill", "parameter", "value", "exemplars", "examples to start from"),
        rows,
        len(coverage),
        "The catalog is empty.",
    )


def build_balance_table(balance: Iterable[Balance]) -> Table:
    """Build the table of how evenly the rows are spread over skills, and over the values of parameters."""
    rows = [
        (part.name, _count(part.classes), _decimal(part.entropy), _decimal(part.ratio)) for part in balance
    ]
    return Table(
        "balance-table",
        "Balance",
        ("distribution", "classes", "entropy (1: even)", "largest / smallest class"),
        rows,
        len(rows),
        "There is nothing to balance.",
    )


def build_review_table(review: pa.Table) -> Table:
    """Build the table of the rows that a person should look at."""
    rows = [
        (
            row["why"].replace("_", " "),
            row["utterance"],
            row["skill"] or "",
            row["suggested"] or "",
            _decimal(row["score"]),
            row["detail"],
            f"{row['path']}:{row['locator']}",
        )
        for row in review.slice(0, _MAX_ROWS).to_pylist()
    ]
    return Table(
        "review-table",
        "Rows to review",
        ("why", "utterance", "skill", "suggested skill", "score", "detail", "file"),
        rows,
        review.num_rows,
        "Nothing to review.",
    )


def build_association_table(associations: Iterable[Association]) -> Table:
    """Build the table of how strongly demographic mentions depend on the skill."""
    rows = [
        (
            association.dimension,
            _count(association.rows),
            _decimal(association.effect),
            Number(format_p_value(association.p_value), association.p_value),
        )
        for association in associations
    ]
    return Table(
        "association-table",
        "Do mentions depend on the skill?",
        ("dimension", "rows", "effect size (Cramér’s V)", "p-value (corrected)"),
        rows,
        len(rows),
        "Nothing was measured.",
    )


def build_personal_data_table(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """Build the table of personal data by kind, from the report of `curate`."""
    labeled, unlabeled = counts["labelled"], counts["unlabelled"]
    rows = [
        (kind, _count(labeled.get(kind, 0)), _count(unlabeled.get(kind, 0)))
        for kind in sorted({*labeled, *unlabeled})
    ]
    return Table(
        "privacy-table",
        "Personal data found",
        ("kind", "within an argument", "outside any argument"),
        rows,
        len(rows),
        "No personal data was found.",
    )


def build_system_table(systems: Mapping[str, Mapping[str, Any]]) -> Table:
    """Build the table of the evaluated systems and their metrics."""
    rows: list[tuple[str | Number, ...]] = [
        (name, *(_figure(metrics[metric]) for metric in PAGE_METRICS)) for name, metrics in systems.items()
    ]
    headings = ("system", *PAGE_METRICS.values())
    return Table("systems-table", "Systems", headings, rows, len(rows), "No system was evaluated.")


def build_comparison_table(reference: str, comparisons: Mapping[str, Mapping[str, Any]]) -> Table:
    """Build the table that compares the reference with each other system."""
    rows = [
        (
            name,
            _figure(comparison["differences"]["exact_match"]),
            Number(format_p_value(comparison["mcnemar_p"]), comparison["mcnemar_p"]),
            comparison["warning"] or "",
        )
        for name, comparison in comparisons.items()
    ]
    return Table(
        "comparison-table",
        f"{reference} compared with each other system",
        ("other system", "difference in exact match", "p-value (McNemar)", "warning"),
        rows,
        len(rows),
        "There is no other system.",
    )


def build_error_table(reference: str, predictions: pa.Table) -> Table:
    """Build the table of the wrong predictions of the reference."""
    wrong = [
        (
            row["kind"].replace("_", " "),
            row["utterance"],
            row["right"],
            row["predicted"],
            row["id"],
            " · ".join(row["nearest"]),
        )
        for row in predictions.to_pylist()
        if row["system"] == reference and row["kind"] != "right"
    ]
    return Table(
        "wrong-table",
        f"Wrong predictions of {reference}",
        ("error", "utterance", "right answer", "prediction", "row", "nearest train rows"),
        wrong[:_MAX_ROWS],
        len(wrong),
        "No prediction is wrong.",
    )


def _count(number: int) -> Number:
    return Number(f"{number:,}", number)


def _decimal(number: float | None) -> Number:
    return Number("" if number is None else f"{number:.2f}", number)


def _figure(figure: Mapping[str, Any]) -> Number:
    return Number(format_figure(figure), figure["value"])
