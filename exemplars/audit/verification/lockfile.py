"""`dvc.lock` against the files: the hash of every dependency and output."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pathspec import GitIgnoreSpec

from exemplars.audit.revisions import Output, Revision, Stage, git
from exemplars.audit.verification.checks import Check, problem, short, some
from exemplars.audit.verification.dir_manifests import held_then
from exemplars.audit.verification.hashes import file_digests, files_below, ignored, listing_md5
from exemplars.core.errors import Diagnostic


class Locked(NamedTuple):
    """What became of the check."""

    check: Check
    changed: frozenset[str]
    """The files that are not those of `dvc.lock`."""


class _Folder(NamedTuple):
    """A folder of `dvc.lock` as it lies there."""

    output: Output
    stages: tuple[str, ...]
    now: dict[str, str]


class _Difference(NamedTuple):
    """A file that is another one, with the stages whose hashes say so; null: there is none."""

    path: str
    now: str | None
    then: str | None
    stages: tuple[str, ...]


def check_files(revision: Revision, stages: Iterable[Stage], files: Path) -> Locked:
    """Hash all that the stages read and wrote, and name each file that is another one.

    files: the folder where the revision's files lie.
    """
    stages = list(stages)
    users = _users(stages)
    written = {out.path: out.md5 for stage in stages for out in stage.outs}
    left_out = ignored((revision.file(".dvcignore") or b"").decode("utf-8", "replace"))
    below = {
        path: files_below(files, path, left_out)
        for path, hashes in users.items()
        if any(md5.endswith(".dir") for md5 in hashes)
    }
    single = [path for path in users if path not in below]
    names = {*single, *(f"{folder}/{name}" for folder, inside in below.items() for name in inside)}
    digests = file_digests([files / name for name in names], "md5")
    now = {name: digests[files / name] for name in names}

    problems = list(_disagreements(users, written))
    differences = {one.path: one for one in _files(users, single, written, now)}
    for path, inside in below.items():
        listing = {name: now[f"{path}/{name}"] or "unreadable" for name in inside}
        then = _right(path, users, written, listing_md5(listing))
        if then != listing_md5(listing):
            folder = _Folder(Output(path, then), tuple(users[path][then]), listing)
            for one in _in_folder(revision, folder, left_out):
                differences.setdefault(one.path, one)
    fixes = _fixes(revision, differences, written)
    problems += [_told(one, fixes[path]) for path, one in sorted(differences.items())]
    counted = f"{len(names):,} files of {len(users):,} dependencies and outputs hashed"
    return Locked(Check("files", counted, tuple(problems)), frozenset(differences))


def _users(stages: Iterable[Stage]) -> dict[str, dict[str, list[str]]]:
    """By path and hash, the stages that read or wrote it."""
    users: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for stage in stages:
        for one in (*stage.outs, *stage.deps):
            users[one.path][one.md5].append(stage.name)
    return users


def _disagreements(
    users: Mapping[str, Mapping[str, Collection[str]]], written: Mapping[str, str]
) -> Iterator[Diagnostic]:
    """Where one stage read something else than another one read or wrote."""
    for path, hashes in sorted(users.items()):
        if len(hashes) > 1:
            right = written.get(path, next(iter(hashes)))
            others = sorted(name for md5, by in hashes.items() if md5 != right for name in by)
            yield problem(
                path,
                "stages_disagree",
                f"that {some(others)} read another one than {some(hashes[right])}",
                "one hash in dvc.lock",
                "run `dvc repro`",
            )


def _files(
    users: Mapping[str, Mapping[str, Collection[str]]],
    single: Iterable[str],
    written: Mapping[str, str],
    now: Mapping[str, str | None],
) -> Iterator[_Difference]:
    for path in single:
        then = _right(path, users, written, now[path])
        if now[path] != then:
            yield _Difference(path, now[path], then, tuple(users[path][then]))


def _right(
    path: str,
    users: Mapping[str, Mapping[str, Collection[str]]],
    written: Mapping[str, str],
    now: str | None,
) -> str:
    """The hash that a path should have: as it was written, or else as any stage read it."""
    hashes = users[path]
    return written.get(path) or (now if now is not None and now in hashes else next(iter(hashes)))


def _in_folder(revision: Revision, folder: _Folder, left_out: GitIgnoreSpec) -> list[_Difference]:
    """The files of a changed folder that differ; the folder itself where nothing says which."""
    path, now = folder.output.path, folder.now
    then = held_then(revision, folder.output, now, left_out)
    if then is None:
        return [_Difference(path, listing_md5(now) if now else None, folder.output.md5, folder.stages)]
    return [
        _Difference(f"{path}/{name}", now.get(name), then.get(name), folder.stages)
        for name in sorted({*now, *then})
        if now.get(name) != then.get(name)
    ]


def _fixes(revision: Revision, paths: Collection[str], written: Iterable[str]) -> dict[str, str]:
    """What to do about each path: git has it, or DVC's cache, or neither."""
    if not paths:
        return {}
    if revision.commit is not None:
        fix = f"`exemplars verify --rev {revision.name} --fetch` brings what DVC's cache lacks"
        return dict.fromkeys(paths, fix)
    at = ["--", *sorted(paths)]
    tracked = set((git(revision.root, "ls-files", "-z", *at) or "").split("\0"))
    edited = set((git(revision.root, "diff", "--name-only", "-z", "HEAD", *at) or "").split("\0"))
    fixes = {}
    for path in paths:
        if path in edited:
            fixes[path] = f"`git diff {path}` shows the change: take it back, or run `dvc repro`"
        elif path in tracked:
            fixes[path] = f"`git log -p {path}` shows the change: run `dvc repro`"
        elif any(path == out or path.startswith(f"{out}/") for out in written):
            fixes[path] = f"`dvc checkout -f {path}` brings it back, or `dvc repro` makes it anew"
        else:
            fixes[path] = "bring it back, or run `dvc repro`"
    return fixes


def _told(one: _Difference, fix: str) -> Diagnostic:
    stages = some(one.stages)
    if one.now is None:
        return problem(one.path, "missing_file", "no file that can be read", f"that of {stages}", fix)
    if one.then is None:
        return problem(one.path, "unexpected_file", "a file that was not there", f"those of {stages}", fix)
    found, expected = f"md5 {short(one.now)}", f"{short(one.then)} of {stages}"
    return problem(one.path, "changed_file", found, expected, fix)
