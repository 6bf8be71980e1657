"""A run's adapters folded into its base: one model that plain transformers loads, with a model card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from exemplars.core import layout
from exemplars.core.conditions import take_condition
from exemplars.core.digests import hash_split
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_json
from exemplars.core.folders import replace_folder
from exemplars.core.names import check_name
from exemplars.core.reports import format_interval
from exemplars.dataset.catalog import read_catalog
from exemplars.export.chat_template import add_tools_template, format_usage
from exemplars.export.gguf_model import build_gbnf, build_modelfile, write_gguf
from exemplars.models.base_models import Base, HubBase, PackagedBase, save_errors_as_user_errors
from exemplars.models.chat_templates import find_end_of_turn
from exemplars.models.prompt_style import PromptStyle
from exemplars.models.run_manifest import Manifest, get_style, load_run, read_manifest

TOLERANCE: Final = 1e-3
"""The largest difference allowed between logits of the merged model and of base and adapter (float32)."""
_PROBES: Final = ((1, 2, 3, 5, 8, 13, 21, 34, 55, 89), (144, 233, 377, 610))
"""Token ids whose logits are compared, modulo the size of the vocabulary."""


class Merged(NamedTuple):
    """A run's model with its adapters folded into the base."""

    manifest: Manifest
    style: PromptStyle
    model: Any
    tokenizer: Any
    takes_tools: bool
    """Whether its chat template shows `tools` as training did."""
    difference: float
    """The largest difference of logits."""


def merge_run(recipe: str, output: Path | None) -> tuple[Path, float]:
    """Merge the run of a recipe; return the folder of the result, and the largest difference of logits.

    output: a new or an empty folder; `None`: `merged` in the folder of the run, which is replaced. Raises
    `UserError` if `output` has files, or if `merge_adapters` does.
    """
    folder, merged = _find_folders(recipe, output, "merged")
    manifest = read_manifest(folder)
    return merged, merge_adapters(folder, merged, _read_licenses(manifest), _read_figures(manifest))


def export_run(recipe: str, output: Path | None, precision: str) -> tuple[Path, float]:
    """Merge the run of a recipe into a GGUF file, with a grammar and a Modelfile; return as `merge_run` does.

    output: `None`: `gguf` in the folder of the run. precision: of the matrices, `f16` or `f32`. Raises `UserError` if
    `merge_run` would, or if the model cannot be written as GGUF.
    """
    folder, written = _find_folders(recipe, output, "gguf")
    merged, skills = fold_adapters(folder), read_catalog(layout.CATALOG)
    name = f"{merged.manifest.run}.gguf"
    window = int(merged.model.config.max_position_embeddings)
    modelfile = build_modelfile(name, merged.tokenizer, skills, merged.style, window)
    with replace_folder(written) as partial:
        write_gguf(partial / name, merged.model, merged.tokenizer, merged.manifest.run, precision)
        (partial / "calls.gbnf").write_text(build_gbnf(skills, merged.style), "utf-8")
        (partial / "Modelfile").write_text(modelfile, "utf-8")
    return written, merged.difference


def _find_folders(recipe: str, output: Path | None, name: str) -> tuple[Path, Path]:
    """Find the folder of a run, and that of the result. Raises `UserError` if the latter has files of others."""
    folder = layout.model(check_name(recipe, "recipe"))
    if output is not None and output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(
            [_build_merge_problem(output, "files that are there already", "a new or an empty folder")]
        )
    return folder, output or folder / name


def merge_adapters(folder: Path, output: Path, licenses: Iterable[str], figures: Mapping[str, str]) -> float:
    """Merge the run in a folder into `output`; return the largest difference of logits.

    licenses: of the data. figures: results of the evaluation, for the card. Raises `UserError` if `fold_adapters` does;
    then nothing is written.
    """
    merged = fold_adapters(folder)
    usage = format_usage(merged.tokenizer, merged.style, takes_tools=merged.takes_tools)
    card = format_model_card(merged.manifest, sorted(set(licenses)), figures, usage)
    _save_model(merged.model, merged.tokenizer, output, card)
    return merged.difference


def fold_adapters(folder: Path) -> Merged:
    """Fold the adapters of the run in a folder into its base.

    Raises `UserError` if there is no such run, if it cannot be merged (soft prompts are not weights), or if the logits
    differ by more than `TOLERANCE`.
    """
    manifest = read_manifest(folder)
    model, tokenizer = load_run(folder, dtype="float32")
    model.eval()
    style = get_style(folder, manifest)
    before = _compute_logits(model)
    if getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False):
        found = "soft prompts, which are input and not weights"
        raise UserError([_build_merge_problem(folder, found, "a recipe that trains weights")])
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    difference = max(
        float((expected - merged).abs().max())
        for expected, merged in zip(before, _compute_logits(model), strict=True)
    )
    if difference > TOLERANCE:
        found = f"logits that differ by {difference:.2g}"
        raise UserError([_build_merge_problem(folder, found, f"at most {TOLERANCE:g}")])
    takes_tools = add_tools_template(tokenizer, style)
    if model.generation_config is not None:
        model.generation_config.eos_token_id = find_end_of_turn(tokenizer)
    return Merged(manifest, style, model, tokenizer, takes_tools, difference)


def _save_model(model: Any, tokenizer: Any, output: Path, card: str) -> None:
    """Write a model's folder as a whole, replacing an old one. Raises `UserError` if the disk is full."""
    with replace_folder(output) as partial:
        with save_errors_as_user_errors(output.parent, "free some space, then merge again"):
            model.save_pretrained(str(partial))
            tokenizer.save_pretrained(str(partial))
        (partial / "README.md").write_text(card, "utf-8")


def format_model_card(manifest: Manifest, licenses: list[str], figures: Mapping[str, str], usage: str) -> str:
    """Format a model card as Hugging Face has it: front matter, how it is asked, then what it was made from."""
    hashes = "\n".join(f"| data hash of {name} | `{value}` |" for name, value in manifest.data_hashes.items())
    scores = "\n".join(f"| {name} | {value} |" for name, value in figures.items()) or "| not evaluated | |"
    return f"""---
license: {manifest.base_license.lower()}
base_model: {name_base(manifest.base)}
library_name: transformers
pipeline_tag: text-generation
tags: [function-calling]
---

# {manifest.run}

Trained by the recipe `{manifest.recipe}` for {manifest.steps} steps over {manifest.tokens:,} tokens.

{usage}
## Origin

| | |
| --- | --- |
| run | `{manifest.run}` |
{hashes}
| rows seen (SHA-256 of the sorted digests) | `{manifest.rows_sha256}` |
| base model (SHA-256) | `{manifest.base_sha256}` |
| weights before merging (SHA-256) | `{manifest.weights_sha256}` |
| license of the base | {manifest.base_license} |
| licenses of the data | {", ".join(licenses) or "unknown"} |
| code | {manifest.code or "not under git"} |
| seed | {manifest.seed} |

On the test split, with 95 % intervals:

| figure | value |
| --- | --- |
{scores}
"""


def name_base(base: Base) -> str:
    """Return the name of a base model: its id on the hub, its file, or its folder."""
    if isinstance(base, HubBase):
        return base.id
    return base.file if isinstance(base, PackagedBase) else base.path


def _compute_logits(model: Any) -> list[Any]:
    import torch

    vocabulary = int(model.config.vocab_size)
    with torch.inference_mode():
        return [
            model(input_ids=torch.tensor([ids], device=model.device) % vocabulary).logits.float()
            for ids in _PROBES
        ]


def _read_licenses(manifest: Manifest) -> list[str]:
    """Read the licenses of the run's data; empty if the rows in the workspace are not those of the run."""
    import pyarrow.parquet as pq  # Slow to import; `exemplars lint` does not need it.

    if own := manifest.params["recipe"].get("license"):
        return [own]
    path = layout.training("train")
    if not path.exists():
        return []
    table = pq.ParquetFile(path).read(["digests", "license"])
    digests = {digest for row in table.column("digests").to_pylist() for digest in row}
    if hash_split(digests) != manifest.data_hashes.get("train"):
        return []
    return list(table.column("license").to_pylist())


def _read_figures(manifest: Manifest) -> dict[str, str]:
    """Read what the evaluation says about this run; empty if it evaluated a different run."""
    path = layout.details("evaluate")
    if not path.exists():
        return {}
    report = read_json(
        path,
        dict[str, Any],
        code="not_merged",
        expected="the report of the evaluation",
        fix="run `dvc repro evaluate`, or delete the file",
    )
    names = [name for name, run in report.get("runs", {}).items() if run["run"] == manifest.run]
    systems = take_condition(report)["systems"] if names else {}
    known = [name for recipe in names for name in (recipe, f"{recipe}_constrained") if name in systems]
    if not known:
        return {}
    suffix = ", constrained decoding" if known[0] not in names else ""
    return {
        f"{name}{suffix}": format_interval(figure, digits=3)
        for name, figure in systems[known[0]].items()
        if isinstance(figure, dict) and figure.get("value") is not None
    }


def _build_merge_problem(path: Path, found: str, expected: str) -> Diagnostic:
    return Diagnostic(
        path=str(path),
        code="not_merged",
        found=found,
        expected=expected,
        fix="choose a different recipe or folder",
    )
