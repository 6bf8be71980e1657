"""`dvc.lock` against `dvc.yaml`: the command, dependencies, outputs and parameters of each stage; missing stages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from exemplars.audit.revisions import LOCK, Revision, Stage
from exemplars.audit.verification.checks import Check, build_diagnostic
from exemplars.audit.verification.parameters import ABSENT, get_value
from exemplars.core.errors import Diagnostic, UserError, summarize_names

_REFERENCE: Final = re.compile(r"\$\{ *([\w.\-@]+) *\}")
_OUTPUTS: Final = ("outs", "metrics", "plots")


def resolve_stages(pipeline: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Resolve the stages of `dvc.yaml`: an instance `name@key` for each item of a `foreach`, references replaced.

    >>> resolve_stages({"stages": {"train": {"cmd": "train ${recipe}"}}}, {"recipe": "lora"})
    {'train': {'cmd': 'train lora'}}
    """
    resolved: dict[str, dict[str, Any]] = {}
    for name, stage in (pipeline.get("stages") or {}).items():
        if not isinstance(stage, dict):
            continue
        if "foreach" not in stage:
            resolved[name] = _resolve(stage, params)
            continue
        items = stage["foreach"]
        if isinstance(items, str) and (reference := _REFERENCE.fullmatch(items)):
            items = get_value(params, reference[1])
        if not isinstance(items, (dict, list)):
            continue
        for item in items:
            value = items[item] if isinstance(items, dict) else item
            resolved[f"{name}@{item}"] = _resolve(stage["do"], {**params, "key": item, "item": value})
    return resolved


def _resolve(value: Any, names: Mapping[str, Any]) -> Any:
    """Replace the references in every text of a value; an unknown one stays."""
    if isinstance(value, dict):
        return {_resolve(key, names): _resolve(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, names) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        found = get_value(dict(names), match[1])
        return match[0] if found is ABSENT else str(found)

    return _REFERENCE.sub(replace, value)


def check_stages(
    revision: Revision,
    defined: Mapping[str, Mapping[str, Any]],
    files: Path,
    left_out: Collection[str] = (),
) -> Check:
    """Compare the stages of `dvc.lock` with those of `dvc.yaml`.

    A stage that has never run is a note; one that wrote files, or whose files another stage read, is a problem.
    defined: by `resolve_stages`. files: the folder that holds the revision's files. left_out: the names of defined
    stages that are not checked, which is a note.
    Raises `UserError` if no stage has run.
    """
    locked = {name: stage for name, stage in revision.stages.items() if name not in left_out}
    defined = {name: stage for name, stage in defined.items() if name not in left_out}
    if not locked.keys() & defined.keys():
        fix, summary = "run `dvc repro`", "no stage of dvc.yaml has run"
        raise UserError(
            [build_diagnostic(LOCK, "no_stages", "no stage of dvc.yaml", "those that ran", fix, summary)]
        )
    problems: list[Diagnostic] = []
    for name in sorted(locked.keys() & defined.keys()):
        problems += _compare_stage(locked[name], defined[name])
    pending = sorted(defined.keys() - locked.keys())
    read = {dep.path: stage.name for stage in locked.values() for dep in stage.deps}
    written = [out.path for stage in locked.values() for out in stage.outs]
    missing = {
        name: trace
        for name in pending
        if (trace := _find_trace(_list_outputs(defined[name]), written, read, files))
    }
    problems += [_report_missing(name, trace) for name, trace in missing.items()]
    names = {
        "not run yet": [name for name in pending if name not in missing],
        "in dvc.lock, but no longer in dvc.yaml": sorted(locked.keys() - defined.keys()),
        "left out": left_out,
    }
    notes = tuple(f"{note}: {summarize_names(listed, 4)}" for note, listed in names.items() if listed)
    counted = f"{len(locked.keys() & defined.keys())} stages of dvc.lock"
    return Check("stages", counted, tuple(problems), notes)


def _compare_stage(stage: Stage, defined: Mapping[str, Any]) -> Iterator[Diagnostic]:
    fix = f"`git diff {LOCK} dvc.yaml` shows a change: revert it, or run `dvc repro {stage.name}`"
    place = f"{LOCK}: {stage.name}"
    command = defined.get("cmd")
    if isinstance(command, str) and " ".join(command.split()) != " ".join(str(stage.command).split()):
        found, expected = f"the command {stage.command!r}", f"{command!r}, as in dvc.yaml"
        yield build_diagnostic(place, "other_stage", found, expected, fix)
    parts = (
        ("dependencies", {dep.path for dep in stage.deps}, _list_names(defined.get("deps"))),
        ("outputs", {out.path for out in stage.outs}, _list_outputs(defined)),
        ("parameters", set(stage.params), _list_params(defined.get("params"), stage.params)),
    )
    for title, recorded, expected_names in parts:
        if missing := sorted(expected_names - recorded):
            found = f"{title} without {summarize_names(missing)}"
            yield build_diagnostic(place, "other_stage", found, "all of dvc.yaml", fix)
        if added := sorted(recorded - expected_names):
            found = f"{title} with {summarize_names(added)}"
            yield build_diagnostic(place, "other_stage", found, "only those of dvc.yaml", fix)


def _list_names(entries: Any) -> set[str]:
    """List the paths of `deps` or `outs`, which are written alone or with options."""
    if not isinstance(entries, list):
        return set()
    names = [entry if isinstance(entry, str) else next(iter(entry), "") for entry in entries]
    return {name.rstrip("/") for name in names if isinstance(name, str)}


def _list_outputs(defined: Mapping[str, Any]) -> set[str]:
    return {path for kind in _OUTPUTS for path in _list_names(defined.get(kind))}


def _list_params(entries: Any, recorded: Iterable[str]) -> set[str]:
    """List the keys of all parameter files; those of a whole file are the recorded ones."""
    keys: set[str] = set()
    for entry in entries or ():
        if isinstance(entry, str):
            keys.add(entry)
        elif isinstance(entry, dict):
            for names in entry.values():
                keys |= set(recorded) if names is None else set(names)
    return keys


def _find_trace(
    outputs: Collection[str], written: Collection[str], read: Mapping[str, str], files: Path
) -> str:
    """Find what shows that a stage without an entry in the lock has run; empty if nothing does."""
    for path in sorted(outputs):
        if path in read:
            return f"{path}, which {read[path]} read"
        if path not in written and (files / path).exists():
            return path
    return ""


def _report_missing(name: str, trace: str) -> Diagnostic:
    return build_diagnostic(
        f"{LOCK}: {name}",
        "missing_stage",
        f"no entry of the stage, but its output {trace}",
        "the hashes of its inputs and outputs",
        f"`git checkout {LOCK}` restores it if it was lost, or run `dvc repro {name}`",
    )
