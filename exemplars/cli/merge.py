"""`exemplars merge`: a run's adapters folded into its base, as one model with a card."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from exemplars.cli.parsers import Commands, command_parser
from exemplars.core import layout
from exemplars.core.digests import hash_split
from exemplars.core.errors import Diagnostic, UserError, run_main
from exemplars.models.base_models import Base, HubBase, PackagedBase, save_errors_as_user_errors
from exemplars.models.run_manifest import Manifest, load_run, read_manifest

TOLERANCE: Final = 1e-3
"""How far logits of the merged model may be from those of base and adapter (float32)."""
_PROBES: Final = ((1, 2, 3, 5, 8, 13, 21, 34, 55, 89), (144, 233, 377, 610))
_HELP: Final = """\
examples:
  exemplars merge                     models/lora -> models/lora/merged
  exemplars merge full --output out   another recipe, another folder

The result is safetensors that plain transformers loads. Its logits are compared with those of base and
adapter before the folder is put in place; README.md beside it says what the model was made of.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to `exemplars`."""
    parser = command_parser(
        commands,
        "merge",
        short="fold a run's adapters into its base model",
        long="Fold a run's adapters into its base model, and write a model card.",
        examples=_HELP,
    )
    parser.add_argument("recipe", nargs="?", default="lora", metavar="RECIPE", help="default: lora")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="default: models/RECIPE/merged")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Merge; answer the exit status."""

    def merge() -> None:
        folder = layout.model(arguments.recipe)
        output = arguments.output or folder / "merged"
        if arguments.output and output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise UserError([_problem(output, "files that are there already", "a new or an empty folder")])
        manifest = read_manifest(folder)
        difference = merged(folder, output, _licenses(manifest), _figures(manifest))
        print(f"{output}: logits within {difference:.1e} of base and adapter (at most {TOLERANCE:.0e})")

    return run_main(merge)


def merged(folder: Path, output: Path, licenses: Iterable[str], figures: dict[str, Any]) -> float:
    """Merge the run of a folder into `output`; answer the largest difference of logits.

    licenses: of the data. figures: what the evaluation says, for the card.
    Raises `UserError` where there is no such run, where it cannot be merged (soft prompts are no
    weights), or where the logits differ by more than `TOLERANCE`; then nothing is written.
    """
    manifest = read_manifest(folder)
    model, tokenizer = load_run(folder, dtype="float32")
    model.eval()
    before = _logits(model)
    if getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False):
        found = "soft prompts, which stand before the text and are no weights"
        raise UserError([_problem(folder, found, "a recipe of weights")])
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    difference = max(
        float((one - other).abs().max()) for one, other in zip(before, _logits(model), strict=True)
    )
    if difference > TOLERANCE:
        raise UserError(
            [_problem(folder, f"logits that differ by {difference:.2g}", f"at most {TOLERANCE:g}")]
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=output.parent))
    try:
        with save_errors_as_user_errors(output.parent, "free some space, then merge again"):
            model.save_pretrained(str(partial))
            tokenizer.save_pretrained(str(partial))
        (partial / "README.md").write_text(model_card(manifest, sorted(set(licenses)), figures), "utf-8")
        partial.chmod(0o755)
        if output.exists():
            shutil.rmtree(output)
        partial.rename(output)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return difference


def model_card(manifest: Manifest, licenses: list[str], figures: dict[str, Any]) -> str:
    """The card in the Hugging Face form: front matter, then what the model is made of."""
    hashes = "\n".join(f"| data hash of {name} | `{value}` |" for name, value in manifest.data_hashes.items())
    scores = "\n".join(f"| {name} | {value} |" for name, value in figures.items()) or "| not evaluated | |"
    return f"""---
license: {manifest.base_license.lower()}
base_model: {base_name(manifest.base)}
library_name: transformers
pipeline_tag: text-generation
tags: [function-calling]
---

# {manifest.run}

Trained by the recipe `{manifest.recipe}` for {manifest.steps} steps over {manifest.tokens:,} tokens.

| | |
| --- | --- |
| run | `{manifest.run}` |
{hashes}
| rows seen (SHA-256 of the sorted digests) | `{manifest.rows_sha256}` |
| base model (SHA-256) | `{manifest.base_sha256}` |
| weights before merging (SHA-256) | `{manifest.weights_sha256}` |
| licence of the base | {manifest.base_license} |
| licences of the data | {", ".join(licenses) or "unknown"} |
| code | {manifest.code or "not under git"} |
| seed | {manifest.seed} |

On the test split, with 95 % intervals:

| figure | value |
| --- | --- |
{scores}
"""


def base_name(base: Base) -> str:
    """What a base model is called: its id on the hub, its file, or its folder."""
    if isinstance(base, HubBase):
        return base.id
    return base.file if isinstance(base, PackagedBase) else base.path


def _logits(model: Any) -> list[Any]:
    import torch

    words = int(model.config.vocab_size)
    with torch.inference_mode():
        return [
            model(input_ids=torch.tensor([ids], device=model.device) % words).logits.float()
            for ids in _PROBES
        ]


def _licenses(manifest: Manifest) -> list[str]:
    """Of the run's data, as far as the rows that lie here are those of the run."""
    import pyarrow.parquet as pq  # Arrow: lint does without.

    if own := manifest.params["recipe"].get("license"):
        return [own]
    path = layout.training("train")
    if not path.exists():
        return []
    table = pq.ParquetFile(path).read(["digest", "license"])
    if hash_split(sorted(set(table.column("digest").to_pylist()))) != manifest.data_hashes.get("train"):
        return []
    return list(table.column("license").to_pylist())


def _figures(manifest: Manifest) -> dict[str, str]:
    """What the evaluation says of this run; nothing if it judged another one."""
    path = layout.report("evaluate")
    if not path.exists():
        return {}
    report = msgspec.json.decode(path.read_bytes())
    if report["run"] != manifest.run:
        return {}
    tuned = next((one for one in ("tuned", "tuned_constrained") if one in report["systems"]), None)
    how = ", constrained decoding" if tuned == "tuned_constrained" else ""
    return {
        f"{name}{how}": f"{one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f})"
        for name, one in report["systems"].get(tuned, {}).items()
        if isinstance(one, dict) and one.get("value") is not None
    }


def _problem(path: Path, found: str, expected: str) -> Diagnostic:
    return Diagnostic(
        path=str(path),
        code="not_merged",
        found=found,
        expected=expected,
        fix="choose another recipe or folder",
    )
