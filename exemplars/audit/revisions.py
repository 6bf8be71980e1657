"""The project at a revision: the workspace, or a commit of git, whose outputs DVC's cache or remote holds.

Nothing is checked out: files come from git's objects, outputs from the cache by the hashes that the
revision's `dvc.lock` names; what the cache lacks is fetched from the remote, once.
"""

from __future__ import annotations

import configparser
import json
import logging
import subprocess
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import write_bytes

WORKSPACE: Final = "workspace"
"""The name of the files as they lie there now."""
LOCK: Final = "dvc.lock"


class Output(NamedTuple):
    """A dependency or output of a stage, as `dvc.lock` names it."""

    path: str
    """Relative to the project's root, with `/`."""
    md5: str
    """DVC's hash of the content; of a folder it ends in `.dir`."""

    @property
    def is_folder(self) -> bool:
        """It has files below it."""
        return self.md5.endswith(".dir")


class Stage(NamedTuple):
    """What `dvc.lock` says of a stage; the name of an instance is `ingest@sgd`."""

    name: str
    command: str
    deps: tuple[Output, ...]
    params: dict[str, Any]
    """By their dotted keys in `params.yaml`."""
    outs: tuple[Output, ...]


class Revision:
    """The project's files and outputs, at one point of its history."""

    def __init__(self, root: Path, name: str, commit: str | None) -> None:
        """root: of the git and DVC repository. commit: null for the workspace."""
        self.root = root
        self.name = name
        self.commit = commit

    def file(self, path: str) -> bytes | None:
        """A file that git tracks, or that lies in the workspace; null where there is none."""
        if self.commit is None:
            place = self.root / path
            return place.read_bytes() if place.is_file() else None
        return git_bytes(self.root, "show", f"{self.commit}:{path}")

    @cached_property
    def stages(self) -> dict[str, Stage]:
        """The stages of `dvc.lock`. Raises `UserError` where there is none, or a damaged one."""
        data = self.file(LOCK)
        if data is None:
            raise self._problem(LOCK, "no dvc.lock", "a revision after a `dvc repro` that was committed")
        try:
            stages = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["stages"]
            return {name: _stage(name, one) for name, one in stages.items()}
        except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            found = f"a damaged dvc.lock ({' '.join(str(error).split())})"
            raise self._problem(LOCK, found, "what `dvc repro` wrote") from None

    @cached_property
    def outputs(self) -> dict[str, Output]:
        """All outputs of all stages, by path."""
        return {out.path: out for stage in self.stages.values() for out in stage.outs}

    def has(self, path: Path) -> bool:
        """Whether a stage of this revision made the output `path`."""
        return path.as_posix() in self.outputs

    def output(self, path: Path) -> Path:
        """Where the bytes of an output lie: in the workspace, or in DVC's cache.

        A file below a folder that is an output is found too.
        Raises `UserError` where the revision has no such output, or where neither cache nor remote has it.
        """
        if self.commit is None:
            return self.root / path
        return self._object(path.as_posix(), self._hash_of(path.as_posix()))

    def _hash_of(self, path: str) -> str:
        if out := self.outputs.get(path):
            return out.md5
        for out in self.outputs.values():
            if out.is_folder and path.startswith(f"{out.path}/"):
                for entry in folder_entries(self._object(out.path, out.md5)):
                    if f"{out.path}/{entry.path}" == path:
                        return entry.md5
        raise self._problem(path, "no such output", "an output that this revision's dvc.lock names")

    def _object(self, path: str, md5: str) -> Path:
        place = cached_object(self.root, md5)
        if place.is_file():
            return place
        if (data := self.file(path)) is not None and not md5.endswith(".dir"):
            return _kept(self.root, md5, data)  # `cache: false`: git has it.
        fetch(self.root, [md5])
        if place.is_file():
            return place
        raise self._problem(
            path,
            f"no object {md5} in DVC's cache or remote",
            "the output of this revision",
            f"run `dvc fetch --all-commits`, or `git checkout {self.name}` and `dvc repro`",
        )

    def _problem(self, path: str, found: str, expected: str, fix: str = "name another revision") -> UserError:
        place = path if self.commit is None else f"{path} at {self.name}"
        return UserError(
            [Diagnostic(path=place, code="unusable_revision", found=found, expected=expected, fix=fix)]
        )


def open_revision(root: Path, name: str = WORKSPACE) -> Revision:
    """A revision by its name in git, or the workspace. Raises `UserError` where git does not know it."""
    if name == WORKSPACE:
        return Revision(root, name, None)
    commit = git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if not commit:
        raise UserError(
            [
                Diagnostic(
                    path="git",
                    code="unknown_revision",
                    found=f"no revision {name!r}",
                    expected=f"a commit, branch or tag, or {WORKSPACE}",
                    fix="`git log --oneline` shows them",
                )
            ]
        )
    return Revision(root, name, commit.strip())


def check_project(root: Path) -> None:
    """Raise `UserError` where `root` is not the root of a DVC project."""
    if not (root / ".dvc").is_dir():
        raise UserError(
            [
                Diagnostic(
                    path=str(root.resolve().name),
                    code="no_project",
                    found="no folder .dvc",
                    expected="the root of a DVC project",
                    fix="change to the folder with dvc.yaml, then run the same command again",
                )
            ]
        )


def revisions_with_lock(root: Path) -> list[Revision]:
    """All commits of all branches and tags that changed `dvc.lock`, the newest first."""
    log = git(root, "log", "--all", "--format=%H", "--diff-filter=AM", "--", LOCK) or ""
    return [Revision(root, commit[:12], commit) for commit in log.split()]


def cache_folder(root: Path) -> Path:
    """DVC's cache of files: `cache.dir` of DVC's configuration, or `.dvc/cache`."""
    for name in ("config.local", "config"):
        config = configparser.ConfigParser()
        config.read(root / ".dvc" / name)
        if folder := config.get("cache", "dir", fallback=None):
            return (root / ".dvc" / folder).resolve()
    return root / ".dvc" / "cache"


def cached_object(root: Path, md5: str) -> Path:
    """Where DVC's cache keeps an object."""
    return cache_folder(root) / "files" / "md5" / md5[:2] / md5[2:]


def folder_entries(listing: Path) -> list[Output]:
    """The files of a folder, from its object in the cache; their paths are relative to the folder."""
    return [Output(entry["relpath"], entry["md5"]) for entry in json.loads(listing.read_bytes())]


def fetch(root: Path, hashes: Iterable[str]) -> None:
    """Bring objects from the default remote into the cache. Where there is no remote, nothing happens.

    Raises `UserError` where the remote does not answer.
    """
    from dvc.config import Config
    from dvc.exceptions import DvcException

    try:
        if not Config(dvc_dir=str(root.resolve() / ".dvc"), validate=False)["core"].get("remote"):
            return  # The rest of DVC takes half a second to import.
    except DvcException as error:
        raise _remote_down(error) from None
    from dvc.repo import Repo
    from dvc_data.hashfile.hash_info import HashInfo

    logging.getLogger("dvc").setLevel(logging.CRITICAL)  # Whoever asks tells what is lacking.
    try:
        with Repo(str(root)) as repo:
            repo.cloud.pull({HashInfo("md5", one) for one in hashes})
    except Exception as error:  # Each kind of remote has a library, which raises what it likes.
        raise _remote_down(error) from None


def _remote_down(error: Exception) -> UserError:
    return UserError(
        [
            Diagnostic(
                path="the DVC remote",
                code="remote_down",
                found=" ".join(str(error).split()) or type(error).__name__,
                expected="a remote that answers",
                fix="check `dvc remote list`, the network and your credentials",
            )
        ]
    )


def git(root: Path, *arguments: str) -> str | None:
    """What a git command prints; null where it fails, or where there is no git."""
    data = git_bytes(root, *arguments)
    return None if data is None else data.decode("utf-8", "replace")


def git_bytes(root: Path, *arguments: str) -> bytes | None:
    """What a git command prints, as bytes; null where it fails, or where there is no git."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def _kept(root: Path, md5: str, data: bytes) -> Path:
    """Bytes from git's objects as a file, under their hash."""
    place = root / ".dvc" / "tmp" / "exemplars" / md5
    if not place.is_file():
        write_bytes(place, data)
    return place


def _stage(name: str, one: dict[str, Any]) -> Stage:
    params = {key: value for values in one.get("params", {}).values() for key, value in values.items()}
    return Stage(name, one["cmd"], _outputs(one.get("deps", [])), params, _outputs(one.get("outs", [])))


def _outputs(entries: list[dict[str, Any]]) -> tuple[Output, ...]:
    return tuple(Output(entry["path"], entry["md5"]) for entry in entries)
