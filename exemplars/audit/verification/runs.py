"""Run manifests against weights, rows, training tables, reports and base models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from exemplars.audit.revisions import Stage
from exemplars.audit.verification.aligned_runs import check_aligned_tables
from exemplars.audit.verification.checks import Check, build_diagnostic, shorten_hash
from exemplars.audit.verification.tables import Tables
from exemplars.audit.verification.tagger_runs import check_tagger_tables
from exemplars.core import layout
from exemplars.core.digests import hash_content, hash_split
from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.ids import SPLITS
from exemplars.core.tables import rows_from_table
from exemplars.models.base_models import HubBase, PackagedBase, find_base, hash_model
from exemplars.models.run_manifest import ALIGNED, ENCODERS, ROWS, WEIGHTS, Manifest

_FIX: Final = "run `dvc checkout -f` on the run, or `dvc repro train`"
_FIX_EVALUATE: Final = "run `dvc repro evaluate`"
_LOSS_TOLERANCE: Final = 5e-6
"""Logged losses have six digits."""
_REPORTED_DIGITS: Final = 4
"""Digits of the losses in the report."""
_NAME_DIGITS: Final = 12
"""Digits of each hash in a run's name."""


class _Run(NamedTuple):
    """A run's manifest, and where it is."""

    manifest_path: str
    """Relative to the project."""
    folder: Path
    manifest: Manifest

    @property
    def report_name(self) -> str:
        """The name of the report of its training."""
        return f"train/{self.manifest.recipe}"

    def name_file(self, name: str) -> str:
        """Name a file of the run in a message."""
        return f"{self.manifest_path.rpartition('/')[0]}/{name}"


def check_runs(tables: Tables, stages: Iterable[Stage]) -> Check:
    """Check each run's manifest against its weights and rows, and that of the current run against the tables.

    stages: of the lock.
    """
    stages = list(stages)
    outputs = {out.path for stage in stages for out in stage.outs}
    problems: list[Diagnostic] = []
    notes: list[str] = []
    names: list[str] = []
    for path in sorted((tables.files / layout.MODELS).glob("*/manifest.json")):
        manifest_path = path.relative_to(tables.files).as_posix()
        manifest = decode_manifest(manifest_path, path.read_bytes())
        if isinstance(manifest, Diagnostic):
            problems.append(manifest)
            continue
        run = _Run(manifest_path, path.parent, manifest)
        digests = _read_digests(run)
        problems += _check_run_weights(run)
        problems += check_run_rows(manifest_path, run.name_file(ROWS), manifest, digests)
        if manifest_path in outputs:
            problems += _check_tables(run, digests, tables)
            problems += _check_report(run, run.report_name, ("run", "steps", "tokens"), tables.files)
            problems += _check_metrics(run, tables.files)
            problems += _check_losses(run, tables.files)
            problems += _check_base(run, notes)
        names.append(manifest.run)
    problems += _check_evaluated_runs(names, tables.files)
    counted = f"{len(names)} run(s): weights, rows, data, params rehashed"
    return Check("runs", counted, tuple(problems), tuple(notes))


def decode_manifest(place: str, data: bytes) -> Manifest | Diagnostic:
    """Decode a run's manifest, or describe what is wrong with its form. place: for messages."""
    try:
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return build_diagnostic(place, "unreadable_manifest", str(error), "a manifest of this version", _FIX)


def check_run_rows(
    place: str, rows_place: str, manifest: Manifest, digests: bytes | None
) -> Iterator[Diagnostic]:
    """Check the rows of a run, and the data hash in its name, against its manifest.

    place, rows_place: of the manifest and of the file of sorted row digests, for messages. digests: the bytes
    of that file; `None` if it does not exist.
    """
    data_hash = manifest.rows_hash
    prefix = f"{manifest.recipe}-{data_hash[:_NAME_DIGITS]}-"
    if not manifest.run.startswith(prefix):
        expected = f"a name that begins with {prefix}"
        yield build_diagnostic(place, "wrong_manifest", f"the run {manifest.run!r}", expected, _FIX)
    if digests is None:
        expected = f"the row digests of {manifest.run}"
        yield build_diagnostic(rows_place, "missing_file", "no readable file", expected, _FIX)
        return
    if (sha256 := hash_content(digests)) != manifest.rows_sha256:
        expected = f"{shorten_hash(manifest.rows_sha256)}, recorded in {place}"
        yield build_diagnostic(rows_place, "wrong_rows", f"SHA-256 {shorten_hash(sha256)}", expected, _FIX)
    if (current := hash_split(set(digests.decode("ascii", "replace").split()))) != data_hash:
        expected = f"{shorten_hash(data_hash)}, recorded in {place}"
        yield build_diagnostic(rows_place, "wrong_rows", f"data hash {shorten_hash(current)}", expected, _FIX)


def check_weights(place: str, manifest: Manifest, folder: Path) -> Iterator[Diagnostic]:
    """Compare the weights in a folder with the hash in the manifest. place: of the folder, for messages."""
    if (current := hash_model(folder)) != manifest.weights_sha256:
        expected = f"{shorten_hash(manifest.weights_sha256)}, recorded in the manifest of {manifest.run}"
        yield build_diagnostic(place, "wrong_weights", f"SHA-256 {shorten_hash(current)}", expected, _FIX)


def _read_digests(run: _Run) -> bytes | None:
    path = run.folder / ROWS
    return path.read_bytes() if path.is_file() else None


def _check_run_weights(run: _Run) -> Iterator[Diagnostic]:
    weights, place = run.folder / WEIGHTS, run.name_file(WEIGHTS)
    if weights.is_dir():
        yield from check_weights(place, run.manifest, weights)
    else:
        yield build_diagnostic(place, "missing_file", "no weights", f"those of {run.manifest.run}", _FIX)


def _check_tables(run: _Run, digests: bytes | None, tables: Tables) -> Iterator[Diagnostic]:
    """Compare what a run was trained on with the tables that its recipe reads."""
    if run.manifest.method in ENCODERS:
        rows_place = run.name_file(ROWS)
        yield from check_tagger_tables(run.manifest_path, rows_place, run.manifest, digests or b"", tables)
        return
    if run.manifest.method in ALIGNED:
        rows_place = run.name_file(ROWS)
        yield from check_aligned_tables(run.manifest_path, rows_place, run.manifest, digests or b"", tables)
        return
    training: dict[str, set[str]] = {
        name: set(listed)
        for name in SPLITS
        if (listed := tables.read_listed(layout.training(name), "digests")) is not None
    }
    for name, recorded in run.manifest.data_hashes.items():
        if name in training and (current := hash_split(training[name])) != recorded:
            place = f"{run.manifest_path}: data_hashes.{name}"
            expected = f"{shorten_hash(current)}, the hash of {layout.training(name).as_posix()}"
            yield build_diagnostic(place, "wrong_manifest", shorten_hash(recorded), expected, _FIX)
    if digests is not None:
        seen = set(digests.decode("ascii", "replace").split())
        yield from _check_seen_rows(run, seen, training)
    if training.keys() >= {"train", "validation"} and "train" in run.manifest.data_hashes:
        yield from _check_params_hash(run, tables)


def _check_seen_rows(run: _Run, seen: set[str], training: Mapping[str, set[str]]) -> Iterator[Diagnostic]:
    """Check that a run saw the rows of `train`, all of them, and none of `test`. seen: row digests."""
    place = run.name_file(ROWS)
    if "train" in run.manifest.data_hashes and "train" in training:
        train = training["train"]
        for digests, description in ((seen - train, "not in the train split"), (train - seen, "missing")):
            if digests:
                found = f"{len(digests):,} row digest(s) {description}: {_summarize_digests(digests)}"
                expected = f"those of {layout.training('train').as_posix()}"
                yield build_diagnostic(place, "wrong_rows", found, expected, _FIX)
    if leaked := seen & training.get("test", set()):
        found = f"{len(leaked):,} row(s) of the test split: {_summarize_digests(leaked)}"
        yield build_diagnostic(place, "leaked", found, "none", "run `dvc repro`")


def _summarize_digests(digests: Iterable[str]) -> str:
    return summarize_names(sorted(map(shorten_hash, digests)))


def _check_params_hash(run: _Run, tables: Tables) -> Iterator[Diagnostic]:
    """Check the last part of a run's name: the hash of recipe, base and rendered rows."""
    try:
        train, validation = (tables.read_whole(layout.training(name)) for name in ("train", "validation"))
        hashes = _compute_params_hashes(run.manifest, train, validation)
    except (msgspec.ValidationError, UserError) as error:
        place = f"{run.manifest_path}: params"
        yield build_diagnostic(place, "wrong_manifest", str(error), "the params of a run", _FIX)
        return
    if run.manifest.run.rpartition("-")[2] not in hashes:
        expected = f"a name that ends in {hashes[0]}, the hash of its params and training rows"
        place = f"{run.manifest_path}: run"
        yield build_diagnostic(place, "wrong_manifest", run.manifest.run, expected, _FIX)


def _compute_params_hashes(manifest: Manifest, train: pa.Table, validation: pa.Table) -> list[str]:
    """Compute the params hashes that a run may have in its name.

    Prompt tuning replaces the batching that was asked for; the manifest has the one that was used, the name
    the one that was asked for. So there are two.
    """
    from stages.train.manifest import hash_params
    from stages.train.params import RunParams
    from stages.train.rows import PromptRow, build_chat_rows, sort_by_hash

    recipe, shared = manifest.params.get("recipe", {}), manifest.params.get("shared", {})
    train_rows, validation_rows = (
        build_chat_rows(rows_from_table(table, PromptRow)) for table in (train, validation)
    )
    validation_rows = sort_by_hash(validation_rows)
    hashes = []
    requested: dict[str, Any]
    for requested in (shared, {**shared, "batching": "shared_prefix"}):
        document = {"recipe": manifest.recipe, "chosen": recipe, "shared": requested}
        params = msgspec.convert(document, RunParams)
        hashes.append(hash_params(params, manifest.base_sha256, train_rows, validation_rows)[:_NAME_DIGITS])
    return hashes


def _check_evaluated_runs(names: Sequence[str], files: Path) -> Iterator[Diagnostic]:
    """Check that the report of the evaluation names runs that are there. names: of the runs."""
    path = layout.details("evaluate")
    try:
        report = json.loads((files / path).read_bytes())
        evaluated = [str(run["run"]) for run in report["runs"].values()]
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return  # `check_files` or `check_figures` reports it.
    if unknown := [name for name in evaluated if name not in names]:
        expected = f"one of the runs in {layout.MODELS}: {summarize_names(names)}"
        yield build_diagnostic(path.as_posix(), "wrong_count", f"run = {unknown[0]}", expected, _FIX_EVALUATE)


def _check_report(run: _Run, stage: str, keys: Sequence[str], files: Path) -> Iterator[Diagnostic]:
    """Compare the keys of a stage's report with the run's manifest."""
    path = layout.details(stage)
    try:
        report = json.loads((files / path).read_bytes())
    except (FileNotFoundError, ValueError):
        return  # `check_files` reports it.
    for key in keys:
        if report.get(key) != (recorded := getattr(run.manifest, key)):
            found, expected = f"{key} = {report.get(key)}", f"{recorded}, recorded in {run.manifest_path}"
            yield build_diagnostic(
                path.as_posix(), "wrong_count", found, expected, f"run `dvc repro {stage}`"
            )


def _check_metrics(run: _Run, files: Path) -> Iterator[Diagnostic]:
    """Compare the metrics of `train` with the run's manifest."""
    path, manifest = layout.report(run.report_name), run.manifest
    try:
        metrics = json.loads((files / path).read_bytes())
    except (FileNotFoundError, ValueError):
        return  # `check_files` reports it.
    losses = {name: round(value, _REPORTED_DIGITS) for name, value in manifest.losses.items()}
    for key, recorded in {**losses, "steps": manifest.steps, "tokens": manifest.tokens}.items():
        if metrics.get(key) != recorded:
            found, expected = f"{key} = {metrics.get(key)}", f"{recorded}, recorded in {run.manifest_path}"
            yield build_diagnostic(path.as_posix(), "wrong_count", found, expected, _FIX)


def _check_losses(run: _Run, files: Path) -> Iterator[Diagnostic]:
    """Compare the losses of the report, and those that were logged step by step, with the run's manifest."""
    losses, place = run.manifest.losses, layout.details(run.report_name).as_posix()
    expected = f"recorded in {run.manifest_path}"
    try:
        reported = json.loads((files / place).read_bytes())["losses"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return  # `check_files` or `_check_report` reports it.
    for name, value in losses.items():
        if reported.get(name) != round(value, _REPORTED_DIGITS):
            found = f"losses.{name} = {reported.get(name)}"
            yield build_diagnostic(
                place, "wrong_count", found, f"{round(value, _REPORTED_DIGITS)}, {expected}", _FIX
            )
    for split in ("train", "validation"):
        path = f"{layout.train_plots(run.manifest.recipe)}/plots/metrics/{split}/loss.tsv"
        logged = _read_losses(files / path)
        if f"{split}_loss" not in losses or not logged or logged[-1][0] != run.manifest.steps:
            continue  # It was not logged to the end.
        if split == "validation":
            loss = logged[-1][1]
        elif run.manifest.resumed_from is not None:
            continue  # The loss in the manifest is that of the steps after the interruption.
        else:
            starts = [0, *(step for step, _ in logged)]
            weighted = (value * (step - start) for start, (step, value) in zip(starts, logged, strict=False))
            loss = sum(weighted) / run.manifest.steps
        if abs(loss - losses[f"{split}_loss"]) > _LOSS_TOLERANCE:
            found = f"losses whose {'last is' if split == 'validation' else 'mean is'} {loss:.6f}"
            yield build_diagnostic(
                path, "wrong_losses", found, f"{losses[f'{split}_loss']:.6f}, {expected}", _FIX
            )


def _read_losses(path: Path) -> list[tuple[int, float]]:
    """Read the logged steps and losses; none if the file is missing or has another form."""
    try:
        lines = [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]
        return [(int(step), float(loss)) for step, loss in lines]
    except (OSError, ValueError):
        return []


def _check_base(run: _Run, notes: list[str]) -> Iterator[Diagnostic]:
    """Hash the base model, if it is here; else add a note."""
    base = run.manifest.base
    if isinstance(base, HubBase):
        notes.append(f"not checked: base model {base.id}, from a hub")
        return
    if isinstance(base, PackagedBase) and find_spec(base.package) is None:
        notes.append(f"not checked: base model, package {base.package} not installed")
        return
    try:
        current = find_base(base).sha256
    except UserError as error:
        yield from error.diagnostics
        return
    if current != run.manifest.base_sha256:
        found = f"base_sha256 {shorten_hash(run.manifest.base_sha256)}"
        expected = f"{shorten_hash(current)}, the hash of the base model"
        yield build_diagnostic(run.manifest_path, "wrong_manifest", found, expected, _FIX)
