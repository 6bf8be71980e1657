"""Run manifests against weights, rows, training tables and base models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.audit.revisions import Stage
from exemplars.audit.verification.checks import Check, problem, short, some
from exemplars.audit.verification.tables import Tables
from exemplars.core import layout
from exemplars.core.digests import hash_content, hash_split
from exemplars.core.errors import Diagnostic, UserError
from exemplars.models.base_models import HubBase, PackagedBase, find_base, hash_model
from exemplars.models.run_manifest import ROWS, WEIGHTS, Manifest

_FIX: Final = "`dvc checkout -f` the run, or `dvc repro train`"
_SHORT: Final = 12
"""Digits of the hashes in a run's name."""


class _Run(NamedTuple):
    """A run's manifest, and where it lies."""

    place: str
    """Of the manifest, relative to the project."""
    folder: Path
    manifest: Manifest


def check_runs(tables: Tables, stages: Iterable[Stage]) -> Check:
    """Hold each run's manifest to its weights and rows; a run of this lock to the training rows too.

    stages: of the lock.
    """
    stages = list(stages)
    outputs = {out.path for stage in stages for out in stage.outs}
    judged = {dep.path for stage in stages if stage.name == "evaluate" for dep in stage.deps}
    problems: list[Diagnostic] = []
    notes: list[str] = []
    counted = 0
    for path in sorted((tables.files / layout.MODELS).glob("*/manifest.json")):
        place = path.relative_to(tables.files).as_posix()
        manifest = decoded_manifest(place, path.read_bytes())
        if isinstance(manifest, Diagnostic):
            problems.append(manifest)
            continue
        run = _Run(place, path.parent, manifest)
        digests = _row_digests(run)
        problems += [
            *_weights(run),
            *row_problems(place, f"{place.rpartition('/')[0]}/{ROWS}", manifest, digests),
        ]
        if place in outputs:
            problems += _against_tables(run, digests, tables)
            problems += _against_report(run, "train", ("run", "steps", "tokens"), tables.files)
            problems += _base(run, notes)
        if place in judged:
            problems += _against_report(run, "evaluate", ("run",), tables.files)
        counted += 1
    what = "weights, rows, data, params rehashed"
    return Check("runs", f"{counted} run(s): {what}", tuple(problems), tuple(notes))


def decoded_manifest(place: str, data: bytes) -> Manifest | Diagnostic:
    """A run's manifest, or what is wrong with its form."""
    try:
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return problem(place, "unreadable_manifest", str(error), "a manifest of this version", _FIX)


def row_problems(place: str, rows: str, manifest: Manifest, digests: bytes | None) -> Iterator[Diagnostic]:
    """What is wrong with the rows of a run, and with its name.

    place: of the manifest. rows: of the file of the sorted row digests. digests: its bytes; null where there
    is none.
    """
    seen = manifest.data_hashes.get("train") or manifest.data_hashes.get("text") or ""
    name = f"{manifest.recipe}-{seen[:_SHORT]}-"
    if not manifest.run.startswith(name):
        yield problem(place, "wrong_manifest", f"the run {manifest.run!r}", f"a name on {name}", _FIX)
    if digests is None:
        yield problem(rows, "missing_file", "no file that can be read", f"the rows of {manifest.run}", _FIX)
        return
    if (now := hash_content(digests)) != manifest.rows_sha256:
        expected = f"{short(manifest.rows_sha256)} of {place}"
        yield problem(rows, "wrong_rows", f"SHA-256 {short(now)}", expected, _FIX)
    if (now := hash_split(set(digests.decode("ascii", "replace").split()))) != seen:
        yield problem(rows, "wrong_rows", f"data hash {short(now)}", f"{short(seen)} of {place}", _FIX)


def weight_problem(place: str, manifest: Manifest, folder: Path) -> Iterator[Diagnostic]:
    """The weights in a folder, if they are not the manifest's. place: of the folder."""
    if (now := hash_model(folder)) != manifest.weights_sha256:
        found, expected = f"SHA-256 {short(now)}", f"{short(manifest.weights_sha256)} of {manifest.run}"
        yield problem(place, "wrong_weights", found, expected, _FIX)


def _row_digests(run: _Run) -> bytes | None:
    path = run.folder / ROWS
    return path.read_bytes() if path.is_file() else None


def _weights(run: _Run) -> Iterator[Diagnostic]:
    weights, place = run.folder / WEIGHTS, f"{run.place.rpartition('/')[0]}/{WEIGHTS}"
    if weights.is_dir():
        yield from weight_problem(place, run.manifest, weights)
    else:
        yield problem(place, "missing_file", "no weights", f"those of {run.manifest.run}", _FIX)


def _against_tables(run: _Run, digests: bytes | None, tables: Tables) -> Iterator[Diagnostic]:
    found = {
        name: set(table.column("digest").to_pylist())
        for name in ("train", "validation", "test")
        if (table := tables.narrow(layout.training(name))) is not None
    }
    for name, told in run.manifest.data_hashes.items():
        if name in found and (now := hash_split(found[name])) != told:
            expected = f"{short(now)} of {layout.training(name).as_posix()}"
            place = f"{run.place}: data_hashes.{name}"
            yield problem(place, "wrong_manifest", short(told), expected, _FIX)
    seen = set((digests or b"").decode("ascii", "replace").split())
    rows = f"{run.place.rpartition('/')[0]}/{ROWS}"
    if digests is not None and "train" in run.manifest.data_hashes and "train" in found:
        for what, which in (
            ("that no train row has", seen - found["train"]),
            ("missing", found["train"] - seen),
        ):
            if which:
                several = f"{len(which):,} digests {what}: {some([short(one) for one in which])}"
                yield problem(rows, "wrong_rows", several, "those of data/training/train.parquet", _FIX)
    if held := seen & found.get("test", set()):
        several = f"{len(held):,} rows of the test split: {some([short(one) for one in held])}"
        yield problem(rows, "leaked", several, "no row that is tested", "run `dvc repro`")
    if found.keys() >= {"train", "validation"} and "train" in run.manifest.data_hashes:
        yield from _params(run, tables)


def _params(run: _Run, tables: Tables) -> Iterator[Diagnostic]:
    """The end of the run's name: recipe, base, and how the rows were rendered."""
    from stages.train.manifest import params_hash
    from stages.train.params import TrainParams
    from stages.train.rows import chat_rows

    recipe, shared = run.manifest.params.get("recipe", {}), run.manifest.params.get("shared", {})
    # Soft prompts are batched in another way than is asked for, and the name has what was asked for.
    asked: Sequence[dict[str, Any]] = (shared, {**shared, "batching": "shared_prefix"})
    try:
        train, watched = (chat_rows(tables.whole(layout.training(name))) for name in ("train", "validation"))
        watched.sort(key=lambda row: hash_content(repr(row).encode()))
        hashes = []
        for one in asked:
            document = {"recipe": run.manifest.recipe, "shared": one}
            params = msgspec.convert({**document, "recipes": {run.manifest.recipe: recipe}}, TrainParams)
            hashes.append(params_hash(params, run.manifest.base_sha256, train, watched)[:_SHORT])
    except (msgspec.ValidationError, UserError) as error:
        yield problem(f"{run.place}: params", "wrong_manifest", str(error), "the params of a run", _FIX)
        return
    if run.manifest.run.rpartition("-")[2] not in hashes:
        expected = f"one that ends in {hashes[0]}, the hash of its params and training rows"
        yield problem(f"{run.place}: run", "wrong_manifest", run.manifest.run, expected, _FIX)


def _against_report(run: _Run, stage: str, keys: Sequence[str], files: Path) -> Iterator[Diagnostic]:
    path = layout.report(stage)
    try:
        report = json.loads((files / path).read_bytes())
    except (FileNotFoundError, ValueError):
        return  # Its hash tells.
    for key in keys:
        if report.get(key) != (told := getattr(run.manifest, key)):
            found, expected = f"{key} {report.get(key)}", f"{told} of {run.place}"
            yield problem(path.as_posix(), "wrong_count", found, expected, f"run `dvc repro {stage}`")


def _base(run: _Run, notes: list[str]) -> Iterator[Diagnostic]:
    base = run.manifest.base
    if isinstance(base, HubBase):
        notes.append(f"the base model {base.id} comes from a hub: not checked")
        return
    if isinstance(base, PackagedBase) and find_spec(base.package) is None:
        notes.append(f"the base model's package {base.package} is not installed: not checked")
        return
    try:
        now = find_base(base).sha256
    except UserError as error:
        yield from error.diagnostics
        return
    if now != run.manifest.base_sha256:
        found, expected = f"base_sha256 {short(run.manifest.base_sha256)}", f"{short(now)} of the base model"
        yield problem(run.place, "wrong_manifest", found, expected, _FIX)
