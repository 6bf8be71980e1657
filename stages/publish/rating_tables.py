"""The page's tables of ratings: which system is better, by comparisons of answers to the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import pyarrow as pa

from exemplars.core.bootstrap import Figure
from exemplars.models.preference_rows import PreferencePair
from stages.publish.cells import Cell, Number, Table, count_cell
from stages.publish.system_ratings import (
    Ratings,
    list_judged_comparisons,
    list_scored_comparisons,
    rate_systems,
)

_NOTE: Final = (
    "400 points are odds of 10 to 1, and 1,000 is the mean. In parentheses: 95 % intervals; systems whose intervals "
    "overlap may not differ."
)
_COLUMNS: Final = ("id", "exemplar_ids", "condition", "system", "kind")


def build_score_rating_table(predictions: pa.Table, groups: Mapping[str, str]) -> Table:
    """Build the table of ratings by right and wrong answers. groups: of rows, by id."""
    comparisons = list_scored_comparisons(predictions.select(_COLUMNS).to_pylist(), groups)
    ratings = rate_systems(comparisons, with_elo=False)
    title = "Ratings: a right answer beats a wrong one"
    return _build_table("score-rating-table", title, ratings, "No two systems answered the same rows.")


def build_judge_rating_table(preferences: Iterable[PreferencePair], groups: Mapping[str, str]) -> Table:
    """Build the table of ratings by what people said. groups: of rows, by digest."""
    ratings = rate_systems(list_judged_comparisons(preferences, groups))
    empty = "Nobody has compared answers: exemplars judge shows them side by side."
    return _build_table("judge-rating-table", "Ratings by people who compared answers", ratings, empty)


def _build_table(table_id: str, title: str, ratings: Ratings, empty: str) -> Table:
    has_elo = any(rating.elo is not None for rating in ratings.systems)
    rows: list[tuple[Cell, ...]] = [
        (
            rating.system,
            _rating_cell(rating.bradley_terry),
            *([_rating_cell(rating.elo)] if has_elo else []),
            count_cell(rating.wins),
            count_cell(rating.losses),
            count_cell(rating.ties),
        )
        for rating in ratings.systems
    ]
    headings = ("system", "Bradley-Terry", *(["Elo"] if has_elo else []), "won", "lost", "tied")
    notes = [_NOTE, *(f"Warning: {warning}." for warning in ratings.warnings)]
    return Table(table_id, title, headings, rows, empty, " ".join(notes))


def _rating_cell(figure: Figure | None) -> Number:
    if figure is None or figure.value is None:
        return Number("", None)
    return Number(f"{figure.value:,.0f} ({figure.low:,.0f} to {figure.high:,.0f})", figure.value)
