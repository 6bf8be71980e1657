"""Runs: what a model was made of, in `models/<recipe>/manifest.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.models.base_models import (
    Base,
    BaseFiles,
    find_base,
    hash_model,
    load_model,
    load_tokenizer,
    suppress_peft_warning,
)

WEIGHTS: Final = "weights"
"""The folder of a run's weights, beside its manifest."""
ROWS: Final = "rows.txt"
"""The sorted digests of the rows that a run was trained on, one a line."""


class Manifest(msgspec.Struct, frozen=True):
    """What a run is: enough to make it again, and to prove what it saw."""

    run: str
    """`<recipe>-<data hash>-<params hash>`, the hashes cut to 12 digits."""
    recipe: str
    params: dict[str, Any]
    data_hashes: dict[str, str]
    """Of the rows of each split that was trained or watched."""
    rows_sha256: str
    """Of the file of row digests."""
    base: Base
    base_sha256: str
    base_license: str
    weights_sha256: str
    code: str | None
    """The git revision; with `+` where files were changed; null where there is no git."""
    packages: dict[str, str]
    hardware: dict[str, Any]
    seed: int
    seconds: float
    tokens: int
    """Tokens that training went over: without padding, shared prefixes once."""
    steps: int
    resumed_from: int | None
    """The step of the checkpoint that training went on from; null: none."""
    losses: dict[str, float]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a run's folder. Raises `UserError` where there is none, or a damaged one."""
    path = folder / "manifest.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise UserError([_problem(path, "no such file", "run `dvc repro train`")]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UserError([_problem(path, str(error), "run `dvc repro -f train`")]) from None


def load_run(folder: Path, **how: Any) -> tuple[Any, Any]:
    """The model of a run, adapters on its base, and its tokenizer.

    Raises `UserError` where a file is missing, or where base or weights are not those of the manifest.
    """
    manifest = read_manifest(folder)
    weights = folder / WEIGHTS
    if not weights.is_dir() or hash_model(weights) != manifest.weights_sha256:
        found = "other weights" if weights.is_dir() else "no weights"
        raise UserError([_problem(weights, found, "run `dvc checkout`, or `dvc repro train`")])
    base = find_base(manifest.base)
    if base.sha256 != manifest.base_sha256:
        raise UserError([_problem(folder, "another base model", "install the base that the manifest names")])
    if not (weights / "adapter_config.json").exists():
        whole = BaseFiles(folder.name, str(weights), {}, manifest.weights_sha256, base.license)
        return load_model(whole, **how), load_tokenizer(whole)
    from peft import PeftModel

    with suppress_peft_warning():
        model = PeftModel.from_pretrained(load_model(base, **how), str(weights))
    return model, load_tokenizer(base)


def _problem(path: Path, found: str, fix: str) -> Diagnostic:
    return Diagnostic(
        path=str(path), code="unusable_run", found=found, expected="a run of this version", fix=fix
    )
