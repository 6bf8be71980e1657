"""A run from its rows to its weights and manifest."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from exemplars.core.digests import hash_content, hash_split
from exemplars.core.errors import UserError
from exemplars.core.files import write_bytes, write_json
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
from stages.train.checks import check_base, check_block, check_packages, check_rows, no_backend
from stages.train.live import live_log
from stages.train.manifest import code_revision, hardware, packages, params_hash, rows_file, run_id
from stages.train.params import (
    Batching,
    Continued,
    Precision,
    PromptTuning,
    Recipe,
    Shared,
    TrainParams,
)
from stages.train.processes import first_process
from stages.train.recipes import Trainable, needs_quantized_base, prepared, trainable
from stages.train.rows import Row, chat_rows, text_rows

_GO_ON: Final = "free some space, then run `dvc repro train`: it goes on from its last checkpoint"


class Trained(NamedTuple):
    """A run whose weights stand in a folder that is not yet the model's."""

    manifest: Manifest
    folder: Path
    digests: bytes
    parameters: Trainable
    checkpoints: Path


def train_run(
    params: TrainParams,
    rendered: RenderManifest,
    tables: Mapping[str, pa.Table],
    texts: Mapping[str, str],
    models: Path,
) -> Trained | None:
    """Train by the chosen recipe, or go on where a killed training of the same run stopped.

    texts: what `continued` trains on, by name. models: the folder of all models.
    Null on processes beside the first, where several train together. Raises `UserError`.
    """
    recipe, shared = params.chosen, batched_for(params.chosen, params.shared)
    check_packages(recipe, shared)
    base = find_base(rendered.base)
    check_base(base, rendered)
    tokenizer = load_tokenizer(base)
    rows, watched, digests, hashes = _data(recipe, tables, texts, tokenizer, base)
    check_rows(rows, params.recipe)
    run = run_id(params.recipe, digests, params_hash(params, base.sha256, rows, watched))
    seeded(shared.seed)
    model = prepared(base_model(base, recipe, shared), recipe)
    from stages.train.training import fit

    checkpoints = models / ".checkpoints" / run
    with live_log(Path("reports/train")) as log, save_errors_as_user_errors(models, _GO_ON):
        done = fit(model, tokenizer, rows, watched, shared, recipe.learning_rate, checkpoints, log)
    if not first_process():
        return None
    folder = Path(tempfile.mkdtemp(prefix=".partial-", dir=_made(models)))
    _save(done.model, tokenizer, base, folder)
    lines = rows_file(digests)
    manifest = Manifest(
        run=run,
        recipe=params.recipe,
        params=msgspec.to_builtins({"recipe": recipe, "shared": shared}),
        data_hashes=hashes,
        rows_sha256=hash_content(lines),
        base=rendered.base,
        base_sha256=base.sha256,
        base_license=base.license,
        weights_sha256=hash_model(folder),
        code=code_revision(Path()),
        packages=packages(),
        hardware=hardware(),
        seed=shared.seed,
        seconds=round(done.seconds, 1),
        tokens=done.tokens,
        steps=done.steps,
        resumed_from=done.resumed_from,
        losses={name: round(value, 6) for name, value in done.losses.items()},
    )
    return Trained(manifest, folder, lines, trainable(done.model), checkpoints)


def keep_run(trained: Trained, folder: Path, report: Path) -> None:
    """Put a run's weights, manifest and row digests into the model's folder; drop its checkpoints."""
    weights = _made(folder) / WEIGHTS
    if weights.exists():
        shutil.rmtree(weights)
    trained.folder.chmod(0o755)
    trained.folder.rename(weights)
    write_bytes(folder / ROWS, trained.digests)
    write_json(folder / "manifest.json", msgspec.to_builtins(trained.manifest))
    write_json(report, train_report(trained))
    shutil.rmtree(trained.checkpoints, ignore_errors=True)


def train_report(trained: Trained) -> dict[str, Any]:
    """`reports/train.json`: the stage in numbers, without clock and machine."""
    one = trained.manifest
    return {
        "run": one.run,
        "losses": {name: round(value, 4) for name, value in one.losses.items()},
        "steps": one.steps,
        "tokens": one.tokens,
        "parameters": trained.parameters.all,
        "trained_parameters": trained.parameters.trained,
    }


def batched_for(recipe: Recipe, shared: Shared) -> Shared:
    """How a recipe is batched: soft prompts stand in front of each row, which must stand alone for it."""
    if isinstance(recipe, PromptTuning) and shared.batching in (Batching.SHARED_PREFIX, Batching.PACKING):
        return msgspec.structs.replace(shared, batching=Batching.GROUP_BY_LENGTH)
    return shared


def seeded(seed: int) -> None:
    """Set all random states, and ask for operations whose result does not depend on their order."""
    import torch
    from transformers import set_seed

    set_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)


def _data(
    recipe: Recipe,
    tables: Mapping[str, pa.Table],
    texts: Mapping[str, str],
    tokenizer: Any,
    base: BaseFiles,
) -> tuple[list[Row], list[Row], list[str], dict[str, str]]:
    """Rows, watched rows, the digests of what is seen, and the data hash of each split."""
    if isinstance(recipe, Continued):
        check_block(recipe, base)
        seen = [hash_content(text.encode()) for text in texts.values()]
        return text_rows(texts, tokenizer, recipe.block_tokens), [], seen, {"text": hash_split(seen)}
    digests = {name: sorted(set(table.column("digest").to_pylist())) for name, table in tables.items()}
    hashes = {name: hash_split(found) for name, found in digests.items()}
    watched = sorted(chat_rows(tables["validation"]), key=lambda row: hash_content(repr(row).encode()))
    return chat_rows(tables["train"]), watched, digests["train"], hashes


def base_model(base: BaseFiles, recipe: Recipe, shared: Shared) -> Any:
    """The base as a recipe trains it, in 4 bits where it says so. Raises `UserError`."""
    import torch

    dtype = torch.bfloat16 if shared.precision == Precision.BF16 else torch.float32
    if not needs_quantized_base(recipe):
        return load_model(base, dtype=dtype)
    from peft import prepare_model_for_kbit_training
    from transformers import BitsAndBytesConfig

    how = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)
    with tempfile.TemporaryDirectory() as name:
        whole = base
        if "gguf_file" in base.arguments:  # Which transformers would not quantize anew.
            with save_errors_as_user_errors(Path(name), _GO_ON):
                load_model(base, dtype=torch.float32).save_pretrained(name)
            whole = base._replace(folder=name, arguments={})
        try:
            model = load_model(whole, quantization_config=how, dtype=dtype)
        except (ImportError, RuntimeError) as error:
            raise UserError([no_backend(str(error).splitlines()[0])]) from None
    return prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)


def _save(model: Any, tokenizer: Any, base: BaseFiles, folder: Path) -> None:
    for config in getattr(model, "peft_config", {}).values():
        config.base_model_name_or_path = base.name  # No path of this machine.
        for name, value in vars(config).items():
            if isinstance(value, set):  # Whose order is another one in each process.
                setattr(config, name, sorted(value))
    # No recipe trains embeddings; asked to find out by itself, peft looks the name up at the hub.
    known = {"save_embedding_layers": False} if hasattr(model, "peft_config") else {}
    try:
        with save_errors_as_user_errors(folder.parent, _GO_ON):
            model.save_pretrained(str(folder), **known)
            if not known:
                tokenizer.save_pretrained(str(folder))
    except UserError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    (folder / "README.md").unlink(missing_ok=True)  # peft's empty card.


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
