"""The trainer of each recipe, with what it reads."""

from __future__ import annotations

from pathlib import Path

from stages.train.alignment.inputs import read_preference_input, read_reward_input
from stages.train.alignment.run import train_on_preferences, train_on_rewards
from stages.train.inputs import read_chat_input
from stages.train.lsr.run import train_lsr
from stages.train.params import RunParams
from stages.train.recipe_params import Dpo, Kto, Lsr, Retriever, Reward, Rloo, Tagger
from stages.train.retriever.inputs import read_retriever_input
from stages.train.retriever.run import train_retriever
from stages.train.run import TrainedRun, train_run
from stages.train.tagger.inputs import read_tagger_input
from stages.train.tagger.run import train_tagger


def train_recipe(params: RunParams, models: Path) -> TrainedRun | None:
    """Read what a recipe needs, and train by it. models: the folder of all models.

    Returns `None` in all but the main process, if several train together. Raises `UserError` if a file is missing or
    damaged, or for what the trainer of the recipe raises it.
    """
    match params.chosen:
        case Tagger():
            return train_tagger(params, read_tagger_input(), models)
        case Retriever():
            return train_retriever(params, read_retriever_input(), models)
        case Lsr():
            return train_lsr(params, read_retriever_input(), models)
        case Dpo() | Kto() | Reward():
            return train_on_preferences(params, read_preference_input(), models)
        case Rloo():
            return train_on_rewards(params, read_reward_input(), models)
        case recipe:
            return train_run(params, *read_chat_input(recipe), models)
