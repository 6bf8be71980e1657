"""The project at a revision: the workspace, or a git commit whose outputs are in DVC's cache or remote.

Nothing is checked out. Files are read from git's objects; outputs are read from the cache, by the hashes in the
revision's `dvc.lock`. Objects that the cache does not have are fetched from the remote.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from exemplars.audit.dvc_cache import (
    Output,
    fetch_objects,
    locate_object,
    read_dir_manifest,
)
from exemplars.audit.git_history import read_history, require_full_history, run_git, run_git_bytes
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import write_bytes
from exemplars.core.layout import is_url

WORKSPACE: Final = "workspace"
"""The revision name of the files as they are on disk now."""
LOCK: Final = "dvc.lock"


class Stage(NamedTuple):
    """A stage of `dvc.lock`; an instance of a `foreach` stage is named like `ingest@sgd`."""

    name: str
    command: str
    deps: tuple[Output, ...]
    params: dict[str, Any]
    """Values by their dotted keys in `params.yaml`."""
    outs: tuple[Output, ...]

    def list_local_deps(self) -> list[Output]:
        """List the dependencies that are files or folders, and not at URLs."""
        return [dep for dep in self.deps if not is_url(dep.path)]


class Revision:
    """The project's files and outputs, at one point of its history."""

    def __init__(self, root: Path, name: str, commit: str | None) -> None:
        """root: of the git and DVC repository. commit: `None` for the workspace."""
        self.root = root
        self.name = name
        self.commit = commit

    def read_file(self, path: str) -> bytes | None:
        """Read a file of the workspace, or one that git tracks at the commit; `None` if it does not exist."""
        if self.commit is None:
            file = self.root / path
            return file.read_bytes() if file.is_file() else None
        return run_git_bytes(self.root, "show", f"{self.commit}:{path}")

    @cached_property
    def stages(self) -> dict[str, Stage]:
        """The stages of `dvc.lock`. Raises `UserError` if it is missing or damaged."""
        data = self.read_file(LOCK)
        if data is None:
            raise self._problem(LOCK, "no dvc.lock", "a revision with the results of a `dvc repro`")
        try:
            stages = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["stages"]
            return {name: _parse_stage(name, entry) for name, entry in stages.items()}
        except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:160]
            found = f"a damaged dvc.lock ({reason})" if data.strip() else "an empty dvc.lock"
            fix = "name another revision"
            if self.commit is None:  # DVC was killed while it wrote the file.
                fix = f"run `git checkout {LOCK}`, then `dvc repro`"
            raise self._problem(LOCK, found, "the file as `dvc repro` wrote it", fix) from None

    @cached_property
    def outputs(self) -> dict[str, Output]:
        """All outputs of all stages, by path."""
        return {out.path: out for stage in self.stages.values() for out in stage.outs}

    def has_output(self, path: Path) -> bool:
        """Check whether `path` is an output of a stage at this revision."""
        return path.as_posix() in self.outputs

    def locate_output(self, path: Path) -> Path:
        """Return the path of a file with an output's bytes: in the workspace, or in DVC's cache.

        path: of an output, or of a file below an output that is a folder. The object is fetched if the cache
        does not have it. Raises `UserError` if the revision has no such output, or if it is in neither cache
        nor remote.
        """
        if self.commit is None:
            return self.root / path
        return self._locate(path.as_posix(), self._find_md5(path.as_posix()))

    def _find_md5(self, path: str) -> str:
        if out := self.outputs.get(path):
            return out.md5
        for out in self.outputs.values():
            if out.is_folder and path.startswith(f"{out.path}/"):
                for entry in read_dir_manifest(self._locate(out.path, out.md5)):
                    if f"{out.path}/{entry.path}" == path:
                        return entry.md5
        raise self._problem(path, "no such output", "an output in this revision's dvc.lock")

    def _locate(self, path: str, md5: str) -> Path:
        cached = locate_object(self.root, md5)
        if cached.is_file():
            return cached
        if (data := self.read_file(path)) is not None and not md5.endswith(".dir"):
            return _write_copy(self.root, md5, data)  # An output with `cache: false`: git has it.
        fetch_objects(self.root, [md5])
        if cached.is_file():
            return cached
        raise self._problem(
            path,
            f"no object {md5} in DVC's cache or remote",
            "the output as it was at this revision",
            f"run `dvc fetch --all-commits`, or `git checkout {self.name}` and `dvc repro`",
        )

    def _problem(self, path: str, found: str, expected: str, fix: str = "name another revision") -> UserError:
        place = path if self.commit is None else f"{path} at {self.name}"
        return UserError(
            [Diagnostic(path=place, code="unusable_revision", found=found, expected=expected, fix=fix)]
        )


def open_revision(root: Path, name: str = WORKSPACE) -> Revision:
    """Open the workspace, or a commit by any name that git accepts. Raises `UserError` if git does not know it."""
    if name == WORKSPACE:
        return Revision(root, name, None)
    commit = run_git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if not commit:
        require_full_history(root)  # The commit may be among those that are missing.
        raise UserError(
            [
                Diagnostic(
                    path="git",
                    code="unknown_revision",
                    found=f"no revision {name!r}",
                    expected=f"a commit, branch or tag, or {WORKSPACE}",
                    fix="run `git log --oneline` to list commits",
                )
            ]
        )
    return Revision(root, name, commit.strip())


def check_lock(root: Path) -> None:
    """Raise `UserError` if the `dvc.lock` of the workspace is empty or damaged. There need not be one."""
    revision = Revision(root, WORKSPACE, None)
    if revision.read_file(LOCK) is not None:
        _ = revision.stages


def list_revisions(root: Path, *patterns: str) -> list[Revision]:
    """List the commits of all branches, tags and stashes that changed `dvc.lock`, newest first.

    Merges count if their file is neither parent's, and so do branches of which a merge kept nothing.
    patterns: of other files whose changes count, too, wherever they are: `*.dvc`.
    """
    command = ("--all", "--full-history", "-c", "--format=%x00%H", "--name-only", "--diff-filter=AM")
    log = read_history(root, *command, "--", LOCK, *(f":(glob)**/{pattern}" for pattern in patterns))
    commits = [entry.split("\n")[0] for entry in log.split("\0")[1:]]
    return [Revision(root, commit[:12], commit) for commit in commits]


def _write_copy(root: Path, md5: str, data: bytes) -> Path:
    """Write bytes from git's objects to a temporary file that is named by their hash."""
    copy = root / ".dvc" / "tmp" / "exemplars" / md5
    if not copy.is_file():
        write_bytes(copy, data)
    return copy


def _parse_stage(name: str, entry: dict[str, Any]) -> Stage:
    params = {key: value for values in entry.get("params", {}).values() for key, value in values.items()}
    deps, outs = (_parse_outputs(entry.get(key, [])) for key in ("deps", "outs"))
    return Stage(name, entry["cmd"], deps, params, outs)


def _parse_outputs(entries: list[dict[str, Any]]) -> tuple[Output, ...]:
    # DVC knows a dependency at a URL by the checksum of its store.
    outputs = tuple(
        Output(entry["path"], entry[next((name for name in ("etag", "checksum") if name in entry), "md5")])
        for entry in entries
    )
    if not all(isinstance(value, str) for output in outputs for value in output):
        raise TypeError("a path or an MD5 that is no text")
    return outputs
