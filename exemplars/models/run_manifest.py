"""Manifests of training runs: `models/<recipe>/manifest.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_json
from exemplars.models.base_models import (
    Base,
    BaseFiles,
    find_base,
    hash_model,
    load_model,
    load_tokenizer,
    suppress_peft_warning,
)
from exemplars.models.prompt_style import PromptStyle

WEIGHTS: Final = "weights"
"""The folder of a run's weights, next to its manifest."""
ROWS: Final = "rows.txt"
"""The file with the sorted digests of the rows that a run was trained on, one per line."""
TAGGER: Final = "tagger"
RETRIEVER: Final = "retriever"
LSR: Final = "lsr"
ENCODERS: Final = frozenset({TAGGER, RETRIEVER, LSR})
"""The methods whose runs are encoders: they read the splits, not chat rows, and have no language model."""
REWARD: Final = "reward"
ALIGNED: Final = frozenset({"dpo", "kto", REWARD, "rloo"})
"""The methods that train on preferences or rewards, and may train the adapters of another run further."""
_CODE: Final = "unusable_run"
_EXPECTED: Final = "a run of this version"


class StartRun(msgspec.Struct, frozen=True):
    """The run whose adapters another run trained further."""

    run: str
    recipe: str
    weights_sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """A training run: enough to repeat it, and to prove which rows it was trained on."""

    run: str
    """`<recipe>-<data hash>-<params hash>`, the hashes cut to 12 digits."""
    recipe: str
    params: dict[str, Any]
    data_hashes: dict[str, str]
    """The data hash of each split that was used for training or validation. `text`: of raw texts; `seen`: of all rows
    that an aligned model was trained on."""
    rows_sha256: str
    """The SHA-256 of the file `ROWS`."""
    base: Base
    base_sha256: str
    base_license: str
    weights_sha256: str
    code: str | None
    """The git revision, with `+` if files had been changed; `None` without git."""
    packages: dict[str, str]
    hardware: dict[str, Any]
    seed: int
    seconds: float
    tokens: int
    """Tokens that were trained on: without padding, shared prefixes counted once."""
    steps: int
    resumed_from: int | None
    """The step of the checkpoint from which training was resumed, if any."""
    losses: dict[str, float]
    precision: dict[str, Any] = {}
    """Whether it was trained in bf16 or fp32 (`chosen`), why (`reason`), and what was measured."""
    style: PromptStyle | None = None
    """How the prompts were written; `None`: an encoder, which has none."""
    start: StartRun | None = None
    """The run whose adapters it trained further; `rows.txt` has the rows of both."""

    @property
    def rows_hash(self) -> str:
        """The data hash of all rows that it was trained on, those of its start included."""
        hashes = (self.data_hashes.get(name) for name in ("train", "text", "seen"))
        return next(filter(None, hashes), "")

    @property
    def method(self) -> str:
        """How it was trained: `lora`, `tagger` and so on."""
        return str(self.params.get("recipe", {}).get("method", ""))


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest in a run's folder. Raises `UserError` if it is missing or damaged."""
    path = folder / "manifest.json"
    # DVC would not train again for a damaged manifest: its dependencies have not changed.
    fix = "run `dvc repro -f train`" if path.exists() else "run `dvc repro train`"
    return read_json(path, Manifest, code=_CODE, expected=_EXPECTED, fix=fix)


def get_style(folder: Path, manifest: Manifest) -> PromptStyle:
    """Return how the prompts of a language model are written. Raises `UserError` if the manifest does not say."""
    if manifest.style is None:
        found = f"{manifest.run}, which does not say how its prompts are written"
        raise UserError([_problem(folder, found, "run `dvc repro -f train`")])
    return manifest.style


def load_run(folder: Path, **options: Any) -> tuple[Any, Any]:
    """Load the model of a run (adapters on top of its base model) and its tokenizer.

    options: more keyword arguments of `from_pretrained`, such as `dtype`.
    Raises `UserError` if a file is missing, if base model or weights do not match the manifest, or if the run is no
    language model.
    """
    manifest = read_manifest(folder)
    if manifest.method in ENCODERS or manifest.method == REWARD:
        found = f"{manifest.run}, a {manifest.method}"
        raise UserError([_problem(folder, found, "choose a recipe that trains a language model")])
    weights = folder / WEIGHTS
    if not weights.is_dir() or hash_model(weights) != manifest.weights_sha256:
        found = "other weights" if weights.is_dir() else "no weights"
        raise UserError([_problem(weights, found, "run `dvc checkout`, or `dvc repro train`")])
    base = find_base(manifest.base)
    if base.sha256 != manifest.base_sha256:
        raise UserError(
            [_problem(folder, "a different base model", "install the base that the manifest names")]
        )
    if not (weights / "adapter_config.json").exists():
        files = BaseFiles(folder.name, str(weights), {}, manifest.weights_sha256, base.license)
        return load_model(files, **options), load_tokenizer(files)
    from peft import PeftModel

    with suppress_peft_warning():
        model = PeftModel.from_pretrained(load_model(base, **options), str(weights))
    return model, load_tokenizer(base)


def _problem(path: Path, found: str, fix: str) -> Diagnostic:
    return Diagnostic(path=str(path), code=_CODE, found=found, expected=_EXPECTED, fix=fix)
