"""What models that were trained on other folds say about train rows.

A model that has seen a row ranks its skill first and marks its values as it never does for a new question. Where such
answers go into a prompt, those for train rows have to come from a model that has not seen the row, nor any row of its
group, so that prompts of train and of test look alike (stacking, Wolpert 1992).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from exemplars.core.schemas import derive_schema
from exemplars.core.tables import read_table, rows_from_table, rows_to_table, write_table
from exemplars.models.candidates import SaidValue

FOLDS: Final = "folds.parquet"
"""The file of the predictions, in the folder of a run's weights; only a recipe with `folds` writes it."""


class FoldPrediction(msgspec.Struct, frozen=True):
    """What the model of a fold says about a train row, all rows of whose fold it has not seen."""

    id: str
    """Of the row."""
    digest: str
    group: str
    fold: int
    """From 0."""
    skills: tuple[str, ...]
    """All skills of the catalog, the best first."""
    said: tuple[SaidValue, ...] = ()
    """The values that a tagger marks; a retriever marks none."""


def write_fold_predictions(weights: Path, predictions: Sequence[FoldPrediction]) -> None:
    """Write predictions into the folder of a run's weights, sorted by id."""
    rows = sorted(predictions, key=lambda prediction: prediction.id)
    write_table(weights / FOLDS, rows_to_table(rows, FoldPrediction))


def read_fold_predictions(weights: Path) -> Mapping[str, FoldPrediction]:
    """Read the predictions in the folder of a run's weights, by the id of the row; none if there is no such file.

    Raises `UserError` if the file is damaged.
    """
    path = weights / FOLDS
    if not path.is_file():
        return {}
    rows = rows_from_table(read_table(path, derive_schema(FoldPrediction)), FoldPrediction)
    return {row.id: row for row in rows}
