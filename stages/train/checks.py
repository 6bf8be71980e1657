"""Checks before training begins; each raises `UserError`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.models.base_models import BaseFiles, read_context_length
from exemplars.models.render_manifest import RenderManifest
from stages.train.params import Shared, Tracker
from stages.train.recipe_params import Continued, Recipe
from stages.train.recipes import has_quantized_base
from stages.train.rows import TokenRow


def check_packages(recipe: Recipe, shared: Shared) -> None:
    """Raise `UserError` if a package is missing that the recipe or the tracker needs."""
    missing = []
    if has_quantized_base(recipe) and find_spec("bitsandbytes") is None:
        missing.append(make_backend_diagnostic("no package bitsandbytes"))
    if shared.tracker != Tracker.NONE and find_spec(shared.tracker.value) is None:
        name = shared.tracker.value
        missing.append(
            Diagnostic(
                path="params.yaml",
                code="no_tracker",
                found=f"no package {name}",
                expected="the package of train.shared.tracker",
                summary=f"train.shared.tracker is {name}, but the package {name} is not installed",
                fix=f"pip install {name}, or set tracker to none",
            )
        )
    if missing:
        raise UserError(missing)


def make_backend_diagnostic(found: str) -> Diagnostic:
    """Build the diagnostic of a base that cannot be loaded in 4 bits. found: why."""
    return Diagnostic(
        path="train.runs",
        code="no_quantization",
        found=found,
        expected="bitsandbytes with a backend for this machine",
        fix="choose the recipe lora, or install bitsandbytes for this machine",
    )


def check_base(base: BaseFiles, rendered: RenderManifest) -> None:
    """Raise `UserError` if a base in a folder has changed since `render`; DVC does not look into it."""
    if base.sha256 != rendered.sha256:
        _stop(
            base.name,
            "base_model",
            f"SHA-256 {base.sha256[:16]}…",
            f"{rendered.sha256[:16]}…, for which the rows were rendered",
            "run `dvc repro --force --single-item render`, then `dvc repro`",
        )


def check_block(recipe: Continued, base: BaseFiles) -> None:
    """Raise `UserError` if the blocks are longer than the context of the model."""
    longest = read_context_length(base)
    if longest is not None and recipe.block_tokens > longest:
        found = f"block_tokens: {recipe.block_tokens}, for a model with a context of {longest} tokens"
        _stop("params.yaml", "invalid_value", found, f"at most {longest}", "correct the recipe")


def check_rows(rows: Sequence[TokenRow], recipe: str) -> None:
    """Raise `UserError` if there is no row to train on."""
    if not rows:
        _stop(
            "data/training/train.parquet",
            "empty_split",
            "no row to train on",
            f"at least one row for the recipe {recipe}",
            "see reports/details/split.json and reports/details/render.json for where the rows went",
        )


def _stop(path: str, code: str, found: str, expected: str, fix: str) -> None:
    raise UserError([Diagnostic(path=path, code=code, found=found, expected=expected, fix=fix)])
