"""What the stage renders: the splits with their speech views, and the catalog."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from exemplars.core import layout
from exemplars.core.code_version import check_run_dependency
from exemplars.core.files import read_file
from exemplars.core.ids import SPLITS, SplitName
from exemplars.core.records import Exemplar
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.recognizers import read_recognizers, select_recognizers
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.models.fold_predictions import read_fold_predictions
from exemplars.models.prompt_style import CandidateSource, ToolSource
from exemplars.models.run_manifest import RETRIEVER, TAGGER, WEIGHTS
from stages.render.params import RenderParams
from stages.render.turn_models import NO_MODELS, TurnModels, check_folds


def read_splits() -> dict[SplitName, list[Exemplar]]:
    """Read the rows of each split, followed by their speech views."""
    views = exemplars_from_table(read_table(layout.split_speech(), EXEMPLAR_SCHEMA))
    return {
        name: [
            *exemplars_from_table(read_table(layout.split(name), EXEMPLAR_SCHEMA)),
            *(view for view in views if view.split == name),
        ]
        for name in SPLITS
    }


def read_preferences() -> bytes:
    """Read the preferences; none if there is no such file. Raises `UserError` if it is no file, or too large."""
    return read_file(layout.RAW_PREFERENCES) if os.path.lexists(layout.RAW_PREFERENCES) else b""


def read_models(params: RenderParams, train: Sequence[Exemplar]) -> TurnModels:
    """Load the models and recognizers that `render.tools_from` and `render.candidates` name.

    train: the rows of the train split. Raises `UserError` if DVC does not depend on a model, if one is missing,
    damaged, or made for a different catalog, or if its predictions for train rows are about other rows.
    """
    models = NO_MODELS
    if params.tools_from is ToolSource.RETRIEVER:
        folder = _check_model(RETRIEVER)
        from exemplars.models.retriever.retriever import load_retriever  # Imports torch.

        folds = read_fold_predictions(folder / WEIGHTS)
        check_folds(RETRIEVER, folds, train)
        retriever = load_retriever(folder, list(read_skills().values()))
        models = models._replace(retriever=retriever, retriever_folds=folds)
    if params.tools_from is ToolSource.TAGGER or params.candidates is CandidateSource.TAGGER:
        folder = _check_model(TAGGER)
        from exemplars.models.tagger.predictor import load_tagger  # Imports torch.

        folds = read_fold_predictions(folder / WEIGHTS)
        check_folds(TAGGER, folds, train)
        tagger = load_tagger(folder, list(read_skills().values()))
        models = models._replace(tagger=tagger, tagger_folds=folds)
    if params.candidates is CandidateSource.RECOGNIZER:
        lexicon = read_recognizers(layout.LEXICON).recognizers
        models = models._replace(recognizers=select_recognizers(lexicon, read_skills().values()))
    return models


def _check_model(recipe: str) -> Path:
    """Return the folder of a run. Raises `UserError` if DVC does not depend on it."""
    folder = layout.model(recipe)
    check_run_dependency("render", str(folder))
    return folder


def read_skills() -> dict[str, Skill]:
    """Read the catalog, by the names of the skills."""
    return {skill.name: skill for skill in read_catalog(layout.CATALOG)}
