"""What all alignments have in common: what they are made from, their training, and their manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from exemplars.core import layout
from exemplars.core.digests import hash_content, hash_split
from exemplars.models.base_models import (
    BaseFiles,
    find_base,
    hash_model,
    load_tokenizer,
    save_errors_as_user_errors,
    suppress_peft_warning,
)
from exemplars.models.number_formats import supports_bf16
from exemplars.models.render_manifest import RenderManifest
from exemplars.models.run_manifest import Manifest
from stages.train.alignment.start import Start, find_start
from stages.train.checks import check_base, check_packages
from stages.train.loss_log import open_loss_log
from stages.train.manifest import build_run_id, encode_digests, hash_params
from stages.train.params import Precision, RunParams
from stages.train.precision import PrecisionChoice, choose_precision
from stages.train.recipe_params import AlignedRecipe
from stages.train.recipes import count_parameters
from stages.train.run import SPACE_ADVICE, TrainedRun, describe_training, save_weights

if TYPE_CHECKING:
    from stages.train.fitting import FitResult


class AlignmentPlan(NamedTuple):
    """What a training is made from, before its model is loaded."""

    params: RunParams
    rendered: RenderManifest
    base: BaseFiles
    tokenizer: Any
    start: Start | None
    run: str
    digests: list[str]
    """Of all rows that the model has seen at the end, those of its start included."""
    hashes: dict[str, str]
    checkpoints: Path

    @property
    def dtype(self) -> str:
        """The number format in which the base is loaded."""
        return "bfloat16" if self.params.shared.precision == Precision.BF16 else "float32"


def plan_run(
    params: RunParams,
    recipe: AlignedRecipe,
    rendered: RenderManifest,
    seen: set[str],
    hashes: Mapping[str, str],
    content: Sequence[Any],
    models: Path,
) -> AlignmentPlan:
    """Plan a run. seen: the digests of its rows, without those of its start. hashes: of them, by name.

    content: what it trains on and computes losses of, as `hash_params` takes them. models: the folder of all models.
    Raises `UserError` if the base or the start is missing or unusable.
    """
    check_packages(recipe, params.shared)
    base = find_base(rendered.base)
    check_base(base, rendered)
    start = find_start(recipe, params.recipe, base)
    digests = sorted({*seen, *(() if start is None else start.digests)})
    weights = None if start is None else start.run.weights_sha256
    params_hash = hash_aligned_params(params, base.sha256, weights, content)
    run = build_run_id(params.recipe, digests, params_hash)
    all_hashes = {**hashes, "seen": hash_split(digests)}
    checkpoints = models / ".checkpoints" / run
    return AlignmentPlan(
        params, rendered, base, load_tokenizer(base), start, run, digests, all_hashes, checkpoints
    )


def hash_aligned_params(
    params: RunParams, base_sha256: str, start: str | None, content: Sequence[Any]
) -> str:
    """Hash all that determines an aligned run in addition to its data. start: the hash of the weights it starts from.

    content: two parts, as `hash_params` takes them.
    """
    models = base_sha256 if start is None else hash_content(f"{base_sha256} {start}".encode())
    return hash_params(params, models, *content)


def fit_plan(plan: AlignmentPlan, model: Any, build: Callable[[bool], Any]) -> FitResult:
    """Fit a model by the trainer that `build` makes, in bf16 or not. Raises `UserError` if the disk is full."""
    from stages.train.fitting import fit_trainer

    models = plan.checkpoints.parents[1]
    with (
        open_loss_log(layout.train_plots(plan.params.recipe)) as log,
        save_errors_as_user_errors(models, SPACE_ADVICE),
        suppress_peft_warning(),
    ):
        return fit_trainer(model, build, lambda: _choose_precision(plan.params), plan.checkpoints, log)


def _choose_precision(params: RunParams) -> PrecisionChoice:
    """Choose the number format; on a processor, `auto` is fp32: sums of log-likelihoods are compared."""
    import torch

    return choose_precision(
        params.shared.precision,
        has_gpu=torch.cuda.is_available(),
        is_native=supports_bf16(),
        measure=lambda: None,
    )


def finish_run(
    plan: AlignmentPlan, result: FitResult, model: Any, models: Path, figures: Mapping[str, Any]
) -> TrainedRun:
    """Save the weights of a model, and describe its run. figures: what the recipe reports in addition."""
    folder = save_weights(model, plan.tokenizer, plan.base, models)
    lines, params = encode_digests(plan.digests), plan.params
    manifest = Manifest(
        run=plan.run,
        recipe=params.recipe,
        params=msgspec.to_builtins({"recipe": params.chosen, "shared": params.shared}),
        rows_sha256=hash_content(lines),
        weights_sha256=hash_model(folder),
        seed=params.shared.seed,
        base=plan.rendered.base,
        base_sha256=plan.base.sha256,
        base_license=plan.base.license,
        data_hashes=plan.hashes,
        style=plan.rendered.style,
        start=None if plan.start is None else plan.start.run,
        **describe_training(result),
    )
    return TrainedRun(manifest, folder, lines, count_parameters(model), plan.checkpoints, figures)
