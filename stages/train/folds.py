"""Folds of train rows: the model of a fold is trained on all others, and then says what it makes of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.records import Exemplar
from exemplars.dataset.folds import number_folds
from exemplars.models.candidates import SaidValue
from exemplars.models.fold_predictions import FoldPrediction
from exemplars.models.turns import TurnRows


class Fold(NamedTuple):
    """A part of the train rows."""

    number: int
    """From 0."""
    train: list[Exemplar]
    """What its model is trained on: the rows of all other folds."""
    asked: list[Exemplar]
    """Its own rows."""


def divide_rows(rows: Sequence[Exemplar], folds: int | None, recipe: str) -> list[Fold]:
    """Divide train rows into folds; no group is torn apart. `None`: no fold.

    recipe: its name, for messages. Raises `UserError` if a fold would be empty, or leave nothing to be trained on.
    """
    if folds is None:
        return []
    numbers = number_folds((row.group for row in rows), folds)
    divided = [
        Fold(
            number,
            [row for row in rows if numbers[row.group] != number],
            [row for row in rows if numbers[row.group] == number],
        )
        for number in range(folds)
    ]
    if any(not fold.asked or not any(row.skill for row in fold.train) for fold in divided):
        found = f"folds: {folds}, for train rows of {len(numbers):,} groups"
        problem = Diagnostic(
            path=f"params.yaml: train.recipes.{recipe}",
            code="too_many_folds",
            found=found,
            expected="rows in each fold, and rows with a call in all others together",
            fix="lower folds, or leave it out",
        )
        raise UserError([problem])
    return divided


def make_predictions(
    turn: TurnRows, fold: Fold, skills: Sequence[str], said: Iterable[SaidValue] = ()
) -> Iterator[FoldPrediction]:
    """Make the prediction for each row of a turn. skills: the best first. said: the values that a tagger marks."""
    shown = tuple(said)
    for row in turn.rows:
        yield FoldPrediction(row.id, row.digest, row.group, fold.number, tuple(skills), shown)


def describe_folds(predictions: Sequence[FoldPrediction], rows: Iterable[Exemplar]) -> dict[str, Any]:
    """Describe how well the models of the folds rank the skills of train rows, for the report; empty without folds."""
    if not predictions:
        return {}
    ranked = {prediction.id: prediction.skills for prediction in predictions}
    called = [row for row in rows if row.skill is not None]
    hits = {
        f"hit_at_{count}": round(sum(row.skill in ranked[row.id][:count] for row in called) / len(called), 4)
        for count in (1, 3)
    }
    return {
        "folds": {
            "count": 1 + max(prediction.fold for prediction in predictions),
            "rows": len(called),
            **hits,
        }
    }
