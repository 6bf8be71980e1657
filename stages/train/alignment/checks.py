"""Checks of preferences and prompts before alignment begins; each raises `UserError`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.params import PATH
from stages.train.recipe_params import Kto, PreferenceRecipe, Rloo

if TYPE_CHECKING:
    from exemplars.models.rows import TrainingRow
    from stages.train.alignment.inputs import PreferenceTokens

HOW_TO_START: Final = "make some by `exemplars preferences mine` or `exemplars judge`, then run `dvc repro`"


def check_preferences(rows: Sequence[PreferenceTokens], recipe: PreferenceRecipe, name: str) -> None:
    """Raise `UserError` if there is nothing to learn from: no pair, or for `kto` answers of one kind only."""
    path = layout.preferences("train")
    if isinstance(recipe, Kto):
        good, bad = any(row.chosen_ids for row in rows), any(row.rejected_ids for row in rows)
        if good and bad:
            return
        found = "no answer" if not good and not bad else f"no {'good' if bad else 'bad'} answer"
        expected = f"good and bad answers for the recipe {name}"
    elif any(row.is_pair for row in rows):
        return
    else:
        found, expected = "no pair of answers", f"at least one for the recipe {name}"
    raise UserError(
        [Diagnostic(path=str(path), code="no_preferences", found=found, expected=expected, fix=HOW_TO_START)]
    )


def check_answers(recipe: Rloo, name: str) -> None:
    """Raise `UserError` if a step has no whole number of prompts."""
    if recipe.batch_rows % recipe.answers:
        found = f"batch_rows: {recipe.batch_rows}, with {recipe.answers} answers for each prompt"
        place, expected = f"{PATH}: train.recipes.{name}", f"a multiple of {recipe.answers}"
        raise UserError([_describe(place, "invalid_value", found, expected, "correct one of the two")])


def check_sample(rows: Sequence[TrainingRow], recipe: Rloo, name: str) -> None:
    """Raise `UserError` if there are fewer prompts than one step needs."""
    needed = recipe.batch_rows // recipe.answers
    if len(rows) < needed:
        found = f"{len(rows)} prompt(s) of the view call"
        expected = f"at least {needed}, which are those of a step of {name}"
        fix = "add rows, or lower batch_rows of the recipe"
        raise UserError([_describe(str(layout.training("train")), "empty_split", found, expected, fix)])


def _describe(path: str, code: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(path=path, code=code, found=found, expected=expected, fix=fix)
