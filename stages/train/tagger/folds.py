"""What taggers that have not seen a train row make of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exemplars.core.terminal import print_errors
from exemplars.models.base_models import BaseFiles, load_tokenizer
from exemplars.models.candidates import list_tagged
from exemplars.models.fold_predictions import FoldPrediction
from exemplars.models.turns import collect_turns
from stages.train.folds import Fold, make_predictions
from stages.train.params import RunParams
from stages.train.recipe_params import Tagger
from stages.train.run import set_seeds
from stages.train.tagger.fitting import fit_network, prepare_data
from stages.train.tagger.rows import TaggerInput


def predict_train_rows(
    folds: Sequence[Fold], params: RunParams, data: TaggerInput, base: BaseFiles, checkpoints: Path
) -> list[FoldPrediction]:
    """Rank the skills and mark the values of all train rows, each by a tagger of the other folds; none without folds.

    Its vocabulary, too, is that of the other folds. base: of the encoder. checkpoints: of the run; each fold has a
    folder in it, so that a killed training is resumed. Raises `UserError` if the disk is full.
    """
    from exemplars.models.tagger.predictor import Settings
    from exemplars.models.tagger.predictor import Tagger as Predictor

    recipe = params.chosen
    assert isinstance(recipe, Tagger)
    predictions: list[FoldPrediction] = []
    for fold in folds:
        print_errors([f"train: fold {fold.number + 1} of {len(folds)}"])
        set_seeds(params.shared.seed)
        part = TaggerInput(data.skills, fold.train, ())
        ready = prepare_data(part, recipe, load_tokenizer(base))
        folder = checkpoints / f"fold-{fold.number}"
        network, _, _ = fit_network(ready, base, params, folder, lambda _step, _losses: None)
        settings = Settings(ready.encoder.vocabulary, recipe.max_tokens, recipe.context_turns)
        tagger = Predictor(network, ready.encoder.tokenizer, settings, data.skills)
        turns = collect_turns(fold.asked)
        questions = [turn.question for turn in turns]
        ranked, answers = tagger.rank_skills(questions), tagger.answer(questions)
        for turn, skills, answer in zip(turns, ranked, answers, strict=True):
            predictions += make_predictions(turn, fold, skills, list_tagged(answer))
    return predictions
