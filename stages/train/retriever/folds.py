"""How retrievers that have not seen a train row rank the skills for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exemplars.core.terminal import print_errors
from exemplars.models.base_models import BaseFiles
from exemplars.models.fold_predictions import FoldPrediction
from exemplars.models.turns import collect_turns
from stages.train.folds import Fold, make_predictions
from stages.train.params import RunParams
from stages.train.recipe_params import Retriever
from stages.train.retriever.fitting import RetrieverData, fit_index_encoder, index_rows, make_settings
from stages.train.retriever.inputs import RetrieverInput
from stages.train.run import set_seeds


def predict_train_rows(
    folds: Sequence[Fold],
    params: RunParams,
    data: RetrieverInput,
    ready: RetrieverData,
    base: BaseFiles,
    checkpoints: Path,
) -> list[FoldPrediction]:
    """Rank the skills for all train rows, each by a retriever that was trained on the other folds; none without folds.

    All rows but those of the group are in its index, as they are for a test row. ready: the rows that can be learned.
    base: of the encoder. checkpoints: of the run; each fold has a folder in it, so that a killed training is resumed.
    Raises `UserError` if the disk is full.
    """
    from exemplars.models.retriever.encoder import load_sentence_encoder

    assert isinstance(params.chosen, Retriever)
    predictions: list[FoldPrediction] = []
    for fold in folds:
        print_errors([f"train: fold {fold.number + 1} of {len(folds)}"])
        seen = {row.id for row in fold.train}
        part = RetrieverData([row for row in ready.train if row.id in seen], [])
        set_seeds(params.shared.seed)
        encoder, settings = load_sentence_encoder(base), make_settings(params.chosen)
        before = index_rows(encoder, settings, part, data)
        folder = checkpoints / f"fold-{fold.number}"
        fit_index_encoder(before, part, data.skills, params, folder, lambda _step, _losses: None)
        retriever = index_rows(encoder, settings, ready, data)
        turns = collect_turns(fold.asked)
        ranked = retriever.rank_skills(
            [turn.question for turn in turns], excluded=[{turn.first.group} for turn in turns]
        )
        for turn, skills in zip(turns, ranked, strict=True):
            predictions += make_predictions(turn, fold, [skill.name for skill in skills])
    return predictions
