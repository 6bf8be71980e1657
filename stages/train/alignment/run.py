"""A run of the recipes `dpo`, `kto`, `reward` and `rloo`: from preferences or rewards to adapters and a manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exemplars.core import layout
from exemplars.core.bootstrap import round_figure
from exemplars.core.digests import hash_split, hash_to_fraction
from exemplars.models.base_models import (
    load_model,
)
from exemplars.models.reward_model import load_scorer, read_reward_manifest
from exemplars.models.rows import TrainingRow
from stages.train.alignment.checks import check_answers, check_preferences, check_sample
from stages.train.alignment.examples import build_labels, build_pairs, build_scored_pairs
from stages.train.alignment.inputs import PreferenceInput, PreferenceTokens, RewardInput
from stages.train.alignment.plan import AlignmentPlan, finish_run, fit_plan, plan_run
from stages.train.alignment.start import load_policy
from stages.train.params import RunParams
from stages.train.processes import is_main_process
from stages.train.recipe_params import Kto, PreferenceRecipe, Reward, RewardKind, Rloo
from stages.train.recipes import prepare_model
from stages.train.run import TrainedRun, set_seeds

if TYPE_CHECKING:
    from stages.train.alignment.rewards import Rewarder
    from stages.train.fitting import FitResult

_SALT = "alignment"
"""Of samples."""


def train_on_preferences(params: RunParams, data: PreferenceInput, models: Path) -> TrainedRun | None:
    """Train by preferences, or resume a killed training of the same run. models: the folder of all models.

    Returns `None` in all but the main process, if several train together. Raises `UserError` if the base, the start or
    the data is missing or unusable, or if the disk is full.
    """
    recipe = params.chosen
    assert isinstance(recipe, PreferenceRecipe)
    validation = select_validation(data.validation, params.shared.validation_rows)
    check_preferences(data.train, recipe, params.recipe)
    seen = {digest for row in data.train for digest in row.seen}
    hashes = {
        "preferences": hash_split(row.digest for row in data.train),
        "preferences_validation": hash_split(row.digest for row in data.validation),
    }
    plan = plan_run(params, recipe, data.rendered, seen, hashes, (data.train, validation), models)
    set_seeds(params.shared.seed)
    model = _load_preference_model(plan, recipe)
    pairs = [row for row in validation if row.is_pair]
    before = _measure_pairs(model, pairs, recipe)
    result = _fit_preferences(plan, model, recipe, data.train, validation)
    if not is_main_process():
        return None
    trained = _drop_start(result.model)
    figures = {
        "preferences": len(data.train),
        "pairs": _describe_pairs(before, _measure_pairs(trained, pairs, recipe), pairs),
    }
    return finish_run(plan, result, trained, models, figures)


def train_on_rewards(params: RunParams, data: RewardInput, models: Path) -> TrainedRun | None:
    """Train by the rewards of sampled answers, or resume a killed training of the same run.

    models, returns, raises: as `train_on_preferences`; also if the model of rewards is missing.
    """
    recipe = params.chosen
    assert isinstance(recipe, Rloo)
    check_answers(recipe, params.recipe)
    rows = sample_prompts(data.rows, recipe.prompts)
    check_sample(rows, recipe, params.recipe)
    seen = {digest for row in rows for digest in row.digests}
    hashes = {"sample": hash_split(seen)}
    content = (list_sampled_content(rows), hash_reward_run(recipe, Path()))
    plan = plan_run(params, recipe, data.rendered, seen, hashes, content, models)
    set_seeds(params.shared.seed)
    model = load_policy(load_model(plan.base, dtype=plan.dtype), recipe, plan.start)
    rewarders = _make_rewarders(plan, recipe, data, model)
    result = _fit_rewards(plan, model, recipe, rows, rewarders)
    if not is_main_process():
        return None
    return finish_run(plan, result, _drop_start(result.model), models, {"prompts": len(rows)})


def select_validation(rows: Sequence[PreferenceTokens], limit: int) -> list[PreferenceTokens]:
    """Select the first preferences by stable hash. limit: of their number."""
    return sorted(rows, key=lambda row: (hash_to_fraction(row.digest, _SALT), row.id))[:limit]


def sample_prompts(rows: Sequence[TrainingRow], limit: int) -> list[TrainingRow]:
    """Sample the first rows by stable hash. limit: of their number."""
    return sorted(rows, key=lambda row: (hash_to_fraction(row.id, _SALT), row.id))[:limit]


def list_sampled_content(rows: Sequence[TrainingRow]) -> list[Any]:
    """List what of the sampled rows a run depends on."""
    return [(row.id, row.input_ids, row.prompt_tokens, row.calls) for row in rows]


def hash_reward_run(recipe: Rloo, root: Path) -> str | None:
    """Return the hash of the weights of the model of rewards; `None` if it is not asked. root: of the project.

    Raises `UserError` if there is no such model.
    """
    if RewardKind.LEARNED not in recipe.rewards:
        return None
    return read_reward_manifest(root / layout.model(recipe.reward_run)).weights_sha256


def _load_preference_model(plan: AlignmentPlan, recipe: PreferenceRecipe) -> Any:
    from stages.train.training import find_pad_token

    options = {"dtype": plan.dtype}
    if isinstance(recipe, Reward):
        scorer = load_scorer(plan.base, find_pad_token(plan.tokenizer), **options)
        return prepare_model(scorer, recipe.adapters, scores=True)
    return load_policy(load_model(plan.base, **options), recipe, plan.start)


def _fit_preferences(
    plan: AlignmentPlan,
    model: Any,
    recipe: PreferenceRecipe,
    train: Sequence[PreferenceTokens],
    validation: Sequence[PreferenceTokens],
) -> FitResult:
    from stages.train.alignment.trainers import Examples, build_preference_trainer

    build_examples = _choose_builder(recipe)
    examples = Examples(*(build_examples(rows, recipe.batch_rows) for rows in (train, validation)))
    return fit_plan(
        plan,
        model,
        lambda has_bf16: build_preference_trainer(
            model, plan.tokenizer, examples, recipe, plan.params.shared, has_bf16, plan.checkpoints
        ),
    )


def _choose_builder(
    recipe: PreferenceRecipe,
) -> Callable[[Sequence[PreferenceTokens], int], list[dict[str, Any]]]:
    if isinstance(recipe, Kto):
        return build_labels
    return build_scored_pairs if isinstance(recipe, Reward) else build_pairs


def _fit_rewards(
    plan: AlignmentPlan,
    model: Any,
    recipe: Rloo,
    rows: Sequence[TrainingRow],
    rewarders: Mapping[str, tuple[Rewarder, float]],
) -> FitResult:
    from stages.train.alignment.trainers import build_answer_trainer

    return fit_plan(
        plan,
        model,
        lambda has_bf16: build_answer_trainer(
            model, plan.tokenizer, rows, rewarders, recipe, plan.params.shared, has_bf16, plan.checkpoints
        ),
    )


def _make_rewarders(
    plan: AlignmentPlan, recipe: Rloo, data: RewardInput, model: Any
) -> dict[str, tuple[Rewarder, float]]:
    """Make the functions that reward answers, each with its weight. Raises `UserError` if a model is missing."""
    from functools import partial

    from stages.train.alignment.learned_reward import make_learned_reward
    from stages.train.alignment.rewards import RULES, make_judge

    judge = make_judge(data.rows, data.skills, plan.rendered.call_format, model, plan.tokenizer)
    rewarders: dict[str, tuple[Rewarder, float]] = {}
    for kind, weight in recipe.rewards.items():
        if kind is RewardKind.LEARNED:
            rewarder = make_learned_reward(layout.model(recipe.reward_run), plan.tokenizer)
        else:
            rewarder = partial(RULES[kind], judge)
        rewarders[kind.value] = (rewarder, weight)
    return rewarders


def _drop_start(model: Any) -> Any:
    from stages.train.alignment.trainers import drop_start

    return drop_start(model)


def _measure_pairs(model: Any, pairs: Sequence[PreferenceTokens], recipe: PreferenceRecipe) -> list[float]:
    from stages.train.alignment.margins import measure_margins

    examples = [
        {
            "prompt_ids": list(row.prompt_ids),
            "chosen_ids": list(row.chosen_ids),
            "rejected_ids": list(row.rejected_ids),
        }
        for row in pairs
    ]
    return measure_margins(model, examples, is_scorer=isinstance(recipe, Reward))


def _describe_pairs(
    before: Sequence[float], after: Sequence[float], pairs: Sequence[PreferenceTokens]
) -> dict[str, Any]:
    """Describe how often the chosen side of validation pairs is preferred, before and after the training."""
    from stages.train.alignment.margins import compute_pair_accuracy

    groups = [row.group for row in pairs]
    return {
        "validation": len(pairs),
        "accuracy_before": round_figure(compute_pair_accuracy(before, groups)),
        "accuracy": round_figure(compute_pair_accuracy(after, groups)),
    }
