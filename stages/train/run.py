"""A run from its rows to its weights and manifest."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from stages.core.base_models import (
    BaseFiles,
    context_tokens,
    find_base,
    load_model,
    load_tokenizer,
    model_hash,
    told_of_full_disk,
)
from stages.core.digests import content_digest, data_hash
from stages.core.errors import Diagnostic, UserError
from stages.core.files import write_bytes, write_json
from stages.core.rendered import Rendered
from stages.core.runs import ROWS, WEIGHTS, Manifest
from stages.train.live import first_process, live_log
from stages.train.manifest import code_revision, hardware, packages, params_hash, rows_file, run_id
from stages.train.params import (
    Batching,
    Continued,
    Precision,
    PromptTuning,
    Recipe,
    Shared,
    Tracker,
    TrainParams,
)
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
    rendered: Rendered,
    tables: Mapping[str, pa.Table],
    texts: Mapping[str, str],
    models: Path,
) -> Trained | None:
    """Train by the chosen recipe, or go on where a killed training of the same run stopped.

    texts: what `continued` trains on, by name. models: the folder of all models.
    Null on processes beside the first, where several train together. Raises `UserError`.
    """
    recipe, shared = params.chosen, batched_for(params.chosen, params.shared)
    _check_packages(recipe, shared)
    base = find_base(rendered.base)
    _check_base(base, rendered)
    tokenizer = load_tokenizer(base)
    rows, watched, digests, hashes = _data(recipe, tables, texts, tokenizer, base)
    _check_rows(rows, params.recipe)
    run = run_id(params.recipe, digests, params_hash(params, base.sha256, rows, watched))
    seeded(shared.seed)
    model = prepared(base_model(base, recipe, shared), recipe)
    from stages.train.training import fit

    checkpoints = models / ".checkpoints" / run
    with live_log(Path("reports/train")) as log, told_of_full_disk(models, _GO_ON):
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
        rows_sha256=content_digest(lines),
        base=rendered.base,
        base_sha256=base.sha256,
        base_license=base.license,
        weights_sha256=model_hash(folder),
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
        _check_block(recipe, base)
        seen = [content_digest(text.encode()) for text in texts.values()]
        return text_rows(texts, tokenizer, recipe.block_tokens), [], seen, {"text": data_hash(seen)}
    digests = {name: sorted(set(table.column("digest").to_pylist())) for name, table in tables.items()}
    hashes = {name: data_hash(found) for name, found in digests.items()}
    watched = sorted(chat_rows(tables["validation"]), key=lambda row: content_digest(repr(row).encode()))
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
            with told_of_full_disk(Path(name), _GO_ON):
                load_model(base, dtype=torch.float32).save_pretrained(name)
            whole = base._replace(folder=name, arguments={})
        try:
            model = load_model(whole, quantization_config=how, dtype=dtype)
        except (ImportError, RuntimeError) as error:
            raise UserError([_no_backend(str(error).splitlines()[0])]) from None
    return prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)


def _check_packages(recipe: Recipe, shared: Shared) -> None:
    missing = []
    if needs_quantized_base(recipe) and find_spec("bitsandbytes") is None:
        missing.append(_no_backend("no package bitsandbytes"))
    if shared.tracker != Tracker.NONE and find_spec(shared.tracker.value) is None:
        missing.append(
            Diagnostic(
                path="params.yaml",
                code="no_tracker",
                found=f"no package {shared.tracker.value}",
                expected="the package of train.shared.tracker",
                fix=f"pip install {shared.tracker.value}, or set tracker to none",
            )
        )
    if missing:
        raise UserError(missing)


def _no_backend(found: str) -> Diagnostic:
    return Diagnostic(
        path="train.recipe",
        code="no_quantization",
        found=found,
        expected="bitsandbytes with a backend for this machine",
        fix="choose the recipe lora, or install bitsandbytes for this machine",
    )


def _check_base(base: BaseFiles, rendered: Rendered) -> None:
    """A base in a folder can have changed since `render`, which DVC does not see."""
    if base.sha256 != rendered.sha256:
        raise UserError(
            [
                Diagnostic(
                    path=base.name,
                    code="base_model",
                    found=f"SHA-256 {base.sha256[:16]}…",
                    expected=f"{rendered.sha256[:16]}…, for which the rows were rendered",
                    fix="run `dvc repro --force --single-item render`, then `dvc repro`",
                )
            ]
        )


def _check_block(recipe: Continued, base: BaseFiles) -> None:
    longest = context_tokens(base)
    if longest is not None and recipe.block_tokens > longest:
        raise UserError(
            [
                Diagnostic(
                    path="params.yaml",
                    code="invalid_value",
                    found=f"block_tokens: {recipe.block_tokens}, for a model that reads {longest} tokens",
                    expected=f"at most {longest}",
                    fix="correct the recipe",
                )
            ]
        )


def _check_rows(rows: list[Row], recipe: str) -> None:
    if not rows:
        raise UserError(
            [
                Diagnostic(
                    path="data/training/train.parquet",
                    code="empty_split",
                    found="no row to train on",
                    expected=f"at least one row for the recipe {recipe}",
                    fix="see reports/split.json and reports/render.json for where the rows went",
                )
            ]
        )


def _save(model: Any, tokenizer: Any, base: BaseFiles, folder: Path) -> None:
    for config in getattr(model, "peft_config", {}).values():
        config.base_model_name_or_path = base.name  # No path of this machine.
        for name, value in vars(config).items():
            if isinstance(value, set):  # Whose order is another one in each process.
                setattr(config, name, sorted(value))
    # No recipe trains embeddings; asked to find out by itself, peft looks the name up at the hub.
    known = {"save_embedding_layers": False} if hasattr(model, "peft_config") else {}
    try:
        with told_of_full_disk(folder.parent, _GO_ON):
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
