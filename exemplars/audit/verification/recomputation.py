"""The outputs of stages, recomputed from their recorded inputs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

from pathspec import GitIgnoreSpec

from exemplars.audit.revisions import Revision, Stage
from exemplars.audit.verification.checks import Check, build_diagnostic
from exemplars.audit.verification.differences import find_differences
from exemplars.audit.verification.hashes import (
    hash_dir_manifest,
    hash_files,
    hash_md5_file,
    list_files,
    parse_dvcignore,
)
from exemplars.audit.verification.sandbox import (
    CODE_ROOT,
    StageFailure,
    is_code,
    make_sandbox,
    remove_leftovers,
    run_stage,
    write_pipeline,
)
from exemplars.core import layout
from exemplars.core.code_version import CODE_KEY, hash_stage_code, list_stages
from exemplars.core.errors import Diagnostic, summarize_names
from exemplars.core.workers import count_workers

_FAST: Final = ("ingest", "compile", "split")
_SLOW: Final = ("render", "publish", "curate", "validate")
"""Those that take several seconds each, the longest first: they import a tokenizer, or large libraries."""
_UNAVAILABLE: Final = frozenset({"base_model", "no_embeddings", "no_surrogate_key", "no_erasure_key"})
"""Errors of a stage about what is not on this machine: not a problem of the data."""


class Recompute(StrEnum):
    """Which outputs are recomputed."""

    NONE = "none"
    FAST = "fast"
    """Those of the stages that take less than a second on the default data, and the figures of the evaluation."""
    ALL = "all"
    """Those of all stages except training and the answers of models."""


class _Replay(NamedTuple):
    """What running a stage again showed."""

    files: int
    problems: tuple[Diagnostic, ...] = ()
    note: str = ""
    """Why the stage was not run again; empty if it was."""


class _Context(NamedTuple):
    """What all stages have in common."""

    revision: Revision
    files: Path
    changed: Collection[str]
    ignored: GitIgnoreSpec
    pipeline: Mapping[str, bytes]


def check_recomputation(
    revision: Revision,
    stages: Sequence[Stage],
    files: Path,
    changed: Collection[str],
    stale: Collection[str],
    extent: Recompute,
) -> Check:
    """Run stages again on their recorded inputs, and compare what they write with the recorded outputs.

    files: the folder that holds the revision's files. changed: the files that differ from `dvc.lock`.
    stale: the stages that ran with other parameters than those in `params.yaml`.
    """
    names = {Recompute.NONE: (), Recompute.FAST: _FAST, Recompute.ALL: (*_SLOW, *_FAST)}[extent]
    ignored = parse_dvcignore((revision.read_file(".dvcignore") or b"").decode("utf-8", "replace"))
    pipeline = {name: revision.read_file(name) or b"" for name in ("params.yaml", "dvc.yaml")}
    context = _Context(revision, files, changed, ignored, pipeline)
    chosen = sorted(
        (stage for stage in stages if _get_kind(stage) in names),
        key=lambda stage: names.index(_get_kind(stage)),
    )
    code = _hash_code(chosen, ignored)
    kinds = [kind for kind in _SLOW if any(_get_kind(stage) == kind for stage in stages)]
    has_models = any(_get_kind(stage) == "train" for stage in stages)
    remove_leftovers(revision.root)
    with ThreadPoolExecutor(count_workers(0)) as pool:
        replays = list(pool.map(lambda stage: _replay_stage(stage, context, code, stale), chosen))
    return _summarize(chosen, replays, extent, kinds, has_models)


def _get_kind(stage: Stage) -> str:
    return stage.name.partition("@")[0]


def _summarize(
    stages: Sequence[Stage],
    replays: Sequence[_Replay],
    extent: Recompute,
    slow: Sequence[str],
    has_models: bool,
) -> Check:
    """Summarize what was run again. slow: the stages that only `Recompute.ALL` runs."""
    by_note: dict[str, list[str]] = {}
    for stage, replay in zip(stages, replays, strict=True):
        if replay.note:
            by_note.setdefault(replay.note, []).append(stage.name)
    notes = [f"not recomputed: {summarize_names(names, 4)}: {note}" for note, names in by_note.items()]
    if extent is Recompute.NONE:
        notes.append("nothing is recomputed from its inputs: see --recompute")
    elif extent is Recompute.FAST:
        notes.append(f"{', '.join(slow)}: only with --recompute")
    if has_models:
        notes.append("never recomputed: trained weights, losses, answers of models")
    done = sum(not replay.note for replay in replays)
    counted = f"{sum(replay.files for replay in replays):,} outputs of {done} stages recomputed"
    problems = tuple(problem for replay in replays for problem in replay.problems)
    return Check("recomputed", counted, problems, tuple(notes))


def _hash_code(stages: Iterable[Stage], ignored: GitIgnoreSpec) -> dict[str, str]:
    """Hash the installed code as DVC does, by the path of the dependency."""
    paths = sorted({dep.path for stage in stages for dep in stage.deps if is_code(dep.path)})
    listings = {path: list_files(CODE_ROOT, path, ignored) for path in paths}
    places = [CODE_ROOT / path / name for path, names in listings.items() for name in names]
    digests = hash_files(places, hash_md5_file)
    return {
        path: hash_dir_manifest({name: digests[CODE_ROOT / path / name] or "" for name in names})
        for path, names in listings.items()
    }


def _replay_stage(
    stage: Stage, context: _Context, code: Mapping[str, str], stale: Collection[str]
) -> _Replay:
    if any(code.get(dep.path, dep.md5) != dep.md5 for dep in stage.deps) or _has_other_package(stage):
        return _Replay(0, note="it ran with other code than is installed")
    if stage.name in stale:
        return _Replay(0, note="it ran with other parameters")
    inputs = _list_inputs(stage, context)
    outputs = sorted(path for out in stage.outs for path in _list_paths(out.path, out.is_folder, context))
    if any(path in context.changed or not file.is_file() for path, file in inputs.items()):
        return _Replay(0, note="its inputs changed, or are not here")
    if _get_kind(stage) == "render":
        base = _read_base(context.files)
        if base.get("from") == "hub":
            return _Replay(0, note="its base model comes from a hub")
        inputs |= _list_base_files(context.revision.root, base)
    kind, _, key = stage.name.partition("@")
    with make_sandbox(context.revision.root, inputs) as folder:
        write_pipeline(folder, context.pipeline)
        failure = run_stage(folder, kind, *filter(None, [key]))
        if failure is not None:
            return _report_failure(stage, failure)
        problems = [
            problem
            for path in outputs
            if path not in context.changed
            for problem in find_differences(path, context.files / path, folder / path, kind)
        ]
        problems += _find_lost(stage, folder, outputs, context.ignored)
    return _Replay(len(outputs), tuple(problems))


def _has_other_package(stage: Stage) -> bool:
    """Return whether a stage ran with the code of another version of the package than is installed."""
    kind = _get_kind(stage)
    recorded = stage.params.get(f"{CODE_KEY}.{kind}")
    return recorded is not None and (kind not in list_stages() or recorded != hash_stage_code(kind))


def _list_inputs(stage: Stage, context: _Context) -> dict[str, Path]:
    paths = [
        path
        for dep in stage.deps
        if not is_code(dep.path)
        for path in (_list_paths(dep.path, dep.is_folder, context) or [dep.path])
    ]
    return {path: context.files / path for path in paths}


def _list_paths(path: str, is_folder: bool, context: _Context) -> list[str]:
    if not is_folder:
        return [path]
    return [f"{path}/{name}" for name in list_files(context.files, path, context.ignored)]


def _read_base(files: Path) -> dict[str, Any]:
    """Read which base model the rows were rendered for; empty if the manifest is damaged."""
    try:
        base = json.loads((files / layout.TRAINING_BASE).read_bytes())["base"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return base if isinstance(base, dict) else {}


def _list_base_files(root: Path, base: Mapping[str, Any]) -> dict[str, Path]:
    """List the files of a base model that is a folder in the project; no stage has it as a dependency."""
    path = str(base.get("path", ""))
    if base.get("from") != "folder" or Path(path).is_absolute() or ".." in Path(path).parts:
        return {}
    files = (file for file in (root / path).rglob("*") if file.is_file())
    return {file.relative_to(root).as_posix(): file for file in files}


def _report_failure(stage: Stage, failure: StageFailure) -> _Replay:
    if failure.code in _UNAVAILABLE or failure.sentence.startswith("ModuleNotFoundError"):
        return _Replay(0, note=" ".join(failure.sentence.split())[:160])
    problem = build_diagnostic(
        f"stage {stage.name}",
        "not_reproducible",
        f"that it fails on its recorded inputs ({failure.sentence[:200]})",
        "the outputs that it wrote",
        f"run `dvc repro -f -s {stage.name}`",
    )
    return _Replay(0, (problem,))


def _find_lost(
    stage: Stage, folder: Path, outputs: Collection[str], ignored: GitIgnoreSpec
) -> Iterable[Diagnostic]:
    """Find the files that a stage writes into a folder, and that the recorded folder does not have."""
    for out in stage.outs:
        if out.is_folder:
            for name in list_files(folder, out.path, ignored):
                if (path := f"{out.path}/{name}") not in outputs:
                    expected = f"the file that {stage.name} writes"
                    fix = f"run `dvc repro {stage.name}`"
                    yield build_diagnostic(path, "other_output", "no such file", expected, fix)
