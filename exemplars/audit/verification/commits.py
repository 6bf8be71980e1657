"""The code and contracts that stages ran with, against the commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from exemplars.audit.git_history import run_git
from exemplars.audit.revisions import LOCK, Revision, Stage
from exemplars.audit.verification.checks import Check, build_diagnostic, shorten_hash
from exemplars.audit.verification.hashes import list_files, parse_dvcignore
from exemplars.core.code_version import CODE_KEY, get_version, hash_stage_code, list_stages
from exemplars.core.errors import Diagnostic, summarize_names

_RAW: Final = "data/raw"
_PIPELINE: Final = "dvc.yaml"
_NO_COMMIT: Final = "not checked: git has no commit of this project"


def check_code(
    revision: Revision,
    stages: Iterable[Stage],
    sources: Collection[str],
    files: Path,
    params: Mapping[str, Any],
) -> Check:
    """Compare the code, schemas and lexicons that stages depend on with the objects of git's commit.

    sources: the folders of the raw data, whose changes other checks find. files: the folder that holds the
    revision's files. Of a commit they are the commit's own, so there is nothing to compare. params: with the hashes
    of `code.yaml`, if the code is an installed package: a note says which stages run with other code now.
    """
    notes = _compare_installed_code(params.get(CODE_KEY) or {})
    paths = _list_dependencies(revision, list(stages), sources, files)
    if revision.commit is not None:
        return Check("code", f"{len(paths):,} files of code and schemas, from the commit", notes=notes)
    committed = _list_blobs(revision.root)
    if not committed:
        return Check("code", "0 files compared", notes=(_NO_COMMIT, *notes))
    current = _hash_blobs(revision.root, paths)
    problems = tuple(_find_changes(paths, current, committed))
    return Check("code", f"{len(paths):,} files of code and schemas compared with HEAD", problems, notes)


def _compare_installed_code(recorded: Mapping[str, str]) -> tuple[str, ...]:
    """Compare the hashes of `code.yaml` with the installed package."""
    known = list_stages()
    changed = [name for name in known if name in recorded and recorded[name] != hash_stage_code(name)]
    if not recorded:
        return ()
    if not changed:
        return (f"the code of all stages is that of the installed exemplars {get_version()}",)
    return (f"exemplars {get_version()} is installed, with other code of {summarize_names(changed)}",)


def _list_dependencies(
    revision: Revision, stages: list[Stage], sources: Collection[str], files: Path
) -> list[str]:
    """List the files that stages depend on, except raw data and what other stages wrote, and `dvc.yaml`."""
    ignored = parse_dvcignore((revision.read_file(".dvcignore") or b"").decode("utf-8", "replace"))
    written = [out.path for stage in stages for out in stage.outs]
    paths = {_PIPELINE}
    for dep in {dep for stage in stages for dep in stage.deps}:
        inside = [dep.path]
        if dep.is_folder:
            inside = [f"{dep.path}/{name}" for name in list_files(files, dep.path, ignored)]
        paths |= {path for path in inside if not _is_below(path, (_RAW, *sources, *written))}
    return sorted(path for path in paths if (files / path).is_file())


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _list_blobs(root: Path) -> dict[str, str]:
    """List the names of the objects of all files at `HEAD`."""
    prefix = (run_git(root, "rev-parse", "--show-prefix") or "").strip()
    listed = run_git(root, "ls-tree", "-r", "-z", "HEAD") or ""
    entries = (entry.partition("\t") for entry in listed.split("\0") if entry)
    return {path.removeprefix(prefix): about.split()[2] for about, _, path in entries}


def _hash_blobs(root: Path, paths: list[str]) -> dict[str, str]:
    """Hash files as git does, with the project's filters."""
    printed = run_git(root, "hash-object", "--", *paths) if paths else ""
    return dict(zip(paths, (printed or "").split(), strict=False))


def _find_changes(
    paths: Iterable[str], current: dict[str, str], committed: dict[str, str]
) -> Iterator[Diagnostic]:
    for path in paths:
        if path not in committed:
            summary = f"no commit has this file, which stages of {LOCK} ran with"
            yield build_diagnostic(
                path,
                "uncommitted_code",
                "a new file",
                "a committed one",
                f"`git add {path}` and commit",
                summary,
            )
        elif current.get(path) != committed[path]:
            found = f"git object {shorten_hash(current.get(path, 'none'))}"
            expected = f"{shorten_hash(committed[path])}, as at HEAD"
            fix = f"`git diff HEAD -- {path}` shows the change: commit it, or revert it and run `dvc repro`"
            yield build_diagnostic(path, "uncommitted_code", found, expected, fix)
