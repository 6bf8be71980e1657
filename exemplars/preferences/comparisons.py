"""What systems are rated by: the answers in `data/evaluated/predictions.parquet`, and the judgments of people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ids import SPLITS
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.models.preference_log import list_pairs
from exemplars.models.rows import PREDICTION_SCHEMA
from exemplars.preferences.preference_file import read_preferences
from stages.publish.system_ratings import (
    Ratings,
    list_judged_comparisons,
    list_scored_comparisons,
    rate_systems,
)


def rate_by_judgments() -> Ratings:
    """Rate systems by what people said of their answers. Raises `UserError` if a table is damaged."""
    pairs = list_pairs(read_preferences())
    return rate_systems(list_judged_comparisons(pairs, _read_groups("digest")))


def rate_by_scores(path: Path = layout.PREDICTIONS) -> Ratings:
    """Rate systems by which of their answers are right. Raises `UserError` if there are no predictions."""
    columns = ("id", "exemplar_ids", "condition", "system", "kind")
    predictions = read_predictions(path).select(columns).to_pylist()
    return rate_systems(list_scored_comparisons(predictions, _read_groups("id")))


def read_predictions(path: Path = layout.PREDICTIONS) -> Any:
    """Read the answers of systems, as a table. Raises `UserError` if there are none yet."""
    if not path.exists():
        raise UserError(
            [
                Diagnostic(
                    path=str(path),
                    code="no_predictions",
                    found="no such file",
                    expected="the answers of at least two systems",
                    fix="run `dvc repro evaluate`",
                    summary="no system has answered the rows yet",
                )
            ]
        )
    return read_table(path, PREDICTION_SCHEMA)


def _read_groups(column: str) -> dict[str, str]:
    """Read the groups of the rows of all splits, by a column."""
    groups: dict[str, str] = {}
    for path in map(layout.split, SPLITS):
        if path.exists():
            table = read_table(path, EXEMPLAR_SCHEMA, (column, "group"))
            groups.update(zip(table[column].to_pylist(), table["group"].to_pylist(), strict=True))
    return groups
