"""`dvc.lock` against the files: the hash of every dependency and output."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pathspec import GitIgnoreSpec

from exemplars.audit.dvc_cache import Output
from exemplars.audit.git_history import run_git
from exemplars.audit.revisions import Revision, Stage
from exemplars.audit.verification.checks import Check, build_diagnostic, shorten_hash
from exemplars.audit.verification.dir_manifests import reconstruct_dir_manifest
from exemplars.audit.verification.hashes import (
    hash_dir_manifest,
    hash_files,
    hash_md5_file,
    list_files,
    parse_dvcignore,
)
from exemplars.core.errors import Diagnostic, summarize_names


class FileCheck(NamedTuple):
    """The check, and what it found for other checks to use."""

    check: Check
    changed: frozenset[str]
    """The files that differ from `dvc.lock`."""


class _Recorded(NamedTuple):
    """The hashes that `dvc.lock` recorded."""

    stages: Mapping[str, Mapping[str, list[str]]]
    """By path and hash, the stages that read or wrote it."""
    written: Mapping[str, str]
    """The hash of each output, by path."""

    def find_expected(self, path: str, current: str | None) -> str:
        """Find the hash that a path should have: as it was written, or else as any stage read it."""
        hashes = self.stages[path]
        if path in self.written:
            return self.written[path]
        return current if current is not None and current in hashes else next(iter(hashes))


class _Folder(NamedTuple):
    """A folder whose hash differs from `dvc.lock`."""

    recorded: Output
    stages: tuple[str, ...]
    current: dict[str, str]
    """The MD5 of each file, by path relative to the folder."""


class _Difference(NamedTuple):
    """A file that differs from `dvc.lock`, and the stages that recorded it; `None` if it is missing."""

    path: str
    current: str | None
    recorded: str | None
    stages: tuple[str, ...]


def check_files(revision: Revision, stages: Iterable[Stage], files: Path) -> FileCheck:
    """Hash all that the stages read and wrote, and name each file that differs from `dvc.lock`.

    files: the folder that holds the revision's files.
    """
    recorded = _collect_hashes(list(stages))
    ignored = parse_dvcignore((revision.read_file(".dvcignore") or b"").decode("utf-8", "replace"))
    folders = {
        path: list_files(files, path, ignored)
        for path, hashes in recorded.stages.items()
        if any(md5.endswith(".dir") for md5 in hashes)
    }
    single = [path for path in recorded.stages if path not in folders]
    names = {*single, *(f"{folder}/{name}" for folder, inside in folders.items() for name in inside)}
    digests = hash_files([files / name for name in names], hash_md5_file)
    current = {name: digests[files / name] for name in names}

    differences = {difference.path: difference for difference in _compare_files(recorded, single, current)}
    for path, inside in folders.items():
        listing = {name: current[f"{path}/{name}"] or "unreadable" for name in inside}
        for difference in _compare_folder(revision, recorded, path, listing, ignored):
            differences.setdefault(difference.path, difference)
    fixes = _suggest_fixes(revision, differences, recorded.written)
    problems = [
        *_find_disagreements(recorded),
        *(_report(difference, fixes[path]) for path, difference in sorted(differences.items())),
    ]
    counted = f"{len(names):,} files of {len(recorded.stages):,} dependencies and outputs hashed"
    return FileCheck(Check("files", counted, tuple(problems)), frozenset(differences))


def _collect_hashes(stages: Iterable[Stage]) -> _Recorded:
    users: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    written = {}
    for stage in stages:
        written.update({output.path: output.md5 for output in stage.outs})
        for entry in (*stage.outs, *stage.list_local_deps()):
            users[entry.path][entry.md5].append(stage.name)
    return _Recorded(users, written)


def _find_disagreements(recorded: _Recorded) -> Iterator[Diagnostic]:
    """Find the paths for which stages recorded different hashes."""
    for path, hashes in sorted(recorded.stages.items()):
        if len(hashes) > 1:
            expected = recorded.find_expected(path, None)
            others = sorted(name for md5, names in hashes.items() if md5 != expected for name in names)
            agreeing = sorted(hashes[expected])
            yield build_diagnostic(
                path,
                "stages_disagree",
                f"{len(hashes)} hashes",
                "one hash in dvc.lock",
                "run `dvc repro`",
                f"{summarize_names(others)} read a different version than {summarize_names(agreeing)}",
            )


def _compare_files(
    recorded: _Recorded, paths: Iterable[str], current: Mapping[str, str | None]
) -> Iterator[_Difference]:
    for path in paths:
        expected = recorded.find_expected(path, current[path])
        if current[path] != expected:
            yield _Difference(path, current[path], expected, tuple(recorded.stages[path][expected]))


def _compare_folder(
    revision: Revision, recorded: _Recorded, path: str, current: dict[str, str], ignored: GitIgnoreSpec
) -> list[_Difference]:
    """Find the files of a folder that differ; the folder itself if its former files are unknown."""
    md5 = hash_dir_manifest(current)
    expected = recorded.find_expected(path, md5)
    if expected == md5:
        return []
    stages = tuple(recorded.stages[path][expected])
    former = reconstruct_dir_manifest(revision, Output(path, expected), current, ignored)
    if former is None:
        return [_Difference(path, md5 if current else None, expected, stages)]
    return [
        _Difference(f"{path}/{name}", current.get(name), former.get(name), stages)
        for name in sorted({*current, *former})
        if current.get(name) != former.get(name)
    ]


def _suggest_fixes(
    revision: Revision, differences: Mapping[str, _Difference], written: Iterable[str]
) -> dict[str, str]:
    """Suggest how to fix each path: from git, from DVC's cache, or by hand."""
    if not differences:
        return {}
    if revision.commit is not None:
        fix = f"`exemplars verify --rev {revision.name} --fetch` fetches what is not in DVC's cache"
        return dict.fromkeys(differences, fix)
    pathspec = ["--", *sorted(differences)]
    tracked = set((run_git(revision.root, "ls-files", "-z", *pathspec) or "").split("\0"))
    changed = run_git(revision.root, "diff", "--name-only", "-z", "HEAD", *pathspec)
    edited = set((changed or "").split("\0"))
    fixes = {}
    for path, difference in differences.items():
        if path in edited:
            fixes[path] = f"`git diff {path}` shows the change: revert it, or run `dvc repro`"
        elif path in tracked:
            fixes[path] = f"`git log -p {path}` shows the change: run `dvc repro`"
        elif difference.recorded is None:
            fixes[path] = "remove it, or run `dvc repro`"
        elif any(path == output or path.startswith(f"{output}/") for output in written):
            fixes[path] = f"`dvc checkout -f {path}` restores it, or `dvc repro` recreates it"
        else:
            fixes[path] = "restore it, or run `dvc repro`"
    return fixes


def _report(difference: _Difference, fix: str) -> Diagnostic:
    path, current, recorded = difference.path, difference.current, difference.recorded
    stages = summarize_names(sorted(difference.stages))
    if current is None:
        return build_diagnostic(
            path, "missing_file", "no readable file", f"the one recorded by {stages}", fix
        )
    if recorded is None:
        summary = f"the file did not exist when {stages} ran"
        return build_diagnostic(path, "unexpected_file", "a new file", f"the files of {stages}", fix, summary)
    found, expected = f"MD5 {shorten_hash(current)}", f"{shorten_hash(recorded)} (recorded by {stages})"
    return build_diagnostic(path, "changed_file", found, expected, fix)
