"""Loaders of the models that are evaluated: the base, and a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from exemplars.core.errors import Diagnostic, UserError
from exemplars.models.base_models import Base, find_base, load_model, load_tokenizer
from exemplars.models.run_manifest import ROWS, TAGGER, Manifest, load_run

Loader = Callable[[], tuple[Any, Any]]
"""Loads a model and its tokenizer, ready to predict."""


def make_base_loader(base: Base) -> Loader:
    """Make a function that loads the base model, ready to predict."""

    def load() -> tuple[Any, Any]:
        files = find_base(base)
        return _prepare_model(load_model(files, dtype="float32")), load_tokenizer(files)

    return load


def make_run_loader(folder: Path, manifest: Manifest, base: Base, test_digests: Sequence[str]) -> Loader:
    """Make a function that loads a run, ready to predict.

    base: what the rows were rendered for. Raises `UserError` if the run is a tagger, if it has a different base, whose
    tokens differ, or if it was trained on a test row.
    """
    if manifest.method == TAGGER:
        found, expected = "a tagger", "a language model"
        raise UserError(
            [_describe_unusable(folder, found, expected, f"{manifest.run} is {found}, not {expected}")]
        )
    rendered_for = find_base(base).sha256
    if manifest.base_sha256 != rendered_for:
        found = f"a run on the base {manifest.base_sha256[:16]}…"
        expected = f"the base {rendered_for[:16]}…, for which the rows were rendered"
        raise UserError(
            [_describe_unusable(folder, found, expected, f"{manifest.run} is {found}, not on {expected}")]
        )
    leaked = set((folder / ROWS).read_text("ascii").split()) & set(test_digests)
    if leaked:
        found = f"{len(leaked)} test row(s)"
        summary = f"{manifest.run} was trained on {found}"
        raise UserError([_describe_unusable(folder, found, "none", summary)])

    def load() -> tuple[Any, Any]:
        model, tokenizer = load_run(folder, dtype="float32")
        merged = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
        return _prepare_model(merged), tokenizer

    return load


def _prepare_model(model: Any) -> Any:
    import torch

    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def _describe_unusable(folder: Path, found: str, expected: str, summary: str) -> Diagnostic:
    return Diagnostic(
        path=str(folder),
        code="evaluation_input",
        found=found,
        expected=expected,
        summary=summary,
        fix="run `dvc repro train`, then `dvc repro evaluate`",
    )
