"""A run from its rows to its weights and manifest."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from exemplars.core import layout
from exemplars.core.digests import hash_content, hash_split
from exemplars.core.errors import UserError
from exemplars.core.files import read_umask, write_bytes, write_json, write_report
from exemplars.core.folders import move_folder
from exemplars.models.base_models import (
    BaseFiles,
    find_base,
    hash_model,
    load_model,
    load_tokenizer,
    save_errors_as_user_errors,
)
from exemplars.models.render_manifest import RenderManifest
from exemplars.models.run_manifest import ROWS, WEIGHTS, Manifest
from stages.train.checks import check_base, check_block, check_packages, check_rows
from stages.train.loss_log import open_loss_log
from stages.train.manifest import (
    build_run_id,
    describe_run,
    encode_digests,
    hash_params,
)
from stages.train.params import Batching, Precision, RunParams, Shared
from stages.train.processes import is_main_process
from stages.train.quantization import load_quantized_base
from stages.train.recipe_params import Continued, PromptTuning, Recipe
from stages.train.recipes import ParameterCounts, count_parameters, has_quantized_base, prepare_model
from stages.train.report import build_train_metrics, build_train_report
from stages.train.rows import PromptRow, TokenRow, build_chat_rows, build_text_rows, sort_by_hash

if TYPE_CHECKING:
    from stages.train.fitting import FitResult

SPACE_ADVICE: Final = "free some space, then run `dvc repro train`: it resumes from its last checkpoint"


class TrainingData(NamedTuple):
    """What a run is trained on."""

    rows: list[TokenRow]
    validation: list[TokenRow]
    """Sorted by hash: the loss is computed on the first of them."""
    digests: list[str]
    """Of the rows that are trained on."""
    hashes: dict[str, str]
    """The data hash of each split."""


class TrainedRun(NamedTuple):
    """A run whose weights are still in a temporary folder."""

    manifest: Manifest
    folder: Path
    digests: bytes
    """The content of `rows.txt`."""
    parameters: ParameterCounts
    checkpoints: Path
    figures: Mapping[str, Any] = {}
    """What the recipe reports in addition."""


def train_run(
    params: RunParams,
    rendered: RenderManifest,
    splits: Mapping[str, Sequence[PromptRow]],
    texts: Mapping[str, str],
    models: Path,
) -> TrainedRun | None:
    """Train by the chosen recipe, or resume a killed training of the same run.

    splits: the chat rows of `train` and `validation`. texts: what `continued` trains on, by name. models:
    the folder of all models. Returns `None` in all but the main process, if several train together.
    Raises `UserError` if a package, the base or the data is missing or unusable, or the disk is full.
    """
    recipe, shared = params.chosen, adjust_batching(params.chosen, params.shared)
    check_packages(recipe, shared)
    base = find_base(rendered.base)
    check_base(base, rendered)
    tokenizer = load_tokenizer(base)
    data = _build_data(recipe, splits, texts, tokenizer, base)
    check_rows(data.rows, params.recipe)
    params_hash = hash_params(params, base.sha256, data.rows, data.validation)
    run = build_run_id(params.recipe, data.digests, params_hash)
    checkpoints = models / ".checkpoints" / run
    result = _fit_recipe(msgspec.structs.replace(params, shared=shared), base, tokenizer, data, checkpoints)
    if not is_main_process():
        return None
    folder = save_weights(result.model, tokenizer, base, models)
    lines = encode_digests(data.digests)
    manifest = Manifest(
        run=run,
        recipe=params.recipe,
        params=msgspec.to_builtins({"recipe": recipe, "shared": shared}),
        rows_sha256=hash_content(lines),
        weights_sha256=hash_model(folder),
        seed=shared.seed,
        **_describe_inputs(rendered, base, data),
        **describe_training(result),
    )
    return TrainedRun(manifest, folder, lines, count_parameters(result.model), checkpoints)


def _fit_recipe(
    params: RunParams, base: BaseFiles, tokenizer: Any, data: TrainingData, checkpoints: Path
) -> FitResult:
    """Load the base, add what the recipe adds, and train it. Raises `UserError` if the disk is full."""
    from stages.train.training import fit

    recipe, shared = params.chosen, params.shared
    set_seeds(shared.seed)
    model = prepare_model(load_base(base, recipe, shared), recipe)
    models = checkpoints.parents[1]
    with (
        open_loss_log(layout.train_plots(params.recipe)) as log,
        save_errors_as_user_errors(models, SPACE_ADVICE),
    ):
        return fit(
            model, tokenizer, data.rows, data.validation, shared, recipe.learning_rate, checkpoints, log
        )


def _describe_inputs(rendered: RenderManifest, base: BaseFiles, data: TrainingData) -> dict[str, Any]:
    """Describe what a run was made from: fields of a `Manifest`."""
    return {
        "base": rendered.base,
        "base_sha256": base.sha256,
        "base_license": base.license,
        "data_hashes": data.hashes,
        "style": rendered.style,
    }


def describe_training(result: FitResult) -> dict[str, Any]:
    """Describe what a training did, and with which code and machine: fields of a `Manifest`."""
    return {
        **describe_run(),
        "seconds": round(result.seconds, 1),
        "tokens": result.tokens,
        "steps": result.steps,
        "resumed_from": result.resumed_from,
        "losses": {name: round(value, 6) for name, value in result.losses.items()},
        "precision": msgspec.to_builtins(result.precision),
    }


def keep_run(trained: TrainedRun, folder: Path) -> None:
    """Put a run's weights, manifest and row digests into the model's folder, write its report and metrics.

    Its checkpoints are deleted.
    """
    weights = folder / WEIGHTS
    folder.mkdir(parents=True, exist_ok=True)
    trained.folder.chmod(0o777 & ~read_umask())
    move_folder(trained.folder, weights)
    write_bytes(folder / ROWS, trained.digests)
    write_json(folder / "manifest.json", msgspec.to_builtins(trained.manifest))
    report = build_train_report(trained)
    write_report(f"train/{trained.manifest.recipe}", report, build_train_metrics(report))
    shutil.rmtree(trained.checkpoints, ignore_errors=True)


def adjust_batching(recipe: Recipe, shared: Shared) -> Shared:
    """Adjust the batching to a recipe.

    Prompt tuning prepends virtual tokens to every row, so that rows can be neither packed nor share a prefix.
    """
    if isinstance(recipe, PromptTuning) and shared.batching in (Batching.SHARED_PREFIX, Batching.PACKING):
        return msgspec.structs.replace(shared, batching=Batching.GROUP_BY_LENGTH)
    return shared


def set_seeds(seed: int) -> None:
    """Set all random states, and require operations whose result does not depend on their order."""
    import torch
    from transformers import set_seed

    set_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    # It would also fill all new memory with NaN, for code that reads it before it writes: 9 % of a step on a CPU.
    torch.utils.deterministic.fill_uninitialized_memory = False


def load_base(base: BaseFiles, recipe: Recipe, shared: Shared) -> Any:
    """Load the base as a recipe trains it, in 4 bits if it says so. Raises `UserError`."""
    import torch

    dtype = torch.bfloat16 if shared.precision == Precision.BF16 else torch.float32
    if has_quantized_base(recipe):
        return load_quantized_base(base, dtype)
    return load_model(base, dtype=dtype)


def _build_data(
    recipe: Recipe,
    splits: Mapping[str, Sequence[PromptRow]],
    texts: Mapping[str, str],
    tokenizer: Any,
    base: BaseFiles,
) -> TrainingData:
    if isinstance(recipe, Continued):
        check_block(recipe, base)
        text_digests = [hash_content(text.encode()) for text in texts.values()]
        rows = build_text_rows(texts, tokenizer, recipe.block_tokens)
        return TrainingData(rows, [], text_digests, {"text": hash_split(text_digests)})
    digests = {
        name: sorted({digest for prompt in prompts for digest in prompt.digests})
        for name, prompts in splits.items()
    }
    return TrainingData(
        rows=build_chat_rows(splits["train"]),
        validation=sort_by_hash(build_chat_rows(splits["validation"])),
        digests=digests["train"],
        hashes={name: hash_split(split_digests) for name, split_digests in digests.items()},
    )


def save_weights(model: Any, tokenizer: Any, base: BaseFiles, models: Path) -> Path:
    """Save adapters, or a whole model with its tokenizer, in a temporary folder.

    Raises `UserError` if the disk is full; then nothing is left.
    """
    models.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".partial-", dir=models))
    for config in getattr(model, "peft_config", {}).values():
        config.base_model_name_or_path = base.name  # No path of this machine.
        for name, value in vars(config).items():
            if isinstance(value, set):  # The order of a set differs between processes.
                setattr(config, name, sorted(value))
    # No recipe trains embeddings; without this argument, peft looks the base up at the hub to find out.
    options = {"save_embedding_layers": False} if hasattr(model, "peft_config") else {}
    try:
        with save_errors_as_user_errors(models, SPACE_ADVICE):
            model.save_pretrained(str(folder), **options)
            if not options:
                tokenizer.save_pretrained(str(folder))
    except UserError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    (folder / "README.md").unlink(missing_ok=True)  # peft's empty card.
    return folder
