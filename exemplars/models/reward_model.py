"""Models of rewards: a language model whose last hidden state is mapped to a score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exemplars.core.errors import Diagnostic, UserError
from exemplars.models.base_models import BaseFiles, find_base, hash_model, load_model, suppress_peft_warning
from exemplars.models.run_manifest import REWARD, WEIGHTS, Manifest, read_manifest


def load_scorer(files: BaseFiles, pad_token: int, **options: Any) -> Any:
    """Load a base model with a new, untrained map to one score in place of its vocabulary.

    pad_token: marks the end of shorter rows. options: more keyword arguments of `from_pretrained`, such as `dtype`.
    Raises `UserError` if transformers cannot read the model, or has no such form of it.
    """
    from transformers import AutoModelForSequenceClassification

    base = load_model(files, **options)
    config = base.config
    config.num_labels, config.pad_token_id = 1, pad_token
    try:
        scorer = AutoModelForSequenceClassification.from_config(config, dtype=base.dtype)
    except ValueError:
        found, expected = (
            f"a model of the type {config.model_type}",
            "one that transformers can score rows with",
        )
        raise UserError(
            [_describe(files.name, found, expected, "choose another base in render.base")]
        ) from None
    setattr(scorer, scorer.base_model_prefix, base.base_model)
    return scorer


def read_reward_manifest(folder: Path) -> Manifest:
    """Read the manifest of a run of the recipe `reward`. Raises `UserError` if there is no such run."""
    if not (folder / "manifest.json").is_file():
        fix = f"run `dvc repro train@{folder.name}` first, or leave out the reward `learned`"
        raise UserError([_describe(str(folder), "no run", "a trained model of rewards", fix)])
    manifest = read_manifest(folder)
    if manifest.method != REWARD:
        found = f"{manifest.run}, of the method {manifest.method}"
        raise UserError(
            [_describe(str(folder), found, "a model of rewards", "name a run of the recipe reward")]
        )
    return manifest


def load_reward_run(folder: Path, pad_token: int, **options: Any) -> Any:
    """Load the model of a run of the recipe `reward`, its adapters folded into it.

    pad_token, options: as in `load_scorer`. Raises `UserError` if there is no such run, or if its base or its weights
    do not match its manifest.
    """
    manifest = read_reward_manifest(folder)
    weights, base = folder / WEIGHTS, find_base(manifest.base)
    if not weights.is_dir() or hash_model(weights) != manifest.weights_sha256:
        found, fix = (
            "other weights" if weights.is_dir() else "no weights",
            "run `dvc checkout`, or `dvc repro train`",
        )
        raise UserError([_describe(str(weights), found, f"those of {manifest.run}", fix)])
    if base.sha256 != manifest.base_sha256:
        fix = "install the base that the manifest names"
        raise UserError([_describe(str(folder), "a different base model", "that of the run", fix)])
    from peft import PeftModel

    with suppress_peft_warning():
        adapted = PeftModel.from_pretrained(load_scorer(base, pad_token, **options), str(weights))
    return adapted.merge_and_unload().eval()


def _describe(path: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(path=path, code="unusable_run", found=found, expected=expected, fix=fix)
