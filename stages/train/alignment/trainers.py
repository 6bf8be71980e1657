"""TRL's trainers of preferences and rewards, on rows that `render` has tokenized and proved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from datasets import Dataset
from trl import (
    DPOConfig,
    DPOTrainer,
    KTOConfig,
    KTOTrainer,
    RewardConfig,
    RewardTrainer,
    RLOOConfig,
    RLOOTrainer,
)

from exemplars.models.chat_templates import find_end_of_turn
from exemplars.models.decoding import Completion
from exemplars.models.rows import TrainingRow
from stages.train.alignment.rewards import Rewarder
from stages.train.alignment.tree_forward import compute_logprobs_in_trees, compute_scores_in_trees
from stages.train.fitting import QuietTrainer, build_common_arguments, use_one_gpu
from stages.train.params import Batching, Shared
from stages.train.recipe_params import AlignedRecipe, Dpo, Kto, PreferenceRecipe, Reward, Rloo

START: Final = "ref"
"""The name that TRL gives the copy of the adapters that training started from."""


class _TokenizedTrainer(QuietTrainer):
    """A trainer whose examples have tokens already, which TRL would make by its own rules."""

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset


class PairTrainer(_TokenizedTrainer, DPOTrainer):  # type: ignore[misc]
    """`DPOTrainer` of tokens."""


class LabelTrainer(_TokenizedTrainer, KTOTrainer):  # type: ignore[misc]
    """`KTOTrainer` of tokens."""


class ScoreTrainer(_TokenizedTrainer, RewardTrainer):  # type: ignore[misc]
    """`RewardTrainer` of tokens."""


class AnswerTrainer(QuietTrainer, RLOOTrainer):  # type: ignore[misc]
    """`RLOOTrainer` of rows with tokens; its examples name a row in `prompt`."""

    rows: Mapping[str, TrainingRow]
    """By id."""

    def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
        rows = (self.rows[prompt] for prompt in prompts)
        return [list(row.input_ids[: row.prompt_tokens]) for row in rows], None, {}


class Examples(NamedTuple):
    """What a trainer trains on, and what it computes the loss of at the end."""

    train: Sequence[dict[str, Any]]
    validation: Sequence[dict[str, Any]]


def build_preference_trainer(
    model: Any,
    tokenizer: Any,
    examples: Examples,
    recipe: PreferenceRecipe,
    shared: Shared,
    has_bf16: bool,
    folder: Path,
) -> Any:
    """Build the trainer of a recipe. model: with adapters, which alone are trained. folder: of the checkpoints."""
    kind, arguments = _choose_trainer(recipe)
    settings = build_common_arguments(
        shared, has_bf16=has_bf16, learning_rate=recipe.learning_rate, folder=folder
    )
    config = kind(
        **settings,
        **arguments,
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_rows,
        per_device_eval_batch_size=recipe.batch_rows,
        train_sampling_strategy="sequential",  # Batches are made of rows that begin alike.
        activation_checkpointing=False,
        max_length=None,
        include_num_input_tokens_seen="non_padding",
    )
    trainer = _TRAINERS[kind](
        model=model,
        args=use_one_gpu(config),
        train_dataset=Dataset.from_list(list(examples.train)),
        eval_dataset=Dataset.from_list(list(examples.validation)) if examples.validation else None,
        processing_class=tokenizer,
    )
    _share_prefixes(trainer, recipe, shared)
    return trainer


def build_answer_trainer(
    model: Any,
    tokenizer: Any,
    rows: Sequence[TrainingRow],
    rewarders: Mapping[str, tuple[Rewarder, float]],
    recipe: Rloo,
    shared: Shared,
    has_bf16: bool,
    folder: Path,
) -> AnswerTrainer:
    """Build the trainer of `rloo`. rewarders: by name, each with its weight."""
    end = find_end_of_turn(tokenizer)
    model.generation_config.eos_token_id = end
    by_id = {row.id: row for row in rows}
    config = RLOOConfig(
        **build_common_arguments(
            shared, has_bf16=has_bf16, learning_rate=recipe.learning_rate, folder=folder
        ),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_rows,
        num_generations=recipe.answers,
        max_completion_length=recipe.max_new_tokens,
        temperature=recipe.temperature,
        beta=recipe.beta,
        reward_weights=[weight for _, weight in rewarders.values()],
        activation_checkpointing=False,
    )
    trainer = AnswerTrainer(
        model=model,
        reward_funcs=[
            _make_reward(name, rewarder, by_id, tokenizer, end) for name, (rewarder, _) in rewarders.items()
        ],
        args=use_one_gpu(config),
        train_dataset=Dataset.from_list([{"prompt": row.id} for row in rows]),
        processing_class=tokenizer,
    )
    trainer.rows = by_id
    _share_prefixes(trainer, recipe, shared)
    return trainer


def drop_start(model: Any) -> Any:
    """Remove the copy of the adapters that training started from."""
    if START in model.peft_config:
        model.delete_adapter(START)
    return model


_TRAINERS: Final[Mapping[Any, Any]] = {
    DPOConfig: PairTrainer,
    KTOConfig: LabelTrainer,
    RewardConfig: ScoreTrainer,
}


def _choose_trainer(recipe: PreferenceRecipe) -> tuple[Any, dict[str, Any]]:
    """Choose the configuration of a trainer, and what only it has."""
    match recipe:
        case Dpo():
            losses, weights = [recipe.loss.value], [1.0]
            if recipe.chosen_weight:
                losses, weights = [*losses, "sft"], [*weights, recipe.chosen_weight]
            return DPOConfig, {"beta": recipe.beta, "loss_type": losses, "loss_weights": weights}
        case Kto():
            return KTOConfig, {
                "beta": recipe.beta,
                "desirable_weight": recipe.good_weight,
                "undesirable_weight": recipe.bad_weight,
            }
        case Reward():
            return RewardConfig, {"center_rewards_coefficient": recipe.center or None}


def _share_prefixes(trainer: Any, recipe: AlignedRecipe, shared: Shared) -> None:
    """Have the model of a trainer compute common prefixes once, if `train.shared.batching` says so."""
    if shared.batching != Batching.SHARED_PREFIX:
        return
    base = trainer.accelerator.unwrap_model(trainer.model).get_base_model()
    if isinstance(recipe, Reward):
        compute_scores_in_trees(base)
    else:
        compute_logprobs_in_trees(base, recipe.temperature if isinstance(recipe, Rloo) else 1.0)


def _make_reward(
    name: str, rewarder: Rewarder, rows: Mapping[str, TrainingRow], tokenizer: Any, end: int
) -> Callable[..., list[float]]:
    """Make a function of rewards as TRL calls it."""

    def reward(prompts: list[str], completion_ids: list[list[int]], **_: Any) -> list[float]:
        answers = [_decode_answer(tokenizer, ids, end) for ids in completion_ids]
        return rewarder([rows[prompt] for prompt in prompts], answers)

    reward.__name__ = name
    return reward


def _decode_answer(tokenizer: Any, ids: Sequence[int], end: int) -> Completion:
    ended = end in ids
    kept = list(ids[: ids.index(end)]) if ended else list(ids)
    return Completion(str(tokenizer.decode(kept, skip_special_tokens=False)), ended)
